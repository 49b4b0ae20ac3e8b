//! Plans: what is asked of a server, drawn from a seed over few keys and near the present revision.

use seedbed_sim::choose::{Draw, Purpose};

use super::super::op::{Action, At, Compare, Field, Get, Grant, Keys, Op, Put, Relation, Txn};
use super::list::{List, Order, Target};
use super::step::{Step, Watch};
use super::trial::Numbered;

/// One is a prefix of another, and two have bytes that are no letters.
const KEYS: [&[u8]; 6] = [b"a", b"ab", b"b", b"c", b"d\x00/", b"\xfe\xff"];
/// How many watchers a plan has at once.
const WATCHERS: u64 = 4;
/// The leases of a plan are the numbers from 1 to this one.
const LEASES: u64 = 4;
/// No lease may run out while its plan is carried out.
const TTL: u64 = 5_000;

/// The plan of a seed: so many operations, among which the server is killed so often.
pub(super) fn plan(seed: u64, operations: u32, kills: u32) -> Vec<Numbered> {
    let mut faults = Draw::new(seed, Purpose::Faults);
    let at: Vec<u32> = (0..kills)
        .map(|_| u32::try_from(faults.below(operations.max(1).into())).expect("small"))
        .collect();
    let mut words = Words { draw: Draw::new(seed, Purpose::Workload), number: 0, values: 0 };
    let mut steps = Vec::new();
    for n in 0..operations {
        words.next();
        steps.push((words.number, words.step()));
        for _ in at.iter().filter(|at| **at == n) {
            if faults.chance(1, 3) {
                words.next();
                steps.push((words.number, words.refused()));
            }
            words.next();
            let during = faults.chance(1, 2).then(|| words.write());
            steps.push((words.number, Step::Kill(during)));
        }
    }
    steps
}

/// Draws the parts of one step.
struct Words {
    draw: Draw,
    number: u32,
    values: u32,
}

impl Words {
    fn next(&mut self) {
        self.number += 1;
        self.values = 0;
    }

    fn small(&mut self, low: u64, high: u64) -> i64 {
        i64::try_from(self.draw.range(low, high)).expect("a small number")
    }

    fn step(&mut self) -> Step {
        match self.draw.weighted(&[60, 14, 3, 3, 2, 2, 6, 6]) {
            0 => Step::Ask(self.request()),
            1 => Step::Watch(self.watch()),
            2 => Step::Cancel(self.watcher()),
            3 => Step::Lease(self.small(1, LEASES)),
            4 => Step::Leases,
            5 => Step::Defragment,
            6 => {
                let at = self.draw.chance(2, 3).then(|| self.near(-4, 1));
                Step::Hash(at)
            }
            _ => Step::List(self.list()),
        }
    }

    fn request(&mut self) -> Op {
        match self.draw.weighted(&[24, 12, 16, 6]) {
            0 => Op::Single(Action::Get(self.get())),
            _ => self.write(),
        }
    }

    /// A request that may change something.
    fn write(&mut self) -> Op {
        match self.draw.weighted(&[30, 12, 24, 6, 8, 3]) {
            0 => {
                let key = self.key();
                Op::Single(self.put(key))
            }
            1 => Op::Single(Action::Delete(self.keys())),
            2 => Op::Txn(self.txn()),
            3 => Op::Compact(self.near(-3, 2)),
            4 => {
                let lease = self.small(1, LEASES);
                Op::Grant(Grant { lease, ttl: self.small(TTL, TTL + 99) })
            }
            _ => Op::Revoke(self.small(1, LEASES)),
        }
    }

    /// A transaction that writes, but is refused for the revision of a read.
    fn refused(&mut self) -> Step {
        let key = self.key();
        let keys = Keys::One(self.key());
        let get = Get { keys, at: Some(At::FromLast(2)), limit: 0, count_only: false };
        let success = vec![self.put(key), Action::Get(get)];
        Step::Ask(Op::Txn(Txn { compares: Vec::new(), success, failure: Vec::new() }))
    }

    fn key(&mut self) -> Vec<u8> {
        KEYS[self.draw.index(KEYS.len())].to_vec()
    }

    fn keys(&mut self) -> Keys {
        match self.draw.below(8) {
            0 => Keys::From(self.key()),
            1 | 2 => Keys::Span(self.key(), self.key()),
            _ => Keys::One(self.key()),
        }
    }

    /// A revision so far from the current one.
    fn near(&mut self, from: i64, to: i64) -> At {
        let distance = self.draw.below((to - from + 1).unsigned_abs());
        At::FromLast(from.saturating_add_unsigned(distance))
    }

    /// A value of its own, but now and then an empty one.
    fn value(&mut self) -> Vec<u8> {
        self.values += 1;
        if self.draw.chance(1, 16) {
            return Vec::new();
        }
        format!("{}-{}", self.number, self.values).into()
    }

