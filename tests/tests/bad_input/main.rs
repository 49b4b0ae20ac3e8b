//! Bad input: whatever is wrong with a file or a command, there is one message that says where and what was expected, exit
//! status 2, and no panic.

mod commands;
mod files;

use seedbed_models::registry::{registry, verbs};
use seedbed_sim::campaign::Registry;
use seedbed_sim::campaign::transcript::Verbs;
use seedbed_sim::cli::run_with_verbs;
use std::fs;
use std::path::{Path, PathBuf};

/// Verbs for transcripts that never get as far as to ask them.
struct Deaf;

impl Verbs for Deaf {
    fn run(&mut self, command: &str) -> Result<String, String> {
        Err(format!("expected nothing, found `{command}`"))
    }
}

fn known() -> Registry {
    registry().with_verbs("deaf", || Box::new(Deaf))
}

/// What a command came to.
struct Said {
    code: u8,
    out: String,
    err: String,
}

fn seedbed(args: &[&str]) -> Said {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let all = ["seedbed"].iter().chain(args);
    let status = run_with_verbs((&known(), &verbs()), all, &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).expect("the command writes text");
    Said { code: status.code(), out: text(out), err: text(err) }
}

/// A folder for the files of one test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bad-input").join(name);
    fs::create_dir_all(&folder).expect("a folder for the files of a test can be made");
    folder
}

/// Gives a verb a file with these bytes. It has to be refused with one line: file, place (0: the file as a whole), and an
/// expectation that holds these words. Answers what is wrong about that.
fn refusal(verb: &str, file: &Path, bytes: &[u8], (line, words): (usize, &str)) -> Option<String> {
    fs::write(file, bytes).expect("a file of a test can be written");
    let name = file.display().to_string();
    let Said { code, out, err } = seedbed(&[verb, &name]);
    let place = if line == 0 { format!("{name}: ") } else { format!("{name}:{line}: ") };
    let lines = err.lines().count();
    let good = code == 2
        && out.is_empty()
        && lines == 1
        && err.starts_with(&place)
        && err.contains("expected")
        && err.contains(words);
    (!good)
        .then(|| format!("line {line}, `{words}`: exit {code}, {lines} lines: {err}{}", last(&out)))
}

/// The last line of a report.
fn last(out: &str) -> &str {
    out.lines().last().unwrap_or_default()
}

/// Fails with all complaints at once.
fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
