//! The file of a backend: two meta pages and a chain of data pages that are never overwritten while they count.
//!
//! ```text
//! page     0        1        2      3      4      5
//!        ┌────────┬────────┬──────┬──────┬──────┬──────┐
//!        │ meta 6 │ meta 7 │ base │ free │ 6    │ 7    │    base ◀── 6 ◀── 7
//!        └────────┴────┬───┴──────┴──────┴──────┴───▲──┘    each page names the one before it
//!                      └────────── newest ──────────┘       by number and checksum
//! ```
//!
//! A commit writes its changes to pages that neither meta page needs, and these are synced; then it writes the older
//! meta page, and that is synced. Until the meta page has landed the file opens as before, and afterwards as it is
//! now; it does not matter which sectors land, or in which order. When the chain is much longer than its contents need,
//! a commit writes all of them as a new chain instead.
//!
//! Whatever a crash can leave behind opens. Anything else, such as a flipped bit or a write in the wrong place, is an
//! [`OpenError`], unless it hit bytes that do not count: never a wrong answer. The one limit is a write that was lost
//! although a sync answered for it; if it was the last one to a meta page, nothing in the file tells.

use std::collections::BTreeSet;

use super::backend::{Change, Contents};

mod encode;
mod meta;
mod page;

use meta::Meta;
use page::PageRef;

/// The smallest page that has room for a meta page and for a few bytes of data, in bytes.
pub const PAGE_SIZE_MIN: u32 = 64;

/// The smallest sector that may be torn from the rest of a write, in bytes. Every sector size has to be a multiple.
pub const SECTOR_SIZE_MIN: u32 = 16;

/// Pages that a chain may have beyond twice those that its contents need.
const CHAIN_SLACK: usize = 4;

/// A committed state of the file: which pages hold it and which are free.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Image {
    page_size: u32,
    /// The number of the last commit, 0 if there was none.
    sequence: u32,
    /// The highest number that an interrupted commit may have left in the file, at least `sequence`.
    highest: u32,
    /// The pages that hold the contents, oldest first.
    chain: Vec<PageRef>,
    /// Pages that are not in the chain, but that the other meta page needs if this image's own turns out not to be
    /// durable. That can be so right after opening: a process that ended may have written it without a sync.
    reserved: BTreeSet<u32>,
}

/// One write to the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Write {
    /// Where, in bytes from the beginning of the file.
    pub offset: u64,
    /// What.
    pub bytes: Vec<u8>,
}

/// What has to be done to make a batch of changes durable, in this order: write all of `pages`, sync, write `meta`,
/// sync. A failed sync must stop the node: nobody knows then which of the two states is on disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Commit {
    /// The data pages; their order among themselves does not matter.
    pub pages: Vec<Write>,
    /// The meta page.
    pub meta: Write,
    /// How many pending changes it covers.
    pub changes: usize,
    /// The number of the commit that it follows.
    pub previous: u32,
    /// The image after it.
    pub image: Image,
}

impl Commit {
    /// Carries it out at once on the bytes of a file, for those that have no disk.
    pub fn write_to(&self, file: &mut Vec<u8>) {
        for write in self.pages.iter().chain([&self.meta]) {
            let from = usize::try_from(write.offset).expect("a file that fits into memory");
            let end = from + write.bytes.len();
            file.resize(file.len().max(end), 0);
            file[from..end].copy_from_slice(&write.bytes);
        }
    }
}

impl Image {
    /// The image of an empty file.
    ///
    /// # Panics
    ///
    /// If `page_size` is below [`PAGE_SIZE_MIN`], above 65,535 bytes, or not a multiple of [`SECTOR_SIZE_MIN`].
    pub fn new(page_size: u32) -> Image {
        assert!(page_size >= PAGE_SIZE_MIN, "a meta page fits into a page");
        assert!(u16::try_from(page_size).is_ok(), "a page counts its bytes in 16 bits");
        assert!(page_size.is_multiple_of(SECTOR_SIZE_MIN), "no sector holds a part of a chunk");
        let (chain, reserved) = (Vec::new(), BTreeSet::new());
        Image { page_size, sequence: 0, highest: 0, chain, reserved }
    }

    /// The number of the last commit, 0 if there was none.
    pub fn sequence(&self) -> u32 {
        self.sequence
    }

    /// Whether the file shows a trace of a commit that began after this one and was never completed.
    pub fn was_interrupted(&self) -> bool {
        self.highest > self.sequence
    }

