use super::super::fixture::{Node, request};
use super::super::op::{Action, Op};
use super::*;

const FOO: &str = "foo=bar (created 2, modified 2, version 1, lease 1)";
const FOO1: &str = "foo1=bar1 (created 3, modified 3, version 1, lease 2)";
const FOO2: &str = "foo2=bar2 (created 4, modified 4, version 1, lease 3)";
const COMPACTED: &str = "required revision has been compacted";
const FUTURE: &str = "required revision is a future revision";

/// Three keys with a lease each, at revision 4.
fn db3() -> Node {
    Node::after(&["put foo bar lease 1", "put foo1 bar1 lease 2", "put foo2 bar2 lease 3"])
}

/// The answer of a read at revision 4 that finds these.
fn found(kvs: &[&str]) -> String {
    let colon = if kvs.is_empty() { "" } else { ": " };
    format!("found: revision 4, count {}{colon}{}", kvs.len(), kvs.join(", "))
}

fn get(line: &str) -> Get<i64> {
    match request(line) {
        Op::Single(Action::Get(get)) => get,
        other => panic!("{other} is no read"),
    }
}

/// T01.
#[test]
fn a_read_finds_the_keys_of_its_range() {
    let mut db = db3();
    let table: [(&str, &[&str]); 8] = [
        ("get doo..foo", &[]),
        ("get foo..foo", &[]),
        ("get foo3..foo", &[]),
        ("get doo", &[]),
        ("get foo..foo3", &[FOO, FOO1, FOO2]),
        ("get foo..foo1", &[FOO]),
        ("get foo", &[FOO]),
        ("get \"\\x00\"..", &[FOO, FOO1, FOO2]),
    ];
    for (line, kvs) in table {
        assert_eq!(db.answer(line), found(kvs), "{line}");
    }
    let all = db.store.range(&db.backend, &get("get \"\"..")).expect("readable");
    assert_eq!((all.revision, all.count, all.kvs.len()), (4, 3, 3));
}

/// T02.
#[test]
fn a_read_at_a_revision_sees_the_past_and_names_the_present() {
    let mut db = db3();
    let table: [(&str, &[&str]); 6] = [
        ("@-1", &[FOO, FOO1, FOO2]),
        ("@0", &[FOO, FOO1, FOO2]),
        ("@4", &[FOO, FOO1, FOO2]),
        ("@1", &[]),
        ("@2", &[FOO]),
        ("@3", &[FOO, FOO1]),
    ];
    for (at, kvs) in table {
        assert_eq!(db.answer(&format!("get foo..foo3 {at}")), found(kvs), "{at}");
    }
}

/// T03.
#[test]
fn a_read_below_the_compacted_revision_or_above_the_current_one_is_refused() {
    let mut db = db3();
    assert_eq!(db.answer("compact 4"), "compacted: revision 4");
    let all = found(&[FOO, FOO1, FOO2]);
    let table = [
        ("@-1", all.as_str()),
        ("@0", &all),
        ("@4", &all),
        ("@1", COMPACTED),
        ("@2", COMPACTED),
        ("@5", FUTURE),
        ("@100", FUTURE),
    ];
    for (at, answer) in table {
        assert_eq!(db.answer(&format!("get foo..foo3 {at}")), answer, "{at}");
    }
}

/// T04.
#[test]
fn a_limit_bounds_the_keys_but_not_the_count() {
    let mut db = db3();
    let all = format!(": {FOO}, {FOO1}, {FOO2}");
    let table = [
        ("limit -1", all.clone()),
        ("limit 0", all.clone()),
        ("limit 1", format!(", more: {FOO}")),
        ("limit 2", format!(", more: {FOO}, {FOO1}")),
        ("limit 3", all.clone()),
        ("limit 100", all),
        ("count", String::new()),
        ("limit 1 count", String::new()),
    ];
    for (options, rest) in table {
        let answer = db.answer(&format!("get foo..foo3 {options}"));
        assert_eq!(answer, format!("found: revision 4, count 3{rest}"), "{options}");
    }
}

/// T05.
#[test]
fn each_put_of_a_key_counts_its_version_up() {
    let mut db = Node::after(&[]);
    for i in 1..=10 {
        let put = db.answer(&format!("put foo bar lease {i}"));
        assert_eq!(put, format!("put: revision {}", i + 1));
        let kv = format!("foo=bar (created 2, modified {}, version {i}, lease {i})", i + 1);
        assert_eq!(db.answer("get foo"), format!("found: revision {}, count 1: {kv}", i + 1));
    }
}

