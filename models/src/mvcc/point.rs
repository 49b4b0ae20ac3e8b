//! Places where a fault may strike.

use seedbed_sim::actor::Point;

/// A request was done; nothing of it is durable yet, and nobody was told.
pub const REQUEST_DONE: Point = Point { index: 0, name: "request-done" };
/// An action of a transaction was done, and another one follows.
pub const ACTION_DONE: Point = Point { index: 1, name: "action-done" };
/// A commit was planned, and nothing of it is written.
pub const COMMIT_BEGUN: Point = Point { index: 2, name: "commit-begun" };
/// The pages of a commit are written and not synced.
pub const COMMIT_PAGES_WRITTEN: Point = Point { index: 3, name: "commit-pages-written" };
/// The pages of a commit are durable, and the file is as it was before.
pub const COMMIT_PAGES_SYNCED: Point = Point { index: 4, name: "commit-pages-synced" };
/// The meta page of a commit is written and not synced.
pub const COMMIT_META_WRITTEN: Point = Point { index: 5, name: "commit-meta-written" };
/// A commit is durable, and nobody knows.
pub const COMMIT_META_SYNCED: Point = Point { index: 6, name: "commit-meta-synced" };
/// The mark of a compaction is pending.
pub const COMPACT_SCHEDULED: Point = Point { index: 7, name: "compact-scheduled" };
/// The mark of a compaction is durable; the worker and the client do not know.
pub const COMPACT_DURABLE: Point = Point { index: 8, name: "compact-durable" };
/// A batch of a compaction is pending.
pub const COMPACT_BATCH: Point = Point { index: 9, name: "compact-batch" };
/// The last batch of a compaction and its mark are pending.
pub const COMPACT_FINISHED: Point = Point { index: 10, name: "compact-finished" };
/// The file was read, and nothing was written to it in this life.
pub const FILE_READ: Point = Point { index: 11, name: "file-read" };
/// A chunk of records was read into the index.
pub const RESTORE_CHUNK: Point = Point { index: 12, name: "restore-chunk" };
/// The store has just been opened.
pub const STORE_OPENED: Point = Point { index: 13, name: "store-opened" };
/// The store is about to be closed.
pub const STORE_CLOSING: Point = Point { index: 14, name: "store-closing" };
/// The store was closed in order.
pub const STORE_CLOSED: Point = Point { index: 15, name: "store-closed" };
/// A client is being told what came of its request.
pub const REPLY_SENT: Point = Point { index: 16, name: "reply-sent" };

/// Watchers were told of a transaction that has just become visible; its client was not.
pub const WATCHERS_NOTIFIED: Point = Point { index: 17, name: "watchers-notified" };
/// A round of synchronisation has served its watchers.
pub const WATCHERS_SYNCED: Point = Point { index: 18, name: "watchers-synced" };
/// All victims are in the hands of a round.
pub const VICTIMS_TAKEN: Point = Point { index: 19, name: "victims-taken" };
/// A response goes from a stream to its connection.
pub const RESPONSE_SENT: Point = Point { index: 20, name: "response-sent" };

/// The applier has taken an entry, and holds no lock yet.
pub const ENTRY_TAKEN: Point = Point { index: 36, name: "entry-taken" };
/// A snapshot was received and is durable beside the file; nothing else is done.
pub const SNAPSHOT_RECEIVED: Point = Point { index: 37, name: "snapshot-received" };
/// The log begins behind the snapshot; the file is still the old one.
pub const LOG_RESET: Point = Point { index: 38, name: "log-reset" };
/// The snapshot is the file now, and that is durable; the store is still to be restored.
pub const SNAPSHOT_RENAMED: Point = Point { index: 39, name: "snapshot-renamed" };

