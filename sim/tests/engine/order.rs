//! The order of events: by time, then priority, then creation; and what a hand-over keeps.

use crate::probe::Do::{
    Append, Arm, Close, Complete, Connect, Create, FailStop, Lock, Send, Sync, Unlock, Write, Yield,
};
use crate::probe::lab::{Lab, key};
use crate::probe::{about, word};
use seedbed_sim::actor::{Family, Outcome};
use seedbed_sim::net::NET;
use seedbed_sim::time::Span;
use seedbed_sim::world::{SCHEDULE, TIE};
use std::collections::BTreeSet;

/// Two senders whose messages to a third are due at the same instant.
fn tie() -> Lab {
    Lab::new()
        .server(vec![("boot", vec![Send(2, word("a"))])])
        .server(vec![("boot", vec![Send(2, word("b"))])])
        .server(vec![])
}

#[test]
fn a_tie_goes_by_creation_and_by_choice_the_other_way_round() {
    let calm = tie().run();
    assert_eq!(calm.story(), "n2 a, n2 b");
    assert_eq!(calm.time("n2 a"), calm.time("n2 b"), "it is a tie");
    let other = tie().force(&TIE, key(Family::Message, (0, 2), word("a"), 1), 1).run();
    assert_eq!(other.story(), "n2 b, n2 a");
    assert_eq!(other.time("n2 a"), calm.time("n2 a"), "priority moves nothing in time");
}

#[test]
fn events_come_by_time_then_priority_then_creation() {
    let (a, b, c, d) = (word("a"), word("b"), word("c"), word("d"));
    let lab = Lab::new()
        .server(vec![("boot", vec![Send(1, a), Send(1, b), Send(1, c), Send(1, d)])])
        .server(vec![]);
    assert_eq!(lab.clone().run().story(), "n1 a, n1 b, n1 c, n1 d");
    let of = |word| key(Family::Message, (0, 1), word, 1);
    let turned = lab.clone().force(&TIE, of(a), 2).force(&TIE, of(b), 1).run();
    assert_eq!(turned.story(), "n1 c, n1 d, n1 b, n1 a");
    // Priority weighs less than time: what is due earlier comes first, however low it stands.
    let late = lab.force(&TIE, of(a), 3).force(&NET, of(b), 5).force(&NET, of(c), 5).run();
    assert_eq!(late.story(), "n1 d, n1 a, n1 b, n1 c");
}

#[test]
fn a_timer_that_was_moved_is_asked_for_its_place_like_one_that_is_new() {
    let (a, b, c, d) = (word("a"), word("b"), word("c"), word("d"));
    // At 5 ms `a` is put off until 12 ms; at 6 ms `c` is armed for the same instant.
    let lab = Lab::new()
        .server(vec![
            ("boot", vec![Arm(a, Span::ms(5)), Arm(b, Span::ms(2))]),
            ("timer b", vec![Arm(a, Span::ms(10))]),
        ])
        .beside(
            "b",
            vec![("boot", vec![Arm(d, Span::ms(6))]), ("timer d", vec![Arm(c, Span::ms(6))])],
        );
    let calm = lab.clone().run();
    assert_eq!(calm.story(), "n0 timer b, n0.b timer d, n0 timer a, n0.b timer c");
    assert_eq!(calm.time("n0 timer a"), calm.time("n0.b timer c"), "it is a tie");
    let turned = lab.force(&TIE, key(Family::Timer, (0, 0), a, 2), 1).run();
    assert_eq!(turned.story(), "n0 timer b, n0.b timer d, n0.b timer c, n0 timer a");
}

#[test]
fn nothing_is_due_at_the_instant_of_its_cause() {
    let zero = Span(0);
    let everything = vec![
        ("boot", vec![Send(1, word("a")), Send(2, word("b")), Arm(word("tick"), zero)]),
        ("timer tick", vec![Lock(word("table")), Yield(word("d")), Create("log")]),
        ("locked table", vec![Unlock(word("table")), Connect(2)]),
        ("opened 0", vec![Append(70)]),
        ("written", vec![Sync]),
        ("done", vec![FailStop]),
    ];
    let lab = Lab::new()
        .server(everything)
        .beside("b", vec![])
        .server(vec![("accepted", vec![Write(3), Close])])
        .client(vec![("invoke 7", vec![Complete(Outcome::Ok(7))])], &[7, 7])
        .fault("at 0ns: stop n1 for 0ns")
        .tune(|run| {
            (run.latency, run.local, run.disk) = (zero, zero, zero);
            (run.think, run.restart, run.grace) = (zero, zero, zero);
        });
    let mut lab = lab;
    lab.reset();
    lab.go_on(Span::us(1));
    let steps = lab.steps();
    assert!(steps.len() > 100, "{}", lab.trace());
    for (step, at, causes) in &steps {
        for cause in causes {
            let (_, before, _) = &steps[*cause as usize - 1];
            assert!(before < at, "step {step} at the instant of its cause:\n{}", lab.trace());
        }
    }
}

/// One probe hands ten messages and phases over to another, and some to itself, beside a third that does the same.
fn neighbours(seed: u64) -> Lab {
    let many = |to| (1..=5).map(|n| Send(to, about("a", n))).chain([Yield(word("d"))]).collect();
    Lab::new()
        .server(vec![("boot", many(2)), ("phase d", many(2))])
        .beside("b", vec![("boot", many(2)), ("phase d", vec![])])
        .beside("c", vec![])
        .draw(seed, &SCHEDULE, &[2, 1, 1, 1])
        .draw(seed, &TIE, &[1, 1, 1])
}

#[test]
fn hand_overs_keep_their_order_for_each_pair_and_different_pairs_interleave() {
    let mut orders = BTreeSet::new();
    for seed in 0..200 {
        let mut lab = neighbours(seed);
        lab.reset();
        lab.go_on(Span::ms(1));
        let mut received: [Vec<u64>; 2] = [Vec::new(), Vec::new()];
        let mut order = String::new();
        for line in lab.world.trace_lines().iter().filter(|line| line.contains("message from")) {
            let from = usize::from(line.contains("message from n0.b"));
            let number = line.split_once("a#").expect("a numbered message").1;
            received[from].push(u64::from(number.as_bytes()[0] - b'0'));
            order.push(if from == 0 { 'a' } else { 'b' });
        }
        for numbers in received {
            assert!(numbers.chunks(5).all(|five| five.is_sorted()), "seed {seed}: {numbers:?}");
        }
        orders.insert(order.chars().take(6).collect::<String>());
    }
    assert!(orders.len() > 20, "the pairs interleave: {orders:?}");
}

#[test]
fn a_slow_node_keeps_the_order_of_its_hand_overs_when_it_gets_fast_again() {
    let lab = Lab::new()
        .server(vec![
            ("boot", vec![Arm(word("tick"), Span::us(1)), Arm(word("retry"), Span::us(9))]),
            ("timer tick", vec![Send(1, word("a"))]),
            ("timer retry", vec![Send(1, word("b"))]),
        ])
        .beside("b", vec![])
        .fault("at 1us: slow n0 x50 for 3us")
        .run();
    assert_eq!(lab.story(), "n0 timer tick, n0 timer retry, n0.b a, n0.b b");
}
