//! The backend of a store: buckets of bytes, changed in batches that become durable together.
//!
//! ```text
//! put, delete ──▶ pending ──begin_commit──▶ pages, sync, meta page, sync ──finish_commit──▶ durable
//!                    │ unlock                                                                  │
//!                    └──▶ read buffer (puts only) ──────────▶ Readers ◀────────────────────────┘
//! ```
//!
//! Whoever holds the lock sees everything at once. [Readers] need no lock: they see what is durable, and above it what
//! was put up to the last [`unlock`](Backend::unlock). Deletions are not in that buffer, so whoever gives back the lock
//! with a deletion pending has to commit. A crash takes away all that is pending.
//!
//! It issues no disk requests itself: a commit is planned here and carried out by whoever holds the file. The same holds
//! for a [snapshot](Snapshot) and for [defragmenting](Defrag).

use std::collections::BTreeMap;

use super::pages::{Commit, Image, OpenError};

mod defrag;
mod snapshot;
mod view;

pub use defrag::{Defrag, NotCommitted, Stale};
pub use snapshot::Snapshot;
pub use view::{Readers, View};

/// A name space inside the backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket {
    /// The records, by revision.
    Key,
    /// What the store has to remember beside them, such as compaction marks.
    Meta,
    /// The leases, by number.
    Lease,
}

impl Bucket {
    /// All of them, in the order of their names.
    pub const ALL: [Bucket; 3] = [Bucket::Key, Bucket::Lease, Bucket::Meta];

    /// The name that it has in the file of a real store, and in hashes.
    pub fn name(self) -> &'static str {
        match self {
            Bucket::Key => "key",
            Bucket::Lease => "lease",
            Bucket::Meta => "meta",
        }
    }
}

/// Everything in all buckets.
pub type Contents = BTreeMap<(Bucket, Vec<u8>), Vec<u8>>;

/// One operation on a bucket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    /// Where.
    pub bucket: Bucket,
    /// The key.
    pub key: Vec<u8>,
    /// The new value, or none to delete the key.
    pub value: Option<Vec<u8>>,
}

/// The committed image of a backend with the changes on top of it that are not committed yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Backend {
    image: Image,
    /// What a crash leaves.
    durable: Contents,
    /// What whoever holds the lock sees: all that is durable or pending.
    view: Contents,
    pending: Vec<Change>,
    /// How many of the pending changes were written back for readers.
    written_back: usize,
    /// What they put.
    buffer: Contents,
    /// How many snapshots are open.
    snapshots: u32,
    committing: bool,
    open: bool,
}

impl Backend {
    /// An empty backend that will be written in pages of `page_size` bytes.
    pub fn new(page_size: u32) -> Backend {
        Backend::over(Image::new(page_size), Contents::new())
    }

    /// The backend whose file holds `bytes`. An empty file is an empty backend.
    pub fn open(bytes: &[u8], page_size: u32) -> Result<Backend, OpenError> {
        let (image, contents) = super::pages::open(bytes, page_size)?;
        Ok(Backend::over(image, contents))
    }

    fn over(image: Image, view: Contents) -> Backend {
        Backend {
            image,
            durable: view.clone(),
            view,
            pending: Vec::new(),
            written_back: 0,
            buffer: Contents::new(),
            snapshots: 0,
            committing: false,
            open: true,
        }
    }

    /// The value under `key`, pending changes included.
    pub fn get(&self, bucket: Bucket, key: &[u8]) -> Option<&[u8]> {
        self.view.get(&(bucket, key.to_vec())).map(Vec::as_slice)
    }

