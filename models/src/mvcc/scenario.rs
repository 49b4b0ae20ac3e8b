//! The scenarios: who is there, what clients do, and what must be survived.

use seedbed_sim::check::Scenario;
use seedbed_sim::choose::Draw;
use seedbed_sim::fault::{Kind, KindSet};
use seedbed_sim::id::ActorId;
use seedbed_sim::nemesis::{Budget, Config, Knob, PlannedOp, Run};
use seedbed_sim::world::Topology;

use super::batch_timer::BatchTimer;
use super::call::Call;
use super::client::Client;
use super::committer::Committer;
use super::compactor::Compactor;
use super::front::{Front, Mates};
use super::model::Mvcc;
use super::settings::{self, SECTOR_UNITS, Settings, UNIT};
use super::workload::{self, KEYS_MAX, Mix};
use super::{bugs, checks, mark, point};

const CLIENTS: Knob = Knob { name: "clients", min: 2, max: 3, simplest: 2, about: "clients" };
const KEYS: Knob = Knob { name: "keys", min: 3, max: KEYS_MAX, simplest: 3, about: "keys in use" };

/// A store whose process lives on: requests, batches, compactions and closing get in each other's way.
#[must_use]
pub const fn single() -> Scenario<Mvcc> {
    Scenario {
        name: "mvcc/single",
        about: "a store that stays up: late and repeated messages, closing and opening, slow disks, odd schedules",
        budget: |_| budget(MESSAGES.and(SCHEDULES).and(DELAYS)),
        workload: |config, draw| {
            operations(
                Mix { put: 30, delete: 14, get: 22, txn: 20, compact: 10, close: 4 },
                config,
                draw,
            )
        },
        marks: &[
            mark::COMMIT_WAITED,
            mark::COMPACTION_INTERRUPTED,
            mark::COMPACTION_RESUMED,
            mark::COMPACTION_QUEUED,
            mark::TOMBSTONE_KEPT,
            mark::CLOSE_WAITED,
            mark::READ_COMPACTED,
            mark::READ_FUTURE,
            mark::REPEATED_REQUEST,
            mark::REQUEST_WHILE_CLOSING,
            mark::REQUEST_WAITED_FOR_OPENING,
        ],
        ..BASE
    }
}

/// A store whose process and disk die in every way that a budget allows.
#[must_use]
pub const fn restart() -> Scenario<Mvcc> {
    Scenario {
        name: "mvcc/restart",
        about: "a store that crashes, is killed and stopped: torn commits, failing and silent disks, late messages",
        budget: |_| budget(MESSAGES.and(SCHEDULES).and(DELAYS).and(DEATHS).and(DISKS)),
        workload: |config, draw| {
            operations(
                Mix { put: 32, delete: 14, get: 20, txn: 24, compact: 9, close: 1 },
                config,
                draw,
            )
        },
        marks: &[
            mark::COMMIT_WAITED,
            mark::TORN_COMMIT,
            mark::COMPACTION_RESUMED,
            mark::TOMBSTONE_KEPT,
            mark::READ_COMPACTED,
            mark::READ_FUTURE,
            mark::REPEATED_REQUEST,
            mark::REQUEST_WAITED_FOR_OPENING,
            mark::DISK_ENDED_PROCESS,
        ],
        ..BASE
    }
}

/// A store that forgets its past all the time, and never gets to the end of it.
#[must_use]
pub const fn restart_under_compaction() -> Scenario<Mvcc> {
    Scenario {
        name: "mvcc/restart-under-compaction",
        about: "a store that is compacted again and again, and dies, is stopped or closed meanwhile",
        budget: |_| budget(SCHEDULES.and(DELAYS).and(DEATHS).and(TORN)),
        workload: |config, draw| {
            operations(
                Mix { put: 30, delete: 22, get: 12, txn: 10, compact: 20, close: 6 },
                config,
                draw,
            )
        },
        marks: &[
            mark::TORN_COMMIT,
            mark::COMPACTION_INTERRUPTED,
            mark::COMPACTION_RESUMED,
            mark::COMPACTION_QUEUED,
            mark::TOMBSTONE_KEPT,
            mark::CLOSE_WAITED,
            mark::READ_COMPACTED,
            mark::REQUEST_WHILE_CLOSING,
            mark::REQUEST_WAITED_FOR_OPENING,
        ],
        ..BASE
    }
}

