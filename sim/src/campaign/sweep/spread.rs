//! How a number is spread over many runs, in little room: enough to tell its median.

/// Numbers up to here are told apart exactly.
const EXACT: u32 = 64;
/// Above that, so many bins for each doubling.
const PER_DOUBLING: u32 = 32;
/// Enough for all numbers of 32 bits.
const BINS: usize = (EXACT + PER_DOUBLING * 26) as usize;

/// Counts numbers in bins. The order in which they come does not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spread {
    bins: Vec<u64>,
}

impl Default for Spread {
    fn default() -> Spread {
        Spread { bins: vec![0; BINS] }
    }
}

impl Spread {
    /// Counts a number.
    pub fn add(&mut self, number: u32) {
        self.bins[bin(number)] += 1;
    }

    /// Counts what another one has counted.
    pub fn merge(&mut self, other: &Spread) {
        for (sum, more) in self.bins.iter_mut().zip(&other.bins) {
            *sum += more;
        }
    }

    /// The number in the middle, the lower one of two; up to 3 % too small above 64. 0 if none was counted.
    #[must_use]
    pub fn median(&self) -> u32 {
        let all: u64 = self.bins.iter().sum();
        let mut below = 0;
        let found = self.bins.iter().position(|count| {
            below += count;
            below * 2 >= all && below > 0
        });
        found.map_or(0, least)
    }
}

/// In which bin a number is counted.
fn bin(number: u32) -> usize {
    if number < EXACT {
        return number as usize;
    }
    let doublings = number.ilog2() - EXACT.ilog2();
    let within = (number >> (doublings + 1)) - PER_DOUBLING;
    (EXACT + doublings * PER_DOUBLING + within) as usize
}

/// The least number of a bin.
fn least(bin: usize) -> u32 {
    let bin = u32::try_from(bin).expect("there are few");
    if bin < EXACT {
        return bin;
    }
    let (doublings, within) = ((bin - EXACT) / PER_DOUBLING, (bin - EXACT) % PER_DOUBLING);
    (PER_DOUBLING + within) << (doublings + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_a_bin_whose_least_number_is_close_below_it() {
        for number in (0..70_000).chain([u32::MAX / 2, u32::MAX - 1, u32::MAX]) {
            let found = least(bin(number));
            assert!(found <= number && number - found <= number / 32, "{number}: {found}");
            assert_eq!(bin(found), bin(number));
        }
        assert_eq!(bin(u32::MAX), BINS - 1);
    }

    #[test]
    fn the_median_is_the_number_in_the_middle() {
        let of = |numbers: &[u32]| {
            let mut spread = Spread::default();
            numbers.iter().for_each(|number| spread.add(*number));
            spread
        };
        assert_eq!(of(&[]).median(), 0);
        assert_eq!(of(&[0]).median(), 0);
        assert_eq!(of(&[9, 1, 5]).median(), 5);
        assert_eq!(of(&[1, 9]).median(), 1);
        assert_eq!(of(&[1_000; 3]).median(), 992);
        let mut all = of(&[1, 2]);
        all.merge(&of(&[3, 4, 60]));
        assert_eq!((all.median(), all), (3, of(&[60, 4, 3, 2, 1])));
    }
}
