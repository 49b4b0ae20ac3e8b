//! Planted bugs: defects of rebalance and failover, each a switch that is off by default. Some are those of streams and of
//! clients, as a cluster shows them.

use seedbed_sim::actor::{Bug, BugSet};

use crate::client::bugs as client;
use crate::client::checks::{ABSENT, CONNECTED, CONTAINS, ONLY_READS, REBALANCES};
use crate::tap::bugs as tap;
use crate::tap::checks::{FILTERED, KEPT_ALIVE, NOT_HELD_UP, WINDOW_KEPT};

use super::checks::{
    COUNTED, CURSORS_BELONG, ENDS, FOLLOWED, MOVES_COMPLETELY, ONE_MAP, OWNS, PLACED, REPLICATED,
    SETTLES,
};

const REBALANCE: &str = "cluster/rebalance";
const FAILOVER: &str = "cluster/failover";

/// A node serves whatever is active on it, whoever owns it by the map that it knows.
pub const ACTIVE_IS_ENOUGH: Bug = Bug {
    index: 0,
    name: "active-is-enough",
    source: "membase/ns_server 0392b964, src/ns_vbucket_mover.erl: the map is set after the move, and in between the new node \
             serves, since couchbase/ep-engine 79b3f055 looks at the state of the vbucket alone",
    breaks: OWNS,
    scenario: REBALANCE,
};

/// The map is published when the new master follows, and it is made active before it has taken everything over.
pub const PUBLISHED_BEFORE_TAKEN: Bug = Bug {
    index: 1,
    name: "published-before-taken",
    source: "couchbase/ep-engine 10144363 (MB-3736): the other end of a takeover is activated early, while mutations are left",
    breaks: MOVES_COMPLETELY,
    scenario: REBALANCE,
};

/// A master that is dead is made active again, although it is dead because it gives its vbucket away.
pub const DEAD_REVIVED: Bug = Bug {
    index: 2,
    name: "dead-master-revived",
    source: "membase/ns_server 03915ebf, src/ns_janitor.erl, do_sanify_chain: a master that is not active is set active unless \
             another copy is, and in the midst of a takeover none is",
    breaks: MOVES_COMPLETELY,
    scenario: REBALANCE,
};

/// What was on its way when a rebalance is stopped goes back without a new epoch, so that nobody who knows this one hears
/// of it.
pub const STOPPED_IN_ITS_EPOCH: Bug = Bug {
    index: 3,
    name: "stopped-in-its-epoch",
    source: "membase/ns_server 0392b964, src/ns_vbucket_mover.erl, terminate: the movers that are under way are ended, and \
             what they had begun stays as it is until somebody looks",
    breaks: SETTLES,
    scenario: REBALANCE,
};

/// A node that is to follow another master than before goes on with the former one.
pub const FORMER_MASTER_FOLLOWED: Bug = Bug {
    index: 4,
    name: "former-master-followed",
    source: "membase/ns_server 0392b964, src/ns_vbucket_mover.erl, update_replication_post_move: after a move the replications \
             of the former chain are ended and those of the new one begun; without that, replicas stay with the former master",
    breaks: FOLLOWED,
    scenario: REBALANCE,
};

/// A node that comes back, and was the master of a vbucket, stays active when it is to follow, or to have nothing.
pub const RETURNS_AS_MASTER: Bug = Bug {
    index: 5,
    name: "returns-as-master",
    source: "membase/ns_server 03915ebf, src/ns_janitor.erl, read_existing_map: who was active by the states on disk is taken \
             for the master, and two of them are warned of",
    breaks: SETTLES,
    scenario: FAILOVER,
};

/// A node counts the items of a replica when it has been filled, and not again.
pub const REPLICA_COUNTED_ONCE: Bug = Bug {
    index: 12,
    name: "replica-counted-once",
    source: "a mistake that couchbase/testrunner 45ace62b8 invites, which compares what nodes say that they count; no commit \
             is known",
    breaks: COUNTED,
    scenario: FAILOVER,
};

