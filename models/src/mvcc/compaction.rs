//! Compaction: forgetting what is older than a revision, in batches.
//!
//! ```text
//! schedule ── reads below fail, mark "scheduled" ──▶ Compaction::start ──▶ batch, batch, .. ── mark "finished"
//!     in the request                                          in the worker
//! ```

use std::collections::BTreeSet;

use super::backend::{Backend, Bucket};
use super::hash::{KvHash, append, counts};
use super::response::OpError;
use super::revision::{RecordKey, Revision};
use super::store::{Fatal, NEVER_COMPACTED, Store};

/// Key of the mark that a compaction was asked for, in [`Bucket::Meta`].
pub const SCHEDULED: &[u8] = b"scheduledCompactRev";

/// Key of the mark that a compaction is done, in [`Bucket::Meta`].
pub const FINISHED: &[u8] = b"finishedCompactRev";

/// A compaction that was accepted. The worker that starts it may do so much later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scheduled {
    /// What is older is forgotten.
    pub revision: i64,
    /// What was compacted before.
    pub previous: i64,
    /// Whether all compactions before it were done, so that this one sees every record.
    pub previous_finished: bool,
}

impl Store {
    /// Accepts a compaction: from now on reads below `revision` fail. The mark that it writes has to be durable before
    /// anybody is told, else a crash would make the old revisions readable again.
    pub fn schedule_compaction(
        &mut self,
        backend: &mut Backend,
        revision: i64,
    ) -> Result<Scheduled, OpError> {
        if revision <= self.compacted {
            return Err(OpError::Compacted);
        }
        if revision > self.current {
            return Err(OpError::FutureRevision);
        }
        let mark = |key| backend.get(Bucket::Meta, key);
        let previous_finished = mark(SCHEDULED) == mark(FINISHED);
        let previous = std::mem::replace(&mut self.compacted, revision);
        put_mark(backend, SCHEDULED, revision);
        Ok(Scheduled { revision, previous, previous_finished })
    }
}

/// A compaction that the worker has begun.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Compaction {
    revision: i64,
    /// The records up to `revision` that stay.
    keep: BTreeSet<Revision>,
    /// The first record that has not been looked at.
    next: Revision,
    /// What was compacted before, where the hash begins.
    previous: i64,
    /// CRC-32C over the records so far.
    hash: u32,
    /// Whether the hash is the whole one: everything before was done, and nothing was deleted before it began.
    whole: bool,
}

/// What one batch of a compaction does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Batch {
    /// The keys of the records to delete.
    pub delete: Vec<Vec<u8>>,
    /// Where the next batch begins.
    pub next: Revision,
    /// Whether this is the last one, which also writes the mark that the compaction is done.
    pub last: bool,
    /// The hash of the records up to its end.
    pub hash: u32,
}

impl Compaction {
    /// Begins or resumes: the index forgets what is older than `revision`, and says which records stay. It has no hash.
    pub fn start(store: &mut Store, revision: i64) -> Compaction {
        Compaction::from(store, revision, NEVER_COMPACTED, false)
    }

    /// Begins what was just scheduled. It hashes what it looks at; the hash counts if all before it were done.
    pub fn begin(store: &mut Store, scheduled: Scheduled) -> Compaction {
        let Scheduled { revision, previous, previous_finished } = scheduled;
        Compaction::from(store, revision, previous, previous_finished)
    }

    /// Goes on after a restart; `previous` is the last one that was done. What was deleted before is not in the hash any
    /// more, so that it does not count (etcd b9e30bf87).
    pub fn resume(store: &mut Store, revision: i64, previous: i64) -> Compaction {
        let whole = store.defects.partial_hash_published;
        Compaction::from(store, revision, previous, whole)
    }

    fn from(store: &mut Store, revision: i64, previous: i64, whole: bool) -> Compaction {
        let keep = store.index.compact(revision, store.head_tombstone());
        let hash = crc32c::crc32c(Bucket::Key.name().as_bytes());
        Compaction { revision, keep, next: Revision::default(), previous, hash, whole }
    }

    /// A compaction that keeps these records and no others, whatever an index says.
    pub fn keeping(revision: i64, keep: BTreeSet<Revision>) -> Compaction {
        let (next, previous) = (Revision::default(), NEVER_COMPACTED);
        Compaction { revision, keep, next, previous, hash: 0, whole: false }
    }

    /// What is older than this is forgotten.
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// The records up to [`Compaction::revision`] that stay.
    pub fn keep(&self) -> &BTreeSet<Revision> {
        &self.keep
    }

    /// After the last batch: the hash of what could be read at [`Compaction::revision`] before it, as
    /// [`hash_kv`](super::hash::hash_kv) would have answered; none if it is not the whole one.
    pub fn hash(&self) -> Option<KvHash> {
        let (hash, compacted, revision) = (self.hash, self.previous, self.revision);
        self.whole.then_some(KvHash { hash, compacted, revision })
    }

    /// Looks at the next `limit` records and chooses those to delete. The batch that finds fewer is the last one; it may
    /// find none.
    pub fn next_batch(&self, backend: &Backend, limit: usize) -> Result<Batch, Fatal> {
        let from = self.next.encode();
        let (next, hash) = (self.next, self.hash);
        let mut batch = Batch { delete: Vec::new(), next, last: true, hash };
        let mut seen = 0;
        for (key, value) in backend.scan(Bucket::Key, &from).take(limit) {
            let record = RecordKey::parse(key).map_err(|_| Fatal::DamagedKey)?;
            let revision = record.revision;
            if revision.main > self.revision {
                break;
            }
            seen += 1;
            batch.next = Revision::new(revision.main, revision.sub + 1);
            if self.whole && counts(record, self.revision, self.previous, Some(&self.keep)) {
                batch.hash = append(batch.hash, key, value);
            }
            if !self.keep.contains(&revision) {
                batch.delete.push(key.to_vec());
            }
        }
        batch.last = seen < limit;
        Ok(batch)
    }

    /// Does a batch. Everything that it changes belongs to one hold of the backend's lock.
    pub fn apply(&mut self, backend: &mut Backend, batch: Batch) {
        for key in batch.delete {
            backend.delete(Bucket::Key, key);
        }
        (self.next, self.hash) = (batch.next, batch.hash);
        if batch.last {
            put_mark(backend, FINISHED, self.revision);
        }
    }
}

/// The revision under a compaction mark, if it was ever written.
pub fn mark(backend: &Backend, key: &[u8]) -> Result<Option<i64>, Fatal> {
    match backend.get(Bucket::Meta, key) {
        None => Ok(None),
        Some(bytes) => {
            let revision = Revision::parse(bytes).map_err(|_| Fatal::DamagedMark)?;
            Ok(Some(revision.main))
        }
    }
}

fn put_mark(backend: &mut Backend, key: &[u8], revision: i64) {
    backend.put(Bucket::Meta, key.to_vec(), Revision::new(revision, 0).encode().to_vec());
}

#[cfg(test)]
mod tests;
