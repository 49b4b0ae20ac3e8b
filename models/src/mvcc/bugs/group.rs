//! Planted bugs of a group: what etcd had wrong about its log, its snapshots, its leases and its defragmenting.

use seedbed_sim::actor::Bug;
use seedbed_sim::world::promise::NEVER_STOPS;

use crate::mvcc::checks::SERVES_AGAIN;
use crate::mvcc::replica::checks::FOLLOWS;
use crate::mvcc::replica::judge::{
    ACKNOWLEDGED_STAYS, EQUALS_LOG, HASHES_AGREE, LEASES_ARE_EXACT, LIVES_ITS_TIME, REPLICAS_AGREE,
};
use crate::mvcc::watching::checks::CATCHES_UP;
use crate::mvcc::watching::judge::RELIABLE;

const REPLICAS: &str = "mvcc/replicas";
const INSTALL: &str = "mvcc/install";
const LEASES: &str = "mvcc/leases";
const DEFRAGMENT: &str = "mvcc/defragment";

/// The consistent index moves in memory as soon as an entry is taken; a commit of somebody else makes it durable before
/// the effects of the entry.
pub const INDEX_BEFORE_DATA: Bug = Bug {
    index: 30,
    name: "consistent-index-before-data",
    source: "etcd-io/etcd issues 13514 and 13766, from commit 50051675f (3.5.0) to bfd5170f6 (3.5.3, 2022)",
    breaks: EQUALS_LOG,
    scenario: REPLICAS,
};

/// Grants and revokes leave the consistent index where it is, so that they are applied again after a crash.
pub const LEASES_LEAVE_INDEX: Bug = Bug {
    index: 31,
    name: "leases-leave-consistent-index",
    source: "etcd-io/etcd commit e9ae8eb5a: lease grant and revoke do not save the consistent index",
    breaks: EQUALS_LOG,
    scenario: REPLICAS,
};

/// A node for whose answer nobody waits takes the reads out of a transaction before it checks it: what has to be refused
/// because of them is applied.
pub const UNAWAITED_READS_STRIPPED: Bug = Bug {
    index: 32,
    name: "unawaited-reads-stripped",
    source: "etcd-io/etcd issue 18667, from commit 009057374 (2016) to fbba4f46e (3.7)",
    breaks: REPLICAS_AGREE,
    scenario: REPLICAS,
};

/// A revoke deletes the keys in one transaction and the record of the lease in another.
pub const LEASE_ENDS_APART: Bug = Bug {
    index: 33,
    name: "lease-ends-apart-from-keys",
    source: "etcd-io/etcd commits 4d59b6f52 and 75c06caca: delete the keys and the lease in one transaction",
    breaks: LEASES_ARE_EXACT,
    scenario: REPLICAS,
};

/// A revoke deletes keys past the layer that watches.
pub const REVOKE_PAST_WATCHERS: Bug = Bug {
    index: 34,
    name: "revoke-past-watchers",
    source: "etcd-io/etcd commit 5a967eb2a: the lessor deletes through the store that is watched",
    breaks: CATCHES_UP,
    scenario: REPLICAS,
};

/// Whoever installs a snapshot holds the lock of the store while it waits for the compactor, which may wait for that lock.
pub const RESTORE_WAITS_UNDER_LOCK: Bug = Bug {
    index: 36,
    name: "restore-waits-under-lock",
    source: "etcd-io/etcd from pull request 4151, commit 1714290f4 (2016): Restore takes the lock of the store and waits \
             for the compaction",
    breaks: SERVES_AGAIN,
    scenario: INSTALL,
};

/// What a defragmentation commits goes past the hook that writes the consistent index, so that after a crash entries are
/// applied twice.
pub const DEFRAGMENT_PAST_HOOK: Bug = Bug {
    index: 37,
    name: "defragment-past-hook",
    source: "etcd-io/etcd issue 14685, commit 5a3ef953e (3.5.6, 2022)",
    breaks: EQUALS_LOG,
    scenario: REPLICAS,
};

/// A revoke deletes the keys of the lease in the order of a map, which is another one on each node.
pub const REVOKE_IN_MAP_ORDER: Bug = Bug {
    index: 38,
    name: "revoke-in-map-order",
    source: "etcd-io/etcd pull request 6558, commit 4f9be9464 (2016): sort the keys before they are deleted",
    breaks: HASHES_AGREE,
    scenario: REPLICAS,
};

/// The lessor still writes leases to the backend that was there before a snapshot was installed.
pub const LESSOR_LEFT_ON_OLD_BACKEND: Bug = Bug {
    index: 39,
    name: "lessor-left-on-old-backend",
    source: "etcd-io/etcd from pull request 4151, commit 1714290f4 (2016): the store moves to a new backend, the \
             lessor does not",
    breaks: LEASES_ARE_EXACT,
    scenario: INSTALL,
};

/// A store that is restored in place leaves its synced watchers where they are, and what the snapshot brought is never sent
/// to them.
pub const RESTORE_LEAVES_WATCHERS: Bug = Bug {
    index: 40,
    name: "restore-leaves-watchers",
    source: "etcd-io/etcd pull request 8411, commit 13041c15b (2017)",
    breaks: RELIABLE,
    scenario: INSTALL,
};

/// A snapshot is installed while the file is being copied: the copy of what was there before then takes the name of the
/// file that the snapshot is in, and the next life begins with it.
pub const INSTALLED_DURING_DEFRAGMENT: Bug = Bug {
    index: 41,
    name: "installed-during-defragment",
    source: "etcd-io/etcd pull request 20271, commit 92897f2d4 (2025)",
    breaks: NEVER_STOPS,
    scenario: DEFRAGMENT,
};

/// Once a snapshot was asked for on behalf of a node, nothing is sent to it until it has it, although it may have died
/// meanwhile, or the snapshot may never have been sent.
pub const SNAPSHOT_ASKED_ONCE: Bug = Bug {
    index: 42,
    name: "snapshot-asked-once",
    source: "etcd-io/etcd issue 10225 (2018): a follower that is killed while it gets a snapshot stays in limbo; mended \
             in dgraph-io/dgraph pull request 2707",
    breaks: FOLLOWS,
    scenario: INSTALL,
};

/// A new primary goes on by deadlines that it has counted itself since it knew the leases, although clients have renewed
/// them at the one before it.
pub const LEASES_NOT_EXTENDED: Bug = Bug {
    index: 43,
    name: "leases-not-extended-by-new-primary",
    source: "etcd-io/etcd issue 2660 (2015): keys are lost during an election; and pull request 4778 (2016): refresh the \
             time of leases when a leader is elected",
    breaks: LIVES_ITS_TIME,
    scenario: LEASES,
};

/// After a snapshot was installed the consistent index is still written to the backend before it.
pub const INDEX_LEFT_ON_OLD_BACKEND: Bug = Bug {
    index: 35,
    name: "consistent-index-left-on-old-backend",
    source: "etcd-io/etcd from pull request 4151, commit 1714290f4 (2016): the store moves to a new backend, the \
             consistent index does not",
    breaks: EQUALS_LOG,
    scenario: INSTALL,
};

/// In a group of one node, entries are acknowledged and applied while the log is still being synced.
pub const ACKNOWLEDGED_BEFORE_LOG_SYNC: Bug = Bug {
    index: 29,
    name: "acknowledged-before-log-sync",
    source: "etcd-io/etcd issue 14370, commit 2a10049e4 (3.5.5 and 3.4.21, 2022): a single member applies and answers \
             in parallel with the fsync of its log",
    breaks: ACKNOWLEDGED_STAYS,
    scenario: REPLICAS,
};
