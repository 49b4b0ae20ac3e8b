//! The promises of the model, as checks over a world.

mod ended;

use std::collections::BTreeSet;

use seedbed_sim::check::{Always, Checked, Eventually, Finally};
use seedbed_sim::fault::Kind;
use seedbed_sim::id::NodeId;
use seedbed_sim::nemesis::Config;
use seedbed_sim::time::Span;
use seedbed_sim::world::{Step, World};

use crate::checkpoint::manager::Manager;

use super::judge::{Broken, Ghost};
use super::loader::DISK_PATIENCE;
use super::master::{Content, Master};
use super::memory::{Memory, Totals, seconds};
use super::model::Node;
use super::op::{Key, State, Vb};
use super::settings;
use super::table::Table;
use ended::{counted, told};

/// META and the heart of CONV: what a client is told.
pub const ANSWERS: &str = "an answer is what the vbucket of the reference model answers";
/// The same, at the client.
pub const TOLD: &str = "a client is told what the node has answered";
/// DUR and DEL: what a crash leaves.
pub const KEEPS: &str = "a crash takes back no more than what was not on disk";
/// BAR: what an online update leaves.
pub const BARRIER: &str = "an online update is on disk as a whole, or not at all";
/// DUR of a checkpoint.
pub const NOT_BEFORE_DISK: &str = "a checkpoint is said to be on disk only when all of it is";
/// EXP: what the pager takes out.
pub const EXPIRED_ONLY: &str = "only what has run out is taken out";
/// States on disk.
pub const STANDINGS_IN_ORDER: &str = "the state of a vbucket on disk never goes back";
/// NOSKIP: what a reader of the log gets.
pub const DELIVERED: &str = "a cursor delivers the last version of every key";
/// ONCE: what the flusher delivers.
pub const ONCE: &str = "a change is written once";
/// SNAP: what a replica is at the end of a checkpoint.
pub const SNAPSHOT: &str = "at the end of a checkpoint a replica is what its master was";
/// CONV: what a replica comes to be.
pub const REPLICATED: &str = "a replica comes to be what its master is";
/// CUR and ID.
pub const CURSORS_STAND: &str = "every cursor stands on an item of a checkpoint that knows it";
/// REM, and all other counters.
pub const COUNTS_AGREE: &str = "what is counted is what is there";
/// The counters of a vbucket.
pub const COUNTED: &str = "keys, evictions and reverts are counted as they came";
/// ID.
pub const IDS_GROW: &str = "checkpoint ids grow, and only the last one is open";
/// LIVE of the flusher.
pub const COMES_TO_DISK: &str = "what was changed comes to be on disk";
/// LIVE of the flusher, and of who has to tell it.
pub const NOT_ASLEEP: &str = "a flusher that has something to do does not sleep";
/// LIVE of clients.
pub const NOBODY_WAITS: &str = "nobody waits for what has come";
/// LIVE of the pager.
pub const EXPIRED_GOES: &str = "what has run out comes to be taken out";
/// MEM.
pub const MEMORY_IS_BOUNDED: &str = "checkpoints and values that nobody needs leave the memory";

/// Promises after every step. The first one takes in what the step says.
pub const ALWAYS: &[Always<Node>] = &[
    Always {
        name: ANSWERS,
        check: |world, ghost, step| {
            ghost.observe(world, step);
            ghost.verdict(ANSWERS)
        },
    },
    Always { name: KEEPS, check: |_, ghost, _| ghost.verdict(KEEPS) },
    Always { name: BARRIER, check: |_, ghost, _| ghost.verdict(BARRIER) },
    Always { name: NOT_BEFORE_DISK, check: |_, ghost, _| ghost.verdict(NOT_BEFORE_DISK) },
    Always { name: EXPIRED_ONLY, check: |_, ghost, _| ghost.verdict(EXPIRED_ONLY) },
    Always { name: STANDINGS_IN_ORDER, check: |_, ghost, _| ghost.verdict(STANDINGS_IN_ORDER) },
    Always { name: DELIVERED, check: |_, ghost, _| ghost.verdict(DELIVERED) },
    Always { name: ONCE, check: |_, ghost, _| ghost.verdict(ONCE) },
    Always { name: CURSORS_STAND, check: cursors_stand },
    Always { name: IDS_GROW, check: ids_grow },
    Always { name: COUNTS_AGREE, check: counts_agree },
    Always { name: NOT_ASLEEP, check: not_asleep },
];

