//! One vbucket of the data: its branches, what was written, and which snapshots a stream is given.
//!
//! The newest mutations are in memory, in checkpoints, where a key that is written again takes the place of its former
//! version as long as the checkpoint is open. What is older comes from disk: the last version of each key, as one snapshot.
//!
//! ```text
//!   disk: one snapshot         memory: a snapshot a checkpoint
//!  ┌───────────────────────┐  ┌─────────┐ ┌──────────┐
//!   A1 B2 C3 A4 ...        5   6  7      8   9 (open)
//!                          └ memory_from              └ high
//! ```

use std::collections::{BTreeMap, VecDeque};

use super::failover::{Answer, FailoverLog, Request};
use super::op::{Key, Point, Value};

/// What would come next has been forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forgotten;

/// A change of a document; no value is a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mutation {
    /// Its number.
    pub seq: u64,
    /// The document.
    pub key: Key,
    /// What it says then.
    pub value: Option<Value>,
}

/// Mutations that are given to a stream as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// From here,
    pub start: u64,
    /// to here.
    pub end: u64,
    /// It was read from disk.
    pub disk: bool,
    /// The last version of each key.
    pub items: Vec<Mutation>,
}

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Mutations of a checkpoint.
    pub items: usize,
    /// Closed checkpoints in memory.
    pub closed: usize,
    /// Branches in the log.
    pub branches: usize,
}

/// One vbucket.
#[derive(Clone, Debug)]
pub struct Store {
    /// The node that owns it.
    pub owner: u8,
    /// Its branches.
    pub log: FailoverLog,
    /// The last number.
    pub high: u64,
    purge: u64,
    /// All that was written on the way to what there is.
    history: Vec<Mutation>,
    checkpoints: VecDeque<Checkpoint>,
    memory_from: u64,
    sizes: Sizes,
}

#[derive(Clone, Debug, Default)]
struct Checkpoint {
    items: Vec<Mutation>,
    /// How many were written into it.
    written: usize,
}

impl Checkpoint {
    fn end(&self) -> u64 {
        self.items.last().map_or(0, |item| item.seq)
    }
}

impl Store {
    /// A new vbucket.
    #[must_use]
    pub fn new(owner: u8, uuid: u64, sizes: Sizes) -> Store {
        let log = FailoverLog { entries: vec![(uuid, 0)] };
        let (history, checkpoints) = (Vec::new(), VecDeque::new());
        Store { owner, log, high: 0, purge: 0, history, checkpoints, memory_from: 0, sizes }
    }

    /// What stands in the documents.
    #[must_use]
    pub fn content(&self) -> BTreeMap<Key, Value> {
        let mut content = BTreeMap::new();
        for mutation in &self.history {
            match mutation.value {
                Some(value) => content.insert(mutation.key, value),
                None => content.remove(&mutation.key),
            };
        }
        content
    }

    /// Whether the document is there.
    #[must_use]
    pub fn holds(&self, key: Key) -> bool {
        self.history.iter().rfind(|old| old.key == key).is_some_and(|old| old.value.is_some())
    }

    /// Writes or deletes a document; answers the number.
    pub fn write(&mut self, key: Key, value: Option<Value>) -> u64 {
        self.high += 1;
        let mutation = Mutation { seq: self.high, key, value };
        self.history.push(mutation);
        let full = |checkpoint: &Checkpoint| checkpoint.written >= self.sizes.items;
        if self.checkpoints.back().is_none_or(full) {
            self.checkpoints.push_back(Checkpoint::default());
            if self.checkpoints.len() > self.sizes.closed + 1
                && let Some(removed) = self.checkpoints.pop_front()
            {
                self.memory_from = removed.end();
            }
        }
        if let Some(open) = self.checkpoints.back_mut() {
            open.items.retain(|old| old.key != key);
            open.items.push(mutation);
            open.written += 1;
        }
        self.high
    }

    /// Another node takes over, in order.
    pub fn hand_over(&mut self, owner: u8, uuid: u64) {
        self.fail_over(owner, uuid, 0);
    }

    /// Another node takes over that lacks the last so many mutations. Its memory is empty.
    pub fn fail_over(&mut self, owner: u8, uuid: u64, lost: u64) {
        let high = self.high.saturating_sub(lost);
        self.history.retain(|mutation| mutation.seq <= high);
        if lost > 0 {
            // What the replica has not heard of it has not forgotten.
            self.purge = self.purge.min(high.saturating_sub(1));
        }
        self.log.branch(uuid, high, self.sizes.branches);
        (self.owner, self.high, self.memory_from) = (owner, high, high);
        self.checkpoints.clear();
    }

    /// Forgets tombstones, but for the last mutation of all.
    pub fn purge(&mut self) {
        let old = self.history.iter().rfind(|old| old.value.is_none() && old.seq < self.high);
        self.purge = old.map_or(self.purge, |old| old.seq.max(self.purge));
    }

    /// Whether a consumer can go on from a point.
    #[must_use]
    pub fn answer(&self, from: Point, remote_purge: u64) -> Answer {
        let request = Request { from, end: u64::MAX, strict_uuid: false, remote_purge };
        self.log.answer(&request, self.high, self.purge)
    }

