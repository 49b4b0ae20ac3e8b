//! The promises of the model, as checks over a world.

use super::call::{Call, Key, Ret};
use super::message::Note;
use super::reference::{Access, Registers};
use super::replica::DISK_PATIENCE;
use super::tag::{Tag, Version};
use super::{Register, Replica, scenario};
use seedbed_sim::actor::{HistoryEvent, Outcome};
use seedbed_sim::check::{Always, Checked, Eventually, Finally};
use seedbed_sim::id::{ActorId, OpId};
use seedbed_sim::judge::linear::{self, Operation, Verdict};
use seedbed_sim::nemesis::Config;
use seedbed_sim::time::Span;
use seedbed_sim::world::{Step, World};
use std::collections::{BTreeMap, BTreeSet};

/// To clients: the register behaves as if there were only one.
pub const LINEARIZABLE: &str = "reads and writes of a key are linearizable";
/// Among coordinators: a tag names a write.
pub const ONE_TAG: &str = "no two writes of a key are given the same tag";
/// Between replica and coordinator: an acknowledgement is for ever.
pub const KEEPS: &str = "a replica keeps what it has acknowledged";
/// Within a replica: recovery invents nothing.
pub const OWN_RECORDS: &str = "a replica recovers only records that it has written";
/// Nothing that can happen to a replica keeps it from coming back.
pub const SERVES_AGAIN: &str = "every replica comes to serve again";
/// Nothing that can happen to a round keeps it from ending.
pub const ROUNDS_END: &str = "every round comes to an end";
/// To clients: trouble that has ended is over.
pub const READABLE: &str = "every key can be read once the trouble is over";

/// What the checks remember from step to step.
#[derive(Clone, Debug, Default)]
pub struct Ghost {
    /// The tags that coordinators have given.
    given: BTreeSet<(Key, Tag)>,
    /// The highest tag that each replica has acknowledged of each key.
    acknowledged: BTreeMap<(ActorId, Key), Tag>,
    /// What each replica has set out to write.
    written: BTreeSet<(ActorId, Key, Version)>,
}

/// Promises after every step.
pub const ALWAYS: &[Always<Register>] = &[
    Always { name: ONE_TAG, check: gives_each_tag_once },
    Always { name: KEEPS, check: keeps_what_it_has_acknowledged },
    Always { name: OWN_RECORDS, check: recovers_only_what_it_has_written },
];

/// Promises that come true once the trouble has ended.
pub const EVENTUALLY: &[Eventually<Register>] = &[
    Eventually { name: SERVES_AGAIN, check: serves_again, bound: settled },
    Eventually { name: ROUNDS_END, check: rounds_end, bound: settled },
];

/// Promises about the whole run.
pub const FINALLY: &[Finally<Register>] = &[
    Finally { name: LINEARIZABLE, check: linearizable },
    Finally { name: READABLE, check: readable },
];

fn gives_each_tag_once(world: &World<Register>, ghost: &mut Ghost, _: &Step) -> Checked {
    let mut checked = Checked::Skipped;
    for note in world.notes() {
        if let Note::Given(key, tag) = *note {
            checked = if ghost.given.insert((key, tag)) {
                Checked::Held
            } else {
                Checked::Broken("given twice", format!("{key} @{tag} was given before"))
            };
        }
    }
    checked
}

fn keeps_what_it_has_acknowledged(
    world: &World<Register>,
    ghost: &mut Ghost,
    step: &Step,
) -> Checked {
    let mut checked = Checked::Skipped;
    for note in world.notes() {
        let Some(replica) = step.actor else { continue };
        match *note {
            Note::Acknowledged(key, tag) => {
                let highest = ghost.acknowledged.entry((replica, key)).or_insert(tag);
                *highest = tag.max(*highest);
            }
            Note::Recovered => {
                checked = forgets_nothing(world, ghost, replica);
            }
            Note::Given(..) | Note::Writing(..) => {}
        }
    }
    checked
}

fn forgets_nothing(world: &World<Register>, ghost: &Ghost, replica: ActorId) -> Checked {
    let Some(table) = replica_of(world, replica).map(Replica::table) else {
        return Checked::Skipped;
    };
    for (&(of, key), &tag) in &ghost.acknowledged {
        let held = table.get(key).map(|version| version.tag);
        if of == replica && held < Some(tag) {
            let held = held.map_or("nothing".into(), |tag| tag.to_string());
            let detail = format!("it had acknowledged {key} @{tag} and came back with {held}");
            return Checked::Broken("forgotten", detail);
        }
    }
    Checked::Held
}

fn recovers_only_what_it_has_written(
    world: &World<Register>,
    ghost: &mut Ghost,
    step: &Step,
) -> Checked {
    let mut checked = Checked::Skipped;
    for note in world.notes() {
        let Some(replica) = step.actor else { continue };
        match *note {
            Note::Writing(key, version) => {
                ghost.written.insert((replica, key, version));
            }
            Note::Recovered => {
                let Some(table) = replica_of(world, replica).map(Replica::table) else { continue };
                let mut held = table.iter();
                let strange = held.find(|(key, v)| !ghost.written.contains(&(replica, *key, *v)));
                checked = match strange {
                    None => Checked::Held,
                    Some((key, version)) => {
                        let detail = format!("it came back with {key} {version}");
                        Checked::Broken("invented", detail)
                    }
                };
            }
            Note::Given(..) | Note::Acknowledged(..) => {}
        }
    }
    checked
}

