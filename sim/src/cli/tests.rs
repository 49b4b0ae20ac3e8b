//! The verbs from the outside: arguments in, status and text out.

use super::{Status, run_with};
use crate::actor::Mark;
use crate::campaign::Registry;
use crate::campaign::fixture::{Desk, leaky, scenario};
use crate::campaign::store::test_folder;
use crate::campaign::transcript::Verbs;
use crate::check::{Always, Checked, Scenario};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

mod commands;
mod extra;
mod kept;
mod stillborn;

struct Echo;

impl Verbs for Echo {
    fn run(&mut self, command: &str) -> Result<String, String> {
        match command.split_once(' ') {
            Some(("say", what)) => Ok(what.into()),
            Some(("die", what)) => panic!("{what}"),
            _ => Err(format!("expected `say ...`, found `{command}`")),
        }
    }
}

struct Said {
    status: Status,
    out: String,
    err: String,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}{}", self.out, self.err))
    }

    /// The last line of the report.
    fn last(&self) -> &str {
        self.out.lines().last().unwrap_or_else(|| panic!("a report: {}", self.err))
    }
}

fn seedbed(args: &[&str]) -> Said {
    let registry = Registry::new().with(scenario()).with_verbs("echo", || Box::new(Echo));
    seedbed_with(&registry, args)
}

fn seedbed_with(registry: &Registry, args: &[&str]) -> Said {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let all = std::iter::once("seedbed").chain(args.iter().copied());
    let status = run_with(registry, all, &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Said { status, out: text(out), err: text(err) }
}

/// A folder of one test; it is gone when the test has passed.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let dir = test_folder(&format!("cli-{name}"));
        fs::create_dir_all(&dir).expect("makes a folder");
        Folder(dir)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.0.join(name), text).expect("writes");
        self.path(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).expect("reads")
}

#[test]
fn list_names_checks_points_bugs_and_budget() {
    let said = seedbed(&["list"]);
    assert_eq!(said.status, Status::Clean);
    for word in ["desk/one", "what was confirmed is counted", "kept", "confirms-early", "crash"] {
        assert!(said.out.contains(word), "{word}: {}", said.out);
    }
    let list = seedbed(&["list", "--json"]).json();
    assert_eq!(list["scenarios"][0]["scenario"], "desk/one");
    assert_eq!(list["scenarios"][0]["bugs"][0], "confirms-early");
    let knob = serde_json::json!({
        "name": "adds", "min": 4, "max": 20, "simplest": 4, "about": "adds of each client"
    });
    assert_eq!(list["scenarios"][0]["knobs"][1], knob);
}

#[test]
fn a_sweep_without_a_bug_is_clean_and_strict_finds_nothing_unseen() {
    let out = Folder::new("clean");
    let said =
        seedbed(&["sweep", "--seeds", "0..400", "--strict", "--json", "--out", &out.path("f")]);
    assert_eq!(said.status, Status::Clean, "{}{}", said.out, said.err);
    let swept = &said.json()["scenarios"][0];
    assert_eq!(swept["runs"], 400);
    assert_eq!(swept["findings"], Value::Array(Vec::new()));
    assert!(swept["counted_runs"].as_u64() > Some(200), "{swept}");
    let median = |of: &str| swept["median"][of].as_u64().expect("a number");
    let mean = swept["events"].as_u64().expect("a number") / 400;
    assert!(median("operations") > 0 && median("faults") > 0, "{swept}");
    assert!((mean / 4..mean * 4).contains(&median("events")), "{swept}");
    assert!(swept["busy_runs"].as_u64() <= Some(400), "{swept}");
    assert!(swept["sometimes"]["a desk came back"].as_u64() > Some(0));
}

