//! A group of nodes that keep the same store by applying the same log.
//!
//! ```text
//!                                  agreement (given, on a node of its own)
//!                      propose ▲        │ append, commit       ▲ appended
//!   client ──ask──▶ member ────┘        ▼                      │
//!     ▲               │ ▲              wal ──▶ file `log` ─────┘
//!     └───answer──────┘ │ applied       │ go
//!                       └──────────── applier ──▶ store, backend ──▶ committer ──▶ file `db`
//! ```
//!
//! Agreement on the log is given, its durability is not: every node appends the log to a file of its own, and an entry is
//! committed once a majority has synced it. The applier of each node executes the committed entries in their order. Where
//! it is stands in the backend beside the data, as the consistent index: the commit that makes an entry's effects durable
//! makes that durable, too, so that after a crash the entries behind it are applied again, and no other.
//!
//! The facts are those of etcd: `server/etcdserver` (consistent index, applier, snapshots) and `server/storage/wal`.

use std::collections::BTreeSet;

use super::backend::{Backend, Bucket};
use super::message::AskId;
use super::shared::Opening;

pub mod agreement;
pub mod applier;
pub mod checks;
pub mod comparer;
pub mod defragmenter;
pub mod entry;
pub mod judge;
pub mod keeper;
pub mod log;
pub mod member;
pub mod message;
pub mod note;
pub mod reads;
pub mod receiver;
pub mod scenario;
pub mod seats;
pub mod shipment;
pub mod shipper;
pub mod swap;
mod terms;
pub mod wal;
mod workload;

use log::Log;

/// Under which key of [`Bucket::Meta`] the consistent index stands, 8 bytes, big-endian.
pub const CONSISTENT_INDEX: &[u8] = b"consistent_index";

/// What the actors of a node share that is one of a group.
#[derive(Clone, Debug, Default)]
pub struct Replica {
    /// What this node has of the log.
    pub log: Log,
    /// The last entry that is known to be committed, 0 for none. It may lie behind the log of this node.
    pub committed: u64,
    /// The last entry that was applied in this life, or is in the backend that was opened.
    pub applied: u64,
    /// What the next commit writes as consistent index, and to the backend of which opening.
    pub consistent: (Opening, u64),
    /// The requests for whose answers clients of this node wait.
    pub awaited: BTreeSet<AskId>,
    /// The next commit goes past the hook, which is a defect.
    pub hook_passed_over: bool,
    /// The file is being copied, under the lock of the backend.
    pub defragmenting: bool,
    /// Leases that were revoked since the keeper last looked: one of the same number is another one.
    pub revoked: BTreeSet<i64>,
    /// Another store was opened since then, and between it and the one before every lease may have been revoked.
    pub leases_anew: bool,
    /// Reads wait until more is applied.
    pub reads_wait: bool,
    /// Who decides when leases end, as far as this node knows.
    pub primary: Option<message::Primacy>,
}

/// The consistent index that a backend has, pending or durable; 0 if none was ever written.
#[must_use]
pub fn consistent_index(backend: &Backend) -> u64 {
    backend.get(Bucket::Meta, CONSISTENT_INDEX).map_or(0, index_of)
}

/// That which is durable.
#[must_use]
pub fn durable_index(backend: &Backend) -> u64 {
    let stored = backend.durable().get(&(Bucket::Meta, CONSISTENT_INDEX.to_vec()));
    stored.map_or(0, |bytes| index_of(bytes))
}

fn index_of(bytes: &[u8]) -> u64 {
    let bytes = <[u8; 8]>::try_from(bytes).expect("only the hook before a commit writes it");
    u64::from_be_bytes(bytes)
}

impl Replica {
    /// The hook before a commit: the consistent index goes with the data.
    pub fn before_commit(&self, opening: Opening, backend: &mut Backend) {
        let (of, index) = self.consistent;
        if of == opening && !self.hook_passed_over && consistent_index(backend) != index {
            let value = index.to_be_bytes().to_vec();
            backend.put(Bucket::Meta, CONSISTENT_INDEX.to_vec(), value);
        }
    }

    /// The entry that comes next, if it can be applied: it is committed, and durable on this node.
    #[must_use]
    pub fn next(&self) -> Option<&entry::Entry> {
        let next = self.applied + 1;
        let ready = next <= self.committed && next <= self.log.durable();
        self.log.get(next).filter(|_| ready)
    }
}
