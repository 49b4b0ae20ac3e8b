//! A multi-version key-value store.

pub mod op;
mod parse;
pub mod response;
pub mod text;

pub use parse::ParseError;

#[cfg(test)]
mod arbitrary;
