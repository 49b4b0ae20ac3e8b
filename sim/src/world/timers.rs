//! Timers: one deadline per name, one entry in the agenda per name.

use crate::choose::FixedState;
use crate::id::{ActorId, Incarnation, StepId};
use crate::time::Time;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use std::hash::Hash;

/// A timer that has a deadline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Armed {
    pub(crate) incarnation: Incarnation,
    pub(crate) deadline: Time,
    /// The agenda entry that serves it, and when that comes up. Entries with another number are stale.
    pub(crate) entry: u32,
    pub(crate) entry_due: Time,
    /// The step that armed it.
    pub(crate) cause: StepId,
}

/// All armed timers of a world. A deadline that moves later keeps its agenda entry, which is put back when it comes up:
/// re-arming, the commonest thing that is done to a timer, then costs one look-up. Among what is due at its instant it stands
/// where it was put back, unless a choice gives it another place.
#[derive(Clone, Debug)]
pub(crate) struct Timers<T> {
    armed: HashMap<(ActorId, T), Armed, FixedState>,
}

impl<T> Default for Timers<T> {
    fn default() -> Timers<T> {
        Timers { armed: HashMap::with_hasher(FixedState) }
    }
}

impl<T: Copy + Eq + Hash> Timers<T> {
    pub(crate) fn reset(&mut self) {
        self.armed.clear();
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, actor: ActorId, timer: T) -> Option<&mut Armed> {
        self.armed.get_mut(&(actor, timer))
    }

    /// Sets a deadline. Answers the timer if it needs an entry in the agenda, which comes up at the deadline: the caller
    /// writes down which one that is.
    #[inline]
    pub(crate) fn arm(&mut self, actor: ActorId, timer: T, armed: Armed) -> Option<&mut Armed> {
        match self.armed.entry((actor, timer)) {
            Entry::Occupied(known) => {
                let known = known.into_mut();
                let Armed { entry, entry_due, .. } = *known;
                if entry_due <= armed.deadline {
                    *known = Armed { entry, entry_due, ..armed };
                    return None;
                }
                *known = armed;
                Some(known)
            }
            Entry::Vacant(place) => Some(place.insert(armed)),
        }
    }

    #[inline]
    pub(crate) fn remove(&mut self, actor: ActorId, timer: T) -> Option<Armed> {
        self.armed.remove(&(actor, timer))
    }

    /// The timers of the actors for which `whose` holds, by the creation of their entries: the order of the map never shows.
    pub(crate) fn of(&self, whose: impl Fn(ActorId) -> bool) -> Vec<(ActorId, T)> {
        let armed = self.armed.iter().filter(|((actor, _), _)| whose(*actor));
        let mut found: Vec<_> = armed.map(|(key, armed)| (armed.entry, *key)).collect();
        found.sort_unstable_by_key(|(entry, _)| *entry);
        found.into_iter().map(|(_, key)| key).collect()
    }

    /// Forgets the timers of the actors for which `gone` holds.
    pub(crate) fn forget(&mut self, mut gone: impl FnMut(ActorId) -> bool) {
        self.armed.retain(|(actor, _), _| !gone(*actor));
    }
}
