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
use super::segment::{Checkpoint, Inherited};

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
    merged.inherited = inherited(parts, id);
    if !is_open {
        merged.append(Item::CheckpointEnd(id));
        merged.is_open = false;
        if let Some(end) = places.last_mut().and_then(|place| place.last_mut()) {
            *end = merged.end();
        }
    }
    (merged, places)
}

/// What comes from checkpoints before `id`.
fn inherited(parts: &[Checkpoint], id: CheckpointId) -> Option<Inherited> {
    let all = parts.iter().filter_map(|part| {
        // What was reverted has not come along, so that nobody waits for it.
        let mut kept = part.items.iter().rev().filter(|_| !part.is_reverted);
        let last = kept.find_map(Item::mutation).map(|mutation| mutation.id);
        let whole = last.filter(|_| part.id < id).map(|until| Inherited { oldest: part.id, until });
        let oldest = part.inherited.map_or(part.id, |of| of.oldest);
        whole.map(|whole| Inherited { oldest, ..whole }).or(part.inherited)
    });
    all.reduce(|a, b| Inherited { oldest: a.oldest.min(b.oldest), until: a.until.max(b.until) })
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

#[cfg(test)]
mod tests {
    use super::super::op::{Change, CursorName, Epoch, Event, EventKind, Incarnation};
    use super::super::settings::Settings;
    use super::*;

    /// A replica with closed checkpoints 1 and 2, a change in each, and 3 open.
    fn replica() -> Manager {
        let mut log = Manager::new(Settings::USUAL, Role::Replica, Incarnation(1), 0);
        for (id, key) in (1..).zip(["a", "b"]) {
            log.accept_start(0, CheckpointId(id));
            log.queue(0, Change::delete(key.parse().expect("it fits")));
            log.accept_end(CheckpointId(id));
        }
        log.accept_start(0, CheckpointId(3));
        log
    }

    #[test]
    fn a_checkpoint_counts_as_delivered_only_with_all_that_was_merged_into_a_later_one() {
        let fetch = |log: &mut Manager, limit| {
            let fetched = log.fetch(CursorName::Persistence, limit, None).expect("it is there");
            fetched.last_closed
        };
        let (mut collapsed, mut apart) = (replica(), replica());
        assert_eq!(collapsed.collapse(), 0);
        // The change of checkpoint 1, in a checkpoint that is called 2 now.
        assert_eq!([fetch(&mut collapsed, 1), fetch(&mut collapsed, 1)].map(|id| id.0), [0, 1]);
        assert_eq!([fetch(&mut collapsed, 2), fetch(&mut collapsed, 9)].map(|id| id.0), [2, 2]);
        assert_eq!([fetch(&mut apart, 2), fetch(&mut apart, 1)].map(|id| id.0), [0, 1]);
    }

    /// Else a replica would never say again that something is on disk.
    #[test]
    fn what_was_reverted_before_a_merge_is_not_waited_for() {
        let mut log = Manager::new(Settings::USUAL, Role::Replica, Incarnation(1), 0);
        let step = |kind| Event { kind, checkpoint: CheckpointId(2), epoch: Epoch(1) };
        log.accept_start(0, CheckpointId(1));
        log.accept_event(0, step(EventKind::Start));
        log.queue(0, Change::delete("a".parse().expect("it fits")));
        log.accept_end(CheckpointId(2));
        log.accept_start(0, CheckpointId(3));
        log.accept_event(0, step(EventKind::Revert));
        assert!(log.finish_revert());
        log.accept_start(0, CheckpointId(4));
        // The active copy is replaced by one that was not that far.
        log.accept_start(0, CheckpointId(3));
        let fetched = log.begin_flush(None).expect("the flusher is there");
        assert_eq!((log.checkpoints().len(), fetched.last_closed), (1, CheckpointId(2)));
    }
}
