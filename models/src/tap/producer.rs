//! The producer of one stream: what it still has to say, what it has said and not been answered, and what it says next.
//!
//! ```text
//!  high ─┐  vbuckets to forget, vbuckets to be pending
//!  again ┤  what was rejected, or said on a connection that was lost, in its old order
//!  start ┤  of a checkpoint, when nothing of the vbucket is without an answer
//!  filled┤  by a backfill
//!  queue ┤  one item of each cursor in turn; refilled when it is empty and no backfill is under way
//!  end   ┤  of a checkpoint, when nothing of the vbucket is without an answer
//!  low  ─┘  vbuckets to be active: when nothing at all is without an answer
//!     │
//!     ▼ say                    answer(n): all up to n          reject(n): all before n, n again later
//!   log: n, n+1, n+2, ... ───────────────────────────────────────────────────────▶ released
//! ```
//!
//! No method waits or sends; time is told. Several connections may carry a stream, one after the other: a producer is kept
//! for a while after its connection was lost, with its cursors and all that was not answered.

mod answer;
mod backfill;
mod next;
mod register;
mod takeover;

use std::collections::{BTreeMap, VecDeque};

use seedbed_sim::actor::BugSet;
use seedbed_sim::time::Time;

use crate::checkpoint::op::{CheckpointId, CursorName, Epoch, Incarnation};
use crate::vbucket::memory::Memory;
use crate::vbucket::op::Vb;
use crate::vbucket::record::Version;

use super::frame::{Body, Message, Name};
use super::seqno::Seqno;
use super::settings::Settings;

pub use answer::{Answered, Released};
pub use next::Next;
pub use takeover::Move;

/// A message with its place in the order in which messages of the stream were first said.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Item {
    order: u64,
    message: Message,
}

/// A message that was said and not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sent {
    seqno: Seqno,
    item: Item,
}

/// How far the stream of one vbucket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nothing can be said of it now: an online update is open, or the vbucket is being filled itself.
    Waiting,
    /// The other end is told to forget what it has.
    Resetting,
    /// What the table has is collected.
    Filling,
    /// The cursor is followed.
    Following,
    /// This checkpoint is over; it will be said when nothing of the vbucket is without an answer.
    Ending(CheckpointId),
    /// It was said.
    Ended(CheckpointId),
}

/// The stream of one vbucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// How far it is.
    pub stage: Stage,
    /// What the other end has.
    incarnation: Incarnation,
    closed: CheckpointId,
    /// What was said before this is of a stream that was given up: its answers say nothing of this one.
    since: u64,
    /// The backfill that counts.
    token: u64,
    /// All of the table has been collected.
    is_collected: bool,
    /// Somebody has to collect it.
    wants_backfill: bool,
    /// The last online update when the backfill began.
    epoch: Epoch,
    /// Checkpoints before this one are not mentioned: what they hold overlaps with the backfill.
    quiet_until: CheckpointId,
    /// The checkpoint that the other end was told of last. Where checkpoints are merged, the cursor may come into one whose
    /// start it never delivers.
    told: CheckpointId,
    /// An online update has ended, and with it, at the other end, the checkpoint. Where checkpoints were merged, more of it
    /// may come.
    is_ended_there: bool,
    /// The online update that the cursor is in; 0 if none.
    window: u64,
    /// What was there to be sent when it began. Only a planted bug looks at it.
    dump_left: u64,
}

/// Something that a backfill has found.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Filled {
    vb: Vb,
    version: Version,
    from_disk: bool,
}

/// The producer of one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Producer {
    /// Its name.
    pub name: Name,
    /// Whether vbuckets move by it.
    pub is_takeover: bool,
    /// Since when it has no connection.
    pub lost_at: Option<Time>,
    settings: Settings,
    bugs: BugSet,
    streams: BTreeMap<Vb, Stream>,
    high: VecDeque<Item>,
    again: VecDeque<Item>,
    start: VecDeque<Item>,
    filled: VecDeque<Filled>,
    queue: VecDeque<Item>,
    /// Behind that. Only a planted bug puts something here.
    tail: VecDeque<Item>,
    log: VecDeque<Sent>,
    /// As many as there are in the log.
    outstanding: u32,
    /// The number of the next message.
    seqno: Seqno,
    order: u64,
    tokens: u64,
    /// Messages since the last one that asked for an answer.
    unasked: u32,
    /// Nothing is said before.
    suspended_until: Option<Time>,
    rejections: u32,
    said_at: Time,
    answered_at: Time,
    /// Whose turn it is.
    turn: usize,
    /// A backfill is under way. Only planted bugs look at it.
    is_backfill_pending: bool,
    stage: Move,
    /// A planted bug: whether it is suspended for ever.
    is_stuck: bool,
}

