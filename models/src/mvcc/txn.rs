//! Whole requests, one action at a time.
//!
//! ```text
//! Running::begin ── checks, compares on the state before ──▶ step, step, .. ──▶ finish
//! ```
//!
//! A front end takes the locks of the store before `begin` if the request [`writes`], and keeps them until after
//! `finish`. Between two steps other actors may run; that nothing of a half-done transaction becomes visible or
//! durable meanwhile is what the locks are for.

use std::collections::VecDeque;

use super::backend::Backend;
use super::op::{Action, Compare, Field, Get, Grant, Keys, Op, Put, Relation, Request, Txn};
use super::response::{KeyValue, OpError, Outcome, Response};
use super::store::{Fatal, Store, StoreError, WriteTxn};

/// One step of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Step {
    /// Reads or writes keys.
    Act(Action<i64>),
    /// Makes a lease.
    Grant(Grant),
    /// Ends a lease whose keys are deleted.
    End(i64),
}

/// A put, read, deletion, transaction, grant or revoke that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Running {
    /// What is left to do, in order.
    steps: VecDeque<Step>,
    /// Whether all compares held; none for a request that is no transaction.
    succeeded: Option<bool>,
    /// Whether any action can write. Then a refusal is too late.
    writes: bool,
    txn: WriteTxn,
    results: Vec<Response>,
}

impl Running {
    /// Checks an action or a transaction and chooses the branch to take. A refusal means that nothing was done; once
    /// this succeeded, a write cannot fail any more.
    ///
    /// A request that only reads needs no lock between its steps: all of them see the revision that was current here.
    /// They are refused if it is compacted meanwhile.
    ///
    /// # Panics
    ///
    /// If the request is to compact or to close.
    pub fn begin(
        store: &Store,
        backend: &Backend,
        request: &Request,
    ) -> Result<Running, StoreError> {
        check(request)?;
        let (actions, succeeded) = match request {
            Op::Grant(grant) => return Running::grant(store, *grant),
            Op::Revoke(lease) => return Running::revoke(store, *lease),
            Op::Single(action) => (std::slice::from_ref(action), None),
            Op::Txn(txn) => {
                let succeeded = compares_hold(store, backend, &txn.compares)?;
                let branch = if succeeded { &txn.success } else { &txn.failure };
                (branch.as_slice(), Some(succeeded))
            }
            Op::Compact(_) | Op::Close => panic!("compacting and closing are not transactions"),
        };
        for action in actions {
            if let (Action::Put(put), Some(lessor)) = (action, store.lessor()) {
                lessor.check(put.lease)?;
            }
        }
        for action in actions {
            if let Action::Get(get) = action {
                store.readable(get.at.unwrap_or(0), store.current())?;
            }
        }
        Ok(Running {
            steps: actions.iter().cloned().map(Step::Act).collect(),
            succeeded,
            writes: writes(request),
            txn: store.begin(),
            results: Vec::new(),
        })
    }

    fn grant(store: &Store, grant: Grant) -> Result<Running, StoreError> {
        let lessor = store.lessor().ok_or(OpError::LeaseNotFound)?;
        lessor.check_grant(grant.lease)?;
        Ok(Running::of_lease(store, [Step::Grant(grant)].into()))
    }

    /// One transaction deletes the keys in ascending order, which is the same on all replicas (etcd 4f9be9464), and then
    /// the record of the lease.
    fn revoke(store: &Store, id: i64) -> Result<Running, StoreError> {
        let lease = store.lessor().and_then(|lessor| lessor.lease(id));
        let keys = lease.ok_or(OpError::LeaseNotFound)?.keys();
        let deletes = keys.map(|key| Step::Act(Action::Delete(Keys::One(key.to_vec()))));
        Ok(Running::of_lease(store, deletes.chain([Step::End(id)]).collect()))
    }

    fn of_lease(store: &Store, steps: VecDeque<Step>) -> Running {
        Running { steps, succeeded: None, writes: true, txn: store.begin(), results: Vec::new() }
    }

