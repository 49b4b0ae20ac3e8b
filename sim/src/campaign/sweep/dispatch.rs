//! Which seeds are swept next, and by whom. Scenarios share the time evenly; the seeds of each go out in order.

use super::tally::Tally;
use super::{Lane, Runner, Setting};
use crate::campaign::clock::Stopwatch;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// About how long a chunk of seeds should take: long enough to hand out rarely, short enough to end soon.
const CHUNK_TIME: Duration = Duration::from_millis(20);
const CHUNK_FIRST: u64 = 16;
const CHUNK_MAX: u64 = 4096;

/// Hands out seeds.
pub(super) struct Dispatch {
    began: Stopwatch,
    time: Option<Duration>,
    state: Mutex<Vec<State>>,
}

#[derive(Debug)]
struct State {
    rest: Range<u64>,
    /// Time of all threads so far, with a guess for what is out.
    booked: Duration,
    busy: Duration,
    tally: Tally,
}

/// Some seeds of one scenario.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    pub(super) lane: usize,
    pub(super) seeds: Range<u64>,
    taken: Stopwatch,
    guess: Duration,
}

impl Dispatch {
    pub(super) fn new(lanes: usize, seeds: &Range<u64>, time: Option<Duration>) -> Dispatch {
        let fresh = || State {
            rest: seeds.clone(),
            booked: Duration::ZERO,
            busy: Duration::ZERO,
            tally: Tally::default(),
        };
        let state = Mutex::new((0..lanes).map(|_| fresh()).collect());
        Dispatch { began: Stopwatch::start(), time, state }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<State>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next seeds, of the scenario that has had the least time. `None`: there are no more, or the time is over. Every
    /// chunk that was taken must be brought back.
    pub(super) fn take(&self) -> Option<Chunk> {
        let taken = Stopwatch::start();
        if self.time.is_some_and(|time| self.began.elapsed() >= time) {
            return None;
        }
        let mut states = self.lock();
        let open = states.iter_mut().enumerate().filter(|(_, state)| !state.rest.is_empty());
        let (lane, state) = open.min_by_key(|(_, state)| state.booked)?;
        let runs = state.tally.runs;
        let each = if runs == 0 { CHUNK_TIME / 16 } else { state.busy / clamp_u32(runs) };
        let count = if runs == 0 {
            CHUNK_FIRST
        } else {
            let fit = CHUNK_TIME.as_nanos() / each.as_nanos().max(1);
            u64::try_from(fit).unwrap_or(CHUNK_MAX).clamp(1, CHUNK_MAX)
        };
        let end = state.rest.end.min(state.rest.start.saturating_add(count));
        let seeds = state.rest.start..end;
        state.rest.start = end;
        let guess = each * clamp_u32(seeds.end - seeds.start);
        state.booked += guess;
        Some(Chunk { lane, seeds, taken, guess })
    }

    /// Brings back a chunk with what its runs add up to.
    pub(super) fn done(&self, chunk: Chunk, tally: &Tally) {
        let took = chunk.taken.elapsed();
        let mut states = self.lock();
        let state = &mut states[chunk.lane];
        state.tally.merge(tally);
        state.busy += took;
        state.booked = state.booked.saturating_sub(chunk.guess) + took;
    }

    /// How many runs were brought back.
    pub(super) fn runs(&self) -> u64 {
        self.lock().iter().map(|state| state.tally.runs).sum()
    }

    pub(super) fn into_lanes(self, lanes: &[(&dyn Runner, Setting)], jobs: usize) -> Vec<Lane> {
        let states = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let jobs = u32::try_from(jobs.max(1)).unwrap_or(u32::MAX);
        let lane = |(state, (runner, _)): (State, &(&dyn Runner, Setting))| Lane {
            info: runner.info(),
            tally: state.tally,
            busy: state.busy,
            wall: state.busy / jobs,
        };
        states.into_iter().zip(lanes).map(lane).collect()
    }
}

fn clamp_u32(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_go_out_in_order_and_all_of_them_go_out() {
        let dispatch = Dispatch::new(2, &(5..5_000), None);
        let mut next = [5, 5];
        while let Some(chunk) = dispatch.take() {
            assert_eq!(chunk.seeds.start, next[chunk.lane]);
            next[chunk.lane] = chunk.seeds.end;
            let runs = chunk.seeds.end - chunk.seeds.start;
            dispatch.done(chunk, &Tally { runs, ..Tally::default() });
        }
        assert_eq!((next, dispatch.runs()), ([5_000, 5_000], 2 * 4_995));
    }

    #[test]
    fn when_the_time_is_over_no_more_seeds_go_out() {
        let dispatch = Dispatch::new(1, &(0..10), Some(Duration::ZERO));
        assert!(dispatch.take().is_none());
    }
}
