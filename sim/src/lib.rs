//! A deterministic simulation engine.

pub mod actor;
pub mod choose;
pub mod disk;
pub mod id;
pub mod judge;
pub mod net;
pub mod time;
