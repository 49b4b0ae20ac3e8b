//! Placeholder of names; the judge comes with the checks.

/// P.
pub const ALIKE: &str = "all replicas answer an entry of the log alike";
/// C.
pub const EQUALS_LOG: &str = "the backend equals the log up to its consistent index";
/// H.
pub const EQUAL_HASHES: &str = "replicas have equal hashes at equal revisions";
/// Of leases.
pub const LIVES_ITS_TIME: &str = "a lease lives as long as its client was told";
