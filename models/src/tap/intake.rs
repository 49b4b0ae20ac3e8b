//! The consumer of a stream: what it does with what it is told. It answers each message with what became of it.
//!
//! A message may come again after its answer was lost. That is harmless: a version is put in again, a checkpoint that is
//! over is ended once, steps of online updates name the update and are done once, and what belongs to an update that was
//! taken back is left out.

use std::collections::{BTreeMap, BTreeSet};

use seedbed_sim::actor::BugSet;

use crate::checkpoint::op::{CheckpointId, Epoch, Event as Step, EventKind, Incarnation};
use crate::checkpoint::response::{Accepted, Ended, Started};
use crate::vbucket::memory::Memory;
use crate::vbucket::op::{Key, State, Vb};
use crate::vbucket::record::Version;
use crate::vbucket::table::Entry;
use crate::vbucket::vb::{Vbucket, Window};

use super::bugs;
use super::frame::{Body, Message, Wish};

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It was taken in.
    Done,
    /// The same, and this came of it.
    With(Fact),
    /// It is to come again later.
    Rejected,
    /// It cannot be taken in before a revert is over, or before the disk has heard of something: it is to be told again then.
    Waits,
    /// The vbucket is to be made anew, with [`Intake::reset`]; that is the answer.
    Resets(Vb),
    /// The vbucket is another one now; the answer waits until the disk knows.
    Stands(Vb, State),
    /// The connection ends here.
    HangUp,
    /// What came does not go together with what is here: the connection ends, and all of the vbucket has to come.
    Anew,
    /// The node stops, for this reason.
    Aborts(&'static str),
}

/// Something that a consumer has done.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    /// It took in this version of a key.
    Applied(Vb, Key, u64),
    /// It has all up to the end of this checkpoint of a life: the version of each key.
    Ended(Vb, Incarnation, CheckpointId, Vec<(Key, u64)>),
    /// It did a step of an online update.
    Stepped(Vb, EventKind),
    /// It went back to an earlier checkpoint, and merged what it had; whether the disk now says that more is on it than is.
    Merged(Vb, bool),
    /// It left out what belongs to an online update that was taken back.
    LeftOut(Vb),
    /// A step of an online update came again.
    StepAgain(Vb),
    /// A checkpoint begins with which the backfill is over.
    Filled(Vb),
}

/// What a consumer has of a vbucket.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Had {
    /// The life of the other end that it is of.
    of: Incarnation,
    /// All up to this checkpoint.
    closed: CheckpointId,
    /// The vbucket here. One that was made anew or promoted is another one.
    birth: u64,
    incarnation: Incarnation,
    /// Online updates that were taken back.
    reverted: BTreeSet<u64>,
}

/// The consumer of one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Intake {
    had: BTreeMap<Vb, Had>,
    rejected: BTreeMap<Vb, Rejected>,
    bugs: BugSet,
}

/// What was rejected of a vbucket. Whatever comes behind it is rejected, too, until it comes again.
///
/// A backfill and the cursor may say the same version, so that a second copy that was on its way is taken for the first one,
/// said again. Which of the two it was shows only later, so each of these may be the one that comes next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rejected {
    changes: Vec<Message>,
    /// None of them has come again.
    is_awaited: bool,
}

impl Intake {
    /// A consumer that has nothing.
    #[must_use]
    pub fn new(bugs: BugSet) -> Intake {
        Intake { had: BTreeMap::new(), rejected: BTreeMap::new(), bugs }
    }

    /// What it asks for, of these vbuckets. It does not ask for those that are its own.
    #[must_use]
    pub fn wishes(&self, vbs: &BTreeSet<Vb>, memory: &Memory) -> Vec<Wish> {
        let followed = vbs.iter().filter(|vb| {
            let state = memory.vbs.get(vb).map(|vbucket| vbucket.standing.state);
            matches!(state, None | Some(State::Replica | State::Pending))
        });
        let nothing = (CheckpointId::BACKFILL, Incarnation(0));
        followed
            .map(|vb| {
                let had = self.had.get(vb).filter(|had| is_same(had, memory.vbs.get(vb)));
                let (closed, incarnation) = had.map_or(nothing, |had| (had.closed, had.of));
                Wish { vb: *vb, closed, incarnation }
            })
            .collect()
    }

