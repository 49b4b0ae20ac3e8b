use super::super::defects::Defects;
use super::super::fixture::Node;
use super::*;

/// The revisions of the records that are left.
fn records(node: &Node) -> Vec<String> {
    let keys = node.backend.scan(Bucket::Key, b"").map(|(key, _)| RecordKey::parse(key));
    keys.map(|key| key.expect("a record key"))
        .map(|key| {
            format!(
                "{}.{}{}",
                key.revision.main,
                key.revision.sub,
                if key.tombstone { "t" } else { "" }
            )
        })
        .collect()
}

fn marks(node: &Node) -> [Option<i64>; 2] {
    [SCHEDULED, FINISHED].map(|key| mark(&node.backend, key).expect("a sound mark"))
}

#[test]
fn a_finished_compaction_leaves_exactly_the_records_to_keep() {
    let history = ["put a 1", "put b 1", "txn then put a 2; put c 1", "del b", "put a 3", "del c"];
    let table: [(i64, &[&str]); 6] = [
        (2, &["2.0", "3.0", "4.0", "4.1", "5.0t", "6.0", "7.0t"]),
        (4, &["3.0", "4.0", "4.1", "5.0t", "6.0", "7.0t"]),
        (5, &["4.0", "4.1", "5.0t", "6.0", "7.0t"]),
        (6, &["4.1", "6.0", "7.0t"]),
        (7, &["6.0", "7.0t"]),
        (1, &["2.0", "3.0", "4.0", "4.1", "5.0t", "6.0", "7.0t"]),
    ];
    for (at, left) in table {
        for limit in 1..9 {
            let mut node = Node::after(&history);
            node.schedule(at);
            assert_eq!(marks(&node), [Some(at), None]);
            let mut compaction = Compaction::start(&mut node.store, at);
            loop {
                let batch = compaction.next_batch(&node.backend, limit).expect("sound records");
                assert!(batch.delete.len() <= limit);
                let last = batch.last;
                compaction.apply(&mut node.backend, batch);
                if last {
                    break;
                }
                assert_eq!(marks(&node), [Some(at), None], "not finished before the last batch");
            }
            assert_eq!(records(&node), left, "compact {at} in batches of {limit}");
            assert_eq!(marks(&node), [Some(at); 2]);
        }
    }
}

#[test]
fn a_compaction_without_records_is_done_in_one_batch() {
    let mut node = Node::new(Defects::NONE);
    assert_eq!(node.schedule(1), Scheduled { revision: 1, previous: -1, previous_finished: true });
    let mut compaction = Compaction::start(&mut node.store, 1);
    let batch = compaction.next_batch(&node.backend, 1).expect("no records");
    let expected = Batch { delete: Vec::new(), next: Revision::default(), last: true, hash: 0 };
    assert_eq!(Batch { hash: 0, ..batch.clone() }, expected);
    compaction.apply(&mut node.backend, batch);
    assert_eq!(marks(&node), [Some(1); 2]);
}

#[test]
fn a_compaction_knows_whether_those_before_it_were_done() {
    let mut node = Node::after(&["put a 1", "put a 2", "put a 3", "compact 2"]);
    assert!(node.schedule(3).previous_finished);
    assert!(!node.schedule(4).previous_finished);
}

/// T25: a compaction that was scheduled goes on after a restart, and is in force from the start.
#[test]
fn an_interrupted_compaction_is_resumed_after_a_restart() {
    let mut node = Node::after(&["put foo 1", "put foo 2", "put foo 3"]);
    node.schedule(3);
    node.restart();
    assert_eq!(node.store.compacted(), 3);
    assert_eq!(node.answer("get foo @2"), "required revision has been compacted");
    assert_eq!(records(&node), ["2.0", "3.0", "4.0"]);
    while node.compaction.is_some() {
        node.batch(1);
    }
    assert_eq!(records(&node), ["3.0", "4.0"]);
    assert_eq!(marks(&node), [Some(3); 2]);
}

#[test]
fn a_crash_between_batches_loses_nothing_that_stays() {
    let history = ["put a 1", "put b 1", "put a 2", "del b", "put b 2", "del a", "put c 1"];
    for at in 2..=8 {
        for batches in 0..8 {
            let mut node = Node::after(&history);
            node.ask(&super::super::fixture::request(&format!("compact {at}"))).expect("accepted");
            let mut undisturbed = node.clone();
            (0..batches).for_each(|_| node.batch(1));
            node.restart();
            while node.compaction.is_some() {
                node.batch(2);
            }
            while undisturbed.compaction.is_some() {
                undisturbed.batch(2);
            }
            assert_eq!(node.backend.contents(), undisturbed.backend.contents());
            assert_eq!(node.store.index().as_restored(), undisturbed.store.index().as_restored());
            assert_eq!(node.store.current(), 8);
        }
    }
}

#[test]
fn a_damaged_mark_or_record_key_stops_the_node() {
    let mut node = Node::after(&["put a 1", "put a 2", "compact 2"]);
    node.backend.put(Bucket::Key, b"what is this?".to_vec(), Vec::new());
    let compaction = Compaction::start(&mut node.store, 3);
    assert_eq!(compaction.next_batch(&node.backend, 9), Err(Fatal::DamagedKey));
    node.backend.put(Bucket::Meta, FINISHED.to_vec(), vec![0; 17]);
    assert_eq!(mark(&node.backend, FINISHED), Err(Fatal::DamagedMark));
}

/// T52: what a compaction deletes is what it was not told to keep.
#[test]
fn a_compaction_deletes_what_it_is_not_told_to_keep() {
    let table: [(i64, &[i64], &[&str]); 4] = [
        (1, &[], &["2.0", "3.0"]),
        (3, &[], &[]),
        (1, &[1], &["1.0", "2.0", "3.0"]),
        (3, &[2, 3], &["2.0", "3.0"]),
    ];
    for (at, keep, left) in table {
        let mut node = Node::new(Defects::NONE);
        for main in 1..=3 {
            let key = RecordKey { revision: Revision::new(main, 0), tombstone: false };
            node.backend.put(Bucket::Key, key.encode(), Vec::new());
        }
        let keep = keep.iter().map(|main| Revision::new(*main, 0)).collect();
        node.compaction = Some(Compaction::keeping(at, keep));
        while node.compaction.is_some() {
            node.batch(1);
        }
        assert_eq!(
            (records(&node), marks(&node)[1]),
            (left.iter().map(|s| s.to_string()).collect(), Some(at))
        );
    }
}
