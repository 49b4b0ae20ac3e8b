//! What the actors of a group tell each other.

use std::fmt;
use std::sync::Arc;

use seedbed_sim::id::{Incarnation, NodeId};

use super::entry::{Entry, Proposal};
use crate::mvcc::call::Ret;
use crate::mvcc::hash::KvHash;
use crate::mvcc::message::AskId;
use crate::mvcc::op::Request;
use crate::mvcc::response::Outcome;
use crate::mvcc::shared::Opening;

/// A message within a group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GroupMsg {
    /// Client to member: read this, and the state may be an old one.
    Stale(AskId, Arc<Request>),
    /// Member to agreement: this is to be an entry.
    Propose(Arc<Proposal>),
    /// Member to agreement: up to where is everything committed?
    ReadIndex(AskId),
    /// Agreement to member: up to here.
    ReadAt(AskId, u64),
    /// Wal to agreement: this node has begun this life; its log begins behind the first number and ends at the second.
    Join(Incarnation, u64, u64),
    /// Agreement to wal: the entries from this place on, none as a sign of life; and what is known.
    Append(u64, Arc<[Entry]>, Known),
    /// Wal to agreement, in this life: the log begins behind the first number, and is durable up to the second.
    Appended(Incarnation, u64, u64),
    /// Member to wal: read the log.
    OpenLog,
    /// Wal to member: it is there.
    LogOpened,
    /// To the applier: there may be something to apply.
    Go,
    /// Member to applier: apply to the store of this opening, in which this compaction is to be resumed first, if there is
    /// one: compactions are done in the order of their calls, and all calls come from the applier.
    Begin(Opening, Option<i64>),
    /// Member to applier: leave off behind the present entry.
    Rest,
    /// Applier to member: it has.
    Rested,
    /// Applier to member: the request was applied at this place, with this outcome.
    Applied(AskId, u64, Arc<Outcome>),
    /// Member to wal: the log begins anew behind this entry, because a snapshot up to there takes its place.
    ResetLog(u64),
    /// Wal to member: it does, and that is durable.
    LogReset,
    /// Agreement to member: that node needs a snapshot.
    NeedSnapshot(NodeId),
    /// To the member: a snapshot up to this entry is durable beside the file.
    Received(u64),
    /// Client to member, and on to the defragmenter: make the file smaller.
    Defragment(AskId),
    /// Defragmenter to client: it is done.
    Defragmented(AskId),
    /// Client to member, and on to the keeper: this lease is to live on.
    Renew(AskId, i64),
    /// Keeper to client: it does, or it does not exist or is about to end.
    Renewed(AskId, bool),
    /// Keeper to agreement, answered by `read-at`: where does the log end?
    LogEnd(AskId),
    /// Comparer to member, in a round: the hash of a revision, 0 for the newest.
    HashAt(u32, i64),
    /// Member to comparer: this; nothing is answered by whoever does not have that revision.
    HashIs(u32, KvHash),
    /// Keeper to agreement: this lease has run out, by what was applied up to this entry, and by the deadlines of this term.
    RunOut(i64, u64, u32),
}

/// What the agreement tells with everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Known {
    /// Everything up to here is committed.
    pub committed: u64,
    /// Who decides when leases end.
    pub primary: Primacy,
}

/// Who decides when leases end, and since when: whoever comes back to it later does so in another term, by other deadlines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Primacy {
    /// The node.
    pub node: NodeId,
    /// Terms are counted over the whole group.
    pub term: u32,
}

impl GroupMsg {
    /// The kinds of messages, by number.
    pub const KINDS: [&'static str; 26] = [
        "stale",
        "propose",
        "read-index",
        "read-at",
        "join",
        "append",
        "appended",
        "open-log",
        "log-opened",
        "go",
        "begin",
        "rest",
        "rested",
        "applied",
        "reset-log",
        "log-reset",
        "need-snapshot",
        "received",
        "defragment",
        "defragmented",
        "renew",
        "renewed",
        "log-end",
        "hash-at",
        "hash-is",
        "run-out",
    ];

