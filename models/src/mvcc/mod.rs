//! A multi-version key-value store.

pub mod backend;
pub mod compaction;
pub mod defects;
pub mod hash;
pub mod index;
pub mod key_index;
pub mod op;
pub mod pages;
mod parse;
pub mod record;
pub mod reference;
pub mod response;
pub mod restore;
pub mod revision;
pub mod store;
pub mod text;
pub mod txn;

pub use parse::ParseError;

#[cfg(test)]
mod arbitrary;
#[cfg(test)]
mod differential;
#[cfg(test)]
mod fixture;
