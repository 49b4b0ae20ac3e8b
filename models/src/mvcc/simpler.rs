//! What is simpler than an operation: what shrinking tries in its place.

use super::op::{Action, At, Get, Keys, Op, Put, Txn};

/// Revisions that a relative one is replaced by: those that short histories reach.
const SMALL_REVISIONS: std::ops::RangeInclusive<i64> = 1..=9;

/// Simpler operations, the simplest first. A relative revision becomes a number, numbers and lists become smaller, and
/// options go, so that following them leads to an end.
pub(super) fn simpler(op: &Op) -> Vec<Op> {
    match op {
        Op::Single(action) => simpler_actions(action).into_iter().map(Op::Single).collect(),
        Op::Txn(txn) => simpler_txns(txn),
        Op::Compact(at) => simpler_revisions(*at).map(Op::Compact).collect(),
        Op::Close | Op::Grant(_) | Op::Revoke(_) => Vec::new(),
    }
}

/// Numbers in place of a revision, ascending.
pub(super) fn simpler_revisions(at: At) -> impl Iterator<Item = At> {
    let below = match at {
        At::FromLast(_) => i64::MAX,
        At::Absolute(n) => n,
    };
    SMALL_REVISIONS.take_while(move |n| *n < below).map(At::Absolute)
}

fn simpler_txns(txn: &Txn) -> Vec<Op> {
    let mut simpler = Vec::new();
    if let ([], [only], []) = (&txn.compares[..], &txn.success[..], &txn.failure[..]) {
        simpler.push(Op::Single(only.clone()));
    }
    for branch in [&txn.success, &txn.failure] {
        if !txn.compares.is_empty() {
            let success = branch.clone();
            simpler.push(Op::Txn(Txn { compares: Vec::new(), success, failure: Vec::new() }));
        }
    }
    if !txn.failure.is_empty() {
        simpler.push(Op::Txn(Txn { failure: Vec::new(), ..txn.clone() }));
    }
    for i in 0..txn.success.len() {
        let mut fewer = txn.clone();
        fewer.success.remove(i);
        simpler.push(Op::Txn(fewer));
    }
    for (i, action) in txn.success.iter().enumerate() {
        for action in simpler_actions(action) {
            let mut other = txn.clone();
            other.success[i] = action;
            simpler.push(Op::Txn(other));
        }
    }
    simpler
}

fn simpler_actions(action: &Action) -> Vec<Action> {
    match action {
        Action::Put(put) if put.lease != 0 => vec![Action::Put(Put { lease: 0, ..put.clone() })],
        Action::Put(_) => Vec::new(),
        Action::Get(get) => {
            let plain = Get { keys: one(&get.keys), at: None, limit: 0, count_only: false };
            if plain == *get { Vec::new() } else { vec![Action::Get(plain)] }
        }
        Action::Delete(keys) => {
            let plain = one(keys);
            if plain == *keys { Vec::new() } else { vec![Action::Delete(plain)] }
        }
    }
}

/// The first key alone.
fn one(keys: &Keys) -> Keys {
    Keys::One(keys.first().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn following_what_is_simpler_leads_to_an_end_and_never_to_itself() {
        for line in [
            "put a 1 lease 3",
            "get a.. @rev-1 limit 2",
            "del a..c",
            "compact rev+1",
            "txn if a version = 0 then put a 1 lease 2; get b.. limit 1 else del c",
        ] {
            let mut open: Vec<Op> = vec![line.parse().expect(line)];
            let mut steps = 0;
            while let Some(op) = open.pop() {
                steps += 1;
                assert!(steps < 20_000, "{line} goes on for ever");
                let simpler = simpler(&op);
                assert!(!simpler.contains(&op), "{op}");
                open.extend(simpler);
            }
            assert!(steps > 1, "{line}");
        }
    }
}