const BASE: Scenario<Mvcc> = Scenario {
    name: "",
    about: "",
    knobs: &[
        CLIENTS,
        KEYS,
        settings::BATCH_LIMIT,
        settings::BATCH_INTERVAL,
        settings::COMPACTION_BATCH,
        settings::COMPACTION_PAUSE,
        settings::RESTORE_CHUNK,
        settings::PAGE_UNITS,
        SECTOR_UNITS,
    ],
    tune,
    budget: |_| budget(KindSet::NONE),
    topology,
    workload: |_, _| Vec::new(),
    read_back: |_| workload::read_back(),
    always: checks::ALWAYS,
    eventually: checks::EVENTUALLY,
    finally: checks::FINALLY,
    marks: &[],
    points: point::ALL,
    bugs: bugs::BUGS,
    sites: &[],
    site_list: &[],
};

/// What happens to single messages.
const MESSAGES: KindSet =
    KindSet::of(&[Kind::Drop, Kind::Duplicate, Kind::Reorder, Kind::Corrupt, Kind::Delay]);

/// In which order things happen.
const SCHEDULES: KindSet = KindSet::of(&[Kind::Schedule, Kind::Tie, Kind::Waiter, Kind::Think]);

/// What takes longer than usual.
const DELAYS: KindSet = KindSet::of(&[
    Kind::Pause,
    Kind::SlowNode,
    Kind::Drift,
    Kind::Cut,
    Kind::Clog,
    Kind::SlowLink,
    Kind::DiskSlow,
    Kind::RequestSlow,
]);

/// How a process ends.
const DEATHS: KindSet = KindSet::of(&[Kind::Crash, Kind::Kill, Kind::Stop]);

/// What a power loss does to what was not synced.
const TORN: KindSet = KindSet::of(&[Kind::Kept]);

/// What happens to disks. Rotten and misdirected bytes are not among it: a single node has nothing to repair them with.
const DISKS: KindSet = TORN.and(KindSet::of(&[
    Kind::DiskFull,
    Kind::ReadErrors,
    Kind::WriteErrors,
    Kind::SyncErrors,
    Kind::DiskHang,
    Kind::RequestError,
    Kind::RequestHang,
    Kind::ShortWrite,
]));

/// The one node may be away, and nothing that is durable may be damaged.
const fn budget(kinds: KindSet) -> Budget {
    Budget { kinds, down_max: 1, fragile_max: 0, faults_max: 8 }
}

fn tune(config: &Config, run: &mut Run) {
    let sector = config.get(SECTOR_UNITS.name) * UNIT;
    run.sector = u32::try_from(sector).expect("a sector is small");
}

fn topology(config: &Config) -> Topology<Mvcc> {
    nodes(&Settings::of(config), config.get(CLIENTS.name))
}

/// Node n0 with front end, committer, batch timer and compactor, and clients c0, c1, ... on nodes of their own.
pub(super) fn nodes(settings: &Settings, clients: u64) -> Topology<Mvcc> {
    // Actors are numbered in the order in which they are added.
    let [front, committer, timer, compactor] = [0, 1, 2, 3].map(ActorId);
    let mates = Mates { committer, timer, compactor };
    let mut topology = Topology::default();
    let node = topology.server("n");
    let actors = [
        ("front", Mvcc::Front(Front::new(settings, mates))),
        ("committer", Mvcc::Committer(Committer::new(settings.page_size))),
        ("timer", Mvcc::BatchTimer(BatchTimer::new(settings.batch_interval, committer))),
        ("compactor", Mvcc::Compactor(Compactor::new(settings, committer))),
    ];
    for (role, actor) in actors {
        topology.actor(node, role, actor);
    }
    for _ in 0..clients {
        let node = topology.client("c");
        topology.actor(node, "client", Mvcc::Client(Client::new(front)));
    }
    topology
}

fn operations(mix: Mix, config: &Config, draw: &mut Draw) -> Vec<PlannedOp<Call>> {
    workload::draw(mix, config.get(CLIENTS.name), config.count(KEYS.name), draw)
}