#[test]
fn with_strict_what_was_never_seen_or_checked_is_a_finding() {
    const NEVER: &[Mark] = &[Mark { index: 63, name: "pigs fly" }];
    let deaf: &[Always<Desk>] = &[Always { name: "pigs land", check: |_, (), _| Checked::Skipped }];
    let out = Folder::new("strict");
    let dir = out.path("f");
    let args = ["sweep", "--seeds", "0..20", "--out", &dir];
    for (scenario, gap) in [
        (Scenario { marks: NEVER, ..scenario() }, "desk/one: never seen: pigs fly"),
        (Scenario { marks: &[], always: deaf, ..scenario() }, "desk/one: never checked: pigs land"),
    ] {
        let registry = Registry::new().with(scenario);
        let (lenient, strict) = (
            seedbed_with(&registry, &args),
            seedbed_with(&registry, &[&args[..], &["--strict"]].concat()),
        );
        assert_eq!(lenient.status, Status::Clean, "{}", lenient.out);
        assert!(
            lenient.out.contains(&format!("{gap} (a finding with --strict)\n")),
            "{}",
            lenient.out
        );
        assert_eq!(strict.status, Status::Finding, "{}", strict.out);
        assert!(strict.out.contains(&format!("{gap}\n")), "{}", strict.out);
        assert!(strict.last().ends_with("--strict"), "{}", strict.out);
    }
}

#[test]
fn the_findings_of_a_sweep_are_the_same_for_any_number_of_jobs() {
    let out = Folder::new("jobs");
    let found = |jobs: &str| {
        let dir = out.path(jobs);
        let args =
            ["sweep", "--seeds", "0..600", "--bug", "confirms-early", "--json", "--out", &dir];
        let said = seedbed(&[&args[..], &["--jobs", jobs]].concat());
        assert_eq!(said.status, Status::Finding, "{}", said.err);
        let findings = said.json()["scenarios"][0]["findings"].clone();
        let findings = findings.as_array().expect("a list").clone();
        assert!(!findings.is_empty());
        let file = |f: &Value| read(f["file"].as_str().expect("a file"));
        let text: Vec<String> = findings.iter().map(file).collect();
        let seeds: Vec<Value> = findings.iter().map(|f| f["seed"].clone()).collect();
        (seeds, text)
    };
    assert_eq!(found("1"), found("3"));
}

#[test]
fn a_finding_is_on_disk_small_and_its_command_repeats_it() {
    let out = Folder::new("repeat");
    let dir = out.path("f");
    let said = seedbed(&["sweep", "--seeds", "0..300", "--bug", "forgets-sevenths", "--out", &dir]);
    assert_eq!(said.status, Status::Finding, "{}", said.err);
    let file = said.last().strip_prefix("seedbed replay ").expect("the command").to_string();
    assert!(read(&file).contains("bug      = \"forgets-sevenths\""));
    assert_eq!(read(&file).matches("#").count(), 3, "one operation: {}", read(&file));
    let replayed = seedbed(&["replay", &file]);
    assert_eq!(replayed.status, Status::Finding, "{}", replayed.out);
    assert!(!replayed.out.contains("not the same run"), "{}", replayed.out);
    assert_eq!(replayed.last(), format!("seedbed replay {file}"));
    let without = seedbed(&["replay", &file, "--bug", "none", "--json"]);
    assert_eq!((without.status, &without.json()["verdict"]), (Status::Clean, &"pass".into()));
}

#[test]
fn a_panic_of_a_model_is_a_finding_that_is_shrunk_and_replayed() {
    let out = Folder::new("panic");
    let dir = out.path("f");
    let said =
        seedbed(&["sweep", "--seeds", "0..300", "--bug", "dislikes-thirteen", "--out", &dir]);
    assert_eq!(said.status, Status::Finding, "{}", said.err);
    assert!(said.out.contains("(panic)") && said.out.contains("13 brings bad luck"));
    let file = said.last().strip_prefix("seedbed replay ").expect("the command").to_string();
    assert!(read(&file).contains("add 13"));
    assert_eq!(seedbed(&["replay", &file]).status, Status::Finding);
}

/// A shrunk seed file of a planted bug.
fn small(folder: &Folder, bug: &str) -> String {
    let said = seedbed(&["bugs", bug, "--windows", "1", "--keep", &folder.path("seeds")]);
    assert_eq!(said.status, Status::Clean, "{}{}", said.out, said.err);
    folder.path(&format!("seeds/desk/{bug}.toml"))
}

