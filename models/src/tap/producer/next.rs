//! What a producer does next.

use std::collections::VecDeque;

use seedbed_sim::time::Time;

use crate::checkpoint::manager::Manager;
use crate::checkpoint::op::{
    CheckpointId, CursorName, Epoch, Event, EventKind, Item as LogItem, Mutation, Operation,
};
use crate::vbucket::memory::Memory;
use crate::vbucket::op::{State, Value, Vb};
use crate::vbucket::record::Version;
use crate::vbucket::vb::key_of;

use super::super::bugs;
use super::super::frame::{Body, Message};
use super::super::seqno::Seqno;
use super::register::id_of;
use super::{Item, Producer, Sent, Stage};

/// What a producer does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// It says this; whether it wants an answer.
    Say(Seqno, bool, Message),
    /// The table of this vbucket is to be collected; this is the name of the backfill.
    Backfill(Vb, u64),
    /// These vbuckets are to be made dead.
    Die(Vec<Vb>),
    /// It hangs up, since nobody answers.
    HangUp,
    /// Its vbuckets have moved: it is over.
    Over,
    /// Nothing, until something happens or this time comes.
    Rest(Time),
}

impl Producer {
    /// Does one step.
    pub fn next(&mut self, memory: &mut Memory, now: Time) -> Next {
        self.schedule(memory);
        if let Some((vb, stream)) = self.streams.iter_mut().find(|(_, of)| of.wants_backfill) {
            stream.wants_backfill = false;
            return Next::Backfill(*vb, stream.token);
        }
        if !self.is_suspended() && !self.log.is_empty() && now >= self.gives_up_at() {
            return Next::HangUp;
        }
        if let Some(noop) = self.noop(now) {
            return noop;
        }
        if self.is_held_back(now) {
            return self.rest();
        }
        match self.pick(memory) {
            Some(item) => {
                let is_last = !self.has_something(memory);
                self.say(item, is_last, now)
            }
            // Nobody was asked to answer what was said last.
            None if self.unasked > 0 && !self.log.is_empty() => self.say_noop(now),
            None => self.move_on(memory, now),
        }
    }

    /// Says that it is there, if it has been silent for long enough.
    pub fn noop(&mut self, now: Time) -> Option<Next> {
        let is_due = self.log.is_empty() && now >= self.noop_at();
        is_due.then(|| self.say_noop(now))
    }

    /// When there will have been silence for long enough. An answer ends it as well: a no-op that is answered late must not
    /// be followed by the next one at once, behind which nothing else would ever be said.
    fn noop_at(&self) -> Time {
        self.said_at.max(self.answered_at) + self.settings.noop
    }

    fn say_noop(&mut self, now: Time) -> Next {
        let item = self.item(Message { vb: Vb(0), body: Body::Noop });
        self.say(item, true, now)
    }

    /// Whether the window is full, or a rejection was too short a time ago.
    fn is_held_back(&mut self, now: Time) -> bool {
        if self.suspended_until.is_some_and(|until| until <= now) {
            self.suspended_until = None;
        }
        let more = u32::from(self.bugs.has(&bugs::WINDOW_PASSED));
        self.is_stuck || self.is_suspended() || self.outstanding >= self.settings.window + more
    }

    /// When it will have been without an answer for too long.
    fn gives_up_at(&self) -> Time {
        self.answered_at + self.settings.grace
    }

    /// Whether the time has come for which it rested.
    #[must_use]
    pub fn is_due(&self, now: Time) -> bool {
        let gives_up = !self.log.is_empty() && now >= self.gives_up_at();
        self.is_suspended() || gives_up || self.is_takeover
    }

    pub(super) fn rest(&self) -> Next {
        let noop = self.noop_at();
        Next::Rest(match self.suspended_until {
            Some(resume) => resume,
            None if self.log.is_empty() => noop,
            None => self.gives_up_at(),
        })
    }

    /// Says something.
    pub(super) fn say(&mut self, item: Item, is_last: bool, now: Time) -> Next {
        let seqno = self.seqno;
        self.seqno = seqno.next();
        self.unasked += 1;
        if self.log.is_empty() {
            self.answered_at = now;
        }
        self.said_at = now;
        let is_full = self.outstanding + 1 >= self.settings.window;
        let is_turn = self.unasked >= self.settings.ack_interval;
        let wants_answer = item.message.body.wants_reply() || is_turn || is_last || is_full;
        if wants_answer {
            self.unasked = 0;
        }
        if let (Body::End(id), Some(stream)) =
            (&item.message.body, self.streams.get_mut(&item.message.vb))
        {
            stream.stage = Stage::Ended(*id);
        }
        let message = item.message.clone();
        self.outstanding += 1;
        self.log.push_back(Sent { seqno, item });
        Next::Say(seqno, wants_answer, message)
    }

