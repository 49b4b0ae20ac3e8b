//! A fixed hasher for tables that are never iterated.

use std::hash::{Hash, Hasher};

/// Folds words by rotation and multiplication; the same on every machine and in every process.
#[derive(Clone, Default)]
struct Fold(u64);

/// An odd number without structure: the fractional part of the golden ratio.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for Fold {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, word: u8) {
        self.write_u64(u64::from(word));
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(27) ^ word).wrapping_mul(FACTOR);
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn finish(&self) -> u64 {
        // The table uses both ends of the word, and a product is weak in its low bits.
        let folded = (self.0 ^ (self.0 >> 32)).wrapping_mul(FACTOR);
        folded ^ (folded >> 29)
    }
}

/// The hash of one value.
pub(super) fn hash_of<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut fold = Fold::default();
    value.hash(&mut fold);
    fold.finish()
}
