//! One vbucket in memory: its table, its log of mutations, and who waits for it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use seedbed_sim::id::ActorId;

use crate::checkpoint::manager::Manager;
use crate::checkpoint::op::{
    Change, CheckpointId, CursorName, Item, Key as LogKey, Mutation, Operation, Value as LogValue,
};
use crate::checkpoint::response::Queued;

use super::message::AskId;
use super::op::{Key, Request, Value, Vb};
use super::record::{Record, Standing, Version};
use super::table::{Entry, Row, Table};

/// A request that waits for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiter {
    /// Who asked.
    pub from: ActorId,
    /// Its name.
    pub id: AskId,
    /// What it is.
    pub request: Arc<Request>,
}

/// An online update.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// What stood in each key when it was first changed.
    pub images: BTreeMap<Key, Option<Entry>>,
    /// Whether the last change of a key was an add after a deletion. Only planted bugs look at it.
    added_again: BTreeMap<Key, bool>,
    /// What was not on disk when it was first changed. Only a planted bug looks at it.
    unwritten: BTreeSet<Key>,
    /// It is being taken back.
    pub is_reverting: bool,
    /// What is to be taken back is known.
    pub is_collected: bool,
    /// Who wants it taken back.
    pub asker: Option<Waiter>,
    /// Who feeds the vbucket, and waits until it has been taken back.
    pub follower: Option<ActorId>,
}

impl Window {
    /// Whether the last change of a key was an add after a deletion.
    #[must_use]
    pub fn has_added_again(&self, key: Key) -> bool {
        self.added_again.get(&key).is_some_and(|added| *added)
    }

    /// Whether a key that there was had no place on disk when it was first changed.
    #[must_use]
    pub fn was_unwritten(&self, key: Key) -> bool {
        self.unwritten.contains(&key)
    }

    /// A key is changed, from this entry; whether to another one.
    fn change(&mut self, key: Key, before: Option<Entry>, is_set: bool) {
        let again = before.is_none() && is_set && self.images.contains_key(&key);
        self.added_again.insert(key, again);
        let is_first = !self.images.contains_key(&key);
        if is_first && before.as_ref().is_some_and(|before| before.row.is_none()) {
            self.unwritten.insert(key);
        }
        self.images.entry(key).or_insert(before);
    }
}

/// What has been counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Keys that an online update had added.
    pub reverted_adds: u64,
    /// Keys that it had deleted.
    pub reverted_deletes: u64,
    /// Keys that it had changed.
    pub reverted_updates: u64,
    /// Values taken out of memory.
    pub evicted: u64,
    /// Requests that came to the wrong vbucket.
    pub not_my_vbucket: u64,
    /// Keys that there are, counted as they come and go.
    pub items: u64,
}

/// A vbucket.
#[derive(Clone, Debug)]
pub struct Vbucket {
    /// How it stands.
    pub standing: Standing,
    /// Whether the disk knows of it.
    pub is_born: bool,
    /// The change of its state that the disk has.
    pub saved: u64,
    /// How often the log went back to an earlier checkpoint. What was drained before says nothing about ids after it.
    pub rewinds: u64,
    /// The id up to which all is on disk has fallen, and the disk still says the greater one: who waits until it does not.
    /// What came in now would be said to be on disk.
    pub unsaved_fall: Option<ActorId>,
    /// What stands in its keys.
    pub table: Table,
    /// What was changed, for those who follow.
    pub log: Manager,
    /// What was drained and could not be written.
    pub backlog: Vec<Pending>,
    /// What that was before the last drain.
    backlog_before: Vec<Pending>,
    /// The online update under way.
    pub window: Option<Window>,
    /// A planted bug: see [`super::bugs::REVERT_TAKES_LATER`].
    pub takes_later: bool,
    /// Requests that wait for the vbucket to be active, or for a revert.
    pub blocked: VecDeque<Waiter>,
    /// Requests that wait for a value.
    pub fetching: BTreeMap<Key, Vec<Waiter>>,
    /// Requests that wait for a checkpoint to be on disk.
    pub persisting: Vec<(u64, Waiter)>,
    /// What has been counted.
    pub counters: Counters,
}

/// A mutation on its way to disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Of this key.
    pub key: Key,
    /// As this version.
    pub cas: u64,
    /// Its mutation in the log.
    pub mutation: u64,
    /// What to write; a deletion if there is nothing.
    pub version: Option<Version>,
    /// It runs out so soon that the disk is told of its end at once.
    pub is_late: bool,
}

impl Pending {
    /// What is written.
    #[must_use]
    pub fn record(&self, vb: Vb, birth: u64) -> Record {
        match &self.version {
            Some(version) if !self.is_late => Record::Set(vb, birth, version.clone()),
            _ => Record::Delete(vb, birth, self.key),
        }
    }
}

impl Pending {
    /// Takes the value that the table has now. Only a planted bug does that.
    pub fn refresh(&mut self, table: &Table) {
        let present = table.entry(self.key).and_then(|entry| entry.value.clone());
        if let (Some(version), Some(value)) = (&mut self.version, present) {
            version.value = value;
        }
    }
}

