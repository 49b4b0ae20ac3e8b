//! A plan moved to other knobs. Nodes and actors keep their names, and may get other numbers; what named somebody who is
//! not there any more is dropped.

use crate::actor::{Actor, Names};
use crate::check::Scenario;
use crate::choose::{Decision, Key, Shape, Site};
use crate::disk::ClassSet;
use crate::fault::{ClockTrouble, Fault, FaultLine, NodeSet, Path, When};
use crate::id::{ActorId, NodeId};
use crate::nemesis::{Config, Noise, Plan, Run};
use crate::world::Topology;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The plan with these knobs. `None` if the model cannot make a world of them.
pub(super) fn with_config<A: Actor>(
    scenario: &Scenario<A>,
    plan: &Plan<A>,
    config: &Config,
) -> Option<Plan<A>> {
    let topology =
        |config: &Config| catch_unwind(AssertUnwindSafe(|| (scenario.topology)(config))).ok();
    let (old, new) = (topology(&plan.config)?, topology(config)?);
    let moved = Moved::between(scenario, &old, &new);
    let budget = (scenario.budget)(config);
    let mut candidate = plan.clone();
    candidate.config = config.clone();
    let followed = plan.down_max == (scenario.budget)(&plan.config).down_max;
    candidate.down_max =
        if followed { budget.down_max } else { plan.down_max.min(budget.down_max) };
    candidate.run = retuned(scenario, plan, config);
    candidate.run.fragile = moved.set(plan.run.fragile);
    let classes = plan.run.fragile_files.of(old.file_classes());
    let classes = classes.filter_map(|class| new.class_of(class.name).ok());
    candidate.run.fragile_files = classes.fold(ClassSet::default(), ClassSet::with);
    candidate.ops.retain_mut(|op| {
        let there = moved.client(op.client);
        op.client = there.unwrap_or(op.client);
        there.is_some()
    });
    candidate.faults = plan.faults.iter().filter_map(|line| moved.line(line)).collect();
    candidate.faults.retain(|line| budget.kinds.has(line.fault.kind()));
    if let Noise::Lines(lines) = &mut candidate.noise {
        let sites = super::value::sites(scenario);
        let moved = |line: &Decision| moved.decision(&sites, line);
        *lines = lines.iter().filter_map(moved).collect();
    }
    (candidate.run.fragile.len() <= budget.fragile_max).then_some(candidate)
}

/// Numbers of the engine that followed the knobs follow the new ones; the others stay.
fn retuned<A: Actor>(scenario: &Scenario<A>, plan: &Plan<A>, config: &Config) -> Run {
    let tuned = |config: &Config| {
        let mut run = Run::DEFAULT;
        (scenario.tune)(config, &mut run);
        run
    };
    let (old, new) = (tuned(&plan.config), tuned(config));
    let mut run = plan.run;
    for set in super::value::RUN_NUMBERS {
        let mut with_old = plan.run;
        set(&mut with_old, &old);
        if with_old == plan.run {
            set(&mut run, &new);
        }
    }
    run
}

/// Where everybody has gone.
struct Moved {
    nodes: Vec<Option<NodeId>>,
    actors: Vec<Option<ActorId>>,
    clients: Vec<Option<u16>>,
}

impl Moved {
    fn between<A: Actor>(scenario: &Scenario<A>, old: &Topology<A>, new: &Topology<A>) -> Moved {
        let (before, after): (Names, Names) = (scenario.names(old), scenario.names(new));
        let node = |name: &String| after.node_of(name).ok();
        let actor = |name: &String| after.actor_of(name).ok();
        let actors: Vec<Option<ActorId>> = before.actors.iter().map(actor).collect();
        let client = |old: ActorId| {
            let now = actors[usize::from(old.0)]?;
            new.clients().zip(0..).find(|(actor, _)| *actor == now).map(|(_, i)| i)
        };
        Moved {
            nodes: before.nodes.iter().map(node).collect(),
            clients: old.clients().map(client).collect(),
            actors,
        }
    }

    fn node(&self, node: NodeId) -> Option<NodeId> {
        self.nodes.get(usize::from(node.0)).copied().flatten()
    }

    fn actor(&self, actor: u16) -> Option<u16> {
        self.actors.get(usize::from(actor)).copied().flatten().map(|actor| actor.0)
    }

    fn client(&self, client: u16) -> Option<u16> {
        self.clients.get(usize::from(client)).copied().flatten()
    }

    fn set(&self, set: NodeSet) -> NodeSet {
        let there = set.iter().filter_map(|node| self.node(node));
        there.fold(NodeSet::default(), NodeSet::with)
    }

