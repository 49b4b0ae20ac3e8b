//! Cursors: who has delivered how much.

use super::manager::Manager;
use super::op::{CheckpointId, CursorName, Item};
use super::response::Fetched;
use super::segment::Checkpoint;

/// A place in the log: everything up to it has been delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    pub(super) name: CursorName,
    /// Which one of the list.
    pub(super) checkpoint: usize,
    /// The item there that was delivered last.
    pub(super) position: usize,
    /// How many items it has passed, kept up by adding and subtracting as in 2011.
    pub(super) offset: i64,
}

impl Cursor {
    /// Who reads.
    pub fn name(&self) -> CursorName {
        self.name
    }

    /// In which checkpoint it stands, counted from the oldest.
    pub fn checkpoint(&self) -> usize {
        self.checkpoint
    }

    /// The item that it delivered last.
    pub fn position(&self) -> usize {
        self.position
    }

    /// How many items it has passed, by the counting of 2011.
    pub fn offset(&self) -> i64 {
        self.offset
    }

    /// What was reverted is not for the disk.
    pub(super) fn passes_over(&self, checkpoint: &Checkpoint) -> bool {
        checkpoint.is_reverted && self.name.persists()
    }
}

impl Manager {
    /// The next item for a reader, or nothing if it has seen all.
    pub fn next(&mut self, name: CursorName) -> Option<Item> {
        let slot = self.reader(name)?;
        self.advance(slot, None)
    }

    /// Everything for a reader, or what is in front of the checkpoint `barrier`: the cursor then stands at its beginning.
    /// Nothing if there is no such reader.
    pub fn fetch_all(
        &mut self,
        name: CursorName,
        barrier: Option<CheckpointId>,
    ) -> Option<Fetched> {
        self.fetch(name, usize::MAX, barrier)
    }

    /// The same, but at most so many items.
    pub fn fetch(
        &mut self,
        name: CursorName,
        limit: usize,
        barrier: Option<CheckpointId>,
    ) -> Option<Fetched> {
        let slot = self.reader(name)?;
        let mut items = Vec::new();
        while items.len() < limit
            && let Some(item) = self.advance(slot, barrier)
        {
            items.push(item);
        }
        Some(Fetched { items, last_closed: self.last_closed(slot) })
    }

    /// Drains what there is to persist in front of `barrier`, and remembers where that began.
    pub fn begin_flush(&mut self, barrier: Option<CheckpointId>) -> Option<Fetched> {
        let from = *self.cursor(CursorName::Persistence)?;
        self.take_cursor(CursorName::Backup);
        self.put_copy(CursorName::Backup, from);
        self.fetch_all(CursorName::Persistence, barrier)
    }

    /// What was drained is on disk.
    pub fn flush_succeeded(&mut self) {
        self.take_cursor(CursorName::Backup);
    }

    /// What was drained is not on disk: it will be drained again.
    pub fn flush_failed(&mut self) {
        if let Some(backup) = self.take_cursor(CursorName::Backup) {
            self.take_cursor(CursorName::Persistence);
            self.put_copy(CursorName::Persistence, backup);
        }
    }

    /// Ends a named cursor. Whether it was there.
    pub fn remove_cursor(&mut self, name: CursorName) -> bool {
        matches!(name, CursorName::Named(_)) && self.take_cursor(name).is_some()
    }

    /// The step of every reader. Behind the last item of a closed checkpoint it goes on with the next one; in the open one
    /// it waits there.
    fn advance(&mut self, slot: usize, barrier: Option<CheckpointId>) -> Option<Item> {
        loop {
            let cursor = *self.cursors.get(slot)?;
            let checkpoint = self.checkpoints.get(cursor.checkpoint)?;
            if barrier.is_some_and(|barrier| checkpoint.id >= barrier) {
                return None;
            }
            let ahead = checkpoint.items.get(cursor.position + 1);
            if let Some(item) = ahead.filter(|_| !cursor.passes_over(checkpoint)) {
                let item = *item;
                self.cursors[slot].position += 1;
                self.cursors[slot].offset += 1;
                return Some(item);
            }
            if checkpoint.is_open || cursor.checkpoint + 1 >= self.checkpoints.len() {
                return None;
            }
            self.move_cursor(slot, cursor.checkpoint + 1, 0);
        }
    }

    /// Everything up to here has been delivered to a cursor.
    fn last_closed(&self, slot: usize) -> CheckpointId {
        let cursor = &self.cursors[slot];
        let Some(checkpoint) = self.checkpoints.get(cursor.checkpoint) else {
            return CheckpointId::BACKFILL;
        };
        if self.defects.last_closed_is_predecessor {
            let before = cursor.checkpoint.checked_sub(1).map(|at| self.checkpoints[at].id);
            return before.unwrap_or(CheckpointId::BACKFILL);
        }
        let has_all = cursor.position >= checkpoint.end() || cursor.passes_over(checkpoint);
        if !checkpoint.is_open && has_all {
            return checkpoint.id;
        }
        checkpoint.closed_before(cursor.position)
    }

    /// The place of a cursor in the list of cursors.
    pub(super) fn slot(&self, name: CursorName) -> Option<usize> {
        self.cursors.binary_search_by_key(&name, |cursor| cursor.name).ok()
    }

    /// The same for one that reads.
    fn reader(&self, name: CursorName) -> Option<usize> {
        match name {
            CursorName::Persistence | CursorName::Named(_) => self.slot(name),
            CursorName::Backup | CursorName::OnlineUpdate => None,
        }
    }

    /// A cursor at the beginning of a checkpoint.
    pub(super) fn put_cursor(&mut self, name: CursorName, checkpoint: usize) {
        let mut cursor = Cursor { name, checkpoint, position: 0, offset: 0 };
        cursor.offset = self.offset_of(&cursor);
        self.put_copy(name, cursor);
    }

    /// A cursor where another one stands, or stood.
    fn put_copy(&mut self, name: CursorName, from: Cursor) {
        let cursor = Cursor { name, ..from };
        if let Some(checkpoint) = self.checkpoints.get_mut(cursor.checkpoint) {
            checkpoint.enter(name);
        }
        match self.cursors.binary_search_by_key(&name, |cursor| cursor.name) {
            Ok(slot) => self.cursors[slot] = cursor,
            Err(slot) => self.cursors.insert(slot, cursor),
        }
    }

    /// Takes a cursor away.
    pub(super) fn take_cursor(&mut self, name: CursorName) -> Option<Cursor> {
        let cursor = self.cursors.remove(self.slot(name)?);
        if let Some(checkpoint) = self.checkpoints.get_mut(cursor.checkpoint) {
            checkpoint.leave(name);
        }
        Some(cursor)
    }

    /// Puts a cursor somewhere else; its offset is left to the caller.
    pub(super) fn move_cursor(&mut self, slot: usize, checkpoint: usize, position: usize) {
        let Cursor { name, checkpoint: before, .. } = self.cursors[slot];
        if let Some(before) = self.checkpoints.get_mut(before) {
            before.leave(name);
        }
        if let Some(after) = self.checkpoints.get_mut(checkpoint) {
            after.enter(name);
        }
        self.cursors[slot] = Cursor { checkpoint, position, ..self.cursors[slot] };
    }

    /// The offset that belongs to a place, counted back from the end.
    pub(super) fn offset_of(&self, cursor: &Cursor) -> i64 {
        self.counted - i64::try_from(self.items_ahead_of(cursor)).unwrap_or(i64::MAX)
    }
}
