//! `replay`: one run; and `replay --update`, which brings digests up to date.

use super::args::{self, seed};
use super::{Console, Status, Usage};
use crate::campaign::replay::{End, Replay, Updated, counterfactual, recorded, update};
use crate::campaign::{Arm, Case, Registry, Setting, corpus, store};
use crate::engine::{Options, Verdict};
use crate::report::document::{Replayed, UpdatedFiles};
use crate::report::number::{counted, grouped, lasting};
use std::path::Path;

/// How many of the last lines of the trace are shown, if not all.
const LINES_SHOWN: usize = 24;

pub(super) fn run(
    registry: &Registry,
    asked: &args::Replay,
    console: &mut Console<'_>,
) -> Result<Status, Usage> {
    if asked.update {
        return update_all(registry, &asked.what, console);
    }
    if let Some(replay) = stillborn(registry, &asked.what, asked.control) {
        report(&replay, false, console);
        console.document(&Replayed::new(&replay));
        return Ok(Status::Finding);
    }
    let target = open(registry, &asked.what, asked.control)?;
    let mut case = target.case;
    let own_bug = case.header().bug.clone();
    set_bug(case.as_mut(), asked.bug.as_deref())?;
    leave_out(case.as_mut(), &asked.without, target.name)?;
    let as_recorded = target.is_file && asked.without.is_empty() && case.header().bug == own_bug;
    let keep = if asked.trace { usize::MAX } else { LINES_SHOWN };
    let options = Options { trace: Some(keep), ..Options::default() };
    let replay = if as_recorded {
        recorded(case.as_mut(), options)
    } else {
        counterfactual(case.as_mut(), options)
    };
    report(&replay, target.is_file, console);
    console.document(&Replayed::new(&replay));
    Ok(match replay.end {
        End::Kept => Status::Clean,
        End::Broke | End::OtherRunBroke => Status::Finding,
        End::Undecided | End::OtherRun => Status::Undecided,
    })
}

/// A plan that was named on the command line.
pub(super) struct Target<'r, 'a> {
    pub(super) case: Box<dyn Case + 'r>,
    /// The file, or the scenario.
    pub(super) name: &'a str,
    pub(super) is_file: bool,
}

/// A seed whose plan cannot grow, because the model panics: that is a finding, and no slip of whoever asks.
fn stillborn(registry: &Registry, what: &[String], control: bool) -> Option<Replay> {
    let [scenario, text] = what else { return None };
    let (runner, seed) = (registry.find(scenario)?, seed(text).ok()?);
    let arm = if control { Arm::Control } else { Arm::Drawn };
    let setting = Setting { arm, ..Setting::default() };
    runner.grow(seed, setting).err()?;
    let report = runner.session().run(seed, setting, Options::default());
    Some(Replay { report, unused: Vec::new(), differs: Vec::new(), end: End::Broke })
}

/// The plan of a seed file, or of a scenario and a seed.
pub(super) fn open<'r, 'a>(
    registry: &'r Registry,
    what: &'a [String],
    control: bool,
) -> Result<Target<'r, 'a>, Usage> {
    let arm = if control { Arm::Control } else { Arm::Drawn };
    match what {
        [scenario] if registry.find(scenario).is_some() => {
            Err(Usage(format!("expected a seed after the scenario {scenario}, or a seed file")))
        }
        [_] if control => Err(Usage("expected a scenario and a seed with --control".into())),
        [file] => {
            Ok(Target { case: corpus::open(registry, Path::new(file))?, name: file, is_file: true })
        }
        [scenario, text] => {
            let (runner, seed) = (registry.get(scenario)?, seed(text)?);
            let case =
                runner.grow(seed, Setting { arm, ..Setting::default() }).map_err(|violation| {
                    Usage(format!("{scenario} {seed}: no plan: {}", violation.detail))
                })?;
            Ok(Target { case, name: scenario, is_file: false })
        }
        _ => Err(Usage("expected a seed file, or a scenario and a seed".into())),
    }
}

/// Switches planted bugs as the command line says.
pub(super) fn set_bug(case: &mut dyn Case, bug: Option<&str>) -> Result<(), Usage> {
    match bug {
        None => Ok(()),
        Some("none") => Ok(case.set_bug(None)?),
        Some(name) => Ok(case.set_bug(Some(name))?),
    }
}

