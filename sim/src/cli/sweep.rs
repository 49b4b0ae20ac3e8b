//! `sweep`: many seeds; the main job.

use super::args::{self, Seeds};
use super::{Console, INTERRUPTED, Status, Usage};
use crate::campaign::shrink::Limit;
use crate::campaign::store::Store;
use crate::campaign::sweep::{Finding, Lane, News, Outcome, SEEDS_END, Sweep, words_for};
use crate::campaign::{Registry, Runner, Setting, available};
use crate::report::document::Swept;
use crate::report::meter::Meter;
use crate::report::number::{counted, grouped, lasting};
use crate::report::table;
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::Duration;

const TIME: Duration = Duration::from_secs(60);

pub(super) fn run(
    registry: &Registry,
    asked: &args::Sweep,
    console: &mut Console<'_>,
) -> Result<Status, Usage> {
    let lanes = lanes(registry, asked)?;
    let (seeds, time) = window(asked);
    let names: Vec<&str> = lanes.iter().map(|(runner, _)| runner.name()).collect();
    let store = Store::open_for(&asked.out, &names)?;
    lanes.iter().for_each(|(runner, _)| store.clear_beside(*runner));
    if asked.seeds == Some(Seeds::Fresh) {
        console.note(format_args!("seeds from {}", seeds.start));
    }
    let sweep = Sweep {
        lanes,
        seeds: seeds.clone(),
        time,
        jobs: asked.jobs.unwrap_or_else(available),
        store: Some(store),
        shrink: asked.shrink_runs.unwrap_or(Limit::EXECUTIONS),
    };
    let mut meter = Meter::new(console.terminal);
    let outcome = sweep.run(&INTERRUPTED, &mut |news| hear(&news, &mut meter, console));
    meter.finish();
    report(&outcome, &seeds, asked, console);
    console.document(&Swept::new(&outcome, seeds.start));
    Ok(status(&outcome, asked.strict))
}

fn lanes<'r>(
    registry: &'r Registry,
    asked: &args::Sweep,
) -> Result<Vec<(&'r dyn Runner, Setting)>, Usage> {
    let runners = registry.select(&asked.scenarios)?;
    let Some(name) = &asked.bug else {
        let setting = Setting { engine: asked.engine, ..Setting::default() };
        return Ok(runners.into_iter().map(|runner| (runner, setting)).collect());
    };
    let planted = registry.select_bug(name, &runners)?;
    let mut lanes = Vec::new();
    for runner in runners {
        let has_it = planted.iter().find(|p| p.runners.iter().any(|r| r.name() == runner.name()));
        if let Some(planted) = has_it {
            let setting =
                Setting { bug: Some(planted.bug), engine: asked.engine, ..Setting::default() };
            lanes.push((runner, setting));
        }
    }
    if lanes.is_empty() {
        let have_it = planted.iter().flat_map(|p| &p.runners).map(|runner| runner.name());
        return Err(Usage(format!(
            "expected one of {} for the planted bug `{name}`, found {}",
            have_it.collect::<Vec<_>>().join(" "),
            asked.scenarios.join(" ")
        )));
    }
    Ok(lanes)
}

fn window(asked: &args::Sweep) -> (Range<u64>, Option<Duration>) {
    match &asked.seeds {
        Some(Seeds::These(seeds)) => (seeds.clone(), asked.time),
        Some(Seeds::Fresh) => (fresh()..SEEDS_END, Some(asked.time.unwrap_or(TIME))),
        None => (0..SEEDS_END, Some(asked.time.unwrap_or(TIME))),
    }
}

/// The first seed of a random window. It is short enough to stay exact in any reader of JSON.
#[expect(
    clippy::disallowed_types,
    reason = "a window that nobody has seen must come from outside; it is printed"
)]
fn fresh() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish() >> 13
}

fn hear(news: &News, meter: &mut Meter, console: &mut Console<'_>) {
    match news {
        News::Progress(progress) => meter.sweep(progress, console.err()),
        News::Found(finding) => {
            let Finding { scenario, seed, signature, .. } = finding;
            let line = format!("found: {scenario} seed {seed}: {signature}");
            let command = repeat(finding, console);
            meter.aside(|| {
                console.note(line);
                console.note(command);
            });
        }
        News::Shrunk(_) => {}
        News::Trouble(what) => meter.aside(|| console.note(what)),
    }
}

