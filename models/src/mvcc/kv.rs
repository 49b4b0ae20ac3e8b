//! A whole store in one hand: index, backend, file, watchers, compaction and the one lock, without actors.
//!
//! ```text
//! Kv::new(parameters) ──▶ begin, put_in, delete_in, range_in, end      explicit transactions, by id
//!                    ├──▶ ask                                          requests, as clients make them
//!                    ├──▶ batch, tick, force_commit, snapshot, defrag  what goes on behind them
//!                    ├──▶ watch, sync, victims, receive                see `watch`
//!                    └──▶ restore, install, close                      the same object goes on
//! ```
//!
//! A node of the simulation takes these parts apart, because there each has its own actor and somebody may crash between
//! two steps. Whoever needs a store as it is in one process, such as transcripts, property tests and benchmarks, takes
//! this. Each method is a step under the lock; one that finds the lock taken is refused and can be tried again.

use std::collections::VecDeque;

use seedbed_sim::time::Span;

use super::backend::{Backend, NotCommitted, Stale};
use super::compaction::{Compaction, Scheduled};
use super::hash::{HashCache, KvHash, hash_kv};
use super::history::{History, Query};
use super::lock::{Lock, LockError};
use super::op::{Action, Get, Op, Request};
use super::pages::OpenError;
use super::parameters::Parameters;
use super::response::{Found, OpError, Response};
use super::store::{Fatal, Store, StoreError, WriteTxn};
use super::txn::Running;
use super::watch::Watch;

mod behind;
mod explicit;
mod keep;

pub use behind::{Batched, Committed};
pub use explicit::Unlocked;
pub use keep::Opened;

use behind::Copying;

/// A store, and all that belongs to it.
#[derive(Clone, Debug)]
pub struct Kv {
    parameters: Parameters,
    store: Store,
    backend: Backend,
    /// The durable bytes.
    file: Vec<u8>,
    lock: Lock,
    watch: Watch,
    compaction: Option<Compaction>,
    /// Compactions that were accepted and wait, in order.
    queue: VecDeque<Scheduled>,
    hashes: HashCache,
    /// The copy that defragmenting makes, with its file.
    copying: Option<Copying>,
    /// How long ago the batch timer last came due.
    since_commit: Span,
    /// The batch timer came due while somebody held the lock.
    commit_waits: bool,
}