    /// What was rejected of these vbuckets need not come again before everything else: they come in another way.
    pub fn begins(&mut self, vbs: &BTreeSet<Vb>) {
        self.rejected.retain(|vb, _| !vbs.contains(vb));
    }

    /// Takes a message in at this time, unless it has to be rejected.
    pub fn take(&mut self, message: &Message, memory: &mut Memory, now: u64, full: bool) -> Taken {
        let vb = message.vb;
        let state = memory.vbs.get(&vb).map(|vbucket| vbucket.standing.state);
        match &message.body {
            Body::Noop => return Taken::Done,
            Body::Reset => {
                return match state {
                    None | Some(State::Replica | State::Pending) => Taken::Resets(vb),
                    Some(State::Active | State::Dead) => Taken::HangUp,
                };
            }
            Body::State(_) if memory.vbs.get(&vb).is_some_and(Vbucket::is_held) => {
                return Taken::Waits;
            }
            Body::State(to) => return self.state(vb, state, *to),
            Body::BackfillEnd
            | Body::Start(..)
            | Body::End(_)
            | Body::Set(..)
            | Body::Delete(..)
            | Body::Update(_)
            | Body::Flush => {}
        }
        if !matches!(state, Some(State::Replica | State::Pending)) {
            return Taken::HangUp;
        }
        if memory.vbs.get(&vb).is_some_and(Vbucket::is_held) {
            return Taken::Waits;
        }
        // All before a start was answered, so that what is awaited then is of a stream that was given up.
        let rejected = self.rejected.get(&vb).filter(|_| !matches!(message.body, Body::Start(..)));
        if rejected.is_some_and(|of| of.is_awaited && !of.changes.contains(message)) {
            return Taken::Rejected;
        }
        if full && matches!(message.body, Body::Set(..)) {
            // Defects of the producer that are from before this rule.
            let before =
                [&bugs::REJECTED_TO_TAIL, &bugs::END_OVERTAKES_REJECTED, &bugs::STEP_ON_HIGH_QUEUE];
            if !before.into_iter().any(|bug| self.bugs.has(bug)) {
                self.reject(message);
            }
            return Taken::Rejected;
        }
        self.comes_again(vb, memory);
        match &message.body {
            Body::Set(window, version) => {
                let Version { key, value, flags, until, cas } = version.clone();
                let value = Some(value);
                let entry = Entry { value, flags, until, cas, dirty: true, row: None };
                self.change((vb, key, cas, *window), Some(entry), memory, now)
            }
            Body::Delete(window, key, cas) => {
                self.change((vb, *key, *cas, *window), None, memory, now)
            }
            Body::Start(id, of) => self.start(vb, (*id, *of), memory, now),
            Body::End(id) => self.end(vb, *id, memory),
            Body::Update(step) => self.update(vb, *step, memory, now),
            Body::Flush => flush(vb, memory, now),
            Body::BackfillEnd | Body::Noop | Body::Reset | Body::State(_) => Taken::Done,
        }
    }

    fn reject(&mut self, message: &Message) {
        let rejected = self.rejected.entry(message.vb).or_default();
        rejected.is_awaited = true;
        if !rejected.changes.contains(message) {
            rejected.changes.push(message.clone());
        }
    }

    /// What was awaited is here. Behind a backfill nothing is said twice, so that this is certain then.
    fn comes_again(&mut self, vb: Vb, memory: &Memory) {
        let open = memory.vbs.get(&vb).map(|vbucket| vbucket.log.open_id());
        match self.rejected.get_mut(&vb) {
            Some(rejected) if open == Some(CheckpointId::BACKFILL) => rejected.is_awaited = false,
            _ => _ = self.rejected.remove(&vb),
        }
    }

