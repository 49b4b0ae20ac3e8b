//! What callers and the keeper state, for checks.

use std::fmt;
use std::sync::Arc;

use super::usage::{Use, Used};
use crate::mvcc::call::Ret;
use crate::mvcc::message::AskId;

/// A fact about the use of the library.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum UseNote {
    /// This was done, or refused, in this place of the order of all requests; the locks are still held.
    Done(AskId, Arc<Use>, Arc<Used>),
    /// The thread has ended the transaction that it had open, at this revision; nobody asked for it.
    Left(i64),
    /// The thread has cut a snapshot, and told this size.
    Cut(u64),
    /// It was written: these are the bytes.
    Written(Arc<[u8]>),
    /// It was given up.
    GivenUp,
}

impl fmt::Display for UseNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UseNote::Done(id, _, used) => write!(f, "done {id}: {}", Ret::Use(used.clone())),
            UseNote::Left(revision) => write!(f, "transaction left alone: revision {revision}"),
            UseNote::Cut(size) => write!(f, "snapshot cut: {size} bytes"),
            UseNote::Written(bytes) => write!(f, "snapshot written: {} bytes", bytes.len()),
            UseNote::GivenUp => f.write_str("snapshot given up"),
        }
    }
}
