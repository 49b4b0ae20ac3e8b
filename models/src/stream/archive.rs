//! The file of an index: one record after the other, each the whole index at some time.
//!
//! A rollback goes back to an older record, and cuts the younger ones off.

use seedbed_sim::actor::{Context, DiskDone, DiskEvent};
use seedbed_sim::id::{FileId, FileName, RequestId};

use super::index::Index;
use super::mark;
use super::model::Stream;

/// The file of an index.
#[derive(Clone, Debug)]
pub(super) struct Archive {
    name: FileName,
    file: FileId,
    stage: Stage,
    request: Option<RequestId>,
    /// What is durable: where each record ends, and what it says.
    points: Vec<(u64, Index)>,
    /// The record that is being written.
    writing: Option<Index>,
    length: u64,
    /// The file is to be cut here.
    cut: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Opening,
    Reading,
    Idle,
    Appending,
    Syncing,
    Cutting,
}

impl Archive {
    pub(super) fn new(name: FileName) -> Archive {
        Archive {
            name,
            file: FileId(0),
            stage: Stage::Opening,
            request: None,
            points: Vec::new(),
            writing: None,
            length: 0,
            cut: None,
        }
    }

    pub(super) fn open(&mut self, cx: &mut Context<'_, Stream>) {
        self.request = Some(cx.open(self.name));
    }

    pub(super) fn is_loaded(&self) -> bool {
        !matches!(self.stage, Stage::Opening | Stage::Reading)
    }

    /// Whether this is durable, and nothing else is on its way.
    pub(super) fn has(&self, index: &Index) -> bool {
        self.stage == Stage::Idle && self.is_newest(index)
    }

    fn is_newest(&self, index: &Index) -> bool {
        self.points.last().map_or(index.at.is_empty(), |(_, newest)| newest == index)
    }

    /// What is durable.
    pub(super) fn newest(&self) -> Index {
        self.points.last().map(|(_, index)| index.clone()).unwrap_or_default()
    }

    /// Whether the answer to a request is for this file.
    pub(super) fn waits_for(&self, event: &DiskEvent) -> bool {
        self.request == Some(event.request)
    }

    /// A disk request has been answered. A disk that fails ends the process.
    pub(super) fn answered(&mut self, event: DiskEvent, cx: &mut Context<'_, Stream>) {
        self.request = None;
        match (self.stage, event.result) {
            (Stage::Opening, Ok(DiskDone::Opened { file, len })) => {
                self.file = file;
                let length = u32::try_from(len).unwrap_or(u32::MAX);
                if length == 0 {
                    // That the name is there is durable before anything else is.
                    self.stage = Stage::Cutting;
                    self.request = Some(cx.sync_dir());
                } else {
                    self.stage = Stage::Reading;
                    self.request = Some(cx.read_at(file, 0, length));
                }
            }
            (Stage::Opening, Err(seedbed_sim::actor::DiskError::NotFound)) => {
                self.request = Some(cx.create(self.name));
            }
            (Stage::Reading, Ok(DiskDone::Read(bytes))) => {
                self.points = Index::decode_all(&bytes);
                self.length = self.points.last().map_or(0, |(end, _)| *end);
                if self.length < bytes.len() as u64 {
                    cx.mark(&mark::TORN_RECORD);
                    self.cut = Some(self.length);
                }
                self.idle(cx);
            }
            (Stage::Appending, Ok(_)) => {
                cx.point(&super::point::INDEX_APPENDED);
                self.stage = Stage::Syncing;
                self.request = Some(cx.sync(self.file));
            }
            (Stage::Syncing, Ok(_)) => {
                if let Some(index) = self.writing.take() {
                    cx.point(&super::point::INDEX_SYNCED);
                    self.points.push((self.length, index));
                }
                self.idle(cx);
            }
            (Stage::Cutting, Ok(_)) => self.idle(cx),
            (_, Ok(_) | Err(_)) => cx.fail_stop("the disk of an index fails"),
        }
    }

    fn idle(&mut self, cx: &mut Context<'_, Stream>) {
        self.stage = Stage::Idle;
        if let Some(length) = self.cut.take() {
            self.stage = Stage::Cutting;
            self.length = length;
            let cut = seedbed_sim::actor::DiskOp::Truncate { file: self.file, len: length };
            self.request = Some(cx.disk(cut));
        }
    }

    /// Writes the index, unless the file has it; whether that could be done, as the file was not busy.
    pub(super) fn persist(&mut self, index: &Index, cx: &mut Context<'_, Stream>) -> bool {
        if self.stage != Stage::Idle {
            return false;
        }
        if self.is_newest(index) {
            return true;
        }
        let record = index.encode();
        self.length += record.len() as u64;
        self.writing = Some(index.clone());
        self.stage = Stage::Appending;
        self.request = Some(cx.append(self.file, &record));
        true
    }

    /// Goes back to the youngest record that satisfies this, and answers it; the empty index if there is none.
    pub(super) fn back_to(
        &mut self,
        is_old_enough: impl Fn(&Index) -> bool,
        cx: &mut Context<'_, Stream>,
    ) -> Index {
        while self.points.last().is_some_and(|(_, index)| !is_old_enough(index)) {
            self.points.pop();
        }
        let length = self.points.last().map_or(0, |(end, _)| *end);
        // A record that is being written is not wanted any more.
        self.writing = None;
        self.cut = Some(length);
        if self.stage == Stage::Idle {
            self.idle(cx);
        }
        self.newest()
    }
}
