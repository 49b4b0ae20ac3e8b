//! Points: a fault strikes between two effects of one handler, on the n-th time over the whole run.

use crate::probe::Do::{
    Append, Arm, Clocks, Complete, Connect, Count, Create, Lock, Mark, Pick, Point, Reset, Send,
    Stopped, Yield,
};
use crate::probe::lab::Lab;
use crate::probe::{EDGE, RARE, RIM, word};
use seedbed_sim::actor::Outcome;
use seedbed_sim::time::Span;

#[test]
fn a_crash_between_two_effects_leaves_the_first_and_takes_the_second() {
    let script =
        vec![("boot", vec![Count, Send(1, word("a")), Point(&EDGE), Count, Send(1, word("b"))])];
    let lab =
        Lab::new().server(script).server(vec![]).fault("on 1st edge at n0: crash n0 for 5ms").run();
    // In its second life the probe, and what its node shares, count from one again.
    let story = "n0 count 1 shared 1, n1 a, n0 count 1 shared 1, n0 count 2 shared 2, n1 a, n1 b";
    assert_eq!(lab.story(), story);
    assert_eq!(lab.times("n0 boot")[1].0 - lab.times("n0 boot")[0].0, 5_000_001);
    assert_eq!(lab.world.incarnation(lab.world.home(seedbed_sim::id::ActorId(0))).0, 2);
    assert!(lab.world.unused().1.is_empty());
}

#[test]
fn actors_and_shared_values_are_newborn_while_their_node_is_down() {
    let mut lab = Lab::new()
        .server(vec![("boot", vec![Count])])
        .beside("b", vec![("boot", vec![Count, Count])])
        .fault("at 1ms: crash n0 for 1s");
    lab.reset();
    let (node, one, other) =
        (seedbed_sim::id::NodeId(0), seedbed_sim::id::ActorId(0), seedbed_sim::id::ActorId(1));
    lab.go_on(Span::us(10));
    assert_eq!((lab.world.actor(one).count(), lab.world.actor(other).count()), (1, 2));
    assert_eq!(*lab.world.shared(node), 3);
    lab.go_on(Span::ms(2));
    assert!(!lab.world.is_up(node));
    assert_eq!((lab.world.actor(one).count(), lab.world.actor(other).count()), (0, 0));
    assert_eq!(*lab.world.shared(node), 0);
}

#[test]
fn no_effect_of_a_handler_happens_after_its_node_has_died_in_it() {
    let rest = vec![
        Point(&EDGE),
        Send(1, word("a")),
        Send(2, word("a")),
        Arm(word("tick"), Span::us(1)),
        Lock(word("table")),
        Yield(word("d")),
        Point(&RIM),
        Mark,
        Pick,
        Connect(2),
        Create("log"),
        Append(10),
        Reset,
        Stopped,
        Clocks,
    ];
    let lab = Lab::new()
        .server(vec![("boot in 1", rest)])
        .beside("b", vec![])
        .server(vec![("accepted", vec![])])
        .fault("on 1st edge at n0: crash n0 for 1us")
        .fault("on 1st rim at n0: crash n1 for 1us")
        .run();
    assert_eq!(lab.story(), "", "{}", lab.trace());
    assert!(!lab.world.has_seen(&RARE));
    assert_eq!(lab.world.points(), 1, "the second point was not passed");
    assert_eq!(lab.world.unused().1, [1]);
    let trace = lab.trace();
    let after = trace.split_once("+ crash n0 for 1us\n").expect("it struck").1;
    let next = after.lines().next().expect("another step");
    assert!(!next.trim_start().starts_with('+'), "the next line begins a step: {next}");
}

#[test]
fn a_client_that_dies_in_its_handler_completes_nothing() {
    let lab = Lab::new()
        .client(vec![("invoke 5", vec![Point(&EDGE), Complete(Outcome::Ok(5))])], &[5])
        .fault("on 1st edge at c0: kill c0 for 1ms")
        .run();
    assert!(!lab.trace().contains("complete #1: 5"), "{}", lab.trace());
}

#[test]
fn occurrences_of_a_point_are_counted_per_node_over_the_whole_run() {
    let passes = || vec![("boot", vec![Point(&RIM), Point(&EDGE), Count])];
    let lab = Lab::new()
        .server(passes())
        .beside("b", passes())
        .server(passes())
        .fault("on 5th edge at n0: crash n0 for 7ms")
        .fault("at 10ms: kill n0 for 1ms")
        .fault("at 20ms: crash n0 for 1ms")
        .run();
    // Two probes pass it in each life, so that the fifth time is in the third life, in the first handler of two.
    let boots: Vec<u64> = lab.times("n0 boot").iter().map(|at| at.0 / 1_000_000).collect();
    assert_eq!(boots, [0, 11, 21, 28]);
    assert_eq!(lab.times("n0.b boot").len(), 3, "in the third life n0.b was not born");
    assert!(lab.world.unused().1.is_empty());
    assert_eq!(lab.times("n1 boot").len(), 1);
}

#[test]
fn a_point_that_never_comes_leaves_its_line_unused() {
    let lab = Lab::new()
        .server(vec![("boot", vec![Point(&EDGE)])])
        .server(vec![])
        .fault("on 2nd edge at n0: crash n0 for 1ms")
        .fault("on 1st edge at n1: crash n0 for 1ms")
        .fault("on 1st rim at n0: crash n0 for 1ms")
        .fault("on 1st edge at n0: pause n1 for 1ms")
        .run();
    assert_eq!(lab.world.unused().1, [0, 1, 2]);
    assert_eq!(lab.times("n0 boot").len(), 1);
}

#[test]
fn lines_on_one_occurrence_strike_in_their_order_and_may_strike_another_node() {
    let lab = Lab::new()
        .server(vec![("boot", vec![Point(&EDGE), Send(1, word("a"))])])
        .server(vec![("boot", vec![Count])])
        .fault("on 1st edge at n0: pause n1 for 3ms")
        .fault("on 1st edge at n0: crash n1 for 2ms")
        .fault("on 1st edge at n0: kill n1 for 9ms")
        .run();
    // The crash ends the pause, and a node that is down is not killed. The message waits for the life after.
    assert_eq!(lab.times("n1 count 1 shared 1").len(), 1, "{}", lab.trace());
    assert_eq!(lab.time("n1 boot"), Span(2_000_002));
    assert_eq!(lab.story(), "n1 count 1 shared 1");
    assert!(lab.world.unused().1.is_empty());
}
