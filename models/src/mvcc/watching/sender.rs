//! The sender: the node's end of one client's stream.
//!
//! ```text
//! connection ─▶ todo: open, create, cancel, progress, close ─▶ lock ─▶ one of them ─▶ unlock
//! stream ─▶ one response ─▶ bytes ─▶ connection, as far as it has room ─▶ the next response in a later step
//! ```
//!
//! What answers a request goes out at once, what a stream tells comes in the order of the stream. A watcher that is made
//! is announced before anything is told to it, and nothing is told to one whose cancelling was answered.

use std::collections::{BTreeSet, VecDeque};

use seedbed_sim::actor::{ConnEvent, Context, Event};
use seedbed_sim::id::ConnId;
use seedbed_sim::time::Span;

use super::note::WatchNote;
use super::wire::{Ask, Tell, next_frame};
use super::wish::Interest;
use super::{Hub, call_senders};
use crate::mvcc::message::{Lock, Msg, Note, Phase, Timer};
use crate::mvcc::model::Mvcc;
use crate::mvcc::watch::{Body, CancelError, Request, StreamId, WatchError, WatchId, WatcherId};
use crate::mvcc::{bugs, mark, point};

/// How long to wait for a round that has a watcher in hand.
const AGAIN: Span = Span::ms(1);

/// Serves one client.
#[derive(Clone, Debug, Default)]
pub struct Sender {
    conn: Option<ConnId>,
    stream: Option<StreamId>,
    inbox: Vec<u8>,
    /// Bytes that the connection has not taken yet.
    outbox: Vec<u8>,
    todo: VecDeque<Todo>,
    /// The lock was asked for.
    locking: bool,
    /// The next response is to be sent in a later step.
    draining: bool,
    /// Watchers of the client: they were announced, and have not ended.
    known: BTreeSet<WatchId>,
    /// Whom each progress is about that is still in the stream: those that were there when it was told.
    about: VecDeque<Vec<WatchId>>,
}

/// What needs the lock.
#[derive(Clone, Debug)]
enum Todo {
    /// Open a stream for the client.
    Open,
    /// Do what the client asks.
    Ask(Ask),
    /// Close a stream that has lost its client.
    Close(StreamId),
}

