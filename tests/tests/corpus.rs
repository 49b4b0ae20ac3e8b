//! The corpus: each file under `seeds/` is a test of its own name.
//!
//! ```text
//! cargo test -p seedbed-tests --test corpus                         all of them
//! cargo test -p seedbed-tests --test corpus -- seeds/register/      those of one model
//! cargo run --release -- replay --update seeds/register/*.toml      new digests, after the engine or the model has changed
//! ```

use libtest_mimic::{Arguments, Failed, Trial};
use seedbed_models::registry::registry;
use seedbed_sim::campaign::{Registry, corpus, model_of, replay};
use seedbed_sim::engine::Options;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The most lines of a file: operations, faults, noise.
const OPS_MAX: usize = 6;
const FAULTS_MAX: usize = 3;
const NOISE_MAX: usize = 6;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let seeds = root().join("seeds");
    // A folder that is missing is a failure of its own below: no bug has a file.
    let mut trials: Vec<Trial> = corpus::files(&seeds)
        .unwrap_or_default()
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
            Trial::test(name, move || keeps_its_word(&registry(), &path).map_err(Failed::from))
        })
        .collect();
    let all = trials.iter().map(|trial| trial.name().to_string()).collect::<Vec<_>>();
    trials.push(Trial::test("every planted bug has a seed file", move || {
        every_bug_has_a_file(&registry(), &all).map_err(Failed::from)
    }));
    trials.push(Trial::test("a file of a real bug passes once the bug is fixed", || {
        passes_once_it_is_fixed(&registry()).map_err(Failed::from)
    }));
    trials.push(Trial::test("a file that does not keep its word is refused", || {
        refuses(&registry()).map_err(Failed::from)
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// With its bug, a file breaks the promise that it names, with the same digest each time and no line unused; without the bug
/// it passes. It is small, and each of its lines is needed. A file without a bug passes, with the same digest each time.
fn keeps_its_word(registry: &Registry, path: &Path) -> Result<(), String> {
    corpus::check(registry, path)?;
    let opened = || corpus::open(registry, path).map_err(|error| error.to_string());
    let mut case = opened()?;
    let first = case.run(Options::default()).digest;
    // In a world that is used again, and in a fresh one.
    for digest in [case.run(Options::default()).digest, opened()?.run(Options::default()).digest] {
        expect(digest == first, "the digest is the same each time")?;
    }
    // What is recorded of a real bug is the run before its fix.
    let Some(bug) = case.bug() else { return Ok(()) };
    expect(case.header().digest == Some(first), "the digest is the recorded one")?;
    let expected = format!("{}/{}.toml", model_of(&case.header().scenario), bug.name);
    expect(path.ends_with(&expected), format_args!("it is called seeds/{expected}"))?;
    let broken = case.header().breaks.clone().unwrap_or_default();
    expect(broken == bug.breaks, format_args!("it breaks `{}`", bug.breaks))?;
    let lines = case.lines();
    let noise = lines.noise.as_ref().ok_or("its noise is drawn, expected lines")?;
    for (what, many, most) in [
        ("operations", lines.ops.len(), OPS_MAX),
        ("faults", lines.faults.len(), FAULTS_MAX),
        ("noise lines", noise.len(), NOISE_MAX),
    ] {
        expect(many <= most, format_args!("it has at most {most} {what}, and not {many}"))?;
    }
    let needless = corpus::needless_lines(registry, path)?;
    expect(needless.is_empty(), format_args!("each line is needed, unlike {}", needless.join("; ")))
}

fn expect(holds: bool, what: impl Display) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("expected: {what}")) }
}

fn every_bug_has_a_file(registry: &Registry, files: &[String]) -> Result<(), String> {
    let planted = registry.planted();
    let file = |model: &str, bug: &str| format!("seeds/{model}/{bug}.toml");
    let missing: Vec<String> = planted
        .iter()
        .map(|planted| file(planted.model, planted.bug.name))
        .filter(|file| !files.contains(file))
        .collect();
    expect(missing.is_empty(), format_args!("there are files {}", missing.join(" ")))
}

