//! Defragmenting: the contents of a backend in a new file, without the room that old pages take.
//!
//! ```text
//! commit ──▶ Defrag::begin ──▶ copy, copied, copy, copied, .. ──▶ rename the new file ──▶ swap
//!            └───────────── the lock of the backend is held all the time ───────────────────┘
//! ```
//!
//! Until the rename the old file counts, and a copy that is left over is harmless. Whoever gives up in between drops the
//! [`Defrag`] and goes on with the backend as it was.

use super::{Backend, Bucket};
use crate::mvcc::pages::Commit;

/// A copy of a backend that is being made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Defrag {
    /// The commit of the backend that is copied.
    of: u32,
    copy: Backend,
    /// The pair to go on with; none when all were copied.
    next: Option<(Bucket, Vec<u8>)>,
}

/// Defragmenting begins with a commit, and it was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} changes are not committed")]
pub struct NotCommitted(pub usize);

/// Somebody has committed while the copy was made, so that something is missing in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the backend has changed since it was copied")]
pub struct Stale;

impl Defrag {
    /// Begins to copy a backend of which everything is committed.
    pub fn begin(backend: &Backend) -> Result<Defrag, NotCommitted> {
        if !backend.pending.is_empty() {
            return Err(NotCommitted(backend.pending.len()));
        }
        let next = backend.durable.first_key_value().map(|(at, _)| at.clone());
        let (of, page_size) = (backend.image.sequence(), backend.image.page_size());
        Ok(Defrag { of, copy: Backend::new(page_size), next })
    }

    /// Whether everything was copied.
    pub fn is_done(&self) -> bool {
        self.next.is_none()
    }

    /// Copies the next `limit` pairs and plans the commit that makes them durable in the new file; none if all were.
    pub fn copy(&mut self, backend: &Backend, limit: usize) -> Option<Commit> {
        let mut pairs = backend.durable.range(self.next.take()?..);
        for ((bucket, key), value) in pairs.by_ref().take(limit) {
            self.copy.put(*bucket, key.clone(), value.clone());
        }
        self.next = pairs.next().map(|(at, _)| at.clone());
        self.copy.begin_commit()
    }

    /// Notes that a part is durable in the new file.
    pub fn copied(&mut self, commit: Commit) {
        self.copy.finish_commit(commit);
    }

    /// Goes on with the new file, after it was renamed.
    ///
    /// # Panics
    ///
    /// If not everything was copied, or not all of it is durable.
    pub fn swap(self, backend: &mut Backend) -> Result<(), Stale> {
        if self.of != backend.image.sequence() || !backend.pending.is_empty() {
            return Err(Stale);
        }
        assert!(self.is_done() && self.copy.pending.is_empty(), "the new file is complete");
        assert_eq!(self.copy.durable, backend.durable, "a copy changes nothing");
        backend.image = self.copy.image;
        Ok(())
    }
}
