//! The store: revisions over an index and a backend.
//!
//! ```text
//!                      index  key ──▶ revisions           in memory, rebuilt by `restore.rs`
//!   Store { current,     │
//!           compacted,   ▼
//!           index }    backend  revision ──▶ record       pending or durable
//! ```
//!
//! Every method is one step of a real store, done while its lock is held; what may happen between two of them is for
//! the actors to say. Whole requests are in `txn.rs`, compaction in `compaction.rs`.

use super::backend::{Backend, Bucket, View};
use super::defects::Defects;
use super::index::Index;
use super::key_index::{Gap, HeadTombstone};
use super::lessor::Lessor;
use super::op::{Get, Keys, Put};
use super::record;
use super::response::{Found, KeyValue, OpError};
use super::revision::{RecordKey, Revision};
use super::rules::Rules;

/// The current revision of a store that was never written, unless it goes by the [rules](Rules) of 2015.
pub const FIRST_REVISION: i64 = 1;

/// The compacted revision of a store that was never compacted.
pub const NEVER_COMPACTED: i64 = -1;

/// The volatile part of a store. The records are in a [`Backend`], which is given to each method.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Store {
    pub(super) current: i64,
    pub(super) compacted: i64,
    pub(super) index: Index,
    pub(super) rules: Rules,
    pub(super) defects: Defects,
    /// None if leases are only numbers beside the values.
    pub(super) lessor: Option<Lessor>,
}

/// A write transaction that has begun: the one lock of the store is held until [`Store::end`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WriteTxn {
    /// The current revision when it began.
    begin: i64,
    /// How many records it wrote so far.
    effects: i64,
}

impl WriteTxn {
    /// The current revision as seen from inside: one more as soon as something was written.
    pub fn revision(&self) -> i64 {
        if self.effects > 0 { self.begin + 1 } else { self.begin }
    }

    /// How many records it wrote so far.
    pub fn effects(&self) -> i64 {
        self.effects
    }

    /// The revision of the next record.
    fn next(&mut self) -> Revision {
        let revision = Revision::new(self.begin + 1, self.effects);
        self.effects += 1;
        revision
    }
}

impl Store {
    /// An empty store with these bugs planted, by the rules of the main branch.
    pub fn new(defects: Defects) -> Store {
        Store::by(Rules::Main, defects)
    }

    /// An empty store that goes by the rules of some era, with these bugs planted.
    pub fn by(rules: Rules, defects: Defects) -> Store {
        Store {
            current: rules.empty_revision(),
            compacted: NEVER_COMPACTED,
            index: Index::default(),
            rules,
            defects,
            lessor: None,
        }
    }

    /// The same store with a lessor that has no leases yet.
    pub fn with_lessor(self) -> Store {
        Store { lessor: Some(Lessor::default()), ..self }
    }

    /// The lessor of a store that a request about leases was accepted by.
    pub(super) fn lessor_mut(&mut self) -> &mut Lessor {
        self.lessor.as_mut().expect("without a lessor no request about leases is accepted")
    }

    /// The lessor, if it has one.
    pub fn lessor(&self) -> Option<&Lessor> {
        self.lessor.as_ref()
    }

    /// The revision of the last finished write transaction, or that of an empty store if there was none.
    pub fn current(&self) -> i64 {
        self.current
    }

    /// What is older cannot be read any more; [`NEVER_COMPACTED`] at first.
    pub fn compacted(&self) -> i64 {
        self.compacted
    }

    /// The index.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The bugs that are planted.
    pub fn defects(&self) -> Defects {
        self.defects
    }

    /// The era whose rules it goes by.
    pub fn rules(&self) -> Rules {
        self.rules
    }

    /// What a compaction does with a tombstone right at its revision. Some planted bugs bring the older rule along.
    pub fn head_tombstone(&self) -> HeadTombstone {
        if self.rules.keeps_head_tombstone() {
            self.defects.head_tombstone()
        } else {
            HeadTombstone::Removed
        }
    }

    /// Whether what begins right at the compacted revision is refused, by a rule or by a planted bug.
    pub(super) fn refuses_at_compacted(&self) -> bool {
        !self.rules.reads_at_compacted() || self.defects.refused_at_compacted
    }

    /// Reads outside any transaction.
    pub fn range(&self, view: &impl View, get: &Get<i64>) -> Result<Found, StoreError> {
        self.range_at(view, get, self.current)
    }

    /// Reads inside a write transaction, which sees its own writes.
    pub fn range_in(
        &self,
        backend: &Backend,
        txn: &WriteTxn,
        get: &Get<i64>,
    ) -> Result<Found, StoreError> {
        self.range_at(backend, get, txn.revision())
    }

    fn range_at(
        &self,
        view: &impl View,
        get: &Get<i64>,
        current: i64,
    ) -> Result<Found, StoreError> {
        let at = self.readable(get.at.unwrap_or(0), current)?;
        let mut found = Found { revision: current, ..Found::default() };
        let gap =
            if self.defects.gap_answered_by_older { Gap::AnsweredByOlder } else { Gap::Absent };
        for (_, revision) in self.index.range_by(&get.keys, at, gap) {
            found.count += 1;
            let wanted = get.limit <= 0 || found.count <= get.limit;
            if wanted && !get.count_only {
                found.kvs.push(record_at(view, revision)?);
            }
        }
        found.more = !get.count_only && get.limit > 0 && found.count > get.limit;
        Ok(found)
    }

