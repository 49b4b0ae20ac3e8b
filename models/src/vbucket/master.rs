//! The scripted master: the active copy of a vbucket on another node, which does what the workload says and tells a replica.
//!
//! It keeps what was not acknowledged and sends it again on the next connection. A replica that has nothing of its session
//! is told everything from the beginning, but not while an online update is open.

use std::collections::BTreeMap;

use seedbed_sim::actor::{ConnEvent, Context, Event, Outcome};
use seedbed_sim::id::{ActorId, ConnId, OpId};
use seedbed_sim::time::Span;

use crate::checkpoint::op::{CheckpointId, Epoch, Event as Step, EventKind};

use super::bugs;
use super::frame::{Frame, What};
use super::memory::seconds;
use super::message::Timer;
use super::model::Node;
use super::op::{Call, Feed, Key, Store, Update};
use super::record::Version;
use super::response::Answer;
use super::table::deadline;

/// Between two looks at the connection.
const LOOK: Span = Span::ms(300);
/// After so many looks without progress the connection is given up.
const LOOKS_MAX: u32 = 4;
/// A connection that is lost is made again after so many.
const AWAY_LOOKS: u32 = 3;
/// Versions of a master are told from those of a node.
const FIRST_CAS: u64 = 1_000_000;

/// What stands in the keys.
pub(super) type Content = BTreeMap<Key, Version>;

/// The versions that were made in an online update.
#[derive(Clone, Copy, Debug)]
struct Made {
    epoch: Epoch,
    first: u64,
    /// The last one, and the session in which that was, if the update is over.
    end: Option<(u64, u64)>,
}

/// The master of one vbucket.
#[derive(Clone, Debug)]
pub struct Master {
    consumer: ActorId,
    conn: Option<ConnId>,
    has_greeted: bool,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
    /// The session that the replica is in; 0 before the first.
    session: u64,
    /// What is not acknowledged, and how much of it was sent on this connection.
    pending: Vec<Frame>,
    sent: usize,
    number: u32,
    /// The replica has to begin anew.
    is_anew: bool,
    looks: u32,
    content: Content,
    cas: u64,
    /// The open checkpoint.
    id: u64,
    epoch: u64,
    /// It has begun, and the replica was not told.
    owes_start: bool,
    /// The first checkpoint of the online update, and what stood there before.
    window: Option<(u64, Content)>,
    /// All that there were.
    updates: Vec<Made>,
    /// What stood there at the end of each checkpoint, by session and number of the frame that said so.
    ends: BTreeMap<(u64, u32), Content>,
}

impl Master {
    /// The master of the replica that this consumer keeps.
    #[must_use]
    pub fn new(consumer: ActorId) -> Master {
        Master {
            consumer,
            conn: None,
            has_greeted: false,
            inbox: Vec::new(),
            outbox: Vec::new(),
            session: 0,
            pending: Vec::new(),
            sent: 0,
            number: 0,
            is_anew: false,
            looks: 0,
            content: Content::new(),
            cas: FIRST_CAS,
            id: 1,
            epoch: 0,
            owes_start: false,
            window: None,
            updates: Vec::new(),
            ends: BTreeMap::new(),
        }
    }

    /// The online update that a version was made in, if a replica of this session must have heard of its start: one of a
    /// later session than that in which the update ended is told of its versions as of any other.
    #[must_use]
    pub fn update_of(&self, cas: u64, session: u64) -> Option<Epoch> {
        let made = self
            .updates
            .iter()
            .find(|of| of.first <= cas && of.end.is_none_or(|(last, _)| cas <= last))?;
        made.end.is_none_or(|(_, of)| session <= of).then_some(made.epoch)
    }

    /// What stands in the keys.
    #[must_use]
    pub(super) fn content(&self) -> &Content {
        &self.content
    }

    /// What stood there at the end of a checkpoint.
    pub(super) fn at_end(&self, session: u64, number: u32) -> Option<&Content> {
        self.ends.get(&(session, number))
    }

    /// Whether the replica is known to have everything. It cannot while it waits for the end of an online update.
    #[must_use]
    pub fn is_followed(&self) -> bool {
        self.has_greeted && !self.is_anew && self.pending.is_empty() && self.session != 0
    }

    /// Whether the replica cannot be told anything before the online update is over.
    #[must_use]
    pub fn holds_back(&self) -> bool {
        self.is_anew && self.window.is_some()
    }

