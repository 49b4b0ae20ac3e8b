use super::super::defects::Defects;
use super::super::fixture::{Node, request};
use super::super::restore::restore;
use super::super::rules::Rules;
use super::golden::{GOLDEN, key};
use super::*;

#[test]
fn the_hashes_of_a_long_history_are_those_of_the_real_system() {
    let mut node = Node::after(&[]);
    let mut golden = GOLDEN.iter().map(|(_, hash)| *hash);
    let mut check = |Node { store, backend, .. }: &Node, at: i64| {
        let expected = golden.next().expect("there are 19 of them");
        assert_eq!(hash_kv(store, backend, at), Ok(expected));
        let restored = restore(backend, Defects::NONE, 1000).expect("sound records");
        assert_eq!(hash_kv(&restored.store, backend, at), Ok(expected), "after a restart");
    };
    let mut first = 0;
    while first < 1210 {
        for i in first..=first + 71 {
            node.done(&[&format!("put {} {i}", key(i))]);
        }
        check(&node, first + 35);
        node.done(&[&format!("compact {}", first + 35)]);
        first += 71;
    }
    for i in first..2488 {
        node.done(&[&format!("put {} {i}", key(i))]);
    }
    check(&node, 1883);
}

#[test]
fn the_hash_of_an_empty_store_is_that_of_the_bucket_name() {
    let store = Store::new(Defects::NONE);
    let expected = KvHash { hash: 1084519789, compacted: -1, revision: 1 };
    assert_eq!(hash_kv(&store, &Backend::new(64), 0), Ok(expected));
}

#[test]
fn a_hash_is_the_same_before_during_and_after_a_compaction_of_the_same_revision() {
    let mut node =
        Node::after(&["put a 1", "put b 1", "put a 2", "del a..c", "put b 2", "del b", "put c 1"]);
    node.ask(&request("compact 5")).expect("accepted");
    let hash = |node: &Node, at| hash_kv(&node.store, &node.backend, at);
    let before = hash(&node, 0).expect("readable");
    assert_eq!((before.compacted, before.revision), (5, 8));
    while node.compaction.is_some() {
        node.batch(1);
        assert_eq!(hash(&node, 0), Ok(before));
    }
    node.restart();
    assert_eq!(hash(&node, 0), Ok(before));
    assert_eq!(hash(&node, 4), Err(OpError::Compacted.into()));
    assert_eq!(hash(&node, 9), Err(OpError::FutureRevision.into()));
    assert!(hash(&node, 5).is_ok());
}

#[test]
fn a_hash_is_the_same_during_a_compaction_that_leaves_nothing() {
    for rules in [Rules::V3_4, Rules::Main] {
        let mut node = Node::by(rules, Defects::NONE);
        node.done(&["put a 1", "put b 1", "del a..c"]);
        let head = node.store.current();
        node.ask(&request(&format!("compact {head}"))).expect("accepted");
        let hash = |node: &Node| hash_kv(&node.store, &node.backend, 0).ok();
        let before = hash(&node);
        assert!(before.is_some() && node.compaction.is_some());
        while node.compaction.is_some() {
            node.batch(1);
            assert_eq!(hash(&node), before, "{rules}");
        }
    }
}
