use super::super::fixture::Node;
use super::*;

#[test]
fn chunks_of_any_size_restore_the_same_store() {
    let mut node =
        Node::after(&["put a 1", "txn then put b 1; put c 1; del a", "put a 2", "compact 2"]);
    node.commit();
    let whole = restore(&node.backend, Defects::NONE, 100).expect("sound records");
    for chunk in 1..8 {
        assert_eq!(restore(&node.backend, Defects::NONE, chunk), Ok(whole.clone()));
    }
    assert_eq!(whole.store.index().as_restored(), node.store.index().as_restored());
    assert_eq!((whole.store.current(), whole.store.compacted(), whole.resume), (4, 2, None));
}

#[test]
fn an_empty_backend_is_an_empty_store() {
    let restored = restore(&Backend::new(64), Defects::NONE, 1).expect("nothing to read");
    assert_eq!(restored, Restored { store: Store::new(Defects::NONE), resume: None });
}

#[test]
fn a_restored_key_keeps_its_created_revision_and_version() {
    let history = ["put a 1", "put a 2", "put a 3", "compact 4"];
    let kv = |node: &mut Node| {
        node.restart();
        node.done(&["put a 4"]);
        node.answer("get a")
    };
    let right = "found: revision 5, count 1: a=4 (created 2, modified 5, version 4, lease 0)";
    assert_eq!(kv(&mut Node::after(&history)), right);

    let mut planted = Node::new(Defects { restore_by_plain_put: true, ..Defects::NONE });
    planted.done(&history);
    let wrong = "found: revision 5, count 1: a=4 (created 4, modified 5, version 2, lease 0)";
    assert_eq!(kv(&mut planted), wrong);
}

#[test]
fn a_revision_is_not_used_again_after_a_restart() {
    let history = ["put a 1", "del a", "compact 3"];
    let mut node = Node::after(&history);
    node.restart();
    assert_eq!(node.answer("put b 1"), "put: revision 4");

    let mut planted = Node::new(Defects { revision_not_raised: true, ..Defects::NONE });
    planted.done(&history);
    assert!(planted.backend.scan(Bucket::Key, b"").next().is_none(), "the tombstone is removed");
    planted.restart();
    assert_eq!(planted.answer("get b"), "required revision has been compacted");
    assert_eq!(planted.answer("put b 1"), "put: revision 2");
}

#[test]
fn a_tombstone_that_is_the_oldest_record_of_its_key_is_restored() {
    let mut node = Node::after(&["put a 1", "del a", "put b 1"]);
    node.ask(&super::super::fixture::request("compact 3")).expect("accepted");
    node.batch(1);
    node.restart();
    let held = Revision::new(3, 0);
    assert!(node.compaction.as_ref().is_some_and(|resumed| resumed.keep().contains(&held)));
}

#[test]
fn a_damaged_record_stops_the_node() {
    let mut node = Node::after(&["put a 1"]);
    let key = RecordKey { revision: Revision::new(2, 0), tombstone: false };
    node.backend.put(Bucket::Key, key.encode(), b"?".to_vec());
    let error = Fatal::DamagedRecord(key.revision);
    assert_eq!(restore(&node.backend, Defects::NONE, 1), Err(error));

    let mut node = Node::after(&["put a 1", "del a"]);
    let tombstone = RecordKey { tombstone: true, ..key };
    node.backend.put(Bucket::Key, tombstone.encode(), b"\x0a\x01a".to_vec());
    for chunk in 1..4 {
        assert_eq!(restore(&node.backend, Defects::NONE, chunk), Err(Fatal::DamagedKey));
    }
}
