//! Planted bugs: defects that etcd has had, each a switch that is off by default.

use seedbed_sim::actor::Bug;

use super::checks::{
    COMPACTION_IS_DURABLE, INDEX_EQUALS_BACKEND, NOTHING_REACHES_CLOSED, PREFIX_SURVIVES,
    REVISIONS_GROW,
};

const RESTART: &str = "mvcc/restart";
const UNDER_COMPACTION: &str = "mvcc/restart-under-compaction";

/// Closing the store does not wait for the compactor, which sleeps between two batches and then finds the backend closed.
pub const COMPACTION_OUTLIVES_CLOSE: Bug = Bug {
    index: 0,
    name: "compaction-outlives-close",
    source: "etcd-io/etcd pull request 3003, commit 7cba42fb7 (2015-06-18): the compact goroutine panics if the backend is \
             closed",
    breaks: NOTHING_REACHES_CLOSED,
    scenario: "mvcc/single",
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

/// All of them, by index.
pub const BUGS: &[Bug] = &[
    COMPACTION_OUTLIVES_CLOSE,
    RESUME_AFTER_CLOSE,
    COMMIT_INSIDE_TRANSACTION,
    COMPACTION_NOT_DURABLE,
    RESTORE_LOSES_CREATED,
    REVISION_REUSED,
];
