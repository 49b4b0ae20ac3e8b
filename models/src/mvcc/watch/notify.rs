//! Telling synced watchers of a transaction while it ends.

use super::event::{Batch, Event};
use super::{Body, Kind, Watch, WatcherId};
use crate::mvcc::history::Effect;
use crate::mvcc::op::Keys;
use crate::mvcc::txn::covers;

impl Watch {
    /// Tells synced watchers of the effects of a transaction. It is done before the transaction becomes visible, so that
    /// nobody who reads its revision can make a watcher that misses it.
    ///
    /// A watcher gets all its events of the transaction in one response. If its stream has no room, it becomes a victim
    /// with them. Either way it then waits for the next revision.
    ///
    /// # Panics
    ///
    /// If the effects are not those of one transaction.
    pub fn notify(&mut self, effects: &[Effect]) {
        let Some(revision) = effects.first().map(|effect| effect.revision.main) else { return };
        assert!(effects.iter().all(|effect| effect.revision.main == revision), "one transaction");
        let mut events: Vec<Event> =
            effects.iter().map(|effect| Event::of(effect, self.defects)).collect();
        if self.defects.deletions_share_last_key {
            share_last_key(&mut events);
        }
        let synced: Vec<WatcherId> = self.synced.iter().copied().collect();
        for id in synced {
            self.notify_one(id, revision, effects, &events);
        }
        if self.defects.longer_key_unregisters {
            self.unregister_beginnings(effects);
        }
    }

    /// Whether a synced watcher sees nothing of these effects although they are about its keys: its filters leave none.
    pub fn filters_all(&self, effects: &[Effect]) -> bool {
        self.synced.iter().any(|id| {
            let super::Watcher { request, min } = &self.watchers[id];
            let mut mine = effects.iter().filter(|effect| covers(&request.keys, &effect.kv.key));
            let left_out =
                |of: &Effect| if of.deleted { request.no_delete } else { request.no_put };
            let due = effects.first().is_some_and(|of| of.revision.main >= *min);
            let touched = effects.iter().any(|of| covers(&request.keys, &of.kv.key));
            due && touched && mine.all(left_out)
        })
    }

    /// Tells one synced watcher; the effects say which of the events are about its keys.
    fn notify_one(&mut self, id: WatcherId, revision: i64, effects: &[Effect], events: &[Event]) {
        let slow_only = self.defects.only_slow_watchers_advance;
        let Some(watcher) = self.watchers.get_mut(&id).filter(|watcher| watcher.min <= revision)
        else {
            return;
        };
        let keys = &watcher.request.keys;
        let mine = effects.iter().zip(events).filter(|(of, _)| covers(keys, &of.kv.key));
        let mine: Vec<Event> = mine.map(|(_, event)| event.clone()).collect();
        if mine.is_empty() {
            return;
        }
        if !slow_only {
            watcher.min = revision + 1;
        }
        if self.send(id, Body::Events { revision, events: mine.clone() }) {
            return;
        }
        if let Some(watcher) = self.watchers.get_mut(&id) {
            watcher.min = revision + 1;
        }
        self.synced.remove(&id);
        self.victims.insert(id, Batch::of_one_revision(mine));
    }

    /// B66: the list of those who watch a beginning of the key is made anew from those who were told.
    fn unregister_beginnings(&mut self, effects: &[Effect]) {
        let begins = |keys: &Keys, key: &[u8]| matches!(keys, Keys::One(one) if one.len() < key.len() && key.starts_with(one));
        for Effect { kv, .. } in effects {
            self.synced.retain(|id| {
                let watcher = &self.watchers[id];
                !begins(&watcher.request.keys, &kv.key)
            });
        }
    }
}

/// B42: every deletion points to the variable of the loop, which holds the last one in the end.
fn share_last_key(events: &mut [Event]) {
    let last =
        events.iter().rfind(|event| event.kind == Kind::Delete).map(|event| event.kv.clone());
    let Some(last) = last else { return };
    for event in events.iter_mut().filter(|event| event.kind == Kind::Delete) {
        event.kv = last.clone();
    }
}
