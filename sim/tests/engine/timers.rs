//! Timers and clocks: one deadline for each value, never early by the node's own clock, and what a pause does to both.

use crate::probe::Do::{Append, Arm, Clocks, Connect, Create, Disarm, Lock, Send, Write, Yield};
use crate::probe::lab::Lab;
use crate::probe::{Rule, about, word};
use seedbed_sim::choose::{Draw, Purpose};
use seedbed_sim::time::Span;

/// The readings of both clocks that a probe has noted.
fn clocks(lab: &Lab) -> Vec<(u64, u64)> {
    let read = |text: &str| {
        let (now, wall) = text.strip_prefix("now ")?.split_once(" wall ")?;
        Some((now.parse().ok()?, wall.parse().ok()?))
    };
    lab.log.iter().filter_map(|line| read(&line.text)).collect()
}

/// One probe that arms `a` at its boot, and does something else with it at the second timer, `b`, after 2 ms.
fn twice(first: Span, then: Vec<crate::probe::Do>) -> Vec<Rule> {
    let (a, b) = (word("a"), word("b"));
    vec![("boot", vec![Arm(a, first), Arm(b, Span::ms(2))]), ("timer b", then)]
}

#[test]
fn to_arm_a_timer_again_replaces_its_deadline() {
    let later = Lab::new().server(twice(Span::ms(5), vec![Arm(word("a"), Span::ms(10))])).run();
    assert_eq!(later.time("n0 timer a"), Span(12_000_001));
    let sooner = Lab::new().server(twice(Span::ms(5), vec![Arm(word("a"), Span::ms(1))])).run();
    assert_eq!(sooner.time("n0 timer a"), Span(3_000_001));
    let there_and_back =
        vec![Arm(word("a"), Span::ms(1)), Arm(word("a"), Span::ms(9)), Arm(word("a"), Span::ms(3))];
    let last = Lab::new().server(twice(Span::ms(5), there_and_back)).run();
    assert_eq!(last.time("n0 timer a"), Span(5_000_001));
}

#[test]
fn a_timer_that_is_disarmed_does_not_fire_and_can_be_armed_again() {
    let off = Lab::new().server(twice(Span::ms(5), vec![Disarm(word("a"))])).run();
    assert_eq!(off.story(), "n0 timer b");
    let on = vec![Disarm(word("a")), Disarm(word("c")), Arm(word("a"), Span::ms(3))];
    let again = Lab::new().server(twice(Span::ms(5), on)).run();
    assert_eq!(
        again.time("n0 timer a"),
        Span(5_000_001),
        "once, though its first deadline is the same"
    );
}

#[test]
fn each_value_has_a_deadline_of_its_own() {
    let arms = (1..=3).map(|n| Arm(about("retry", n), Span::ms(4 - n))).collect();
    let lab = Lab::new()
        .server(vec![("boot", arms)])
        .beside("b", vec![("boot", vec![Arm(about("retry", 1), Span::ms(5))])])
        .run();
    let story = "n0 timer retry#3, n0 timer retry#2, n0 timer retry#1, n0.b timer retry#1";
    assert_eq!(lab.story(), story);
}

/// A probe whose node's clocks drift this way and that, while it arms a timer again and again.
fn drifting(seed: u64) -> Lab {
    let tick = vec![Clocks, Arm(word("a"), Span(3_333_333))];
    let mut lab = Lab::new().server(vec![("boot", tick.clone()), ("timer a", tick)]);
    let mut draw = Draw::new(seed, Purpose::Faults);
    for _ in 0..draw.below(6) {
        let ppm = i64::try_from(draw.range(0, 600_000)).expect("a small number") - 300_000;
        let (at, span) = (draw.below(50_000_000), draw.below(20_000_000));
        lab = lab.fault(&format!("at {at}ns: drift n0 {ppm:+}ppm for {span}ns"));
    }
    lab
}

#[test]
fn no_timer_fires_early_by_its_own_clock_however_that_drifts() {
    for seed in 0..200 {
        let mut lab = drifting(seed);
        lab.reset();
        lab.go_on(Span::ms(60));
        let clocks = clocks(&lab);
        assert!(clocks.len() > 10);
        for pair in clocks.windows(2) {
            let passed = pair[1].0 - pair[0].0;
            // Each change of rate may round up by a nanosecond or two.
            assert!((3_333_333..3_333_350).contains(&passed), "seed {seed}: {passed} ns");
        }
    }
}

