//! Where the versions of one key are.
//!
//! One key's life: put at 2 and 4, deleted at 6, put at 8.
//!
//! ```text
//! generations   [2 4 6t] [8]          6t is the tombstone that closes a generation
//! get at 5      ----^                 the newest one not above 5
//! get at 7      none                  in the gap after the tombstone
//! compact at 4  [4 6t] [8]            keeps 4, for readers at 4 and 5
//! compact at 6  [6t] [8]              keeps the tombstone, for watchers that begin at 6
//! compact at 7  [8]                   nothing can be read before 8 any more
//! ```

use std::collections::BTreeSet;

use super::revision::Revision;

/// The revisions at which one key was written, oldest first, in generations.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyIndex {
    modified: Revision,
    /// Never empty. Only the last one can be without revisions: the key does not exist now.
    generations: Vec<Generation>,
}

/// One life of a key, from the put that created it to the tombstone that ended it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Generation {
    /// The main revision that created the key; 0 if that was compacted and only the tombstone is left.
    pub created: i64,
    /// How many writes there were, a closing tombstone included.
    pub version: i64,
    /// The writes that are still kept, oldest first.
    pub revisions: Vec<Revision>,
}

/// What the index knows about a key at some revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    /// The write that holds at that revision.
    pub modified: Revision,
    /// The main revision that created the key.
    pub created: i64,
    /// The number of writes since then.
    pub version: i64,
}

/// The key does not exist there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key does not exist at that revision")]
pub struct NotFound;

impl KeyIndex {
    /// A key that is written for the first time.
    pub fn created(at: Revision) -> KeyIndex {
        KeyIndex::restored(at.main, at, 1)
    }

    /// A key of which the oldest record that is still kept was written at `modified`.
    pub fn restored(created: i64, modified: Revision, version: i64) -> KeyIndex {
        KeyIndex {
            modified,
            generations: vec![Generation { created, version, revisions: vec![modified] }],
        }
    }

    /// A key of which the oldest record that is still kept is a tombstone (etcd d8b419257). What was before it is not
    /// known and not needed: nothing can be read there.
    pub fn restored_tombstone(at: Revision) -> KeyIndex {
        let mut key = KeyIndex::restored(0, at, 1);
        key.generations.push(Generation::default());
        key
    }

    /// Notes a write.
    ///
    /// # Panics
    ///
    /// If it is not newer than all writes before it.
    pub fn put(&mut self, at: Revision) {
        assert!(at > self.modified, "a key is written at ever higher revisions");
        self.modified = at;
        let last = self.last_mut();
        if last.revisions.is_empty() {
            last.created = at.main;
        }
        last.version += 1;
        last.revisions.push(at);
    }

    /// Notes a deletion, which needs a key that exists.
    pub fn tombstone(&mut self, at: Revision) -> Result<(), NotFound> {
        if !self.exists() {
            return Err(NotFound);
        }
        self.put(at);
        self.generations.push(Generation::default());
        Ok(())
    }

    /// The version that holds at `at`.
    pub fn get(&self, at: i64) -> Result<Version, NotFound> {
        self.get_by(at, Gap::Absent)
    }

    /// The version that holds at `at`, by a rule for what lies between two generations.
    pub fn get_by(&self, at: i64, gap: Gap) -> Result<Version, NotFound> {
        let (generation, ended) = self.generation(at).ok_or(NotFound)?;
        let mut newer = generation.revisions.iter().filter(|revision| revision.main > at).count();
        if ended {
            // In a gap between two generations the older one answers nothing (etcd 62f7481b1).
            match gap {
                Gap::Absent => return Err(NotFound),
                Gap::AnsweredByOlder => newer += 1,
            }
        }
        let held = generation.revisions.len().checked_sub(newer + 1).ok_or(NotFound)?;
        let newer = i64::try_from(newer).expect("a history is shorter than 2^63");
        Ok(Version {
            modified: generation.revisions[held],
            created: generation.created,
            version: generation.version - newer,
        })
    }

    /// The writes at and after `at`, oldest first; of those in one transaction only the last. Tombstones count.
    pub fn since(&self, at: i64) -> Vec<Revision> {
        let all = self.generations.iter().flat_map(|generation| &generation.revisions);
        let mut found: Vec<Revision> = Vec::new();
        for revision in all.filter(|revision| revision.main >= at) {
            match found.last_mut() {
                Some(last) if last.main == revision.main => *last = *revision,
                _ => found.push(*revision),
            }
        }
        found
    }