fn replica_of(world: &World<Register>, actor: ActorId) -> Option<&Replica> {
    match world.actor(actor) {
        Register::Replica(replica) => Some(replica),
        Register::Coordinator(_) | Register::Client(_) => None,
    }
}

/// A replica that waits for its disk may wait in vain, and stores nothing until its patience ends.
fn serves_again(world: &World<Register>, _: &Ghost) -> Result<(), String> {
    for (actor, i) in world.actors().iter().zip(0_u16..) {
        if let Register::Replica(replica) = actor
            && !replica.is_idle()
        {
            let state = if replica.is_serving() { "waits for its disk" } else { "does not serve" };
            return Err(format!("the replica of node {} {state}", world.home(ActorId(i)).0));
        }
    }
    Ok(())
}

fn rounds_end(world: &World<Register>, _: &Ghost) -> Result<(), String> {
    for (actor, i) in world.actors().iter().zip(0_u16..) {
        if let Register::Coordinator(coordinator) = actor
            && coordinator.rounds() > 0
        {
            let (rounds, node) = (coordinator.rounds(), world.home(ActorId(i)).0);
            return Err(format!("{rounds} rounds are under way at node {node}"));
        }
    }
    Ok(())
}

/// Late requests may be under way for two seconds (the longest delay of a datagram), and the rounds that they begin end
/// within a tenth of a second. A slow node may have begun to wait for a silent disk.
fn settled(_: &Config) -> Span {
    Span::secs(5) + DISK_PATIENCE.times(SLOWEST)
}

/// By how much the slowest node takes longer, with some room for the drift of its clock.
const SLOWEST: u64 = 110;

/// How many placements of operations the judge may try; a usual run takes a few hundred.
const JUDGE_STEPS: u64 = 2_000_000;

fn linearizable(world: &World<Register>, _: &Ghost, _: &Config) -> Result<Checked, String> {
    let history = history_of(world);
    match linear::check(&Registers, &history, JUDGE_STEPS) {
        Verdict::Linearizable => Ok(Checked::Held),
        Verdict::NotLinearizable(why) => {
            let key = Key(why.key);
            let unplaced: Vec<String> = why.unplaced.iter().map(|i| say(&history[*i])).collect();
            let detail = format!("of {key}, no order explains {}", unplaced.join(" or "));
            Ok(Checked::Broken("not linearizable", detail))
        }
        Verdict::Inconclusive { steps } => Err(format!("the judge gave up after {steps} steps")),
    }
}

type Judged = Operation<(u8, Access), Option<u64>>;

/// The history in the words of the reference.
fn history_of(world: &World<Register>) -> Vec<Judged> {
    let mut history: Vec<Judged> = Vec::new();
    let mut open: BTreeMap<OpId, usize> = BTreeMap::new();
    let mut failed = Vec::new();
    for (event, at) in world.history().events.iter().zip(0_u64..) {
        match event {
            HistoryEvent::Invoked { process, op, what, .. } => {
                let access = match what {
                    Call::Read(_) => Access::Read,
                    Call::Write(_, value) => Access::Write(*value),
                };
                open.insert(*op, history.len());
                history.push(Operation {
                    process: u64::from(*process),
                    op: (what.key().0, access),
                    invoked: at,
                    returned: None,
                });
            }
            HistoryEvent::Completed { op, outcome, .. } => {
                let index = open.remove(op).expect("an operation is invoked before it completes");
                match outcome {
                    Outcome::Ok(Ret::Value(value)) => history[index].returned = Some((at, *value)),
                    Outcome::Ok(Ret::Written) => history[index].returned = Some((at, None)),
                    Outcome::Failed => failed.push(index),
                    Outcome::Unknown => {}
                }
            }
        }
    }
    failed.sort_unstable();
    for index in failed.into_iter().rev() {
        history.remove(index);
    }
    history
}

/// The judge's own reads are the last operations of all, one of each key.
fn readable(world: &World<Register>, _: &Ghost, config: &Config) -> Result<Checked, String> {
    let asked: BTreeMap<OpId, Key> = (world.history().events.iter().rev())
        .filter_map(|event| match event {
            HistoryEvent::Invoked { op, what, .. } => Some((*op, what.key())),
            HistoryEvent::Completed { .. } => None,
        })
        .take(scenario::read_back(config).len())
        .collect();
    for event in &world.history().events {
        let HistoryEvent::Completed { op, outcome, .. } = event else { continue };
        if let (Some(key), false) = (asked.get(op), matches!(outcome, Outcome::Ok(_))) {
            let detail = format!("the judge's own read of {key} was given up");
            return Ok(Checked::Broken("unreadable", detail));
        }
    }
    Ok(Checked::Held)
}

fn say(operation: &Judged) -> String {
    let (key, access) = &operation.op;
    let call = match access {
        Access::Read => Call::Read(Key(*key)),
        Access::Write(value) => Call::Write(Key(*key), *value),
    };
    match (access, operation.returned) {
        (Access::Read, Some((_, Some(value)))) => format!("`{call}` -> {value}"),
        (Access::Read, Some((_, None))) => format!("`{call}` -> nothing"),
        (Access::Write(_), _) | (Access::Read, None) => format!("`{call}`"),
    }
}
