//! Restore: the store that belongs to the records of a backend.

use std::collections::BTreeMap;

use super::backend::{Backend, Bucket};
use super::compaction::{FINISHED, SCHEDULED, mark};
use super::defects::Defects;
use super::index::Index;
use super::key_index::KeyIndex;
use super::lessor::Lessor;
use super::record;
use super::response::KeyValue;
use super::revision::{RecordKey, Revision};
use super::rules::Rules;
use super::store::{Fatal, NEVER_COMPACTED, Store};

/// A scan over all records that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Restore {
    store: Store,
    /// The first record that was not read yet.
    next: Vec<u8>,
    /// The revision of the last one that was.
    last: Revision,
    scheduled: i64,
    /// The lease of each key that has one, by the records so far.
    leases: BTreeMap<Vec<u8>, i64>,
    done: bool,
}

/// A store that was restored.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Restored {
    /// The store. It can be used at once, even if a compaction has to be resumed.
    pub store: Store,
    /// The compaction that was scheduled but not done.
    pub resume: Option<i64>,
}

impl Restore {
    /// Begins with the compaction marks; the store will go by the rules of the main branch.
    pub fn begin(backend: &Backend, defects: Defects) -> Result<Restore, Fatal> {
        Restore::by(Rules::Main, backend, defects)
    }

    /// Begins with the compaction marks; the store will go by the rules of some era.
    pub fn by(rules: Rules, backend: &Backend, defects: Defects) -> Result<Restore, Fatal> {
        let mut store = Store::by(rules, defects);
        store.compacted = mark(backend, FINISHED)?.unwrap_or(NEVER_COMPACTED);
        let key = if defects.resume_reads_finished { FINISHED } else { SCHEDULED };
        let scheduled = mark(backend, key)?.unwrap_or(NEVER_COMPACTED);
        let next = Revision::new(1, 0).encode().to_vec();
        Ok(Restore {
            store,
            next,
            last: Revision::default(),
            scheduled,
            leases: BTreeMap::new(),
            done: false,
        })
    }

    /// The store gets a lessor with the leases of the backend. Their keys are attached at the end, from the last record
    /// of each (etcd bd62b0a64).
    pub fn with_lessor(mut self, backend: &Backend) -> Result<Restore, Fatal> {
        self.store.lessor = Some(Lessor::recover(backend)?);
        Ok(self)
    }

    /// Whether all records were read.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// Reads the next `limit` records into the index.
    pub fn chunk(&mut self, backend: &Backend, limit: usize) -> Result<(), Fatal> {
        let mut records = backend.scan(Bucket::Key, &self.next);
        for (key, value) in records.by_ref().take(limit) {
            let key = RecordKey::parse(key).map_err(|_| Fatal::DamagedKey)?;
            if key.revision <= self.last {
                // A put and a tombstone, but a revision is only one of them.
                return Err(Fatal::DamagedKey);
            }
            self.last = key.revision;
            let kv = record::decode(value).map_err(|_| Fatal::DamagedRecord(key.revision))?;
            if key.tombstone || kv.lease == 0 {
                self.leases.remove(&kv.key);
            } else {
                self.leases.insert(kv.key.clone(), kv.lease);
            }
            add(&mut self.store.index, key, kv, self.store.defects);
            self.store.current = self.store.current.max(key.revision.main);
        }
        match records.next() {
            Some((key, _)) => self.next = key.to_vec(),
            None => self.done = true,
        }
        Ok(())
    }

    /// The store, and the compaction that has to go on.
    ///
    /// # Panics
    ///
    /// If not all records were read.
    pub fn finish(self) -> Restored {
        assert!(self.done, "all records are read before the store is used");
        let mut store = self.store;
        // A compaction may have removed the newest record, and its revision must not be used again (etcd 93225ebaf; for
        // one that was not done, 9ea234913).
        if !store.defects.revision_not_raised {
            store.current = store.current.max(store.compacted);
            if !store.defects.not_raised_to_scheduled {
                store.current = store.current.max(self.scheduled);
            }
        }
        if let Some(lessor) = &mut store.lessor {
            self.leases.iter().for_each(|(key, lease)| lessor.attach(key, *lease));
        }
        let resume = self.scheduled > store.compacted && self.scheduled <= store.current;
        if resume {
            store.compacted = self.scheduled;
        }
        Restored { store, resume: resume.then_some(self.scheduled) }
    }
}

/// Restores at once what [`Restore`] does in steps.
pub fn restore(backend: &Backend, defects: Defects, chunk: usize) -> Result<Restored, Fatal> {
    restore_by(Rules::Main, backend, defects, chunk)
}

/// The same for a store that goes by the rules of some era.
pub fn restore_by(
    rules: Rules,
    backend: &Backend,
    defects: Defects,
    chunk: usize,
) -> Result<Restored, Fatal> {
    let mut restore = Restore::by(rules, backend, defects)?;
    while !restore.is_done() {
        restore.chunk(backend, chunk)?;
    }
    Ok(restore.finish())
}

/// Adds one record. They come in the order of their revisions, so the first one of a key is its oldest.
fn add(index: &mut Index, key: RecordKey, kv: KeyValue, defects: Defects) {
    let RecordKey { revision, tombstone } = key;
    let known = index.knows(&kv.key) || defects.restore_by_plain_put;
    match (known, tombstone) {
        (true, false) => index.put(&kv.key, revision),
        (true, true) => {
            // A tombstone that ends nothing is passed over.
            let _ = index.tombstone(&kv.key, revision);
        }
        (false, false) => {
            let restored = KeyIndex::restored(kv.create_revision, revision, kv.version);
            index.restore(kv.key, restored);
        }
        (false, true) if defects.leading_tombstone_ignored => {}
        (false, true) => index.restore(kv.key, KeyIndex::restored_tombstone(revision)),
    }
}

#[cfg(test)]
mod tests;
