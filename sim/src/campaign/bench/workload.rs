//! The five workloads of the engine, as things that can be run: topology, plan, and the bare form where there is one.

use super::bare;
use super::hops::{self, Go, Hopper};
use super::kv::{self, Kv};
use super::timers::{self, Clockwork};
use crate::actor::{Actor, BugSet};
use crate::campaign::Runner;
use crate::check::{Always, Checked, ModelSite, Scenario};
use crate::choose::{Odds, Site};
use crate::engine::{Native, Options, Verdict};
use crate::fault::{Death, Fault, FaultLine, Kind, KindSet, When};
use crate::id::{ActorId, NodeId};
use crate::nemesis::{Budget, Config, Noise, Plan, PlannedOp, Run};
use crate::net::NET;
use crate::time::Span;
use crate::world::Topology;

/// One of the workloads, run again and again with other seeds, in memory that is used again.
pub struct Workload {
    name: &'static str,
    units: u64,
    native: Box<dyn FnMut() -> u32>,
    bare: Option<fn(u64) -> u64>,
}

impl Workload {
    fn new<A: Actor>(
        name: &'static str,
        scenario: &'static Scenario<A>,
        mut plan: Plan<A>,
    ) -> Workload {
        let mut native = Native::new(scenario);
        let run = move || {
            plan.seed += 1;
            plan.noise = Noise::Drawn(plan.seed);
            let report = native.run(&plan, Options::default());
            assert_eq!(report.verdict, Verdict::Pass, "a workload passes");
            report.steps
        };
        Workload { name, units: 1, native: Box::new(run), bare: None }
    }

    /// One of [`NAMES`](super::NAMES).
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What one run counts for: its deliveries, or one where runs are counted.
    #[must_use]
    pub fn units(&self) -> u64 {
        self.units
    }

    /// Runs it once, with the next seed; answers its steps.
    pub fn run(&mut self) -> u32 {
        (self.native)()
    }

    /// The same work as a plain loop, once for a seed; answers a sum that depends on all of it.
    #[must_use]
    pub fn bare(&self) -> Option<fn(u64) -> u64> {
        self.bare
    }
}

/// Deliveries, or firings, of a run of a workload that is measured by them.
const DELIVERIES: u32 = 100_000;
const PUTS: u32 = 1000;
/// Deliveries of `short`.
const FEW: u32 = 200;

/// The workloads, in the order of [`NAMES`](super::NAMES).
#[must_use]
pub fn workloads() -> Vec<Workload> {
    let pick = (&hops::PICK, hops::PICKS);
    let units = u64::from(DELIVERIES);
    let twist = (&timers::TWIST, timers::TWISTS);
    let crash = FaultLine {
        when: When::At(Span::ms(50)),
        fault: Fault::Down(Death::Crash, NodeId(0), Span::ms(10)),
    };
    let mut short = plan(1, FEW, &[pick]);
    short.faults.push(crash);
    let mut puts = plan(1, PUTS, &[(&NET, Odds::new(&[99, 1]))]);
    puts.run.spread = Span(0);
    vec![
        Workload { units, ..Workload::new("pingpong", &PINGPONG, plan(1, DELIVERIES, &[])) },
        Workload {
            units,
            bare: Some(|seed| bare::fan(DELIVERIES, 64, seed)),
            ..Workload::new("fan", &FAN, plan(1, DELIVERIES, &[pick]))
        },
        Workload { units, ..Workload::new("timers", &TIMERS, plan(1, DELIVERIES, &[twist])) },
        Workload { bare: Some(bare::short), ..Workload::new("short", &SHORT, short) },
        Workload {
            bare: Some(|seed| bare::replicated_kv(PUTS, seed)),
            ..Workload::new("replicated-kv", &KV, puts)
        },
    ]
}

const HOP_CHECK: &[Always<Hopper>] = &[Always { name: "steps are numbered from 1", check: always }];
const KV_CHECK: &[Always<Kv>] = &[Always { name: "steps are numbered from 1", check: always }];
const TIMER_CHECK: &[Always<Clockwork>] =
    &[Always { name: "steps are numbered from 1", check: always }];
