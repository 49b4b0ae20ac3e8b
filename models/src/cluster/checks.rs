//! The promises of the model, as checks over a world. Those that are about clients are those of clients.

use seedbed_sim::check::{Always, Checked, Decided, Eventually, Finally};
use seedbed_sim::id::{ActorId, NodeId};
use seedbed_sim::nemesis::Config;
use seedbed_sim::time::Span;
use seedbed_sim::world::{Step, World};

use crate::checkpoint::op::CheckpointId;
use crate::client::checks as client;
use crate::client::judge::Sight;
use crate::client::model::Peer;
use crate::client::op::Server;
use crate::tap::checks::{self as streams, cursors_of};
use crate::tap::settings as tap;
use crate::vbucket::memory::seconds;
use crate::vbucket::op::{State, Vb};
use crate::vbucket::table::Table;
use crate::vbucket::vb::Vbucket;

use super::judge::Ghost;
use super::judge::streams::{filtered, not_held_up, window_kept};
use super::map::Chain;
use super::model::Node;
use super::note::Note;
use super::orchestrator::Orchestrator;
use super::reference::Counts;

/// OWN: who serves.
pub const OWNS: &str =
    "a node acknowledges nothing for a vbucket that the map it knows gives to another";
/// OWN: what they serve by.
pub const ONE_MAP: &str = "there is one map of an epoch";
/// OWN: what the new owner has.
pub const MOVES_COMPLETELY: &str =
    "who takes a vbucket over has everything that its owner acknowledged";
/// Of rebalance.
pub const PLACED: &str = "after a rebalance every vbucket and every replica is in its place";
/// OWN: cursors.
pub const CURSORS_BELONG: &str = "every cursor belongs to a stream that is connected or kept alive";
/// LIVE of rebalance.
pub const ENDS: &str = "every rebalance comes to an end";
/// LIVE of nodes.
pub const SETTLES: &str = "every node comes to be what the map says";
/// CONV.
pub const FOLLOWED: &str = "every replica comes to be what its master is";
/// Of the comparison of replicas.
pub const REPLICATED: &str =
    "a verification of replicas finds no difference where nothing is on its way";
/// Of counts, under load.
pub const COUNTED: &str = "what is counted while nothing changes is what clients have stored, and as much in each replica";
/// Of counts.
pub const COUNTS: &str =
    "nodes come to count every item once, and once in each replica, and on disk";

/// Promises after every step. The first one takes in what the step says.
pub const ALWAYS: &[Always<Node>] = &[
    Always {
        name: OWNS,
        check: |world, ghost, step| {
            ghost.observe(world, step);
            ghost.verdict(OWNS)
        },
    },
    Always { name: ONE_MAP, check: |_, ghost, _| ghost.verdict(ONE_MAP) },
    Always { name: MOVES_COMPLETELY, check: |_, ghost, _| ghost.verdict(MOVES_COMPLETELY) },
    Always { name: PLACED, check: |_, ghost, _| ghost.verdict(PLACED) },
    Always { name: REPLICATED, check: |_, ghost, _| ghost.verdict(REPLICATED) },
    Always { name: COUNTED, check: |_, ghost, _| ghost.verdict(COUNTED) },
    Always { name: CURSORS_BELONG, check: cursors_belong },
    Always { name: streams::FILTERED, check: |world, _, step| filtered(world, step) },
    Always { name: streams::WINDOW_KEPT, check: |world, _, step| window_kept(world, step) },
    Always { name: streams::NOT_HELD_UP, check: |world, _, step| not_held_up(world, step) },
    Always { name: streams::KEPT_ALIVE, check: |_, ghost, _| ghost.verdict(streams::KEPT_ALIVE) },
    Always { name: client::VERIFIED, check: |_, ghost, _| ghost.clients.verdict(client::VERIFIED) },
    Always { name: client::CONTAINS, check: |_, ghost, _| ghost.clients.verdict(client::CONTAINS) },
    Always { name: client::VERDICTS, check: |_, ghost, _| ghost.clients.verdict(client::VERDICTS) },
    Always {
        name: client::ONLY_READS,
        check: |_, ghost, _| ghost.clients.verdict(client::ONLY_READS),
    },
    Always { name: client::ABSENT, check: |_, ghost, _| ghost.clients.verdict(client::ABSENT) },
    Always { name: client::UNLOCKED, check: |_, ghost, _| ghost.clients.verdict(client::UNLOCKED) },
    Always {
        name: client::CONNECTED,
        check: |_, ghost, _| ghost.clients.verdict(client::CONNECTED),
    },
    Always {
        name: client::REBALANCES,
        check: |_, ghost, _| ghost.clients.verdict(client::REBALANCES),
    },
];