    /// Drops what cannot be read any more once revisions below `at` are compacted, and adds to `keep` the record that
    /// holds at `at`, if there is one.
    pub fn compact(&mut self, at: i64, rule: HeadTombstone, keep: &mut BTreeSet<Revision>) {
        let (generation, held) = self.survivor(at, rule);
        if let Some(held) = held {
            let revisions = &mut self.generations[generation].revisions;
            revisions.drain(..held);
            keep.insert(revisions[0]);
        }
        self.generations.drain(..generation);
    }

    /// Adds to `keep` the record that a compaction at `at` would keep, without changing anything. A tombstone is left
    /// out, so that hashes agree with those of older versions.
    pub fn keep(&self, at: i64, rule: HeadTombstone, keep: &mut BTreeSet<Revision>) {
        let (generation, held) = self.survivor(at, rule);
        let revisions = &self.generations[generation].revisions;
        let closed = generation + 1 < self.generations.len();
        if let Some(held) = held.filter(|held| !closed || held + 1 < revisions.len()) {
            keep.insert(revisions[held]);
        }
    }

    /// Whether nothing is left of the key, so that it can leave the index.
    pub fn is_empty(&self) -> bool {
        self.generations.len() == 1 && self.generations[0].revisions.is_empty()
    }

    /// Whether the key exists now.
    pub fn exists(&self) -> bool {
        self.generations.last().is_some_and(|last| !last.revisions.is_empty())
    }

    /// The generations, oldest first.
    pub fn generations(&self) -> &[Generation] {
        &self.generations
    }

    /// The revision of the last write or deletion.
    pub fn modified(&self) -> Revision {
        self.modified
    }

    /// Forgets what a restart cannot know: how a generation began of which only the tombstone is left.
    pub(super) fn forget_before_tombstones(&mut self) {
        let closed = self.generations.len() - 1;
        for generation in &mut self.generations[..closed] {
            if generation.revisions.len() == 1 {
                generation.created = 0;
                generation.version = 1;
            }
        }
    }

    fn last_mut(&mut self) -> &mut Generation {
        self.generations.last_mut().expect("a key has at least one generation")
    }

    /// The newest generation that had begun at `at`, and whether it had also ended.
    fn generation(&self, at: i64) -> Option<(&Generation, bool)> {
        let last = self.generations.len() - 1;
        let (n, found) = self.generations.iter().enumerate().rev().find(|(_, generation)| {
            generation.revisions.first().is_some_and(|first| first.main <= at)
        })?;
        let tombstone = found.revisions.last().filter(|_| n != last);
        Some((found, tombstone.is_some_and(|tombstone| tombstone.main <= at)))
    }

    /// The first generation that a compaction at `at` keeps, and the place in it of the record that holds at `at`.
    ///
    /// A tombstone at `at` holds there unless the same transaction has put the key again behind it.
    fn survivor(&self, at: i64, rule: HeadTombstone) -> (usize, Option<usize>) {
        let last = self.generations.len() - 1;
        let begins = |n: usize| self.generations[n].revisions.first().map(|first| first.main);
        let survives = |(n, generation): (usize, &Generation)| {
            generation.revisions.last().is_some_and(|tombstone| match rule {
                HeadTombstone::Kept if tombstone.main == at => begins(n + 1) != Some(at),
                HeadTombstone::Kept | HeadTombstone::Removed => tombstone.main > at,
            })
        };
        let mut closed = self.generations[..last].iter().enumerate();
        let first = closed.position(survives).unwrap_or(last);
        (first, self.generations[first].revisions.iter().rposition(|revision| revision.main <= at))
    }
}

/// What a key is between the tombstone of one generation and the put of the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gap {
    /// It does not exist.
    Absent,
    /// It is still what it was before: a defect (etcd 62f7481b1).
    AnsweredByOlder,
}

/// What a compaction does with a tombstone that was written right at its revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HeadTombstone {
    /// It is kept, for watchers that begin there: the rule since etcd bbdc94181 (3.4.34, 3.5.16).
    Kept,
    /// It is removed: the older rule.
    Removed,
}

#[cfg(test)]
mod tests;
