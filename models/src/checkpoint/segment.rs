//! One checkpoint: a piece of the log in which each key stands once.
//!
//! One key's life in the open checkpoint, with a cursor `^` that stands on what it delivered last:
//!
//! ```text
//! [empty start a1 b1]        set a: the older version goes, the cursor steps to its left
//!                 ^
//! [empty start b1 a2]        the cursor will deliver a2; b1 it had delivered before
//!              ^
//! [empty start b1 a2 end]    closed: nothing here changes any more; the next a3 stands in the next checkpoint
//! ```

use super::op::{CheckpointId, CursorName, Item, Key, MutationId};

/// A piece of the log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Checkpoint {
    pub(super) id: CheckpointId,
    pub(super) created_at: u64,
    pub(super) is_open: bool,
    /// It belongs to an online update that was reverted: nothing of it is for the disk.
    pub(super) is_reverted: bool,
    /// What was merged into it from checkpoints with smaller ids.
    pub(super) inherited: Option<Inherited>,
    /// First the empty one, then the start.
    pub(super) items: Vec<Item>,
    /// Sorted by key.
    index: Vec<Indexed>,
    /// Who stands here, sorted.
    pub(super) cursors: Vec<CursorName>,
}

/// A part of a checkpoint that came from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Inherited {
    /// The oldest of them.
    pub(super) oldest: CheckpointId,
    /// Their last mutation.
    pub(super) until: MutationId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Indexed {
    key: Key,
    position: usize,
    mutation: MutationId,
}

impl Checkpoint {
    pub(super) fn new(id: CheckpointId, created_at: u64) -> Checkpoint {
        Checkpoint {
            id,
            created_at,
            is_open: true,
            is_reverted: false,
            inherited: None,
            items: vec![Item::Empty, Item::CheckpointStart(id)],
            index: Vec::new(),
            cursors: Vec::new(),
        }
    }

    /// Its name.
    pub fn id(&self) -> CheckpointId {
        self.id
    }

    /// When it was opened.
    pub fn created_at(&self) -> u64 {
        self.created_at
    }

    /// Whether it takes mutations.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Whether it belongs to an online update that was reverted.
    pub fn is_reverted(&self) -> bool {
        self.is_reverted
    }

    /// All of it; the first one is [`Item::Empty`].
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Who stands here.
    pub fn cursors(&self) -> &[CursorName] {
        &self.cursors
    }

    /// Whether nothing stands in it but its start.
    pub fn is_empty(&self) -> bool {
        self.items.len() <= 2
    }

    /// The number of mutations.
    pub fn mutations(&self) -> usize {
        self.index.len()
    }

    /// Where the mutation of a key stands, and which it is.
    pub fn mutation_of(&self, key: Key) -> Option<(usize, MutationId)> {
        let at = self.index.binary_search_by_key(&key, |indexed| indexed.key).ok()?;
        Some((self.index[at].position, self.index[at].mutation))
    }

    /// The keys that have a mutation here, in order.
    pub fn keys(&self) -> impl Iterator<Item = Key> {
        self.index.iter().map(|indexed| indexed.key)
    }

    /// What has been delivered as a whole to a cursor that stands at `position`: the checkpoint before this one; or, if it
    /// lacks something that was merged into this one, the one before that came from.
    pub(super) fn closed_before(&self, position: usize) -> CheckpointId {
        let behind = self.items.iter().take(position + 1).rev();
        let last = behind.filter_map(Item::mutation).map(|mutation| mutation.id).next();
        let lacks = self.inherited.filter(|part| last.is_none_or(|last| last < part.until));
        lacks.map_or(self.id, |part| part.oldest.min(self.id)).previous()
    }

    /// The position of the last item.
    pub(super) fn end(&self) -> usize {
        self.items.len() - 1
    }

    /// What it stands for in the number of items of 2011: everything but the empty item and the frame of windows.
    pub(super) fn counted(&self) -> i64 {
        let counts = |item: &&Item| !matches!(item, Item::Empty | Item::OnlineUpdate(_));
        i64::try_from(self.items.iter().filter(counts).count()).unwrap_or(i64::MAX)
    }

    pub(super) fn append(&mut self, item: Item) {
        if let Item::Mutation(mutation) = &item {
            let key = mutation.change.key;
            let indexed = Indexed { key, position: self.items.len(), mutation: mutation.id };
            match self.index.binary_search_by_key(&key, |indexed| indexed.key) {
                Ok(at) => self.index[at] = indexed,
                Err(at) => self.index.insert(at, indexed),
            }
        }
        self.items.push(item);
    }

    /// Takes out the mutation of a key, which stands at `position`.
    pub(super) fn erase(&mut self, key: Key, position: usize) -> Item {
        self.index.retain(|indexed| indexed.key != key);
        for indexed in self.index.iter_mut().filter(|indexed| indexed.position > position) {
            indexed.position -= 1;
        }
        self.items.remove(position)
    }

    pub(super) fn renumber(&mut self, id: CheckpointId) {
        self.id = id;
        for item in &mut self.items {
            match item {
                Item::CheckpointStart(of) | Item::CheckpointEnd(of) => *of = id,
                Item::Empty
                | Item::Mutation(_)
                | Item::Flush
                | Item::Commit
                | Item::OnlineUpdate(_) => {}
            }
        }
    }

    pub(super) fn enter(&mut self, name: CursorName) {
        if let Err(at) = self.cursors.binary_search(&name) {
            self.cursors.insert(at, name);
        }
    }

    pub(super) fn leave(&mut self, name: CursorName) {
        self.cursors.retain(|of| *of != name);
    }
}
