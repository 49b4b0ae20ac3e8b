//! `bugs`: hunts every planted bug in disjoint windows of seeds, beside a control arm.

use super::{Console, INTERRUPTED, Status, Usage, args};
use crate::campaign::hunt::{Hunt, SMALL, Track};
use crate::campaign::shrink::Limit;
use crate::campaign::store::{self, Store};
use crate::campaign::{Arm, Planted, Registry, Stopwatch, available};
use crate::report::document::{Hunted, HuntedBug, shown};
use crate::report::meter::{Meter, Part};
use crate::report::table;
use std::path::Path;
use std::sync::atomic::Ordering;

pub(super) fn run(
    registry: &Registry,
    asked: &args::Bugs,
    console: &mut Console<'_>,
) -> Result<Status, Usage> {
    let planted = registry.select_bugs(&asked.names)?;
    if let Some(dir) = &asked.keep {
        let models: Vec<&str> = planted.iter().map(|p| p.model).collect();
        Store::open_for(dir, &models)?;
    }
    let hunt = Hunt {
        windows: asked.windows,
        time: asked.time,
        jobs: asked.jobs.unwrap_or_else(available),
        shrink: asked.shrink_runs.unwrap_or(Limit::EXECUTIONS),
        stop: &INTERRUPTED,
    };
    let tracks = hunt_all(&hunt, &planted, asked.keep.as_deref(), console);
    let interrupted = INTERRUPTED.load(Ordering::Relaxed);
    let mut documents = Vec::new();
    let mut status = if interrupted { Status::Undecided } else { Status::Clean };
    let rows: Vec<(&Planted<'_>, &Track)> =
        planted.iter().zip(&tracks).map(|(planted, (track, _))| (planted, track)).collect();
    console.say(table::bugs(&rows).trim_end());
    for (planted, (track, kept)) in planted.iter().zip(&tracks) {
        let file = kept.as_ref().unwrap_or_else(|message| {
            status = status.and(Status::Usage);
            console.note(message);
            &None
        });
        documents.push(HuntedBug::new(planted, track, file.clone()));
        if track.is_good() {
            continue;
        }
        // Windows that were not opened say nothing about the bug.
        if !interrupted || !track.alarms.is_empty() {
            status = status.and(Status::Finding);
            complain(planted, track, asked, console);
        }
    }
    let windows = asked.windows;
    console.document(&Hunted { bugs: documents, windows, interrupted });
    Ok(status)
}

/// What came of a bug, and the file that was written of it.
type Told = (Track, Result<Option<String>, String>);

fn hunt_all(
    hunt: &Hunt<'_>,
    planted: &[Planted<'_>],
    dir: Option<&Path>,
    console: &mut Console<'_>,
) -> Vec<Told> {
    let began = Stopwatch::start();
    let mut meter = Meter::new(console.terminal);
    let all = u64::from(hunt.windows) * planted.len() as u64;
    let mut done = 0_u64;
    let mut tracks = Vec::new();
    for planted in planted {
        let name = planted.bug.name;
        let track = hunt.hunt(planted, &mut |window, track| {
            done += 1;
            let found = track.found();
            let at = format!("{name} found in {found} of {}", window + 1);
            let part = Part { at: &at, done, all, noun: "windows" };
            meter.part(part, began.elapsed(), console.err());
        });
        // Whatever ends this process later, the file is there.
        let kept = keep(planted, &track, dir);
        tracks.push((track, kept));
    }
    meter.finish();
    tracks
}

/// Writes the smallest find down; answers where. What is not known to be minimal, because the shrink was interrupted or ran
/// out of runs, never takes the place of a file that somebody kept.
fn keep(
    planted: &Planted<'_>,
    track: &Track,
    dir: Option<&Path>,
) -> Result<Option<String>, String> {
    let best = track.best.as_ref().filter(|catch| catch.shrunk.minimal);
    let Some((dir, catch)) = dir.zip(best) else { return Ok(None) };
    let path = dir.join(planted.model).join(format!("{}.toml", planted.bug.name));
    store::replace(&path, &catch.text)?;
    Ok(Some(shown(&path)))
}

/// Says what is wrong, and ends with the command that repeats it.
fn complain(planted: &Planted<'_>, track: &Track, asked: &args::Bugs, console: &mut Console<'_>) {
    let name = format!("{}/{}", planted.model, planted.bug.name);
    console.say(format_args!("\n{name}:"));
    let (found, windows) = (track.found(), track.runs.len());
    if found * 11 < windows * 9 {
        console.say(format_args!("  found in {found} of {windows} windows"));
    }
    if let Some(catch) = &track.best
        && !track.is_good()
    {
        console.say(format_args!("  shrunk to {}; expected at most {SMALL}", catch.shrunk.after));
    }
    track.trouble.iter().for_each(|what| console.say(format_args!("  {what}")));
    for alarm in &track.alarms {
        console.say("  broken without the bug too; repeat it with");
        let seed = alarm.seed.to_string();
        let mut words = vec!["replay", alarm.scenario, &seed];
        words.extend((alarm.arm == Arm::Control).then_some("--control"));
        console.say(console.command(&words));
    }
    let (windows, time) = (asked.windows.to_string(), format!("{}ms", asked.time.as_millis()));
    let mut words = vec!["bugs", &name, "--windows", &windows, "--time", &time];
    let runs = asked.shrink_runs.map(|runs| runs.to_string());
    words.extend(runs.iter().flat_map(|runs| ["--shrink-runs", runs]));
    console.say(console.command(&words));
}
