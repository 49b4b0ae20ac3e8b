//! `determinism`: the same seeds under other circumstances, and the first step that differs.

use super::{Console, INTERRUPTED, Status, Usage, args};
use crate::campaign::determinism::{Manner, Probe, digests, parting, probe};
use crate::campaign::{Engine, Registry, Runner, Stopwatch, available};
use crate::report::document::{Determinism, DeterminismOf, Difference};
use crate::report::meter::{Meter, Part};
use crate::report::number::counted;
use std::ops::Range;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;

/// Seeds that are compared at once: memory does not grow with their number, and after each block it tells how far it is.
const BLOCK: u64 = 1 << 11;
/// Differing seeds that are looked at closely, in each scenario.
const SHOWN: usize = 5;

const FRESH: &str = "fresh world, other order";
const CHILD: &str = "child process";
const MADSIM: &str = "madsim";

pub(super) fn run(
    registry: &Registry,
    asked: &args::Determinism,
    child: Option<&Path>,
    console: &mut Console<'_>,
) -> Result<Status, Usage> {
    let runners = registry.select(&asked.scenarios)?;
    let began = Stopwatch::start();
    let mut meter = Meter::new(console.terminal);
    if child.is_none() {
        console.note("this program cannot be run again here: no child process");
    }
    let mut document = Determinism::default();
    let mut interrupted = false;
    let whole = asked.seeds.end.saturating_sub(asked.seeds.start);
    for (i, runner) in runners.iter().enumerate() {
        let mut seeds = asked.seeds.clone();
        let mut compared = Compared {
            runner: *runner,
            child,
            jobs: jobs(asked),
            engine: asked.engine,
            differences: Vec::new(),
        };
        while !seeds.is_empty() && !interrupted {
            let block = seeds.start..seeds.end.min(seeds.start.saturating_add(BLOCK));
            if !compared.block(&block)? {
                interrupted = true;
                break;
            }
            seeds.start = block.end;
            let done = (i as u64).saturating_mul(whole) + (block.end - asked.seeds.start);
            let all = whole.saturating_mul(runners.len() as u64);
            let part = Part { at: runner.name(), done, all, noun: "seeds" };
            meter.part(part, began.elapsed(), console.err());
        }
        let child = child.map(|_| CHILD);
        let second = (asked.engine != Engine::Native).then_some(MADSIM);
        let manners = std::iter::once(FRESH).chain(child).chain(second);
        let compared_with =
            if seeds.start > asked.seeds.start { manners.collect() } else { Vec::new() };
        document.scenarios.push(DeterminismOf {
            scenario: runner.name(),
            seeds: seeds.start - asked.seeds.start,
            compared_with,
            differences: compared.differences,
        });
    }
    meter.finish();
    document.interrupted = interrupted;
    let engine = Some(asked.engine).filter(|engine| *engine != Engine::Native);
    document.scenarios.iter().for_each(|of| say(of, engine, console));
    if interrupted {
        console.note("interrupted");
    }
    console.document(&document);
    let differ = document.scenarios.iter().any(|of| !of.differences.is_empty());
    Ok(match (differ, document.interrupted) {
        (true, _) => Status::Finding,
        (false, true) => Status::Undecided,
        (false, false) => Status::Clean,
    })
}

fn jobs(asked: &args::Determinism) -> usize {
    asked.jobs.unwrap_or_else(available)
}

struct Compared<'a> {
    runner: &'a dyn Runner,
    child: Option<&'a Path>,
    jobs: usize,
    /// The native one, or the one to compare with.
    engine: Engine,
    differences: Vec<Difference>,
}

