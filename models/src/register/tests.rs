//! The model on trial: sound without its bugs, and each bug found.

use super::{Client, Register, bugs, checks, mark, scenario};
use seedbed_sim::actor::{BugSet, HistoryEvent, Outcome};
use seedbed_sim::campaign::testing::check;
use seedbed_sim::check::Scenario;
use seedbed_sim::engine::{Native, Options, Verdict};
use seedbed_sim::id::ActorId;
use seedbed_sim::nemesis::{Config, Noise, Plan};

fn scenarios() -> [Scenario<Register>; 2] {
    [scenario::majority(), scenario::durable()]
}

/// The plan of a seed without its trouble.
fn calm(scenario: &Scenario<Register>, seed: u64) -> Plan<Register> {
    let plan = scenario.expand(seed);
    Plan { faults: Vec::new(), noise: Noise::Lines(Vec::new()), ..plan }
}

#[test]
fn a_calm_register_answers_every_operation_at_once() {
    for scenario in scenarios() {
        let mut native = Native::new(&scenario);
        for seed in 0..50 {
            let report = native.run(&calm(&scenario, seed), Options::default());
            assert_eq!(report.verdict, Verdict::Pass);
            let unusual = [mark::RETRIED_ELSEWHERE, mark::STALE_REFUSED, mark::TORN_RECORD];
            assert!(unusual.iter().all(|mark| report.marks & (1 << mark.index) == 0));
            for event in &native.simulation().world.history().events {
                if let HistoryEvent::Completed { op, outcome, .. } = event {
                    assert!(matches!(outcome, Outcome::Ok(_)), "seed {seed}, {op:?}: {outcome:?}");
                }
            }
        }
    }
}

#[test]
fn a_register_over_a_majority_keeps_its_promises() {
    check(&scenario::majority(), 500);
}

#[test]
fn a_durable_register_keeps_its_promises() {
    check(&scenario::durable(), 500);
}

#[test]
fn each_check_is_evaluated_and_each_mark_seen() {
    for scenario in scenarios() {
        let mut native = Native::new(&scenario);
        let (mut marks, mut points) = (0, 0);
        let mut evaluated = vec![0; scenario.check_names().count()];
        for seed in 0..500 {
            let report = native.run(&scenario.expand(seed), Options::default());
            marks |= report.marks;
            points |= report.points;
            evaluated.iter_mut().zip(&report.evaluated).for_each(|(sum, n)| *sum += n);
        }
        for mark in scenario.marks {
            assert!(marks & (1 << mark.index) != 0, "{}: never `{}`", scenario.name, mark.name);
        }
        for point in scenario.points {
            assert!(points & (1 << point.index) != 0, "{}: never {}", scenario.name, point.name);
        }
        for (name, evaluated) in scenario.check_names().zip(evaluated) {
            assert!(evaluated > 0, "{}: never evaluated `{name}`", scenario.name);
        }
    }
}

/// Replicas serve and no round is under way, but the clients ask somebody who never answers.
#[test]
fn a_register_that_answers_nobody_is_seen() {
    const REPLICA: ActorId = ActorId(0);
    let topology = |config: &Config| {
        let values = config.values.iter().map(|(knob, value)| match *knob {
            "clients" => (*knob, 0),
            _ => (*knob, *value),
        });
        let mut topology = (scenario::majority().topology)(&Config { values: values.collect() });
        for _ in 0..config.get("clients") {
            let node = topology.client("c");
            topology.actor(node, "client", Register::Client(Client::new(vec![REPLICA])));
        }
        topology
    };
    let scenario = Scenario { topology, ..scenario::majority() };
    let verdict = Native::new(&scenario).run(&calm(&scenario, 0), Options::default()).verdict;
    let Verdict::Broken(violation) = verdict else { panic!("{verdict:?}") };
    assert_eq!((violation.check, violation.class), (checks::READABLE, "unreadable"));
}

#[test]
fn each_bug_breaks_its_promise_within_some_thousand_seeds() {
    for bug in bugs::BUGS {
        let scenarios = scenarios();
        let credited = scenarios.iter().find(|scenario| scenario.name == bug.scenario);
        let scenario = credited.expect("a scenario of this model");
        let mut native = Native::new(scenario);
        let mut breaks = |seed: &u64| {
            let plan = Plan { bugs: BugSet::only(bug), ..scenario.expand(*seed) };
            let verdict = native.run(&plan, Options::default()).verdict;
            matches!(verdict, Verdict::Broken(violation) if violation.check == bug.breaks)
        };
        let found = (0..10_000).find(|seed| breaks(seed));
        assert!(found.is_some(), "{} does not find {}", scenario.name, bug.name);
    }
}
