//! Mutation streams over many connections: the library between a router and an indexer, and what stands at its two ends.
//!
//! ```text
//!  d0               r0, r1                        i0
//!  data ──bytes──▶ session ─▶ client ══n conns══▶ server ─▶ indexer ─▶ two indexes of each keyspace, and their files
//!       ◀──acks──                                              │
//!                 ▲────── open, shut down, stop (datagrams) ───┘
//! ```
//!
//! A vbucket of a keyspace is streamed by the router of the node that owns it. Its messages lie between a begin and an end on
//! one connection; what comes outside of that is dropped, and when a connection ends the indexer is told exactly which
//! streams that breaks. The indexer asks for them again, within a session, from where it stands; where that lies on a branch
//! that has ended it rolls its indexes back. Loss is never seen by gaps in sequence numbers, which de-duplication makes legal,
//! but by the place of each message among all that its router has sent.
//!
//! The one who reads a stream is the server, and the one who sends it the client, since it is the router that connects.
//!
//! # Where to read on
//!
//! Pure data: `op.rs`, `frame.rs`, `payload.rs`, `upstream.rs`, `failover.rs`, `store.rs`, `queue.rs`, `index.rs`. Then the actors
//! [`Data`](data::Data), [`Router`](router::Router) with its [`Client`](client::Client), [`Server`](server::Server) with its
//! [`Brackets`](brackets::Brackets), [`Indexer`](indexer::Indexer) with `keyspace.rs` and `ladder.rs`, and
//! [`Admin`](admin::Admin); then `reference.rs`, `judge.rs`, `checks.rs`, `bugs.rs` and `scenario.rs`, which put them on trial.

pub mod admin;
mod archive;
pub mod brackets;
pub mod bugs;
pub mod bytes;
pub mod checks;
pub mod client;
pub mod data;
pub mod failover;
pub mod frame;
pub mod index;
pub mod indexer;
mod job;
pub mod judge;
pub mod keyspace;
mod ladder;
pub mod log;
pub mod loopback;
pub mod mark;
pub mod message;
pub mod model;
pub mod note;
pub mod op;
pub mod payload;
pub mod point;
pub mod queue;
mod receiver;
pub mod reference;
pub mod router;
pub mod scenario;
pub mod server;
mod session;
pub mod settings;
mod simpler;
mod slot;
mod stage;
pub mod store;
#[cfg(test)]
mod tests;
pub mod upstream;
pub mod verbs;
mod workload;
