//! What changed, revision by revision: the record against which watchers are held.

use super::super::op::Keys;
use super::super::response::{KeyValue, OpError};
use super::super::rules::Rules;
use super::{Reference, is_among};

/// A change of one key, as a watcher is told of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// Whether the key was deleted; otherwise it was put.
    pub deleted: bool,
    /// The key as it is afterwards; of a deletion only the key and the revision.
    pub kv: KeyValue,
}

/// What becomes of a watcher that begins at some revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Watched {
    /// It sees every matching change from this revision on.
    From(i64),
    /// It is told that its revision is compacted, and ends.
    Compacted,
    /// It is refused at once.
    Refused,
}

/// A change with its revision and its place in it.
pub type Placed<'r> = (i64, i64, &'r Event);

impl Reference {
    /// What becomes of a watcher that is made now and begins at `start`; 0 means that it begins with the next change.
    pub fn watch(&self, start: i64) -> Watched {
        let (rules, current) = (self.rules, self.current());
        let floor = self.floor(rules.watches_at_compacted());
        if start == 0 {
            Watched::From(current + 1)
        } else if start < 0 && !rules.watches_negative()
            || start > current && !rules.watches_future()
        {
            Watched::Refused
        } else if start < floor && (start > 0 || rules > Rules::V2015) {
            Watched::Compacted
        } else {
            Watched::From(start)
        }
    }

    /// The changes of these keys in one revision, in order. Of a compacted revision there may be fewer left.
    pub fn changes(&self, keys: &Keys, revision: i64) -> Vec<&Event> {
        let events = self.events.get(&revision).into_iter().flatten();
        events.filter(|event| is_among(keys, &event.kv.key)).collect()
    }

    /// Whether a change can still be told to a watcher that comes now: whether a compaction has left its record.
    pub fn is_kept(&self, event: &Event) -> bool {
        let Event { deleted, kv } = event;
        let needed = |write: &super::Write| {
            (write.revision, &write.key, write.deleted) == (kv.mod_revision, &kv.key, *deleted)
        };
        kv.mod_revision > self.compacted || self.needed(self.compacted).iter().any(needed)
    }

    /// What a key was before a change, for a watcher that asks for it now: nothing if the change has created it, or if
    /// that revision can no longer be read.
    pub fn before(&self, event: &Event) -> Option<&KeyValue> {
        if event.kv.create_revision == event.kv.mod_revision {
            return None;
        }
        let at = event.kv.mod_revision - 1;
        let floor = self.floor(self.rules.reads_at_compacted());
        self.at(at.max(floor)).filter(|_| at >= floor)?.get(&event.kv.key)
    }

    /// The changes of these keys in the revisions from `start` to `end` (not included; 0 means that there is no end),
    /// and where to go on: the next change of these keys, or behind the current revision. A start of 0 means the beginning of
    /// what is kept.
    ///
    /// The limit counts revisions, 0 meaning all, so that none is ever split.
    pub fn history(
        &self,
        keys: &Keys,
        (start, end): (i64, i64),
        limit: usize,
    ) -> Result<(Vec<&Event>, i64), OpError> {
        let floor = self.floor(self.rules.watches_at_compacted());
        if 0 < start && start < floor {
            return Err(OpError::Compacted);
        }
        if start > self.current() {
            return Err(OpError::FutureRevision);
        }
        let stop = if end <= 0 { i64::MAX } else { end };
        let (mut found, mut revisions) = (Vec::new(), 0);
        for (revision, events) in self.events.range(start.max(floor).max(0)..) {
            let among = events.iter().filter(|event| is_among(keys, &event.kv.key));
            let kept: Vec<&Event> = among.filter(|event| self.is_kept(event)).collect();
            if kept.is_empty() {
                continue;
            }
            if *revision >= stop {
                return Ok((found, *revision));
            }
            revisions += 1;
            found.extend(kept);
            if limit > 0 && revisions == limit {
                return Ok((found, revision + 1));
            }
        }
        Ok((found, self.current() + 1))
    }

    /// The changes from a revision on that a compaction at `compacted` leaves, in order, each with its revision and its
    /// place in it.
    pub(super) fn kept(
        &self,
        compacted: i64,
        start: i64,
    ) -> impl Iterator<Item = (i64, usize, &Event)> {
        let needed = self.needed(compacted);
        let all = self.events.range(start..).flat_map(|(main, events)| {
            events
                .iter()
                .enumerate()
                .map(move |(sub, event)| (*main, sub, event, &events[sub + 1..]))
        });
        all.filter(move |(main, _, event, later)| {
            let (key, deleted) = (event.kv.key.clone(), event.deleted);
            let last = later.iter().all(|later| later.kv.key != key);
            *main > compacted
                || last && needed.contains(&super::Write { revision: *main, key, deleted })
        })
        .map(|(main, sub, event, _)| (main, sub, event))
    }

    /// The changes of these keys in the revisions from `start` to `end` (not included; 0 or less means that there is no
    /// end), each with its revision and its place in it, and where to go on. A start of 0 or less means the beginning of
    /// what is kept.
    ///
    /// The limit counts changes, 0 or less meaning no limit. A revision that does not fit whole is left for the next time,
    /// unless it is the first.
    pub fn part(
        &self,
        keys: &Keys,
        (start, end): (i64, i64),
        limit: i64,
    ) -> Result<(Vec<Placed<'_>>, i64), OpError> {
        let floor = self.floor(self.rules.watches_at_compacted());
        if 0 < start && start < floor {
            return Err(OpError::Compacted);
        }
        if start > self.current() {
            return Err(OpError::FutureRevision);
        }
        let begin = if start > 0 { start } else { floor.max(1) };
        let among = self.kept(self.compacted, begin).filter(|(.., e)| is_among(keys, &e.kv.key));
        let all: Vec<Placed<'_>> = among
            .map(|(main, sub, event)| (main, i64::try_from(sub).expect("few"), event))
            .collect();
        let mut found = Vec::new();
        for revision in all.chunk_by(|one, other| one.0 == other.0) {
            let main = revision[0].0;
            let total = i64::try_from(found.len() + revision.len()).expect("few");
            let full = limit > 0 && total > limit && !found.is_empty();
            if end > 0 && main >= end || full {
                return Ok((found, main));
            }
            found.extend_from_slice(revision);
            if limit > 0 && total >= limit {
                return Ok((found, main + 1));
            }
        }
        Ok((found, self.current() + 1))
    }
}
