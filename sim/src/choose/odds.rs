//! Odds: a small table of integer weights.

use super::scale;

/// Integer weights of the outcomes of one site, outcome 0 (calm) first; at most sixteen outcomes.
///
/// Weights are kept summed up, so that a draw is one multiplication and a short scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Odds {
    /// `upto[i]` = sum of the weights 0..=i; behind the last outcome that can come, more than can be drawn.
    upto: [u32; Odds::OUTCOMES_MAX],
    outcomes: u32,
    /// The sum of all weights.
    sum: u32,
}

impl Odds {
    /// The most outcomes that a table can hold.
    pub const OUTCOMES_MAX: usize = 16;

    /// As many outcomes as a short table has.
    const FEW: usize = 4;

    /// Only outcome 0.
    pub const CALM: Odds = Odds { upto: [u32::MAX; Odds::OUTCOMES_MAX], outcomes: 0, sum: 0 };

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
                odds.sum = sum;
            }
            i += 1;
        }
        // Nothing is kept of outcomes that cannot come, so that equal odds are equal values.
        let mut i = odds.outcomes as usize;
        while i < Odds::OUTCOMES_MAX {
            odds.upto[i] = u32::MAX;
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
    #[inline(always)]
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "below a sum of 32 bits")]
    pub(super) fn pick(&self, word: u64) -> u32 {
        let drawn = scale(word, u64::from(self.sum)) as u32;
        // Without a branch: where outcomes are evenly spread, it would be mispredicted every other time. Most tables are
        // short; for those, halving is the quickest.
        if self.outcomes as usize <= Odds::FEW {
            let upper = u32::from(self.upto[1] <= drawn);
            let middle = if upper == 0 { self.upto[0] } else { self.upto[2] };
            return 2 * upper + u32::from(middle <= drawn);
        }
        self.upto.iter().map(|upto| u32::from(*upto <= drawn)).sum()
    }
}
