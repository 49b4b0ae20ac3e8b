//! The reference model: what every request has to answer, by keeping the whole state of every revision.
//!
//! It is short and slow, and it knows nothing of the implementation: it shares with it only the words of `op.rs` and
//! `response.rs`. A run is judged by folding it over the requests that took effect, in the order in which they did.

use std::collections::{BTreeMap, BTreeSet};

use super::op::{Action, Compare, Field, Get, Grant, Keys, Op, Relation, Request, Txn};
use super::response::{Found, KeyValue, OpError, Outcome, Response};

/// All keys of one revision.
pub type State = BTreeMap<Vec<u8>, KeyValue>;

/// A put or a deletion of one key. No transaction does both, or one of them twice.
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
    states: BTreeMap<i64, State>,
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
        Reference { states: BTreeMap::from([(1, State::new())]), compacted: -1, leases: None }
    }

    /// The same store with leases, of which there are none yet.
    pub fn with_leases(self) -> Reference {
        Reference { leases: Some(BTreeMap::new()), ..self }
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

    /// All keys at a revision, whether or not it can still be read; none above the current revision or below 1.
    pub fn at(&self, revision: i64) -> Option<&State> {
        self.states.get(&revision)
    }

    /// What has to be kept of the writes up to a revision once nothing below it is read any more: those that hold there, and
    /// the deletions right there, which a watcher that begins there must see.
    pub fn needed(&self, at: i64) -> BTreeSet<Write> {
        let none = State::new();
        let (now, before) = (self.at(at).unwrap_or(&none), self.at(at - 1).unwrap_or(&none));
        let write =
            |revision, key: &Vec<u8>, deleted| Write { revision, key: key.clone(), deleted };
        let holds = now.values().map(|kv| write(kv.mod_revision, &kv.key, false));
        let gone = before.keys().filter(|key| !now.contains_key(*key));
        holds.chain(gone.map(|key| write(at, key, true))).collect()
    }

    /// Takes back everything that came after the time when these were the newest revision and the floor, apart from
    /// leases, which make no revisions.
    pub fn roll_back(&mut self, current: i64, compacted: i64) {
        self.states.retain(|revision, _| *revision <= current);
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
        let before = self.current();
        let mut state = self.states[&before].clone();
        state.retain(|_, kv| kv.lease != lease);
        if state.len() == self.states[&before].len() {
            return Ok(Response::Revoked { revision: before });
        }
        self.states.insert(before + 1, state);
        Ok(Response::Revoked { revision: before + 1 })
    }

    fn txn(&mut self, txn: &Txn<i64>) -> Outcome {
        refuse_empty_keys(txn)?;
        refuse_double_writes(&txn.success)?;
        refuse_double_writes(&txn.failure)?;
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
            if 0 < *at && *at < self.compacted {
                return Err(OpError::Compacted);
            }
        }

        let mut draft = Draft { state: now.clone(), before: self.current(), written: false };
        let results = branch.iter().map(|action| self.act(&mut draft, action)).collect();
        let revision = draft.revision();
        if draft.written {
            self.states.insert(revision, draft.state);
        }
        Ok(Response::Txn { revision, succeeded, results })
    }

    fn act(&self, draft: &mut Draft, action: &Action<i64>) -> Response {
        match action {
            Action::Put(put) => {
                draft.written = true;
                let revision = draft.revision();
                let kv = draft.state.entry(put.key.clone()).or_default();
                if kv.version == 0 {
                    kv.create_revision = revision;
                }
                kv.key = put.key.clone();
                kv.value = put.value.clone();
                kv.lease = put.lease;
                kv.version += 1;
                kv.mod_revision = revision;
                Response::Put { revision }
            }
            Action::Delete(keys) => {
                let before = draft.state.len();
                draft.state.retain(|key, _| !is_among(keys, key));
                let count = i64::try_from(before - draft.state.len()).expect("few keys");
                draft.written |= count > 0;
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
struct Draft {
    state: State,
    /// The revision before the transaction.
    before: i64,
    written: bool,
}

impl Draft {
    fn revision(&self) -> i64 {
        self.before + i64::from(self.written)
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