    /// What comes after `seq`; `first`, if it is the first snapshot of a stream. Nothing if that is all; an error if what
    /// comes after it has been forgotten.
    pub fn next(&self, seq: u64, first: bool) -> Result<Option<Snapshot>, Forgotten> {
        if seq >= self.high {
            return Ok(None);
        }
        if seq < self.memory_from {
            if seq < self.purge && seq != 0 {
                return Err(Forgotten);
            }
            return Ok(Some(Snapshot {
                start: seq,
                end: self.high,
                disk: true,
                items: self.on_disk(seq),
            }));
        }
        let ahead = self.checkpoints.iter().find(|checkpoint| checkpoint.end() > seq);
        let Some(checkpoint) = ahead else { return Ok(None) };
        let items = checkpoint.items.iter().copied().filter(|item| item.seq > seq);
        let items: Vec<Mutation> = items.collect();
        // It begins with what follows the snapshot before it, also where another version has taken the place of that: who
        // has its first number then has everything up to there.
        let start = if first { seq } else { seq + 1 };
        Ok(Some(Snapshot { start, end: checkpoint.end(), disk: false, items }))
    }

    /// The last version of each key, as far as it is newer, without forgotten tombstones.
    fn on_disk(&self, seq: u64) -> Vec<Mutation> {
        let mut last: BTreeMap<Key, Mutation> = BTreeMap::new();
        for mutation in &self.history {
            last.insert(mutation.key, *mutation);
        }
        let wanted = |item: &Mutation| {
            let forgotten = item.value.is_none() && item.seq <= self.purge && item.seq < self.high;
            item.seq > seq && !forgotten
        };
        let mut items: Vec<Mutation> = last.into_values().filter(wanted).collect();
        items.sort_by_key(|item| item.seq);
        items
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> Store {
        Store::new(0, 7, Sizes { items: 3, closed: 1, branches: 3 })
    }

    fn put(store: &mut Store, keys: &[u8]) {
        for key in keys {
            let write = u32::try_from(store.high + 1).expect("few");
            store.write(Key(*key), Some(Value { write, length: 0 }));
        }
    }

    fn seqs(snapshot: &Snapshot) -> Vec<u64> {
        snapshot.items.iter().map(|item| item.seq).collect()
    }

    #[test]
    fn a_key_that_is_written_again_takes_the_place_of_its_former_version() {
        let mut store = store();
        put(&mut store, &[1, 2, 1]);
        let snapshot = store.next(0, false).expect("nothing is forgotten").expect("there is more");
        assert_eq!((snapshot.start, snapshot.end, seqs(&snapshot)), (1, 3, vec![2, 3]));
        let first = store.next(0, true).expect("nothing is forgotten").expect("there is more");
        assert_eq!((first.start, first.end, first.disk), (0, 3, false));
    }

    #[test]
    fn what_is_not_in_memory_any_more_comes_from_disk_as_one_snapshot() {
        let mut store = store();
        put(&mut store, &[1, 2, 3, 1, 2, 3, 4]);
        let disk = store.next(0, true).expect("nothing is forgotten").expect("there is more");
        assert_eq!((disk.start, disk.end, disk.disk, seqs(&disk)), (0, 7, true, vec![4, 5, 6, 7]));
        // Asked for from within it, it ends earlier.
        let memory = store.next(4, true).expect("nothing is forgotten").expect("there is more");
        assert_eq!((memory.start, memory.end, seqs(&memory)), (4, 6, vec![5, 6]));
        let last = store.next(6, false).expect("nothing is forgotten").expect("there is more");
        assert_eq!((last.start, last.end), (7, 7));
        assert_eq!(store.next(7, false), Ok(None));
    }

    #[test]
    fn a_failover_forgets_what_the_replica_lacked() {
        let mut store = store();
        put(&mut store, &[1, 2, 1]);
        store.fail_over(1, 8, 1);
        assert_eq!((store.high, store.owner, store.content().len()), (2, 1, 2));
        assert_eq!(store.content()[&Key(1)].write, 1);
        let point = Point { seq: 3, uuid: 7, snap_start: 2, snap_end: 3 };
        assert_eq!(store.answer(point, 0), Answer::Rollback(2));
    }

    #[test]
    fn whoever_has_not_seen_a_tombstone_that_is_forgotten_begins_anew() {
        let mut store = store();
        put(&mut store, &[1, 2]);
        store.write(Key(1), None);
        put(&mut store, &[3, 4, 5, 6, 7]);
        store.purge();
        let from = |seq| Point { seq, uuid: 7, snap_start: seq, snap_end: seq };
        assert_eq!(store.answer(from(2), 0), Answer::Rollback(0));
        assert_eq!(store.answer(from(3), 0), Answer::Ok);
        assert_eq!(store.next(2, false), Err(Forgotten));
        let all = store.next(0, true).expect("all").expect("there is more");
        assert_eq!(seqs(&all), [2, 4, 5, 6, 7, 8]);
    }
}
