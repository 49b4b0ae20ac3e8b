//! The backend of a store: buckets of bytes, changed in batches that become durable together.
//!
//! ```text
//! put, delete ──▶ pending ──begin_commit──▶ pages, sync, meta page, sync ──finish_commit──▶ durable
//!                    └── readers see it at once, a crash takes it away
//! ```
//!
//! It issues no disk requests itself: a commit is planned here and carried out by whoever holds the file.

use std::collections::BTreeMap;

use super::pages::{Commit, Image, OpenError};

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
    view: Contents,
    pending: Vec<Change>,
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
        Backend { image, view, pending: Vec::new(), committing: false, open: true }
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
        self.view
            .range((bucket, from.to_vec())..)
            .take_while(move |((of, _), _)| *of == bucket)
            .map(|((_, key), value)| (key.as_slice(), value.as_slice()))
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
        self.pending.drain(..commit.changes);
        self.image = commit.image;
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
