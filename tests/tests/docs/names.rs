//! Names on the pages: types that the glossary speaks of are there.

use super::page::Page;
use super::root;
use seedbed_sim::campaign::corpus;
use std::fs;
use std::path::{Path, PathBuf};

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a folder of sources") {
        let path = entry.expect("a source").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The names of all public types of the engine.
fn public_types() -> Vec<String> {
    let mut files = Vec::new();
    sources(&root().join("sim/src"), &mut files);
    let mut names = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a source");
        for line in text.lines() {
            let rest = ["pub struct ", "pub enum ", "pub trait ", "pub type "];
            let rest = rest.iter().find_map(|kind| line.strip_prefix(kind));
            let name =
                rest.map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or(""));
            names.extend(name.map(String::from));
        }
    }
    names
}

/// Whether it is written like the name of a type.
fn is_type(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_uppercase())
        && word.chars().all(char::is_alphanumeric)
        && word.chars().any(|c| c.is_ascii_lowercase())
}

#[test]
fn types_of_which_the_glossary_speaks_are_there() {
    let known = public_types();
    let page = Page::read("docs/src/glossary.md");
    let rows = page.text.lines().filter(|line| line.starts_with('|'));
    let mut seen = 0;
    for row in rows {
        let types = row.split('|').nth(3).unwrap_or("").split('`').skip(1).step_by(2);
        for name in types.filter(|name| is_type(name)) {
            seen += 1;
            assert!(known.iter().any(|k| k == name), "`{name}` is a type of the engine: {row}");
        }
    }
    assert!(seen > 30, "the types were found");
}

/// The types that whoever writes a model meets first.
const FIRST: [&str; 30] = [
    "Actor",
    "Event",
    "Context",
    "Label",
    "Names",
    "Point",
    "Mark",
    "Bug",
    "Outcome",
    "History",
    "Topology",
    "World",
    "Scenario",
    "Always",
    "Eventually",
    "Finally",
    "Plan",
    "Config",
    "Knob",
    "Run",
    "Budget",
    "Draw",
    "Kind",
    "Fault",
    "Site",
    "Odds",
    "Native",
    "Report",
    "Verdict",
    "Registry",
];

#[test]
fn the_types_that_a_model_meets_first_stand_in_the_glossary() {
    let page = Page::read("docs/src/glossary.md");
    for name in FIRST {
        assert!(page.text.contains(&format!("`{name}`")), "`{name}` stands in the glossary");
    }
}

#[test]
fn the_seed_files_of_the_tutorial_hold() {
    let seeds = root().join("models/examples/tutorial/seeds");
    let files = corpus::files(&seeds).expect("a folder of seed files");
    assert!(!files.is_empty());
    for file in files {
        corpus::check(&super::tutorial(), &file)
            .unwrap_or_else(|why| panic!("{}: {why}", file.display()));
    }
}
