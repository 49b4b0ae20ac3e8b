//! The third step of the tutorial: the promises of the register, and the scenario that puts them on trial.

use crate::register::{Call, Client, DISAGREED, Kept, LAST_STAYS, NO_WRITE_BACK};
use crate::register::{Register, Replica, Ret, Tag};
use seedbed_sim::actor::{HistoryEvent, Outcome};
use seedbed_sim::check::{Always, Checked, Decided, Finally, Scenario};
use seedbed_sim::choose::Draw;
use seedbed_sim::fault::{Kind, KindSet};
use seedbed_sim::id::ActorId;
use seedbed_sim::judge::linear::{self, Operation, Verdict};
use seedbed_sim::judge::register::{self as spec, RegisterCall, RegisterOp, RegisterRet};
use seedbed_sim::nemesis::{Budget, Config, Knob, PlannedOp};
use seedbed_sim::world::{Step, Topology, World};
use std::collections::BTreeMap;

// ANCHOR: always
pub(crate) const ONLY_NEWER: &str = "a replica gives up a version only for a newer one";

/// The ghost is the memory of the checks: the last tag that each replica has kept.
fn only_newer(world: &World<Register>, kept: &mut BTreeMap<ActorId, Tag>, step: &Step) -> Checked {
    let (Some(replica), [Kept(version)]) = (step.actor, world.notes()) else {
        return Checked::Skipped;
    };
    match kept.insert(replica, version.tag) {
        Some(before) if before > version.tag => {
            Checked::Broken("older", format!("it has kept {version}, older than before"))
        }
        _ => Checked::Held,
    }
}
// ANCHOR_END: always

// ANCHOR: finally
pub(crate) const LINEARIZABLE: &str = "reads and writes are linearizable";

/// More than a run ever needs; a search that goes on for longer makes the run inconclusive.
const JUDGE_STEPS: u64 = 1_000_000;

fn linearizable(world: &World<Register>, _: &BTreeMap<ActorId, Tag>, _: &Config) -> Decided {
    let history = history_of(world);
    match linear::check(&spec::Register::new(), &history, JUDGE_STEPS) {
        Verdict::Linearizable => Ok(Checked::Held),
        Verdict::NotLinearizable(why) => {
            let unplaced = why.unplaced.iter().map(|index| say(&history[*index]));
            let unplaced: Vec<String> = unplaced.collect();
            let detail = format!("no order of the operations explains {}", unplaced.join(" or "));
            Ok(Checked::Broken("not linearizable", detail))
        }
        Verdict::Inconclusive { steps } => Err(format!("the judge gave up after {steps} steps")),
    }
}
// ANCHOR_END: finally

// ANCHOR: history
type Judged = Operation<RegisterOp<(), u64>, RegisterRet<u64>>;

/// What the clients did and learned, in the words of the specification. There is one register, so the key is `()`.
fn history_of(world: &World<Register>) -> Vec<Judged> {
    let (mut history, mut at_index) = (Vec::new(), BTreeMap::new());
    for (event, at) in world.history().events.iter().zip(0_u64..) {
        match event {
            HistoryEvent::Invoked { process, op, what, .. } => {
                let call = match what {
                    Call::Read => RegisterCall::Read,
                    Call::Write(value) => RegisterCall::Write(Some(*value)),
                };
                at_index.insert(*op, history.len());
                let (process, op) = (u64::from(*process), RegisterOp { key: (), call });
                history.push(Operation { process, op, invoked: at, returned: None });
            }
            // This client never fails and never gives up; an operation that is still under way stays unknown.
            HistoryEvent::Completed { op, outcome: Outcome::Ok(ret), .. } => {
                let ret = match ret {
                    Ret::Value(value) => RegisterRet::Value(*value),
                    Ret::Written => RegisterRet::Written,
                };
                history[at_index[op]].returned = Some((at, ret));
            }
            HistoryEvent::Completed { .. } => {}
        }
    }
    history
}

fn say(operation: &Judged) -> String {
    match (&operation.op.call, &operation.returned) {
        (RegisterCall::Read, Some((_, RegisterRet::Value(value)))) => {
            format!("`read` -> {}", Ret::Value(*value))
        }
        (call, _) => format!("{call:?}"),
    }
}
// ANCHOR_END: history

// ANCHOR: scenario
pub(crate) const fn scenario() -> Scenario<Register> {
    Scenario {
        name: "tutorial/register",
        about: "a register over a majority, in memory: lost, late and repeated messages, cuts, nodes that stand still",
        knobs: &[REPLICAS, CLIENTS],
        tune: |_, _| {},
        budget,
        topology,
        workload,
        read_back: |_| vec![(0, Call::Read)],
        always: &[Always { name: ONLY_NEWER, check: only_newer }],
        eventually: &[],
        finally: &[Finally { name: LINEARIZABLE, check: linearizable }],
        marks: &[DISAGREED],
        points: &[],
        bugs: &[NO_WRITE_BACK, LAST_STAYS],
        sites: &[],
        site_list: &[],
    }
}

const REPLICAS: Knob =
    Knob { name: "replicas", min: 3, max: 5, simplest: 3, about: "nodes, each with a replica" };
const CLIENTS: Knob = Knob { name: "clients", min: 2, max: 4, simplest: 2, about: "clients" };
// ANCHOR_END: scenario

// ANCHOR: budget
/// A replica forgets everything when it dies, so none may die. A minority may be cut off or stand still at once.
fn budget(config: &Config) -> Budget {
    let minority = (config.get("replicas") - 1) / 2;
    let down_max = u32::try_from(minority).expect("a small number");
    Budget { kinds: TROUBLE, down_max, fragile_max: 0, faults_max: 8 }
}

const TROUBLE: KindSet = KindSet::of(&[
    Kind::Drop,
    Kind::Duplicate,
    Kind::Reorder,
    Kind::Delay,
    Kind::Tie,
    Kind::Think,
    Kind::Cut,
    Kind::CutOneWay,
    Kind::Clog,
    Kind::SlowLink,
    Kind::Pause,
    Kind::SlowNode,
]);
// ANCHOR_END: budget

// ANCHOR: world
fn topology(config: &Config) -> Topology<Register> {
    let mut topology = Topology::default();
    let mut replicas = Vec::new();
    for _ in 0..config.get("replicas") {
        let node = topology.server("n");
        let replica = Register::Replica(Replica::default());
        replicas.push(topology.actor(node, "replica", replica));
    }
    for _ in 0..config.get("clients") {
        let node = topology.client("c");
        topology.actor(node, "client", Register::Client(Client::new(replicas.clone())));
    }
    topology
}

/// Three reads for each write. An operation's number is the value that it writes, so no value is written twice.
fn workload(config: &Config, draw: &mut Draw) -> Vec<PlannedOp<Call>> {
    let ops = (1..=40).map(|number| {
        let client = u16::try_from(draw.below(config.get("clients"))).expect("a small number");
        let op = if draw.chance(1, 4) { Call::Write(number.into()) } else { Call::Read };
        PlannedOp { client, number, op }
    });
    ops.collect()
}
// ANCHOR_END: world
