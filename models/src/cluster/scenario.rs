//! The scenarios: who is there, what clients and the orchestrator do, and what must be survived.

use std::sync::Arc;

use seedbed_sim::check::{ModelSite, Scenario};
use seedbed_sim::choose::{Odds, Site};
use seedbed_sim::fault::{Kind, KindSet};
use seedbed_sim::id::{ActorId, NodeId};
use seedbed_sim::nemesis::{Budget, Config, Knob, Run};
use seedbed_sim::time::Span;
use seedbed_sim::world::Topology;

use crate::client::door::Door;
use crate::client::mark as client_mark;
use crate::client::model::{Book, Peer};
use crate::client::op as client_op;
use crate::client::op::Server;
use crate::client::settings as client;
use crate::client::settings::small;
use crate::client::worker::Worker;
use crate::client::workload::Crowd;
use crate::tap::filler::Filler;
use crate::tap::mark as tap_mark;
use crate::tap::model::{Node as TapNode, Post};
use crate::tap::notifier::Notifier;
use crate::tap::receiver::{Receiver, THROTTLE};
use crate::tap::scenario::post as streams_post;
use crate::tap::sender::Sender;
use crate::tap::settings as tap;
use crate::vbucket::flusher::REJECT;
use crate::vbucket::loader::Loader;
use crate::vbucket::scenario::{DEATHS, DELAYS, MESSAGES, SCHEDULES, STREAMS, actors};

use super::agent::Agent;
use super::model::Node;
use super::op::Op;
use super::orchestrator::Orchestrator;
use super::workload::{self, Mix};
use super::{bugs, checks, mark, point, settings};

const KNOBS: [Knob; settings::OWN.len() + tap::KNOBS.len()] = {
    let mut all = [settings::NODES; settings::OWN.len() + tap::KNOBS.len()];
    let mut at = 0;
    while at < all.len() {
        let own = settings::OWN.len();
        all[at] = if at < own { settings::OWN[at] } else { tap::KNOBS[at - own] };
        at += 1;
    }
    all
};

const FAILOVER_KNOBS: [Knob; KNOBS.len()] = {
    let mut knobs = KNOBS;
    knobs[settings::AT_REPLICAS] = settings::SOME_REPLICAS;
    knobs
};

const SITES: &[ModelSite] = &[
    ModelSite { site: &REJECT, odds: Odds::new(&[9, 1]) },
    ModelSite { site: &THROTTLE, odds: Odds::new(&[6, 1]) },
];
const SITE_LIST: &[&Site] = &[&REJECT, &THROTTLE];

/// Nodes join, leave and take each other's places, while clients go on, and nodes die.
#[must_use]
pub const fn rebalance() -> Scenario<Node> {
    Scenario {
        name: "cluster/rebalance",
        about: "nodes join, leave, swap and are given up under load: vbuckets are built, taken over and published one by one",
        workload: |config, draw| {
            let mix = Mix {
                join: 14,
                leave: 12,
                swap: 12,
                go_on: 14,
                stop: 16,
                finish: 14,
                fail_over: 6,
                add_back: 6,
                count: 6,
            };
            let members = settings::cluster(config).members.0;
            workload::draw(mix, crowd(config), members, draw)
        },
        ..BASE
    }
}

/// Nodes are given up and added back, while clients go on, and nodes die.
#[must_use]
pub const fn failover() -> Scenario<Node> {
    Scenario {
        name: "cluster/failover",
        about: "nodes are given up under load and added back, and replicas may have lost what came last",
        knobs: &FAILOVER_KNOBS,
        workload: |config, draw| {
            let mix = Mix {
                join: 4,
                leave: 4,
                swap: 2,
                go_on: 12,
                stop: 2,
                finish: 10,
                fail_over: 34,
                add_back: 24,
                count: 8,
            };
            let members = settings::cluster(config).members.0;
            workload::draw(mix, crowd(config), members, draw)
        },
        marks: &[
            client_mark::BACKED_OFF,
            client_mark::NOT_MY_VBUCKET,
            client_mark::SENT_ELSEWHERE,
            mark::REBALANCED,
            mark::TAKEN_BACK,
            mark::FAILED_OVER,
            mark::FAILED_OVER_MOVING,
            mark::NOT_FAILED_OVER,
            mark::ADDED_BACK,
            mark::COUNTED,
        ],
        ..BASE
    }
}

const BASE: Scenario<Node> = Scenario {
    name: "",
    about: "",
    knobs: &KNOBS,
    tune,
    budget: |_| BUDGET,
    topology,
    workload: |_, _| Vec::new(),
    read_back: |_| vec![(0, Op::Client(client_op::Op::VerifyAll))],
    always: checks::ALWAYS,
    eventually: checks::EVENTUALLY,
    finally: checks::FINALLY,
    marks: &[
        client_mark::BACKED_OFF,
        client_mark::NOT_MY_VBUCKET,
        client_mark::SENT_ELSEWHERE,
        client_mark::UNKNOWN_TIMEOUT,
        client_mark::UNUSED_CLOSED,
        tap_mark::DRAINED_DEAD,
        mark::REBALANCED,
        mark::REBALANCE_FAILED,
        mark::STOPPED,
        mark::CONTINUED,
        mark::TAKEN_BACK,
        mark::FAILED_OVER,
        mark::FAILED_OVER_MOVING,
        mark::ADDED_BACK,
        mark::NOT_YET,
        mark::TAKEN_ANEW,
        mark::NOT_FAILED_OVER,
        mark::COUNTED,
        mark::MOVED_ALONE,
        mark::SWAPPED,
    ],
    points: point::ALL,
    bugs: bugs::BUGS,
    sites: SITES,
    site_list: SITE_LIST,
};

