//! The promises of the model, as checks over a world.

use seedbed_sim::actor::{HistoryEvent, Outcome};
use seedbed_sim::check::{Always, Checked, Decided, Eventually, Finally};
use seedbed_sim::id::NodeId;
use seedbed_sim::nemesis::Config;
use seedbed_sim::time::Span;
use seedbed_sim::world::{Step, World};

use crate::checkpoint::op::CursorName;
use crate::vbucket::op::{Key, State, Vb};
use crate::vbucket::settings as data;
use crate::vbucket::table::Table;

use super::frame::Name;
use super::judge::Ghost;
use super::model::Node;
use super::orchestrator::Orchestrator;
use super::receiver::Link;
use super::settings;
use super::shared::Shared;

/// META: what a client is told.
pub const ANSWERS: &str = "an answer is what the vbucket of the reference model answers";
/// The same, at the client.
pub const TOLD: &str = "a client is told what a node has answered";
/// OWN: who serves.
pub const ONE_OWNER: &str = "a vbucket never has two owners";
/// OWN: what the new owner has.
pub const MOVES_COMPLETELY: &str =
    "who takes a vbucket over has everything that its owner acknowledged";
/// SNAP: what a replica is at the end of a checkpoint.
pub const SNAPSHOT: &str = "at the end of a checkpoint a replica is what the node before it was";
/// ONCE: what is answered is not overwritten by something older.
pub const STAYS_ANSWERED: &str =
    "a replica never takes in an older version than one that it has answered";
/// Keep-alive.
pub const KEPT_ALIVE: &str = "a stream that comes back in time is remembered";
/// MEM: cursors.
pub const CURSORS_BELONG: &str = "every cursor belongs to a stream that is connected or kept alive";
/// Filters.
pub const FILTERED: &str = "nothing waits to be sent of a vbucket that is not in the filter";
/// The window.
pub const WINDOW_KEPT: &str = "no more is without an answer than the window allows";
/// LIVE of a takeover: the moment without an owner is short.
pub const NOT_HELD_UP: &str = "a stream whose vbucket is dead is not suspended";
/// DEL: what is gone goes.
pub const DELETED_GO: &str = "what is gone comes to be gone everywhere";
/// CONV: what a replica comes to be.
pub const REPLICATED: &str = "a replica comes to be what the node before it is";
/// LIVE of streams.
pub const STREAMS_GO_ON: &str = "what waits to be sent comes to be answered";
/// LIVE of takeovers.
pub const ARRIVES: &str = "a vbucket that moves arrives";
/// DUR: everything comes to disk, also what a backfill brought.
pub const COMES_TO_DISK: &str = "what was changed comes to be on disk";

/// Promises after every step. The first one takes in what the step says.
pub const ALWAYS: &[Always<Node>] = &[
    Always {
        name: ANSWERS,
        check: |world, ghost, step| {
            ghost.observe(world, step);
            ghost.verdict(ANSWERS)
        },
    },
    Always { name: SNAPSHOT, check: |_, ghost, _| ghost.verdict(SNAPSHOT) },
    Always { name: STAYS_ANSWERED, check: |_, ghost, _| ghost.verdict(STAYS_ANSWERED) },
    Always { name: KEPT_ALIVE, check: |_, ghost, _| ghost.verdict(KEPT_ALIVE) },
    Always { name: CURSORS_BELONG, check: cursors_belong },
    Always { name: FILTERED, check: filtered },
    Always { name: WINDOW_KEPT, check: window_kept },
];

/// The same where vbuckets move.
pub const ALWAYS_MOVING: &[Always<Node>] = &[
    Always {
        name: ANSWERS,
        check: |world, ghost, step| {
            ghost.observe(world, step);
            ghost.verdict(ANSWERS)
        },
    },
    Always { name: ONE_OWNER, check: |_, ghost, _| ghost.verdict(ONE_OWNER) },
    Always { name: MOVES_COMPLETELY, check: |_, ghost, _| ghost.verdict(MOVES_COMPLETELY) },
    Always { name: SNAPSHOT, check: |_, ghost, _| ghost.verdict(SNAPSHOT) },
    Always { name: STAYS_ANSWERED, check: |_, ghost, _| ghost.verdict(STAYS_ANSWERED) },
    Always { name: KEPT_ALIVE, check: |_, ghost, _| ghost.verdict(KEPT_ALIVE) },
    Always { name: CURSORS_BELONG, check: cursors_belong },
    Always { name: FILTERED, check: filtered },
    Always { name: WINDOW_KEPT, check: window_kept },
    Always { name: NOT_HELD_UP, check: not_held_up },
];