/// T06.
#[test]
fn a_deletion_counts_the_keys_that_existed_and_needs_one_for_a_revision() {
    let table = [
        ("del foo", 1, 5),
        ("del foo..foo1", 1, 5),
        ("del foo..foo2", 2, 5),
        ("del foo..foo3", 3, 5),
        ("del foo..", 3, 5),
        ("del foo3..foo8", 0, 4),
        ("del foo3", 0, 4),
    ];
    for (line, count, revision) in table {
        let mut db = db3();
        assert_eq!(db.answer(line), format!("deleted {count}: revision {revision}"), "{line}");
        let left = db.answer("get foo.. count");
        assert_eq!(left, format!("found: revision {revision}, count {}", 3 - count), "{line}");
    }
}

/// T07.
#[test]
fn a_key_is_deleted_once() {
    let mut db = Node::after(&["put foo bar"]);
    assert_eq!(db.answer("del foo"), "deleted 1: revision 3");
    for _ in 0..10 {
        assert_eq!(db.answer("del foo"), "deleted 0: revision 3");
    }
}

/// T09.
#[test]
fn a_key_that_is_put_and_deleted_in_turn_begins_anew_each_time() {
    let mut db = Node::after(&[]);
    for i in 0..10 {
        let base = 2 * i + 1;
        let (put, gone) = (base + 1, base + 2);
        assert_eq!(db.answer("put foo bar"), format!("put: revision {put}"));
        let kv = format!("foo=bar (created {put}, modified {put}, version 1, lease 0)");
        let answer = db.answer(&format!("get foo @{put}"));
        assert_eq!(answer, format!("found: revision {put}, count 1: {kv}"));
        assert_eq!(db.answer("del foo"), format!("deleted 1: revision {gone}"));
        let answer = db.answer(&format!("get foo @{gone}"));
        assert_eq!(answer, format!("found: revision {gone}, count 0"));
    }
}

/// T10.
#[test]
fn a_transaction_sees_its_own_writes_and_makes_one_revision() {
    let Node { mut store, mut backend, .. } = Node::after(&[]);
    let put = Put { key: b"foo".to_vec(), value: b"bar".to_vec(), lease: 0 };
    let foo = Keys::One(b"foo".to_vec());
    for i in 1..=10 {
        let mut txn = store.begin();
        assert_eq!(store.put(&mut backend, &mut txn, &put), i + 1);
        let at = get(&format!("get foo @{}", i + 1));
        let inside = store.range_in(&backend, &txn, &at).expect("its own revision");
        let kv = format!("foo=bar (created {0}, modified {0}, version 1, lease 0)", i + 1);
        assert_eq!(inside.to_string(), format!("revision {}, count 1: {kv}", i + 1));
        let outside = store.range(&backend, &get("get foo")).expect("readable");
        assert_eq!((outside.revision, outside.count), (i, 0), "nothing is visible before the end");

        assert_eq!(store.delete_range(&mut backend, &mut txn, &foo), 1);
        assert_eq!((txn.revision(), txn.effects()), (i + 1, 2));
        let inside = store.range_in(&backend, &txn, &at).expect("its own revision");
        assert_eq!((inside.revision, inside.count), (i + 1, 0));
        assert_eq!(store.end(txn), i + 1);
    }
    assert_eq!(store.current(), 11);
}

#[test]
fn a_transaction_without_effect_makes_no_revision() {
    let mut db = db3();
    let answer = db.answer("txn then get foo count; del x; get foo3 @3");
    assert_eq!(
        answer,
        "then: revision 4; found: revision 4, count 1; deleted 0: revision 4; found: revision 4, count 0"
    );
    assert_eq!(db.answer("txn then"), "then: revision 4");
    assert_eq!(db.store.current(), 4);
}

/// T14.
#[test]
fn a_compaction_does_not_change_what_is_newer() {
    let mut db = Node::after(&[
        "put foo bar0 lease 1",
        "put foo bar1 lease 2",
        "del foo",
        "put foo bar2 lease 3",
    ]);
    let table = [
        (1, 2, "count 1: foo=bar0 (created 2, modified 2, version 1, lease 1)"),
        (2, 3, "count 1: foo=bar1 (created 2, modified 3, version 2, lease 2)"),
        (3, 4, "count 0"),
        (4, 5, "count 1: foo=bar2 (created 5, modified 5, version 1, lease 3)"),
    ];
    for (compact, at, answer) in table {
        db.done(&[&format!("compact {compact}")]);
        let answer = format!("found: revision 5, {answer}");
        assert_eq!(db.answer(&format!("get foo @{at}")), answer, "after compacting {compact}");
    }
}