/// The command that repeats a finding.
fn repeat(finding: &Finding, console: &Console<'_>) -> String {
    match finding.file.as_ref().filter(|_| finding.has_plan) {
        Some(file) => console.replay_of(file),
        None => console.command(&finding.words().iter().map(String::as_str).collect::<Vec<_>>()),
    }
}

fn report(outcome: &Outcome, seeds: &Range<u64>, asked: &args::Sweep, console: &mut Console<'_>) {
    console.say(table::sweep(outcome).trim_end());
    let runs: u64 = outcome.lanes.iter().map(|lane| lane.tally.runs).sum();
    let end = if outcome.interrupted { "interrupted after" } else { "in" };
    console.say(format_args!(
        "{} runs from seed {} {end} {}",
        grouped(runs),
        seeds.start,
        lasting(outcome.elapsed.as_nanos())
    ));
    for lane in &outcome.lanes {
        say_gaps(lane, asked.strict, console);
    }
    for lane in &outcome.lanes {
        if let Some((seed, reason)) = &lane.tally.first_inconclusive {
            let name = lane.info.name;
            let many = grouped(lane.tally.inconclusive);
            console.say(format_args!(
                "\n{name}: {many} runs came to no verdict; seed {seed}: {reason}"
            ));
            // A scenario and a seed say which model is meant.
            let bug = asked.bug.as_deref().map(|bug| bug.rsplit('/').next().unwrap_or(bug));
            let words = words_for(name, *seed, bug, asked.engine.samples());
            console.say(console.command(&words.iter().map(String::as_str).collect::<Vec<_>>()));
        }
    }
    if outcome.findings.is_empty() && asked.strict && outcome.lanes.iter().any(has_gaps) {
        console.say(console.this_command());
    }
    for finding in &outcome.findings {
        say_finding(finding, console);
    }
}

/// Whether something was never seen or never checked.
fn has_gaps(lane: &Lane) -> bool {
    !lane.unseen_marks().is_empty() || !lane.never_evaluated().is_empty()
}

fn say_gaps(lane: &Lane, strict: bool, console: &mut Console<'_>) {
    let weight = if strict { "" } else { " (a finding with --strict)" };
    let name = lane.info.name;
    for mark in lane.unseen_marks() {
        console.say(format_args!("{name}: never seen: {mark}{weight}"));
    }
    for check in lane.never_evaluated() {
        console.say(format_args!("{name}: never checked: {check}{weight}"));
    }
}

fn say_finding(finding: &Finding, console: &mut Console<'_>) {
    let Finding { scenario, seed, signature, detail, times, .. } = finding;
    let with = finding.bug.map(|bug| format!(" with the planted bug {bug}")).unwrap_or_default();
    console.say(format_args!("\n{scenario}: {signature}{with}"));
    let times = counted(usize::try_from(*times).unwrap_or(usize::MAX), "seed");
    let size = match &finding.shrunk {
        Some(shrunk) if shrunk.minimal => format!("shrunk to {}", shrunk.after),
        Some(shrunk) => format!("shrunk to {}, not to the end", shrunk.after),
        None => "not shrunk".into(),
    };
    console.say(format_args!("  seed {seed}, the lowest of {times}; {size}"));
    detail.lines().for_each(|line| console.say(format_args!("  {line}")));
    let command = repeat(finding, console);
    console.say(command);
}

fn status(outcome: &Outcome, strict: bool) -> Status {
    if !outcome.findings.is_empty() || (strict && outcome.lanes.iter().any(has_gaps)) {
        return Status::Finding;
    }
    let inconclusive = outcome.lanes.iter().any(|lane| lane.tally.inconclusive > 0);
    let interrupted = outcome.interrupted || INTERRUPTED.load(Ordering::Relaxed);
    if inconclusive || interrupted || !outcome.trouble.is_empty() {
        return Status::Undecided;
    }
    Status::Clean
}