#[test]
fn a_drift_that_replaces_another_lasts_its_own_span() {
    let reads = (1..=4).map(|n| Arm(about("a", n), Span::ms(10 * n))).collect();
    let lab = Lab::new()
        .server(vec![("b", vec![Clocks])])
        .server(vec![("boot", reads), ("timer a", vec![Send(0, word("b"))])])
        .fault("at 0ns: drift n0 +100000ppm for 25ms")
        .fault("at 15ms: drift n0 +200000ppm for 15ms")
        .run();
    let ms: Vec<u64> = clocks(&lab).iter().map(|(now, _)| now / 100_000).collect();
    // At 11, 21, 31 and 41 ms: +10 % until 15 ms, +20 % until 30 ms, and then no more.
    assert_eq!(ms, [121, 165 + 72, 165 + 180 + 10, 165 + 180 + 110]);
}

#[test]
fn skew_and_jump_move_the_wall_and_drift_moves_both_clocks() {
    let start = 1_000_000_000;
    let script = vec![
        ("boot", vec![Clocks, Arm(word("a"), Span::ms(10)), Arm(word("b"), Span::ms(30))]),
        ("timer a", vec![Clocks]),
        ("timer b", vec![Clocks]),
    ];
    let read = |fault: &str| clocks(&Lab::new().server(script.clone()).fault(fault).run());
    let at = |ms: u64| (ms * 1_000_000 + 1, start + ms * 1_000_000 + 1);
    assert_eq!(read("at 90ms: jump n0 +1ms"), [at(0), at(10), at(30)], "calm clocks agree");
    let late = |ms: u64| (at(ms).0, at(ms).1 - 7_000_000);
    assert_eq!(
        read("at 0ns: skew n0 -7ms"),
        [late(0), late(10), late(30)],
        "from the first boot on"
    );
    assert_eq!(read("at 5ms: jump n0 -7ms"), [at(0), late(10), late(30)]);
    // A clock that runs twice as slow reaches 10 and 30 ms of its own after 20 and 60 ms.
    let slow = read("at 0ns: drift n0 -500000ppm for 1s");
    assert_eq!(slow[0].0, 1);
    assert!(slow[1].0 - slow[0].0 >= 10_000_000 && slow[1].1 - slow[0].1 == slow[1].0 - slow[0].0);
}

#[test]
fn the_monotonic_clock_counts_from_the_boot_of_each_life() {
    let script =
        vec![("boot", vec![Clocks, Arm(word("a"), Span::ms(1))]), ("timer a", vec![Clocks])];
    let lab = Lab::new().server(script).fault("at 5ms: crash n0 for 2ms").run();
    let (now, wall): (Vec<u64>, Vec<u64>) = clocks(&lab).into_iter().unzip();
    assert_eq!(now, [1, 1_000_001, 1, 1_000_001]);
    assert!(wall.is_sorted() && wall[2] == 1_007_000_001, "{wall:?}");
}

#[test]
fn the_heal_ends_a_drift() {
    let script = vec![("boot", vec![Arm(word("a"), Span::ms(30))]), ("timer a", vec![Clocks])];
    let mut lab = Lab::new()
        .server(script)
        .server(vec![("boot", vec![Arm(word("a"), Span::ms(10))])])
        .fault("at 0ns: drift n0 +500000ppm for 1s");
    lab.reset();
    lab.go_on(Span(10_000_001));
    lab.world.heal();
    lab.go_on(Span::secs(10));
    // It has gained 5 ms until then, and keeps them.
    assert_eq!(lab.time("n0 timer a"), Span(25_000_001));
    assert!(lab.trace().lines().all(|line| !line.contains("drift ends")));
}

#[test]
fn everything_overdue_is_due_at_once_after_a_pause_in_its_order() {
    let (a, b, c, table) = (word("a"), word("b"), word("c"), word("table"));
    let lab = Lab::new()
        .server(vec![
            ("boot", vec![Arm(a, Span::ms(6)), Arm(b, Span::ms(4)), Create("log"), Lock(table)]),
            ("opened 0", vec![Append(9)]),
        ])
        .beside("b", vec![("boot", vec![Lock(table), Yield(c)])])
        .server(vec![
            ("boot", vec![Arm(a, Span::ms(2)), Arm(b, Span::ms(4)), Connect(0)]),
            ("timer a", vec![Send(0, c)]),
            ("timer b", vec![Send(1, c)]),
            ("connected", vec![Write(5)]),
        ])
        .tune(|run| run.local = Span::us(3))
        .fault("at 2us: pause n0 for 20ms")
        .run();
    let end = Span(20_002_000);
    let overdue: Vec<String> = lab
        .said()
        .into_iter()
        .zip(&lab.log)
        .filter(|(_, line)| line.at.since(lab.plan.run.start) == end)
        .map(|(said, _)| said)
        .collect();
    let order = "n0 locked table, n0.b phase c, n0 opened 0, n0 accepted, n0 c, n0 readable, n0 timer b, n0.b c, n0 timer a";
    assert_eq!(overdue.join(", "), order, "{}", lab.trace());
    // What it asks for now takes its time again.
    assert_eq!(lab.time("n0 written"), Span(end.0 + 100_000));
}

