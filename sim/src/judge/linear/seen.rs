//! What the search remembers: states by number, and the configurations that it has visited.

use std::hash::Hash;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::hash::hash_of;

/// A set of small numbers.
pub(super) struct Bits(Vec<u64>);

impl Bits {
    /// An empty set with room for the numbers below `len`.
    pub(super) fn new(len: usize) -> Self {
        Self(vec![0; len.div_ceil(64)])
    }

    pub(super) fn insert(&mut self, at: usize) {
        self.0[at / 64] |= 1 << (at % 64);
    }

    pub(super) fn remove(&mut self, at: usize) {
        self.0[at / 64] &= !(1 << (at % 64));
    }
}

/// Every state that was ever reached, so that a configuration names its state by a number.
pub(super) struct States<T> {
    numbers: HashTable<u32>,
    all: Vec<T>,
}

impl<T: Eq + Hash> States<T> {
    pub(super) fn new() -> Self {
        Self { numbers: HashTable::new(), all: Vec::new() }
    }

    pub(super) fn get(&self, number: u32) -> &T {
        &self.all[number as usize]
    }

    /// The number of `state`; equal states have equal numbers.
    pub(super) fn number(&mut self, state: T) -> u32 {
        let all = &self.all;
        let hash = hash_of(&state);
        let known = |&number: &u32| all[number as usize] == state;
        match self.numbers.entry(hash, known, |&number| hash_of(&all[number as usize])) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                let number = u32::try_from(all.len()).expect("a search reaches fewer states");
                entry.insert(number);
                self.all.push(state);
                number
            }
        }
    }
}

/// The configurations that were visited: for a state and a set of placed known operations, the least
/// sets of unknown operations that led there.
pub(super) struct Seen {
    slots: HashTable<Slot>,
    /// The keys of all slots, one after the other.
    keys: Vec<u64>,
    /// The key that is looked up, kept for its memory.
    key: Vec<u64>,
}

struct Slot {
    hash: u64,
    start: usize,
    len: usize,
    /// Sets of unknown operations, none a part of another, all of the same number of words.
    least: Vec<u64>,
}

/// Whether a configuration is to be visited, and how many others it was compared with.
pub(super) struct Admission {
    pub(super) fresh: bool,
    pub(super) compared: usize,
}

impl Seen {
    pub(super) fn new() -> Self {
        Self { slots: HashTable::new(), keys: Vec::new(), key: Vec::new() }
    }

    /// Remembers a configuration, unless one that can do all that this one can is remembered already.
    pub(super) fn admit(&mut self, state: u32, placed: &Bits, used: &Bits) -> Admission {
        self.write_key(state, &placed.0);
        let (key, keys) = (&self.key, &mut self.keys);
        let hash = hash_of(key.as_slice());
        let same = |slot: &Slot| keys[slot.start..slot.start + slot.len] == key[..];
        match self.slots.entry(hash, same, |slot| slot.hash) {
            Entry::Occupied(mut entry) => entry.get_mut().admit(&used.0),
            Entry::Vacant(entry) => {
                let (start, len) = (keys.len(), key.len());
                entry.insert(Slot { hash, start, len, least: used.0.clone() });
                keys.extend_from_slice(key);
                Admission { fresh: true, compared: 0 }
            }
        }
    }

    /// Operations are placed roughly in the order of their invocations, so that a set of them is full at
    /// its beginning and empty at its end: only the words between are part of the key.
    fn write_key(&mut self, state: u32, placed: &[u64]) {
        let first = placed.iter().position(|&word| word != u64::MAX).unwrap_or(placed.len());
        let end = placed.iter().rposition(|&word| word != 0).map_or(first, |last| last + 1);
        self.key.clear();
        self.key.push(u64::from(state));
        self.key.push(first as u64);
        self.key.extend_from_slice(&placed[first..end.max(first)]);
    }
}

impl Slot {
    fn admit(&mut self, used: &[u64]) -> Admission {
        let words = used.len();
        if words == 0 {
            return Admission { fresh: false, compared: 1 };
        }
        let compared = self.least.len() / words;
        if self.least.chunks_exact(words).any(|least| is_part(least, used)) {
            return Admission { fresh: false, compared };
        }
        let mut at = 0;
        while at < self.least.len() {
            if is_part(used, &self.least[at..at + words]) {
                let last = self.least.len() - words;
                self.least.copy_within(last.., at);
                self.least.truncate(last);
            } else {
                at += words;
            }
        }
        self.least.extend_from_slice(used);
        Admission { fresh: true, compared }
    }
}

/// Whether every member of `part` is in `whole`.
fn is_part(part: &[u64], whole: &[u64]) -> bool {
    part.iter().zip(whole).all(|(part, whole)| part & !whole == 0)
}