    fn put(&mut self, key: Vec<u8>) -> Action {
        let lease = if self.draw.chance(1, 5) { self.small(1, LEASES) } else { 0 };
        Action::Put(Put { key, value: self.value(), lease })
    }

    fn get(&mut self) -> Get {
        let keys = self.keys();
        let at = self.draw.chance(1, 2).then(|| match self.draw.below(8) {
            0 => At::Absolute(-1),
            _ => self.near(-5, 1),
        });
        let limit = if self.draw.chance(1, 4) { self.small(1, 2) } else { 0 };
        Get { keys, at, limit, count_only: self.draw.chance(1, 8) }
    }

    fn list(&mut self) -> List {
        let get = self.get();
        let get = if self.draw.chance(2, 3) {
            Get { keys: Keys::From(b"a".to_vec()), at: None, ..get }
        } else {
            get
        };
        let (by, ..) = *self.draw.pick(&Target::ALL);
        let order = *self.draw.pick(&[Order::Unsaid, Order::Up, Order::Down]);
        let created = self.bounds();
        let modified = self.bounds();
        let [keys_only, serializable] = [4, 4].map(|n| self.draw.chance(1, n));
        List { get, keys_only, by, order, created, modified, serializable }
    }

    fn bounds(&mut self) -> Option<(At, At)> {
        self.draw.chance(1, 4).then(|| (self.near(-6, 0), self.near(-4, 1)))
    }

    fn txn(&mut self) -> Txn {
        let compares = (0..self.draw.below(3)).map(|_| self.compare()).collect();
        Txn { compares, success: self.branch(1, 4), failure: self.branch(0, 3) }
    }

    /// Mostly no key is written twice, which is refused, and mostly what is read is there.
    fn branch(&mut self, least: u64, most: u64) -> Vec<Action> {
        let mut fresh = KEYS.to_vec();
        let careless = self.draw.chance(1, 6);
        let mut actions = Vec::new();
        for _ in 0..self.draw.range(least, most) {
            let action = match self.draw.below(8) {
                0..4 => {
                    let key = fresh.remove(self.draw.index(fresh.len()));
                    self.put(key.into())
                }
                4 | 5 => {
                    let key = fresh.remove(self.draw.index(fresh.len()));
                    Action::Delete(Keys::One(key.into()))
                }
                6 if careless => Action::Delete(self.keys()),
                _ => {
                    let get = self.get();
                    let at = get.at.filter(|_| careless);
                    Action::Get(Get { at, ..get })
                }
            };
            actions.push(action);
        }
        actions
    }

    fn compare(&mut self) -> Compare {
        let relations = [Relation::Equal, Relation::NotEqual, Relation::Less, Relation::Greater];
        let small = self.small(0, 2);
        let field = match self.draw.below(5) {
            0 => Field::Version(small),
            1 => Field::Created(self.near(-4, 0)),
            2 => Field::Modified(self.near(-4, 0)),
            3 => Field::Value(format!("{}-1", self.draw.range(1, 60)).into()),
            _ => Field::Lease(small),
        };
        Compare { keys: self.keys(), relation: *self.draw.pick(&relations), field }
    }

    fn watcher(&mut self) -> u32 {
        u32::try_from(self.draw.range(1, WATCHERS)).expect("a small number")
    }

    fn watch(&mut self) -> Watch {
        let start = match self.draw.below(10) {
            0 | 1 => None,
            2 => Some(At::Absolute(self.small(0, 6) - 5)),
            _ => Some(self.near(-8, 8)),
        };
        let keys = if self.draw.chance(1, 2) { Keys::From(b"a".to_vec()) } else { self.keys() };
        let [no_put, no_delete] = [1, 1].map(|n| self.draw.chance(n, 8));
        let prev = self.draw.chance(1, 2);
        Watch { number: self.watcher(), keys, start, prev, no_put, no_delete }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_plan_has_all_kinds_of_steps_which_print_and_parse_to_themselves() {
        let mut kinds = BTreeSet::new();
        for seed in 0..40 {
            let plan = plan(seed, 60, 2);
            assert!((62..=64).contains(&plan.len()), "two kills, and what may stand before them");
            for (_, step) in &plan {
                let line = step.to_string();
                assert_eq!(line.parse::<Step>().as_ref(), Ok(step), "{line}");
                let words = if line.starts_with("kill") { 2 } else { 1 };
                kinds.insert(line.split(' ').take(words).collect::<Vec<_>>().join(" "));
            }
        }
        let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
        let expected = [
            "cancel",
            "compact",
            "defragment",
            "del",
            "get",
            "grant",
            "hash",
            "kill",
            "kill during",
            "lease",
            "leases",
            "list",
            "put",
            "revoke",
            "txn",
            "watch",
        ];
        assert_eq!(kinds, expected);
    }

    #[test]
    fn a_plan_depends_on_its_seed_alone() {
        assert_eq!(plan(7, 50, 2), plan(7, 50, 2));
        assert_ne!(plan(7, 50, 2), plan(8, 50, 2));
    }
}
