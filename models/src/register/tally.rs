//! Counting answers: who has been heard, and what they said together.

use super::bugs;
use super::tag::Version;
use seedbed_sim::actor::BugSet;
use seedbed_sim::id::ActorId;
use std::collections::BTreeSet;

/// How many of `replicas` are a majority: more than half, so that any two majorities share one.
#[must_use]
pub fn majority(replicas: usize, bugs: BugSet) -> usize {
    if bugs.has(&bugs::HALF_IS_A_MAJORITY) {
        return replicas.div_ceil(2);
    }
    replicas / 2 + 1
}

/// The answers to one round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// A set, since an answer may arrive twice and a repeated question is answered again.
    heard: BTreeSet<ActorId>,
    highest: Option<Version>,
    /// Whether two have answered differently.
    split: bool,
}

impl Tally {
    /// Counts the answer of a replica to a query: the version that it holds.
    pub fn held(&mut self, from: ActorId, version: Option<Version>, bugs: BugSet) {
        let first = self.heard.is_empty();
        if !self.heard.insert(from) {
            return;
        }
        self.split |= !first && version != self.highest;
        self.highest = match (self.highest, version) {
            (Some(highest), Some(new)) if !new.tag.is_newer(highest.tag, bugs) => Some(highest),
            (highest, new) => new.or(highest),
        };
    }

    /// Counts the answer of a replica to a store.
    pub fn stored(&mut self, from: ActorId) {
        self.heard.insert(from);
    }

    /// How many replicas have answered.
    #[must_use]
    pub fn count(&self) -> usize {
        self.heard.len()
    }

    /// Whether this replica has answered.
    #[must_use]
    pub fn has_heard(&self, from: ActorId) -> bool {
        self.heard.contains(&from)
    }

    /// The newest version that somebody holds.
    #[must_use]
    pub fn highest(&self) -> Option<Version> {
        self.highest
    }

    /// Whether all that were heard hold the same.
    #[must_use]
    pub fn is_agreed(&self) -> bool {
        !self.split
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::tag::Tag;
    use seedbed_sim::id::Incarnation;

    const NONE: BugSet = BugSet::NONE;

    fn version(counter: u64) -> Option<Version> {
        let tag = Tag { counter, coordinator: ActorId(9), life: Incarnation(1) };
        Some(Version { tag, value: counter * 10 })
    }

    #[test]
    fn two_majorities_share_a_replica_and_a_minority_may_be_silent() {
        for replicas in 1..20 {
            let majority = majority(replicas, NONE);
            assert!(2 * majority > replicas);
            assert!(replicas - (replicas - 1) / 2 >= majority);
        }
    }

    #[test]
    fn half_rounded_up_is_a_majority_of_odd_numbers_only() {
        let bugs = BugSet::only(&bugs::HALF_IS_A_MAJORITY);
        for replicas in 1..20 {
            assert_eq!(majority(replicas, bugs) == majority(replicas, NONE), replicas % 2 == 1);
        }
    }

    #[test]
    fn an_answer_that_arrives_twice_counts_once() {
        let mut tally = Tally::default();
        tally.held(ActorId(1), version(2), NONE);
        tally.held(ActorId(1), version(3), NONE);
        assert_eq!((tally.count(), tally.highest(), tally.is_agreed()), (1, version(2), true));
    }

    #[test]
    fn the_highest_wins_in_any_order_and_a_difference_is_noticed() {
        for answers in [[None, version(1), version(2)], [version(2), version(1), None]] {
            let mut tally = Tally::default();
            for (answer, from) in answers.into_iter().zip(0..) {
                tally.held(ActorId(from), answer, NONE);
            }
            assert_eq!((tally.count(), tally.highest(), tally.is_agreed()), (3, version(2), false));
        }
        let mut tally = Tally::default();
        tally.held(ActorId(0), None, NONE);
        tally.held(ActorId(1), None, NONE);
        assert_eq!((tally.highest(), tally.is_agreed()), (None, true));
    }
}
