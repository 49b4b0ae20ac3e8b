//! What clients do: requests drawn by weight, over few keys and near the present revision.

use seedbed_sim::choose::Draw;
use seedbed_sim::nemesis::PlannedOp;

use super::call::Call;
use super::op::{Action, At, Compare, Field, Get, Keys, Op, Put, Relation, Txn};

/// The keys of a run are the first few of these. One is a prefix of another.
pub(super) const KEYS: [&str; 6] = ["a", "ab", "b", "c", "d", "e"];
/// The most keys of a run.
pub(super) const KEYS_MAX: u64 = 6;

/// How often each kind of request comes, in parts of the sum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mix {
    pub(super) put: u32,
    pub(super) delete: u32,
    pub(super) get: u32,
    pub(super) txn: u32,
    pub(super) compact: u32,
    pub(super) close: u32,
}

/// Draws the operations of all clients. Each value names its operation, so no value is written twice.
pub(super) fn draw(mix: Mix, clients: u64, keys: usize, draw: &mut Draw) -> Vec<PlannedOp<Call>> {
    let last = u32::try_from(draw.range(30, 60)).expect("a small number");
    let mut ops: Vec<PlannedOp<Call>> = (1..=last)
        .map(|number| {
            let client = u16::try_from(draw.below(clients)).expect("a small number");
            let mut words = Words { keys, number, writes: 0, draw };
            PlannedOp { client, number, op: Call::Store(words.op(mix)) }
        })
        .collect();
    ops.sort_by_key(|op| (op.client, op.number));
    ops
}

/// What is asked to read everything back: every key at the newest revisions.
pub(super) fn read_back() -> Vec<(u16, Call)> {
    let get = |at| {
        let keys = Keys::From(KEYS[0].into());
        Call::Store(Op::Single(Action::Get(Get { keys, at, limit: 0, count_only: false })))
    };
    let past = (1..=6).map(|back| Some(At::FromLast(-back)));
    std::iter::once(None).chain(past).map(|at| (0, get(at))).collect()
}

/// Draws the parts of one operation.
pub(super) struct Words<'d> {
    pub(super) keys: usize,
    pub(super) number: u32,
    pub(super) writes: u32,
    pub(super) draw: &'d mut Draw,
}

