//! The one lock of a store, and the explicit transactions that hold it from begin to end.
//!
//! ```text
//! begin ──▶ id ──▶ put, delete, range with the id, as many as wanted ──▶ end with the id
//! └──────────── nobody else writes, commits, cuts a snapshot or closes ───────────┘
//! ```
//!
//! Nothing here waits: whoever finds the lock held is told by whom, and tries again when it is free.

use std::fmt;

use super::store::{Store, WriteTxn};

/// The name of an explicit transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TxnId(pub i64);

impl fmt::Display for TxnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The lock. There is one for all entry points of a store (etcd 84d777305): a second one for the ids is how
/// transactions came to overtake each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lock {
    holder: Option<(TxnId, WriteTxn)>,
    /// The last id that was given out.
    last: i64,
}

/// Why a step of a transaction has to wait or cannot be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum LockError {
    /// Somebody is inside a transaction.
    #[error("locked by transaction {0}")]
    Locked(TxnId),
    /// No transaction, or another one, has the lock.
    #[error("txn id mismatch")]
    Mismatch,
}

impl Lock {
    /// Whether somebody else may go in now.
    pub fn free(&self) -> Result<(), LockError> {
        match &self.holder {
            Some((id, _)) => Err(LockError::Locked(*id)),
            None => Ok(()),
        }
    }

    /// Takes the lock and begins a transaction.
    pub fn begin(&mut self, store: &Store) -> Result<TxnId, LockError> {
        self.free()?;
        self.last += 1;
        let id = TxnId(self.last);
        self.holder = Some((id, store.begin()));
        Ok(id)
    }

    /// The transaction of this id, for its next step.
    pub fn held(&mut self, id: TxnId) -> Result<&mut WriteTxn, LockError> {
        match &mut self.holder {
            Some((holder, txn)) if *holder == id => Ok(txn),
            _ => Err(LockError::Mismatch),
        }
    }

    /// Gives back the lock; the transaction is still to be [ended](Store::end).
    pub fn release(&mut self, id: TxnId) -> Result<WriteTxn, LockError> {
        let txn = *self.held(id)?;
        self.holder = None;
        Ok(txn)
    }
}

#[cfg(test)]
mod tests {
    use super::super::defects::Defects;
    use super::*;

    #[test]
    fn only_the_id_that_holds_the_lock_opens_it() {
        let (store, mut lock) = (Store::new(Defects::NONE), Lock::default());
        assert_eq!(lock.held(TxnId(0)), Err(LockError::Mismatch), "nobody has begun");
        let first = lock.begin(&store).expect("free");
        assert_eq!(lock.begin(&store), Err(LockError::Locked(first)));
        assert_eq!(lock.free(), Err(LockError::Locked(first)));
        let other = TxnId(first.0 + 1);
        assert_eq!(lock.release(other), Err(LockError::Mismatch));
        assert!(lock.held(first).is_ok() && lock.release(first).is_ok());
        assert_eq!(lock.release(first), Err(LockError::Mismatch), "it was given back");
        assert_eq!(lock.begin(&store), Ok(other));
        assert_eq!(lock.held(first), Err(LockError::Mismatch));
    }
}
