//! The scenarios: who is there, what clients do, and what must be survived.

use seedbed_sim::check::{ModelSite, Scenario};
use seedbed_sim::choose::{Odds, Site};
use seedbed_sim::fault::{Kind, KindSet};
use seedbed_sim::id::{ActorId, NodeId};
use seedbed_sim::nemesis::{Budget, Config, Knob, Run};
use seedbed_sim::time::Span;
use seedbed_sim::world::Topology;

use super::client::Client;
use super::consumer::Consumer;
use super::fetcher::Fetcher;
use super::flusher::{Flusher, REJECT};
use super::front::Front;
use super::keeper::{Keeper, TASK_DELAY};
use super::loader::Loader;
use super::master::Master;
use super::model::{Mates, Node};
use super::op::{Key, State, Vb};
use super::pager::Pager;
use super::reader::{READER, Reader};
use super::remover::Remover;
use super::reverter::Reverter;
use super::settings::{self, Settings};
use super::workload::{self, Crowd, Mix};
use super::{bugs, checks, mark, point};

const CLIENTS: Knob = Knob { name: "clients", min: 2, max: 3, simplest: 2, about: "clients" };
pub(super) const KEYS: Knob =
    Knob { name: "keys", min: 3, max: Key::FEW as u64, simplest: 3, about: "keys in use" };
const SECTOR: Knob =
    Knob { name: "sector", min: 16, max: 64, simplest: 64, about: "bytes of a disk sector" };

const ALL_KNOBS: [Knob; 14] = {
    let [vbuckets, items, checkpoints, period, remover, pager, window, batch, delay, values, purge] =
        settings::KNOBS;
    [
        CLIENTS,
        KEYS,
        SECTOR,
        vbuckets,
        items,
        checkpoints,
        period,
        remover,
        pager,
        window,
        batch,
        delay,
        values,
        purge,
    ]
};

const ONE_CLIENT: Knob =
    Knob { name: "clients", min: 1, max: 1, simplest: 1, about: "clients beside the master" };
const ONE_VBUCKET: Knob =
    Knob { name: "vbuckets", min: 1, max: 1, simplest: 1, about: "vbuckets of the node" };

const REPLICA_KNOBS: [Knob; 14] = {
    let mut knobs = ALL_KNOBS;
    knobs[0] = ONE_CLIENT;
    knobs[3] = ONE_VBUCKET;
    knobs
};

const SITES: &[ModelSite] = &[
    ModelSite { site: &REJECT, odds: Odds::new(&[9, 1]) },
    ModelSite { site: &TASK_DELAY, odds: Odds::new(&[3, 1, 1, 1]) },
    ModelSite { site: &READER, odds: Odds::new(&[16, 2, 1, 1, 2]) },
];
const SITE_LIST: &[&Site] = &[&REJECT, &TASK_DELAY, &READER];

/// One node with clients: memory, disk and what goes on between them.
#[must_use]
pub const fn single() -> Scenario<Node> {
    Scenario {
        name: "vbucket/single",
        about: "a data node: clients, flusher, expiry, eviction, changes of state, crashes and warm-up",
        budget: |_| budget(MESSAGES.and(SCHEDULES).and(DELAYS).and(DEATHS).and(DISKS).and(CLOCKS)),
        workload: |config, draw| {
            let mix = Mix {
                get: 20,
                store: 45,
                count: 8,
                delete: 9,
                persist: 4,
                state: 7,
                drop: 2,
                update: 0,
                flush_all: 2,
            };
            workload::draw(mix, crowd(config), draw)
        },
        marks: &[
            mark::TORN_LOG,
            mark::UNFINISHED_TRANSACTION,
            mark::REJECTED,
            mark::BLOCKED_PENDING,
            mark::UNBLOCKED,
            mark::NO_ROOM,
            mark::EXPIRED_AT_ACCESS,
            mark::FETCHED,
            mark::CHANGED_WHILE_FETCHED,
            mark::DROPPED,
            mark::WAITED_FOR_DISK,
            mark::CHECKPOINT_REMOVED,
            mark::EVICTED,
            mark::CHANGED_BEFORE_PURGE,
            mark::PURGED,
            mark::WORK_BEFORE_SLEEP,
            mark::ON_DISK_BEFORE_WAIT,
            mark::READER_WENT_ON,
            mark::READER_BACKFILLED,
            mark::READER_FORGOT,
            mark::FLUSHED_ALL,
        ],
        ..BASE
    }
}