/// A file of the corpus that keeps its word, and has room for one more operation.
fn sound_file(registry: &Registry) -> Result<PathBuf, String> {
    let sound = corpus::files(&root().join("seeds"))?.into_iter().find(|path| {
        let case = corpus::open(registry, path);
        let small = case.is_ok_and(|case| case.bug().is_some() && case.lines().ops.len() < OPS_MAX);
        small && keeps_its_word(registry, path).is_ok()
    });
    sound.ok_or_else(|| "expected a file that keeps its word".into())
}

/// A copy of a sound file with another text, under the name of what is changed.
fn changed_copy(sound: &Path, what: &str, text: &str) -> Result<PathBuf, String> {
    let seeds = root().join("seeds");
    let name = sound.strip_prefix(&seeds).unwrap_or(sound);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(what).join(name);
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    made.and_then(|()| std::fs::write(&path, text)).map_err(|error| error.to_string())?;
    Ok(path)
}

/// What a sweep wrote of a real bug stays as it is when the bug is fixed: promise, digest and lines are of the run before.
fn passes_once_it_is_fixed(registry: &Registry) -> Result<(), String> {
    let sound = sound_file(registry)?;
    let text = std::fs::read_to_string(&sound).map_err(|error| error.to_string())?;
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("bug ")).collect();
    expect(lines.len() < text.lines().count(), "the file names its bug on a line")?;
    let fixed = changed_copy(&sound, "fixed", &lines.join("\n"))?;
    keeps_its_word(registry, &fixed)
}

/// Changes a file in each way that must not go unnoticed.
fn refuses(registry: &Registry) -> Result<(), String> {
    let sound = sound_file(registry)?;
    let text = std::fs::read_to_string(&sound).map_err(|error| error.to_string())?;
    let case = corpus::open(registry, &sound).map_err(|error| error.to_string())?;
    let header = case.header().clone();
    let quoted = |word: Option<String>| format!("\"{}\"", word.unwrap_or_default());
    let digest = quoted(header.digest.map(|digest| format!("{digest:016x}")));
    for (what, changed, said) in [
        ("another digest", text.replace(&digest, "\"0123456789abcdef\""), "not the same run"),
        (
            "an unknown bug",
            text.replace(&quoted(header.bug), "\"none\""),
            "one of the planted bugs",
        ),
        (
            "another promise",
            text.replace(&quoted(header.breaks), "\"time goes on\""),
            "to break `time goes on`",
        ),
        ("a line too many", with_one_more(registry, case.lines().ops.last(), &text)?, "is needed"),
        ("a number too many", with_a_number(&text), "is needed, unlike steps_max = 199999"),
    ] {
        expect(changed != text, format_args!("the file can be given {what}"))?;
        let path = changed_copy(&sound, what, &changed)?;
        let complaint = keeps_its_word(registry, &path).err().unwrap_or_default();
        expect(complaint.contains(said), format_args!("{what} is noticed, not `{complaint}`"))?;
    }
    Ok(())
}

/// The file with a number of the run that changes nothing.
fn with_a_number(text: &str) -> String {
    let number = "[run]\nsteps_max = 199999\n";
    if text.contains("[run]\n") {
        text.replace("[run]\n", number)
    } else {
        format!("{text}\n{number}")
    }
}

/// The file with its last operation asked a second time, and the digest that this comes to.
fn with_one_more(registry: &Registry, op: Option<&String>, text: &str) -> Result<String, String> {
    let op = op.ok_or("expected an operation")?;
    let (client, rest) = op.split_once('#').unwrap_or_default();
    let (_, asked) = rest.split_once(':').unwrap_or_default();
    let more = text.replace(&format!("\"{op}\""), &format!("\"{op}\", \"{client}#900:{asked}\""));
    let case = corpus::parse(registry, &more, "one more");
    let mut case = case.map_err(|error| error.to_string())?;
    Ok(replay::update(case.as_mut(), &more).1)
}
