//! The data: all vbuckets of two keyspaces and two nodes, and the streams of them that routers ask for.
//!
//! It stands for a whole cluster, of which only the streams are of interest here: who owns a vbucket changes in one step, in
//! order or by a failover that loses mutations. A stream is given snapshots; at most a window of messages is ahead of the
//! acknowledgements of its connection. While the connection takes no more bytes, nothing is read from it either.

use std::collections::{BTreeMap, VecDeque};

use seedbed_sim::actor::{ConnEvent, Context, Event, Outcome};
use seedbed_sim::id::{ActorId, ConnId, OpId};
use seedbed_sim::time::{Span, Time};

use super::failover::Answer;
use super::frame::{self, Reader};
use super::mark;
use super::message::{Msg, Ret, Timer};
use super::model::Stream;
use super::note::Note;
use super::op::{Call, Key, Keyspace, Point, Value, Vb};
use super::settings::{Settings, UPSTREAM};
use super::store::Store;
use super::upstream::{Dcp, EndReason, Refusal, StreamId};

/// So many bytes are written at once, and the rest of the last frame.
const PIECE: usize = 128;

/// The data.
#[derive(Clone, Debug)]
pub struct Data {
    settings: Settings,
    indexer: ActorId,
    stores: BTreeMap<Vb, Store>,
    uuid: u64,
    peers: Vec<Peer>,
}

/// A router's connection for one session of a keyspace.
#[derive(Clone, Debug)]
struct Peer {
    conn: ConnId,
    opened: Option<(u8, Keyspace, u64)>,
    reader: Reader,
    /// What is not about the window: before everything else.
    answers: VecDeque<Dcp>,
    streams: VecDeque<Feed>,
    outbox: Vec<u8>,
    /// It has said something while the outbox was not empty.
    is_read_later: bool,
    blocked_since: Option<Time>,
    /// Counted messages that were not acknowledged.
    outstanding: u32,
    heard_at: Time,
}

/// A stream of one vbucket.
#[derive(Clone, Debug)]
struct Feed {
    id: StreamId,
    vb: Vb,
    /// All up to here is ready or sent.
    at: u64,
    is_first: bool,
    ready: VecDeque<Dcp>,
    is_over: bool,
}

impl Data {
    /// The data, of which nothing is written yet. Half of the vbuckets are owned by each node.
    #[must_use]
    pub fn new(settings: Settings, indexer: ActorId) -> Data {
        let mut uuid = 0;
        let stores = settings.vbs().zip((0..2).cycle()).map(|(vb, owner)| {
            uuid += 1;
            (vb, Store::new(owner, uuid, settings.sizes()))
        });
        let stores = stores.collect();
        Data { settings, indexer, stores, uuid, peers: Vec::new() }
    }

    /// A vbucket.
    #[must_use]
    pub fn store(&self, vb: Vb) -> Option<&Store> {
        self.stores.get(&vb)
    }

    /// The routers that have a stream of a vbucket, with the sessions.
    pub(super) fn fed(&self, vb: Vb) -> impl Iterator<Item = (u8, u64)> {
        self.peers.iter().filter_map(move |peer| {
            let (router, _, session) = peer.opened?;
            let is_fed = peer.streams.iter().any(|feed| feed.vb == vb && !feed.is_over);
            is_fed.then_some((router, session))
        })
    }

    /// Whether a connection takes no more bytes.
    pub(super) fn is_blocked(&self, conn: ConnId) -> bool {
        self.peers.iter().any(|peer| peer.conn == conn && peer.blocked_since.is_some())
    }

    /// How much of what was sent is not acknowledged on a connection, if there is any such.
    pub(super) fn unacknowledged(&self) -> Option<u32> {
        self.peers.iter().map(|peer| peer.outstanding).max().filter(|most| *most > 0)
    }

    /// Whether it knows of a connection.
    pub(super) fn holds(&self, conn: ConnId) -> bool {
        self.peers.iter().any(|peer| peer.conn == conn)
    }

