//! The reference model: what is delivered to whom.
//!
//! It is short and slow, and knows nothing of the implementation but the words of `op.rs`. There are no positions to
//! repair: whatever was ever appended keeps its number, an item that a newer one has replaced is *gone*, and all that is
//! known of a reader is the number up to which everything is behind it, and the checkpoint in which it stands.

use super::op::{
    Change, CheckpointId, CursorName, Epoch, Event, EventKind, Incarnation, Item, Mutation,
    MutationId,
};

mod replica;

/// The limits of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Mutations in a checkpoint.
    pub items: usize,
    /// Checkpoints.
    pub checkpoints: usize,
    /// Age of an open checkpoint.
    pub period: u64,
}

/// The log of one vbucket, with all that was ever in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    limits: Limits,
    is_active: bool,
    incarnation: Incarnation,
    entries: Vec<Entry>,
    parts: Vec<Part>,
    readers: Vec<Reader>,
    /// The first part of an online update, and whether it is being reverted.
    window: Option<(usize, bool)>,
    /// What the first part of the last online update was called when that began, and which update it is.
    begun: CheckpointId,
    epoch: Epoch,
    mutations: u64,
    /// No greater id was ever in use.
    greatest: CheckpointId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Entry {
    part: usize,
    /// The checkpoint that it was told to be of; after going back to a smaller id no greater one.
    of: CheckpointId,
    item: Item,
    is_gone: bool,
    /// Not for the disk.
    is_reverted: bool,
}

/// A checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Part {
    id: CheckpointId,
    opened_at: u64,
    is_open: bool,
    /// Removed, or merged into another one.
    is_gone: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Reader {
    name: CursorName,
    /// Entries before this one are behind it.
    seen: usize,
    stands: usize,
}

impl Reference {
    /// An empty log.
    pub fn new(limits: Limits, is_active: bool, incarnation: Incarnation, now: u64) -> Reference {
        let (greatest, epoch) = (CheckpointId(0), Epoch(0));
        let (entries, parts, readers) = (Vec::new(), Vec::new(), Vec::new());
        let window = None;
        let mutations = 1000;
        let mut reference = Reference {
            limits,
            is_active,
            incarnation,
            entries,
            parts,
            readers,
            window,
            begun: greatest,
            epoch,
            mutations,
            greatest,
        };
        reference.open(now, CheckpointId(u64::from(is_active)));
        reference.place(CursorName::Persistence, 0);
        reference
    }

    /// Queues a change. Whether there is more to persist than before; nothing if no checkpoint is open.
    pub fn queue(&mut self, now: u64, change: Change) -> Option<bool> {
        if self.is_active {
            self.create_if_due(now);
        }
        let part = self.open_part()?;
        let is_old = |entry: &Entry| {
            let of = entry.item.mutation();
            entry.part == part && !entry.is_gone && of.is_some_and(|m| m.change.key == change.key)
        };
        self.mutations += 1;
        let mut mutation = Mutation { id: MutationId(self.mutations), queued_at: now, change };
        let mut grew = true;
        if let Some(at) = self.entries.iter().position(is_old) {
            self.entries[at].is_gone = true;
            mutation.queued_at = self.entries[at].item.mutation()?.queued_at;
            grew = self.seen(CursorName::Persistence) > at;
        }
        self.append(Item::Mutation(mutation));
        Some(grew)
    }

    /// A new checkpoint, if it is time.
    pub fn create_if_due(&mut self, now: u64) {
        let Some(part) = self.open_part() else { return };
        let mutations = self.mutations_of(part);
        let is_old = now.saturating_sub(self.parts[part].opened_at) >= self.limits.period;
        let is_due = mutations > 0 && (mutations >= self.limits.items || is_old);
        let here: Vec<usize> = self.here().collect();
        let capped = here.len() >= self.limits.checkpoints && self.is_needed(here[0]);
        if is_due && !capped {
            self.roll(now);
        }
    }