    /// The pairs of a bucket from `from` on in ascending order, pending changes included.
    pub fn scan<'a>(
        &'a self,
        bucket: Bucket,
        from: &[u8],
    ) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        view::pairs(&self.view, bucket, from)
    }

    /// Everything, pending changes included.
    pub fn contents(&self) -> &Contents {
        &self.view
    }

    /// Writes a value; pending until the next commit.
    pub fn put(&mut self, bucket: Bucket, key: Vec<u8>, value: Vec<u8>) {
        self.change(Change { bucket, key, value: Some(value) });
    }

    /// Deletes a key; pending until the next commit.
    pub fn delete(&mut self, bucket: Bucket, key: Vec<u8>) {
        self.change(Change { bucket, key, value: None });
    }

    fn change(&mut self, change: Change) {
        assert!(self.open, "whoever changes a backend asks first whether it is open");
        let at = (change.bucket, change.key.clone());
        match &change.value {
            Some(value) => drop(self.view.insert(at, value.clone())),
            None => drop(self.view.remove(&at)),
        }
        self.pending.push(change);
    }

    /// The changes that no commit has made durable yet, oldest first. Those of a commit that is under way still count.
    pub fn pending(&self) -> &[Change] {
        &self.pending
    }

    /// Gives back the lock: what was put while it was held is written back, so that [`Backend::readers`] see it. Says
    /// whether a commit is due before anybody else gets the lock: because `limit` changes are pending, or, if
    /// `for_deletions`, because any deletion is, which readers cannot see otherwise (etcd db61c9695).
    pub fn unlock(&mut self, limit: usize, for_deletions: bool) -> bool {
        self.write_back(self.pending.len());
        let deletes = || self.pending.iter().any(|change| change.value.is_none());
        self.pending.len() >= limit || (for_deletions && deletes())
    }

    /// Copies the puts among the pending changes from the last one copied up to `end` to the buffer.
    fn write_back(&mut self, end: usize) {
        for Change { bucket, key, value } in &self.pending[self.written_back..end] {
            if let Some(value) = value {
                self.buffer.insert((*bucket, key.clone()), value.clone());
            }
        }
        self.written_back = end;
    }

    /// What can be read without the lock.
    pub fn readers(&self) -> Readers<'_> {
        Readers::new(&self.durable, &self.buffer)
    }

    /// What a crash leaves.
    pub fn durable(&self) -> &Contents {
        &self.durable
    }

    /// CRC-32C of all that is durable, bucket by bucket in the order of their names: the name, then each key and value.
    /// What is `ignored` does not count; a real store leaves out where in its log it is.
    pub fn hash(&self, ignored: impl Fn(Bucket, &[u8]) -> bool) -> u32 {
        Bucket::ALL.into_iter().fold(0, |hash, bucket| {
            let hash = crc32c::crc32c_append(hash, bucket.name().as_bytes());
            let pairs = view::pairs(&self.durable, bucket, b"");
            pairs.filter(|(key, _)| !ignored(bucket, key)).fold(hash, |hash, (key, value)| {
                crc32c::crc32c_append(crc32c::crc32c_append(hash, key), value)
            })
        })
    }

    /// Plans a commit of everything pending. There is nothing to do if nothing is pending, or if a commit is under way.
    pub fn begin_commit(&mut self) -> Option<Commit> {
        if self.pending.is_empty() || self.committing {
            return None;
        }
        self.committing = true;
        Some(self.image.commit(&self.pending, &self.view))
    }

    /// Notes that a commit is durable: its pages and its meta page were written and synced. Changes that came after
    /// its planning stay pending.
    ///
    /// # Panics
    ///
    /// If it is not the commit that was planned last.
    pub fn finish_commit(&mut self, commit: Commit) {
        assert!(self.committing, "a commit begins before it ends");
        assert_eq!(
            commit.previous,
            self.image.sequence(),
            "commits of a backend follow each other"
        );
        self.committing = false;
        for Change { bucket, key, value } in self.pending.drain(..commit.changes) {
            match value {
                Some(value) => drop(self.durable.insert((bucket, key), value)),
                None => drop(self.durable.remove(&(bucket, key))),
            }
        }
        let left = self.written_back.saturating_sub(commit.changes);
        (self.written_back, self.buffer) = (0, Contents::new());
        self.write_back(left);
        self.image = commit.image;
    }

    /// The size of a page of its file in bytes.
    pub fn page_size(&self) -> u32 {
        self.image.page_size()
    }

    /// Whether a commit is under way.
    pub fn is_committing(&self) -> bool {
        self.committing
    }

    /// Whether the file, when it was opened, showed a trace of a commit that was never completed.
    pub fn was_interrupted(&self) -> bool {
        self.image.was_interrupted()
    }

    /// Closes the backend. What is pending is lost unless it was committed before; any later change is a defect.
    pub fn close(&mut self) {
        self.open = false;
    }

    /// Whether the backend can be used.
    pub fn is_open(&self) -> bool {
        self.open
    }
}

#[cfg(test)]
mod tests;
