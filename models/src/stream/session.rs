//! A router's connection to data for one session of a keyspace, and what has come over it.
//!
//! Bytes are read as soon as they come. The window bounds what waits here, since only what was sent on is acknowledged; so a
//! question whether the router is there, and the answer to a request, never wait behind mutations.

use std::collections::{BTreeMap, VecDeque};

use seedbed_sim::actor::Context;
use seedbed_sim::id::ConnId;
use seedbed_sim::time::{Span, Time};

use super::client::{Client, Refused};
use super::frame::{self, Reader};
use super::message::Timer;
use super::model::Stream;
use super::note::Note;
use super::op::{Keyspace, Point, Vb};
use super::payload::What;
use super::router::{Router, SELECT};
use super::settings::{Settings, UPSTREAM};
use super::upstream::{Dcp, Refusal, StreamId};
use super::{bugs, mark};

/// What data has answered to a request.
pub(super) type Answered = (StreamId, Result<(), (Refusal, u64)>);

/// A session of a keyspace at a router.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) conn: ConnId,
    pub(super) keyspace: Keyspace,
    pub(super) session: u64,
    reader: Reader,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
    is_open: bool,
    has_ended: bool,
    is_aborting: bool,
    /// The rest is not sent on.
    is_aborted: bool,
    selections: u64,
    /// To be asked for.
    pub(super) wanted: VecDeque<(StreamId, u16, Point)>,
    /// Asked for.
    requested: BTreeMap<StreamId, u16>,
    /// Begun, and not ended: vbucket and the last number that was sent on.
    streams: BTreeMap<StreamId, (u16, u64)>,
    queue: VecDeque<Dcp>,
    /// The vbucket whose connection has no room for the first of the queue.
    pub(super) waits_for: Option<Vb>,
    unacknowledged: u16,
    heard_at: Time,
}

/// What came of a step.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Step {
    /// There is more to do.
    pub(super) more: bool,
    /// This stream is over.
    pub(super) over: Option<StreamId>,
}

impl Session {
    pub(super) fn new(conn: ConnId, (keyspace, session): (Keyspace, u64), now: Time) -> Session {
        Session {
            conn,
            keyspace,
            session,
            reader: Reader::new(UPSTREAM),
            inbox: Vec::new(),
            outbox: Vec::new(),
            is_open: false,
            has_ended: false,
            is_aborting: false,
            is_aborted: false,
            selections: 0,
            wanted: VecDeque::new(),
            requested: BTreeMap::new(),
            streams: BTreeMap::new(),
            queue: VecDeque::new(),
            waits_for: None,
            unacknowledged: 0,
            heard_at: now,
        }
    }

    pub(super) fn is_of(&self, (keyspace, session): (Keyspace, u64)) -> bool {
        self.keyspace == keyspace && self.session == session
    }

    /// Whether nothing more will come from data.
    pub(super) fn is_over(&self) -> bool {
        self.has_ended || self.is_aborting
    }

    /// Whether all that has come is sent on, and nothing more will.
    pub(super) fn is_done(&self) -> bool {
        self.is_over()
            && self.queue.is_empty()
            && self.streams.is_empty()
            && self.requested.is_empty()
            && self.wanted.is_empty()
    }

    pub(super) fn ended(&mut self) {
        self.has_ended = true;
    }

    /// The session is over: what waits may be given up.
    pub(super) fn abort(&mut self) {
        self.is_aborting = true;
        self.waits_for = None;
        self.requested.clear();
        self.wanted.clear();
    }

    fn say(&mut self, frame: &Dcp) {
        // Requests fit the limit of both sides.
        let _ = frame::append_with(UPSTREAM, &mut self.outbox, |into| frame.encode(into));
    }

    pub(super) fn opened(&mut self, router: u8, cx: &mut Context<'_, Stream>) {
        let requests = std::mem::take(&mut self.outbox);
        self.is_open = true;
        self.heard_at = cx.now();
        self.say(&Dcp::Open { router, keyspace: self.keyspace, session: self.session });
        self.outbox.extend(requests);
        self.write(cx);
    }

    pub(super) fn write(&mut self, cx: &mut Context<'_, Stream>) {
        if self.is_open && !self.is_over() && !self.outbox.is_empty() {
            let written = cx.write(self.conn, &self.outbox);
            self.outbox.drain(..written);
        }
    }

    /// Asks for streams, as many as may be under way.
    pub(super) fn request(&mut self, most: usize, cx: &mut Context<'_, Stream>) {
        let most = if cx.bug(&bugs::READS_AFTER_ASKING) { usize::MAX } else { most };
        while self.requested.len() < most && !self.is_over() {
            let Some((stream, vb, from)) = self.wanted.pop_front() else { break };
            self.requested.insert(stream, vb);
            self.say(&Dcp::Request { stream, vb, from, purge: 0 });
        }
        if !self.wanted.is_empty() {
            cx.mark(&mark::REQUEST_QUEUED);
        }
        self.write(cx);
    }

