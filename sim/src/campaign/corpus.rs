//! The corpus: seed files worth keeping, each replayed with its planted bug and without.

use super::case::Case;
use super::registry::Registry;
use super::replay::{End, recorded};
use super::runner::Runner;
use super::seed_file::{self, InputError};
use super::signature::Signature;
use super::store;
use crate::engine::{Options, Verdict};
use std::fs;
use std::path::{Path, PathBuf};

/// Opens a seed file of any scenario.
///
/// # Errors
/// If it is no seed file of a scenario that is registered: where, and what was expected.
pub fn open<'r>(registry: &'r Registry, path: &Path) -> Result<Box<dyn Case + 'r>, InputError> {
    let text = store::read(path)?;
    parse(registry, &text, &path.display().to_string())
}

/// Reads the text of a seed file of any scenario; `file` is what messages call it.
///
/// # Errors
/// As [`open`].
pub fn parse<'r>(
    registry: &'r Registry,
    text: &str,
    file: &str,
) -> Result<Box<dyn Case + 'r>, InputError> {
    let header = seed_file::header_of(text, file)?;
    let runner = registry.get(&header.scenario).map_err(|message| {
        let is_it = |line: &str| line.trim_start().starts_with("scenario");
        let line = text.lines().position(is_it).map_or(0, |i| i + 1);
        InputError { file: file.into(), line, message }
    })?;
    runner.read(text, file)
}

/// All seed files under a folder, in the order of their paths.
///
/// # Errors
/// If a folder cannot be read.
pub fn files(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let wrong = |error: std::io::Error| {
        format!("{}: expected a folder that can be read: {error}", dir.display())
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if path.extension().is_some_and(|ending| ending == "toml") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Replays a file of the corpus: as recorded it must break the promise that it names, with the digest that it names and no
/// line unused, and it must pass without its planted bug. A file that names no planted bug shows a real one: it was recorded
/// before the fix, so its run is another one since, and the verdict counts alone: it must pass.
///
/// # Errors
/// Says in what it falls short.
pub fn check(registry: &Registry, path: &Path) -> Result<(), String> {
    let mut case = open(registry, path).map_err(|error| error.to_string())?;
    let replay = recorded(case.as_mut(), Options::default());
    let header = case.header().clone();
    if header.bug.is_none() {
        return match replay.report.verdict {
            Verdict::Pass => Ok(()),
            other => Err(format!("it must pass without a planted bug: {other:?}")),
        };
    }
    if !replay.differs.is_empty() {
        return Err(format!("not the same run: {}", replay.differs.join(", ")));
    }
    let broke = Signature::of_verdict(&replay.report.verdict);
    if broke.is_none_or(|signature| header.breaks.as_deref() != Some(signature.check)) {
        let expected = header.breaks.unwrap_or_else(|| "a promise (`breaks`)".into());
        return Err(format!("expected to break `{expected}`: {:?}", replay.report.verdict));
    }
    if header.digest.is_none() {
        return Err("expected a recorded digest".into());
    }
    case.set_bug(None)?;
    match case.run(Options::default()).verdict {
        Verdict::Pass => Ok(()),
        other => Err(format!("it must pass with its planted bug off: {other:?}")),
    }
}

/// The lines of a seed file that are not needed: with one of them taken away, the same signature comes back. Operations,
/// faults and noise are lines, and so are the numbers of `[config]` and `[run]`: without its line, a number has the value
/// that holds where a file says nothing. A line that says just that is never needed.
///
/// # Errors
/// If it is no seed file, or its run breaks no promise.
pub fn needless_lines(registry: &Registry, path: &Path) -> Result<Vec<String>, String> {
    let file = path.display().to_string();
    let text = store::read(path).map_err(|error| error.to_string())?;
    let mut case = parse(registry, &text, &file).map_err(|error| error.to_string())?;
    let report = case.run(Options::default());
    let signature = Signature::of_verdict(&report.verdict)
        .ok_or_else(|| format!("{}: expected a broken promise", path.display()))?;
    let lines = case.lines();
    let mut needless = Vec::new();
    for (place, text) in lines.all() {
        let mut without = case.copy();
        without.remove(place);
        let report = without.run(Options::default());
        if Signature::of_verdict(&report.verdict) == Some(signature) {
            needless.push(text.to_string());
        }
    }
    for (line, rest) in without_numbers(&text) {
        // The other lines may need the number: of a client that is not there, nothing can be asked.
        let Ok(mut without) = parse(registry, &rest, &file) else { continue };
        let report = without.run(Options::default());
        if Signature::of_verdict(&report.verdict) == Some(signature) {
            needless.push(line.to_string());
        }
    }
    Ok(needless)
}

/// Each line of the tables of numbers, with the text that remains without it.
fn without_numbers(text: &str) -> impl Iterator<Item = (&str, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut table = "";
    let mut numbers = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if line.starts_with('[') {
            table = line.trim_end();
        } else if ["[config]", "[run]"].contains(&table) && line.contains('=') {
            numbers.push((at, *line));
        }
    }
    numbers
        .into_iter()
        .map(move |(at, line)| (line, [&lines[..at], &lines[at + 1..]].concat().join("\n")))
}

/// Reads the text of a seed file that was just printed and runs it: what was recorded must come back.
///
/// # Errors
/// Says what differs. That is a defect of the testbed.
pub(super) fn stands(runner: &dyn Runner, text: &str) -> Result<(), String> {
    let mut case = runner.read(text, "the seed file").map_err(|error| error.to_string())?;
    let replay = recorded(case.as_mut(), Options::default());
    let lost = replay.differs.iter().find(|what| what.starts_with("the digest"));
    match (lost, replay.end) {
        (Some(what), _) => Err(what.clone()),
        (None, End::Broke | End::OtherRunBroke) => Ok(()),
        (None, other) => Err(format!("it comes to {other:?}")),
    }
}
