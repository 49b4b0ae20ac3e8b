//! Requests in flight.

use super::sites::Deviation;
use crate::actor::{DiskOp, Me};
use crate::choose::Key;
use crate::id::RequestId;

/// What a request holds on to while it is in flight. Pooled, so that a request allocates nothing in the steady state.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    /// The data of a write; the sectors of a sync, one after the other.
    pub(super) bytes: Vec<u8>,
    /// The sectors that a sync covers, with their versions (0: not any more).
    pub(super) sectors: Vec<(u32, u32)>,
    /// The newest version of the file when the sync was issued.
    pub(super) version: u32,
    /// The length of the file then.
    pub(super) len: usize,
    /// The version of the length; 0 if the sync does not cover it.
    pub(super) len_version: u32,
    /// How far a sync of the directory goes.
    pub(super) names: u64,
}

impl Held {
    /// Nothing. Keeps its memory.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.sectors.clear();
        self.version = 0;
        self.len = 0;
        self.len_version = 0;
        self.names = 0;
    }
}

/// A request that has not been answered.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) id: RequestId,
    pub(super) from: Me,
    /// The request, its data taken out.
    pub(super) op: DiskOp<'static>,
    /// Where in the disk's files the one is that it is about; `None` if it was not open.
    pub(super) file: Option<usize>,
    pub(super) held: Held,
    pub(super) deviation: Deviation,
    /// It was decided that it fails, whatever else troubles the disk.
    pub(super) chosen: bool,
    /// Made while the disk was full.
    pub(super) full: bool,
    /// The key of its decision, if there was one to take.
    pub(super) key: Key,
}

/// The request without its data.
pub(super) const fn detached(op: DiskOp<'_>) -> DiskOp<'static> {
    match op {
        DiskOp::Open(name) => DiskOp::Open(name),
        DiskOp::Create(name) => DiskOp::Create(name),
        DiskOp::Read { file, offset, len } => DiskOp::Read { file, offset, len },
        DiskOp::Write { file, offset, .. } => DiskOp::Write { file, offset, data: &[] },
        DiskOp::Append { file, .. } => DiskOp::Append { file, data: &[] },
        DiskOp::Truncate { file, len } => DiskOp::Truncate { file, len },
        DiskOp::Sync(file) => DiskOp::Sync(file),
        DiskOp::Rename { from, to } => DiskOp::Rename { from, to },
        DiskOp::Remove(name) => DiskOp::Remove(name),
        DiskOp::List => DiskOp::List,
        DiskOp::SyncDir => DiskOp::SyncDir,
    }
}
