//! The client: does one operation after the other over a network that loses, repeats and delays.
//!
//! A read without an answer is asked again. A write without an answer may have been done, so its outcome is unknown. An
//! attempt that the front end turned away, because the store is closed, had no effect: the client tries again. A thread
//! that uses the store as a library takes the place of the front end for its client.

use std::sync::Arc;

use seedbed_sim::actor::{Context, Event, Outcome};
use seedbed_sim::id::{ActorId, OpId};
use seedbed_sim::time::Span;

use super::bugs;
use super::call::{Call, Ret, words};
use super::message::{AskId, Msg, Note, Timer};
use super::model::Mvcc;
use super::op::{Op, Request};
use super::replica::message::GroupMsg;
use super::replica::note::GroupNote;
use super::store::FIRST_REVISION;
use super::txn::writes;
use super::workflow::usage::{Reply, Usage, Use};

/// How long a request may stay without an answer.
const PATIENCE: Span = Span::ms(30);
/// The same where a transaction of another may have to end first.
const PATIENCE_BESIDE_OTHERS: Span = Span::ms(200);
/// How long a client waits before it asks again whether the store is open.
const PAUSE: Span = Span::ms(3);
/// After this many attempts an operation is given up.
const ATTEMPTS_MAX: u32 = 30;

/// A client.
#[derive(Clone, Debug)]
pub struct Client {
    /// Who may be asked: the front end of a store, a thread, or the members of a group.
    fronts: Vec<ActorId>,
    /// Whom to ask now.
    at: usize,
    asks: Asks,
    patience: Span,
    /// The revision in the last answer.
    last: i64,
    /// The transaction that it began last.
    txn: i64,
    errand: Option<Errand>,
}

/// Whom it asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asks {
    Store,
    Thread,
    Group,
}

/// The operation under way.
#[derive(Clone, Debug)]
struct Errand {
    id: AskId,
    question: Question,
    /// Whether it may be done twice.
    repeatable: bool,
}

/// What is asked.
#[derive(Clone, Debug)]
enum Question {
    /// Of a store.
    Store(Arc<Request>),
    /// Of a thread.
    Use(Arc<Use>),
    /// A read that takes an old state, too.
    Stale(Arc<Request>),
    /// To make a file smaller.
    Defragment,
    /// To let a lease live on.
    Renew(i64),
}

impl Question {
    fn msg(&self, id: AskId) -> Msg {
        match self {
            Question::Store(request) => Msg::Ask(id, request.clone()),
            Question::Use(usage) => Msg::Use(id, usage.clone()),
            Question::Stale(request) => Msg::Group(GroupMsg::Stale(id, request.clone())),
            Question::Renew(lease) => Msg::Group(GroupMsg::Renew(id, *lease)),
            Question::Defragment => Msg::Group(GroupMsg::Defragment(id)),
        }
    }
}

impl Client {
    /// A client of this front end.
    #[must_use]
    pub fn new(front: ActorId) -> Client {
        Client {
            fronts: vec![front],
            at: 0,
            asks: Asks::Store,
            patience: PATIENCE,
            last: FIRST_REVISION,
            txn: 0,
            errand: None,
        }
    }

    /// A client that tells this thread what to call.
    #[must_use]
    pub fn of_thread(thread: ActorId) -> Client {
        Client { asks: Asks::Thread, patience: PATIENCE_BESIDE_OTHERS, ..Client::new(thread) }
    }

    /// A client of a group. It begins with the first member, and goes to the next one when it gets no answer.
    ///
    /// # Panics
    ///
    /// If there is no member.
    #[must_use]
    pub fn of_group(members: Vec<ActorId>) -> Client {
        Client { asks: Asks::Group, ..Client::new(members[0]) }.among(members)
    }

    /// The words of what it can be asked for.
    pub(super) fn words(&self) -> &'static [&'static [&'static str]] {
        match self.asks {
            Asks::Store => &[words::STORE, words::CLOSING],
            Asks::Thread => &[words::STORE, words::CLOSING, words::LIBRARY],
            Asks::Group => &[words::STORE, words::GROUP],
        }
    }

    fn in_group(&self) -> bool {
        self.asks == Asks::Group
    }

    fn among(self, fronts: Vec<ActorId>) -> Client {
        Client { fronts, ..self }
    }

