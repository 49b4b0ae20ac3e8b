//! Campaigns from `cargo test`: one line in a test checks a scenario over many seeds.
//!
//! ```text
//! #[test]
//! fn no_promise_breaks_in_two_hundred_runs() {
//!     seedbed_sim::campaign::testing::check(&scenario(), 200);
//! }
//! ```
//!
//! `SEEDBED_SEED=17` runs just that seed and shows its last steps; `SEEDBED_SEEDS=100000` or `SEEDBED_SEEDS=500..900`
//! runs other seeds than the test asks for, on all threads. With the feature `proptest` there is a strategy for plans.

#[cfg(feature = "proptest")]
mod plans;

#[cfg(feature = "proptest")]
pub use plans::{Planned, Plans, plans};

use super::jobs::available;
use super::runner::{Runner, Setting};
use super::shrink::Limit;
use super::signature::model_of;
use super::sweep::{Finding, Outcome, SEEDS_END, Sweep};
use crate::actor::Bug;
use crate::engine::Options;
use std::fmt::Write;
use std::ops::Range;
use std::sync::atomic::AtomicBool;

/// Runs the first `runs` seeds of a scenario.
///
/// # Panics
/// If a promise breaks or a run comes to no verdict. The message holds the shrunk seed file, where to keep it, and ends
/// with the command that repeats it.
#[track_caller]
pub fn check(scenario: &dyn Runner, runs: u64) {
    let asked = Asked::from_environment(runs);
    let outcome = asked.sweep(scenario, None);
    if let Some(message) = complaint(scenario, &outcome, asked.seeds.end - asked.seeds.start == 1) {
        panic!("{message}");
    }
}

/// Runs the first `runs` seeds of a scenario with a planted bug; its promise must break in one of them.
///
/// # Panics
/// If there is no such bug, or its promise does not break.
#[track_caller]
pub fn finds(scenario: &dyn Runner, bug: &'static Bug, runs: u64) {
    let asked = Asked::from_environment(runs);
    let outcome = asked.sweep(scenario, Some(bug));
    let broke = outcome.findings.iter().any(|finding| finding.signature.check == bug.breaks);
    assert!(
        broke,
        "the planted bug `{}` is not found by {} in seeds {:?}: `{}` does not break",
        bug.name,
        scenario.name(),
        asked.seeds,
        bug.breaks
    );
}

/// Which seeds are to be run.
struct Asked {
    seeds: Range<u64>,
    jobs: usize,
}

impl Asked {
    #[track_caller]
    #[expect(
        clippy::disallowed_methods,
        reason = "which seeds are run is asked before any run begins"
    )]
    fn from_environment(runs: u64) -> Asked {
        let (one, many) = (std::env::var("SEEDBED_SEED"), std::env::var("SEEDBED_SEEDS"));
        Asked::read(one.ok().as_deref(), many.ok().as_deref(), runs)
            .unwrap_or_else(|message| panic!("{message}"))
    }

    fn read(one: Option<&str>, many: Option<&str>, runs: u64) -> Result<Asked, String> {
        let number = |text: &str| text.trim().parse().ok().filter(|n| *n <= SEEDS_END);
        if let Some(text) = one {
            let seed = number(text).filter(|seed| *seed < SEEDS_END);
            let seed = seed
                .ok_or_else(|| format!("expected SEEDBED_SEED=17 or the like, found `{text}`"))?;
            return Ok(Asked { seeds: seed..seed + 1, jobs: 1 });
        }
        let Some(text) = many else { return Ok(Asked { seeds: 0..runs, jobs: 1 }) };
        let (from, to) = text.split_once("..").unwrap_or(("0", text));
        let seeds = number(from).zip(number(to)).filter(|(from, to)| from < to);
        let (from, to) = seeds.ok_or_else(|| {
            format!("expected SEEDBED_SEEDS=100000 or SEEDBED_SEEDS=500..900, found `{text}`")
        })?;
        Ok(Asked { seeds: from..to, jobs: available() })
    }

    fn sweep(&self, scenario: &dyn Runner, bug: Option<&'static Bug>) -> Outcome {
        let sweep = Sweep {
            lanes: vec![(scenario, Setting { bug, ..Setting::default() })],
            seeds: self.seeds.clone(),
            time: None,
            jobs: self.jobs,
            store: None,
            shrink: if bug.is_some() { 0 } else { Limit::EXECUTIONS },
        };
        sweep.run(&AtomicBool::new(false), &mut |_| {})
    }
}

