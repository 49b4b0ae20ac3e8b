//! Clients of a cluster of data nodes, after testrunner: a partitioned reference store, a smart client, tasks, and
//! generators of documents.
//!
//! ```text
//!   task manager ──▶ worker ─┬─▶ reference store: partitions with a lock each
//!                    worker ─┤
//!                            └─▶ smart client ══▶ door ──▶ front end of a data node ([`crate::vbucket`])
//!                                     │             carrier ◀──▶ carrier of another node
//!                                     └── map ── keeper of the map ──┘
//! ```
//!
//! The client is on trial as much as the nodes are: what it takes for lost must have been lost, and what was lost it must
//! find. The keeper and the carriers stand in for a cluster manager and for replication.
//!
//! # Where to read on
//!
//! `op.rs` and `response.rs` (what clients are asked and told), `store.rs` with `store/entry.rs`, `generator.rs`, `map.rs`,
//! `backoff.rs`, `content.rs` and `frame.rs` (pure data); then [`SmartClient`](smart::SmartClient), the actors
//! [`Worker`](worker::Worker), [`Manager`](manager::Manager) and [`Caller`](caller::Caller), and on the side of the nodes
//! [`Door`](door::Door), [`Carrier`](carrier::Carrier) and [`Keeper`](keeper::Keeper); then `reference.rs`, `judge.rs`,
//! `checks.rs`, `bugs.rs` and `scenario.rs`, which put them on trial.

pub mod backoff;
pub mod bugs;
pub mod caller;
pub mod carrier;
pub mod checks;
pub mod content;
pub mod crc;
pub mod desk;
pub mod door;
pub mod frame;
pub mod generator;
pub mod judge;
pub mod keeper;
pub mod line;
pub mod manager;
pub mod map;
pub mod mark;
pub mod message;
pub mod model;
pub mod note;
pub mod op;
pub mod point;
pub mod reference;
pub mod response;
pub mod scenario;
pub mod settings;
pub mod smart;
pub mod store;
#[cfg(test)]
mod tests;
pub mod verbs;
pub mod worker;
pub(crate) mod workload;
