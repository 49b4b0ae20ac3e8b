//! Watching: whoever asks is told of every change of some keys, in order, once, whole revisions at a time.
//!
//! ```text
//!  a transaction ends                     sync round                         victims round
//!        │ notify, before it is visible       │ history [min, current]             │ again
//!        ▼                                    ▼                                    ▼
//!     synced ──── channel is full ──────▶ victim ◀──── channel is full ──── unsynced
//!        ▲                                    │                                ▲   │
//!        ├────── min > current ◀──────────────┴───────▶ min <= current ────────┘   │ min < compacted
//!        └───────────────────── nothing is left to send ───────────────────────────┤
//!                                                                        told, then gone
//! ```
//!
//! This layer stands above the [store](super::store), which knows nothing of it: it makes its own [events](Event) from
//! the [effects](super::history::Effect) of a transaction, or of the history. Each watcher has the least revision that
//! it still has to see. A synced one has seen all that there is; an unsynced one is served from the history; a victim
//! is one whose stream had no room, with the batch that it has to be given first. Streams are bounded, and shared by
//! the watchers that were made on them.
//!
//! Every method is one step that a real store does under its lock. The three rounds and the drain of each stream are
//! driven by somebody else, in any order; whatever it is, a watcher gets the history of its keys from its start on, or
//! is told that it was compacted. That is what `trial.rs` tests.

use std::collections::{BTreeMap, BTreeSet};

use super::defects::Defects;
use super::parameters::Parameters;
use super::rules::Rules;

mod event;
mod follower;
mod groups;
mod notify;
mod stream;
mod sync;
mod victims;
mod watcher;

pub use event::{Body, Event, Kind, WatchResponse};
pub use follower::Follower;
pub use groups::Groups;
pub use stream::StreamId;
pub use sync::Round;
pub use watcher::{CancelError, Ended, Request, WatchError, WatchId, WatcherId};

use event::Batch;
use stream::Stream;
use watcher::Watcher;

/// Bounds of this layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Responses that wait on one stream.
    pub channel: usize,
    /// Watchers that one round of synchronisation serves.
    pub watchers: usize,
    /// Revisions that one response of such a round holds.
    pub revisions: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { channel: 128, watchers: 512, revisions: 1_000 }
    }
}

/// All streams and watchers of one store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Watch {
    limits: Limits,
    rules: Rules,
    defects: Defects,
    streams: BTreeMap<StreamId, Stream>,
    opened: u32,
    watchers: BTreeMap<WatcherId, Watcher>,
    synced: BTreeSet<WatcherId>,
    unsynced: BTreeSet<WatcherId>,
    victims: BTreeMap<WatcherId, Batch>,
    /// Victims that a round has in hand: it works without the lock, and nobody else may touch them.
    in_hand: BTreeMap<WatcherId, Option<Batch>>,
    /// The last one that a round of synchronisation chose. The next round goes on behind it.
    last_chosen: Option<WatcherId>,
    /// How watchers ended that were cancelled, for those who ask; only the rules of 2015 answer.
    ended: BTreeMap<WatcherId, Ended>,
}

impl Watch {
    /// The layer above a store with these parameters.
    pub fn new(parameters: &Parameters) -> Watch {
        Watch {
            limits: parameters.watch,
            rules: parameters.rules,
            defects: parameters.defects,
            streams: BTreeMap::new(),
            opened: 0,
            watchers: BTreeMap::new(),
            synced: BTreeSet::new(),
            unsynced: BTreeSet::new(),
            victims: BTreeMap::new(),
            in_hand: BTreeMap::new(),
            last_chosen: None,
            ended: BTreeMap::new(),
        }
    }

    /// Moves all synced watchers to the unsynced ones, because the store below was restored in place and may now hold
    /// what they were never told of (etcd 13041c15b).
    pub fn restored(&mut self) {
        if !self.defects.restore_leaves_watchers {
            self.unsynced.append(&mut self.synced);
        }
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod trial;
