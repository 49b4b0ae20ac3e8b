//! The example of the guide for code that is async already: a counter service written against madsim's own API (tasks,
//! sleeps, its network and file system), under the plans, faults, history, checks, shrinking and reports of Seedbed.

#[cfg(madsim)]
mod counter;
#[cfg(madsim)]
mod trial;

// ANCHOR: main
#[cfg(madsim)]
fn main() -> std::process::ExitCode {
    seedbed_sim::cli::main(&registry())
}

#[cfg(madsim)]
fn registry() -> seedbed_sim::campaign::Registry {
    use seedbed_sim::campaign::{OnMadsim, Registry};
    Registry::new().with(OnMadsim(trial::scenario()))
}
// ANCHOR_END: main

#[cfg(not(madsim))]
#[expect(
    clippy::print_stderr,
    reason = "whoever runs this without madsim reads why it does nothing"
)]
fn main() -> std::process::ExitCode {
    eprintln!(
        "error: this example needs `--cfg madsim`; it is set in .cargo/config.toml, and an exported RUSTFLAGS replaces it"
    );
    std::process::ExitCode::from(2)
}

#[cfg(all(test, madsim))]
mod tests {
    use super::{registry, trial};
    use seedbed_sim::actor::Bug;
    use seedbed_sim::campaign::{OnMadsim, Runner, Setting, corpus, testing};
    use seedbed_sim::engine::{Options, Verdict};
    use std::path::Path;

    // ANCHOR: tests
    #[test]
    fn no_promise_breaks() {
        testing::check(&OnMadsim(trial::scenario()), 300);
    }

    #[test]
    fn the_planted_bugs_are_found() {
        let scenario = OnMadsim(trial::scenario());
        testing::finds(&scenario, &trial::APPLIED_TWICE, 300);
        testing::finds(&scenario, &trial::ANSWERS_FORGOTTEN, 1_000);
    }

    #[test]
    fn every_seed_file_breaks_its_promise_with_the_bug_and_keeps_it_without() {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/async/seeds");
        let files = corpus::files(&seeds).expect("a folder of seed files");
        assert_eq!(files.len(), 2, "one for each planted bug");
        for file in files {
            corpus::check(&registry(), &file)
                .unwrap_or_else(|why| panic!("{}: {why}", file.display()));
        }
    }
    // ANCHOR_END: tests

    /// The digest of each run, with its steps.
    fn runs(bug: Option<&'static Bug>) -> Vec<(u64, u32)> {
        let scenario = OnMadsim(trial::scenario());
        let (mut session, setting) = (scenario.session(), Setting { bug, ..Setting::default() });
        let run = |seed| {
            let report = session.run(seed, setting, Options::default());
            assert!(!matches!(report.verdict, Verdict::Inconclusive(_)), "seed {seed}");
            (report.digest, report.steps)
        };
        (0..40).map(run).collect()
    }

    #[test]
    fn a_run_is_a_function_of_its_plan() {
        let (first, second) = (runs(None), runs(None));
        assert_eq!(first, second);
        let unlike = first.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert_eq!(unlike, 39, "seeds have runs of their own");
        assert_ne!(first, runs(Some(&trial::APPLIED_TWICE)), "the code sees the planted bug");
    }
}
