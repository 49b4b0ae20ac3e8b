//! One life of a vbucket: what it is, and what may come back of it.

use std::collections::{BTreeMap, BTreeSet};

use super::Judged;
use crate::checkpoint::op::EventKind;
use crate::vbucket::checks::{
    BARRIER, DELIVERED, EXPIRED_ONLY, KEEPS, NOT_BEFORE_DISK, ONCE, STANDINGS_IN_ORDER,
};
use crate::vbucket::note::Note;
use crate::vbucket::op::{Key, State, Vb};
use crate::vbucket::reference::{Item, Vbucket};
use crate::vbucket::table::Entry;
use crate::vbucket::vb::{Changed, Counters};

/// What stood in a key from some change on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::vbucket) struct Version {
    /// Its name; 0 before the first.
    pub(super) cas: u64,
    /// The same in the log; two may be of one change that came again.
    pub(super) mutation: u64,
    /// Nothing after a deletion.
    pub(super) item: Option<Item>,
    /// The checkpoint that the change is in.
    pub(super) checkpoint: u64,
    /// The online update that it is in.
    pub(super) window: Option<u32>,
    /// It is on disk that the key is gone, since its time runs out soon.
    pub(super) is_away: bool,
}

/// A vbucket from its creation on.
#[derive(Clone, Debug)]
pub(in crate::vbucket) struct Life {
    pub(super) birth: u64,
    /// It was deleted.
    pub(super) is_gone: bool,
    /// What it was, by the number of the change.
    pub(super) states: Vec<(u64, State)>,
    /// The change that the disk has.
    pub(super) saved: u64,
    /// What stands in it.
    pub(super) reference: Vbucket,
    /// Of each key: the version that is on disk, and all that came after it.
    pub(super) versions: BTreeMap<Key, Vec<Version>>,
    /// The checkpoint up to which all is said to be on disk.
    pub(super) published: u64,
    /// The same as the disk has it, and what was said after that, in order: a crash leaves one of these. It is less than the
    /// one before only where the log has gone back.
    pub(super) ids: Vec<u64>,
    /// The online update that is open, and how many there were.
    pub(super) window: Option<u32>,
    pub(super) windows: u32,
    /// Those that are complete.
    pub(super) complete: BTreeSet<u32>,
    /// One is being taken back; whoever asked for that was not told yet.
    pub(super) is_reverting: bool,
    pub(super) owes_revert: bool,
    /// It was deleted, and whoever asked for that was not told yet.
    pub(super) owes_drop: bool,
    /// What was seen to happen, counted as the node should. Keys are counted by [`Life::counts`].
    pub(super) counted: Counters,
}

impl Life {
    pub(super) fn new(birth: u64) -> Life {
        Life {
            birth,
            is_gone: false,
            states: Vec::new(),
            saved: 0,
            reference: Vbucket::default(),
            versions: BTreeMap::new(),
            published: 0,
            ids: vec![0],
            window: None,
            windows: 0,
            complete: BTreeSet::new(),
            is_reverting: false,
            owes_revert: false,
            owes_drop: false,
            counted: Counters::default(),
        }
    }

    /// Whether it was deleted as it should be, and that is to be answered now.
    pub(super) fn answers_drop(&mut self) -> bool {
        let is_dead = self.state() == Some(State::Dead) && self.window.is_none();
        std::mem::take(&mut self.owes_drop) && is_dead
    }

    /// What the node should have counted.
    pub(in crate::vbucket) fn counts(&self) -> Counters {
        Counters { items: self.reference.items.len() as u64, ..self.counted }
    }

    /// Takes in what the node says about it in this second.
    pub(super) fn take(&mut self, note: &Note, now: u64) -> Judged {
        match note {
            Note::Queued(_, key, cas, changed) => return self.queued(*key, *cas, *changed),
            Note::Expired(_, key, cas, _) => return self.expired(*key, *cas, now),
            Note::Committed(_, key, cas, written) => {
                return self.committed(*key, *cas, *written);
            }
            Note::Published(_, id) => return self.published(*id),
            Note::Dropped(..) => (self.is_gone, self.owes_drop) = (true, true),
            Note::RevertBegun(_) => {
                (self.is_reverting, self.owes_revert) = (true, true);
                self.revert();
            }
            Note::Reverted(_) => self.is_reverting = false,
            Note::Stepped(_, EventKind::Revert) => {
                self.is_reverting = true;
                self.revert();
            }
            Note::Evicted(_, key, cas) => return self.evicted(*key, *cas),
            Note::Stepped(_, EventKind::Start) => self.start(),
            Note::Stepped(_, EventKind::Complete) => self.complete(),
            Note::Applied(_, key, cas, entry) => self.applied(*key, *cas, entry.as_ref()),
            Note::Opened(_, id) => self.renumber(0, 0, *id),
            Note::Merged(_, id, persisted) => {
                self.renumber(*id, u64::MAX, *id);
                return self.published(*persisted);
            }
            Note::CaughtUp(_, got) => return self.delivered(got),
            // The others are about something else, or say nothing new.
            _ => {}
        }
        Ok(())
    }

