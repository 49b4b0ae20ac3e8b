//! A run that something from outside has reached is caught, and the step in which that happened is named.

use crate::probe::Do::{Arm, Complete, Leak, Send};
use crate::probe::busy::bare;
use crate::probe::lab::calm_plan;
use crate::probe::{Ask, Probe, word};
use seedbed_sim::actor::Outcome;
use seedbed_sim::check::Scenario;
use seedbed_sim::engine::{Native, Options, Report};
use seedbed_sim::nemesis::{Plan, PlannedOp};
use seedbed_sim::time::Span;
use seedbed_sim::world::Topology;

/// A client of a server that ticks; at the number 13 it looks at the order of a hash map.
static LEAKY: Scenario<Probe> = bare("probe/leaky", |_| {
    let tick = || Arm(word("tick"), Span::us(300));
    let mut topology = Topology::default();
    let (server, client) = (topology.server("n"), topology.client("c"));
    topology.actor(
        server,
        "",
        Probe::new(vec![("boot", vec![tick()]), ("timer tick", vec![tick()])]),
    );
    let script = vec![
        ("invoke 13", vec![Leak(0), Complete(Outcome::Ok(1))]),
        ("invoke", vec![Send(0, word("b")), Complete(Outcome::Ok(1))]),
    ];
    topology.actor(client, "", Probe::new(script));
    topology
});

fn runs(asks: &[u64]) -> [Report; 2] {
    let ops =
        asks.iter().zip(1..).map(|(ask, number)| PlannedOp { client: 0, number, op: Ask(*ask) });
    let plan = Plan { ops: ops.collect(), ..calm_plan() };
    let options = Options { trace: Some(usize::MAX), step_digests: true, ..Options::default() };
    let run = || Native::new(&LEAKY).run(&plan, options);
    [run(), run()]
}

/// The number of the first step in which two runs differ.
fn first_difference(runs: &[Report; 2]) -> Option<usize> {
    let [one, other] = runs;
    let differs = |(a, b): (&u64, &u64)| a != b;
    one.step_digests.iter().zip(&other.step_digests).position(differs).map(|at| at + 1)
}

#[test]
fn a_look_at_the_order_of_a_hash_map_is_caught_at_its_step() {
    let runs = runs(&[1, 2, 13, 4]);
    let step = first_difference(&runs).expect("two hash maps have different orders");
    assert_ne!(runs[0].digest, runs[1].digest);
    for report in &runs {
        let number = format!("{step:>6}  ");
        let line = report.trace.iter().find(|line| line.starts_with(&number)).expect("the step");
        assert!(line.contains("c0 invoke #3: ask 13"), "{line}");
    }
    let after = (step..).zip(&runs[0].step_digests[step..]).zip(&runs[1].step_digests[step..]);
    assert!(after.count() > 10, "there is more to differ after it");
}

#[test]
fn without_the_leak_the_same_runs_are_equal() {
    let runs = runs(&[1, 2, 12, 4]);
    assert_eq!(first_difference(&runs), None);
    assert_eq!((runs[0].digest, &runs[0].trace), (runs[1].digest, &runs[1].trace));
}
