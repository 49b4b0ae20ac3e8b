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

#[test]
fn a_digest_that_cannot_be_rewritten_leaves_its_file_alone() {
    let folder = Folder::new("kept-digest");
    let text = read(small(&folder, "forgets-sevenths"));
    let digest = text.lines().find(|line| line.starts_with("digest")).expect("a digest");
    for odd in ["'digest' = \"0000000000000001\"", "digest = \"\"\"\n0000000000000001\"\"\""] {
        let odd = text.replace(digest, odd);
        let file = folder.write("odd.toml", &odd);
        let said = seedbed(&["replay", "--update", &file]);
        assert_eq!(said.status, Status::Usage, "{}{}", said.out, said.err);
        assert!(said.err.contains("expected the digest in a line of its own"), "{}", said.err);
        assert_eq!(read(&file), odd);
    }
}

#[cfg(unix)]
#[test]
fn what_a_link_leads_to_is_rewritten_and_keeps_its_rights() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("kept-link");
    let text = read(small(&folder, "forgets-sevenths"));
    let digest = text.lines().find(|line| line.starts_with("digest")).expect("a digest");
    let file = folder.write("stale.toml", &text.replace(digest, "digest = \"0000000000000001\""));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).expect("may");
    let link = folder.path("link.toml");
    std::os::unix::fs::symlink(&file, &link).expect("a link");
    assert_eq!(seedbed(&["replay", "--update", &link]).status, Status::Clean);
    assert_eq!(read(&file), text);
    assert!(std::fs::symlink_metadata(&link).expect("is there").is_symlink());
    assert_eq!(std::fs::metadata(&file).expect("is there").permissions().mode() & 0o777, 0o640);
}

#[test]
fn a_finding_whose_place_is_taken_is_shrunk_beside_it() {
    let folder = Folder::new("kept-place");
    let dir = folder.path("f");
    let args = ["sweep", "--bug", "forgets-sevenths", "--seeds", "0..100", "--out", &dir, "--json"];
    let finding = |said: &Value| said["scenarios"][0]["findings"][0].clone();
    let first = finding(&seedbed(&args).json());
    let file = first["file"].as_str().expect("a file").to_string();
    let text = read(&file);
    std::fs::remove_file(&file).expect("goes");
    std::fs::create_dir(&file).expect("in the way");
    let said = seedbed(&args);
    assert!(said.err.contains("expected a file that can be written"), "{}", said.err);
    let beside = finding(&said.json())["file"].as_str().expect("a file").to_string();
    assert_ne!(beside, file);
    assert_eq!(read(&beside), text);
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_killed_sweep_has_left_goes_when_the_next_one_begins() {
    let folder = Folder::new("kept-killed");
    std::fs::create_dir_all(folder.path("f/desk")).expect("a folder");
    // No process has such a number.
    let probe = folder.write("f/.probe.4294967294.tmp", "");
    let half = folder.write("f/desk/.one--kept.toml.4294967294.tmp", "form");
    let others = folder.write("f/desk/.mine.4294967294.tmp", "");
    let young = folder.write("f/desk/one--kept.seed-7.toml", "seed = 7\n");
    folder.write("f/desk/one--kept.toml", "seed = 3\n");
    let said = seedbed(&["sweep", "--seeds", "0..2", "--out", &folder.path("f")]);
    assert_eq!(said.status, Status::Clean, "{}", said.err);
    let left = [&probe, &half, &others, &young].map(|file| std::path::Path::new(file).exists());
    assert_eq!(left, [false, false, true, true]);
}

#[test]
fn a_finding_that_nobody_has_shrunk_replays_as_the_same_run() {
    let folder = Folder::new("kept-drawn");
    let dir = folder.path("f");
    let args = ["sweep", "--bug", "forgets-sevenths", "--seeds", "0..100", "--shrink-runs", "1"];
    let said = seedbed(&[&args[..], &["--out", &dir, "--json"]].concat());
    let finding = &said.json()["scenarios"][0]["findings"][0];
    let said = seedbed(&["replay", finding["file"].as_str().expect("a file"), "--json"]);
    assert_eq!(said.status, Status::Finding);
    assert_eq!(
        (&said.json()["unused"], &said.json()["differs"]),
        (&Value::Array(vec![]), &Value::Array(vec![])),
        "{}",
        said.err
    );
}

#[test]
fn a_file_that_breaks_another_promise_than_it_says_is_not_the_same_run() {
    let folder = Folder::new("kept-promise");
    let text = read(small(&folder, "forgets-sevenths"));
    let breaks = text.lines().find(|line| line.starts_with("breaks")).expect("a promise");
    let file = folder.write("other.toml", &text.replace(breaks, "breaks = \"time goes on\""));
    let said = seedbed(&["replay", &file]);
    assert_eq!(said.status, Status::Undecided);
    assert!(said.out.contains("it was to break `time goes on` and breaks"), "{}", said.out);
}
