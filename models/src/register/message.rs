//! What the actors send each other, the timers that they set, and the facts that they state for checks.
//!
//! A message to or from a replica names the operation that it is sent for, beside the round: the round tells answers apart,
//! and the operation gives the message a name that stays when another operation is taken out of the workload.

use super::call::Key;
use super::tag::{Tag, Version};
use seedbed_sim::actor::Label;
use seedbed_sim::id::{Incarnation, OpId};
use std::fmt;

/// Names a round of questions of one coordinator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoundId {
    /// Which life of the coordinator's node: numbers start again in each.
    pub life: Incarnation,
    /// The number in this life, from 1.
    pub number: u32,
}

impl fmt::Display for RoundId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "round {}.{}", self.life.0, self.number)
    }
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Msg {
    /// Client to coordinator: give this write a tag.
    Pick {
        /// The write.
        op: OpId,
        /// Of this key.
        key: Key,
    },
    /// Coordinator to client: this is a tag for it.
    Picked {
        /// The write.
        op: OpId,
        /// Higher than what was written before.
        tag: Tag,
    },
    /// Client to coordinator: write this, under the tag that it has.
    Put {
        /// The write.
        op: OpId,
        /// To this key.
        key: Key,
        /// Tag and value.
        version: Version,
    },
    /// Coordinator to client: it is written.
    Done {
        /// The write.
        op: OpId,
    },
    /// Client to coordinator: read this key.
    Get {
        /// The read.
        op: OpId,
        /// The key.
        key: Key,
    },
    /// Coordinator to client: this is the value.
    Got {
        /// The read.
        op: OpId,
        /// Nothing if the key was never written.
        value: Option<u64>,
    },
    /// Coordinator to replica: what do you hold?
    Query {
        /// To be told in the answer.
        round: RoundId,
        /// On whose behalf.
        op: OpId,
        /// The key.
        key: Key,
    },
    /// Replica to coordinator: this.
    Held {
        /// The round that asked.
        round: RoundId,
        /// On whose behalf.
        op: OpId,
        /// Nothing if no version is on disk.
        version: Option<Version>,
    },
    /// Coordinator to replica: keep this, unless you hold something newer.
    Store {
        /// To be told in the answer.
        round: RoundId,
        /// On whose behalf.
        op: OpId,
        /// The key.
        key: Key,
        /// What to keep.
        version: Version,
    },
    /// Replica to coordinator: it, or something newer, is on disk.
    Stored {
        /// The round that asked.
        round: RoundId,
        /// On whose behalf.
        op: OpId,
    },
}

impl Label for Msg {
    const KINDS: &'static [&'static str] =
        &["pick", "picked", "put", "done", "get", "got", "query", "held", "store", "stored"];

    fn kind(&self) -> u16 {
        match self {
            Msg::Pick { .. } => 0,
            Msg::Picked { .. } => 1,
            Msg::Put { .. } => 2,
            Msg::Done { .. } => 3,
            Msg::Get { .. } => 4,
            Msg::Got { .. } => 5,
            Msg::Query { .. } => 6,
            Msg::Held { .. } => 7,
            Msg::Store { .. } => 8,
            Msg::Stored { .. } => 9,
        }
    }

    /// The number of the operation; a workload numbers its operations across all clients.
    fn subject(&self) -> u64 {
        match self {
            Msg::Pick { op, .. }
            | Msg::Picked { op, .. }
            | Msg::Put { op, .. }
            | Msg::Done { op }
            | Msg::Get { op, .. }
            | Msg::Got { op, .. }
            | Msg::Query { op, .. }
            | Msg::Held { op, .. }
            | Msg::Store { op, .. }
            | Msg::Stored { op, .. } => u64::from(op.number),
        }
    }
}

impl fmt::Display for Msg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", Msg::KINDS[usize::from(self.kind())], self.subject())?;
        match self {
            Msg::Pick { key, .. } | Msg::Get { key, .. } => write!(f, " {key}"),
            Msg::Picked { tag, .. } => write!(f, " {tag}"),
            Msg::Put { key, version, .. } => write!(f, " {key} {version}"),
            Msg::Done { .. } => Ok(()),
            Msg::Got { value: Some(value), .. } => write!(f, " {value}"),
            Msg::Got { value: None, .. } => write!(f, " nothing"),
            Msg::Query { round, key, .. } => write!(f, " {key}, {round}"),
            Msg::Held { round, version: Some(version), .. } => write!(f, " {version}, {round}"),
            Msg::Held { round, version: None, .. } => write!(f, " nothing, {round}"),
            Msg::Store { round, key, version, .. } => write!(f, " {key} {version}, {round}"),
            Msg::Stored { round, .. } => write!(f, ", {round}"),
        }
    }
}

/// A timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// Of a client: its request has been without an answer for too long.
    Retry,
    /// Of a coordinator: this round has been without a majority for too long.
    Resend(u32),
    /// Of a replica: its disk has been without an answer for too long.
    Disk,
}

impl Label for Timer {
    const KINDS: &'static [&'static str] = &["retry", "resend", "disk"];

    fn kind(&self) -> u16 {
        match self {
            Timer::Retry => 0,
            Timer::Resend(_) => 1,
            Timer::Disk => 2,
        }
    }

    fn subject(&self) -> u64 {
        match self {
            Timer::Retry | Timer::Disk => 0,
            Timer::Resend(number) => u64::from(*number),
        }
    }
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Timer::Retry => write!(f, "retry"),
            Timer::Resend(number) => write!(f, "resend round {number}"),
            Timer::Disk => write!(f, "disk"),
        }
    }
}

/// A fact that an actor states for the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Note {
    /// A coordinator gives this tag to a write.
    Given(Key, Tag),
    /// A replica writes this into its log.
    Writing(Key, Version),
    /// A replica tells a coordinator that it has something on disk; this is the tag of what it has.
    Acknowledged(Key, Tag),
    /// A replica has read its log after a boot and begins to serve.
    Recovered,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Given(key, tag) => write!(f, "given {key} @{tag}"),
            Note::Writing(key, version) => write!(f, "writing {key} {version}"),
            Note::Acknowledged(key, tag) => write!(f, "acknowledged {key} @{tag}"),
            Note::Recovered => write!(f, "recovered"),
        }
    }
}
