//! What the history of the clients promises.

use crate::probe::Do::{Arm, Complete, Send};
use crate::probe::busy::{BUSY, CLIENTS};
use crate::probe::lab::Lab;
use crate::probe::{Probe, word};
use seedbed_sim::actor::{HistoryEvent, Outcome};
use seedbed_sim::choose::Odds;
use seedbed_sim::engine::{Native, Options};
use seedbed_sim::net::NET;
use seedbed_sim::time::{Span, Time};

/// A client that completes what it is asked after 5 ms, with an outcome by the number.
fn client() -> Vec<crate::probe::Rule> {
    let done = |outcome| vec![Complete(outcome)];
    vec![
        ("invoke 1", vec![Arm(word("a"), Span::ms(5))]),
        ("invoke 2", vec![Arm(word("b"), Span::ms(5))]),
        ("invoke 3", vec![Arm(word("c"), Span::ms(5)), Send(0, word("d"))]),
        ("timer a", done(Outcome::Ok(7))),
        ("timer b", done(Outcome::Unknown)),
        ("timer c", done(Outcome::Failed)),
    ]
}

/// `0 invoke 1 @3ms`, a line for each event.
fn lines(lab: &Lab) -> Vec<String> {
    let at = |at: &Time| Span(at.since(lab.plan.run.start).0 / 1_000_000 * 1_000_000);
    let say = |event: &HistoryEvent<Probe>| match event {
        HistoryEvent::Invoked { process, op, what, at: time } => {
            format!("{process} #{} {what} {}", op.number, at(time))
        }
        HistoryEvent::Completed { process, op, outcome, at: time } => {
            format!("{process} #{} {outcome:?} {}", op.number, at(time))
        }
    };
    lab.world.history().events.iter().map(say).collect()
}

#[test]
fn an_operation_comes_when_the_former_is_completed_and_a_new_process_after_unknown() {
    let lab = Lab::new().client(client(), &[1, 2, 3, 2, 1]).run();
    let other = 1 << 16;
    let expected = [
        "0 #1 ask 1 1ms".to_string(),
        "0 #1 Ok(7) 6ms".into(),
        "0 #2 ask 2 7ms".into(),
        "0 #2 Unknown 12ms".into(),
        format!("{other} #3 ask 3 13ms"),
        format!("{other} #3 Failed 18ms"),
        format!("{other} #4 ask 2 19ms"),
        format!("{other} #4 Unknown 24ms"),
        format!("{} #5 ask 1 25ms", 2 * other),
        format!("{} #5 Ok(7) 30ms", 2 * other),
    ];
    assert_eq!(lines(&lab), expected);
}

#[test]
fn processes_of_different_clients_are_different_for_ever() {
    let lab = Lab::new().client(client(), &[2, 2]).client(client(), &[2, 1]).run();
    let processes = |mine: bool| {
        let of = |event: &HistoryEvent<Probe>| match event {
            HistoryEvent::Invoked { process, op, .. } => {
                ((op.client.0 == 0) == mine).then_some(*process)
            }
            HistoryEvent::Completed { .. } => None,
        };
        lab.world.history().events.iter().filter_map(of).collect::<Vec<u32>>()
    };
    assert_eq!(processes(true), [0, 1 << 16]);
    assert_eq!(processes(false), [1, 1 << 16 | 1]);
}

#[test]
fn numbers_of_operations_keep_their_holes() {
    let mut lab = Lab::new().client(client(), &[1, 1, 1, 1]);
    lab.plan.ops.remove(1);
    let lab = lab.run();
    assert!(lines(&lab)[2].contains("#3"), "{:?}", lines(&lab));
    assert!(lab.world.not_invoked().is_empty());
}

#[test]
fn after_the_heal_nothing_is_invoked_but_what_the_judge_asks() {
    let mut native = Native::new(&BUSY);
    let (mut cut_short, mut unknown) = (0, 0);
    for seed in 0..150 {
        let mut plan = BUSY.expand(seed);
        // So short that some operations are left over.
        plan.run.horizon = Span::ms(20 + seed % 60);
        plan.odds.retain(|(site, _)| *site != NET.id);
        plan.odds.push((NET.id, Odds::new(&[1, 1])));
        let last = plan.ops.iter().map(|op| op.number).max().expect("operations");
        let report = native.run(&plan, Options { trace: Some(usize::MAX), ..Options::default() });
        let heal = report.trace.iter().position(|line| line.ends_with(" heal")).expect("a heal");
        for line in &report.trace[heal..] {
            if let Some((_, invoke)) = line.split_once(" invoke #") {
                let number = invoke.split(':').next().and_then(|n| n.parse::<u32>().ok());
                assert!(number > Some(last), "seed {seed}: {line}");
            }
        }
        cut_short += u32::from(!report.unused.ops.is_empty());
        unknown += check_history(&native, seed);
    }
    assert!(cut_short > 30 && unknown > 30, "{cut_short} cut short, {unknown} unknown");
}

/// For each client invocations and completions alternate, and the process changes after unknown only; how many were.
fn check_history(native: &Native<'_, Probe>, seed: u64) -> u32 {
    let (mut asked, mut unknown) = (0, 0);
    for client in 0..u32::from(CLIENTS) {
        let (mut process, mut open, mut before) = (client, None, Time(0));
        for event in &native.simulation().world.history().events {
            match event {
                HistoryEvent::Invoked { process: p, op, at, .. } if p & 0xffff == client => {
                    assert_eq!((*p, open), (process, None), "seed {seed}");
                    assert!(before < *at, "nothing is invoked at the instant of a completion");
                    (open, asked) = (Some(*op), asked + 1);
                }
                HistoryEvent::Completed { process: p, op, outcome, at } if p & 0xffff == client => {
                    assert_eq!((*p, open), (process, Some(*op)), "seed {seed}");
                    (open, before) = (None, *at);
                    if *outcome == Outcome::Unknown {
                        process += 1 << 16;
                        unknown += 1;
                    }
                }
                HistoryEvent::Invoked { .. } | HistoryEvent::Completed { .. } => {}
            }
        }
        assert_eq!(open, None, "seed {seed}: everything is completed in the end");
    }
    assert!(asked >= CLIENTS, "the judge has asked at least");
    unknown
}
