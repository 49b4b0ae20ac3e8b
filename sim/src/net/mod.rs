//! The network: links between nodes, the fate of datagrams, and connections.
//!
//! It is told, and never chooses by itself whom to trouble: faults set the state of links, and the small deviations of
//! single messages are decisions of the run. It knows nothing of actors beyond their numbers
//! and the words in which they talk of connections.

pub mod conn;
mod datagram;
mod link;

pub use datagram::{DELAYS, Fate, NET};
pub use link::{Link, Links};
