//! What a campaign must have seen at least once.

use seedbed_sim::actor::Mark;

/// What the lock of the backend is for.
pub const COMMIT_WAITED: Mark = Mark { index: 0, name: "a commit waited for a transaction" };
/// What the order of a commit is for.
pub const TORN_COMMIT: Mark = Mark { index: 1, name: "a torn commit was rolled back" };
/// A store was closed in the middle of a compaction.
pub const COMPACTION_INTERRUPTED: Mark =
    Mark { index: 2, name: "a compaction was interrupted between two batches" };
/// What the mark "scheduled" is for.
pub const COMPACTION_RESUMED: Mark =
    Mark { index: 3, name: "a compaction was resumed and finished after a restart" };
/// The worker has a queue.
pub const COMPACTION_QUEUED: Mark =
    Mark { index: 4, name: "a compaction was accepted while another one ran" };
/// The rule of etcd bbdc94181.
pub const TOMBSTONE_KEPT: Mark =
    Mark { index: 5, name: "a tombstone right at the compacted revision was kept" };
/// What S8 is about.
pub const CLOSE_WAITED: Mark = Mark { index: 6, name: "close waited for a compaction" };
/// An error of the interface.
pub const READ_COMPACTED: Mark = Mark { index: 7, name: "a read met a compacted revision" };
/// Another one.
pub const READ_FUTURE: Mark = Mark { index: 8, name: "a read met a future revision" };
/// What the numbers of attempts are for.
pub const REPEATED_REQUEST: Mark =
    Mark { index: 9, name: "a repeated or late request was recognised" };
/// Clients are turned away.
pub const REQUEST_WHILE_CLOSING: Mark =
    Mark { index: 10, name: "a request came while the store was being closed" };
/// Clients are kept waiting.
pub const REQUEST_WAITED_FOR_OPENING: Mark =
    Mark { index: 11, name: "a request waited for the store to open" };
/// Fail-stop.
pub const DISK_ENDED_PROCESS: Mark =
    Mark { index: 12, name: "a disk that failed or did not answer ended the process" };
