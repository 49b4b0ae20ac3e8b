//! The reference model: what every request has to answer, by keeping the whole state of every revision.
//!
//! It is short and slow, and it knows nothing of the implementation: it shares with it only the words of `op.rs` and
//! `response.rs`, and the names of the eras in `rules.rs`. A run is judged by folding it over the requests that took
//! effect, in the order in which they did. `history` has what watchers must see, `hash` what replicas must agree on.

use std::collections::{BTreeMap, BTreeSet};

use super::op::{Action, Compare, Field, Get, Grant, Keys, Op, Put, Relation, Request, Txn};
use super::response::{Found, KeyValue, OpError, Outcome, Response};
use super::rules::Rules;

mod explicit;
mod hash;
mod history;

pub use explicit::Explicit;
pub use hash::StoreHash;
pub use history::{Event, Placed, Watched};

/// All keys of one revision.
pub type State = BTreeMap<Vec<u8>, KeyValue>;

/// A put or a deletion of one key. Only an explicit transaction does both, or one of them twice; the last one counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Write {
    /// The revision that it made.
    pub revision: i64,
    /// The key.
    pub key: Vec<u8>,
    /// Whether it ended the key's life.
    pub deleted: bool,
}

/// Every revision since the beginning, and the floor below which nothing can be read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    rules: Rules,
    states: BTreeMap<i64, State>,
    /// What each revision changed, in order: the position of an event is the second part of its revision.
    events: BTreeMap<i64, Vec<Event>>,
    compacted: i64,
    /// The seconds of each lease; none if leases are only numbers beside the values.
    leases: Option<BTreeMap<i64, i64>>,
}

impl Default for Reference {
    fn default() -> Reference {
        Reference::new()
    }
}

impl Reference {
    /// A store that was never written: revision 1 without keys.
    pub fn new() -> Reference {
        Reference::of(Rules::Main)
    }

    /// A store that was never written, by the rules of an era.
    pub fn of(rules: Rules) -> Reference {
        let states = BTreeMap::from([(rules.empty_revision(), State::new())]);
        Reference { rules, states, events: BTreeMap::new(), compacted: -1, leases: None }
    }

    /// A store of which everything up to a revision was deleted and compacted.
    pub fn emptied(rules: Rules, revision: i64) -> Reference {
        let states = BTreeMap::from([(revision, State::new())]);
        Reference { states, compacted: revision, ..Reference::of(rules) }
    }

    /// The rules that it goes by.
    pub fn rules(&self) -> Rules {
        self.rules
    }

    /// The same store with leases, of which there are none yet.
    pub fn with_leases(self) -> Reference {
        Reference { leases: Some(BTreeMap::new()), ..self }
    }

    /// The same keys with the leases of another store.
    pub fn with_leases_of(self, other: &Reference) -> Reference {
        Reference { leases: other.leases.clone(), ..self }
    }

    /// The leases that there are, each with its seconds.
    pub fn leases(&self) -> impl Iterator<Item = (i64, i64)> {
        self.leases.iter().flatten().map(|(lease, ttl)| (*lease, *ttl))
    }

    /// The keys that a lease takes along when it ends, ascending: those whose last value names it.
    pub fn attached(&self, lease: i64) -> impl Iterator<Item = &[u8]> {
        let now = &self.states[&self.current()];
        now.values().filter(move |kv| kv.lease == lease).map(|kv| kv.key.as_slice())
    }

