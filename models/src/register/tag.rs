//! Versions: what a replica holds of a key, and which of two is newer.

use super::bugs;
use seedbed_sim::actor::BugSet;
use seedbed_sim::id::OpId;
use std::fmt;

/// Names a write among the writes of its key, and orders them: by the counter, and by operation where two writers have
/// picked the same counter.
///
/// ```text
/// c0 picks 4 for its operation 7, c1 picks 4 for its operation 9: 4.c0#7 < 4.c1#9, for everybody
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    /// One more than the highest that was found; from 1.
    pub counter: u64,
    /// The operation that it was made for. A client alone would not do: it may have given up a write under the same
    /// counter.
    pub op: OpId,
}

impl Tag {
    /// The tag of the write `op`, when `highest` is the highest version that a majority knows.
    #[must_use]
    pub fn above(highest: Option<Version>, op: OpId) -> Tag {
        Tag { counter: highest.map_or(0, |version| version.tag.counter) + 1, op }
    }

    /// Whether it belongs to a later write than `other`.
    #[must_use]
    pub fn is_newer(self, other: Tag, bugs: BugSet) -> bool {
        if bugs.has(&bugs::TIE_LEFT_UNBROKEN) {
            return self.counter > other.counter;
        }
        self > other
    }
}

/// Counter, client and operation.
impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.counter, self.op.client.0, self.op.number)
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
