//! What those who watch do, beside clients who write: requests drawn near the present revision.

use seedbed_sim::choose::Draw;
use seedbed_sim::nemesis::PlannedOp;

use super::wish::{Interest, Wish};
use crate::mvcc::call::Call;
use crate::mvcc::op::{Action, At, Keys, Op};
use crate::mvcc::workload::{KEYS, Mix, draw as draw_store};

/// Who takes part, by number.
#[derive(Clone, Copy, Debug)]
pub(in crate::mvcc) struct Crowd {
    /// Clients that write and read.
    pub(in crate::mvcc) clients: u64,
    /// Clients that watch.
    pub(in crate::mvcc) watchers: u64,
    /// Keys in use.
    pub(in crate::mvcc) keys: usize,
}

/// Draws the operations of all clients: those of the store first, then those that watch.
pub(in crate::mvcc) fn draw(mix: Mix, crowd: Crowd, draw: &mut Draw) -> Vec<PlannedOp<Call>> {
    let mut ops = draw_store(mix, crowd.clients, crowd.keys, draw);
    ops.iter_mut().for_each(|op| empty_values(&mut op.op, draw));
    let mut number = ops.iter().map(|op| op.number).max().unwrap_or(0);
    for watcher in 0..crowd.watchers {
        let client = u16::try_from(crowd.clients + watcher).expect("a small number");
        let mut made = Vec::new();
        for n in 0..draw.range(6, 14) {
            number += 1;
            let wish = if n == 0 {
                Wish::Watch(interest(crowd.keys, draw))
            } else {
                wish(crowd.keys, &made, draw)
            };
            if let Wish::Watch(_) = wish {
                made.push(number);
            }
            ops.push(PlannedOp { client, number, op: Call::Watch(wish) });
        }
    }
    ops
}

/// Some puts have an empty value, which is not the same as a deletion.
fn empty_values(call: &mut Call, draw: &mut Draw) {
    let Call::Store(op) = call else { return };
    let actions: Vec<&mut Action> = match op {
        Op::Single(action) => vec![action],
        Op::Txn(txn) => txn.success.iter_mut().chain(&mut txn.failure).collect(),
        Op::Compact(_) | Op::Close | Op::Grant(_) | Op::Revoke(_) => Vec::new(),
    };
    for action in actions {
        if let Action::Put(put) = action
            && draw.chance(1, 6)
        {
            put.value.clear();
        }
    }
}

fn wish(keys: usize, made: &[u32], draw: &mut Draw) -> Wish {
    match draw.weighted(&[8, 3, 3, 7, 1]) {
        0 => Wish::Watch(interest(keys, draw)),
        1 => Wish::Cancel(*draw.pick(made)),
        2 => Wish::Progress,
        3 => Wish::Rest(u32::try_from(draw.range(5, 60)).expect("a small number")),
        _ => Wish::Leave,
    }
}

fn interest(keys: usize, draw: &mut Draw) -> Interest {
    let mut key = || KEYS[draw.index(keys)].into();
    let (first, second): (Vec<u8>, Vec<u8>) = (key(), key());
    let keys = match draw.below(5) {
        0 | 1 => Keys::One(first),
        2 if first < second => Keys::Span(first, second),
        2 | 3 => Keys::From(first),
        _ => Keys::From(Vec::new()),
    };
    let from = match draw.below(12) {
        0 => At::Absolute(0),
        1 => At::Absolute(-1),
        2 | 3 => At::FromLast(1),
        _ => At::FromLast(i64::try_from(draw.below(17)).expect("a small number") - 8),
    };
    let (no_put, no_delete) = (draw.chance(1, 8), draw.chance(1, 8));
    Interest { keys, from, no_put, no_delete, with_previous: draw.chance(1, 3) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seedbed_sim::choose::Purpose;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn every_kind_of_wish_comes_and_every_client_has_its_own_numbers() {
        let mix = Mix { put: 4, delete: 2, get: 1, txn: 2, compact: 1, close: 1 };
        let crowd = Crowd { clients: 2, watchers: 3, keys: 6 };
        let (mut kinds, mut empty) = (BTreeSet::new(), 0);
        for seed in 0..20 {
            let ops = draw(mix, crowd, &mut Draw::new(seed, Purpose::Workload));
            let numbers: BTreeMap<u32, u16> = ops.iter().map(|op| (op.number, op.client)).collect();
            assert_eq!(numbers.len(), ops.len(), "a number names one operation");
            for PlannedOp { client, op, .. } in &ops {
                let line = op.to_string();
                assert_eq!(line.parse::<Call>().as_ref(), Ok(op));
                assert_eq!(*client >= 2, matches!(op, Call::Watch(_)), "{line}");
                if let Call::Watch(Wish::Cancel(number)) = op {
                    assert_eq!(numbers.get(number), Some(client), "one cancels one's own");
                }
                kinds.extend(line.split(' ').next().map(str::to_owned));
                empty += usize::from(line.starts_with("put") && line.contains("\"\""));
            }
        }
        let wishes = ["watch", "cancel", "progress", "rest", "leave"];
        assert!(wishes.iter().all(|wish| kinds.contains(*wish)), "{kinds:?}");
        assert!(empty > 0, "some values are empty");
    }
}
