//! A run is a value: cloned, repeated, watched or interrupted, it comes to the same.

use crate::probe::Do::{Append, Arm, Complete, Count, Create, Disarm, Lock, Panic, Send};
use crate::probe::busy::{BUSY, bare};
use crate::probe::lab::calm_plan;
use crate::probe::{Ask, Probe, Rule, word};
use seedbed_sim::actor::Outcome;
use seedbed_sim::check::{Always, Checked, Eventually, Finally, Scenario};
use seedbed_sim::engine::{Native, Options, Progress, Report, Simulation, Verdict};
use seedbed_sim::fault::{FaultLine, Kind};
use seedbed_sim::id::{ActorId, NodeId};
use seedbed_sim::nemesis::{Config, Knob, Plan, PlannedOp};
use seedbed_sim::time::Span;
use seedbed_sim::world::{Topology, promise};

/// Runs on to the end, and answers what it came to.
fn finish(simulation: &mut Simulation<Probe>, plan: &Plan<Probe>) -> (u64, Verdict) {
    while simulation.advance(&BUSY, plan) != Progress::Over {}
    (simulation.world.digest(), simulation.verdict().expect("it is over").clone())
}

/// A plan of one client with these numbers to be asked.
fn asks(numbers: &[u64]) -> Plan<Probe> {
    let ops =
        numbers.iter().zip(1..).map(|(ask, number)| PlannedOp { client: 0, number, op: Ask(*ask) });
    Plan { ops: ops.collect(), ..calm_plan() }
}

#[test]
fn a_world_cloned_at_any_step_goes_on_alike() {
    let mut native = Native::new(&BUSY);
    let mut worlds = 0;
    for seed in 0..20 {
        let plan = BUSY.expand(seed);
        let report = native.run(&plan, Options::default());
        if report.steps > 500 {
            continue;
        }
        worlds += 1;
        let simulation = native.prepare(&plan, Options::default());
        let mut clones = 0;
        loop {
            let end = finish(&mut simulation.clone(), &plan);
            assert_eq!(end, (report.digest, report.verdict.clone()), "seed {seed}, clone {clones}");
            clones += 1;
            if simulation.advance(&BUSY, &plan) == Progress::Over {
                break;
            }
        }
        assert!(clones > report.steps, "one at each step, and the first before them all");
    }
    assert!(worlds >= 3, "{worlds} of the plans are short");
}

/// What a run came to, without what was merely kept of it.
fn outcome(report: &Report) -> impl PartialEq + std::fmt::Debug + use<> {
    let Report { verdict, digest, steps, virtual_time, seen, evaluated, unused, .. } =
        report.clone();
    (verdict, digest, steps, virtual_time, seen, evaluated, unused)
}

#[test]
fn a_reused_engine_gives_the_same_runs_as_a_fresh_one_in_any_order() {
    let fresh: Vec<_> = (0..80)
        .map(|seed| outcome(&Native::new(&BUSY).run(&BUSY.expand(seed), Options::default())))
        .collect();
    let mut reused = Native::new(&BUSY);
    for seed in (0..80).rev().chain([5, 5, 79, 5]) {
        let report = reused.run(&BUSY.expand(seed), Options::default());
        let expected = &fresh[usize::try_from(seed).expect("a small seed")];
        assert!(outcome(&report) == *expected, "seed {seed}: {report:?}, {expected:?}");
    }
}

#[test]
fn what_is_kept_of_a_run_changes_nothing_of_it() {
    let all =
        Options { trace: Some(usize::MAX), decisions: true, step_digests: true, stop_after: None };
    let some = [
        Options { trace: Some(usize::MAX), ..Options::default() },
        Options { trace: Some(3), ..Options::default() },
        Options { decisions: true, ..Options::default() },
        Options { step_digests: true, ..Options::default() },
        all,
    ];
    let mut native = Native::new(&BUSY);
    for seed in 0..30 {
        let plan = BUSY.expand(seed);
        let plain = native.run(&plan, Options::default());
        for options in some {
            let report = native.run(&plan, options);
            assert!(outcome(&report) == outcome(&plain), "seed {seed}, {options:?}");
        }
        let digests = native.run(&plan, all).step_digests;
        assert_eq!(digests.len(), plain.steps as usize);
        let half = Options { stop_after: Some(plain.steps / 2), ..Options::default() };
        let stopped = native.run(&plan, half);
        assert_eq!(
            stopped.digest,
            digests[stopped.steps as usize - 1],
            "of the step it stopped at"
        );
    }
}