/// What is wrong with an outcome, if anything.
fn complaint(runner: &dyn Runner, outcome: &Outcome, closely: bool) -> Option<String> {
    let mut message = String::new();
    for finding in &outcome.findings {
        describe(&mut message, runner, finding, closely);
    }
    let tally = &outcome.lanes[0].tally;
    if let (true, Some((seed, reason))) = (message.is_empty(), &tally.first_inconclusive) {
        let runs = tally.inconclusive;
        let _ = write!(
            message,
            "{runs} runs of {} came to no verdict, first seed {seed}: {reason}\n{}\n",
            runner.name(),
            repeat(*seed)
        );
    }
    (!message.is_empty()).then(|| message.trim_end().to_string())
}

fn describe(message: &mut String, runner: &dyn Runner, finding: &Finding, closely: bool) {
    let Finding { scenario, seed, signature, detail, text, .. } = finding;
    let _ = write!(message, "{scenario}, seed {seed}: {signature}\n  {detail}\n");
    if closely && let Ok(mut case) = runner.read(text, "the seed file") {
        let report = case.run(Options { trace: Some(STEPS_SHOWN), ..Options::default() });
        let _ = write!(message, "\nthe last steps:\n{}\n", report.trace.join("\n"));
    }
    if !finding.has_plan {
        let _ = write!(message, "\n{}\n\n", repeat(*seed));
        return;
    }
    let (model, slug) = (model_of(scenario), signature.slug());
    let size = finding.shrunk.as_ref();
    let size = size.map_or_else(String::new, |s| format!("shrunk to {}; ", s.after));
    let _ = write!(
        message,
        "\n{size}to keep it, put this into seeds/{model}/{slug}.toml:\n\n{text}\n{}\n\n",
        repeat(*seed)
    );
}

/// How many lines of trace are shown of a single seed.
const STEPS_SHOWN: usize = 30;

/// The command that repeats a seed of the running test.
fn repeat(seed: u64) -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "the name of the test, for the command; no run sees it"
    )]
    // The test harness calls its threads after the tests; nextest gives each test a process, and says its name there.
    let (thread, nextest) = (std::thread::current(), std::env::var("NEXTEST_TEST_NAME").ok());
    let name = thread.name().filter(|name| *name != "main").map(String::from).or(nextest);
    let name = name.map(|name| format!(" {name}")).unwrap_or_default();
    format!("SEEDBED_SEED={seed} cargo test{name}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::fixture::{SEVENTH, scenario};

    #[test]
    fn a_sound_scenario_passes_and_a_planted_bug_is_found() {
        check(&scenario(), 50);
        finds(&scenario(), &SEVENTH, 50);
    }

    #[test]
    fn the_environment_says_which_seeds_are_run() {
        let seeds = |one, many| Asked::read(one, many, 200).map(|asked| asked.seeds);
        assert_eq!(seeds(None, None), Ok(0..200));
        assert_eq!(seeds(Some("17"), Some("5")), Ok(17..18));
        assert_eq!(seeds(None, Some("5")), Ok(0..5));
        assert_eq!(seeds(None, Some("5..7")), Ok(5..7));
        for wrong in ["", "x", "7..5", "5..5", "-1", "99999999999999999999"] {
            assert!(seeds(Some(wrong), None).is_err());
            assert!(seeds(None, Some(wrong)).is_err());
        }
    }

    #[test]
    fn a_complaint_holds_the_seed_file_and_ends_with_the_command() {
        let asked = Asked { seeds: 0..50, jobs: 1 };
        let scenario = scenario();
        let sweep = Sweep {
            lanes: vec![(&scenario, Setting { bug: Some(&SEVENTH), ..Setting::default() })],
            seeds: asked.seeds,
            time: None,
            jobs: 1,
            store: None,
            shrink: 1_000,
        };
        let outcome = sweep.run(&AtomicBool::new(false), &mut |_| {});
        let seed = outcome.findings[0].seed;
        let message = complaint(&scenario, &outcome, true).expect("a complaint");
        assert!(message.contains("seeds/desk/an-add-is-kept-as-it-was-asked-altered.toml"));
        assert!(message.contains("the last steps:"), "{message}");
        let last = message.lines().last().expect("lines");
        assert!(last.starts_with(&format!("SEEDBED_SEED={seed} cargo test")), "{last}");
    }
}
