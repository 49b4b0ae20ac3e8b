//! Connections and filters: which vbuckets a stream is of, and where it goes on in each.

use std::collections::BTreeMap;

use seedbed_sim::time::Time;

use crate::checkpoint::manager::Manager;
use crate::checkpoint::op::{
    CheckpointId, CursorName, Epoch, EventKind, Incarnation, Item as LogItem,
};
use crate::checkpoint::response::Registration;
use crate::checkpoint::segment::Checkpoint;
use crate::vbucket::memory::Memory;
use crate::vbucket::op::Vb;

use super::super::bugs;
use super::super::frame::{Body, Message, Wish};
use super::{Producer, Stage, Stream};

impl Producer {
    /// The other end has come, or has come back.
    pub fn connect(&mut self, wishes: &[Wish], memory: &mut Memory, now: Time) {
        self.roll_back();
        (self.lost_at, self.said_at, self.answered_at) = (None, now, now);
        self.leave_others(wishes, memory);
        for wish in wishes {
            let is_known = self.streams.contains_key(&wish.vb);
            self.wish(*wish, memory, is_known);
        }
        self.open_move();
    }

    /// From now on the stream is to be of these vbuckets.
    pub fn filter(&mut self, wishes: &[Wish], memory: &mut Memory) {
        self.leave_others(wishes, memory);
        for wish in wishes {
            if !self.streams.contains_key(&wish.vb) {
                self.wish(*wish, memory, false);
            }
        }
    }

    /// The connection was lost.
    pub fn lose(&mut self, now: Time) {
        if self.lost_at.is_none() {
            self.lost_at = Some(now);
        }
    }

    /// It will not come back: its cursors go.
    pub fn forget(&mut self, memory: &mut Memory) {
        for vb in self.streams.keys() {
            if let Some(vbucket) = memory.vbs.get_mut(vb) {
                vbucket.log.remove_cursor(CursorName::Named(self.name.0));
            }
        }
        self.streams.clear();
    }

    /// Vbuckets that are no longer wanted leave the stream.
    fn leave_others(&mut self, wishes: &[Wish], memory: &mut Memory) {
        let cursor = self.cursor();
        let kept = std::mem::take(&mut self.streams);
        let (kept, left): (BTreeMap<_, _>, BTreeMap<_, _>) =
            kept.into_iter().partition(|(vb, _)| wishes.iter().any(|wish| wish.vb == *vb));
        self.streams = kept;
        for vb in left.into_keys() {
            if !self.bugs.has(&bugs::QUEUED_STAYS) {
                self.drop_queued(vb);
            }
            let vbucket = memory.vbs.get_mut(&vb);
            if let Some(vbucket) = vbucket.filter(|_| !self.bugs.has(&bugs::CURSORS_KEPT)) {
                vbucket.log.remove_cursor(cursor);
            }
        }
    }

    /// The other end wants a vbucket, and has this much of it.
    fn wish(&mut self, wish: Wish, memory: &mut Memory, is_known: bool) {
        let token = self.streams.get(&wish.vb).map_or(0, |stream| stream.token);
        let since = self.streams.get(&wish.vb).map_or(self.order, |stream| stream.since);
        let before = self.streams.get(&wish.vb).map(|of| (of.stage, of.window, of.epoch, of.told));
        let goes_on = is_known && self.resumes(wish, memory);
        // Where the other end was about to forget what it has, what waited for it is dropped already: the cursor has gone
        // past that, and what was to be forgotten is asked for again.
        let is_lost = before.is_some_and(|(stage, ..)| {
            matches!(stage, Stage::Waiting | Stage::Resetting | Stage::Filling)
        });
        let resumes = goes_on && !is_lost;
        if !resumes {
            self.drop_queued(wish.vb);
        }
        if goes_on
            && is_lost
            && let Some(vbucket) = memory.vbs.get_mut(&wish.vb)
        {
            vbucket.log.remove_cursor(self.cursor());
        }
        let stream = Stream {
            stage: Stage::Waiting,
            incarnation: wish.incarnation,
            closed: wish.closed,
            since: if resumes { since } else { self.order },
            token,
            is_collected: false,
            wants_backfill: false,
            epoch: Epoch(0),
            quiet_until: CheckpointId::BACKFILL,
            told: CheckpointId::BACKFILL,
            is_ended_there: false,
            window: 0,
            dump_left: 0,
        };
        self.streams.insert(wish.vb, stream);
        self.register(wish.vb, memory);
        let Some(stream) = self.streams.get_mut(&wish.vb).filter(|_| resumes) else { return };
        if let Some((stage, window, epoch, told)) = before {
            (stream.window, stream.epoch) = (window, epoch);
            // A merge may have taken the cursor past the start of a checkpoint that was never told.
            stream.told = stream.told.min(told);
            // What was over is over still, unless the other end knows.
            if let Stage::Ending(id) | Stage::Ended(id) = stage
                && wish.closed < id
            {
                stream.stage = Stage::Ending(id);
            }
        }
    }

