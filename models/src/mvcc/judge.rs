//! The judge of one node: the reference model beside it, and what a death may take away.
//!
//! ```text
//! positions   (2,-1) (3,-1) (4,-1) (4,3) (5,3) (6,3)      newest revision, compacted revision
//!                      │                         │
//!                   durable                     now       what is durable only moves to the right
//!                      └── after a death: one of these ──┘
//! ```
//!
//! Everything that a request can do to a store moves its position, so a position names a prefix of all requests. After a
//! restart the store has to be at one of the positions from the durable one on, with the contents that the reference had
//! there; then the reference goes back to it, too, and the revisions behind it may be used again.

use super::defects::Defects;
use super::key_index::HeadTombstone;
use super::message::AskId;
use super::op::{Keys, Op, Request};
use super::record;
use super::reference::{Explicit, Reference, State, Write};
use super::response::{KeyValue, Outcome};
use super::restore::restore;
use super::store::{Fatal, Store, record_at};
use super::text::quoted;
use super::{backend::Backend, backend::Bucket, revision::RecordKey};
use seedbed_sim::check::Checked;
use seedbed_sim::time::{Span, Time};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How long the batch timer takes to begin after the store was opened.
const SLACK: Span = Span::ms(1);

/// How far a store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) current: i64,
    pub(super) compacted: i64,
}

impl Position {
    pub(super) fn of(store: &Store) -> Position {
        Position { current: store.current(), compacted: store.compacted() }
    }

    /// That of the reference.
    pub(super) fn should(reference: &Reference) -> Position {
        Position { current: reference.current(), compacted: reference.compacted() }
    }

    /// Whether everything that led to the other position has led to this one, too.
    fn covers(self, other: Position) -> bool {
        self.current >= other.current && self.compacted >= other.compacted
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "revision {}, compacted {}", self.current, self.compacted)
    }
}

/// A position, and when it was reached.
#[derive(Clone, Copy, Debug)]
struct Reached {
    position: Position,
    at: Time,
}

/// What is known of one node beside its own word.
#[derive(Clone, Debug)]
pub(super) struct Judge {
    reference: Reference,
    /// The positions from the last durable one to the present one, and when they were reached.
    trail: Vec<Reached>,
    /// What a commit that is under way will make durable.
    begun: Option<Position>,
    /// The position at the last round of the batch timer.
    at_round: Option<Position>,
    /// The highest compaction that a client was told of.
    promised: i64,
    /// What was done, and how it was answered, in order.
    pub(super) done: Vec<(AskId, Arc<Request>, Arc<Outcome>)>,
}

impl Default for Judge {
    fn default() -> Judge {
        let reference = Reference::new();
        let now = Position::should(&reference);
        Judge {
            reference,
            trail: vec![Reached { position: now, at: Time(0) }],
            begun: None,
            at_round: None,
            promised: now.compacted,
            done: Vec::new(),
        }
    }
}

/// A promise was kept or broken.
pub(super) fn verdict(class: &'static str, broken: Option<String>) -> Checked {
    broken.map_or(Checked::Held, |detail| Checked::Broken(class, detail))
}

impl Judge {
    fn now(&self) -> Position {
        self.trail.last().expect("there is a present position").position
    }

    fn durable(&self) -> Position {
        self.trail[0].position
    }

    fn knows(&self, position: Position) -> bool {
        self.trail.iter().any(|reached| reached.position == position)
    }

    /// What should have happened.
    pub(super) fn reference(&self) -> &Reference {
        &self.reference
    }

    /// A request was done: the reference does it, too. Answers whether the revision has not gone back, and whether the
    /// answers agree.
    pub(super) fn done(
        &mut self,
        id: AskId,
        (request, outcome): (&Arc<Request>, &Arc<Outcome>),
        at: Time,
    ) -> (Checked, Checked) {
        let before = self.now();
        let told = outcome.as_ref().as_ref().ok().and_then(|response| response.revision());
        let back = told.filter(|told| *told < before.current);
        let back = back.map(|told| format!("`{request}` had revision {told} after {before}"));
        let expected = self.reference.apply(request);
        let wrong = (expected != **outcome)
            .then(|| format!("`{request}` gave {outcome:?}, and the reference {expected:?}"));
        self.reached(at);
        self.done.push((id, request.clone(), outcome.clone()));
        (verdict("went back", back), verdict("wrong answer", wrong))
    }

    fn reached(&mut self, at: Time) {
        let now =
            Position { current: self.reference.current(), compacted: self.reference.compacted() };
        if now != self.now() {
            self.trail.push(Reached { position: now, at });
        }
    }

