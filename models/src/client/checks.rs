//! The promises of the model, as checks over a world.

use seedbed_sim::check::{Always, Checked, Decided, Eventually, Finally};
use seedbed_sim::id::{ActorId, NodeId};
use seedbed_sim::judge::linear::{self, Verdict};
use seedbed_sim::nemesis::Config;
use seedbed_sim::time::Span;
use seedbed_sim::world::World;

use crate::vbucket::op::{Key, Vb};
use crate::vbucket::table::{Entry, Table};

use super::judge::{Ghost, Sight};
use super::keeper::Keeper;
use super::map::Place;
use super::model::Peer;
use super::op::Server;
use super::reference::Keys;
use super::settings;

/// The client's verification, of the data nodes.
pub const VERIFIED: &str = "what a verification finds amiss was lost where it may be lost";
/// The client's reference store.
pub const CONTAINS: &str = "what a store holds possible contains what is true";
/// Of verification.
pub const VERDICTS: &str = "a verification finds what was there at the moment of its read";
/// Of verification.
pub const ONLY_READS: &str = "a verification sends only reads";
/// Of verification.
pub const ABSENT: &str = "a key counts as absent only when a node has said that it is";
/// Of tasks.
pub const UNLOCKED: &str = "no task ends with a partition still locked";
/// Of the smart client.
pub const CONNECTED: &str = "a client has connections only to nodes of its map";
/// Of tasks.
pub const REBALANCES: &str = "a rebalance that failed is reported as failed";
/// To clients, of everything.
pub const LINEARIZABLE: &str = "but for what may be lost, operations on a key are linearizable";
/// LIVE of tasks.
pub const TASKS_END: &str = "every task that goes on comes to an end";
/// LIVE of the keeper of the map.
pub const SETTLES: &str = "every node comes to be what the map says";
/// CONV of what stands in for replication.
pub const FOLLOWED: &str = "a replica comes to be what its master is";

const OBSERVED: Always<Peer> = Always {
    name: VERIFIED,
    check: |world, ghost, step| {
        ghost.observe(world, step);
        ghost.verdict(VERIFIED)
    },
};

/// Promises after every step, where there is a reference store. The first one takes in what the step says.
pub const ALWAYS: &[Always<Peer>] = &[
    OBSERVED,
    Always { name: CONTAINS, check: |_, ghost, _| ghost.verdict(CONTAINS) },
    Always { name: VERDICTS, check: |_, ghost, _| ghost.verdict(VERDICTS) },
    Always { name: ONLY_READS, check: |_, ghost, _| ghost.verdict(ONLY_READS) },
    Always { name: ABSENT, check: |_, ghost, _| ghost.verdict(ABSENT) },
    Always { name: UNLOCKED, check: |_, ghost, _| ghost.verdict(UNLOCKED) },
    Always { name: CONNECTED, check: |_, ghost, _| ghost.verdict(CONNECTED) },
    Always { name: REBALANCES, check: |_, ghost, _| ghost.verdict(REBALANCES) },
];

/// The same where there is none.
pub const ALWAYS_WITHOUT_STORE: &[Always<Peer>] = &[Always {
    name: CONNECTED,
    check: |world, ghost, step| {
        ghost.observe(world, step);
        ghost.verdict(CONNECTED)
    },
}];

/// Promises that come true once the trouble has ended.
pub const EVENTUALLY: &[Eventually<Peer>] = &[
    Eventually { name: TASKS_END, check: tasks_end, bound: settled },
    Eventually { name: SETTLES, check: settles, bound: settled },
];

/// The same where there are replicas.
pub const EVENTUALLY_WITH_REPLICAS: &[Eventually<Peer>] = &[
    Eventually { name: TASKS_END, check: tasks_end, bound: settled },
    Eventually { name: SETTLES, check: settles, bound: settled },
    Eventually { name: FOLLOWED, check: followed, bound: settled },
];

/// The same where there are no tasks.
pub const EVENTUALLY_WITHOUT_STORE: &[Eventually<Peer>] =
    &[Eventually { name: SETTLES, check: settles, bound: settled }];

