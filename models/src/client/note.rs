//! Facts that actors state for the checks. Those of a data node are passed through.

use std::fmt;

use crate::vbucket::message::AskId;
use crate::vbucket::note as node;
use crate::vbucket::op::{Call, Key, Vb};

use seedbed_sim::id::{ActorId, OpId};

use super::op::{Server, TaskId};
use super::response::{End, Fate};

/// What a verification says of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It can be explained.
    Agrees,
    /// It cannot.
    Differs,
    /// Nobody has said what stands in it.
    NotVerified,
}

/// Who asks, and for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// To change or to look.
    Work,
    /// To compare.
    Verify,
    /// It is a part of something larger, which says itself what becomes of it.
    Part,
}

/// A fact.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Note {
    /// Of a data node.
    Node(node::Note),
    /// A call was begun.
    Called(OpId, Purpose, Call),
    /// It has come to this.
    Fated(OpId, Fate),
    /// The store knows something else of a key from here on.
    Kept(Key),
    /// A verification says this of a key; what it thinks that was there, and whether it could only be one thing.
    Verified(AskId, Key, Verdict, Option<bool>, bool),
    /// A task has ended; the worker that did it.
    Ended(TaskId, u16, End),
    /// A client has connections by the map of this epoch.
    Mapped(u32),
    /// A node takes stock of a vbucket for its follower: the version of each key, in that session, by that number.
    Copying(Vb, u32, u32, Vec<(Key, u64)>),
    /// A node has become what another was at that number; the deletions have these versions here.
    Copied(Vb, u32, u32, Vec<(Key, u64)>),
    /// The keeper gives up a master for its replica.
    Failover(Vb),
    /// The keeper gives a vbucket to this node.
    Given(Vb, Server),
    /// The keeper has ended a move, as a success or not; the task that wanted it, and how that calls it.
    Moved(Option<(ActorId, u32)>, Vb, Server, bool),
    /// A task has reported that.
    Rebalanced(u32, bool),
    /// A key and its replica were compared.
    Replicated(Key, Verdict),
    /// A call that was begun is to be done only where its key has this version.
    Wants(OpId, u64),
}

impl From<node::Note> for Note {
    fn from(note: node::Note) -> Note {
        Note::Node(note)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Node(note) => note.fmt(f),
            Note::Called(op, Purpose::Work | Purpose::Part, call) => {
                write!(f, "call #{} {call}", op.number)
            }
            Note::Called(op, Purpose::Verify, call) => {
                write!(f, "call #{} {call} to verify", op.number)
            }
            Note::Wants(op, cas) => write!(f, "call #{} wants @{cas}", op.number),
            Note::Fated(op, fate) => write!(f, "call #{}: {fate}", op.number),
            Note::Kept(key) => write!(f, "kept {key}"),
            Note::Verified(id, key, verdict, ..) => {
                write!(f, "verified {key} by #{}: {verdict:?}", id.op.number)
            }
            Note::Ended(task, worker, end) => {
                write!(f, "task {} of worker {worker} {end}", task.0)
            }
            Note::Mapped(epoch) => write!(f, "goes by the map of epoch {epoch}"),
            Note::Copying(vb, _, number, _) => write!(f, "copies {vb}, number {number}"),
            Note::Copied(vb, _, number, _) => write!(f, "has {vb}, number {number}"),
            Note::Failover(vb) => write!(f, "gives up the master of {vb}"),
            Note::Given(vb, server) => write!(f, "gives {vb} to {server}"),
            Note::Moved(_, vb, server, true) => write!(f, "moved {vb} to {server}"),
            Note::Moved(_, vb, server, false) => write!(f, "failed to move {vb} to {server}"),
            Note::Rebalanced(_, is_done) => write!(f, "reports a move as done: {is_done}"),
            Note::Replicated(key, verdict) => write!(f, "compared replicas of {key}: {verdict:?}"),
        }
    }
}
