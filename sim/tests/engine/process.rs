//! The lives of a node: clean stop, kill, crash, wipe, restarts in a row, and a node that ends itself.

use crate::probe::Do::{
    Abort, Append, Arm, Connect, Count, Create, FailStop, Load, Lock, Open, Point, Send, Stopped,
    Sync, SyncDir, Write, Yield,
};
use crate::probe::lab::Lab;
use crate::probe::{EDGE, Rule, word};
use seedbed_sim::fault::{Kind, NodeSet};
use seedbed_sim::id::{Incarnation, NodeId};
use seedbed_sim::time::Span;
use seedbed_sim::world::promise;

const N0: NodeId = NodeId(0);

#[test]
fn a_clean_stop_asks_every_actor_and_ends_when_all_have_stopped() {
    let slow = vec![
        ("stop", vec![Arm(word("a"), Span::ms(5)), Send(0, word("b"))]),
        ("timer a", vec![Stopped, Send(0, word("c"))]),
    ];
    let lab = Lab::new()
        .server(vec![("stop", vec![Stopped])])
        .beside("b", slow)
        .fault("at 1ms: stop n0 for 3ms")
        .run();
    // The first one has stopped, and still hears what comes; the last effect of the second one is refused.
    assert_eq!(lab.story(), "n0 stop, n0.b stop, n0 b, n0.b timer a", "{}", lab.trace());
    let (last, boot) = (lab.time("n0.b timer a"), lab.times("n0 boot")[1]);
    assert_eq!(boot.0 - last.0, 3_000_001, "down for three milliseconds");
    assert_eq!(lab.world.seen(Kind::Stop), 1);
}

#[test]
fn an_actor_that_does_not_stop_is_killed_when_the_grace_is_over() {
    let lab = Lab::new()
        .server(vec![])
        .tune(|run| run.grace = Span::ms(8))
        .fault("at 1ms: stop n0 for 2ms")
        .fault("at 2ms: stop n0 for 9ms")
        .run();
    assert!(lab.trace().contains("the grace of the stop is over"));
    assert_eq!(lab.times("n0 boot")[1], Span(11_000_001), "8 ms of grace, 2 ms down");
    assert_eq!(lab.world.seen(Kind::Stop), 1, "to stop a node that stops already is nothing");
}

#[test]
fn to_say_stopped_without_being_asked_does_nothing() {
    let lab = Lab::new().server(vec![("boot", vec![Stopped, Count])]).run();
    assert_eq!(lab.story(), "n0 count 1 shared 1");
    assert!(lab.world.is_up(N0));
}

#[test]
fn a_node_restarts_again_and_again_each_time_newborn() {
    let mut lab = Lab::new().server(vec![("boot", vec![Count])]);
    for n in 0..20 {
        let death = ["crash", "kill", "stop"][n % 3];
        lab = lab.fault(&format!("at {}ms: {death} n0 for 3ms", 5 * n + 1));
    }
    let lab = lab.tune(|run| run.grace = Span::us(10)).run();
    assert_eq!(lab.times("n0 count 1 shared 1").len(), 21);
    assert_eq!(lab.world.incarnation(N0), Incarnation(21));
}

#[test]
fn a_crash_during_the_recovery_from_a_crash_starts_it_over() {
    let recovers = vec![
        ("boot", vec![Open("log")]),
        ("not found", vec![Create("log")]),
        ("opened 0", vec![Append(7)]),
        ("written", vec![SyncDir]),
        ("done", vec![Sync]),
        ("opened 7", vec![Point(&EDGE), Load]),
        ("loaded 7", vec![Point(&EDGE)]),
    ];
    let lab = Lab::new()
        .server(recovers)
        .fault("at 5ms: crash n0 for 1ms")
        .fault("on 1st edge at n0: crash n0 for 2ms")
        .fault("on 3rd edge at n0: kill n0 for 1ms")
        .run();
    // `done` answers both syncs, so that the file is synced more than once.
    let story = lab.story();
    assert!(story.starts_with("n0 not found, n0 opened 0, n0 written, n0 done"), "{story}");
    let (_, after) = story.split_once("n0 opened 7").expect("a recovery");
    let one = "n0 opened 7, n0 loaded 7";
    assert_eq!(format!("n0 opened 7{after}"), format!("n0 opened 7, {one}, {one}"));
    assert_eq!(lab.world.incarnation(N0), Incarnation(4));
}

/// A probe that tries everything that takes time, beside one on another node.
fn busy() -> Lab {
    Lab::new()
        .server(vec![
            (
                "boot",
                vec![
                    Arm(word("a"), Span::ms(1)),
                    Send(1, word("b")),
                    Send(2, word("b")),
                    Create("log"),
                    Yield(word("c")),
                    Lock(word("table")),
                    Connect(2),
                ],
            ),
            ("connected", vec![Write(3)]),
        ])
        .beside("b", vec![])
        .server(vec![("boot", vec![Send(0, word("d"))])])
}

#[test]
fn everything_that_a_slow_node_does_takes_a_multiple_of_the_time() {
    let events = [
        "n0 timer a",
        "n0.b b",
        "n1 b",
        "n0 opened 0",
        "n0 phase c",
        "n0 locked table",
        "n0 d",
        "n1 accepted",
        "n0 connected",
        "n1 readable",
    ];
    let times = |lab: Lab| {
        let lab = lab.run();
        events.map(|text| lab.time(text).0 - 1)
    };
    let calm = times(busy());
    assert_eq!(times(busy().fault("at 0ns: slow n0 x7 for 1s")), calm.map(|ns| 7 * ns));
    assert_eq!(times(busy().fault("at 0ns: slow n0 x7 for 0ns")), calm);
}

