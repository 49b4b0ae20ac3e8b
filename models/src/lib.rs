//! Models of replicated key-value storage.

pub mod mvcc;
