//! Models of replicated key-value storage.

pub mod mvcc;
pub mod register;
pub mod registry;