static PINGPONG: Scenario<Hopper> = scenario("bench/pingpong", |_| hoppers(2, 1), HOP_CHECK);
static FAN: Scenario<Hopper> = scenario("bench/fan", |_| hoppers(5, 64), HOP_CHECK);
static SHORT: Scenario<Hopper> = Scenario {
    budget: |_| Budget {
        kinds: KindSet::of(&[Kind::Crash]),
        down_max: 1,
        fragile_max: 0,
        faults_max: 1,
    },
    workload: |_, _| vec![go(FEW)],
    sites: &[ModelSite { site: &hops::PICK, odds: hops::PICKS }],
    site_list: &[&hops::PICK],
    ..scenario("bench/short", |_| hoppers(5, 8), HOP_CHECK)
};
static TIMERS: Scenario<Clockwork> = scenario("bench/timers", |_| clockwork(), TIMER_CHECK);
static KV: Scenario<Kv> = scenario("bench/replicated-kv", |_| key_values(), KV_CHECK);

fn always<A: Actor>(
    _: &crate::world::World<A>,
    _: &mut A::Ghost,
    step: &crate::world::Step,
) -> Checked {
    if step.id.0 == 0 { Checked::Broken("zero", String::new()) } else { Checked::Held }
}

const fn scenario<A: Actor>(
    name: &'static str,
    topology: fn(&Config) -> Topology<A>,
    always: &'static [Always<A>],
) -> Scenario<A> {
    Scenario {
        name,
        about: "a workload of the bench",
        knobs: &[],
        tune: |_, _| {},
        budget: |_| Budget { kinds: KindSet::NONE, down_max: 1, fragile_max: 0, faults_max: 0 },
        topology,
        workload: |_, _| Vec::new(),
        read_back: |_| Vec::new(),
        always,
        eventually: &[],
        finally: &[],
        marks: &[],
        points: &[],
        bugs: &[],
        sites: &[],
        site_list: &[],
    }
}

fn hoppers(nodes: u16, flights: u32) -> Topology<Hopper> {
    let mut topology = Topology::default();
    for me in 0..nodes {
        let node = topology.server("n");
        let others = [1, 2, 3, 4].map(|after: u16| ActorId((me + after.min(nodes - 1)) % nodes));
        topology.actor(node, "", Hopper::Node { others, client: ActorId(nodes), received: 0 });
    }
    let node = topology.client("c");
    topology.actor(node, "", Hopper::Client { nodes, flights, op: None, left: 0 });
    topology
}

fn key_values() -> Topology<Kv> {
    let mut topology = Topology::default();
    let nodes =
        [topology.server("n"), topology.server("n"), topology.server("n"), topology.client("c")];
    let (client, replicas) = (ActorId(3), [ActorId(1), ActorId(2)]);
    let primary =
        Kv::Primary { table: kv::Table::default(), client, replicas, waiting: Vec::new() };
    topology.actor(nodes[0], "", primary);
    topology.actor(nodes[1], "", Kv::Replica { table: kv::Table::default() });
    topology.actor(nodes[2], "", Kv::Replica { table: kv::Table::default() });
    topology.actor(nodes[3], "", Kv::Client { primary: ActorId(0), op: None, puts: 0, at: 0 });
    topology
}

fn clockwork() -> Topology<Clockwork> {
    let mut topology = Topology::default();
    let node = topology.client("c");
    topology.actor(node, "", Clockwork { op: None, left: 0 });
    topology
}

const fn go(hops: u32) -> PlannedOp<Go> {
    PlannedOp { client: 0, number: 1, op: Go(hops) }
}

/// `short` as a scenario that a sweep can run: its plans grow from seeds, and at most one node crashes.
#[must_use]
pub fn short() -> &'static dyn Runner {
    &SHORT
}

/// A plan with one operation, `go N`.
fn plan<A: Actor<Op = Go>>(seed: u64, hops: u32, odds: &[(&Site, Odds)]) -> Plan<A> {
    Plan {
        seed,
        bugs: BugSet::NONE,
        config: Config::default(),
        run: Run {
            spread: Span::ms(9),
            horizon: Span::secs(100_000_000),
            steps_max: u32::MAX,
            ..Run::DEFAULT
        },
        down_max: 1,
        ops: vec![go(hops)],
        faults: Vec::new(),
        noise: Noise::Drawn(seed),
        odds: odds.iter().map(|(site, odds)| (site.id, *odds)).collect(),
    }
}
