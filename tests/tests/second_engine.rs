//! The second engine: pinned, it is the native one step for step; free, it samples orders that the native one replays.

use seedbed_models::registry::registry;
use seedbed_sim::cli::{self, Status};

/// Runs a command line; answers its status, what it printed, and what it said beside that.
fn seedbed(args: &[&str]) -> (Status, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let words = std::iter::once("seedbed").chain(args.iter().copied());
    let status = cli::run_with(&registry(), words, &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (status, text(out), text(err))
}

#[cfg(madsim)]
mod with_madsim {
    use super::{registry, seedbed};
    use seedbed_models::register::{Register, scenario};
    use seedbed_sim::check::Scenario;
    use seedbed_sim::choose::Decision;
    use seedbed_sim::cli::Status;
    use seedbed_sim::engine::madsim::{Mode, run};
    use seedbed_sim::engine::{Native, Options, Report};
    use seedbed_sim::nemesis::{Noise, Plan};
    use seedbed_sim::world::TIE;
    use std::path::PathBuf;

    static MAJORITY: Scenario<Register> = scenario::majority();
    static DURABLE: Scenario<Register> = scenario::durable();

    /// A run on a thread of its own.
    fn on_madsim(scenario: &Scenario<Register>, plan: &Plan<Register>, mode: Mode) -> Report {
        let options = Options { step_digests: true, ..Options::default() };
        let run = || run(scenario, plan, options, mode);
        std::thread::scope(|scope| scope.spawn(run).join()).expect("it does not panic")
    }

    fn natively(scenario: &Scenario<Register>, plan: &Plan<Register>) -> Report {
        let options = Options { step_digests: true, ..Options::default() };
        Native::new(scenario).run(plan, options)
    }

    #[test]
    fn a_pinned_run_is_the_native_run_in_all_that_is_reported_of_it() {
        let mut steps = 0;
        for scenario in [&MAJORITY, &DURABLE] {
            for seed in 0..20 {
                let plan = scenario.expand(seed);
                let (native, second) =
                    (natively(scenario, &plan), on_madsim(scenario, &plan, Mode::Pinned));
                assert_eq!(native.step_digests, second.step_digests, "{} {seed}", scenario.name);
                assert_eq!(
                    (native.digest, &native.verdict, native.seen, native.counted),
                    (second.digest, &second.verdict, second.seen, second.counted),
                );
                assert_eq!(
                    (native.marks, native.points, &native.evaluated, native.completed),
                    (second.marks, second.points, &second.evaluated, second.completed),
                );
                steps += native.steps;
            }
        }
        assert!(steps > 5_000, "{steps} steps show little");
    }

    #[test]
    fn every_scenario_is_the_same_on_both_engines() {
        let (status, said, err) =
            seedbed(&["determinism", "--engine", "madsim", "--seeds", "0..40"]);
        assert_eq!(status, Status::Clean, "{said}{err}");
        for runner in registry().runners() {
            let line = format!("{}: 40 seeds, no difference", runner.name());
            assert!(said.lines().any(|l| l.starts_with(&line) && l.contains("madsim")), "{said}");
        }
    }

    #[test]
    fn an_engine_whose_timers_are_late_is_caught_at_the_first_step_that_differs() {
        let engine = ["--engine", "madsim-late-timers", "--seeds", "0..3"];
        let (status, said, _) =
            seedbed(&[&["determinism", "register/majority"], &engine[..]].concat());
        assert_eq!(status, Status::Finding);
        let first = said.lines().position(|line| line.starts_with("seed 0, madsim: the first"));
        let lines: Vec<&str> = said.lines().skip(first.expect("it is named")).collect();
        let (native, second) = (lines[1], lines.iter().find(|line| line.starts_with('+')));
        let second = second.expect("what madsim did");
        assert!(native.starts_with("- ") && native.contains("timer"), "{native}");
        let late = |line: &str| line.split_whitespace().nth(2).map(str::to_string);
        let ns =
            |line: &str| late(line).expect("a time").replace('.', "").parse::<u64>().expect("ns");
        assert_eq!(ns(second), ns(native) + 1, "{native}\n{second}");
        assert!(
            said.trim_end().ends_with("--engine madsim-late-timers"),
            "the command repeats it: {said}"
        );
    }

    #[test]
    fn a_free_run_replays_natively_from_the_order_that_it_wrote_down() {
        let (mut lines, mut others) = (0, 0);
        for scenario in [&MAJORITY, &DURABLE] {
            for seed in 0..20 {
                let mut plan = scenario.expand(seed);
                plan.odds.retain(|(site, _)| *site != TIE.id);
                let calm = natively(scenario, &plan);
                let free = on_madsim(scenario, &plan, Mode::Free);
                others += u32::from(free.digest != calm.digest);
                let tie = |decision: &&Decision| decision.site == TIE.id;
                lines += free.decisions.iter().filter(tie).count();
                plan.noise = Noise::Lines(free.decisions.clone());
                let native = natively(scenario, &plan);
                assert_eq!(native.step_digests, free.step_digests, "{} {seed}", scenario.name);
                assert_eq!((native.digest, native.verdict), (free.digest, free.verdict));
                assert!(native.unused.noise.is_empty(), "{} {seed}", scenario.name);
            }
        }
        assert!(lines > 100 && others > 20, "{lines} ties and {others} other runs show little");
    }

    #[test]
    fn free_sweeps_raise_no_false_alarm() {
        let (status, said, err) = seedbed(&[
            "sweep",
            "--engine",
            "madsim-free",
            "--seeds",
            "0..40",
            "--out",
            &out("none"),
        ]);
        assert_eq!(status, Status::Clean, "{said}{err}");
    }

    /// Found on madsim, and replayed and shrunk natively.
    #[test]
    fn planted_bugs_are_found_by_madsims_schedules_and_replay_natively() {
        for bug in ["tag-tie-left-unbroken", "torn-log-refused", "round-never-resent"] {
            let out = out(bug);
            let args = ["sweep", "--engine", "madsim-free", "--seeds", "0..300", "--bug", bug];
            let (status, said, err) = seedbed(&[&args[..], &["--out", &out, "--json"]].concat());
            assert_eq!(status, Status::Finding, "{bug}: {said}{err}");
            let document: serde_json::Value = serde_json::from_str(&said).expect("a document");
            let scenarios = document["scenarios"].as_array().expect("a list");
            let findings =
                scenarios.iter().flat_map(|of| of["findings"].as_array().expect("a list"));
            let files: Vec<&str> = findings.filter_map(|of| of["file"].as_str()).collect();
            assert!(!files.is_empty());
            for file in files {
                let (status, said, _) = seedbed(&["replay", file]);
                assert_eq!(status, Status::Finding, "{said}");
                assert!(!said.contains("not the same run"), "{said}");
            }
        }
    }

    fn out(name: &str) -> String {
        let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("second-engine").join(name);
        dir.to_str().expect("text").into()
    }
}

/// Without the cfg there is one engine, and whoever asks for the other is told what to do.
#[cfg(not(madsim))]
#[test]
fn the_second_engine_is_refused_with_what_to_do() {
    for args in [["determinism", "madsim"], ["sweep", "madsim-free"]] {
        let (status, said, err) = seedbed(&[args[0], "--engine", args[1]]);
        assert_eq!((status, said.as_str()), (Status::Usage, ""));
        assert!(err.contains("--cfg madsim") && err.contains("RUSTFLAGS"), "{err}");
    }
}

#[test]
fn an_unknown_engine_is_refused() {
    for verb in ["determinism", "sweep"] {
        let (status, _, err) = seedbed(&[verb, "--engine", "turbo"]);
        assert_eq!(status, Status::Usage);
        assert!(err.contains("expected one of the engines native"), "{err}");
    }
}
