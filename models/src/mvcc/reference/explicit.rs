//! Explicit transactions: begun, used as often as wanted, and ended.

use super::super::op::Action;
use super::super::response::{OpError, Outcome, Response};
use super::{Draft, Reference};

/// A transaction that is open. Whoever is outside sees the state before it.
#[derive(Clone, Debug)]
pub struct Explicit {
    draft: Draft,
}

impl Reference {
    /// Begins a transaction. Nothing else may change the store until it is [ended](Reference::end_explicit).
    pub fn begin_explicit(&self) -> Explicit {
        Explicit { draft: self.draft() }
    }

    /// What an open transaction does next. It sees its own writes, and may write a key as often as it wants.
    pub fn act_inside(&self, open: &mut Explicit, action: &Action<i64>) -> Outcome {
        let key = match action {
            Action::Put(put) => put.key.as_slice(),
            Action::Get(get) => get.keys.first(),
            Action::Delete(keys) => keys.first(),
        };
        if key.is_empty() {
            return Err(OpError::EmptyKey);
        }
        let Action::Get(get) = action else { return Ok(self.act(&mut open.draft, action)) };
        let now = open.draft.revision();
        let past = get.at.filter(|at| *at > 0 && *at != now);
        if past.is_some_and(|at| at > now) {
            return Err(OpError::FutureRevision);
        }
        if past.is_some_and(|at| at < self.floor(self.rules.reads_at_compacted())) {
            return Err(OpError::Compacted);
        }
        let state = past.map_or(&open.draft.state, |at| &self.states[&at]);
        Ok(Response::Range(super::read(state, get, now)))
    }

    /// Ends a transaction: what it did becomes one revision, if it did anything. Answers the revision afterwards.
    pub fn end_explicit(&mut self, open: Explicit) -> i64 {
        self.end(open.draft)
    }
}
