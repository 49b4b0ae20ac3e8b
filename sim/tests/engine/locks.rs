//! Locks: held over steps, given on by choice, freed by a crash; and the two ends that a run comes to by itself.

use crate::probe::Do::{Arm, Lock, Send, Unlock};
use crate::probe::lab::{Lab, key};
use crate::probe::word;
use seedbed_sim::actor::Family;
use seedbed_sim::time::Span;
use seedbed_sim::world::{Stepped, WAITER, promise};

/// One probe holds a lock for a millisecond, and three on its node wait for it.
fn queue() -> Lab {
    let table = word("table");
    let waits = |after| {
        vec![
            ("boot", vec![Arm(word("a"), Span::us(after))]),
            ("timer a", vec![Lock(table)]),
            ("locked table", vec![Unlock(table)]),
        ]
    };
    Lab::new()
        .server(vec![
            ("boot", vec![Lock(table)]),
            ("locked table", vec![Arm(word("b"), Span::ms(1))]),
            ("timer b", vec![Unlock(table)]),
        ])
        .beside("b", waits(10))
        .beside("c", waits(20))
        .beside("d", waits(30))
}

/// Who got the lock, in order.
fn owners(lab: &Lab) -> String {
    let mut said = lab.said();
    said.retain(|line| line.ends_with("locked table"));
    said.join(", ").replace(" locked table", "")
}

#[test]
fn a_lock_is_held_over_steps_and_goes_to_the_first_who_came() {
    let lab = queue().run();
    assert_eq!(owners(&lab), "n0, n0.b, n0.c, n0.d");
    let (freed, next) = (lab.time("n0 timer b"), lab.time("n0.b locked table"));
    assert!(lab.time("n0.b timer a") < freed && freed < next, "{}", lab.trace());
}

#[test]
fn a_lock_goes_to_another_waiter_by_choice() {
    let of = |owner, n| key(Family::Lock, (owner, owner), word("table"), n);
    assert_eq!(owners(&queue().force(&WAITER, of(0, 1), 1).run()), "n0, n0.c, n0.b, n0.d");
    let lab = queue().force(&WAITER, of(0, 1), 2).force(&WAITER, of(3, 1), 1).run();
    assert_eq!(owners(&lab), "n0, n0.d, n0.c, n0.b");
    assert_eq!(lab.world.seen(seedbed_sim::fault::Kind::Waiter), 2);
}

#[test]
fn a_choice_that_comes_round_to_the_first_waiter_is_not_seen_as_another() {
    // Three wait, so the "4th" is the first.
    let lab = queue().force(&WAITER, key(Family::Lock, (0, 0), word("table"), 1), 3).run();
    assert_eq!(owners(&lab), "n0, n0.b, n0.c, n0.d");
    assert_eq!(lab.world.seen(seedbed_sim::fault::Kind::Waiter), 0);
}

#[test]
fn both_causes_of_a_lock_stand_in_the_trace() {
    let lab = queue().run();
    let trace = lab.trace();
    let line = trace.lines().find(|line| line.contains("n0.b locked table")).expect("granted");
    let (_, causes) = line.split_once("  <- ").expect("causes");
    let step_of = |text: &str| {
        let line = trace.lines().find(|line| line.contains(text)).expect(text);
        line.split_whitespace().next().expect("a number").to_string()
    };
    assert_eq!(causes, format!("{} {}", step_of("n0 timer b"), step_of("n0.b timer a")));
}

#[test]
fn a_crash_frees_the_locks_of_its_node_and_forgets_who_waited() {
    let lab = queue().fault("at 500us: crash n0 for 100us").run();
    // In the second life nobody has to wait for what the first one held.
    let (boot, locked) = (lab.times("n0 boot")[1], lab.times("n0 locked table")[1]);
    assert!(locked.0 - boot.0 <= Span::us(1).0, "{}", lab.trace());
    assert_eq!(owners(&lab), "n0, n0, n0.b, n0.c, n0.d");
}

#[test]
fn locks_of_one_name_on_two_nodes_are_two_locks() {
    let takes = || vec![("boot", vec![Lock(word("table"))])];
    let lab = Lab::new().server(takes()).server(takes()).run();
    assert_eq!(owners(&lab), "n0, n1");
}

#[test]
fn a_deadlock_ends_the_run_by_name() {
    let (left, right) = (word("a"), word("b"));
    let takes = |first, second, one: &'static str| {
        vec![("boot", vec![Lock(first)]), (one, vec![Lock(second)])]
    };
    let lab = Lab::new()
        .server(takes(left, right, "locked a"))
        .beside("b", takes(right, left, "locked b"))
        .run();
    let broken = lab.world.broken().expect("a deadlock");
    assert_eq!((broken.check, broken.class), (promise::NO_DEADLOCK, "deadlock"));
    assert_eq!(broken.detail, "n0.b waits for a for ever");
}

#[test]
fn an_actor_that_waits_for_its_own_lock_is_a_deadlock_too() {
    let lab = Lab::new()
        .server(vec![("boot", vec![Lock(word("a"))]), ("locked a", vec![Lock(word("a"))])])
        .run();
    assert_eq!(lab.world.broken().map(|b| b.check), Some(promise::NO_DEADLOCK));
}

/// How many steps there are until two probes, of which each answers a message with two, have made no progress.
fn storm(boot: Vec<crate::probe::Do>, timer: Vec<crate::probe::Do>) -> u32 {
    let doubles = |to| ("a", vec![Send(to, word("a")); 2]);
    let mut lab = Lab::new()
        .server(vec![("boot", boot), ("timer b", timer), doubles(1)])
        .beside("b", vec![doubles(0)])
        .tune(|run| run.local = Span(1));
    lab.world.reset(&lab.topology, &lab.plan);
    while lab.world.broken().is_none() && lab.world.steps() < 1_000_000 {
        lab.world.step();
    }
    let broken = lab.world.broken().expect("no progress");
    assert_eq!((broken.check, broken.class), (promise::PROGRESS, "no progress"));
    lab.world.steps()
}

#[test]
fn too_many_events_within_a_microsecond_end_the_run_as_no_progress() {
    // Nobody looks after each event, so it may be a few thousand more.
    let enough = 100_001..=100_000 + 2 * 4096;
    let at_once = storm(vec![Send(1, word("a"))], vec![]);
    assert!(enough.contains(&at_once), "{at_once}");
    let later = storm(vec![Arm(word("b"), Span::ms(5))], vec![Send(1, word("a"))]);
    assert!(enough.contains(&later), "{later}");
}

#[test]
fn a_hundred_thousand_events_within_a_microsecond_are_progress() {
    let mut lab = Lab::new()
        .server(vec![("boot", vec![Send(1, word("a")); 99_990])])
        .beside("b", Vec::new())
        .tune(|run| run.local = Span(1));
    lab.world.reset(&lab.topology, &lab.plan);
    while lab.world.step() != Stepped::Idle {}
    assert!(lab.world.steps() > 99_990 && lab.world.broken().is_none());
}
