//! What seeds grow into, as text and at work.

use super::read;
use crate::campaign::seed_file::{Header, parse, print};
use crate::check::Scenario;
use crate::check::tiny::{FILED, SCENARIO, Tiny};
use crate::engine::{Native, Options};
use crate::fault::{Kind, KindSet, When};
use crate::nemesis::{Budget, Plan, noise_sites};
use crate::world::ENGINE_SITES;

fn header() -> Header {
    Header { scenario: SCENARIO.name.into(), ..Header::default() }
}

#[test]
fn expanded_plans_print_and_parse_to_themselves() {
    for seed in 0..1_000 {
        for plan in [SCENARIO.expand(seed), SCENARIO.expand_control(seed)] {
            let text = print(&SCENARIO, &header(), &plan);
            assert_eq!(read(&text), Ok((header(), plan)), "{text}");
        }
        for plan in [FILED.expand(seed), FILED.expand_control(seed)] {
            let text = print(&FILED, &header(), &plan);
            assert_eq!(parse(&FILED, &text, "some.seed"), Ok((header(), plan)), "{text}");
        }
    }
}

#[test]
fn a_materialised_run_prints_and_parses_to_itself() {
    let mut native = Native::new(&SCENARIO);
    let mut lines = 0;
    for seed in 0..300 {
        let plan = SCENARIO.expand(seed);
        let report = native.run(&plan, Options { decisions: true, ..Options::default() });
        lines += report.decisions.len();
        let noise = crate::nemesis::Noise::Lines(report.decisions);
        let plan = Plan { noise, odds: Vec::new(), ..plan };
        let text = print(&SCENARIO, &header(), &plan);
        let (_, plan) = read(&text).expect(&text);
        assert_eq!(print(&SCENARIO, &header(), &plan), text);
        let again = native.run(&plan, Options::default());
        assert_eq!((again.digest, again.unused.noise), (report.digest, Vec::new()), "{text}");
    }
    assert!(lines > 1_000, "{lines} lines of noise");
}

#[test]
fn every_kind_of_noise_is_an_outcome_of_its_site() {
    for row in noise_sites() {
        let site = ENGINE_SITES.iter().find(|site| site.id == row.site);
        let site = site.unwrap_or_else(|| panic!("{} has a site", row.kind.name()));
        let (first, count) = (usize::from(row.first), row.shares.len());
        let names = site.outcomes.get(first - 1..first - 1 + count);
        let names = names.unwrap_or_else(|| panic!("{} has outcome {first}", site.name));
        let stem = match row.kind {
            Kind::Drop => "drop",
            Kind::Duplicate => "duplicate",
            Kind::Reorder => "reorder",
            Kind::Corrupt => "corrupt",
            Kind::Delay | Kind::ConnectDelay => "delay",
            Kind::RequestError => "error",
            Kind::RequestSlow => "slow",
            Kind::RequestHang | Kind::ConnectHang => "hang",
            Kind::ShortWrite => "short",
            Kind::Misdirect => "misdirect",
            Kind::Rot => "rot",
            Kind::Kept => "kept",
            Kind::ConnectRefused => "refuse",
            Kind::CutReset => "reset",
            Kind::CutHalfOpen => "half-open",
            Kind::Flip => "flip",
            _ => "",
        };
        assert!(names.iter().all(|name| name.starts_with(stem)), "{}: {names:?}", row.kind.name());
    }
}

#[test]
fn most_runs_see_trouble_and_get_on_with_their_work() {
    const PLANS: usize = 2_000;
    let mut native = Native::new(&SCENARIO);
    let (mut counted, mut struck, mut lines, mut points) = (0, 0, 0, 0);
    for plan in (0..PLANS as u64).map(|seed| SCENARIO.expand(seed)) {
        let report = native.run(&plan, Options::default());
        counted += usize::from(report.counted);
        lines += plan.faults.len();
        struck += plan.faults.len() - report.unused.faults.len();
        let on = |when| matches!(when, When::On { .. });
        points += plan.faults.iter().filter(|line| on(line.when)).count();
    }
    // The world is small, and many of its few operations are over before anything happens.
    assert!(counted > PLANS * 3 / 4, "{counted} of {PLANS} runs counted");
    assert!(struck > lines * 3 / 4, "{struck} of {lines} lines struck");
    assert!(points > lines / 10, "{points} of {lines} lines on points");
}

/// Kinds whose sites have had their numbers from the first.
const GOLDEN_KINDS: KindSet = KindSet::of(&[
    Kind::Crash,
    Kind::Kill,
    Kind::Stop,
    Kind::Wipe,
    Kind::Pause,
    Kind::Cut,
    Kind::CutOneWay,
    Kind::SlowLink,
    Kind::SyncErrors,
    Kind::Skew,
    Kind::Drift,
    Kind::Drop,
    Kind::Delay,
    Kind::Schedule,
    Kind::Think,
]);

#[test]
fn what_a_seed_grows_into_has_not_changed() {
    let scenario: Scenario<Tiny> = Scenario {
        budget: |_| Budget { kinds: GOLDEN_KINDS, down_max: 1, fragile_max: 1, faults_max: 8 },
        ..SCENARIO
    };
    let mut all = String::new();
    for seed in [1, 4, 13, 14, 18] {
        let mut plan = scenario.expand(seed);
        plan.ops.truncate(2);
        all += &print(&scenario, &header(), &plan);
        all += "\n";
    }
    assert_eq!(all, include_str!("expanded.golden"));
}