    /// Whether all actions are done.
    pub fn is_done(&self) -> bool {
        self.steps.is_empty()
    }

    /// The transaction of the store.
    pub fn txn(&self) -> &WriteTxn {
        &self.txn
    }

    /// How many records it wrote so far.
    pub fn effects(&self) -> i64 {
        self.txn.effects()
    }

    /// Deletes the keys of a lease in another order, one for each number: which a revoke in etcd once left to a map.
    pub fn reorder_deletions(&mut self, order: u32) {
        let deletions = self.steps.len().saturating_sub(1);
        let Some(by) = (order as usize).checked_rem(deletions) else { return };
        let Some(end) = self.steps.pop_back() else { return };
        self.steps.rotate_left(by);
        self.steps.push_back(end);
    }

    /// Whether the next step makes or ends a lease.
    pub fn is_of_lease(&self) -> bool {
        matches!(self.steps.front(), Some(Step::Grant(_) | Step::End(_)))
    }

    /// Whether all that is left is to end a lease whose keys were deleted.
    pub fn ends_lease(&self) -> bool {
        self.effects() > 0 && self.is_of_lease()
    }

    /// Does the next action, if there is one.
    pub fn step(&mut self, store: &mut Store, backend: &mut Backend) -> Result<(), StoreError> {
        let Some(step) = self.steps.pop_front() else { return Ok(()) };
        let result = match step {
            Step::Act(action) => self.act(action, store, backend)?,
            Step::Grant(grant) => {
                store.lessor_mut().grant(backend, grant)?;
                Response::Granted { revision: self.txn.revision() }
            }
            Step::End(lease) => {
                store.lessor_mut().remove(backend, lease);
                Response::Revoked { revision: self.txn.revision() }
            }
        };
        self.results.push(result);
        Ok(())
    }

    fn act(
        &mut self,
        action: Action<i64>,
        store: &mut Store,
        backend: &mut Backend,
    ) -> Result<Response, StoreError> {
        Ok(match action {
            Action::Put(put) => Response::Put { revision: store.put(backend, &mut self.txn, &put) },
            Action::Delete(keys) => {
                let count = store.delete_range(backend, &mut self.txn, &keys);
                Response::Deleted { revision: self.txn.revision(), count }
            }
            Action::Get(get) => match store.range_in(backend, &self.txn, &get) {
                Err(StoreError::Refused(error)) if self.writes => {
                    return Err(Fatal::HalfWay(error).into());
                }
                other => Response::Range(other?),
            },
        })
    }

    /// Makes the effects visible and answers the client.
    ///
    /// # Panics
    ///
    /// If an action is left.
    pub fn finish(mut self, store: &mut Store) -> Response {
        assert!(self.is_done(), "a transaction ends after its last action");
        let revision = if self.writes { store.end(self.txn) } else { self.txn.revision() };
        match self.succeeded {
            Some(succeeded) => Response::Txn { revision, succeeded, results: self.results },
            None => self.results.pop().expect("a request has a result"),
        }
    }
}

/// Does a whole request at once: what a front end does in steps. A compaction is only scheduled, closing does nothing.
pub fn execute(
    store: &mut Store,
    backend: &mut Backend,
    request: &Request,
) -> Result<Outcome, Fatal> {
    match run(store, backend, request) {
        Ok(response) => Ok(Ok(response)),
        Err(StoreError::Refused(error)) => Ok(Err(error)),
        Err(StoreError::Fatal(fatal)) => Err(fatal),
    }
}

fn run(
    store: &mut Store,
    backend: &mut Backend,
    request: &Request,
) -> Result<Response, StoreError> {
    match request {
        Op::Single(_) | Op::Txn(_) | Op::Grant(_) | Op::Revoke(_) => {
            let mut running = Running::begin(store, backend, request)?;
            while !running.is_done() {
                running.step(store, backend)?;
            }
            Ok(running.finish(store))
        }
        Op::Compact(at) => {
            store.schedule_compaction(backend, *at)?;
            Ok(Response::Compacted { revision: store.current() })
        }
        Op::Close => Ok(Response::Closed),
    }
}

