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
/// What the bound of a stream is for.
pub const VICTIM_CAUGHT_UP: Mark =
    Mark { index: 13, name: "a watcher became a victim and caught up" };
/// Where etcd 405862e80 is about.
pub const COMPACTED_MET_FULL: Mark =
    Mark { index: 14, name: "a compacted watcher met a full channel" };
/// A compaction overtakes those who are slow.
pub const COMPACTED_TOLD: Mark =
    Mark { index: 15, name: "a watcher was told that it is compacted" };
/// What the names of watchers and the last revision of a client are for.
pub const RESUMED_AFTER_CRASH: Mark =
    Mark { index: 16, name: "a watcher was resumed after a crash" };
/// A stream can be lost without its node.
pub const RESUMED_IN_LIFE: Mark =
    Mark { index: 17, name: "a watcher was resumed while the store lived on" };
/// etcd 036ed87c6.
pub const WATCH_IN_FUTURE: Mark = Mark { index: 18, name: "a watch began in the future" };
/// The limit of revisions in a batch.
pub const BATCH_CUT: Mark = Mark { index: 19, name: "a batch was cut by the revision limit" };
/// The other side of that limit.
pub const BATCH_OF_SEVERAL: Mark = Mark { index: 20, name: "a batch held several revisions" };
/// The limit of watchers in a round.
pub const ROUND_FULL: Mark = Mark { index: 21, name: "a round left watchers for the next one" };
/// The other side of that limit.
pub const ROUND_OF_ALL: Mark =
    Mark { index: 22, name: "a round served several watchers and left none" };
/// What filters are for.
pub const WATCHER_FILTERED: Mark =
    Mark { index: 23, name: "a filtered watcher saw nothing of a revision" };
/// Restoring in place.
pub const WATCHER_MOVED_BY_RESTORE: Mark =
    Mark { index: 24, name: "a synced watcher was moved by a restore" };
/// The race between a cancel and the round that works without the lock.
pub const CANCEL_MET_ROUND: Mark =
    Mark { index: 25, name: "a cancel or a close met a victim in the hands of a round" };
/// A bookmark.
pub const PROGRESS_TOLD: Mark = Mark { index: 26, name: "progress was told to all of a stream" };
/// No bookmark.
pub const PROGRESS_WITHHELD: Mark =
    Mark { index: 27, name: "progress was withheld because a watcher was behind" };
/// etcd afeab20ac.
pub const WATCH_REFUSED: Mark =
    Mark { index: 28, name: "a watch from a negative revision was refused" };
/// A client reads too slowly for its connection.
pub const DRAIN_STOOD_STILL: Mark = Mark { index: 29, name: "the drain of a stream stood still" };
/// Etcd 36f4303fc.
pub const SNAPSHOT_WHILE_WRITING: Mark =
    Mark { index: 58, name: "a snapshot was sent while writes went on" };
/// Another node decides when leases end.
pub const LEASES_TAKEN_OVER: Mark = Mark { index: 60, name: "a new primary took leases over" };
/// Etcd issue 15247.
pub const FORMER_PRIMARY_REFUSED: Mark =
    Mark { index: 57, name: "a former primary was not allowed to revoke a lease" };
/// A client keeps its lease.
pub const LEASE_RENEWED: Mark = Mark { index: 61, name: "a lease was renewed" };
/// A client does not.
pub const LEASE_RAN_OUT: Mark = Mark { index: 62, name: "a lease ran out" };
/// What a corruption check is for.
pub const HASHES_COMPARED: Mark =
    Mark { index: 63, name: "two nodes were compared by the hash of a revision" };
/// Of a file under load.
pub const DEFRAGMENTED: Mark = Mark { index: 59, name: "a file was defragmented" };
/// What prev_kv cannot promise.
pub const PREVIOUS_COMPACTED: Mark =
    Mark { index: 30, name: "what a key was before was compacted" };
/// One lock for all entry points.
pub const THREAD_WAITED_FOR_TXN: Mark =
    Mark { index: 31, name: "a thread waited for the transaction of another" };
/// What ids are for.
pub const WRONG_TXN_ID: Mark = Mark { index: 32, name: "a wrong transaction id was refused" };
/// Its client is gone, or slow.
pub const TXN_LEFT_ALONE: Mark =
    Mark { index: 33, name: "a transaction that was left alone was ended" };
/// What the cut is for.
pub const SNAPSHOT_BESIDE_WRITES: Mark =
    Mark { index: 34, name: "a snapshot was written while others wrote" };
/// An open snapshot needs the backend.
pub const CLOSE_WAITED_FOR_SNAPSHOT: Mark = Mark { index: 35, name: "close waited for a snapshot" };
/// Before the rename a failing disk is no harm.
pub const DEFRAG_GIVEN_UP: Mark =
    Mark { index: 36, name: "defragmenting was given up because the disk failed" };
/// The copy of one that was interrupted.
pub const LEFT_OVER_MET: Mark =
    Mark { index: 37, name: "defragmenting met the copy of one that was interrupted" };
/// The limit of a part of the history.
pub const HISTORY_CUT: Mark =
    Mark { index: 38, name: "history was cut before a revision that did not fit" };
/// The other side of that limit.
pub const HISTORY_BEYOND_LIMIT: Mark =
    Mark { index: 39, name: "a revision beyond the limit of history was told whole" };
/// Compactions take hashes.
pub const HASH_KEPT: Mark = Mark { index: 40, name: "a hash was answered from those kept" };
/// An error of the interface.
pub const HASH_REFUSED: Mark =
    Mark { index: 41, name: "a hash at a compacted or future revision was refused" };
/// What the read buffer is for.
pub const READ_PENDING: Mark =
    Mark { index: 42, name: "a read without a lock came while something was pending" };

/// What the checksums of a log are for.
pub const TORN_LOG: Mark = Mark { index: 43, name: "a torn tail of a log was dropped" };
/// A log does not grow for ever.
pub const LOG_RELEASED: Mark = Mark { index: 44, name: "a log forgot what the backend has" };
/// The log of a node that a snapshot has moved.
pub const LOG_RESET: Mark = Mark { index: 45, name: "a log began anew behind a snapshot" };
/// One sync for several messages.
pub const APPENDS_BATCHED: Mark =
    Mark { index: 46, name: "entries waited for a write of the log and went together" };
/// What snapshots are for.
pub const SNAPSHOT_NEEDED: Mark =
    Mark { index: 47, name: "a node needed entries that were released" };
/// Any replica can go on where another one was.
pub const RESUMED_ELSEWHERE: Mark =
    Mark { index: 48, name: "a watcher was resumed on another replica" };