#[test]
fn what_is_due_at_the_end_of_a_pause_comes_after_what_was_overdue() {
    let (a, b, c) = (word("a"), word("b"), word("c"));
    // The pause ends at 10 ms and a nanosecond: there the timer `b` and the message `c` are due, and were before it began.
    let lab = Lab::new()
        .server(vec![("boot", vec![Arm(b, Span::ms(10)), Arm(a, Span::ms(9))])])
        .server(vec![("boot", vec![Arm(a, Span::ms(8))]), ("timer a", vec![Send(0, c)])])
        .tune(|run| run.latency = Span::ms(2))
        .fault("at 8500001ns: pause n0 for 1500us")
        .run();
    assert_eq!(lab.story(), "n1 timer a, n0 timer a, n0 timer b, n0 c", "{}", lab.trace());
    let times = ["n0 timer a", "n0 timer b", "n0 c"].map(|text| lab.time(text).0);
    assert_eq!(times, [10_000_001; 3]);
}

#[test]
fn a_pause_that_is_prolonged_keeps_the_order_and_a_shorter_one_changes_nothing() {
    let (a, b, c) = (word("a"), word("b"), word("c"));
    let lab = Lab::new()
        .server(vec![("boot", vec![Arm(c, Span::ms(9)), Arm(b, Span::ms(5)), Arm(a, Span::ms(2))])])
        .fault("at 1000001ns: pause n0 for 2ms")
        .fault("at 2000001ns: pause n0 for 7ms")
        .fault("at 2500001ns: pause n0 for 1ms")
        .run();
    assert_eq!(lab.story(), "n0 timer a, n0 timer b, n0 timer c");
    assert_eq!(lab.time("n0 timer a"), Span(9_000_001));
}

#[test]
fn the_end_of_a_pause_is_a_step_unless_a_crash_has_ended_it_or_another_goes_on() {
    let ends =
        |lab: &Lab| lab.trace().lines().filter(|line| line.contains("the pause ends")).count();
    let paused = || Lab::new().server(vec![]).fault("at 1ms: pause n0 for 9ms");
    let lab = paused().run();
    assert_eq!((ends(&lab), lab.world.now().since(lab.plan.run.start)), (1, Span::ms(10)));
    assert_eq!(ends(&paused().fault("at 2ms: crash n0 for 1ms").run()), 0);
    assert_eq!(ends(&paused().fault("at 2ms: pause n0 for 20ms").run()), 1);
    assert_eq!(ends(&paused().fault("at 11ms: pause n0 for 20ms").run()), 2);
}

#[test]
fn clocks_run_on_while_their_node_stands_still() {
    let script =
        vec![("boot", vec![Clocks, Arm(word("a"), Span::ms(1))]), ("timer a", vec![Clocks])];
    let lab = Lab::new().server(script).fault("at 500us: pause n0 for 10ms").run();
    assert_eq!(clocks(&lab)[1].0, 10_500_000);
}

#[test]
fn a_timer_that_was_disarmed_or_moved_in_a_pause_obeys_when_it_goes_on() {
    let (a, b) = (word("a"), word("b"));
    // Both timers are overdue when the message arrives, which is first in line after the pause.
    let lab = Lab::new()
        .server(vec![
            ("boot", vec![Arm(a, Span::ms(3)), Arm(b, Span::ms(3))]),
            ("c", vec![Disarm(a), Arm(b, Span::ms(1))]),
        ])
        .server(vec![("boot", vec![Send(0, word("c"))])])
        .fault("at 500us: pause n0 for 10ms")
        .run();
    assert_eq!(lab.story(), "n0 c, n0 timer b", "{}", lab.trace());
    assert_eq!(lab.time("n0 timer b"), Span(11_500_000));
}

#[test]
fn a_timer_that_never_comes_and_a_pause_of_no_time_are_borne() {
    let never = Span(u64::MAX);
    for fault in [
        "at 2ms: slow n0 x1000 for 9ms",
        "at 2ms: drift n0 -500000ppm for 9s",
        "at 9ms: jump n0 +1ms",
    ] {
        let lab = Lab::new()
            .server(vec![
                ("boot", vec![Arm(word("a"), never), Arm(word("b"), Span::ms(3))]),
                ("timer b", vec![Arm(word("c"), never), Arm(word("a"), never)]),
            ])
            .fault(fault)
            .run();
        assert_eq!(lab.story(), "n0 timer b", "{fault}");
    }
    let lab = Lab::new().server(vec![]).fault("at 5ms: pause n0 for 0ns").run();
    assert!(lab.trace().contains("the pause ends"), "{}", lab.trace());
    assert_eq!(lab.world.now().since(lab.plan.run.start), Span(5_000_001));
}
