//! The scenarios: who is there, what clients do, and what must be survived.

use seedbed_sim::actor::Mark;
use seedbed_sim::check::Scenario;
use seedbed_sim::choose::Draw;
use seedbed_sim::fault::{Kind, KindSet};
use seedbed_sim::id::{ActorId, NodeId};
use seedbed_sim::nemesis::{Budget, Config, Knob, PlannedOp, Run};
use seedbed_sim::time::Span;
use seedbed_sim::world::Topology;

use super::batch_timer::BatchTimer;
use super::call::Call;
use super::client::Client;
use super::committer::Committer;
use super::compactor::Compactor;
use super::front::{Front, Mates, WatchMates};
use super::model::Mvcc;
use super::settings::{self, SECTOR_UNITS, Settings, UNIT};
use super::watching::client::Watcher;
use super::watching::rounds::{SyncLoop, VictimLoop};
use super::watching::sender::Sender;
use super::watching::workload::Crowd;
use super::workload::{self, KEYS_MAX, Mix};
use super::{bugs, checks, mark, point, watching};

pub(super) const CLIENTS: Knob =
    Knob { name: "clients", min: 2, max: 3, simplest: 2, about: "clients" };
const WATCHERS: Knob =
    Knob { name: "watchers", min: 1, max: 3, simplest: 1, about: "clients that watch" };
pub(super) const KEYS: Knob =
    Knob { name: "keys", min: 3, max: KEYS_MAX, simplest: 3, about: "keys in use" };

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

/// A store with those who watch it.
#[must_use]
pub const fn watch() -> Scenario<Mvcc> {
    Scenario {
        name: "mvcc/watch",
        about: "a store that is watched while it is written, compacted, closed and dies: slow watchers, lost streams",
        knobs: WATCH_KNOBS,
        tune: tune_streams,
        budget: |_| budget(SCHEDULES.and(DELAYS).and(DEATHS).and(TORN).and(STREAMS)),
        topology: watched,
        workload: |config, draw| {
            let [clients, watchers] = [CLIENTS, WATCHERS].map(|knob| config.get(knob.name));
            let crowd = Crowd { clients, watchers, keys: config.count(KEYS.name) };
            let mix = Mix { put: 40, delete: 20, get: 3, txn: 20, compact: 14, close: 3 };
            watching::workload::draw(mix, crowd, draw)
        },
        always: watching::checks::ALWAYS,
        eventually: watching::checks::EVENTUALLY,
        finally: watching::checks::FINALLY,
        marks: WATCH_MARKS,
        points: point::WATCHED,
        ..BASE
    }
}

