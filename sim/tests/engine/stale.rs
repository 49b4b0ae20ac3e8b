//! Whatever was meant for a life that is over does not reach the next one; whatever is meant for the next one does.

use crate::probe::Do::{
    Arm, Complete, Connect, Create, FailStop, Lock, Send, Unlock, Write, Yield,
};
use crate::probe::lab::Lab;
use crate::probe::{Rule, word};
use seedbed_sim::actor::{HistoryEvent, Outcome};
use seedbed_sim::time::Span;

/// One probe, alone, does this in its first life, and dies before it is answered.
fn dies(script: Vec<Rule>) -> Lab {
    Lab::new()
        .server(script)
        .server(vec![])
        .tune(|run| (run.local, run.disk) = (Span::ms(1), Span::ms(1)))
        .fault("at 500us: kill n0 for 100us")
        .run()
}

fn is_refused(lab: &Lab, story: &str) {
    assert_eq!(lab.story(), story, "{}", lab.trace());
    assert_eq!(lab.times("n0 boot").len(), 2, "it lives on");
    assert_eq!(lab.world.refused(), 1, "{}", lab.trace());
    assert!(lab.trace().contains("refused: meant for a life that is over"));
}

#[test]
fn a_message_to_an_earlier_life_of_the_receiver_is_refused() {
    let lab = Lab::new()
        .server(vec![])
        .server(vec![("boot", vec![Send(0, word("a"))])])
        .fault("at 500us: crash n0 for 100us")
        .run();
    is_refused(&lab, "");
}

#[test]
fn a_hand_over_to_an_earlier_life_is_refused() {
    let lab = Lab::new()
        .server(vec![("boot in 1", vec![Send(1, word("a"))])])
        .beside("b", vec![])
        .tune(|run| run.local = Span::ms(1))
        .fault("at 500us: crash n0 for 100us")
        .run();
    is_refused(&lab, "");
}

#[test]
fn a_timer_of_an_earlier_life_never_fires() {
    let lab = dies(vec![("boot in 1", vec![Arm(word("a"), Span::ms(1))])]);
    assert_eq!(lab.story(), "");
    // Armed again in the next life, it has one deadline, and that is the new one.
    let again = dies(vec![
        ("boot in 1", vec![Arm(word("a"), Span::ms(1))]),
        ("boot in 2", vec![Arm(word("a"), Span::ms(5))]),
    ]);
    assert_eq!(again.time("n0 timer a"), Span(5_600_001));
}

#[test]
fn a_disk_reply_to_an_earlier_life_is_refused() {
    is_refused(&dies(vec![("boot in 1", vec![Create("log")])]), "");
}

#[test]
fn a_lock_granted_to_an_earlier_life_is_refused() {
    is_refused(&dies(vec![("boot in 1", vec![Lock(word("table"))])]), "");
}

#[test]
fn a_phase_of_an_earlier_life_is_refused() {
    is_refused(&dies(vec![("boot in 1", vec![Yield(word("d"))])]), "");
}

#[test]
fn a_request_to_stop_an_earlier_life_is_refused() {
    let lab = Lab::new()
        .server(vec![])
        .fault("at 1ms: stop n0 for 9ms")
        .fault("at 1500us: crash n0 for 100us")
        .tune(|run| run.local = Span::ms(1))
        .run();
    is_refused(&lab, "");
}

#[test]
fn a_boot_that_a_crash_overtakes_is_refused() {
    // The boot event follows the restart by a nanosecond, and there the next crash already stands.
    let lab = Lab::new()
        .server(vec![])
        .fault("at 1ms: crash n0 for 1ms")
        .fault("at 2000001ns: crash n0 for 1ms")
        .run();
    is_refused(&lab, "");
    assert_eq!(lab.world.incarnation(seedbed_sim::id::NodeId(0)).0, 3);
}

/// A client connects to a server that answers with bytes, and writes back on them.
fn talkers() -> Lab {
    Lab::new()
        .server(vec![("boot in 1", vec![Connect(1)]), ("readable", vec![Write(4)])])
        .server(vec![("accepted", vec![Write(3)])])
}

#[test]
fn bytes_for_an_earlier_life_do_not_reach_the_next_one() {
    assert_eq!(
        talkers().run().story(),
        "n1 accepted, n1 wrote 3, n0 connected, n0 readable, n0 wrote 4, n1 readable"
    );
    let lab = talkers().fault("at 1500us: crash n0 for 100us").run();
    assert_eq!(lab.story(), "n1 accepted, n1 wrote 3, n1 reset", "{}", lab.trace());
}

