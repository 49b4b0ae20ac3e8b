//! The verbs of transcripts, as each model lists them above its own.

use super::page::Page;
use super::{before, root};
use seedbed_models::registry::{registry, verbs};
use std::collections::BTreeSet;
use std::fs;

/// The source of a model's verbs.
fn source(model: &str) -> String {
    let path = root().join(format!("models/src/{model}/verbs.rs"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The same with the files that it is split into.
fn sources(model: &str) -> String {
    let folder = root().join(format!("models/src/{model}/verbs"));
    let parts = fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let parts = parts.filter(|path| path.file_name().is_some_and(|name| name != "tests.rs"));
    let read = |path| fs::read_to_string(&path).unwrap_or_else(|error| panic!("{error}: {path:?}"));
    source(model) + &parts.map(read).collect::<String>()
}

/// The rows of the table above a model's verbs: form, what it does, example.
pub(super) fn rows(model: &str) -> Vec<[String; 3]> {
    let rows = source(model);
    let rows = rows.lines().filter_map(|line| line.strip_prefix("//! | `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_end_matches(" |").split(" | ").collect();
        let [form, about, example] = cells[..] else { panic!("three columns: {row}") };
        let bare = |code: &str| code.trim_matches('`').to_string();
        [bare(form), about.into(), bare(example)]
    })
    .collect()
}

/// A table for each model.
pub(super) fn tables() -> String {
    let registry = registry();
    let tables = registry.verb_names().map(|model| {
        let rows = rows(model).into_iter();
        let rows =
            rows.map(|[form, about, example]| format!("| `{form}` | {about} | `{example}` |\n"));
        let head = "| verb | what it does | for example |\n|---|---|---|\n";
        let before = before::lines(model);
        format!("`# transcript {model}`\n\n{before}\n{head}{}", rows.collect::<String>())
    });
    tables.collect::<Vec<_>>().join("\n")
}

fn first_word(line: &str) -> String {
    line.split(' ').next().unwrap_or_default().into()
}

/// The verbs that a model knows, by the arms of its code and by what it says to an unknown one.
fn known(model: &str) -> BTreeSet<String> {
    let text = sources(model);
    let arms = text.lines().filter_map(|line| {
        let arm = line.trim_start().strip_prefix(['(', '['])?.strip_prefix('"')?;
        let (word, rest) = arm.split_once('"')?;
        let is_arm = rest.starts_with([',', ']']) && line.contains("=>");
        is_arm.then(|| word.to_string())
    });
    let mut desk = registry().verbs(model).expect("it has verbs")();
    let refusal = desk.run("nonsense").expect_err("no verb");
    let (_, listed) = refusal.split_once("expected one of ").expect("it lists its verbs");
    let (listed, _) = listed.split_once(" found").expect("it says what it found");
    let listed = listed.split(", or another verb").next().unwrap_or_default();
    let listed = listed.split(|c: char| !c.is_ascii_lowercase()).filter(|word| !word.is_empty());
    arms.chain(listed.map(String::from)).collect()
}

#[test]
fn every_verb_of_every_model_is_listed_with_an_example_that_it_understands() {
    for model in registry().verb_names() {
        let rows = rows(model);
        let listed: BTreeSet<String> = rows.iter().map(|[form, ..]| first_word(form)).collect();
        assert_eq!((listed.len(), &listed), (rows.len(), &known(model)), "the verbs of {model}");
        for [form, _, example] in rows {
            assert_eq!(first_word(&example), first_word(&form));
            let answer = registry().verbs(model).expect("it has verbs")().run(&example);
            let misread = answer.as_ref().is_err_and(|refusal| refusal.contains("expected"));
            assert!(!misread, "`{example}` of {model}: {answer:?}");
        }
    }
}

#[test]
fn the_front_page_has_every_verb_of_the_command() {
    let page = Page::read("README.md");
    let rows = page.section("## Verbs").lines().filter_map(|line| line.strip_prefix("| `"));
    let listed: Vec<String> =
        rows.map(|row| row.split('`').next().unwrap_or_default().to_string()).collect();
    let brought = verbs();
    let known = super::command_line::VERBS.into_iter();
    let known = known.chain(brought.iter().map(|verb| verb.name()));
    assert_eq!(listed, known.collect::<Vec<_>>());
}
