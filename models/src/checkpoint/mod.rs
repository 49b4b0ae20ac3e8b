//! The log of the changes of one vbucket in memory, after the checkpoint manager of ep-engine.
//!
//! Changes of keys are queued once and read by many: by the flusher that persists them, by each replica, by whoever
//! follows the stream. The log is cut into *checkpoints*. In the open one, the last, each key stands once: a newer change
//! takes the place of the older one, and whoever had read that reads again. A reader is a *cursor*. Closed checkpoints in
//! which and before which no cursor stands are removed.
//!
//! ```text
//!   op.rs  response.rs      what is queued, what a log is made of, what is answered
//!        │
//!   segment.rs              one checkpoint: items, and where the mutation of each key stands
//!        │
//!   manager.rs              all checkpoints of a vbucket
//!     queue.rs                a change comes; cursors are repaired
//!     closing.rs              when a checkpoint is closed and the next one opened
//!     cursor.rs               cursors go on; the flusher goes back
//!     register.rs             readers come, with what they have already
//!     removal.rs  merge.rs    what nobody needs goes; several checkpoints become one
//!     remote.rs               what a replica is told; promotion; clearing
//!     window.rs               online update: all of it is persisted, or nothing
//!
//!   checks.rs               what always holds
//!   reference.rs            the same log without positions to repair; judges, knows only op.rs
//!   defects.rs              what went wrong in history, as switches
//! ```
//!
//! All of it is plain data: no method waits, sends, syncs or draws, and time is told. What is no error of whoever calls
//! is a value, never a panic.
//!
//! # Where to read on
//!
//! `op.rs`, then `segment.rs` with its worked example, `manager.rs`, `queue.rs`, `cursor.rs`, `closing.rs`, `removal.rs`,
//! `register.rs`, `merge.rs` with its own example, `remote.rs`, `window.rs`; then `checks.rs`, and `small_world.rs`, which goes
//! through every short sequence of operations.
//!
//! ```
//! use seedbed_models::checkpoint::manager::{Manager, Role};
//! use seedbed_models::checkpoint::op::{Change, CursorName, Incarnation};
//! use seedbed_models::checkpoint::settings::Settings;
//!
//! let mut log = Manager::new(Settings::USUAL, Role::Active, Incarnation(1), 0);
//! for value in ["1", "2"] {
//!     log.queue(0, Change::set("a".parse().unwrap(), value.parse().unwrap()));
//! }
//! let fetched = log.fetch_all(CursorName::Persistence, None).unwrap();
//! let items: Vec<String> = fetched.items.iter().map(|item| item.to_string()).collect();
//! assert_eq!(items, ["checkpoint_start(1)", "set(a=2)"]);
//! ```

pub mod checks;
mod closing;
pub mod cursor;
pub mod defects;
pub mod manager;
mod merge;
pub mod op;
pub mod queue;
pub mod reference;
mod register;
mod remote;
mod removal;
pub mod response;
pub mod segment;
pub mod settings;
pub mod verbs;
pub mod window;

#[cfg(test)]
mod large_world;
#[cfg(test)]
mod pair;
#[cfg(test)]
mod planted;
#[cfg(test)]
mod small_world;