    /// The router ends a stream. What waits of it is not sent any more, only its end.
    pub(super) fn close_stream(
        &mut self,
        stream: StreamId,
        client: &mut Client,
        cx: &mut Context<'_, Stream>,
    ) {
        let before = self.wanted.len();
        self.wanted.retain(|(wanted, ..)| *wanted != stream);
        if self.wanted.len() < before {
            return;
        }
        self.requested.remove(&stream);
        self.say(&Dcp::Close { stream });
        self.waits_for = None;
        if let Some((number, last)) = self.streams.remove(&stream) {
            let vb = Vb { keyspace: self.keyspace, number };
            let _ = client.send((vb, self.session), What::End(last), cx);
        }
        self.write(cx);
    }

    /// Whether data is there; if it has said nothing for too long the connection is given up.
    pub(super) fn look(&mut self, settings: Settings, cx: &mut Context<'_, Stream>) -> bool {
        if self.is_over() {
            return true;
        }
        let silence = cx.now().since(self.heard_at);
        if silence >= settings.suicide {
            cx.note(Note::GaveUp(self.conn));
            cx.reset(self.conn);
            self.ended();
            return false;
        }
        // What has come since was before its end.
        cx.arm(Timer::Noop(self.conn), Span(settings.suicide.0 - silence.0));
        true
    }

    /// Takes in what has come; answers what data says to requests.
    pub(super) fn read(&mut self, cx: &mut Context<'_, Stream>) -> Vec<Answered> {
        let mut answers = Vec::new();
        if self.is_over() || cx.bug(&bugs::READS_AFTER_ASKING) && !self.outbox.is_empty() {
            return answers;
        }
        self.inbox.clear();
        if cx.read(self.conn, usize::MAX, &mut self.inbox) > 0 {
            self.heard_at = cx.now();
        }
        let Ok(frames) = Dcp::decode_all(&mut self.reader, &self.inbox) else {
            // What cannot be read ends the connection.
            cx.reset(self.conn);
            self.ended();
            return answers;
        };
        for frame in frames {
            match frame {
                Dcp::Noop if !cx.bug(&bugs::NOOP_IN_LINE) => self.say(&Dcp::Noop),
                Dcp::Refused { stream, why, seq } => {
                    self.requested.remove(&stream);
                    answers.push((stream, Err((why, seq))));
                }
                Dcp::Ok { stream, .. } if self.requested.remove(&stream).is_some() => {
                    answers.push((stream, Ok(())));
                    self.queue.push_back(frame);
                }
                frame => self.queue.push_back(frame),
            }
        }
        self.write(cx);
        answers
    }

    /// Sends the first of the queue on; when there is none and none will come, ends a stream.
    pub(super) fn step(&mut self, router: &mut Router, cx: &mut Context<'_, Stream>) -> Step {
        if self.waits_for.is_some() || router.client.hangs {
            return Step::default();
        }
        self.select(cx);
        let Some(item) = self.queue.pop_front() else { return self.end_one(router, cx) };
        let is_counted = item.is_counted();
        let over = match &item {
            Dcp::End { stream, .. } => self.end_stream(*stream, router, cx),
            _ if self.is_aborted => None,
            Dcp::Noop => {
                self.say(&Dcp::Noop);
                self.write(cx);
                None
            }
            frame => match self.send_on(frame, router, cx) {
                Ok(over) => over,
                Err(vb) => {
                    self.waits_for = Some(vb);
                    self.queue.push_front(item);
                    return Step::default();
                }
            },
        };
        if is_counted {
            self.taken(router.settings, cx);
        }
        Step { more: !self.queue.is_empty() || self.is_over() && !self.is_done(), over }
    }

    /// The session is over: whether the next message is still sent. Once one is not, no other is.
    fn select(&mut self, cx: &mut Context<'_, Stream>) {
        let stops = |item: &Dcp| item.stream().is_some();
        if !self.is_aborting || self.is_aborted || !self.queue.front().is_some_and(stops) {
            return;
        }
        self.selections += 1;
        let subject = u64::from(self.keyspace.0 + 1);
        if cx.choose(&SELECT, subject, self.session << 16 | self.selections) == 0 {
            return;
        }
        if cx.bug(&bugs::ABORTED_MARKER) {
            // This one is not sent, and the next may be.
            if !matches!(self.queue.front(), Some(Dcp::End { .. })) {
                self.queue.pop_front();
            }
        } else {
            self.is_aborted = true;
        }
        cx.mark(&mark::ABORTED);
    }

