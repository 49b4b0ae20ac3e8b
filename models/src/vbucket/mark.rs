//! What a campaign must have seen at least once.

use seedbed_sim::actor::Mark;

/// What the checksum is for.
pub const TORN_LOG: Mark = Mark { index: 0, name: "a node found a torn record in its log" };
/// What the begin and the commit are for.
pub const UNFINISHED_TRANSACTION: Mark =
    Mark { index: 1, name: "a node found a transaction in its log that was never committed" };
/// What the backlog is for.
pub const REJECTED: Mark = Mark { index: 2, name: "a record was refused and written later" };
/// A window is written as a whole.
pub const WINDOW_WRITTEN_AGAIN: Mark =
    Mark { index: 3, name: "the transaction of an online update was begun again" };
/// Clients wait for the end of a revert.
pub const BLOCKED_BY_REVERT: Mark =
    Mark { index: 4, name: "a request waited for the end of a revert" };
/// Clients wait for a pending vbucket.
pub const BLOCKED_PENDING: Mark = Mark { index: 5, name: "a request waited for a pending vbucket" };
/// And go on.
pub const UNBLOCKED: Mark = Mark { index: 6, name: "a request that had waited went on" };
/// Memory pressure.
pub const NO_ROOM: Mark = Mark { index: 7, name: "a new value was refused for want of memory" };
/// An expired key was met by a client.
pub const EXPIRED_AT_ACCESS: Mark =
    Mark { index: 8, name: "a client came to a key whose time had run out" };
/// What fetches are for.
pub const FETCHED: Mark =
    Mark { index: 9, name: "a request waited for a value that was on disk only" };
/// What the second look of the fetcher is for.
pub const CHANGED_WHILE_FETCHED: Mark =
    Mark { index: 10, name: "a key was changed while its old value was fetched" };
/// An online update went through.
pub const COMPLETED: Mark = Mark { index: 11, name: "an online update was completed" };
/// An online update was taken back.
pub const REVERTED: Mark = Mark { index: 12, name: "an online update was reverted" };
/// A vbucket was deleted.
pub const DROPPED: Mark = Mark { index: 13, name: "a vbucket was deleted" };
/// A client waited for the disk.
pub const WAITED_FOR_DISK: Mark =
    Mark { index: 14, name: "a client waited for a checkpoint until it was on disk" };
/// A client waited for the disk too long.
pub const WAITED_IN_VAIN: Mark =
    Mark { index: 15, name: "a client waited for a checkpoint for too long" };
/// Checkpoints go.
pub const CHECKPOINT_REMOVED: Mark = Mark { index: 16, name: "a checkpoint was removed" };
/// Values go.
pub const EVICTED: Mark = Mark { index: 17, name: "a value was taken out of memory" };
/// What the second look of the pager is for.
pub const CHANGED_BEFORE_PURGE: Mark =
    Mark { index: 18, name: "a key was changed between being collected and being purged" };
/// A reader comes back.
pub const READER_WENT_ON: Mark =
    Mark { index: 20, name: "a reader went on in the log where it had been" };
/// A reader was away for too long.
pub const READER_BACKFILLED: Mark =
    Mark { index: 21, name: "a reader found that the log had gone on without it" };
/// Backfills wait for the end of an online update.
pub const READER_MET_WINDOW: Mark =
    Mark { index: 22, name: "a reader that had lost the log met an online update" };
/// A session begins.
pub const SESSION_BEGAN: Mark = Mark { index: 23, name: "a replica began anew" };
/// A lagging master.
pub const MERGED: Mark =
    Mark { index: 24, name: "a replica went back to an earlier checkpoint and merged what it had" };
/// What the number of the update in each change is for.
pub const REVERTED_CAME_AGAIN: Mark =
    Mark { index: 25, name: "a change of an online update came again after its revert" };
/// What the number of the update in each step is for.
pub const STEP_CAME_AGAIN: Mark = Mark { index: 26, name: "a step of an online update came again" };
/// Replicas follow.
pub const STEP_OF_REPLICA: Mark =
    Mark { index: 27, name: "a replica did a step of an online update" };
/// Merging of what is closed.
pub const COLLAPSED: Mark = Mark { index: 28, name: "closed checkpoints of a replica were merged" };
/// A version is put in once.
pub const CHANGE_CAME_AGAIN: Mark =
    Mark { index: 29, name: "a replica was told again of a version that it had" };
/// A reader may come back with less than it had.
pub const READER_FORGOT: Mark =
    Mark { index: 30, name: "a reader came back with less than it had been told" };
/// Deleting everything.
pub const FLUSHED_ALL: Mark =
    Mark { index: 31, name: "all keys of a vbucket were deleted at once" };
/// A window is more than one checkpoint.
pub const WINDOW_SPANNED: Mark =
    Mark { index: 32, name: "an online update ended that spanned several checkpoints" };
/// What must not be lost with the window.
pub const REVERT_MET_UNWRITTEN: Mark =
    Mark { index: 33, name: "a revert began before what was earlier was on disk" };
/// A revert of a replica takes several steps.
pub const FRAME_WAITED: Mark =
    Mark { index: 34, name: "what a master said waited for the end of a revert" };
/// What the second look of the flusher is for.
pub const WORK_BEFORE_SLEEP: Mark =
    Mark { index: 35, name: "something came when the flusher had looked and did not sleep yet" };
/// What the second look of whoever waits for the disk is for.
pub const ON_DISK_BEFORE_WAIT: Mark =
    Mark { index: 36, name: "a checkpoint came to be on disk before the wait for it began" };
/// Nobody waits for what has been forgotten.
pub const ANSWERED_BY_RESET: Mark =
    Mark { index: 37, name: "who waited for a replica was answered when it began anew" };
/// The pager works.
pub const PURGED: Mark = Mark { index: 19, name: "the pager took a key out" };
