//! A caller: does single operations and multi-sets by a smart client, without a reference store.

use std::collections::BTreeMap;
use std::sync::Arc;

use seedbed_sim::actor::{Context, Event, Outcome};
use seedbed_sim::id::OpId;

use crate::vbucket::op::{Call, Key, Request, Store, Value, Verb};
use crate::vbucket::response::Answer;

use super::model::{Book, Peer};
use super::note::{Note, Purpose};
use super::op::{Op, part};
use super::response::{Fate, Ret};
use super::smart::{SmartClient, Told};
use super::{bugs, mark};

/// How often a planted bug sends a whole multi-set again.
const BLIND_TRIES: u32 = 2;

/// A version that no key has: a conditional write of a key that was never looked at must not be done.
const NO_VERSION: u64 = 1;

/// A caller.
#[derive(Clone, Debug)]
pub struct Caller {
    pub(super) smart: SmartClient,
    /// The version of each key that its last get has shown.
    seen: BTreeMap<Key, u64>,
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
    request: Arc<Request>,
    /// As which it stands in the history, and the call that does it now.
    first: u32,
    number: u32,
    fate: Option<Fate>,
}

impl Caller {
    /// A caller that knows these.
    #[must_use]
    pub fn new(book: Arc<Book>) -> Caller {
        Caller { smart: SmartClient::new(book), seen: BTreeMap::new(), errand: None }
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
            let cas = self.wanted_cas(&call);
            let request = Arc::new(Request { call, cas });
            let number = self.smart.call(request.clone(), Purpose::Part, cx);
            let id = OpId { client: cx.me(), number };
            cx.note(Note::Called(id, Purpose::Part, request.call.clone()));
            if cas != 0 {
                cx.note(Note::Wants(id, cas));
            }
            parts.push(Part { key, request, first: number, number, fate: None });
        }
        self.errand = Some(Errand { op, parts, is_multi, tries: 0 });
    }

    /// The version that a key must have for this to be done; 0 for any.
    fn wanted_cas(&self, call: &Call) -> u64 {
        match call {
            Call::Store(Store { verb: Verb::Cas, key, .. }) => {
                self.seen.get(key).copied().unwrap_or(NO_VERSION)
            }
            _ => 0,
        }
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
                part.number = self.smart.call(part.request.clone(), Purpose::Part, cx);
            }
            return;
        }
        self.complete(cx);
    }

    fn complete(&mut self, cx: &mut Context<'_, Peer>) {
        let Some(Errand { op, parts, is_multi, .. }) = self.errand.take() else { return };
        let client = cx.me();
        let mut fates = Vec::new();
        for Part { key, request, first, fate, .. } in parts {
            let Some(fate) = fate else { continue };
            self.learn(key, &request, &fate, cx);
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

impl Caller {
    /// Remembers the version that a get has shown.
    fn learn(&mut self, key: Key, request: &Request, fate: &Fate, cx: &mut Context<'_, Peer>) {
        match fate {
            Fate::Answered(Answer::Found { cas, .. }) => drop(self.seen.insert(key, *cas)),
            Fate::Answered(Answer::Stored(_)) if request.cas != 0 => {
                cx.mark(&mark::STORED_BY_VERSION);
            }
            Fate::Answered(Answer::Exists) if request.cas > NO_VERSION => {
                cx.mark(&mark::REFUSED_BY_VERSION);
            }
            Fate::Answered(Answer::Counted(..)) => cx.mark(&mark::ADDED),
            _ => {}
        }
    }
}

fn store(key: Key, value: Value) -> Call {
    Call::Store(Store { verb: Verb::Set, key, value, flags: 0, expiry: 0 })
}
