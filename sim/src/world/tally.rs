//! How often equal things have come, for the keys of decisions.

/// Counts by word. A word is spread over all bits and so is its own hash; a slot says itself of which run it is, so that
/// starting over touches none of them, and asking touches one line of the cache where nothing is in the way.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    /// A power of two of them, or none; at most three quarters are taken.
    slots: Vec<Slot>,
    taken: usize,
    run: u32,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    word: u64,
    n: u32,
    /// Free if that is another run than the present one.
    run: u32,
}

const FREE: Slot = Slot { word: 0, n: 0, run: 0 };
/// So many slots a table has at least.
const LEAST: usize = 64;

impl Default for Tally {
    fn default() -> Tally {
        Tally { slots: Vec::new(), taken: 0, run: 1 }
    }
}

impl Tally {
    /// Forgets everything. Keeps its memory.
    pub(crate) fn reset(&mut self) {
        self.taken = 0;
        self.run = self.run.checked_add(1).unwrap_or_else(|| {
            self.slots.fill(FREE);
            1
        });
    }

    /// How often this word has come, this time included.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the lower bits are meant")]
    pub(crate) fn count(&mut self, word: u64) -> u32 {
        if self.taken >= self.slots.len() / 4 * 3 {
            self.grow();
        }
        let (slots, run) = (self.slots.as_mut_slice(), self.run);
        let mut at = word as usize;
        loop {
            at &= slots.len() - 1;
            let slot = &mut slots[at];
            if slot.run != run {
                *slot = Slot { word, n: 1, run };
                self.taken += 1;
                return 1;
            }
            if slot.word == word {
                slot.n += 1;
                return slot.n;
            }
            at += 1;
        }
    }

    #[cold]
    #[expect(clippy::cast_possible_truncation, reason = "the lower bits are meant")]
    fn grow(&mut self) {
        let more = vec![FREE; LEAST.max(2 * self.slots.len())];
        let mask = more.len() - 1;
        let old = std::mem::replace(&mut self.slots, more);
        for slot in old.into_iter().filter(|slot| slot.run == self.run) {
            let mut at = slot.word as usize & mask;
            while self.slots[at].run == self.run {
                at = (at + 1) & mask;
            }
            self.slots[at] = slot;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words that all want the same slot, and words that do not.
    fn words() -> impl Iterator<Item = u64> {
        (0..300).map(|i| if i % 3 == 0 { i << 32 } else { i })
    }

    #[test]
    fn equal_words_are_counted_and_others_apart_from_them() {
        let mut tally = Tally::default();
        for n in 1..=3 {
            for word in words() {
                assert_eq!(tally.count(word), n, "{word}");
            }
        }
        assert_eq!(tally.count(u64::MAX), 1);
    }

    #[test]
    fn a_reset_forgets_all_counts_whatever_the_number_of_the_run() {
        let mut tally = Tally::default();
        for run in [1, 2, u32::MAX - 1, u32::MAX, 1, 2] {
            assert!(run == tally.run || run == u32::MAX - 1);
            tally.run = run;
            for word in words() {
                assert_eq!((tally.count(word), tally.count(word)), (1, 2), "{word} in {run}");
            }
            tally.reset();
        }
    }
}
