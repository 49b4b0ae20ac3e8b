//! Streams: bounded queues from the store to those who watch.

use std::collections::VecDeque;
use std::fmt;

use super::{CancelError, Watch, WatchId, WatchResponse, WatcherId};
use crate::mvcc::backend::View;
use crate::mvcc::store::{Fatal, Store};

/// The name of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u32);

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What waits to be taken out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Stream {
    queue: VecDeque<WatchResponse>,
    closed: bool,
    /// The least name that no watcher was given by itself.
    pub(super) next_id: i64,
}

impl Watch {
    /// Opens a stream.
    pub fn open_stream(&mut self) -> StreamId {
        self.opened += 1;
        let id = StreamId(self.opened);
        self.streams.insert(id, Stream::default());
        id
    }

    /// Ends all watchers of a stream, and then the stream. What is in it still comes out.
    pub fn close_stream(&mut self, stream: StreamId) -> Result<(), CancelError> {
        let ids = |id: &&WatcherId| id.stream == stream;
        if self.in_hand.keys().any(|id| ids(&id)) {
            return Err(CancelError::InHand);
        }
        let watchers: Vec<WatcherId> = self.watchers.keys().filter(ids).copied().collect();
        for id in watchers {
            self.cancel(stream, id.watch)?;
        }
        match self.streams.get_mut(&stream) {
            Some(open) if !open.closed => {
                open.closed = true;
                Ok(())
            }
            _ => Err(CancelError::NotExist),
        }
    }

    /// Whether watchers can be made on a stream.
    pub fn is_open(&self, stream: StreamId) -> bool {
        self.streams.get(&stream).is_some_and(|stream| !stream.closed)
    }

    /// How many responses wait in a stream.
    pub fn waiting(&self, stream: StreamId) -> usize {
        self.streams.get(&stream).map_or(0, |stream| stream.queue.len())
    }

    /// Takes the oldest response out of a stream. What the keys were before is read now, for those who asked.
    pub fn receive(
        &mut self,
        stream: StreamId,
        store: &Store,
        view: &impl View,
    ) -> Result<Option<WatchResponse>, Fatal> {
        let Some(open) = self.streams.get_mut(&stream) else { return Ok(None) };
        let Some(mut response) = open.queue.pop_front() else { return Ok(None) };
        if open.closed && open.queue.is_empty() {
            self.streams.remove(&stream);
        }
        if response.with_previous {
            response.add_previous(store, view)?;
        }
        Ok(Some(response))
    }

    /// Puts a response into a stream if there is room.
    pub(super) fn offer(&mut self, stream: StreamId, response: WatchResponse) -> bool {
        let room = self.limits.channel;
        match self.streams.get_mut(&stream) {
            Some(open) if !open.closed && open.queue.len() < room => {
                open.queue.push_back(response);
                true
            }
            _ => false,
        }
    }

    /// Tells how far a watcher is, or all of a stream: that nothing up to `current` is still to come. Says whether it was
    /// told. It is not while any of them is not synced or waits for a later revision, or if the stream is full.
    pub fn progress(&mut self, stream: StreamId, watch: Option<WatchId>, current: i64) -> bool {
        let of =
            |id: &&WatcherId| id.stream == stream && watch.is_none_or(|watch| id.watch == watch);
        let mut asked = self.watchers.iter().filter(|(id, _)| of(id)).peekable();
        if asked.peek().is_none() {
            return false;
        }
        let is_there = |(id, watcher): (&WatcherId, &super::Watcher)| {
            self.synced.contains(id) && watcher.request.start <= current
        };
        if !asked.all(is_there) {
            return false;
        }
        let body = super::Body::Progress { revision: current };
        self.offer(stream, WatchResponse { watcher: watch, body, with_previous: false })
    }
}
