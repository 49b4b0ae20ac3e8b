//! Mutation streams over many connections.

pub mod bytes;
pub mod failover;
pub mod frame;
pub mod op;
pub mod payload;
pub mod upstream;