/// A probe that keeps a file: at each boot it opens or makes it, and syncs it the given way.
fn keeper(then: Vec<crate::probe::Do>) -> Vec<Rule> {
    vec![
        ("boot", vec![Open("log")]),
        ("not found", vec![Create("log")]),
        ("opened 0", vec![Append(100)]),
        ("written", then),
    ]
}

/// What the second life finds.
fn found(lab: &Lab) -> String {
    let said = lab.said();
    let boot = said.iter().rposition(|line| line == "n0 boot").expect("a second life");
    said[boot + 1].clone()
}

#[test]
fn a_crash_loses_what_was_not_synced_and_a_kill_does_not() {
    let run = |then, death: &str| {
        let lab = Lab::new().server(keeper(then)).fault(&format!("at 5ms: {death} n0 for 1ms"));
        found(&lab.tune(|run| (run.grace, run.fragile) = (Span::us(1), NodeSet::one(N0))).run())
    };
    assert_eq!(run(vec![], "crash"), "n0 not found", "not even the name was durable");
    assert_eq!(run(vec![SyncDir], "crash"), "n0 opened 0", "the name was");
    for death in ["kill", "stop"] {
        assert_eq!(run(vec![], death), "n0 opened 100", "{death}");
    }
}

#[test]
fn a_wipe_takes_what_was_synced_too_where_the_budget_gives_the_node_up() {
    let synced = || Lab::new().server(keeper(vec![SyncDir, Sync])).fault("at 5ms: wipe n0 for 1ms");
    let boots = |lab: &Lab| lab.times("n0 boot").len();
    let wiped = synced().tune(|run| run.fragile = NodeSet::one(N0)).run();
    assert_eq!((boots(&wiped), wiped.times("n0 not found").len()), (2, 2));
    assert_eq!(wiped.world.seen(Kind::Wipe), 1);
    let spared = synced().run();
    assert_eq!((boots(&spared), spared.world.seen(Kind::Wipe)), (1, 0));
    assert!(spared.trace().contains("+ wipe n0 for 1ms: refused by the budget"));
}

/// A client that has connected to a server on another node, and hears of its end.
fn linked(death: &str) -> Lab {
    Lab::new()
        .server(vec![("accepted", vec![Write(3)]), ("stop", vec![Stopped])])
        .server(vec![("boot", vec![Connect(0)])])
        .fault(&format!("at 9ms: {death} n0 for 50ms"))
        .run()
}

#[test]
fn peers_see_a_reset_after_a_kill_an_end_after_a_stop_and_silence_after_a_crash() {
    let start = "n0 accepted, n0 wrote 3, n1 connected, n1 readable";
    assert_eq!(linked("kill").story(), format!("{start}, n1 reset"));
    assert_eq!(linked("stop").story(), format!("{start}, n0 stop, n1 closed"));
    assert_eq!(linked("crash").story(), start);
}

#[test]
fn a_node_that_ends_itself_by_design_restarts_and_breaks_no_promise() {
    let lab = Lab::new()
        .server(vec![
            ("boot in 1", vec![Arm(word("a"), Span::ms(1)), Count]),
            ("timer a", vec![FailStop, Count]),
            ("boot", vec![Count]),
        ])
        .tune(|run| run.restart = Span::ms(4))
        .run();
    assert!(lab.world.broken().is_none());
    let story = "n0 count 1 shared 1, n0 timer a, n0 count 1 shared 1";
    assert_eq!(lab.story(), story);
    assert_eq!(lab.times("n0 boot")[1], Span(5_000_002));
}

#[test]
fn a_node_that_dies_of_its_own_defect_breaks_a_promise() {
    let lab = Lab::new().server(vec![("boot", vec![Abort, Count])]).run();
    let broken = lab.world.broken().expect("an abort");
    assert_eq!((broken.check, broken.class), (promise::NEVER_STOPS, "the script says so"));
    assert_eq!(lab.story(), "", "nothing happens after it");
    assert!(!lab.world.is_up(N0));
}

#[test]
fn a_node_that_is_down_is_not_struck_by_what_takes_it_down_or_stops_it() {
    let mut lab = Lab::new().server(vec![]).fault("at 1ms: crash n0 for 5ms");
    for verb in ["crash", "kill", "stop", "pause"] {
        lab = lab.fault(&format!("at 3ms: {verb} n0 for 90ms"));
    }
    let lab = lab.run();
    assert_eq!(lab.times("n0 boot")[1], Span(6_000_001));
    let seen = [Kind::Crash, Kind::Kill, Kind::Stop, Kind::Pause].map(|kind| lab.world.seen(kind));
    assert_eq!(seen, [1, 0, 0, 0]);
}

#[test]
fn a_pause_ends_although_the_node_has_missed_nothing() {
    let lab = Lab::new().server(vec![]).fault("at 1ms: pause n0 for 3ms").run();
    assert!(lab.world.all_up() && lab.trace().contains("the pause ends"), "{}", lab.trace());
}
