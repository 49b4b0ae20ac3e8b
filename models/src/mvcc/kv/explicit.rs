//! Explicit transactions, and the single puts and deletions that are made of them.

use super::super::lock::TxnId;
use super::super::op::{Get, Keys, Put};
use super::super::response::Found;
use super::{Kv, KvError};

/// A put or deletion that is done, before its answer: the lock was given back, and others may already write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "the client waits for an answer"]
pub struct Unlocked {
    revision: i64,
}

impl Kv {
    /// Begins a transaction, which holds the lock until it is ended.
    pub fn begin(&mut self) -> Result<TxnId, KvError> {
        self.free()?;
        Ok(self.lock.begin(&self.store)?)
    }

    /// Writes a key; answers the revision of the transaction.
    pub fn put_in(&mut self, id: TxnId, put: &Put) -> Result<i64, KvError> {
        self.readable()?;
        let txn = self.lock.held(id)?;
        Ok(self.store.put(&mut self.backend, txn, put))
    }

    /// Deletes the keys that exist; answers how many they were, and the revision that the transaction has now.
    pub fn delete_in(&mut self, id: TxnId, keys: &Keys) -> Result<(i64, i64), KvError> {
        self.readable()?;
        let txn = self.lock.held(id)?;
        let count = self.store.delete_range(&mut self.backend, txn, keys);
        Ok((count, txn.revision()))
    }

    /// Reads, and sees what the transaction wrote.
    pub fn range_in(&mut self, id: TxnId, get: &Get<i64>) -> Result<Found, KvError> {
        self.readable()?;
        let txn = *self.lock.held(id)?;
        Ok(self.store.range_in(&self.backend, &txn, get)?)
    }

    /// Ends a transaction: those who watch are told, its effects become visible under one revision, and the lock is given
    /// back, with a commit if one is due. Answers the revision afterwards.
    pub fn end(&mut self, id: TxnId) -> Result<i64, KvError> {
        self.readable()?;
        let txn = self.lock.release(id)?;
        self.tell(&txn)?;
        let revision = self.store.end(txn);
        self.unlock();
        Ok(revision)
    }

    /// A put as a transaction of its own. Its client is [answered](Kv::answer) when the lock was given back.
    pub fn put(&mut self, put: &Put) -> Result<Unlocked, KvError> {
        let id = self.begin()?;
        self.put_in(id, put)?;
        Ok(Unlocked { revision: self.end(id)? })
    }

    /// A deletion as a transaction of its own; how many keys there were.
    pub fn delete(&mut self, keys: &Keys) -> Result<(i64, Unlocked), KvError> {
        let id = self.begin()?;
        let (count, _) = self.delete_in(id, keys)?;
        Ok((count, Unlocked { revision: self.end(id)? }))
    }

    /// The revision in the answer of a put or deletion: its own, whatever was written since.
    pub fn answer(&self, done: Unlocked) -> i64 {
        if self.parameters.defects.revision_read_after_unlock {
            self.store.current()
        } else {
            done.revision
        }
    }
}
