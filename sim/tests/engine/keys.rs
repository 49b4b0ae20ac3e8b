//! Decisions are keyed by who and what: what is taken out of a plan does not re-roll the rest, and noise that was drawn can
//! be written down.

use crate::probe::Do::{Arm, Disarm, Finish, Send, Yield};
use crate::probe::busy::BUSY;
use crate::probe::lab::Lab;
use crate::probe::{Probe, Rule, SAME, about};
use seedbed_sim::actor::Outcome;
use seedbed_sim::choose::{Decision, Key};
use seedbed_sim::engine::{Native, Options, Progress, Verdict};
use seedbed_sim::nemesis::{Noise, Plan};
use seedbed_sim::net::NET;
use seedbed_sim::time::Span;
use seedbed_sim::world::{SCHEDULE, THINK, TIE};
use std::collections::BTreeMap;

/// Everything that a run asks, and what it is answered.
fn questions(native: &mut Native<'_, Probe>, plan: &Plan<Probe>) -> BTreeMap<(u16, Key), u32> {
    let simulation = native.prepare(plan, Options::default());
    simulation.world.observe_decisions();
    simulation.reset(&BUSY, &(BUSY.topology)(&plan.config), plan);
    while simulation.advance(&BUSY, plan) != Progress::Over {}
    let mut asked = BTreeMap::new();
    for Decision { site, key, outcome } in simulation.world.take_decisions() {
        let before = asked.insert((site, key), outcome);
        assert!(before.is_none_or(|before| before == outcome), "asked twice, answered once");
    }
    asked
}

#[test]
fn no_decision_of_a_plan_changes_when_an_operation_is_taken_out() {
    let mut native = Native::new(&BUSY);
    let (mut common, mut unusual) = (0_u64, 0_u64);
    for seed in 0..100 {
        let plan = BUSY.expand(seed);
        let asked = questions(&mut native, &plan);
        for without in 0..plan.ops.len() {
            let mut fewer = plan.clone();
            fewer.ops.remove(without);
            for (question, outcome) in questions(&mut native, &fewer) {
                let Some(before) = asked.get(&question) else { continue };
                assert_eq!(*before, outcome, "seed {seed} without {without}: {question:?}");
                common += 1;
                unusual += u64::from(outcome != 0);
            }
        }
    }
    assert!(
        common > 100_000 && unusual > 10_000,
        "{common} questions in common, {unusual} unusual"
    );
}

/// Clients whose operations have nothing to do with each other: each asks a server, which hands the question on to a
/// neighbour, who answers; the client asks again until it is answered.
fn errands(seed: u64) -> Lab {
    let (put, copy, ack) = (about("put", SAME), about("copy", SAME), about("ack", SAME));
    let retry = about("retry", SAME);
    let asks: Vec<u64> = vec![0; 6];
    // Operations of both clients have numbers of their own: the second one's words are `b` instead of `a`.
    let client = |to: u16| -> Vec<Rule> {
        vec![
            ("invoke", vec![Send(to, put), Arm(retry, Span::ms(6)), Yield(about("d", SAME))]),
            ("timer retry", vec![Send(to, put), Arm(retry, Span::ms(6))]),
            ("ack", vec![Disarm(retry), Finish(Outcome::Ok(1))]),
        ]
    };
    let front = |beside| vec![("put", vec![Send(beside, copy)])];
    let back = |client| vec![("copy", vec![Send(client, ack)])];
    Lab::new()
        .server(front(1))
        .beside("b", back(4))
        .server(front(3))
        .beside("b", back(5))
        .client(client(0), &asks)
        .client(client(2), &asks)
        .draw(seed, &NET, &[60, 15, 5, 5, 0, 5, 5, 5])
        .draw(seed, &TIE, &[3, 1, 1])
        .draw(seed, &SCHEDULE, &[3, 1, 1])
        .draw(seed, &THINK, &[3, 1, 1])
}

/// In order, as they are asked.
type Asked = Vec<((u16, Key), u32)>;

/// The questions that are not about this operation of the first client: neither from nor to it, or about another number.
fn of_others(lab: &mut Lab, number: u64) -> Asked {
    lab.world.observe_decisions();
    lab.reset();
    lab.go_on(Span::secs(100));
    let asked = lab.world.take_decisions();
    let about = |key: &Key| {
        let second =
            [2, 3, 5].contains(&(key.who >> 48)) || [2, 3, 5].contains(&(key.who >> 32 & 0xffff));
        !second && (key.what == number || (key.what == 0 && key.which == number))
    };
    let others = asked.into_iter().filter(|asked| !about(&asked.key));
    others.map(|asked| ((asked.site, asked.key), asked.outcome)).collect()
}

#[test]
fn operations_that_have_nothing_to_do_with_each_other_share_no_decision() {
    for seed in 0..100 {
        let mut lab = errands(seed);
        for number in 1..=6 {
            let before = of_others(&mut lab, number);
            let mut fewer = lab.clone();
            fewer.plan.ops.retain(|op| (op.client, u64::from(op.number)) != (0, number));
            let after = of_others(&mut fewer, number);
            assert!(before.len() > 60, "{}", before.len());
            let lost: Vec<_> = before.iter().filter(|asked| !after.contains(asked)).collect();
            let new: Vec<_> = after.iter().filter(|asked| !before.contains(asked)).collect();
            assert!(
                lost.is_empty() && new.is_empty(),
                "seed {seed} without {number}: {lost:?} {new:?}"
            );
        }
    }
}

#[test]
fn noise_written_down_runs_like_the_same_noise_drawn() {
    let mut native = Native::new(&BUSY);
    let mut lines = 0;
    for seed in 0..200 {
        let mut plan = BUSY.expand(seed);
        if seed % 3 == 0 {
            plan.noise = Noise::Drawn(seed + 7_000);
        }
        let drawn = native.run(&plan, Options { decisions: true, ..Options::default() });
        lines += drawn.decisions.len();
        plan.noise = Noise::Lines(drawn.decisions);
        let written = native.run(&plan, Options { decisions: true, ..Options::default() });
        assert_eq!(written.digest, drawn.digest, "seed {seed}");
        assert_eq!(written.verdict, drawn.verdict);
        assert!(written.unused.noise.is_empty(), "seed {seed}: {:?}", written.unused.noise);
        let Noise::Lines(given) = &plan.noise else { unreachable!("just given") };
        assert_eq!(&written.decisions, given, "seed {seed}: the same decisions in the same order");
    }
    assert!(lines > 5_000, "{lines}");
}

#[test]
fn noise_that_nobody_asks_for_is_reported() {
    let mut plan = BUSY.expand(1);
    let stray = Decision { site: NET.id, key: Key::stream(9, 9, 9, 9, 9), outcome: 1 };
    plan.noise = Noise::Lines(vec![stray]);
    let report = Native::new(&BUSY).run(&plan, Options::default());
    assert_eq!(report.verdict, Verdict::Pass);
    assert_eq!(report.unused.noise, [stray]);
}