    /// The size of a page in bytes.
    pub fn page_size(&self) -> u32 {
        self.page_size
    }

    /// Plans the commit of `changes`, after which the buckets hold `contents`.
    pub fn commit(&self, changes: &[Change], contents: &Contents) -> Commit {
        let appended = page::cut(&encode::changes(changes), self.page_size);
        let mut whole = Vec::new();
        let length = self.chain.len() + appended.len();
        if length > CHAIN_SLACK {
            whole = page::cut(&encode::contents(contents), self.page_size);
        }
        let rewrite = length > CHAIN_SLACK + 2 * whole.len();
        let (mut chain, payloads) =
            if rewrite { (Vec::new(), whole) } else { (self.chain.clone(), appended) };

        let mut pages = Vec::with_capacity(payloads.len());
        for (number, payload) in self.free_pages().zip(payloads) {
            let bytes = page::encode(number, chain.last().copied(), &payload, self.page_size);
            chain.push(PageRef { number, checksum: page::checksum(&bytes) });
            pages.push(Write { offset: self.offset(number), bytes });
        }

        let sequence = self.next_sequence();
        let meta = Meta {
            sequence,
            previous: self.sequence,
            page_size: self.page_size,
            head: chain.last().copied(),
        };
        let meta = Write { offset: self.offset(meta.slot()), bytes: meta.encode() };
        let (page_size, highest, reserved) = (self.page_size, sequence, BTreeSet::new());
        let image = Image { page_size, sequence, highest, chain, reserved };
        Commit { pages, meta, changes: changes.len(), previous: self.sequence, image }
    }

    /// The lowest number that no commit had, not even an interrupted one, and that belongs to the other meta page.
    fn next_sequence(&self) -> u32 {
        let step = if self.highest % 2 == self.sequence % 2 { 1 } else { 2 };
        self.highest.checked_add(step).expect("a run commits less than 2^31 times")
    }

    /// The pages that may be overwritten, ascending. The file grows as far as needed.
    fn free_pages(&self) -> impl Iterator<Item = u32> {
        let used: BTreeSet<u32> = self.chain.iter().map(|page| page.number).collect();
        (2..=u32::MAX).filter(move |n| !used.contains(n) && !self.reserved.contains(n))
    }

    fn offset(&self, page: u32) -> u64 {
        u64::from(page) * u64::from(self.page_size)
    }
}

/// Reads a file: the newest committed image, and everything that it holds.
///
/// What was read need not be durable if the process before this one was killed, or if a sync of it failed. Write it again,
/// in the order of a commit, before anything is answered from it.
pub fn open(bytes: &[u8], page_size: u32) -> Result<(Image, Contents), OpenError> {
    let mut image = Image::new(page_size);
    let metas = meta::read(bytes, page_size)?;
    meta::find_misplaced(bytes, page_size)?;
    image.highest = metas.highest;
    let Some(newest) = metas.newest else {
        return Ok((image, Contents::new()));
    };
    if newest.page_size != page_size {
        return Err(OpenError::PageSize(newest.page_size));
    }
    let (chain, stream) = page::chain(bytes, page_size, newest.head)?;
    let contents = encode::decode(&stream)?;
    if let Some(other) = metas.other {
        image.reserved = page::readable(bytes, page_size, other.head);
        image.reserved.retain(|number| chain.iter().all(|page| page.number != *number));
    }
    image.sequence = newest.sequence;
    image.chain = chain;
    Ok((image, contents))
}

/// Why a file does not open. No crash during a commit leads to one: the node has to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum OpenError {
    /// A part of a meta page does not agree with its checksum.
    #[error("meta page {0} is damaged")]
    Meta(u32),
    /// The meta pages are not two that follow each other.
    #[error("the meta pages do not belong together")]
    MetaOrder,
    /// A meta page stands where none belongs.
    #[error("a meta page was written to byte {0}")]
    Misplaced(u64),
    /// The file was written with pages of another size.
    #[error("the file has pages of {0} bytes")]
    PageSize(u32),
    /// A data page is missing, or is not the one that belongs there.
    #[error("page {0} is damaged")]
    Page(u32),
    /// The pages are as they were written, but not what a backend writes.
    #[error("the contents of the pages are not changes of buckets")]
    Contents,
}

#[cfg(test)]
mod tests;