    fn state(&self, vb: Vb, state: Option<State>, to: State) -> Taken {
        match (state, to) {
            (None | Some(State::Replica | State::Pending), State::Pending)
            | (Some(State::Replica | State::Pending), State::Active) => Taken::Stands(vb, to),
            _ => Taken::HangUp,
        }
    }

    /// Makes a vbucket anew, which is what it was, and returns what was there.
    pub fn reset(&mut self, vb: Vb, memory: &mut Memory, now: u64) -> Option<Vbucket> {
        let state = memory.vbs.get(&vb).map_or(State::Replica, |vbucket| vbucket.standing.state);
        let mut gone = memory.forget(vb);
        memory.create(vb, state, now);
        if let (Some(gone), Some(vbucket)) = (&mut gone, memory.vbs.get_mut(&vb)) {
            vbucket.blocked = std::mem::take(&mut gone.blocked);
            vbucket.persisting = std::mem::take(&mut gone.persisting);
        }
        self.had.remove(&vb);
        self.rejected.remove(&vb);
        gone
    }

    /// Nothing of a vbucket counts any more: all of it has to come.
    pub fn forget(&mut self, vb: Vb) {
        self.had.remove(&vb);
    }

    fn start(
        &mut self,
        vb: Vb,
        (id, of): (CheckpointId, Incarnation),
        memory: &mut Memory,
        now: u64,
    ) -> Taken {
        // All before it was answered.
        self.rejected.remove(&vb);
        let Some(vbucket) = memory.vbs.get_mut(&vb) else { return Taken::HangUp };
        let is_filled = vbucket.log.open_id() == CheckpointId::BACKFILL;
        let started = vbucket.log.accept_start(now, id);
        let mut taken = if is_filled { Taken::With(Fact::Filled(vb)) } else { Taken::Done };
        match started {
            Started::Refused => return Taken::Anew,
            Started::Merged { persisted_at_most } => {
                vbucket.rewinds += 1;
                let before = vbucket.standing.persisted;
                let most = persisted_at_most.map_or(before, |most| most.0.min(before));
                vbucket.standing.persisted = most;
                taken = Taken::With(Fact::Merged(vb, most < before));
            }
            Started::Ignored | Started::Renumbered | Started::Opened => {}
        }
        let (birth, incarnation) = (vbucket.standing.birth, vbucket.log.incarnation());
        let fresh =
            Had { of, closed: id.previous(), birth, incarnation, reverted: BTreeSet::new() };
        let had = self.had.entry(vb).or_insert_with(|| fresh.clone());
        if !is_same(had, Some(vbucket)) {
            *had = fresh;
        }
        (had.of, had.closed) = (of, id.previous());
        memory.has_work = true;
        taken
    }

    fn end(&mut self, vb: Vb, id: CheckpointId, memory: &mut Memory) -> Taken {
        let Some(vbucket) = memory.vbs.get_mut(&vb) else { return Taken::HangUp };
        let ended = vbucket.log.accept_end(id);
        memory.has_work = true;
        match ended {
            Ended::Disconnect => Taken::HangUp,
            Ended::Ignored => {
                self.closed(vb, id);
                Taken::Done
            }
            Ended::Closed => {
                let of = self.closed(vb, id);
                let vbucket = memory.vbs.get(&vb);
                let entries = vbucket.into_iter().flat_map(|vbucket| vbucket.table.iter());
                let held = entries.map(|(key, entry)| (key, entry.cas)).collect();
                of.map_or(Taken::Done, |of| Taken::With(Fact::Ended(vb, of, id, held)))
            }
        }
    }

    fn closed(&mut self, vb: Vb, id: CheckpointId) -> Option<Incarnation> {
        let had = self.had.get_mut(&vb)?;
        had.closed = had.closed.max(id);
        Some(had.of)
    }