/// Promises that come true once the trouble has ended.
pub const EVENTUALLY: &[Eventually<Node>] = &[
    Eventually { name: DELETED_GO, check: deleted_go, bound: settled },
    Eventually { name: REPLICATED, check: replicated, bound: settled },
    Eventually { name: STREAMS_GO_ON, check: streams_go_on, bound: settled },
    Eventually { name: COMES_TO_DISK, check: comes_to_disk, bound: settled },
];

/// Those, and that vbuckets arrive.
pub const EVENTUALLY_MOVING: &[Eventually<Node>] = &[
    Eventually { name: ARRIVES, check: arrives, bound: settled },
    Eventually { name: DELETED_GO, check: deleted_go, bound: settled },
    Eventually { name: REPLICATED, check: replicated, bound: settled },
    Eventually { name: STREAMS_GO_ON, check: streams_go_on, bound: settled },
    Eventually { name: COMES_TO_DISK, check: comes_to_disk, bound: settled },
];

/// Promises about the whole run.
pub const FINALLY: &[Finally<Node>] = &[Finally { name: TOLD, check: told }];

/// The node that a step was about, if it is there.
fn node_of(world: &World<Node>, step: &Step) -> Option<NodeId> {
    step.node.filter(|node| world.is_up(*node) && world.shared(*node).data.is_loaded)
}

/// So late a node may forget a stream. One that has stood still does so when it goes on, and what was due before comes first.
const FORGETS_LATE: Span = Span::secs(1);

fn cursors_belong(world: &World<Node>, ghost: &mut Ghost, step: &Step) -> Checked {
    let Some(node) = node_of(world, step) else { return Checked::Skipped };
    let tap = &world.shared(node).tap;
    for (name, producer) in tap.producers.iter().filter(|(_, of)| of.lost_at.is_some()) {
        let Some(away) = ghost.away.since((node, world.incarnation(node)), *name, step.at) else {
            continue;
        };
        // From the first step on, so that it is known by the time.
        let at_work = ghost.away.at_work(node, step.at, FORGETS_LATE);
        let is_late = away > tap.settings.keep_alive + FORGETS_LATE && at_work > FORGETS_LATE;
        if is_late && !producer.streams().is_empty() {
            let detail = format!("{name} is away for {away} of {}", tap.settings.keep_alive);
            return Checked::Broken("not forgotten", detail);
        }
    }
    cursors_of(world.shared(node))
}

/// Whether every cursor of a node belongs to a stream that it knows.
pub(crate) fn cursors_of(shared: &Shared) -> Checked {
    let mut checked = Checked::Skipped;
    for (vb, vbucket) in &shared.data.vbs {
        for cursor in vbucket.log.cursors() {
            let CursorName::Named(number) = cursor.name() else { continue };
            checked = Checked::Held;
            let producer = shared.tap.producers.get(&Name(number));
            if producer.is_none_or(|producer| !producer.streams().contains_key(vb)) {
                let detail = format!("{vb} has a cursor of s{number}");
                return Checked::Broken("left behind", detail);
            }
        }
    }
    checked
}

fn filtered(world: &World<Node>, _: &mut Ghost, step: &Step) -> Checked {
    let Some(node) = node_of(world, step) else { return Checked::Skipped };
    let mut checked = Checked::Skipped;
    for (name, producer) in &world.shared(node).tap.producers {
        for vb in producer.queued() {
            checked = Checked::Held;
            if !producer.streams().contains_key(&vb) {
                return Checked::Broken("outside", format!("{name} has something of {vb}"));
            }
        }
    }
    checked
}

fn window_kept(world: &World<Node>, _: &mut Ghost, step: &Step) -> Checked {
    let Some(node) = node_of(world, step) else { return Checked::Skipped };
    let tap = &world.shared(node).tap;
    let mut checked = Checked::Skipped;
    for (name, producer) in &tap.producers {
        checked = Checked::Held;
        let unanswered = producer.unanswered();
        if unanswered > tap.settings.window as usize {
            let detail = format!("{name} has {unanswered} of {}", tap.settings.window);
            return Checked::Broken("too many", detail);
        }
    }
    checked
}