/// What a flusher has to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drained {
    /// In order, each key once.
    pub items: Vec<Pending>,
    /// All up to this checkpoint is in it, or was in one before.
    pub closed: u64,
    /// All of it must be one transaction: an online update is in it.
    pub is_whole: bool,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Changed {
    /// The checkpoint that has it.
    pub checkpoint: u64,
    /// Its mutation there; 0 if the log did not take it.
    pub mutation: u64,
    /// Whether the flusher has more to do.
    pub grew: bool,
}

impl Vbucket {
    /// A vbucket that has nothing in it.
    #[must_use]
    pub fn new(standing: Standing, log: Manager) -> Vbucket {
        Vbucket {
            standing,
            is_born: false,
            saved: 0,
            rewinds: 0,
            unsaved_fall: None,
            table: Table::default(),
            log,
            backlog: Vec::new(),
            backlog_before: Vec::new(),
            window: None,
            takes_later: false,
            blocked: VecDeque::new(),
            fetching: BTreeMap::new(),
            persisting: Vec::new(),
            counters: Counters::default(),
        }
    }

    /// Whether the disk knows of its state.
    #[must_use]
    pub fn is_saved(&self) -> bool {
        self.saved >= self.standing.change
    }

    /// Whether clients have to wait for a revert.
    #[must_use]
    pub fn is_reverting(&self) -> bool {
        self.window.as_ref().is_some_and(|window| window.is_reverting)
    }