/// Promises about the whole run.
pub const FINALLY: &[Finally<Peer>] = &[Finally { name: LINEARIZABLE, check: linearizable }];

/// Steps that the judge of linearizability may take.
const STEPS_MAX: u64 = 200_000;

fn tasks_end(world: &World<Peer>, _: &Ghost) -> Result<(), String> {
    let managers = world.actors().iter().filter_map(|actor| match actor {
        Peer::Manager(manager) => Some(manager),
        _ => None,
    });
    for manager in managers {
        if !manager.is_idle() {
            return Err("a task goes on".into());
        }
    }
    Ok(())
}

fn keeper(world: &World<Peer>) -> Option<&Keeper> {
    world.actors().iter().find_map(|actor| match actor {
        Peer::Keeper(keeper) => Some(keeper),
        _ => None,
    })
}

fn settles(world: &World<Peer>, _: &Ghost) -> Result<(), String> {
    match keeper(world) {
        Some(keeper) if keeper.is_settled() => Ok(()),
        _ => Err("some node is not what the map says".into()),
    }
}

/// The node of a data node's actors.
fn home(world: &World<Peer>, server: Server) -> Option<NodeId> {
    let mut carriers = (0_u16..).zip(world.actors()).filter_map(|(at, actor)| match actor {
        Peer::Carrier(_) => Some(world.home(ActorId(at))),
        _ => None,
    });
    carriers.nth(usize::from(server.0))
}

fn followed(world: &World<Peer>, _: &Ghost) -> Result<(), String> {
    let Some(map) = keeper(world).map(Keeper::map) else { return Ok(()) };
    for (vb, Place { master, replica }) in (0..).map(Vb).zip(map.places.iter()) {
        let table = |server| {
            let node = home(world, server).filter(|node| world.is_up(*node))?;
            world.shared(node).memory.vbs.get(&vb).map(|vbucket| &vbucket.table)
        };
        let Some(replica) = replica else { continue };
        match (table(*master), table(*replica)) {
            (Some(master), Some(replica)) if is_same(master, replica) => {}
            _ => return Err(format!("{vb} on {replica} is not what it is on {master}")),
        }
    }
    Ok(())
}

/// Whether two copies hold the same. A value may be on disk only.
fn is_same(one: &Table, other: &Table) -> bool {
    let mut others = other.iter();
    let meta = |entry: &Entry| (entry.cas, entry.flags, entry.until);
    let all = one.iter().all(|(key, entry)| {
        others.next().is_some_and(|(of, held)| {
            let is_value =
                entry.value.is_none() || held.value.is_none() || entry.value == held.value;
            key == of && is_value && meta(entry) == meta(held)
        })
    });
    all && others.next().is_none()
}

fn settled(config: &Config) -> Span {
    // Moves and the patience of clients with their nodes, which no knob changes, and flushes, several times over.
    Span::secs(15) + Span::ms(config.get(settings::FLUSH_DELAY.name)).times(8)
}

fn linearizable(world: &World<Peer>, ghost: &Ghost, _: &Config) -> Decided {
    is_linearizable(ghost, world.is_sure())
}

/// Judges what clients have called and been told; whether all clocks are right is given.
///
/// # Errors
/// If that takes too many steps.
pub fn is_linearizable(ghost: &Ghost, is_sure: bool) -> Decided {
    let judged = ghost.past.judged(is_sure);
    if judged.is_empty() {
        return Ok(Checked::Skipped);
    }
    match linear::check(&Keys, &judged, STEPS_MAX) {
        Verdict::Linearizable => Ok(Checked::Held),
        Verdict::Inconclusive { steps } => Err(format!("no verdict after {steps} steps")),
        Verdict::NotLinearizable(refuted) => {
            let last = refuted.unplaced.first().map(|at| &judged[*at]);
            let last = last.map_or("nothing".into(), |operation| {
                format!("`{:?}` -> {:?}", operation.op.1, operation.returned)
            });
            let detail = format!("{}: no order explains {last}", Key(refuted.key));
            Ok(Checked::Broken("not linearizable", detail))
        }
    }
}
