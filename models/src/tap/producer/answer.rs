//! Answers, rejections, and what becomes of all that was not answered when the connection is lost.

use seedbed_sim::time::{Span, Time};

use crate::checkpoint::op::Incarnation;
use crate::vbucket::op::{Key, State, Vb};

use super::super::bugs;
use super::super::frame::{Body, Status};
use super::super::seqno::Seqno;
use super::{Item, Move, Producer, Sent, Stage};

/// A change that was answered: the other end has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Released {
    /// Of which vbucket.
    pub vb: Vb,
    /// Of which key.
    pub key: Key,
    /// Which version.
    pub cas: u64,
}

/// What came of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// Changes that the other end has.
    pub released: Vec<Released>,
    /// Whether numbers had begun again between the messages that it covered.
    pub has_wrapped: bool,
    /// Whether a message was rejected behind which a checkpoint waits for its end.
    pub delays_end: bool,
    /// Whether the end of a checkpoint was answered.
    pub has_synced: bool,
    /// Whether other messages of the vbucket were on their way behind one that was rejected.
    pub pulls_back: bool,
}

/// After the first rejection, a producer waits longer by this factor.
const LONGER: u64 = 5;

impl Producer {
    /// The other end has answered a message.
    pub fn answer(&mut self, seqno: Seqno, status: Status, now: Time) -> Answered {
        let mut answered = Answered::default();
        self.answered_at = now;
        while let Some(first) = self.log.front() {
            if first.seqno == seqno && status == Status::TemporaryFailure
                || !self.covers(seqno, first.seqno)
            {
                break;
            }
            let Some(sent) = self.log.pop_front() else { break };
            answered.has_wrapped |= sent.seqno.0 > seqno.0;
            self.outstanding = self.outstanding.saturating_sub(1);
            answered.has_synced |= matches!(sent.item.message.body, Body::End(_));
            self.release(&sent, &mut answered.released);
        }
        match status {
            Status::Success => self.rejections = 0,
            Status::TemporaryFailure => self.reject(seqno, now, &mut answered),
        }
        answered
    }

    fn covers(&self, seqno: Seqno, sent: Seqno) -> bool {
        match self.bugs.has(&bugs::COMPARED_WITHOUT_WRAP) {
            true => seqno.covers_without_wrap(sent),
            false => seqno.covers(sent),
        }
    }

    /// A message is with the other end for good.
    fn release(&mut self, sent: &Sent, released: &mut Vec<Released>) {
        let vb = sent.item.message.vb;
        // The other end has passed over what came after the change of its filter, and answers that, too, perhaps when the
        // vbucket is wanted again.
        if self.streams.get(&vb).is_none_or(|stream| sent.item.order <= stream.since) {
            return;
        }
        match &sent.item.message.body {
            Body::Set(_, version) => {
                released.push(Released { vb, key: version.key, cas: version.cas });
            }
            Body::Delete(_, key, cas) => released.push(Released { vb, key: *key, cas: *cas }),
            Body::Reset => self.begin_backfill(vb),
            Body::End(id) => {
                if let Some(stream) = self.streams.get_mut(&vb)
                    && stream.stage == Stage::Ended(*id)
                {
                    stream.stage = Stage::Following;
                }
            }
            Body::State(_)
            | Body::Noop
            | Body::BackfillEnd
            | Body::Start(..)
            | Body::Update(_)
            | Body::Flush => {}
        }
    }

