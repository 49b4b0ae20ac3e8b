use proptest::prelude::*;

use super::super::arbitrary;
use super::super::defects::Defects;
use super::super::fixture::{Node, request};
use super::*;

fn leasing(lines: &[&str]) -> Node {
    let mut node = Node::leasing(Defects::NONE);
    node.done(lines);
    node
}

fn keys(node: &Node, id: i64) -> Vec<String> {
    let lessor = node.store.lessor().expect("the node has one");
    let keys = lessor.lease(id).into_iter().flat_map(Lease::keys);
    keys.map(|key| String::from_utf8_lossy(key).into_owned()).collect()
}

fn records(node: &Node) -> Vec<Vec<u8>> {
    node.backend.scan(Bucket::Lease, b"").map(|(key, _)| key.to_vec()).collect()
}

/// T88. All keys go in ascending order at one revision.
#[test]
fn a_revoke_deletes_the_keys_of_the_lease_and_its_record() {
    let mut node = leasing(&["grant 1 60", "put foo x lease 1", "put baz x", "put bar x lease 1"]);
    assert_eq!(node.answer("revoke 1"), "revoked: revision 5");
    assert!(node.store.lessor().is_some_and(|lessor| lessor.lease(1).is_none()));
    assert_eq!(records(&node), [] as [Vec<u8>; 0]);
    let tombstones = node.backend.scan(Bucket::Key, b"").filter(|(key, _)| key.ends_with(b"t"));
    let deleted = tombstones.map(|(key, value)| (key[15..].to_vec(), value[2..].to_vec()));
    let expected =
        [(b"\x00\x00t".to_vec(), b"bar".to_vec()), (b"\x00\x01t".to_vec(), b"foo".to_vec())];
    assert_eq!(deleted.collect::<Vec<_>>(), expected);
    assert_eq!(node.answer("get a.. count"), "found: revision 5, count 1");
    assert_eq!(node.answer("revoke 1"), "lease not found");
}

/// T88: keys and record are one transaction of the backend.
#[test]
fn between_two_keys_of_a_revoke_the_lease_is_still_there() {
    let mut node = leasing(&["grant 1 60", "put a x lease 1", "put b x lease 1"]);
    let revoke = request("revoke 1");
    let mut running = super::super::txn::Running::begin(&node.store, &node.backend, &revoke)
        .expect("it is there");
    let mut seen = Vec::new();
    while !running.is_done() {
        seen.push((records(&node).len(), node.store.current()));
        running.step(&mut node.store, &mut node.backend).expect("sound");
    }
    assert_eq!(seen, [(1, 3), (1, 3), (1, 3)]);
    running.finish(&mut node.store);
    assert_eq!((records(&node).len(), node.store.current()), (0, 4));
}

/// T89.
#[test]
fn a_key_leaves_its_lease_when_it_is_deleted_or_written_without_it() {
    let mut node = leasing(&["grant 1 60", "put foo x lease 1", "put bar x lease 1", "del foo"]);
    assert_eq!(keys(&node, 1), ["bar"]);
    node.done(&["txn then put foo y lease 1; put bar y"]);
    assert_eq!(keys(&node, 1), ["foo"]);
    node.done(&["revoke 1"]);
    assert_eq!(node.answer("get a.. count"), "found: revision 6, count 1");
}

/// T90.
#[test]
fn leases_keep_their_time_over_a_restart() {
    let mut node = leasing(&["grant 1 10", "grant 2 20", "grant -3 0", "revoke 2", "grant 2 30"]);
    node.restart();
    let lessor = node.store.lessor().expect("the node has one");
    let ttls: Vec<_> = lessor.leases().map(|(id, lease)| (id, lease.ttl())).collect();
    assert_eq!(ttls, [(-3, 0), (1, 10), (2, 30)]);
    assert_eq!(node.answer("grant 1 10"), "lease already exists");
}

/// T91 (B27).
#[test]
fn after_a_restart_a_key_is_attached_to_its_last_lease_alone() {
    let mut node = leasing(&["grant 1 60", "grant 2 60", "put foo 1 lease 1", "put foo 2 lease 2"]);
    node.done(&["put bar 1 lease 1", "put bar 2", "put baz 1 lease 1", "del baz"]);
    let before = node.store.lessor().cloned();
    node.restart();
    assert_eq!((keys(&node, 1), keys(&node, 2)), (vec![], vec!["foo".to_owned()]));
    assert_eq!(node.store.lessor().cloned(), before);
    assert_eq!(node.answer("revoke 1"), "revoked: revision 7");
    assert_eq!(node.answer("revoke 2"), "revoked: revision 8");
}

#[test]
fn a_lease_that_is_not_there_is_refused_before_anything_is_done() {
    let mut node = leasing(&["grant 1 60", "put a 1 lease 1"]);
    let before = (node.store.clone(), node.backend.clone());
    for line in [
        "put a 2 lease 2",
        "txn then put b 1; put a 2 lease 2",
        "txn if a version = 0 then else put b 1; put a 2 lease 2; get a @9",
        "revoke 2",
        "revoke 0",
        "grant 0 5",
    ] {
        assert_eq!(node.answer(line), "lease not found", "{line}");
    }
    assert_eq!(node.answer("grant 1 5"), "lease already exists");
    assert_eq!((node.store.clone(), node.backend.clone()), before);
    // The branch that is not taken does not matter.
    let line = "txn if a version = 0 then put b 1 lease 2 else put b 1 lease 1";
    assert_eq!(node.answer(line), "else: revision 3; put: revision 3");
}

#[test]
fn a_store_without_a_lessor_takes_any_number_for_a_lease() {
    let mut node = Node::new(Defects::NONE);
    assert_eq!(node.answer("put a 1 lease 2"), "put: revision 2");
    assert_eq!(node.answer("revoke 2"), "lease not found");
    assert_eq!(node.answer("grant 2 60"), "lease not found");
}

#[test]
fn a_damaged_lease_stops_the_node() {
    for (key, value) in
        [(vec![0; 8], b"\x08\x01".to_vec()), (vec![1], vec![]), (vec![0; 8], b"?".to_vec())]
    {
        let mut backend = Backend::new(64);
        backend.put(Bucket::Lease, key, value);
        assert_eq!(Lessor::recover(&backend), Err(Fatal::DamagedLease));
    }
}

proptest! {
    #![proptest_config(arbitrary::config(500))]

    #[test]
    fn the_record_of_a_lease_reads_back(id: i64, ttl in prop_oneof![0..300i64, any::<i64>()]) {
        prop_assert_eq!(record::decode(&record::encode(id, ttl)), Some((id, ttl)));
    }

    #[test]
    fn bytes_that_decode_are_the_only_form_of_their_lease(
        bytes in prop::collection::vec(prop_oneof![Just(8), Just(0x10), 0..3u8, any::<u8>()], 0..16)
    ) {
        if let Some((id, ttl)) = record::decode(&bytes) {
            prop_assert_eq!(record::encode(id, ttl), bytes);
        }
    }
}
