//! The hash of a store at a revision, from the history alone: which records there are, and how each is written.

use super::super::response::{KeyValue, OpError};
use super::{Event, Reference, State};

/// A hash with what it covers. Two can be compared only if both revisions are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StoreHash {
    /// CRC-32C of `key` and of each record that counts: its key, then its value.
    pub hash: u32,
    /// The floor.
    pub compacted: i64,
    /// What was hashed.
    pub revision: i64,
}

impl Reference {
    /// The hash at a revision, 0 meaning the current one, once all compactions are done.
    ///
    /// A record up to the floor counts only if its put holds at `at`, whatever else is kept, unless nothing at all holds
    /// there. Of deletions right at the floor, which only some eras keep, none counts.
    pub fn hash(&self, at: i64) -> Result<StoreHash, OpError> {
        let (revision, compacted) = (if at == 0 { self.current() } else { at }, self.compacted);
        if at != 0 && revision < self.floor(self.rules.hashes_at_compacted()) {
            return Err(OpError::Compacted);
        }
        let live = self.at(revision).ok_or(OpError::FutureRevision)?;
        Ok(StoreHash {
            hash: self.fold((revision, compacted), live.is_empty()),
            compacted,
            revision,
        })
    }

    /// The hash at a revision that is not to come, of a store that was compacted at `compacted`: the same whether that
    /// compaction runs or is done, and even if nothing holds at the revision.
    pub fn hash_above(&self, compacted: i64, revision: i64) -> Option<StoreHash> {
        if revision > self.current() {
            return None;
        }
        Some(StoreHash { hash: self.fold((revision, compacted), false), compacted, revision })
    }

    /// Folds the records up to a revision; of those up to the floor only what holds there, or all that are kept.
    fn fold(&self, (revision, compacted): (i64, i64), all_kept: bool) -> u32 {
        let none = State::new();
        let live = self.at(revision).unwrap_or(&none);
        let mut hash = crc32c::crc32c(b"key");
        for (main, sub, event) in self.kept(compacted, 0).take_while(|(main, ..)| *main <= revision)
        {
            let old = main <= compacted;
            let holds = live.get(&event.kv.key) == Some(&event.kv);
            if old && !holds && !all_kept || event.deleted && main == compacted {
                continue;
            }
            let sub = i64::try_from(sub).expect("few changes");
            hash = crc32c::crc32c_append(hash, &record_key(main, sub, event.deleted));
            hash = crc32c::crc32c_append(hash, &record_value(event));
        }
        hash
    }
}

/// Both parts of the revision with `_` between them, big-endian, and a `t` behind a deletion.
fn record_key(main: i64, sub: i64, deleted: bool) -> Vec<u8> {
    let mut key = main.to_be_bytes().to_vec();
    key.push(b'_');
    key.extend(sub.to_be_bytes());
    key.extend(deleted.then_some(b't'));
    key
}

/// `mvccpb.KeyValue` in the encoding of Protocol Buffers; of a deletion only the key.
fn record_value(event: &Event) -> Vec<u8> {
    let KeyValue { key, create_revision, mod_revision, version, value, lease } = &event.kv;
    let mut bytes = Vec::new();
    text(&mut bytes, 1, key);
    if !event.deleted {
        number(&mut bytes, 2, *create_revision);
        number(&mut bytes, 3, *mod_revision);
        number(&mut bytes, 4, *version);
        text(&mut bytes, 5, value);
        number(&mut bytes, 6, *lease);
    }
    bytes
}

fn number(bytes: &mut Vec<u8>, field: u8, number: i64) {
    if number != 0 {
        bytes.push(field << 3);
        base_128(bytes, number.cast_unsigned());
    }
}

fn text(bytes: &mut Vec<u8>, field: u8, text: &[u8]) {
    if !text.is_empty() {
        bytes.push(field << 3 | 2);
        base_128(bytes, text.len() as u64);
        bytes.extend(text);
    }
}

fn base_128(bytes: &mut Vec<u8>, number: u64) {
    let low = (number & 0x7f).to_le_bytes()[0];
    if number < 0x80 {
        bytes.push(low);
    } else {
        bytes.push(low | 0x80);
        base_128(bytes, number >> 7);
    }
}
