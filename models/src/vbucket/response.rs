//! What a node answers, in the words of the binary protocol.

use std::fmt;

use super::op::Value;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// To a get.
    Found {
        /// The value.
        value: Value,
        /// What was stored with it.
        flags: u32,
        /// Its version.
        cas: u64,
    },
    /// It is stored, as this version.
    Stored(u64),
    /// It counts this, as this version.
    Counted(u64, u64),
    /// It is gone.
    Deleted,
    /// The command was carried out.
    Done,
    /// The checkpoint of this number is on disk.
    Persisted(u64),
    /// There is no such key.
    NotFound,
    /// There is such a key, or it has another version.
    Exists,
    /// Nothing was there to be added to.
    NotStored,
    /// What is there is no number.
    BadDelta,
    /// The value would be too long.
    TooLong,
    /// The vbucket is not active here.
    NotMyVbucket,
    /// Not now; nothing was done.
    TemporaryFailure,
    /// The command does not fit the state of things; nothing was done.
    NotSupported,
}

impl Answer {
    /// The version that was made by it.
    #[must_use]
    pub fn made(&self) -> Option<u64> {
        match self {
            Answer::Stored(cas) | Answer::Counted(_, cas) => Some(*cas),
            _ => None,
        }
    }

    /// The version that the client knows of by it.
    #[must_use]
    pub fn seen(&self) -> Option<u64> {
        match self {
            Answer::Found { cas, .. } => Some(*cas),
            other => other.made(),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Found { value, flags: 0, cas } => write!(f, "{value} cas {cas}"),
            Answer::Found { value, flags, cas } => write!(f, "{value} flags {flags} cas {cas}"),
            Answer::Stored(cas) => write!(f, "stored cas {cas}"),
            Answer::Counted(number, cas) => write!(f, "{number} cas {cas}"),
            Answer::Deleted => write!(f, "deleted"),
            Answer::Done => write!(f, "done"),
            Answer::Persisted(id) => write!(f, "persisted {id}"),
            Answer::NotFound => write!(f, "not found"),
            Answer::Exists => write!(f, "exists"),
            Answer::NotStored => write!(f, "not stored"),
            Answer::BadDelta => write!(f, "no number"),
            Answer::TooLong => write!(f, "too long"),
            Answer::NotMyVbucket => write!(f, "not my vbucket"),
            Answer::TemporaryFailure => write!(f, "temporary failure"),
            Answer::NotSupported => write!(f, "not supported"),
        }
    }
}