fn leave_out(case: &mut dyn Case, lines: &[String], file: &str) -> Result<(), Usage> {
    for line in lines {
        if case.lines().find(line).is_none() && case.lines().noise.is_none() {
            // Noise that is drawn has no lines yet; the line may be one of those that it comes to.
            case.materialise();
        }
        let Some(place) = case.lines().find(line) else {
            let lines = case.lines();
            let similar = nearest(line, lines.all().map(|(_, text)| text));
            let similar = similar.map(|text| format!("; the most similar is `{text}`"));
            return Err(Usage(format!(
                "{file}: expected an operation, fault or noise line of this plan, found `{line}`{}",
                similar.unwrap_or_default()
            )));
        };
        case.remove(place);
    }
    Ok(())
}

/// The line that shares most words with a text.
fn nearest<'l>(text: &str, lines: impl Iterator<Item = &'l str>) -> Option<&'l str> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let shared = |line: &&str| line.split_whitespace().filter(|word| words.contains(word)).count();
    lines.max_by_key(shared).filter(|line| shared(line) > 0)
}

fn report(replay: &Replay, is_file: bool, console: &mut Console<'_>) {
    let report = &replay.report;
    report.trace.iter().for_each(|line| console.say(line));
    match &report.verdict {
        Verdict::Pass => console.say("every promise was kept"),
        Verdict::Broken(violation) => {
            console.say(format_args!("broken: {} ({})", violation.check, violation.class));
            violation.detail.lines().for_each(|line| console.say(format_args!("  {line}")));
        }
        Verdict::Inconclusive(reason) => console.say(format_args!("no verdict: {reason}")),
    }
    console.say(format_args!(
        "digest {:016x}, {} steps, {} of virtual time",
        report.digest,
        grouped(report.steps),
        lasting(report.virtual_time.0.into())
    ));
    if !replay.unused.is_empty() {
        console.say(format_args!("{} without use:", counted(replay.unused.len(), "line")));
        // A drawn plan has many faults that wait for points that never come; that is no news.
        let shown = if is_file { usize::MAX } else { 5 };
        replay.unused.iter().take(shown).for_each(|line| console.say(format_args!("  {line}")));
        if let Some(more) = replay.unused.len().checked_sub(shown).filter(|more| *more > 0) {
            console.say(format_args!("  and {more} more"));
        }
    }
    if !replay.differs.is_empty() {
        console.say(format_args!("not the same run: {}", replay.differs.join("; ")));
    }
    if replay.end != End::Kept {
        console.say(console.this_command());
    }
}

/// Whether a rewritten text says what it was to say: TOML has more ways to write a digest than are rewritten.
fn takes_update(registry: &Registry, file: &str, text: &str) -> Result<(), Usage> {
    let rewritten = corpus::parse(registry, text, file);
    let unchanged = rewritten
        .is_ok_and(|mut case| matches!(update(case.as_mut(), text), (Updated::Unchanged, _)));
    if unchanged {
        return Ok(());
    }
    Err(Usage(format!(
        "{file}: expected the digest in a line of its own, as `digest = \"0123456789abcdef\"`; it is left as it is"
    )))
}

fn update_all(
    registry: &Registry,
    files: &[String],
    console: &mut Console<'_>,
) -> Result<Status, Usage> {
    // All are read before any is written: a slip in the last name must not leave half of the work done.
    let mut cases = Vec::new();
    for file in files {
        let text = store::read(Path::new(file))?;
        cases.push((file, corpus::parse(registry, &text, file)?, text));
    }
    let mut done = UpdatedFiles::default();
    let mut status = Status::Clean;
    for (file, mut case, text) in cases {
        let (updated, text) = update(case.as_mut(), &text);
        let (list, what) = match updated {
            Updated::Unchanged => (&mut done.unchanged, "unchanged"),
            Updated::Rewritten => {
                takes_update(registry, file, &text)?;
                store::replace(Path::new(file), &text)?;
                (&mut done.rewritten, "rewritten")
            }
            Updated::NowPasses => (&mut done.now_passes, "now passes"),
            Updated::NoLongerLinesUp => (&mut done.no_longer_lines_up, "no longer lines up"),
        };
        list.push(file.clone());
        console.say(format_args!("{file}: {what}"));
        if matches!(updated, Updated::NowPasses | Updated::NoLongerLinesUp) {
            status = Status::Undecided;
            console.say(console.replay_of(Path::new(file)));
        }
    }
    console.document(&done);
    Ok(status)
}
