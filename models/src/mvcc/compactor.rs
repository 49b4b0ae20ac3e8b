//! The compactor: the worker that deletes what a compaction forgets, batch by batch.
//!
//! ```text
//! job ─▶ lock store ─▶ which records stay ─▶ unlock
//!     ─▶ lock backend ─▶ a batch ─▶ commit ─▶ unlock ─▶ pause ─▶ lock backend ─▶ ... ─▶ the last batch and the mark
//! ```
//!
//! Others read and write between two batches. A store that is being closed tells the worker to leave off and waits for
//! it; the compaction is then resumed when the store is opened again.

use std::collections::VecDeque;

use seedbed_sim::actor::{Context, Event};
use seedbed_sim::id::ActorId;
use seedbed_sim::time::Span;

use super::backend::Bucket;
use super::compaction::Compaction;
use super::message::{Job, Lock, Msg, Note, Timer};
use super::model::Mvcc;
use super::revision::RecordKey;
use super::settings::Settings;
use super::{bugs, mark, point};

/// Does compactions, one after the other.
#[derive(Clone, Debug)]
pub struct Compactor {
    batch: usize,
    pause: Span,
    committer: ActorId,
    /// Compactions in the order in which they were accepted; the first is under way unless the worker is idle.
    jobs: VecDeque<Job>,
    state: State,
    /// Whether the first job has done a batch.
    begun: bool,
    /// Who waits until no compaction runs.
    closer: Option<ActorId>,
    /// The process is to end.
    leaving: bool,
}

/// What the worker waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// For a job.
    Idle,
    /// For the lock of the store.
    LockingStore,
    /// For the lock of the backend.
    LockingBackend(Box<Compaction>),
    /// For the commit of a batch; none if it was the last.
    Committing(Option<Box<Compaction>>),
    /// For the end of the pause.
    Pausing(Box<Compaction>),
    /// For the lock of the store, to say that the compaction is to go on another time: where others wait for the worker
    /// under that lock, a defect.
    Barrier,
}

impl Compactor {
    /// A worker that has this committer commit.
    #[must_use]
    pub fn new(settings: &Settings, committer: ActorId) -> Compactor {
        Compactor {
            batch: settings.compaction_batch,
            pause: settings.compaction_pause,
            committer,
            jobs: VecDeque::new(),
            state: State::Idle,
            begun: false,
            closer: None,
            leaving: false,
        }
    }

