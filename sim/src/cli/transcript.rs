//! `transcript`: runs text transcripts.

use super::{Console, Status, Usage, args};
use crate::campaign::seed_file::InputError;
use crate::campaign::transcript::{Played, play, verbs_of};
use crate::campaign::{Registry, store};
use crate::report::document::{TranscriptOf, Transcripts, shown};
use crate::report::number::counted;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

pub(super) fn run(
    registry: &Registry,
    asked: &args::Transcript,
    console: &mut Console<'_>,
) -> Result<Status, Usage> {
    let mut status = Status::Clean;
    let mut document = Transcripts { files: Vec::new() };
    for path in &asked.files {
        let text = store::read(path)?;
        let played = match played(registry, path, &text)? {
            Ok(played) => played,
            Err(said) => {
                // A panic is a defect of the model, and a finding.
                console.say(format_args!("{}: a command panicked: {said}", shown(path)));
                console.say(console.command(&["transcript", &shown(path)]));
                status = status.and(Status::Finding);
                document.files.push(TranscriptOf {
                    file: shown(path),
                    commands: 0,
                    mismatches: Vec::new(),
                    rewritten: false,
                    panicked: Some(said),
                });
                continue;
            }
        };
        let rewritten = asked.update && played.text != text;
        if rewritten {
            store::replace(path, &played.text)?;
        }
        report(path, &played, rewritten, console);
        if !played.mismatches.is_empty() && !asked.update {
            status = status.and(Status::Finding);
        }
        document.files.push(TranscriptOf {
            file: shown(path),
            commands: played.commands,
            mismatches: played.mismatches.iter().map(|mismatch| mismatch.line).collect(),
            rewritten,
            panicked: None,
        });
    }
    console.document(&document);
    Ok(status)
}

fn played(registry: &Registry, path: &Path, text: &str) -> Result<Result<Played, String>, Usage> {
    let file = shown(path);
    let name = verbs_of(text, &file)?;
    let make = registry.verbs(name).ok_or_else(|| {
        let known: Vec<&str> = registry.verb_names().collect();
        let message = format!("expected verbs of one of {}, found `{name}`", known.join(" "));
        InputError { file: file.clone(), line: 1, message }
    })?;
    let played = catch_unwind(AssertUnwindSafe(|| play(make().as_mut(), text, &file)));
    match played {
        Ok(played) => Ok(Ok(played?)),
        Err(payload) => {
            let said = payload.downcast_ref::<String>().cloned();
            let said = said.or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string));
            Ok(Err(said.unwrap_or_else(|| "without words".into())))
        }
    }
}

fn report(path: &Path, played: &Played, rewritten: bool, console: &mut Console<'_>) {
    let (file, commands) = (shown(path), counted(played.commands, "command"));
    if rewritten {
        console.say(format_args!("{file}: {commands}, rewritten"));
        return;
    }
    if played.mismatches.is_empty() {
        console.say(format_args!("{file}: {commands}, as expected"));
        return;
    }
    for mismatch in &played.mismatches {
        console.say(format_args!("{file}:{}: answered differently than expected", mismatch.line));
        mismatch.commands.iter().for_each(|command| console.say(format_args!("  {command}")));
        console.say("  ----");
        mismatch.diff().iter().for_each(|line| console.say(line));
    }
    console.say(console.command(&["transcript", &file]));
}
