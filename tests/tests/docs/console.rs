//! Commands on a page: each `$ COMMAND` of a block tagged `console` is run, and what it prints is compared.
//!
//! A line `...` stands for any number of lines that are left out. Where a command measures real time, numbers are not
//! compared up to the first empty line of its output: that is where its table stands.

use super::page::{Block, Page};
use super::{root, tutorial};
use seedbed_models::registry::registry;
use seedbed_sim::campaign::Registry;
use seedbed_sim::campaign::corpus;
use seedbed_sim::cli;
use std::cell::RefCell;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::rc::Rc;

/// Where commands are run: a folder with the seed files, in which they may leave their findings.
pub(super) struct Place;

/// Folders with seed files.
const SEEDS: [&str; 3] = ["seeds", "models/examples/tutorial/seeds", "models/examples/async/seeds"];
/// Verbs whose tables show what was measured.
const MEASURES: [&str; 3] = ["sweep", "bugs", "bench"];

impl Place {
    pub(super) fn new() -> Place {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("docs");
        let _ = fs::remove_dir_all(&dir);
        for folder in SEEDS {
            let files = corpus::files(&root().join(folder)).unwrap_or_default();
            for file in files {
                let copy = dir.join(file.strip_prefix(root()).expect("a file of the workspace"));
                fs::create_dir_all(copy.parent().expect("a folder")).expect("makes a folder");
                fs::copy(&file, &copy).expect("copies a seed file");
            }
        }
        fs::create_dir_all(&dir).expect("makes a folder");
        std::env::set_current_dir(&dir).expect("a folder to run commands in");
        Place
    }
}

/// Pages whose commands need the second engine.
const ON_MADSIM: [&str; 2] = ["docs/src/async.md", "docs/src/engines.md"];

/// The page with the output of every command as it is now.
pub(super) fn refreshed(page: &Page, place: &Place) -> Result<String, String> {
    if cfg!(not(madsim)) && ON_MADSIM.contains(&page.name.as_str()) {
        return Ok(page.text.clone());
    }
    page.with_blocks(|block| match block.tag {
        "console" => played(block, place).map(Some),
        _ => Ok(None),
    })
}

fn played(block: &Block<'_>, _: &Place) -> Result<Vec<String>, String> {
    let (mut fresh, mut status) = (Vec::new(), 0);
    let mut rest = block.lines.iter().peekable();
    while let Some(line) = rest.next() {
        let command = line
            .strip_prefix("$ ")
            .ok_or_else(|| format!("line {}: expected `$ COMMAND`, found `{line}`", block.line))?;
        let mut shown = Vec::new();
        while let Some(line) = rest.next_if(|line| !line.starts_with("$ ")) {
            shown.push(*line);
        }
        let printed = run(command, &mut status)?;
        fresh.push((*line).to_string());
        fresh.extend(merged(&shown, &printed, measures(command)));
    }
    Ok(fresh)
}

fn measures(command: &str) -> bool {
    command.split(' ').any(|word| MEASURES.contains(&word))
}

/// Runs a command; `status` is the exit status of the one before, and then of this one.
fn run(command: &str, status: &mut u8) -> Result<Vec<String>, String> {
    if command == "echo $?" {
        return Ok(vec![status.to_string()]);
    }
    if let Some((command, filter)) = command.split_once(" | grep ") {
        return run(command, status).map(|lines| grep(&lines, filter));
    }
    let words = shell_words(command);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (registry, program, args) = match &words[..] {
        ["cargo", "run", "--release", "--example", "tutorial", "--", args @ ..] => {
            (tutorial(), "target/release/examples/tutorial", args)
        }
        ["cargo", "run", "--release", "--", args @ ..] => {
            (registry(), "target/release/seedbed", args)
        }
        ["target/release/examples/tutorial", args @ ..] => (tutorial(), words[0], args),
        #[cfg(madsim)]
        ["cargo", "run", "--release", "--example", "async", "--", args @ ..] => {
            (super::hosted(), "target/release/examples/async", args)
        }
        ["target/release/seedbed" | "seedbed", args @ ..] => (registry(), words[0], args),
        ["cat", file] => {
            let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
            return Ok(text.lines().map(String::from).collect());
        }
        _ => return Err(format!("nobody knows how to run `{command}` here")),
    };
    Ok(run_seedbed(&registry, program, args, status))
}

fn run_seedbed(registry: &Registry, program: &str, args: &[&str], status: &mut u8) -> Vec<String> {
    let printed = Printed::default();
    let (mut out, mut err) = (printed.clone(), printed.clone());
    let args = std::iter::once(program).chain(args.iter().copied());
    *status = cli::run_with(registry, args, &mut out, &mut err).code();
    let bytes = printed.0.borrow();
    String::from_utf8_lossy(&bytes).lines().map(|line| line.trim_end().to_string()).collect()
}