/// A vbucket that takes too long is left where it is, and the rebalance counts as complete without it.
pub const LATE_MOVE_LEFT_OUT: Bug = Bug {
    index: 19,
    name: "late-move-left-out",
    source: "a mistake that membase/ns_server 0392b964, src/ns_vbucket_mover.erl, invites, where a mover that has ended, for \
             whatever reason, is one less to be waited for; no commit is known",
    breaks: PLACED,
    scenario: REBALANCE,
};

/// A rebalance that was stopped does nothing more, and counts as one that is under way.
pub const STOPPED_NOT_ENDED: Bug = Bug {
    index: 20,
    name: "stopped-not-ended",
    source: "a mistake that membase/ns_server 0392b964, src/ns_orchestrator.erl, invites, where whether a rebalance is under way \
             is kept apart from the process that does it; no commit is known",
    breaks: ENDS,
    scenario: REBALANCE,
};

/// Replicas become masters in the epoch in which they were replicas.
pub const PROMOTED_IN_ITS_EPOCH: Bug = Bug {
    index: 21,
    name: "promoted-in-its-epoch",
    source: "a mistake that membase/ns_server 0392b964 invites, where a map has no number of its own by which who reads it could \
             tell it from the one before; no commit is known",
    breaks: ONE_MAP,
    scenario: FAILOVER,
};

/// What is left out of a takeover, see [`tap::TAKEOVER_IGNORES_NEW`].
pub const TAKEOVER_IGNORES_NEW: Bug =
    shown(6, &tap::TAKEOVER_IGNORES_NEW, MOVES_COMPLETELY, REBALANCE);
/// See [`tap::ACTIVE_BEFORE_ANSWERS`].
pub const ACTIVE_BEFORE_ANSWERS: Bug =
    shown(7, &tap::ACTIVE_BEFORE_ANSWERS, MOVES_COMPLETELY, REBALANCE);
/// See [`tap::NOT_RESET`].
pub const NOT_RESET: Bug = shown(8, &tap::NOT_RESET, FOLLOWED, FAILOVER);
/// See [`tap::REGISTERED_BY_ID_ALONE`].
pub const REGISTERED_BY_ID_ALONE: Bug = shown(9, &tap::REGISTERED_BY_ID_ALONE, FOLLOWED, FAILOVER);
/// See [`client::FAILED_TAKEN_FOR_DONE`].
pub const FAILED_TAKEN_FOR_DONE: Bug =
    shown(10, &client::FAILED_TAKEN_FOR_DONE, REBALANCES, REBALANCE);
/// A comparison of replicas finds it; see [`tap::NEW_CAS`].
pub const NEW_CAS: Bug = shown(11, &tap::NEW_CAS, REPLICATED, FAILOVER);
/// See [`tap::QUEUED_STAYS`].
pub const QUEUED_STAYS: Bug = shown(13, &tap::QUEUED_STAYS, FILTERED, REBALANCE);
/// See [`tap::KEEP_ALIVE_INVERTED`].
pub const KEEP_ALIVE_INVERTED: Bug = shown(14, &tap::KEEP_ALIVE_INVERTED, KEPT_ALIVE, FAILOVER);
/// See [`tap::CURSORS_KEPT`].
pub const CURSORS_KEPT: Bug = shown(15, &tap::CURSORS_KEPT, CURSORS_BELONG, REBALANCE);
/// See [`tap::SUSPENDED_IN_COMPLETION`].
pub const SUSPENDED_IN_COMPLETION: Bug =
    shown(16, &tap::SUSPENDED_IN_COMPLETION, NOT_HELD_UP, REBALANCE);
/// See [`tap::WINDOW_PASSED`].
pub const WINDOW_PASSED: Bug = shown(17, &tap::WINDOW_PASSED, WINDOW_KEPT, FAILOVER);
/// See [`client::VERIFIER_DELETES`].
pub const VERIFIER_DELETES: Bug = shown(18, &client::VERIFIER_DELETES, ONLY_READS, REBALANCE);
/// See [`client::TIMEOUT_TAKEN_FOR_FAILURE`].
pub const TIMEOUT_TAKEN_FOR_FAILURE: Bug =
    shown(22, &client::TIMEOUT_TAKEN_FOR_FAILURE, CONTAINS, REBALANCE);
