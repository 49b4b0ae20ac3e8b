//! Placeholder of names; the judge comes with the checks.

/// P.
pub const ALIKE: &str = "all replicas answer an entry of the log alike";
/// C.
pub const EQUALS_LOG: &str = "the backend equals the log up to its consistent index";
