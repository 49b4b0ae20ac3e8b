//! What a replica holds: the newest version of each key.

use super::call::Key;
use super::tag::Version;
use seedbed_sim::actor::BugSet;
use std::collections::BTreeMap;

/// The newest version of each key that was ever put in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    versions: BTreeMap<Key, Version>,
}

impl Table {
    /// The version of a key, if there is one.
    #[must_use]
    pub fn get(&self, key: Key) -> Option<Version> {
        self.versions.get(&key).copied()
    }

    /// Whether this version is newer than the one that it holds.
    #[must_use]
    pub fn wants(&self, key: Key, version: Version, bugs: BugSet) -> bool {
        self.get(key).is_none_or(|held| version.tag.is_newer(held.tag, bugs))
    }

    /// Puts a version in, unless it holds a newer one.
    pub fn put(&mut self, key: Key, version: Version, bugs: BugSet) {
        if self.wants(key, version, bugs) {
            self.versions.insert(key, version);
        }
    }

    /// All versions, by key.
    pub fn iter(&self) -> impl Iterator<Item = (Key, Version)> + '_ {
        self.versions.iter().map(|(key, version)| (*key, *version))
    }
}