    /// A new checkpoint, because a client wants one.
    pub fn create(&mut self, now: u64) {
        if self.open_part().is_some_and(|part| self.is_active && self.mutations_of(part) > 0) {
            self.roll(now);
        }
    }

    /// The next item for a reader; of the flusher, if `stops`, only what is before an open window.
    pub fn next(&mut self, name: CursorName, stops: bool) -> Option<Item> {
        let reader = self.readers.iter().position(|reader| reader.name == name)?;
        let barrier = self.window.filter(|(_, is_reverting)| stops && !is_reverting);
        let barrier = barrier.map_or(usize::MAX, |(part, _)| part);
        while self.has_all_of_part(reader) && self.readers[reader].stands < barrier {
            let Some(next) = self.after(self.readers[reader].stands) else { break };
            self.move_on(reader, next);
        }
        let at = (self.readers[reader].seen..self.entries.len())
            .find(|at| self.is_for(name, *at) && self.entries[*at].part < barrier)?;
        self.readers[reader].seen = at + 1;
        self.readers[reader].stands = self.entries[at].part;
        Some(self.entries[at].item)
    }

    /// All of them, one after the other.
    pub fn fetch_all(&mut self, name: CursorName, stops: bool) -> Vec<Item> {
        std::iter::from_fn(|| self.next(name, stops)).collect()
    }

    /// Everything that a reader has left.
    pub fn ahead(&self, name: CursorName) -> impl Iterator<Item = &Item> {
        let left = self.seen(name)..self.entries.len();
        left.filter(move |at| self.is_for(name, *at)).map(|at| &self.entries[at].item)
    }

    /// Whether a reader has that mutation behind it.
    pub fn has_passed(&self, name: CursorName, id: MutationId) -> bool {
        let is_it = |entry: &Entry| entry.item.mutation().is_some_and(|m| m.id == id);
        self.entries.iter().position(is_it).is_some_and(|at| at < self.seen(name))
    }

    /// Whether everything up to a checkpoint is behind a reader. A backfill is none.
    pub fn has_all_up_to(&self, name: CursorName, id: CheckpointId) -> bool {
        let ahead = self
            .entries
            .iter()
            .skip(self.seen(name))
            .filter(|entry| entry.of.0 > 0 && entry.of <= id);
        !ahead.filter(|e| e.item.mutation().is_some()).any(|e| !(name.persists() && e.is_reverted))
    }

    /// The last mutation of each key that a reader is to have in the end, in no special order.
    pub fn last_mutations(&self, name: CursorName) -> impl Iterator<Item = &Mutation> {
        let counts =
            move |entry: &&Entry| !(entry.is_reverted && (name.persists() || entry.is_gone));
        let all = move || self.entries.iter().filter(counts).filter_map(|e| e.item.mutation());
        all().filter(move |m| {
            !all().any(|later| later.id > m.id && later.change.key == m.change.key)
        })
    }

    /// The checkpoints that are still here, each with whether it is open and how many readers stand in it.
    pub fn checkpoints(&self) -> impl Iterator<Item = (CheckpointId, bool, usize)> {
        self.here().map(|part| {
            let readers = self.readers.iter().filter(|reader| reader.stands == part).count();
            (self.parts[part].id, self.parts[part].is_open, readers)
        })
    }

    /// Removes what nobody needs.
    pub fn remove(&mut self, now: u64) {
        if self.is_active {
            self.create_if_due(now);
        }
        for reader in 0..self.readers.len() {
            if self.has_all_of_part(reader)
                && let Some(next) = self.after(self.readers[reader].stands)
            {
                self.move_on(reader, next);
            }
        }
        let here: Vec<usize> = self.here().collect();
        for part in here[..here.len() - 1].iter().copied() {
            if self.is_needed(part) {
                break;
            }
            self.parts[part].is_gone = true;
        }
    }

