//! Planted bugs: defects that the TAP of ep-engine has had, each a switch that is off by default; one
//! is of the data nodes.

use seedbed_sim::actor::Bug;

use crate::vbucket::bugs as node;

use super::checks::{
    ANSWERS, COMES_TO_DISK, CURSORS_BELONG, DELETED_GO, FILTERED, KEPT_ALIVE, MOVES_COMPLETELY,
    NOT_HELD_UP, ONE_OWNER, REPLICATED, SNAPSHOT, STAYS_ANSWERED, WINDOW_KEPT,
};

const REPLICA: &str = "tap/replica";
const CHAIN: &str = "tap/chain";
const TAKEOVER: &str = "tap/takeover";

/// The end of a checkpoint is said while changes of it that were rejected have not come again. It brings along that a consumer
/// takes in what comes behind a change that it has rejected.
pub const END_OVERTAKES_REJECTED: Bug = Bug {
    index: 0,
    name: "end-overtakes-rejected",
    source: "couchbase/ep-engine 0125dbfa (MB-3568)",
    breaks: SNAPSHOT,
    scenario: REPLICA,
};

/// What was without an answer when a connection was lost stays counted on the next one.
pub const WINDOW_NOT_RESET: Bug = Bug {
    index: 1,
    name: "window-not-reset",
    source: "couchbase/ep-engine 84cf1969 (MB-3497)",
    breaks: REPLICATED,
    scenario: REPLICA,
};

/// Whether a stream is kept after its connection was lost is asked the wrong way round: one that is to be kept goes at once.
pub const KEEP_ALIVE_INVERTED: Bug = Bug {
    index: 2,
    name: "keep-alive-inverted",
    source: "couchbase/ep-engine b7a0eeff (MB-3643)",
    breaks: KEPT_ALIVE,
    scenario: REPLICA,
};

/// A producer that waits after a rejection when its connection is lost waits for ever.
pub const SUSPENDED_FOR_EVER: Bug = Bug {
    index: 3,
    name: "suspended-for-ever",
    source: "couchbase/ep-engine 5c1225d5 (MB-4305) and c22720af",
    breaks: REPLICATED,
    scenario: REPLICA,
};

/// The notifier goes to sleep although it was notified after it had looked; it brings along that nothing else wakes it.
pub const NOTIFICATION_MISSED: Bug = Bug {
    index: 4,
    name: "notification-missed",
    source: "couchbase/ep-engine 06b090ec (MB-5136) and fec0aad0",
    breaks: REPLICATED,
    scenario: REPLICA,
};

/// Changes are said before the other end has said that it has forgotten what it had, which it does a little later.
pub const RESET_NOT_AWAITED: Bug = Bug {
    index: 5,
    name: "reset-not-awaited",
    source: "couchbase/ep-engine bc68af52 (MB-5193)",
    breaks: REPLICATED,
    scenario: REPLICA,
};

/// A backfill that has begun for another connection, or another filter, goes on: nobody asks which one it is of.
pub const OLD_BACKFILL_GOES_ON: Bug = Bug {
    index: 6,
    name: "old-backfill-goes-on",
    source: "couchbase/ep-engine cf41f4bf (MB-3681)",
    breaks: FILTERED,
    scenario: REPLICA,
};

/// The other end is not told to forget what it has before a backfill.
pub const NOT_RESET: Bug = Bug {
    index: 7,
    name: "not-reset-before-backfill",
    source: "couchbase/ep-engine f8c59279 (MB-3618)",
    breaks: DELETED_GO,
    scenario: REPLICA,
};

/// A node that is being filled fills the next one with what it has.
pub const FILLED_FROM_HALF_FILLED: Bug = Bug {
    index: 8,
    name: "filled-from-half-filled",
    source: "couchbase/ep-engine 9797532b",
    breaks: REPLICATED,
    scenario: CHAIN,
};

/// What a consumer has is known by the id of a checkpoint alone, whichever life it is of.
pub const REGISTERED_BY_ID_ALONE: Bug = Bug {
    index: 9,
    name: "registered-by-id-alone",
    source: "couchbase/ep-engine 303ab543 (MB-4595)",
    breaks: REPLICATED,
    scenario: REPLICA,
};

/// A vbucket moves with what was there when the move began; what is written meanwhile stays behind.
pub const TAKEOVER_IGNORES_NEW: Bug = Bug {
    index: 10,
    name: "takeover-ignores-new",
    source: "couchbase/ep-engine 10144363 (MB-3736)",
    breaks: MOVES_COMPLETELY,
    scenario: TAKEOVER,
};

/// The new owner is told that it is active while changes are without an answer.
pub const ACTIVE_BEFORE_ANSWERS: Bug = Bug {
    index: 11,
    name: "active-before-answers",
    source: "couchbase/ep-engine 2493565e (MB-3802)",
    breaks: MOVES_COMPLETELY,
    scenario: TAKEOVER,
};

