//! What has to come before the examples of some verbs of transcripts.

use super::verbs::rows;
use seedbed_models::registry::registry;

/// Commands, and the verbs whose examples run behind them.
struct Group {
    model: &'static str,
    commands: &'static [&'static str],
    verbs: &'static [&'static str],
}

const fn group(
    model: &'static str,
    commands: &'static [&'static str],
    verbs: &'static [&'static str],
) -> Group {
    Group { model, commands, verbs }
}

const GROUPS: &[Group] = &[
    group("checkpoint", &["register c1 1"], &["next", "more", "unregister"]),
    group("checkpoint", &["start"], &["complete", "revert"]),
    group("mvcc", &["grant 7 60"], &["revoke"]),
    group("mvcc", &["begin"], &["in", "end"]),
    group("mvcc", &["put a 1", "put a 2", "put a 3"], &["history", "hash"]),
    group("mvcc", &["put a 1", "put a 2", "compact rev"], &["batch"]),
    group("mvcc", &["close"], &["open"]),
    group("mvcc", &["put a 1", "snapshot"], &["write", "snapshot-close"]),
    group("mvcc", &["defrag"], &["copy", "swap", "drop"]),
    group(
        "mvcc",
        &["key-put 5"],
        &["key-tomb", "key-get", "key-since", "key-compact", "key-keep", "key-show"],
    ),
    group("mvcc", &["index-put a 2"], &["index-tomb", "index-get", "index-range"]),
    group("mvcc", &["stream"], &["watch", "stream-close"]),
    group("mvcc", &["stream", "watch 1 a.."], &["cancel"]),
    group(
        "stream",
        &["producer 2 4 4"],
        &["open", "room", "send", "lost", "redial", "wire", "close", "wait"],
    ),
    group("stream", &["consumer 4 2"], &["accept", "take", "shut"]),
    group("stream", &["consumer 4 2", "accept 1 1 0"], &["says", "hears", "fin", "reset"]),
    group("stream", &["repair 3"], &["stand", "session", "given", "broken", "told", "track"]),
    group("stream", &["loopback 2 64"], &["round"]),
    group("client", &["lock 3 1"], &["unlock"]),
    group("client", &["write a 7 ttl 2"], &["ok", "refused", "unknown"]),
    group("client", &["blobs blob 0..2 7 6"], &["next", "reset"]),
    group("client", &["map 4 2 replicas"], &["move"]),
    group(
        "cluster",
        &["cluster 8 1 n0 n1 n2"],
        &["map", "rebalance", "progress", "failover", "duties", "learn", "serves"],
    ),
    group("cluster", &["cluster 8 1 n0 n1 n2", "rebalance n0 n1 n3"], &["step", "stop"]),
];

/// The words of code in a line of text.
fn listed(codes: &[&str]) -> String {
    codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", ")
}

/// What stands above the table of a model.
pub(super) fn lines(model: &str) -> String {
    let groups = GROUPS.iter().filter(|group| group.model == model);
    let line =
        |group: &Group| format!("- behind {}: {}\n", listed(group.commands), listed(group.verbs));
    let lines: String = groups.map(line).collect();
    if lines.is_empty() {
        return "Each example can stand alone.\n".into();
    }
    format!("An example can stand alone, unless its verb is one of these:\n\n{lines}")
}

/// What a fresh desk answers to the last of these.
fn answer(model: &str, commands: &[&str]) -> Result<String, String> {
    let mut desk = registry().verbs(model).expect("it has verbs")();
    let (last, before) = commands.split_last().expect("a command");
    for command in before {
        let answer = desk.run(command);
        assert!(answer.is_ok(), "`{command}` of {model}: {answer:?}");
    }
    desk.run(last)
}

#[test]
fn every_example_of_a_verb_runs_behind_what_the_page_names() {
    for model in registry().verb_names() {
        for [form, _, example] in rows(model) {
            let verb = form.split(' ').next().unwrap_or_default();
            let mut groups = GROUPS.iter().filter(|g| g.model == model && g.verbs.contains(&verb));
            let before = groups.next().map_or(&[][..], |group| group.commands);
            assert!(groups.next().is_none(), "`{verb}` of {model} is in two groups");
            let answered = answer(model, &[before, &[&example]].concat());
            assert!(answered.is_ok(), "`{example}` of {model} behind {before:?}: {answered:?}");
            if !before.is_empty() {
                let alone = answer(model, &[&example]);
                assert_ne!(answered, alone, "`{example}` of {model} needs nothing before it");
            }
        }
    }
}

#[test]
fn every_verb_that_needs_something_before_it_is_one_of_its_model() {
    for Group { model, verbs, .. } in GROUPS {
        let rows = rows(model);
        for verb in *verbs {
            let is_listed = rows.iter().any(|[form, ..]| form.split(' ').next() == Some(verb));
            assert!(is_listed, "{verb} of {model}");
        }
    }
}
