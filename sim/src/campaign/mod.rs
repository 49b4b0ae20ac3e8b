//! Campaigns: many seeds, one finding per signature, shrunk.

pub mod bench;
pub mod seed_file;
