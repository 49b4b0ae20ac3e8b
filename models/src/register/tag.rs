//! Versions: what a replica holds of a key, and which of two is newer.

use super::bugs;
use super::call::Key;
use seedbed_sim::actor::BugSet;
use seedbed_sim::id::{ActorId, Incarnation};
use std::collections::BTreeMap;
use std::fmt;

/// Names a write among the writes of its key, and orders them: by the counter, and by who gave it where two coordinators
/// have given the same counter.
///
/// ```text
/// n0 gives 4 to a write of c0, n1 gives 4 to a write of c1: 4.n0 < 4.n1, for everybody
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    /// One more than the highest that was found; from 1.
    pub counter: u64,
    /// The coordinator that gave it.
    pub coordinator: ActorId,
    /// In which life: one that comes back does not know which counters it has given before.
    pub life: Incarnation,
}

impl Tag {
    /// Whether it belongs to a later write than `other`.
    #[must_use]
    pub fn is_newer(self, other: Tag, bugs: BugSet) -> bool {
        if bugs.has(&bugs::TIE_LEFT_UNBROKEN) {
            return self.counter > other.counter;
        }
        self > other
    }
}

/// Counter, coordinator (the number of the actor) and life.
impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.counter, self.coordinator.0, self.life.0)
    }
}

/// The counters that a coordinator has given in this life.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    last: BTreeMap<Key, u64>,
}

impl Counters {
    /// A counter for a write of `key`: higher than that of `highest`, the highest version that a majority knows, and given
    /// to no other write.
    pub(super) fn give(&mut self, key: Key, highest: Option<Version>) -> u64 {
        let known = highest.map_or(0, |version| version.tag.counter);
        let last = self.last.entry(key).or_insert(0);
        *last = known.max(*last) + 1;
        *last
    }
}

/// A value with the tag of the write that it came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Which write.
    pub tag: Tag,
    /// What it wrote.
    pub value: u64,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.value, self.tag)
    }
}
