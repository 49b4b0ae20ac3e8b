//! Transcripts: each file under `tests/transcripts/` is a test of its own name.
//!
//! ```text
//! cargo run --release -- transcript --update tests/transcripts/register/*.txt     new answers, where they are meant
//! ```

use libtest_mimic::{Arguments, Failed, Trial};
use seedbed_models::registry::registry;
use seedbed_sim::campaign::transcript::{play, verbs_of};
use seedbed_sim::campaign::{Registry, Runner, model_of};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts");
    let mut files = Vec::new();
    collect(&folder, &mut files);
    files.sort();
    let mut trials: Vec<Trial> = Vec::new();
    for path in files.clone() {
        let below = path.strip_prefix(&folder).unwrap_or(&path);
        let name = format!("tests/transcripts/{}", below.display());
        trials.push(Trial::test(name, move || {
            answers_as_written(&registry(), &path).map_err(Failed::from)
        }));
    }
    trials.push(Trial::test("every model has verbs and a transcript", move || {
        every_model_is_shown(&registry(), &files).map_err(Failed::from)
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// All transcripts below a folder.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "txt") {
            files.push(path);
        }
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn answers_as_written(registry: &Registry, path: &Path) -> Result<(), String> {
    let (text, file) = (read(path)?, path.display().to_string());
    let name = verbs_of(&text, &file).map_err(|error| error.to_string())?;
    let make = registry.verbs(name).ok_or_else(|| format!("there are no verbs called {name}"))?;
    let played = play(make().as_mut(), &text, &file).map_err(|error| error.to_string())?;
    let mut complaint = String::new();
    for mismatch in &played.mismatches {
        let (line, commands) = (mismatch.line, mismatch.commands.join("\n"));
        complaint += &format!("{file}:{line}:\n{commands}\n----\n{}\n", mismatch.diff().join("\n"));
    }
    match (complaint.is_empty(), played.commands, played.text == text) {
        (false, ..) => Err(complaint),
        (true, 0, _) => Err("expected commands".into()),
        (true, _, false) => Err("expected the form that --update gives it".into()),
        (true, _, true) => Ok(()),
    }
}

/// Every model has verbs under its own name, and all verbs have a transcript.
fn every_model_is_shown(registry: &Registry, files: &[PathBuf]) -> Result<(), String> {
    let mut shown = BTreeSet::new();
    for path in files {
        let text = read(path)?;
        shown.insert(verbs_of(&text, "").map_err(|error| error.to_string())?.to_string());
    }
    let models: BTreeSet<&str> = registry.runners().map(Runner::name).map(model_of).collect();
    let mut missing = Vec::new();
    for model in models.into_iter().filter(|model| registry.verbs(model).is_none()) {
        missing.push(format!("verbs of {model}"));
    }
    for name in registry.verb_names().filter(|name| !shown.contains(*name)) {
        missing.push(format!("a transcript of {name}"));
    }
    if missing.is_empty() { Ok(()) } else { Err(format!("expected {}", missing.join(", "))) }
}
