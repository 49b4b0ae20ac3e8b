//! What is scheduled, and in which order things of one instant were given out.

use super::Mode;
use super::stage::Slot;
use crate::actor::Actor;
use crate::choose::{Decision, Key};
use crate::engine::Simulation;
use crate::time::{Span, Time};
use crate::world::{Scheduled, TIE};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything that the director holds.
pub(super) struct Agenda<A: Actor> {
    mode: Mode,
    held: BTreeMap<(Time, u8, u32), Scheduled<A>>,
    given: (Time, Vec<(u32, Option<Key>)>),
    lines: Vec<Decision>,
}

impl<A: Actor> Agenda<A> {
    pub(super) fn new(mode: Mode) -> Agenda<A> {
        Agenda { mode, held: BTreeMap::new(), given: (Time(0), Vec::new()), lines: Vec::new() }
    }

    /// Takes what has been created since.
    pub(super) fn fill(&mut self, simulation: &mut Simulation<A>) {
        while let Some(mut entry) = simulation.world.take_scheduled() {
            if self.mode == Mode::LateTimers && entry.is_timer() {
                entry.postpone(Span::LEAST);
            }
            self.held.insert(entry.order(), entry);
        }
    }

    pub(super) fn next_due(&self) -> Option<Time> {
        self.held.first_key_value().map(|((at, ..), _)| *at)
    }

    /// What comes next.
    pub(super) async fn take(&mut self) -> Option<Scheduled<A>> {
        let at = self.next_due()?;
        let place = match self.mode {
            Mode::Pinned | Mode::LateTimers => *self.held.first_key_value()?.0,
            Mode::Free => self.choose(at).await,
        };
        let entry = self.held.remove(&place)?;
        if self.mode == Mode::Free {
            if self.given.0 != at {
                self.write_down();
                self.given.0 = at;
            }
            self.given.1.push((place.2, entry.tie_key()));
        }
        Some(entry)
    }

    /// The next of those that are due at this instant: in order of creation what has no key, then by madsim's choice,
    /// but in order for each pair of actors, and only as often out of order as can be written down.
    async fn choose(&self, at: Time) -> (Time, u8, u32) {
        let due = || self.held.range((at, 0, 0)..=(at, u8::MAX, u32::MAX));
        if let Some((place, _)) = due().find(|(_, entry)| entry.tie_key().is_none()) {
            return *place;
        }
        let mut pairs = Vec::new();
        let mut first: Vec<(Time, u8, u32)> = Vec::new();
        for (place, entry) in due() {
            let pair = entry.tie_key().map(|key| key.who >> 32);
            if !pairs.contains(&pair) {
                pairs.push(pair);
                first.push(*place);
            }
        }
        // One more may be needed to come back to the order of creation.
        let used = self.given.1.windows(2).filter(|pair| pair[1].0 < pair[0].0).count();
        if used + 3 > TIE.outcomes.len() { first[0] } else { first[winner(first.len()).await] }
    }

    /// Writes down the order of an instant, unless it was that of creation.
    fn write_down(&mut self) {
        let given = std::mem::take(&mut self.given.1);
        if given.is_sorted_by_key(|(number, _)| *number) {
            return;
        }
        let (mut priority, mut last) = (1, 0);
        for (number, key) in given {
            let Some(key) = key else { continue };
            priority += u32::from(number < last);
            last = number;
            assert!(priority as usize <= TIE.outcomes.len(), "it can be written down");
            self.lines.push(Decision { site: TIE.id, key, outcome: priority });
        }
    }

    /// All that was written down. A run may end in the middle of an instant; what was still to come stays behind.
    pub(super) fn written(mut self) -> Vec<Decision> {
        let rest = std::mem::take(&mut self.held);
        let rest = rest.into_values().filter(|entry| entry.order().0 == self.given.0);
        let mut rest: Vec<_> = rest.map(|entry| (entry.order().2, entry.tie_key())).collect();
        rest.sort_unstable_by_key(|(number, key)| (key.is_some(), *number));
        self.given.1.extend(rest);
        self.write_down();
        self.lines
    }
}

/// Which of so many tasks madsim's scheduler runs first.
async fn winner(tasks: usize) -> usize {
    if tasks == 1 {
        return 0;
    }
    let winner = Arc::new(Slot::new());
    for task in 0..tasks {
        let winner = winner.clone();
        madsim::task::spawn(async move {
            if winner.is_empty() {
                winner.put(task);
            }
        });
    }
    winner.take().await
}
