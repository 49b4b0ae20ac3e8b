//! What the actors of a node share: the memory of the data node, and the producers of its streams.

use std::collections::{BTreeMap, BTreeSet};

use crate::vbucket::memory::Memory;
use crate::vbucket::op::Vb;
use crate::vbucket::vb::Vbucket;

use super::frame::Name;
use super::producer::Producer;
use super::settings::Settings;

/// What the actors of a node share.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    /// That of the data node.
    pub data: Memory,
    /// That of its streams.
    pub tap: Tap,
}

/// What those who send and receive streams share.
#[derive(Clone, Debug, Default)]
pub struct Tap {
    /// How streams work.
    pub settings: Settings,
    /// The producers of streams, by name.
    pub producers: BTreeMap<Name, Producer>,
    /// Vbuckets that are active here and must not be used before the disk knows.
    pub activating: BTreeSet<Vb>,
    /// Something was changed since the notifier looked.
    pub is_notified: bool,
    /// The notifier waits to be told.
    pub is_notifier_asleep: bool,
}

impl Shared {
    /// Counts changes and steps of online updates, of one vbucket or of all: another number tells that there was one.
    #[must_use]
    pub fn events(&self, vb: Option<Vb>) -> u64 {
        match vb {
            Some(vb) => self.data.vbs.get(&vb).map_or(0, events_of),
            None => self.data.vbs.values().map(events_of).sum(),
        }
    }
}

fn events_of(vbucket: &Vbucket) -> u64 {
    let log = &vbucket.log;
    let ended = u64::from(log.window().is_none_or(|window| window.is_reverting));
    log.last_mutation().0 + 2 * log.epoch().0 + ended
}
