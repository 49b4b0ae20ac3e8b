//! Odds: a small table of integer weights.

use super::scale;

/// Integer weights of the outcomes of one site, outcome 0 (calm) first; at most sixteen outcomes.
///
/// Weights are kept summed up, so that a draw is one multiplication and a short scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Odds {
    /// `upto[i]` = sum of the weights 0..=i.
    upto: [u32; Odds::OUTCOMES_MAX],
    outcomes: u32,
}

impl Odds {
    /// The most outcomes that a table can hold.
    pub const OUTCOMES_MAX: usize = 16;

    /// Only outcome 0.
    pub const CALM: Odds = Odds { upto: [0; Odds::OUTCOMES_MAX], outcomes: 0 };

    /// A table with these weights, outcome 0 first.
    ///
    /// # Panics
    /// If there are more than sixteen weights or their sum does not fit 32 bits: plans are checked before.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "an index below 16")]
    pub const fn new(weights: &[u32]) -> Odds {
        assert!(weights.len() <= Odds::OUTCOMES_MAX, "odds have at most 16 outcomes");
        let mut odds = Odds::CALM;
        let mut sum = 0;
        let mut i = 0;
        while i < weights.len() {
            sum += weights[i];
            odds.upto[i] = sum;
            if i > 0 && weights[i] > 0 {
                odds.outcomes = i as u32 + 1;
            }
            i += 1;
        }
        // Nothing is kept of outcomes that cannot come, so that equal odds are equal values.
        let mut i = odds.outcomes as usize;
        while i < Odds::OUTCOMES_MAX {
            odds.upto[i] = 0;
            i += 1;
        }
        odds
    }

    /// Whether only outcome 0 can come.
    #[must_use]
    pub const fn is_calm(&self) -> bool {
        self.outcomes == 0
    }

    /// The weights, up to the last outcome that can come.
    pub fn weights(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.outcomes as usize)
            .map(|i| self.upto[i] - if i == 0 { 0 } else { self.upto[i - 1] })
    }

    /// The outcome that a uniform word selects.
    #[inline]
    #[must_use]
    pub(super) fn pick(&self, word: u64) -> u32 {
        if self.outcomes == 0 {
            return 0;
        }
        let used = &self.upto[..self.outcomes as usize];
        let drawn = scale(word, u64::from(used[used.len() - 1]));
        // Counted without a branch: where outcomes are evenly spread, a branch would be mispredicted every other time.
        let mut outcome = 0;
        for upto in used {
            outcome += u32::from(u64::from(*upto) <= drawn);
        }
        outcome
    }
}
