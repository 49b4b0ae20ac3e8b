//! Rounds of synchronisation: unsynced watchers are served from the history.

use std::ops::Bound;

use super::event::{Batch, Event};
use super::{Body, Ended, Watch, WatcherId};
use crate::mvcc::backend::View;
use crate::mvcc::history::{Effect, effects_from};
use crate::mvcc::store::{Fatal, Store};
use crate::mvcc::txn::covers;

/// What a round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Watchers that were looked at.
    pub chosen: usize,
    /// Those among them that were told that they are compacted.
    pub compacted: usize,
    /// Those that became synced.
    pub synced: usize,
    /// Those that became victims.
    pub victims: usize,
    /// Those that a compaction has overtaken and that could not be told, for want of room.
    pub untold: usize,
    /// Those of which the limit of revisions left something for the next round.
    pub cut: usize,
}

impl Watch {
    /// Serves the next unsynced watchers, at most as many as the limits say. One that a compaction has overtaken is told
    /// so, and is gone once it is; if its stream is full it is left for another round. The others get the history from
    /// where they are, whole revisions, and stay unsynced if there is more than one response of it.
    pub fn sync(&mut self, store: &Store, view: &impl View) -> Result<Round, Fatal> {
        let mut round = Round::default();
        let chosen = self.choose();
        round.chosen = chosen.len();
        let mut served = Vec::new();
        for id in chosen {
            if !self.is_compacted(id, store.compacted()) {
                served.push(id);
            } else if self.tell_compacted(id, store.compacted()) {
                round.compacted += 1;
            } else {
                round.untold += 1;
                if self.defects.compacted_watcher_passed_over {
                    served.push(id);
                }
            }
        }
        let history = self.history(&served, store, view)?;
        for id in served {
            self.serve(id, &history, store.current(), &mut round);
        }
        Ok(round)
    }

    /// The next unsynced watchers behind those that were chosen last. Without that turn, some who cannot be served could
    /// keep all others from it.
    fn choose(&mut self) -> Vec<WatcherId> {
        let after = self.last_chosen.map_or(Bound::Unbounded, Bound::Excluded);
        let behind = self.unsynced.range((after, Bound::Unbounded));
        let before = self.unsynced.iter().take_while(|id| self.last_chosen >= Some(**id));
        let chosen: Vec<WatcherId> =
            behind.chain(before).take(self.limits.watchers).copied().collect();
        self.last_chosen = chosen.last().copied();
        chosen
    }

    fn is_compacted(&self, id: WatcherId, compacted: i64) -> bool {
        let min = self.watchers[&id].min;
        min < compacted || (min == compacted && !self.rules.watches_at_compacted())
    }

    /// Tells a watcher that what it should see next is compacted, and lets go of it; not if there is no room.
    fn tell_compacted(&mut self, id: WatcherId, compacted: i64) -> bool {
        let told =
            self.defects.compacted_watcher_dropped || self.send(id, Body::Compacted { compacted });
        if told {
            self.forget(id);
            self.watchers.remove(&id);
            self.end(id, Ended::Compacted);
        }
        told
    }

    /// What happened since the least revision that any of them has to see.
    ///
    /// A negative revision stands behind all others in the order of bytes, and whoever begins there is shown no history
    /// (observed on etcd 3.4.23). It is not to hide it from others.
    fn history(
        &self,
        served: &[WatcherId],
        store: &Store,
        view: &impl View,
    ) -> Result<Vec<Effect>, Fatal> {
        let least = served.iter().map(|id| self.watchers[id].min);
        let hides = self.defects.negative_start_hides_history;
        let Some(from) = least.filter(|min| hides || *min >= 0).min() else {
            return Ok(Vec::new());
        };
        if from < 0 {
            return Ok(Vec::new());
        }
        let current = store.current();
        effects_from(view, from)
            .take_while(|effect| effect.as_ref().map_or(true, |of| of.revision.main <= current))
            .collect()
    }

    fn serve(&mut self, id: WatcherId, history: &[Effect], current: i64, round: &mut Round) {
        let (limits, defects) = (self.limits, self.defects);
        let Some(watcher) = self.watchers.get_mut(&id) else { return };
        let mut batch = Batch::default();
        for effect in history {
            let due = watcher.min >= 0 && effect.revision.main >= watcher.min;
            if due && covers(&watcher.request.keys, &effect.kv.key) {
                batch.add(Event::of(effect, defects), limits.revisions);
            }
        }
        round.cut += usize::from(batch.more.is_some());
        watcher.min = match batch.more {
            Some(more) => more,
            None if defects.future_watcher_rewound => current + 1,
            None => watcher.min.max(current + 1),
        };
        let sent = batch.events.is_empty()
            || self.send(id, Body::Events { revision: current, events: batch.events.clone() });
        if !sent {
            self.unsynced.remove(&id);
            self.victims.insert(id, batch);
            round.victims += 1;
        } else if batch.more.is_none() {
            self.unsynced.remove(&id);
            self.synced.insert(id);
            round.synced += 1;
        }
    }
}
