//! Online update: changes that are read, written and replicated at once, but persisted all together, or taken back.
//!
//! ```text
//! idle ── start ──▶ window ── complete ──▶ idle          what was in the window is persisted now
//!                     │
//!                     └── begin revert ──▶ reverting ── finish revert ──▶ idle     it never is
//! ```
//!
//! This is the side of the log: where the window begins and ends, that the flusher stops in front of it, and that it is
//! delivered to readers but not to the disk if it is reverted. What keys were before is not known here.

use super::manager::{Manager, Role};
use super::op::{CheckpointId, CursorName, Epoch, Event, EventKind, Item, Key, Mutation};
use super::response::{Accepted, Refusal};

/// An online update that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// The first checkpoint of it.
    pub checkpoint: CheckpointId,
    /// Which online update it is.
    pub epoch: Epoch,
    /// It was ended by a revert, which is not finished.
    pub is_reverting: bool,
}

impl Manager {
    /// The online update that is under way.
    pub fn window(&self) -> Option<Window> {
        self.window
    }

    /// The last online update that was begun.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// A client begins an online update: in a new checkpoint, however many there are.
    pub fn start(&mut self, now: u64) -> Result<Event, Refusal> {
        if self.role != Role::Active || self.window.is_some() {
            return Err(Refusal::NotSupported);
        }
        let checkpoint = self.roll(now);
        let epoch = Epoch(self.epoch.0.saturating_add(1));
        Ok(self.begin_window(Event { kind: EventKind::Start, checkpoint, epoch }))
    }

    /// A client ends it, and keeps what was done.
    pub fn complete(&mut self, now: u64) -> Result<Event, Refusal> {
        let window = self.ended_by_client(self.defects.completes_during_revert)?;
        let event = self.append_event(EventKind::Complete, window);
        self.roll(now);
        self.end_window();
        Ok(event)
    }

    /// A client ends it, and takes back what was done. The window then stays, for those who take it back, until
    /// [`finish_revert`](Manager::finish_revert).
    pub fn begin_revert(&mut self, now: u64) -> Result<Event, Refusal> {
        let window = self.ended_by_client(false)?;
        if self.asserts_barrier() && !self.flusher_is_in_window() {
            return Err(Refusal::Aborts);
        }
        let event = self.append_event(EventKind::Revert, window);
        self.close();
        self.mark_reverted();
        self.open_next(now);
        self.leave_reverted();
        Ok(event)
    }

    /// Everything has been taken back. Whether a revert was under way.
    pub fn finish_revert(&mut self) -> bool {
        let is_reverting = self.window.is_some_and(|window| window.is_reverting);
        if is_reverting {
            self.end_window();
        }
        is_reverting
    }

    /// A replica is told of a step of an online update. A revert goes on with
    /// [`finish_revert`](Manager::finish_revert).
    pub fn accept_event(&mut self, now: u64, event: Event) -> Accepted {
        if self.role == Role::Active {
            return Accepted::Ignored;
        }
        let is_open = self.window.filter(|w| w.epoch == event.epoch && !w.is_reverting);
        let again =
            if self.defects.events_once_only { Accepted::Refused } else { Accepted::AlreadyDone };
        match (event.kind, is_open) {
            // The end of a window stands in its last checkpoint, which is closed after that.
            (EventKind::Complete | EventKind::Revert, Some(_)) if !self.has_open() => {
                Accepted::Refused
            }
            (EventKind::Start, _) if event.epoch <= self.epoch => again,
            (EventKind::Start, _) => self.accept_window(now, event),
            (EventKind::Complete, Some(window)) => {
                self.append_event(EventKind::Complete, window);
                self.close_as_told(now);
                self.end_window();
                Accepted::Applied
            }
            (EventKind::Revert, Some(window)) => self.accept_revert(now, window),
            (EventKind::Complete | EventKind::Revert, None) if event.epoch <= self.epoch => again,
            (EventKind::Complete | EventKind::Revert, None) => Accepted::Refused,
        }
    }

    /// Every mutation of the window, in order, across all of its checkpoints: what is persisted in one transaction, or
    /// taken back.
    pub fn window_mutations(&self) -> Vec<Mutation> {
        if self.window.is_none() {
            return Vec::new();
        }
        let collects_all = self.defects.collects_past_revert;
        let is_reverting = self.window.is_some_and(|window| window.is_reverting);
        let parts = self.checkpoints.iter().skip(self.window_from());
        let parts = parts.filter(|part| !is_reverting || part.is_reverted || collects_all);
        parts.flat_map(|part| part.items.iter().filter_map(Item::mutation).copied()).collect()
    }