/// See [`client::UNUSED_KEPT`].
pub const UNUSED_KEPT: Bug = shown(23, &client::UNUSED_KEPT, CONNECTED, REBALANCE);
/// See [`client::ERROR_TAKEN_FOR_ABSENCE`].
pub const ERROR_TAKEN_FOR_ABSENCE: Bug =
    shown(24, &client::ERROR_TAKEN_FOR_ABSENCE, ABSENT, REBALANCE);

/// A planted bug of streams or of clients, as a cluster shows it.
const fn shown(index: u8, bug: &Bug, breaks: &'static str, scenario: &'static str) -> Bug {
    Bug { index, name: bug.name, source: bug.source, breaks, scenario }
}

/// All of them.
pub const BUGS: &[Bug] = &[
    ACTIVE_IS_ENOUGH,
    PUBLISHED_BEFORE_TAKEN,
    DEAD_REVIVED,
    STOPPED_IN_ITS_EPOCH,
    FORMER_MASTER_FOLLOWED,
    RETURNS_AS_MASTER,
    TAKEOVER_IGNORES_NEW,
    ACTIVE_BEFORE_ANSWERS,
    NOT_RESET,
    REGISTERED_BY_ID_ALONE,
    FAILED_TAKEN_FOR_DONE,
    NEW_CAS,
    REPLICA_COUNTED_ONCE,
    QUEUED_STAYS,
    KEEP_ALIVE_INVERTED,
    CURSORS_KEPT,
    SUSPENDED_IN_COMPLETION,
    WINDOW_PASSED,
    VERIFIER_DELETES,
    LATE_MOVE_LEFT_OUT,
    STOPPED_NOT_ENDED,
    PROMOTED_IN_ITS_EPOCH,
    TIMEOUT_TAKEN_FOR_FAILURE,
    UNUSED_KEPT,
    ERROR_TAKEN_FOR_ABSENCE,
];

const OF_STREAMS: &[(Bug, Bug)] = &[
    (TAKEOVER_IGNORES_NEW, tap::TAKEOVER_IGNORES_NEW),
    (ACTIVE_BEFORE_ANSWERS, tap::ACTIVE_BEFORE_ANSWERS),
    (NOT_RESET, tap::NOT_RESET),
    (REGISTERED_BY_ID_ALONE, tap::REGISTERED_BY_ID_ALONE),
    (NEW_CAS, tap::NEW_CAS),
    (QUEUED_STAYS, tap::QUEUED_STAYS),
    (KEEP_ALIVE_INVERTED, tap::KEEP_ALIVE_INVERTED),
    (CURSORS_KEPT, tap::CURSORS_KEPT),
    (SUSPENDED_IN_COMPLETION, tap::SUSPENDED_IN_COMPLETION),
    (WINDOW_PASSED, tap::WINDOW_PASSED),
];
const OF_CLIENTS: &[(Bug, Bug)] = &[
    (FAILED_TAKEN_FOR_DONE, client::FAILED_TAKEN_FOR_DONE),
    (VERIFIER_DELETES, client::VERIFIER_DELETES),
    (TIMEOUT_TAKEN_FOR_FAILURE, client::TIMEOUT_TAKEN_FOR_FAILURE),
    (UNUSED_KEPT, client::UNUSED_KEPT),
    (ERROR_TAKEN_FOR_ABSENCE, client::ERROR_TAKEN_FOR_ABSENCE),
];

/// The planted bugs of streams that are on.
#[must_use]
pub fn of_streams(bugs: BugSet) -> BugSet {
    theirs(bugs, OF_STREAMS)
}

/// The planted bugs of clients that are on.
#[must_use]
pub fn of_clients(bugs: BugSet) -> BugSet {
    theirs(bugs, OF_CLIENTS)
}

fn theirs(bugs: BugSet, shown: &[(Bug, Bug)]) -> BugSet {
    if bugs == BugSet::NONE {
        return bugs;
    }
    let found = shown.iter().find(|(ours, _)| bugs.has(ours));
    found.map_or(BugSet::NONE, |(_, theirs)| BugSet::only(theirs))
}
