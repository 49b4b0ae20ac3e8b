//! Size and names of files, the roles of a model's files, and the paths that prose names.

use super::source::{Source, below, is_word, line_of};
use std::collections::{BTreeMap, BTreeSet};

/// The longest Rust file.
const LINES_MAX: usize = 500;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["util", "utils", "common", "helper", "helpers", "misc", "imp"];

/// What every model has, so that who knows one knows all.
const ROLES: &[&str] =
    &["mod.rs", "reference.rs", "checks.rs", "bugs.rs", "scenario.rs", "verbs.rs"];

/// Structures that other models drive. They have no actors, so they have no scenarios, and their planted bugs are switches.
const STRUCTURES: &[&str] = &["checkpoint"];

/// What every structure has.
const STRUCTURE_ROLES: &[&str] = &["mod.rs", "reference.rs", "checks.rs", "defects.rs", "verbs.rs"];

/// What a reference model may share with the implementation: requests, answers, how they are written, and which of several rules holds.
const VOCABULARY: &[&str] = &["op", "response", "rules", "parse", "text"];

/// Where the paths begin that prose may name.
const TOPS: &[&str] = &["sim", "models", "seeds", "tests", "docs", ".ci", ".cargo"];

/// A file that is too long, or whose name is empty.
pub(crate) fn of_size_and_name(source: &Source) -> Vec<String> {
    let mut offences = Vec::new();
    let lines = source.text.lines().count();
    if source.path.ends_with(".rs") && lines > LINES_MAX {
        offences.push(format!("{}:{LINES_MAX}: {lines} lines are too many", source.path));
    }
    let stem = source.path.rsplit('/').next().and_then(|file| file.split('.').next());
    if stem.is_some_and(|stem| EMPTY_NAMES.contains(&stem)) {
        offences.push(format!("{}:1: the name says nothing", source.path));
    }
    offences
}

/// The models whose folder lacks a role, and those whose reference model borrows the defendant's code.
pub(crate) fn of_models(tree: &[Source]) -> Vec<String> {
    const FOLDER: &str = "models/src/";
    let mut models: BTreeMap<&str, BTreeMap<&str, &Source>> = BTreeMap::new();
    for source in below(tree, FOLDER) {
        if let Some((model, file)) = source.path[FOLDER.len()..].split_once('/') {
            models.entry(model).or_default().insert(file, source);
        }
    }
    let mut offences = Vec::new();
    for (model, files) in models {
        let roles = if STRUCTURES.contains(&model) { STRUCTURE_ROLES } else { ROLES };
        for role in roles.iter().filter(|role| !files.contains_key(**role)) {
            offences.push(format!("{FOLDER}{model}/{role}: is missing"));
        }
        offences.extend(borrowed(model, &files));
    }
    offences
}

/// What the reference model takes from the implementation, itself or through what it shares with it.
fn borrowed(model: &str, files: &BTreeMap<&str, &Source>) -> Vec<String> {
    let (mut offences, mut known) = (Vec::new(), BTreeSet::new());
    let mut next = vec!["reference".to_string()];
    while let Some(module) = next.pop() {
        let Some(source) = files.get(format!("{module}.rs").as_str()) else { continue };
        for (line, name) in of_the_model(model, source, "super::") {
            if VOCABULARY.contains(&name.as_str()) {
                if known.insert(name.clone()) {
                    next.push(name);
                }
            } else {
                let said = format!("`{name}` is code that the reference model judges");
                offences.push(format!("{}:{line}: {said}", source.path));
            }
        }
    }
    let parts = files.iter().filter(|(file, _)| file.starts_with("reference/"));
    for (_, source) in parts.filter(|(file, _)| **file != "reference/tests.rs") {
        for (line, name) in of_the_model(model, source, "super::super::") {
            if !VOCABULARY.contains(&name.as_str()) {
                let said = format!("`{name}` is code that the reference model judges");
                offences.push(format!("{}:{line}: {said}", source.path));
            }
        }
    }
    offences
}

/// The modules of its own model that a file names, from where it stands.
fn of_the_model(model: &str, source: &Source, up: &str) -> Vec<(usize, String)> {
    let code = source.shipped_code();
    let mut found = Vec::new();
    for anchor in [up.to_string(), format!("crate::{model}::")] {
        for (at, _) in code.match_indices(&anchor) {
            let name: String =
                code[at + anchor.len()..].chars().take_while(|c| is_word(*c)).collect();
            found.push((line_of(&code, at), name));
        }
    }
    found
}

