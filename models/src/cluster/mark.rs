//! What a campaign must have seen at least once. The numbers are those of marks of data nodes that cannot come here: of
//! online updates, and of replicas without streams.

use seedbed_sim::actor::Mark;

/// Rebalance.
pub const REBALANCED: Mark = Mark { index: 3, name: "a rebalance finished" };
/// Not all do.
pub const REBALANCE_FAILED: Mark = Mark { index: 4, name: "a rebalance failed" };
/// In the midst.
pub const STOPPED: Mark = Mark { index: 11, name: "a rebalance was stopped in the midst" };
/// And later.
pub const CONTINUED: Mark =
    Mark { index: 12, name: "a rebalance that had been stopped was continued, and finished" };
/// A stop takes things back.
pub const TAKEN_BACK: Mark =
    Mark { index: 20, name: "a vbucket that was on its way was given back to its master" };
/// Failover.
pub const FAILED_OVER: Mark = Mark { index: 21, name: "replicas took over from a node" };
/// Under everything else.
pub const FAILED_OVER_MOVING: Mark =
    Mark { index: 22, name: "a node was given up while vbuckets were on their way" };
/// The way back.
pub const ADDED_BACK: Mark =
    Mark { index: 23, name: "a node that had been given up was added back" };
/// What the epoch of a map is for.
pub const NOT_YET: Mark = Mark {
    index: 25,
    name: "a node was asked for a vbucket that was active there, and not yet its own",
};
/// What a session is for.
pub const TAKEN_ANEW: Mark = Mark {
    index: 27,
    name: "a vbucket that had moved in vain was active where it had to move to again",
};
/// A failover needs a replica.
pub const NOT_FAILED_OVER: Mark =
    Mark { index: 30, name: "a failover was refused for want of a replica that has everything" };
/// Counts.
pub const COUNTED: Mark = Mark { index: 31, name: "every replica counted what its master counted" };
/// Single moves.
pub const MOVED_ALONE: Mark = Mark { index: 56, name: "a task moved a vbucket by itself" };
/// Swap.
pub const SWAPPED: Mark = Mark { index: 57, name: "a node took the place of another one" };
