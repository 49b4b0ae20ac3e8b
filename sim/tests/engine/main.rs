//! The engine's own tests: what the contracts promise, seen through a small probe actor and the public API.
//!
//! Reading order: `probe/mod.rs` (an actor that does what a script says), `probe/lab.rs` (a world of such actors), then
//! any of the tests.

mod budget;
mod embed;
mod files;
mod golden;
mod history;
mod keys;
mod kinds;
mod leak;
mod locks;
mod order;
mod points;
mod probe;
mod process;
mod stale;
mod timers;
mod value;
