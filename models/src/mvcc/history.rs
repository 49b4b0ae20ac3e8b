//! The history of changes: what was put and deleted, in the order in which it was.
//!
//! ```text
//! revision      2        3             4              compacted 3, current 4
//! effects     put a    put b, put c   del a
//! [3,4)                put b, put c           next 4: the end that was asked for
//! [3,0) limit 1        put b, put c           next 4: a revision is never split
//! ```
//!
//! A store knows puts and deletions. Who wants to be told of them as they happen builds that above it: see
//! [`watch`](super::watch).

use super::backend::{Backend, Bucket, View};
use super::op::Keys;
use super::record;
use super::response::{KeyValue, OpError};
use super::revision::{RecordKey, Revision};
use super::store::{Fatal, Store, StoreError, WriteTxn};
use super::txn::covers;

/// One put or deletion.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Effect {
    /// Where it stands in the history.
    pub revision: Revision,
    /// Whether the key was deleted.
    pub deleted: bool,
    /// What was put. Of a deletion only the key is known, and when it was.
    pub kv: KeyValue,
}

/// Which part of the history is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Query {
    /// Effects on these keys.
    pub keys: Keys,
    /// From this revision on; zero or less means from the oldest one that was not compacted.
    pub start: i64,
    /// Up to this revision, which is not included; zero or less means without an end.
    pub end: i64,
    /// At most so many effects; zero or less means all. A revision is never split: one that does not fit whole is left
    /// for the next time. If it is the first, it comes nevertheless, or nobody would ever get beyond it.
    pub limit: i64,
}

/// A part of the history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct History {
    /// The effects, in order.
    pub effects: Vec<Effect>,
    /// Where to go on. Nothing that was asked for lies between the last effect and this revision.
    pub next: i64,
}

impl Store {
    /// A part of the history.
    ///
    /// Its next revision is that of the first effect that was left out, because of the limit or because of the end. If
    /// the limit was just met, it is the one after the last effect; if nothing was left out, the one that is to come.
    ///
    /// What is compacted cannot be asked for, nor what is to come. Since etcd d72bcdc15 the compacted revision itself can.
    pub fn range_history(&self, view: &impl View, query: &Query) -> Result<History, StoreError> {
        let refused = if self.rules.watches_at_compacted() {
            query.start < self.compacted
        } else {
            query.start <= self.compacted
        };
        if query.start > 0 && refused {
            return Err(OpError::Compacted.into());
        }
        if query.start > self.current {
            return Err(OpError::FutureRevision.into());
        }
        let start = if query.start > 0 { query.start } else { self.oldest() };
        Ok(self.collect(view, &Query { start, ..query.clone() })?)
    }

    /// The oldest revision of which the history is whole.
    fn oldest(&self) -> i64 {
        let first =
            if self.rules.watches_at_compacted() { self.compacted } else { self.compacted + 1 };
        first.max(1)
    }

    fn collect(&self, view: &impl View, query: &Query) -> Result<History, Fatal> {
        let limit = usize::try_from(query.limit).ok().filter(|limit| *limit > 0);
        let limit = limit.unwrap_or(usize::MAX);
        let wanted = |effect: &Effect| covers(&query.keys, &effect.kv.key);
        let mut effects = effects_from(view, query.start)
            .take_while(|effect| of(effect, |effect| effect.revision.main <= self.current))
            .filter(|effect| of(effect, wanted))
            .peekable();
        let mut found = History { effects: Vec::new(), next: self.current + 1 };
        while let Some(effect) = effects.next() {
            let mut revision = vec![effect?];
            let main = revision[0].revision.main;
            if query.end > 0 && main >= query.end {
                found.next = main;
                break;
            }
            while let Some(effect) =
                effects.next_if(|effect| of(effect, |effect| effect.revision.main == main))
            {
                revision.push(effect?);
            }
            if main == self.compacted {
                // A compaction deletes them, and it makes no difference whether it already has.
                forget_overwritten(&mut revision);
            }
            if self.defects.limit_cuts_revision {
                revision.truncate(limit - found.effects.len());
            }
            if !found.effects.is_empty() && found.effects.len() + revision.len() > limit {
                found.next = main;
                break;
            }
            found.effects.append(&mut revision);
            if found.effects.len() >= limit {
                found.next = main + 1;
                break;
            }
        }
        Ok(found)
    }

    /// What a transaction that has not ended yet did so far, as its own writes are seen.
    pub fn effects_of(&self, backend: &Backend, txn: &WriteTxn) -> Result<Vec<Effect>, Fatal> {
        if txn.effects() == 0 {
            return Ok(Vec::new());
        }
        let own = |effect: &Effect| effect.revision.main == txn.revision();
        effects_from(backend, txn.revision()).take_while(|effect| of(effect, own)).collect()
    }
}

/// Leaves the last effect on each key alone.
fn forget_overwritten(revision: &mut Vec<Effect>) {
    let keys: Vec<Vec<u8>> = revision.iter().map(|effect| effect.kv.key.clone()).collect();
    let mut at = 0;
    revision.retain(|effect| {
        at += 1;
        !keys[at..].contains(&effect.kv.key)
    });
}

/// Whether something holds of an effect; damage is passed on.
fn of(effect: &Result<Effect, Fatal>, holds: impl Fn(&Effect) -> bool) -> bool {
    effect.as_ref().map_or(true, holds)
}

/// All effects from a revision on, in order.
pub(super) fn effects_from(
    view: &impl View,
    start: i64,
) -> impl Iterator<Item = Result<Effect, Fatal>> {
    let from = Revision::new(start, 0).encode();
    view.pairs(Bucket::Key, &from).map(|(key, value)| {
        let RecordKey { revision, tombstone } =
            RecordKey::parse(key).map_err(|_| Fatal::DamagedKey)?;
        let mut kv = record::decode(value).map_err(|_| Fatal::DamagedRecord(revision))?;
        kv.mod_revision = revision.main;
        Ok(Effect { revision, deleted: tombstone, kv })
    })
}

#[cfg(test)]
mod tests;
