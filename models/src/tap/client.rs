//! The client: does one operation after the other, at the node that it believes to be the owner of the vbucket. What was
//! refused it tries again, elsewhere if the node is not the owner; what stays without an answer has an unknown outcome.

use std::collections::BTreeMap;
use std::sync::Arc;

use seedbed_sim::actor::{Context, Event, Outcome};
use seedbed_sim::id::{ActorId, OpId};
use seedbed_sim::time::Span;

use crate::vbucket::message::{self as data, AskId};
use crate::vbucket::op::{Call, Key, Request, Store, Vb, Verb};
use crate::vbucket::response::Answer;

use super::message::{Msg, Timer};
use super::model::Node;
use super::op::Op;

/// How long a request may stay without an answer.
const PATIENCE: Span = Span::ms(900);
/// How long a client waits before it tries again.
const PAUSE: Span = Span::ms(60);
/// After this many attempts an operation is given up.
const ATTEMPTS_MAX: u32 = 20;
/// A version that no key has.
const NO_VERSION: u64 = 1;

/// A client.
#[derive(Clone, Debug)]
pub struct Client {
    fronts: Vec<ActorId>,
    vbuckets: u8,
    /// The node that it believes to be the owner.
    owners: BTreeMap<Vb, usize>,
    /// The version of each key that it knows of.
    seen: BTreeMap<Key, u64>,
    errand: Option<(AskId, Arc<Request>)>,
}

impl Client {
    /// A client of these front ends.
    #[must_use]
    pub fn new(fronts: Vec<ActorId>, vbuckets: u8) -> Client {
        let (owners, seen) = (BTreeMap::new(), BTreeMap::new());
        Client { fronts, vbuckets, owners, seen, errand: None }
    }

    pub(super) fn on_event(&mut self, event: Event<Node>, cx: &mut Context<'_, Node>) {
        match event {
            Event::Invoke { op, what } => self.invoke(op, what, cx),
            Event::Message { msg: Msg::Data(data::Msg::Answer(id, answer)), .. } => {
                self.told(id, answer, cx);
            }
            Event::Timer(Timer::Data(data::Timer::Patience)) => {
                self.complete(Outcome::Unknown, cx);
            }
            Event::Timer(Timer::Data(data::Timer::Retry)) => self.ask(cx),
            Event::Stop => cx.stopped(),
            _ => {}
        }
    }

    fn invoke(&mut self, op: OpId, what: Op, cx: &mut Context<'_, Node>) {
        let Op::Data(call) = what else { return cx.complete(op, Outcome::Failed) };
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
        let vb = request.call.vb(self.vbuckets);
        let owner = self.owners.get(&vb).copied().unwrap_or(0);
        let ask = data::Msg::Ask(*id, request.clone());
        cx.send(self.fronts[owner], Msg::Data(ask));
        cx.arm(Timer::Data(data::Timer::Patience), PATIENCE);
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
        match answer {
            Answer::NotMyVbucket => {
                let vb = request.call.vb(self.vbuckets);
                let owner = self.owners.entry(vb).or_insert(0);
                *owner = if *owner + 1 < self.fronts.len() { *owner + 1 } else { 0 };
            }
            Answer::TemporaryFailure => {}
            answer => return self.complete(Outcome::Ok(answer), cx),
        }
        if asked.attempt == ATTEMPTS_MAX {
            // Every attempt was refused, or the last one would not have been made.
            return self.complete(Outcome::Failed, cx);
        }
        asked.attempt += 1;
        cx.disarm(Timer::Data(data::Timer::Patience));
        cx.arm(Timer::Data(data::Timer::Retry), PAUSE);
    }

    fn complete(&mut self, outcome: Outcome<Answer>, cx: &mut Context<'_, Node>) {
        let Some((id, _)) = self.errand.take() else { return };
        cx.disarm(Timer::Data(data::Timer::Patience));
        cx.disarm(Timer::Data(data::Timer::Retry));
        cx.complete(id.op, outcome);
    }
}
