use super::super::defects::Defects;
use super::super::fixture::{Node, request};
use super::super::restore::restore;
use super::*;

const NAMES: [&str; 7] = ["alice", "bob", "celine", "dominik", "eve", "frederica", "gorge"];

/// The key that the real system's test of hashes writes as number `i`.
fn key(i: i64) -> &'static str {
    match (i % 142, i % 71) {
        (30, _) => "zenek",
        (_, 30) => "xavery",
        _ => NAMES[usize::try_from(i % 7).expect("small")],
    }
}

/// T95: hash, compacted revision and revision, as the real system's test has them.
const GOLDEN: [(u32, i64, i64); 19] = [
    (4082599214, -1, 35),
    (2279933401, 35, 106),
    (3284231217, 106, 177),
    (126286495, 177, 248),
    (900108730, 248, 319),
    (2475485232, 319, 390),
    (1226296507, 390, 461),
    (2503661030, 461, 532),
    (4155130747, 532, 603),
    (106915399, 603, 674),
    (406914006, 674, 745),
    (1882211381, 745, 816),
    (806177088, 816, 887),
    (664311366, 887, 958),
    (1496914449, 958, 1029),
    (2434525091, 1029, 1100),
    (3988652253, 1100, 1171),
    (1122462288, 1171, 1242),
    (724436716, 1242, 1883),
];

#[test]
fn the_hashes_of_a_long_history_are_those_of_the_real_system() {
    let mut node = Node::after(&[]);
    let mut golden = GOLDEN.into_iter();
    let mut check = |Node { store, backend, .. }: &Node, at: i64| {
        let (hash, compacted, revision) = golden.next().expect("there are 19 of them");
        let expected = KvHash { hash, compacted, revision };
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
