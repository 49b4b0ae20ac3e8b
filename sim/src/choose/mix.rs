//! The arithmetic of keyed decisions. Its values are pinned by golden tests: another mixer is another meaning for every
//! seed that anybody has kept.

use super::Key;
use std::hash::{BuildHasher, Hasher};

/// An odd constant with evenly spread bits.
const K: u64 = 0x9E6C_63D0_676A_9A99;

/// Folds a word into a state: a 64 by 64 to 128 bit multiplication whose halves are combined.
///
/// The two are combined by xor first, so a chain has to begin with a state that is spread over all bits: [`start`].
#[inline]
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
pub const fn fold(state: u64, word: u64) -> u64 {
    let product = (state ^ word) as u128 * K as u128;
    (product as u64) ^ ((product >> 64) as u64)
}

/// Folds two words into a state with one multiplication.
#[inline]
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
pub const fn fold_pair(state: u64, one: u64, other: u64) -> u64 {
    let product = (state ^ one) as u128 * (other ^ K) as u128;
    (product as u64) ^ ((product >> 64) as u64)
}

/// A state to begin a chain with: distinct for distinct words, and spread over all bits.
#[inline]
#[must_use]
pub const fn start(word: u64) -> u64 {
    word.wrapping_add(1).wrapping_mul(K)
}

/// Folds a decision's site and key into one word, independent of the seed.
///
/// Who and what go in together, with one multiplication; at least two follow before a word decides, else the decisions of
/// neighbouring keys would resemble each other.
#[inline]
#[must_use]
pub const fn fold_key(site: u16, key: Key) -> u64 {
    fold(fold_pair(start(site as u64), key.who, key.what), key.which)
}

/// Folds bytes into a state, sixteen with one multiplication.
#[expect(clippy::cast_possible_truncation, reason = "the halves are folded together")]
fn fold_bytes(mut state: u64, bytes: &[u8]) -> u64 {
    let (pairs, rest) = bytes.as_chunks::<16>();
    for pair in pairs {
        let word = u128::from_le_bytes(*pair);
        state = fold_pair(state, word as u64, (word >> 64) as u64);
    }
    let (words, rest) = rest.as_chunks::<8>();
    for word in words {
        state = fold(state, u64::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        // The length tells a short tail from one padded with zeros.
        state = fold(state ^ rest.len() as u64, u64::from_le_bytes(word));
    }
    state
}

/// A hasher with one fixed behaviour on every platform: little-endian words, `usize` and discriminants as 64 bits.
/// It serves the digest and the maps whose order never shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mixer(u64);

impl Mixer {
    /// A hasher that starts from `state`.
    #[inline]
    #[must_use]
    pub const fn new(state: u64) -> Mixer {
        Mixer(state)
    }

    /// With two words more, folded together.
    #[inline]
    #[must_use]
    pub const fn pair(self, one: u64, other: u64) -> Mixer {
        Mixer(fold_pair(self.0, one, other))
    }

    /// The state after all that was written.
    #[inline]
    #[must_use]
    pub const fn state(self) -> u64 {
        self.0
    }
}

impl Hasher for Mixer {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        self.0 = fold_bytes(self.0, bytes);
    }

    #[inline]
    fn write_u8(&mut self, n: u8) {
        self.0 = fold(self.0, u64::from(n));
    }
    #[inline]
    fn write_u16(&mut self, n: u16) {
        self.0 = fold(self.0, u64::from(n));
    }
    #[inline]
    fn write_u32(&mut self, n: u32) {
        self.0 = fold(self.0, u64::from(n));
    }
    #[inline]
    fn write_u64(&mut self, n: u64) {
        self.0 = fold(self.0, n);
    }
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the halves are folded one after the other"
    )]
    fn write_u128(&mut self, n: u128) {
        self.0 = fold(fold(self.0, n as u64), (n >> 64) as u64);
    }
    #[inline]
    fn write_usize(&mut self, n: usize) {
        self.0 = fold(self.0, n as u64);
    }
    #[inline]
    fn write_isize(&mut self, n: isize) {
        self.0 = fold(self.0, n as u64);
    }
}

/// What a run is folded into.
#[cfg(not(seedbed_digest_off))]
pub type Digest = Mixer;

/// Folds the words of one effect or event into a digest.
#[cfg(not(seedbed_digest_off))]
pub type Words = Pairs;

#[cfg(not(seedbed_digest_off))]
impl Mixer {
    /// Begins with the words of one effect or event.
    #[inline(always)]
    #[must_use]
    pub(crate) const fn words(self) -> Pairs {
        Pairs { state: self.0, held: 0, holds: false }
    }

