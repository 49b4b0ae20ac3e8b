//! JSON documents: one on standard output for every verb that reports, with the shapes that the guide lists.

use super::number::ms;
use crate::campaign::bench::Figure;
use crate::campaign::hunt::{Track, median_and_max};
use crate::campaign::replay::Replay;
use crate::campaign::shrink::Size;
use crate::campaign::sweep::{Finding, Lane, Outcome};
use crate::campaign::{Arm, Info, Planted};
use crate::engine::{Report, Verdict};
use crate::nemesis::Knob;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// `list`.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the document's")]
pub struct List {
    pub scenarios: Vec<Listed>,
}

/// A scenario of `list`.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the document's")]
pub struct Listed {
    pub scenario: &'static str,
    pub about: &'static str,
    pub checks: Vec<&'static str>,
    pub points: Vec<&'static str>,
    pub bugs: Vec<&'static str>,
    pub sometimes: Vec<&'static str>,
    pub kinds: Vec<&'static str>,
    pub knobs: Vec<ListedKnob>,
}

/// A knob of a scenario of `list`.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the document's")]
pub struct ListedKnob {
    pub name: &'static str,
    pub min: u64,
    pub max: u64,
    pub simplest: u64,
    pub about: &'static str,
}

impl ListedKnob {
    fn new(knob: &Knob) -> ListedKnob {
        let Knob { name, min, max, simplest, about } = *knob;
        ListedKnob { name, min, max, simplest, about }
    }
}

impl Listed {
    /// A scenario.
    #[must_use]
    pub fn new(info: &Info) -> Listed {
        Listed {
            scenario: info.name,
            about: info.about,
            checks: info.checks.clone(),
            points: info.points.iter().map(|point| point.name).collect(),
            bugs: info.bugs.iter().map(|bug| bug.name).collect(),
            sometimes: info.marks.iter().map(|mark| mark.name).collect(),
            kinds: info.kinds.iter().map(|kind| kind.name()).collect(),
            knobs: info.knobs.iter().map(ListedKnob::new).collect(),
        }
    }
}

/// `sweep`.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the document's")]
pub struct Swept {
    pub scenarios: Vec<SweptScenario>,
    /// The first seed.
    pub seeds_from: u64,
    pub interrupted: bool,
}

/// A scenario of `sweep`.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the document's")]
pub struct SweptScenario {
    pub scenario: &'static str,
    pub runs: u64,
    pub counted_runs: u64,
    pub busy_runs: u64,
    pub inconclusive_runs: u64,
    pub events: u64,
    pub virtual_ms: u64,
    /// The scenario's share of the time of the sweep.
    pub wall_ms: u64,
    pub findings: Vec<Found>,
    /// Per mark: runs that saw it.
    pub sometimes: BTreeMap<&'static str, u64>,
    pub never_evaluated: Vec<&'static str>,
    /// Per kind of trouble that the budget allows: how often it happened.
    pub happened: BTreeMap<&'static str, u64>,
    pub median: Median,
}

/// What a run has in the middle of all runs of a scenario.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the document's")]
pub struct Median {
    /// Completed ones.
    pub operations: u32,
    /// Things that went wrong, of every kind.
    pub faults: u32,
    pub events: u32,
}

/// A finding.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the document's")]
pub struct Found {
    pub seed: u64,
    pub check: &'static str,
    pub class: &'static str,
    pub file: Option<String>,
    pub times: u64,
    pub shrunk: Option<Size>,
}

impl Swept {
    /// The document of an outcome.
    #[must_use]
    pub fn new(outcome: &Outcome, seeds_from: u64) -> Swept {
        let scenario = |lane: &Lane| SweptScenario {
            scenario: lane.info.name,
            runs: lane.tally.runs,
            counted_runs: lane.tally.counted,
            busy_runs: lane.tally.busy,
            inconclusive_runs: lane.tally.inconclusive,
            events: lane.tally.events,
            virtual_ms: u64::try_from(lane.tally.virtual_ns / 1_000_000).unwrap_or(u64::MAX),
            wall_ms: ms(lane.wall),
            findings: (outcome.findings.iter())
                .filter(|finding| finding.scenario == lane.info.name)
                .map(Found::new)
                .collect(),
            sometimes: (lane.info.marks.iter())
                .map(|mark| (mark.name, lane.tally.marks[usize::from(mark.index)]))
                .collect(),
            never_evaluated: lane.never_evaluated(),
            happened: (lane.info.kinds.iter())
                .map(|kind| (kind.name(), lane.tally.seen[kind as usize]))
                .collect(),
            median: Median {
                operations: lane.tally.operations.median(),
                faults: lane.tally.troubles.median(),
                events: lane.tally.steps.median(),
            },
        };
        Swept {
            scenarios: outcome.lanes.iter().map(scenario).collect(),
            seeds_from,
            interrupted: outcome.interrupted,
        }
    }
}