/// Why a step was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KvError {
    /// The client asked for something that it cannot have.
    #[error(transparent)]
    Refused(#[from] OpError),
    /// Somebody holds the lock, or the id is not that of its holder.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The backend is being defragmented.
    #[error("locked by defragmenting")]
    Defragmenting,
    /// Defragmenting is not under way, or its copy is not complete.
    #[error("there is no copy to {0}")]
    NoCopy(&'static str),
    /// Not everything was committed.
    #[error(transparent)]
    NotCommitted(#[from] NotCommitted),
    /// The backend has changed under a copy.
    #[error(transparent)]
    Stale(#[from] Stale),
    /// No compaction is under way.
    #[error("no compaction runs")]
    NoCompaction,
    /// Snapshots are open.
    #[error("{0} snapshots are open")]
    SnapshotsOpen(u32),
    /// A snapshot was not received whole. It can look like the file of an older commit.
    #[error("{received} of {size} bytes were received")]
    Incomplete {
        /// Bytes that came.
        received: usize,
        /// Bytes that were announced.
        size: usize,
    },
    /// The backend was used after it had been closed, which ends the process.
    #[error("the backend is closed")]
    Closed,
    /// The file is not one of a backend.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store contradicts itself, which ends the process.
    #[error(transparent)]
    Fatal(#[from] Fatal),
}

impl From<StoreError> for KvError {
    fn from(error: StoreError) -> KvError {
        match error {
            StoreError::Refused(error) => error.into(),
            StoreError::Fatal(fatal) => fatal.into(),
        }
    }
}

impl KvError {
    /// Whether a real process would end here.
    pub fn is_fatal(&self) -> bool {
        matches!(self, KvError::Closed | KvError::Fatal(_))
    }
}

impl Default for Kv {
    fn default() -> Kv {
        Kv::new(Parameters::default())
    }
}

impl Kv {
    /// An empty store with these parameters.
    pub fn new(parameters: Parameters) -> Kv {
        let store = Store::by(parameters.rules, parameters.defects);
        let backend = Backend::new(parameters.settings.page_size);
        Kv::over(parameters, store, backend, Vec::new())
    }

    fn over(parameters: Parameters, store: Store, backend: Backend, file: Vec<u8>) -> Kv {
        Kv {
            store,
            backend,
            file,
            lock: Lock::default(),
            watch: Watch::new(&parameters),
            compaction: None,
            queue: VecDeque::new(),
            hashes: HashCache::new(parameters.hashes_kept),
            copying: None,
            since_commit: Span::default(),
            commit_waits: false,
            parameters,
        }
    }

    /// What it was made with.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The backend.
    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// The bytes that a crash leaves.
    pub fn file(&self) -> &[u8] {
        &self.file
    }

    /// Those who watch. Making and cancelling watchers needs no lock of the store.
    pub fn watchers(&mut self) -> &mut Watch {
        &mut self.watch
    }

    /// The backend, for those who change it past the store while nobody holds the lock.
    pub(super) fn lone_backend(&mut self) -> Result<&mut Backend, KvError> {
        self.free()?;
        Ok(&mut self.backend)
    }

    /// Whether the lock can be taken: the backend is open, no transaction holds it and no copy is made.
    fn free(&self) -> Result<(), KvError> {
        self.readable()?;
        Ok(self.lock.free()?)
    }

    /// Whether readers that need no lock can go in.
    fn readable(&self) -> Result<(), KvError> {
        if !self.backend.is_open() {
            return Err(KvError::Closed);
        }
        if self.copying.is_some() { Err(KvError::Defragmenting) } else { Ok(()) }
    }

    /// Does a request of a client. A compaction is scheduled, durably; its batches are for [`Kv::batch`].
    pub fn ask(&mut self, request: &Request) -> Result<Response, KvError> {
        match request {
            Op::Single(Action::Get(get)) => {
                super::txn::check(request)?;
                Ok(Response::Range(self.range(get)?))
            }
            Op::Compact(at) => self.compact(*at),
            Op::Close => {
                self.close()?;
                Ok(Response::Closed)
            }
            _ => self.run(request),
        }
    }

    fn run(&mut self, request: &Request) -> Result<Response, KvError> {
        self.free()?;
        let mut running = Running::begin(&self.store, &self.backend, request)?;
        while !running.is_done() {
            let stepped = running.step(&mut self.store, &mut self.backend);
            stepped.map_err(|error| self.died(error))?;
        }
        self.tell(running.txn())?;
        let response = running.finish(&mut self.store);
        self.unlock();
        Ok(response)
    }

    /// Tells those who watch what a transaction did, before it ends.
    fn tell(&mut self, txn: &WriteTxn) -> Result<(), KvError> {
        let effects = self.store.effects_of(&self.backend, txn);
        let effects = effects.map_err(|fatal| self.died(fatal))?;
        self.watch.notify(&effects);
        Ok(())
    }

    /// The process ends here: nothing can be asked any more.
    fn died(&mut self, error: impl Into<KvError>) -> KvError {
        let error = error.into();
        if error.is_fatal() {
            self.backend.close();
        }
        error
    }

    /// Reads outside any transaction. With a read buffer it needs no lock.
    pub fn range(&self, get: &Get<i64>) -> Result<Found, KvError> {
        if self.parameters.read_buffer {
            self.readable()?;
            return Ok(self.store.range(&self.backend.readers(), get)?);
        }
        self.free()?;
        Ok(self.store.range(&self.backend, get)?)
    }

    /// A part of the history of changes.
    pub fn range_history(&self, query: &Query) -> Result<History, KvError> {
        if self.parameters.read_buffer {
            self.readable()?;
            return Ok(self.store.range_history(&self.backend.readers(), query)?);
        }
        self.free()?;
        Ok(self.store.range_history(&self.backend, query)?)
    }

    /// The hash of what can be read at a revision, 0 meaning the current one.
    pub fn hash(&self, at: i64) -> Result<KvHash, KvError> {
        self.free()?;
        Ok(hash_kv(&self.store, &self.backend, at)?)
    }

    /// The newest hashes that compactions took.
    pub fn hashes(&self) -> &HashCache {
        &self.hashes
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod trial;
