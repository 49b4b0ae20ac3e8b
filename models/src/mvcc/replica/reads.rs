//! Reads that wait at a member.

use std::sync::Arc;

use seedbed_sim::id::ActorId;

use super::note::Staleness;
use crate::mvcc::message::AskId;
use crate::mvcc::op::Request;

/// A read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// Whose it is.
    pub id: AskId,
    /// What is to be read.
    pub request: Arc<Request>,
    /// Which states it may show.
    pub staleness: Staleness,
    /// The entry that has to be applied first, once that is known.
    pub index: Option<u64>,
}

impl Read {
    fn is_ready(&self, applied: u64) -> bool {
        match self.staleness {
            Staleness::Any => true,
            Staleness::Newest => self.index.is_some_and(|index| index <= applied),
        }
    }
}

/// Those that wait, in the order in which they came; at most one of each client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads(Vec<Read>);

impl Reads {
    /// Adds one.
    pub fn add(&mut self, read: Read) {
        self.0.push(read);
    }

    /// A client does not wait any more.
    pub fn forget(&mut self, client: ActorId) {
        self.0.retain(|read| read.id.op.client != client);
    }

    /// It may show what is there once everything up to this entry is applied.
    pub fn may_show(&mut self, id: AskId, index: u64) {
        let of = self.0.iter_mut().filter(|read| read.id == id);
        of.for_each(|read| read.index = Some(index));
    }

    /// Takes out the first one that can be served when everything up to this entry is applied.
    pub fn ready(&mut self, applied: u64) -> Option<Read> {
        let place = self.0.iter().position(|read| read.is_ready(applied))?;
        Some(self.0.remove(place))
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
