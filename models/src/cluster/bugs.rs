//! Planted bugs: defects of rebalance and failover, each a switch that is off by default. Some are those of streams and of
//! clients, as a cluster shows them.

use seedbed_sim::actor::{Bug, BugSet};

use crate::client::bugs as client;
use crate::client::checks::REBALANCES;
use crate::tap::bugs as tap;

use super::checks::{FOLLOWED, MOVES_COMPLETELY, OWNS, SETTLES};

const REBALANCE: &str = "cluster/rebalance";
const FAILOVER: &str = "cluster/failover";

/// A node serves whatever is active on it, whoever owns it by the map that it knows.
pub const ACTIVE_IS_ENOUGH: Bug = Bug {
    index: 0,
    name: "active-is-enough",
    source: "couchbase/ep-engine 79b3f055, tapNotify: who is told by a stream that a vbucket is active serves it from there on, \
             whatever the cluster manager knows",
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

/// What a node has taken over by an attempt that was taken back counts for the next one.
pub const SESSION_NOT_LOOKED_AT: Bug = Bug {
    index: 2,
    name: "session-not-looked-at",
    source: "a mistake that stopping and restarting a rebalance (couchbase/testrunner pytests/swaprebalance.py, at 20, 40 and \
             60 %) invites; no commit is known",
    breaks: MOVES_COMPLETELY,
    scenario: REBALANCE,
};

/// What was on its way when a rebalance is stopped goes back without a new epoch, so that nobody who knows this one hears
/// of it.
pub const STOPPED_IN_ITS_EPOCH: Bug = Bug {
    index: 3,
    name: "stopped-in-its-epoch",
    source: "a mistake that stopping and restarting a rebalance (couchbase/testrunner pytests/swaprebalance.py, at 20, 40 and \
             60 %) invites; no commit is known",
    breaks: SETTLES,
    scenario: REBALANCE,
};

/// A node that is to follow another master than before goes on with the former one.
pub const FORMER_MASTER_FOLLOWED: Bug = Bug {
    index: 4,
    name: "former-master-followed",
    source: "a mistake that the filters of couchbase/ep-engine db8b3eaa invite: a replica has to be moved from stream to stream \
             whenever its master changes; no commit is known",
    breaks: FOLLOWED,
    scenario: REBALANCE,
};

/// A node that comes back, and was the master of a vbucket, stays active when it is to follow.
pub const RETURNS_AS_MASTER: Bug = Bug {
    index: 5,
    name: "returns-as-master",
    source: "a mistake that adding back a node after a failover invites, whose disk says that it is the master (states of \
             couchbase/ep-engine 79b3f055 are kept on disk); no commit is known",
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

/// All of them.
pub const BUGS: &[Bug] = &[
    ACTIVE_IS_ENOUGH,
    PUBLISHED_BEFORE_TAKEN,
    SESSION_NOT_LOOKED_AT,
    STOPPED_IN_ITS_EPOCH,
    FORMER_MASTER_FOLLOWED,
    RETURNS_AS_MASTER,
    TAKEOVER_IGNORES_NEW,
    ACTIVE_BEFORE_ANSWERS,
    NOT_RESET,
    REGISTERED_BY_ID_ALONE,
    FAILED_TAKEN_FOR_DONE,
];

const OF_STREAMS: [(Bug, Bug); 4] = [
    (TAKEOVER_IGNORES_NEW, tap::TAKEOVER_IGNORES_NEW),
    (ACTIVE_BEFORE_ANSWERS, tap::ACTIVE_BEFORE_ANSWERS),
    (NOT_RESET, tap::NOT_RESET),
    (REGISTERED_BY_ID_ALONE, tap::REGISTERED_BY_ID_ALONE),
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
