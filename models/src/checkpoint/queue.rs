//! Queueing changes, with de-duplication in the open checkpoint.

use super::manager::{Manager, Role};
use super::op::{Change, CursorName, Item, Mutation, MutationId};
use super::response::Queued;

impl Manager {
    /// Queues a change. An active copy first begins a new checkpoint if it is time for one.
    pub fn queue(&mut self, now: u64, change: Change) -> Queued {
        if self.role == Role::Active {
            self.create_if_due(now);
        }
        let last = self.checkpoints.len() - 1;
        if !self.checkpoints[last].is_open {
            return Queued::Dropped;
        }
        let id = MutationId(self.last_mutation.0.saturating_add(1));
        self.last_mutation = id;
        let mut mutation = Mutation { id, queued_at: now, change };
        let Some((position, _)) = self.checkpoints[last].mutation_of(change.key) else {
            self.checkpoints[last].append(Item::Mutation(mutation));
            self.counted += 1;
            return Queued::New { id };
        };
        let persisted = self.repair(last, position).contains(&CursorName::Persistence);
        if let Item::Mutation(old) = self.checkpoints[last].erase(change.key, position) {
            mutation.queued_at = old.queued_at;
        }
        self.checkpoints[last].append(Item::Mutation(mutation));
        Queued::Existing { id, persists_again: persisted && !self.defects.requeue_is_no_work }
    }

    /// Queues that everything is deleted, or that a transaction ends. Whether there was an open checkpoint.
    pub fn queue_mark(&mut self, mark: Mark) -> bool {
        self.append_meta(match mark {
            Mark::Flush => Item::Flush,
            Mark::Commit => Item::Commit,
        })
    }

    /// Appends an item without a key to the open checkpoint.
    pub(super) fn append_meta(&mut self, item: Item) -> bool {
        let open = self.checkpoints.last_mut().filter(|last| last.is_open);
        let Some(open) = open else { return false };
        open.append(item);
        self.counted += 1;
        true
    }

    /// The item at a position is about to go: cursors on it or behind it have one item less behind them, and stand one
    /// place further to the left. They are returned.
    fn repair(&mut self, checkpoint: usize, position: usize) -> Vec<CursorName> {
        let mut passed = Vec::new();
        for cursor in self.cursors.iter_mut().filter(|cursor| cursor.checkpoint == checkpoint) {
            if cursor.position >= position {
                passed.push(cursor.name);
                cursor.offset -= 1;
                if cursor.position > position || !self.defects.repair_off_by_one {
                    cursor.position -= 1;
                }
            }
        }
        passed
    }
}

/// What can be queued besides changes of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// Everything was deleted.
    Flush,
    /// A transaction ends here.
    Commit,
}
