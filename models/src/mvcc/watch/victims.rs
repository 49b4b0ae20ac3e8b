//! Rounds for victims: what had no room in a stream is offered again.

use super::{Body, Watch, WatcherId};

impl Watch {
    /// A whole round at once: how many victims there were, and how many of them were helped.
    pub fn victims(&mut self, current: i64) -> (usize, usize) {
        let all = self.begin_victims();
        self.resend();
        (all, self.end_victims(current))
    }

    /// Takes all victims in hand. From here to the end of the round the lock is not held.
    pub fn begin_victims(&mut self) -> usize {
        let all = std::mem::take(&mut self.victims);
        self.in_hand.extend(all.into_iter().map(|(id, batch)| (id, Some(batch))));
        self.in_hand.len()
    }

    /// Offers each of them its batch. A watcher has observed the store up to the revision before the one it waits for.
    pub fn resend(&mut self) {
        let ids: Vec<WatcherId> = self.in_hand.keys().copied().collect();
        for id in ids {
            let revision = self.watchers[&id].min - 1;
            let Some(Some(batch)) = self.in_hand.get(&id) else { continue };
            let body = Body::Events { revision, events: batch.events.clone() };
            if self.send(id, body) {
                self.in_hand.insert(id, None);
            }
        }
    }

    /// Puts those who were helped where they belong while `current` is the newest revision, and the others back. Says how
    /// many were helped.
    pub fn end_victims(&mut self, current: i64) -> usize {
        let mut helped = 0;
        for (id, left) in std::mem::take(&mut self.in_hand) {
            match left {
                Some(batch) => drop(self.victims.insert(id, batch)),
                None => {
                    helped += 1;
                    let behind = self.watchers[&id].min <= current;
                    let group = if behind { &mut self.unsynced } else { &mut self.synced };
                    group.insert(id);
                }
            }
        }
        helped
    }
}