/// Promises that come true once the trouble has ended.
pub const EVENTUALLY: &[Eventually<Node>] = &[
    Eventually { name: client::TASKS_END, check: tasks_end, bound: settled },
    Eventually { name: ENDS, check: ends, bound: settled },
    Eventually { name: SETTLES, check: settles, bound: settled },
    Eventually { name: FOLLOWED, check: followed, bound: settled },
    Eventually { name: COUNTS, check: counts, bound: settled },
];

/// Promises about the whole run.
pub const FINALLY: &[Finally<Node>] =
    &[Finally { name: client::LINEARIZABLE, check: linearizable }];

fn linearizable(world: &World<Node>, ghost: &Ghost, _: &Config) -> Decided {
    client::is_linearizable(&ghost.clients, world.is_sure())
}

/// Looked at whenever something has become of the map: all that leaves a cursor behind leaves it for good.
fn cursors_belong(world: &World<Node>, _: &mut Ghost, step: &Step) -> Checked {
    if !world.notes().iter().any(|note| matches!(note, Note::Learned(..) | Note::Published(..))) {
        return Checked::Skipped;
    }
    let Some(node) = step.node.filter(|node| is_loaded(world, *node)) else {
        return Checked::Skipped;
    };
    cursors_of(&world.shared(node).tap)
}

pub(super) fn is_loaded(world: &World<Node>, node: NodeId) -> bool {
    world.is_up(node) && world.shared(node).tap.data.is_loaded
}

fn tasks_end(world: &World<Node>, _: &Ghost) -> Result<(), String> {
    let is_busy = |actor: &Node| match actor {
        Node::Client(Peer::Manager(manager)) => !manager.is_idle(),
        _ => false,
    };
    if world.actors().iter().any(is_busy) { Err("a task goes on".into()) } else { Ok(()) }
}

pub(super) fn orchestrator(world: &World<Node>) -> Option<&Orchestrator> {
    world.actors().iter().find_map(|actor| match actor {
        Node::Orchestrator(orchestrator) => Some(orchestrator),
        _ => None,
    })
}

fn ends(world: &World<Node>, _: &Ghost) -> Result<(), String> {
    match orchestrator(world) {
        Some(orchestrator) if !orchestrator.is_at_rest() => Err("something goes on".into()),
        _ => Ok(()),
    }
}

/// How a vbucket stands on a node that is there.
pub(super) fn vbucket(world: &World<Node>, server: Server, vb: Vb) -> Option<&Vbucket> {
    let node = NodeId(server.0.into());
    world.shared(node).tap.data.vbs.get(&vb).filter(|_| is_loaded(world, node))
}

/// Every vbucket, and who has it.
fn chains(world: &World<Node>) -> impl Iterator<Item = (Vb, Chain)> {
    let chains = orchestrator(world).map_or(&[][..], Orchestrator::chains);
    (0..).map(Vb).zip(chains.iter().copied())
}

fn settles(world: &World<Node>, _: &Ghost) -> Result<(), String> {
    let Some(orchestrator) = orchestrator(world) else { return Ok(()) };
    let mut servers = Vec::new();
    for (number, actor) in (0..).zip(world.actors()) {
        if let Node::Agent(agent) = actor {
            servers.push(agent.server());
        }
        if let Node::Agent(agent) = actor
            && agent.epoch() != orchestrator.epoch()
        {
            let home = world.home(ActorId(number)).0;
            return Err(format!("n{home} is of epoch {}", agent.epoch()));
        }
    }
    for (vb, chain) in chains(world) {
        let is = |server, state| {
            let vbucket = vbucket(world, server, vb);
            vbucket.is_some_and(|vbucket| {
                let is_filled = vbucket.log.open_id() != CheckpointId::BACKFILL;
                vbucket.standing.state == state && (is_filled || state == State::Active)
            })
        };
        if !is(chain.master, State::Active) {
            return Err(format!("{vb} is not active on {}", chain.master));
        }
        if let Some(replica) = chain.followers().find(|server| !is(*server, State::Replica)) {
            return Err(format!("{vb} is no replica on {replica}"));
        }
        let mut others = servers.iter().filter(|server| **server != chain.master);
        if let Some(other) = others.find(|server| is(**server, State::Active)) {
            return Err(format!("{vb} is active on {other}, too"));
        }
    }
    Ok(())
}