#[test]
fn every_planted_bug_is_found_and_every_line_of_its_seed_file_is_needed() {
    let folder = Folder::new("bugs");
    let said = seedbed(&["bugs", "--windows", "3", "--keep", &folder.path("seeds"), "--json"]);
    assert_eq!(said.status, Status::Clean, "{}", said.err);
    let registry = Registry::new().with(scenario());
    for bug in said.json()["bugs"].as_array().expect("a list") {
        assert_eq!(bug["found"], 3, "{bug}");
        let path = bug["file"].as_str().expect("kept");
        let path = Path::new(path);
        crate::campaign::corpus::check(&registry, path).expect("a file for the corpus");
        let needless = crate::campaign::corpus::needless_lines(&registry, path).expect("replays");
        assert_eq!(needless, Vec::<String>::new(), "{}", read(path));
    }
}

#[test]
fn a_line_can_be_left_out_and_a_line_that_is_not_there_is_a_slip() {
    let folder = Folder::new("without");
    let file = small(&folder, "forgets-sevenths");
    let text = read(&file);
    let line = text.split('"').find(|part| part.contains(": add ")).expect("an add").to_string();
    let without = seedbed(&["replay", &file, "--without", &line, "--json"]);
    assert_eq!(without.status, Status::Clean, "{}", without.err);
    let slip = seedbed(&["replay", &file, "--without", "c0#999: add 1"]);
    assert_eq!(slip.status, Status::Usage);
    assert!(slip.err.contains("the most similar is"), "{}", slip.err);
}

#[test]
fn another_digest_or_a_line_without_use_makes_it_not_the_same_run() {
    let folder = Folder::new("other");
    let file = small(&folder, "forgets-sevenths");
    let text = read(&file);
    let digest = text.lines().find(|line| line.starts_with("digest")).expect("a digest");
    let other = folder.write("digest.toml", &text.replace(digest, "digest = \"0000000000000001\""));
    let said = seedbed(&["replay", &other]);
    assert_eq!(said.status, Status::Finding, "the same promise broke all the same");
    assert!(said.out.contains("not the same run: the digest was 0000000000000001"), "{}", said.out);

    let unused = text
        .replace(digest, &format!("{digest}\nfaults = [\"on 99th kept at n0: crash n0 for 1ms\"]"));
    let unused = folder.write("unused.toml", &unused);
    let said = seedbed(&["replay", &unused, "--json"]);
    assert_eq!(said.status, Status::Finding, "{}", said.err);
    assert_eq!(said.json()["unused"][0], "on 99th kept at n0: crash n0 for 1ms");

    let sound = text.replace("bug      = \"forgets-sevenths\"\n", "");
    let sound = folder.write("sound.toml", &sound);
    let said = seedbed(&["replay", &sound]);
    assert_eq!(
        said.status,
        Status::Undecided,
        "the promise holds, so it is another run: {}",
        said.out
    );
}

#[test]
fn update_rewrites_digests_and_lists_what_passes_or_does_not_line_up() {
    let folder = Folder::new("update");
    let file = small(&folder, "forgets-sevenths");
    let text = read(&file);
    let digest = text.lines().find(|line| line.starts_with("digest")).expect("a digest");
    let stale = text.replace(digest, "digest   = \"0000000000000001\"");
    let stale = folder.write("stale.toml", &stale);
    let passes =
        folder.write("passes.toml", &text.replace("bug      = \"forgets-sevenths\"\n", ""));
    let unused = folder.write(
        "unused.toml",
        &text.replace(
            digest,
            &format!("{digest}\nfaults = [\"on 99th kept at n0: crash n0 for 1ms\"]"),
        ),
    );
    let said = seedbed(&["replay", "--update", &file, &stale, &passes, &unused, "--json"]);
    assert_eq!(said.status, Status::Undecided, "{}", said.err);
    let done = said.json();
    assert_eq!(done["unchanged"][0], file);
    assert_eq!(done["rewritten"][0], stale);
    assert_eq!(done["now_passes"][0], passes);
    assert_eq!(done["no_longer_lines_up"][0], unused);
    assert_eq!(read(&stale), text, "only the digest was written, and it is right again");
}