    /// A message was rejected. It comes again, and so does what was said of its vbucket behind it: whether that was taken in
    /// does not matter then.
    fn reject(&mut self, seqno: Seqno, now: Time, answered: &mut Answered) {
        let Some(rejected) = self.log.front().filter(|sent| sent.seqno == seqno) else { return };
        let vb = rejected.item.message.vb;
        let at_tail = self.bugs.has(&bugs::REJECTED_TO_TAIL);
        let mut kept = std::collections::VecDeque::with_capacity(self.log.len());
        for sent in std::mem::take(&mut self.log) {
            let is_pulled = sent.seqno == seqno || sent.item.message.vb == vb && !at_tail;
            if !is_pulled || sent.item.message.body == Body::Noop {
                kept.push_back(sent);
                continue;
            }
            answered.pulls_back |= sent.seqno != seqno;
            self.outstanding = self.outstanding.saturating_sub(1);
            if at_tail { self.queue.push_back(sent.item) } else { self.put_back(sent.item) }
        }
        self.log = kept;
        let stage = self.streams.get(&vb).map(|stream| stream.stage);
        answered.delays_end = matches!(stage, Some(Stage::Ending(_)));
        self.suspend(now);
    }

    /// Waits before it says more; not while a vbucket that moves has no owner.
    fn suspend(&mut self, now: Time) {
        let completes = !matches!(self.stage, Move::Copying);
        if completes && !self.bugs.has(&bugs::SUSPENDED_IN_COMPLETION) {
            return;
        }
        let factor = if self.rejections == 0 { 1 } else { LONGER };
        self.rejections += 1;
        self.suspended_until = Some(now + Span(self.settings.backoff.0 * factor));
    }

    /// Puts a message back to where it is said again in its old order.
    fn put_back(&mut self, item: Item) {
        let vb = item.message.vb;
        let Some(stream) = self.streams.get_mut(&vb).filter(|of| item.order > of.since) else {
            return;
        };
        let is_begun_anew = match stream.stage {
            Stage::Resetting => true,
            Stage::Waiting => stream.incarnation == Incarnation(0),
            _ => false,
        };
        match &item.message.body {
            // The other end forgets all of it. What comes again behind that could be older than what the backfill sees, and a
            // key among it that is gone by then would stay.
            Body::BackfillEnd
            | Body::Start(..)
            | Body::End(_)
            | Body::Set(..)
            | Body::Delete(..)
            | Body::Update(_)
            | Body::Flush
                if is_begun_anew => {}
            Body::End(id) => stream.stage = Stage::Ending(*id),
            Body::Reset | Body::State(State::Pending) => self.high.push_back(item),
            Body::Update(_) if self.bugs.has(&bugs::STEP_NOT_SAID_AGAIN) => {}
            Body::Update(_) if self.bugs.has(&bugs::STEP_ON_HIGH_QUEUE) => {
                self.high.push_back(item);
            }
            // It is said anew when its time has come again.
            Body::State(_) => self.stage = Move::Draining,
            Body::Noop => {}
            Body::BackfillEnd
            | Body::Start(..)
            | Body::Set(..)
            | Body::Delete(..)
            | Body::Update(_)
            | Body::Flush => {
                let at = self.again.partition_point(|other| other.order < item.order);
                self.again.insert(at, item);
            }
        }
    }

    /// The connection was lost: what was not answered will be said again on the next one, before anything else.
    pub(super) fn roll_back(&mut self) {
        let at_tail = self.bugs.has(&bugs::ROLLED_BACK_TO_TAIL);
        for sent in std::mem::take(&mut self.log) {
            let is_change = matches!(sent.item.message.body, Body::Set(..) | Body::Delete(..));
            let is_followed = self.streams.contains_key(&sent.item.message.vb);
            if at_tail && is_change && is_followed {
                self.tail.push_back(sent.item);
            } else {
                self.put_back(sent.item);
            }
        }
        if !self.bugs.has(&bugs::WINDOW_NOT_RESET) {
            self.outstanding = 0;
        }
        // The task that ends the waiting finds no connection, and does not come again.
        self.is_stuck |= self.is_suspended() && self.bugs.has(&bugs::SUSPENDED_FOR_EVER);
        self.suspended_until = None;
        self.rejections = 0;
        self.seqno = self.settings.first;
        self.unasked = 0;
    }
}
