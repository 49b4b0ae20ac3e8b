//! A thread writes a snapshot to a file.
//!
//! ```text
//! lock backend ─▶ commit ─▶ cut: size told ─▶ unlock ─▶ create ─▶ chunk, chunk, .. ─▶ sync ─▶ read back ─▶ close ─▶ answer
//!                                             └─────────── others write, commit, compact ──────────┘
//! ```

use std::sync::Arc;

use seedbed_sim::actor::{Context, DiskDone, DiskError};
use seedbed_sim::id::FileId;

use super::caller::{Caller, Errand, State};
use super::note::UseNote;
use super::usage::{Refusal, Reply};
use crate::mvcc::backend::Snapshot;
use crate::mvcc::committer::DISK_PATIENCE;
use crate::mvcc::message::{Msg, Note, Timer};
use crate::mvcc::model::Mvcc;
use crate::mvcc::{bugs, mark, point};

/// A snapshot that is being written.
#[derive(Clone, Debug)]
pub(super) struct Writing {
    snapshot: Snapshot,
    /// What was told.
    size: u64,
    /// The revision that it holds.
    revision: i64,
    file: Option<FileId>,
    stage: Stage,
}

/// What it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
enum Stage {
    Creating,
    Writing,
    Syncing,
    Reading,
}

impl Caller {
    /// Everything is durable, and the lock of the backend is held.
    pub(super) fn cut(&mut self, errand: Errand, cx: &mut Context<'_, Mvcc>) {
        let Some((store, backend, _)) = cx.shared().using() else {
            // The store is about to be closed, and would have to wait.
            self.unlock(cx);
            return self.turn_away(errand, cx);
        };
        let (snapshot, revision) = (backend.snapshot(), store.current());
        let size = snapshot.size() as u64;
        cx.note(Note::Use(UseNote::Cut(size)));
        cx.point(&point::SNAPSHOT_CUT);
        self.unlock(cx);
        cx.create(self.manner.file);
        let writing = Writing { snapshot, size, revision, file: None, stage: Stage::Creating };
        self.await_disk(State::Writing(errand, Box::new(writing)), cx);
    }

    pub(super) fn await_disk(&mut self, state: State, cx: &mut Context<'_, Mvcc>) {
        self.state = state;
        cx.arm(Timer::Disk, DISK_PATIENCE);
    }

    /// The disk has answered.
    pub(super) fn disk(&mut self, result: Result<DiskDone, DiskError>, cx: &mut Context<'_, Mvcc>) {
        cx.disarm(Timer::Disk);
        match (std::mem::replace(&mut self.state, State::Idle), result) {
            (State::Writing(errand, writing), Ok(done)) => self.write(errand, writing, done, cx),
            (State::Writing(errand, writing), Err(_)) => {
                cx.note(Note::Use(UseNote::GivenUp));
                self.end_snapshot(errand, *writing, Err(Refusal::Disk), cx);
            }
            (State::Defragmenting(errand, work), result) => {
                self.defragment(errand, work, result, cx);
            }
            (state, _) => unreachable!("the disk was not asked in {state:?}"),
        }
    }

    fn write(
        &mut self,
        errand: Errand,
        mut writing: Box<Writing>,
        done: DiskDone,
        cx: &mut Context<'_, Mvcc>,
    ) {
        if let DiskDone::Opened { file, .. } = done {
            writing.file = Some(file);
        }
        if cx.bug(&bugs::SNAPSHOT_CUT_WHEN_WRITTEN) && writing.stage < Stage::Syncing {
            self.cut_again(&mut writing, cx);
        }
        let file = writing.file.expect("it was created first");
        match (writing.stage, done) {
            (Stage::Creating | Stage::Writing, _) if !writing.snapshot.is_done() => {
                let offset = writing.snapshot.written() as u64;
                cx.write_at(file, offset, writing.snapshot.chunk(self.manner.chunk));
                cx.point(&point::SNAPSHOT_CHUNK);
                writing.stage = Stage::Writing;
            }
            (Stage::Creating | Stage::Writing, _) => {
                cx.sync(file);
                writing.stage = Stage::Syncing;
            }
            (Stage::Syncing, _) => {
                // One byte more than it should have.
                let len = u32::try_from(writing.snapshot.size() + 1).expect("a small file");
                cx.read_at(file, 0, len);
                writing.stage = Stage::Reading;
            }
            (Stage::Reading, DiskDone::Read(bytes)) => {
                cx.note(Note::Use(UseNote::Written(Arc::from(&bytes[..]))));
                let reply = Reply::Snapshot(writing.revision, writing.size);
                return self.end_snapshot(errand, *writing, Ok(reply), cx);
            }
            (Stage::Reading, done) => unreachable!("a read was answered by {done}"),
        }
        self.await_disk(State::Writing(errand, writing), cx);
    }

    /// A defect: the size was told, and what is written next is cut only now.
    fn cut_again(&self, writing: &mut Writing, cx: &mut Context<'_, Mvcc>) {
        let opening = cx.shared().opening();
        let backend = cx.shared().backend(opening).expect("it stays open while a snapshot is");
        let mut cut = backend.snapshot();
        cut.chunk(writing.snapshot.written());
        backend.close_snapshot(std::mem::replace(&mut writing.snapshot, cut));
    }

    /// Closes the snapshot, which may have kept the store from being closed.
    fn end_snapshot(
        &mut self,
        errand: Errand,
        writing: Writing,
        used: Result<Reply, Refusal>,
        cx: &mut Context<'_, Mvcc>,
    ) {
        let shared = cx.shared();
        let (opening, stopping) = (shared.opening(), shared.stopping);
        let went_on = shared.look().is_some_and(|(store, _)| store.current() > writing.revision);
        let backend = shared.backend(opening).expect("it stays open while a snapshot is");
        backend.close_snapshot(writing.snapshot);
        if went_on && used.is_ok() {
            cx.mark(&mark::SNAPSHOT_BESIDE_WRITES);
        }
        if stopping {
            cx.send(self.mates.keeper, Msg::LetGo);
        }
        self.use_at_once(errand, used, cx);
    }
}
