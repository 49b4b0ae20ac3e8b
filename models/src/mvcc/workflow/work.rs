//! What a caller does with the store: requests, explicit transactions, hashes and history.

use std::sync::Arc;

use seedbed_sim::actor::Context;

use super::caller::{Answer, Caller, Errand, State, What};
use super::usage::{Kept, Refusal, Reply, Usage, Use, Used};
use crate::mvcc::hash::hash_kv;
use crate::mvcc::message::{Lock, Msg, Timer};
use crate::mvcc::model::Mvcc;
use crate::mvcc::op::{Action, Op, Request};
use crate::mvcc::response::{OpError, Outcome, Response};
use crate::mvcc::store::{Fatal, StoreError};
use crate::mvcc::txn::{check, execute};
use crate::mvcc::{bugs, mark, point};

impl Caller {
    /// The locks are held.
    pub(super) fn work(&mut self, errand: Errand, cx: &mut Context<'_, Mvcc>) {
        match errand.what.clone() {
            What::Plain(request) => self.request(errand, &request, cx),
            What::Use(usage) => match &*usage {
                Usage::Begin => self.begin_txn(errand, cx),
                Usage::Inside(action, _) => self.inside(errand, action, cx),
                Usage::End(_) => {
                    let revision = self.end_txn(cx);
                    self.done(errand, Answer::Use(Arc::new(Ok(Reply::Ended(revision)))), cx);
                }
                Usage::Hash(_) | Usage::History(_) => {
                    let Ok(used) = self.look(&usage, cx) else { return };
                    self.done(errand, Answer::Use(Arc::new(used)), cx);
                }
                Usage::Snapshot | Usage::Defrag | Usage::Commit => {
                    self.state = State::Flushing(errand);
                    cx.send(self.mates.committer, Msg::Commit);
                }
            },
        }
    }

    fn request(&mut self, errand: Errand, request: &Request, cx: &mut Context<'_, Mvcc>) {
        let (store, backend, library) = cx.shared().using().expect("the locks are held");
        let outcome = if let Op::Compact(at) = *request {
            store.schedule_compaction(backend, at).map(|scheduled| {
                library.accept(scheduled);
                Response::Compacted { revision: store.current() }
            })
        } else {
            match execute(store, backend, request) {
                Ok(outcome) => outcome,
                Err(fatal) => return cx.abort(fatal.class()),
            }
        };
        self.done(errand, Answer::Plain(Arc::new(outcome)), cx);
    }

    /// What a hash or a part of the history is, or an error that has ended the process.
    fn look(&mut self, usage: &Use, cx: &mut Context<'_, Mvcc>) -> Result<Used, Fatal> {
        let buffer = self.manner.read_buffer;
        let (store, backend, library) = cx.shared().using().expect("it is open");
        let looked = match usage {
            Usage::Hash(at) => {
                let at = at.unwrap_or(0);
                // Zero asks for the newest, not for a hash that was kept of a revision 0.
                match library.hashes.get(at).filter(|_| at != 0) {
                    Some(hash) => Ok(Reply::Hash(hash, Kept::Yes)),
                    None => hash_kv(store, backend, at).map(|hash| Reply::Hash(hash, Kept::No)),
                }
            }
            Usage::History(part) if buffer => {
                store.range_history(&backend.readers(), &part.query()).map(Reply::History)
            }
            Usage::History(part) => store.range_history(backend, &part.query()).map(Reply::History),
            _ => unreachable!("nothing else looks"),
        };
        let used = match looked {
            Ok(reply) => Ok(reply),
            Err(StoreError::Refused(refusal)) => Err(Refusal::Store(refusal)),
            Err(StoreError::Fatal(fatal)) => {
                cx.abort(fatal.class());
                return Err(fatal);
            }
        };
        mark_look(usage, &used, cx);
        Ok(used)
    }

    /// Reads without a lock.
    pub(super) fn read(&mut self, cx: &mut Context<'_, Mvcc>) {
        let State::Reading(errand) = std::mem::replace(&mut self.state, State::Idle) else {
            unreachable!("it was about to read")
        };
        let Some((store, backend, _)) = cx.shared().using() else {
            return self.turn_away(errand, cx);
        };
        match errand.what.clone() {
            What::Plain(request) => {
                let Op::Single(Action::Get(get)) = &*request else {
                    unreachable!("nothing else is read without a lock")
                };
                let found = check(&request).map_err(StoreError::from);
                let pending = !backend.pending().is_empty();
                let outcome = match found.and_then(|()| store.range(&backend.readers(), get)) {
                    Ok(found) => Ok(Response::Range(found)),
                    Err(StoreError::Refused(refusal)) => Err(refusal),
                    Err(StoreError::Fatal(fatal)) => return cx.abort(fatal.class()),
                };
                if pending {
                    cx.mark(&mark::READ_PENDING);
                }
                self.plain_at_once(errand, &request, Arc::new(outcome), cx);
            }
            What::Use(usage) => {
                let Ok(used) = self.look(&usage, cx) else { return };
                self.use_at_once(errand, used, cx);
            }
        }
    }

