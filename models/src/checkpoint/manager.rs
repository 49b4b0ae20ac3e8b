//! The log of one vbucket as a whole.

use super::cursor::Cursor;
use super::defects::Defects;
use super::op::{CheckpointId, CursorName, Epoch, Incarnation, Item, Key, MutationId};
use super::response::Remaining;
use super::segment::Checkpoint;
use super::settings::Settings;
use super::window::Window;

/// The first mutation is the one after it.
const MUTATION_BEFORE_FIRST: MutationId = MutationId(1000);

/// Who makes checkpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// This copy does.
    Active,
    /// The active copy says where they begin and end; this one is a replica, pending or dead.
    Replica,
}

/// The checkpoints of one vbucket and the cursors in them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Manager {
    pub(super) settings: Settings,
    pub(super) defects: Defects,
    pub(super) role: Role,
    pub(super) incarnation: Incarnation,
    /// Never empty; only the last one can be open.
    pub(super) checkpoints: Vec<Checkpoint>,
    /// Sorted by name.
    pub(super) cursors: Vec<Cursor>,
    pub(super) last_mutation: MutationId,
    pub(super) next_id: CheckpointId,
    /// The number of items, kept up by adding and subtracting as in 2011.
    pub(super) counted: i64,
    /// No checkpoint is made by count or age.
    pub(super) is_extended: bool,
    pub(super) window: Option<Window>,
    /// Of the last online update that was begun here.
    pub(super) epoch: Epoch,
}

impl Manager {
    /// An empty log, at `now`. An active copy begins with checkpoint 1, another one in its backfill.
    pub fn new(settings: Settings, role: Role, incarnation: Incarnation, now: u64) -> Manager {
        let mut manager = Manager {
            settings,
            defects: Defects::NONE,
            role,
            incarnation,
            checkpoints: Vec::new(),
            cursors: Vec::new(),
            last_mutation: MUTATION_BEFORE_FIRST,
            next_id: CheckpointId(1),
            counted: 0,
            is_extended: false,
            window: None,
            epoch: Epoch(0),
        };
        manager.open(first_id(role), now);
        manager.next_id = first_id(role).next();
        manager.put_cursor(CursorName::Persistence, 0);
        manager
    }

    /// The same with planted bugs.
    #[must_use]
    pub fn with_defects(self, defects: Defects) -> Manager {
        Manager { defects, ..self }
    }

    /// An empty log that goes on after what a node had persisted before it was started again.
    #[must_use]
    pub fn after_warm_up(mut self, persisted: CheckpointId) -> Manager {
        if let [only] = &mut self.checkpoints[..] {
            only.renumber(persisted.next());
            self.next_id = only.id.next();
        }
        self
    }

    /// What it was made with.
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// Planted bugs.
    pub fn defects(&self) -> Defects {
        self.defects
    }

    /// Whether it makes checkpoints itself.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The life that it is of.
    pub fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// All checkpoints, oldest first.
    pub fn checkpoints(&self) -> &[Checkpoint] {
        &self.checkpoints
    }