    /// Takes what is to be said next out of its queue.
    fn pick(&mut self, memory: &mut Memory) -> Option<Item> {
        if let Some(item) = self.high.pop_front().or_else(|| self.again.pop_front()) {
            return Some(item);
        }
        if let Some(item) = self.pick_start() {
            return Some(item);
        }
        if let Some(item) = self.pick_filled(memory) {
            return Some(item);
        }
        self.end_backfills(memory);
        if self.queue.is_empty() && self.tail.is_empty() {
            self.refill(memory);
        }
        // Here something is of high priority only if a planted bug has put it there.
        let overtaking = self.high.pop_front();
        overtaking
            .or_else(|| self.pick_queued())
            .or_else(|| self.pick_start())
            .or_else(|| self.pick_end())
            .or_else(|| self.tail.pop_front())
    }

    /// The start of a checkpoint. It says that all before it is over, so it waits until that is said, and for the answers.
    fn pick_start(&mut self) -> Option<Item> {
        let is_next =
            |item: &Item| self.is_answered(item.message.vb) && !is_behind(item, &self.queue);
        let at = self.start.iter().position(is_next)?;
        self.start.remove(at)
    }

    /// The next change whose checkpoint the other end knows.
    fn pick_queued(&mut self) -> Option<Item> {
        let waits = |item: &Item| is_behind(item, &self.start);
        let at = self.queue.iter().position(|item| !waits(item))?;
        self.queue.remove(at)
    }

    fn pick_end(&mut self) -> Option<Item> {
        let waits = !self.bugs.has(&bugs::END_OVERTAKES_REJECTED);
        let (vb, id) = self.streams.iter().find_map(|(vb, stream)| match stream.stage {
            Stage::Ending(id) if !waits || self.is_answered(*vb) => Some((*vb, id)),
            _ => None,
        })?;
        Some(self.item(Message { vb, body: Body::End(id) }))
    }

    /// Whether another step would say something.
    fn has_something(&self, memory: &Memory) -> bool {
        let queues = [&self.high, &self.again, &self.queue, &self.tail];
        queues.into_iter().any(|queue| !queue.is_empty())
            || !self.filled.is_empty()
            || self.may_refill()
                && self.streams.iter().any(|(vb, stream)| {
                    let log = memory.vbs.get(vb).map(|vbucket| &vbucket.log);
                    let ahead = log.and_then(|log| log.ahead(self.cursor()).next());
                    stream.stage == Stage::Following && ahead.is_some_and(is_said_at_once)
                })
    }

    /// Whether cursors are followed: not while a backfill is under way.
    fn may_refill(&self) -> bool {
        let is_filling = self.streams.values().any(|stream| stream.stage == Stage::Filling);
        !is_filling
            || self.bugs.has(&bugs::LIVE_DURING_BACKFILL)
            || self.bugs.has(&bugs::PENDING_BACKFILL_CLEARED) && !self.is_backfill_pending
    }

    /// Takes something of each cursor.
    fn refill(&mut self, memory: &mut Memory) {
        if !self.may_refill() {
            return;
        }
        let vbs: Vec<Vb> = self.streams.keys().copied().collect();
        self.turn = if self.turn + 1 < vbs.len() { self.turn + 1 } else { 0 };
        let (behind, ahead) = vbs.split_at(self.turn.min(vbs.len()));
        for vb in ahead.iter().chain(behind) {
            let mut left = self.settings.refill;
            while left > 0 {
                let had = self.queue.len();
                if !self.take_item(*vb, memory) {
                    break;
                }
                left -= u32::from(self.queue.len() > had);
            }
        }
    }