/// T15.
#[test]
fn compactions_go_up_and_not_beyond_the_current_revision() {
    let mut db = db3();
    let table = [
        ("compact -1", COMPACTED),
        ("compact 0", "compacted: revision 4"),
        ("compact 0", COMPACTED),
        ("compact 1", "compacted: revision 4"),
        ("compact 1", COMPACTED),
        ("compact 4", "compacted: revision 4"),
        ("compact 5", FUTURE),
        ("compact 100", FUTURE),
    ];
    for (line, answer) in table {
        assert_eq!(db.answer(line), answer, "{line}");
    }
}

/// T17.
#[test]
fn a_restart_changes_nothing_that_can_be_read() {
    let histories: [&[&str]; 4] = [
        &["put foo 1 lease 1", "put foo 2 lease 2", "put foo 3 lease 3", "put foo2 4 lease 1"],
        &["put foo 1", "del foo", "put foo 2"],
        &["put foo 1", "put foo 2", "compact 1"],
        &[
            "put foo1 1",
            "put foo2 2",
            "put foo3 3",
            "put foo4 4",
            "put foo5 5",
            "del foo1",
            "compact 7",
        ],
    ];
    for history in histories {
        let mut db = Node::after(history);
        let read = |db: &mut Node| -> Vec<String> {
            (0..10).map(|at| db.answer(&format!("get a..z @{at}"))).collect()
        };
        let before = read(&mut db);
        let index = db.store.index().as_restored();
        db.restart();
        assert_eq!(read(&mut db), before, "{history:?}");
        assert_eq!(db.store.index().as_restored(), index, "{history:?}");
    }
    // Of foo1 only the tombstone is left, and its revision is still the current one.
    let mut db = Node::after(histories[3]);
    db.restart();
    assert_eq!(db.store.index().keys().count(), 5);
    assert_eq!(db.answer("get foo1"), "found: revision 7, count 0");
}

#[test]
fn a_record_that_is_missing_or_damaged_stops_the_node() {
    let Node { store, mut backend, .. } = db3();
    let key = RecordKey { revision: Revision::new(3, 0), tombstone: false }.encode();
    let read = |backend: &Backend| store.range(backend, &get("get foo1"));
    backend.put(Bucket::Key, key.clone(), b"\x0a\x09foo1".to_vec());
    assert_eq!(read(&backend), Err(Fatal::DamagedRecord(Revision::new(3, 0)).into()));
    backend.delete(Bucket::Key, key);
    assert_eq!(read(&backend), Err(Fatal::MissingRecord(Revision::new(3, 0)).into()));
    assert_eq!(store.range(&backend, &get("get foo")).map(|found| found.count), Ok(1));
}

/// B24.
#[test]
fn a_deleted_key_is_seen_only_if_that_is_planted() {
    let history = ["put a 1", "put a 2", "del a"];
    let mut node = Node::after(&history);
    assert_eq!(node.answer("get a"), "found: revision 4, count 0");
    let mut planted = Node::new(Defects { gap_answered_by_older: true, ..Defects::NONE });
    planted.done(&history);
    let seen = "found: revision 4, count 1: a=2 (created 2, modified 3, version 2, lease 0)";
    assert_eq!(planted.answer("get a"), seen);
    planted.done(&["del a", "put a 3"]);
    let anew = "found: revision 5, count 1: a=3 (created 5, modified 5, version 1, lease 0)";
    assert_eq!(planted.answer("get a"), anew);
}

/// B26.
#[test]
fn a_read_at_the_compacted_revision_is_refused_only_if_that_is_planted() {
    let history = ["put a 1", "put a 2", "compact 3"];
    let kept = "found: revision 3, count 1: a=2 (created 2, modified 3, version 2, lease 0)";
    assert_eq!(Node::after(&history).answer("get a"), kept);
    let mut planted = Node::new(Defects { refused_at_compacted: true, ..Defects::NONE });
    planted.done(&history);
    assert_eq!(planted.answer("get a"), COMPACTED);
}