    /// With an outcome of which 0 leaves no trace. Without a branch: where outcomes are evenly spread, it would be
    /// mispredicted.
    #[inline(always)]
    #[must_use]
    pub(crate) const fn unusual(self, outcome: u32) -> Mixer {
        let outcome = outcome as u64;
        Mixer((self.0 ^ outcome.wrapping_mul(K)).wrapping_mul(1 + 2 * outcome))
    }
}

/// Folds words two by two, with one multiplication for both. Which words belong together is known where they are written,
/// so that this costs nothing where the writing is inlined; the last one of an odd number stands alone.
#[cfg(not(seedbed_digest_off))]
#[derive(Clone, Copy, Debug)]
pub struct Pairs {
    state: u64,
    held: u64,
    holds: bool,
}

#[cfg(not(seedbed_digest_off))]
impl Pairs {
    /// The digest with all that was written.
    #[inline(always)]
    #[must_use]
    pub(crate) const fn end(self) -> Digest {
        Mixer(if self.holds { fold(self.state, self.held) } else { self.state })
    }
}

#[cfg(not(seedbed_digest_off))]
impl Hasher for Pairs {
    #[inline]
    fn finish(&self) -> u64 {
        self.end().0
    }

    #[inline(always)]
    fn write(&mut self, bytes: &[u8]) {
        *self = Mixer(fold_bytes(self.end().0, bytes)).words();
    }

    #[inline(always)]
    fn write_u8(&mut self, n: u8) {
        self.write_u64(u64::from(n));
    }
    #[inline(always)]
    fn write_u16(&mut self, n: u16) {
        self.write_u64(u64::from(n));
    }
    #[inline(always)]
    fn write_u32(&mut self, n: u32) {
        self.write_u64(u64::from(n));
    }
    #[inline(always)]
    fn write_u64(&mut self, n: u64) {
        if self.holds {
            self.state = fold_pair(self.state, self.held, n);
        } else {
            self.held = n;
        }
        self.holds = !self.holds;
    }
    #[inline(always)]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the halves are written one after the other"
    )]
    fn write_u128(&mut self, n: u128) {
        self.write_u64(n as u64);
        self.write_u64((n >> 64) as u64);
    }
    #[inline(always)]
    fn write_usize(&mut self, n: usize) {
        self.write_u64(n as u64);
    }
    #[inline(always)]
    fn write_isize(&mut self, n: isize) {
        self.write_u64(n as u64);
    }
}

/// What a run is folded into.
#[cfg(seedbed_digest_off)]
pub type Digest = Unfolded;

/// Folds the words of one effect or event into a digest.
#[cfg(seedbed_digest_off)]
pub type Words = Unfolded;

/// A digest that stays zero. It shows what the real one costs: built with `--cfg seedbed_digest_off`, an engine does all
/// else that it does, and is good for nothing but being measured.
#[cfg(seedbed_digest_off)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfolded;

#[cfg(seedbed_digest_off)]
impl Unfolded {
    /// As [`Mixer::new`].
    #[inline]
    #[must_use]
    pub const fn new(_: u64) -> Unfolded {
        Unfolded
    }

    /// As [`Mixer::pair`].
    #[inline]
    #[must_use]
    pub const fn pair(self, _: u64, _: u64) -> Unfolded {
        Unfolded
    }

    /// As `Mixer::words`.
    #[inline]
    #[must_use]
    pub(crate) const fn words(self) -> Unfolded {
        Unfolded
    }

    /// As `Mixer::unusual`.
    #[inline]
    #[must_use]
    pub(crate) const fn unusual(self, _: u32) -> Unfolded {
        Unfolded
    }

    /// As `Pairs::end`.
    #[inline]
    #[must_use]
    pub(crate) const fn end(self) -> Unfolded {
        Unfolded
    }

    /// As [`Mixer::state`].
    #[inline]
    #[must_use]
    pub const fn state(self) -> u64 {
        0
    }
}

#[cfg(seedbed_digest_off)]
impl Hasher for Unfolded {
    #[inline]
    fn finish(&self) -> u64 {
        0
    }

    #[inline]
    fn write(&mut self, _: &[u8]) {}
}

/// Builds [`Mixer`]s that all start alike: a map with it has the same order in every process (and even that never shows).
#[derive(Clone, Copy, Debug, Default)]
pub struct FixedState;

impl BuildHasher for FixedState {
    type Hasher = Mixer;
    #[inline]
    fn build_hasher(&self) -> Mixer {
        Mixer(start(0))
    }
}