#[test]
fn shrink_of_a_seed_writes_the_same_file_as_the_sweep_that_found_it() {
    let folder = Folder::new("shrink");
    let (swept, shrunk) = (folder.path("swept"), folder.path("shrunk"));
    let bug = "forgets-sevenths";
    let args = ["sweep", "--seeds", "0..100", "--bug", bug, "--json", "--out", &swept];
    let found = seedbed(&args).json()["scenarios"][0]["findings"][0].clone();
    let seed = found["seed"].as_u64().expect("a seed").to_string();
    let said = seedbed(&["shrink", "desk/one", &seed, "--bug", bug, "--json", "--out", &shrunk]);
    assert_eq!(said.status, Status::Finding, "{}", said.err);
    let document = said.json();
    assert_eq!((&document["minimal"], &document["shrunk"]["ops"]), (&true.into(), &1.into()));
    let plain = |path: &Value| {
        let text = read(path.as_str().expect("a path"));
        text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<&str>>().join("\n")
    };
    assert_eq!(plain(&document["file"]), plain(&found["file"]));
    // What is as small as it gets stays as it is.
    let file = document["file"].as_str().expect("a path");
    let again = seedbed(&["shrink", file, "--out", &folder.path("again"), "--json"]).json();
    assert_eq!(plain(&again["file"]), plain(&document["file"]));
    let sound = seedbed(&["shrink", "desk/one", &seed, "--out", &shrunk, "--json"]);
    assert_eq!((sound.status, &sound.json()["verdict"]), (Status::Clean, &"pass".into()));
}

#[test]
fn determinism_finds_no_difference_in_a_sound_model() {
    let said = seedbed(&["determinism", "--seeds", "0..300", "--json"]);
    assert_eq!(said.status, Status::Clean, "{}", said.err);
    assert_eq!(said.json()["scenarios"][0]["seeds"], 300);
}

#[test]
fn a_look_outside_is_found_and_its_first_step_named() {
    let registry = Registry::new().with(leaky());
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = ["seedbed", "determinism", "--seeds", "0..20"];
    let status = run_with(&registry, args, &mut out, &mut err);
    let out = String::from_utf8(out).expect("text");
    assert_eq!(status, Status::Finding, "{out}");
    assert!(out.contains("the first that differs is step "), "{out}");
    let mut shown = out.lines().filter(|line| line.starts_with('-') || line.starts_with('+'));
    assert!(shown.any(|line| line.contains("arm retry in")), "{out}");
    let last = out.lines().last().expect("lines");
    assert!(last.starts_with("seedbed determinism desk/leaky --seeds "), "{last}");
}

#[test]
fn bench_reports_workloads_and_scenarios() {
    let said = seedbed(&["bench", "fan", "desk", "--rounds", "1", "--time", "1ms", "--json"]);
    assert_eq!(said.status, Status::Clean, "{}", said.err);
    let document = said.json();
    assert_eq!(document["workloads"].as_array().map(Vec::len), Some(1));
    assert!(document["workloads"][0]["of_bare"].as_f64() > Some(0.0));
    assert_eq!(document["scenarios"][0]["scenario"], "desk/one");
}

#[test]
fn a_transcript_is_run_compared_and_rewritten() {
    let folder = Folder::new("transcript");
    let good = folder.write("good", "# transcript echo\n\nsay a\n----\na\n");
    let bad = folder.write("bad", "# transcript echo\n\nsay a\n----\nb\n");
    let dies = folder.write("dies", "# transcript echo\n\ndie of it\n----\n");
    assert_eq!(seedbed(&["transcript", &good]).status, Status::Clean);
    let said = seedbed(&["transcript", &good, &bad]);
    assert_eq!(said.status, Status::Finding);
    assert!(said.out.contains("- b\n+ a\n"), "{}", said.out);
    assert_eq!(said.last(), format!("seedbed transcript {bad}"));
    assert_eq!(seedbed(&["transcript", "--update", &bad]).status, Status::Clean);
    assert_eq!(read(&bad), read(&good));
    let died = seedbed(&["transcript", &good, &dies, "--json"]);
    assert_eq!(died.status, Status::Finding);
    assert_eq!(died.json()["files"][0]["panicked"], Value::Null);
    assert_eq!(died.json()["files"][1]["panicked"], "of it");
}

/// Each command line is refused with one message that holds these words, and nothing on standard output.
fn refused(table: &[(&[&str], &str)]) {
    for (args, words) in table {
        let said = seedbed(args);
        assert_eq!(said.status, Status::Usage, "{args:?}: {}{}", said.out, said.err);
        assert!(said.err.contains(words), "{args:?}: {}", said.err);
        assert_eq!(said.out, "", "{args:?}");
    }
}

