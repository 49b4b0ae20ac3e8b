//! The door of a store: how it is opened, and how it is closed, for whoever serves its clients.
//!
//! ```text
//! open:   the committer opens the file ─▶ restore, chunk by chunk ─▶ batch timer starts, compaction is resumed
//! close:  compactor leaves off ─▶ batch timer commits and closes the backend
//! ```
//!
//! Each arrow is a message or a step of its own. Whoever holds the door waits for each, and says what clients are told
//! meanwhile.

use seedbed_sim::actor::Context;
use seedbed_sim::id::ActorId;

use super::front::Mates;
use super::message::{Job, Msg, Note, Phase};
use super::model::Mvcc;
use super::restore::{Restore, Restored};
use super::shared::Opening;
use super::{bugs, mark, point};

/// Opens and closes the store of a node.
#[derive(Clone, Debug)]
pub struct Door {
    mates: Mates,
    restore_chunk: usize,
    opening: Opening,
    restore: Option<Box<Restore>>,
}

impl Door {
    /// A door that is closed.
    #[must_use]
    pub fn new(restore_chunk: usize, mates: Mates) -> Door {
        Door { mates, restore_chunk, opening: Opening::default(), restore: None }
    }

    /// The opening that was last made.
    #[must_use]
    pub fn opening(&self) -> Opening {
        self.opening
    }

    /// Begins to open; answered by `opened`.
    pub(super) fn open(&self, cx: &mut Context<'_, Mvcc>) {
        cx.send(self.mates.committer, Msg::Open);
    }

    /// The backend was read: begins to restore. Answers what [`Door::chunk`] does.
    pub(super) fn opened(
        &mut self,
        opening: Opening,
        cx: &mut Context<'_, Mvcc>,
    ) -> Option<Restored> {
        self.opening = opening;
        let defects = bugs::defects(cx.bugs());
        let backend = cx.shared().backend(opening).expect("it was just opened");
        match Restore::begin(backend, defects) {
            Ok(restore) => {
                self.restore = Some(Box::new(restore));
                self.chunk(cx)
            }
            Err(fatal) => {
                cx.abort(fatal.class());
                None
            }
        }
    }

    /// Reads a chunk of records into the index; the store, when it was the last one. Else the next comes in a step of its
    /// own.
    pub(super) fn chunk(&mut self, cx: &mut Context<'_, Mvcc>) -> Option<Restored> {
        let mut restore = self.restore.take().expect("chunks are read while restoring");
        let backend = cx.shared().backend(self.opening).expect("nobody else uses it yet");
        if let Err(fatal) = restore.chunk(backend, self.restore_chunk) {
            cx.abort(fatal.class());
            return None;
        }
        cx.point(&point::RESTORE_CHUNK);
        if restore.is_done() {
            return Some(restore.finish());
        }
        self.restore = Some(restore);
        cx.yield_to(Phase::Chunk);
        None
    }

    /// Shares the store; answers the compaction that is to be resumed.
    pub(super) fn share(&self, restored: Restored, cx: &mut Context<'_, Mvcc>) -> Option<i64> {
        let Restored { store, resume } = restored;
        let registers = resume.is_some() && !cx.bug(&bugs::RESUME_AFTER_CLOSE);
        let shared = cx.shared();
        shared.serve(store);
        shared.jobs = u32::from(registers);
        cx.note(Note::StoreOpened);
        resume
    }

    /// Starts what goes on behind the requests.
    pub(super) fn start(&self, resume: Option<i64>, cx: &mut Context<'_, Mvcc>) {
        cx.send(self.mates.timer, Msg::Start(self.opening));
        if let Some(revision) = resume {
            let job = Job { revision, opening: self.opening, resumed: true };
            cx.send(self.mates.compactor, Msg::Compact(job));
        }
        cx.point(&point::STORE_OPENED);
    }

    /// Begins to close; answered by `LeftOff`, which is for [`Door::finish`], and `Finished`.
    pub(super) fn close(&self, cx: &mut Context<'_, Mvcc>) {
        let outlives = cx.bug(&bugs::COMPACTION_OUTLIVES_CLOSE);
        let shared = cx.shared();
        shared.stopping = true;
        let waits = shared.jobs > 0 && !outlives;
        cx.point(&point::STORE_CLOSING);
        if waits {
            cx.mark(&mark::CLOSE_WAITED);
            cx.send(self.mates.compactor, Msg::LeaveOff);
        } else {
            self.finish(cx);
        }
    }

    /// No compaction runs any more.
    pub(super) fn finish(&self, cx: &mut Context<'_, Mvcc>) {
        cx.send(self.mates.timer, Msg::Finish);
    }
}

/// The mark of a compaction is durable: the worker may begin.
pub(super) fn hand_over(compactor: ActorId, job: Job, cx: &mut Context<'_, Mvcc>) {
    cx.point(&point::COMPACT_DURABLE);
    cx.shared().jobs += 1;
    cx.send(compactor, Msg::Compact(job));
}
