//! Backfill: what is not in checkpoints any more is taken from the table, while changes go on.
//!
//! ```text
//!  forget it ──▶ answered ──▶ cursor at Ci, the open checkpoint ──▶ collect the table ──▶ the open one is Cj by now
//!                                                                                              │
//!   start(Cj) ◀── what is in Ci, .., Cj-1, without mention of checkpoints ◀── what was collected ◀┘
//! ```
//!
//! What was collected and what the cursor delivers overlap. At the end of Cj the other end has everything.

use crate::checkpoint::manager::Manager;
use crate::checkpoint::op::{CheckpointId, Incarnation};
use crate::checkpoint::response::Registration;
use crate::vbucket::memory::Memory;
use crate::vbucket::op::Vb;
use crate::vbucket::record::Version;

use super::super::bugs;
use super::super::frame::{Body, Message};
use super::{Filled, Item, Producer, Stage};

impl Producer {
    /// The other end has forgotten what it had, and the table is to be collected.
    pub(super) fn begin_backfill(&mut self, vb: Vb) {
        self.tokens += 1;
        let token = self.tokens;
        if let Some(stream) = self.streams.get_mut(&vb)
            && stream.stage == Stage::Resetting
        {
            stream.stage = Stage::Filling;
            (stream.token, stream.is_collected, stream.wants_backfill) = (token, false, true);
            self.is_backfill_pending = true;
        }
    }

    /// The collecting begins: from here on changes come by the cursor. Whether it may.
    pub fn backfill_begins(&mut self, vb: Vb, token: u64, memory: &mut Memory) -> bool {
        let cursor = self.cursor();
        let Some(stream) = self.streams.get_mut(&vb).filter(|stream| stream.token == token) else {
            return false;
        };
        let Some(vbucket) = memory.vbs.get_mut(&vb) else {
            stream.stage = Stage::Waiting;
            return false;
        };
        let is_half_filled = vbucket.log.open_id() == CheckpointId::BACKFILL;
        if is_half_filled && !self.bugs.has(&bugs::FILLED_FROM_HALF_FILLED) {
            stream.stage = Stage::Waiting;
            return false;
        }
        // Nobody has a checkpoint of no life, so that the cursor comes to stand at the beginning of the open one.
        let answer = vbucket.log.register(cursor, CheckpointId::BACKFILL, Incarnation(0));
        if answer != Registration::BackfillNeeded {
            stream.stage = Stage::Waiting;
            return false;
        }
        // Online updates up to this one are over, and what they came to is in the table.
        (stream.epoch, stream.window) = (vbucket.log.epoch(), 0);
        true
    }

    /// A version was collected.
    pub fn fill(&mut self, vb: Vb, token: u64, version: Version, from_disk: bool) {
        let is_wanted = self
            .streams
            .get(&vb)
            .is_some_and(|stream| stream.token == token && stream.stage == Stage::Filling);
        if is_wanted || self.bugs.has(&bugs::OLD_BACKFILL_GOES_ON) {
            self.filled.push_back(Filled { vb, version, from_disk });
        }
    }

    /// Whether a backfill is still wanted.
    #[must_use]
    pub fn wants(&self, vb: Vb, token: u64) -> bool {
        let stream = self.streams.get(&vb);
        stream.is_some_and(|stream| stream.token == token && stream.stage == Stage::Filling)
    }

    /// Everything was collected.
    pub fn backfill_ends(&mut self, vb: Vb, token: u64) {
        let stream = self.streams.get_mut(&vb).filter(|stream| stream.token == token);
        if let Some(stream) = stream.filter(|stream| stream.stage == Stage::Filling) {
            stream.is_collected = true;
            self.is_backfill_pending = false;
        }
    }

    /// The next of what was collected. What changed since is not sent as it was.
    pub(super) fn pick_filled(&mut self, memory: &Memory) -> Option<Item> {
        while let Some(Filled { vb, mut version, from_disk }) = self.filled.pop_front() {
            let present = memory.vbs.get(&vb).map(|vbucket| vbucket.table.entry(version.key));
            if from_disk {
                match present.flatten() {
                    // Its deletion will come.
                    None => continue,
                    Some(entry) if entry.cas != version.cas => {
                        let Some(value) = &entry.value else { continue };
                        version.value = value.clone();
                        (version.flags, version.until) = (entry.flags, entry.until);
                        version.cas = entry.cas;
                    }
                    Some(_) => {}
                }
            }
            let window = 0;
            return Some(self.item(Message { vb, body: Body::Set(window, version) }));
        }
        None
    }

    /// Vbuckets of which all was collected and said are followed by their cursors.
    pub(super) fn end_backfills(&mut self, memory: &Memory) {
        let done = self
            .streams
            .iter()
            .filter(|(_, stream)| stream.stage == Stage::Filling && stream.is_collected);
        let done: Vec<Vb> = done.map(|(vb, _)| *vb).collect();
        let cursor = self.cursor();
        for vb in done {
            let Some(stream) = self.streams.get_mut(&vb) else { continue };
            let log = memory.vbs.get(&vb).map(|vbucket| &vbucket.log);
            let log = log.filter(|log| log.cursor(cursor).is_some());
            let is_whole = |log: &&Manager| log.epoch() == stream.epoch && log.window().is_none();
            let Some(log) = log.filter(is_whole) else {
                // What an online update changed may be among it, and could not be taken back.
                (stream.stage, stream.incarnation) = (Stage::Waiting, Incarnation(0));
                continue;
            };
            stream.stage = Stage::Following;
            if !self.bugs.has(&bugs::CHECKPOINTS_DURING_BACKFILL) {
                stream.quiet_until = log.open_id();
            }
            let item = self.item(Message { vb, body: Body::BackfillEnd });
            self.queue.push_back(item);
        }
    }
}
