//! The same history under the rules of each era.

use super::super::defects::Defects;
use super::super::fixture::Node;
use super::*;

const COMPACTED: &str = "required revision has been compacted";

fn under(rules: Rules, history: &[&str]) -> Node {
    let mut node = Node::by(rules, Defects::NONE);
    node.done(history);
    node
}

#[test]
fn an_era_reads_back_from_its_name_and_no_other_name_is_one() {
    for rules in Rules::ALL {
        assert_eq!(rules.to_string().parse(), Ok(rules));
    }
    assert_eq!("3.5".parse::<Rules>(), Err(UnknownRules("3.5".into())));
    assert_eq!(Rules::default(), Rules::Main);
}

/// The lines of the table that are yes or no, by era.
#[test]
fn each_rule_changed_once() {
    type Rule = fn(Rules) -> bool;
    let table: [(Rule, [bool; 3]); 9] = [
        (Rules::reads_at_compacted, [false, true, true]),
        (Rules::watches_at_compacted, [false, true, true]),
        (Rules::keeps_head_tombstone, [false, false, true]),
        (Rules::watches_future, [false, true, true]),
        (Rules::watches_negative, [true, true, false]),
        (Rules::cancelled_is_told, [true, false, false]),
        (Rules::commits_each_batch, [false, true, true]),
        (Rules::has_read_buffer, [false, true, true]),
        (Rules::commits_deletions, [false, false, true]),
    ];
    for (n, (rule, expected)) in table.into_iter().enumerate() {
        assert_eq!(Rules::ALL.map(rule), expected, "rule {n}");
    }
    assert_eq!(Rules::ALL.map(Rules::empty_revision), [0, 1, 1]);
    assert_eq!(Rules::ALL.map(Rules::compaction_batch), [10_000, 1_000, 1_000]);
    assert_eq!(Rules::ALL.map(Rules::compaction_pause_ms), [100, 10, 10]);
}

#[test]
fn the_first_write_has_one_more_than_an_empty_store() {
    for (rules, first) in [(Rules::V2015, 1), (Rules::V3_4, 2), (Rules::Main, 2)] {
        let mut node = under(rules, &[]);
        assert_eq!(node.answer("put a 1"), format!("put: revision {first}"), "{rules}");
        node.restart();
        assert_eq!(node.store.current(), first, "{rules}");
        assert_eq!(node.answer("put a 2"), format!("put: revision {}", first + 1), "{rules}");
    }
}

#[test]
fn the_compacted_revision_itself_can_be_read_since_2016() {
    for rules in Rules::ALL {
        let mut node = under(rules, &["put a 1", "put a 2", "put a 3"]);
        let at = node.store.current() - 1;
        node.done(&[&format!("compact {at}")]);
        let answer = node.answer(&format!("get a @{at} count"));
        let hash = super::super::hash::hash_kv(&node.store, &node.backend, at);
        if rules == Rules::V2015 {
            assert_eq!((answer.as_str(), hash.is_err()), (COMPACTED, true));
        } else {
            assert_eq!((answer.contains("count 1"), hash.is_ok()), (true, true), "{rules}");
        }
    }
}

#[test]
fn a_tombstone_right_at_the_compacted_revision_is_kept_since_2024() {
    for (rules, records) in [(Rules::V2015, 0), (Rules::V3_4, 0), (Rules::Main, 1)] {
        let mut node = under(rules, &["put a 1", "del a"]);
        let current = node.store.current();
        node.done(&[&format!("compact {current}")]);
        assert_eq!(node.backend.contents().len(), 2 + records, "{rules}: two marks and records");
        node.restart();
        assert_eq!(node.store.current(), current, "{rules}: no revision is used twice");
    }
}
