//! The client: does one operation after the other, and retries through another coordinator.

use super::call::{Call, Ret};
use super::message::{Msg, Timer};
use super::tag::{Tag, Version};
use super::{Register, bugs, mark};
use seedbed_sim::actor::{Context, Event, Outcome};
use seedbed_sim::id::{ActorId, OpId};
use seedbed_sim::time::Span;

/// How long a request may stay without an answer.
const RETRY: Span = Span::ms(20);
/// After this many requests without an answer an operation is given up.
const ATTEMPTS_MAX: u32 = 8;

/// A client.
#[derive(Clone, Debug)]
pub struct Client {
    coordinators: Vec<ActorId>,
    errand: Option<Errand>,
}

/// The operation under way.
#[derive(Clone, Copy, Debug)]
struct Errand {
    op: OpId,
    call: Call,
    /// How many requests have stayed without an answer.
    attempts: u32,
    /// The tag of a write, once it has one: the first that the client was told, through all retries.
    tag: Option<Tag>,
    /// The coordinator that got the first put. From then on nobody can say that the write has no effect.
    put_to: Option<ActorId>,
}

impl Client {
    /// A client of these coordinators.
    ///
    /// # Panics
    /// If there are none.
    #[must_use]
    pub fn new(coordinators: Vec<ActorId>) -> Client {
        assert!(!coordinators.is_empty(), "a client has somebody to ask");
        Client { coordinators, errand: None }
    }

    pub(super) fn on_event(&mut self, event: Event<Register>, cx: &mut Context<'_, Register>) {
        match event {
            Event::Invoke { op, what } => {
                self.ask(Errand { op, call: what, attempts: 0, tag: None, put_to: None }, cx);
            }
            Event::Message { msg, .. } => self.told(&msg, cx),
            Event::Timer(_) => self.retry(cx),
            Event::Stop => cx.stopped(),
            Event::Boot | Event::Conn(_) | Event::Disk(_) => {}
            Event::Locked(never) | Event::Phase(never) => match never {},
        }
    }

    /// Sends the request that comes next. Each attempt goes to another coordinator than the one before.
    fn ask(&mut self, mut errand: Errand, cx: &mut Context<'_, Register>) {
        let Errand { op, call, .. } = errand;
        let turn = (op.number + errand.attempts) as usize % self.coordinators.len();
        let coordinator = self.coordinators[turn];
        let request = match (call, errand.tag) {
            (Call::Read(key), _) => Msg::Get { op, key },
            (Call::Write(key, _), None) => Msg::Pick { op, key },
            (Call::Write(key, value), Some(tag)) => {
                if *errand.put_to.get_or_insert(coordinator) != coordinator {
                    cx.mark(&mark::RETRIED_ELSEWHERE);
                }
                Msg::Put { op, key, version: Version { tag, value } }
            }
        };
        self.errand = Some(errand);
        cx.send(coordinator, request);
        cx.arm(Timer::Retry, RETRY);
    }

    /// Takes an answer; one to an operation that is over is ignored, like a second tag for the same write.
    fn told(&mut self, msg: &Msg, cx: &mut Context<'_, Register>) {
        let Some(errand) = self.errand else { return };
        match *msg {
            Msg::Picked { op, tag } if op == errand.op && errand.tag.is_none() => {
                self.ask(Errand { tag: Some(tag), ..errand }, cx);
            }
            Msg::Got { op, value } if op == errand.op => {
                self.complete(op, Outcome::Ok(Ret::Value(value)), cx);
            }
            Msg::Done { op } if op == errand.op => self.complete(op, Outcome::Ok(Ret::Written), cx),
            _ => {}
        }
    }

    fn retry(&mut self, cx: &mut Context<'_, Register>) {
        let Some(mut errand) = self.errand else { return };
        errand.attempts += 1;
        if errand.attempts == ATTEMPTS_MAX {
            return self.give_up(&errand, cx);
        }
        if cx.bug(&bugs::RETRY_WITH_NEW_TAG) {
            errand.tag = None;
        }
        self.ask(errand, cx);
    }

    fn give_up(&mut self, errand: &Errand, cx: &mut Context<'_, Register>) {
        if errand.put_to.is_none() {
            return self.complete(errand.op, Outcome::Failed, cx);
        }
        cx.mark(&mark::GIVEN_UP);
        self.complete(errand.op, Outcome::Unknown, cx);
    }

    fn complete(&mut self, op: OpId, outcome: Outcome<Ret>, cx: &mut Context<'_, Register>) {
        self.errand = None;
        cx.disarm(Timer::Retry);
        cx.complete(op, outcome);
    }
}
