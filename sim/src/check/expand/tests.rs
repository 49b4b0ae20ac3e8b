use crate::check::Scenario;
use crate::check::tiny::{self, FILED, SCENARIO, Tiny};
use crate::disk::ClassSet;
use crate::fault::{Fault, FaultLine, Kind, KindSet, When};
use crate::nemesis::{Budget, Noise, Plan, noise_sites};
use crate::time::Span;

const PLANS: u64 = 2_000;

fn plans() -> impl Iterator<Item = Plan<Tiny>> {
    (0..PLANS).map(|seed| SCENARIO.expand(seed))
}

/// The kinds that a plan has on, as far as the plan shows it.
fn kinds_of(plan: &Plan<Tiny>) -> KindSet {
    let mut kinds = KindSet::NONE;
    for line in &plan.faults {
        kinds = kinds.with(line.fault.kind());
    }
    for row in noise_sites() {
        let odds = plan.odds.iter().find(|(site, _)| *site == row.site);
        let weight = odds.and_then(|(_, odds)| odds.weights().nth(usize::from(row.first)));
        if weight.unwrap_or(0) > 0 {
            kinds = kinds.with(row.kind);
        }
    }
    kinds
}

#[test]
fn every_kind_appears_and_noise_is_off_in_about_half_of_the_plans() {
    let mut times = [0_u64; Kind::CATALOGUE.len()];
    for plan in plans() {
        kinds_of(&plan).iter().for_each(|kind| times[kind as usize] += 1);
    }
    for (times, (kind, name, _)) in times.into_iter().zip(Kind::CATALOGUE) {
        let share =
            if kind.is_fault() { PLANS / 50..PLANS / 2 } else { PLANS * 2 / 5..PLANS * 3 / 5 };
        assert!(share.contains(&times), "{name}: {times} of {PLANS}");
    }
}

#[test]
fn a_plan_keeps_within_its_budget() {
    for plan in plans() {
        let budget = tiny::budget(&plan.config);
        let servers = (SCENARIO.topology)(&plan.config).servers();
        assert!(plan.faults.len() <= budget.faults_max as usize);
        assert!(plan.run.fragile.len() <= budget.fragile_max);
        assert_eq!(plan.run.fragile.0 & !servers.0, 0);
        for FaultLine { when, fault } in &plan.faults {
            if let Fault::Down(crate::fault::Death::Wipe, node, _) = fault {
                assert!(plan.run.fragile.has(*node), "only fragile nodes are wiped");
            }
            if !matches!(fault, Fault::Link(..) | Fault::Conn(..)) {
                assert_eq!(fault.nodes().0 & !servers.0, 0, "clients are left alone");
            }
            match when {
                When::At(at) if fault.kind() == Kind::Skew => assert_eq!(*at, Span(0)),
                When::At(at) => assert!((plan.run.calm..plan.run.horizon).contains(at)),
                When::On { nth, point, node } => {
                    assert!(*nth > 0 && *point < 2 && servers.has(*node));
                }
            }
        }
    }
}

#[test]
fn classes_of_files_are_given_up_where_nodes_are_and_move_nothing_else() {
    let mut drawn = [0; 4];
    for seed in 0..PLANS {
        for (plan, without) in [
            (FILED.expand(seed), SCENARIO.expand(seed)),
            (FILED.expand_control(seed), SCENARIO.expand_control(seed)),
        ] {
            let some = plan.run.fragile_files;
            assert!(without.run.fragile_files.is_empty(), "no class, no draw");
            assert_eq!(some.is_empty(), plan.run.fragile.is_empty());
            drawn[usize::try_from(some.0).expect("two classes")] += 1;
            assert_eq!((plan.run.fragile, &plan.ops), (without.run.fragile, &without.ops));
            let wiped = kinds_of(&plan).has(Kind::Wipe);
            assert!(!wiped || some == ClassSet::all(2), "seed {seed}: a wipe takes all files");
            if some == ClassSet::all(2) || some.is_empty() {
                let run = crate::nemesis::Run { fragile_files: some, ..without.run };
                assert_eq!(plan, Plan { run, ..without }, "seed {seed}");
            }
        }
    }
    assert!(drawn.iter().all(|n| *n > PLANS / 5), "{drawn:?}");
}

