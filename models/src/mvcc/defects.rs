//! Planted bugs of the pure structures. All are off unless a run plants one.

use super::key_index::HeadTombstone;

/// Real defects of etcd that can be switched on. They are given to a [`Store`](super::store::Store) when it is made.
///
/// What was once meant to be so is no defect but a [rule](super::rules) of its time. Some defects need such a rule to
/// show, and bring it along.
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
    /// A read in the gap between two generations of a key is answered from the older one, so that a deleted key is seen.
    /// Fixed in etcd 62f7481b1.
    pub gap_answered_by_older: bool,
    /// A put or a deletion reads the revision for its answer after it has given back the lock, and may answer that of
    /// another writer. So in etcd's storage package of 2015 (`Put` and `DeleteRange` return `currentRev.main` behind
    /// `txnEnd`, seed 84d777305).
    pub revision_read_after_unlock: bool,
    /// A limit cuts the history in the middle of a revision, and what is named as the next revision passes over the rest.
    /// So in etcd d72914c36 to ecc3e15a4 (2015).
    pub limit_cuts_revision: bool,
    /// The hash of the current revision, asked for as 0, is taken with the records to keep at revision 0: none, which
    /// is taken as "not known", so that records count which a compaction is about to delete. Fixed in etcd 2e95ace82 (#9022).
    pub newest_hash_keeps_nothing: bool,
    /// A compaction that was resumed publishes its hash, although those before the restart are not in it. Fixed in etcd
    /// b9e30bf87 (#15919).
    pub partial_hash_published: bool,
    /// A store that is restored in place leaves its synced watchers where they are; what the snapshot brought is never
    /// sent to them. Fixed in etcd 13041c15b (#8411).
    pub restore_leaves_watchers: bool,
    /// Only a watcher whose channel is full notes what it was sent; after a restore in place the others begin again where
    /// they once began. Fixed in etcd a690707c5 (#15271).
    pub only_slow_watchers_advance: bool,
    /// A round of synchronisation sets each watcher to the revision after the current one, even if it waits for a later
    /// one. Fixed in etcd cf0369e4a (#20221).
    pub future_watcher_rewound: bool,
    /// A watcher that cannot be told of a compaction, because its channel is full, is taken as synced all the same. Fixed
    /// in etcd 405862e80 (#17529).
    pub compacted_watcher_passed_over: bool,
    /// A watcher that a compaction has overtaken is dropped without being told. Fixed in etcd 52416fafb (2016-02).
    pub compacted_watcher_dropped: bool,
    /// All deletions of one transaction point to the last of them. Fixed in etcd 3ddcc2117; of the same kind is the loop
    /// over buffered events in 2f74f7602 (2015).
    pub deletions_share_last_key: bool,
    /// What has no value is told as a deletion, an empty put too. Fixed in etcd 713f7c056 (#4688).
    pub empty_value_is_deletion: bool,
    /// A write of a key forgets the watchers of each single key that it begins with. So in etcd ec43e0a4c to 48aebd9b0
    /// (2015).
    pub longer_key_unregisters: bool,
    /// A watcher from revision -1 makes all that are synchronised in its round see an empty history and count as synced:
    /// in the order of bytes a negative revision stands behind all others. It needs [rules](super::rules) that accept
    /// such a watcher. Fixed in etcd pull request 20693 (2025).
    pub negative_start_hides_history: bool,
    /// A compaction removes a tombstone right at its revision, so that whoever watches from there misses the deletion.
    /// Fixed in etcd bbdc94181 (#18089).
    pub head_tombstone_removed: bool,
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
        gap_answered_by_older: false,
        revision_read_after_unlock: false,
        limit_cuts_revision: false,
        newest_hash_keeps_nothing: false,
        partial_hash_published: false,
        restore_leaves_watchers: false,
        only_slow_watchers_advance: false,
        future_watcher_rewound: false,
        compacted_watcher_passed_over: false,
        compacted_watcher_dropped: false,
        deletions_share_last_key: false,
        empty_value_is_deletion: false,
        longer_key_unregisters: false,
        negative_start_hides_history: false,
        head_tombstone_removed: false,
    };

    /// The rule for tombstones right at the compacted revision, in a store that keeps them otherwise.
    pub fn head_tombstone(self) -> HeadTombstone {
        let removed = self.head_tombstone_removed;
        if removed || self.revision_not_raised || self.not_raised_to_scheduled {
            HeadTombstone::Removed
        } else {
            HeadTombstone::Kept
        }
    }
}