    /// The store after these requests, whatever they were answered.
    pub fn after<'a>(self, requests: impl IntoIterator<Item = &'a Request>) -> Reference {
        let mut reference = self;
        for request in requests {
            let _ = reference.apply(request);
        }
        reference
    }

    /// The newest revision.
    pub fn current(&self) -> i64 {
        *self.states.keys().next_back().expect("there is a first revision")
    }

    /// The floor; -1 if nothing was ever compacted.
    pub fn compacted(&self) -> i64 {
        self.compacted
    }

    /// The least revision that something can begin at, which may or may not begin right at the compacted one.
    fn floor(&self, may_begin_at_compacted: bool) -> i64 {
        self.compacted + i64::from(self.compacted >= 0 && !may_begin_at_compacted)
    }

    /// All keys at a revision, whether or not it can still be read; none above the current revision or below 1.
    pub fn at(&self, revision: i64) -> Option<&State> {
        self.states.get(&revision)
    }

    /// What has to be kept of the writes up to a revision once nothing below it is read any more: those that hold there, and
    /// since 2024 the deletions right there, which a watcher that begins there must see.
    pub fn needed(&self, at: i64) -> BTreeSet<Write> {
        let none = State::new();
        let now = self.at(at).unwrap_or(&none);
        let write =
            |revision, key: &Vec<u8>, deleted| Write { revision, key: key.clone(), deleted };
        let holds = now.values().map(|kv| write(kv.mod_revision, &kv.key, false));
        let kept = self.rules.keeps_head_tombstone();
        let there = self.events.get(&at).into_iter().flatten().map(|event| &event.kv.key);
        let gone = there.filter(|key| kept && !now.contains_key(*key));
        holds.chain(gone.map(|key| write(at, key, true))).collect()
    }

    /// Takes back everything that came after the time when these were the newest revision and the floor, apart from
    /// leases, which make no revisions.
    pub fn roll_back(&mut self, current: i64, compacted: i64) {
        self.states.retain(|revision, _| *revision <= current);
        self.events.retain(|revision, _| *revision <= current);
        self.compacted = compacted;
    }

    /// Does a request and answers it.
    pub fn apply(&mut self, request: &Request) -> Outcome {
        match request {
            Op::Single(action) => {
                let actions = vec![action.clone()];
                let txn = Txn { compares: Vec::new(), success: actions, failure: Vec::new() };
                match self.txn(&txn)? {
                    Response::Txn { mut results, .. } => Ok(results.remove(0)),
                    other => Ok(other),
                }
            }
            Op::Txn(txn) => self.txn(txn),
            Op::Compact(at) if *at <= self.compacted => Err(OpError::Compacted),
            Op::Compact(at) if *at > self.current() => Err(OpError::FutureRevision),
            Op::Compact(at) => {
                self.compacted = *at;
                Ok(Response::Compacted { revision: self.current() })
            }
            Op::Close => Ok(Response::Closed),
            Op::Grant(grant) => self.grant(*grant),
            Op::Revoke(lease) => self.revoke(*lease),
        }
    }

    fn grant(&mut self, Grant { lease, ttl }: Grant) -> Outcome {
        let revision = self.current();
        match &mut self.leases {
            Some(leases) if lease != 0 => {
                if leases.contains_key(&lease) {
                    return Err(OpError::LeaseExists);
                }
                leases.insert(lease, ttl);
                Ok(Response::Granted { revision })
            }
            _ => Err(OpError::LeaseNotFound),
        }
    }

    fn revoke(&mut self, lease: i64) -> Outcome {
        if self.leases.as_mut().is_none_or(|leases| leases.remove(&lease).is_none()) {
            return Err(OpError::LeaseNotFound);
        }
        let mut draft = self.draft();
        draft.delete(|kv| kv.lease == lease);
        Ok(Response::Revoked { revision: self.end(draft) })
    }

    fn draft(&self) -> Draft {
        let before = self.current();
        Draft { state: self.states[&before].clone(), before, events: Vec::new() }
    }

    /// What a transaction did becomes a revision, if it did anything. Answers the revision afterwards.
    fn end(&mut self, draft: Draft) -> i64 {
        let revision = draft.revision();
        if !draft.events.is_empty() {
            self.states.insert(revision, draft.state);
            self.events.insert(revision, draft.events);
        }
        revision
    }

    /// Does what a server has accepted although it should have refused a transaction that writes one key twice.
    pub fn apply_unchecked(&mut self, txn: &Txn<i64>) -> Outcome {
        self.run(txn)
    }

    fn txn(&mut self, txn: &Txn<i64>) -> Outcome {
        refuse_empty_keys(txn)?;
        refuse_double_writes(&txn.success)?;
        refuse_double_writes(&txn.failure)?;
        self.run(txn)
    }

    fn run(&mut self, txn: &Txn<i64>) -> Outcome {
        let now = &self.states[&self.current()];
        let succeeded = txn.compares.iter().all(|compare| holds(now, compare));
        let branch = if succeeded { &txn.success } else { &txn.failure };
        for action in branch {
            if let (Action::Put(put), Some(leases)) = (action, &self.leases)
                && put.lease != 0
                && !leases.contains_key(&put.lease)
            {
                return Err(OpError::LeaseNotFound);
            }
        }
        for action in branch {
            let Action::Get(Get { at: Some(at), .. }) = action else { continue };
            if *at > self.current() {
                return Err(OpError::FutureRevision);
            }
            let floor = self.floor(self.rules.reads_at_compacted());
            if 0 < *at && *at < floor {
                return Err(OpError::Compacted);
            }
        }

        let mut draft = self.draft();
        let results = branch.iter().map(|action| self.act(&mut draft, action)).collect();
        Ok(Response::Txn { revision: self.end(draft), succeeded, results })
    }

    fn act(&self, draft: &mut Draft, action: &Action<i64>) -> Response {
        match action {
            Action::Put(put) => {
                draft.put(put);
                Response::Put { revision: draft.revision() }
            }
            Action::Delete(keys) => {
                let count = draft.delete(|kv| is_among(keys, &kv.key));
                Response::Deleted { revision: draft.revision(), count }
            }
            Action::Get(get) => {
                let past = get.at.filter(|at| *at > 0).map(|at| &self.states[&at]);
                Response::Range(read(past.unwrap_or(&draft.state), get, draft.revision()))
            }
        }
    }
}

