//! The names of a disk: as they are, as they would survive a power loss, and the changes between.

use crate::id::{FileId, FileName};

/// Names in order. A disk has few, so that a sorted vector beats a tree and its memory can be kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Table(Vec<(FileName, FileId)>);

impl Table {
    pub(super) fn get(&self, name: FileName) -> Option<FileId> {
        self.find(name).ok().map(|i| self.0[i].1)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (FileName, FileId)> + '_ {
        self.0.iter().copied()
    }

    pub(super) fn name_of(&self, file: FileId) -> Option<FileName> {
        self.iter().find(|(_, f)| *f == file).map(|(name, _)| name)
    }

    fn find(&self, name: FileName) -> Result<usize, usize> {
        self.0.binary_search_by_key(&name, |(n, _)| *n)
    }

    fn apply(&mut self, change: NameChange) {
        match change {
            NameChange::Create { name, file } => self.put(name, file),
            NameChange::Rename { from, to, file } => {
                self.take(from);
                self.put(to, file);
            }
            NameChange::Remove { name } => self.take(name),
        }
    }

    fn put(&mut self, name: FileName, file: FileId) {
        match self.find(name) {
            Ok(i) => self.0[i].1 = file,
            Err(i) => self.0.insert(i, (name, file)),
        }
    }

    fn take(&mut self, name: FileName) {
        if let Ok(i) = self.find(name) {
            self.0.remove(i);
        }
    }
}

/// One change of the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameChange {
    Create { name: FileName, file: FileId },
    Rename { from: FileName, to: FileName, file: FileId },
    Remove { name: FileName },
}

impl NameChange {
    /// The name that stands for it in keys and traces.
    pub(super) const fn subject(self) -> FileName {
        match self {
            NameChange::Create { name, .. } | NameChange::Remove { name } => name,
            NameChange::Rename { from, .. } => from,
        }
    }

    const fn file(self) -> Option<FileId> {
        match self {
            NameChange::Create { file, .. } | NameChange::Rename { file, .. } => Some(file),
            NameChange::Remove { .. } => None,
        }
    }
}

/// The names of one disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    current: Table,
    durable: Table,
    /// The changes that lead from `durable` to `current`, in order.
    pending: Vec<NameChange>,
    /// How many changes have left `pending` at its front.
    settled: u64,
}

impl Names {
    /// No names. Keeps its memory.
    pub(super) fn clear(&mut self) {
        self.current.0.clear();
        self.durable.0.clear();
        self.pending.clear();
        self.settled = 0;
    }

    pub(super) fn current(&self) -> &Table {
        &self.current
    }

    pub(super) fn durable(&self) -> &Table {
        &self.durable
    }

    /// Makes a change, which stays pending.
    pub(super) fn change(&mut self, change: NameChange) {
        self.current.apply(change);
        self.pending.push(change);
    }

    /// What a sync that is issued now covers, for [`Names::sync`].
    pub(super) fn mark(&self) -> u64 {
        self.settled + self.pending.len() as u64
    }

    /// Makes durable what was pending at `mark`.
    pub(super) fn sync(&mut self, mark: u64) {
        // A sync that was issued later may have been answered before this one.
        let covered = mark.saturating_sub(self.settled).min(self.pending.len() as u64);
        for change in self.pending.drain(..usize::try_from(covered).expect("at most the length")) {
            self.durable.apply(change);
        }
        self.settled += covered;
    }

    /// How many of the pending changes, from the first, survive a power loss: those before the first of which `keeps` says
    /// no. It gets a change and its count among those of its name, from 1.
    pub(super) fn survivors(&self, mut keeps: impl FnMut(NameChange, u32) -> bool) -> usize {
        for (i, change) in self.pending.iter().enumerate() {
            let equal = |c: &&NameChange| c.subject() == change.subject();
            let n = self.pending[..=i].iter().filter(equal).count();
            if !keeps(*change, u32::try_from(n).expect("as many changes as requests")) {
                return i;
            }
        }
        self.pending.len()
    }

    /// The changes that are not durable, in order.
    pub(super) fn pending(&self) -> &[NameChange] {
        &self.pending
    }

    /// Power loss: the first `kept` pending changes survive.
    pub(super) fn crash(&mut self, kept: usize) {
        self.sync(self.settled + kept as u64);
        self.settled += self.pending.len() as u64;
        self.pending.clear();
        self.current.clone_from(&self.durable);
    }

    /// Whether the file has a name, or might have one after a power loss.
    pub(super) fn knows(&self, file: FileId) -> bool {
        self.current.name_of(file).is_some()
            || self.durable.name_of(file).is_some()
            || self.pending.iter().any(|c| c.file() == Some(file))
    }
}
