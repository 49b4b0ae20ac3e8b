//! What is on disk already is not lost to something worse.

use super::{Folder, read, seedbed, small};
use crate::cli::Status;
use serde_json::Value;

#[test]
fn a_shrink_that_ran_out_of_runs_does_not_take_the_place_of_a_corpus_file() {
    let folder = Folder::new("kept-corpus");
    let file = small(&folder, "forgets-sevenths");
    let text = read(&file);
    let keep = folder.path("seeds");
    let args = ["bugs", "forgets-sevenths", "--windows", "1", "--shrink-runs", "1", "--json"];
    let said = seedbed(&[&args[..], &["--keep", &keep]].concat());
    assert_eq!(said.status, Status::Finding, "what it has is large: {}", said.err);
    assert_eq!(said.json()["bugs"][0]["file"], Value::Null);
    assert_eq!(read(&file), text);
}

#[test]
fn a_corpus_file_that_cannot_be_written_does_not_lose_the_report() {
    let folder = Folder::new("kept-report");
    let keep = folder.path("seeds");
    std::fs::create_dir_all(folder.path("seeds/desk/forgets-sevenths.toml")).expect("in the way");
    let args = ["bugs", "forgets-sevenths", "--windows", "1", "--json", "--keep", &keep];
    let said = seedbed(&args);
    assert_eq!(said.status, Status::Usage, "{}", said.err);
    assert!(said.err.contains("expected a file that can be written"), "{}", said.err);
    assert_eq!(said.json()["bugs"][0]["found"], 1);
}

#[test]
fn a_finding_of_an_earlier_sweep_makes_room_only_for_a_small_one() {
    let folder = Folder::new("kept-finding");
    let dir = folder.path("f");
    let sweep = |seeds: &str, runs: &str| {
        let bug = "forgets-sevenths";
        let args = ["sweep", "--bug", bug, "--json", "--out", &dir, "--seeds", seeds];
        let said = seedbed(&[&args[..], &["--shrink-runs", runs]].concat());
        assert_eq!(said.status, Status::Finding, "{}", said.err);
        let file = &said.json()["scenarios"][0]["findings"][0]["file"];
        file.as_str().expect("a file").to_string()
    };
    let file = sweep("0..300", "20000");
    let text = read(&file);
    assert_eq!(sweep("0..300", "1"), file, "the same seed, shrunk before");
    assert_eq!(read(&file), text);
    let other = sweep("300..600", "1");
    assert_ne!(other, file);
    assert!(read(&other).len() > text.len());
    assert_eq!(read(&file), text);
    assert_eq!(sweep("600..900", "20000"), file);
    assert_ne!(read(&file), text, "another seed, as small");
    let left = std::fs::read_dir(folder.path("f/desk")).expect("a folder").count();
    assert_eq!(left, 2, "what the third sweep put beside it is gone");
}
