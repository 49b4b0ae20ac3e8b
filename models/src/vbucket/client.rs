//! The client: does one operation after the other. What was refused for the moment it tries again; what stays without an
//! answer has an unknown outcome.

use std::collections::BTreeMap;
use std::sync::Arc;

use seedbed_sim::actor::{Context, Event, Outcome};
use seedbed_sim::id::{ActorId, OpId};
use seedbed_sim::time::Span;

use super::message::{AskId, Msg, Timer};
use super::model::Node;
use super::op::{Call, Key, Request, Store, Verb};
use super::response::Answer;

/// How long a request may stay without an answer.
pub(super) const PATIENCE: Span = Span::ms(900);
/// How long a client waits before it tries again.
const PAUSE: Span = Span::ms(60);
/// After this many attempts an operation is given up.
const ATTEMPTS_MAX: u32 = 12;
/// A version that no key has.
const NO_VERSION: u64 = 1;

/// A client.
#[derive(Clone, Debug)]
pub struct Client {
    front: ActorId,
    /// The version of each key that it knows of.
    seen: BTreeMap<Key, u64>,
    errand: Option<(AskId, Arc<Request>)>,
}

impl Client {
    /// A client of this front end.
    #[must_use]
    pub fn new(front: ActorId) -> Client {
        Client { front, seen: BTreeMap::new(), errand: None }
    }

    pub(super) fn on_event(&mut self, event: Event<Node>, cx: &mut Context<'_, Node>) {
        match event {
            Event::Invoke { op, what } => self.invoke(op, what, cx),
            Event::Message { msg: Msg::Answer(id, answer), .. } => self.told(id, answer, cx),
            Event::Timer(Timer::Patience) => self.complete(Outcome::Unknown, cx),
            Event::Timer(Timer::Retry) => self.ask(cx),
            Event::Stop => cx.stopped(),
            _ => {}
        }
    }

    fn invoke(&mut self, op: OpId, call: Call, cx: &mut Context<'_, Node>) {
        let cas = match &call {
            Call::Store(Store { verb: Verb::Cas, key, .. }) => {
                self.seen.get(key).copied().unwrap_or(NO_VERSION)
            }
            _ => 0,
        };
        self.errand = Some((AskId { op, attempt: 1 }, Arc::new(Request { call, cas })));
        self.ask(cx);
    }

    fn ask(&mut self, cx: &mut Context<'_, Node>) {
        let Some((id, request)) = &self.errand else { return };
        cx.send(self.front, Msg::Ask(*id, request.clone()));
        cx.arm(Timer::Patience, PATIENCE);
    }

    /// Takes an answer; one to an attempt that is over is ignored.
    fn told(&mut self, id: AskId, answer: Answer, cx: &mut Context<'_, Node>) {
        let Some((asked, request)) = &mut self.errand else { return };
        if *asked != id {
            return;
        }
        if let (Some(key), Some(cas)) = (request.call.key(), answer.seen()) {
            self.seen.insert(key, cas);
        }
        if answer != Answer::TemporaryFailure {
            return self.complete(Outcome::Ok(answer), cx);
        }
        if asked.attempt == ATTEMPTS_MAX {
            // Every attempt was refused, or the last one would not have been made.
            return self.complete(Outcome::Failed, cx);
        }
        asked.attempt += 1;
        cx.disarm(Timer::Patience);
        cx.arm(Timer::Retry, PAUSE);
    }

    fn complete(&mut self, outcome: Outcome<Answer>, cx: &mut Context<'_, Node>) {
        let Some((id, _)) = self.errand.take() else { return };
        cx.disarm(Timer::Patience);
        cx.disarm(Timer::Retry);
        cx.complete(id.op, outcome);
    }
}
