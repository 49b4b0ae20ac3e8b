//! What a campaign must have seen at least once. Numbers below 32 are those of a data node.

use seedbed_sim::actor::Mark;

/// Back-off is for something.
pub const BACKED_OFF: Mark = Mark { index: 32, name: "a client waited before it tried again" };
/// Maps get old.
pub const NOT_MY_VBUCKET: Mark =
    Mark { index: 33, name: "a client came to a node that had the vbucket no more" };
/// And end somewhere.
pub const TOO_MANY_REFRESHES: Mark =
    Mark { index: 34, name: "a call was given up after five new maps" };
/// Grouping is done anew.
pub const SENT_ELSEWHERE: Mark =
    Mark { index: 35, name: "a call that one node had refused was sent to another" };
/// A timeout is no failure.
pub const UNKNOWN_TIMEOUT: Mark = Mark { index: 36, name: "a write stayed without an answer" };
/// Nor is a reset.
pub const UNKNOWN_RESET: Mark = Mark { index: 37, name: "a connection ended under a write" };
/// Refused is certain.
pub const REFUSED: Mark = Mark { index: 38, name: "a connection was refused" };
/// Maps lose nodes.
pub const UNUSED_CLOSED: Mark =
    Mark { index: 39, name: "a client had a connection to a node that had left its map" };
/// Multi-sets are not all or nothing.
pub const PARTLY_STORED: Mark =
    Mark { index: 40, name: "a part of a multi-set did not come through" };
/// What sets of possible values are for.
pub const STORE_UNCERTAIN: Mark =
    Mark { index: 41, name: "a store held more than one thing possible" };
/// And how they become smaller.
pub const LEARNED: Mark = Mark { index: 42, name: "a store learned from what was seen" };
/// Partitions are contended for.
pub const WAITED_FOR_PARTITION: Mark =
    Mark { index: 43, name: "a task waited for a partition that another one held" };
/// The order matters.
pub const SEVERAL_PARTITIONS: Mark =
    Mark { index: 44, name: "a task took several partitions at once" };
/// Tasks can be stopped.
pub const PAUSED: Mark = Mark { index: 45, name: "a task was paused between two keys" };
/// And go on.
pub const RESUMED: Mark = Mark { index: 46, name: "a paused task went on" };
/// Or not.
pub const ABORTED: Mark = Mark { index: 47, name: "a task was aborted between two keys" };
/// More tasks than workers.
pub const QUEUED: Mark = Mark { index: 48, name: "a task waited for a worker" };
/// More than one at once.
pub const SIDE_BY_SIDE: Mark = Mark { index: 49, name: "two tasks ran side by side on one store" };
/// Silence is not absence.
pub const NOT_VERIFIED: Mark =
    Mark { index: 50, name: "a key could not be looked at, and was looked at again" };
/// Deletions are verified.
pub const VERIFIED_DELETED: Mark = Mark { index: 51, name: "a deleted key was found to be absent" };
/// So is expiry.
pub const VERIFIED_EXPIRED: Mark =
    Mark { index: 52, name: "a key whose time had run out was found to be absent" };
/// Losses are found.
pub const FOUND_AMISS: Mark = Mark { index: 53, name: "a client found that something was lost" };
/// A random pick may find nothing.
pub const NOTHING_TO_PICK: Mark =
    Mark { index: 54, name: "no partition had a key of the kind that was wanted" };
/// Rebalance.
pub const MOVED: Mark = Mark { index: 55, name: "a vbucket was moved" };
/// Which may fail.
pub const MOVE_FAILED: Mark = Mark { index: 56, name: "a move took too long and was taken back" };
/// Copies are sent until there is word of them.
pub const COPY_SENT_AGAIN: Mark = Mark { index: 57, name: "a copy of a vbucket was sent again" };
/// Failover.
pub const FAILED_OVER: Mark = Mark { index: 58, name: "a replica took over" };
/// Replicas are verified.
pub const REPLICA_AGREES: Mark =
    Mark { index: 59, name: "a replica had the flags, version and value of its master" };
/// Conditional writes come through.
pub const STORED_BY_VERSION: Mark =
    Mark { index: 60, name: "a write that wanted the version of its client's last look was done" };
/// Or not.
pub const REFUSED_BY_VERSION: Mark =
    Mark { index: 61, name: "a write came too late for the version of its client's last look" };
/// Numbers are counted.
pub const ADDED: Mark = Mark { index: 62, name: "a number was counted up or down" };
