//! The commands that reports end with repeat what they stand below.

use super::{Folder, read, seedbed, seedbed_with};
use crate::campaign::Registry;
use crate::campaign::fixture::{Desk, scenario};
use crate::campaign::shrink::Limit;
use crate::campaign::sweep::SEEDS_END;
use crate::check::{Finally, Scenario};
use crate::cli::Status;

#[test]
fn a_run_without_a_verdict_is_repeated_with_its_planted_bug() {
    let finally: &[Finally<Desk>] =
        &[Finally { name: "nobody knows", check: |_, (), _| Err("nobody can say".into()) }];
    let registry = Registry::new().with(Scenario { always: &[], finally, ..scenario() });
    let out = Folder::new("commands-sweep");
    let args =
        ["sweep", "--bug", "desk/confirms-early", "--seeds", "0..3", "--out", &out.path("f")];
    let swept = seedbed_with(&registry, &args);
    assert_eq!(swept.status, Status::Undecided, "{}", swept.err);
    assert_eq!(swept.last(), "seedbed replay desk/one 0 --bug confirms-early");
    let words: Vec<&str> = swept.last().split(' ').skip(1).collect();
    assert_eq!(seedbed_with(&registry, &words).status, Status::Undecided);
}

#[test]
fn a_hunt_that_failed_is_repeated_as_it_was() {
    let said = seedbed(&["bugs", "forgets-sevenths", "--windows", "1", "--shrink-runs", "1"]);
    assert_eq!(said.status, Status::Finding, "{}", said.err);
    let command = "seedbed bugs desk/forgets-sevenths --windows 1 --time 60000ms --shrink-runs 1";
    assert_eq!(said.last(), command);
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    assert_eq!(seedbed(&words).last(), command);
}

#[test]
fn the_help_tells_how_many_runs_a_shrink_has() {
    for verb in ["sweep", "shrink", "bugs"] {
        let help = seedbed(&[verb, "--help"]).out;
        let default = format!("[default: {}]", Limit::EXECUTIONS);
        let runs = help.split("--shrink-runs").nth(1).expect("the flag");
        assert!(runs.split("--").next().is_some_and(|about| about.contains(&default)), "{help}");
    }
}

#[test]
fn the_last_seeds_are_swept() {
    let out = Folder::new("commands-last");
    let range = format!("{}..{SEEDS_END}", SEEDS_END - 3);
    let said = seedbed(&["sweep", "--seeds", &range, "--out", &out.path("f"), "--json"]);
    assert_eq!(said.status, Status::Clean, "{}", said.err);
    let document = said.json();
    assert_eq!(document["scenarios"][0]["runs"], 3);
    assert_eq!(document["seeds_from"], SEEDS_END - 3);
}

#[test]
fn a_file_that_is_shrunk_again_tells_of_its_own_run() {
    let out = Folder::new("commands-shrink");
    let dir = out.path("f");
    let bug = "confirms-early";
    let args = ["sweep", "--bug", bug, "--seeds", "0..100", "--shrink-runs", "1", "--out", &dir];
    let swept = seedbed(&[&args[..], &["--json"]].concat()).json();
    let large = swept["scenarios"][0]["findings"][0]["file"].as_str().expect("a file").to_string();
    let large = out.write("large.toml", &format!("# by hand\n{}", read(large)));
    let small = seedbed(&["shrink", &large, "--json", "--out", &out.path("small")]).json();
    let small = small["file"].as_str().expect("a file");
    let detail = |file: &str| {
        let document = seedbed(&["replay", file, "--json"]).json();
        format!("# {}", document["detail"].as_str().expect("a broken promise"))
    };
    assert_ne!(detail(&large), detail(small));
    let text = read(small);
    let comment: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
    assert_eq!((comment.len(), comment[0], comment[2]), (3, "# by hand", &*detail(small)));
}
