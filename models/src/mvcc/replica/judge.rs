//! The judge of a group: the reference model folded over the log, and where each node is in it.
//!
//! ```text
//! entry            1     2     3     4     5     6      the first node that applies one extends the log of the judge
//! outcome          ok    ok    refused ...              what every other node has to say, too
//! position after  (2,-1)(3,-1)(3,-1)(3,2) ...           newest revision, compacted revision; and the leases
//!                        │                 │
//!                     n1 is here         n0 is here     each one after the other, from the consistent index on
//! ```
//!
//! Nothing is ever rolled back: what a node is after an entry, every node is after it, in every life. So a node that lags
//! behind, or comes back with the backend of some entry, is held against what the reference was there.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use seedbed_sim::check::Checked;
use seedbed_sim::id::NodeId;
use seedbed_sim::time::{Span, Time};

use super::consistent_index;
use super::entry::Entry;
use super::note::{GroupNote, Staleness};
use super::terms::Terms;
use crate::mvcc::backend::Backend;
use crate::mvcc::checks::{ANSWERS_AGREE, Done, FILE_OPENS, INDEX_EQUALS_BACKEND};
use crate::mvcc::hash::hash_kv;
use crate::mvcc::judge::{Position, index_agrees, keys_differ, records_are_needed, verdict};
use crate::mvcc::message::AskId;
use crate::mvcc::op::Request;
use crate::mvcc::reference::{Reference, State};
use crate::mvcc::response::{Outcome, Response};
use crate::mvcc::store::Store;
use crate::mvcc::text::quoted;
use crate::mvcc::txn::writes;

/// P.
pub const REPLICAS_AGREE: &str = "all replicas answer an entry of the log alike";
/// C.
pub const EQUALS_LOG: &str = "the backend equals the log up to its consistent index";
/// D.
pub const ACKNOWLEDGED_STAYS: &str =
    "an entry that was acknowledged is in the log after every crash";
/// L.
pub const LEASES_ARE_EXACT: &str = "a key is attached to exactly the lease of its last value";
/// Z.
pub const READS_SEE: &str =
    "a read sees everything that was acknowledged before it, or says which revision it shows";
/// H.
pub const HASHES_AGREE: &str = "replicas have equal hashes at equal revisions";

/// Of leases.
pub const LIVES_ITS_TIME: &str = "a lease lives as long as its client was told";

