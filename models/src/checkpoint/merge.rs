//! Several checkpoints become one.
//!
//! ```text
//! [empty start1 a1 b1 end1] [empty start2 a2]        becomes as an open checkpoint 2
//!                   ^p             ^c
//! [empty start2 b1 a2]                               what is newer stays; cursors have delivered what they had before
//!               ^p
//!               ^c
//! ```

use super::manager::{Manager, Role};
use super::op::{CheckpointId, Item};
use super::segment::Checkpoint;

impl Manager {
    /// Merges all closed checkpoints of a replica into one, if there are more than two checkpoints. Its ids have gaps then.
    /// A window stays as it is. How many mutations were older versions.
    pub fn collapse(&mut self) -> u64 {
        let closed = self.checkpoints.iter().filter(|checkpoint| !checkpoint.is_open).count();
        if self.role == Role::Active || self.checkpoints.len() <= 2 || self.window.is_some() {
            return 0;
        }
        let mutations = |manager: &Manager| -> usize {
            manager.checkpoints.iter().map(Checkpoint::mutations).sum()
        };
        let before = mutations(self);
        let id = self.checkpoints[closed - 1].id;
        self.merge(0, closed - 1, id, false);
        u64::try_from(before - mutations(self)).unwrap_or(u64::MAX)
    }

    /// Makes one checkpoint of those from `first` to `last`.
    pub(super) fn merge(&mut self, first: usize, last: usize, id: CheckpointId, is_open: bool) {
        let parts: Vec<Checkpoint> = self.checkpoints.drain(first..=last).collect();
        let (merged, places) = merged(&parts, id, is_open);
        let before: i64 = parts.iter().map(Checkpoint::counted).sum();
        self.counted += merged.counted() - before;
        self.checkpoints.insert(first, merged);
        for slot in 0..self.cursors.len() {
            let cursor = &mut self.cursors[slot];
            if cursor.checkpoint > last {
                cursor.checkpoint -= last - first;
            } else if cursor.checkpoint >= first {
                let place = &places[cursor.checkpoint - first];
                let kept = place.get(cursor.position).or(place.last()).copied().unwrap_or(0);
                cursor.position = if self.defects.merge_rewinds { 0 } else { kept };
                cursor.checkpoint = first;
                let name = cursor.name;
                if !self.defects.merge_forgets_cursors {
                    self.checkpoints[first].enter(name);
                }
            }
            let offset = self.offset_of(&self.cursors[slot]);
            self.cursors[slot].offset = offset;
        }
    }
}

/// The parts as one checkpoint; and for each place in each part the place there up to which the same has been delivered.
fn merged(parts: &[Checkpoint], id: CheckpointId, is_open: bool) -> (Checkpoint, Vec<Vec<usize>>) {
    let created_at = parts.last().map_or(0, |last| last.created_at);
    let mut merged = Checkpoint::new(id, created_at);
    let mut places = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let newer = &parts[at + 1..];
        let mut place = Vec::new();
        for item in &part.items {
            if stays(item, part, newer) {
                merged.append(*item);
            }
            // The start may have another id, and is delivered again unless something behind it was.
            place.push(if merged.is_empty() { 0 } else { merged.end() });
        }
        places.push(place);
    }
    if !is_open {
        merged.append(Item::CheckpointEnd(id));
        merged.is_open = false;
        if let Some(end) = places.last_mut().and_then(|place| place.last_mut()) {
            *end = merged.end();
        }
    }
    (merged, places)
}

/// Whether an item is part of the merged checkpoint: not if it was reverted, or something newer about its key follows.
fn stays(item: &Item, part: &Checkpoint, newer: &[Checkpoint]) -> bool {
    match item {
        Item::Mutation(mutation) => {
            let key = mutation.change.key;
            let holds = |later: &Checkpoint| !later.is_reverted && later.mutation_of(key).is_some();
            !part.is_reverted && !newer.iter().any(holds)
        }
        Item::Flush | Item::Commit | Item::OnlineUpdate(_) => true,
        Item::Empty | Item::CheckpointStart(_) | Item::CheckpointEnd(_) => false,
    }
}
