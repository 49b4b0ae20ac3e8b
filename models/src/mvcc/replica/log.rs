//! The log of one node in memory.

use std::collections::VecDeque;

use super::entry::Entry;

/// Entries that follow each other. What lies before them was released: the backend has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    base: u64,
    entries: VecDeque<Entry>,
    durable: u64,
}

impl Log {
    /// A log that was read from a file: all of it is durable. It begins behind the entry `base`.
    #[must_use]
    pub fn new(base: u64, entries: VecDeque<Entry>) -> Log {
        let mut log = Log { base, entries, durable: 0 };
        log.durable = log.last();
        log
    }

    /// The last entry before it; 0 if nothing was released.
    #[must_use]
    pub fn base(&self) -> u64 {
        self.base
    }

    /// The last entry, or the base if there is none.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.base + self.entries.len() as u64
    }

    /// The last entry that a crash leaves.
    #[must_use]
    pub fn durable(&self) -> u64 {
        self.durable
    }

    /// The entry at a place, if it is there.
    #[must_use]
    pub fn get(&self, index: u64) -> Option<&Entry> {
        let place = index.checked_sub(self.base + 1)?;
        self.entries.get(usize::try_from(place).ok()?)
    }

    /// All of them, in order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Adds the next entry; not durable yet.
    ///
    /// # Panics
    ///
    /// If it is not the next one.
    pub fn push(&mut self, entry: Entry) {
        assert_eq!(entry.index, self.last() + 1, "entries follow each other");
        self.entries.push_back(entry);
    }

    /// Everything up to here is durable.
    pub fn synced(&mut self, last: u64) {
        self.durable = self.durable.max(last.min(self.last()));
    }

    /// Forgets the entries up to `base`.
    pub fn release(&mut self, base: u64) {
        while self.base < base && self.entries.pop_front().is_some() {
            self.base += 1;
        }
    }
}
