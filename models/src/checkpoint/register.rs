//! Readers that come, with what they have already.

use super::manager::Manager;
use super::op::{CheckpointId, CursorName, Incarnation};
use super::response::Registration;

impl Manager {
    /// What a reader would be answered, that has everything before the checkpoint `from` of a life of this vbucket.
    pub fn lookup(
        &self,
        name: CursorName,
        from: CheckpointId,
        incarnation: Incarnation,
    ) -> Registration {
        if !matches!(name, CursorName::Named(_)) {
            return Registration::Refused;
        }
        match self.place(from, incarnation) {
            Some((checkpoint, _)) => match self.cursor(name) {
                Some(cursor) if cursor.checkpoint == checkpoint => Registration::Resume,
                Some(_) | None => Registration::Found,
            },
            None if self.window.is_some() => Registration::WindowOpen,
            None => Registration::BackfillNeeded,
        }
    }

    /// A reader comes, with everything before the checkpoint `from` of a life of this vbucket.
    pub fn register(
        &mut self,
        name: CursorName,
        from: CheckpointId,
        incarnation: Incarnation,
    ) -> Registration {
        let answer = self.lookup(name, from, incarnation);
        match answer {
            Registration::Found => {
                if let Some((checkpoint, position)) = self.place(from, incarnation) {
                    self.stand(name, checkpoint, position);
                }
            }
            Registration::BackfillNeeded => {
                if self.defects.reregistration_pins
                    && let Some(slot) = self.slot(name)
                {
                    self.cursors.remove(slot);
                }
                self.stand(name, self.checkpoints.len() - 1, 0);
            }
            Registration::Resume | Registration::WindowOpen | Registration::Refused => {}
        }
        answer
    }

    /// Where a reader begins that asks for a checkpoint: at its beginning; or, if it is the one that is opened next, at the
    /// end of the last.
    fn place(&self, from: CheckpointId, incarnation: Incarnation) -> Option<(usize, usize)> {
        let is_other_life = incarnation != self.incarnation && !self.defects.registered_by_id_alone;
        if is_other_life || from == CheckpointId::BACKFILL {
            return None;
        }
        if let Some(at) = self.checkpoints.iter().position(|checkpoint| checkpoint.id == from) {
            return Some((at, 0));
        }
        let last = self.checkpoints.last().filter(|last| !last.is_open)?;
        (last.id.next() == from).then(|| (self.checkpoints.len() - 1, last.end()))
    }

    fn stand(&mut self, name: CursorName, checkpoint: usize, position: usize) {
        self.take_cursor(name);
        self.put_cursor(name, checkpoint);
        if let Some(slot) = self.slot(name) {
            self.cursors[slot].position = position;
            let cursor = self.cursors[slot];
            self.cursors[slot].offset = if self.defects.start_marker_forgotten {
                self.checkpoints[..checkpoint].iter().map(|earlier| earlier.counted()).sum()
            } else {
                self.offset_of(&cursor)
            };
        }
    }
}