/// Verdicts on promises.
pub type Verdicts = Vec<(&'static str, Checked)>;

/// Seconds by lease.
type Leases = BTreeMap<i64, i64>;

/// What a store is after some entry.
#[derive(Clone, Debug)]
struct After {
    position: Position,
    leases: Arc<Leases>,
}

/// An entry that was applied, and what came of it.
#[derive(Clone, Debug)]
struct Place {
    entry: Entry,
    outcome: Arc<Outcome>,
    after: After,
}

/// What is known of one node.
#[derive(Clone, Copy, Debug, Default)]
struct Member {
    /// The last entry that it applied in this life, or that its backend had.
    applied: u64,
    /// Its log was durable up to here.
    acknowledged: u64,
}

/// What is known of a group beside its own word.
#[derive(Clone, Debug)]
pub struct GroupJudge {
    reference: Reference,
    /// Before the first entry.
    empty: After,
    log: Vec<Place>,
    members: BTreeMap<NodeId, Member>,
    committed: u64,
    /// The last entry that a client has learned of.
    shown: u64,
    /// Which one that was when clients began to ask.
    wanted: BTreeMap<AskId, u64>,
    reads: Vec<(AskId, Arc<Request>, Arc<Outcome>)>,
    leases: Terms,
}

impl Default for GroupJudge {
    fn default() -> GroupJudge {
        let reference = Reference::new().with_leases();
        let empty = After { position: Position::should(&reference), leases: Arc::default() };
        GroupJudge {
            reference,
            empty,
            log: Vec::new(),
            members: BTreeMap::new(),
            committed: 0,
            shown: 0,
            wanted: BTreeMap::new(),
            reads: Vec::new(),
            leases: Terms::default(),
        }
    }
}

impl GroupJudge {
    /// How long a second of a lease is, if the clocks of all nodes agree.
    pub fn seconds_last(&mut self, second: Option<Span>) {
        self.leases.second = second;
    }

    /// What should have happened.
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// The last entry that any node has applied.
    pub fn last(&self) -> u64 {
        self.log.len() as u64
    }

    /// The last entry that the agreement knows to be committed.
    pub fn committed(&self) -> u64 {
        self.committed
    }

    /// What was done for clients: entries, and reads.
    pub(in crate::mvcc) fn done(&self) -> Vec<Done<'_>> {
        let entries = self.log.iter().filter_map(|place| {
            let proposal = &place.entry.proposal;
            Some((proposal.ask?, &proposal.request, &place.outcome))
        });
        let reads = self.reads.iter().map(|(ask, request, outcome)| (*ask, &**request, outcome));
        entries.chain(reads).collect()
    }

    /// An actor of a node, with this store, or a client states something.
    pub fn hear(
        &mut self,
        node: NodeId,
        note: &GroupNote,
        (store, at): (Option<&Store>, Time),
    ) -> Verdicts {
        match note {
            GroupNote::Applied(entry, outcome) => store
                .map_or(Vec::new(), |store| self.applied_at(node, (entry, outcome), (store, at))),
            GroupNote::Renewing(ask, _) => {
                self.leases.renewing(*ask, at);
                Vec::new()
            }
            GroupNote::Renewed(ask, lease, lasts) => {
                self.leases.renewed(*ask, *lease, *lasts);
                Vec::new()
            }
            GroupNote::Compared(one, other) => {
                let differs = (one.hash != other.hash).then(|| format!("{one:?}, {other:?}"));
                vec![(HASHES_AGREE, verdict("of two nodes", differs))]
            }
            GroupNote::LogDamaged(damage) => {
                vec![(FILE_OPENS, Checked::Broken("log damaged", damage.to_string()))]
            }
            GroupNote::Wanted(ask) => {
                self.wanted.insert(*ask, self.shown);
                Vec::new()
            }
            GroupNote::Read(ask, request, outcome, applied, staleness) => {
                self.reads.push((*ask, request.clone(), outcome.clone()));
                let newest = *staleness == Staleness::Newest;
                let needed = if newest { self.needed(*ask) } else { 0 };
                if newest {
                    self.shown = self.shown.max(*applied);
                }
                vec![(READS_SEE, self.read((request, outcome), *applied, needed))]
            }
            GroupNote::Told(ask, index, outcome) => {
                self.shown = self.shown.max(*index);
                vec![(ANSWERS_AGREE, self.told(*ask, *index, outcome))]
            }
            GroupNote::Acknowledged(last) => {
                let member = self.member(node);
                member.acknowledged = member.acknowledged.max(*last);
                Vec::new()
            }
            GroupNote::LogOpened(_, last) => {
                let acknowledged = self.member(node).acknowledged;
                let lost = (*last < acknowledged)
                    .then(|| format!("{acknowledged} was, and the log ends at {last}"));
                vec![(ACKNOWLEDGED_STAYS, verdict("gone", lost))]
            }
            GroupNote::Committed(index) => {
                self.committed = self.committed.max(*index);
                Vec::new()
            }
            GroupNote::Lost(index) => {
                let detail = format!("no node has what was committed behind {index}");
                vec![(ACKNOWLEDGED_STAYS, Checked::Broken("lost by all", detail))]
            }
        }
    }

    fn member(&mut self, node: NodeId) -> &mut Member {
        self.members.entry(node).or_default()
    }

    fn place(&self, index: u64) -> Option<&Place> {
        self.log.get(usize::try_from(index.checked_sub(1)?).ok()?)
    }

    /// What every store is after an entry; none if nobody has applied it.
    fn after(&self, index: u64) -> Option<&After> {
        if index == 0 { Some(&self.empty) } else { self.place(index).map(|place| &place.after) }
    }

    /// All keys after an entry.
    fn state(&self, after: &After) -> &State {
        let state = self.reference.at(after.position.current);
        state.expect("the reference was there, and goes back never")
    }

    /// The reference as it was after an entry, but for the leases.
    fn as_of(&self, after: &After) -> Cow<'_, Reference> {
        let Position { current, compacted } = after.position;
        if after.position == Position::should(&self.reference) {
            return Cow::Borrowed(&self.reference);
        }
        let mut past = self.reference.clone();
        past.roll_back(current, compacted);
        Cow::Owned(past)
    }

    fn applied_at(
        &mut self,
        node: NodeId,
        (entry, outcome): (&Entry, &Arc<Outcome>),
        (store, at): (&Store, Time),
    ) -> Verdicts {
        let is_first = entry.index > self.last();
        let mut verdicts = self.applied(node, (entry, outcome), store);
        if is_first && outcome.is_ok() {
            verdicts.push((LIVES_ITS_TIME, self.leases.applied(&entry.proposal, at)));
        }
        verdicts
    }

    fn applied(
        &mut self,
        node: NodeId,
        (entry, outcome): (&Entry, &Arc<Outcome>),
        store: &Store,
    ) -> Verdicts {
        let (index, last) = (entry.index, self.last());
        let before = std::mem::replace(&mut self.member(node).applied, index);
        let skipped = (index != before + 1).then(|| format!("entry {index} came after {before}"));
        let out_of_order = skipped.is_some() || index > last + 1;
        let mut verdicts = vec![(EQUALS_LOG, verdict("out of order", skipped))];
        if out_of_order {
            return verdicts;
        }
        if index == last + 1 {
            verdicts.push((ANSWERS_AGREE, self.extend(entry, outcome, store)));
        } else {
            verdicts.push((REPLICAS_AGREE, self.again(entry, outcome, store)));
        }
        verdicts.push((LEASES_ARE_EXACT, self.leases(store, index)));
        verdicts
    }

    /// The first node has applied an entry: the reference does it, too.
    fn extend(&mut self, entry: &Entry, outcome: &Arc<Outcome>, store: &Store) -> Checked {
        let expected = self.reference.apply(&entry.proposal.request);
        let position = Position::should(&self.reference);
        let before = self.after(self.last()).map(|after| after.leases.clone());
        let now: Leases = self.reference.leases().collect();
        let leases = before.filter(|before| **before == now).unwrap_or_else(|| Arc::new(now));
        let after = After { position, leases };
        let alike = same_effect(&expected, outcome);
        let outcome_is =
            if expected == **outcome { outcome.clone() } else { Arc::new(expected.clone()) };
        self.log.push(Place { entry: entry.clone(), outcome: outcome_is, after });
        if !alike {
            let detail = format!("{entry} gave {outcome:?}, and the reference {expected:?}");
            return Checked::Broken("wrong answer", detail);
        }
        let found = Position::of(store);
        let moved = (found != position)
            .then(|| format!("{entry} led to {found}, and the reference to {position}"));
        verdict("another position", moved)
    }

    /// A later node has applied an entry.
    fn again(&self, entry: &Entry, outcome: &Arc<Outcome>, store: &Store) -> Checked {
        let first = self.place(entry.index).expect("somebody has applied it before");
        if first.entry != *entry {
            let detail = format!("{entry} here, and {} elsewhere", first.entry);
            return Checked::Broken("another entry", detail);
        }
        if !same_effect(&first.outcome, outcome) {
            let detail = format!("{entry} gave {outcome:?}, and elsewhere {:?}", first.outcome);
            return Checked::Broken("another answer", detail);
        }
        let (found, expected) = (Position::of(store), first.after.position);
        let moved = (found != expected)
            .then(|| format!("{entry} led to {found}, and elsewhere to {expected}"));
        verdict("another position", moved)
    }

    /// Whether leases and the keys attached to them are those after an entry.
    fn leases(&self, store: &Store, index: u64) -> Checked {
        let Some(after) = self.after(index) else { return Checked::Skipped };
        verdict("differs", leases_differ(store, &after.leases, self.state(after)))
    }

    /// A client is told what came of its entry.
    fn told(&self, ask: AskId, index: u64, outcome: &Arc<Outcome>) -> Checked {
        let place = self.place(index);
        let of = |place: &&Place| place.entry.proposal.ask.is_some_and(|of| of.op == ask.op);
        let right = place.filter(of).is_some_and(|place| place.outcome == *outcome);
        let otherwise = (!right).then(|| {
            let entry = place.map(|place| (&place.entry, &place.outcome));
            format!("{ask} of entry {index}: {outcome:?}, and there is {entry:?}")
        });
        verdict("told otherwise", otherwise)
    }

    /// Up to where everything had been acknowledged when the client began to ask.
    fn needed(&self, ask: AskId) -> u64 {
        let wanted = self.wanted.range(..=ask).next_back();
        wanted.filter(|(wanted, _)| wanted.op == ask.op).map_or(0, |(_, shown)| *shown)
    }

    /// A node has answered a read from what it had applied up to an entry.
    fn read(
        &self,
        (request, outcome): (&Request, &Arc<Outcome>),
        applied: u64,
        needed: u64,
    ) -> Checked {
        if applied < needed {
            let detail = format!("`{request}` saw entry {applied}, and {needed} was acknowledged");
            return Checked::Broken("too old", detail);
        }
        if writes(request) {
            return Checked::Broken("written past the log", format!("`{request}`"));
        }
        let Some(after) = self.after(applied) else {
            let detail = format!("`{request}` saw entry {applied}");
            return Checked::Broken("never applied", detail);
        };
        let expected = self.as_of(after).into_owned().apply(request);
        let wrong = (expected != **outcome).then(|| {
            let at = after.position;
            format!("`{request}` at {at} gave {outcome:?}, and the reference {expected:?}")
        });
        verdict("another state", wrong)
    }

    /// A node has restored its store, from its own file or from one of another node.
    pub fn opened(&mut self, node: NodeId, store: &Store, backend: &Backend) -> Verdicts {
        let index = consistent_index(backend);
        self.member(node).applied = index;
        let mut verdicts = vec![(INDEX_EQUALS_BACKEND, index_agrees(store, backend))];
        if index > self.committed {
            let detail = format!("it is {index}, and {} is committed", self.committed);
            verdicts.push((EQUALS_LOG, Checked::Broken("not committed", detail)));
            return verdicts;
        }
        let Some(after) = self.after(index) else {
            let detail = format!("it is {index}, and nobody has applied that");
            verdicts.push((EQUALS_LOG, Checked::Broken("never applied", detail)));
            return verdicts;
        };
        let (found, expected) = (Position::of(store), after.position);
        let equals = if found == expected {
            let differs = keys_differ(store, backend, self.state(after));
            verdict("differs", differs.map(|how| format!("after entry {index}, {how}")))
        } else {
            let detail = format!("after entry {index} it is at {found}, not at {expected}");
            Checked::Broken("another position", detail)
        };
        verdicts.push((EQUALS_LOG, equals));
        verdicts.push((LEASES_ARE_EXACT, self.leases(store, index)));
        verdicts.push((HASHES_AGREE, self.hash(node, store, backend)));
        verdicts
    }

    /// A node has done the last batch of a compaction. The state at that revision is the same on all nodes, however far
    /// this one is.
    pub fn compacted(
        &self,
        node: NodeId,
        at: i64,
        (store, backend): (&Store, &Backend),
    ) -> Verdicts {
        let rule = store.defects().head_tombstone();
        vec![
            (INDEX_EQUALS_BACKEND, records_are_needed(&self.reference, backend, at, rule)),
            (INDEX_EQUALS_BACKEND, index_agrees(store, backend)),
            (HASHES_AGREE, self.hash(node, store, backend)),
        ]
    }

    /// Whether the hash of a node at its newest revision is that of the reference where the node is.
    ///
    /// Where no key is left it is not compared: of a real store it tells there how far a compaction has come, which the
    /// reference does as well, and no replica here.
    fn hash(&self, node: NodeId, store: &Store, backend: &Backend) -> Checked {
        let applied = self.members.get(&node).map_or(0, |member| member.applied);
        let Some(after) = self.after(applied) else { return Checked::Skipped };
        if after.position != Position::of(store) || self.state(after).is_empty() {
            return Checked::Skipped;
        }
        let expected = self.as_of(after).hash(0).expect("the newest revision can be hashed");
        let differs = match hash_kv(store, backend, 0) {
            Ok(found) => (found.hash != expected.hash).then(|| {
                let (at, found, expected) = (after.position, found.hash, expected.hash);
                format!("at {at} it is {found}, and by the reference {expected}")
            }),
            Err(error) => Some(error.to_string()),
        };
        verdict("differs", differs)
    }
}

