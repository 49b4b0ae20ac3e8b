//! Compaction: forgetting what is older than a revision, in batches.
//!
//! ```text
//! schedule ── reads below fail, mark "scheduled" ──▶ Compaction::start ──▶ batch, batch, .. ── mark "finished"
//!     in the request                                          in the worker
//! ```

use std::collections::BTreeSet;

use super::backend::{Backend, Bucket};
use super::response::OpError;
use super::revision::{RecordKey, Revision};
use super::store::{Fatal, Store};

/// Key of the mark that a compaction was asked for, in [`Bucket::Meta`].
pub const SCHEDULED: &[u8] = b"scheduledCompactRev";

/// Key of the mark that a compaction is done, in [`Bucket::Meta`].
pub const FINISHED: &[u8] = b"finishedCompactRev";

/// A compaction that was accepted. The worker that starts it may do so much later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scheduled {
    /// What is older is forgotten.
    pub revision: i64,
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
        self.compacted = revision;
        put_mark(backend, SCHEDULED, revision);
        Ok(Scheduled { revision, previous_finished })
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
}

impl Compaction {
    /// Begins: the index forgets what is older than `revision`, and says which records stay.
    pub fn start(store: &mut Store, revision: i64) -> Compaction {
        let keep = store.index.compact(revision, store.head_tombstone());
        Compaction { revision, keep, next: Revision::default() }
    }

    /// What is older than this is forgotten.
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// The records up to [`Compaction::revision`] that stay.
    pub fn keep(&self) -> &BTreeSet<Revision> {
        &self.keep
    }

    /// Looks at the next `limit` records and chooses those to delete. The batch that finds fewer is the last one; it may
    /// find none.
    pub fn next_batch(&self, backend: &Backend, limit: usize) -> Result<Batch, Fatal> {
        let from = self.next.encode();
        let mut batch = Batch { delete: Vec::new(), next: self.next, last: true };
        let mut seen = 0;
        for (key, _) in backend.scan(Bucket::Key, &from).take(limit) {
            let revision = RecordKey::parse(key).map_err(|_| Fatal::DamagedKey)?.revision;
            if revision.main > self.revision {
                break;
            }
            seen += 1;
            batch.next = Revision::new(revision.main, revision.sub + 1);
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
        self.next = batch.next;
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