    /// Takes the next item of a cursor, and says whether to go on with the one after it.
    fn take_item(&mut self, vb: Vb, memory: &mut Memory) -> bool {
        let cursor = self.cursor();
        let ignores_new = self.ignores_new();
        let Some(stream) = self.streams.get_mut(&vb) else { return false };
        let is_followed = matches!(stream.stage, Stage::Following | Stage::Filling);
        if !is_followed || self.start.iter().any(|item| item.message.vb == vb) {
            return false;
        }
        if ignores_new && stream.dump_left == 0 {
            return false;
        }
        let Some(vbucket) = memory.vbs.get_mut(&vb) else { return false };
        let swallows =
            vbucket.standing.state != State::Active && self.bugs.has(&bugs::DELETION_NOT_PASSED_ON);
        let is_swallowed = |told: &Mutation| swallows && told.change.operation == Operation::Delete;
        let Some(item) = vbucket.log.next(cursor) else { return false };
        stream.dump_left = stream.dump_left.saturating_sub(1);
        if is_of_the_past(&item, stream.epoch, &vbucket.log, cursor) {
            return true;
        }
        stream.quiet_until = stream.quiet_until.min(vbucket.log.open_id());
        let id = id_of(&vbucket.log, cursor).unwrap_or(CheckpointId::BACKFILL);
        let is_quiet = id < stream.quiet_until || id == CheckpointId::BACKFILL;
        let goes_on = stream.is_ended_there && is_said_at_once(&item);
        let begins = matches!(item, LogItem::CheckpointStart(_)) || id != stream.told || goes_on;
        if begins && !is_quiet {
            (stream.quiet_until, stream.told) = (CheckpointId::BACKFILL, id);
            stream.is_ended_there = false;
            let start = Body::Start(id, vbucket.log.incarnation());
            self.order += 1;
            self.start.push_back(Item { order: self.order, message: Message { vb, body: start } });
        }
        let body = match item {
            LogItem::Empty | LogItem::Commit => return true,
            LogItem::CheckpointStart(_) => return is_quiet,
            LogItem::CheckpointEnd(_) if is_quiet => return true,
            LogItem::CheckpointEnd(id) => {
                stream.stage = Stage::Ending(id);
                return false;
            }
            LogItem::Mutation(mutation) if is_swallowed(&mutation) => return true,
            LogItem::Mutation(mutation) => match told(stream.window, &mutation) {
                Some(body) => body,
                None => return true,
            },
            LogItem::OnlineUpdate(event) => {
                let is_start = event.kind == EventKind::Start;
                stream.window = if is_start { event.epoch.0 } else { 0 };
                stream.is_ended_there = !is_start;
                self.tell_step(vb, event);
                return false;
            }
            LogItem::Flush => Body::Flush,
        };
        let item = self.item(Message { vb, body });
        self.queue.push_back(item);
        true
    }

    /// A step of an online update keeps its place among the changes.
    fn tell_step(&mut self, vb: Vb, event: Event) {
        let item = self.item(Message { vb, body: Body::Update(event) });
        if self.bugs.has(&bugs::STEP_ON_HIGH_QUEUE) {
            self.high.push_back(item);
        } else {
            self.queue.push_back(item);
        }
    }
}

/// Whether something of its vbucket stands before it in a queue.
fn is_behind(item: &Item, queue: &VecDeque<Item>) -> bool {
    queue.iter().any(|of| of.message.vb == item.message.vb && of.order < item.order)
}

/// Whether it may be said while something of its vbucket is without an answer.
fn is_said_at_once(item: &LogItem) -> bool {
    match item {
        LogItem::Mutation(_) | LogItem::OnlineUpdate(_) | LogItem::Flush => true,
        LogItem::Empty
        | LogItem::CheckpointStart(_)
        | LogItem::CheckpointEnd(_)
        | LogItem::Commit => false,
    }
}

/// Whether an item is a step of an online update that was over before the backfill, or a change that such a one took back.
fn is_of_the_past(item: &LogItem, epoch: Epoch, log: &Manager, cursor: CursorName) -> bool {
    match item {
        LogItem::OnlineUpdate(event) => event.epoch <= epoch,
        LogItem::Mutation(_) if epoch.0 > 0 => {
            let step = log.ahead(cursor).find_map(|item| match item {
                LogItem::OnlineUpdate(event) => Some(event),
                _ => None,
            });
            step.is_some_and(|step| step.kind == EventKind::Revert && step.epoch <= epoch)
        }
        _ => false,
    }
}

/// What is said of a change.
fn told(window: u64, mutation: &Mutation) -> Option<Body> {
    let change = &mutation.change;
    let key = key_of(change.key)?;
    Some(match change.operation {
        Operation::Delete => Body::Delete(window, key, change.cas),
        Operation::Set => Body::Set(
            window,
            Version {
                key,
                value: Value::new(&change.value.to_string()),
                flags: change.flags,
                until: change.expires_at,
                cas: change.cas,
            },
        ),
    })
}
