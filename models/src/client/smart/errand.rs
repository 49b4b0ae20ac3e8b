//! One call on its way.

use crate::client::backoff::Retries;
use crate::client::frame::Wanted;
use crate::client::note::Purpose;
use crate::client::op::Server;
use crate::client::response::Fate;
use crate::vbucket::message::AskId;
use crate::vbucket::op::{Call, Key, Verb};

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It waits for a map.
    Map,
    /// It waits for a connection.
    Connect(Server),
    /// It was sent.
    Answer(Server),
    /// It waits before it is sent again to the same node.
    Wait,
    /// It waits before a new map is asked for.
    Refresh,
}

/// A call on its way.
#[derive(Clone, Debug)]
pub(super) struct Errand {
    pub(super) id: AskId,
    pub(super) wanted: Wanted,
    pub(super) purpose: Purpose,
    pub(super) stage: Stage,
    pub(super) retries: Retries,
    /// The second in which it was sent last.
    pub(super) sent: u64,
    /// The node to which it was sent last.
    pub(super) last: Option<Server>,
}

impl Errand {
    pub(super) fn new(id: AskId, wanted: Wanted, purpose: Purpose) -> Errand {
        let (stage, retries) = (Stage::Map, Retries::default());
        Errand { id, wanted, purpose, stage, retries, sent: 0, last: None }
    }

    pub(super) fn wanted_key(&self) -> Key {
        match &self.wanted {
            Wanted::Peek(key) => *key,
            Wanted::Do(request) => request.call.key().unwrap_or(Key(0)),
        }
    }

    /// Whether it adds to what stands there, so that twice is not once.
    pub(super) fn adds(&self) -> bool {
        let Wanted::Do(request) = &self.wanted else { return false };
        match &request.call {
            Call::Store(store) => matches!(store.verb, Verb::Append | Verb::Prepend),
            Call::Count(_) => true,
            _ => false,
        }
    }

    /// Whether it may be sent again whatever became of it.
    pub(super) fn only_reads(&self) -> bool {
        match &self.wanted {
            Wanted::Peek(_) => true,
            Wanted::Do(request) => matches!(request.call, Call::Get(_)),
        }
    }
}

/// What has become of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The call, and its last attempt.
    pub id: AskId,
    /// What it was.
    pub fate: Fate,
    /// The seconds in which that attempt was sent, and in which this was known.
    pub window: (u64, u64),
}