#[test]
fn a_command_line_that_makes_no_sense_gives_one_message_and_status_two() {
    refused(&[
        (&[], "Usage"),
        (&["frobnicate"], "frobnicate"),
        (&["list", "desk/two"], "expected one of the scenarios desk/one"),
        (&["sweep", "desk/two"], "expected one of the scenarios desk/one"),
        (&["sweep", "--bug", "nothing"], "expected one of the planted bugs"),
        (&["sweep", "--jobs", "0"], "expected a number of threads"),
        (&["sweep", "--jobs", "-1"], "-1"),
        (&["sweep", "--seeds", "5..5"], "expected A..B"),
        (&["sweep", "--seeds", "7..5"], "expected A..B"),
        (&["sweep", "--seeds", "old"], "expected A..B"),
        (&["sweep", "--seeds", "0..99999999999999999999"], "expected A..B"),
        (&["sweep", "--time", "60"], "expected a time"),
        (&["sweep", "--time", "0s"], "expected a time"),
        (&["sweep", "--shrink-runs", "0"], "expected a number of runs"),
        (&["replay"], "FILE"),
        (&["replay", "desk/one"], "expected a seed"),
        (&["replay", "desk/one", "-1"], "-1"),
        (&["replay", "desk/one", "x"], "expected a seed"),
        (&["replay", "desk/one", "1", "2"], "expected a seed file, or"),
        (&["replay", "desk/one", "1", "--bug", "x"], "expected one of the planted bugs"),
        (&["replay", "desk/one", "1", "--without", "c0#0: sing"], "expected an operation"),
        (&["shrink"], "FILE"),
        (&["bugs", "nothing"], "expected one of the planted bugs"),
        (&["bugs", "--windows", "0"], "0"),
        (&["determinism", "desk/two"], "expected one of the scenarios"),
        (&["determinism", "--seeds", "fresh"], "expected A..B"),
        (&["bench", "nothing"], "expected one of the scenarios"),
        (&["bench", "--rounds", "0"], "0"),
        (&["transcript"], "FILE"),
        (&["history"], "FILE"),
    ]);
}

#[test]
fn a_file_or_folder_that_is_none_gives_one_message_and_status_two() {
    let folder = Folder::new("bad");
    let file = small(&folder, "forgets-sevenths");
    let text = read(&file);
    let bytes = folder.path("bytes");
    fs::write(&bytes, b"format = 1\n\xff").expect("writes");
    let no_scenario = folder.write("no-scenario.toml", &text.replace("desk/one", "desk/two"));
    let no_bug = folder.write("no-bug.toml", &text.replace("forgets-sevenths", "nothing"));
    let no_verbs = folder.write("no-verbs", "# transcript nobody\n");
    let damaged = folder.path("damaged");
    fs::create_dir_all(&damaged).expect("makes a folder");
    fs::write(Path::new(&damaged).join("desk"), "no folder").expect("writes");
    let (dir, none) = (folder.path(""), folder.path("none"));
    let under_a_file = format!("{file}/below");
    refused(&[
        (&["sweep", "--out", &file], "expected a folder"),
        (&["sweep", "--out", &under_a_file], "expected a folder"),
        (&["sweep", "--out", &damaged], "damaged/desk: expected a folder"),
        (&["replay", &none], "found nothing of that name"),
        (&["replay", &dir], "found a folder"),
        (&["replay", &bytes], ":2: expected UTF-8"),
        (&["replay", &no_scenario], "no-scenario.toml:4: expected one of the scenarios"),
        (&["replay", &no_bug], "planted bug"),
        (&["replay", &file, "--update", "--trace"], "--trace"),
        (&["replay", "--update", &file, &none], "found nothing"),
        (&["shrink", &none], "found nothing"),
        (&["shrink", &file, "--out", &file], "expected a folder"),
        (&["bugs", "--keep", &file], "expected a folder"),
        (&["transcript", &none], "found nothing"),
        (&["transcript", &file], ":1: expected `# transcript NAME`"),
        (&["transcript", &no_verbs], ":1: expected verbs of one of echo"),
        (&["history", &none], "found nothing of that name"),
        (&["history", &dir], "found a folder"),
        (&["history", &bytes], "expected"),
    ]);
}