impl Compared<'_> {
    /// Runs a block of seeds in every manner; answers whether it came to the end of it.
    fn block(&mut self, seeds: &Range<u64>) -> Result<bool, Usage> {
        let of = |fresh, jobs| {
            let manner = Manner { fresh, backwards: fresh, jobs, engine: Engine::Native };
            digests(self.runner, seeds, manner, &INTERRUPTED)
        };
        let (Some(reused), Some(fresh)) = (of(false, self.jobs), of(true, self.jobs + 1)) else {
            return Ok(false);
        };
        self.compare(seeds, &reused, (&fresh, FRESH))?;
        if let Some(child) = self.child {
            let jobs = (self.jobs + 2).min(args::JOBS_MAX);
            let Some(other) = digests_of_child(child, self.runner.name(), seeds, jobs)? else {
                return Ok(false);
            };
            self.compare(seeds, &reused, (&other, CHILD))?;
        }
        if self.engine != Engine::Native {
            let manner =
                Manner { fresh: true, backwards: false, jobs: self.jobs, engine: self.engine };
            let Some(other) = digests(self.runner, seeds, manner, &INTERRUPTED) else {
                return Ok(false);
            };
            self.compare(seeds, &reused, (&other, MADSIM))?;
        }
        Ok(true)
    }

    fn compare(
        &mut self,
        seeds: &Range<u64>,
        reused: &[u64],
        (other, manner): (&[u64], &'static str),
    ) -> Result<(), Usage> {
        let pairs = seeds.clone().zip(reused.iter().zip(other));
        for (seed, _) in pairs.filter(|(_, (a, b))| a != b) {
            let looked_at = self.differences.iter().filter(|d| d.manner == manner).count();
            let mut difference =
                Difference { seed, manner, step: None, left: Vec::new(), right: Vec::new() };
            let probes = if looked_at < SHOWN { self.probe_both(seed, manner)? } else { None };
            if let Some(parted) = probes.and_then(|(left, right)| parting(&left, &right)) {
                difference.step = parted.step;
                (difference.left, difference.right) = (parted.left, parted.right);
            }
            self.differences.push(difference);
        }
        Ok(())
    }

    /// Looks closely at a run in the first manner, and in the other; at nothing if that is interrupted.
    fn probe_both(&self, seed: u64, manner: &str) -> Result<Option<(Probe, Probe)>, Usage> {
        // Seeds before it in the same world: what a world fails to forget shows again.
        let warm = seed.saturating_sub(64)..seed;
        let left = probe(self.runner, warm, seed, Engine::Native);
        let right = match (manner, self.child) {
            (CHILD, Some(child)) => probe_of_child(child, self.runner.name(), seed)?,
            (MADSIM, _) => Some(probe(self.runner, 0..0, seed, self.engine)),
            _ => Some(probe(self.runner, 0..0, seed, Engine::Native)),
        };
        Ok(right.map(|right| (left, right)))
    }
}

fn say(of: &DeterminismOf, engine: Option<Engine>, console: &mut Console<'_>) {
    let DeterminismOf { scenario, seeds, compared_with, differences } = of;
    let with = compared_with.join("; ");
    if compared_with.is_empty() {
        console.say(format_args!("{scenario}: not compared"));
        return;
    }
    let seeds = counted(usize::try_from(*seeds).unwrap_or(usize::MAX), "seed");
    if differences.is_empty() {
        console.say(format_args!("{scenario}: {seeds}, no difference ({with})"));
        return;
    }
    let many = counted(differences.len(), "difference");
    console.say(format_args!("{scenario}: {seeds}, {many} ({with})"));
    for difference in differences.iter().filter(|d| !d.left.is_empty()) {
        let Difference { seed, manner, step, left, right } = difference;
        let place = step.map_or("the end".to_string(), |step| format!("step {step}"));
        console.say(format_args!("\nseed {seed}, {manner}: the first that differs is {place}"));
        left.iter().for_each(|line| console.say(format_args!("- {line}")));
        right.iter().for_each(|line| console.say(format_args!("+ {line}")));
    }
    if differences.iter().all(|d| d.left.is_empty()) {
        console.say("looked at closely, the runs are equal: the difference comes and goes");
    }
    let first = differences[0].seed;
    let seeds = format!("{first}..{}", first + 1);
    let mut words = vec!["determinism", scenario, "--seeds", &seeds];
    words.extend(engine.iter().flat_map(|engine| ["--engine", engine.name()]));
    console.say(console.command(&words));
}

/// The program again: in another folder, with another environment. `None` if it was interrupted: whoever interrupts this
/// process from a terminal interrupts that one, too.
fn child(program: &Path, words: &[&str]) -> Result<Option<String>, Usage> {
    let wrong =
        |why: String| Usage(format!("{}: expected a child process: {why}", program.display()));
    let output = Command::new(program)
        .args(words)
        .env_clear()
        .env("LANG", "tr_TR.UTF-8")
        .env("TZ", "Pacific/Chatham")
        .env("SEEDBED_CHILD", "1")
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null())
        .output()
        .map_err(|error| wrong(error.to_string()))?;
    let undecided = output.status.code() == Some(i32::from(Status::Undecided.code()));
    if undecided || (!output.status.success() && INTERRUPTED.load(Ordering::Relaxed)) {
        return Ok(None);
    }
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(wrong(format!("{}: {}", output.status, said.trim())));
    }
    String::from_utf8(output.stdout).map(Some).map_err(|error| wrong(error.to_string()))
}