    /// An explicit transaction was ended: the reference ends it, too. Answers the revision afterwards.
    pub(super) fn ended(&mut self, open: Explicit, at: Time) -> i64 {
        let revision = self.reference.end_explicit(open);
        self.reached(at);
        revision
    }

    /// How a store differs from what the reference was at a revision and a compacted one.
    pub(super) fn differs_from(
        &self,
        (store, backend): (&Store, &Backend),
        (current, compacted): (i64, i64),
    ) -> Option<String> {
        let (found, expected) = (Position::of(store), Position { current, compacted });
        if found != expected {
            return Some(format!("it is at {found}, not at {expected}"));
        }
        self.differs(store, backend, current)
    }

    /// Nothing is pending, so everything that was done is durable. (After a request that wrote this is news only if a
    /// commit took the last of its changes before it was done.)
    pub(super) fn nothing_pending(&mut self) {
        self.trail.drain(..self.trail.len() - 1);
    }

    /// A client is told.
    pub(super) fn told(&mut self, request: &Request, outcome: &Outcome) {
        if let (Op::Compact(revision), Ok(_)) = (request, outcome) {
            self.promised = self.promised.max(*revision);
        }
    }

    pub(super) fn commit_begun(&mut self) {
        self.begun = Some(self.now());
    }

    pub(super) fn committed(&mut self) {
        let Some(begun) = self.begun.take() else { return };
        let passed = self.trail.iter().position(|reached| reached.position.covers(begun));
        self.trail.drain(..passed.unwrap_or(0));
    }

    /// A round of the batch timer: what was done before the last one must be durable. While the clock of the node is true,
    /// nothing may be pending for longer than an interval.
    pub(super) fn round(&mut self, now: Time, interval: Option<Span>) -> Checked {
        let durable = self.durable();
        let late = self.at_round.filter(|at_round| !durable.covers(*at_round));
        self.at_round = Some(self.now());
        if let Some(late) = late {
            let detail = format!("{late} was reached before the last round, {durable} is durable");
            return Checked::Broken("pending over two rounds", detail);
        }
        let oldest = self.trail.get(1).zip(interval);
        let old = oldest.filter(|(oldest, interval)| now.since(oldest.at) > *interval + SLACK);
        verdict(
            "pending for too long",
            old.map(|(oldest, interval)| {
                let (position, age) = (oldest.position, now.since(oldest.at));
                format!("{position} is pending for {age}, and the interval is {interval}")
            }),
        )
    }

    /// A store that is closed in order loses nothing.
    pub(super) fn closed(&self) -> Checked {
        let (durable, now) = (self.durable(), self.now());
        let lost = (durable != now).then(|| format!("at {now}, but only {durable} is durable"));
        verdict("closed too early", lost)
    }

    /// Whether the revision has not gone back over a restart, although the keys are those of a later one.
    pub(super) fn went_back(&self, store: &Store, backend: &Backend) -> Checked {
        let (position, durable) = (Position::of(store), self.durable());
        if position.current >= durable.current || self.knows(position) {
            return Checked::Held;
        }
        let keys_remain =
            self.trail.iter().any(|at| self.differs(store, backend, at.position.current).is_none());
        let back =
            keys_remain.then(|| format!("it came back at {position}; {durable} was durable"));
        verdict("went back", back)
    }

    /// Whether the store still knows of the compactions that clients were told of.
    pub(super) fn forgot_compaction(&self, store: &Store) -> Checked {
        let (compacted, promised) = (store.compacted(), self.promised);
        let forgot = (compacted < promised)
            .then(|| format!("a client was told of {promised}, and it came back with {compacted}"));
        verdict("forgotten", forgot)
    }

    /// Whether the store came back as it was after some prefix of what was done.
    pub(super) fn is_prefix(&self, store: &Store, backend: &Backend) -> Checked {
        let position = Position::of(store);
        if !self.knows(position) {
            let (durable, now) = (self.durable(), self.now());
            let detail =
                format!("it came back at {position}; {durable} was durable, the last was {now}");
            return Checked::Broken("not a prefix", detail);
        }
        let torn = self.differs(store, backend, position.current);
        verdict("torn", torn.map(|how| format!("it came back at {position}, where {how}")))
    }

    /// The node goes on from where it came back.
    pub(super) fn opened(&mut self, store: &Store) {
        let position = Position::of(store);
        self.reference.roll_back(position.current, position.compacted);
        self.trail.clear();
        self.trail.push(Reached { position, at: Time(0) });
        self.begun = None;
        self.at_round = None;
    }