    /// Whether no compaction waits or runs.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.jobs.is_empty()
    }

    pub(super) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        match event {
            Event::Message { msg: Msg::Compact(job), .. } => self.accept(job, cx),
            Event::Message { from, msg: Msg::LeaveOff } => {
                self.closer = Some(from);
                if matches!(self.state, State::Idle | State::Pausing(_)) {
                    cx.disarm(Timer::Pause);
                    self.leave_off(cx);
                }
            }
            Event::Locked(Lock::Store) if self.state == State::Barrier => {
                cx.unlock(Lock::Store);
                self.left_off(cx);
            }
            Event::Locked(Lock::Store) => self.start(cx),
            Event::Locked(Lock::Backend) => self.do_batch(cx),
            Event::Message { msg: Msg::Committed, .. } => self.batch_done(cx),
            Event::Timer(Timer::Pause) => self.pause_over(cx),
            // A process ends when its threads have ended.
            Event::Stop => {
                self.leaving = true;
                self.rest(cx);
            }
            Event::Boot
            | Event::Invoke { .. }
            | Event::Message { .. }
            | Event::Timer(_)
            | Event::Conn(_)
            | Event::Disk(_)
            | Event::Locked(_)
            | Event::Phase(_) => {}
        }
    }

    fn rest(&mut self, cx: &mut Context<'_, Mvcc>) {
        if self.leaving && self.is_idle() {
            cx.stopped();
        }
    }

    fn accept(&mut self, job: Job, cx: &mut Context<'_, Mvcc>) {
        let Some(job) = cx.shared().in_turn(job) else { return };
        if !self.is_idle() {
            cx.mark(&mark::COMPACTION_QUEUED);
        }
        self.jobs.push_back(job);
        if self.jobs.len() == 1 {
            self.next(cx);
        }
    }

    /// Begins the first job, if there is one and the store stays open.
    fn next(&mut self, cx: &mut Context<'_, Mvcc>) {
        self.begun = false;
        let Some(job) = self.jobs.front() else {
            self.state = State::Idle;
            return self.rest(cx);
        };
        if self.is_told_to_stop(*job, cx) {
            return self.leave_off(cx);
        }
        self.state = State::LockingStore;
        cx.lock(Lock::Store);
    }

    /// Whether the store is being closed, and the worker heeds it.
    fn is_told_to_stop(&self, job: Job, cx: &mut Context<'_, Mvcc>) -> bool {
        let unregistered = job.resumed && !self.begun && cx.bug(&bugs::RESUME_AFTER_CLOSE);
        let heeds = !unregistered && !cx.bug(&bugs::COMPACTION_OUTLIVES_CLOSE);
        heeds && cx.shared().stopping
    }

    /// Drops all jobs; the marks in the backend say what is to be resumed.
    fn leave_off(&mut self, cx: &mut Context<'_, Mvcc>) {
        if self.begun && cx.bug(&bugs::RESTORE_WAITS_UNDER_LOCK) {
            self.state = State::Barrier;
            return cx.lock(Lock::Store);
        }
        self.left_off(cx);
    }

    fn left_off(&mut self, cx: &mut Context<'_, Mvcc>) {
        if self.begun {
            cx.mark(&mark::COMPACTION_INTERRUPTED);
        }
        self.jobs.clear();
        self.begun = false;
        self.state = State::Idle;
        cx.shared().jobs = 0;
        if let Some(closer) = self.closer.take() {
            cx.send(closer, Msg::LeftOff);
        }
        self.rest(cx);
    }

    fn job(&self) -> Job {
        *self.jobs.front().expect("a compaction is under way")
    }

    fn start(&mut self, cx: &mut Context<'_, Mvcc>) {
        let job = self.job();
        if job.resumed && cx.bug(&bugs::RESUME_AFTER_CLOSE) {
            // Too late: whoever closes the store may have looked already.
            cx.shared().jobs += 1;
        }
        if self.is_told_to_stop(job, cx) {
            cx.unlock(Lock::Store);
            return self.leave_off(cx);
        }
        let compaction = match cx.shared().begin_compaction(job) {
            Ok(Ok(compaction)) => compaction,
            Ok(Err(fatal)) => return cx.abort(fatal.class()),
            Err(_) => return self.reached_closed(cx),
        };
        let Ok(backend) = cx.shared().backend(job.opening) else {
            return self.reached_closed(cx);
        };
        let tombstone = compaction.keep().iter().rev().any(|revision| {
            let key = RecordKey { revision: *revision, tombstone: true };
            revision.main == job.revision && backend.get(Bucket::Key, &key.encode()).is_some()
        });
        if tombstone {
            cx.mark(&mark::TOMBSTONE_KEPT);
        }
        cx.unlock(Lock::Store);
        self.state = State::LockingBackend(Box::new(compaction));
        cx.lock(Lock::Backend);
    }

    /// In etcd this is a panic: the database is closed, or there is no transaction to write to.
    fn reached_closed(&mut self, cx: &mut Context<'_, Mvcc>) {
        cx.note(Note::ReachedClosed("compactor"));
        cx.abort("an operation on a closed backend");
    }

    fn do_batch(&mut self, cx: &mut Context<'_, Mvcc>) {
        let State::LockingBackend(mut compaction) = std::mem::replace(&mut self.state, State::Idle)
        else {
            unreachable!("the lock of the backend is asked for between two batches")
        };
        let Ok(backend) = cx.shared().backend(self.job().opening) else {
            return self.reached_closed(cx);
        };
        let batch = match compaction.next_batch(backend, self.batch) {
            Ok(batch) => batch,
            Err(fatal) => return cx.abort(fatal.class()),
        };
        let last = batch.last;
        let deletes = !batch.delete.is_empty();
        compaction.apply(backend, batch);
        self.begun = true;
        cx.note(Note::Batch);
        cx.point(&point::COMPACT_BATCH);
        if last {
            if let (Some(hash), Some(library)) = (compaction.hash(), &mut cx.shared().threads) {
                library.hashes.keep(hash);
            }
            cx.note(Note::Compacted(compaction.revision()));
            cx.point(&point::COMPACT_FINISHED);
        }
        self.state = State::Committing((!last).then_some(compaction));
        // Whoever gives the lock back after a deletion commits (etcd db61c9695), and so does a batch (d57bc6e72).
        if deletes || last {
            cx.send(self.committer, Msg::Commit);
        } else {
            self.batch_done(cx);
        }
    }

    fn batch_done(&mut self, cx: &mut Context<'_, Mvcc>) {
        let State::Committing(rest) = std::mem::replace(&mut self.state, State::Idle) else {
            unreachable!("only a batch is committed")
        };
        cx.unlock(Lock::Backend);
        match rest {
            None => self.job_done(cx),
            Some(compaction) if self.is_told_to_stop(self.job(), cx) => {
                drop(compaction);
                self.leave_off(cx);
            }
            Some(compaction) => {
                self.state = State::Pausing(compaction);
                cx.arm(Timer::Pause, self.pause);
            }
        }
    }

    fn job_done(&mut self, cx: &mut Context<'_, Mvcc>) {
        let job = self.jobs.pop_front().expect("a compaction was under way");
        let shared = cx.shared();
        shared.jobs = shared.jobs.saturating_sub(1);
        if job.resumed {
            cx.mark(&mark::COMPACTION_RESUMED);
        }
        if self.jobs.is_empty() && self.closer.is_some() {
            return self.leave_off(cx);
        }
        self.next(cx);
    }

    fn pause_over(&mut self, cx: &mut Context<'_, Mvcc>) {
        let State::Pausing(compaction) = std::mem::replace(&mut self.state, State::Idle) else {
            unreachable!("the pause ends while the worker pauses")
        };
        if self.is_told_to_stop(self.job(), cx) {
            return self.leave_off(cx);
        }
        self.state = State::LockingBackend(compaction);
        cx.lock(Lock::Backend);
    }
}
