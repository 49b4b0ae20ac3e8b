//! Several tasks at once against one reference store, queued and side by side: `cargo run --example tasks`.
//!
//! The tasks stand in `side-by-side.toml`, as the workload of a seed file. The same run with all that it does:
//! `seedbed replay models/examples/tasks/side-by-side.toml --trace`.

use std::process::ExitCode;

use seedbed_models::client::model::Peer;
use seedbed_models::client::scenario;
use seedbed_sim::actor::{HistoryEvent, Outcome};
use seedbed_sim::campaign::seed_file;
use seedbed_sim::engine::{Native, Options, Verdict};

const FILE: &str = "models/examples/tasks/side-by-side.toml";
const TEXT: &str = include_str!("side-by-side.toml");

fn main() -> ExitCode {
    use std::io::Write as _;
    let (answers, verdict) = run();
    let mut out = std::io::stdout().lock();
    let written = answers.iter().try_for_each(|line| writeln!(out, "{line}"));
    match (written, verdict) {
        (Ok(()), Verdict::Pass) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Runs the plan, and tells what each operation was answered.
fn run() -> (Vec<String>, Verdict) {
    let scenario = scenario::tasks();
    let (_, plan) = seed_file::parse::<Peer>(&scenario, TEXT, FILE).expect("the file can be read");
    let mut native = Native::new(&scenario);
    let report = native.run(&plan, Options::default());
    let mut asked = String::new();
    let mut answers = Vec::new();
    for event in &native.simulation().world.history().events {
        match event {
            HistoryEvent::Invoked { what, .. } => asked = what.to_string(),
            HistoryEvent::Completed { outcome: Outcome::Ok(answer), .. } => {
                answers.push(format!("{asked}: {answer}"));
            }
            HistoryEvent::Completed { outcome, .. } => {
                answers.push(format!("{asked}: {outcome:?}"));
            }
        }
    }
    (answers, report.verdict)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_tasks_end_and_nothing_is_amiss() {
        let (answers, verdict) = run();
        assert_eq!(verdict, Verdict::Pass);
        let last = ["verify 3: 0 amiss, 0 not verified", "verify-all: 0 amiss, 0 not verified"];
        for line in ["complete 1: completed, 0 amiss", "complete 4: completed, 0 amiss"] {
            assert!(answers.iter().any(|answer| answer == line), "{line}: {answers:?}");
        }
        for line in last {
            assert!(answers.iter().any(|answer| answer == line), "{line}: {answers:?}");
        }
        assert!(!answers.iter().any(|answer| answer.ends_with("refused")), "{answers:?}");
    }
}