/// What was rejected is said again behind everything else. It brings along that a consumer takes in what comes behind a change
/// that it has rejected.
pub const REJECTED_TO_TAIL: Bug = Bug {
    index: 12,
    name: "rejected-to-tail",
    source: "couchbase/ep-engine 79b3f055, tapconnection.cc: a message that was refused for now goes to the tail of the queue",
    breaks: STAYS_ANSWERED,
    scenario: REPLICA,
};

/// Changes without an answer when a connection was lost are said again behind everything else: behind newer versions of their
/// keys, and behind the end of their checkpoint.
pub const ROLLED_BACK_TO_TAIL: Bug = Bug {
    index: 13,
    name: "rolled-back-to-tail",
    source: "couchbase/ep-engine 79b3f055, tapconnection.cc, rollback: messages without an answer go to the tail of the queue",
    breaks: SNAPSHOT,
    scenario: REPLICA,
};

/// Numbers of messages are compared as if they never began again.
pub const COMPARED_WITHOUT_WRAP: Bug = Bug {
    index: 14,
    name: "compared-without-wrap",
    source: "a mistake that the protocol of couchbase/ep-engine 79b3f055 invites, whose numbers of 32 bits wrap; no commit is \
             known",
    breaks: REPLICATED,
    scenario: REPLICA,
};

/// A message is acknowledged when it has arrived, and taken in after that.
pub const ANSWERED_BEFORE_TAKEN: Bug = Bug {
    index: 15,
    name: "answered-before-taken",
    source: "a mistake that the protocol of couchbase/ep-engine 79b3f055 invites, where an answer says what became of a \
             message; no commit is known",
    breaks: SNAPSHOT,
    scenario: REPLICA,
};

/// Changes are said while a backfill is under way, and what the backfill found before them is said after them.
pub const LIVE_DURING_BACKFILL: Bug = Bug {
    index: 16,
    name: "live-during-backfill",
    source: "couchbase/ep-engine ab514e36: live items are withheld until the backfill is complete",
    breaks: SNAPSHOT,
    scenario: REPLICA,
};

/// The checkpoints that a backfill overlaps with are begun and ended as if they were whole.
pub const CHECKPOINTS_DURING_BACKFILL: Bug = Bug {
    index: 17,
    name: "checkpoints-during-backfill",
    source: "couchbase/ep-engine ab514e36: checkpoint messages are held back until the checkpoint that was open at the end \
             of the backfill",
    breaks: SNAPSHOT,
    scenario: REPLICA,
};

/// With the backfill of one of two vbuckets, both count as complete.
pub const PENDING_BACKFILL_CLEARED: Bug = Bug {
    index: 18,
    name: "pending-backfill-cleared",
    source: "a mistake that couchbase/ep-engine ab514e36 invites, where one flag says that a backfill is pending for all \
             vbuckets of a stream; no commit is known",
    breaks: SNAPSHOT,
    scenario: REPLICA,
};

/// Steps of online updates overtake the changes that wait to be sent. It brings along that a consumer takes in what comes behind
/// a change that it has rejected.
pub const STEP_ON_HIGH_QUEUE: Bug = Bug {
    index: 19,
    name: "step-on-high-queue",
    source: "couchbase/ep-engine 79b3f055, tapconnection.cc: steps of an online update go to the high-priority queue",
    breaks: COMES_TO_DISK,
    scenario: REPLICA,
};

/// A node in the middle passes on what is set, and not what is deleted.
pub const DELETION_NOT_PASSED_ON: Bug = Bug {
    index: 20,
    name: "deletion-not-passed-on",
    source: "a mistake that the consumer of couchbase/ep-engine 79b3f055 invites, which deletes by force what its own clients \
             have not deleted; no commit is known",
    breaks: SNAPSHOT,
    scenario: CHAIN,
};

/// Cursors of vbuckets that leave the filter stay.
pub const CURSORS_KEPT: Bug = Bug {
    index: 21,
    name: "cursors-kept",
    source: "couchbase/ep-engine db8b3eaa",
    breaks: CURSORS_BELONG,
    scenario: REPLICA,
};

/// A rejection holds a producer up while its vbucket has no owner.
pub const SUSPENDED_IN_COMPLETION: Bug = Bug {
    index: 22,
    name: "suspended-in-completion",
    source: "couchbase/ep-engine c6fa6a08",
    breaks: NOT_HELD_UP,
    scenario: TAKEOVER,
};

/// A replica gives what it is told versions of its own.
pub const NEW_CAS: Bug = Bug {
    index: 23,
    name: "new-cas-on-replica",
    source: "couchbase/ep-engine 79b3f055, tapNotify: a mutation is stored with a new cas",
    breaks: SNAPSHOT,
    scenario: CHAIN,
};

