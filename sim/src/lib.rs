//! A deterministic simulation engine.

pub mod choose;
pub mod id;
pub mod judge;
pub mod time;
