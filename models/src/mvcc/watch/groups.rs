//! Which group a watcher is in.

use super::{Watch, WatcherId};

/// The three groups, by their members.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// They have seen all that there is.
    pub synced: Vec<WatcherId>,
    /// They are served from the history.
    pub unsynced: Vec<WatcherId>,
    /// Their stream had no room.
    pub victims: Vec<WatcherId>,
    /// Those of them that a round has in hand.
    pub in_hand: Vec<WatcherId>,
}

impl Watch {
    /// Who is in which group.
    pub fn groups(&self) -> Groups {
        Groups {
            synced: self.synced.iter().copied().collect(),
            unsynced: self.unsynced.iter().copied().collect(),
            victims: self.victims.keys().copied().collect(),
            in_hand: self.in_hand.keys().copied().collect(),
        }
    }

    /// The least revision that a watcher still has to see, if there is such a watcher.
    pub fn next_of(&self, id: WatcherId) -> Option<i64> {
        self.watchers.get(&id).map(|watcher| watcher.min)
    }

    /// Whether nobody is left who has to be sent something by a round.
    pub fn is_settled(&self) -> bool {
        self.unsynced.is_empty() && self.victims.is_empty() && self.in_hand.is_empty()
    }

    /// Takes a watcher out of its group.
    pub(super) fn forget(&mut self, id: WatcherId) {
        self.synced.remove(&id);
        self.unsynced.remove(&id);
        self.victims.remove(&id);
    }
}