    pub(super) fn on_event(&mut self, event: Event<Stream>, cx: &mut Context<'_, Stream>) {
        match event {
            Event::Invoke { op, what } => self.invoke(op, what, cx),
            Event::Conn(ConnEvent::Accepted { conn, .. }) => self.accepted(conn, cx),
            Event::Conn(ConnEvent::Readable { conn }) => self.with(conn, cx, Data::read),
            Event::Conn(ConnEvent::Writable { conn }) => self.with(conn, cx, Data::go_on),
            Event::Conn(ConnEvent::Closed { conn, .. }) => {
                self.peers.retain(|peer| peer.conn != conn);
                cx.disarm(Timer::Noop(conn));
            }
            Event::Timer(Timer::Noop(conn)) => self.with(conn, cx, Data::look),
            Event::Stop => cx.stopped(),
            _ => {}
        }
    }

    fn with(
        &mut self,
        conn: ConnId,
        cx: &mut Context<'_, Stream>,
        act: impl FnOnce(&mut Data, usize, &mut Context<'_, Stream>),
    ) {
        if let Some(at) = self.peers.iter().position(|peer| peer.conn == conn) {
            act(self, at, cx);
        }
    }

    fn accepted(&mut self, conn: ConnId, cx: &mut Context<'_, Stream>) {
        self.peers.push(Peer {
            conn,
            opened: None,
            reader: Reader::new(UPSTREAM),
            answers: VecDeque::new(),
            streams: VecDeque::new(),
            outbox: Vec::new(),
            is_read_later: false,
            blocked_since: None,
            outstanding: 0,
            heard_at: cx.now(),
        });
        cx.arm(Timer::Noop(conn), self.settings.beat);
    }

    /// Looks whether the router is there, and asks it. Between two answers lies more than the time of one look only where
    /// something is wrong.
    fn look(&mut self, at: usize, cx: &mut Context<'_, Stream>) {
        let peer = &mut self.peers[at];
        let conn = peer.conn;
        if cx.now().since(peer.heard_at) > self.settings.suicide {
            cx.note(Note::GaveUp(conn));
            cx.reset(conn);
            self.peers.remove(at);
            return;
        }
        if peer.blocked_since.is_none() {
            peer.answers.push_back(Dcp::Noop);
        }
        cx.arm(Timer::Noop(conn), self.settings.beat);
        self.go_on(at, cx);
    }

    fn invoke(&mut self, op: OpId, call: Call, cx: &mut Context<'_, Stream>) {
        let (vb, ret) = match call {
            Call::Set(vb, key, length) => {
                let value = Value { write: op.number, length };
                (vb, self.write(vb, key, Some(value)))
            }
            Call::Load(vb, Key(last), n) => {
                let mut ret = Ret::Nothing;
                for (key, nth) in (0..=last).cycle().zip(1..=u32::from(n)) {
                    let value = Value { write: op.number << 8 | nth, length: 0 };
                    ret = self.write(vb, Key(key), Some(value));
                }
                (vb, ret)
            }
            Call::Delete(vb, key) => {
                let is_there = self.stores.get(&vb).is_some_and(|store| store.holds(key));
                (vb, if is_there { self.write(vb, key, None) } else { Ret::Nothing })
            }
            Call::Move(vb) => (vb, self.change_owner(vb, 0, cx)),
            Call::Fail(vb, lost) => (vb, self.change_owner(vb, u64::from(lost), cx)),
            Call::Purge(vb) => {
                self.stores.get_mut(&vb).into_iter().for_each(Store::purge);
                (vb, Ret::Done)
            }
            _ => return cx.complete(op, Outcome::Failed),
        };
        cx.complete(op, Outcome::Ok(ret));
        let mut at = 0;
        while let Some(peer) = self.peers.get(at) {
            let (conn, is_fed) = (peer.conn, peer.streams.iter().any(|feed| feed.vb == vb));
            if is_fed {
                self.go_on(at, cx);
            }
            at += usize::from(self.peers.get(at).is_some_and(|peer| peer.conn == conn));
        }
    }

    fn write(&mut self, vb: Vb, key: Key, value: Option<Value>) -> Ret {
        let store = self.stores.get_mut(&vb);
        store.map_or(Ret::Nothing, |store| Ret::Seq(store.write(key, value)))
    }

    /// The other node owns the vbucket from now on; its streams end, and the indexer is told, if it hears it.
    fn change_owner(&mut self, vb: Vb, lost: u64, cx: &mut Context<'_, Stream>) -> Ret {
        let Some(store) = self.stores.get_mut(&vb) else { return Ret::Nothing };
        self.uuid += 1;
        if lost > 0 {
            cx.mark(&mark::FAILED_OVER);
            store.fail_over(1 - store.owner, self.uuid, lost);
        } else {
            store.hand_over(1 - store.owner, self.uuid);
        }
        let owner = store.owner;
        for feed in self.peers.iter_mut().flat_map(|peer| &mut peer.streams) {
            if feed.vb == vb && !feed.is_over {
                feed.is_over = true;
                if lost > 0 {
                    // A node that has failed sends nothing more, but for what was sent.
                    feed.ready.clear();
                }
                feed.ready.push_back(Dcp::End { stream: feed.id, why: EndReason::StateChanged });
            }
        }
        cx.send(self.indexer, Msg::Moved(vb, owner));
        Ret::Done
    }

    /// Reads requests, unless the connection takes no bytes.
    fn read(&mut self, at: usize, cx: &mut Context<'_, Stream>) {
        let peer = &mut self.peers[at];
        peer.is_read_later = !peer.outbox.is_empty();
        if peer.is_read_later {
            return;
        }
        let mut bytes = Vec::new();
        if cx.read(peer.conn, usize::MAX, &mut bytes) == 0 {
            return;
        }
        peer.heard_at = cx.now();
        let Ok(frames) = Dcp::decode_all(&mut peer.reader, &bytes) else {
            // What cannot be read ends the connection.
            cx.reset(peer.conn);
            cx.disarm(Timer::Noop(peer.conn));
            self.peers.remove(at);
            return;
        };
        for frame in frames {
            self.asked(at, frame, cx);
        }
        self.pump(at, cx);
    }

    fn asked(&mut self, at: usize, frame: Dcp, cx: &mut Context<'_, Stream>) {
        let peer = &mut self.peers[at];
        match frame {
            Dcp::Open { router, keyspace, session } => {
                peer.opened = Some((router, keyspace, session));
            }
            Dcp::Request { stream, vb, from, purge } => {
                self.requested(at, stream, (vb, from, purge), cx);
            }
            Dcp::Close { stream } => peer.streams.retain(|feed| feed.id != stream),
            Dcp::Ack(n) => {
                cx.note(Note::Acked(peer.conn, u32::from(n), peer.outstanding));
                peer.outstanding = peer.outstanding.saturating_sub(u32::from(n));
            }
            _ => {}
        }
    }

    /// The checks of a stream request, in their order.
    fn requested(
        &mut self,
        at: usize,
        stream: StreamId,
        (number, from, purge): (u16, Point, u64),
        cx: &mut Context<'_, Stream>,
    ) {
        let peer = &mut self.peers[at];
        let Some((router, keyspace, _)) = peer.opened else { return };
        let vb = Vb { keyspace, number };
        let store = self.stores.get(&vb).filter(|store| store.owner == router);
        let refused = |why, seq| Dcp::Refused { stream, why, seq };
        let answer = match store {
            None => refused(Refusal::NotMyVbucket, 0),
            Some(store) => match store.answer(from, purge) {
                Answer::OutOfRange => refused(Refusal::OutOfRange, 0),
                _ if peer.streams.iter().any(|feed| feed.vb == vb && !feed.is_over) => {
                    refused(Refusal::Exists, 0)
                }
                Answer::Rollback(seq) => refused(Refusal::Rollback, seq),
                Answer::Ok => Dcp::Ok { stream, log: store.log.clone() },
            },
        };
        let is_ok = matches!(answer, Dcp::Ok { .. });
        if store.is_some() {
            cx.note(Note::Requested(vb, from, is_ok));
        }
        peer.answers.push_back(answer);
        if is_ok {
            let ready = VecDeque::new();
            let feed = Feed { id: stream, vb, at: from.seq, is_first: true, ready, is_over: false };
            peer.streams.push_back(feed);
        }
    }

    /// Sends what there is, and reads requests that were left unread as the connection took no bytes: nobody tells of them
    /// again.
    fn go_on(&mut self, at: usize, cx: &mut Context<'_, Stream>) {
        self.pump(at, cx);
        if self.peers[at].is_read_later {
            self.read(at, cx);
        }
    }

    /// Sends what there is, as far as window and connection let it.
    fn pump(&mut self, at: usize, cx: &mut Context<'_, Stream>) {
        loop {
            let peer = &mut self.peers[at];
            if !peer.outbox.is_empty() {
                let written = cx.write(peer.conn, &peer.outbox);
                peer.outbox.drain(..written);
                if !peer.outbox.is_empty() {
                    peer.blocked_since.get_or_insert(cx.now());
                    cx.mark(&mark::DATA_BLOCKED);
                    return;
                }
            }
            if let Some(since) = peer.blocked_since.take() {
                let ms = millis(cx.now().since(since));
                cx.note(Note::Unblocked(peer.conn, ms));
            }
            while self.peers[at].outbox.len() < PIECE
                && let Some(frame) = self.next(at, cx)
            {
                let peer = &mut self.peers[at];
                peer.outstanding += u32::from(frame.is_counted());
                // What does not fit the limit of both sides does not exist here.
                let _ = frame::append_with(UPSTREAM, &mut peer.outbox, |into| frame.encode(into));
            }
            if self.peers[at].outbox.is_empty() {
                return;
            }
        }
    }

    /// The next frame for a connection: streams take turns.
    fn next(&mut self, at: usize, cx: &mut Context<'_, Stream>) -> Option<Dcp> {
        let Data { settings, stores, peers, .. } = self;
        let peer = &mut peers[at];
        if let Some(answer) = peer.answers.pop_front() {
            return Some(answer);
        }
        for _ in 0..peer.streams.len() {
            let mut feed = peer.streams.pop_front()?;
            if feed.ready.is_empty()
                && !feed.is_over
                && let Some(store) = stores.get(&feed.vb)
            {
                feed.fill(store, cx);
            }
            if peer.outstanding >= settings.window && !feed.ready.is_empty() {
                peer.streams.push_front(feed);
                cx.mark(&mark::WINDOW_FULL);
                return None;
            }
            let frame = feed.ready.pop_front();
            if !(feed.is_over && feed.ready.is_empty()) {
                peer.streams.push_back(feed);
            }
            if frame.is_some() {
                return frame;
            }
        }
        None
    }
}

impl Feed {
    /// Takes the next snapshot of the vbucket.
    fn fill(&mut self, store: &Store, cx: &mut Context<'_, Stream>) {
        let stream = self.id;
        let snapshot = match store.next(self.at, self.is_first) {
            Ok(None) => return,
            Ok(Some(snapshot)) => snapshot,
            Err(super::store::Forgotten) => {
                self.is_over = true;
                self.ready.push_back(Dcp::End { stream, why: EndReason::Rollback });
                return;
            }
        };
        let (start, end, disk) = (snapshot.start, snapshot.end, snapshot.disk);
        if disk && !self.is_first {
            cx.mark(&mark::BACK_TO_DISK);
        }
        self.ready.push_back(Dcp::Snapshot { stream, start, end, disk });
        self.ready.extend(snapshot.items.iter().map(|item| match item.value {
            Some(value) => Dcp::Upsert { stream, seq: item.seq, key: item.key, value },
            None => Dcp::Delete { stream, seq: item.seq, key: item.key },
        }));
        (self.at, self.is_first) = (end, false);
    }
}

/// Whole milliseconds.
pub(super) fn millis(span: Span) -> u32 {
    u32::try_from(span.0 / 1_000_000).unwrap_or(u32::MAX)
}