    /// The revision that a read at `at` sees while `current` is the newest: zero and less mean the newest.
    pub fn readable(&self, at: i64, current: i64) -> Result<i64, OpError> {
        if at > current {
            return Err(OpError::FutureRevision);
        }
        let at = if at <= 0 { current } else { at };
        let refused = at < self.compacted || (at == self.compacted && self.refuses_at_compacted());
        if refused { Err(OpError::Compacted) } else { Ok(at) }
    }

    /// Begins a write transaction. No other may be open.
    pub fn begin(&self) -> WriteTxn {
        WriteTxn { begin: self.current, effects: 0 }
    }

    /// Writes a key; answers the revision of the transaction.
    pub fn put(&mut self, backend: &mut Backend, txn: &mut WriteTxn, put: &Put) -> i64 {
        let revision = txn.next();
        let old = self.index.get(&put.key, revision.main).ok();
        let kv = KeyValue {
            key: put.key.clone(),
            create_revision: old.map_or(revision.main, |old| old.created),
            mod_revision: revision.main,
            version: old.map_or(1, |old| old.version + 1),
            value: put.value.clone(),
            lease: put.lease,
        };
        let key = RecordKey { revision, tombstone: false };
        backend.put(Bucket::Key, key.encode(), record::encode(&kv));
        self.index.put(&put.key, revision);
        if let Some(lessor) = &mut self.lessor {
            lessor.attach(&put.key, put.lease);
        }
        revision.main
    }

    /// Deletes the keys that exist among `keys`, in ascending order; answers their number. The revision afterwards is
    /// that of the transaction.
    pub fn delete_range(&mut self, backend: &mut Backend, txn: &mut WriteTxn, keys: &Keys) -> i64 {
        let found = self.index.range(keys, txn.revision());
        let existing: Vec<Vec<u8>> = found.map(|(key, _)| key.to_vec()).collect();
        let mut deleted = 0;
        for key in existing {
            let revision = txn.next();
            let stored = RecordKey { revision, tombstone: true }.encode();
            self.index.tombstone(&key, revision).expect("the index was just asked for what exists");
            if let Some(lessor) = &mut self.lessor {
                lessor.detach(&key);
            }
            let tombstone = KeyValue { key, ..KeyValue::default() };
            backend.put(Bucket::Key, stored, record::encode(&tombstone));
            deleted += 1;
        }
        deleted
    }

    /// Ends a write transaction: its effects become visible, under one new revision if there were any. Answers the
    /// revision afterwards.
    ///
    /// # Panics
    ///
    /// If another transaction ended since it began.
    pub fn end(&mut self, txn: WriteTxn) -> i64 {
        assert_eq!(txn.begin, self.current, "one write transaction is open at a time");
        self.current = txn.revision();
        self.current
    }
}

/// The record that the index says was written at `revision`.
pub(super) fn record_at(view: &impl View, revision: Revision) -> Result<KeyValue, Fatal> {
    let key = RecordKey { revision, tombstone: false }.encode();
    let bytes = view.value(Bucket::Key, &key).ok_or(Fatal::MissingRecord(revision))?;
    record::decode(bytes).map_err(|_| Fatal::DamagedRecord(revision))
}

/// Why a step of the store did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum StoreError {
    /// The client asked for something that it cannot have. Nothing was done.
    #[error(transparent)]
    Refused(#[from] OpError),
    /// The store is broken and the node has to stop.
    #[error(transparent)]
    Fatal(#[from] Fatal),
}

/// A store that contradicts itself. Real etcd ends the process here; that a node never does so is a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Fatal {
    /// The index knows a revision that has no record.
    #[error("the record at {0} is missing")]
    MissingRecord(Revision),
    /// A record is not what the store wrote.
    #[error("the record at {0} is damaged")]
    DamagedRecord(Revision),
    /// The key of a record is not a revision.
    #[error("a record has a damaged key")]
    DamagedKey,
    /// A compaction mark is not a revision.
    #[error("a compaction mark is damaged")]
    DamagedMark,
    /// The record of a lease is not what the lessor wrote.
    #[error("the record of a lease is damaged")]
    DamagedLease,
    /// A write transaction was refused after it had begun.
    #[error("a transaction failed half-way: {0}")]
    HalfWay(OpError),
}

impl Fatal {
    /// A name of the kind of contradiction, the same for all revisions.
    pub fn class(self) -> &'static str {
        match self {
            Fatal::MissingRecord(_) => "a record is missing",
            Fatal::DamagedRecord(_) => "a record is damaged",
            Fatal::DamagedKey => "the key of a record is damaged",
            Fatal::DamagedMark => "a compaction mark is damaged",
            Fatal::DamagedLease => "the record of a lease is damaged",
            Fatal::HalfWay(_) => "a transaction failed half-way",
        }
    }
}

#[cfg(test)]
mod eras;
#[cfg(test)]
mod tests;
