//! Planted bugs: defects that etcd has had, each a switch that is off by default.

use seedbed_sim::actor::{Bug, BugSet};

use super::checks::{
    ANSWERS_AGREE, COMPACTION_IS_DURABLE, FILE_OPENS, INDEX_EQUALS_BACKEND, NOTHING_REACHES_CLOSED,
    PENDING_IS_BOUNDED, PREFIX_SURVIVES, REVISIONS_GROW, SERVES_AGAIN, TOLD_AS_DONE,
};
use super::defects::Defects;
use super::watching::checks::CATCHES_UP;
use super::watching::judge::{BOOKMARK, COMPACTED, FAITHFUL, RELIABLE, UNIQUE};
use super::workflow::checks::{HASHES_AGREE, HISTORY_AGREES, SNAPSHOT_IS_WHOLE};

mod group;

pub use group::*;

const SINGLE: &str = "mvcc/single";
const RESTART: &str = "mvcc/restart";
const WATCH: &str = "mvcc/watch";
const WORKFLOW: &str = "mvcc/workflow";
const UNDER_COMPACTION: &str = "mvcc/restart-under-compaction";

/// Closing the store does not wait for the compactor, which sleeps between two batches and then finds the backend closed.
pub const COMPACTION_OUTLIVES_CLOSE: Bug = Bug {
    index: 0,
    name: "compaction-outlives-close",
    source: "etcd-io/etcd pull request 3003, commit 7cba42fb7 (2015-06-18): the compact goroutine panics if the backend is \
             closed",
    breaks: NOTHING_REACHES_CLOSED,
    scenario: SINGLE,
};

/// A compaction that is resumed after a restart counts itself as running only when it runs, so that a close right after
/// the restart finds nothing to wait for.
pub const RESUME_AFTER_CLOSE: Bug = Bug {
    index: 1,
    name: "resume-after-close",
    source: "etcd-io/etcd up to commit 81de5648d (2016-03-31): restore starts `go s.Compact(scheduled)`, whose wg.Add can \
             come after the wg.Wait of Close",
    breaks: NOTHING_REACHES_CLOSED,
    scenario: UNDER_COMPACTION,
};

/// Each action of a transaction takes and gives back the lock of the backend by itself, so that a commit can make half of
/// the transaction durable.
pub const COMMIT_INSIDE_TRANSACTION: Bug = Bug {
    index: 2,
    name: "commit-inside-transaction",
    source: "etcd-io/etcd pull request 3616, commit c97dda766 (2015-09-29): hold the batchTx lock during a transaction",
    breaks: PREFIX_SURVIVES,
    scenario: RESTART,
};

/// A client is told of a compaction of which the mark is still pending.
pub const COMPACTION_NOT_DURABLE: Bug = Bug {
    index: 3,
    name: "scheduled-compaction-not-durable",
    source: "etcd-io/etcd commit 6d97dcaf3 (2015-08): commit after the scheduled compaction is put",
    breaks: COMPACTION_IS_DURABLE,
    scenario: RESTART,
};

/// Restore rebuilds the index by plain puts: what a key's oldest remaining record says of its creation is lost.
pub const RESTORE_LOSES_CREATED: Bug = Bug {
    index: 4,
    name: "restore-loses-created-revision-and-version",
    source: "etcd-io/etcd commit 433f2ee1b (2015-06)",
    breaks: INDEX_EQUALS_BACKEND,
    scenario: RESTART,
};

/// Restore takes the revision from the newest record alone, and a compaction may have removed that: the older rule, which
/// the bug brings along, removes a tombstone right at the compacted revision.
pub const REVISION_REUSED: Bug = Bug {
    index: 5,
    name: "revision-reused-after-restart",
    source: "etcd-io/etcd issue 6633, commit 93225ebaf (2016); the rule for tombstones until commit bbdc94181 (2024)",
    breaks: REVISIONS_GROW,
    scenario: UNDER_COMPACTION,
};

/// Restore raises the revision to that of the last finished compaction only. One that was interrupted may have removed newer
/// records already. It brings the older rule for tombstones along, too.
pub const REVISION_BEHIND_SCHEDULED: Bug = Bug {
    index: 6,
    name: "revision-behind-scheduled-compaction",
    source: "etcd-io/etcd issue 17780, commit 9ea234913 (2024)",
    breaks: REVISIONS_GROW,
    scenario: UNDER_COMPACTION,
};

