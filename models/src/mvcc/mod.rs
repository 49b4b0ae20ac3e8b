//! A multi-version key-value store.

pub mod backend;
pub mod defects;
pub mod index;
pub mod key_index;
pub mod op;
pub mod pages;
mod parse;
pub mod record;
pub mod response;
pub mod revision;
pub mod text;

pub use parse::ParseError;

#[cfg(test)]
mod arbitrary;