    fn begin_txn(&mut self, errand: Errand, cx: &mut Context<'_, Mvcc>) {
        let (store, _, library) = cx.shared().using().expect("the locks are held");
        let id = library.txn.begin(store).expect("whoever holds the lock of the store is alone");
        self.txn = Some(id);
        cx.shared().in_txn = true;
        cx.point(&point::TXN_BEGUN);
        self.use_at_once(errand, Ok(Reply::Begun(id.0)), cx);
    }

    fn inside(&mut self, errand: Errand, action: &Action<i64>, cx: &mut Context<'_, Mvcc>) {
        let id = self.txn.expect("its transaction is open");
        let (store, backend, library) = cx.shared().using().expect("the locks are held");
        let txn = library.txn.held(id).expect("it is the one that is open");
        let result = check(&Op::Single(action.clone())).map_err(StoreError::from);
        let result = result.and_then(|()| match action {
            Action::Put(put) => Ok(Response::Put { revision: store.put(backend, txn, put) }),
            Action::Delete(keys) => {
                let count = store.delete_range(backend, txn, keys);
                Ok(Response::Deleted { revision: txn.revision(), count })
            }
            Action::Get(get) => store.range_in(backend, txn, get).map(Response::Range),
        });
        let used = match result {
            Ok(response) => Ok(Reply::Inside(response)),
            Err(StoreError::Refused(refusal)) => Err(Refusal::Store(refusal)),
            Err(StoreError::Fatal(fatal)) => return cx.abort(fatal.class()),
        };
        cx.point(&point::ACTION_DONE);
        if cx.bug(&bugs::COMMIT_INSIDE_TRANSACTION) {
            self.state = State::Relocking(errand, used);
            cx.unlock(Lock::Backend);
            return cx.lock(Lock::Backend);
        }
        self.use_at_once(errand, used, cx);
    }

    /// Ends the transaction that is open; the locks are still held.
    pub(super) fn end_txn(&mut self, cx: &mut Context<'_, Mvcc>) -> i64 {
        let id = self.txn.take().expect("its transaction is open");
        cx.disarm(Timer::Alone);
        let shared = cx.shared();
        shared.in_txn = false;
        let (store, _, library) = shared.using().expect("nobody closes it under a transaction");
        store.end(library.txn.release(id).expect("it is the one that is open"))
    }

    /// Reads the revision for the answer, although the locks were given back.
    pub(super) fn tell_late(&mut self, cx: &mut Context<'_, Mvcc>) {
        let State::Answering(errand, outcome) = std::mem::replace(&mut self.state, State::Idle)
        else {
            unreachable!("it was about to answer")
        };
        let now = cx.shared().using().map(|(store, ..)| store.current());
        let outcome = match (&*outcome, now) {
            (Ok(Response::Put { .. }), Some(revision)) => Arc::new(Ok(Response::Put { revision })),
            (Ok(Response::Deleted { count, .. }), Some(revision)) => {
                Arc::new(Ok(Response::Deleted { revision, count: *count }))
            }
            _ => outcome,
        };
        self.tell(errand, Answer::Plain(outcome), cx);
    }
}

pub(super) fn mark_refusal(outcome: &Outcome, cx: &mut Context<'_, Mvcc>) {
    match outcome {
        Err(OpError::Compacted) => cx.mark(&mark::READ_COMPACTED),
        Err(OpError::FutureRevision) => cx.mark(&mark::READ_FUTURE),
        _ => {}
    }
}

fn mark_look(usage: &Use, used: &Used, cx: &mut Context<'_, Mvcc>) {
    match (usage, used) {
        (Usage::Hash(_), Ok(Reply::Hash(_, Kept::Yes))) => cx.mark(&mark::HASH_KEPT),
        (Usage::Hash(_), Err(_)) => cx.mark(&mark::HASH_REFUSED),
        (Usage::History(part), Ok(Reply::History(history))) if part.limit > 0 => {
            let limit = usize::try_from(part.limit).expect("above zero");
            let last = history.effects.last().map_or(0, |effect| effect.revision.main);
            if history.effects.len() > limit {
                cx.mark(&mark::HISTORY_BEYOND_LIMIT);
            } else if history.effects.len() < limit && last > 0 && part.end.is_none() {
                // Nothing else than a revision that does not fit ends it there.
                let current = cx.shared().using().map_or(0, |(store, ..)| store.current());
                if history.next <= current {
                    cx.mark(&mark::HISTORY_CUT);
                }
            }
        }
        _ => {}
    }
}