    pub(super) fn state(&self) -> Option<State> {
        self.states.last().map(|(_, state)| *state)
    }

    /// The versions of a key that may be on disk.
    pub(super) fn versions(&mut self, key: Key) -> &mut Vec<Version> {
        let (checkpoint, window, is_away) = (0, None, false);
        let first = Version { cas: 0, mutation: 0, item: None, checkpoint, window, is_away };
        self.versions.entry(key).or_insert_with(|| vec![first])
    }

    /// A key was changed to what stands in it now.
    fn queued(&mut self, key: Key, cas: u64, changed: Changed) -> Judged {
        let (item, window) = (self.reference.items.get(&key).cloned(), self.window);
        let Changed { checkpoint, mutation, .. } = changed;
        let is_away = false;
        self.versions(key).push(Version { cas, mutation, item, checkpoint, window, is_away });
        // What is in no checkpoint yet will be in one of those to come.
        match self.ids.first() {
            Some(said) if (1..=*said).contains(&checkpoint) => {
                let detail = format!(
                    "{key} @{cas} came into checkpoint {checkpoint}, and the disk says all up to {said}"
                );
                Err((NOT_BEFORE_DISK, "said before it came", detail))
            }
            _ => Ok(()),
        }
    }

    /// A replica has taken in a version of a key.
    pub(super) fn applied(&mut self, key: Key, cas: u64, entry: Option<&Entry>) {
        let Some(Entry { value: Some(value), flags, until, .. }) = entry else {
            self.reference.items.remove(&key);
            return;
        };
        let (value, flags, until) = (value.clone(), *flags, *until);
        self.reference.items.insert(key, Item { value, flags, until, cas });
    }

    /// What is in the checkpoints from one to another is in this one now.
    pub(super) fn renumber(&mut self, from: u64, to: u64, id: u64) {
        for version in self.versions.values_mut().flat_map(|versions| versions.iter_mut().skip(1)) {
            if (from..=to).contains(&version.checkpoint) {
                version.checkpoint = id;
            }
        }
    }

    /// A key was taken out in this second because its time had run out.
    fn expired(&mut self, key: Key, cas: u64, now: u64) -> Judged {
        let item = self.reference.items.remove(&key);
        match item {
            Some(item) if item.cas == cas && item.until.is_some_and(|until| until <= now) => Ok(()),
            item => {
                let lives = item.map_or("nothing".into(), |item| format!("`{}`", item.value));
                let detail =
                    format!("{key} @{cas} was taken out in second {now}; there was {lives}");
                Err((EXPIRED_ONLY, "purged alive", detail))
            }
        }
    }

    /// A version is on disk.
    fn committed(&mut self, key: Key, cas: u64, (mutation, is_late): (u64, bool)) -> Judged {
        let window = self.window;
        let versions = self.versions(key);
        let Some(at) = versions.iter().position(|v| (v.cas, v.mutation) == (cas, mutation)) else {
            let detail = format!("{key} @{cas} was written, which is older or never was");
            return Err((KEEPS, "older written", detail));
        };
        if versions[at].window.is_some() && versions[at].window == window {
            let detail = format!("{key} @{cas} was written while the window is open");
            return Err((BARRIER, "written in the window", detail));
        }
        if at == 0 {
            return Err((ONCE, "written twice", format!("{key} @{cas} was on disk already")));
        }
        versions.drain(..at);
        versions[0].is_away = is_late && versions[0].item.is_some();
        Ok(())
    }

    /// All up to a checkpoint is said to be on disk.
    fn published(&mut self, id: u64) -> Judged {
        self.published = id;
        if self.ids.last() != Some(&id) {
            self.ids.push(id);
        }
        for (key, versions) in &self.versions {
            if let Some(version) = versions.iter().skip(1).find(|v| v.checkpoint <= id) {
                let detail = format!(
                    "{key} @{} of checkpoint {} was not written when {id} was said to be on disk",
                    version.cas, version.checkpoint
                );
                return Err((NOT_BEFORE_DISK, "said too early", detail));
            }
        }
        Ok(())
    }

