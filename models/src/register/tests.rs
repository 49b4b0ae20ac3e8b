//! The model on trial: sound without its bugs, and each bug found.

use super::{Register, bugs, mark, scenario};
use seedbed_sim::actor::{Bug, BugSet, HistoryEvent, Outcome};
use seedbed_sim::campaign::testing::{check, finds};
use seedbed_sim::check::Scenario;
use seedbed_sim::engine::{Native, Options, Verdict};
use seedbed_sim::fault::FaultLine;
use seedbed_sim::nemesis::{Noise, Plan};

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
fn no_promise_breaks_while_messages_and_nodes_are_in_trouble() {
    check(&scenario::majority(), 1_500);
}

#[test]
fn no_promise_breaks_while_disks_are_in_trouble() {
    check(&scenario::durable(), 1_500);
}

#[test]
fn each_check_is_evaluated_and_each_mark_seen() {
    for scenario in scenarios() {
        let mut native = Native::new(&scenario);
        let (mut marks, mut points) = (0, 0);
        let mut evaluated = vec![0; scenario.check_names().count()];
        for seed in 0..1_000 {
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

#[test]
fn each_bug_breaks_its_promise_within_some_hundred_seeds() {
    for bug in bugs::BUGS.iter().filter(|bug| **bug != bugs::ANSWER_TO_ANOTHER_LIFE) {
        let scenarios = scenarios();
        let credited = scenarios.iter().find(|scenario| scenario.name == bug.scenario);
        finds(credited.expect("a scenario of this model"), bug, 1_000);
    }
}

/// Runs a calm plan with these operations and faults.
fn run(seed: u64, ops: &[u32], faults: &[&str], bug: Option<&Bug>) -> Verdict {
    let scenario = scenario::majority();
    let mut plan = calm(&scenario, seed);
    let names = scenario.names(&(scenario.topology)(&plan.config));
    plan.ops.retain(|op| ops.contains(&op.number));
    plan.faults = faults.iter().map(|line| FaultLine::parse(line, &names).expect(line)).collect();
    plan.bugs = bug.map_or(BugSet::NONE, BugSet::only);
    Native::new(&scenario).run(&plan, Options::default()).verdict
}
