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

#[cfg(test)]
mod tests {
    use seedbed_sim::id::OpId;

    use super::*;
    use crate::mvcc::op::Op;

    fn read(client: u16, number: u32, staleness: Staleness) -> Read {
        let id = AskId { op: OpId { client: ActorId(client), number }, attempt: 1 };
        Read { id, request: Arc::new(Op::Close), staleness, index: None }
    }

    fn number(task: Option<Task>) -> Option<u32> {
        match task? {
            Task::Read(read) => Some(read.id.op.number),
            Task::Hash(_, round, _) => Some(round),
        }
    }

    #[test]
    fn a_read_of_the_newest_state_waits_and_one_of_an_old_state_does_not() {
        let mut reads = Reads::default();
        reads.add(read(1, 11, Staleness::Newest));
        reads.add(read(2, 22, Staleness::Any));
        assert_eq!(number(reads.ready(9)), Some(22));
        assert_eq!(number(reads.ready(9)), None);
        reads.may_show(read(1, 11, Staleness::Newest).id, 10);
        assert_eq!(number(reads.ready(9)), None);
        assert_eq!(number(reads.ready(10)), Some(11));
        assert!(reads.is_empty());
    }

    #[test]
    fn of_a_client_or_a_comparer_that_asks_again_only_the_newest_wish_counts() {
        let mut reads = Reads::default();
        reads.add(read(1, 11, Staleness::Any));
        reads.forget(ActorId(1));
        reads.add_hash(ActorId(3), 1, 0);
        reads.add_hash(ActorId(3), 2, 5);
        assert_eq!(number(reads.ready(0)), Some(2));
        assert_eq!(number(reads.ready(0)), None);
    }
}
