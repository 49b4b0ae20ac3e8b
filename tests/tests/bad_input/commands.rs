//! Malformed command lines.

use super::{folder, none, seedbed};

/// Commands and what the message holds.
const COMMANDS: &[(&str, &str)] = &[
    ("", "Usage"),
    ("frobnicate", "frobnicate"),
    ("sweeep", "sweep"),
    ("--no-such-flag", "--no-such-flag"),
    ("sweep nobody/nothing --out OUT", "register/majority"),
    ("sweep register/majority nobody --out OUT", "nobody"),
    ("sweep --seeds 5 --out OUT", "A..B"),
    ("sweep --seeds 7..5 --out OUT", "A..B"),
    ("sweep --seeds 5..5 --out OUT", "A..B"),
    ("sweep --seeds 0..99999999999999999999 --out OUT", "A..B"),
    ("sweep --seeds=-1..5 --out OUT", "A..B"),
    ("sweep --time 60 --out OUT", "60s"),
    ("sweep --time 0s --out OUT", "60s"),
    ("sweep --time 1.5s --out OUT", "60s"),
    ("sweep --jobs 0 --out OUT", "threads"),
    ("sweep --jobs many --out OUT", "threads"),
    ("sweep --bug no-such-bug --out OUT", "that `list` shows"),
    ("sweep --bug retry-aplied-twice --out OUT", "most similar is `retry-applied-twice`"),
    ("sweep register --bug no-such-bug --out OUT", "read-without-write-back"),
    ("sweep tap --bug window-not-rest --out OUT", "most similar is `window-not-reset`"),
    ("sweep mvcc --bug retry-applied-twice --out OUT", "register"),
    ("sweep tap/takeover --bug step-on-high-queue --out OUT", "expected one of tap/"),
    ("sweep --shrink-runs 0 --out OUT", "from 1 to"),
    ("sweep --out FILE", "a folder"),
    ("replay", "FILE | SCENARIO SEED"),
    ("replay NONE", "found nothing"),
    ("replay DIR", "a folder"),
    ("replay register/majority", "a seed after the scenario"),
    ("replay register/majority seven", "a seed"),
    ("replay register/majority -7", "-7"),
    ("replay nobody/nothing 7", "register/majority"),
    ("replay register/majority 7 8", "a scenario and a seed"),
    ("replay register/majority 7 --bug no-such-bug", "retry-applied-twice"),
    ("replay register/majority 7 --without nothing", "nothing"),
    ("replay --update register/majority 7", "register/majority"),
    ("replay --update --trace NONE", "--trace"),
    ("shrink", "FILE | SCENARIO SEED"),
    ("shrink NONE --out OUT", "found nothing"),
    ("shrink register/majority seven --out OUT", "a seed"),
    ("bugs no-such-bug", "that `list` shows"),
    ("bugs register/no-such-bug", "retry-applied-twice"),
    ("bugs --windows 0", "--windows"),
    ("determinism nobody", "register/majority"),
    ("determinism --seeds fresh", "A..B"),
    ("transcript", "FILE"),
    ("transcript NONE", "found nothing"),
    ("history", "FILE"),
    ("history NONE", "expected a file"),
    ("history DIR", "a folder"),
    ("history FILE --steps 0", "--steps"),
    ("bench no-such-workload", "no-such-workload"),
    ("list nobody", "register/majority"),
    ("etcd", "--spawn PATH"),
    ("etcd --spawn NONE --out OUT", "expected an etcd at"),
    ("etcd --spawn /bin/true --out OUT", "does not say that it is one"),
    ("etcd --spawn FILE --out OUT", "expected an etcd at"),
    ("etcd --spawn etcd --endpoint http://127.0.0.1:1", "--endpoint"),
    ("etcd --endpoint http://127.0.0.1:1 --out OUT", "expected an etcd at"),
    ("etcd --endpoint https://127.0.0.1:1", "expected an endpoint such as"),
    ("etcd --endpoint nowhere", "expected an endpoint such as"),
    ("etcd --endpoint http://127.0.0.1:1 --kills 1", "--spawn with --kills"),
    ("etcd --spawn etcd --operations 0", "--operations"),
    ("etcd --spawn etcd --operations 5 --seeds 0..1", "--seeds"),
    ("etcd --spawn etcd --seeds 5", "A..B"),
    ("etcd --spawn etcd --rules 3.5", "`2015`, `3.4` or `main`"),
    ("etcd --spawn etcd --shrink-runs 0", "--shrink-runs"),
    ("etcd --spawn etcd NONE", "found nothing of that name"),
    ("etcd --spawn etcd DIR", "found a folder"),
    ("etcd --spawn etcd /dev/zero", "found a longer one"),
    ("etcd --spawn etcd --out FILE", "expected a folder that can be written"),
    ("etcd --spawn etcd FILE", "`format = 1`"),
    ("replay PLAN", "etcd PLAN"),
    ("shrink PLAN --out OUT", "is run by"),
];

#[test]
fn a_command_that_cannot_be_understood_says_what_was_expected() {
    let folder = folder("commands");
    let (file, none_there) = (folder.join("file"), folder.join("none"));
    std::fs::write(&file, "").expect("a file of a test can be written");
    let plan = folder.join("plan.toml");
    let text = "format = 1\nscenario = \"mvcc/etcd\"\nseed = 1\nworkload = [\"c0#1: put a 1\"]\n";
    std::fs::write(&plan, text).expect("a file of a test can be written");
    let path = |word: &str| match word {
        "OUT" => folder.join("out").display().to_string(),
        "FILE" => file.display().to_string(),
        "DIR" => folder.display().to_string(),
        "NONE" => none_there.display().to_string(),
        "PLAN" => plan.display().to_string(),
        word => word.into(),
    };
    let mut complaints = Vec::new();
    for (command, words) in COMMANDS {
        let args: Vec<String> = command.split_whitespace().map(path).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let said = seedbed(&args);
        let words = words.replace("PLAN", &plan.display().to_string());
        if said.code != 2 || !said.out.is_empty() || !said.err.contains(&words) {
            complaints.push(format!("{command}: exit {}: {}{}", said.code, said.err, said.out));
        }
    }
    none(complaints);
}

#[test]
fn json_goes_to_standard_output_only_when_there_is_something_to_report() {
    let said = seedbed(&["sweep", "nobody/nothing", "--json"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(said.err.contains("expected"), "{}", said.err);
}

#[test]
fn help_is_no_error() {
    let said = seedbed(&["--help"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    for verb in ["list", "sweep", "replay", "shrink", "bugs", "determinism", "transcript", "etcd"] {
        assert!(said.out.contains(verb), "{verb}");
        assert_eq!(seedbed(&[verb, "--help"]).code, 0, "{verb}");
    }
}
