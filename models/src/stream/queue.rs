//! What was taken in of a vbucket and is not in the indexes.

use std::collections::VecDeque;
use std::collections::vec_deque::Drain;

use super::store::Mutation;

/// Mutations in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MutationQueue {
    items: VecDeque<Mutation>,
}

impl MutationQueue {
    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// The number of the last one; 0 if there is none.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.items.back().map_or(0, |last| last.seq)
    }

    /// One more.
    pub fn push(&mut self, mutation: Mutation) {
        self.items.push_back(mutation);
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.items.clear();
    }

    /// Takes all up to a number, in order. `None` as long as the queue has not come to that number: then nothing is taken.
    pub fn take_upto(&mut self, seq: u64) -> Option<Drain<'_, Mutation>> {
        if self.last() < seq {
            return None;
        }
        let count = self.items.partition_point(|mutation| mutation.seq <= seq);
        Some(self.items.drain(..count))
    }
}

#[cfg(test)]
mod tests {
    use super::super::op::Key;
    use super::*;

    fn queue(seqs: &[u64]) -> MutationQueue {
        let mut queue = MutationQueue::default();
        seqs.iter().for_each(|seq| queue.push(Mutation { seq: *seq, key: Key(1), value: None }));
        queue
    }

    fn take(queue: &mut MutationQueue, seq: u64) -> Option<Vec<u64>> {
        queue.take_upto(seq).map(|taken| taken.map(|mutation| mutation.seq).collect())
    }

    #[test]
    fn what_is_taken_ends_with_the_number_that_was_asked_for() {
        let mut some = queue(&[1, 1, 2]);
        assert_eq!(take(&mut some, 1), Some(vec![1, 1]));
        assert_eq!(take(&mut some, 2), Some(vec![2]));
        let mut some = queue(&[3]);
        assert_eq!(take(&mut some, 4), None);
        assert_eq!(some.len(), 1);
        for seq in [3, 3, 4] {
            some.push(Mutation { seq, key: Key(1), value: None });
        }
        assert_eq!(take(&mut some, 4), Some(vec![3, 3, 3, 4]));
        assert!(some.is_empty());
    }
}
