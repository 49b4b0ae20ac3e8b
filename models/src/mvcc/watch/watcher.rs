//! Watchers, and how they come and go.

use std::fmt;

use super::stream::StreamId;
use super::{Watch, WatchResponse};
use crate::mvcc::op::Keys;

/// The name of a watcher on its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatchId(pub i64);

impl fmt::Display for WatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A watcher among all of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatcherId {
    /// Its stream.
    pub stream: StreamId,
    /// Its name there.
    pub watch: WatchId,
}

impl fmt::Display for WatcherId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.stream, self.watch)
    }
}

/// What somebody wants to be told of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    /// Changes of these keys.
    pub keys: Keys,
    /// From this revision on; zero means from now on.
    pub start: i64,
    /// Its name; none to be given one.
    pub id: Option<WatchId>,
    /// Leave out puts.
    pub no_put: bool,
    /// Leave out deletions.
    pub no_delete: bool,
    /// Add to each event what the key was before.
    pub with_previous: bool,
}

impl Request {
    /// Everything that happens to some keys from a revision on.
    pub fn new(keys: Keys, start: i64) -> Request {
        let (no_put, no_delete, with_previous) = (false, false, false);
        Request { keys, start, id: None, no_put, no_delete, with_previous }
    }
}

/// Why there is no such watcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum WatchError {
    /// The keys end before they begin, or the stream is closed.
    #[error("watcher range is empty")]
    EmptyRange,
    /// The stream has one of this name.
    #[error("duplicate watch ID provided on the WatchStream")]
    DuplicateId,
    /// It is to begin at a negative revision, which is older than everything.
    #[error("required revision has been compacted")]
    Compacted,
    /// It is to begin at a revision that is still to come, and the rules are those of 2015.
    #[error("required revision is a future revision")]
    FutureRevision,
}

/// Why a watcher was not cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum CancelError {
    /// There is none of this name (any more).
    #[error("watcher does not exist")]
    NotExist,
    /// A round has it in hand. Ask again when the round has ended.
    #[error("a victims round has the watcher in hand")]
    InHand,
}

/// How a watcher ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Ended {
    /// By its own wish.
    #[error("watcher is canceled")]
    Cancelled,
    /// A compaction has overtaken it.
    #[error("required revision has been compacted")]
    Compacted,
}

/// A watcher that is served.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Watcher {
    pub(super) request: Request,
    /// The least revision that it still has to see.
    pub(super) min: i64,
}

impl Watch {
    /// Makes a watcher while `current` is the newest revision. It is synced if there is no history that it wants.
    pub fn watch(
        &mut self,
        stream: StreamId,
        request: Request,
        current: i64,
    ) -> Result<WatchId, WatchError> {
        let empty = matches!(&request.keys, Keys::Span(first, end) if first >= end);
        if empty || !self.is_open(stream) {
            return Err(WatchError::EmptyRange);
        }
        if request.start < 0 && !self.rules.watches_negative() {
            return Err(WatchError::Compacted);
        }
        if request.start > current && !self.rules.watches_future() {
            return Err(WatchError::FutureRevision);
        }
        let watch = self.name(stream, request.id)?;
        let id = WatcherId { stream, watch };
        let start = request.start;
        if start == 0 || start > current {
            self.watchers.insert(id, Watcher { request, min: start.max(current + 1) });
            self.synced.insert(id);
        } else {
            self.watchers.insert(id, Watcher { request, min: start });
            self.unsynced.insert(id);
        }
        Ok(watch)
    }

    /// The name that a new watcher gets.
    fn name(&mut self, stream: StreamId, wanted: Option<WatchId>) -> Result<WatchId, WatchError> {
        let taken = |watch| self.watchers.contains_key(&WatcherId { stream, watch });
        match wanted {
            Some(watch) if taken(watch) => Err(WatchError::DuplicateId),
            Some(watch) => Ok(watch),
            None => {
                let next = self.streams.get(&stream).map_or(0, |stream| stream.next_id);
                let free = (next..).map(WatchId).find(|watch| !taken(*watch));
                let free = free.expect("a stream has less than 2^63 watchers");
                if let Some(stream) = self.streams.get_mut(&stream) {
                    stream.next_id = free.0 + 1;
                }
                Ok(free)
            }
        }
    }

    /// Ends a watcher. What is already in its stream still comes out, but nothing more gets in.
    pub fn cancel(&mut self, stream: StreamId, watch: WatchId) -> Result<(), CancelError> {
        let id = WatcherId { stream, watch };
        if self.in_hand.contains_key(&id) {
            return Err(CancelError::InHand);
        }
        self.watchers.remove(&id).ok_or(CancelError::NotExist)?;
        self.forget(id);
        self.end(id, Ended::Cancelled);
        Ok(())
    }

    /// How a watcher ended, under the rules of 2015; later ones do not say.
    pub fn ended(&self, stream: StreamId, watch: WatchId) -> Option<Ended> {
        self.ended.get(&WatcherId { stream, watch }).copied()
    }

    pub(super) fn end(&mut self, id: WatcherId, how: Ended) {
        if self.rules.cancelled_is_told() {
            self.ended.insert(id, how);
        }
    }

    /// Puts a response into a watcher's stream; says whether there was room. What its filters leave nothing of needs none.
    pub(super) fn send(&mut self, id: WatcherId, mut body: super::Body) -> bool {
        let Some(Watcher { request, .. }) = self.watchers.get(&id) else { return true };
        if let super::Body::Events { events, .. } = &mut body {
            events.retain(|event| match event.kind {
                super::Kind::Put => !request.no_put,
                super::Kind::Delete => !request.no_delete,
            });
            if events.is_empty() {
                return true;
            }
        }
        let with_previous = request.with_previous;
        let response = WatchResponse { watcher: Some(id.watch), body, with_previous };
        self.offer(id.stream, response)
    }
}
