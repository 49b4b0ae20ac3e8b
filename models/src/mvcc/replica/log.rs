//! The log of one node in memory, and the bytes of its file.
//!
//! ```text
//!  "rlog"  base  crc32c  entry  entry  ...
//!     4      8      4    see entry.rs          bytes, little-endian
//! ```
//!
//! A file gets its name when its header is durable, so that the header is always whole. Entries are appended, so that a
//! crash can tear only those that were not acknowledged: what follows the first torn one does not count.

use std::collections::VecDeque;

use super::entry::{Entry, NoEntry};

/// What every file begins with.
const MAGIC: [u8; 4] = *b"rlog";
/// Bytes of the header.
const HEADER: usize = 16;

/// Entries that follow each other. What lies before them was released: the backend has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    base: u64,
    entries: VecDeque<Entry>,
    durable: u64,
}

/// Why a file is no log. No crash leads to one: the node has to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Damage {
    /// The file does not begin as a log does.
    #[error("the header of the log is damaged")]
    Header,
    /// An entry is as it was written, but is none.
    #[error("what stands behind entry {0} of the log is no entry")]
    Foreign(u64),
    /// An entry is as it was written, but does not belong there.
    #[error("entry {1} of the log follows entry {0}")]
    Order(u64, u64),
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The entries that are whole.
    pub log: Log,
    /// Whether something follows them that is not.
    pub torn: bool,
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

    /// Begins anew behind `base`, which may lie behind its end; later entries stay. What lies before is durable elsewhere.
    pub fn reset(&mut self, base: u64) {
        self.release(base);
        self.base = self.base.max(base);
        self.durable = self.durable.max(self.base);
    }

    /// The bytes of its entries behind this one, for the end of a file.
    #[must_use]
    pub fn encode_behind(&self, index: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.entries()
            .filter(|entry| entry.index > index)
            .for_each(|entry| entry.encode(&mut bytes));
        bytes
    }

    /// The bytes of a file that begins behind `base`, with all entries that come later.
    #[must_use]
    pub fn encode_from(&self, base: u64) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&base.to_le_bytes());
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        bytes.extend_from_slice(&self.encode_behind(base));
        bytes
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// If it is none that a node has written, whole or torn by a crash.
    pub fn decode(bytes: &[u8]) -> Result<Read, Damage> {
        let base = base_of(bytes).ok_or(Damage::Header)?;
        let (mut entries, mut last, mut rest) = (VecDeque::new(), base, &bytes[HEADER..]);
        while !rest.is_empty() {
            match Entry::decode(rest) {
                Ok((entry, _)) if entry.index.checked_sub(1) != Some(last) => {
                    return Err(Damage::Order(last, entry.index));
                }
                Ok((entry, len)) => {
                    last = entry.index;
                    entries.push_back(entry);
                    rest = &rest[len..];
                }
                Err(NoEntry::Torn) => return Ok(Read { log: Log::new(base, entries), torn: true }),
                Err(NoEntry::Foreign) => return Err(Damage::Foreign(last)),
            }
        }
        Ok(Read { log: Log::new(base, entries), torn: false })
    }
}

fn base_of(bytes: &[u8]) -> Option<u64> {
    let (head, rest) = bytes.split_at_checked(MAGIC.len() + 8)?;
    let (sum, _) = rest.split_first_chunk()?;
    let whole = head.starts_with(&MAGIC) && u32::from_le_bytes(*sum) == crc32c::crc32c(head);
    let base = <[u8; 8]>::try_from(&head[MAGIC.len()..]).ok()?;
    whole.then_some(u64::from_le_bytes(base))
}

#[cfg(test)]
mod tests;