/// One node may be away at a time, and nothing that is durable may be damaged.
const BUDGET: Budget = Budget { kinds: KINDS, down_max: 1, fragile_max: 0, faults_max: 6 };

/// What happens: to views, reports and maps, to connections, to the order of things, to processes, to disks.
const KINDS: KindSet =
    MESSAGES.and(STREAMS).and(SCHEDULES).and(DELAYS).and(DEATHS).and(KindSet::of(&[Kind::Kept]));

/// Times to live are whole seconds, and many vbuckets move, so a run takes longer than others.
fn tune(config: &Config, run: &mut Run) {
    run.sector = u32::try_from(config.get(settings::SECTOR.name)).expect("a sector is small");
    run.think = Span::ms(200);
    run.calm = Span::ms(800);
    run.horizon = Span::secs(9);
    run.quiet = Span::ms(400);
    run.restart = Span::ms(200);
    run.grace = Span::secs(4);
    run.steps_max = 600_000;
}

fn crowd(config: &Config) -> Crowd {
    let clients = 1 + small(config, client::WORKERS);
    Crowd {
        keys: small(config, settings::KEYS),
        vbuckets: settings::vbuckets(config),
        nodes: small(config, settings::NODES),
        callers: 0,
        keeper: clients.into(),
        has_replicas: true,
    }
}

/// Actors of a data node; they are numbered in the order in which they are added.
const ACTORS: u16 = 14;

/// Who is who on a data node.
fn post(node: u8) -> Post {
    streams_post(u16::from(node) * ACTORS)
}

fn door(node: u8) -> ActorId {
    ActorId(u16::from(node) * ACTORS + 12)
}

fn agent(node: u8) -> ActorId {
    ActorId(u16::from(node) * ACTORS + 13)
}

/// Data nodes n0, n1, ..., a client c0 with a task manager and workers, and the orchestrator, m0.
fn topology(config: &Config) -> Topology<Node> {
    let nodes = small(config, settings::NODES);
    let workers = small(config, client::WORKERS);
    let first = ACTORS * u16::from(nodes);
    let orchestrator = ActorId(first + 1 + u16::from(workers));
    let doors: Arc<[ActorId]> = (0..nodes).map(door).collect();
    let book = Arc::new(Book { doors, carriers: [].into(), keeper: orchestrator });
    let senders: Arc<[ActorId]> = (0..nodes).map(|node| post(node).sender).collect();
    let mut topology = Topology::default();
    for place in 0..nodes {
        let node = topology.server("n");
        add_node(&mut topology, node, place, config);
        let (server, post) = (Server(place), post(place));
        let agent = Agent::new(server, post, senders.clone(), orchestrator);
        topology.actor(node, "agent", Node::Agent(agent));
    }
    let client = topology.client("c");
    let ids = (1..=u16::from(workers)).map(|worker| ActorId(first + worker)).collect();
    let partitions = config.count(client::PARTITIONS.name);
    let manager = crate::client::manager::Manager::new(partitions, ids);
    let manager = topology.actor(client, "manager", Node::Client(Peer::Manager(manager)));
    for (number, role) in (1..=workers).zip(["worker1", "worker2", "worker3"]) {
        let worker = Worker::new(number.into(), manager, book.clone(), Some(0));
        topology.actor(client, role, Node::Client(Peer::Worker(worker)));
    }
    let node = topology.client("m");
    let agents: Arc<[ActorId]> = (0..nodes).map(agent).collect();
    let of = Orchestrator::new(agents, settings::cluster(config));
    topology.actor(node, "orchestrator", Node::Orchestrator(of));
    topology
}

/// The actors of a data node, of its streams, and its door.
fn add_node(topology: &mut Topology<Node>, node: NodeId, place: u8, config: &Config) {
    let post = post(place);
    let (mates, streams) = (post.data, settings::streams(config));
    let told = vec![mates.flusher, mates.remover, mates.pager, post.notifier, agent(place)];
    for (role, actor) in actors(mates, Loader::new(settings::node(config, place), told)) {
        topology.actor(node, role, Node::Tap(TapNode::Data(actor, post.notifier)));
    }
    for (role, actor) in [
        ("sender", TapNode::Sender(Sender::new(post, streams))),
        ("filler", TapNode::Filler(Filler::new(post.sender))),
        ("notifier", TapNode::Notifier(Notifier::new(post.sender))),
        ("receiver", TapNode::Receiver(Receiver::new(post, streams))),
    ] {
        topology.actor(node, role, Node::Tap(actor));
    }
    topology.actor(node, "door", Node::Door(Peer::Door(Door::new(mates.front))));
}