/// Online updates, completed and reverted, in the midst of everything else.
#[must_use]
pub const fn online_update() -> Scenario<Node> {
    Scenario {
        name: "vbucket/online-update",
        about: "a data node whose changes are volatile for a while: start, complete, revert, crashes at every step",
        budget: |_| budget(MESSAGES.and(SCHEDULES).and(DELAYS).and(DEATHS).and(DISKS).and(CLOCKS)),
        workload: |config, draw| {
            let mix = Mix {
                get: 20,
                store: 42,
                count: 6,
                delete: 12,
                persist: 2,
                state: 2,
                drop: 0,
                update: 16,
                flush_all: 2,
            };
            workload::draw(mix, crowd(config), draw)
        },
        marks: &[
            mark::TORN_LOG,
            mark::UNFINISHED_TRANSACTION,
            mark::REJECTED,
            mark::WINDOW_WRITTEN_AGAIN,
            mark::BLOCKED_BY_REVERT,
            mark::UNBLOCKED,
            mark::EXPIRED_AT_ACCESS,
            mark::FETCHED,
            mark::COMPLETED,
            mark::REVERTED,
            mark::WINDOW_SPANNED,
            mark::REVERT_MET_UNWRITTEN,
            mark::WAITED_IN_VAIN,
            mark::READER_WENT_ON,
            mark::READER_MET_WINDOW,
            mark::CHECKPOINT_REMOVED,
            mark::EVICTED,
        ],
        ..BASE
    }
}

/// A replica that a scripted master feeds, drops and takes up again, and that is promoted sometimes.
#[must_use]
pub const fn replica() -> Scenario<Node> {
    Scenario {
        name: "vbucket/replica",
        about: "a replica and its scripted master: lost connections, repeated frames, lagging masters, promotions",
        knobs: &REPLICA_KNOBS,
        budget: |_| budget(SCHEDULES.and(DELAYS).and(DEATHS).and(STREAMS).with(Kind::Kept)),
        topology: fed,
        workload: |config, draw| {
            let mix = Mix {
                get: 20,
                store: 40,
                count: 0,
                delete: 10,
                persist: 6,
                state: 30,
                drop: 0,
                update: 0,
                flush_all: 0,
            };
            workload::draw_fed(mix, crowd(config), draw)
        },
        always: checks::ALWAYS_REPLICA,
        eventually: checks::EVENTUALLY_REPLICA,
        marks: &[
            mark::REJECTED,
            mark::SESSION_BEGAN,
            mark::MERGED,
            mark::REVERTED_CAME_AGAIN,
            mark::STEP_CAME_AGAIN,
            mark::CHANGE_CAME_AGAIN,
            mark::STEP_OF_REPLICA,
            mark::FRAME_WAITED,
            mark::ANSWERED_BY_RESET,
            mark::COLLAPSED,
            mark::CHECKPOINT_REMOVED,
        ],
        ..BASE
    }
}

const BASE: Scenario<Node> = Scenario {
    name: "",
    about: "",
    knobs: &ALL_KNOBS,
    tune,
    budget: |_| budget(KindSet::NONE),
    topology,
    workload: |_, _| Vec::new(),
    read_back: |config| workload::read_back(config.count(KEYS.name)),
    always: checks::ALWAYS,
    eventually: checks::EVENTUALLY,
    finally: checks::FINALLY,
    marks: &[],
    points: point::ALL,
    bugs: bugs::BUGS,
    sites: SITES,
    site_list: SITE_LIST,
};

/// What happens to single messages. A request that comes twice is carried out twice, as by a client that asks again.
pub(crate) const MESSAGES: KindSet =
    KindSet::of(&[Kind::Drop, Kind::Duplicate, Kind::Reorder, Kind::Delay]);

