//! Arbitrary operations for the property tests of this folder.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

use super::op::{Action, At, Compare, Field, Get, Grant, Keys, Op, Put, Relation, Txn};

/// A configuration whose cases are the same in every run.
pub(super) fn config(cases: u32) -> Config {
    Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(4151), ..Config::default() }
}

/// Any operation at all, with any bytes and numbers.
pub(super) fn any_op() -> BoxedStrategy<Op> {
    ops(any_bytes(), any_bytes(), prop_oneof![any::<i64>(), -3..9i64].boxed())
}

/// Operations on few keys and revisions near the current one, so that they meet.
pub(super) fn near_op() -> BoxedStrategy<Op> {
    ops(few_keys(), "[xy]?".prop_map(String::into_bytes).boxed(), (-5..4i64).boxed())
}

/// Texts made of the words of the grammar, in any order.
pub(super) fn words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "put", "get", "del", "txn", "if", "then", "else", "and", "compact", "close", "grant",
        "revoke", "limit", "count", "lease", "version", "created", "modified", "value", "=", "!=",
        "<", ">", ";", "..", "@", "a", "b..", "..c", "a..b", "\"\"", "\"", "\\x", "rev", "rev-1",
        "@rev", "3", "-1",
    ]);
    vec((word, prop::sample::select(vec![" ", ""])), 0..12)
        .prop_map(|words| words.into_iter().flat_map(|(word, gap)| [word, gap]).collect())
}

fn any_bytes() -> BoxedStrategy<Vec<u8>> {
    prop_oneof!["[a-z]{0,6}".prop_map(String::into_bytes), vec(any::<u8>(), 0..6)].boxed()
}

/// Few keys, one of them the beginning of another; now and then the empty one.
fn few_keys() -> BoxedStrategy<Vec<u8>> {
    let keys = ["a", "ab", "b", "c", "d"];
    let key = prop::sample::select(keys.to_vec()).prop_map(|key| key.as_bytes().to_vec());
    prop_oneof![30 => key, 1 => Just(Vec::new())].boxed()
}

type Bytes = BoxedStrategy<Vec<u8>>;
type Number = BoxedStrategy<i64>;

fn ops(key: Bytes, value: Bytes, number: Number) -> BoxedStrategy<Op> {
    let actions = || vec(action(key.clone(), value.clone(), number.clone()), 0..4);
    let compares = vec(compare(key.clone(), value.clone(), number.clone()), 0..3);
    let txn = (compares, actions(), actions())
        .prop_map(|(compares, success, failure)| Op::Txn(Txn { compares, success, failure }));
    prop_oneof![
        8 => action(key.clone(), value.clone(), number.clone()).prop_map(Op::Single),
        4 => txn,
        2 => at(number.clone()).prop_map(Op::Compact),
        1 => Just(Op::Close),
        2 => (number.clone(), number.clone())
            .prop_map(|(lease, ttl)| Op::Grant(Grant { lease, ttl })),
        1 => number.prop_map(Op::Revoke),
    ]
    .boxed()
}

fn action(key: Bytes, value: Bytes, number: Number) -> BoxedStrategy<Action> {
    let put = (key.clone(), value, prop_oneof![2 => Just(0), 1 => number.clone()])
        .prop_map(|(key, value, lease)| Action::Put(Put { key, value, lease }));
    let get = (
        keys(key.clone()),
        prop::option::of(at(number.clone())),
        prop_oneof![Just(0), number],
        any::<bool>(),
    )
        .prop_map(|(keys, at, limit, count_only)| Action::Get(Get { keys, at, limit, count_only }));
    prop_oneof![4 => put, 3 => get, 3 => keys(key).prop_map(Action::Delete)].boxed()
}

fn compare(key: Bytes, value: Bytes, number: Number) -> BoxedStrategy<Compare> {
    let relation = prop::sample::select(vec![
        Relation::Equal,
        Relation::NotEqual,
        Relation::Less,
        Relation::Greater,
    ]);
    let field = prop_oneof![
        number.clone().prop_map(Field::Version),
        at(number.clone()).prop_map(Field::Created),
        at(number.clone()).prop_map(Field::Modified),
        value.prop_map(Field::Value),
        number.prop_map(Field::Lease),
    ];
    (keys(key), relation, field)
        .prop_map(|(keys, relation, field)| Compare { keys, relation, field })
        .boxed()
}

fn keys(key: Bytes) -> BoxedStrategy<Keys> {
    prop_oneof![
        4 => key.clone().prop_map(Keys::One),
        2 => (key.clone(), key.clone()).prop_map(|(first, end)| Keys::Span(first, end)),
        1 => key.prop_map(Keys::From),
    ]
    .boxed()
}

fn at(number: Number) -> BoxedStrategy<At> {
    prop_oneof![1 => number.clone().prop_map(At::Absolute), 3 => number.prop_map(At::FromLast)]
        .boxed()
}
