//! The defragmenter: copies the file without the room that old pages take, and puts the copy in its place.
//!
//! ```text
//! asked ─▶ lock backend ─▶ commit ─▶ create `db.tmp` ─▶ some pairs ─▶ some pairs ─▶ ... ─▶ sync
//!       ─▶ rename to `db` ─▶ sync names ─▶ the committer opens it ─▶ unlock ─▶ tell the client
//! ```
//!
//! The lock of the backend is held all the time, so nothing is committed to a file that is about to be replaced, and no
//! snapshot can take its place meanwhile. Until the rename the old file counts; a copy that is left over is harmless.

use seedbed_sim::actor::{Context, DiskDone, DiskOp, Event};
use seedbed_sim::id::{ActorId, FileId, FileName};
use seedbed_sim::time::Span;

use super::message::GroupMsg;
use crate::mvcc::backend::{Backend, Defrag};
use crate::mvcc::committer::{DISK_PATIENCE, FILE};
use crate::mvcc::message::{AskId, Lock, Msg, Timer};
use crate::mvcc::model::Mvcc;
use crate::mvcc::pages::Write;
use crate::mvcc::shared::Opening;
use crate::mvcc::{bugs, mark, point};

/// Where the copy is written.
const COPY: FileName = FileName::new("db.tmp");

/// Makes copies.
#[derive(Clone, Debug)]
pub struct Defragmenter {
    committer: ActorId,
    /// Pairs that are copied in one step.
    batch: usize,
    /// How long the disk takes to read what such a step copies.
    pause: Span,
    /// It makes a copy as soon as the store is open, as a server does that is told to at its start.
    at_boot: bool,
    /// Whom to tell.
    ask: Option<AskId>,
    opening: Opening,
    state: State,
    /// What is copied, by a defragmenter that does not mind that a snapshot takes its place: a defect.
    old: Option<Box<Backend>>,
    /// Answers of the disk to wait for before going on.
    left: usize,
    leaving: bool,
}

/// What it is doing.
#[derive(Clone, Debug)]
enum State {
    /// Waits to be asked.
    Idle,
    /// Waits for the lock.
    Locking,
    /// Waits for the commit.
    Committing,
    /// Makes the file.
    Creating(Box<Defrag>),
    /// Writes a part of the copy.
    Copying(Box<Defrag>, FileId),
    /// Waits for the disk to read the next part.
    Reading(Box<Defrag>, FileId),
    /// Makes the copy durable.
    Syncing(Box<Defrag>),
    /// Puts it in the place of the file.
    Renaming(Box<Defrag>),
    /// Makes that durable.
    Naming(Box<Defrag>),
    /// Waits until the committer has opened it.
    Reopening(Box<Defrag>),
}

impl Defragmenter {
    /// A defragmenter that copies so many pairs in one step and needs so long to read them, for the first time at its boot
    /// or when it is asked.
    #[must_use]
    pub fn new((batch, pause): (usize, Span), committer: ActorId, at_boot: bool) -> Defragmenter {
        Defragmenter {
            committer,
            batch,
            pause,
            at_boot,
            ask: None,
            opening: Opening::default(),
            state: State::Idle,
            old: None,
            left: 0,
            leaving: false,
        }
    }

