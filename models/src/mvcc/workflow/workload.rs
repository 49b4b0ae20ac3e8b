//! What the clients of threads do: requests, explicit transactions, and the other entry points, again and again on one store.

use seedbed_sim::choose::Draw;
use seedbed_sim::nemesis::PlannedOp;

use super::usage::{Part, TxnName, Usage};
use crate::mvcc::call::Call;
use crate::mvcc::op::{Action, Keys, Op};
use crate::mvcc::workload::{KEYS, Words};

/// How often each entry point is used, in parts of the sum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Uses {
    pub(super) put: u32,
    pub(super) delete: u32,
    pub(super) get: u32,
    pub(super) compact: u32,
    pub(super) close: u32,
    pub(super) txn: u32,
    pub(super) hash: u32,
    pub(super) history: u32,
    pub(super) snapshot: u32,
    pub(super) defrag: u32,
    pub(super) commit: u32,
}

impl Uses {
    fn weights(self) -> [u32; 11] {
        [
            self.put,
            self.delete,
            self.get,
            self.compact,
            self.close,
            self.txn,
            self.hash,
            self.history,
            self.snapshot,
            self.defrag,
            self.commit,
        ]
    }
}

/// Draws the operations of all clients. Each value names its operation, so no value is written twice.
pub(super) fn draw(uses: Uses, clients: u64, keys: usize, draw: &mut Draw) -> Vec<PlannedOp<Call>> {
    let last = u32::try_from(draw.range(30, 60)).expect("a small number");
    let mut ops = Vec::new();
    while ops.len() < last as usize {
        let client = u16::try_from(draw.below(clients)).expect("a small number");
        let mut script = Script { uses, client, keys, draw, ops: &mut ops };
        script.next();
    }
    ops.sort_by_key(|op| (op.client, op.number));
    ops
}

/// What one client does next.
struct Script<'d> {
    uses: Uses,
    client: u16,
    keys: usize,
    draw: &'d mut Draw,
    ops: &'d mut Vec<PlannedOp<Call>>,
}

impl Script<'_> {
    fn add(&mut self, make: impl FnOnce(&mut Words<'_>) -> Call) {
        let number = u32::try_from(self.ops.len() + 1).expect("a small number");
        let mut words = Words { keys: self.keys, number, writes: 0, draw: self.draw };
        let op = make(&mut words);
        self.ops.push(PlannedOp { client: self.client, number, op });
    }

    fn next(&mut self) {
        match self.draw.weighted(&self.uses.weights()) {
            0 => self.add(|words| Call::Store(Op::Single(put(words)))),
            1 => self.add(|words| Call::Store(Op::Single(Action::Delete(words.key_set())))),
            2 => self.add(|words| Call::Store(Op::Single(words.get()))),
            3 => self.add(|words| Call::Store(Op::Compact(words.near(-3, 2)))),
            4 => self.add(|_| Call::Store(Op::Close)),
            5 => self.txn(),
            6 => self.add(|words| {
                let at = words.draw.chance(1, 2).then(|| words.near(-3, 1));
                Call::Use(Usage::Hash(at))
            }),
            7 => self.add(|words| Call::Use(Usage::History(part(words)))),
            8 => self.add(|_| Call::Use(Usage::Snapshot)),
            9 => self.add(|_| Call::Use(Usage::Defrag)),
            _ => self.add(|_| Call::Use(Usage::Commit)),
        }
    }

    /// A whole transaction, now and then with a wrong id, a read from outside, or no end.
    fn txn(&mut self) {
        self.add(|_| Call::Use(Usage::Begin));
        for _ in 0..self.draw.range(1, 4) {
            if self.draw.chance(1, 10) {
                self.add(|words| Call::Store(Op::Single(words.get())));
            }
            let name = TxnName::Last(-i64::from(self.draw.chance(1, 12)));
            self.add(|words| {
                let action = match words.draw.weighted(&[5, 2, 2]) {
                    0 => put(words),
                    1 => Action::Delete(words.key_set()),
                    _ => words.get(),
                };
                Call::Use(Usage::Inside(action, name))
            });
        }
        if self.draw.chance(7, 8) {
            self.add(|_| Call::Use(Usage::End(TxnName::Last(0))));
        }
    }
}

fn put(words: &mut Words<'_>) -> Action {
    let key = words.key();
    words.put(key)
}

fn part(words: &mut Words<'_>) -> Part {
    let keys = match words.draw.below(4) {
        0 => words.key_set(),
        _ => Keys::From(KEYS[0].into()),
    };
    let start = words.near(-5, 1);
    let end = words.draw.chance(1, 3).then(|| words.near(-2, 2));
    let limit = if words.draw.chance(2, 3) { 1 + words.draw.below(3) } else { 0 };
    Part { keys, start, end, limit: i64::try_from(limit).expect("a small number") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seedbed_sim::choose::Purpose;
    use std::collections::BTreeSet;

    #[test]
    fn every_entry_point_is_used_and_prints_and_parses_to_itself() {
        let (mut kinds, mut values) = (BTreeSet::new(), BTreeSet::new());
        for seed in 0..40 {
            values.clear();
            for PlannedOp { op, .. } in draw(
                crate::mvcc::workflow::scenario::USES,
                3,
                6,
                &mut Draw::new(seed, Purpose::Workload),
            ) {
                let line = op.to_string();
                assert_eq!(line.parse::<Call>().as_ref(), Ok(&op));
                let inside = if line.contains(" in txn") { " in" } else { "" };
                kinds.insert(format!("{}{inside}", line.split(' ').next().expect("a word")));
                if let Call::Store(Op::Single(Action::Put(put)))
                | Call::Use(Usage::Inside(Action::Put(put), _)) = op
                {
                    assert!(values.insert(put.value), "{line}: a value is written twice");
                }
            }
        }
        let all = "begin close commit compact defrag del del_in end get get_in hash history put \
                   put_in snapshot";
        let kinds: Vec<String> = kinds.into_iter().map(|kind| kind.replace(' ', "_")).collect();
        assert_eq!(kinds.join(" "), all);
    }
}
