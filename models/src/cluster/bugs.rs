//! Planted bugs: defects of rebalance and failover, each a switch that is off by default. Some are those of streams and of
//! clients, as a cluster shows them.

use seedbed_sim::actor::{Bug, BugSet};

use crate::client::bugs as client;
use crate::client::checks::REBALANCES;
use crate::tap::bugs as tap;

use super::checks::{COUNTED, FOLLOWED, MOVES_COMPLETELY, OWNS, REPLICATED, SETTLES};

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

/// See [`tap::TAKEOVER_IGNORES_NEW`].
pub const TAKEOVER_IGNORES_NEW: Bug = Bug {
    index: 6,
    name: tap::TAKEOVER_IGNORES_NEW.name,
    source: tap::TAKEOVER_IGNORES_NEW.source,
    breaks: MOVES_COMPLETELY,
    scenario: REBALANCE,
};

/// See [`tap::ACTIVE_BEFORE_ANSWERS`].
pub const ACTIVE_BEFORE_ANSWERS: Bug = Bug {
    index: 7,
    name: tap::ACTIVE_BEFORE_ANSWERS.name,
    source: tap::ACTIVE_BEFORE_ANSWERS.source,
    breaks: MOVES_COMPLETELY,
    scenario: REBALANCE,
};

/// See [`tap::NOT_RESET`].
pub const NOT_RESET: Bug = Bug {
    index: 8,
    name: tap::NOT_RESET.name,
    source: tap::NOT_RESET.source,
    breaks: FOLLOWED,
    scenario: FAILOVER,
};

/// See [`tap::REGISTERED_BY_ID_ALONE`].
pub const REGISTERED_BY_ID_ALONE: Bug = Bug {
    index: 9,
    name: tap::REGISTERED_BY_ID_ALONE.name,
    source: tap::REGISTERED_BY_ID_ALONE.source,
    breaks: FOLLOWED,
    scenario: FAILOVER,
};

/// See [`client::FAILED_TAKEN_FOR_DONE`].
pub const FAILED_TAKEN_FOR_DONE: Bug = Bug {
    index: 10,
    name: client::FAILED_TAKEN_FOR_DONE.name,
    source: client::FAILED_TAKEN_FOR_DONE.source,
    breaks: REBALANCES,
    scenario: REBALANCE,
};

/// See [`tap::NEW_CAS`]. A comparison of replicas finds it.
pub const NEW_CAS: Bug = Bug {
    index: 11,
    name: tap::NEW_CAS.name,
    source: tap::NEW_CAS.source,
    breaks: REPLICATED,
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
];

const OF_STREAMS: [(Bug, Bug); 5] = [
    (TAKEOVER_IGNORES_NEW, tap::TAKEOVER_IGNORES_NEW),
    (ACTIVE_BEFORE_ANSWERS, tap::ACTIVE_BEFORE_ANSWERS),
    (NOT_RESET, tap::NOT_RESET),
    (REGISTERED_BY_ID_ALONE, tap::REGISTERED_BY_ID_ALONE),
    (NEW_CAS, tap::NEW_CAS),
];

/// The planted bugs of streams that are on.
#[must_use]
pub fn of_streams(bugs: BugSet) -> BugSet {
    if bugs == BugSet::NONE {
        return bugs;
    }
    let found = OF_STREAMS.iter().find(|(ours, _)| bugs.has(ours));
    found.map_or(BugSet::NONE, |(_, theirs)| BugSet::only(theirs))
}

/// The planted bugs of clients that are on.
#[must_use]
pub fn of_clients(bugs: BugSet) -> BugSet {
    match bugs.has(&FAILED_TAKEN_FOR_DONE) {
        true => BugSet::only(&client::FAILED_TAKEN_FOR_DONE),
        false => BugSet::NONE,
    }
}