#[test]
fn every_kind_of_trouble_comes_up_in_drawn_plans() {
    let mut native = Native::new(&BUSY);
    let mut missing: Vec<Kind> = Kind::CATALOGUE.iter().map(|(kind, ..)| *kind).collect();
    for seed in 0..1500 {
        let report = native.run(&BUSY.expand(seed), Options::default());
        missing.retain(|kind| report.seen[*kind as usize] == 0);
        if missing.is_empty() {
            return;
        }
    }
    panic!("never seen: {missing:?}");
}

fn one_client(script: Vec<Rule>) -> Topology<Probe> {
    let mut topology = Topology::default();
    let node = topology.client("c");
    topology.actor(node, "", Probe::new(script));
    topology
}

static FRAGILE: Scenario<Probe> = bare("probe/fragile", |_| {
    one_client(vec![
        ("invoke 13", vec![Create("log"), Panic]),
        ("invoke", vec![Create("log"), Complete(Outcome::Ok(1))]),
        ("opened 0", vec![Append(10)]),
    ])
});

#[test]
fn a_panic_in_a_handler_is_a_finding_and_the_engine_goes_on() {
    let mut native = Native::new(&FRAGILE);
    let before = native.run(&asks(&[1, 2]), Options::default());
    assert_eq!(before.verdict, Verdict::Pass);
    let report =
        native.run(&asks(&[1, 13, 2]), Options { trace: Some(usize::MAX), ..Options::default() });
    let Verdict::Broken(violation) = &report.verdict else { panic!("{:?}", report.verdict) };
    assert_eq!((violation.check, violation.class), (promise::NO_PANIC, "panic"));
    assert_eq!(violation.detail, "the script says so");
    assert!(
        report.trace.last().is_some_and(|line| line.contains("create log")),
        "{:?}",
        report.trace
    );
    for _ in 0..2 {
        assert!(outcome(&native.run(&asks(&[1, 2]), Options::default())) == outcome(&before));
    }
    let again = native.run(&asks(&[1, 13, 2]), Options::default());
    assert_eq!((again.verdict, again.digest), (report.verdict, report.digest));
}

static ENDLESS: Scenario<Probe> = Scenario {
    always: &[Always { name: "nobody ticks", check: |_, _, _| Checked::Skipped }],
    eventually: &[Eventually {
        name: "the probe has counted to three",
        check: |world, _| match world.actor(ActorId(0)).count() {
            3.. => Ok(()),
            n => Err(format!("it has counted to {n}")),
        },
        bound: |_| Span::ms(300),
    }],
    ..bare("probe/endless", |_| {
        let tick = || Arm(word("tick"), Span::ms(1));
        one_client(vec![
            ("boot", vec![tick()]),
            ("timer tick", vec![tick()]),
            ("invoke", vec![Count, Complete(Outcome::Failed)]),
        ])
    })
};

#[test]
fn a_limit_of_steps_makes_a_run_inconclusive() {
    let mut plan = asks(&[1, 1, 1]);
    plan.run.steps_max = 40;
    let report = Native::new(&ENDLESS).run(&plan, Options::default());
    assert_eq!(report.verdict, Verdict::Inconclusive("the limit of 40 steps was reached".into()));
    assert_eq!(report.steps, 40);
    let stopped = Options { stop_after: Some(30), ..Options::default() };
    let report = Native::new(&ENDLESS).run(&plan, stopped);
    assert_eq!(report.verdict, Verdict::Inconclusive("stopped as asked".into()));
    assert_eq!(report.steps, 30);
}

#[test]
fn an_eventually_that_never_holds_says_what_is_pending() {
    let report = Native::new(&ENDLESS).run(&asks(&[1, 1]), Options::default());
    let Verdict::Broken(violation) = &report.verdict else { panic!("{:?}", report.verdict) };
    assert_eq!(violation.check, "the probe has counted to three");
    assert_eq!(violation.class, "did not settle");
    assert_eq!(violation.detail, "it has counted to 2, 300ms after the heal");
    assert!(report.virtual_time > Span::ms(300) && report.virtual_time < Span::ms(320));
    assert!(report.evaluated[1] > 2, "it was asked again and again");
    let held = Native::new(&ENDLESS).run(&asks(&[1, 1, 1]), Options::default());
    assert_eq!(held.verdict, Verdict::Pass);
    // The promise is believed when it has held for the quiet span of the plan.
    assert!(held.virtual_time >= asks(&[]).run.quiet);
}

