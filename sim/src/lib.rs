//! A deterministic simulation engine.

pub mod judge;