    pub(super) fn on_event(&mut self, event: Event<Node>, cx: &mut Context<'_, Node>) {
        match event {
            Event::Boot => self.connect(cx),
            Event::Invoke { op, what } => self.invoke(op, &what, cx),
            Event::Timer(Timer::Read) => self.look(cx),
            Event::Conn(ConnEvent::Readable { conn }) if self.conn == Some(conn) => self.read(cx),
            Event::Conn(ConnEvent::Writable { conn }) if self.conn == Some(conn) => self.pump(cx),
            Event::Conn(ConnEvent::Refused { conn } | ConnEvent::Closed { conn, .. })
                if self.conn == Some(conn) =>
            {
                self.conn = None;
                (self.has_greeted, self.looks) = (false, 0);
            }
            Event::Stop => cx.stopped(),
            _ => {}
        }
    }

    fn connect(&mut self, cx: &mut Context<'_, Node>) {
        self.conn = Some(cx.connect(self.consumer));
        self.has_greeted = false;
        self.inbox.clear();
        self.outbox.clear();
        (self.sent, self.looks) = (0, 0);
        cx.arm(Timer::Read, LOOK);
    }

    fn hang_up(&mut self, cx: &mut Context<'_, Node>) {
        if let Some(conn) = self.conn.take() {
            cx.reset(conn);
        }
        self.connect(cx);
    }

    /// Looks whether the connection goes on.
    fn look(&mut self, cx: &mut Context<'_, Node>) {
        self.looks += 1;
        if self.conn.is_none() && self.looks >= AWAY_LOOKS || self.looks > LOOKS_MAX {
            return self.hang_up(cx);
        }
        if self.has_greeted && self.outbox.is_empty() {
            self.outbox = Frame { number: 0, what: What::Idle }.encode();
        }
        self.pump(cx);
        cx.arm(Timer::Read, LOOK);
    }

    fn read(&mut self, cx: &mut Context<'_, Node>) {
        let Some(conn) = self.conn else { return };
        cx.read(conn, usize::MAX, &mut self.inbox);
        while let Ok(Some(frame)) = Frame::take(&mut self.inbox) {
            self.looks = 0;
            match frame.what {
                What::Hello(session) => {
                    self.has_greeted = true;
                    self.is_anew |= session != self.session || session == 0;
                    self.begin_anew(cx);
                }
                What::Ack if !self.is_anew && frame.number != 0 => {
                    let before = self.pending.len();
                    self.pending.retain(|pending| pending.number > frame.number);
                    self.sent = self.sent.saturating_sub(before - self.pending.len());
                }
                What::Refuse => {
                    self.is_anew = true;
                    self.begin_anew(cx);
                }
                _ => {}
            }
        }
        if self.owes_start && self.pending.is_empty() && !self.is_anew {
            self.push(What::Start(CheckpointId(self.id)));
        }
        self.pump(cx);
    }

    /// Tells the replica everything, if it has to begin anew and that can be.
    fn begin_anew(&mut self, cx: &mut Context<'_, Node>) {
        let waits = self.window.is_some() && !cx.bug(&bugs::BACKFILLED_IN_WINDOW);
        if !self.is_anew || !self.has_greeted || waits {
            return;
        }
        (self.is_anew, self.owes_start) = (false, false);
        self.session += 1;
        self.pending.clear();
        (self.sent, self.number) = (0, 0);
        self.push(What::Begin(self.session));
        for version in self.content.clone().into_values() {
            self.push(What::Set(0, version));
        }
        self.push(What::Start(CheckpointId(self.id)));
    }

    /// Whether it is to be told: there is a session, and nobody has to begin anew.
    fn push(&mut self, what: What) -> bool {
        if std::mem::take(&mut self.owes_start) && !matches!(what, What::Start(_)) {
            self.push(What::Start(CheckpointId(self.id)));
        }
        let is_told = self.session != 0 && !self.is_anew;
        if is_told {
            self.number += 1;
            self.pending.push(Frame { number: self.number, what });
        }
        is_told
    }

    /// Sends what was not sent, as far as there is room.
    fn pump(&mut self, cx: &mut Context<'_, Node>) {
        let Some(conn) = self.conn.filter(|_| self.has_greeted) else { return };
        loop {
            let written = cx.write(conn, &self.outbox);
            self.outbox.drain(..written);
            if !self.outbox.is_empty() || self.sent >= self.pending.len() || self.is_anew {
                return;
            }
            self.outbox = self.pending[self.sent].encode();
            self.sent += 1;
        }
    }