/// Restore reads the mark of the finished compaction in place of that of the scheduled one, so that an interrupted
/// compaction is forgotten.
pub const RESUME_READS_FINISHED: Bug = Bug {
    index: 7,
    name: "resume-reads-finished-mark",
    source: "etcd-io/etcd pull request 3003, commit 148394f66 (2015-06): finishedCompactBytes[0] in place of \
             scheduledCompactBytes[0]",
    breaks: COMPACTION_IS_DURABLE,
    scenario: UNDER_COMPACTION,
};

/// Restore passes over a tombstone that is the oldest record of its key, so that the index does not know of it.
pub const LEADING_TOMBSTONE_IGNORED: Bug = Bug {
    index: 8,
    name: "leading-tombstone-ignored",
    source: "etcd-io/etcd issue 19179, commit d8b419257 (2025)",
    breaks: INDEX_EQUALS_BACKEND,
    scenario: UNDER_COMPACTION,
};

/// A read right at the compacted revision is refused, although everything that it needs is kept.
pub const READ_REFUSED_AT_COMPACTED: Bug = Bug {
    index: 9,
    name: "read-refused-at-compacted-revision",
    source: "etcd-io/etcd commit d72bcdc15 (2016-04-13)",
    breaks: ANSWERS_AGREE,
    scenario: SINGLE,
};

/// The interval that the caller asks for is ignored: the batch timer goes by the default one.
pub const BATCH_INTERVAL_IGNORED: Bug = Bug {
    index: 10,
    name: "batch-interval-ignored",
    source: "etcd-io/etcd pull request 4070, commit 0b2d31f3b (2015-12-30): the parameter is spelled bachInterval, and the \
             body reads the constant batchInterval",
    breaks: PENDING_IS_BOUNDED,
    scenario: SINGLE,
};

/// A commit does not wait until its pages are durable before it writes the meta page that names them.
pub const META_BEFORE_PAGES: Bug = Bug {
    index: 11,
    name: "meta-page-before-data-pages",
    source: "etcd-io/bbolt issue 562: a meta page was persisted and some of its data pages were not; boltdb/bolt issue 284",
    breaks: FILE_OPENS,
    scenario: RESTART,
};

/// A file of which one meta page is torn is refused, although the other one is whole.
pub const TORN_META_REFUSED: Bug = Bug {
    index: 12,
    name: "torn-meta-page-refused",
    source: "boltdb/bolt issue 548, pull request 555 (2016-04)",
    breaks: SERVES_AGAIN,
    scenario: RESTART,
};

/// A client repeats a write that has not been answered, although it may have been done.
pub const WRITE_REPEATED: Bug = Bug {
    index: 13,
    name: "unanswered-write-repeated",
    source: "etcd-io/jetcd issue 1444 (2025); Jepsen, jetcd 0.8.2 (2024)",
    breaks: TOLD_AS_DONE,
    scenario: SINGLE,
};

/// A watcher that a compaction has overtaken cannot be told so, because its channel is full; the round goes on and takes it
/// as synced.
pub const COMPACTED_WATCHER_PASSED_OVER: Bug = Bug {
    index: 14,
    name: "compacted-watcher-passed-over",
    source: "etcd-io/etcd issue 17529, commit 405862e80 (2024): a full channel lost the notice of a compaction, and the \
             events went missing in silence",
    breaks: COMPACTED,
    scenario: WATCH,
};

/// A watcher that a compaction has overtaken is dropped without a word.
pub const COMPACTED_WATCHER_DROPPED: Bug = Bug {
    index: 15,
    name: "compacted-watcher-dropped",
    source: "etcd-io/etcd commit 52416fafb (2016-02)",
    breaks: CATCHES_UP,
    scenario: WATCH,
};

/// All deletions of one transaction are told as that of its last key.
pub const DELETIONS_SHARE_LAST_KEY: Bug = Bug {
    index: 16,
    name: "deletions-share-last-key",
    source: "etcd-io/etcd commit 3ddcc2117: events point to the variable of the loop; of the same kind is 2f74f7602 (2015)",
    breaks: FAITHFUL,
    scenario: WATCH,
};

/// A put of an empty value is told as a deletion.
pub const EMPTY_PUT_TOLD_AS_DELETION: Bug = Bug {
    index: 17,
    name: "empty-put-told-as-deletion",
    source: "etcd-io/etcd issue 4688, commit 713f7c056 (2016)",
    breaks: FAITHFUL,
    scenario: WATCH,
};