    /// The disk says up to which checkpoint all is there.
    pub(super) fn id_saved(&mut self, vb: Vb, id: u64) -> Judged {
        let Some(at) = self.ids.iter().position(|said| *said == id) else {
            let (first, last) = (self.ids.first(), self.ids.last());
            let detail =
                format!("{vb}: checkpoint {id}; {first:?} was on disk, and {last:?} is true");
            return Err(if self.ids.iter().all(|said| *said > id) {
                (STANDINGS_IN_ORDER, "older checkpoint", detail)
            } else {
                (NOT_BEFORE_DISK, "saved, and never said", detail)
            });
        };
        self.ids.drain(..at);
        Ok(())
    }

    /// The checkpoint up to which all is said to be on disk, if the disk says another one.
    pub(in crate::vbucket) fn unsaved_id(&self) -> Option<u64> {
        (self.ids.first() != Some(&self.published)).then_some(self.published)
    }

    /// A reader has got all that there is: these versions.
    fn delivered(&self, got: &[(Key, u64)]) -> Judged {
        for (key, versions) in &self.versions {
            let newest = versions.last().and_then(|version| version.item.as_ref());
            let newest = newest.map(|item| item.cas);
            let held = got.iter().find(|(of, _)| of == key).map(|(_, cas)| *cas);
            if newest != held {
                let name = |cas: Option<u64>| cas.map_or("nothing".into(), |cas| format!("@{cas}"));
                let detail =
                    format!("{key}: {} was delivered, {} is there", name(held), name(newest));
                return Err((DELIVERED, "not the last", detail));
            }
        }
        Ok(())
    }

    /// All that can be on disk is said to be there.
    pub(super) fn drained(&self) -> Judged {
        match self.unwritten() {
            None => Ok(()),
            Some((key, cas)) => {
                let detail = format!("{key} @{cas} was not written before a clean stop");
                Err((KEEPS, "lost by a stop", detail))
            }
        }
    }

    /// The newest checkpoint with something that is not on disk, of those that whoever waits for the disk closes: where
    /// another node makes the checkpoints, the newest stays open.
    pub(super) fn newest(&self) -> u64 {
        let behind = self.versions.values().flat_map(|versions| versions.iter().skip(1));
        let newest = behind.map(|version| version.checkpoint).max().unwrap_or(0);
        match self.state() {
            Some(State::Active) => newest,
            _ => newest.saturating_sub(1),
        }
    }

    /// A version that is not on disk and should come to be.
    pub(in crate::vbucket) fn unwritten(&self) -> Option<(Key, u64)> {
        self.versions.iter().find_map(|(key, versions)| {
            let behind = versions.iter().skip(1);
            let mut waiting = behind.filter(|v| v.window.is_none() || v.window != self.window);
            waiting.next_back().map(|version| (*key, version.cas))
        })
    }

    pub(super) fn start(&mut self) {
        self.windows += 1;
        self.window = Some(self.windows);
        self.reference.start();
    }

    pub(super) fn complete(&mut self) {
        self.complete.extend(self.window.take());
        self.reference.complete();
    }

    pub(super) fn revert(&mut self) {
        let window = self.window.take();
        for versions in self.versions.values_mut() {
            versions.retain(|version| window.is_none() || version.window != window);
        }
        self.count_revert();
        self.reference.revert();
    }

    /// Counts what a revert adds, deletes and changes back.
    fn count_revert(&mut self) {
        let Vbucket { items: now, before: Some(before) } = &self.reference else { return };
        let changed =
            |key: &&Key| now.get(key).map(|item| item.cas) != before.get(key).map(|item| item.cas);
        for key in now.keys().filter(changed) {
            match before.contains_key(key) {
                true => self.counted.reverted_updates += 1,
                false => self.counted.reverted_adds += 1,
            }
        }
        let gone = before.keys().filter(|key| !now.contains_key(key)).count();
        self.counted.reverted_deletes += gone as u64;
    }

    /// A value has left the memory.
    fn evicted(&mut self, key: Key, cas: u64) -> Judged {
        self.counted.evicted += 1;
        match self.versions(key).first() {
            Some(on_disk) if on_disk.cas == cas && !on_disk.is_away => Ok(()),
            _ => {
                Err((KEEPS, "evicted", format!("{key} @{cas} left the memory and is not on disk")))
            }
        }
    }

    /// The change of the state that was last, if the disk does not have it.
    pub(in crate::vbucket) fn unsaved(&self) -> Option<u64> {
        self.states.last().map(|(change, _)| *change).filter(|change| *change != self.saved)
    }
}
