//! The keeper: opens the store of the process, and closes it when no thread is inside.
//!
//! ```text
//! close ─▶ lock store: no transaction is open ─▶ nobody goes in any more ─▶ unlock ─▶ snapshots end ─▶ the door closes
//! ```

use std::sync::Arc;

use seedbed_sim::actor::{Context, Event};
use seedbed_sim::id::ActorId;

use super::Library;
use crate::mvcc::door::Door;
use crate::mvcc::mark;
use crate::mvcc::message::{AskId, Lock, Msg, Note, Phase};
use crate::mvcc::model::Mvcc;
use crate::mvcc::op::Op;
use crate::mvcc::response::Response;
use crate::mvcc::restore::Restored;

/// Opens and closes the store.
#[derive(Clone, Debug)]
pub struct Keeper {
    door: Door,
    hashes_kept: usize,
    state: State,
    /// Threads that wait for the store to be closed.
    closers: Vec<(ActorId, AskId)>,
    /// The process is to end.
    leaving: bool,
}

/// What it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// For nothing: not booted yet, or closed for good.
    Down,
    /// For the store to be opened.
    Opening,
    /// To be asked to close.
    Open,
    /// For the lock of the store.
    Locking,
    /// For the last snapshot.
    Emptying,
    /// For the door.
    Closing,
}

impl Keeper {
    /// A keeper of this door, whose store keeps so many hashes.
    #[must_use]
    pub fn new(door: Door, hashes_kept: usize) -> Keeper {
        Keeper { door, hashes_kept, state: State::Down, closers: Vec::new(), leaving: false }
    }

    /// Whether the store is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    pub(in crate::mvcc) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        match event {
            Event::Boot => self.open(cx),
            Event::Message { msg: Msg::Opened(opening), .. } => {
                let restored = self.door.opened(opening, cx);
                self.serve(restored, cx);
            }
            Event::Phase(Phase::Chunk) => {
                let restored = self.door.chunk(cx);
                self.serve(restored, cx);
            }
            Event::Message { from, msg: Msg::Ask(id, _) } => self.asked(from, id, cx),
            Event::Locked(Lock::Store) => self.shut(cx),
            Event::Message { msg: Msg::LetGo, .. } if self.state == State::Emptying => {
                self.empty(cx);
            }
            Event::Message { msg: Msg::LeftOff, .. } => self.door.finish(cx),
            Event::Message { msg: Msg::Finished, .. } => self.closed(cx),
            Event::Stop => {
                self.leaving = true;
                match self.state {
                    State::Down => cx.stopped(),
                    State::Open => self.close(cx),
                    State::Opening | State::Locking | State::Emptying | State::Closing => {}
                }
            }
            _ => {}
        }
    }

    fn open(&mut self, cx: &mut Context<'_, Mvcc>) {
        self.state = State::Opening;
        self.door.open(cx);
    }

    fn serve(&mut self, restored: Option<Restored>, cx: &mut Context<'_, Mvcc>) {
        let Some(restored) = restored else { return };
        let resume = self.door.share(restored, cx);
        let library = &mut cx.shared().threads;
        let library = library.get_or_insert_with(|| Library::new(self.hashes_kept));
        resume.into_iter().for_each(|revision| library.resume(revision));
        self.door.start(resume, cx);
        self.state = State::Open;
        if self.leaving {
            self.close(cx);
        }
    }

    fn asked(&mut self, thread: ActorId, id: AskId, cx: &mut Context<'_, Mvcc>) {
        if matches!(self.state, State::Down | State::Opening) {
            return cx.send(thread, Msg::Closed(id));
        }
        self.closers.push((thread, id));
        if self.state == State::Open {
            self.close(cx);
        }
    }

    fn close(&mut self, cx: &mut Context<'_, Mvcc>) {
        self.state = State::Locking;
        if cx.shared().in_txn {
            cx.mark(&mark::THREAD_WAITED_FOR_TXN);
        }
        cx.lock(Lock::Store);
    }

    /// Nobody is inside a transaction: from now on nobody goes in.
    fn shut(&mut self, cx: &mut Context<'_, Mvcc>) {
        cx.shared().stopping = true;
        cx.unlock(Lock::Store);
        self.empty(cx);
    }

    /// Closes, unless a snapshot is open: whoever writes it tells when it is done.
    fn empty(&mut self, cx: &mut Context<'_, Mvcc>) {
        let opening = self.door.opening();
        let backend = cx.shared().backend(opening).expect("only the keeper has it closed");
        if backend.open_snapshots() > 0 {
            self.state = State::Emptying;
            return cx.mark(&mark::CLOSE_WAITED_FOR_SNAPSHOT);
        }
        self.state = State::Closing;
        self.door.close(cx);
    }

    fn closed(&mut self, cx: &mut Context<'_, Mvcc>) {
        self.state = State::Down;
        cx.point(&crate::mvcc::point::STORE_CLOSED);
        let outcome = Arc::new(Ok(Response::Closed));
        for (thread, id) in self.closers.drain(..) {
            cx.note(Note::Done(id, Arc::new(Op::Close), outcome.clone()));
            cx.send(thread, Msg::Answer(id, outcome.clone()));
        }
        if self.leaving {
            return cx.stopped();
        }
        self.open(cx);
    }
}
