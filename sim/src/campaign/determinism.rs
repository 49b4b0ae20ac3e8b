//! Determinism: the same seeds again under other circumstances, and the first step that differs.
//!
//! Each seed runs in a world that is used again and again, in a fresh world in another order, and in a child process with
//! other jobs, environment and folder, and on the second engine if that is asked for. Digests must be equal.

use super::engine::Engine;
use super::runner::{Runner, Setting};
use crate::engine::{Options, Report};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// How a range of seeds is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// A fresh world for every seed, rather than one that is used again.
    pub fresh: bool,
    /// From the last seed to the first.
    pub backwards: bool,
    /// How many threads.
    pub jobs: usize,
    /// What runs them.
    pub engine: Engine,
}

/// Seeds that a thread takes at once.
const CHUNK: u64 = 64;

/// The digest of each seed, in the order of the seeds. `None` if it was interrupted.
#[must_use]
pub fn digests(
    runner: &dyn Runner,
    seeds: &Range<u64>,
    manner: Manner,
    stop: &AtomicBool,
) -> Option<Vec<u64>> {
    let starts: Vec<u64> = (seeds.start..seeds.end).step_by(64).collect();
    let setting = Setting { engine: manner.engine, ..Setting::default() };
    let next = AtomicUsize::new(0);
    let all = Mutex::new(vec![Vec::new(); starts.len()]);
    std::thread::scope(|scope| {
        for _ in 0..manner.jobs.max(1) {
            scope.spawn(|| {
                let mut session = runner.session();
                while !stop.load(Ordering::Relaxed) {
                    let taken = next.fetch_add(1, Ordering::Relaxed);
                    let at = if manner.backwards {
                        starts.len().checked_sub(taken + 1)
                    } else {
                        Some(taken)
                    };
                    let Some((at, start)) = at.and_then(|at| Some((at, *starts.get(at)?))) else {
                        return;
                    };
                    let chunk = start..seeds.end.min(start.saturating_add(CHUNK));
                    let mut digest = |seed: u64| {
                        if manner.fresh {
                            session = runner.session();
                        }
                        session.run(seed, setting, Options::default()).digest
                    };
                    let digests: Vec<u64> = if manner.backwards {
                        let mut last_first: Vec<u64> = chunk.rev().map(&mut digest).collect();
                        last_first.reverse();
                        last_first
                    } else {
                        chunk.map(&mut digest).collect()
                    };
                    all.lock().unwrap_or_else(PoisonError::into_inner)[at] = digests;
                }
            });
        }
    });
    let all = all.into_inner().unwrap_or_else(PoisonError::into_inner).concat();
    (all.len() as u64 == seeds.end - seeds.start).then_some(all)
}

/// One run, looked at closely.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Probe {
    /// The digest after each step.
    pub steps: Vec<u64>,
    /// The digest at the end.
    pub digest: u64,
    /// The trace.
    pub trace: Vec<String>,
}

impl From<Report> for Probe {
    fn from(report: Report) -> Probe {
        Probe { steps: report.step_digests, digest: report.digest, trace: report.trace }
    }
}

/// Looks at one run closely. The seeds of `before` run in the same world first; none, and the world is fresh.
#[must_use]
pub fn probe(runner: &dyn Runner, before: Range<u64>, seed: u64, engine: Engine) -> Probe {
    let setting = Setting { engine, ..Setting::default() };
    let mut session = runner.session();
    for seed in before {
        let _ = session.run(seed, setting, Options::default());
    }
    let options = Options { trace: Some(usize::MAX), step_digests: true, ..Options::default() };
    session.run(seed, setting, options).into()
}

/// Where two runs of one seed part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parting {
    /// The first step that differs, from 1; `None` if all steps are equal and only the end differs.
    pub step: Option<usize>,
    /// The lines of that step in the one run.
    pub left: Vec<String>,
    /// The lines of that step in the other.
    pub right: Vec<String>,
}

/// Where two runs of one seed part; `None` if they are equal.
#[must_use]
pub fn parting(left: &Probe, right: &Probe) -> Option<Parting> {
    if left.digest == right.digest && left.steps == right.steps {
        return None;
    }
    // A digest folds all that came before, so from the first difference on all differ, and halving finds it.
    let common = left.steps.len().min(right.steps.len());
    let (mut equal, mut differs) = (0, common + 1);
    while differs - equal > 1 {
        let middle = equal + (differs - equal) / 2;
        if left.steps[middle - 1] == right.steps[middle - 1] {
            equal = middle;
        } else {
            differs = middle;
        }
    }
    let only_end = differs > common && left.steps.len() == right.steps.len();
    let lines = |probe: &Probe| lines_of(&probe.trace, if only_end { common } else { differs });
    Some(Parting { step: (!only_end).then_some(differs), left: lines(left), right: lines(right) })
}

/// The lines of one step of a trace.
fn lines_of(trace: &[String], step: usize) -> Vec<String> {
    let number = |line: &String| -> Option<usize> { line.split_whitespace().next()?.parse().ok() };
    let begins = trace.iter().position(|line| number(line) == Some(step));
    let Some(begins) = begins else { return vec!["(the run has ended)".into()] };
    let rest = &trace[begins..];
    let ends = rest.iter().position(|line| number(line).is_some_and(|n| n > step));
    rest[..ends.unwrap_or(rest.len())].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::fixture::scenario;

    fn run(steps: &[u64], digest: u64) -> Probe {
        let trace =
            (1..=steps.len()).flat_map(|n| [format!("{n:>6}  step"), format!("  + effect {n}")]);
        Probe { steps: steps.to_vec(), digest, trace: trace.collect() }
    }

    #[test]
    fn the_first_step_that_differs_is_found_with_its_lines() {
        let parted = parting(&run(&[1, 2, 3, 4], 9), &run(&[1, 2, 30, 40], 90)).expect("parts");
        assert_eq!(parted.step, Some(3));
        assert_eq!(parted.left, ["     3  step", "  + effect 3"]);
        assert_eq!(parting(&run(&[1], 9), &run(&[2], 9)).expect("parts").step, Some(1));
        assert_eq!(parting(&run(&[1, 2], 9), &run(&[1, 2], 9)), None);
    }

    #[test]
    fn a_run_that_ends_early_and_an_end_that_differs_are_told_apart() {
        let shorter = parting(&run(&[1, 2], 9), &run(&[1, 2, 3], 8)).expect("parts");
        assert_eq!((shorter.step, shorter.left.len()), (Some(3), 1));
        let end = parting(&run(&[1, 2], 9), &run(&[1, 2], 8)).expect("parts");
        assert_eq!(end.step, None);
    }

    #[test]
    fn the_manner_of_running_does_not_show_in_the_digests() {
        let (scenario, never) = (scenario(), AtomicBool::new(false));
        let of = |fresh, backwards, jobs| {
            let manner = Manner { fresh, backwards, jobs, engine: Engine::Native };
            digests(&scenario, &(3..203), manner, &never).expect("not interrupted")
        };
        let reused = of(false, false, 1);
        assert_eq!(reused.len(), 200);
        assert_eq!(reused, of(true, true, 3));
        assert_eq!(
            parting(
                &probe(&scenario, 0..7, 7, Engine::Native),
                &probe(&scenario, 0..0, 7, Engine::Native)
            ),
            None
        );
    }
}