    /// The keys that were changed in the window, in order.
    pub fn window_keys(&self) -> Vec<Key> {
        let changed = self.window_mutations();
        let mut keys: Vec<Key> = changed.iter().map(|mutation| mutation.change.key).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// Whether a key was changed in the window.
    pub fn is_changed_in_window(&self, key: Key) -> bool {
        self.window_mutations().iter().any(|mutation| mutation.change.key == key)
    }

    /// Whether the flusher has everything that was before the window.
    pub fn flusher_is_in_window(&self) -> bool {
        let place = |name| self.cursor(name).map(|cursor| cursor.checkpoint);
        match (place(CursorName::Persistence), place(CursorName::OnlineUpdate)) {
            (Some(persistence), Some(window)) if self.defects.start_reuses_id => {
                persistence == window
            }
            (Some(persistence), Some(window)) => persistence >= window,
            (None, _) | (_, None) => false,
        }
    }

    /// Where the window begins in the list of checkpoints.
    pub(super) fn window_from(&self) -> usize {
        let cursor = self.cursor(CursorName::OnlineUpdate);
        cursor.map_or(self.checkpoints.len(), |cursor| cursor.checkpoint)
    }

    /// The window that a client may end.
    fn ended_by_client(&self, even_reverting: bool) -> Result<Window, Refusal> {
        let window = self.window.filter(|w| !w.is_reverting || even_reverting);
        let window = window.filter(|_| self.role == Role::Active && self.has_open());
        window.ok_or(Refusal::NotSupported)
    }

    fn has_open(&self) -> bool {
        self.open_checkpoint().is_some()
    }

    fn asserts_barrier(&self) -> bool {
        self.defects.revert_asserts_barrier || self.defects.start_reuses_id
    }

    /// The window begins with the open checkpoint.
    fn begin_window(&mut self, event: Event) -> Event {
        let Event { checkpoint, epoch, .. } = event;
        self.append_meta(Item::OnlineUpdate(event));
        self.epoch = epoch;
        self.window = Some(Window { checkpoint, epoch, is_reverting: false });
        self.put_cursor(CursorName::OnlineUpdate, self.checkpoints.len() - 1);
        event
    }

    fn append_event(&mut self, kind: EventKind, window: Window) -> Event {
        let event = Event { kind, checkpoint: window.checkpoint, epoch: window.epoch };
        self.append_meta(Item::OnlineUpdate(event));
        event
    }

    /// The window is over: its frame counts no more, and nothing pins it.
    fn end_window(&mut self) {
        self.take_cursor(CursorName::OnlineUpdate);
        self.window = None;
        self.counted -= 2;
        for cursor in &mut self.cursors {
            let is_forgotten = self.defects.offsets_not_adjusted && !cursor.name.persists();
            cursor.offset -= if is_forgotten { 0 } else { 2 };
        }
    }

    /// Nothing of the window is for the disk, so that the flusher has passed it.
    fn mark_reverted(&mut self) {
        let ahead = |manager: &Manager| -> Vec<u64> {
            manager.cursors.iter().map(|cursor| manager.items_ahead_of(cursor)).collect()
        };
        let before = ahead(self);
        let from = self.window_from();
        for checkpoint in self.checkpoints.iter_mut().skip(from) {
            checkpoint.is_reverted = true;
        }
        let passed = before.into_iter().zip(ahead(self)).map(|(before, after)| before - after);
        let passed: Vec<u64> = passed.collect();
        for (cursor, passed) in self.cursors.iter_mut().zip(passed) {
            cursor.offset += i64::try_from(passed).unwrap_or(0);
        }
        if let Some(window) = &mut self.window {
            window.is_reverting = true;
        }
    }

    /// The flusher goes on behind the window, if it has what was before.
    fn leave_reverted(&mut self) {
        let (from, last) = (self.window_from(), self.checkpoints.len() - 1);
        for slot in 0..self.cursors.len() {
            let cursor = self.cursors[slot];
            if cursor.name.persists() && cursor.checkpoint >= from {
                self.move_cursor(slot, last, 0);
            }
        }
    }

    /// The window of a replica begins where that of the active copy does, in a checkpoint of the same id.
    fn accept_window(&mut self, now: u64, event: Event) -> Accepted {
        if self.defects.start_reuses_id || self.defects.start_takes_next_id {
            return self.open_window_itself(now, event);
        }
        if self.window.is_some() {
            return Accepted::Refused;
        }
        if self.defects.start_without_id {
            return self.open_window_here(now, event);
        }
        if self.open_checkpoint().is_none_or(|open| open.id != event.checkpoint) {
            let newest = self.checkpoints.last().map(|last| last.id);
            if newest.is_some_and(|newest| newest >= event.checkpoint) {
                return Accepted::Refused;
            }
            self.accept_start(now, event.checkpoint);
        }
        if self.open_checkpoint().is_none_or(|open| !open.is_empty()) {
            return Accepted::Refused;
        }
        self.begin_window(event);
        Accepted::Applied
    }

    /// As it was landed: the replica makes a checkpoint of its own for the window.
    fn open_window_itself(&mut self, now: u64, event: Event) -> Accepted {
        if self.window.is_some() {
            return Accepted::Refused;
        }
        let own = self.open_id();
        self.close();
        let checkpoint = if self.defects.start_reuses_id { own } else { own.next() };
        self.open(checkpoint, now);
        self.note_id(checkpoint);
        self.begin_window(Event { checkpoint, ..event });
        Accepted::Applied
    }

    /// The replica was told no id.
    fn open_window_here(&mut self, now: u64, event: Event) -> Accepted {
        if !self.has_open() {
            self.open_next(now);
        }
        self.begin_window(Event { checkpoint: self.open_id(), ..event });
        Accepted::Applied
    }

    fn accept_revert(&mut self, now: u64, window: Window) -> Accepted {
        if self.asserts_barrier() && !self.flusher_is_in_window() {
            return Accepted::Aborts;
        }
        self.append_event(EventKind::Revert, window);
        self.close();
        self.mark_reverted();
        if self.defects.end_opens_next {
            self.open_next(now);
        }
        Accepted::Applied
    }

    /// The checkpoint in which a window ends takes no more; the next one is opened when the active copy says so.
    fn close_as_told(&mut self, now: u64) {
        self.close();
        if self.defects.end_opens_next {
            self.open_next(now);
        }
    }
}