    fn invoke(&mut self, op: OpId, call: &Call, cx: &mut Context<'_, Node>) {
        let Call::Feed(feed) = call else { return cx.complete(op, Outcome::Failed) };
        let answer = match feed {
            Feed::Set(store) => self.set(store, seconds(cx.wall())),
            Feed::Delete(key) => self.delete(*key),
            Feed::Close => self.close(),
            Feed::Update(update) => self.update(*update, cx),
            Feed::HangUp => {
                // The next look connects again.
                if let Some(conn) = self.conn.take() {
                    cx.reset(conn);
                }
                (self.has_greeted, self.looks) = (false, 0);
                Answer::Done
            }
            Feed::Lag(by) => self.lag(u64::from(*by)),
        };
        self.begin_anew(cx);
        self.pump(cx);
        cx.complete(op, Outcome::Ok(answer));
    }

    /// The number of the online update that is open; 0 if there is none.
    fn open_update(&self) -> u64 {
        if self.window.is_some() { self.epoch } else { 0 }
    }

    fn set(&mut self, store: &Store, now: u64) -> Answer {
        self.cas += 1;
        let (value, flags, key) = (store.value.clone(), store.flags, store.key);
        let version =
            Version { key, value, flags, until: deadline(store.expiry, now), cas: self.cas };
        self.content.insert(key, version.clone());
        self.push(What::Set(self.open_update(), version));
        Answer::Stored(self.cas)
    }

    fn delete(&mut self, key: Key) -> Answer {
        if self.content.remove(&key).is_none() {
            return Answer::NotFound;
        }
        self.cas += 1;
        self.push(What::Delete(self.open_update(), key, self.cas));
        Answer::Deleted
    }

    fn close(&mut self) -> Answer {
        if self.push(What::End(CheckpointId(self.id))) {
            self.ends.insert((self.session, self.number), self.content.clone());
        }
        self.id += 1;
        // The start of the next one goes with what comes next, or after the acknowledgement of the end.
        self.owes_start = true;
        Answer::Done
    }

    fn update(&mut self, update: Update, cx: &mut Context<'_, Node>) -> Answer {
        // Where the step names no checkpoint it comes before the end of the one that is open.
        let is_early = cx.bug(&bugs::START_WITHOUT_ID);
        let kind = match (update, &self.window) {
            (Update::Start, None) => {
                if !is_early {
                    self.close();
                }
                self.epoch += 1;
                self.window = Some((self.id + u64::from(is_early), self.content.clone()));
                let (epoch, first) = (Epoch(self.epoch), self.cas + 1);
                self.updates.push(Made { epoch, first, end: None });
                EventKind::Start
            }
            (Update::Complete, Some(_)) => EventKind::Complete,
            (Update::Revert, Some(_)) => EventKind::Revert,
            (Update::Start, Some(_)) | (Update::Complete | Update::Revert, None) => {
                return Answer::NotSupported;
            }
        };
        let checkpoint = CheckpointId(self.window.as_ref().map_or(self.id, |(id, _)| *id));
        self.push(What::Update(Step { kind, checkpoint, epoch: Epoch(self.epoch) }));
        if cx.bug(&bugs::STEP_OVERTAKES) {
            self.overtake();
        }
        if kind == EventKind::Start && is_early {
            self.close();
        }
        if kind != EventKind::Start {
            let window = self.end_window();
            if let (EventKind::Revert, Some((_, before))) = (kind, window) {
                self.content = before;
            }
            self.close();
        }
        Answer::Done
    }

    fn end_window(&mut self) -> Option<(u64, Content)> {
        let end = Some((self.cas, self.session));
        if let Some(made) = self.updates.last_mut() {
            made.end = made.end.or(end);
        }
        self.window.take()
    }

    /// Puts what was pushed last before everything that is to be sent. Only a planted bug does that.
    fn overtake(&mut self) {
        let numbers: Vec<u32> = self.pending.iter().map(|frame| frame.number).collect();
        let from = self.sent.min(self.pending.len());
        if from < self.pending.len() {
            self.pending[from..].rotate_right(1);
        }
        for (frame, number) in self.pending.iter_mut().zip(numbers) {
            frame.number = number;
        }
    }

    /// Another master takes the place of this one, which counts checkpoints from an earlier one on. It has not heard of an
    /// online update that is open.
    fn lag(&mut self, by: u64) -> Answer {
        let mut by = by;
        if let Some((first, before)) = self.end_window() {
            (self.id, self.content) = (first, before);
            by = by.max(1);
        }
        self.id = self.id.saturating_sub(by).max(1);
        self.push(What::Start(CheckpointId(self.id)));
        Answer::Done
    }
}
