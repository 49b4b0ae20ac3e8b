//! The index of the store: every key that is still known, in order, with where its versions are.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::key_index::{Gap, HeadTombstone, KeyIndex, NotFound, Version};
use super::op::Keys;
use super::revision::Revision;

/// All keys in ascending order, each with its [`KeyIndex`]. It is never written to disk, but rebuilt from the records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Index {
    keys: BTreeMap<Vec<u8>, KeyIndex>,
}

impl Index {
    /// The version of `key` that holds at `at`.
    pub fn get(&self, key: &[u8], at: i64) -> Result<Version, NotFound> {
        self.keys.get(key).ok_or(NotFound)?.get(at)
    }

    /// The keys among `keys` that exist at `at`, ascending, each with the revision of its record.
    pub fn range(&self, keys: &Keys, at: i64) -> impl Iterator<Item = (&[u8], Revision)> {
        self.range_by(keys, at, Gap::Absent)
    }

    /// The same, by a rule for keys that are between two generations at `at`.
    pub fn range_by(
        &self,
        keys: &Keys,
        at: i64,
        gap: Gap,
    ) -> impl Iterator<Item = (&[u8], Revision)> {
        self.among(keys).filter_map(move |(key, index)| {
            index.get_by(at, gap).ok().map(|version| (key.as_slice(), version.modified))
        })
    }

    /// Notes a write of `key`.
    pub fn put(&mut self, key: &[u8], at: Revision) {
        match self.keys.get_mut(key) {
            Some(index) => index.put(at),
            None => drop(self.keys.insert(key.to_vec(), KeyIndex::created(at))),
        }
    }

    /// Notes a deletion of `key`, which has to exist.
    pub fn tombstone(&mut self, key: &[u8], at: Revision) -> Result<(), NotFound> {
        self.keys.get_mut(key).ok_or(NotFound)?.tombstone(at)
    }

    /// Adds a key that was read back from its oldest record.
    ///
    /// # Panics
    ///
    /// If the key is known: only the oldest record tells how a key begins.
    pub fn restore(&mut self, key: Vec<u8>, index: KeyIndex) {
        let known = self.keys.insert(key, index);
        assert!(known.is_none(), "only the oldest record of a key restores it");
    }

    /// Whether `key` is known: it exists, or a version of it can still be read.
    pub fn knows(&self, key: &[u8]) -> bool {
        self.keys.contains_key(key)
    }

    /// Drops what cannot be read any more once revisions below `at` are compacted. Answers the records up to `at` that
    /// have to stay; all others up to `at` can be deleted.
    pub fn compact(&mut self, at: i64, rule: HeadTombstone) -> BTreeSet<Revision> {
        let mut keep = BTreeSet::new();
        self.keys.retain(|_, index| {
            index.compact(at, rule, &mut keep);
            !index.is_empty()
        });
        keep
    }

    /// The records that a compaction at `at` would keep, without tombstones. Changes nothing.
    pub fn keep(&self, at: i64, rule: HeadTombstone) -> BTreeSet<Revision> {
        let mut keep = BTreeSet::new();
        self.keys.values().for_each(|index| index.keep(at, rule, &mut keep));
        keep
    }

    /// The same index as a restart would rebuild it. A restart cannot know how a generation began of which only the
    /// tombstone is left, and nobody can ask; everything else has to be equal.
    pub fn as_restored(&self) -> Index {
        let mut restored = self.clone();
        restored.keys.values_mut().for_each(KeyIndex::forget_before_tombstones);
        restored
    }

    /// All keys that are known, ascending.
    pub fn keys(&self) -> impl Iterator<Item = (&[u8], &KeyIndex)> {
        self.keys.iter().map(|(key, index)| (key.as_slice(), index))
    }

    fn among(&self, keys: &Keys) -> impl Iterator<Item = (&Vec<u8>, &KeyIndex)> {
        let end = match keys {
            Keys::One(key) => Bound::Included(key.as_slice()),
            // A span that ends before it begins is empty, but as bounds of a map it would be a panic.
            Keys::Span(first, end) => Bound::Excluded(end.max(first).as_slice()),
            Keys::From(_) => Bound::Unbounded,
        };
        let bounds = (Bound::Included(keys.first()), end);
        self.keys.range::<[u8], _>(bounds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rev(main: i64) -> Revision {
        Revision::new(main, 0)
    }

    /// a put at 2 and 5, ab at 3, deleted at 6, b at 4.
    fn index() -> Index {
        let mut index = Index::default();
        index.put(b"a", rev(2));
        index.put(b"ab", rev(3));
        index.put(b"b", rev(4));
        index.put(b"a", rev(5));
        index.tombstone(b"ab", rev(6)).expect("ab exists");
        index
    }

    fn range(index: &Index, keys: &str, at: i64) -> String {
        let op = format!("del {keys}").parse().expect("keys");
        let super::super::op::Op::Single(super::super::op::Action::Delete(keys)) = op else {
            panic!("a deletion was parsed")
        };
        let show =
            |(key, at): (&[u8], Revision)| format!("{}@{}", String::from_utf8_lossy(key), at.main);
        index.range(&keys, at).map(show).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_range_finds_the_keys_that_exist_at_a_revision() {
        let index = index();
        let table = [
            ("\"\"..", 1, ""),
            ("\"\"..", 3, "a@2 ab@3"),
            ("\"\"..", 5, "a@5 ab@3 b@4"),
            ("\"\"..", 6, "a@5 b@4"),
            ("a", 5, "a@5"),
            ("c", 5, ""),
            ("a..b", 5, "a@5 ab@3"),
            ("a..ab", 5, "a@5"),
            ("ab..", 5, "ab@3 b@4"),
            ("a..a", 5, ""),
            ("b..a", 5, ""),
        ];
        for (keys, at, expected) in table {
            assert_eq!(range(&index, keys, at), expected, "{keys} at {at}");
        }
    }

    #[test]
    fn a_deletion_needs_a_key_that_exists() {
        let mut index = index();
        assert_eq!(index.tombstone(b"ab", rev(7)), Err(NotFound));
        assert_eq!(index.tombstone(b"c", rev(7)), Err(NotFound));
        assert_eq!(index.get(b"a", 4).map(|version| version.version), Ok(1));
        assert_eq!(index.get(b"c", 4), Err(NotFound));
    }

    #[test]
    fn a_compaction_answers_what_stays_and_drops_keys_of_which_nothing_is_left() {
        let mut index = index();
        assert_eq!(index.keep(6, HeadTombstone::Kept), BTreeSet::from([rev(4), rev(5)]));
        assert_eq!(index.compact(4, HeadTombstone::Kept), BTreeSet::from([rev(2), rev(3), rev(4)]));
        assert_eq!(index.compact(6, HeadTombstone::Kept), BTreeSet::from([rev(4), rev(5), rev(6)]));
        assert!(index.knows(b"ab"));
        assert_eq!(index.compact(7, HeadTombstone::Kept), BTreeSet::from([rev(4), rev(5)]));
        assert!(!index.knows(b"ab"));
        assert_eq!(index.keys().count(), 2);
    }
}