impl Producer {
    /// A producer without a connection.
    #[must_use]
    pub fn new(name: Name, is_takeover: bool, (settings, bugs): (Settings, BugSet)) -> Producer {
        Producer {
            name,
            is_takeover,
            lost_at: Some(Time(0)),
            settings,
            bugs,
            streams: BTreeMap::new(),
            high: VecDeque::new(),
            again: VecDeque::new(),
            start: VecDeque::new(),
            filled: VecDeque::new(),
            queue: VecDeque::new(),
            tail: VecDeque::new(),
            log: VecDeque::new(),
            outstanding: 0,
            seqno: settings.first,
            order: 0,
            tokens: 0,
            unasked: 0,
            suspended_until: None,
            rejections: 0,
            said_at: Time(0),
            answered_at: Time(0),
            turn: 0,
            is_backfill_pending: false,
            stage: Move::Copying,
            is_stuck: false,
        }
    }

    /// Its cursor in the log of each vbucket.
    #[must_use]
    pub fn cursor(&self) -> CursorName {
        CursorName::Named(self.name.0)
    }

    /// The vbuckets that it is of.
    #[must_use]
    pub fn streams(&self) -> &BTreeMap<Vb, Stream> {
        &self.streams
    }

    /// How far the move of its vbuckets is.
    #[must_use]
    pub fn stage(&self) -> Move {
        self.stage
    }

    /// Messages without an answer.
    #[must_use]
    pub fn unanswered(&self) -> usize {
        self.log.len()
    }

    /// Whether it waits after a rejection.
    #[must_use]
    pub fn is_suspended(&self) -> bool {
        self.suspended_until.is_some()
    }

    /// The vbuckets of all that waits to be sent.
    pub fn queued(&self) -> impl Iterator<Item = Vb> + '_ {
        let queues = [&self.high, &self.again, &self.start, &self.queue, &self.tail];
        let items = queues.into_iter().flatten();
        items.map(|item| item.message.vb).chain(self.filled.iter().map(|filled| filled.vb))
    }

    /// Whether it is a stream along which vbuckets do not move yet.
    #[must_use]
    pub fn is_copying(&self) -> bool {
        self.stage == Move::Copying
    }

    /// Whether no more may be said before something is answered.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.outstanding >= self.settings.window
    }

    /// Whether a vbucket cannot be begun with because it is being filled itself.
    #[must_use]
    pub fn waits_for_upstream(&self, memory: &Memory) -> bool {
        let mut waiting = self.streams.iter().filter(|(_, of)| of.stage == Stage::Waiting);
        waiting.any(|(vb, _)| {
            let log = memory.vbs.get(vb).map(|vbucket| &vbucket.log);
            log.is_some_and(|log| log.open_id() == CheckpointId::BACKFILL)
        })
    }

    /// Whether something but no-ops waits to be said or to be answered.
    #[must_use]
    pub fn has_data_left(&self) -> bool {
        let is_data = |sent: &Sent| sent.item.message.body != Body::Noop;
        self.queued().next().is_some() || self.log.iter().any(is_data)
    }

    /// Whether an answer lets it go on.
    #[must_use]
    pub fn awaits_answers(&self) -> bool {
        let mut stages = self.streams.values().map(|stream| stream.stage);
        let is_at_barrier = stages
            .any(|stage| matches!(stage, Stage::Resetting | Stage::Ending(_) | Stage::Ended(_)));
        self.is_full() || self.is_takeover || is_at_barrier || !self.start.is_empty()
    }

    /// Whether nothing of a vbucket waits for an answer or to be said again.
    fn is_answered(&self, vb: Vb) -> bool {
        let is_other = |of: &Message| of.vb != vb || of.body == Body::Noop;
        self.log.iter().all(|sent| is_other(&sent.item.message))
            && self.again.iter().all(|item| item.message.vb != vb)
    }

    fn item(&mut self, message: Message) -> Item {
        self.order += 1;
        Item { order: self.order, message }
    }

    /// Forgets what waits to be said of a vbucket.
    fn drop_queued(&mut self, vb: Vb) {
        let queues =
            [&mut self.high, &mut self.again, &mut self.start, &mut self.queue, &mut self.tail];
        for queue in queues {
            queue.retain(|item| item.message.vb != vb);
        }
        self.filled.retain(|filled| filled.vb != vb);
    }
}

#[cfg(test)]
mod tests;