    /// Sends a message of a stream on, or answers the vbucket whose connection has no room. What has no stream is dropped.
    fn send_on(
        &mut self,
        frame: &Dcp,
        router: &mut Router,
        cx: &mut Context<'_, Stream>,
    ) -> Result<Option<StreamId>, Vb> {
        let (keyspace, session) = (self.keyspace, self.session);
        if let Dcp::Ok { stream, log } = frame {
            let Some(vb) = router.vb_of(keyspace, session, *stream) else { return Ok(None) };
            let begin = What::Begin(log.newest(), log.clone());
            if router.client.begin((vb, session), begin, cx).is_ok() {
                self.streams.insert(*stream, (vb.number, 0));
                return Ok(None);
            }
            cx.mark(&mark::NO_CONNECTION);
            self.say(&Dcp::Close { stream: *stream });
            self.write(cx);
            return Ok(Some(*stream));
        }
        let Some(stream) = frame.stream() else { return Ok(None) };
        let Some((number, last)) = self.streams.get_mut(&stream) else { return Ok(None) };
        let vb = Vb { keyspace, number: *number };
        let (what, seq) = match *frame {
            Dcp::Snapshot { start, end, disk, .. } => (What::Snapshot(start, end, disk), *last),
            Dcp::Upsert { seq, key, value, .. } => (What::Upsert(seq, key, value), seq),
            Dcp::Delete { seq, key, .. } => (What::Delete(seq, key), seq),
            _ => return Ok(None),
        };
        let mut sent = router.client.send((vb, session), what, cx);
        if let (Err(Refused::Oversized), Dcp::Upsert { seq, key, .. }) = (sent, frame) {
            // A document that no frame can carry is not indexed.
            cx.mark(&mark::NOT_INDEXED);
            if cx.bug(&bugs::OVERSIZE_SKIPPED) {
                *last = *seq;
                return Ok(None);
            }
            sent = router.client.send((vb, session), What::Delete(*seq, *key), cx);
        }
        match sent {
            Ok(()) => *last = seq,
            Err(Refused::Full) => return Err(vb),
            // Its connection is dead, and the server tells the indexer.
            Err(Refused::Unbound | Refused::Oversized) => cx.mark(&mark::DISCARDED),
        }
        Ok(None)
    }

    fn end_stream(
        &mut self,
        stream: StreamId,
        router: &mut Router,
        cx: &mut Context<'_, Stream>,
    ) -> Option<StreamId> {
        if let Some((number, last)) = self.streams.remove(&stream) {
            let vb = Vb { keyspace: self.keyspace, number };
            let _ = router.client.send((vb, self.session), What::End(last), cx);
        }
        Some(stream)
    }

    /// Nothing more will come: the streams that there are end, one by one, and what was asked for has failed.
    fn end_one(&mut self, router: &mut Router, cx: &mut Context<'_, Stream>) -> Step {
        if !self.is_over() {
            return Step::default();
        }
        if let Some((stream, ..)) = self.wanted.pop_front() {
            return Step { more: true, over: Some(stream) };
        }
        if let Some((stream, _)) = self.requested.pop_first() {
            return Step { more: true, over: Some(stream) };
        }
        if !self.is_aborting && cx.bug(&bugs::UPSTREAM_END_UNTOLD) {
            self.streams.clear();
            return Step::default();
        }
        let Some(stream) = self.streams.keys().next().copied() else { return Step::default() };
        cx.mark(&mark::END_MADE_UP);
        let over = self.end_stream(stream, router, cx);
        Step { more: !self.is_done(), over }
    }

    /// A message was taken in; some at once are acknowledged, others a little later.
    fn taken(&mut self, settings: Settings, cx: &mut Context<'_, Stream>) {
        self.unacknowledged += 1;
        if u32::from(self.unacknowledged) >= (settings.window / 2).max(1) {
            self.acknowledge(cx);
        } else if self.unacknowledged == 1 {
            cx.arm(Timer::Ack(self.conn), settings.beat);
        }
    }

    pub(super) fn acknowledge(&mut self, cx: &mut Context<'_, Stream>) {
        if self.unacknowledged == 0 || self.is_over() {
            return;
        }
        let ack = Dcp::Ack(self.unacknowledged);
        if !cx.bug(&bugs::ACK_COUNTED_AGAIN) {
            self.unacknowledged = 0;
        }
        if cx.bug(&bugs::ACK_NEVER_SENT) {
            return;
        }
        self.say(&ack);
        self.write(cx);
    }
}
