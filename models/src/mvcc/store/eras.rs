//! The same history under the rules of each era.

use super::super::defects::Defects;
use super::super::fixture::Node;
use super::super::hash::hash_kv;
use super::super::rules::Rules;

const COMPACTED: &str = "required revision has been compacted";

fn under(rules: Rules, history: &[&str]) -> Node {
    let mut node = Node::by(rules, Defects::NONE);
    node.done(history);
    node
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
        let hash = hash_kv(&node.store, &node.backend, at);
        assert_eq!(hash.is_ok(), rules == Rules::Main, "{rules}");
        assert!(hash_kv(&node.store, &node.backend, 0).is_ok(), "{rules}");
        if rules == Rules::V2015 {
            assert_eq!(answer, COMPACTED);
        } else {
            assert!(answer.contains("count 1"), "{rules}: {answer}");
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
