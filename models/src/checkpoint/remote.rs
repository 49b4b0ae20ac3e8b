//! What the active copy tells a replica about checkpoints, and what becomes of a copy whose role changes.

use super::manager::{Manager, Role, first_id};
use super::op::{CheckpointId, CursorName, Epoch, Incarnation};
use super::response::{Ended, Started};

impl Manager {
    /// The active copy has begun a checkpoint.
    pub fn accept_start(&mut self, now: u64, id: CheckpointId) -> Started {
        if self.role == Role::Active || id == CheckpointId::BACKFILL {
            return Started::Ignored;
        }
        let last = self.checkpoints.len() - 1;
        let (newest, is_open) = (self.checkpoints[last].id, self.checkpoints[last].is_open);
        let is_backfill = newest == CheckpointId::BACKFILL;
        let answer = if is_open && is_backfill {
            self.checkpoints[last].renumber(id);
            Started::Renumbered
        } else if newest >= id {
            self.go_back(now, id)
        } else if is_open && self.checkpoints[last].is_empty() {
            self.checkpoints[last].renumber(id);
            self.rewind(last);
            Started::Renumbered
        } else {
            self.close();
            self.open(id, now);
            Started::Opened
        };
        if answer != Started::Refused {
            self.note_id(id);
        }
        answer
    }

    /// The active copy has ended a checkpoint. A backfill ends with the start of the first checkpoint after it.
    pub fn accept_end(&mut self, id: CheckpointId) -> Ended {
        if self.role == Role::Active || id == CheckpointId::BACKFILL {
            return Ended::Ignored;
        }
        match self.open_checkpoint() {
            Some(open) if open.id == id => {
                self.close();
                Ended::Closed
            }
            Some(_) | None if self.defects.end_opens_next && self.open_id() != id => {
                Ended::Disconnect
            }
            Some(_) | None => Ended::Ignored,
        }
    }

    /// This copy becomes the active one, which begins a new life. It has an open checkpoint then.
    pub fn promote(&mut self, now: u64, incarnation: Incarnation) {
        self.role = Role::Active;
        self.incarnation = incarnation;
        let last = self.checkpoints.len() - 1;
        if !self.checkpoints[last].is_open {
            if !self.defects.promoted_without_open {
                self.open_next(now);
            }
        } else if self.checkpoints[last].id == CheckpointId::BACKFILL {
            let id = self.next_id;
            self.checkpoints[last].renumber(id);
            self.next_id = id.next();
        }
    }

    /// This copy is not the active one any more.
    pub fn demote(&mut self) {
        self.role = Role::Replica;
    }

    /// Forgets everything, an online update too. Cursors stay, at the beginning.
    pub fn clear(&mut self, now: u64) {
        self.checkpoints.clear();
        self.counted = 0;
        let id = first_id(self.role);
        self.open(id, now);
        self.next_id = id.next();
        let mut names: Vec<CursorName> = self.cursors.iter().map(|cursor| cursor.name).collect();
        names.retain(|name| *name != CursorName::Backup);
        if self.defects.window_survives_clear {
            names.retain(|name| *name != CursorName::OnlineUpdate);
            self.cursors.retain(|cursor| cursor.name == CursorName::OnlineUpdate);
        } else {
            names.retain(|name| *name != CursorName::OnlineUpdate);
            self.cursors.clear();
            self.window = None;
            if self.role == Role::Replica {
                self.epoch = Epoch(0);
            }
        }
        for name in names {
            self.put_cursor(name, 0);
        }
    }

    /// The active copy begins with an id that is here already: the copy before it had come further. Everything is one
    /// checkpoint of that id from then on, so that no deletion is lost; of an open window only what is not older.
    fn go_back(&mut self, now: u64, id: CheckpointId) -> Started {
        let defects = self.defects;
        let persisted_at_most =
            Some(id.previous()).filter(|_| !defects.rollback_keeps_persisted_id);
        if defects.smaller_start_erases || defects.start_takes_next_id {
            self.erase_from(now, id);
            return Started::Merged { persisted_at_most };
        }
        let mut first = 0;
        if let Some(window) = self.window.filter(|_| !defects.window_survives_rollback) {
            if window.is_reverting || id < window.checkpoint {
                return Started::Refused;
            }
            let newer = self.checkpoints.iter().take_while(|checkpoint| checkpoint.id < id).count();
            first = newer.max(self.window_from());
        }
        self.merge(first, self.checkpoints.len() - 1, id, true);
        Started::Merged { persisted_at_most }
    }

    /// The rule before ep-engine b1ae7f77.
    fn erase_from(&mut self, now: u64, id: CheckpointId) {
        let kept = self.checkpoints.iter().take_while(|checkpoint| checkpoint.id < id).count();
        let gone: i64 = self.checkpoints.drain(kept..).map(|checkpoint| checkpoint.counted()).sum();
        self.counted -= gone;
        self.close();
        self.open(id, now);
        for slot in 0..self.cursors.len() {
            if self.cursors[slot].checkpoint >= kept {
                self.move_cursor(slot, kept, 0);
            }
            let offset = self.offset_of(&self.cursors[slot]);
            self.cursors[slot].offset = offset;
        }
    }

    /// Puts the cursors of a checkpoint back to its beginning.
    fn rewind(&mut self, checkpoint: usize) {
        for cursor in self.cursors.iter_mut().filter(|cursor| cursor.checkpoint == checkpoint) {
            cursor.offset -= i64::try_from(cursor.position).unwrap_or(0);
            cursor.position = 0;
        }
    }
}
