//! Campaigns: many seeds, one finding per signature, shrunk.
//!
//! ```text
//!            ┌────────── Registry: scenarios of any models, as Runners ──────────┐
//! sweep ─────┤ Session: seed ──▶ report      Case: one plan ──▶ run, shrink, file├──▶ findings on disk
//! bugs  ─────┤                                                                   │
//! determinism┘                                                                   └──▶ seeds/ (the corpus)
//! ```
//!
//! From this floor up there are threads and clocks; nothing of them reaches a run. Reading order: [`Registry`],
//! [`Runner`], [`Case`], then `sweep/`, `shrink/` and `hunt.rs`.

pub mod bench;
pub mod corpus;
pub mod determinism;
pub mod hunt;
pub mod replay;
pub mod seed_file;
pub mod shrink;
pub mod store;
pub mod sweep;
pub mod testing;
pub mod transcript;

mod case;
mod clock;
mod engine;
#[cfg(madsim)]
mod hosted;
mod hush;
mod jobs;
mod registry;
mod runner;
mod signature;
mod similar;
mod stale;

#[cfg(test)]
pub(crate) mod fixture;

pub use case::{Case, Line, Lines};
pub use clock::Stopwatch;
pub use engine::Engine;
#[cfg(madsim)]
pub use hosted::OnMadsim;
pub use jobs::available;
pub use registry::{Planted, Registry};
pub use runner::{Arm, Info, Promise, Runner, Session, Setting};
pub use signature::{Signature, model_of};
