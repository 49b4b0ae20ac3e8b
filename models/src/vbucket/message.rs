//! What the actors tell each other, and what they wait for.

use std::fmt;
use std::sync::Arc;

use seedbed_sim::actor::Label;
use seedbed_sim::id::OpId;

use super::op::{Key, Request, Vb};
use super::record::Standing;
use super::response::Answer;

/// Names one attempt of a client at an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId {
    /// The operation.
    pub op: OpId,
    /// Which attempt, from 1.
    pub attempt: u32,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Msg {
    /// Client to front end: do this.
    Ask(AskId, Arc<Request>),
    /// Front end to client: this came of it.
    Answer(AskId, Answer),
    /// Loader to the others of its node: the table is there, begin.
    Loaded,
    /// To the flusher: there is something to write.
    Flush,
    /// To the keeper of standings: this vbucket stands otherwise than the disk says. It stood like this then.
    Snapshot(Vb, Option<Standing>),
    /// Flusher to the keeper of standings: nothing more will come.
    Finish,
    /// To the fetcher: bring this value back.
    Fetch(Vb, Key),
    /// Fetcher to front end: it is back, or is not needed any more.
    Fetched(Vb, Key),
    /// To the front end or the consumer: those who wait for this vbucket may go on.
    Unblock(Vb),
    /// Flusher to front end: another checkpoint of this vbucket is on disk.
    Published(Vb),
    /// To the reverter: take the online update of this birth of a vbucket back.
    Revert(Vb, u64),
}

impl Label for Msg {
    const KINDS: &'static [&'static str] = &[
        "ask",
        "answer",
        "loaded",
        "flush",
        "snapshot",
        "finish",
        "fetch",
        "fetched",
        "unblock",
        "published",
        "revert",
    ];

    fn kind(&self) -> u16 {
        match self {
            Msg::Ask(..) => 0,
            Msg::Answer(..) => 1,
            Msg::Loaded => 2,
            Msg::Flush => 3,
            Msg::Snapshot(..) => 4,
            Msg::Finish => 5,
            Msg::Fetch(..) => 6,
            Msg::Fetched(..) => 7,
            Msg::Unblock(_) => 8,
            Msg::Published(_) => 9,
            Msg::Revert(..) => 10,
        }
    }

    fn subject(&self) -> u64 {
        match self {
            Msg::Ask(id, _) | Msg::Answer(id, _) => u64::from(id.op.number),
            Msg::Loaded | Msg::Flush | Msg::Finish => 0,
            Msg::Fetch(_, key) | Msg::Fetched(_, key) => u64::from(key.0) + 1,
            Msg::Snapshot(vb, _) | Msg::Unblock(vb) | Msg::Published(vb) | Msg::Revert(vb, _) => {
                u64::from(vb.0) + 1
            }
        }
    }
}

impl fmt::Display for Msg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Msg::KINDS[usize::from(self.kind())])?;
        match self {
            Msg::Ask(id, request) => {
                write!(f, "#{} {}", id.op.number, request.call)?;
                if request.cas != 0 { write!(f, " cas {}", request.cas) } else { Ok(()) }
            }
            Msg::Answer(id, answer) => write!(f, "#{} {answer}", id.op.number),
            Msg::Loaded | Msg::Flush | Msg::Finish => Ok(()),
            Msg::Fetch(vb, key) | Msg::Fetched(vb, key) => write!(f, " {vb} {key}"),
            Msg::Snapshot(vb, _) | Msg::Unblock(vb) | Msg::Published(vb) | Msg::Revert(vb, _) => {
                write!(f, " {vb}")
            }
        }
    }
}

/// A timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// Of a client: its request has been without an answer for too long.
    Patience,
    /// Of a client: it is time to try again.
    Retry,
    /// Of the flusher: the next cycle.
    Flush,
    /// Of the remover: the next round.
    Remove,
    /// Of the pager: the next round.
    Page,
    /// Of the front end: this operation has waited for the disk for too long.
    Waited(u32),
    /// Of whoever uses the disk: it has been without an answer for too long.
    Disk,
    /// Of the keeper of standings: the task of this number may run.
    Task(u32),
    /// Of a reader: the next step.
    Read,
    /// Of the pager: take out what was collected.
    Purge,
}

impl Label for Timer {
    const KINDS: &'static [&'static str] = &[
        "patience", "retry", "flush", "remove", "page", "waited", "disk", "task", "read", "purge",
    ];

    fn kind(&self) -> u16 {
        match self {
            Timer::Patience => 0,
            Timer::Retry => 1,
            Timer::Flush => 2,
            Timer::Remove => 3,
            Timer::Page => 4,
            Timer::Waited(_) => 5,
            Timer::Disk => 6,
            Timer::Task(_) => 7,
            Timer::Read => 8,
            Timer::Purge => 9,
        }
    }

    fn subject(&self) -> u64 {
        match self {
            Timer::Waited(number) | Timer::Task(number) => u64::from(*number),
            _ => 0,
        }
    }
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Timer::KINDS[usize::from(self.kind())])?;
        if self.subject() == 0 { Ok(()) } else { write!(f, " {}", self.subject()) }
    }
}

/// Work that goes on in a later step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Of the flusher: take what this vbucket has to write.
    Drain(Vb),
    /// Of the remover: look at this vbucket.
    Remove(Vb),
    /// Of the pager: take the next key that was found to have run out.
    Purge,
    /// Of the reverter: take what was changed.
    Collect(Vb),
    /// Of the reverter: bring the next key back.
    Restore(Vb),
    /// Of the reverter: nothing is left to bring back.
    EndRevert(Vb),
    /// Of the flusher: there was nothing to do; wait to be told.
    Sleep,
    /// Of the front end: whoever asked for this vbucket to be on disk waits to be told.
    Wait(Vb),
}

impl Label for Phase {
    const KINDS: &'static [&'static str] =
        &["drain", "remove", "purge", "collect", "restore", "end-revert", "sleep", "wait"];

    fn kind(&self) -> u16 {
        match self {
            Phase::Drain(_) => 0,
            Phase::Remove(_) => 1,
            Phase::Purge => 2,
            Phase::Collect(_) => 3,
            Phase::Restore(_) => 4,
            Phase::EndRevert(_) => 5,
            Phase::Sleep => 6,
            Phase::Wait(_) => 7,
        }
    }

    fn subject(&self) -> u64 {
        match self {
            Phase::Drain(vb)
            | Phase::Remove(vb)
            | Phase::Collect(vb)
            | Phase::Restore(vb)
            | Phase::EndRevert(vb)
            | Phase::Wait(vb) => u64::from(vb.0) + 1,
            Phase::Purge | Phase::Sleep => 0,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Phase::KINDS[usize::from(self.kind())])?;
        match self.subject() {
            0 => Ok(()),
            vb => write!(f, " v{}", vb - 1),
        }
    }
}

/// The locks of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lock {
    /// One transaction at a time is written.
    Log,
}

impl Label for Lock {
    const KINDS: &'static [&'static str] = &["log"];

    fn kind(&self) -> u16 {
        0
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "log")
    }
}

/// What an operation answered.
pub type Ret = Answer;