    /// Everything that can be delivered, oldest first.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.checkpoints.iter().flat_map(|checkpoint| checkpoint.items.iter().skip(1))
    }

    /// All cursors by name.
    pub fn cursors(&self) -> &[Cursor] {
        &self.cursors
    }

    /// One cursor.
    pub fn cursor(&self, name: CursorName) -> Option<&Cursor> {
        self.slot(name).map(|slot| &self.cursors[slot])
    }

    /// The id of the open checkpoint; while none is open, the one that comes after the last.
    pub fn open_id(&self) -> CheckpointId {
        let last = self.checkpoints.last();
        last.map_or(self.next_id, |last| if last.is_open { last.id } else { last.id.next() })
    }

    /// The open checkpoint. An active copy always has one.
    pub fn open_checkpoint(&self) -> Option<&Checkpoint> {
        self.checkpoints.last().filter(|last| last.is_open)
    }

    /// The id of the next checkpoint that this copy makes itself.
    pub fn next_id(&self) -> CheckpointId {
        self.next_id
    }

    /// The newest mutation.
    pub fn last_mutation(&self) -> MutationId {
        self.last_mutation
    }

    /// The number of items as it was kept in 2011: with start and end of each checkpoint, and with the frame of a window
    /// as long as it is open.
    pub fn counted(&self) -> i64 {
        self.counted
    }

    /// Whether a version of a key stands where a cursor still needs it, so that its value may not be evicted.
    pub fn holds(&self, key: Key, cas: u64) -> bool {
        let needed = self.checkpoints.iter().skip_while(|checkpoint| checkpoint.cursors.is_empty());
        needed.into_iter().any(|checkpoint| {
            let mutation = checkpoint.mutation_of(key).map(|(at, _)| &checkpoint.items[at]);
            mutation.and_then(|item| item.mutation()).is_some_and(|m| m.change.cas == cas)
        })
    }

    /// How much a cursor has left.
    pub fn remaining(&self, name: CursorName) -> Option<Remaining> {
        let cursor = self.cursor(name)?;
        let mutations = self.ahead_of(cursor, |checkpoint, position| {
            let ahead = checkpoint.items.get(position + 1..).unwrap_or_default();
            ahead.iter().filter(|item| item.mutation().is_some()).count()
        });
        let items = self.items_ahead_of(cursor);
        Some(Remaining { mutations, items, counted: self.counted - cursor.offset })
    }

    /// Everything that a cursor has left, in the order in which it will be delivered if nothing else comes.
    pub fn ahead(&self, name: CursorName) -> impl Iterator<Item = &Item> {
        let cursor = self.cursor(name).copied();
        let from = cursor.map_or(usize::MAX, |cursor| cursor.checkpoint);
        let parts = self.checkpoints.iter().enumerate().skip(from);
        let parts = parts.filter(move |(_, part)| cursor.is_some_and(|c| !c.passes_over(part)));
        parts.flat_map(move |(at, part)| {
            let position = cursor.filter(|c| c.checkpoint == at).map_or(0, |c| c.position);
            part.items.get(position + 1..).unwrap_or_default()
        })
    }

    /// Whether something is left for a cursor in front of the checkpoint `barrier`.
    pub fn has_more(&self, name: CursorName, barrier: Option<CheckpointId>) -> bool {
        let Some(cursor) = self.cursor(name) else { return false };
        if self.defects.counts_more() && barrier.is_none() {
            return self.counted > cursor.offset;
        }
        let ahead = self.checkpoints.iter().enumerate().skip(cursor.checkpoint);
        let allowed = ahead.take_while(|(_, at)| barrier.is_none_or(|barrier| at.id < barrier));
        allowed.into_iter().any(|(at, checkpoint)| {
            let position = if at == cursor.checkpoint { cursor.position } else { 0 };
            position < checkpoint.end() && !cursor.passes_over(checkpoint)
        })
    }

    pub(super) fn items_ahead_of(&self, cursor: &Cursor) -> u64 {
        self.ahead_of(cursor, |checkpoint, position| checkpoint.end().saturating_sub(position))
    }

    /// Sums up what lies ahead of a cursor, checkpoint by checkpoint.
    fn ahead_of(&self, cursor: &Cursor, count: impl Fn(&Checkpoint, usize) -> usize) -> u64 {
        let ahead = self.checkpoints.iter().enumerate().skip(cursor.checkpoint);
        let counts = ahead.filter(|(_, checkpoint)| !cursor.passes_over(checkpoint));
        let counts = counts.map(|(at, checkpoint)| {
            count(checkpoint, if at == cursor.checkpoint { cursor.position } else { 0 })
        });
        counts.map(|count| u64::try_from(count).unwrap_or(u64::MAX)).sum()
    }
}

/// What an empty log begins with.
pub(super) fn first_id(role: Role) -> CheckpointId {
    match role {
        Role::Active => CheckpointId(1),
        Role::Replica => CheckpointId::BACKFILL,
    }
}
