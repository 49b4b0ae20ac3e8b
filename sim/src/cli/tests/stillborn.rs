//! Seeds whose plan cannot grow: the model panics before there is a run.

use super::{Folder, read, seedbed_with};
use crate::campaign::Registry;
use crate::campaign::fixture::scenario;
use crate::check::Scenario;
use crate::cli::Status;
use std::path::Path;

fn registry() -> Registry {
    let workload = |config: &_, draw: &mut crate::choose::Draw| {
        assert!(!draw.chance(1, 8), "there is no work");
        (scenario().workload)(config, draw)
    };
    Registry::new().with(Scenario { workload, ..scenario() })
}

#[test]
fn a_plan_that_cannot_grow_is_a_finding_and_its_command_repeats_it() {
    let out = Folder::new("stillborn");
    let dir = out.path("f");
    let swept = seedbed_with(&registry(), &["sweep", "--seeds", "0..40", "--out", &dir]);
    assert_eq!(swept.status, Status::Finding, "{}", swept.err);
    assert!(swept.out.contains("while the plan grew: there is no work"), "{}", swept.out);
    let words: Vec<&str> = swept.last().split(' ').skip(1).collect();
    let ["replay", "desk/one", _] = words[..] else { panic!("a seed: {}", swept.out) };
    let replayed = seedbed_with(&registry(), &words);
    assert_eq!(replayed.status, Status::Finding, "{}", replayed.err);
    assert_eq!(replayed.last(), swept.last());
    let document = seedbed_with(&registry(), &[&words[..], &["--json"]].concat()).json();
    assert_eq!((&document["verdict"], &document["class"]), (&"broken".into(), &"panic".into()));
}

#[test]
fn what_is_on_disk_of_a_plan_that_cannot_grow_is_no_seed_file() {
    let out = Folder::new("stillborn-file");
    let dir = out.path("f");
    let swept = seedbed_with(&registry(), &["sweep", "--seeds", "0..40", "--json", "--out", &dir]);
    let file = &swept.json()["scenarios"][0]["findings"][0]["file"];
    let file = Path::new(file.as_str().expect("a file"));
    assert!(read(file).contains("# seedbed replay desk/one "));
    assert_eq!(crate::campaign::corpus::files(&out.0), Ok(Vec::new()));
    assert!(!swept.err.contains("cannot be shrunk"), "{}", swept.err);
}
