//! A cluster: data nodes that follow each other by streams, clients that know which node has which vbucket, and an
//! orchestrator that moves vbuckets between the nodes, under load.
//!
//! ```text
//!   orchestrator m0 ── view of an epoch ──▶ agent of n0, n1, ...      clients c0
//!        │   ▲                                │  states     │ who follows whom      │
//!        │   └──── report ────────────────────┤             ▼                       │ requests
//!        │                                 front end ◀──  receiver ◀══ TAP ══ sender of another node
//!        └── map of the same epoch ─────────────────────────────────────────────────┘
//! ```
//!
//! It is made of other models as they are: a data node ([`crate::vbucket`]), its streams ([`crate::tap`]) and clients with
//! tasks, a reference store and a judge of their own ([`crate::client`]). What is new here is who says what everybody is to
//! be ([`Orchestrator`](orchestrator::Orchestrator)) and who makes of a node what that says ([`Agent`](agent::Agent)).
//!
//! # Where to read on
//!
//! `map.rs` and `balance.rs` (who has what, and who is to have it), `op.rs`, `message.rs`; then the two actors, and `model.rs`,
//! which puts them beside those of the other models; then `reference.rs`, `judge.rs`, `checks.rs`, `bugs.rs` and
//! `scenario.rs`, which put all of it on trial.

pub mod agent;
pub mod balance;
pub mod bugs;
pub mod checks;
mod judge;
pub mod map;
pub mod mark;
pub mod message;
pub mod model;
pub mod note;
pub mod op;
pub mod orchestrator;
pub mod point;
pub mod reference;
pub mod response;
pub mod scenario;
pub mod settings;
pub mod shared;
#[cfg(test)]
mod tests;
pub mod verbs;
mod workload;