/// Whether a request can write, so that it needs the locks of the store. A transaction can if either branch can.
pub fn writes(request: &Request) -> bool {
    let write = |action: &Action<i64>| match action {
        Action::Put(_) | Action::Delete(_) => true,
        Action::Get(_) => false,
    };
    match request {
        Op::Single(action) => write(action),
        Op::Txn(txn) => txn.success.iter().chain(&txn.failure).any(write),
        Op::Compact(_) | Op::Grant(_) | Op::Revoke(_) => true,
        Op::Close => false,
    }
}

/// What is refused whatever the store holds: a request without a key, and a transaction with a branch that writes one
/// key twice. The branch that is not taken counts, too.
pub fn check(request: &Request) -> Result<(), OpError> {
    match request {
        Op::Single(action) => check_key(action),
        Op::Txn(Txn { compares, success, failure }) => {
            let mut keys = compares.iter().map(|compare| &compare.keys);
            if keys.any(|keys| keys.first().is_empty()) {
                return Err(OpError::EmptyKey);
            }
            success.iter().chain(failure).try_for_each(check_key)?;
            check_overlap(success)?;
            check_overlap(failure)
        }
        Op::Compact(_) | Op::Close | Op::Grant(_) | Op::Revoke(_) => Ok(()),
    }
}

fn check_key(action: &Action<i64>) -> Result<(), OpError> {
    let key = match action {
        Action::Put(put) => &put.key,
        Action::Get(get) => get.keys.first(),
        Action::Delete(keys) => keys.first(),
    };
    if key.is_empty() { Err(OpError::EmptyKey) } else { Ok(()) }
}

/// No key may be put twice, or put and deleted, in whatever order.
fn check_overlap(actions: &[Action<i64>]) -> Result<(), OpError> {
    for (n, action) in actions.iter().enumerate() {
        let Action::Put(Put { key, .. }) = action else { continue };
        let clash = actions.iter().enumerate().any(|(other, action)| match action {
            Action::Put(put) => other != n && put.key == *key,
            Action::Delete(keys) => covers(keys, key),
            Action::Get(_) => false,
        });
        if clash {
            return Err(OpError::DuplicateKey);
        }
    }
    Ok(())
}

/// Whether `key` is one of `keys`.
pub(super) fn covers(keys: &Keys, key: &[u8]) -> bool {
    match keys {
        Keys::One(one) => one == key,
        Keys::Span(first, end) => first.as_slice() <= key && key < end.as_slice(),
        Keys::From(first) => first.as_slice() <= key,
    }
}

fn compares_hold(
    store: &Store,
    backend: &Backend,
    compares: &[Compare<i64>],
) -> Result<bool, StoreError> {
    for Compare { keys, relation, field } in compares {
        let get = Get { keys: keys.clone(), at: None, limit: 0, count_only: false };
        let found = store.range(backend, &get)?;
        let holds = if found.kvs.is_empty() {
            // An absent key has version 0 and no revision, but not even an empty value.
            let is_value = matches!(field, Field::Value(_));
            !is_value && holds(&KeyValue::default(), *relation, field)
        } else {
            found.kvs.iter().all(|kv| holds(kv, *relation, field))
        };
        if !holds {
            return Ok(false);
        }
    }
    Ok(true)
}

fn holds(kv: &KeyValue, relation: Relation, field: &Field<i64>) -> bool {
    let order = match field {
        Field::Version(version) => kv.version.cmp(version),
        Field::Created(revision) => kv.create_revision.cmp(revision),
        Field::Modified(revision) => kv.mod_revision.cmp(revision),
        Field::Value(value) => kv.value.cmp(value),
        Field::Lease(lease) => kv.lease.cmp(lease),
    };
    match relation {
        Relation::Equal => order.is_eq(),
        Relation::NotEqual => order.is_ne(),
        Relation::Less => order.is_lt(),
        Relation::Greater => order.is_gt(),
    }
}

#[cfg(test)]
mod tests;