/// Paths that a page names and that are not there.
pub(crate) fn named_in_prose(page: &Source, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let folder = page.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut offences = Vec::new();
    for (line, text) in page.text.lines().enumerate() {
        let links = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#', ' ']).next());
        let links = links.filter(|link| !link.is_empty() && !link.contains(':'));
        let named = text.split(|c: char| !(is_word(c) || "./-".contains(c)));
        let named = named.map(|word| word.trim_end_matches(['.', '/'])).filter(|word| {
            word.split_once('/').is_some_and(|(top, rest)| TOPS.contains(&top) && !rest.is_empty())
        });
        let lost = links
            .map(|link| (link, plain(folder, link)))
            .chain(named.map(|word| (word, word.to_string())))
            .filter(|(_, path)| !exists(path));
        for (word, _) in lost {
            // The reader's own files of the tutorial are made by following it.
            if word.starts_with("seeds/tutorial/") {
                continue;
            }
            offences.push(format!("{}:{}: `{word}` is not there", page.path, line + 1));
        }
    }
    offences
}

/// A link as a path from the root.
fn plain(folder: &str, link: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in link.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn a_file_that_is_too_long_or_has_an_empty_name_is_seen() {
    let long = "//\n".repeat(LINES_MAX + 1);
    assert_eq!(of_size_and_name(&Source::new("sim/src/a.rs", &long)).len(), 1);
    assert_eq!(of_size_and_name(&Source::new("sim/src/a.rs", &long[3..])).len(), 0);
    assert_eq!(of_size_and_name(&Source::new("docs/a.md", &long)).len(), 0);
    assert_eq!(of_size_and_name(&Source::new("sim/src/util.rs", "")).len(), 1);
}

#[test]
fn a_model_without_a_role_is_seen() {
    let tree: Vec<Source> =
        ROLES.iter().map(|role| Source::new(&format!("models/src/m/{role}"), "")).collect();
    assert_eq!(of_models(&tree), Vec::<String>::new());
    assert_eq!(of_models(&tree[1..]), ["models/src/m/mod.rs: is missing"]);
}

#[test]
fn a_structure_without_a_role_is_seen() {
    let file = |role: &&str| Source::new(&format!("models/src/checkpoint/{role}"), "");
    let tree: Vec<Source> = STRUCTURE_ROLES.iter().map(file).collect();
    assert_eq!(of_models(&tree), Vec::<String>::new());
    assert_eq!(of_models(&tree[..4]), ["models/src/checkpoint/verbs.rs: is missing"]);
}

#[test]
fn a_reference_model_that_borrows_is_seen() {
    let model = |reference: &str, op: &str| {
        let text =
            |role: &str| if role == "reference.rs" { reference.to_string() } else { "".into() };
        let mut tree: Vec<Source> = ROLES
            .iter()
            .map(|role| Source::new(&format!("models/src/m/{role}"), &text(role)))
            .collect();
        tree.push(Source::new("models/src/m/op.rs", op));
        of_models(&tree).len()
    };
    assert_eq!(model("use super::op::Op;\nuse std::fmt;", "use seedbed_sim::id::NodeId;"), 0);
    assert_eq!(model("use super::store::Store;", ""), 1);
    assert_eq!(model("use crate::m::store::Store;", ""), 1);
    assert_eq!(model("use super::op::Op;", "use super::store::Store;"), 1);
}

#[test]
fn a_part_of_a_reference_model_that_borrows_is_seen() {
    let code = "use super::super::op::Op;\nuse super::super::store::Store;\nuse super::{Model, is_among};\n";
    let part = Source::new("models/src/m/reference/part.rs", code);
    let files = BTreeMap::from([("reference/part.rs", &part)]);
    let offences = borrowed("m", &files);
    assert_eq!(offences.len(), 1);
    assert!(offences[0].starts_with("models/src/m/reference/part.rs:2: `store`"), "{offences:?}");
}

#[test]
fn a_path_that_is_not_there_is_seen() {
    let page = |text: &str| {
        named_in_prose(&Source::new("docs/a.md", text), |p| p == "docs/b.md" || p == "sim/src")
    };
    assert_eq!(
        page("See [b](b.md), [b](../docs/b.md#top), [x](https://x.y/z) and `sim/src/`."),
        Vec::<String>::new()
    );
    assert_eq!(
        page("See [c](c.md) and\n`sim/gone.rs`."),
        ["docs/a.md:1: `c.md` is not there", "docs/a.md:2: `sim/gone.rs` is not there"]
    );
}
