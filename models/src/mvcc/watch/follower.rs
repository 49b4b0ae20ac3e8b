//! The client's side of a watcher: where to go on when the stream is lost.

use super::{Body, WatchResponse};
use crate::mvcc::rules::Rules;

/// Remembers how far a client was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Follower {
    next: i64,
    rules: Rules,
}

impl Follower {
    /// Begins with a watcher that was asked for from `start`, while `current` was the newest revision of a store that
    /// goes by some rules.
    pub fn new(rules: Rules, start: i64, current: i64) -> Follower {
        Follower { next: if start == 0 { current + 1 } else { start }, rules }
    }

    /// The revision to ask for when the stream is lost, on whatever replica.
    pub fn next(&self) -> i64 {
        self.next
    }

    /// Notes what came. Events count up to the last one: the revision beside them may be newer than the rest that is
    /// still to come. Progress counts as far as it says. After a compaction one goes on where it is allowed.
    pub fn took(&mut self, response: &WatchResponse) {
        self.heard(&response.body);
    }

    /// As [`Follower::took`], of what was told alone.
    pub fn heard(&mut self, body: &Body) {
        let told = match body {
            Body::Events { events, .. } => events.last().map_or(0, |last| last.kv.mod_revision + 1),
            Body::Progress { revision } => revision + 1,
            Body::Compacted { compacted } if self.rules.watches_at_compacted() => *compacted,
            Body::Compacted { compacted } => compacted + 1,
        };
        self.next = self.next.max(told);
    }
}
