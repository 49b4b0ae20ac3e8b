//! Planted bugs of a replica: what it makes of what its active copy says.

use seedbed_sim::actor::Bug;

use crate::vbucket::checks::{
    BARRIER, COMES_TO_DISK, CURSORS_STAND, IDS_GROW, NOT_BEFORE_DISK, ONCE, REPLICATED, SNAPSHOT,
};

const REPLICA: &str = "vbucket/replica";

/// A replica that is told of the start of an online update opens a second checkpoint of the same id.
pub const START_REUSES_ID: Bug = Bug {
    index: 23,
    name: "start-reuses-checkpoint-id",
    source: "couchbase/ep-engine 79b3f055: startOnlineUpdate of a replica closes its checkpoint and opens one of the same id",
    breaks: IDS_GROW,
    scenario: REPLICA,
};

/// A replica that is told of the end of an online update opens the next checkpoint by itself, and then refuses the end of the
/// one that its master has.
pub const END_OPENS_NEXT: Bug = Bug {
    index: 24,
    name: "end-opens-next-checkpoint",
    source: "couchbase/ep-engine 79b3f055: stopOnlineUpdate of a replica opens a checkpoint, CHECKPOINT_END of another one disconnects",
    breaks: REPLICATED,
    scenario: REPLICA,
};

/// A replica that is told of the start of an online update opens a checkpoint of the next id, which its master then uses, too,
/// and what has that id is erased.
pub const START_TAKES_NEXT_ID: Bug = Bug {
    index: 25,
    name: "start-takes-next-id",
    source: "couchbase/ep-engine 6d6cce7f to b1ae7f77: the own id of a replica collides with the next CHECKPOINT_START",
    breaks: COMES_TO_DISK,
    scenario: REPLICA,
};

/// A step of an online update that comes again ends the connection, after which it comes again.
pub const UPDATE_NOT_REPEATABLE: Bug = Bug {
    index: 26,
    name: "update-not-repeatable",
    source: "couchbase/ep-engine 79b3f055, tapNotify: a start that is delivered again is NOT_SUPPORTED, which disconnects",
    breaks: REPLICATED,
    scenario: REPLICA,
};

/// Steps of online updates overtake the changes that wait to be sent.
pub const STEP_OVERTAKES: Bug = Bug {
    index: 27,
    name: "step-overtakes-changes",
    source: "couchbase/ep-engine 79b3f055, tapconnection.cc: steps go to the high-priority queue, changes to the ordinary one",
    breaks: SNAPSHOT,
    scenario: REPLICA,
};

/// Merging puts every cursor to the beginning, so that what is on disk is written again.
pub const MERGE_REWINDS: Bug = Bug {
    index: 28,
    name: "merge-rewinds-cursors",
    source: "couchbase/ep-engine 9c0951a0 (MB-7583)",
    breaks: ONCE,
    scenario: REPLICA,
};

/// Merging moves cursors into a checkpoint without putting them on its list.
pub const MERGE_FORGETS_CURSORS: Bug = Bug {
    index: 29,
    name: "merge-forgets-cursors",
    source: "couchbase/ep-engine 3b8debc4 (MB-7652)",
    breaks: CURSORS_STAND,
    scenario: REPLICA,
};

/// A replica whose master goes back to an earlier checkpoint erases what it has from there on, written or not.
pub const SMALLER_START_ERASES: Bug = Bug {
    index: 30,
    name: "smaller-start-erases",
    source: "couchbase/ep-engine b1ae7f77 (MB-4707)",
    breaks: COMES_TO_DISK,
    scenario: REPLICA,
};

/// A replica whose master goes back to an earlier checkpoint still says that later ones are on disk.
pub const ROLLBACK_KEEPS_PERSISTED_ID: Bug = Bug {
    index: 31,
    name: "rollback-keeps-persisted-id",
    source: "couchbase/ep-engine e36dcc2f",
    breaks: NOT_BEFORE_DISK,
    scenario: REPLICA,
};

/// The lower id of a replica whose master goes back stays in memory, and the disk keeps the higher one.
pub const ROLLED_BACK_ID_NOT_SAVED: Bug = Bug {
    index: 44,
    name: "rolled-back-id-not-saved",
    source: "couchbase/ep-engine e36dcc2f: of the id up to which all is on disk; its durable half, which no snapshot of the \
             state follows",
    breaks: NOT_BEFORE_DISK,
    scenario: REPLICA,
};

/// Ids that a master sends do not move on the ids that its replica will use when it is promoted.
pub const NEXT_ID_NOT_ADVANCED: Bug = Bug {
    index: 32,
    name: "next-id-not-advanced",
    source: "couchbase/ep-engine 6d6cce7f (MB-3662)",
    breaks: IDS_GROW,
    scenario: REPLICA,
};

/// A replica that is promoted between the end of a checkpoint and the start of the next one has none open.
pub const PROMOTED_WITHOUT_OPEN: Bug = Bug {
    index: 33,
    name: "promoted-without-open-checkpoint",
    source: "couchbase/ep-engine 34757f89 (MB-10641)",
    breaks: IDS_GROW,
    scenario: REPLICA,
};

/// A replica is told everything anew while an online update is open, and never hears of its start.
pub const BACKFILLED_IN_WINDOW: Bug = Bug {
    index: 37,
    name: "backfilled-in-window",
    source: "couchbase/ep-engine 79b3f055: a replica that is built by a backfill during an online update has not seen the \
             start; of one that was created in it, complete says NOT_SUPPORTED",
    breaks: BARRIER,
    scenario: REPLICA,
};

/// A replica that begins anew still has the online update that was open, and its cursor.
pub const RESET_KEEPS_WINDOW: Bug = Bug {
    index: 38,
    name: "reset-keeps-window",
    source: "couchbase/ep-engine 79b3f055, CheckpointManager::clear: neither the online cursor nor the flag is reset",
    breaks: CURSORS_STAND,
    scenario: REPLICA,
};

/// A replica whose master goes back to a checkpoint before the online update still has it open.
pub const ROLLBACK_KEEPS_WINDOW: Bug = Bug {
    index: 39,
    name: "rollback-keeps-window",
    source: "couchbase/ep-engine 79b3f055: going back to an earlier checkpoint resets neither the online cursor nor the flag",
    breaks: REPLICATED,
    scenario: REPLICA,
};

/// The start of an online update names no checkpoint: it overtakes the end of the one before, and begins in whatever the
/// replica has open.
pub const START_WITHOUT_ID: Bug = Bug {
    index: 40,
    name: "start-without-id",
    source: "review of the change that became couchbase/ep-engine 79b3f055, tapconnection.cc:1006: pass the checkpoint id to \
             the replica; the opaque that was landed has only a code, and comes before the end of the checkpoint",
    breaks: COMES_TO_DISK,
    scenario: REPLICA,
};
