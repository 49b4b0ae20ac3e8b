//! What must not change unnoticed: ten digests of each scenario, and what a trace looks like.
//!
//! A digest is the same in debug and release, with and without the cfg of the second engine, on every machine; `.ci/run`
//! compares them in three builds. They change when the engine, a model or a scenario does. When that is meant:
//!
//! ```text
//! INSTA_UPDATE=always cargo test -p seedbed-tests --test golden
//! ```

use seedbed_models::registry::registry;
use seedbed_sim::campaign::{Runner, Setting};
use seedbed_sim::engine::{Options, Report, Verdict};
use std::fmt::Write;

const SEEDS: u64 = 10;
const TRACE_LINES: usize = 40;

fn run(runner: &dyn Runner, seed: u64, options: Options) -> Report {
    runner.session().run(seed, Setting::default(), options)
}

#[test]
fn ten_digests_of_every_scenario_are_the_known_ones() {
    let registry = registry();
    let mut known = String::new();
    for runner in registry.runners() {
        for seed in 0..SEEDS {
            let report = run(runner, seed, Options::default());
            let verdict = match report.verdict {
                Verdict::Pass => "pass",
                Verdict::Broken(_) => "broken",
                Verdict::Inconclusive(_) => "inconclusive",
            };
            let (name, digest, steps) = (runner.name(), report.digest, report.steps);
            writeln!(known, "{name:28} {seed}  {digest:016x}  {steps:>5} steps  {verdict}")
                .expect("a string takes it");
        }
    }
    insta::assert_snapshot!("digests", known);
}

#[test]
fn a_trace_looks_like_this() {
    let registry = registry();
    for runner in registry.runners() {
        let options = Options { trace: Some(usize::MAX), ..Options::default() };
        let trace = run(runner, 0, options).trace;
        let shown = trace[..TRACE_LINES.min(trace.len())].join("\n");
        insta::assert_snapshot!(format!("trace-{}", runner.name().replace('/', "-")), shown);
    }
}

#[test]
fn a_trace_changes_no_digest() {
    let registry = registry();
    for runner in registry.runners() {
        for seed in 0..SEEDS {
            let plain = run(runner, seed, Options::default());
            let all = Options {
                trace: Some(usize::MAX),
                decisions: true,
                step_digests: true,
                stop_after: None,
            };
            let watched = run(runner, seed, all);
            assert_eq!(plain.digest, watched.digest, "{} {seed}", runner.name());
            assert_eq!(watched.step_digests.len(), watched.steps as usize);
        }
    }
}
