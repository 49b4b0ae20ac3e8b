//! What the actors of a group state, for checks.

use std::fmt;
use std::sync::Arc;

use seedbed_sim::time::Span;

use super::entry::Entry;
use super::log::Damage;
use crate::mvcc::call::Ret;
use crate::mvcc::hash::KvHash;
use crate::mvcc::message::AskId;
use crate::mvcc::op::Request;
use crate::mvcc::response::Outcome;

/// A fact about a group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GroupNote {
    /// A node has applied an entry, with this outcome; it still holds the locks.
    Applied(Entry, Arc<Outcome>),
    /// A client begins to ask for something.
    Wanted(AskId),
    /// A node answers a read from what it has applied up to this entry; whether the client takes an old state.
    Read(AskId, Arc<Request>, Arc<Outcome>, u64, Staleness),
    /// A client is being told what came of its entry at this place.
    Told(AskId, u64, Arc<Outcome>),
    /// A node tells the agreement that its log is durable up to here.
    Acknowledged(u64),
    /// A node has read its log: it begins behind the first number and ends at the second.
    LogOpened(u64, u64),
    /// The agreement knows that everything up to here is committed.
    Committed(u64),
    /// No node has the entries behind this one any more, and some of them were committed.
    Lost(u64),
    /// Two nodes have these hashes at one revision, with the same compacted.
    Compared(KvHash, KvHash),
    /// A keeper begins to renew a lease for a client.
    Renewing(AskId, i64),
    /// It has, for so long from then on.
    Renewed(AskId, i64, Span),
    /// The file of a node's log is none.
    LogDamaged(Damage),
}

/// Which states a read may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Staleness {
    /// Everything that was acknowledged before it began is in it.
    Newest,
    /// Any one, as long as it is the one of its revision.
    Any,
}

impl fmt::Display for GroupNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GroupNote::Applied(entry, outcome) => {
                write!(f, "applied {entry}: {}", Ret::Store(outcome.clone()))
            }
            GroupNote::Wanted(id) => write!(f, "wanted {id}"),
            GroupNote::Read(id, _, outcome, applied, _) => {
                write!(f, "read {id} at entry {applied}: {}", Ret::Store(outcome.clone()))
            }
            GroupNote::Told(id, index, _) => write!(f, "told {id}, entry {index}"),
            GroupNote::Acknowledged(last) => write!(f, "log durable up to {last}"),
            GroupNote::LogOpened(base, last) => write!(f, "log opened: ({base}, {last}]"),
            GroupNote::Committed(index) => write!(f, "committed up to {index}"),
            GroupNote::Compared(one, other) => {
                write!(f, "revision {}: hashes {} and {}", one.revision, one.hash, other.hash)
            }
            GroupNote::Renewing(id, lease) => write!(f, "renewing {id}: lease {lease}"),
            GroupNote::Renewed(id, lease, span) => {
                write!(f, "renewed {id}: lease {lease} for {span}")
            }
            GroupNote::Lost(index) => write!(f, "lost behind {index}"),
            GroupNote::LogDamaged(damage) => damage.fmt(f),
        }
    }
}
