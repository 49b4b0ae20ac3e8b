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

/// What needs the locks at a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// A read of a client.
    Read(Read),
    /// The hash of a revision, for this actor in its round.
    Hash(ActorId, u32, i64),
}

/// Those that wait, in the order in which they came; at most one of each client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    of_clients: Vec<Read>,
    hashes: Vec<(ActorId, u32, i64)>,
}

impl Reads {
    /// Adds one.
    pub fn add(&mut self, read: Read) {
        self.of_clients.push(read);
    }

    /// A client does not wait any more.
    pub fn forget(&mut self, client: ActorId) {
        self.of_clients.retain(|read| read.id.op.client != client);
    }

    /// It may show what is there once everything up to this entry is applied.
    pub fn may_show(&mut self, id: AskId, index: u64) {
        let of = self.of_clients.iter_mut().filter(|read| read.id == id);
        of.for_each(|read| read.index = Some(index));
    }

    /// Somebody wants a hash; only the newest wish of each counts.
    pub fn add_hash(&mut self, from: ActorId, round: u32, at: i64) {
        self.hashes.retain(|(other, ..)| *other != from);
        self.hashes.push((from, round, at));
    }

    /// Takes out the first one that can be served when everything up to this entry is applied.
    pub fn ready(&mut self, applied: u64) -> Option<Task> {
        if let Some((from, round, at)) = self.hashes.pop() {
            return Some(Task::Hash(from, round, at));
        }
        let place = self.of_clients.iter().position(|read| read.is_ready(applied))?;
        Some(Task::Read(self.of_clients.remove(place)))
    }

    /// Whether no client waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.of_clients.is_empty()
    }
}
