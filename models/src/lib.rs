//! Models of replicated key-value storage.

pub mod checkpoint;
pub mod client;
pub mod cluster;
pub mod mvcc;
pub mod register;
pub mod registry;
pub mod stream;
pub mod tap;
pub mod vbucket;
