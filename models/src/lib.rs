//! Models of replicated key-value storage.