fn not_held_up(world: &World<Node>, _: &mut Ghost, step: &Step) -> Checked {
    let Some(node) = node_of(world, step) else { return Checked::Skipped };
    let mut checked = Checked::Skipped;
    for (name, producer) in &world.shared(node).tap.producers {
        if producer.is_copying() {
            continue;
        }
        checked = Checked::Held;
        if producer.is_suspended() {
            return Checked::Broken("suspended", format!("{name} waits after a rejection"));
        }
    }
    checked
}

/// Every stream that is to be followed: its name, the nodes, and what follows.
fn links(world: &World<Node>) -> impl Iterator<Item = (Name, NodeId, NodeId, &Link)> {
    let actors = (0..).map(seedbed_sim::id::ActorId).zip(world.actors());
    let receivers = actors.filter_map(|(id, actor)| match actor {
        Node::Receiver(receiver) => Some((id, receiver)),
        _ => None,
    });
    receivers.flat_map(move |(id, receiver)| {
        receiver
            .links()
            .iter()
            .map(move |(name, link)| (*name, world.home(link.sender()), world.home(id), link))
    })
}

/// Compares what follows with what it follows, key by key. What is in the midst of an online update is left out.
fn compare(
    world: &World<Node>,
    differs: impl Fn(&Table, &Table) -> Option<String>,
) -> Result<(), String> {
    if !world.all_up() {
        return Err("a node is away".into());
    }
    for (name, from, to, link) in links(world).filter(|(_, _, _, link)| !link.is_takeover()) {
        for vb in link.vbs() {
            let before = world.shared(from).data.vbs.get(vb);
            let after = world.shared(to).data.vbs.get(vb);
            let Some(before) = before else { continue };
            if is_in_window(world, *vb) {
                continue;
            }
            let Some(after) = after else { return Err(format!("{name}: {vb} is not there")) };
            if after.standing.state == State::Active {
                continue;
            }
            if let Some(detail) = differs(&before.table, &after.table) {
                return Err(format!("{name}: {vb} {detail}"));
            }
        }
    }
    Ok(())
}

/// Whether an online update of a vbucket is open where it is active. Elsewhere it ends with that.
fn is_in_window(world: &World<Node>, vb: Vb) -> bool {
    nodes(world).any(|(_, shared)| {
        let vbucket = shared.data.vbs.get(&vb);
        vbucket.is_some_and(|vbucket| {
            vbucket.standing.state == State::Active && vbucket.log.window().is_some()
        })
    })
}

/// Whether a node follows a vbucket.
fn is_followed(world: &World<Node>, node: NodeId, vb: Vb) -> bool {
    links(world).any(|(_, _, to, link)| to == node && link.vbs().contains(&vb))
}

fn deleted_go(world: &World<Node>, _: &Ghost) -> Result<(), String> {
    compare(world, |before, after| {
        let left = after.iter().find(|(key, _)| before.entry(*key).is_none());
        left.map(|(key, entry)| format!("{key} @{} should be gone", entry.cas))
    })
}

fn replicated(world: &World<Node>, _: &Ghost) -> Result<(), String> {
    compare(world, |before, after| {
        before.iter().find_map(|(key, entry)| {
            let Some(held) = after.entry(key) else {
                return Some(format!("{key} @{} is not there", entry.cas));
            };
            let value = entry.value.is_none() || held.value.is_none() || entry.value == held.value;
            let is_same = value
                && (entry.flags, entry.until, entry.cas) == (held.flags, held.until, held.cas);
            (!is_same).then(|| format!("{key} is @{}, not @{}", held.cas, entry.cas))
        })
    })
}