impl Found {
    fn new(finding: &Finding) -> Found {
        Found {
            seed: finding.seed,
            check: finding.signature.check,
            class: finding.signature.class,
            file: finding.file.as_deref().map(shown),
            times: finding.times,
            shrunk: finding.shrunk.as_ref().map(|shrunk| shrunk.after),
        }
    }
}

/// A path as text.
#[must_use]
pub fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// `replay`.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the document's")]
pub struct Replayed {
    pub verdict: &'static str,
    pub check: Option<&'static str>,
    pub class: Option<&'static str>,
    pub detail: Option<String>,
    pub digest: String,
    pub steps: u32,
    pub virtual_ms: u64,
    pub unused: Vec<String>,
    /// What makes it another run than the recorded one.
    pub differs: Vec<String>,
}

impl Replayed {
    /// The document of a replay.
    #[must_use]
    pub fn new(replay: &Replay) -> Replayed {
        let (unused, differs) = (replay.unused.clone(), replay.differs.clone());
        Replayed { unused, differs, ..Replayed::of(&replay.report) }
    }

    /// The document of a run that is compared with nothing.
    #[must_use]
    pub fn of(report: &Report) -> Replayed {
        let (verdict, violation, reason) = match &report.verdict {
            Verdict::Pass => ("pass", None, None),
            Verdict::Broken(violation) => ("broken", Some(violation), None),
            Verdict::Inconclusive(reason) => ("inconclusive", None, Some(reason.clone())),
        };
        Replayed {
            verdict,
            check: violation.map(|violation| violation.check),
            class: violation.map(|violation| violation.class),
            detail: violation.map(|violation| violation.detail.clone()).or(reason),
            digest: format!("{:016x}", report.digest),
            steps: report.steps,
            virtual_ms: report.virtual_time.0 / 1_000_000,
            unused: Vec::new(),
            differs: Vec::new(),
        }
    }
}

/// `replay --update`.
#[derive(Debug, Default, Serialize)]
#[expect(missing_docs, reason = "the names are the document's")]
pub struct UpdatedFiles {
    pub unchanged: Vec<String>,
    pub rewritten: Vec<String>,
    pub now_passes: Vec<String>,
    pub no_longer_lines_up: Vec<String>,
}

/// `shrink`.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the document's")]
pub struct ShrunkPlan {
    pub scenario: String,
    pub seed: u64,
    pub check: &'static str,
    pub class: &'static str,
    pub file: Option<String>,
    pub executions: u32,
    pub minimal: bool,
    pub before: Size,
    pub shrunk: Size,
}

/// `bugs`.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the document's")]
pub struct Hunted {
    pub bugs: Vec<HuntedBug>,
    pub windows: u32,
    pub interrupted: bool,
}

/// A planted bug of `bugs`.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the document's")]
pub struct HuntedBug {
    pub bug: &'static str,
    pub model: &'static str,
    pub source: &'static str,
    /// The scenario of the smallest find.
    pub scenario: Option<&'static str>,
    pub check: &'static str,
    /// In how many windows.
    pub found: usize,
    pub runs: Spread,
    pub control: Spread,
    /// The time of all threads in the window that took longest, in seconds.
    pub cpu_s: f64,
    pub shrunk: Option<Size>,
    pub file: Option<String>,
    /// Plans that break the promise with the bug off too.
    pub alarms: Vec<AlarmOf>,
}

/// A plan that breaks a promise with the planted bug off too.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the document's")]
pub struct AlarmOf {
    pub scenario: &'static str,
    pub seed: u64,
    /// Whether the seed grew as those of the control arm do.
    pub control: bool,
}

/// How many runs it took; null where it was not found.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the document's")]
pub struct Spread {
    pub median: Option<u64>,
    pub max: Option<u64>,
}

impl Spread {
    fn of(runs: &[Option<u64>]) -> Spread {
        let (median, max) = median_and_max(runs);
        Spread { median, max }
    }
}

