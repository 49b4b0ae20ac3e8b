//! What the actors of one node share, as the threads of a process share memory. A crash takes all of it.

use std::fmt;

use super::backend::Backend;
use super::compaction::Compaction;
use super::message::Job;
use super::replica::Replica;
use super::store::{Fatal, Store};
use super::watching::Hub;
use super::workflow::Library;

/// Counts how often a process has opened its store, from 1. Whoever works on a store for longer remembers which opening
/// that was: another one has another backend, and the old one is closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Opening(pub u32);

impl fmt::Display for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "opening {}", self.0)
    }
}

/// Store and backend, and what their closing needs to know. The locks say who may use what.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    store: Option<Store>,
    backend: Option<Backend>,
    opening: Opening,
    /// No compaction may go on: the store is about to be closed.
    pub stopping: bool,
    /// How many compactions are waiting or running; closing waits until there are none.
    pub jobs: u32,
    /// A transaction is between two of its actions.
    pub in_txn: bool,
    /// The layer that watches, on nodes that have one. It outlives the openings of a process, as a store does that is
    /// restored in place.
    pub hub: Option<Hub>,
    /// What threads share, on nodes that have them.
    pub threads: Option<Library>,
    /// What a node has that is one of a group. It outlives the openings of a process, too.
    pub replica: Option<Box<Replica>>,
}

/// The backend that was asked for is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the backend is closed")]
pub struct Closed;

impl Shared {
    /// Puts in a backend that was just opened; its store is still to be restored.
    pub fn open(&mut self, backend: Backend) -> Opening {
        self.opening.0 += 1;
        let (backend, opening) = (Some(backend), self.opening);
        let (hub, replica) = (self.hub.take(), self.replica.take());
        let threads = self.threads.as_ref().map(Library::reopened);
        *self = Shared { backend, opening, hub, replica, threads, ..Shared::default() };
        self.opening
    }

    /// Puts in the store that was restored from the backend.
    pub fn serve(&mut self, store: Store) {
        self.store = Some(store);
    }

    /// The backend of this opening.
    pub fn backend(&mut self, of: Opening) -> Result<&mut Backend, Closed> {
        let backend = self.backend.as_mut().filter(|backend| backend.is_open());
        backend.filter(|_| self.opening == of).ok_or(Closed)
    }

    /// Whether there is a store, with an open backend.
    pub fn is_open(&self) -> bool {
        self.store.is_some() && self.backend.as_ref().is_some_and(Backend::is_open)
    }

    /// Store and backend of this opening.
    pub fn both(&mut self, of: Opening) -> Result<(&mut Store, &mut Backend), Closed> {
        match (&mut self.store, &mut self.backend) {
            (Some(store), Some(backend)) if backend.is_open() && self.opening == of => {
                Ok((store, backend))
            }
            _ => Err(Closed),
        }
    }

    /// The open store with its backend and the layer above it; none while the store is closed, or without such a layer.
    pub fn watched(&mut self) -> Option<(&mut Store, &mut Backend, &mut Hub)> {
        match (&mut self.store, &mut self.backend, &mut self.hub) {
            (Some(store), Some(backend), Some(hub)) if backend.is_open() => {
                Some((store, backend, hub))
            }
            _ => None,
        }
    }

    /// The opening that was last made.
    pub fn opening(&self) -> Opening {
        self.opening
    }

    /// The open store with its backend and what threads share beside them; none if nobody may go in.
    pub fn using(&mut self) -> Option<(&mut Store, &mut Backend, &mut Library)> {
        match (&mut self.store, &mut self.backend, &mut self.threads) {
            (Some(store), Some(backend), Some(library)) if backend.is_open() && !self.stopping => {
                Some((store, backend, library))
            }
            _ => None,
        }
    }

    /// The compaction that the worker is called for; none if others of an opening that is over have called for it.
    pub(super) fn in_turn(&mut self, job: Job) -> Option<Job> {
        match &mut self.threads {
            // In a group the worker is called by the applier, and told to leave off by the member.
            None if self.replica.is_some() => {
                Some(job).filter(|job| job.opening == self.opening && !self.stopping)
            }
            None => Some(job),
            Some(library) => (job.opening == self.opening).then(|| library.in_turn(job)),
        }
    }

    /// Begins a compaction on the store of this opening, as the threads that share it want it, if there are any.
    pub(super) fn begin_compaction(
        &mut self,
        job: Job,
    ) -> Result<Result<Compaction, Fatal>, Closed> {
        match (&mut self.store, &mut self.backend) {
            (Some(store), Some(backend)) if backend.is_open() && self.opening == job.opening => {
                Ok(match &mut self.threads {
                    Some(library) => library.begin((store, backend)),
                    None => Ok(Compaction::start(store, job.revision)),
                })
            }
            _ => Err(Closed),
        }
    }

    /// What a node of a group has.
    ///
    /// # Panics
    ///
    /// On a node that is none.
    pub fn group(&mut self) -> &mut Replica {
        self.replica.as_mut().expect("the node is one of a group")
    }

    /// The hook before a commit: in a group, the consistent index goes with the data.
    pub fn before_commit(&mut self, of: Opening) {
        if let (Some(replica), Some(backend)) = (&self.replica, &mut self.backend) {
            replica.before_commit(of, backend);
        }
    }

    /// Store and backend, open or closed, for checks; none before the first opening of a process.
    pub fn look(&self) -> Option<(&Store, &Backend)> {
        self.store.as_ref().zip(self.backend.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::super::defects::Defects;
    use super::*;

    #[test]
    fn a_backend_is_reached_only_while_its_own_opening_lasts() {
        let mut shared = Shared::default();
        assert!(shared.backend(Opening(0)).is_err());
        let first = shared.open(Backend::new(64));
        assert!(shared.both(first).is_err());
        shared.serve(Store::new(Defects::NONE));
        assert!(shared.both(first).is_ok());
        shared.backend(first).expect("open").close();
        assert!(shared.both(first).is_err() && shared.look().is_some());
        let second = shared.open(Backend::new(64));
        assert!(shared.backend(second).is_ok() && shared.backend(first).is_err());
        assert!(shared.look().is_none());
    }
}
