//! Rules of the tree. A rule that a test enforces survives; one that only stands in a document drifts. Each rule is
//! itself seen to fail, on made-up sources, by the tests in the files beside this one.

mod files;
mod floors;
mod source;
mod words;

use source::{Source, below, root, shipped, tree};

/// Applies a rule to each of these, and tells every offence at once.
fn hold<'s>(sources: impl IntoIterator<Item = &'s Source>, rule: impl Fn(&Source) -> Vec<String>) {
    let offences: Vec<String> = sources.into_iter().flat_map(rule).collect();
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

/// Whether a file is below the floor of campaigns, where nothing from outside may reach a run.
fn below_campaigns(source: &&Source) -> bool {
    let free = ["campaign", "testing", "cli", "report"];
    let within = source.path.trim_start_matches("sim/src/");
    !free.iter().any(|floor| within.split(['/', '.']).next() == Some(floor))
}

#[test]
fn imports_of_the_engine_go_down_only() {
    hold(shipped(&tree(), "sim/src/"), floors::offences);
}

#[test]
fn no_word_of_the_domain_occurs_in_the_engine() {
    hold(below(&tree(), "sim/"), words::of_the_domain);
}

#[test]
fn nothing_from_outside_reaches_a_run() {
    hold(shipped(&tree(), "sim/src/").into_iter().filter(below_campaigns), words::from_outside);
    let models = shipped(&tree(), "models/src/").into_iter().cloned().collect::<Vec<_>>();
    // One folder talks to a real server, which lives in real time; nothing that runs in a simulation may use it.
    let real = |s: &&Source| s.path.starts_with("models/src/mvcc/etcd/");
    let of_models = |s: &&Source| s.path.matches('/').count() > 2 && !real(s);
    hold(models.iter().filter(of_models), words::from_outside);
}

#[test]
fn nothing_is_left_unfinished() {
    hold(&tree(), words::unfinished);
}

#[test]
fn no_file_names_a_place_of_one_machine() {
    hold(&tree(), words::of_one_machine);
}

#[test]
fn files_are_short_and_named_for_what_is_inside() {
    hold(&tree(), files::of_size_and_name);
}

#[test]
fn every_model_has_the_same_roles_and_a_stranger_for_a_judge() {
    let offences = files::of_models(&tree());
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn every_path_that_prose_names_is_there() {
    let tree = tree();
    let pages = tree.iter().filter(|s| s.path.ends_with(".md"));
    hold(pages, |page| files::named_in_prose(page, |path| root().join(path).exists()));
}
