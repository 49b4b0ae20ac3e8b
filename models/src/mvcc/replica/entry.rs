//! An entry of the log.

use std::fmt;
use std::sync::Arc;

use crate::mvcc::message::AskId;
use crate::mvcc::op::Request;

/// What is to be done, and for whom.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Proposal {
    /// The request of a client; none if a lessor asks for it.
    pub ask: Option<AskId>,
    /// What it is.
    pub request: Request,
}

/// One place of the log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The place, from 1.
    pub index: u64,
    /// What every node does there.
    pub proposal: Arc<Proposal>,
}

impl fmt::Display for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ask {
            Some(ask) => write!(f, "{ask}: {}", self.request),
            None => write!(f, "{}", self.request),
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.index, self.proposal)
    }
}