    pub(in crate::mvcc) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        match event {
            Event::Message { msg: Msg::Group(GroupMsg::Defragment(ask)), .. } => {
                self.asked(Some(ask), cx);
            }
            Event::Message { msg: Msg::Group(GroupMsg::Begin(..)), .. } if self.at_boot => {
                self.at_boot = false;
                self.asked(None, cx);
            }
            Event::Locked(Lock::Backend) => self.locked(cx),
            Event::Message { msg: Msg::Committed, .. } => self.begin(cx),
            Event::Message { msg: Msg::Reopened, .. } => self.swap(cx),
            Event::Disk(answer) => match answer.result {
                Ok(done) => {
                    self.left -= 1;
                    if self.left == 0 {
                        self.go_on(&done, cx);
                    }
                }
                Err(_) => fail("the disk has failed", cx),
            },
            Event::Timer(Timer::Copy) => {
                if let State::Reading(defrag, file) =
                    std::mem::replace(&mut self.state, State::Idle)
                {
                    self.copy(defrag, file, cx);
                }
            }
            Event::Timer(Timer::Disk) => fail("the disk does not answer", cx),
            Event::Stop => {
                self.leaving = true;
                if let State::Idle = self.state {
                    cx.stopped();
                }
            }
            _ => {}
        }
    }

    fn asked(&mut self, ask: Option<AskId>, cx: &mut Context<'_, Mvcc>) {
        match self.state {
            State::Idle => {
                self.ask = ask;
                self.state = State::Locking;
                cx.lock(Lock::Backend);
            }
            // Who has asked asks again: the answer is to be to the newest attempt.
            _ if ask.is_some_and(|ask| self.ask.is_some_and(|old| old.op == ask.op)) => {
                self.ask = ask;
            }
            _ => {}
        }
    }

    /// The store may be closed by now, or about to be.
    fn locked(&mut self, cx: &mut Context<'_, Mvcc>) {
        let shared = cx.shared();
        if shared.stopping || !shared.is_open() {
            return self.end(cx);
        }
        self.opening = shared.opening();
        let (past_hook, group) = (cx.bug(&bugs::DEFRAGMENT_PAST_HOOK), cx.shared().group());
        group.hook_passed_over = past_hook;
        self.state = State::Committing;
        cx.send(self.committer, Msg::Commit);
    }

    fn begin(&mut self, cx: &mut Context<'_, Mvcc>) {
        let heedless = cx.bug(&bugs::INSTALLED_DURING_DEFRAGMENT);
        let group = cx.shared().group();
        (group.hook_passed_over, group.defragmenting) = (false, true);
        cx.point(&point::DEFRAGMENT_BEGUN);
        let backend = self.backend(cx);
        let defrag = Defrag::begin(backend).expect("everything was just committed");
        self.old = heedless.then(|| Box::new(backend.clone()));
        self.state = State::Creating(Box::new(defrag));
        cx.create(COPY);
        self.wait(1, cx);
    }

    fn backend<'c>(&self, cx: &'c mut Context<'_, Mvcc>) -> &'c mut Backend {
        let backend = cx.shared().backend(self.opening);
        backend.expect("it is not closed under the lock")
    }

    fn wait(&mut self, answers: usize, cx: &mut Context<'_, Mvcc>) {
        self.left = answers;
        cx.arm(Timer::Disk, DISK_PATIENCE);
    }

    fn go_on(&mut self, done: &DiskDone, cx: &mut Context<'_, Mvcc>) {
        match (std::mem::replace(&mut self.state, State::Idle), done) {
            (State::Creating(defrag), DiskDone::Opened { file, .. }) => {
                self.copy(defrag, *file, cx);
            }
            (State::Copying(defrag, file), _) if self.pause > Span::ns(0) => {
                cx.disarm(Timer::Disk);
                cx.arm(Timer::Copy, self.pause);
                self.state = State::Reading(defrag, file);
            }
            (State::Copying(defrag, file), _) => self.copy(defrag, file, cx),
            (State::Syncing(defrag), _) => {
                cx.point(&point::DEFRAGMENT_COPIED);
                cx.disk(DiskOp::Rename { from: COPY, to: FILE });
                self.state = State::Renaming(defrag);
                self.wait(1, cx);
            }
            (State::Renaming(defrag), _) => {
                cx.sync_dir();
                self.state = State::Naming(defrag);
                self.wait(1, cx);
            }
            (State::Naming(defrag), _) => {
                cx.disarm(Timer::Disk);
                cx.point(&point::DEFRAGMENT_RENAMED);
                cx.shared().group().defragmenting = false;
                // The defect lets another file take the place of this one meanwhile.
                if cx.shared().backend(self.opening).is_err() {
                    return self.finish(cx);
                }
                self.state = State::Reopening(defrag);
                cx.send(self.committer, Msg::Reopen);
            }
            (state, done) => unreachable!("while {state:?} the disk answered {done}"),
        }
    }

    fn copy(&mut self, mut defrag: Box<Defrag>, file: FileId, cx: &mut Context<'_, Mvcc>) {
        let batch = self.batch;
        let commit = match &self.old {
            Some(old) => defrag.copy(old, batch),
            None => defrag.copy(self.backend(cx), batch),
        };
        let Some(commit) = commit else {
            cx.sync(file);
            self.state = State::Syncing(defrag);
            return self.wait(1, cx);
        };
        let writes: Vec<&Write> = commit.pages.iter().chain([&commit.meta]).collect();
        for write in &writes {
            cx.write_at(file, write.offset, &write.bytes);
        }
        let answers = writes.len();
        defrag.copied(commit);
        self.state = State::Copying(defrag, file);
        self.wait(answers, cx);
    }

    fn swap(&mut self, cx: &mut Context<'_, Mvcc>) {
        let State::Reopening(defrag) = std::mem::replace(&mut self.state, State::Idle) else {
            return;
        };
        let backend = self.backend(cx);
        defrag.swap(backend).expect("nobody commits without the lock");
        self.finish(cx);
    }

    fn finish(&mut self, cx: &mut Context<'_, Mvcc>) {
        cx.mark(&mark::DEFRAGMENTED);
        if let Some(ask) = self.ask {
            cx.send(ask.op.client, Msg::Group(GroupMsg::Defragmented(ask)));
        }
        self.end(cx);
    }

    fn end(&mut self, cx: &mut Context<'_, Mvcc>) {
        self.state = State::Idle;
        cx.unlock(Lock::Backend);
        if self.leaving {
            cx.stopped();
        }
    }
}

/// The next life goes on from the old file, or from the copy if that has taken its place.
fn fail(reason: &'static str, cx: &mut Context<'_, Mvcc>) {
    cx.mark(&mark::DISK_ENDED_PROCESS);
    cx.fail_stop(reason);
}