impl HuntedBug {
    /// What came of a hunt.
    #[must_use]
    pub fn new(planted: &Planted<'_>, track: &Track, file: Option<String>) -> HuntedBug {
        let cpu = track.cpu.iter().max().copied().unwrap_or_default();
        HuntedBug {
            bug: planted.bug.name,
            model: planted.model,
            source: planted.bug.source,
            scenario: track.best.as_ref().map(|catch| catch.scenario),
            check: planted.bug.breaks,
            found: track.found(),
            runs: Spread::of(&track.runs),
            control: Spread::of(&track.control),
            cpu_s: cpu.as_secs_f64(),
            shrunk: track.best.as_ref().map(|catch| catch.shrunk.after),
            file,
            alarms: (track.alarms.iter())
                .map(|alarm| AlarmOf {
                    scenario: alarm.scenario,
                    seed: alarm.seed,
                    control: alarm.arm == Arm::Control,
                })
                .collect(),
        }
    }
}

/// `determinism`.
#[derive(Debug, Default, Serialize)]
#[expect(missing_docs, reason = "the names are the document's")]
pub struct Determinism {
    pub scenarios: Vec<DeterminismOf>,
    pub interrupted: bool,
}

/// A scenario of `determinism`.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the document's")]
pub struct DeterminismOf {
    pub scenario: &'static str,
    pub seeds: u64,
    /// The manners whose digests were compared with those of a reused world.
    pub compared_with: Vec<&'static str>,
    pub differences: Vec<Difference>,
}

/// A seed whose runs differ.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the document's")]
pub struct Difference {
    pub seed: u64,
    pub manner: &'static str,
    /// The first step that differs; null if only the end does, or the difference did not come back.
    pub step: Option<usize>,
    pub left: Vec<String>,
    pub right: Vec<String>,
}

/// `history`.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the document's")]
pub struct HistoryOf {
    pub file: String,
    pub format: String,
    pub verdict: &'static str,
    pub operations: usize,
    pub unknown: usize,
    pub explanation: Vec<String>,
}

/// `transcript`.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the document's")]
pub struct Transcripts {
    pub files: Vec<TranscriptOf>,
}

/// A file of `transcript`.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the document's")]
pub struct TranscriptOf {
    pub file: String,
    pub commands: usize,
    /// The lines of the blocks that were answered differently.
    pub mismatches: Vec<usize>,
    pub rewritten: bool,
    /// What a command said when it panicked.
    pub panicked: Option<String>,
}

/// `bench`.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the document's")]
pub struct Bench {
    pub workloads: Vec<BenchedWorkload>,
    pub scenarios: Vec<BenchedScenario>,
}

/// A workload of `bench`.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the document's")]
pub struct BenchedWorkload {
    pub name: &'static str,
    pub events_per_s: u64,
    pub runs_per_s: u64,
    pub allocs_per_event: f64,
    pub bytes_per_run: u64,
    pub of_bare: Option<f64>,
    pub bare_per_s: Option<u64>,
}

/// A scenario of `bench`.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are the document's")]
pub struct BenchedScenario {
    pub scenario: &'static str,
    pub events_per_s: u64,
    pub runs_per_s: u64,
    pub allocs_per_event: f64,
    pub bytes_per_run: u64,
}

#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "a figure for people")]
fn unmilli(n: u64) -> f64 {
    n as f64 / 1000.0
}

impl BenchedWorkload {
    /// A workload's figures.
    #[must_use]
    pub fn new(figure: &Figure) -> BenchedWorkload {
        BenchedWorkload {
            name: figure.name,
            events_per_s: figure.events_per_s,
            runs_per_s: figure.runs_per_s,
            allocs_per_event: unmilli(figure.milli_allocs_per_event),
            bytes_per_run: figure.bytes_per_run,
            of_bare: figure.milli_of_bare.map(unmilli),
            bare_per_s: figure.bare_per_s,
        }
    }
}

impl BenchedScenario {
    /// A scenario's figures.
    #[must_use]
    pub fn new(figure: &Figure) -> BenchedScenario {
        BenchedScenario {
            scenario: figure.name,
            events_per_s: figure.events_per_s,
            runs_per_s: figure.runs_per_s,
            allocs_per_event: unmilli(figure.milli_allocs_per_event),
            bytes_per_run: figure.bytes_per_run,
        }
    }
}
