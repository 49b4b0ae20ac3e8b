//! The batch timer: commits what is pending from time to time, and closes the backend.

use seedbed_sim::actor::{Context, Event};
use seedbed_sim::id::ActorId;
use seedbed_sim::time::Span;

use super::message::{Lock, Msg, Note, Timer};
use super::model::Mvcc;
use super::settings::Settings;
use super::shared::Opening;
use super::{bugs, mark};

/// Bounds how long a change may be pending.
///
/// As in etcd, the backend is closed by the thread that batches: the last commit and the closing happen under one lock,
/// so that nothing can become pending between them.
#[derive(Clone, Debug)]
pub struct BatchTimer {
    interval: Span,
    committer: ActorId,
    state: State,
    opening: Opening,
    /// Who waits for the backend to be closed.
    closer: Option<ActorId>,
}

/// What it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// For a backend.
    Off,
    /// For the next round.
    Waiting,
    /// For the lock of the backend.
    Locking,
    /// For the commit.
    Committing,
}

impl BatchTimer {
    /// A timer that has this committer commit.
    #[must_use]
    pub fn new(interval: Span, committer: ActorId) -> BatchTimer {
        let (state, opening) = (State::Off, Opening::default());
        BatchTimer { interval, committer, state, opening, closer: None }
    }

    /// How long it is between two rounds, by the clock of the node.
    #[must_use]
    pub fn interval(&self) -> Span {
        self.interval
    }

    pub(super) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        match event {
            Event::Message { msg: Msg::Start(opening), .. } => {
                self.opening = opening;
                self.rest(cx);
            }
            Event::Message { from, msg: Msg::Finish } => {
                self.closer = Some(from);
                if self.state == State::Waiting {
                    cx.disarm(Timer::Batch);
                    self.leave_off(cx);
                }
            }
            Event::Timer(Timer::Batch) => self.round(cx),
            Event::Locked(_) => {
                self.state = State::Committing;
                cx.send(self.committer, Msg::Commit);
            }
            Event::Message { msg: Msg::Committed, .. } => self.committed(cx),
            // It goes on until the front end has closed the store.
            Event::Stop => cx.stopped(),
            Event::Boot
            | Event::Invoke { .. }
            | Event::Message { .. }
            | Event::Timer(_)
            | Event::Conn(_)
            | Event::Disk(_)
            | Event::Phase(_) => {}
        }
    }

    fn rest(&mut self, cx: &mut Context<'_, Mvcc>) {
        self.state = State::Waiting;
        let ignored = cx.bug(&bugs::BATCH_INTERVAL_IGNORED);
        let interval = if ignored { Settings::default().batch_interval } else { self.interval };
        cx.arm(Timer::Batch, interval);
    }

    /// The last round, under the lock. The defect takes a backend for closed whose file is still being copied.
    fn leave_off(&mut self, cx: &mut Context<'_, Mvcc>) {
        let copied = cx.shared().replica.as_ref().is_some_and(|group| group.defragmenting);
        if copied && cx.bug(&bugs::INSTALLED_DURING_DEFRAGMENT) {
            self.close(cx);
            return self.finished(cx);
        }
        self.lock(cx);
    }

    fn lock(&mut self, cx: &mut Context<'_, Mvcc>) {
        self.state = State::Locking;
        cx.lock(Lock::Backend);
    }

    fn round(&mut self, cx: &mut Context<'_, Mvcc>) {
        cx.note(Note::Round);
        let shared = cx.shared();
        let in_txn = shared.in_txn;
        let backend = shared.backend(self.opening).expect("only this timer closes the backend");
        if backend.pending().is_empty() {
            return self.rest(cx);
        }
        if in_txn {
            cx.mark(&mark::COMMIT_WAITED);
        }
        self.lock(cx);
    }

    fn committed(&mut self, cx: &mut Context<'_, Mvcc>) {
        if self.closer.is_none() {
            cx.unlock(Lock::Backend);
            return self.rest(cx);
        }
        self.close(cx);
        cx.unlock(Lock::Backend);
        self.finished(cx);
    }

    fn close(&mut self, cx: &mut Context<'_, Mvcc>) {
        let backend = cx.shared().backend(self.opening);
        backend.expect("only this timer closes the backend").close();
        cx.note(Note::BackendClosed);
    }

    fn finished(&mut self, cx: &mut Context<'_, Mvcc>) {
        self.state = State::Off;
        let closer = self.closer.take().expect("somebody wants it closed");
        cx.send(closer, Msg::Finished);
    }
}