    /// Whether nothing can be changed for now: changes are being taken back, or the disk says too much.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.is_reverting() || self.unsaved_fall.is_some()
    }

    /// Changes a key, at this time: to an entry, or to nothing. The change is called `cas`.
    pub fn change(&mut self, key: Key, entry: Option<Entry>, cas: u64, now: u64) -> Changed {
        let change = Change {
            key: log_key(key),
            operation: if entry.is_some() { Operation::Set } else { Operation::Delete },
            value: entry
                .as_ref()
                .and_then(|entry| entry.value.as_ref())
                .map_or(LogValue::EMPTY, log_value),
            flags: entry.as_ref().map_or(0, |entry| entry.flags),
            expires_at: entry.as_ref().and_then(|entry| entry.until),
            cas,
            is_on_disk: self.table.entry(key).is_some_and(|old| old.row.is_some()),
        };
        let is_added = entry.is_some();
        let before = match entry {
            Some(entry) => self.table.put(key, entry),
            None => self.table.remove(key),
        };
        match (before.is_some(), is_added) {
            (false, true) => self.counters.items += 1,
            (true, false) => self.counters.items -= 1,
            _ => {}
        }
        let takes_later = self.takes_later;
        let window = self.window.as_mut();
        let window = window.filter(|w| !w.is_reverting || takes_later && !w.is_collected);
        if let Some(window) = window {
            window.change(key, before, is_added);
        }
        let queued = self.log.queue(now, change);
        let mutation = match queued {
            Queued::New { id } | Queued::Existing { id, .. } => id.0,
            Queued::Dropped => 0,
        };
        let checkpoint = self.log.open_id().0;
        Changed { checkpoint, mutation, grew: queued.persistence_grew() }
    }

    /// Puts in what a backfill says. It is for the disk, and not for those who follow: they are told of the whole vbucket
    /// when it is complete.
    pub fn backfill(&mut self, key: Key, entry: Option<Entry>, cas: u64) {
        let version = entry.as_ref().and_then(|Entry { value, flags, until, cas, .. }| {
            let (value, flags, until, cas) = (value.clone()?, *flags, *until, *cas);
            Some(Version { key, value, flags, until, cas })
        });
        self.backlog.retain(|item| item.key != key);
        self.backlog.push(Pending { key, cas, mutation: 0, version, is_late: false });
        let is_added = entry.is_some();
        let before = match entry {
            Some(entry) => self.table.put(key, entry),
            None => self.table.remove(key),
        };
        match (before.is_some(), is_added) {
            (false, true) => self.counters.items += 1,
            (true, false) => self.counters.items -= 1,
            _ => {}
        }
    }

    /// Puts what stood in a key back, and counts it.
    pub fn restore(&mut self, key: Key, image: Option<Entry>) {
        let is_there = image.is_some();
        let was_there = match image {
            Some(entry) => self.table.put(key, entry).is_some(),
            None => self.table.remove(key).is_some(),
        };
        let counters = &mut self.counters;
        match (was_there, is_there) {
            (false, true) => {
                counters.reverted_deletes += 1;
                counters.items += 1;
            }
            (true, false) => {
                counters.reverted_adds += 1;
                counters.items -= 1;
            }
            (true, true) => counters.reverted_updates += 1,
            (false, false) => {}
        }
    }

    /// What is not on disk leaves the table. Only a planted bug does that.
    pub fn drop_unwritten(&mut self) {
        let entries = self.table.iter().filter(|(_, entry)| entry.dirty);
        let unwritten: Vec<Key> = entries.map(|(key, _)| key).collect();
        for key in unwritten {
            self.table.remove(key);
            self.counters.items -= 1;
        }
    }

    /// Ends an online update as if it had never been, at once: for who has no actors.
    pub fn take_back(&mut self) {
        if let Some(window) = self.window.take() {
            for (key, image) in window.images {
                self.restore(key, image);
            }
        }
        self.log.finish_revert();
    }

    /// Takes what is to be written: what could not be written before, then what is new, the last version of each key.
    /// What runs out before `now + window` is written as a deletion, in seconds.
    pub fn drain(&mut self, now: u64, window: u64) -> Drained {
        let barrier = self.log.barrier();
        let Some(fetched) = self.log.begin_flush(barrier) else {
            return Drained { items: Vec::new(), closed: 0, is_whole: false };
        };
        let is_whole = fetched.items.iter().any(|item| matches!(item, Item::OnlineUpdate(_)));
        let mut items = std::mem::take(&mut self.backlog);
        self.backlog_before.clone_from(&items);
        for mutation in fetched.items.iter().filter_map(Item::mutation) {
            let Some(key) = key_of(mutation.change.key) else { continue };
            items.retain(|item| item.key != key);
            items.push(pending(key, mutation, now + window));
        }
        // Merging may give the window a later id than it began with.
        let window = self.log.window().filter(|window| !window.is_reverting);
        let before = window.map_or(u64::MAX, |window| window.checkpoint.previous().0);
        Drained { items, closed: fetched.last_closed.0.min(before), is_whole }
    }

    /// Takes what was not written for the next time.
    pub fn put_back(&mut self, rejected: Vec<Pending>, is_whole: bool) {
        if is_whole {
            // The log gives all of it again, with the marks that make it one transaction.
            self.log.flush_failed();
            let before = std::mem::take(&mut self.backlog_before);
            self.put_before(before);
            return;
        }
        self.log.flush_succeeded();
        self.put_before(rejected);
    }

    /// Puts into the backlog what is older than what it holds.
    fn put_before(&mut self, older: Vec<Pending>) {
        let newer = std::mem::replace(&mut self.backlog, older);
        for item in newer {
            self.backlog.retain(|old| old.key != item.key);
            self.backlog.push(item);
        }
    }

    /// All that was drained is on disk.
    pub fn written(&mut self) {
        self.log.flush_succeeded();
    }

    /// This version is on disk.
    pub fn committed(&mut self, item: &Pending, row: Row) {
        let row = item.version.as_ref().filter(|_| !item.is_late).map(|_| row);
        let image = self.window.as_mut().and_then(|window| window.images.get_mut(&item.key));
        let entries = [self.table.entry_mut(item.key), image.and_then(Option::as_mut)];
        for entry in entries.into_iter().flatten().filter(|entry| entry.cas == item.cas) {
            entry.dirty = false;
            entry.row = row;
        }
    }

    /// Takes up to `surplus` values out of memory, of those that nobody needs. Which versions that were.
    pub fn evict(&mut self, surplus: usize) -> Vec<(Key, u64)> {
        if surplus == 0 {
            return Vec::new();
        }
        let entries = self.table.iter().filter(|(_, entry)| entry.is_evictable());
        let entries = entries.map(|(key, entry)| (key, entry.cas));
        let unneeded = entries.filter(|(key, cas)| !self.log.holds(log_key(*key), *cas));
        let evicted: Vec<(Key, u64)> = unneeded.take(surplus).collect();
        for (key, _) in &evicted {
            self.table.evict(*key);
        }
        self.counters.evicted += evicted.len() as u64;
        evicted
    }

    /// The checkpoint that comes before the open one.
    #[must_use]
    pub fn closed(&self) -> CheckpointId {
        self.log.open_id().previous()
    }

    /// How many mutations the flusher has not taken yet.
    #[must_use]
    pub fn queue_size(&self) -> u64 {
        let left = self.log.remaining(CursorName::Persistence);
        left.map_or(0, |left| left.mutations) + self.backlog.len() as u64
    }
}

fn pending(key: Key, mutation: &Mutation, soon: u64) -> Pending {
    let Change { operation, value, flags, expires_at: until, cas, .. } = mutation.change;
    let version = (operation == Operation::Set).then(|| Version {
        key,
        value: Value::new(&value.to_string()),
        flags,
        until,
        cas,
    });
    Pending {
        key,
        cas,
        mutation: mutation.id.0,
        version,
        is_late: until.is_some_and(|until| until < soon),
    }
}

/// A key as the log has it.
#[must_use]
pub fn log_key(key: Key) -> LogKey {
    let name = Key::NAMES.get(usize::from(key.0)).copied().unwrap_or("?");
    LogKey::new(name.as_bytes()).unwrap_or(LogKey::EMPTY)
}

/// The other way.
#[must_use]
pub fn key_of(key: LogKey) -> Option<Key> {
    let at = Key::NAMES.iter().position(|name| name.as_bytes() == key.as_bytes())?;
    u8::try_from(at).ok().map(Key)
}

fn log_value(value: &Value) -> LogValue {
    LogValue::new(value.0.as_bytes()).unwrap_or(LogValue::EMPTY)
}

#[cfg(test)]
mod tests;
