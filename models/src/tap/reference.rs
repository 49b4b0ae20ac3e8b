//! What a copy has to be: replication adds nothing to what a vbucket is, so the reference of a copy is that of the vbucket.

pub use crate::vbucket::reference::{Item, Vbucket};
