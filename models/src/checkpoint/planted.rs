//! Each planted bug, and the difference that it makes: the same commands with and without it.

use seedbed_sim::campaign::transcript::Verbs;

use super::defects::Defects;
use super::verbs::Desk;

/// What the last command answers, after all before it; on a log of this kind, with or without a bug.
fn last_answer(kind: &str, bug: Option<&str>, commands: &str) -> String {
    let mut desk = Desk::default();
    let bug = bug.map(|name| format!(" bug {name}")).unwrap_or_default();
    desk.run(&format!("new {kind} max_items 9{bug}")).expect("a log");
    let mut answer = String::new();
    for command in commands.split(';').map(str::trim) {
        answer = desk.run(command).unwrap_or_else(|refused| refused);
    }
    answer
}

struct Case {
    bug: &'static str,
    kind: &'static str,
    commands: &'static str,
    /// What the last command answers when nothing is planted, and when the bug is.
    right: &'static str,
    wrong: &'static str,
}

const CASES: &[Case] = &[
    Case {
        bug: "repair_off_by_one",
        kind: "active",
        commands: "set a; set b; next persistence 2; set a; fetch persistence",
        right: "set(b) set(a); last closed 0",
        wrong: "set(a); last closed 0",
    },
    Case {
        bug: "requeue_is_no_work",
        kind: "active",
        commands: "set a; flush; set a",
        right: "existing 1002, more to persist",
        wrong: "existing 1002, no more to persist",
    },
    Case {
        bug: "last_closed_is_predecessor",
        kind: "active",
        commands: "set a; create; flush; remove; set b; flush",
        right: "set(b); last closed 1",
        wrong: "set(b); last closed 0",
    },
    Case {
        bug: "reregistration_pins",
        kind: "active",
        commands: "register c1 1; set a; create; flush; register c1 9; remove",
        right: "removed 1 checkpoints with 1 mutations",
        wrong: "removed 0 checkpoints with 0 mutations",
    },
    Case {
        bug: "registered_by_id_alone",
        kind: "active",
        commands: "set a; register c1 1 life 7",
        right: "backfill needed",
        wrong: "found",
    },
    Case {
        bug: "start_marker_forgotten",
        kind: "active",
        commands: "start; set a; force; register c1 3; complete; fetch c1; more c1",
        right: "no",
        wrong: "yes",
    },
    Case {
        bug: "offsets_not_adjusted",
        kind: "active",
        commands: "register c1 1; start; complete; next c1 5; more c1",
        right: "yes",
        wrong: "no",
    },
    Case {
        bug: "merge_rewinds",
        kind: "replica",
        commands: "begun 1; set a; ended 1; begun 2; set b; fetch persistence; begun 1; flush",
        right: "nothing; last closed 0",
        wrong: "checkpoint_start(1) set(a) set(b); last closed 0",
    },
    Case {
        bug: "merge_forgets_cursors",
        kind: "replica",
        commands: "begun 1; set a; ended 1; begun 2; set b; begun 1; ended 1; begun 2; remove; check",
        right: "all rules hold",
        wrong: "not so: every cursor stands on an item of a checkpoint that lists it: \
                persistence in 0 at 0",
    },
    Case {
        bug: "smaller_start_erases",
        kind: "replica",
        commands: "begun 1; set a; flush; ended 1; begun 2; del a; begun 1; flush",
        right: "checkpoint_start(1) del(a); last closed 0",
        wrong: "checkpoint_start(1); last closed 0",
    },
    Case {
        bug: "rollback_keeps_persisted_id",
        kind: "replica",
        commands: "begun 4; set a; ended 4; begun 5; set b; flush; begun 3",
        right: "merged, persisted at most 2",
        wrong: "merged",
    },
    Case {
        bug: "next_id_not_advanced",
        kind: "replica",
        commands: "begun 1; set a; promote 2; create",
        right: "opened 2",
        wrong: "opened 1",
    },
    Case {
        bug: "promoted_without_open",
        kind: "replica",
        commands: "begun 1; ended 1; promote 2; set a",
        right: "new 1001, more to persist",
        wrong: "dropped",
    },
    Case {
        bug: "start_reuses_id",
        kind: "replica",
        commands: "begun 1; set a; ended 1; begun 2; told start 2 1; set b; flush; told revert 2 1",
        right: "applied",
        wrong: "the node aborts",
    },
    Case {
        bug: "end_opens_next",
        kind: "replica",
        commands: "begun 2; told start 2 1; told complete 2 1; ended 2",
        right: "ignored",
        wrong: "disconnect",
    },
    Case {
        bug: "start_takes_next_id",
        kind: "replica",
        commands: "begun 2; told start 2 1; set a; told complete 2 1; ended 2; begun 3; flush",
        right: "checkpoint_start(2) online_update_start set(a) online_update_end checkpoint_end(2) \
                checkpoint_start(3); last closed 2",
        wrong: "checkpoint_start(2) checkpoint_end(2) checkpoint_start(3); last closed 2",
    },
    Case {
        bug: "window_survives_clear",
        kind: "active",
        commands: "start; clear; start",
        right: "started: epoch 2, from checkpoint 2 on",
        wrong: "not supported",
    },
    Case {
        bug: "window_survives_rollback",
        kind: "replica",
        commands: "begun 2; told start 3 1; set a; begun 2",
        right: "refused: the copy has to be reset",
        wrong: "merged, persisted at most 1",
    },
    Case {
        bug: "collects_past_revert",
        kind: "active",
        commands: "start; set a; flush; revert; set b; window",
        right: "set(a); keys a",
        wrong: "set(a) set(b); keys a b",
    },
    Case {
        bug: "completes_during_revert",
        kind: "active",
        commands: "start; set a; flush; revert; complete",
        right: "not supported",
        wrong: "completed: epoch 1, from checkpoint 2 on",
    },
    Case {
        bug: "revert_asserts_barrier",
        kind: "active",
        commands: "set a; start; revert",
        right: "is being taken back: epoch 1, from checkpoint 2 on",
        wrong: "the node aborts",
    },
    Case {
        bug: "events_once_only",
        kind: "replica",
        commands: "begun 1; told start 1 1; told start 1 1",
        right: "was done before",
        wrong: "refused: the copy has to be reset",
    },
    Case {
        bug: "start_without_id",
        kind: "replica",
        commands: "begun 1; set a; told start 2 1; set b; window",
        right: "set(b); keys b",
        wrong: "set(a) set(b); keys a b",
    },
];

#[test]
fn every_planted_bug_makes_a_difference() {
    for Case { bug, kind, commands, right, wrong } in CASES {
        assert_eq!(last_answer(kind, None, commands), *right, "without {bug}: {commands}");
        assert_eq!(last_answer(kind, Some(bug), commands), *wrong, "with {bug}: {commands}");
    }
}

#[test]
fn every_planted_bug_has_a_case() {
    let shown: Vec<&str> = CASES.iter().map(|case| case.bug).collect();
    assert_eq!(shown, Defects::names());
}
