//! What the active copy tells, and what becomes of a copy whose role changes.

use super::super::op::{CheckpointId, CursorName, Epoch, Event, EventKind, Incarnation, Item};
use super::Reference;

impl Reference {
    /// The active copy has begun a checkpoint. Whether this copy can follow.
    pub fn accept_start(&mut self, now: u64, id: CheckpointId) -> bool {
        if self.is_active || id.0 == 0 {
            return true;
        }
        let last = self.parts.len() - 1;
        let part = self.parts[last];
        let items = self.entries.iter().filter(|entry| entry.part == last && !entry.is_gone);
        let is_empty = items.count() == 1;
        if part.is_open && part.id.0 == 0 {
            self.renumber(last, id);
        } else if part.id >= id {
            let first = match self.window {
                None => self.here().next().unwrap_or(last),
                Some((first, is_reverting)) => {
                    if is_reverting || id < self.begun {
                        return false;
                    }
                    let newer = self.here().find(|part| self.parts[*part].id >= id);
                    newer.unwrap_or(last).max(first)
                }
            };
            self.merge(first, last, id, true);
            if self.window.is_some_and(|(window, _)| window >= first) {
                self.window = Some((last, false));
            }
        } else if part.is_open && is_empty {
            self.renumber(last, id);
            let here = self.readers.iter().filter(|reader| reader.stands == last);
            for name in here.map(|reader| reader.name).collect::<Vec<_>>() {
                self.place(name, last);
            }
        } else {
            self.close();
            self.open(now, id);
        }
        self.greatest = self.greatest.max(id);
        true
    }

    /// The active copy has ended a checkpoint.
    pub fn accept_end(&mut self, id: CheckpointId) {
        if !self.is_active
            && id.0 > 0
            && self.open_part().is_some_and(|part| self.parts[part].id == id)
        {
            self.close();
        }
    }

    /// The active copy has gone on with an online update. Whether this copy can follow.
    pub fn accept_event(&mut self, now: u64, event: Event) -> bool {
        let is_open = self.window.is_some_and(|(_, is_reverting)| !is_reverting);
        let is_this = event.epoch == self.epoch && is_open && self.open_part().is_some();
        match event.kind {
            _ if self.is_active => true,
            EventKind::Start if event.epoch <= self.epoch => true,
            EventKind::Start => self.window.is_none() && self.begin_as_told(now, event),
            EventKind::Complete if is_this => {
                self.append_event(EventKind::Complete);
                self.close();
                self.window = None;
                true
            }
            EventKind::Revert if is_this => {
                self.turn_back();
                true
            }
            EventKind::Complete | EventKind::Revert => {
                event.epoch <= self.epoch && !(event.epoch == self.epoch && is_open)
            }
        }
    }

    /// This copy becomes the active one.
    pub fn promote(&mut self, now: u64, incarnation: Incarnation) {
        (self.is_active, self.incarnation) = (true, incarnation);
        match self.open_part() {
            None => self.open(now, self.greatest.next()),
            Some(part) if self.parts[part].id.0 == 0 => {
                let id = self.greatest.next();
                self.renumber(part, id);
                self.greatest = id;
            }
            Some(_) => {}
        }
    }

    /// This copy is not the active one any more.
    pub fn demote(&mut self) {
        self.is_active = false;
    }

    /// Everything is forgotten.
    pub fn clear(&mut self, now: u64) {
        self.parts.iter_mut().for_each(|part| (part.is_gone, part.is_open) = (true, false));
        self.entries.clear();
        self.greatest = CheckpointId(0);
        self.window = None;
        if !self.is_active {
            self.epoch = Epoch(0);
        }
        self.open(now, CheckpointId(u64::from(self.is_active)));
        self.remove_reader(CursorName::Backup);
        for name in self.readers.iter().map(|reader| reader.name).collect::<Vec<_>>() {
            self.place(name, self.parts.len() - 1);
        }
    }

