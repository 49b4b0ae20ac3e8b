//! What operations answer, and what becomes of a call.

use std::fmt;

use crate::vbucket::op::Key;
use crate::vbucket::response::Answer;

/// Why a call has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Error {
    /// The connection was reset, or ended.
    Reset,
    /// The connection was refused.
    Refused,
    /// Nothing came.
    TimedOut,
    /// Every node that was asked had the vbucket no more.
    NotMyVbucket,
    /// The node refused for the moment, again and again.
    TemporaryFailure,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::Reset => "reset",
            Error::Refused => "refused",
            Error::TimedOut => "timed out",
            Error::NotMyVbucket => "not my vbucket",
            Error::TemporaryFailure => "temporary failure",
        })
    }
}

/// What becomes of a call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// A node has answered.
    Answered(Answer),
    /// It certainly had no effect.
    NotApplied(Error),
    /// It may have had its effect, may have it later, or never.
    Unknown(Error),
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fate::Answered(answer) => answer.fmt(f),
            Fate::NotApplied(error) => write!(f, "not applied: {error}"),
            Fate::Unknown(error) => write!(f, "unknown: {error}"),
        }
    }
}

/// How a task has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// All of it was done, though not all of it with success.
    Completed,
    /// A client wanted that.
    Aborted,
    /// What it was to do has failed.
    Failed,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            End::Completed => "completed",
            End::Aborted => "aborted",
            End::Failed => "failed",
        })
    }
}

/// What an operation answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ret {
    /// That of a node.
    Answer(Answer),
    /// What became of each part of a multi-set.
    Parts(Vec<(Key, Fate)>),
    /// It was done.
    Done,
    /// It does not fit what the task is doing.
    Refused,
    /// How the task has ended, and how many keys were amiss.
    Ended(End, u8),
    /// So many keys were amiss, and so many could not be looked at.
    Checked(u8, u8),
    /// Whether the vbucket has moved.
    Moved(bool),
}

impl From<Answer> for Ret {
    fn from(answer: Answer) -> Ret {
        Ret::Answer(answer)
    }
}

impl fmt::Display for Ret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ret::Answer(answer) => answer.fmt(f),
            Ret::Parts(parts) => {
                let parts = parts.iter().map(|(key, fate)| format!("{key} {fate}"));
                write!(f, "{}", parts.collect::<Vec<_>>().join(", "))
            }
            Ret::Done => write!(f, "done"),
            Ret::Refused => write!(f, "refused"),
            Ret::Ended(end, wrong) => write!(f, "{end}, {wrong} amiss"),
            Ret::Checked(wrong, unseen) => write!(f, "{wrong} amiss, {unseen} not verified"),
            Ret::Moved(true) => write!(f, "moved"),
            Ret::Moved(false) => write!(f, "not moved"),
        }
    }
}
