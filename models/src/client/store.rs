//! The reference store: what a client believes to stand in each key, in partitions with a lock each.
//!
//! A partition belongs to whoever holds its lock; others wait for that one and go on with the others. Counting needs no
//! lock: each partition keeps its count where everybody can read it.

mod entry;
#[cfg(test)]
mod tests;

pub use entry::{Deadline, Entry, Held, Item, Seen, Status};

use std::collections::BTreeMap;

use super::crc::partition_of;

/// What holds the lock of a partition: a thread of the client.
pub type Holder = u16;

/// How many partitions there are outside of a run.
pub const PARTITIONS: usize = 16;

/// The reference store, by key.
#[derive(Clone, Debug)]
pub struct Store<K> {
    partitions: Vec<Partition<K>>,
}

/// A part of the keys.
#[derive(Clone, Debug)]
struct Partition<K> {
    holder: Option<Holder>,
    entries: BTreeMap<K, Entry>,
    count: Count,
}

/// What is counted of a partition, for those who do not hold its lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Count {
    /// Keys that have a value.
    values: usize,
    /// Of those, how many run out in which second.
    ends: BTreeMap<u64, usize>,
}

impl Count {
    /// An entry comes, or goes.
    fn change(&mut self, entry: &Entry, comes: bool) {
        let Held::Item(Item { until, .. }) = entry.likely() else { return };
        let apply = |number: &mut usize| if comes { *number += 1 } else { *number -= 1 };
        apply(&mut self.values);
        let Some(latest) = until.and_then(|until| until.latest) else { return };
        let ends = self.ends.entry(latest).or_default();
        apply(ends);
        if *ends == 0 {
            self.ends.remove(&latest);
        }
    }
}

impl<K> Default for Store<K> {
    fn default() -> Store<K> {
        Store { partitions: Vec::new() }
    }
}

impl<K: Ord + Clone + AsRef<str>> Store<K> {
    /// A store of so many partitions, with nothing in it.
    ///
    /// # Panics
    /// If there are none.
    #[must_use]
    pub fn new(partitions: usize) -> Store<K> {
        assert!(partitions > 0, "a store has partitions");
        let empty = Partition { holder: None, entries: BTreeMap::new(), count: Count::default() };
        Store { partitions: vec![empty; partitions] }
    }

    /// How many partitions there are.
    #[must_use]
    pub fn partitions(&self) -> usize {
        self.partitions.len()
    }

    /// The partition of a key.
    #[must_use]
    pub fn partition(&self, key: &K) -> usize {
        partition_of(key.as_ref(), self.partitions.len())
    }

    /// Takes the lock of a partition; says whether it was free.
    pub fn take(&mut self, partition: usize, holder: Holder) -> bool {
        let of = &mut self.partitions[partition].holder;
        let is_free = of.is_none();
        if is_free {
            *of = Some(holder);
        }
        is_free
    }

    /// Gives the lock of a partition back.
    ///
    /// # Panics
    /// If somebody else has it.
    pub fn give(&mut self, partition: usize, holder: Holder) {
        let had = self.partitions[partition].holder.take();
        assert_eq!(had, Some(holder), "a lock is given back by who holds it");
    }

    /// Who holds a partition.
    #[must_use]
    pub fn holder(&self, partition: usize) -> Option<Holder> {
        self.partitions[partition].holder
    }

    /// What is known of a key; nothing if nobody ever wrote it.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&Entry> {
        self.partitions[self.partition(key)].entries.get(key)
    }

    /// What is said of a key in this second; nothing if nobody ever wrote it.
    #[must_use]
    pub fn status(&self, key: &K, second: u64) -> Option<Status> {
        self.get(key).map(|entry| entry.status(second))
    }

    /// How many keys have a value in this second. Takes no lock.
    #[must_use]
    pub fn count(&self, second: u64) -> usize {
        let alive = |partition: &Partition<K>| {
            let over: usize = partition.count.ends.range(..=second).map(|(_, keys)| keys).sum();
            partition.count.values - over
        };
        self.partitions.iter().map(alive).sum()
    }

    /// The keys of a partition, and what is said of each in this second.
    pub fn keys(&self, partition: usize, second: u64) -> impl Iterator<Item = (&K, Status)> + '_ {
        let entries = self.partitions[partition].entries.iter();
        entries.map(move |(key, entry)| (key, entry.status(second)))
    }

    /// A key of this partition of which that is said, by a number that may be anything; nothing if there is none.
    #[must_use]
    pub fn pick(&self, partition: usize, want: Status, second: u64, number: u64) -> Option<K> {
        let fits = |status: Status| match want {
            Status::Valid => status == Status::Valid,
            // What has run out is as good as deleted for who wants to write it anew.
            Status::Deleted | Status::Expired => status != Status::Valid,
        };
        let found = || self.keys(partition, second).filter(|(_, status)| fits(*status));
        let many = found().count() as u64;
        let at = usize::try_from(number.checked_rem(many)?).expect("an index");
        found().nth(at).map(|(key, _)| key.clone())
    }

    /// Changes what is known of a key.
    pub fn change<R>(&mut self, key: &K, change: impl FnOnce(&mut Entry) -> R) -> R {
        let partition = self.partition(key);
        let Partition { entries, count, .. } = &mut self.partitions[partition];
        let entry = entries.entry(key.clone()).or_default();
        count.change(entry, false);
        let result = change(entry);
        count.change(entry, true);
        result
    }

    /// All keys, partition by partition.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &Entry)> + '_ {
        self.partitions.iter().flat_map(|partition| &partition.entries)
    }
}