#[test]
fn a_connection_event_that_a_pause_has_kept_is_refused_after_a_crash() {
    let lab =
        talkers().fault("at 1500us: pause n0 for 10ms").fault("at 5ms: crash n0 for 1ms").run();
    assert_eq!(lab.story(), "n1 accepted, n1 wrote 3", "{}", lab.trace());
    assert_eq!(lab.world.refused(), 2, "connected, and readable");
}

#[test]
fn a_lock_handed_on_to_a_waiter_of_an_earlier_life_is_refused() {
    let table = word("table");
    let lab = Lab::new()
        .server(vec![
            ("boot in 1", vec![Lock(table), Lock(word("a"))]),
            ("locked table", vec![Unlock(table)]),
        ])
        .beside("b", vec![("boot in 1", vec![Lock(table)])])
        .tune(|run| run.local = Span::ms(1))
        .fault("at 1500us: crash n0 for 100us")
        .run();
    assert_eq!(lab.story(), "n0 locked table, n0 locked a", "{}", lab.trace());
    assert_eq!(lab.world.refused(), 1);
}

#[test]
fn an_invoke_whose_client_is_down_is_refused_and_the_client_goes_on_with_the_next() {
    let script = vec![
        ("invoke 1", vec![Complete(Outcome::Ok(1)), FailStop]),
        ("invoke 2", vec![Complete(Outcome::Ok(2))]),
    ];
    let lab = Lab::new().client(script, &[1, 2, 2]).tune(|run| run.restart = Span(1_500_000)).run();
    assert_eq!(lab.story(), "c0 invoke 1, c0 invoke 2", "{}", lab.trace());
    assert_eq!(lab.world.not_invoked(), [(0, 2)]);
    assert_eq!(lab.world.history().events.len(), 4, "{:?}", lab.world.history());
    assert_eq!(lab.world.refused(), 1);
    assert!(lab.world.clients_are_idle());
}

#[test]
fn an_operation_whose_client_dies_stays_unknown() {
    let script = vec![("invoke 1", vec![FailStop]), ("invoke 2", vec![Complete(Outcome::Ok(2))])];
    let lab = Lab::new().client(script, &[1, 2]).tune(|run| run.restart = Span::us(10)).run();
    let [
        _,
        HistoryEvent::Completed { process: 0, outcome: Outcome::Unknown, .. },
        HistoryEvent::Invoked { process, .. },
        _,
    ] = &lab.world.history().events[..]
    else {
        panic!("{:?}", lab.world.history())
    };
    assert_ne!(*process, 0, "the client goes on as another process");
}

#[test]
fn a_message_sent_while_the_receiver_is_down_reaches_the_life_that_it_arrives_in() {
    let sends =
        vec![("boot", vec![Arm(word("a"), Span::ms(10))]), ("timer a", vec![Send(0, word("b"))])];
    let lab = Lab::new().server(vec![]).server(sends).tune(|run| run.latency = Span::ms(5));
    let after = lab.clone().fault("at 8ms: crash n0 for 4ms").run();
    assert_eq!(after.story(), "n1 timer a, n0 b");
    let during = lab.clone().fault("at 8ms: crash n0 for 40ms").run();
    assert_eq!((during.story().as_str(), during.world.refused()), ("n1 timer a", 1));
    let later_life = lab.fault("at 8ms: crash n0 for 3ms").fault("at 12ms: crash n0 for 1ms").run();
    assert_eq!((later_life.story().as_str(), later_life.world.refused()), ("n1 timer a", 1));
}

#[test]
fn a_reply_sent_after_the_restart_reaches_the_new_life() {
    let lab = Lab::new()
        .server(vec![("boot in 1", vec![Send(1, word("a"))])])
        .server(vec![
            ("a", vec![Arm(word("b"), Span::ms(5))]),
            ("timer b", vec![Send(0, word("c"))]),
        ])
        .fault("at 2ms: crash n0 for 1ms")
        .run();
    assert_eq!(lab.story(), "n1 a, n1 timer b, n0 c");
}

#[test]
fn the_boot_is_the_first_event_of_a_life_whatever_arrives_in_its_instant() {
    for arrives in [Span::ms(10), Span(10_000_001), Span(10_000_002)] {
        let lab = Lab::new()
            .server(vec![])
            .beside("b", vec![])
            .server(vec![
                ("boot", vec![Arm(word("tick"), Span(arrives.0 - 1_000_001))]),
                ("timer tick", vec![Send(0, word("a")), Send(1, word("a")), Connect(0)]),
            ])
            .fault("at 8ms: kill n0 for 2ms")
            .run();
        let said = lab.said();
        let at = |text: &str| said.iter().rposition(|line| line == text).expect(text);
        for (boot, event) in
            [("n0 boot", "n0 a"), ("n0 boot", "n0 accepted"), ("n0.b boot", "n0.b a")]
        {
            assert!(at(boot) < at(event), "{arrives}: {}", lab.trace());
        }
    }
}
