//! Planted bugs of the pure structures. All are off unless a run plants one.

use super::key_index::HeadTombstone;

/// Real defects of etcd that can be switched on. They are given to a [`Store`](super::store::Store) when it is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Defects {
    /// Restore rebuilds the index by plain puts: the created revision of a key becomes that of its oldest record that
    /// is still there, and its version restarts at 1. The next put of the key writes both into its record.
    /// Fixed in etcd 433f2ee1b (2015-06).
    pub restore_by_plain_put: bool,
    /// Restore takes the current revision from the newest record alone and does not raise it to the compacted one, so
    /// that revisions are used twice. Fixed in etcd 93225ebaf (#6633). It needs the older rule that a compaction
    /// removes a tombstone right at its revision, and brings it along: with the tombstone kept there always is a record
    /// at or above the compacted revision.
    pub revision_not_raised: bool,
}

impl Defects {
    /// None planted.
    pub const NONE: Defects = Defects { restore_by_plain_put: false, revision_not_raised: false };

    /// The rule for tombstones right at the compacted revision.
    pub fn head_tombstone(self) -> HeadTombstone {
        if self.revision_not_raised { HeadTombstone::Removed } else { HeadTombstone::Kept }
    }
}
