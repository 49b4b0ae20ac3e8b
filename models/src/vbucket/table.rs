//! The hash table of a vbucket: what stands in each key. The value of a key that is on disk may be away.

use std::collections::BTreeMap;

use super::op::{Count, Key, Store, Value, Verb};
use super::response::Answer;

/// Where a version stands on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Row {
    /// In bytes from the start of the log.
    pub offset: u64,
    /// Bytes of the record.
    pub len: u32,
}

/// What stands in a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Nothing if it is on disk only.
    pub value: Option<Value>,
    /// Kept with the value.
    pub flags: u32,
    /// The second in which it is gone.
    pub until: Option<u64>,
    /// Its version.
    pub cas: u64,
    /// Whether the disk is still to be told of it.
    pub dirty: bool,
    /// Where the disk has this version.
    pub row: Option<Row>,
}

impl Entry {
    /// Whether its time has run out in this second.
    #[must_use]
    pub fn has_expired(&self, now: u64) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    /// What is to be done about a value that is not in memory. One that is not on disk either is gone.
    fn absent(&self) -> Wanted {
        self.row.map_or(Wanted::Answer(Answer::NotFound), |_| Wanted::Fetch)
    }

    /// Whether the value may go out of memory, for all that the table knows.
    #[must_use]
    pub fn is_evictable(&self) -> bool {
        self.value.is_some() && !self.dirty && self.row.is_some()
    }
}

/// The entries of a vbucket, by key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Table {
    entries: BTreeMap<Key, Entry>,
}

/// What an operation would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing but answer.
    Answer(Answer),
    /// The value has to be fetched first.
    Fetch,
    /// Put this in. The number is told to the client, if there is one.
    Put(Value, u32, Option<u64>, Option<u64>),
    /// Take the key out.
    Remove,
}

/// More seconds than this are an instant, rather than a time to live.
const TIME_TO_LIVE_MAX: u32 = 2_592_000;

/// A counter with this expiry is not created.
const NO_INITIAL: u32 = u32::MAX;

/// The second in which something stored now is gone.
#[must_use]
pub fn deadline(expiry: u32, now: u64) -> Option<u64> {
    if expiry == 0 {
        return None;
    }
    Some(if expiry > TIME_TO_LIVE_MAX {
        u64::from(expiry)
    } else {
        now.saturating_add(u64::from(expiry))
    })
}

impl Table {
    /// What stands in a key, expired or not.
    #[must_use]
    pub fn entry(&self, key: Key) -> Option<&Entry> {
        self.entries.get(&key)
    }

    /// The same, to be changed.
    pub fn entry_mut(&mut self, key: Key) -> Option<&mut Entry> {
        self.entries.get_mut(&key)
    }