/// Promises that come true once the trouble has ended.
pub const EVENTUALLY: &[Eventually<Node>] = &[
    Eventually { name: COMES_TO_DISK, check: comes_to_disk, bound: settled },
    Eventually { name: NOBODY_WAITS, check: nobody_waits, bound: settled },
    Eventually { name: EXPIRED_GOES, check: expired_goes, bound: settled },
    Eventually { name: MEMORY_IS_BOUNDED, check: memory_is_bounded, bound: settled },
];

/// The same where there is a replica, which nobody reads.
pub const ALWAYS_REPLICA: &[Always<Node>] = &[
    Always {
        name: ANSWERS,
        check: |world, ghost, step| {
            ghost.observe(world, step);
            ghost.verdict(ANSWERS)
        },
    },
    Always { name: SNAPSHOT, check: |_, ghost, _| ghost.verdict(SNAPSHOT) },
    Always { name: KEEPS, check: |_, ghost, _| ghost.verdict(KEEPS) },
    Always { name: BARRIER, check: |_, ghost, _| ghost.verdict(BARRIER) },
    Always { name: NOT_BEFORE_DISK, check: |_, ghost, _| ghost.verdict(NOT_BEFORE_DISK) },
    Always { name: EXPIRED_ONLY, check: |_, ghost, _| ghost.verdict(EXPIRED_ONLY) },
    Always { name: STANDINGS_IN_ORDER, check: |_, ghost, _| ghost.verdict(STANDINGS_IN_ORDER) },
    Always { name: ONCE, check: |_, ghost, _| ghost.verdict(ONCE) },
    Always { name: CURSORS_STAND, check: cursors_stand },
    Always { name: IDS_GROW, check: ids_grow },
    Always { name: COUNTS_AGREE, check: counts_agree },
    Always { name: NOT_ASLEEP, check: not_asleep },
];

/// Those, and that the replica follows.
pub const EVENTUALLY_REPLICA: &[Eventually<Node>] = &[
    Eventually { name: REPLICATED, check: replicated, bound: settled },
    Eventually { name: COMES_TO_DISK, check: comes_to_disk, bound: settled },
    Eventually { name: NOBODY_WAITS, check: nobody_waits, bound: settled },
    Eventually { name: EXPIRED_GOES, check: expired_goes, bound: settled },
    Eventually { name: MEMORY_IS_BOUNDED, check: memory_is_bounded, bound: settled },
];

/// Promises about the whole run.
pub const FINALLY: &[Finally<Node>] =
    &[Finally { name: TOLD, check: told }, Finally { name: COUNTED, check: counted }];

/// What may happen to a clock.
pub(super) const CLOCK_TROUBLE: [Kind; 3] = [Kind::Skew, Kind::Jump, Kind::Drift];

/// The node that is on trial.
pub(super) const NODE: NodeId = NodeId(0);

/// The memory of the node, if the disk has been read.
fn memory(world: &World<Node>) -> Option<&Memory> {
    let memory = world.shared(NODE);
    (memory.is_loaded && world.is_up(NODE)).then_some(memory)
}