/// A write of a longer key forgets who watches just its beginning.
pub const LONGER_KEY_UNREGISTERS: Bug = Bug {
    index: 18,
    name: "longer-key-unregisters-watcher",
    source: "etcd-io/etcd commits ec43e0a4c to 48aebd9b0 (2015): the list of a prefix is made anew from those who were told",
    breaks: CATCHES_UP,
    scenario: WATCH,
};

/// Only a watcher whose channel was full notes what it was sent; after a restore in place the others begin again where they
/// once began.
pub const ONLY_SLOW_WATCHERS_ADVANCE: Bug = Bug {
    index: 19,
    name: "only-slow-watchers-advance",
    source: "etcd-io/etcd issue 15271, commit a690707c5 (2023): watchers went back in time after a restore",
    breaks: UNIQUE,
    scenario: WATCH,
};

/// A round of synchronisation sets each watcher to the revision after the current one, even if it waits for a later one.
pub const FUTURE_WATCHER_REWOUND: Bug = Bug {
    index: 20,
    name: "future-watcher-rewound",
    source: "etcd-io/etcd issue 20221, commit cf0369e4a (2025): a watcher from the future got older events after a restore",
    breaks: FAITHFUL,
    scenario: WATCH,
};

/// A compaction removes a tombstone right at its revision: whoever watches from there, which is allowed, misses the deletion.
pub const DELETION_LOST_AT_COMPACTED: Bug = Bug {
    index: 21,
    name: "deletion-lost-at-compacted-revision",
    source: "etcd-io/etcd issue 18089, commit bbdc94181 (2024)",
    breaks: RELIABLE,
    scenario: WATCH,
};

/// Progress does not go through the channel of the stream, and overtakes what waits there.
pub const PROGRESS_OVERTAKES: Bug = Bug {
    index: 22,
    name: "progress-overtakes-events",
    source: "etcd-io/etcd issue 15220, commit 74feb229c (2023)",
    breaks: BOOKMARK,
    scenario: WATCH,
};

/// A put or a deletion reads the revision for its answer after it has given back the locks, and may answer that of another
/// writer.
pub const REVISION_READ_AFTER_UNLOCK: Bug = Bug {
    index: 23,
    name: "revision-read-after-unlock",
    source: "etcd-io/etcd pull request 4032, commit 84d777305 (2015-12-21): Put and DeleteRange return currentRev.main behind \
             txnEnd, which has unlocked the one mutex",
    breaks: TOLD_AS_DONE,
    scenario: WORKFLOW,
};

/// A limit cuts the history in the middle of a revision, and the next revision that is named passes over the rest.
pub const LIMIT_CUTS_REVISION: Bug = Bug {
    index: 24,
    name: "limit-cuts-revision",
    source: "etcd-io/etcd pull request 3558, commits d72914c36 (2015-09-18) to ecc3e15a4 (2015-12-28): nextRev is main+1 \
             wherever the limit was hit",
    breaks: HISTORY_AGREES,
    scenario: WORKFLOW,
};

/// A read in the gap between two generations of a key is answered from the older one: a deleted key is seen.
pub const GAP_ANSWERED_BY_OLDER: Bug = Bug {
    index: 25,
    name: "gap-answered-by-older-generation",
    source: "etcd-io/etcd commit 62f7481b1",
    breaks: ANSWERS_AGREE,
    scenario: WORKFLOW,
};

/// The hash of the newest revision, asked for as 0, is taken without knowing what a compaction keeps, so that records count
/// which the one that runs is about to delete.
pub const NEWEST_HASH_KEEPS_NOTHING: Bug = Bug {
    index: 26,
    name: "newest-hash-keeps-nothing",
    source: "etcd-io/etcd issue 9022, commit 2e95ace82",
    breaks: HASHES_AGREE,
    scenario: WORKFLOW,
};

/// A compaction that was resumed publishes its hash, in which what was deleted before is missing.
pub const PARTIAL_HASH_PUBLISHED: Bug = Bug {
    index: 27,
    name: "partial-hash-published",
    source: "etcd-io/etcd issue 15919, commit b9e30bf87: a false alarm of corruption",
    breaks: HASHES_AGREE,
    scenario: WORKFLOW,
};

/// The size of a snapshot is told, and what is written is cut only when it is written, chunk by chunk.
pub const SNAPSHOT_CUT_WHEN_WRITTEN: Bug = Bug {
    index: 28,
    name: "snapshot-cut-when-written",
    source: "etcd-io/etcd pull request 3608, commit 36f4303fc (2015-09-16): Snapshot(w) cut and wrote in one, so that no size \
             that was told before could be relied on",
    breaks: SNAPSHOT_IS_WHOLE,
    scenario: WORKFLOW,
};

