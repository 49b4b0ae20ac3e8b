//! The scenarios: who is there, what clients do, and what must be survived.

use std::sync::Arc;

use seedbed_sim::check::{ModelSite, Scenario};
use seedbed_sim::choose::{Odds, Site};
use seedbed_sim::fault::{Kind, KindSet};
use seedbed_sim::id::{ActorId, NodeId};
use seedbed_sim::nemesis::{Budget, Config, Knob, Run};
use seedbed_sim::time::Span;
use seedbed_sim::world::Topology;

use crate::vbucket::flusher::REJECT;
use crate::vbucket::loader::Loader;
use crate::vbucket::model::Mates;
use crate::vbucket::op::{Call, Key};
use crate::vbucket::scenario::{DEATHS, MESSAGES, SCHEDULES, STREAMS, actors};

use super::caller::Caller;
use super::carrier::Carrier;
use super::door::Door;
use super::keeper::Keeper;
use super::manager::Manager;
use super::map::Map;
use super::model::{Book, Peer};
use super::op::{Op, Server};
use super::settings::{self, small};
use super::worker::Worker;
use super::workload::{self, Crowd};
use super::{bugs, checks, mark, point};

const NO_REPLICAS: Knob =
    Knob { name: "replicas", min: 0, max: 0, simplest: 0, about: "replicas of each vbucket" };
const ONE_REPLICA: Knob =
    Knob { name: "replicas", min: 1, max: 1, simplest: 1, about: "replicas of each vbucket" };

const TASK_KNOBS: [Knob; 10] = [
    settings::NODES,
    settings::VBUCKETS,
    settings::KEYS,
    settings::PARTITIONS,
    settings::WORKERS,
    settings::FLUSH_DELAY,
    settings::PAGER,
    NO_REPLICAS,
    settings::CLOCKS,
    settings::THINK,
];

const FAILOVER_KNOBS: [Knob; 10] = {
    let mut knobs = TASK_KNOBS;
    knobs[7] = ONE_REPLICA;
    knobs
};

const CALL_KNOBS: [Knob; 7] = [
    settings::NODES,
    settings::VBUCKETS,
    settings::KEYS,
    settings::CALLERS,
    settings::FLUSH_DELAY,
    settings::PAGER,
    NO_REPLICAS,
];

const SITES: &[ModelSite] = &[ModelSite { site: &REJECT, odds: Odds::new(&[9, 1]) }];
const SITE_LIST: &[&Site] = &[&REJECT];

/// Several tasks at once against one reference store, while nodes die and vbuckets move.
#[must_use]
pub const fn tasks() -> Scenario<Peer> {
    Scenario {
        name: "client/tasks",
        about: "tasks of a client side by side on one reference store: load, work, verify, rebalance, while nodes die",
        knobs: &TASK_KNOBS,
        budget: with_clocks,
        workload: |config, draw| workload::tasks(crowd(config, false), draw),
        ..BASE
    }
}

/// The same with replicas, which take over.
#[must_use]
pub const fn failover() -> Scenario<Peer> {
    Scenario {
        name: "client/failover",
        about: "tasks of a client on one reference store, while replicas take over and may have lost what came last",
        knobs: &FAILOVER_KNOBS,
        budget: with_clocks,
        workload: |config, draw| workload::tasks(crowd(config, false), draw),
        marks: &[
            mark::NOT_MY_VBUCKET,
            mark::SENT_ELSEWHERE,
            mark::STORE_UNCERTAIN,
            mark::FOUND_AMISS,
            mark::NOT_VERIFIED,
            mark::MOVED,
            mark::COPY_SENT_AGAIN,
            mark::FAILED_OVER,
            mark::REPLICA_AGREES,
        ],
        eventually: checks::EVENTUALLY_WITH_REPLICAS,
        bugs: bugs::WITH_REPLICA,
        ..BASE
    }
}

