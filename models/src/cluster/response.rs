//! What operations answer.

use std::fmt;

use crate::client::response as client;
use crate::vbucket::response::Answer;

/// What an operation answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ret {
    /// That of a client.
    Client(client::Ret),
    /// A rebalance has begun: so many vbuckets have to move.
    Begun(u8),
    /// The rebalance was stopped at so many percent.
    Stopped(u8),
    /// The rebalance has ended, as a success or not.
    Ended(bool),
    /// The node was given up: so many vbuckets have other masters.
    FailedOver(u8),
    /// Every replica counts what its master counts: items, and those of replicas.
    Counted(u32, u32),
    /// They do not, yet.
    NotCounted,
    /// It does not fit the state of the cluster.
    Refused,
}

impl From<client::Ret> for Ret {
    fn from(ret: client::Ret) -> Ret {
        Ret::Client(ret)
    }
}

impl From<Answer> for Ret {
    fn from(answer: Answer) -> Ret {
        Ret::Client(client::Ret::Answer(answer))
    }
}

impl fmt::Display for Ret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ret::Client(ret) => ret.fmt(f),
            Ret::Begun(vbuckets) => write!(f, "begun, {vbuckets} to move"),
            Ret::Stopped(percent) => write!(f, "stopped at {percent} %"),
            Ret::Ended(true) => write!(f, "finished"),
            Ret::Ended(false) => write!(f, "failed"),
            Ret::FailedOver(vbuckets) => write!(f, "failed over, {vbuckets} promoted"),
            Ret::Counted(active, replica) => write!(f, "{active} items, {replica} in replicas"),
            Ret::NotCounted => write!(f, "counts differ"),
            Ret::Refused => write!(f, "refused"),
        }
    }
}
