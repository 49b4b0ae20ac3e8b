//! The store as a library: several threads of one process, each with a client that tells it what to call.
//!
//! ```text
//!                                     n0
//!   c0 ──▶ caller0 ─┐   locks: store, backend
//!   c1 ──▶ caller1 ─┼──▶ store, backend, ids, kept hashes ◀── batch timer, compactor
//!   c2 ──▶ caller2 ─┘        │            │
//!             │              ▼            ▼
//!             └─ close ─▶ keeper      committer ──▶ db      snap0.., db.tmp ◀── snapshots, defragmenting
//! ```
//!
//! A caller takes the locks of the engine itself and keeps those of an explicit transaction from its begin to its end,
//! over as many operations as its client wants. So the order of what is done is the order in which it is stated while the
//! locks are held. With a read buffer, reads and history need no lock: they see the revisions that have ended, pending
//! or not.
//!
//! A transaction belongs to the thread that has begun it, and one that is left alone is ended by its thread: the library
//! of 2015 would let any thread that knows the id in, and wait for ever.

use std::collections::VecDeque;

use super::backend::Backend;
use super::compaction::{Compaction, FINISHED, Scheduled, mark};
use super::hash::HashCache;
use super::lock::Lock;
use super::message::Job;
use super::store::{Fatal, NEVER_COMPACTED, Store};

pub mod caller;
pub mod checks;
mod defrag;
pub mod judge;
pub mod keeper;
pub mod note;
pub mod scenario;
mod snapshot;
pub mod usage;
mod work;
pub(super) mod workload;

/// What threads of one process share beside store and backend, from one opening of the store to its closing.
#[derive(Clone, Debug)]
pub struct Library {
    hashes_kept: usize,
    /// The explicit transaction that is open.
    pub txn: Lock,
    /// The newest hashes of compactions.
    pub hashes: HashCache,
    /// Compactions that are to be done and not begun, in order. Who calls for them may come to the worker in another one.
    due: VecDeque<Due>,
    /// How many of them the worker knows of.
    known: usize,
    /// The backend is being copied; readers wait for its lock.
    pub defragmenting: bool,
}

/// A compaction that is to be done.
#[derive(Clone, Copy, Debug)]
enum Due {
    /// It was just accepted.
    New(Scheduled),
    /// It was found unfinished when the store was opened.
    Again(i64),
}

impl Library {
    /// That of a store which was just opened.
    #[must_use]
    pub fn new(hashes_kept: usize) -> Library {
        Library {
            hashes_kept,
            txn: Lock::default(),
            hashes: HashCache::new(hashes_kept),
            due: VecDeque::new(),
            known: 0,
            defragmenting: false,
        }
    }

    /// The same for another opening.
    #[must_use]
    pub fn reopened(&self) -> Library {
        Library::new(self.hashes_kept)
    }

    /// A compaction was accepted.
    pub fn accept(&mut self, scheduled: Scheduled) {
        self.due.push_back(Due::New(scheduled));
    }

    /// A compaction is to be resumed.
    pub fn resume(&mut self, revision: i64) {
        self.due.push_back(Due::Again(revision));
    }

    /// Somebody calls for the worker: the compaction whose turn it is, whichever the caller speaks of.
    pub(super) fn in_turn(&mut self, job: Job) -> Job {
        let next = self.due[self.known];
        self.known += 1;
        match next {
            Due::New(Scheduled { revision, .. }) => Job { revision, resumed: false, ..job },
            Due::Again(revision) => Job { revision, resumed: true, ..job },
        }
    }

    /// Begins the next compaction; one that is not resumed takes a hash.
    pub(super) fn begin(
        &mut self,
        (store, backend): (&mut Store, &Backend),
    ) -> Result<Compaction, Fatal> {
        self.known -= 1;
        match self.due.pop_front().expect("the worker was called for it") {
            Due::New(scheduled) => Ok(Compaction::begin(store, scheduled)),
            Due::Again(revision) => {
                let previous = mark(backend, FINISHED)?.unwrap_or(NEVER_COMPACTED);
                Ok(Compaction::resume(store, revision, previous))
            }
        }
    }
}

#[cfg(test)]
mod trial;
