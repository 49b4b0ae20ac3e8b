use proptest::collection::vec;
use proptest::prelude::*;

use super::super::arbitrary;
use super::super::defects::Defects;
use super::super::fixture::Node;
use super::super::rules::Rules;
use super::*;

fn one(key: &str) -> Keys {
    Keys::One(key.into())
}

/// Effects as text: `2.0=1` was put with the value 1, `3.0t` was deleted.
fn shown(history: &History) -> String {
    let effect = |effect: &Effect| {
        let Revision { main, sub } = effect.revision;
        let value = String::from_utf8_lossy(&effect.kv.value);
        if effect.deleted { format!("{main}.{sub}t") } else { format!("{main}.{sub}={value}") }
    };
    let effects: Vec<String> = history.effects.iter().map(effect).collect();
    format!("[{}] {}", effects.join(" "), history.next)
}

fn ask(node: &Node, keys: Keys, [start, end, limit]: [i64; 3]) -> String {
    let query = Query { keys, start, end, limit };
    match node.store.range_history(&node.backend, &query) {
        Ok(history) => shown(&history),
        Err(error) => error.to_string(),
    }
}

/// Whether a compaction has already deleted it makes no difference.
#[test]
fn what_a_transaction_overwrote_itself_is_history_until_it_is_compacted() {
    use crate::mvcc::kv::Kv;
    use crate::mvcc::op::Put;

    let mut kv = Kv::default();
    let id = kv.begin().expect("free");
    for (key, value) in [("a", "1"), ("b", "2"), ("a", "3")] {
        let put = Put { key: key.into(), value: value.into(), lease: 0 };
        kv.put_in(id, &put).expect("its own id");
    }
    kv.end(id).expect("its own id");
    let query = Query { keys: Keys::From(Vec::new()), start: 2, end: 0, limit: 0 };
    let ask = |kv: &Kv| shown(&kv.range_history(&query).expect("readable"));
    assert_eq!(ask(&kv), "[2.0=1 2.1=2 2.2=3] 3");
    kv.ask(&crate::mvcc::op::Op::Compact(2)).expect("accepted");
    assert_eq!(ask(&kv), "[2.1=2 2.2=3] 3");
    while kv.compaction().is_some() {
        kv.batch(Some(1)).expect("a batch");
    }
    assert_eq!(ask(&kv), "[2.1=2 2.2=3] 3");
}

/// T29, by the rules of its time.
#[test]
fn a_part_of_the_history_ends_before_its_end_and_says_where_to_go_on() {
    let mut node = Node::by(Rules::V2015, Defects::NONE);
    node.done(&["put foo 1", "del foo", "put foo 3", "put unrelated 4"]);
    let table = [
        (1, 1, "[] 1"),
        (1, 2, "[1.0=1] 2"),
        (1, 3, "[1.0=1 2.0t] 3"),
        (1, 4, "[1.0=1 2.0t 3.0=3] 5"),
        (1, 5, "[1.0=1 2.0t 3.0=3] 5"),
        (1, 10, "[1.0=1 2.0t 3.0=3] 5"),
        (3, 4, "[3.0=3] 5"),
        (0, 10, "[1.0=1 2.0t 3.0=3] 5"),
        (1, 0, "[1.0=1 2.0t 3.0=3] 5"),
        (0, 0, "[1.0=1 2.0t 3.0=3] 5"),
        (5, 0, "required revision is a future revision"),
    ];
    for (start, end, expected) in table {
        assert_eq!(ask(&node, one("foo"), [start, end, 0]), expected, "[{start},{end})");
    }
}

#[test]
fn what_is_compacted_is_no_history() {
    let history = ["put a 1", "put a 2", "put b 3", "put a 4"];
    let compacted = "required revision has been compacted";
    let mut node = Node::by(Rules::V2015, Defects::NONE);
    node.done(&history);
    node.done(&["compact 2"]);
    let table = [(1, compacted), (2, compacted), (3, "[4.0=4] 5"), (0, "[4.0=4] 5")];
    for (start, expected) in table {
        assert_eq!(ask(&node, one("a"), [start, 0, 0]), expected, "2015, from {start}");
    }
    for rules in [Rules::V3_4, Rules::Main] {
        let mut node = Node::by(rules, Defects::NONE);
        node.done(&history);
        node.done(&["compact 3"]);
        let table =
            [(1, compacted), (2, compacted), (3, "[3.0=2 5.0=4] 6"), (0, "[3.0=2 5.0=4] 6")];
        for (start, expected) in table {
            assert_eq!(ask(&node, one("a"), [start, 0, 0]), expected, "{rules}, from {start}");
        }
        // A record that is kept for readers does not make its revision part of the history again.
        node.done(&["compact 4"]);
        assert_eq!(ask(&node, one("a"), [0, 0, 0]), "[5.0=4] 6");
    }
}

