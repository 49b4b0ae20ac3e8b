//! What many runs add up to. Its size does not depend on how many there are.

use super::Spread;
use crate::engine::{Report, Verdict};
use crate::fault::Kind;

/// What many runs add up to.
#[derive(Clone, Debug)]
pub struct Tally {
    /// How many runs.
    pub runs: u64,
    /// Runs in which an operation of the workload succeeded after the first fault.
    pub counted: u64,
    /// Runs that completed at least 20 operations and in which at least one thing went wrong.
    pub busy: u64,
    /// Steps.
    pub events: u64,
    /// Virtual time, in nanoseconds.
    pub virtual_ns: u128,
    /// Runs that broke a promise.
    pub broken: u64,
    /// Runs that reached a limit.
    pub inconclusive: u64,
    /// The lowest seed of these, and which limit.
    pub first_inconclusive: Option<(u64, String)>,
    /// Per mark, by its bit: runs that have seen it.
    pub marks: [u64; 64],
    /// Per point, by its bit: runs that have passed it.
    pub points: [u64; 64],
    /// Per check: evaluations.
    pub evaluated: Vec<u64>,
    /// Per kind of the catalogue: how often it happened.
    pub seen: [u64; Kind::CATALOGUE.len()],
    /// Per run: operations that were completed.
    pub operations: Spread,
    /// Per run: things that went wrong.
    pub troubles: Spread,
    /// Per run: steps.
    pub steps: Spread,
}

/// Operations of a run from which on it is taken for busy.
const BUSY: u32 = 20;

impl Default for Tally {
    fn default() -> Tally {
        Tally {
            runs: 0,
            counted: 0,
            busy: 0,
            events: 0,
            virtual_ns: 0,
            broken: 0,
            inconclusive: 0,
            first_inconclusive: None,
            marks: [0; 64],
            points: [0; 64],
            evaluated: Vec::new(),
            seen: [0; Kind::CATALOGUE.len()],
            operations: Spread::default(),
            troubles: Spread::default(),
            steps: Spread::default(),
        }
    }
}

impl Tally {
    /// Adds a run.
    pub fn add(&mut self, seed: u64, report: &Report) {
        self.runs += 1;
        self.counted += u64::from(report.counted);
        self.events += u64::from(report.steps);
        self.virtual_ns += u128::from(report.virtual_time.0);
        match &report.verdict {
            Verdict::Pass => {}
            Verdict::Broken(_) => self.broken += 1,
            Verdict::Inconclusive(reason) => {
                self.inconclusive += 1;
                self.note_inconclusive(seed, reason);
            }
        }
        count_bits(&mut self.marks, report.marks);
        count_bits(&mut self.points, report.points);
        add_all(&mut self.evaluated, &report.evaluated);
        for (sum, seen) in self.seen.iter_mut().zip(report.seen) {
            *sum += u64::from(seen);
        }
        let troubles = report.seen.iter().sum::<u32>();
        self.busy += u64::from(report.completed >= BUSY && troubles > 0);
        self.operations.add(report.completed);
        self.troubles.add(troubles);
        self.steps.add(report.steps);
    }

    /// Adds what others add up to.
    pub fn merge(&mut self, other: &Tally) {
        self.runs += other.runs;
        self.counted += other.counted;
        self.busy += other.busy;
        self.events += other.events;
        self.virtual_ns += other.virtual_ns;
        self.broken += other.broken;
        self.inconclusive += other.inconclusive;
        if let Some((seed, reason)) = &other.first_inconclusive {
            self.note_inconclusive(*seed, reason);
        }
        add_all(&mut self.marks, &other.marks);
        add_all(&mut self.points, &other.points);
        add_all(&mut self.evaluated, &other.evaluated);
        add_all(&mut self.seen, &other.seen);
        self.operations.merge(&other.operations);
        self.troubles.merge(&other.troubles);
        self.steps.merge(&other.steps);
    }

    fn note_inconclusive(&mut self, seed: u64, reason: &str) {
        if self.first_inconclusive.as_ref().is_none_or(|(first, _)| seed < *first) {
            self.first_inconclusive = Some((seed, reason.to_string()));
        }
    }
}

fn count_bits(counts: &mut [u64; 64], mut bits: u64) {
    while bits != 0 {
        counts[bits.trailing_zeros() as usize] += 1;
        bits &= bits - 1;
    }
}

/// Adds number by number; the list grows where it is shorter.
fn add_all<'a>(sums: &mut (impl AsMut<[u64]> + Grow), more: impl IntoIterator<Item = &'a u64>) {
    for (i, n) in more.into_iter().enumerate() {
        sums.grow(i);
        sums.as_mut()[i] += n;
    }
}

trait Grow {
    fn grow(&mut self, to_hold: usize);
}

impl Grow for Vec<u64> {
    fn grow(&mut self, to_hold: usize) {
        if self.len() <= to_hold {
            self.resize(to_hold + 1, 0);
        }
    }
}

impl<const N: usize> Grow for [u64; N] {
    fn grow(&mut self, _: usize) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_merging_does_not_matter() {
        let part = |seed: u64, marks: u64| {
            let mut tally = Tally { runs: 1, evaluated: vec![seed; 2], ..Tally::default() };
            tally.note_inconclusive(seed, "a limit");
            count_bits(&mut tally.marks, marks);
            tally
        };
        let (a, b) = (part(3, 0b101), part(2, 1 << 63));
        let (mut ab, mut ba) = (a.clone(), b.clone());
        ab.merge(&b);
        ba.merge(&a);
        assert_eq!(format!("{ab:?}"), format!("{ba:?}"));
        assert_eq!((ab.marks[0], ab.marks[2], ab.marks[63], ab.runs), (1, 1, 1, 2));
        assert_eq!(ab.first_inconclusive, Some((2, "a limit".into())));
        assert_eq!(ab.evaluated, [5, 5]);
    }
}