impl Sender {
    pub(in crate::mvcc) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        match event {
            Event::Conn(ConnEvent::Accepted { conn, .. }) => self.accept(conn, cx),
            Event::Conn(event) if self.conn == Some(event.conn()) => match event {
                ConnEvent::Readable { conn } => self.read(conn, cx),
                ConnEvent::Writable { .. } => self.flush(cx),
                ConnEvent::Closed { .. } => {
                    self.lose();
                    self.work(cx);
                }
                ConnEvent::Opened { .. }
                | ConnEvent::Refused { .. }
                | ConnEvent::Accepted { .. } => {}
            },
            Event::Message { msg: Msg::Wake, .. } => {
                let me = cx.me();
                if let Some(hub) = &mut cx.shared().hub {
                    hub.answered(me);
                }
                self.work(cx);
                self.drain_later(cx);
            }
            Event::Phase(Phase::Drain) => {
                self.draining = false;
                self.drain(cx);
            }
            Event::Locked(Lock::Watch) => self.locked(cx),
            Event::Timer(Timer::Again) => self.work(cx),
            Event::Stop => {
                if let Some(conn) = self.conn.take() {
                    cx.close(conn);
                }
                cx.stopped();
            }
            _ => {}
        }
    }

    /// A client that connects again has given up its former connection, whatever that looks like from here.
    fn accept(&mut self, conn: ConnId, cx: &mut Context<'_, Mvcc>) {
        if let Some(old) = self.conn {
            cx.reset(old);
        }
        self.lose();
        self.conn = Some(conn);
        cx.note(Note::Watch(WatchNote::Begun(conn)));
        self.todo.push_back(Todo::Open);
        self.work(cx);
    }

    /// The client is gone, with everything that it has asked for.
    fn lose(&mut self) {
        let stream = self.stream.take().map(Todo::Close);
        let mut todo = std::mem::take(&mut self.todo);
        todo.retain(|todo| matches!(todo, Todo::Close(_)));
        todo.extend(stream);
        let (locking, draining) = (self.locking, self.draining);
        *self = Sender { todo, locking, draining, ..Sender::default() };
    }

    fn read(&mut self, conn: ConnId, cx: &mut Context<'_, Mvcc>) {
        cx.read(conn, usize::MAX, &mut self.inbox);
        while let Some(frame) = next_frame(&mut self.inbox) {
            match Ask::decode(&frame) {
                Some(Ask::Ping) => self.tell(&Tell::Pong, cx),
                Some(ask) => self.todo.push_back(Todo::Ask(ask)),
                None => unreachable!("no byte of a stream is altered"),
            }
        }
        self.work(cx);
    }

    /// Asks for the lock if there is something to do. A store that is closed calls when it is open again.
    fn work(&mut self, cx: &mut Context<'_, Mvcc>) {
        if !self.locking && !self.todo.is_empty() && cx.shared().watched().is_some() {
            self.locking = true;
            cx.lock(Lock::Watch);
        }
    }

    fn locked(&mut self, cx: &mut Context<'_, Mvcc>) {
        self.locking = false;
        let done = match self.todo.pop_front() {
            Some(todo) if cx.shared().watched().is_some() => self.act(todo, cx),
            Some(todo) => {
                self.todo.push_front(todo);
                Ok(())
            }
            None => Ok(()),
        };
        cx.unlock(Lock::Watch);
        match done {
            Ok(()) => self.work(cx),
            Err(todo) => {
                cx.mark(&mark::CANCEL_MET_ROUND);
                self.todo.push_front(todo);
                cx.arm(Timer::Again, AGAIN);
            }
        }
        call_senders(cx);
    }

    /// Does one thing under the lock; gives it back if it has to wait for a round.
    fn act(&mut self, todo: Todo, cx: &mut Context<'_, Mvcc>) -> Result<(), Todo> {
        let me = cx.me();
        match todo {
            Todo::Open => self.stream = Some(hub(cx).open_stream(me)),
            Todo::Close(stream) => {
                if hub(cx).watch.close_stream(stream) == Err(CancelError::InHand) {
                    return Err(Todo::Close(stream));
                }
                hub(cx).forget_stream(stream);
            }
            Todo::Ask(ask) => {
                let Some(stream) = self.stream else { return Ok(()) };
                match ask {
                    Ask::Create(id, interest) => self.create(stream, id, interest, cx),
                    Ask::Cancel(id) => match hub(cx).watch.cancel(stream, id) {
                        Ok(()) => {
                            self.known.remove(&id);
                            self.tell(&Tell::Cancelled(id), cx);
                        }
                        Err(CancelError::InHand) => return Err(Todo::Ask(Ask::Cancel(id))),
                        // It was compacted, and that is on its way.
                        Err(CancelError::NotExist) => {}
                    },
                    Ask::Progress => self.progress(stream, cx),
                    Ask::Ping => {}
                }
            }
        }
        Ok(())
    }

    fn create(
        &mut self,
        stream: StreamId,
        id: WatchId,
        interest: Interest,
        cx: &mut Context<'_, Mvcc>,
    ) {
        let Interest { keys, from, no_put, no_delete, with_previous } = interest;
        let (start, life) = (from.absolute(0), cx.incarnation().0);
        let request = Request { keys, start, id: Some(id), no_put, no_delete, with_previous };
        let Some((store, _, hub)) = cx.shared().watched() else { return };
        let current = store.current();
        match hub.watch.watch(stream, request, current) {
            Ok(_) => {
                if start > current {
                    cx.mark(&mark::WATCH_IN_FUTURE);
                }
                self.known.insert(id);
                self.tell(&Tell::Created(id, life, current), cx);
            }
            Err(error) => {
                if error == WatchError::Compacted {
                    cx.mark(&mark::WATCH_REFUSED);
                }
                self.tell(&Tell::Refused(id), cx);
            }
        }
    }

    fn progress(&mut self, stream: StreamId, cx: &mut Context<'_, Mvcc>) {
        let overtakes = cx.bug(&bugs::PROGRESS_OVERTAKES);
        let Some((store, _, hub)) = cx.shared().watched() else { return };
        let current = store.current();
        // One that is compacted may still be known here: that it is has not been sent yet.
        let lives =
            |watch: &WatchId| hub.watch.next_of(WatcherId { stream, watch: *watch }).is_some();
        let about: Vec<WatchId> = self.known.iter().copied().filter(lives).collect();
        let groups = hub.watch.groups();
        let mut behind = groups.unsynced.iter().chain(&groups.victims).chain(&groups.in_hand);
        let behind = behind.any(|id| id.stream == stream);
        if overtakes && !behind {
            return self.tell(&Tell::Heard(about, Body::Progress { revision: current }), cx);
        }
        let told = hub.watch.progress(stream, None, current);
        if told {
            self.about.push_back(about);
            cx.mark(&mark::PROGRESS_TOLD);
        } else if behind {
            cx.mark(&mark::PROGRESS_WITHHELD);
        }
    }

    /// Sends the next response in a step of its own, unless the connection is full.
    fn drain_later(&mut self, cx: &mut Context<'_, Mvcc>) {
        let Some(stream) = self.stream else { return };
        let hub = cx.shared().hub.as_ref();
        let waits = hub.is_some_and(|hub| hub.watch.waiting(stream) > 0);
        if waits && !self.outbox.is_empty() {
            cx.mark(&mark::DRAIN_STOOD_STILL);
        } else if waits && !self.draining {
            self.draining = true;
            cx.yield_to(Phase::Drain);
        }
    }

    /// Takes one response out of the stream. What the keys were before is read now, so the store has to be open.
    fn drain(&mut self, cx: &mut Context<'_, Mvcc>) {
        let Some(stream) = self.stream.filter(|_| self.outbox.is_empty()) else { return };
        let Some((store, backend, hub)) = cx.shared().watched() else { return };
        let response = match hub.watch.receive(stream, store, &*backend) {
            Ok(response) => response,
            Err(fatal) => return cx.abort(fatal.class()),
        };
        let Some(response) = response else { return };
        let about = match response.watcher {
            None => {
                let mut about = self.about.pop_front().unwrap_or_default();
                about.retain(|id| self.known.contains(id));
                about
            }
            Some(id) if self.known.contains(&id) => vec![id],
            // Its cancelling was answered already.
            Some(_) => return self.drain_later(cx),
        };
        if let (Body::Compacted { .. }, Some(id)) = (&response.body, response.watcher) {
            self.known.remove(&id);
        }
        cx.point(&point::RESPONSE_SENT);
        self.tell(&Tell::Heard(about, response.body), cx);
    }

    fn tell(&mut self, tell: &Tell, cx: &mut Context<'_, Mvcc>) {
        self.outbox.extend(tell.encode());
        self.flush(cx);
    }

    fn flush(&mut self, cx: &mut Context<'_, Mvcc>) {
        let Some(conn) = self.conn.filter(|_| !self.outbox.is_empty()) else { return };
        let written = cx.write(conn, &self.outbox);
        self.outbox.drain(..written);
        if self.outbox.is_empty() {
            self.drain_later(cx);
        }
    }
}

/// The layer that watches, under its lock.
fn hub<'c>(cx: &'c mut Context<'_, Mvcc>) -> &'c mut Hub {
    cx.shared().hub.as_mut().expect("whoever has the lock has seen it")
}
