//! What a watcher is told.

use std::fmt;

use super::watcher::WatchId;
use crate::mvcc::backend::View;
use crate::mvcc::defects::Defects;
use crate::mvcc::history::Effect;
use crate::mvcc::op::{Get, Keys};
use crate::mvcc::response::KeyValue;
use crate::mvcc::store::{Fatal, Store, StoreError};
use crate::mvcc::text::quoted;

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// It was written.
    Put,
    /// It was deleted.
    Delete,
}

/// One change of one key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// What happened.
    pub kind: Kind,
    /// The key as it was put; of a deleted one only the key, and the revision of its deletion.
    pub kv: KeyValue,
    /// What the key was before, for those who asked, if that is not compacted.
    pub previous: Option<KeyValue>,
}

impl Event {
    /// The event of an effect.
    pub(super) fn of(effect: &Effect, defects: Defects) -> Event {
        let by_value = defects.empty_value_is_deletion && effect.kv.value.is_empty();
        let kind = if effect.deleted || by_value { Kind::Delete } else { Kind::Put };
        Event { kind, kv: effect.kv.clone(), previous: None }
    }

    /// Whether this is the put that made the key.
    pub fn is_create(&self) -> bool {
        self.kind == Kind::Put && self.kv.create_revision == self.kv.mod_revision
    }
}

/// Events of one watcher that go out in one response: whole revisions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Batch {
    pub(super) events: Vec<Event>,
    /// How many revisions these are.
    revisions: usize,
    /// The first revision that had no place any more.
    pub(super) more: Option<i64>,
}

impl Batch {
    /// Adds an event unless it belongs to a revision beyond the first `revisions`. Events come in order.
    pub(super) fn add(&mut self, event: Event, revisions: usize) {
        if self.more.is_some() {
            return;
        }
        let main = event.kv.mod_revision;
        let begins = self.events.last().is_none_or(|last| last.kv.mod_revision < main);
        if begins && self.revisions >= revisions {
            self.more = Some(main);
            return;
        }
        self.revisions += usize::from(begins);
        self.events.push(event);
    }

    /// The events of one revision.
    pub(super) fn of_one_revision(events: Vec<Event>) -> Batch {
        Batch { events, revisions: 1, more: None }
    }
}

/// What comes out of a stream.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WatchResponse {
    /// Which watcher it is for; none for the progress of all watchers of the stream.
    pub watcher: Option<WatchId>,
    /// What is told.
    pub body: Body,
    /// Whether events are to be given with what was before them.
    pub(super) with_previous: bool,
}

/// What a response tells.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Body {
    /// Changes, whole revisions in order.
    Events {
        /// The current revision when they were sent.
        revision: i64,
        /// The changes; at least one.
        events: Vec<Event>,
    },
    /// Nothing up to this revision is still to come.
    Progress {
        /// The revision.
        revision: i64,
    },
    /// What should come next was compacted. It is the last response of this watcher.
    Compacted {
        /// The compacted revision, from which one can go on.
        compacted: i64,
    },
}

impl WatchResponse {
    /// Adds to each event what its key was before: what is found at the revision before it. After a compaction that may
    /// be nothing.
    pub(super) fn add_previous(&mut self, store: &Store, view: &impl View) -> Result<(), Fatal> {
        let Body::Events { events, .. } = &mut self.body else { return Ok(()) };
        for event in events.iter_mut().filter(|event| !event.is_create()) {
            let at = event.kv.mod_revision - 1;
            if at <= 0 {
                continue;
            }
            let keys = Keys::One(event.kv.key.clone());
            let get = Get { keys, at: Some(at), limit: 0, count_only: false };
            event.previous = match store.range(view, &get) {
                Ok(mut found) => found.kvs.pop(),
                Err(StoreError::Refused(_)) => None,
                Err(StoreError::Fatal(fatal)) => return Err(fatal),
            };
        }
        Ok(())
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Put => write!(f, "put {}", self.kv)?,
            Kind::Delete => {
                write!(f, "delete {} (modified {})", quoted(&self.kv.key), self.kv.mod_revision)?;
            }
        }
        match &self.previous {
            Some(previous) => write!(f, ", before {previous}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for WatchResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.watcher {
            Some(watcher) => write!(f, "watcher {watcher}: ")?,
            None => f.write_str("all watchers: ")?,
        }
        match &self.body {
            Body::Events { revision, events } => {
                write!(f, "revision {revision}")?;
                events.iter().try_for_each(|event| write!(f, "; {event}"))
            }
            Body::Progress { revision } => write!(f, "revision {revision}, progress"),
            Body::Compacted { compacted } => write!(f, "cancelled, compacted {compacted}"),
        }
    }
}
