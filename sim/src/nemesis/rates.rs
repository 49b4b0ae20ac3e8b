//! Which outcomes of which sites a kind of noise stands for, and how often they come.

use crate::choose::{Draw, Odds};
use crate::fault::{Kind, KindSet};

/// The weights of a site sum up to this, so that a weight is a rate in 1/100,000.
const SCALE: u32 = 100_000;
/// The rate of everything in the control arm: 1 in 200.
const FIXED: u32 = SCALE / 200;

/// What happens to single messages and requests: mostly rare, with a heavy tail up to 1 in 8.
const RARE: &[u32] = &[100, 100, 200, 500, 1_000, 2_000, 5_000, 12_500];
/// What is asked often and breaks nothing by itself: the order of things.
const ORDER: &[u32] = &[500, 2_000, 10_000, 30_000];
/// What is asked only when something unusual is going on already: at a crash, at a cut, when several wait.
const SELDOM_ASKED: &[u32] = &[5_000, 12_500, 25_000, 50_000, 90_000];

/// A kind of noise as outcomes of a site of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoiseSite {
    /// The kind.
    pub kind: Kind,
    /// The id of the site.
    pub site: u16,
    /// The first of its outcomes that belongs to the kind.
    pub first: u16,
    /// How its rate is shared among that outcome and the next ones, in percent.
    pub shares: &'static [u32],
    rates: &'static [u32],
}

const fn row(
    kind: Kind,
    site: u16,
    first: u16,
    shares: &'static [u32],
    rates: &'static [u32],
) -> NoiseSite {
    NoiseSite { kind, site, first, shares, rates }
}

const ALL: &[u32] = &[100];

/// The only place that knows which site a kind belongs to, by site. Durations have heavy tails: the longer, the rarer.
const NOISE: [NoiseSite; 24] = [
    row(Kind::Drop, 1, 1, ALL, RARE),
    row(Kind::Duplicate, 1, 2, ALL, RARE),
    row(Kind::Reorder, 1, 3, ALL, RARE),
    row(Kind::Corrupt, 1, 4, ALL, RARE),
    row(Kind::Delay, 1, 5, &[30, 25, 20, 12, 8, 4, 1], RARE),
    row(Kind::Tie, 2, 1, &[60, 25, 15], ORDER),
    row(Kind::Schedule, 3, 1, &[30, 25, 25, 15, 5], ORDER),
    row(Kind::Waiter, 4, 1, &[60, 25, 15], SELDOM_ASKED),
    row(Kind::RequestError, 5, 1, ALL, RARE),
    row(Kind::RequestSlow, 5, 2, &[45, 30, 20, 5], RARE),
    row(Kind::RequestHang, 5, 6, ALL, RARE),
    row(Kind::ShortWrite, 5, 7, ALL, RARE),
    row(Kind::Misdirect, 5, 8, ALL, RARE),
    row(Kind::Rot, 5, 9, ALL, RARE),
    row(Kind::Kept, 6, 1, ALL, SELDOM_ASKED),
    row(Kind::Kept, 7, 1, ALL, SELDOM_ASKED),
    row(Kind::Segment, 8, 1, &[15, 10, 10, 15, 15, 15, 10, 8, 2], ORDER),
    row(Kind::ConnectRefused, 9, 1, ALL, RARE),
    row(Kind::ConnectHang, 9, 2, ALL, RARE),
    row(Kind::ConnectDelay, 9, 3, &[50, 35, 15], RARE),
    row(Kind::CutReset, 10, 1, ALL, SELDOM_ASKED),
    row(Kind::CutHalfOpen, 10, 2, ALL, SELDOM_ASKED),
    row(Kind::Flip, 11, 1, ALL, RARE),
    row(Kind::Think, 12, 1, &[30, 20, 25, 15, 10], ORDER),
];

/// The kinds of noise and their sites.
#[must_use]
pub fn noise_sites() -> &'static [NoiseSite] {
    &NOISE
}

/// Odds of the engine's sites at drawn rates, for the kinds that are on; by site, without those that are calm.
pub fn draw_rates(kinds: KindSet, draw: &mut Draw) -> Vec<(u16, Odds)> {
    // A rate is drawn for every kind, so that switching one off leaves the others as they are.
    rates(kinds, |row| *draw.pick(row.rates))
}

/// The same with every kind that is on at one low rate.
#[must_use]
pub fn fixed_rates(kinds: KindSet) -> Vec<(u16, Odds)> {
    rates(kinds, |_| FIXED)
}

fn rates(kinds: KindSet, mut rate: impl FnMut(&NoiseSite) -> u32) -> Vec<(u16, Odds)> {
    let mut odds = Vec::new();
    for rows in NOISE.chunk_by(|one, other| one.site == other.site) {
        let mut weights = [0_u32; Odds::OUTCOMES_MAX];
        for row in rows {
            let rate = rate(row);
            if kinds.has(row.kind) {
                for (share, weight) in row.shares.iter().zip(&mut weights[usize::from(row.first)..])
                {
                    *weight = rate * share / 100;
                }
            }
        }
        let unusual: u32 = weights.iter().sum();
        if unusual > 0 {
            // Only where all kinds of a site are on and frequent is there nothing left for calm.
            weights[0] = SCALE.saturating_sub(unusual);
            odds.push((rows[0].site, Odds::new(&weights)));
        }
    }
    odds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choose::Purpose;

    #[test]
    fn the_table_covers_every_kind_of_noise_in_the_order_of_the_sites() {
        assert!(NOISE.is_sorted_by_key(|row| (row.site, row.first)));
        for (kind, name, _) in Kind::CATALOGUE {
            let rows = NOISE.iter().filter(|row| row.kind == kind).count();
            assert_eq!(rows > 0, !kind.is_fault(), "{name}");
        }
        for row in NOISE {
            assert_eq!(row.shares.iter().sum::<u32>(), 100, "{:?}", row.kind);
        }
    }

    #[test]
    fn a_kind_has_its_own_outcomes_and_leaves_the_rates_of_others_alone() {
        let kinds = KindSet::of(&[Kind::Drop, Kind::Delay, Kind::Kept, Kind::Think]);
        let odds = draw_rates(kinds, &mut Draw::new(5, Purpose::Noise));
        let sites: Vec<u16> = odds.iter().map(|(site, _)| *site).collect();
        assert_eq!(sites, [1, 6, 7, 12]);
        let net: Vec<u32> = odds[0].1.weights().collect();
        assert_eq!(net.iter().sum::<u32>(), SCALE);
        assert!(net[1] > 0 && net[2] + net[3] + net[4] == 0 && net[5] > net[11]);
        let fewer = draw_rates(KindSet::of(&[Kind::Think]), &mut Draw::new(5, Purpose::Noise));
        assert_eq!(fewer, odds[3..]);
    }

    #[test]
    fn the_control_arm_has_one_rate_for_all() {
        for kind in [Kind::Drop, Kind::Delay, Kind::Schedule, Kind::Rot] {
            let odds = fixed_rates(KindSet::of(&[kind]));
            let unusual: u32 = odds[0].1.weights().skip(1).sum();
            assert_eq!((odds.len(), unusual), (1, FIXED));
        }
    }
}
