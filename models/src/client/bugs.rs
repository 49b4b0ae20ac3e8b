//! Planted bugs: defects that the clients of testrunner have had, each a switch that is off by default; four of data nodes,
//! and one of who moves vbuckets between them, which a client's verification has to find; two of what stands in for the
//! cluster.

use seedbed_sim::actor::Bug;

use crate::vbucket::bugs as node;

use super::checks::{
    ABSENT, CONNECTED, CONTAINS, FOLLOWED, LINEARIZABLE, ONLY_READS, REBALANCES, SETTLES, UNLOCKED,
    VERIFIED,
};

const TASKS: &str = "client/tasks";
const MULTI_SET: &str = "client/multi-set";
const FAILOVER: &str = "client/failover";

/// Whoever is told that a vbucket is elsewhere dies of it.
pub const NOT_MY_VBUCKET_RAISES: Bug = Bug {
    index: 0,
    name: "not-my-vbucket-raises",
    source: "couchbase/testrunner 0a07284dc: the branch for NOT_MY_VBUCKET used a name that was not defined",
    breaks: "a node never stops by itself",
    scenario: MULTI_SET,
};

/// Only one of the two ends of a connection is provided for; by the other one a task dies and keeps what it holds.
pub const END_NOT_CAUGHT: Bug = Bug {
    index: 1,
    name: "end-not-caught",
    source: "couchbase/testrunner 0a07284dc: `except A, B` catches A only, so that the other kind of end goes through",
    breaks: UNLOCKED,
    scenario: TASKS,
};

/// Verification deletes what should be gone, rather than looking.
pub const VERIFIER_DELETES: Bug = Bug {
    index: 2,
    name: "verifier-deletes",
    source: "couchbase/testrunner 0ade052bf, ValidateDataTask: a deleted key is verified by deleting it",
    breaks: ONLY_READS,
    scenario: TASKS,
};

/// Whatever goes wrong with a look counts as if the key were not there.
pub const ERROR_TAKEN_FOR_ABSENCE: Bug = Bug {
    index: 3,
    name: "error-taken-for-absence",
    source: "couchbase/testrunner 8bf7af421: mc_get maps any error of the server to a missing key",
    breaks: ABSENT,
    scenario: TASKS,
};

/// The store is told of a write when its partition is no longer locked.
pub const STORE_TOLD_OUTSIDE_LOCK: Bug = Bug {
    index: 4,
    name: "store-told-outside-lock",
    source: "couchbase/testrunner de1d0eddc: server and model were changed one after the other without a lock over both",
    breaks: CONTAINS,
    scenario: TASKS,
};

/// A time to live is counted from the answer only.
pub const EXPIRY_FROM_ANSWER: Bug = Bug {
    index: 5,
    name: "expiry-from-answer",
    source: "couchbase/testrunner 0ade052bf, KVStore: expires = now + exp, computed after the server has acknowledged",
    breaks: CONTAINS,
    scenario: TASKS,
};

/// A move that has failed counts as done.
pub const FAILED_TAKEN_FOR_DONE: Bug = Bug {
    index: 6,
    name: "failed-taken-for-done",
    source: "couchbase/testrunner 11f30a596: a rebalance progress of -1, which means failed, was treated as success",
    breaks: REBALANCES,
    scenario: FAILOVER,
};

/// The time to live goes where the flags belong.
pub const EXPIRY_AS_FLAGS: Bug = Bug {
    index: 7,
    name: "expiry-as-flags",
    source: "couchbase/testrunner 046208a97: the operation `expire` passed the expiry in the argument of the flags",
    breaks: CONTAINS,
    scenario: FAILOVER,
};

/// Who needs several partitions takes them in the order of its keys.
pub const LOCKS_BY_KEY: Bug = Bug {
    index: 8,
    name: "locks-by-key",
    source: "couchbase/testrunner 3e24de557: partitions were acquired in any order, until there was a lock around it",
    breaks: "no lock is waited for in a circle",
    scenario: TASKS,
};

/// Connections to nodes that have left the map stay.
pub const UNUSED_KEPT: Bug = Bug {
    index: 9,
    name: "unused-connection-kept",
    source: "couchbase/testrunner f1b5e4161, 2923a8ffe: after a new map, connections that are not used any more are closed",
    breaks: CONNECTED,
    scenario: MULTI_SET,
};

/// A multi-set of which a part did not come through is sent again as a whole.
pub const BATCH_SENT_AGAIN: Bug = Bug {
    index: 10,
    name: "batch-sent-again",
    source: "couchbase/testrunner 577d3ff99: when a server goes away between grouping and sending, keys are grouped anew",
    breaks: LINEARIZABLE,
    scenario: MULTI_SET,
};

