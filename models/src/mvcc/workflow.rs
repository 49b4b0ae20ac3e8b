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
    /// The explicit transaction that is open.
    pub txn: Lock,
    /// The newest hashes of compactions.
    pub hashes: HashCache,
    /// Compactions that were accepted and not begun, in order.
    scheduled: VecDeque<Scheduled>,
    /// The backend is being copied; readers wait for its lock.
    pub defragmenting: bool,
}

impl Library {
    /// That of a store which was just opened.
    #[must_use]
    pub fn new(hashes_kept: usize) -> Library {
        let (txn, hashes) = (Lock::default(), HashCache::new(hashes_kept));
        Library { txn, hashes, scheduled: VecDeque::new(), defragmenting: false }
    }

    /// A compaction was accepted.
    pub fn accept(&mut self, scheduled: Scheduled) {
        self.scheduled.push_back(scheduled);
    }

    /// Begins a compaction that takes a hash, or resumes one.
    pub(super) fn begin(
        &mut self,
        (store, backend): (&mut Store, &Backend),
        job: Job,
    ) -> Result<Compaction, Fatal> {
        let scheduled = self.scheduled.pop_front_if(|next| next.revision == job.revision);
        if let Some(scheduled) = scheduled {
            return Ok(Compaction::begin(store, scheduled));
        }
        let previous = mark(backend, FINISHED)?.unwrap_or(NEVER_COMPACTED);
        Ok(Compaction::resume(store, job.revision, previous))
    }
}
