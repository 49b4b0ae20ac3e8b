//! What the actors of a group tell each other.

use std::fmt;
use std::sync::Arc;

use seedbed_sim::id::{Incarnation, NodeId};

use super::entry::{Entry, Proposal};
use crate::mvcc::call::Ret;
use crate::mvcc::message::AskId;
use crate::mvcc::op::Request;
use crate::mvcc::response::Outcome;
use crate::mvcc::shared::Opening;

/// A message within a group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GroupMsg {
    /// Client to member: read this, and the state may be an old one.
    Stale(AskId, Arc<Request>),
    /// Member or lessor to agreement: this is to be an entry.
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
    /// Member to applier: apply to the store of this opening.
    Begin(Opening),
    /// Member to applier: leave off behind the present entry.
    Rest,
    /// Applier to member: it has.
    Rested,
    /// Applier to member: the request was applied at this place, with this outcome.
    Applied(AskId, u64, Arc<Outcome>),
    /// Agreement to a member that has everything: this node needs entries that were released.
    NeedSnapshot(NodeId),
    /// Member to wal: the log begins anew behind this place, up to which there is a snapshot.
    ResetLog(u64),
    /// Wal to member: it does, and that is durable.
    LogReset,
}

/// What the agreement tells with everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Known {
    /// Everything up to here is committed.
    pub committed: u64,
    /// Who decides when leases end.
    pub primary: NodeId,
}

impl GroupMsg {
    /// The kinds of messages, by number.
    pub const KINDS: [&'static str; 17] = [
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
        "need-snapshot",
        "reset-log",
        "log-reset",
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
            GroupMsg::Begin(_) => 10,
            GroupMsg::Rest => 11,
            GroupMsg::Rested => 12,
            GroupMsg::Applied(..) => 13,
            GroupMsg::NeedSnapshot(_) => 14,
            GroupMsg::ResetLog(_) => 15,
            GroupMsg::LogReset => 16,
        }
    }

    /// The operation or the place of the log that it is about.
    #[must_use]
    pub fn subject(&self) -> u64 {
        match self {
            GroupMsg::Stale(ask, _)
            | GroupMsg::ReadIndex(ask)
            | GroupMsg::ReadAt(ask, _)
            | GroupMsg::Applied(ask, ..) => u64::from(ask.op.number),
            GroupMsg::Propose(proposal) => proposal.ask.map_or(0, |ask| u64::from(ask.op.number)),
            GroupMsg::Join(_, _, last) | GroupMsg::Appended(_, _, last) => *last,
            GroupMsg::Append(from, ..) | GroupMsg::ResetLog(from) => *from,
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
            GroupMsg::ReadIndex(id) => write!(f, "{id}"),
            GroupMsg::ReadAt(id, index) => write!(f, "{id}: {index}"),
            GroupMsg::Join(life, base, last) | GroupMsg::Appended(life, base, last) => {
                write!(f, " ({base}, {last}] in life {}", life.0)
            }
            GroupMsg::Append(from, entries, known) => {
                write!(f, " from {from}, committed {}", known.committed)?;
                entries.iter().try_for_each(|entry| write!(f, "; {entry}"))
            }
            GroupMsg::NeedSnapshot(node) => write!(f, " for n{}", node.0),
            GroupMsg::ResetLog(index) => write!(f, " behind {index}"),
            GroupMsg::Begin(opening) => write!(f, " {opening}"),
            GroupMsg::Applied(id, index, outcome) => {
                write!(f, "{id} at {index}: {}", Ret::Store(outcome.clone()))
            }
            _ => Ok(()),
        }
    }
}