/// A stream whose connection was lost is remembered for ever.
pub const KEPT_FOR_EVER: Bug = Bug {
    index: 24,
    name: "kept-for-ever",
    source: "couchbase/ep-engine b7a0eeff (MB-3643): the other half of the test that was the wrong way round, by which what \
             was not to be kept stayed; there it was consumers",
    breaks: CURSORS_BELONG,
    scenario: REPLICA,
};

/// Steps of online updates are not said again, neither behind a change that was rejected nor on the next connection.
pub const STEP_NOT_SAID_AGAIN: Bug = Bug {
    index: 25,
    name: "step-not-said-again",
    source: "a mistake that couchbase/ep-engine 79b3f055 invites, where steps of an online update are opaque messages, some of \
             which a rollback leaves out; no commit is known",
    breaks: COMES_TO_DISK,
    scenario: REPLICA,
};

/// One more is said than the window allows.
pub const WINDOW_PASSED: Bug = Bug {
    index: 26,
    name: "window-passed",
    source: "a mistake that couchbase/ep-engine 79b3f055, tapconnection.hh, windowIsFull, invites: whether the window is full \
             is asked before a message is counted; no commit is known",
    breaks: WINDOW_KEPT,
    scenario: REPLICA,
};

/// The new owner is told that it is active before the disk of the former one knows that it is dead.
pub const DEATH_NOT_SAVED: Bug = Bug {
    index: 27,
    name: "death-not-saved",
    source: "couchbase/ep-engine 79b3f055, tapconnection.cc: the vbucket is set dead at the moment at which its other end is \
             set active, and its state is written some time after that",
    breaks: ONE_OWNER,
    scenario: TAKEOVER,
};

/// What waits to be said of a vbucket that leaves the filter stays.
pub const QUEUED_STAYS: Bug = Bug {
    index: 28,
    name: "queued-stays",
    source: "a mistake that couchbase/ep-engine db8b3eaa invites, which takes the cursors of vbuckets that leave the filter away \
             and none of what they have brought; no commit is known",
    breaks: FILTERED,
    scenario: REPLICA,
};

/// While an online update is taken back, clients are not made to wait; see [`node::REVERT_BLOCKS_NOBODY`].
pub const REVERT_BLOCKS_NOBODY: Bug = Bug {
    index: 29,
    name: "revert-blocks-nobody",
    source: node::REVERT_BLOCKS_NOBODY.source,
    breaks: ANSWERS,
    scenario: REPLICA,
};

/// All of them: those of a chain, those of every stream, those of takeovers.
pub const BUGS: &[Bug] = &[
    FILLED_FROM_HALF_FILLED,
    DELETION_NOT_PASSED_ON,
    STEP_ON_HIGH_QUEUE,
    STEP_NOT_SAID_AGAIN,
    REVERT_BLOCKS_NOBODY,
    END_OVERTAKES_REJECTED,
    WINDOW_NOT_RESET,
    WINDOW_PASSED,
    KEEP_ALIVE_INVERTED,
    KEPT_FOR_EVER,
    SUSPENDED_FOR_EVER,
    NOTIFICATION_MISSED,
    RESET_NOT_AWAITED,
    OLD_BACKFILL_GOES_ON,
    NOT_RESET,
    REGISTERED_BY_ID_ALONE,
    REJECTED_TO_TAIL,
    ROLLED_BACK_TO_TAIL,
    COMPARED_WITHOUT_WRAP,
    ANSWERED_BEFORE_TAKEN,
    LIVE_DURING_BACKFILL,
    CHECKPOINTS_DURING_BACKFILL,
    PENDING_BACKFILL_CLEARED,
    NEW_CAS,
    CURSORS_KEPT,
    QUEUED_STAYS,
    TAKEOVER_IGNORES_NEW,
    ACTIVE_BEFORE_ANSWERS,
    SUSPENDED_IN_COMPLETION,
    DEATH_NOT_SAVED,
];

const OF_CHAINS: usize = 2;
const OF_UPDATES: usize = 3;
const OF_TAKEOVERS: usize = 4;

/// Those of every stream, and those of online updates.
pub const WITH_UPDATES: &[Bug] = BUGS.split_at(BUGS.len() - OF_TAKEOVERS).0.split_at(OF_CHAINS).1;
/// Those that need a node in the middle, those of online updates, and those of every stream.
pub const WITH_CHAINS: &[Bug] = BUGS.split_at(BUGS.len() - OF_TAKEOVERS).0;
/// Those of every stream, and those that need vbuckets that move: where they do, hardly anything is updated online.
pub const WITH_TAKEOVERS: &[Bug] = BUGS.split_at(OF_CHAINS + OF_UPDATES).1;