/// Whether two outcomes of an entry tell of the same effect. Where nobody waits for the answer what was read may be left out
/// of it: it is no effect.
fn same_effect(one: &Outcome, other: &Outcome) -> bool {
    match (one, other) {
        (
            Ok(Response::Txn { revision, succeeded, results }),
            Ok(Response::Txn { revision: r, succeeded: s, results: others }),
        ) => {
            (revision, succeeded) == (r, s) && (results.len() != others.len() || results == others)
        }
        _ => one == other,
    }
}

/// How leases and the keys attached to them differ from those that there should be.
fn leases_differ(store: &Store, leases: &Leases, state: &State) -> Option<String> {
    let Some(lessor) = store.lessor() else { return Some("the store has no lessor".to_owned()) };
    let found: Leases = lessor.leases().map(|(id, lease)| (id, lease.ttl())).collect();
    if found != *leases {
        return Some(format!("there are {found:?} with their seconds, not {leases:?}"));
    }
    for (id, lease) in lessor.leases() {
        let attached = state.values().filter(|kv| kv.lease == id).map(|kv| kv.key.as_slice());
        if !attached.clone().eq(lease.keys()) {
            let words = |keys: Vec<&[u8]>| -> String {
                keys.into_iter().map(|key| format!(" {}", quoted(key))).collect()
            };
            let [are, should] = [words(lease.keys().collect()), words(attached.collect())];
            return Some(format!("attached to {id} is{are}, and should be{should}"));
        }
    }
    None
}

#[cfg(test)]
mod tests;