pub(super) const BASE: Scenario<Mvcc> = Scenario {
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

/// What is drawn for a node that is watched.
pub(super) const WATCH_KNOBS: &[Knob] = &[
    CLIENTS,
    WATCHERS,
    KEYS,
    settings::BATCH_LIMIT,
    settings::BATCH_INTERVAL,
    settings::COMPACTION_BATCH,
    settings::COMPACTION_PAUSE,
    settings::RESTORE_CHUNK,
    settings::PAGE_UNITS,
    SECTOR_UNITS,
    settings::WATCH_CHANNEL,
    settings::WATCHERS_PER_SYNC,
    settings::WATCH_BATCH,
    settings::SYNC_INTERVAL,
    settings::VICTIM_INTERVAL,
    settings::STREAM_UNITS,
];

/// What a campaign must have seen where somebody watches.
pub(super) const WATCH_MARKS: &[Mark] = &[
    mark::VICTIM_CAUGHT_UP,
    mark::COMPACTED_MET_FULL,
    mark::COMPACTED_TOLD,
    mark::RESUMED_AFTER_CRASH,
    mark::RESUMED_IN_LIFE,
    mark::WATCH_IN_FUTURE,
    mark::BATCH_CUT,
    mark::BATCH_OF_SEVERAL,
    mark::ROUND_FULL,
    mark::ROUND_OF_ALL,
    mark::WATCHER_FILTERED,
    mark::WATCHER_MOVED_BY_RESTORE,
    mark::CANCEL_MET_ROUND,
    mark::PROGRESS_TOLD,
    mark::PROGRESS_WITHHELD,
    mark::WATCH_REFUSED,
    mark::DRAIN_STOOD_STILL,
    mark::PREVIOUS_COMPACTED,
];

/// What happens to connections.
pub(super) const STREAMS: KindSet = KindSet::of(&[
    Kind::Reset,
    Kind::Close,
    Kind::Silence,
    Kind::Tear,
    Kind::Refuse,
    Kind::Hang,
    Kind::Segment,
    Kind::ConnectRefused,
    Kind::ConnectHang,
    Kind::ConnectDelay,
    Kind::CutReset,
    Kind::CutHalfOpen,
]);

/// What happens to single messages.
pub(super) const MESSAGES: KindSet =
    KindSet::of(&[Kind::Drop, Kind::Duplicate, Kind::Reorder, Kind::Corrupt, Kind::Delay]);

/// In which order things happen.
pub(super) const SCHEDULES: KindSet =
    KindSet::of(&[Kind::Schedule, Kind::Tie, Kind::Waiter, Kind::Think]);

/// What takes longer than usual.
pub(super) const DELAYS: KindSet = KindSet::of(&[
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
pub(super) const DEATHS: KindSet = KindSet::of(&[Kind::Crash, Kind::Kill, Kind::Stop]);

/// What a power loss does to what was not synced.
pub(super) const TORN: KindSet = KindSet::of(&[Kind::Kept]);

/// What happens to disks. Rotten and misdirected bytes are not among it: a single node has nothing to repair them with.
pub(super) const DISKS: KindSet = TORN.and(KindSet::of(&[
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
pub(super) const fn budget(kinds: KindSet) -> Budget {
    Budget { kinds, down_max: 1, fragile_max: 0, faults_max: 8 }
}

fn tune(config: &Config, run: &mut Run) {
    let sector = config.get(SECTOR_UNITS.name) * UNIT;
    run.sector = u32::try_from(sector).expect("a sector is small");
}

/// As `tune`, with the room of connections.
pub(super) fn tune_streams(config: &Config, run: &mut Run) {
    tune(config, run);
    let buffer = config.get(settings::STREAM_UNITS.name) * UNIT;
    run.buffer = u32::try_from(buffer).expect("a buffer is small");
}

fn topology(config: &Config) -> Topology<Mvcc> {
    nodes(&Settings::of(config), config.get(CLIENTS.name))
}

/// Node n0 with front end, committer, batch timer and compactor, and clients c0, c1, ... on nodes of their own.
pub(super) fn nodes(settings: &Settings, clients: u64) -> Topology<Mvcc> {
    let (mut topology, _) = server(settings, None);
    add_clients(&mut topology, clients);
    topology
}

/// The front end of node n0; actors are numbered in the order in which they are added.
const FRONT: ActorId = ActorId(0);

/// Node n0 alone.
fn server(settings: &Settings, watch: Option<WatchMates>) -> (Topology<Mvcc>, NodeId) {
    let [committer, timer, compactor] = [1, 2, 3].map(ActorId);
    let mates = Mates { committer, timer, compactor, watch };
    let mut topology = Topology::default();
    let node = topology.server("n");
    topology.actor(node, "front", Mvcc::Front(Front::new(settings, mates)));
    add_workers(&mut topology, node, settings, mates);
    (topology, node)
}

/// Who works behind a store.
pub(super) fn add_workers(
    topology: &mut Topology<Mvcc>,
    node: NodeId,
    settings: &Settings,
    mates: Mates,
) {
    let committer = mates.committer;
    let actors = [
        ("committer", Mvcc::Committer(Committer::new(settings.page_size))),
        ("timer", Mvcc::BatchTimer(BatchTimer::new(settings.batch_interval, committer))),
        ("compactor", Mvcc::Compactor(Compactor::new(settings, committer))),
    ];
    for (role, actor) in actors {
        topology.actor(node, role, actor);
    }
}

fn add_clients(topology: &mut Topology<Mvcc>, clients: u64) {
    for _ in 0..clients {
        let node = topology.client("c");
        topology.actor(node, "client", Mvcc::Client(Client::new(FRONT)));
    }
}

/// As [`nodes`], with the two loops and a sender for each watcher on node n0, and watchers w0, w1, ... on nodes of their
/// own. The first of them keeps the record of everything.
fn watched(config: &Config) -> Topology<Mvcc> {
    let settings = Settings::of(config);
    let limits = settings::watch_limits(config);
    let watchers = u16::try_from(config.get(WATCHERS.name)).expect("a few");
    let (first, sync) = (ActorId(6), Span::ms(config.get(settings::SYNC_INTERVAL.name)));
    let mates = WatchMates { limits, senders: (first, watchers) };
    let (mut topology, node) = server(&settings, Some(mates));
    let victims = Span::ms(config.get(settings::VICTIM_INTERVAL.name));
    topology.actor(node, "sync", Mvcc::SyncLoop(SyncLoop::new(sync, limits)));
    topology.actor(node, "victims", Mvcc::VictimLoop(VictimLoop::new(victims)));
    for role in ["sender0", "sender1", "sender2"].into_iter().take(usize::from(watchers)) {
        topology.actor(node, role, Mvcc::Sender(Sender::default()));
    }
    add_clients(&mut topology, config.get(CLIENTS.name));
    for n in 0..watchers {
        let node = topology.client("w");
        let watcher = Watcher::new(vec![ActorId(first.0 + n)], n == 0);
        topology.actor(node, "watcher", Mvcc::Watcher(watcher));
    }
    topology
}

fn operations(mix: Mix, config: &Config, draw: &mut Draw) -> Vec<PlannedOp<Call>> {
    workload::draw(mix, config.get(CLIENTS.name), config.count(KEYS.name), draw)
}