/// All of them, by index.
pub const BUGS: &[Bug] = &[
    COMPACTION_OUTLIVES_CLOSE,
    RESUME_AFTER_CLOSE,
    COMMIT_INSIDE_TRANSACTION,
    COMPACTION_NOT_DURABLE,
    RESTORE_LOSES_CREATED,
    REVISION_REUSED,
    REVISION_BEHIND_SCHEDULED,
    RESUME_READS_FINISHED,
    LEADING_TOMBSTONE_IGNORED,
    READ_REFUSED_AT_COMPACTED,
    BATCH_INTERVAL_IGNORED,
    META_BEFORE_PAGES,
    TORN_META_REFUSED,
    WRITE_REPEATED,
    COMPACTED_WATCHER_PASSED_OVER,
    COMPACTED_WATCHER_DROPPED,
    DELETIONS_SHARE_LAST_KEY,
    EMPTY_PUT_TOLD_AS_DELETION,
    LONGER_KEY_UNREGISTERS,
    ONLY_SLOW_WATCHERS_ADVANCE,
    FUTURE_WATCHER_REWOUND,
    DELETION_LOST_AT_COMPACTED,
    PROGRESS_OVERTAKES,
    REVISION_READ_AFTER_UNLOCK,
    LIMIT_CUTS_REVISION,
    GAP_ANSWERED_BY_OLDER,
    NEWEST_HASH_KEEPS_NOTHING,
    PARTIAL_HASH_PUBLISHED,
    SNAPSHOT_CUT_WHEN_WRITTEN,
    ACKNOWLEDGED_BEFORE_LOG_SYNC,
    INDEX_BEFORE_DATA,
    LEASES_LEAVE_INDEX,
    UNAWAITED_READS_STRIPPED,
    LEASE_ENDS_APART,
    REVOKE_PAST_WATCHERS,
    INDEX_LEFT_ON_OLD_BACKEND,
    RESTORE_WAITS_UNDER_LOCK,
    DEFRAGMENT_PAST_HOOK,
    REVOKE_IN_MAP_ORDER,
    LESSOR_LEFT_ON_OLD_BACKEND,
    RESTORE_LEAVES_WATCHERS,
    INSTALLED_DURING_DEFRAGMENT,
    SNAPSHOT_ASKED_ONCE,
    LEASES_NOT_EXTENDED,
];

/// Those that are defects of the pure structures.
pub(super) fn defects(bugs: BugSet) -> Defects {
    Defects {
        restore_by_plain_put: bugs.has(&RESTORE_LOSES_CREATED),
        revision_not_raised: bugs.has(&REVISION_REUSED),
        not_raised_to_scheduled: bugs.has(&REVISION_BEHIND_SCHEDULED),
        resume_reads_finished: bugs.has(&RESUME_READS_FINISHED),
        leading_tombstone_ignored: bugs.has(&LEADING_TOMBSTONE_IGNORED),
        refused_at_compacted: bugs.has(&READ_REFUSED_AT_COMPACTED),
        compacted_watcher_passed_over: bugs.has(&COMPACTED_WATCHER_PASSED_OVER),
        compacted_watcher_dropped: bugs.has(&COMPACTED_WATCHER_DROPPED),
        deletions_share_last_key: bugs.has(&DELETIONS_SHARE_LAST_KEY),
        empty_value_is_deletion: bugs.has(&EMPTY_PUT_TOLD_AS_DELETION),
        longer_key_unregisters: bugs.has(&LONGER_KEY_UNREGISTERS),
        only_slow_watchers_advance: bugs.has(&ONLY_SLOW_WATCHERS_ADVANCE),
        future_watcher_rewound: bugs.has(&FUTURE_WATCHER_REWOUND),
        restore_leaves_watchers: bugs.has(&RESTORE_LEAVES_WATCHERS),
        head_tombstone_removed: bugs.has(&DELETION_LOST_AT_COMPACTED),
        limit_cuts_revision: bugs.has(&LIMIT_CUTS_REVISION),
        gap_answered_by_older: bugs.has(&GAP_ANSWERED_BY_OLDER),
        newest_hash_keeps_nothing: bugs.has(&NEWEST_HASH_KEEPS_NOTHING),
        partial_hash_published: bugs.has(&PARTIAL_HASH_PUBLISHED),
        ..Defects::NONE
    }
}