static SILENT: Scenario<Probe> = bare("probe/silent", |_| one_client(vec![]));

#[test]
fn an_operation_that_is_never_completed_breaks_a_promise_of_the_engine() {
    let report = Native::new(&SILENT).run(&asks(&[1, 2]), Options::default());
    let Verdict::Broken(violation) = &report.verdict else { panic!("{:?}", report.verdict) };
    assert_eq!(violation.check, "every operation is completed or given up");
    assert!(violation.detail.starts_with("1 operations under way"), "{}", violation.detail);
    assert_eq!(report.unused.ops, [(0, 2)]);
}

static QUIET: Scenario<Probe> = bare("probe/quiet", |_| {
    let mut topology = Topology::default();
    for _ in 0..2 {
        let node = topology.server("n");
        topology.actor(node, "", Probe::new(vec![]));
    }
    let node = topology.client("c");
    topology.actor(node, "", Probe::new(vec![("invoke", vec![Complete(Outcome::Ok(1))])]));
    topology
});

/// What a run comes to in which nothing is going on but this fault.
fn quiet(fault: &str) -> Report {
    let mut plan = asks(&[1]);
    let names = QUIET.names(&(QUIET.topology)(&plan.config));
    plan.faults.push(FaultLine::parse(fault, &names).expect(fault));
    Native::new(&QUIET).run(&plan, Options::default())
}

#[test]
fn a_pause_is_over_in_time_even_if_nothing_else_is_due() {
    let report = quiet("at 5ms: pause n0 for 2s");
    assert_eq!((report.verdict, report.seen[Kind::Pause as usize]), (Verdict::Pass, 1));
    assert!(report.virtual_time >= Span::secs(2));
}

#[test]
fn a_node_that_stays_away_for_longer_than_anybody_waits_makes_a_run_inconclusive() {
    for fault in ["at 5ms: pause n0 for 100s", "at 5ms: crash n1 for 100s"] {
        let report = quiet(fault);
        let expected = "a node is still away, 60s after the heal";
        assert_eq!(report.verdict, Verdict::Inconclusive(expected.into()), "{fault}");
    }
}

#[test]
fn a_client_that_pauses_for_longer_than_anybody_waits_makes_a_run_inconclusive() {
    let mut plan = asks(&[1]);
    plan.run.think = Span::secs(100);
    let report = Native::new(&QUIET).run(&plan, Options::default());
    let expected = "a client still pauses, 60s after the heal";
    assert_eq!(report.verdict, Verdict::Inconclusive(expected.into()));
}

/// A server that has something to do 50 ms after each boot, and a client that asks it until it is answered.
static WAITING: Scenario<Probe> = Scenario {
    eventually: &[Eventually {
        name: "the server has done its work",
        check: |world, _| match world.is_up(NodeId(0)) && world.actor(ActorId(0)).count() > 0 {
            true => Ok(()),
            false => Err("it has not".into()),
        },
        bound: |_| Span::ms(300),
    }],
    ..bare("probe/waiting", |_| {
        let (put, ack, tick, retry) = (word("put"), word("ack"), word("tick"), word("retry"));
        let mut topology = Topology::default();
        let server = topology.server("n");
        let works = vec![("boot", vec![Arm(tick, Span::ms(50))]), ("timer tick", vec![Count])];
        let answers = vec![("put", vec![Send(1, ack)])];
        topology.actor(server, "", Probe::new([works, answers].concat()));
        let client = topology.client("c");
        let asks = || vec![Send(0, put), Arm(retry, Span::secs(1))];
        topology.actor(
            client,
            "",
            Probe::new(vec![
                ("invoke", asks()),
                ("timer retry", asks()),
                ("ack", vec![Disarm(retry), Complete(Outcome::Ok(1))]),
            ]),
        );
        topology
    })
};

/// What a run comes to in which a client wants something of a server that this befalls.
fn waiting(fault: &str) -> Verdict {
    let mut plan = asks(&[1]);
    let names = WAITING.names(&(WAITING.topology)(&plan.config));
    plan.faults.push(FaultLine::parse(fault, &names).expect(fault));
    Native::new(&WAITING).run(&plan, Options::default()).verdict
}

