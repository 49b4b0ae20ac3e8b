//! Removal of what nobody needs any more.

use super::manager::{Manager, Role};
use super::response::Removed;

impl Manager {
    /// Makes a checkpoint if it is time for one, and then removes closed checkpoints from the oldest on, up to the first one
    /// in which a cursor stands. One that has delivered all of a closed checkpoint is moved out of it before.
    pub fn remove_unreferenced(&mut self, now: u64) -> Removed {
        let is_active = self.role == Role::Active;
        let opened = if is_active { self.create_if_due(now) } else { None };
        self.leave_ends();
        let kept = self.checkpoints.len() - 1;
        let unreferenced = self.checkpoints[..kept].iter();
        let gone = unreferenced.take_while(|c| !c.is_open && c.cursors.is_empty()).count();
        let counted: i64 = self.checkpoints[..gone].iter().map(|c| c.counted()).sum();
        let mutations: usize = self.checkpoints.drain(..gone).map(|c| c.mutations()).sum();
        self.counted -= counted;
        for cursor in &mut self.cursors {
            cursor.checkpoint = cursor.checkpoint.saturating_sub(gone);
            cursor.offset -= counted;
        }
        Removed { checkpoints: wide(gone), mutations: wide(mutations), opened }
    }

    /// Moves cursors that have delivered the end of a checkpoint to the beginning of the next one.
    fn leave_ends(&mut self) {
        for slot in 0..self.cursors.len() {
            let cursor = self.cursors[slot];
            let Some(at) = self.checkpoints.get(cursor.checkpoint) else { continue };
            let has_all = cursor.position >= at.end() || cursor.passes_over(at);
            if !at.is_open && has_all && cursor.checkpoint + 1 < self.checkpoints.len() {
                self.move_cursor(slot, cursor.checkpoint + 1, 0);
            }
        }
    }
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