    /// How the keys that exist now differ from those of the reference at a revision.
    fn differs(&self, store: &Store, backend: &Backend, revision: i64) -> Option<String> {
        keys_differ(store, backend, self.reference.at(revision)?)
    }
}

/// How the keys that exist now differ from those that should.
pub(super) fn keys_differ(store: &Store, backend: &Backend, expected: &State) -> Option<String> {
    let found = match present_keys(store, backend) {
        Ok(found) => found,
        Err(error) => return Some(format!("nothing can be read: {error}")),
    };
    let odd = found.iter().find(|kv| expected.get(&kv.key) != Some(kv));
    if let Some(kv) = odd {
        return Some(format!("{kv} was found"));
    }
    let missing = expected.values().find(|kv| !found.contains(kv));
    missing.map(|kv| format!("{kv} is missing"))
}

/// Whether the records up to a compaction that was just finished are exactly those that are needed, by the reference
/// alone: what the store itself would keep is no witness. Some planted bugs bring an older rule along.
pub(super) fn records_are_needed(
    reference: &Reference,
    backend: &Backend,
    compacted: i64,
    rule: HeadTombstone,
) -> Checked {
    let mut needed = reference.needed(compacted);
    needed.retain(|write| !write.deleted || rule == HeadTombstone::Kept);
    let stored: Result<BTreeSet<Write>, String> = backend
        .scan(Bucket::Key, b"")
        .map(|(key, value)| write_of(key, value))
        .filter(|write| write.as_ref().map_or(true, |write| write.revision <= compacted))
        .collect();
    match stored {
        Ok(stored) => verdict("differs", difference(&stored, &needed, compacted)),
        Err(damage) => Checked::Broken("unreadable", damage),
    }
}

/// The write that a record tells of.
fn write_of(key: &[u8], value: &[u8]) -> Result<Write, String> {
    let RecordKey { revision, tombstone } =
        RecordKey::parse(key).map_err(|error| error.to_string())?;
    let kv = record::decode(value).map_err(|error| error.to_string())?;
    Ok(Write { revision: revision.main, key: kv.key, deleted: tombstone })
}

/// What is stored and not needed, or needed and not stored.
fn difference(
    stored: &BTreeSet<Write>,
    needed: &BTreeSet<Write>,
    compacted: i64,
) -> Option<String> {
    let (write, how) = match stored.difference(needed).next() {
        Some(write) => (write, "still there"),
        None => (needed.difference(stored).next()?, "missing"),
    };
    let (what, key) = (if write.deleted { "deletion" } else { "put" }, quoted(&write.key));
    Some(format!("after {compacted} the {what} of {key} at {} is {how}", write.revision))
}

/// The keys that exist, by the index and the records. A read could be refused: a revision that went back may be compacted.
fn present_keys(store: &Store, backend: &Backend) -> Result<Vec<KeyValue>, Fatal> {
    let all = Keys::From(Vec::new());
    let present = store.index().range(&all, i64::MAX);
    present.map(|(_, revision)| record_at(backend, revision)).collect()
}

/// Whether the index in memory is the one that a restart would build, as far as a compaction that was accepted keeps it.
pub(super) fn index_agrees(store: &Store, backend: &Backend) -> Checked {
    let rebuilt = match restore(backend, Defects::NONE, usize::MAX) {
        Ok(restored) => restored.store,
        Err(fatal) => return Checked::Broken("unreadable", fatal.to_string()),
    };
    let rule = store.defects().head_tombstone();
    let (mut held, mut rebuilt) = (store.index().clone(), rebuilt.index().clone());
    held.compact(store.compacted(), rule);
    rebuilt.compact(store.compacted(), rule);
    let (held, rebuilt) = (held.as_restored(), rebuilt.as_restored());
    let key = held.keys().map(|(key, _)| key).chain(rebuilt.keys().map(|(key, _)| key));
    let of = |index: &super::index::Index, key: &[u8]| {
        index.keys().find(|(other, _)| *other == key).map(|(_, index)| index.clone())
    };
    let mut differing = key.filter(|key| of(&held, key) != of(&rebuilt, key));
    let differs = differing.next().map(|key| {
        let (held, rebuilt) = (of(&held, key), of(&rebuilt, key));
        format!("of {}: {held:?}, by the records {rebuilt:?}", quoted(key))
    });
    verdict("differs", differs)
}

#[cfg(test)]
mod tests;
