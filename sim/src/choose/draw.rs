//! Expanding a seed into a plan: one ChaCha8 stream a purpose, so that drawing more of one thing moves no other.

use super::scale;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a stream of draws is for. The numbers are part of the meaning of every seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Topology and knobs of the scenario.
    Config = 1,
    /// Operations of the clients.
    Workload = 2,
    /// Which fault kinds are on, and the shapes of trouble over time.
    Faults = 3,
    /// Rates of the small deviations (noise).
    Noise = 4,
    /// Latencies, clocks and the start of the run.
    Timing = 5,
    /// Which nodes and files the budget gives up.
    Budget = 6,
}

/// A stream of draws for one purpose.
#[derive(Clone, Debug)]
pub struct Draw {
    rng: ChaCha8Rng,
}

impl Draw {
    /// The stream of `purpose` of this seed.
    #[must_use]
    pub fn new(seed: u64, purpose: Purpose) -> Draw {
        // The key is written out here rather than by `seed_from_u64`, whose expansion is the library's to change.
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(purpose as u64);
        Draw { rng }
    }

    /// A number below `bound`; 0 if the bound is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        scale(self.rng.next_u64(), bound)
    }

    /// A number in `low..=high`.
    ///
    /// # Panics
    /// If `low > high`.
    pub fn range(&mut self, low: u64, high: u64) -> u64 {
        assert!(low <= high, "a range runs upwards");
        low + self.below((high - low).saturating_add(1))
    }

    /// True in `numerator` of `denominator` cases.
    pub fn chance(&mut self, numerator: u64, denominator: u64) -> bool {
        self.below(denominator) < numerator
    }

    /// One of these.
    ///
    /// # Panics
    /// If there are none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        assert!(!of.is_empty(), "something to pick from");
        &of[self.index(of.len())]
    }

    /// An index below `len`.
    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).expect("an index below a usize")
    }

    /// An index by integer weights; 0 if all are 0.
    pub fn weighted(&mut self, weights: &[u32]) -> usize {
        let mut drawn = self.below(weights.iter().map(|w| u64::from(*w)).sum());
        for (i, weight) in weights.iter().enumerate() {
            if drawn < u64::from(*weight) {
                return i;
            }
            drawn -= u64::from(*weight);
        }
        0
    }

    /// The next raw word.
    pub fn word(&mut self) -> u64 {
        self.rng.next_u64()
    }
}