/// Everything is committed, and the copy of the file is to be made.
pub const DEFRAGMENT_BEGUN: Point = Point { index: 41, name: "defragment-begun" };
/// The copy is durable, and not the file yet.
pub const DEFRAGMENT_COPIED: Point = Point { index: 42, name: "defragment-copied" };
/// The copy is the file, and the committer does not know.
pub const DEFRAGMENT_RENAMED: Point = Point { index: 43, name: "defragment-renamed" };
/// The log was read, and nothing was written in this life.
pub const LOG_READ: Point = Point { index: 31, name: "log-read" };
/// Entries are in the file of the log, and not synced.
pub const LOG_WRITTEN: Point = Point { index: 32, name: "log-written" };
/// Entries are durable, and nobody knows.
pub const LOG_SYNCED: Point = Point { index: 33, name: "log-synced" };
/// The log is durable under another name, and the old one is still there.
pub const LOG_COPIED: Point = Point { index: 34, name: "log-copied" };
/// The new log has the name of the old one, and that is not durable.
pub const LOG_RENAMED: Point = Point { index: 35, name: "log-renamed" };

/// Those of a node that is watched, by index.
pub const WATCHED: &[Point] = &[
    REQUEST_DONE,
    ACTION_DONE,
    COMMIT_BEGUN,
    COMMIT_PAGES_WRITTEN,
    COMMIT_PAGES_SYNCED,
    COMMIT_META_WRITTEN,
    COMMIT_META_SYNCED,
    COMPACT_SCHEDULED,
    COMPACT_DURABLE,
    COMPACT_BATCH,
    COMPACT_FINISHED,
    FILE_READ,
    RESTORE_CHUNK,
    STORE_OPENED,
    STORE_CLOSING,
    STORE_CLOSED,
    REPLY_SENT,
    WATCHERS_NOTIFIED,
    WATCHERS_SYNCED,
    VICTIMS_TAKEN,
    RESPONSE_SENT,
];

/// Those of a node that nobody watches, by index: all before the ones of watchers.
pub const ALL: &[Point] = WATCHED.split_at(WATCHERS_NOTIFIED.index as usize).0;

/// An explicit transaction has begun.
pub const TXN_BEGUN: Point = Point { index: 21, name: "txn-begun" };
/// A snapshot was cut, and nothing of it is written.
pub const SNAPSHOT_CUT: Point = Point { index: 22, name: "snapshot-cut" };
/// A part of a snapshot goes to its file.
pub const SNAPSHOT_CHUNK: Point = Point { index: 23, name: "snapshot-chunk" };
/// The next pairs go to the copy of a backend.
pub const DEFRAG_COPY: Point = Point { index: 24, name: "defrag-copy" };
/// The copy has the name of the file, which is not durable.
pub const DEFRAG_RENAMED: Point = Point { index: 25, name: "defrag-renamed" };
/// The copy is in use.
pub const DEFRAG_SWAPPED: Point = Point { index: 26, name: "defrag-swapped" };

const LIBRARY: [Point; 6] =
    [TXN_BEGUN, SNAPSHOT_CUT, SNAPSHOT_CHUNK, DEFRAG_COPY, DEFRAG_RENAMED, DEFRAG_SWAPPED];

const USED: [Point; ALL.len() + LIBRARY.len()] = {
    let mut all = [TXN_BEGUN; ALL.len() + LIBRARY.len()];
    let (own, others) = all.split_at_mut(ALL.len());
    own.copy_from_slice(ALL);
    others.copy_from_slice(&LIBRARY);
    all
};

/// Those of a node that threads use: those of any node, and what only they do.
pub const WORKFLOW: &[Point] = &USED;

/// What a group has over a node that is watched.
const OF_GROUP: [Point; 13] = [
    LOG_READ,
    LOG_WRITTEN,
    LOG_SYNCED,
    LOG_COPIED,
    LOG_RENAMED,
    ENTRY_TAKEN,
    SNAPSHOT_CUT,
    SNAPSHOT_RECEIVED,
    LOG_RESET,
    SNAPSHOT_RENAMED,
    DEFRAGMENT_BEGUN,
    DEFRAGMENT_COPIED,
    DEFRAGMENT_RENAMED,
];

const OF_MEMBER: [Point; WATCHED.len() + OF_GROUP.len()] = {
    let mut all = [ENTRY_TAKEN; WATCHED.len() + OF_GROUP.len()];
    let (own, others) = all.split_at_mut(WATCHED.len());
    own.copy_from_slice(WATCHED);
    others.copy_from_slice(&OF_GROUP);
    all
};

/// Those of a node of a group: those of a node that is watched, and what only it does.
pub const GROUP: &[Point] = &OF_MEMBER;