impl Words<'_> {
    fn op(&mut self, mix: Mix) -> Op {
        let Mix { put, delete, get, txn, compact, close } = mix;
        match self.draw.weighted(&[put, delete, get, txn, compact, close]) {
            0 => {
                let key = self.key();
                Op::Single(self.put(key))
            }
            1 => Op::Single(Action::Delete(self.key_set())),
            2 => Op::Single(self.get()),
            3 => Op::Txn(self.txn()),
            4 => Op::Compact(self.near(-3, 2)),
            _ => Op::Close,
        }
    }

    pub(super) fn key(&mut self) -> Vec<u8> {
        KEYS[self.draw.index(self.keys)].into()
    }

    pub(super) fn key_set(&mut self) -> Keys {
        match self.draw.below(8) {
            0 => Keys::From(self.key()),
            1 | 2 => Keys::Span(self.key(), self.key()),
            _ => Keys::One(self.key()),
        }
    }

    fn value(&mut self) -> Vec<u8> {
        self.writes += 1;
        match self.writes {
            1 => self.number.to_string().into(),
            n => format!("{}-{n}", self.number).into(),
        }
    }

    /// A revision so far from the last one that the client has seen.
    pub(super) fn near(&mut self, from: i64, to: i64) -> At {
        let distance = self.draw.below((to - from + 1).unsigned_abs());
        At::FromLast(from.saturating_add_unsigned(distance))
    }

    pub(super) fn put(&mut self, key: Vec<u8>) -> Action {
        let lease = if self.draw.chance(1, 8) { 1 + self.draw.below(3) } else { 0 };
        let lease = i64::try_from(lease).expect("a small number");
        Action::Put(Put { key, value: self.value(), lease })
    }

    pub(super) fn get(&mut self) -> Action {
        let keys = self.key_set();
        let at = self.draw.chance(1, 2).then(|| self.near(-4, 1));
        let limit = if self.draw.chance(1, 6) { 1 + self.draw.below(2) } else { 0 };
        let limit = i64::try_from(limit).expect("a small number");
        Action::Get(Get { keys, at, limit, count_only: self.draw.chance(1, 8) })
    }

    fn txn(&mut self) -> Txn {
        let compares = (0..self.draw.below(3)).map(|_| self.compare()).collect();
        let success = self.branch(1, 4);
        let failure = self.branch(0, 3);
        Txn { compares, success, failure }
    }

    /// Mostly no key is written twice, which is refused.
    fn branch(&mut self, least: u64, most: u64) -> Vec<Action> {
        let mut fresh: Vec<&str> = KEYS[..self.keys].to_vec();
        let careless = self.draw.chance(1, 12);
        let mut actions = Vec::new();
        for _ in 0..self.draw.range(least, most) {
            let action = match self.draw.below(8) {
                0..4 if !fresh.is_empty() => {
                    let key = fresh.remove(self.draw.index(fresh.len()));
                    self.put(key.into())
                }
                4 | 5 if !fresh.is_empty() => {
                    let key = fresh.remove(self.draw.index(fresh.len()));
                    Action::Delete(Keys::One(key.into()))
                }
                6 if careless => Action::Delete(self.key_set()),
                _ => self.get(),
            };
            actions.push(action);
        }
        actions
    }

    fn compare(&mut self) -> Compare {
        let relations = [Relation::Equal, Relation::NotEqual, Relation::Less, Relation::Greater];
        let small = i64::try_from(self.draw.below(3)).expect("a small number");
        let field = match self.draw.below(5) {
            0 => Field::Version(small),
            1 => Field::Created(self.near(-4, 0)),
            2 => Field::Modified(self.near(-4, 0)),
            3 => Field::Value(self.draw.range(1, 60).to_string().into()),
            _ => Field::Lease(small),
        };
        Compare { keys: self.key_set(), relation: *self.draw.pick(&relations), field }
    }
}

#[cfg(test)]
mod tests {
    use super::super::txn::check;
    use super::*;
    use seedbed_sim::choose::Purpose;

    const EVEN: Mix = Mix { put: 1, delete: 1, get: 1, txn: 1, compact: 1, close: 1 };

    #[test]
    fn every_kind_of_request_comes_and_prints_and_parses_to_itself() {
        let mut kinds = std::collections::BTreeSet::new();
        let mut refused = 0;
        for seed in 0..50 {
            for PlannedOp { op, .. } in draw(EVEN, 3, 6, &mut Draw::new(seed, Purpose::Workload)) {
                let line = op.to_string();
                assert_eq!(line.parse::<Call>().as_ref(), Ok(&op));
                kinds.insert(line.split(' ').next().map(str::to_owned));
                let Call::Store(op) = op else { panic!("{op}") };
                refused += u32::from(check(&op.resolve(9)).is_err());
            }
        }
        assert_eq!(kinds.len(), 6);
        assert!((1..100).contains(&refused), "{refused} requests are refused whatever is stored");
    }

    #[test]
    fn no_value_is_written_twice() {
        let mut seen = std::collections::BTreeSet::new();
        for PlannedOp { op, .. } in draw(EVEN, 3, 6, &mut Draw::new(7, Purpose::Workload)) {
            let Call::Store(op) = op else { panic!("{op}") };
            let actions = match op {
                Op::Single(action) => vec![action],
                Op::Txn(txn) => [txn.success, txn.failure].concat(),
                Op::Compact(_) | Op::Close | Op::Grant(_) | Op::Revoke(_) => vec![],
            };
            for action in actions {
                if let Action::Put(put) = action {
                    assert!(seen.insert(put.value.clone()), "{:?} is written twice", put.value);
                }
            }
        }
    }
}
