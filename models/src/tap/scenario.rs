//! The scenarios: who is there, what clients do, and what must be survived.

use seedbed_sim::check::{ModelSite, Scenario};
use seedbed_sim::choose::{Odds, Site};
use seedbed_sim::fault::{Kind, KindSet};
use seedbed_sim::id::{ActorId, NodeId};
use seedbed_sim::nemesis::{Budget, Config, Knob, Run};
use seedbed_sim::time::Span;
use seedbed_sim::world::Topology;

use crate::vbucket::flusher::REJECT;
use crate::vbucket::loader::Loader;
use crate::vbucket::mark::FRAME_WAITED;
use crate::vbucket::model::Mates;
use crate::vbucket::op::{Key, State, Vb};
use crate::vbucket::scenario::{DEATHS, DELAYS, SCHEDULES, STREAMS, actors};
use crate::vbucket::settings as data;

use super::client::Client;
use super::filler::Filler;
use super::frame::Name;
use super::model::{Node, Post};
use super::notifier::Notifier;
use super::op::VBUCKETS_MAX;
use super::orchestrator::{Orchestrator, Plan};
use super::receiver::{Receiver, THROTTLE};
use super::sender::Sender;
use super::settings::{self, Settings};
use super::workload::{self, Crowd, Mix};
use super::{bugs, checks, mark, point};

const CLIENTS: Knob = Knob { name: "clients", min: 2, max: 3, simplest: 2, about: "clients" };
const KEYS: Knob =
    Knob { name: "keys", min: 3, max: Key::FEW as u64, simplest: 3, about: "keys in use" };
const SECTOR: Knob =
    Knob { name: "sector", min: 16, max: 64, simplest: 64, about: "bytes of a disk sector" };

const THINK: Knob = Knob {
    name: "think",
    min: 4,
    max: 300,
    simplest: 200,
    about: "milliseconds between two operations of a client",
};

/// A stream takes an item of each vbucket in turn, so that there are more of them than where data nodes are alone.
const VBUCKETS: Knob = Knob { max: VBUCKETS_MAX as u64, ..data::VBUCKETS };

const OWN: [Knob; 5] = [CLIENTS, KEYS, SECTOR, THINK, VBUCKETS];
/// The first knob of a data node is the number of its vbuckets.
const OF_DATA: usize = data::KNOBS.len() - 1;
const ALL_KNOBS: [Knob; OWN.len() + OF_DATA + settings::KNOBS.len()] = {
    let mut all = [CLIENTS; OWN.len() + OF_DATA + settings::KNOBS.len()];
    let mut at = 0;
    while at < all.len() {
        all[at] = if at < OWN.len() {
            OWN[at]
        } else if at < OWN.len() + OF_DATA {
            data::KNOBS[at - OWN.len() + 1]
        } else {
            settings::KNOBS[at - OWN.len() - OF_DATA]
        };
        at += 1;
    }
    all
};

const SITES: &[ModelSite] = &[
    ModelSite { site: &REJECT, odds: Odds::new(&[9, 1]) },
    ModelSite { site: &THROTTLE, odds: Odds::new(&[6, 1]) },
];
const SITE_LIST: &[&Site] = &[&REJECT, &THROTTLE];

/// A master and a replica that follows it: lost connections, rejections, backfills, filters that change, online updates.
#[must_use]
pub const fn replica() -> Scenario<Node> {
    Scenario {
        name: "tap/replica",
        about: "a replica that follows its master: rejections, lost connections, backfills, filters, online updates",
        topology: |config| topology(config, 2),
        workload: |config, draw| {
            let mix = Mix {
                get: 6,
                store: 50,
                delete: 14,
                update: 10,
                persist: 2,
                flush: 2,
                filter: 8,
                transfer: 0,
                reconnect: 8,
            };
            workload::draw(mix, crowd(config, 2), draw)
        },
        marks: &[
            mark::REJECTED,
            mark::PULLED_BACK,
            mark::END_WAITED,
            mark::WRAPPED,
            mark::WINDOW_FULL,
            mark::WENT_ON,
            mark::ROLLED_BACK,
            mark::BACK_IN_BACKFILL,
            mark::FORGOTTEN,
            mark::FILLED_FROM_DISK,
            mark::CHANGED_IN_BACKFILL,
            mark::BACKFILL_ENDED_EARLY,
            mark::NOOP,
            mark::HUNG_UP,
            mark::FILTER_CHANGED,
            mark::STEPPED,
            mark::STEP_AGAIN,
            mark::MERGED,
            mark::NOTIFIED_AWAKE,
            FRAME_WAITED,
        ],
        ..BASE
    }
}