/// A write without an answer counts as not done.
pub const TIMEOUT_TAKEN_FOR_FAILURE: Bug = Bug {
    index: 11,
    name: "timeout-taken-for-failure",
    source: "couchbase/testrunner 0ade052bf: a timeout after the server has applied an operation leaves the model stale",
    breaks: CONTAINS,
    scenario: FAILOVER,
};

/// A node that starts brings back what was deleted; see [`node::DELETIONS_PASSED_OVER`].
pub const DELETED_STAY: Bug = Bug {
    index: 12,
    name: "deleted-stay",
    source: node::DELETIONS_PASSED_OVER.source,
    breaks: VERIFIED,
    scenario: FAILOVER,
};

/// The expiry pager takes out what was written anew since it had looked.
pub const REWRITTEN_PURGED: Bug = Bug {
    index: 13,
    name: "rewritten-purged",
    source: node::PURGED_UNSEEN.source,
    breaks: VERIFIED,
    scenario: TASKS,
};

/// A vbucket is handed over while its old master still acknowledges.
pub const NOT_DRAINED: Bug = Bug {
    index: 14,
    name: "not-drained",
    source: "couchbase/ep-engine 10144363 (MB-3736): a takeover ignores new mutations and activates the other side early",
    breaks: VERIFIED,
    scenario: FAILOVER,
};

/// A node that becomes dead forgets what it wrote last; see [`node::LAST_WRITES_DROPPED`].
pub const LAST_LEFT_BEHIND: Bug = Bug {
    index: 15,
    name: "last-left-behind",
    source: node::LAST_WRITES_DROPPED.source,
    breaks: VERIFIED,
    scenario: FAILOVER,
};

/// What adds to a value is sent again after a reset, although it may have been done.
pub const ADDITION_SENT_AGAIN: Bug = Bug {
    index: 16,
    name: "addition-sent-again",
    source: "couchbase/testrunner 0a07284dc: a reset of the connection is treated like NOT_MY_VBUCKET, so that whatever was \
             sent is sent again",
    breaks: LINEARIZABLE,
    scenario: MULTI_SET,
};

/// A node that starts brings back what was there before a value whose time has run out; see [`node::EXPIRED_PASSED_OVER`].
pub const OLDER_VALUE_BACK: Bug = Bug {
    index: 17,
    name: "older-value-back",
    source: node::EXPIRED_PASSED_OVER.source,
    breaks: VERIFIED,
    scenario: TASKS,
};

/// Who says which node has what goes to sleep when everybody was told, whether or not it was heard.
pub const TOLD_ONCE: Bug = Bug {
    index: 18,
    name: "told-once",
    source: "couchbase/ep-engine 06b090ec (MB-5136): the notifier goes to sleep although there is something to be told",
    breaks: SETTLES,
    scenario: TASKS,
};

/// A replica takes in a copy without taking out what is not in it.
pub const COPY_LAID_OVER: Bug = Bug {
    index: 19,
    name: "copy-laid-over",
    source: "couchbase/ep-engine f8c59279 (MB-3618): a replica is not reset before all is sent, so that what was deleted \
             meanwhile stays",
    breaks: FOLLOWED,
    scenario: FAILOVER,
};

/// All of them: those that need a replica, those that need a store, those of every client, those of callers only.
pub const BUGS: &[Bug] = &[
    COPY_LAID_OVER,
    END_NOT_CAUGHT,
    VERIFIER_DELETES,
    ERROR_TAKEN_FOR_ABSENCE,
    STORE_TOLD_OUTSIDE_LOCK,
    EXPIRY_FROM_ANSWER,
    FAILED_TAKEN_FOR_DONE,
    EXPIRY_AS_FLAGS,
    LOCKS_BY_KEY,
    TIMEOUT_TAKEN_FOR_FAILURE,
    DELETED_STAY,
    REWRITTEN_PURGED,
    NOT_DRAINED,
    LAST_LEFT_BEHIND,
    OLDER_VALUE_BACK,
    NOT_MY_VBUCKET_RAISES,
    UNUSED_KEPT,
    TOLD_ONCE,
    BATCH_SENT_AGAIN,
    ADDITION_SENT_AGAIN,
];

const OF_REPLICAS: usize = 1;
const WITH_STORE_ONLY: usize = 15;
const OF_CALLERS: usize = 2;

/// Those that can show where there is a reference store, and a replica.
pub const WITH_REPLICA: &[Bug] = BUGS.split_at(BUGS.len() - OF_CALLERS).0;
/// Those that can show where there is a reference store.
pub const WITH_STORE: &[Bug] = WITH_REPLICA.split_at(OF_REPLICAS).1;
/// Those that can show where there is none.
pub const WITHOUT_STORE: &[Bug] = BUGS.split_at(WITH_STORE_ONLY).1;
