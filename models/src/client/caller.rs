//! A caller: does single operations and multi-sets by a smart client, without a reference store.

use std::sync::Arc;

use seedbed_sim::actor::{Context, Event, Outcome};
use seedbed_sim::id::OpId;

use crate::vbucket::op::{Call, Key, Store, Value, Verb};

use super::model::{Book, Peer};
use super::note::{Note, Purpose};
use super::op::{Op, part};
use super::response::{Fate, Ret};
use super::smart::{SmartClient, Told};
use super::{bugs, mark};

/// How often a planted bug sends a whole multi-set again.
const BLIND_TRIES: u32 = 2;

/// A caller.
#[derive(Clone, Debug)]
pub struct Caller {
    pub(super) smart: SmartClient,
    errand: Option<Errand>,
}

/// The operation under way.
#[derive(Clone, Debug)]
struct Errand {
    op: OpId,
    parts: Vec<Part>,
    is_multi: bool,
    tries: u32,
}

/// What it does to one key.
#[derive(Clone, Debug)]
struct Part {
    key: Key,
    call: Call,
    /// As which it stands in the history, and the call that does it now.
    first: u32,
    number: u32,
    fate: Option<Fate>,
}

impl Caller {
    /// A caller that knows these.
    #[must_use]
    pub fn new(book: Arc<Book>) -> Caller {
        Caller { smart: SmartClient::new(book), errand: None }
    }

    pub(super) fn on_event(&mut self, event: Event<Peer>, cx: &mut Context<'_, Peer>) {
        match event {
            Event::Invoke { op, what } => self.invoke(op, what, cx),
            Event::Stop => cx.stopped(),
            event => self.smart.on_event(&event, cx),
        }
        if self.smart.has_raised() {
            return cx.abort("the end of a connection is not provided for");
        }
        while let Some(told) = self.smart.take_told() {
            self.told(told, cx);
        }
    }

    fn invoke(&mut self, op: OpId, what: Op, cx: &mut Context<'_, Peer>) {
        let (calls, is_multi) = match what {
            Op::Ask(call) => (vec![call], false),
            Op::MultiSet(number, keys) => {
                let set = |key| (key, part(number, key));
                (keys.into_iter().map(set).map(|(key, value)| store(key, value)).collect(), true)
            }
            _ => return cx.complete(op, Outcome::Ok(Ret::Refused)),
        };
        let mut parts = Vec::new();
        for call in calls {
            let Some(key) = call.key() else { continue };
            let number = self.smart.call(call.clone(), 0, Purpose::Part, cx);
            cx.note(Note::Called(OpId { client: cx.me(), number }, Purpose::Part, call.clone()));
            parts.push(Part { key, call, first: number, number, fate: None });
        }
        self.errand = Some(Errand { op, parts, is_multi, tries: 0 });
    }

    /// A part has come to an end. What was not applied was sent elsewhere already, as often as it makes sense.
    fn told(&mut self, told: Told, cx: &mut Context<'_, Peer>) {
        let Some(errand) = &mut self.errand else { return };
        let of = |part: &&mut Part| part.number == told.id.op.number;
        let Some(part) = errand.parts.iter_mut().find(of) else { return };
        part.fate = Some(told.fate);
        if errand.parts.iter().any(|part| part.fate.is_none()) {
            return;
        }
        let is_answered = |part: &Part| matches!(part.fate, Some(Fate::Answered(_)));
        let is_partial = !errand.parts.iter().all(is_answered);
        if errand.is_multi && is_partial && errand.parts.iter().any(is_answered) {
            cx.mark(&mark::PARTLY_STORED);
        }
        let blind = cx.bug(&bugs::BATCH_SENT_AGAIN) && errand.is_multi && is_partial;
        if blind && errand.tries < BLIND_TRIES {
            errand.tries += 1;
            for part in &mut errand.parts {
                part.fate = None;
                part.number = self.smart.call(part.call.clone(), 0, Purpose::Part, cx);
            }
            return;
        }
        self.complete(cx);
    }

    fn complete(&mut self, cx: &mut Context<'_, Peer>) {
        let Some(Errand { op, parts, is_multi, .. }) = self.errand.take() else { return };
        let client = cx.me();
        let mut fates = Vec::new();
        for Part { key, first, fate, .. } in parts {
            let Some(fate) = fate else { continue };
            cx.note(Note::Fated(OpId { client, number: first }, fate.clone()));
            fates.push((key, fate));
        }
        let outcome = match fates.first() {
            _ if is_multi => Outcome::Ok(Ret::Parts(fates)),
            Some((_, Fate::Answered(answer))) => Outcome::Ok(Ret::Answer(answer.clone())),
            Some((_, Fate::Unknown(_))) => Outcome::Unknown,
            Some((_, Fate::NotApplied(_))) | None => Outcome::Failed,
        };
        cx.complete(op, outcome);
    }
}

fn store(key: Key, value: Value) -> Call {
    Call::Store(Store { verb: Verb::Set, key, value, flags: 0, expiry: 0 })
}
