//! What goes on behind the requests: commits, compactions, rounds for watchers, defragmenting.

use seedbed_sim::time::Span;

use super::super::backend::Defrag;
use super::super::compaction::Compaction;
use super::super::response::Response;
use super::super::watch::{Round, StreamId, WatchResponse};
use super::{Kv, KvError};

/// A copy with the bytes of its file.
#[derive(Clone, Debug)]
pub(super) struct Copying {
    defrag: Defrag,
    file: Vec<u8>,
}

/// A commit that was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// How many changes became durable.
    pub changes: usize,
    /// How many data pages they took.
    pub pages: usize,
}

/// A batch of a compaction that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batched {
    /// The keys of the records that were deleted.
    pub deleted: Vec<Vec<u8>>,
    /// Whether it was the last one of its compaction.
    pub last: bool,
}

impl Kv {
    /// Gives back the lock of the backend, with a commit if one is due.
    pub(in crate::mvcc) fn unlock(&mut self) {
        let limit = self.parameters.settings.batch_limit;
        let due = self.backend.unlock(limit, self.parameters.commits_deletions);
        if due || self.commit_waits {
            self.commit();
        }
    }

    pub(super) fn commit(&mut self) -> Option<Committed> {
        self.commit_waits = false;
        self.backend.unlock(usize::MAX, false);
        let commit = self.backend.begin_commit()?;
        commit.write_to(&mut self.file);
        let done = Committed { changes: commit.changes, pages: commit.pages.len() };
        self.backend.finish_commit(commit);
        Some(done)
    }

    /// Makes everything durable that is pending; waits for a transaction to end.
    pub fn force_commit(&mut self) -> Result<Option<Committed>, KvError> {
        self.free()?;
        Ok(self.commit())
    }

    /// Lets time pass. When the interval of the batch timer is over it commits; if somebody holds the lock then, as soon
    /// as it is given back.
    pub fn tick(&mut self, passed: Span) -> Result<Option<Committed>, KvError> {
        if !self.backend.is_open() {
            return Err(KvError::Closed);
        }
        self.since_commit = Span(self.since_commit.0.saturating_add(passed.0));
        if self.since_commit < self.parameters.settings.batch_interval {
            return Ok(None);
        }
        self.since_commit = Span::default();
        if self.free().is_err() {
            self.commit_waits = true;
            return Ok(None);
        }
        Ok(self.commit())
    }

    /// Accepts a compaction. Its mark is durable before anybody is told.
    pub(super) fn compact(&mut self, at: i64) -> Result<Response, KvError> {
        self.free()?;
        let scheduled = self.store.schedule_compaction(&mut self.backend, at)?;
        self.commit();
        if self.compaction.is_some() {
            self.queue.push_back(scheduled);
        } else {
            self.compaction = Some(Compaction::begin(&mut self.store, scheduled));
        }
        Ok(Response::Compacted { revision: self.store.current() })
    }

    /// Does a batch of the compaction that runs: `limit` records, or as many as the parameters say. After the last one
    /// its hash is kept, if it is a whole one, and the next compaction begins.
    pub fn batch(&mut self, limit: Option<usize>) -> Result<Batched, KvError> {
        self.free()?;
        let compaction = self.compaction.as_mut().ok_or(KvError::NoCompaction)?;
        let limit = limit.unwrap_or(self.parameters.settings.compaction_batch);
        let batch = compaction.next_batch(&self.backend, limit)?;
        let done = Batched { deleted: batch.delete.clone(), last: batch.last };
        compaction.apply(&mut self.backend, batch);
        if done.last {
            if let Some(hash) = compaction.hash() {
                self.hashes.keep(hash);
            }
            let next = self.queue.pop_front();
            self.compaction = next.map(|next| Compaction::begin(&mut self.store, next));
        }
        self.unlock();
        if self.parameters.rules.commits_each_batch() {
            self.commit();
        }
        Ok(done)
    }

    /// The compaction that runs.
    pub fn compaction(&self) -> Option<&Compaction> {
        self.compaction.as_ref()
    }

    /// Puts in a compaction that keeps what it is told to, in place of the one that runs.
    pub fn sweep(&mut self, compaction: Compaction) -> Result<(), KvError> {
        self.free()?;
        self.compaction = Some(compaction);
        Ok(())
    }

    /// A round for unsynced watchers.
    pub fn sync(&mut self) -> Result<Round, KvError> {
        self.readable()?;
        if self.parameters.read_buffer {
            return Ok(self.watch.sync(&self.store, &self.backend.readers())?);
        }
        self.free()?;
        Ok(self.watch.sync(&self.store, &self.backend)?)
    }

    /// A round for victims: how many there were, and how many were helped.
    pub fn victims(&mut self) -> (usize, usize) {
        self.watch.victims(self.store.current())
    }

    /// Takes the oldest response out of a stream.
    pub fn receive(&mut self, stream: StreamId) -> Result<Option<WatchResponse>, KvError> {
        Ok(self.watch.receive(stream, &self.store, &self.backend.readers())?)
    }

    /// Begins to defragment: commits, and holds the lock until the copy is swapped in or dropped.
    pub fn begin_defrag(&mut self) -> Result<(), KvError> {
        self.free()?;
        self.commit();
        let defrag = Defrag::begin(&self.backend)?;
        self.copying = Some(Copying { defrag, file: Vec::new() });
        Ok(())
    }

    /// Copies the next pairs, as many as `limit` or the parameters say; whether all were copied.
    pub fn copy(&mut self, limit: Option<usize>) -> Result<bool, KvError> {
        let Copying { defrag, file } =
            self.copying.as_mut().ok_or(KvError::NoCopy("go on with"))?;
        let limit = limit.unwrap_or(self.parameters.defrag_batch);
        if let Some(commit) = defrag.copy(&self.backend, limit) {
            commit.write_to(file);
            defrag.copied(commit);
        }
        Ok(defrag.is_done())
    }

    /// Goes on with the copy in place of the file: how many bytes that saves.
    pub fn swap(&mut self) -> Result<usize, KvError> {
        let whole = self.copying.take_if(|copying| copying.defrag.is_done());
        let Copying { defrag, file } = whole.ok_or(KvError::NoCopy("swap in"))?;
        defrag.swap(&mut self.backend)?;
        let saved = self.file.len().saturating_sub(file.len());
        self.file = file;
        Ok(saved)
    }

    /// Drops the copy and goes on as before.
    pub fn drop_copy(&mut self) -> Result<(), KvError> {
        self.copying.take().map(drop).ok_or(KvError::NoCopy("drop"))
    }
}