    /// The closed checkpoints of a replica become one.
    pub fn collapse(&mut self) {
        let here: Vec<usize> = self.here().collect();
        let closed = here.iter().rfind(|part| !self.parts[**part].is_open);
        if let Some(last) = closed.copied()
            && here.len() > 2
            && !self.is_active
            && self.window.is_none()
        {
            self.merge(here[0], last, self.parts[last].id, false);
        }
    }

    fn begin_as_told(&mut self, now: u64, event: Event) -> bool {
        let newest = self.parts[self.parts.len() - 1];
        if !(newest.is_open && newest.id == event.checkpoint) {
            if newest.id >= event.checkpoint {
                return false;
            }
            self.accept_start(now, event.checkpoint);
        }
        let last = self.parts.len() - 1;
        let items = self.entries.iter().filter(|entry| entry.part == last && !entry.is_gone);
        let is_empty = items.count() == 1;
        if is_empty {
            self.epoch = event.epoch;
            self.begin_window();
        }
        is_empty
    }

    fn renumber(&mut self, part: usize, id: CheckpointId) {
        self.parts[part].id = id;
        for entry in self.entries.iter_mut().filter(|entry| entry.part == part) {
            entry.of = id;
            if let Item::CheckpointStart(of) = &mut entry.item {
                *of = id;
            }
        }
    }

    /// Everything of these checkpoints belongs to the last of them.
    fn merge(&mut self, first: usize, last: usize, id: CheckpointId, is_open: bool) {
        let (mut starts, mut ends) = (0, 0);
        for entry in self.entries.iter_mut().filter(|e| (first..=last).contains(&e.part)) {
            let is_last_part = entry.part == last;
            (entry.part, entry.of) = (last, entry.of.min(id));
            match &mut entry.item {
                _ if entry.is_gone => {}
                Item::CheckpointStart(of) => {
                    (*of, entry.is_gone) = (id, starts > 0);
                    starts += 1;
                }
                Item::CheckpointEnd(of) => {
                    (*of, entry.is_gone) = (id, is_open || !is_last_part || ends > 0);
                    ends += usize::from(is_last_part);
                }
                Item::Mutation(_) => entry.is_gone = entry.is_reverted,
                Item::Empty | Item::Flush | Item::Commit | Item::OnlineUpdate(_) => {}
            }
            entry.is_reverted &= entry.item.mutation().is_some();
        }
        self.keep_newest(last);
        for part in first..last {
            self.parts[part].is_gone = true;
        }
        (self.parts[last].id, self.parts[last].is_open) = (id, is_open);
        for name in self.readers.iter().map(|reader| reader.name).collect::<Vec<_>>() {
            self.follow(name, first, last);
        }
    }

    /// Of all mutations of a key in a checkpoint only the newest stays.
    fn keep_newest(&mut self, part: usize) {
        for at in 0..self.entries.len() {
            let Some(key) = self.entries[at].item.mutation().map(|m| m.change.key) else {
                continue;
            };
            let is_newer = |at: usize| {
                let entry = &self.entries[at];
                let is_same = entry.item.mutation().is_some_and(|m| m.change.key == key);
                entry.part == part && !entry.is_gone && is_same
            };
            if self.entries[at].part == part && (at + 1..self.entries.len()).any(is_newer) {
                self.entries[at].is_gone = true;
            }
        }
    }

    /// A reader stands in the merged checkpoint; if it has nothing of it but the start, that is delivered again.
    fn follow(&mut self, name: CursorName, first: usize, last: usize) {
        let Some(reader) = self.readers.iter_mut().find(|reader| reader.name == name) else {
            return;
        };
        if (first..=last).contains(&reader.stands) {
            reader.stands = last;
            let passed = self.entries[..reader.seen.min(self.entries.len())].iter();
            let mut passed = passed.filter(|entry| entry.part == last && !entry.is_gone);
            if passed.all(|entry| matches!(entry.item, Item::CheckpointStart(_))) {
                self.place(name, last);
            }
        }
    }
}
