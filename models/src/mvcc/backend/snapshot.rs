//! A snapshot: the durable contents at one moment, as a file of their own.
//!
//! ```text
//! commit ──▶ Backend::snapshot: cut, size known ──▶ chunk, chunk, .. ──▶ Backend::close_snapshot
//! ```
//!
//! It is cut before its first byte is written anywhere, so that its size can be told to a receiver beforehand and
//! nothing that is written meanwhile gets into it. A real one keeps a read transaction open, which holds on to pages of
//! the file until it is closed; here it holds on to its bytes. Either way it has to be closed.

use super::{Backend, view};
use crate::mvcc::backend::{Bucket, Change};
use crate::mvcc::pages::Image;

/// A snapshot that is being written somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Snapshot {
    bytes: Vec<u8>,
    written: usize,
}

impl Snapshot {
    /// How many bytes it has.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// How many bytes have been written.
    pub fn written(&self) -> usize {
        self.written
    }

    /// Whether nothing is left to write.
    pub fn is_done(&self) -> bool {
        self.written == self.bytes.len()
    }

    /// The next bytes to write, at most `limit`. All chunks together are a file that [`Backend::open`] reads.
    pub fn chunk(&mut self, limit: usize) -> &[u8] {
        let from = self.written;
        self.written = self.bytes.len().min(from.saturating_add(limit));
        &self.bytes[from..self.written]
    }
}

impl Backend {
    /// Cuts a snapshot of what is durable: one point between two commits. Whoever wants what is pending in it commits
    /// first.
    pub fn snapshot(&mut self) -> Snapshot {
        let mut bytes = Vec::new();
        let puts = Bucket::ALL.into_iter().flat_map(|bucket| {
            view::pairs(&self.durable, bucket, b"").map(move |(key, value)| Change {
                bucket,
                key: key.to_vec(),
                value: Some(value.to_vec()),
            })
        });
        let puts: Vec<Change> = puts.collect();
        if !puts.is_empty() {
            Image::new(self.image.page_size()).commit(&puts, &self.durable).write_to(&mut bytes);
        }
        self.snapshots += 1;
        Snapshot { bytes, written: 0 }
    }

    /// Ends a snapshot, whether all of it was written or not.
    ///
    /// # Panics
    ///
    /// If this backend has no snapshot open.
    pub fn close_snapshot(&mut self, snapshot: Snapshot) {
        drop(snapshot);
        self.snapshots = self.snapshots.checked_sub(1).expect("a snapshot is closed once");
    }

    /// How many snapshots are open. A backend is not closed before they are.
    pub fn open_snapshots(&self) -> u32 {
        self.snapshots
    }
}