/// The lines that hold a word; with `-A1`, and the line below each. Gaps are marked as the real program marks them.
fn grep(lines: &[String], filter: &str) -> Vec<String> {
    let (more, word) = filter.strip_prefix("-A1 ").map_or((0, filter), |word| (1, word));
    let word = word.trim_matches('\'');
    let (mut found, mut end) = (Vec::new(), 0);
    for (at, _) in lines.iter().enumerate().filter(|(_, line)| line.contains(word)) {
        if more > 0 && end > 0 && at > end {
            found.push("--".to_string());
        }
        let to = lines.len().min(at + 1 + more);
        found.extend_from_slice(&lines[at.max(end)..to]);
        end = to;
    }
    found
}

/// Standard output and standard error in one, as a terminal shows them.
#[derive(Clone, Default)]
struct Printed(Rc<RefCell<Vec<u8>>>);

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Words as a shell reads them; single quotes keep spaces.
fn shell_words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in command.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// What is to be shown of what was printed: as it is shown now where that is right, with what is left out left out.
fn merged(shown: &[&str], printed: &[String], measured: bool) -> Vec<String> {
    let table_ends = if measured {
        printed.iter().position(String::is_empty).unwrap_or(printed.len())
    } else {
        0
    };
    let equal = |shown: &str, at: usize| {
        shown == printed[at]
            || (at < table_ends && without_numbers(shown) == without_numbers(&printed[at]))
    };
    let gap = shown.iter().position(|line| *line == "...");
    let Some(gap) = gap else {
        let same = shown.len() == printed.len() && (0..shown.len()).all(|at| equal(shown[at], at));
        let shown = || shown.iter().map(ToString::to_string).collect();
        return if same { shown() } else { printed.to_vec() };
    };
    let (head, tail) = (&shown[..gap], &shown[gap + 1..]);
    if head.len() + tail.len() > printed.len() {
        return printed.to_vec();
    }
    let from = printed.len() - tail.len();
    let keep = |shown: &str, at: usize| {
        if equal(shown, at) { shown.to_string() } else { printed[at].clone() }
    };
    let head = head.iter().zip(0..).map(|(line, at)| keep(line, at));
    let tail = tail.iter().zip(from..).map(|(line, at)| keep(line, at));
    head.chain(std::iter::once("...".to_string())).chain(tail).collect()
}

/// A line with every number as `#`, every unit of time gone, and single spaces.
fn without_numbers(line: &str) -> String {
    let plain: String = line
        .chars()
        .map(|c| if c.is_ascii_digit() || ",.".contains(c) { '#' } else { c })
        .collect();
    let words =
        plain.split_whitespace().filter(|word| !["ms", "s", "min", "us", "h"].contains(word));
    let words = words.map(|word| if word.chars().all(|c| c == '#') { "#" } else { word });
    let mut words: Vec<&str> = words.collect();
    words.dedup();
    words.join(" ")
}

#[test]
fn what_is_left_out_stays_left_out_and_the_rest_is_compared() {
    let lines = |lines: &[&str]| lines.iter().map(ToString::to_string).collect::<Vec<String>>();
    let printed = lines(&["a", "b", "c", "d"]);
    assert_eq!(merged(&["a", "...", "d"], &printed, false), ["a", "...", "d"]);
    assert_eq!(merged(&["x", "...", "d"], &printed, false), ["a", "...", "d"]);
    assert_eq!(merged(&["a", "b"], &printed, false), printed);
    let measured = lines(&["name  1,234  5.6 s", "", "seed 7"]);
    assert_eq!(
        merged(&["name  9  8 min 7 s", "", "seed 7"], &measured, true),
        ["name  9  8 min 7 s", "", "seed 7"]
    );
    assert_eq!(merged(&["name  9  8 min 7 s", "", "seed 8"], &measured, true), measured);
}

#[test]
fn grep_shows_the_lines_with_a_word_and_what_follows() {
    let lines: Vec<String> = ["a", "b", "a", "a", "c", "d", "a"].map(String::from).to_vec();
    assert_eq!(grep(&lines, "a"), ["a", "a", "a", "a"]);
    assert_eq!(grep(&lines, "-A1 'a'"), ["a", "b", "a", "a", "c", "--", "a"]);
}

#[test]
fn quotes_keep_words_together() {
    assert_eq!(
        shell_words("seedbed replay f --without 'c0#1: put a'"),
        ["seedbed", "replay", "f", "--without", "c0#1: put a"]
    );
}
