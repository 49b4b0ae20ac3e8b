//! A deterministic simulation engine.

pub mod actor;
pub mod campaign;
pub mod check;
pub mod choose;
pub mod cli;
pub mod disk;
pub mod engine;
pub mod fault;
pub mod id;
pub mod judge;
pub mod nemesis;
pub mod net;
pub mod report;
pub mod time;
pub mod trace;
pub mod world;
