//! What people and CI see: numbers in words, tables, JSON documents, and how far long work is.

pub mod document;
pub mod meter;
pub mod number;
pub mod table;
