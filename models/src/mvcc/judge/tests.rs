use super::super::fixture::{Node, request};
use super::super::revision::Revision;
use super::*;

/// A node with this history, and its judge, who was told of all of it.
fn judged(history: &[&str], defects: Defects) -> (Node, Judge) {
    let (mut node, mut judge) = (Node::new(defects), Judge::default());
    for line in history {
        let request = Arc::new(request(line));
        node.done(&[line]);
        let _ = judge.reference.apply(&request);
    }
    (node, judge)
}

const HISTORY: [&str; 7] =
    ["put a 1", "put b 1", "txn then put a 2; put c 1", "del b", "put a 3", "del c", "put c 2"];

/// By the judge, with the rule for deletions that the node has.
fn verdict_of(node: &Node, judge: &Judge, at: i64) -> Checked {
    records_are_needed(&judge.reference, &node.backend, at, node.store.defects().head_tombstone())
}

#[test]
fn a_compaction_keeps_what_the_reference_needs() {
    let older_rule = Defects { revision_not_raised: true, ..Defects::NONE };
    for at in 1..=8 {
        for defects in [Defects::NONE, older_rule] {
            let (mut node, mut judge) = judged(&HISTORY, defects);
            let compact = format!("compact {at}");
            node.done(&[&compact]);
            let _ = judge.reference.apply(&request(&compact));
            assert_eq!(verdict_of(&node, &judge, at), Checked::Held, "at {at}, {defects:?}");
        }
    }
}

#[test]
fn a_record_too_many_or_too_few_is_seen() {
    let record = |main, sub, tombstone| {
        RecordKey { revision: Revision::new(main, sub), tombstone }.encode().clone()
    };
    let (mut node, judge) = judged(&HISTORY, Defects::NONE);
    let broken = |node: &Node| match verdict_of(node, &judge, 5) {
        Checked::Broken("differs", detail) => detail,
        other => panic!("{other:?}"),
    };
    assert_eq!(broken(&node), "after 5 the put of a at 2 is still there");
    node.done(&["compact 5"]);
    assert_eq!(verdict_of(&node, &judge, 5), Checked::Held);

    let mut without = node.clone();
    without.backend.delete(Bucket::Key, record(4, 0, false).to_vec());
    assert_eq!(broken(&without), "after 5 the put of a at 4 is missing");
    let mut without = node.clone();
    without.backend.delete(Bucket::Key, record(5, 0, true).to_vec());
    assert_eq!(broken(&without), "after 5 the deletion of b at 5 is missing");
    // What the older rule drops is there by the newer one.
    let older = records_are_needed(&judge.reference, &node.backend, 5, HeadTombstone::Removed);
    assert!(matches!(older, Checked::Broken(..)), "{older:?}");
    // Records after the compaction are none of its business.
    node.backend.delete(Bucket::Key, record(6, 0, false).to_vec());
    assert_eq!(verdict_of(&node, &judge, 5), Checked::Held);
    node.backend.put(Bucket::Key, record(3, 0, false).to_vec(), b"damage".to_vec());
    let damaged = verdict_of(&node, &judge, 5);
    assert!(matches!(damaged, Checked::Broken("unreadable", _)), "{damaged:?}");
}