/// The state inside a transaction.
#[derive(Clone, Debug)]
struct Draft {
    state: State,
    /// The revision before the transaction.
    before: i64,
    events: Vec<Event>,
}

impl Draft {
    fn revision(&self) -> i64 {
        self.before + i64::from(!self.events.is_empty())
    }

    fn put(&mut self, put: &Put) {
        let revision = self.before + 1;
        let old = self.state.get(&put.key);
        let kv = KeyValue {
            key: put.key.clone(),
            create_revision: old.map_or(revision, |old| old.create_revision),
            mod_revision: revision,
            version: old.map_or(0, |old| old.version) + 1,
            value: put.value.clone(),
            lease: put.lease,
        };
        self.state.insert(put.key.clone(), kv.clone());
        self.events.push(Event { deleted: false, kv });
    }

    /// Deletes what these are, ascending, and answers how many there were.
    fn delete(&mut self, which: impl Fn(&KeyValue) -> bool) -> i64 {
        let gone: Vec<Vec<u8>> =
            self.state.values().filter(|kv| which(kv)).map(|kv| kv.key.clone()).collect();
        let mod_revision = self.before + 1;
        for key in &gone {
            self.state.remove(key);
            let kv = KeyValue { key: key.clone(), mod_revision, ..KeyValue::default() };
            self.events.push(Event { deleted: true, kv });
        }
        i64::try_from(gone.len()).expect("few keys")
    }
}

fn read(state: &State, get: &Get<i64>, revision: i64) -> Found {
    let all: Vec<KeyValue> =
        state.values().filter(|kv| is_among(&get.keys, &kv.key)).cloned().collect();
    let count = i64::try_from(all.len()).expect("few keys");
    if get.count_only {
        return Found { revision, count, more: false, kvs: Vec::new() };
    }
    let more = get.limit > 0 && count > get.limit;
    let wanted = if more { usize::try_from(get.limit).expect("above zero") } else { all.len() };
    Found { revision, count, more, kvs: all.into_iter().take(wanted).collect() }
}

fn is_among(keys: &Keys, key: &[u8]) -> bool {
    match keys {
        Keys::One(one) => key == one,
        Keys::Span(first, end) => key >= first.as_slice() && key < end.as_slice(),
        Keys::From(first) => key >= first.as_slice(),
    }
}

fn refuse_empty_keys(txn: &Txn<i64>) -> Result<(), OpError> {
    let compared = txn.compares.iter().map(|compare| compare.keys.first());
    let touched = txn.success.iter().chain(&txn.failure).map(|action| match action {
        Action::Put(put) => put.key.as_slice(),
        Action::Get(get) => get.keys.first(),
        Action::Delete(keys) => keys.first(),
    });
    if compared.chain(touched).any(<[u8]>::is_empty) { Err(OpError::EmptyKey) } else { Ok(()) }
}

fn refuse_double_writes(branch: &[Action<i64>]) -> Result<(), OpError> {
    let mut put = Vec::new();
    for action in branch {
        if let Action::Put(action) = action {
            if put.contains(&&action.key) {
                return Err(OpError::DuplicateKey);
            }
            put.push(&action.key);
        }
    }
    for action in branch {
        if let Action::Delete(keys) = action
            && put.iter().any(|key| is_among(keys, key))
        {
            return Err(OpError::DuplicateKey);
        }
    }
    Ok(())
}

fn holds(state: &State, compare: &Compare<i64>) -> bool {
    let mut kvs: Vec<KeyValue> =
        state.values().filter(|kv| is_among(&compare.keys, &kv.key)).cloned().collect();
    if kvs.is_empty() {
        if let Field::Value(_) = compare.field {
            return false;
        }
        kvs.push(KeyValue::default());
    }
    kvs.iter().all(|kv| match &compare.field {
        Field::Version(version) => relates(compare.relation, &kv.version, version),
        Field::Created(revision) => relates(compare.relation, &kv.create_revision, revision),
        Field::Modified(revision) => relates(compare.relation, &kv.mod_revision, revision),
        Field::Value(value) => relates(compare.relation, &kv.value, value),
        Field::Lease(lease) => relates(compare.relation, &kv.lease, lease),
    })
}

fn relates<T: Ord>(relation: Relation, left: &T, right: &T) -> bool {
    match relation {
        Relation::Equal => left == right,
        Relation::NotEqual => left != right,
        Relation::Less => left < right,
        Relation::Greater => left > right,
    }
}

#[cfg(test)]
mod tests;
