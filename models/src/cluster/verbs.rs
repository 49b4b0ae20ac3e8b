//! Transcript verbs.
