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
    /// Restore raises the current revision to that of the last finished compaction, but not to that of one which was
    /// only scheduled and may have removed newer records already. Fixed in etcd 9ea234913 (#17780). It brings the older
    /// rule for tombstones along, too.
    pub not_raised_to_scheduled: bool,
    /// Restore reads the mark "finished" twice, the second time in place of "scheduled", so that no compaction is ever
    /// resumed. Fixed in etcd 148394f66 (2015-06).
    pub resume_reads_finished: bool,
    /// Restore passes over a tombstone that is the first record of its key. Fixed in etcd d8b419257 (#19179).
    pub leading_tombstone_ignored: bool,
    /// A read right at the compacted revision is refused. Changed in etcd d72bcdc15 (2016-04).
    pub refused_at_compacted: bool,
}

impl Defects {
    /// None planted.
    pub const NONE: Defects = Defects {
        restore_by_plain_put: false,
        revision_not_raised: false,
        not_raised_to_scheduled: false,
        resume_reads_finished: false,
        leading_tombstone_ignored: false,
        refused_at_compacted: false,
    };

    /// The rule for tombstones right at the compacted revision.
    pub fn head_tombstone(self) -> HeadTombstone {
        if self.revision_not_raised || self.not_raised_to_scheduled {
            HeadTombstone::Removed
        } else {
            HeadTombstone::Kept
        }
    }
}