/// What happens to connections.
pub(crate) const STREAMS: KindSet = KindSet::of(&[
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

/// In which order things happen.
pub(crate) const SCHEDULES: KindSet =
    KindSet::of(&[Kind::Schedule, Kind::Tie, Kind::Waiter, Kind::Think]);

/// What takes longer than usual.
pub(crate) const DELAYS: KindSet =
    KindSet::of(&[Kind::Pause, Kind::Cut, Kind::Clog, Kind::DiskSlow, Kind::RequestSlow]);

/// What happens to clocks. Times to live are counted by the clock of the node.
const CLOCKS: KindSet = KindSet::of(&[Kind::Skew, Kind::Jump, Kind::Drift]);

/// How a process ends.
pub(crate) const DEATHS: KindSet = KindSet::of(&[Kind::Crash, Kind::Kill, Kind::Stop]);

/// What happens to disks. A single node has nothing to repair rotten bytes with.
const DISKS: KindSet = KindSet::of(&[
    Kind::Kept,
    Kind::DiskFull,
    Kind::ReadErrors,
    Kind::WriteErrors,
    Kind::SyncErrors,
    Kind::RequestError,
    Kind::RequestHang,
    Kind::ShortWrite,
]);

/// The one node may be away, and nothing that is durable may be damaged.
const fn budget(kinds: KindSet) -> Budget {
    Budget { kinds, down_max: 1, fragile_max: 0, faults_max: 8 }
}

/// Times to live are whole seconds, so a run takes longer than others, and clients take their time.
fn tune(config: &Config, run: &mut Run) {
    run.sector = u32::try_from(config.get(SECTOR.name)).expect("a sector is small");
    run.think = Span::ms(400);
    run.calm = Span::ms(300);
    run.horizon = Span::secs(15);
    run.quiet = Span::ms(500);
    run.restart = Span::ms(200);
    run.grace = Span::secs(4);
}

fn crowd(config: &Config) -> Crowd {
    Crowd {
        clients: config.get(CLIENTS.name),
        keys: config.count(KEYS.name),
        vbuckets: config.get(settings::VBUCKETS.name),
    }
}

/// Actors are numbered in the order in which they are added.
const MATES: Mates = Mates {
    front: ActorId(0),
    loader: ActorId(1),
    flusher: ActorId(2),
    keeper: ActorId(3),
    remover: ActorId(4),
    pager: ActorId(5),
    fetcher: ActorId(6),
    reverter: ActorId(7),
};

/// As [`topology`], with a consumer in place of readers, and the master m0 of its one vbucket behind the clients.
fn fed(config: &Config) -> Topology<Node> {
    let settings = Settings { state: State::Replica, ..Settings::of(config) };
    let mut topology = Topology::default();
    let node = topology.server("n");
    let told = vec![MATES.flusher, MATES.remover, MATES.pager];
    add_node(&mut topology, node, (settings, told));
    let consumer = Node::Consumer(Consumer::new(MATES, Vb(0)));
    let consumer = topology.actor(node, "consumer", consumer);
    add_clients(&mut topology, config);
    let node = topology.client("m");
    topology.actor(node, "master", Node::Master(Master::new(consumer)));
    topology
}

/// Node n0 with its actors, and clients c0, c1, ... on nodes of their own.
fn topology(config: &Config) -> Topology<Node> {
    let settings = Settings::of(config);
    let mut topology = Topology::default();
    let node = topology.server("n");
    let readers = (0..settings.vbuckets).map(|vb| ActorId(MATES.reverter.0 + 1 + u16::from(vb)));
    let told = [MATES.flusher, MATES.remover, MATES.pager].into_iter().chain(readers).collect();
    add_node(&mut topology, node, (settings, told));
    for (vb, role) in (0..settings.vbuckets).zip(["reader0", "reader1"]) {
        topology.actor(node, role, Node::Reader(Reader::new(Vb(vb))));
    }
    add_clients(&mut topology, config);
    topology
}

fn add_node(
    topology: &mut Topology<Node>,
    node: NodeId,
    (settings, told): (Settings, Vec<ActorId>),
) {
    for (role, actor) in actors(MATES, Loader::new(settings, told)) {
        topology.actor(node, role, actor);
    }
}

/// The actors of a data node with their roles, in the order of [`Mates`].
pub(crate) fn actors(mates: Mates, loader: Loader) -> [(&'static str, Node); 8] {
    [
        ("front", Node::Front(Front::new(mates))),
        ("loader", Node::Loader(loader)),
        ("flusher", Node::Flusher(Flusher::new(mates))),
        ("keeper", Node::Keeper(Keeper::default())),
        ("remover", Node::Remover(Remover::new(mates))),
        ("pager", Node::Pager(Pager::new(mates))),
        ("fetcher", Node::Fetcher(Fetcher::new(mates))),
        ("reverter", Node::Reverter(Reverter::new(mates))),
    ]
}

fn add_clients(topology: &mut Topology<Node>, config: &Config) {
    for _ in 0..config.get(CLIENTS.name) {
        let node = topology.client("c");
        topology.actor(node, "client", Node::Client(Client::new(MATES.front)));
    }
}