    /// A reader comes; whether it stays where it was (`Some(true)`), begins at the checkpoint that it asks for, or gets
    /// `None`: that is not here.
    pub fn register(&mut self, name: CursorName, from: CheckpointId) -> Option<bool> {
        let found = self.here().find(|part| self.parts[*part].id == from && from.0 > 0);
        let last = self.parts.len() - 1;
        let is_next = !self.parts[last].is_open && self.parts[last].id.next() == from;
        let found = found.or(Some(last).filter(|_| is_next));
        let stood = self.readers.iter().find(|r| r.name == name).map(|r| r.stands);
        match found {
            Some(part) if stood == Some(part) => return Some(true),
            Some(part) => {
                self.place(name, part);
                let end = self.entries.len();
                self.readers
                    .iter_mut()
                    .filter(|r| r.name == name && is_next)
                    .for_each(|r| r.seen = end);
            }
            None if self.window.is_some() => {}
            None => self.place(name, last),
        }
        found.map(|_| false)
    }

    /// A reader goes.
    pub fn remove_reader(&mut self, name: CursorName) {
        self.readers.retain(|reader| reader.name != name);
    }

    /// Where the flusher would go back to.
    pub fn begin_flush(&mut self) {
        self.remove_reader(CursorName::Backup);
        let from = self.readers.iter().find(|r| r.name == CursorName::Persistence).copied();
        self.readers.extend(from.map(|from| Reader { name: CursorName::Backup, ..from }));
    }

    /// The flusher goes back, or on.
    pub fn end_flush(&mut self, has_failed: bool) {
        let backup = self.readers.iter().find(|r| r.name == CursorName::Backup).copied();
        let flusher = self.readers.iter_mut().find(|r| r.name == CursorName::Persistence);
        if let (Some(backup), Some(flusher), true) = (backup, flusher, has_failed) {
            *flusher = Reader { name: CursorName::Persistence, ..backup };
        }
        self.remove_reader(CursorName::Backup);
    }

    /// An online update begins. Whether it may.
    pub fn start(&mut self, now: u64) -> bool {
        let may = self.is_active && self.window.is_none();
        if may {
            self.roll(now);
            self.epoch = Epoch(self.epoch.0 + 1);
            self.begin_window();
        }
        may
    }

    /// It ends, and what was done stays. Whether it may.
    pub fn complete(&mut self, now: u64) -> bool {
        let may = self.is_active && self.window.is_some_and(|(_, is_reverting)| !is_reverting);
        if may {
            self.append_event(EventKind::Complete);
            self.roll(now);
            self.window = None;
        }
        may
    }

    /// It ends, and is not for the disk. Whether it may.
    pub fn revert(&mut self, now: u64) -> bool {
        let may = self.is_active && self.window.is_some_and(|(_, is_reverting)| !is_reverting);
        if may {
            let first = self.turn_back();
            self.roll(now);
            let last = self.parts.len() - 1;
            let names: Vec<CursorName> = self.readers.iter().map(|reader| reader.name).collect();
            for name in names.into_iter().filter(|name| name.persists()) {
                if self.readers.iter().any(|r| r.name == name && r.stands >= first) {
                    self.place(name, last);
                }
            }
        }
        may
    }

    /// Everything was taken back.
    pub fn finish_revert(&mut self) {
        self.window = self.window.filter(|(_, is_reverting)| !is_reverting);
    }

    /// What the window has changed.
    pub fn window_mutations(&self) -> impl Iterator<Item = &Mutation> {
        let window = self.window;
        let inside = self.entries.iter().filter(move |entry| {
            let is_inside = window.is_some_and(|(first, _)| entry.part >= first);
            let is_over = window.is_some_and(|(_, is_reverting)| is_reverting);
            is_inside && !entry.is_gone && (entry.is_reverted || !is_over)
        });
        inside.filter_map(|entry| entry.item.mutation())
    }

