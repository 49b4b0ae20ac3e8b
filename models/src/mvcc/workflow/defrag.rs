//! A thread defragments: it copies the backend to a file without gaps, and puts that in place of the old one.
//!
//! ```text
//! lock backend ─▶ commit ─▶ look for a left-over ─▶ create ─▶ copy, copy, .. ─▶ sync ─▶ rename ─▶ sync names
//!              ─▶ the committer opens the new file ─▶ unlock ─▶ answer
//! ```
//!
//! Up to the rename a disk that fails is no harm: the copy is left where it is, and the next one begins anew. Behind it
//! nobody knows which file counts, and the process ends.

use std::collections::VecDeque;

use seedbed_sim::actor::{Context, DiskDone, DiskError, DiskOp};
use seedbed_sim::id::{FileId, FileName};

use super::caller::{Caller, Errand, State};
use super::usage::{Refusal, Reply};
use crate::mvcc::backend::Defrag;
use crate::mvcc::committer::FILE;
use crate::mvcc::message::Msg;
use crate::mvcc::model::Mvcc;
use crate::mvcc::pages::{Commit, Write};
use crate::mvcc::{mark, point};

/// Where the copy is made.
const COPY: FileName = FileName::new("db.tmp");

/// A copy that is being made.
#[derive(Clone, Debug)]
pub(super) struct Defragmenting {
    defrag: Defrag,
    file: Option<FileId>,
    /// What is left to write of the batch under way, and the batch.
    writes: VecDeque<Write>,
    batch: Option<Commit>,
    stage: Stage,
}

/// What it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Looking,
    Creating,
    Copying,
    Syncing,
    Renaming,
    Naming,
    Reopening,
}

impl Caller {
    /// Everything is durable, and the lock of the backend is held.
    pub(super) fn begin_defrag(&mut self, errand: Errand, cx: &mut Context<'_, Mvcc>) {
        let Some((_, backend, library)) = cx.shared().using() else {
            self.unlock(cx);
            return self.turn_away(errand, cx);
        };
        let defrag = Defrag::begin(backend).expect("everything was committed under the lock");
        library.defragmenting = true;
        cx.open(COPY);
        let (writes, stage) = (VecDeque::new(), Stage::Looking);
        let work = Defragmenting { defrag, file: None, writes, batch: None, stage };
        self.await_disk(State::Defragmenting(errand, Box::new(work)), cx);
    }

    /// The disk has answered.
    pub(super) fn defragment(
        &mut self,
        errand: Errand,
        mut work: Box<Defragmenting>,
        result: Result<DiskDone, DiskError>,
        cx: &mut Context<'_, Mvcc>,
    ) {
        match (work.stage, result) {
            (Stage::Looking, Ok(_)) => {
                cx.mark(&mark::LEFT_OVER_MET);
                cx.create(COPY);
                work.stage = Stage::Creating;
            }
            (Stage::Looking, Err(DiskError::NotFound)) => {
                cx.create(COPY);
                work.stage = Stage::Creating;
            }
            (Stage::Creating, Ok(DiskDone::Opened { file, .. })) => {
                work.file = Some(file);
                self.copy(&mut work, cx);
            }
            (Stage::Copying, Ok(_)) => self.copy(&mut work, cx),
            (Stage::Syncing, Ok(_)) => {
                cx.disk(DiskOp::Rename { from: COPY, to: FILE });
                work.stage = Stage::Renaming;
            }
            (Stage::Renaming, Ok(_)) => {
                cx.point(&point::DEFRAG_RENAMED);
                cx.sync_dir();
                work.stage = Stage::Naming;
            }
            (Stage::Naming, Ok(_)) => {
                cx.send(self.mates.committer, Msg::Reopen);
                work.stage = Stage::Reopening;
                self.state = State::Defragmenting(errand, work);
                return;
            }
            (Stage::Renaming | Stage::Naming, Err(_)) => {
                cx.mark(&mark::DISK_ENDED_PROCESS);
                return cx.fail_stop("the disk has failed");
            }
            (_, Err(_)) => return self.give_up_defrag(errand, cx),
            (stage, Ok(done)) => unreachable!("while {stage:?} the disk answered {done}"),
        }
        self.await_disk(State::Defragmenting(errand, work), cx);
    }

    /// Writes what is left of a batch, or the next one, or syncs the whole copy.
    fn copy(&self, work: &mut Defragmenting, cx: &mut Context<'_, Mvcc>) {
        let file = work.file.expect("it was created first");
        work.stage = Stage::Copying;
        if work.writes.is_empty() {
            work.batch.take().into_iter().for_each(|batch| work.defrag.copied(batch));
            let limit = self.manner.defrag_batch;
            let opening = cx.shared().opening();
            let backend = cx.shared().backend(opening).expect("its lock is held");
            if let Some(mut batch) = work.defrag.copy(backend, limit) {
                work.writes.extend(std::mem::take(&mut batch.pages));
                work.writes.push_back(std::mem::take(&mut batch.meta));
                work.batch = Some(batch);
                cx.point(&point::DEFRAG_COPY);
            }
        }
        match work.writes.pop_front() {
            Some(write) => drop(cx.write_at(file, write.offset, &write.bytes)),
            None => {
                cx.sync(file);
                work.stage = Stage::Syncing;
            }
        }
    }

    fn give_up_defrag(&mut self, errand: Errand, cx: &mut Context<'_, Mvcc>) {
        cx.mark(&mark::DEFRAG_GIVEN_UP);
        if let Some(library) = &mut cx.shared().threads {
            library.defragmenting = false;
        }
        self.unlock(cx);
        self.use_at_once(errand, Err(Refusal::Disk), cx);
    }

    /// The committer has the new file open.
    pub(super) fn defragmented(&mut self, cx: &mut Context<'_, Mvcc>) {
        let State::Defragmenting(errand, work) = std::mem::replace(&mut self.state, State::Idle)
        else {
            unreachable!("the committer was asked to open the file again")
        };
        let shared = cx.shared();
        let opening = shared.opening();
        let backend = shared.backend(opening).expect("its lock is held");
        work.defrag.swap(backend).expect("nobody has committed without the lock");
        if let Some(library) = &mut shared.threads {
            library.defragmenting = false;
        }
        cx.point(&point::DEFRAG_SWAPPED);
        self.unlock(cx);
        self.use_at_once(errand, Ok(Reply::Defragmented), cx);
    }
}