fn digests_of_child(
    program: &Path,
    scenario: &str,
    seeds: &Range<u64>,
    jobs: usize,
) -> Result<Option<Vec<u64>>, Usage> {
    let (seeds, jobs) = (format!("{}..{}", seeds.start, seeds.end), jobs.to_string());
    let Some(text) = child(program, &["child-digests", scenario, &seeds, "--jobs", &jobs])? else {
        return Ok(None);
    };
    let digests: Result<Vec<u64>, _> =
        text.lines().map(|line| u64::from_str_radix(line, 16)).collect();
    digests
        .map(Some)
        .map_err(|error| Usage(format!("expected digests from the child process: {error}")))
}

fn probe_of_child(program: &Path, scenario: &str, seed: u64) -> Result<Option<Probe>, Usage> {
    let Some(text) = child(program, &["child-probe", scenario, &seed.to_string()])? else {
        return Ok(None);
    };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| Usage(format!("expected a run from the child process: {error}")))
}

/// The hidden verb that a child process runs: a digest a line.
pub(super) fn child_digests(
    registry: &Registry,
    asked: &args::ChildDigests,
    console: &mut Console<'_>,
) -> Result<Status, Usage> {
    let runner = registry.get(&asked.scenario)?;
    let manner = Manner { fresh: false, backwards: true, jobs: asked.jobs, engine: Engine::Native };
    let Some(digests) = digests(runner, &asked.seeds, manner, &INTERRUPTED) else {
        return Ok(Status::Undecided);
    };
    let lines: String = digests.iter().map(|digest| format!("{digest:016x}\n")).collect();
    console.raw(&lines);
    Ok(Status::Clean)
}

/// The hidden verb that a child process runs: one run, looked at closely.
pub(super) fn child_probe(
    registry: &Registry,
    asked: &args::ChildProbe,
    console: &mut Console<'_>,
) -> Result<Status, Usage> {
    let runner = registry.get(&asked.scenario)?;
    let text = serde_json::to_string(&probe(runner, 0..0, asked.seed, Engine::Native))
        .expect("plain data");
    console.raw(&text);
    Ok(Status::Clean)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::campaign::fixture::scenario;
    use crate::campaign::store::test_folder;
    use std::ffi::OsString;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    /// What the verb comes to with this script as its child process: status and document.
    fn with_child(name: &str, script: &str) -> (Result<Status, Usage>, serde_json::Value) {
        let dir = test_folder(name);
        fs::create_dir_all(&dir).expect("makes a folder");
        let program = dir.join("child");
        fs::write(&program, script).expect("writes");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).expect("a program");
        let registry = Registry::new().with(scenario());
        let asked = args::Determinism {
            scenarios: Vec::new(),
            seeds: 0..20,
            jobs: Some(1),
            engine: Engine::Native,
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let words = [OsString::from("seedbed")];
        let mut console = Console::new(&mut out, &mut err, &words, true);
        let status = run(&registry, &asked, Some(&program), &mut console);
        fs::remove_dir_all(&dir).expect("clears up");
        (status, serde_json::from_slice(&out).unwrap_or_default())
    }

    #[test]
    fn seeds_of_which_the_child_was_interrupted_are_not_compared() {
        let (status, document) = with_child("interrupted-child", "#!/bin/sh\nexit 3\n");
        assert_eq!(status, Ok(Status::Undecided));
        assert_eq!(document["interrupted"], true);
        assert_eq!(document["scenarios"][0]["seeds"], 0);
    }

    #[test]
    fn what_was_found_before_the_child_was_interrupted_is_told() {
        let script = "#!/bin/sh\n[ $1 = child-digests ] || exit 3\nseq 20\n";
        let (status, document) = with_child("interrupted-probe", script);
        assert_eq!(status, Ok(Status::Finding));
        let differences = document["scenarios"][0]["differences"].as_array().expect("a list");
        assert_eq!(differences.len(), 20, "{document}");
    }
}