fn logs(
    world: &World<Node>,
    step: &Step,
    check: impl Fn(&Manager) -> Result<(), (&'static str, String)>,
) -> Checked {
    let mut checked = Checked::Skipped;
    let Some(memory) = memory(world).filter(|_| step.node == Some(NODE)) else { return checked };
    for (vb, vbucket) in &memory.vbs {
        checked = Checked::Held;
        if let Err((class, detail)) = check(&vbucket.log) {
            return Checked::Broken(class, format!("{vb}: {detail}"));
        }
    }
    checked
}

fn cursors_stand(world: &World<Node>, _: &mut Ghost, step: &Step) -> Checked {
    logs(world, step, |log| {
        for cursor in log.cursors() {
            let checkpoint = log.checkpoints().get(cursor.checkpoint());
            let stands = checkpoint.is_some_and(|checkpoint| {
                checkpoint.cursors().contains(&cursor.name())
                    && cursor.position() < checkpoint.items().len()
            });
            if !stands {
                return Err(("nowhere", format!("cursor {}", cursor.name())));
            }
        }
        for (at, checkpoint) in log.checkpoints().iter().enumerate() {
            let strange = checkpoint
                .cursors()
                .iter()
                .find(|name| log.cursor(**name).is_none_or(|cursor| cursor.checkpoint() != at));
            if let Some(name) = strange {
                let id = checkpoint.id();
                return Err((
                    "pinned",
                    format!("checkpoint {id} lists {name}, which is not there"),
                ));
            }
        }
        Ok(())
    })
}

fn ids_grow(world: &World<Node>, _: &mut Ghost, step: &Step) -> Checked {
    let mut checked = logs(world, step, |log| {
        let pairs = log.checkpoints().windows(2);
        for pair in pairs {
            if pair[0].id() >= pair[1].id() {
                return Err(("twice", format!("{} and then {}", pair[0].id(), pair[1].id())));
            }
            if pair[0].is_open() {
                return Err(("open", format!("{} is open, and not the last", pair[0].id())));
            }
        }
        let (newest, next) = (log.checkpoints().last().map(|last| last.id()), log.next_id());
        if newest.is_none_or(|newest| newest >= next) {
            return Err(("again", format!("{newest:?} is there, and {next} comes next")));
        }
        Ok(())
    });
    if checked == Checked::Held
        && let Some(memory) = memory(world)
    {
        let active = memory.vbs.iter().filter(|(_, vb)| vb.standing.state == State::Active);
        for (vb, vbucket) in active {
            if vbucket.log.open_checkpoint().is_none() {
                checked = Checked::Broken("none open", format!("{vb} is active"));
            }
        }
    }
    checked
}

fn counts_agree(world: &World<Node>, _: &mut Ghost, step: &Step) -> Checked {
    let checked = logs(world, step, |log| {
        for cursor in log.cursors() {
            let Some(left) = log.remaining(cursor.name()) else { continue };
            let ahead = log.checkpoints().iter().enumerate().skip(cursor.checkpoint());
            let ahead = ahead
                .filter(|(_, checkpoint)| !(checkpoint.is_reverted() && cursor.name().persists()))
                .flat_map(|(at, checkpoint)| {
                    let position = if at == cursor.checkpoint() { cursor.position() } else { 0 };
                    checkpoint.items().get(position + 1..).unwrap_or_default()
                });
            let (items, mutations) = ahead.fold((0, 0), |(items, mutations), item| {
                (items + 1_u64, mutations + u64::from(item.mutation().is_some()))
            });
            if left.mutations != mutations {
                let detail = format!("{}: {mutations}, not {}", cursor.name(), left.mutations);
                return Err(("mutations", detail));
            }
            if left.items != items {
                let detail = format!("{} has {items} left, not {}", cursor.name(), left.items);
                return Err(("remaining", detail));
            }
            if i64::try_from(items) != Ok(left.counted) {
                let detail =
                    format!("{} has {items} left, counted {}", cursor.name(), left.counted);
                return Err(("offset", detail));
            }
        }
        Ok(())
    });
    let Some(memory) = memory(world).filter(|_| checked == Checked::Held) else { return checked };
    for (vb, vbucket) in &memory.vbs {
        if vbucket.counters.items != vbucket.table.len() as u64 {
            let (counted, there) = (vbucket.counters.items, vbucket.table.len());
            return Checked::Broken("items", format!("{vb} has {there} keys, counted {counted}"));
        }
    }
    let vbuckets = || memory.vbs.values();
    let keys = |of: State| {
        let of = vbuckets().filter(|vbucket| vbucket.standing.state == of);
        of.map(|vbucket| vbucket.table.len() as u64).sum()
    };
    let updates = vbuckets().filter(|vbucket| vbucket.window.is_some()).count() as u64;
    let (active_items, replica_items) = (keys(State::Active), keys(State::Replica));
    let there = Totals { active_items, replica_items, updates };
    if memory.totals != there {
        let detail = format!("the node has {there:?}, counted {:?}", memory.totals);
        return Checked::Broken("totals", detail);
    }
    checked
}

/// Whoever brings something to do tells the flusher in the same step.
fn not_asleep(world: &World<Node>, _: &mut Ghost, step: &Step) -> Checked {
    match memory(world).filter(|_| step.node == Some(NODE)) {
        None => Checked::Skipped,
        Some(memory) if memory.has_work && memory.is_flusher_idle => {
            Checked::Broken("asleep", "something is to be written, and nobody tells it".into())
        }
        Some(_) => Checked::Held,
    }
}

fn comes_to_disk(world: &World<Node>, ghost: &Ghost) -> Result<(), String> {
    let Some(memory) = memory(world) else { return Err("the node is away".into()) };
    for (vb, vbucket) in &memory.vbs {
        let life = ghost.lives.get(vb).and_then(|lives| lives.last());
        let Some(life) = life else { return Err(format!("{vb} is unknown")) };
        if let Some((key, cas)) = life.unwritten() {
            return Err(format!("{vb} {key} @{cas} is not on disk"));
        }
        if let Some(change) = life.unsaved() {
            return Err(format!("change {change} of the state of {vb} is not on disk"));
        }
        if let Some(id) = life.unsaved_id() {
            return Err(format!("the disk does not know that {vb} has checkpoint {id} on disk"));
        }
        let closed = vbucket.closed().0;
        // Where nothing is open the id of the last one may stay unsaid until the next one opens.
        let has_open = vbucket.log.open_checkpoint().is_some();
        if has_open && vbucket.window.is_none() && vbucket.standing.persisted < closed {
            let persisted = vbucket.standing.persisted;
            return Err(format!("{vb} says {persisted} of {closed} checkpoints to be on disk"));
        }
        if vbucket.queue_size() > 0 && vbucket.window.is_none() {
            return Err(format!("{vb} has {} to write", vbucket.queue_size()));
        }
    }
    Ok(())
}

fn nobody_waits(world: &World<Node>, ghost: &Ghost) -> Result<(), String> {
    let Some(memory) = memory(world) else { return Err("the node is away".into()) };
    let blocked = memory.vbs.values().filter(|vb| vb.standing.state == State::Pending);
    let blocked = |id| blocked.clone().any(|vb| vb.blocked.iter().any(|waiter| waiter.id == id));
    if let Some(id) = ghost.asked.keys().find(|id| !blocked(**id)) {
        return Err(format!("#{} was asked, and not answered", id.op.number));
    }
    for (vb, vbucket) in &memory.vbs {
        let pending = vbucket.standing.state == State::Pending;
        if vbucket.is_reverting() {
            return Err(format!("{vb} is being reverted"));
        }
        if !vbucket.blocked.is_empty() && !pending {
            return Err(format!("{} requests wait for {vb}", vbucket.blocked.len()));
        }
        if let Some((key, _)) = vbucket.fetching.first_key_value() {
            return Err(format!("a request waits for the value of {key}"));
        }
        let persisted = vbucket.standing.persisted;
        if vbucket.persisting.iter().any(|(wanted, _)| *wanted <= persisted) {
            return Err(format!("a request waits for a checkpoint of {vb} that is on disk"));
        }
    }
    Ok(())
}

/// By the true time: where the clock of the node has been moved nobody knows what has run out.
fn expired_goes(world: &World<Node>, _: &Ghost) -> Result<(), String> {
    let Some(memory) = memory(world) else { return Err("the node is away".into()) };
    if CLOCK_TROUBLE.iter().any(|kind| world.seen(*kind) > 0) {
        return Ok(());
    }
    let now = seconds(world.now());
    for (vb, vbucket) in &memory.vbs {
        if vbucket.standing.state != State::Active || vbucket.is_reverting() {
            continue;
        }
        if let Some((key, _)) = vbucket.table.iter().find(|(_, entry)| entry.has_expired(now)) {
            return Err(format!("{vb} has {key}, whose time has run out, in second {now}"));
        }
    }
    Ok(())
}

fn memory_is_bounded(world: &World<Node>, _: &Ghost) -> Result<(), String> {
    let Some(memory) = memory(world) else { return Err("the node is away".into()) };
    let windows = memory.vbs.values().any(|vbucket| vbucket.window.is_some());
    for (vb, vbucket) in &memory.vbs {
        let checkpoints = vbucket.log.checkpoints().len();
        if checkpoints > 2 && vbucket.window.is_none() {
            return Err(format!("{vb} has {checkpoints} checkpoints"));
        }
    }
    let mut entries = memory.vbs.values().flat_map(|vbucket| vbucket.table.iter());
    if memory.resident() > memory.settings.values
        && !windows
        && entries.any(|(_, entry)| entry.is_evictable())
        && memory.vbs.values().all(|vbucket| vbucket.standing.state == State::Active)
    {
        return Err(format!("{} values are in memory", memory.resident()));
    }
    Ok(())
}

/// The master of the replica, if there is one.
pub(super) fn master(world: &World<Node>) -> Option<&Master> {
    world.actors().iter().find_map(|actor| match actor {
        Node::Master(master) => Some(master),
        _ => None,
    })
}

/// How a table differs from what a master has.
fn difference(table: &Table, content: &Content) -> Option<String> {
    let held: Vec<Key> = table.iter().map(|(key, _)| key).collect();
    let keys: BTreeSet<Key> = held.into_iter().chain(content.keys().copied()).collect();
    keys.into_iter().find_map(|key| match (table.entry(key), content.get(&key)) {
        (Some(entry), Some(version)) => {
            let value = entry.value.as_ref().is_none_or(|value| *value == version.value);
            let is_same = value
                && (entry.flags, entry.until, entry.cas)
                    == (version.flags, version.until, version.cas);
            (!is_same).then(|| format!("{key} is @{}, not @{}", entry.cas, version.cas))
        }
        (Some(entry), None) => Some(format!("{key} is @{}, and should be gone", entry.cas)),
        (None, Some(version)) => {
            Some(format!("{key} is not there, and should be @{}", version.cas))
        }
        (None, None) => None,
    })
}

/// A replica has all up to the end of a checkpoint, and these versions. Whether its master knows of that end.
pub(super) fn snapshot(
    world: &World<Node>,
    frame: (u64, u32),
    held: &[(Key, u64)],
) -> Result<bool, Broken> {
    let content = master(world).and_then(|master| master.at_end(frame.0, frame.1));
    let Some(content) = content else { return Ok(false) };
    let versions: Vec<(Key, u64)> = content.iter().map(|(key, v)| (*key, v.cas)).collect();
    if versions == held {
        return Ok(true);
    }
    let say = |versions: &[(Key, u64)]| {
        let versions: Vec<String> =
            versions.iter().map(|(key, cas)| format!("{key} @{cas}")).collect();
        if versions.is_empty() { "nothing".to_string() } else { versions.join(", ") }
    };
    let detail = format!("it has {}, its master had {}", say(held), say(&versions));
    Err((SNAPSHOT, "another state", detail))
}

fn replicated(world: &World<Node>, _: &Ghost) -> Result<(), String> {
    let (Some(memory), Some(master)) = (memory(world), master(world)) else {
        return Err("the node is away".into());
    };
    let vbucket = memory.vbs.get(&Vb(0));
    let is_replica = vbucket
        .is_some_and(|vbucket| matches!(vbucket.standing.state, State::Replica | State::Pending));
    let Some(vbucket) = vbucket.filter(|_| is_replica && !master.holds_back()) else {
        return Ok(());
    };
    if !master.is_followed() {
        return Err("the master is not followed".into());
    }
    difference(&vbucket.table, master.content()).map_or(Ok(()), Err)
}

/// The pager finds what has run out in one round and takes it out a while later, perhaps in the round after that; then the
/// others have the deletion to do with.
fn settled(config: &Config) -> Span {
    let period = Span::secs(config.get(settings::PERIOD.name));
    let remover = Span::ms(config.get(settings::REMOVER.name));
    let flush = Span::ms(config.get(settings::FLUSH_DELAY.name));
    let pager = Span::secs(config.get(settings::PAGER.name));
    let purge = Span::ms(config.get(settings::PURGE_DELAY.name));
    let paged = 2 * (pager.0 + purge.0);
    Span(paged + period.0 + 4 * remover.0 + 4 * flush.0 + DISK_PATIENCE.0 + Span::secs(10).0)
}