    /// Whether the stream of a vbucket goes on where it was.
    fn resumes(&self, wish: Wish, memory: &Memory) -> bool {
        memory.vbs.get(&wish.vb).is_some_and(|vbucket| {
            let incarnation = self.known(wish.incarnation, &vbucket.log);
            let told = vbucket.log.lookup(self.cursor(), wish.closed.next(), incarnation);
            told == Registration::Resume
        })
    }

    /// The life that the other end has something of, as far as that is looked at.
    fn known(&self, incarnation: Incarnation, log: &Manager) -> Incarnation {
        match self.bugs.has(&bugs::REGISTERED_BY_ID_ALONE) {
            true => log.incarnation(),
            false => incarnation,
        }
    }

    /// Looks whether what waits can go on.
    pub(super) fn schedule(&mut self, memory: &mut Memory) {
        let cursor = self.cursor();
        let mut lost = Vec::new();
        for (vb, stream) in &mut self.streams {
            let log = memory.vbs.get(vb).map(|vbucket| &vbucket.log);
            let has_cursor = log.is_some_and(|log| log.cursor(cursor).is_some());
            match stream.stage {
                Stage::Waiting => lost.push(*vb),
                Stage::Resetting => {}
                // The vbucket was made anew: nothing of the old one counts.
                _ if !has_cursor => {
                    stream.stage = Stage::Waiting;
                    stream.incarnation.0 = 0;
                    lost.push(*vb);
                }
                _ => {}
            }
        }
        for vb in lost {
            let is_again = self.streams.get(&vb).is_some_and(|stream| stream.incarnation.0 == 0);
            if is_again {
                self.drop_queued(vb);
            }
            self.register(vb, memory);
        }
    }

    /// Tries to begin or to go on with a vbucket.
    fn register(&mut self, vb: Vb, memory: &mut Memory) -> Option<Registration> {
        let cursor = self.cursor();
        let vbucket = memory.vbs.get_mut(&vb)?;
        let is_half_filled = vbucket.log.open_id() == CheckpointId::BACKFILL;
        if is_half_filled && !self.bugs.has(&bugs::FILLED_FROM_HALF_FILLED) {
            return None;
        }
        let incarnation = self.known(self.streams.get(&vb)?.incarnation, &vbucket.log);
        let stream = self.streams.get_mut(&vb)?;
        let answer = vbucket.log.register(cursor, stream.closed.next(), incarnation);
        match answer {
            Registration::Resume | Registration::Found => {
                stream.stage = Stage::Following;
                stream.told = told(&vbucket.log, cursor, (stream.closed, answer));
                stream.window = window_of(&vbucket.log, cursor);
                stream.dump_left = left(&vbucket.log, cursor);
            }
            Registration::BackfillNeeded => {
                (stream.incarnation.0, stream.since) = (0, self.order);
                (stream.closed, stream.told) = (CheckpointId::BACKFILL, CheckpointId::BACKFILL);
                stream.stage = Stage::Resetting;
                self.tell_reset(vb);
            }
            Registration::WindowOpen => stream.stage = Stage::Waiting,
            Registration::Refused => {}
        }
        Some(answer)
    }

    /// The other end is to forget what it has, before it is told all.
    fn tell_reset(&mut self, vb: Vb) {
        let skips = self.bugs.has(&bugs::NOT_RESET);
        if !skips {
            let item = self.item(Message { vb, body: Body::Reset });
            self.high.push_back(item);
        }
        if skips || self.bugs.has(&bugs::RESET_NOT_AWAITED) {
            self.begin_backfill(vb);
        }
    }
}

/// The checkpoint that the other end knows of, which has all up to `closed` and was registered like this: the one after
/// that, if the cursor is in it.
fn told(
    log: &Manager,
    cursor: CursorName,
    (closed, as_what): (CheckpointId, Registration),
) -> CheckpointId {
    let at = id_of(log, cursor);
    if as_what == Registration::Resume && at != Some(closed) { closed.next() } else { closed }
}

/// The checkpoint that a cursor stands in.
pub(super) fn id_of(log: &Manager, cursor: CursorName) -> Option<CheckpointId> {
    let at = log.cursor(cursor)?.checkpoint();
    log.checkpoints().get(at).map(Checkpoint::id)
}

/// The online update that a cursor is in the midst of; 0 if none. The next step of an online update tells.
pub(super) fn window_of(log: &Manager, cursor: CursorName) -> u64 {
    let step = log.ahead(cursor).find_map(|item| match item {
        LogItem::OnlineUpdate(event) => Some(event),
        _ => None,
    });
    match step {
        Some(event) if event.kind == EventKind::Start => 0,
        Some(event) => event.epoch.0,
        // One that is being taken back has its last step behind the cursor.
        None => log.window().filter(|of| !of.is_reverting).map_or(0, |window| window.epoch.0),
    }
}

/// How many items a cursor has left.
pub(super) fn left(log: &Manager, cursor: CursorName) -> u64 {
    log.remaining(cursor).map_or(0, |left| left.items)
}