    /// All entries, by key.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &Entry)> + '_ {
        self.entries.iter().map(|(key, entry)| (*key, entry))
    }

    /// How many keys there are, expired or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many values are in memory.
    #[must_use]
    pub fn resident(&self) -> usize {
        self.entries.values().filter(|entry| entry.value.is_some()).count()
    }

    /// Puts an entry in, and returns what was there.
    pub fn put(&mut self, key: Key, entry: Entry) -> Option<Entry> {
        self.entries.insert(key, entry)
    }

    /// Takes a key out, and returns what was there.
    pub fn remove(&mut self, key: Key) -> Option<Entry> {
        self.entries.remove(&key)
    }

    /// Takes the value of a key out of memory, if the disk has it.
    pub fn evict(&mut self, key: Key) -> bool {
        let entry = self.entries.get_mut(&key).filter(|entry| entry.is_evictable());
        entry.is_some_and(|entry| entry.value.take().is_some())
    }

    /// What a get of this key leads to. Expired entries are the caller's.
    #[must_use]
    pub fn get(&self, key: Key) -> Wanted {
        let Some(entry) = self.entries.get(&key) else {
            return Wanted::Answer(Answer::NotFound);
        };
        match &entry.value {
            None => entry.absent(),
            Some(value) => Wanted::Answer(Answer::Found {
                value: value.clone(),
                flags: entry.flags,
                cas: entry.cas,
            }),
        }
    }

    /// What a deletion leads to.
    #[must_use]
    pub fn delete(&self, key: Key) -> Wanted {
        match self.entries.contains_key(&key) {
            true => Wanted::Remove,
            false => Wanted::Answer(Answer::NotFound),
        }
    }

    /// What a change leads to.
    #[must_use]
    pub fn store(&self, store: &Store, cas: u64, now: u64) -> Wanted {
        let new = || {
            let Store { value, flags, expiry, .. } = store;
            Wanted::Put(value.clone(), *flags, deadline(*expiry, now), None)
        };
        let old = self.entries.get(&store.key);
        let wanted = match store.verb {
            Verb::Set => new(),
            Verb::Add if old.is_some() => Wanted::Answer(Answer::Exists),
            Verb::Add => new(),
            Verb::Replace if old.is_some() => new(),
            Verb::Replace => Wanted::Answer(Answer::NotFound),
            Verb::Cas if cas == 0 => new(),
            Verb::Cas => match old {
                None => Wanted::Answer(Answer::NotFound),
                Some(entry) if entry.cas != cas => Wanted::Answer(Answer::Exists),
                Some(_) => new(),
            },
            Verb::Append | Verb::Prepend => {
                let Some(entry) = old else { return Wanted::Answer(Answer::NotStored) };
                let Some(value) = &entry.value else { return entry.absent() };
                let joined = match store.verb {
                    Verb::Append => value.joined(&store.value),
                    _ => store.value.joined(value),
                };
                Wanted::Put(joined, entry.flags, entry.until, None)
            }
        };
        match wanted {
            Wanted::Put(value, ..) if value.is_too_long() => Wanted::Answer(Answer::TooLong),
            wanted => wanted,
        }
    }

    /// What counting leads to.
    #[must_use]
    pub fn count(&self, count: &Count, now: u64) -> Wanted {
        let put = |number: u64, flags, until| {
            Wanted::Put(Value::new(&number.to_string()), flags, until, Some(number))
        };
        let Some(entry) = self.entries.get(&count.key) else {
            return match count.initial {
                Some((_, NO_INITIAL)) => Wanted::Answer(Answer::NotFound),
                Some((initial, expiry)) => put(initial, 0, deadline(expiry, now)),
                None => Wanted::Answer(Answer::NotFound),
            };
        };
        let Some(value) = &entry.value else { return entry.absent() };
        let Some(number) = value.number() else { return Wanted::Answer(Answer::BadDelta) };
        let number = match count.down {
            true => number.saturating_sub(count.by),
            false => number.wrapping_add(count.by),
        };
        put(number, entry.flags, entry.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(value: &str, cas: u64) -> Entry {
        let value = Some(Value::new(value));
        Entry { value, flags: 3, until: Some(9), cas, dirty: false, row: None }
    }

    fn table(value: &str) -> Table {
        let mut table = Table::default();
        table.put(Key(0), entry(value, 7));
        table
    }

    fn store(verb: Verb, value: &str) -> Store {
        Store { verb, key: Key(0), value: Value::new(value), flags: 1, expiry: 2 }
    }

    #[test]
    fn each_verb_minds_what_is_there() {
        let (empty, full) = (Table::default(), table("5"));
        let new = Wanted::Put(Value::new("x"), 1, Some(102), None);
        for (verb, on_empty, on_full) in [
            (Verb::Set, new.clone(), new.clone()),
            (Verb::Add, new.clone(), Wanted::Answer(Answer::Exists)),
            (Verb::Replace, Wanted::Answer(Answer::NotFound), new.clone()),
            (Verb::Cas, Wanted::Answer(Answer::NotFound), Wanted::Answer(Answer::Exists)),
            (
                Verb::Append,
                Wanted::Answer(Answer::NotStored),
                Wanted::Put(Value::new("5x"), 3, Some(9), None),
            ),
            (
                Verb::Prepend,
                Wanted::Answer(Answer::NotStored),
                Wanted::Put(Value::new("x5"), 3, Some(9), None),
            ),
        ] {
            assert_eq!(empty.store(&store(verb, "x"), 6, 100), on_empty, "{verb:?}");
            assert_eq!(full.store(&store(verb, "x"), 6, 100), on_full, "{verb:?}");
        }
        assert_eq!(full.store(&store(Verb::Cas, "x"), 7, 100), new);
        assert_eq!(empty.store(&store(Verb::Cas, "x"), 0, 100), new);
    }

    #[test]
    fn counting_wraps_upwards_and_stops_at_zero() {
        let count = |down, by, initial| Count { down, key: Key(0), by, initial };
        let put = |n: u64| Wanted::Put(Value::new(&n.to_string()), 3, Some(9), Some(n));
        assert_eq!(table("18446744073709551615").count(&count(false, 3, None), 0), put(2));
        assert_eq!(table("5").count(&count(true, 6, None), 0), put(0));
        assert_eq!(table("5a").count(&count(true, 6, None), 0), Wanted::Answer(Answer::BadDelta));
        let empty = Table::default();
        assert_eq!(empty.count(&count(true, 6, None), 0), Wanted::Answer(Answer::NotFound));
        let created = Wanted::Put(Value::new("4"), 0, Some(12), Some(4));
        assert_eq!(empty.count(&count(true, 6, Some((4, 2))), 10), created);
        let kept_away = empty.count(&count(false, 6, Some((4, u32::MAX))), 10);
        assert_eq!(kept_away, Wanted::Answer(Answer::NotFound));
    }

    #[test]
    fn only_what_the_disk_has_goes_out_of_memory_and_is_fetched_when_it_is_needed() {
        let mut table = table("5");
        assert!(!table.evict(Key(0)));
        let entry = table.entry_mut(Key(0)).expect("it is there");
        entry.row = Some(Row { offset: 0, len: 1 });
        entry.dirty = true;
        assert!(!table.evict(Key(0)));
        table.entry_mut(Key(0)).expect("it is there").dirty = false;
        assert!(table.evict(Key(0)) && !table.evict(Key(0)));
        assert_eq!((table.len(), table.resident()), (1, 0));
        assert_eq!(table.get(Key(0)), Wanted::Fetch);
        assert_eq!(table.store(&store(Verb::Append, "x"), 0, 0), Wanted::Fetch);
        assert_eq!(table.delete(Key(0)), Wanted::Remove);
    }

    #[test]
    fn many_seconds_are_an_instant() {
        assert_eq!(deadline(0, 100), None);
        assert_eq!(deadline(2_592_000, 100), Some(2_592_100));
        assert_eq!(deadline(2_592_001, 100), Some(2_592_001));
    }
}
