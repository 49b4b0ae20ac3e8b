//! What is simpler than an operation: what shrinking tries in its place.

use super::op::{Call, Count, Feed, Store, Verb};

/// Simpler operations, the simplest first. Times to live and flags go, and verbs become `set`, so that following them
/// leads to an end.
pub(super) fn simpler(op: &Call) -> Vec<Call> {
    match op {
        Call::Store(store) => simpler_stores(store).into_iter().map(Call::Store).collect(),
        Call::Feed(Feed::Set(store)) => {
            simpler_stores(store).into_iter().map(|store| Call::Feed(Feed::Set(store))).collect()
        }
        Call::Feed(Feed::Lag(by)) => (0..*by).map(|by| Call::Feed(Feed::Lag(by))).collect(),
        Call::Count(Count { initial: Some((initial, ttl)), key, by, down }) if *ttl != 0 => {
            vec![Call::Count(Count {
                initial: Some((*initial, 0)),
                key: *key,
                by: *by,
                down: *down,
            })]
        }
        _ => Vec::new(),
    }
}

fn simpler_stores(store: &Store) -> Vec<Store> {
    let Store { verb, flags, expiry, .. } = *store;
    let mut simpler = Vec::new();
    if expiry != 0 {
        simpler.push(Store { expiry: 0, ..store.clone() });
    }
    if flags != 0 {
        simpler.push(Store { flags: 0, ..store.clone() });
    }
    if verb != Verb::Set {
        simpler.push(Store { verb: Verb::Set, ..store.clone() });
    }
    simpler
}