fn followed(world: &World<Node>, _: &Ghost) -> Result<(), String> {
    for (vb, chain) in chains(world) {
        let master = vbucket(world, chain.master, vb);
        for server in chain.followers() {
            match (master, vbucket(world, server, vb)) {
                (Some(master), Some(replica)) if is_same(&master.table, &replica.table) => {}
                _ => return Err(format!("{vb} on {server} is not what it is on {}", chain.master)),
            }
        }
    }
    Ok(())
}

/// Whether two copies hold the same. A value may be on disk only.
fn is_same(one: &Table, other: &Table) -> bool {
    let mut others = other.iter();
    let all = one.iter().all(|(key, entry)| {
        others.next().is_some_and(|(of, held)| {
            let is_value =
                entry.value.is_none() || held.value.is_none() || entry.value == held.value;
            let meta = |of: &crate::vbucket::table::Entry| (of.cas, of.flags, of.until);
            key == of && is_value && meta(entry) == meta(held)
        })
    });
    all && others.next().is_none()
}

fn counts(world: &World<Node>, ghost: &Ghost) -> Result<(), String> {
    let mut counts = Counts::default();
    let mut replicas = None;
    for (vb, chain) in chains(world) {
        let count = |server| vbucket(world, server, vb).map_or(0, |of| of.counters.items);
        let queued = |server| vbucket(world, server, vb).map_or(0, Vbucket::queue_size);
        counts.active += count(chain.master);
        counts.queued += queued(chain.master);
        for server in chain.followers() {
            counts.replica += count(server);
            counts.queued += queued(server);
        }
        let many = chain.followers().count();
        // After a failover a vbucket may have fewer than others, until there is a rebalance.
        let items = count(chain.master);
        if items > 0 && *replicas.get_or_insert(many) != many {
            return each(world);
        }
    }
    let many = u64::try_from(replicas.unwrap_or_default()).unwrap_or_default();
    match counts.wrong(counts.active, many) {
        Some(detail) => Err(detail),
        None => items(counts.active, ghost, seconds(world.now())),
    }
}

/// The same, vbucket by vbucket.
fn each(world: &World<Node>) -> Result<(), String> {
    for (vb, chain) in chains(world) {
        let of = |server| vbucket(world, server, vb);
        let items = of(chain.master).map_or(0, |of| of.counters.items);
        for server in chain.followers().chain([chain.master]) {
            let is_right =
                of(server).is_some_and(|of| of.counters.items == items && of.queue_size() == 0);
            if !is_right {
                return Err(format!("{vb} on {server} does not count {items}"));
            }
        }
    }
    Ok(())
}

/// Whether that is as many as clients have stored, as far as anybody can say.
fn items(counted: u64, ghost: &Ghost, second: u64) -> Result<(), String> {
    let (least, most) = ghost.clients.items(second);
    let (least, most) = (least as u64, most as u64);
    if (least..=most).contains(&counted) {
        return Ok(());
    }
    Err(format!("{counted} items are counted, there are {least} to {most}"))
}

/// How long it may take after the trouble: what is on its way may have to fail first, connections are found dead, streams
/// are filled anew and wait after rejections.
fn settled(config: &Config) -> Span {
    let ms = |name| Span::ms(config.get(name));
    let silence = ms(tap::NOOP.name).times(3);
    let backoff = ms(tap::BACKOFF.name).times(15);
    let grace = ms(tap::GRACE.name);
    let idle = ms(tap::IDLE.name).times(3);
    silence + backoff + grace + idle + Span::secs(30)
}