    fn change(
        &mut self,
        (vb, key, cas, window): (Vb, Key, u64, u64),
        entry: Option<Entry>,
        memory: &mut Memory,
        now: u64,
    ) -> Taken {
        if window != 0 && self.had.get(&vb).is_some_and(|had| had.reverted.contains(&window)) {
            return Taken::With(Fact::LeftOut(vb));
        }
        memory.heard(cas);
        let mut told = cas;
        if self.bugs.has(&bugs::NEW_CAS) && entry.is_some() {
            told = memory.number();
        }
        let entry = entry.map(|entry| Entry { cas: told, ..entry });
        let Some(vbucket) = memory.vbs.get_mut(&vb) else { return Taken::HangUp };
        let held = vbucket.table.entry(key);
        let is_backfill = vbucket.log.open_id() == CheckpointId::BACKFILL;
        // What the cursor delivers may be older than what was collected. Where no checkpoint is open, what comes again is of
        // one that is over, and would not be for the disk any more.
        let may_be_known = is_backfill || vbucket.log.open_checkpoint().is_none();
        if may_be_known && held.is_some_and(|held| held.cas >= cas) {
            return Taken::Done;
        }
        if is_backfill {
            memory.edit(vb, |vbucket| vbucket.backfill(key, entry, told));
            memory.has_work = true;
            return Taken::With(Fact::Applied(vb, key, cas));
        }
        let changed = memory.edit(vb, |vbucket| vbucket.change(key, entry, told, now));
        memory.has_work |= changed.is_some_and(|changed| changed.grew);
        Taken::With(Fact::Applied(vb, key, cas))
    }

    fn update(&mut self, vb: Vb, step: Step, memory: &mut Memory, now: u64) -> Taken {
        let Some(vbucket) = memory.vbs.get_mut(&vb) else { return Taken::HangUp };
        match vbucket.log.accept_event(now, step) {
            Accepted::Aborts => Taken::Aborts("a revert finds the flusher before the window"),
            Accepted::Refused if vbucket.log.defects().events_once_only => Taken::HangUp,
            Accepted::Refused => Taken::Anew,
            Accepted::Ignored => Taken::Done,
            Accepted::AlreadyDone => Taken::With(Fact::StepAgain(vb)),
            Accepted::Applied => {
                self.step(vb, step, memory);
                Taken::With(Fact::Stepped(vb, step.kind))
            }
        }
    }

    fn step(&mut self, vb: Vb, step: Step, memory: &mut Memory) {
        let Epoch(epoch) = step.epoch;
        memory.edit(vb, |vbucket| match step.kind {
            EventKind::Start => vbucket.window = Some(Window::default()),
            EventKind::Complete => vbucket.window = None,
            // The reverter brings back key by key, and what comes behind it waits.
            EventKind::Revert => {
                if let Some(window) = &mut vbucket.window {
                    window.is_reverting = true;
                }
            }
        });
        if step.kind == EventKind::Revert
            && let Some(had) = self.had.get_mut(&vb)
        {
            had.reverted.insert(epoch);
        }
        memory.has_work = true;
    }
}

/// Every key is deleted.
fn flush(vb: Vb, memory: &mut Memory, now: u64) -> Taken {
    let Some(vbucket) = memory.vbs.get(&vb) else { return Taken::HangUp };
    let keys: Vec<Key> = vbucket.table.iter().map(|(key, _)| key).collect();
    for key in keys {
        memory.change(vb, key, None, now);
    }
    Taken::Done
}

/// Whether a vbucket is still the one that was filled.
fn is_same(had: &Had, vbucket: Option<&Vbucket>) -> bool {
    vbucket.is_some_and(|vbucket| {
        (vbucket.standing.birth, vbucket.log.incarnation()) == (had.birth, had.incarnation)
    })
}

#[cfg(test)]
mod tests;