    pub(super) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        match event {
            Event::Invoke { op, what } => self.invoke(op, &what, cx),
            Event::Message { msg: Msg::Answer(id, outcome), .. } if self.waits_for(id) => {
                if let Some(revision) = outcome.as_ref().as_ref().ok().and_then(|r| r.revision()) {
                    self.last = revision;
                }
                self.complete(Outcome::Ok(Ret::Store(outcome)), cx);
            }
            Event::Message { msg: Msg::Group(GroupMsg::Defragmented(id)), .. }
                if self.waits_for(id) =>
            {
                self.complete(Outcome::Ok(Ret::Defragmented), cx);
            }
            Event::Message { msg: Msg::Group(GroupMsg::Renewed(id, lives)), .. }
                if self.waits_for(id) =>
            {
                self.complete(Outcome::Ok(Ret::Renewed(lives)), cx);
            }
            Event::Message { msg: Msg::Used(id, used), .. } if self.waits_for(id) => {
                match &*used {
                    Ok(Reply::Begun(txn)) => self.txn = *txn,
                    Ok(reply) => self.last = reply.revision().unwrap_or(self.last),
                    Err(_) => {}
                }
                self.complete(Outcome::Ok(Ret::Use(used)), cx);
            }
            Event::Message { msg: Msg::Closed(id), .. } if self.waits_for(id) => {
                cx.disarm(Timer::Answer);
                cx.arm(Timer::Retry, PAUSE);
                self.next_front();
            }
            Event::Timer(Timer::Retry) => self.try_again(cx),
            Event::Timer(Timer::Answer) => {
                self.next_front();
                if self.errand.as_ref().is_some_and(|errand| errand.repeatable) {
                    self.try_again(cx);
                } else {
                    self.complete(Outcome::Unknown, cx);
                }
            }
            Event::Stop => cx.stopped(),
            Event::Boot
            | Event::Message { .. }
            | Event::Timer(_)
            | Event::Conn(_)
            | Event::Disk(_)
            | Event::Locked(_)
            | Event::Phase(_) => {}
        }
    }

    fn invoke(&mut self, op: OpId, what: &Call, cx: &mut Context<'_, Mvcc>) {
        let (question, repeatable) = match what {
            Call::Store(what) => {
                let request = what.resolve(self.last);
                let repeatable =
                    !writes(&request) && request != Op::Close || cx.bug(&bugs::WRITE_REPEATED);
                (Question::Store(Arc::new(request)), repeatable)
            }
            Call::Use(usage) => {
                let usage = usage.resolve(self.last, self.txn);
                let repeatable = matches!(usage, Usage::Hash(_) | Usage::History(_));
                (Question::Use(Arc::new(usage)), repeatable)
            }
            Call::Stale(what) if self.in_group() => {
                let request = what.resolve(self.last);
                match writes(&request) {
                    true => (Question::Store(Arc::new(request)), false),
                    false => (Question::Stale(Arc::new(request)), true),
                }
            }
            Call::Defragment if self.in_group() => (Question::Defragment, true),
            Call::Renew(lease) if self.in_group() => (Question::Renew(*lease), true),
            // No seed file asks the wrong one; a plan that was made otherwise may.
            Call::Watch(_) | Call::Stale(_) | Call::Defragment | Call::Renew(_) => {
                return cx.complete(op, Outcome::Failed);
            }
        };
        let id = AskId { op, attempt: 1 };
        self.errand = Some(Errand { id, question, repeatable });
        if self.in_group() {
            cx.note(Note::Group(GroupNote::Wanted(id)));
        }
        self.ask(cx);
    }

    fn ask(&mut self, cx: &mut Context<'_, Mvcc>) {
        let Some(Errand { id, question, .. }) = &self.errand else { return };
        cx.send(self.fronts[self.at], question.msg(*id));
        cx.arm(Timer::Answer, self.patience);
    }

    fn next_front(&mut self) {
        self.at = (self.at + 1) % self.fronts.len();
    }

    /// An answer to an attempt that was given up says nothing about the one under way.
    fn waits_for(&self, id: AskId) -> bool {
        self.errand.as_ref().is_some_and(|errand| errand.id == id)
    }

    fn try_again(&mut self, cx: &mut Context<'_, Mvcc>) {
        let Some(errand) = &mut self.errand else { return };
        if errand.id.attempt == ATTEMPTS_MAX {
            // Only reads, and writes of which every attempt was turned away, come this far.
            return self.complete(Outcome::Failed, cx);
        }
        errand.id.attempt += 1;
        self.ask(cx);
    }

    fn complete(&mut self, outcome: Outcome<Ret>, cx: &mut Context<'_, Mvcc>) {
        let Some(errand) = self.errand.take() else { return };
        cx.disarm(Timer::Answer);
        cx.disarm(Timer::Retry);
        cx.complete(errand.id.op, outcome);
    }
}