    /// The number of its kind.
    #[must_use]
    pub fn kind(&self) -> u16 {
        match self {
            GroupMsg::Stale(..) => 0,
            GroupMsg::Propose(_) => 1,
            GroupMsg::ReadIndex(_) => 2,
            GroupMsg::ReadAt(..) => 3,
            GroupMsg::Join(..) => 4,
            GroupMsg::Append(..) => 5,
            GroupMsg::Appended(..) => 6,
            GroupMsg::OpenLog => 7,
            GroupMsg::LogOpened => 8,
            GroupMsg::Go => 9,
            GroupMsg::Begin(..) => 10,
            GroupMsg::Rest => 11,
            GroupMsg::Rested => 12,
            GroupMsg::Applied(..) => 13,
            GroupMsg::ResetLog(_) => 14,
            GroupMsg::LogReset => 15,
            GroupMsg::NeedSnapshot(_) => 16,
            GroupMsg::Received(_) => 17,
            GroupMsg::Defragment(_) => 18,
            GroupMsg::Defragmented(_) => 19,
            GroupMsg::Renew(..) => 20,
            GroupMsg::Renewed(..) => 21,
            GroupMsg::LogEnd(_) => 22,
            GroupMsg::HashAt(..) => 23,
            GroupMsg::HashIs(..) => 24,
            GroupMsg::RunOut(..) => 25,
        }
    }

    /// The operation, lease or node that it is about. A place of the log is none: one operation less would move all others.
    #[must_use]
    pub fn subject(&self) -> u64 {
        match self {
            GroupMsg::Stale(ask, _)
            | GroupMsg::ReadIndex(ask)
            | GroupMsg::Renew(ask, _)
            | GroupMsg::Renewed(ask, _)
            | GroupMsg::LogEnd(ask)
            | GroupMsg::Defragment(ask)
            | GroupMsg::Defragmented(ask)
            | GroupMsg::ReadAt(ask, _)
            | GroupMsg::Applied(ask, ..) => u64::from(ask.op.number),
            GroupMsg::Propose(proposal) => proposal.ask.map_or(0, |ask| u64::from(ask.op.number)),
            GroupMsg::Append(_, entries, _) => {
                let ask = entries.first().and_then(|entry| entry.proposal.ask);
                ask.map_or(0, |ask| u64::from(ask.op.number))
            }
            GroupMsg::RunOut(lease, ..) => lease.cast_unsigned(),
            GroupMsg::NeedSnapshot(node) => u64::from(node.0),
            _ => 0,
        }
    }
}

impl fmt::Display for GroupMsg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(GroupMsg::KINDS[usize::from(self.kind())])?;
        match self {
            GroupMsg::Stale(id, request) => write!(f, "{id}: {request}"),
            GroupMsg::Propose(proposal) => write!(f, " {proposal}"),
            GroupMsg::RunOut(lease, applied, term) => {
                write!(f, " {lease} at entry {applied} in term {term}")
            }
            GroupMsg::HashAt(_, at) => write!(f, " {at}"),
            GroupMsg::HashIs(_, KvHash { hash, compacted, revision }) => {
                write!(f, " {hash}, compacted {compacted}, revision {revision}")
            }
            GroupMsg::Renew(id, lease) => write!(f, "{id}: {lease}"),
            GroupMsg::Renewed(id, lives) => write!(f, "{id}: {lives}"),
            GroupMsg::ReadIndex(id)
            | GroupMsg::LogEnd(id)
            | GroupMsg::Defragment(id)
            | GroupMsg::Defragmented(id) => {
                write!(f, "{id}")
            }
            GroupMsg::ReadAt(id, index) => write!(f, "{id}: {index}"),
            GroupMsg::Join(life, base, last) | GroupMsg::Appended(life, base, last) => {
                write!(f, " ({base}, {last}] in life {}", life.0)
            }
            GroupMsg::Append(from, entries, known) => {
                write!(f, " from {from}, committed {}", known.committed)?;
                entries.iter().try_for_each(|entry| write!(f, "; {entry}"))
            }
            GroupMsg::ResetLog(index) | GroupMsg::Received(index) => write!(f, " {index}"),
            GroupMsg::NeedSnapshot(node) => write!(f, " for n{}", node.0),
            GroupMsg::Begin(opening, _) => write!(f, " {opening}"),
            GroupMsg::Applied(id, index, outcome) => {
                write!(f, "{id} at {index}: {}", Ret::Store(outcome.clone()))
            }
            _ => Ok(()),
        }
    }
}