fn streams_go_on(world: &World<Node>, _: &Ghost) -> Result<(), String> {
    for (name, from, to, link) in links(world) {
        if link.vbs().iter().any(|vb| is_in_window(world, *vb)) {
            continue;
        }
        let is_wanted = |vb: &Vb| {
            let vbucket = world.shared(to).data.vbs.get(vb);
            vbucket.is_none_or(|vbucket| vbucket.standing.state != State::Active)
        };
        if !link.vbs().iter().any(is_wanted) {
            continue;
        }
        match world.shared(from).tap.producers.get(&name) {
            Some(producer) if producer.lost_at.is_some() => {
                return Err(format!("{name} is not connected"));
            }
            Some(producer) if producer.has_data_left() => {
                return Err(format!("{name} has something to send"));
            }
            Some(_) => {}
            None => return Err(format!("{name} is not known")),
        }
    }
    Ok(())
}

fn orchestrator(world: &World<Node>) -> Option<&Orchestrator> {
    world.actors().iter().find_map(|actor| match actor {
        Node::Orchestrator(orchestrator) => Some(orchestrator),
        _ => None,
    })
}

fn arrives(world: &World<Node>, _: &Ghost) -> Result<(), String> {
    let Some(orchestrator) = orchestrator(world) else { return Ok(()) };
    let on_its_way = orchestrator.on_their_way().find(|vb| !is_in_window(world, *vb));
    on_its_way.map_or(Ok(()), |vb| Err(format!("{vb} is on its way")))
}

fn comes_to_disk(world: &World<Node>, _: &Ghost) -> Result<(), String> {
    if !world.all_up() {
        return Err("a node is away".into());
    }
    for (node, shared) in nodes(world) {
        for (vb, vbucket) in &shared.data.vbs {
            let is_open = is_in_window(world, *vb) || !is_followed(world, node, *vb);
            if vbucket.log.window().is_some() && is_open {
                continue;
            }
            if vbucket.queue_size() > 0 {
                let left = vbucket.queue_size();
                return Err(format!("{vb} of n{} has {left} changes to write", node.0));
            }
            let mut entries = vbucket.table.iter();
            if let Some((key, _)) = entries.find(|(_, entry)| entry.dirty) {
                return Err(format!("{vb} of n{}: {key} is not on disk", node.0));
            }
        }
    }
    Ok(())
}

/// The data nodes.
fn nodes(world: &World<Node>) -> impl Iterator<Item = (NodeId, &Shared)> {
    let actors = (0..).map(seedbed_sim::id::ActorId).zip(world.actors());
    actors.filter_map(|(id, actor)| match actor {
        Node::Sender(_) => Some((world.home(id), world.shared(world.home(id)))),
        _ => None,
    })
}

/// How long it may take after the trouble: connections are found dead, streams are filled anew and wait after rejections.
fn settled(config: &Config) -> Span {
    let ms = |name| Span::ms(config.get(name));
    let period = Span::secs(config.get(data::PERIOD.name));
    let silence = ms(settings::NOOP.name).times(3);
    let backoff = ms(settings::BACKOFF.name).times(15);
    let grace = ms(settings::GRACE.name);
    let idle = ms(settings::IDLE.name).times(3);
    let flush = ms(data::FLUSH_DELAY.name).times(8);
    let answers = settings::ack_delay(config).times(20) + ms(settings::DOZE.name).times(10);
    period + silence + backoff + grace + idle + flush + answers + Span::secs(15)
}

fn told(world: &World<Node>, ghost: &Ghost, _: &Config) -> Decided {
    let mut checked = Checked::Skipped;
    for event in &world.history().events {
        if let HistoryEvent::Completed { op, outcome: Outcome::Ok(answer), .. } = event {
            if matches!(world.actor(op.client), Node::Orchestrator(_)) {
                continue;
            }
            checked = Checked::Held;
            let given = ghost.answers(*op);
            if !given.contains(answer) {
                let detail = format!("#{} was told `{answer}`", op.number);
                return Ok(Checked::Broken("another answer", detail));
            }
        }
    }
    Ok(checked)
}

/// How two lists of versions differ.
pub(super) fn difference(held: &[(Key, u64)], wanted: &[(Key, u64)]) -> Option<String> {
    let say = |versions: &[(Key, u64)]| {
        let versions: Vec<String> =
            versions.iter().map(|(key, cas)| format!("{key} @{cas}")).collect();
        if versions.is_empty() { "nothing".to_string() } else { versions.join(", ") }
    };
    (held != wanted).then(|| format!("has {}, should have {}", say(held), say(wanted)))
}
