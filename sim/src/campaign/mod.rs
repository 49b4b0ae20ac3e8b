//! Campaigns: many seeds, one finding per signature, shrunk.

pub mod seed_file;