/// B76.
#[test]
fn a_limit_does_not_split_a_revision_unless_that_is_planted() {
    let history = ["put a 1", "txn then put a 2; put b 2; put c 2", "put b 3"];
    let mut node = Node::after(&history);
    let table = [
        ([0, 0, 1], "[2.0=1] 3"),
        ([0, 0, 2], "[2.0=1] 3"),
        ([0, 0, 3], "[2.0=1] 3"),
        ([0, 0, 4], "[2.0=1 3.0=2 3.1=2 3.2=2] 4"),
        ([3, 0, 1], "[3.0=2 3.1=2 3.2=2] 4"),
        ([0, 4, 9], "[2.0=1 3.0=2 3.1=2 3.2=2] 4"),
        ([0, 0, 5], "[2.0=1 3.0=2 3.1=2 3.2=2 4.0=3] 5"),
        ([0, 0, 6], "[2.0=1 3.0=2 3.1=2 3.2=2 4.0=3] 5"),
    ];
    for (query, expected) in table {
        assert_eq!(ask(&node, Keys::From(b"a".to_vec()), query), expected, "{query:?}");
    }
    node.store.defects.limit_cuts_revision = true;
    assert_eq!(ask(&node, Keys::From(b"a".to_vec()), [0, 0, 2]), "[2.0=1 3.0=2] 4");
}

#[test]
fn a_transaction_that_is_open_has_effects_of_its_own() {
    let Node { mut store, mut backend, .. } = Node::after(&["put a 1"]);
    let mut txn = store.begin();
    assert_eq!(store.effects_of(&backend, &txn), Ok(Vec::new()));
    let put = super::super::op::Put { key: b"b".to_vec(), value: b"2".to_vec(), lease: 0 };
    store.put(&mut backend, &mut txn, &put);
    store.delete_range(&mut backend, &mut txn, &Keys::From(b"a".to_vec()));
    let effects = store.effects_of(&backend, &txn).expect("sound records");
    assert_eq!(shown(&History { effects, next: 0 }), "[3.0=2 3.1t 3.2t] 0");
    let query = Query { keys: one("b"), start: 0, end: 0, limit: 0 };
    let outside = store.range_history(&backend, &query).expect("readable");
    assert_eq!(shown(&outside), "[] 3", "nothing is seen before its end");
}

#[test]
fn damage_stops_the_reader() {
    let mut node = Node::after(&["put a 1"]);
    node.backend.put(Bucket::Key, Revision::new(2, 0).encode().to_vec(), b"?".to_vec());
    let error = Fatal::DamagedRecord(Revision::new(2, 0)).to_string();
    assert_eq!(ask(&node, one("b"), [0, 0, 0]), error);
}

proptest! {
    #![proptest_config(arbitrary::config(300))]

    /// Whoever reads on from each next revision reads all of it once, whatever the limits.
    #[test]
    fn parts_make_up_the_whole(
        ops in vec(arbitrary::near_op(), 1..30),
        limits in vec(1..5i64, 1..4),
    ) {
        let mut node = Node::after(&[]);
        for op in ops {
            let _ = node.ask(&op.resolve(node.store.current()));
        }
        let query = |start, limit| Query { keys: Keys::From(b"a".to_vec()), start, end: 0, limit };
        let read = |query: &Query| node.store.range_history(&node.backend, query);
        let whole = read(&query(0, 0)).expect("nothing is refused");
        let (mut parts, mut start) = (Vec::new(), 0);
        for limit in limits.into_iter().cycle() {
            let part = read(&query(start, limit)).expect("it goes on where it can");
            parts.extend(part.effects);
            start = part.next;
            if start > node.store.current() {
                break;
            }
        }
        prop_assert_eq!(parts, whole.effects);
    }
}

/// S4: a store knows puts and deletions; who watches makes events of them.
#[test]
fn no_public_name_of_the_store_or_its_backend_speaks_of_events() {
    let sources = [
        include_str!("../store.rs"),
        include_str!("../history.rs"),
        include_str!("../index.rs"),
        include_str!("../key_index.rs"),
        include_str!("../record.rs"),
        include_str!("../revision.rs"),
        include_str!("../compaction.rs"),
        include_str!("../restore.rs"),
        include_str!("../hash.rs"),
        include_str!("../lock.rs"),
        include_str!("../kv.rs"),
        include_str!("../backend.rs"),
        include_str!("../backend/view.rs"),
        include_str!("../backend/snapshot.rs"),
        include_str!("../backend/defrag.rs"),
    ];
    let public = |line: &&str| line.trim_start().starts_with("pub");
    let mut names = sources.iter().flat_map(|source| source.lines()).filter(public);
    assert_eq!(names.find(|line| line.to_lowercase().contains("event")), None);
    assert!(include_str!("../watch/event.rs").lines().any(|line| line == "pub struct Event {"));
}