/// Three nodes in a row.
#[must_use]
pub const fn chain() -> Scenario<Node> {
    Scenario {
        name: "tap/chain",
        about: "three nodes in a row: the middle one is filled and fills the next",
        topology: |config| topology(config, 3),
        workload: |config, draw| {
            let mix = Mix {
                get: 4,
                store: 54,
                delete: 18,
                update: 6,
                persist: 2,
                flush: 2,
                filter: 0,
                transfer: 0,
                reconnect: 6,
            };
            workload::draw(mix, crowd(config, 3), draw)
        },
        marks: &[
            mark::REJECTED,
            mark::PULLED_BACK,
            mark::END_WAITED,
            mark::WRAPPED,
            mark::WENT_ON,
            mark::FORGOTTEN,
            mark::CHANGED_IN_BACKFILL,
            mark::NOOP,
            mark::STEPPED,
            mark::MERGED,
            mark::WAITED_FOR_UPSTREAM,
            mark::NOTIFIED_AWAKE,
        ],
        bugs: bugs::WITH_CHAINS,
        ..BASE
    }
}

/// Two nodes between which vbuckets move.
#[must_use]
pub const fn takeover() -> Scenario<Node> {
    Scenario {
        name: "tap/takeover",
        about: "vbuckets move from node to node and back while they are written",
        topology: moving,
        workload: |config, draw| {
            let mix = Mix {
                get: 12,
                store: 54,
                delete: 14,
                update: 2,
                persist: 2,
                flush: 2,
                filter: 0,
                transfer: 16,
                reconnect: 6,
            };
            workload::draw(mix, Crowd { streams: 2, moves: true, ..crowd(config, 2) }, draw)
        },
        always: checks::ALWAYS_MOVING,
        eventually: checks::EVENTUALLY_MOVING,
        marks: &[
            mark::REJECTED,
            mark::WENT_ON,
            mark::ROLLED_BACK,
            mark::WRAPPED,
            mark::WRITTEN_WHILE_MOVING,
            mark::DRAINED_DEAD,
            mark::MOVED,
        ],
        bugs: bugs::WITH_TAKEOVERS,
        ..BASE
    }
}

const BASE: Scenario<Node> = Scenario {
    name: "",
    about: "",
    knobs: &ALL_KNOBS,
    tune,
    budget: |_| budget(),
    topology: |_| empty(),
    workload: |_, _| Vec::new(),
    read_back: |config| workload::read_back(config.count(KEYS.name)),
    always: checks::ALWAYS,
    eventually: checks::EVENTUALLY,
    finally: checks::FINALLY,
    marks: &[],
    points: point::ALL,
    bugs: bugs::WITH_UPDATES,
    sites: SITES,
    site_list: SITE_LIST,
};

fn empty() -> Topology<Node> {
    Topology::default()
}

/// What happens: to messages of clients, to connections, to the order of things, to processes, to disks.
const KINDS: KindSet = KindSet::of(&[Kind::Drop, Kind::Reorder, Kind::Delay, Kind::Kept])
    .and(STREAMS)
    .and(SCHEDULES)
    .and(DELAYS)
    .and(DEATHS);

/// One node may be away at a time, and nothing that is durable may be damaged.
const fn budget() -> Budget {
    Budget { kinds: KINDS, down_max: 1, fragile_max: 0, faults_max: 8 }
}

