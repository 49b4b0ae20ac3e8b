//! Takeover: a vbucket moves along its stream.
//!
//! ```text
//!  pending there ─▶ copying ─ few items are left ─▶ dead here, also on disk ─▶ draining ─ all is answered ─▶ active there
//! ```
//!
//! From the moment on in which it is dead here nothing is written, and from the moment on in which it is active there it
//! is written there; all that was written before is there by then.

use seedbed_sim::time::Time;

use crate::vbucket::memory::Memory;
use crate::vbucket::op::{State, Vb};

use super::super::bugs;
use super::super::frame::{Body, Message};
use super::{Next, Producer, Stage};

/// How far a move is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Move {
    /// The vbucket is active here.
    Copying,
    /// It is dead here; what was written before goes over.
    Draining,
    /// The other end is told that it is active.
    Activating,
}

impl Producer {
    /// The other end is told that it is about to be the owner.
    pub(super) fn open_move(&mut self) {
        if !self.is_takeover {
            return;
        }
        let vbs: Vec<Vb> = self.streams.keys().copied().collect();
        for vb in vbs {
            let is_pending = |message: &Message| message.body == Body::State(State::Pending);
            if self.high.iter().any(|item| item.message.vb == vb && is_pending(&item.message)) {
                continue;
            }
            let item = self.item(Message { vb, body: Body::State(State::Pending) });
            // A vbucket that is made anew is pending, too, since it keeps its state.
            self.high.push_front(item);
        }
    }

    /// Whether what is written after the move began is left out. Only a planted bug does that.
    pub(super) fn ignores_new(&self) -> bool {
        self.is_takeover && self.bugs.has(&bugs::TAKEOVER_IGNORES_NEW)
    }

    /// There is nothing to say: a move may go on.
    pub(super) fn move_on(&mut self, memory: &mut Memory, now: Time) -> Next {
        if !self.is_takeover {
            return self.rest();
        }
        let vbs: Vec<Vb> = self.streams.keys().copied().collect();
        let is_dead = |vb| {
            let vbucket = memory.vbs.get(vb);
            vbucket.is_some_and(|vbucket| vbucket.standing.state == State::Dead)
        };
        if self.stage == Move::Draining && !vbs.iter().all(is_dead) {
            self.stage = Move::Copying;
        }
        match self.stage {
            Move::Copying if self.is_nearly_done(memory) => {
                self.stage = Move::Draining;
                Next::Die(vbs)
            }
            Move::Draining if self.is_drained(memory) => {
                self.stage = Move::Activating;
                let items: Vec<_> = vbs
                    .iter()
                    .map(|vb| self.item(Message { vb: *vb, body: Body::State(State::Active) }))
                    .collect();
                self.high.extend(items);
                let Some(item) = self.high.pop_front() else { return Next::Over };
                self.say(item, true, now)
            }
            Move::Activating if self.log.is_empty() => Next::Over,
            Move::Copying | Move::Draining | Move::Activating => self.rest(),
        }
    }

    /// Whether so little is left that the vbuckets need no owner for a moment.
    fn is_nearly_done(&self, memory: &Memory) -> bool {
        let cursor = self.cursor();
        let follows = self.streams.iter().all(|(vb, stream)| {
            let log = memory.vbs.get(vb).map(|vbucket| &vbucket.log);
            let is_calm = log.is_some_and(|log| log.window().is_none());
            let stage =
                matches!(stream.stage, Stage::Following | Stage::Ending(_) | Stage::Ended(_));
            is_calm && stage
        });
        let left = self.streams.keys().map(|vb| {
            let log = memory.vbs.get(vb).map(|vbucket| &vbucket.log);
            log.and_then(|log| log.remaining(cursor)).map_or(0, |left| left.mutations)
        });
        let left = left.sum::<u64>() + self.log.len() as u64;
        follows && (left <= u64::from(self.settings.threshold) || self.ignores_new())
    }

    /// Whether the other end has everything, and the disk knows that the vbuckets are dead.
    fn is_drained(&self, memory: &Memory) -> bool {
        let cursor = self.cursor();
        let is_answered = self.log.is_empty() || self.bugs.has(&bugs::ACTIVE_BEFORE_ANSWERS);
        let has_all = self.streams.iter().all(|(vb, stream)| {
            let Some(vbucket) = memory.vbs.get(vb) else { return false };
            let is_over = !vbucket.log.has_more(cursor, None) || self.ignores_new();
            let stage = matches!(stream.stage, Stage::Following | Stage::Ended(_));
            let is_saved = vbucket.is_saved() || self.bugs.has(&bugs::DEATH_NOT_SAVED);
            stage && is_over && vbucket.standing.state == State::Dead && is_saved
        });
        is_answered && has_all
    }
}