#[test]
fn what_must_come_true_has_its_time_from_when_all_are_there_again() {
    assert_eq!(waiting("at 10ms: crash n0 for 2s"), Verdict::Pass);
    assert_eq!(waiting("at 10ms: pause n0 for 2s"), Verdict::Pass);
}

#[test]
fn an_operation_that_waits_for_a_node_that_stays_away_makes_a_run_inconclusive() {
    let expected = Verdict::Inconclusive("a node is still away, 60s after the heal".into());
    for fault in ["at 500us: crash n0 for 100s", "at 500us: pause n0 for 100s"] {
        assert_eq!(waiting(fault), expected, "{fault}");
    }
}

static UNDECIDED: Scenario<Probe> = Scenario {
    finally: &[
        Finally { name: "nobody can tell", check: |_, _, _| Err("too much to search".into()) },
        Finally {
            name: "the probe has counted",
            check: |world, _, _| match world.actor(ActorId(0)).count() {
                0 => Ok(Checked::Broken("idle", "it has not".into())),
                _ => Ok(Checked::Held),
            },
        },
        Finally { name: "nor here", check: |_, _, _| Err("no time".into()) },
    ],
    ..bare("probe/undecided", |_| {
        one_client(vec![
            ("invoke 2", vec![Count, Complete(Outcome::Ok(2))]),
            ("invoke", vec![Complete(Outcome::Ok(1))]),
        ])
    })
};

#[test]
fn a_check_that_cannot_be_decided_does_not_hide_a_promise_that_is_broken() {
    let run = |asked| Native::new(&UNDECIDED).run(&asks(&[asked]), Options::default());
    let Verdict::Broken(violation) = run(1).verdict else { panic!("{:?}", run(1).verdict) };
    assert_eq!((violation.check, violation.class), ("the probe has counted", "idle"));
    let report = run(2);
    assert_eq!(report.verdict, Verdict::Inconclusive("too much to search".into()));
    assert_eq!(report.evaluated, [0, 1, 0]);
}

static KNOTTED: Scenario<Probe> = bare("probe/knotted", |_| {
    let mut topology = Topology::default();
    let node = topology.server("n");
    let (a, b) = (word("a"), word("b"));
    let takes = |first, second, one: &'static str| -> Vec<Rule> {
        vec![("boot", vec![Lock(first)]), (one, vec![Lock(second)])]
    };
    topology.actor(node, "", Probe::new(takes(a, b, "locked a")));
    topology.actor(node, "b", Probe::new(takes(b, a, "locked b")));
    topology
});

#[test]
fn a_violation_has_the_same_words_with_and_without_a_trace() {
    let run =
        |trace| Native::new(&KNOTTED).run(&asks(&[]), Options { trace, ..Options::default() });
    let Verdict::Broken(violation) = run(None).verdict else { panic!("no deadlock") };
    assert_eq!(violation.detail, "n0.b waits for a for ever");
    assert_eq!(run(Some(usize::MAX)).verdict, Verdict::Broken(violation));
}

static BRITTLE: Scenario<Probe> = Scenario {
    knobs: &[Knob { name: "nodes", min: 0, max: 1, simplest: 1, about: "more than none" }],
    ..bare("probe/brittle", |config| {
        assert!(config.get("nodes") > 0, "a world without nodes");
        one_client(vec![("invoke", vec![Complete(Outcome::Ok(1))])])
    })
};

#[test]
fn a_panic_before_a_run_has_begun_tells_nothing_of_the_run_before() {
    let with = |nodes| Plan { config: Config { values: vec![("nodes", nodes)] }, ..asks(&[1]) };
    let fresh = Native::new(&BRITTLE).run(&with(0), Options::default());
    let Verdict::Broken(violation) = &fresh.verdict else { panic!("{:?}", fresh.verdict) };
    assert_eq!(violation.detail, "a world without nodes");
    let mut native = Native::new(&BRITTLE);
    let before = native.run(&with(1), Options::default());
    assert_eq!((before.verdict.clone(), before.steps), (Verdict::Pass, 2));
    assert!(outcome(&native.run(&with(0), Options::default())) == outcome(&fresh));
    assert!(outcome(&native.run(&with(1), Options::default())) == outcome(&before));
}
