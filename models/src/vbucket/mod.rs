//! A data node: vbuckets in memory, and what goes on between memory and disk, after ep-engine.
//!
//! ```text
//!            clients
//!               │ ask
//!             front ──────────── table of each vbucket, log of each vbucket ────────── reverter
//!               │                     ▲        │ cursors          ▲     ▲
//!               │ fetch               │        ▼                  │     └─ remover: old checkpoints, values
//!            fetcher ◀── disk ──▶ loader    flusher, keeper      pager: keys whose time has run out
//!                                           reader
//!                                              │
//!                                              ▼
//!                                            the log of the node: transactions of records
//! ```
//!
//! A change is acknowledged when it is in memory. It goes into the log of its vbucket ([`crate::checkpoint`]), from which
//! the flusher takes it to disk. A crash loses what the flusher had not written; what was, it never loses; and of an
//! online update, which is a span of changes that can be completed or reverted, it keeps all or nothing.
//!
//! # Where to read on
//!
//! `op.rs` and `response.rs` (what clients ask and are told), `table.rs` and `record.rs` (pure data), `vb.rs` and `memory.rs`
//! (what the actors share), `message.rs`; then the actors [`Front`](front::Front), [`Flusher`](flusher::Flusher),
//! [`Keeper`](keeper::Keeper), [`Loader`](loader::Loader), [`Remover`](remover::Remover), [`Pager`](pager::Pager),
//! [`Fetcher`](fetcher::Fetcher), [`Consumer`](consumer::Consumer), [`Master`](master::Master), [`Reader`](reader::Reader), [`Reverter`](reverter::Reverter) and [`Client`](client::Client); then `reference.rs`,
//! `judge.rs`, `checks.rs`, `bugs.rs` and `scenario.rs`, which put them on trial.

pub mod bugs;
pub mod checks;
pub mod client;
pub mod consumer;
pub mod fetcher;
pub(crate) mod fields;
pub mod flusher;
pub mod frame;
pub mod front;
pub mod judge;
pub mod keeper;
pub mod loader;
pub mod mark;
pub mod master;
pub mod memory;
pub mod message;
pub mod model;
pub mod note;
pub mod op;
pub mod pager;
pub mod point;
pub mod reader;
pub mod record;
pub mod reference;
pub mod remover;
pub mod response;
pub mod reverter;
pub mod scenario;
pub mod settings;
mod simpler;
pub mod table;
pub mod vb;
pub mod verbs;
pub(crate) mod workload;

#[cfg(test)]
mod crash_points;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod trial;
