//! When a checkpoint is closed and the next one opened.

use super::manager::{Manager, Role};
use super::op::{CheckpointId, CursorName, Item};
use super::segment::Checkpoint;

impl Manager {
    /// Begins a new checkpoint if the open one is full or old enough. A replica whose active copy sends no checkpoints calls
    /// it after each mutation.
    pub fn create_if_due(&mut self, now: u64) -> Option<CheckpointId> {
        let open = self.open_checkpoint()?;
        let mutations = open.mutations();
        let is_full = self.settings.by_count && mutations >= size(self.settings.max_items);
        let is_old = now.saturating_sub(open.created_at) >= self.settings.period;
        let is_due = mutations > 0 && (is_full || is_old);
        (is_due && !self.is_extended && !self.is_capped()).then(|| self.roll(now))
    }

    /// Begins a new checkpoint because a client wants one; not if the open one is empty, and not at a replica.
    pub fn create(&mut self, now: u64) -> Option<CheckpointId> {
        let open = self.open_checkpoint()?;
        (self.role == Role::Active && open.mutations() > 0).then(|| self.roll(now))
    }

    /// Begins a new checkpoint so that the one that is open now can be removed soon; not while a cursor stands somewhere
    /// else, which would keep it anyhow.
    pub fn create_under_pressure(&mut self, now: u64) -> Option<CheckpointId> {
        let open = self.open_checkpoint()?;
        let is_worth_it = open.mutations() >= size(self.settings.min_items).max(1);
        let all_are_there = open.cursors.len() == self.cursors.len();
        (self.role == Role::Active && is_worth_it && all_are_there).then(|| self.roll(now))
    }

    /// Begins a new checkpoint in any case. Nothing if none is open.
    pub fn force(&mut self, now: u64) -> Option<CheckpointId> {
        self.open_checkpoint()?;
        Some(self.roll(now))
    }

    /// From now on no checkpoint is made by count or age, or is again.
    pub fn extend(&mut self, is_extended: bool) {
        self.is_extended = is_extended;
    }

    /// Whether no checkpoint is made by count or age.
    pub fn is_extended(&self) -> bool {
        self.is_extended
    }

    /// Whether there are as many checkpoints as there may be, and the oldest is still needed.
    pub fn is_capped(&self) -> bool {
        let is_full = self.checkpoints.len() >= size(self.settings.max_checkpoints);
        is_full && self.checkpoints.first().is_some_and(|first| !first.cursors.is_empty())
    }

    /// Closes what is open, and opens the next.
    pub(super) fn roll(&mut self, now: u64) -> CheckpointId {
        self.close();
        self.open_next(now)
    }

    /// Opens a checkpoint of this copy's own.
    pub(super) fn open_next(&mut self, now: u64) -> CheckpointId {
        let id = self.next_id;
        self.open(id, now);
        self.next_id = id.next();
        id
    }

    pub(super) fn close(&mut self) {
        let id = self.open_id();
        if self.append_meta(Item::CheckpointEnd(id))
            && let Some(last) = self.checkpoints.last_mut()
        {
            last.is_open = false;
        }
    }

    pub(super) fn open(&mut self, id: CheckpointId, now: u64) {
        self.checkpoints.push(Checkpoint::new(id, now));
        self.counted += 1;
    }

    /// The active copy has made this id; those that this copy makes itself come after it.
    pub(super) fn note_id(&mut self, id: CheckpointId) {
        if !self.defects.next_id_not_advanced {
            self.next_id = self.next_id.max(id.next());
        }
    }

    /// Where the flusher stops: in front of an open window.
    pub fn barrier(&self) -> Option<CheckpointId> {
        let slot = self.slot(CursorName::OnlineUpdate)?;
        let is_open = self.window.is_some_and(|window| !window.is_reverting);
        self.checkpoints.get(self.cursors[slot].checkpoint).map(|at| at.id).filter(|_| is_open)
    }
}

fn size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