fn allowing(kinds: KindSet, down_max: u32, fragile_max: u32) -> Budget {
    Budget { kinds, down_max, fragile_max, faults_max: 3 }
}

fn with_budget(budget: fn(&crate::nemesis::Config) -> Budget) -> Scenario<Tiny> {
    Scenario { budget, ..SCENARIO }
}

#[test]
fn a_kind_that_the_budget_does_not_allow_never_comes() {
    let few = KindSet::of(&[Kind::Crash, Kind::Delay, Kind::Wipe, Kind::Rot]);
    let scenario = with_budget(|_| {
        allowing(KindSet::of(&[Kind::Crash, Kind::Delay, Kind::Wipe, Kind::Rot]), 1, 1)
    });
    let unforgiving = with_budget(|_| allowing(tiny::all_kinds(), 0, 0));
    let nothing = with_budget(|_| allowing(KindSet::NONE, 1, 1));
    for seed in 0..500 {
        for plan in [scenario.expand(seed), scenario.expand_control(seed)] {
            assert!(kinds_of(&plan).minus(few).is_empty() && plan.faults.len() <= 3);
        }
        for plan in [unforgiving.expand(seed), unforgiving.expand_control(seed)] {
            let away = [Kind::Crash, Kind::Kill, Kind::Stop, Kind::Wipe, Kind::Pause];
            let kinds = kinds_of(&plan);
            assert!(away.iter().all(|kind| !kinds.has(*kind)), "nobody may be away");
            assert!(!kinds.has(Kind::Rot) && !kinds.has(Kind::Misdirect), "nothing may be damaged");
        }
        assert!(nothing.expand(seed).faults.is_empty());
        assert!(kinds_of(&nothing.expand(seed)).is_empty());
    }
}

#[test]
fn the_workload_does_not_depend_on_the_trouble_nor_the_trouble_on_bugs() {
    let calm = with_budget(|_| allowing(KindSet::NONE, 1, 1));
    for seed in 0..500 {
        let (plan, calm, control) =
            (SCENARIO.expand(seed), calm.expand(seed), SCENARIO.expand_control(seed));
        assert_eq!((&plan.ops, &plan.config), (&calm.ops, &calm.config));
        assert_eq!((&plan.ops, &plan.config), (&control.ops, &control.config));
        assert_eq!(plan.run.start, calm.run.start);
        assert_eq!(plan.noise, Noise::Drawn(seed));
        assert!(plan.ops.is_sorted_by_key(|op| (op.client, op.number)));
        assert_eq!(plan, Scenario { bugs: &[], ..SCENARIO }.expand(seed));
    }
}

#[test]
fn the_workload_may_come_in_any_order() {
    let reversed = Scenario {
        workload: |config, draw| {
            let mut ops = (SCENARIO.workload)(config, draw);
            ops.reverse();
            ops
        },
        ..SCENARIO
    };
    assert_eq!(reversed.expand(3).ops, SCENARIO.expand(3).ops);
}

#[test]
fn the_control_arm_has_every_kind_at_one_rate_and_no_points() {
    let mut counts = [0_u64; Kind::CATALOGUE.len()];
    for seed in 0..PLANS {
        let plan = SCENARIO.expand_control(seed);
        assert_eq!(plan.faults.len(), 12, "as many as the budget allows");
        assert!(plan.faults.iter().all(|line| matches!(line.when, When::At(_))));
        kinds_of(&plan).iter().for_each(|kind| counts[kind as usize] += 1);
    }
    for (count, (kind, name, _)) in counts.into_iter().zip(Kind::CATALOGUE) {
        let share = if kind.is_fault() { PLANS * 2 / 5..PLANS * 3 / 5 } else { PLANS..PLANS + 1 };
        assert!(share.contains(&count), "{name}: {count} of {PLANS}");
    }
}