/// Clients without a store, two of which may write a key at once.
#[must_use]
pub const fn multi_set() -> Scenario<Peer> {
    Scenario {
        name: "client/multi-set",
        about: "multi-sets and single operations of several clients on the same keys, while vbuckets move",
        knobs: &CALL_KNOBS,
        tune: |_, run| {
            pace(run);
            // Nobody waits for anything to run out.
            run.think = Span::ms(40);
        },
        topology: called,
        workload: |config, draw| workload::multi_sets(crowd(config, true), draw),
        read_back: |config| {
            let keys = (0..small(config, settings::KEYS)).map(Key);
            keys.map(|key| (0, Op::Ask(Call::Get(key)))).collect()
        },
        always: checks::ALWAYS_WITHOUT_STORE,
        eventually: checks::EVENTUALLY_WITHOUT_STORE,
        marks: &[
            mark::BACKED_OFF,
            mark::NOT_MY_VBUCKET,
            mark::SENT_ELSEWHERE,
            mark::UNKNOWN_TIMEOUT,
            mark::UNKNOWN_RESET,
            mark::UNUSED_CLOSED,
            mark::PARTLY_STORED,
            mark::STORED_BY_VERSION,
            mark::REFUSED_BY_VERSION,
            mark::ADDED,
            mark::MOVED,
        ],
        bugs: bugs::WITHOUT_STORE,
        ..BASE
    }
}

const BASE: Scenario<Peer> = Scenario {
    name: "",
    about: "",
    knobs: &[],
    tune,
    budget: |_| BUDGET,
    topology: managed,
    workload: |_, _| Vec::new(),
    read_back: |_| vec![(0, Op::VerifyAll)],
    always: checks::ALWAYS,
    eventually: checks::EVENTUALLY,
    finally: checks::FINALLY,
    marks: &[
        mark::BACKED_OFF,
        mark::NOT_MY_VBUCKET,
        mark::TOO_MANY_REFRESHES,
        mark::SENT_ELSEWHERE,
        mark::UNKNOWN_TIMEOUT,
        mark::UNKNOWN_RESET,
        mark::REFUSED,
        mark::STORE_UNCERTAIN,
        mark::LEARNED,
        mark::WAITED_FOR_PARTITION,
        mark::SEVERAL_PARTITIONS,
        mark::PAUSED,
        mark::RESUMED,
        mark::ABORTED,
        mark::QUEUED,
        mark::SIDE_BY_SIDE,
        mark::NOT_VERIFIED,
        mark::VERIFIED_DELETED,
        mark::VERIFIED_EXPIRED,
        mark::FOUND_AMISS,
        mark::NOTHING_TO_PICK,
        mark::MOVED,
        mark::MOVE_FAILED,
        mark::COPY_SENT_AGAIN,
    ],
    points: point::ALL,
    bugs: bugs::WITH_STORE,
    sites: SITES,
    site_list: SITE_LIST,
};

/// One node may be away, and nothing that is durable may be damaged.
const BUDGET: Budget = Budget { kinds: KINDS, down_max: 1, fragile_max: 0, faults_max: 8 };

/// What happens to orders, copies and maps, to requests and answers, to time, to processes, and to what was not synced.
const KINDS: KindSet = KindSet::of(&[Kind::Pause, Kind::Cut, Kind::Clog, Kind::Kept])
    .and(MESSAGES)
    .and(STREAMS)
    .and(SCHEDULES)
    .and(DEATHS);

/// Times to live are counted by the clocks of nodes.
fn with_clocks(config: &Config) -> Budget {
    Budget { kinds: KINDS.and(settings::clock_trouble(config)), ..BUDGET }
}

/// Times to live are whole seconds, so a run takes longer than others.
fn tune(config: &Config, run: &mut Run) {
    run.think = Span::ms(config.get(settings::THINK.name));
    pace(run);
}

fn pace(run: &mut Run) {
    run.calm = Span::ms(300);
    run.horizon = Span::secs(6);
    run.quiet = Span::ms(300);
    run.restart = Span::ms(200);
    run.grace = Span::secs(4);
}

fn crowd(config: &Config, is_called: bool) -> Crowd {
    let callers = if is_called { small(config, settings::CALLERS) } else { 0 };
    let clients = if is_called { callers } else { 1 + small(config, settings::WORKERS) };
    Crowd {
        keys: small(config, settings::KEYS),
        vbuckets: small(config, settings::VBUCKETS),
        nodes: small(config, settings::NODES),
        callers,
        keeper: clients.into(),
        has_replicas: config.get("replicas") > 0,
    }
}

