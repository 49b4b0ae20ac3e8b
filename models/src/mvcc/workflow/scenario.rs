//! The scenario: threads of one process on one store, and their clients.

use seedbed_sim::check::Scenario;
use seedbed_sim::id::{ActorId, FileName};
use seedbed_sim::nemesis::{Config, Knob};
use seedbed_sim::time::Span;
use seedbed_sim::world::Topology;

use super::caller::{self, Caller, Manner};
use super::keeper::Keeper;
use super::workload::Uses;
use super::{checks, workload};
use crate::mvcc::client::Client;
use crate::mvcc::door::Door;
use crate::mvcc::front::Mates;
use crate::mvcc::model::Mvcc;
use crate::mvcc::scenario::{
    BASE, CLIENTS, DEATHS, DELAYS, DISKS, KEYS, MESSAGES, SCHEDULES, add_workers, budget,
};
use crate::mvcc::settings::{self, Settings};
use crate::mvcc::{mark, point};

/// A store that several threads of one process use at once.
#[must_use]
pub const fn workflow() -> Scenario<Mvcc> {
    Scenario {
        name: "mvcc/workflow",
        about: "a store used as a library by several threads: put, transaction, compact, snapshot, close, reopen, again and \
                again",
        knobs: KNOBS,
        budget: |_| budget(MESSAGES.and(SCHEDULES).and(DELAYS).and(DEATHS).and(DISKS)),
        topology,
        workload: |config, draw| {
            workload::draw(USES, config.get(CLIENTS.name), config.count(KEYS.name), draw)
        },
        always: checks::ALWAYS,
        eventually: checks::EVENTUALLY,
        marks: &[
            mark::COMMIT_WAITED,
            mark::TORN_COMMIT,
            mark::COMPACTION_RESUMED,
            mark::CLOSE_WAITED,
            mark::READ_COMPACTED,
            mark::READ_FUTURE,
            mark::REPEATED_REQUEST,
            mark::REQUEST_WHILE_CLOSING,
            mark::DISK_ENDED_PROCESS,
            mark::THREAD_WAITED_FOR_TXN,
            mark::WRONG_TXN_ID,
            mark::TXN_LEFT_ALONE,
            mark::SNAPSHOT_BESIDE_WRITES,
            mark::CLOSE_WAITED_FOR_SNAPSHOT,
            mark::DEFRAG_GIVEN_UP,
            mark::LEFT_OVER_MET,
            mark::HISTORY_CUT,
            mark::HISTORY_BEYOND_LIMIT,
            mark::HASH_KEPT,
            mark::HASH_REFUSED,
            mark::READ_PENDING,
        ],
        points: point::WORKFLOW,
        ..BASE
    }
}

/// Every entry point.
pub(super) const USES: Uses = Uses {
    put: 20,
    delete: 10,
    get: 12,
    compact: 9,
    close: 4,
    txn: 8,
    hash: 10,
    history: 9,
    snapshot: 4,
    defrag: 3,
    commit: 2,
};

/// A store that is cut, closed and restored all the time.
#[must_use]
pub const fn snapshot() -> Scenario<Mvcc> {
    Scenario {
        name: "mvcc/snapshot",
        about: "a store of which snapshots are written while threads write, and that is closed and restored again and again",
        workload: |config, draw| {
            workload::draw(CUTS, config.get(CLIENTS.name), config.count(KEYS.name), draw)
        },
        marks: &[
            mark::COMMIT_WAITED,
            mark::TORN_COMMIT,
            mark::COMPACTION_RESUMED,
            mark::CLOSE_WAITED,
            mark::REQUEST_WHILE_CLOSING,
            mark::DISK_ENDED_PROCESS,
            mark::SNAPSHOT_BESIDE_WRITES,
            mark::CLOSE_WAITED_FOR_SNAPSHOT,
            mark::LEFT_OVER_MET,
        ],
        ..workflow()
    }
}

/// Snapshots and restores more than anything else, with enough written in between.
const CUTS: Uses = Uses {
    put: 24,
    delete: 8,
    get: 4,
    compact: 8,
    close: 12,
    txn: 8,
    hash: 4,
    history: 2,
    snapshot: 16,
    defrag: 4,
    commit: 4,
};

const KNOBS: &[Knob] = &[
    CLIENTS,
    KEYS,
    settings::BATCH_LIMIT,
    settings::BATCH_INTERVAL,
    settings::COMPACTION_BATCH,
    settings::COMPACTION_PAUSE,
    settings::RESTORE_CHUNK,
    settings::PAGE_UNITS,
    settings::SECTOR_UNITS,
    settings::READ_BUFFER,
    settings::HASHES_KEPT,
    settings::DEFRAG_BATCH,
    settings::TXN_PATIENCE,
];

/// Where the snapshots of each thread go.
const FILES: [FileName; 3] =
    [FileName::new("snap0"), FileName::new("snap1"), FileName::new("snap2")];

/// Node n0 with keeper, committer, batch timer, compactor and a thread for each client, and clients c0, c1, ... on nodes of
/// their own.
fn topology(config: &Config) -> Topology<Mvcc> {
    let settings = Settings::of(config);
    let [keeper, committer, timer, compactor] = [0, 1, 2, 3].map(ActorId);
    let mates = Mates { committer, timer, compactor, watch: None };
    let mut topology = Topology::default();
    let node = topology.server("n");
    let door = Door::new(settings.restore_chunk, mates);
    let hashes_kept = config.count(settings::HASHES_KEPT.name);
    topology.actor(node, "keeper", Mvcc::Keeper(Keeper::new(door, hashes_kept)));
    add_workers(&mut topology, node, &settings, mates);
    let clients = u16::try_from(config.get(CLIENTS.name)).expect("a few");
    let roles = ["caller0", "caller1", "caller2"].into_iter().zip(FILES);
    for (role, file) in roles.take(usize::from(clients)) {
        let manner = Manner {
            batch_limit: settings.batch_limit,
            read_buffer: config.get(settings::READ_BUFFER.name) == 1,
            defrag_batch: config.count(settings::DEFRAG_BATCH.name),
            chunk: settings.page_size as usize,
            patience: Span::ms(config.get(settings::TXN_PATIENCE.name)),
            file,
        };
        let mates = caller::Mates { committer, compactor, keeper };
        topology.actor(node, role, Mvcc::Caller(Caller::new(manner, mates)));
    }
    for n in 0..clients {
        let node = topology.client("c");
        topology.actor(node, "client", Mvcc::Client(Client::of_thread(ActorId(4 + n))));
    }
    topology
}