/// Times to live are whole seconds, so a run takes longer than others, and clients take their time.
fn tune(config: &Config, run: &mut Run) {
    run.sector = u32::try_from(config.get(SECTOR.name)).expect("a sector is small");
    run.think = Span::ms(config.get(THINK.name));
    run.calm = Span::ms(600);
    run.horizon = Span::secs(12);
    run.quiet = Span::ms(500);
    run.restart = Span::ms(200);
    run.grace = Span::secs(4);
}

fn crowd(config: &Config, nodes: u64) -> Crowd {
    Crowd {
        clients: config.get(CLIENTS.name),
        keys: config.count(KEYS.name),
        vbuckets: config.get(data::VBUCKETS.name),
        nodes,
        streams: u8::try_from(nodes - 1).expect("a few nodes"),
        moves: false,
    }
}

/// Actors of a node.
const ACTORS: u16 = 12;

/// The actors of a node from this number on. They are numbered in the order in which they are added.
pub(crate) fn post(first: u16) -> Post {
    let at = |role: u16| ActorId(first + role);
    Post {
        data: Mates {
            front: at(0),
            loader: at(1),
            flusher: at(2),
            keeper: at(3),
            remover: at(4),
            pager: at(5),
            fetcher: at(6),
            reverter: at(7),
        },
        sender: at(8),
        filler: at(9),
        notifier: at(10),
        receiver: at(11),
    }
}

/// Nodes in a row, each of which follows the one before it.
fn topology(config: &Config, nodes: u8) -> Topology<Node> {
    let settings = data::Settings::of(config);
    let vbs: Vec<Vb> = (0..settings.vbuckets).map(Vb).collect();
    let plans =
        (1..nodes).map(|to| Plan { name: Name(to), from: to - 1, to, vbs: Some(vbs.clone()) });
    build(config, nodes, plans.collect())
}

/// Two nodes, each of which follows the other as far as that owns something.
fn moving(config: &Config) -> Topology<Node> {
    let plan = |name, from, to| Plan { name: Name(name), from, to, vbs: None };
    build(config, 2, vec![plan(1, 0, 1), plan(2, 1, 0)])
}

fn build(config: &Config, nodes: u8, plans: Vec<Plan>) -> Topology<Node> {
    let settings = data::Settings::of(config);
    let vbuckets = settings.vbuckets;
    let posts: Vec<Post> = (0..u16::from(nodes)).map(|node| post(node * ACTORS)).collect();
    let mut topology = Topology::default();
    for (number, post) in (0..).zip(&posts) {
        let state = if number == 0 { State::Active } else { State::Replica };
        let node = topology.server("n");
        let nodes = u64::from(nodes);
        let settings = data::Settings { state, nodes, node: number, ..settings };
        add_node(&mut topology, node, *post, (settings, Settings::of(config)));
    }
    for _ in 0..config.get(CLIENTS.name) {
        let node = topology.client("c");
        let fronts = posts.iter().map(|post| post.data.front).collect();
        topology.actor(node, "client", Node::Client(Client::new(fronts, vbuckets)));
    }
    let node = topology.client("m");
    let orchestrator = Orchestrator::new(posts, plans, vbuckets);
    topology.actor(node, "orchestrator", Node::Orchestrator(orchestrator));
    topology
}

fn add_node(
    topology: &mut Topology<Node>,
    node: NodeId,
    post: Post,
    (settings, streams): (data::Settings, Settings),
) {
    let mates = post.data;
    let told = vec![mates.flusher, mates.remover, mates.pager, post.notifier];
    for (role, actor) in actors(mates, Loader::new(settings, told)) {
        topology.actor(node, role, Node::Data(actor, post.notifier));
    }
    topology.actor(node, "sender", Node::Sender(Sender::new(post, streams)));
    topology.actor(node, "filler", Node::Filler(Filler::new(post.sender)));
    topology.actor(node, "notifier", Node::Notifier(Notifier::new(post.sender)));
    topology.actor(node, "receiver", Node::Receiver(Receiver::new(post, streams)));
}