/// Actors of a data node; they are numbered in the order in which they are added.
const ACTORS: u16 = 10;

/// Data nodes n0, n1, ..., a client c0 with a task manager and workers, and the keeper of the map, m0.
fn managed(config: &Config) -> Topology<Peer> {
    let nodes = small(config, settings::NODES);
    let workers = small(config, settings::WORKERS);
    let first = ACTORS * u16::from(nodes);
    let keeper = ActorId(first + 1 + u16::from(workers));
    let mut topology = Topology::default();
    let book = data_nodes(&mut topology, config, keeper);
    let client = topology.client("c");
    let ids = (1..=u16::from(workers)).map(|worker| ActorId(first + worker)).collect();
    let manager = Manager::new(config.count(settings::PARTITIONS.name), ids);
    let manager = topology.actor(client, "manager", Peer::Manager(manager));
    for (number, role) in (1..=workers).zip(["worker1", "worker2", "worker3"]) {
        let worker = Worker::new(number.into(), manager, book.clone(), settings::skew(config));
        topology.actor(client, role, Peer::Worker(worker));
    }
    add_keeper(&mut topology, config, book);
    topology
}

/// Data nodes n0, n1, ..., clients c0, c1, ... without a store, and the keeper of the map, m0.
fn called(config: &Config) -> Topology<Peer> {
    let nodes = small(config, settings::NODES);
    let callers = small(config, settings::CALLERS);
    let keeper = ActorId(ACTORS * u16::from(nodes) + u16::from(callers));
    let mut topology = Topology::default();
    let book = data_nodes(&mut topology, config, keeper);
    for _ in 0..callers {
        let client = topology.client("c");
        topology.actor(client, "caller", Peer::Caller(Caller::new(book.clone())));
    }
    add_keeper(&mut topology, config, book);
    topology
}

fn add_keeper(topology: &mut Topology<Peer>, config: &Config, book: Arc<Book>) {
    let nodes = small(config, settings::NODES);
    let map = Map::dealt(small(config, settings::VBUCKETS), nodes, config.get("replicas") > 0);
    let node = topology.client("m");
    topology.actor(node, "keeper", Peer::Keeper(Keeper::new(map, book)));
}

/// Adds the data nodes; who there is to ask.
fn data_nodes(topology: &mut Topology<Peer>, config: &Config, keeper: ActorId) -> Arc<Book> {
    let nodes = small(config, settings::NODES);
    let actor = |node: u8, place: u16| ActorId(ACTORS * u16::from(node) + place);
    let book = Arc::new(Book {
        doors: (0..nodes).map(|node| actor(node, 8)).collect(),
        carriers: (0..nodes).map(|node| actor(node, 9)).collect(),
        keeper,
    });
    for place in 0..nodes {
        let at = |role| actor(place, role);
        let mates = Mates {
            front: at(0),
            loader: at(1),
            flusher: at(2),
            keeper: at(3),
            remover: at(4),
            pager: at(5),
            fetcher: at(6),
            reverter: at(7),
        };
        let node = topology.server("n");
        let settings = settings::node(config, place);
        let told = vec![mates.flusher, mates.remover, mates.pager, at(9)];
        add_node(topology, node, (mates, Loader::new(settings, told)));
        topology.actor(node, "door", Peer::Door(Door::new(mates.front)));
        let (server, vbuckets) = (Server(place), settings.vbuckets);
        let carrier = Carrier::new(server, (mates.front, mates.flusher), vbuckets, book.clone());
        topology.actor(node, "carrier", Peer::Carrier(carrier));
    }
    book
}

fn add_node(topology: &mut Topology<Peer>, node: NodeId, (mates, loader): (Mates, Loader)) {
    for (role, actor) in actors(mates, loader) {
        // The keeper here is that of the map.
        let role = if role == "keeper" { "standings" } else { role };
        topology.actor(node, role, Peer::Node(actor));
    }
}
