//! Planted bugs: defects of real systems of this kind, each a switch that is off by default.

use super::checks::{KEEPS, LINEARIZABLE, ONE_TAG, OWN_RECORDS, ROUNDS_END, SERVES_AGAIN};
use seedbed_sim::actor::Bug;

const MAJORITY: &str = "register/majority";
const DURABLE: &str = "register/durable";

/// A read returns the highest version that a majority knows, without seeing to it that a majority has it. A later read may
/// meet another majority and return an older value.
pub const READ_WITHOUT_WRITE_BACK: Bug = Bug {
    index: 0,
    name: "read-without-write-back",
    source: "Attiya, Bar-Noy, Dolev 1995, on why a reader writes; Apache Cassandra 4.0 documentation, Read repair: with \
             read_repair = 'none' (CASSANDRA-14635) quorum reads can go back in time",
    breaks: LINEARIZABLE,
    scenario: MAJORITY,
};

/// A replica acknowledges what it has written and not yet synced.
pub const ACKNOWLEDGED_BEFORE_SYNC: Bug = Bug {
    index: 1,
    name: "acknowledged-before-sync",
    source: "etcd-io/etcd issue 14370: a single member answered a put before its write-ahead log was synced",
    breaks: KEEPS,
    scenario: DURABLE,
};

/// A client that retries a write lets the next coordinator pick a tag again. If the first attempt has taken effect after
/// all, the second puts the old value above what others have written in between.
pub const RETRY_WITH_NEW_TAG: Bug = Bug {
    index: 2,
    name: "retry-applied-twice",
    source: "Jepsen, jetcd 0.8.2 (2024), and etcd-io/jetcd issue 1444: the client library retried puts that had taken effect",
    breaks: LINEARIZABLE,
    scenario: MAJORITY,
};

/// A coordinator that has come back counts answers to questions of its former life, since it numbers its rounds from 1
/// again and looks at the number alone.
pub const ANSWER_TO_ANOTHER_LIFE: Bug = Bug {
    index: 3,
    name: "stale-incarnation-accepted",
    source: "Liskov and Cowling, Viewstamped Replication Revisited (2012), section 4.3: the nonce in RECOVERY; \
             etcd-io/etcd issue 20418: heartbeat answers that were still under way confirmed a later read index",
    breaks: LINEARIZABLE,
    scenario: MAJORITY,
};

/// Half of the replicas, rounded up, is taken for a majority: right for odd numbers, but two of four need not share any.
pub const HALF_IS_A_MAJORITY: Bug = Bug {
    index: 4,
    name: "quorum-off-by-one",
    source: "bigeasy/paxos issue 143 (majority calculation is not an actual majority); xline-kv/Xline issue 635 (quorums of \
             even clusters)",
    breaks: LINEARIZABLE,
    scenario: MAJORITY,
};

/// Tags are compared by their counters alone, so that of two concurrent writes each replica keeps the one that came first.
pub const TIE_LEFT_UNBROKEN: Bug = Bug {
    index: 5,
    name: "tag-tie-left-unbroken",
    source: "cockroachdb/cockroach issue 168541: at equal timestamps each side of a replication kept its own value",
    breaks: LINEARIZABLE,
    scenario: MAJORITY,
};

/// Recovery believes every record of the right length.
pub const TORN_RECORD_BELIEVED: Bug = Bug {
    index: 6,
    name: "torn-record-believed",
    source: "litedb-org/LiteDB issue 2935: pages of the log have no checksum; etcd-io/etcd issue 5230: torn writes in the \
             write-ahead log",
    breaks: OWN_RECORDS,
    scenario: DURABLE,
};

/// Recovery takes what it reads for durable. It may be no more than what the process before it had written: a second
/// death, now of the power, takes it back.
pub const RECOVERED_WITHOUT_SYNC: Bug = Bug {
    index: 7,
    name: "recovered-without-sync",
    source: "PostgreSQL commit 2ce439f3379a (2015): sync the data directory before crash recovery begins",
    breaks: KEEPS,
    scenario: DURABLE,
};

/// A replica that finds a torn record at the end of its log refuses to start.
pub const TORN_LOG_REFUSED: Bug = Bug {
    index: 8,
    name: "torn-log-refused",
    source: "etcd-io/etcd pull requests 2597 and 15068: a last record that was synced in part kept a member from starting",
    breaks: SERVES_AGAIN,
    scenario: DURABLE,
};

/// A round is sent a second time when its timer fires, and then never again.
pub const RESENT_ONLY_ONCE: Bug = Bug {
    index: 9,
    name: "round-never-resent",
    source: "etcd-io/etcd issue 12680 and pull request 12780: a read index request that was lost was never sent again",
    breaks: ROUNDS_END,
    scenario: MAJORITY,
};

/// A coordinator that has come back gives a tag that it gave before: it has forgotten which counters it gave, and its life
/// is not part of the tag. Two values then go by one tag.
pub const LIFE_LEFT_OUT_OF_TAG: Bug = Bug {
    index: 10,
    name: "life-left-out-of-tag",
    source: "basho/riak_kv issue 679 and pull request 1094: a vnode with amnesia went on under its old actor id and reused \
             events of its version vector",
    breaks: ONE_TAG,
    scenario: MAJORITY,
};

/// All of them, by index.
pub const BUGS: &[Bug] = &[
    READ_WITHOUT_WRITE_BACK,
    ACKNOWLEDGED_BEFORE_SYNC,
    RETRY_WITH_NEW_TAG,
    ANSWER_TO_ANOTHER_LIFE,
    HALF_IS_A_MAJORITY,
    TIE_LEFT_UNBROKEN,
    TORN_RECORD_BELIEVED,
    RECOVERED_WITHOUT_SYNC,
    TORN_LOG_REFUSED,
    RESENT_ONLY_ONCE,
    LIFE_LEFT_OUT_OF_TAG,
];