    fn line(&self, line: &FaultLine) -> Option<FaultLine> {
        let when = match line.when {
            When::At(span) => When::At(span),
            When::On { nth, point, node } => When::On { nth, point, node: self.node(node)? },
        };
        Some(FaultLine { when, fault: self.fault(&line.fault)? })
    }

    fn fault(&self, fault: &Fault) -> Option<Fault> {
        Some(match *fault {
            Fault::Down(death, node, span) => Fault::Down(death, self.node(node)?, span),
            Fault::Pause(node, span) => Fault::Pause(self.node(node)?, span),
            Fault::Slow(node, factor, span) => Fault::Slow(self.node(node)?, factor, span),
            Fault::Link(trouble, path, span) => {
                let path = Path { from: self.set(path.from), to: self.set(path.to), ..path };
                if path.from.is_empty() || path.to.is_empty() {
                    return None;
                }
                Fault::Link(trouble, path, span)
            }
            Fault::Conn(trouble, from, to) => {
                Fault::Conn(trouble, self.node(from)?, self.node(to)?)
            }
            Fault::Connect(trouble, node, span) => Fault::Connect(trouble, self.node(node)?, span),
            Fault::Disk(trouble, node, span) => Fault::Disk(trouble, self.node(node)?, span),
            Fault::Clock(trouble, node) => {
                let trouble: ClockTrouble = trouble;
                Fault::Clock(trouble, self.node(node)?)
            }
        })
    }

    fn decision(&self, sites: &[&Site], decision: &Decision) -> Option<Decision> {
        let site = sites.iter().find(|site| site.id == decision.site)?;
        let word = |shift: u32| u16::try_from(decision.key.who >> shift & 0xffff).ok();
        let low = decision.key.who & 0xffff_ffff;
        let who = match site.shape {
            Shape::Between | Shape::Stream => {
                let (from, to) = (self.actor(word(48)?)?, self.actor(word(32)?)?);
                u64::from(from) << 48 | u64::from(to) << 32 | low
            }
            Shape::Disk | Shape::Sector | Shape::Change => {
                u64::from(self.node(NodeId(word(32)?))?.0) << 32 | low
            }
            Shape::Own => u64::from(self.actor(word(32)?)?) << 32 | low,
        };
        Some(Decision { key: Key { who, ..decision.key }, ..*decision })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::fixture::scenario;
    use crate::check::tiny::{SCENARIO, Tiny};
    use crate::id::FileName;
    use crate::nemesis::Budget;

    /// A world that has a class of files more if it is large.
    const GROWING: Scenario<Tiny> = Scenario {
        topology: |config| {
            let mut topology = (SCENARIO.topology)(config);
            if config.get("servers") > 3 {
                topology.files("index", FileName::new("idx"));
            }
            topology.files("log", FileName::new("log"));
            topology
        },
        ..SCENARIO
    };

    #[test]
    fn classes_of_files_keep_their_names() {
        let mut plan = GROWING.expand(1);
        let servers = |servers| Config { values: vec![("servers", servers), ("grace_ms", 100)] };
        plan.config = servers(5);
        plan.run.fragile = NodeSet::one(NodeId(0));
        let moved = |plan: &Plan<Tiny>, to| {
            with_config(&GROWING, plan, &servers(to)).expect("a world").run.fragile_files
        };
        plan.run.fragile_files = ClassSet(0b10);
        assert_eq!((moved(&plan, 4), moved(&plan, 2)), (ClassSet(0b10), ClassSet(0b01)));
        plan.run.fragile_files = ClassSet(0b01);
        assert_eq!((moved(&plan, 4), moved(&plan, 2)), (ClassSet(0b01), ClassSet(0)));
    }

    #[test]
    fn the_bound_on_deaths_follows_the_knobs_unless_the_plan_has_its_own() {
        let budget = |config: &Config| {
            let down_max = if config.get("adds") > 4 { 1 } else { 3 };
            Budget { down_max, ..(scenario().budget)(config) }
        };
        let scenario = Scenario { budget, ..scenario() };
        let mut plan = scenario.expand(1);
        let of = |plan: &mut Plan<_>, adds: u64| {
            plan.config.values.iter_mut().find(|(name, _)| *name == "adds").expect("a knob").1 =
                adds;
            plan.clone()
        };
        let few = of(&mut plan, 4).config;
        let mut many = of(&mut plan, 9);
        for (down_max, then) in [(1, 3), (0, 0), (2, 2), (5, 3)] {
            many.down_max = down_max;
            let moved = with_config(&scenario, &many, &few).expect("a world of them");
            assert_eq!(moved.down_max, then, "from {down_max}");
        }
    }
}
