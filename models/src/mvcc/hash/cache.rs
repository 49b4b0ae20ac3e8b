//! The newest hashes of compactions, so that replicas can be compared although they go on writing.

use std::collections::VecDeque;

use super::KvHash;

/// Hashes that compactions took while they ran, newest last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct HashCache {
    kept: VecDeque<KvHash>,
    limit: usize,
}

impl HashCache {
    /// A cache of the newest `limit` hashes.
    pub fn new(limit: usize) -> HashCache {
        HashCache { kept: VecDeque::new(), limit }
    }

    /// Keeps a hash. The oldest one makes room; one of the same revision is replaced.
    pub fn keep(&mut self, hash: KvHash) {
        self.kept.retain(|kept| kept.revision != hash.revision);
        self.kept.push_back(hash);
        while self.kept.len() > self.limit {
            self.kept.pop_front();
        }
    }

    /// The hash that the compaction at a revision took.
    pub fn get(&self, revision: i64) -> Option<KvHash> {
        self.kept.iter().copied().find(|kept| kept.revision == revision)
    }

    /// All of them, oldest first.
    pub fn all(&self) -> impl Iterator<Item = KvHash> {
        self.kept.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_hashes_are_kept() {
        let mut cache = HashCache::new(2);
        let hash = |revision| KvHash { hash: 7, compacted: 1, revision };
        for revision in [3, 4, 4, 5] {
            cache.keep(hash(revision));
        }
        assert_eq!(cache.all().map(|kept| kept.revision).collect::<Vec<_>>(), [4, 5]);
        assert_eq!((cache.get(3), cache.get(5)), (None, Some(hash(5))));
        let mut none = HashCache::new(0);
        none.keep(hash(3));
        assert_eq!(none.get(3), None);
    }
}