    fn turn_back(&mut self) -> usize {
        self.append_event(EventKind::Revert);
        self.close();
        let first = self.window.map_or(usize::MAX, |(first, _)| first);
        for entry in self.entries.iter_mut().filter(|entry| entry.part >= first) {
            entry.is_reverted = true;
        }
        self.window = self.window.map(|(first, _)| (first, true));
        first
    }

    fn begin_window(&mut self) {
        let first = self.parts.len() - 1;
        self.window = Some((first, false));
        self.begun = self.parts[first].id;
        self.append_event(EventKind::Start);
    }

    fn append_event(&mut self, kind: EventKind) {
        let event = Event { kind, checkpoint: self.begun, epoch: self.epoch };
        self.append(Item::OnlineUpdate(event));
    }

    fn append(&mut self, item: Item) {
        let part = self.parts.len() - 1;
        let of = self.parts[part].id;
        self.entries.push(Entry { part, of, item, is_gone: false, is_reverted: false });
    }

    fn open(&mut self, now: u64, id: CheckpointId) {
        self.parts.push(Part { id, opened_at: now, is_open: true, is_gone: false });
        self.append(Item::CheckpointStart(id));
        self.greatest = self.greatest.max(id);
    }

    fn close(&mut self) {
        if let Some(part) = self.open_part() {
            self.append(Item::CheckpointEnd(self.parts[part].id));
            self.parts[part].is_open = false;
        }
    }

    fn roll(&mut self, now: u64) {
        self.close();
        self.open(now, self.greatest.next());
    }

    /// Puts a reader to the beginning of a checkpoint.
    fn place(&mut self, name: CursorName, part: usize) {
        let is_start = |entry: &Entry| entry.part == part && !entry.is_gone;
        let seen = self.entries.iter().position(is_start).unwrap_or(self.entries.len());
        self.remove_reader(name);
        self.readers.push(Reader { name, seen, stands: part });
        self.readers.sort_unstable_by_key(|reader| reader.name);
    }

    /// A reader has nothing left in front of a checkpoint, or nothing that is for it.
    fn move_on(&mut self, reader: usize, part: usize) {
        let begin = self.entries.iter().position(|entry| entry.part == part).unwrap_or(0);
        let Reader { seen, stands, .. } = &mut self.readers[reader];
        (*seen, *stands) = (begin.max(*seen), part);
    }

    fn is_for(&self, name: CursorName, at: usize) -> bool {
        let entry = &self.entries[at];
        let is_hidden = name.persists() && entry.is_reverted;
        !entry.is_gone && !is_hidden
    }

    /// Whether nothing is left for a reader where it stands, nor will be.
    fn has_all_of_part(&self, reader: usize) -> bool {
        let Reader { name, seen, stands } = self.readers[reader];
        let mut left = seen..self.entries.len();
        !self.parts[stands].is_open
            && !left.any(|at| self.entries[at].part == stands && self.is_for(name, at))
    }

    fn is_needed(&self, part: usize) -> bool {
        let pinned = self.window.is_some_and(|(first, _)| first == part);
        pinned || self.readers.iter().any(|reader| reader.stands == part)
    }

    fn seen(&self, name: CursorName) -> usize {
        self.readers.iter().find(|reader| reader.name == name).map_or(usize::MAX, |r| r.seen)
    }

    fn here(&self) -> impl Iterator<Item = usize> {
        (0..self.parts.len()).filter(|part| !self.parts[*part].is_gone)
    }

    fn after(&self, part: usize) -> Option<usize> {
        self.here().find(|other| *other > part)
    }

    fn open_part(&self) -> Option<usize> {
        self.here().last().filter(|part| self.parts[*part].is_open)
    }

    fn mutations_of(&self, part: usize) -> usize {
        let here = |entry: &&Entry| entry.part == part && !entry.is_gone;
        self.entries.iter().filter(here).filter(|entry| entry.item.mutation().is_some()).count()
    }
}
