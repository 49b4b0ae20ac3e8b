//! The receiving end of the library: the server of streams.
//!
//! ```text
//!  connection ─▶ reader ─┐                    ┌─ brackets: who has which stream open
//!  connection ─▶ reader ─┼─▶ queue ─▶ serve ──┤
//!  connection ─▶ reader ─┘  bounded           └─▶ application: frames and ends of connections, in one order
//!
//!  close, listen, new connections: at once, whatever waits in the queue
//! ```
//!
//! A reader stops when the queue is full, and so the bytes wait in the connection, and the sender at its other end. The end
//! of a connection goes through the queue behind its frames; the application is told which streams it breaks: those that
//! have begun and not ended on it, and no others. There may be none.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use seedbed_sim::actor::{CloseReason, ConnEvent, Context, Event};
use seedbed_sim::choose::{Shape, Site};
use seedbed_sim::id::{ActorId, ConnId};
use seedbed_sim::time::Span;
use std::sync::Arc;

use super::brackets::Brackets;
use super::client::{FRAME_MIN, said};
use super::frame::{self, FrameError};
use super::log::{Log, Severity};
use super::message::{Delivery, Msg, Phase, Timer};
use super::model::Stream;
use super::note::{Ending, Note, Why};
use super::op::Vb;
use super::payload::{Entry, Payload, Peer};
use super::receiver::Receiver;
use super::settings::Settings;
use super::{bugs, mark, point};

mod planted;

/// What becomes of a connection that is accepted.
pub static LISTENER: Site =
    Site { id: 55, name: "listener", shape: Shape::Own, outcomes: &["fails"] };

/// How long a listener that has failed is away.
const LISTEN_AGAIN: Span = Span::ms(50);

/// The server.
#[derive(Clone, Debug)]
pub struct Server {
    pub(super) settings: Settings,
    application: ActorId,
    is_open: bool,
    is_listening: bool,
    pub(super) conns: BTreeMap<u32, Receiver>,
    /// Connections that were accepted and not closed, here or by the other end.
    sockets: BTreeSet<u32>,
    queue: VecDeque<(ConnId, Queued)>,
    /// Frames that the application has room for.
    room: u32,
    is_serving: bool,
    /// Who has gone on last of those that had to wait for room.
    last_turn: u32,
    brackets: Brackets,
    /// The youngest client of each router.
    lives: BTreeMap<u8, u32>,
    accepted: u64,
    log: Log,
    /// Nothing is served any more. Only a planted bug does that.
    is_stuck: bool,
    /// Connections whose frames wait for the end of a stream elsewhere. Only a planted bug has any.
    parked: BTreeMap<u32, (Vb, VecDeque<Queued>)>,
}

/// What waits to be served.
#[derive(Clone, Debug)]
enum Queued {
    Frame(Vec<Entry>),
    Error(Ending),
    /// Only where a planted bug lets it wait here.
    Close,
}

impl Server {
    /// A server, which listens.
    #[must_use]
    pub fn new(settings: Settings, application: ActorId) -> Server {
        Server {
            settings,
            application,
            is_open: true,
            is_listening: true,
            conns: BTreeMap::new(),
            sockets: BTreeSet::new(),
            queue: VecDeque::new(),
            room: settings.application_queue,
            is_serving: false,
            last_turn: 0,
            brackets: Brackets::default(),
            lives: BTreeMap::new(),
            accepted: 0,
            log: Log::new(settings.log),
            is_stuck: false,
            parked: BTreeMap::new(),
        }
    }

    /// Who has which stream open.
    #[must_use]
    pub fn brackets(&self) -> &Brackets {
        &self.brackets
    }

    /// Sockets that are open, and connections that are alive.
    #[must_use]
    pub fn sockets(&self) -> (usize, usize) {
        (self.sockets.len(), self.conns.len())
    }

    /// Whether it knows of a connection.
    #[must_use]
    pub fn holds(&self, conn: ConnId) -> bool {
        self.sockets.contains(&conn.0)
    }

    /// What it has said for people.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// How much waits to be served.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.len() + self.parked.values().map(|(_, queue)| queue.len()).sum::<usize>()
    }

    /// Connections whose reader waits for room in the queue.
    pub fn stalled(&self) -> impl Iterator<Item = ConnId> + '_ {
        self.conns.values().filter(|receiver| receiver.is_stalled).map(|receiver| receiver.conn)
    }

    pub(super) fn is_full(&self) -> bool {
        self.queue.len() >= self.settings.server_queue
    }

    pub(super) fn on_event(&mut self, event: Event<Stream>, cx: &mut Context<'_, Stream>) {
        match event {
            Event::Boot => cx.note(Note::ServerUp),
            Event::Conn(event) => self.conn(event, cx),
            Event::Message { msg, .. } => match msg {
                Msg::Taken => {
                    self.room = self.settings.application_queue.min(self.room + 1);
                    self.wake(cx);
                }
                Msg::Close if cx.bug(&bugs::CLOSE_BEHIND_DATA) => {
                    self.queue.push_back((ConnId(u32::MAX), Queued::Close));
                    self.wake(cx);
                }
                Msg::Close => self.close(cx),
                Msg::Listen => {
                    self.is_open = true;
                    self.room = self.settings.application_queue;
                }
                _ => {}
            },
            Event::Phase(Phase::Serve) => {
                self.is_serving = false;
                self.serve(cx);
            }
            Event::Timer(timer) => self.timer(timer, cx),
            Event::Stop => {
                self.shut_all(cx);
                cx.stopped();
            }
            _ => {}
        }
    }

    fn timer(&mut self, timer: Timer, cx: &mut Context<'_, Stream>) {
        match timer {
            Timer::Listen => self.is_listening = true,
            Timer::Alive(conn) if self.conns.contains_key(&conn.0) => self.say_alive(conn, cx),
            Timer::Deadline(conn) => self.look(conn, cx),
            _ => {}
        }
    }

    /// Whether a connection has said something in time. Who does not listen cannot say that nobody speaks.
    fn look(&mut self, conn: ConnId, cx: &mut Context<'_, Stream>) {
        let Some(receiver) = self.conns.get(&conn.0) else { return };
        let silence = if receiver.is_stalled { Span(0) } else { cx.now().since(receiver.heard_at) };
        if silence < self.settings.deadline {
            return cx.arm(Timer::Deadline(conn), Span(self.settings.deadline.0 - silence.0));
        }
        cx.mark(&mark::DEADLINE_PASSED);
        cx.note(Note::GaveUp(conn));
        self.fail(conn, Ending::Silent, cx);
    }

    fn conn(&mut self, event: ConnEvent, cx: &mut Context<'_, Stream>) {
        match event {
            ConnEvent::Accepted { conn, .. } => self.accept(conn, cx),
            ConnEvent::Readable { conn } => self.pull(conn, cx),
            ConnEvent::Writable { .. } => {}
            ConnEvent::Closed { conn, reason } => {
                self.sockets.remove(&conn.0);
                if reason == CloseReason::Reset && cx.bug(&bugs::UNKNOWN_ERROR_CLOSES) {
                    return self.close(cx);
                }
                if let Some(receiver) = self.conns.get_mut(&conn.0) {
                    receiver.closed = Some(reason);
                    self.pull(conn, cx);
                }
            }
            ConnEvent::Opened { .. } | ConnEvent::Refused { .. } => {}
        }
    }

    fn accept(&mut self, conn: ConnId, cx: &mut Context<'_, Stream>) {
        if !self.is_open && cx.bug(&bugs::LATE_EVENTS_CRASH) {
            return cx.abort("a connection after the close");
        }
        self.accepted += 1;
        let fails = self.is_open && self.is_listening && {
            let nth = self.accepted;
            cx.choose(&LISTENER, 0, nth) == 1
        };
        if fails {
            cx.mark(&mark::LISTENER_FAILED);
            self.is_listening = false;
            if !cx.bug(&bugs::LISTENER_ERROR_SWALLOWED) {
                cx.arm(Timer::Listen, LISTEN_AGAIN);
            }
        }
        if !self.is_open || !self.is_listening {
            return cx.reset(conn);
        }
        self.sockets.insert(conn.0);
        self.conns.insert(conn.0, Receiver::new(conn, self.settings.takes(), cx.now()));
        cx.arm(Timer::Alive(conn), self.settings.beat);
        cx.arm(Timer::Deadline(conn), self.settings.deadline);
    }

    fn say_alive(&mut self, conn: ConnId, cx: &mut Context<'_, Stream>) {
        let (limits, mut bytes) = (self.settings.sends(), Vec::with_capacity(FRAME_MIN));
        // Two bytes fit every limit.
        let _ = frame::append_with(limits, &mut bytes, |into| Payload::Alive.encode(into));
        if let Some(receiver) = self.conns.get_mut(&conn.0) {
            receiver.say(&bytes, cx);
        }
        cx.arm(Timer::Alive(conn), self.settings.beat);
    }

    /// Takes in what a connection has, as long as there is room; and then its end.
    fn pull(&mut self, conn: ConnId, cx: &mut Context<'_, Stream>) {
        loop {
            if self.is_full() {
                if let Some(receiver) = self.conns.get_mut(&conn.0) {
                    receiver.is_stalled = true;
                    cx.mark(&mark::READER_STALLED);
                }
                return;
            }
            let Some(receiver) = self.conns.get_mut(&conn.0) else { return };
            if std::mem::take(&mut receiver.is_stalled) {
                receiver.heard_at = cx.now();
            }
            match receiver.next(cx) {
                Ok(Some(payload)) => self.take(conn, payload, cx),
                Ok(None) => {
                    let Some(reason) = receiver.closed else { return };
                    let ending =
                        receiver.end().map_or_else(Ending::Bytes, |()| Ending::Closed(reason));
                    return self.fail(conn, ending, cx);
                }
                Err(error) => return self.fail(conn, Ending::Bytes(error), cx),
            }
        }
    }

    fn take(&mut self, conn: ConnId, payload: Payload, cx: &mut Context<'_, Stream>) {
        let Some(receiver) = self.conns.get_mut(&conn.0) else { return };
        match (payload, receiver.peer) {
            (Payload::Hello(peer), None) => self.met(conn, peer, cx),
            (Payload::Batch(entries), Some(_)) => {
                if cx.bug(&bugs::DATA_PAST_BOOKKEEPING) {
                    self.hand_past(conn, &entries, cx);
                }
                self.queue.push_back((conn, Queued::Frame(entries)));
                self.wake(cx);
            }
            (Payload::Sync, Some(_)) => {}
            // Nobody says this here.
            _ => self.fail(conn, Ending::Unexpected, cx),
        }
    }

    /// A connection has said whose it is. Older ones of the same slot, and those of older clients of that router, are over.
    fn met(&mut self, conn: ConnId, peer: Peer, cx: &mut Context<'_, Stream>) {
        let life = self.lives.entry(peer.router).or_insert(peer.life);
        *life = peer.life.max(*life);
        let youngest = *life;
        let is_older = |other: &Peer| {
            other.router == peer.router
                && (other.life < youngest || other.slot == peer.slot && other.dial < peer.dial)
        };
        let is_replaced = |other: &Peer| {
            (other.router, other.life, other.slot) == (peer.router, peer.life, peer.slot)
                && other.dial > peer.dial
        };
        cx.note(Note::Met(conn, peer));
        self.log.say(Severity::Trace, "server::met", || format!("{} is {peer}", conn.0));
        let known = |receiver: &Receiver| receiver.peer.map(|other| (receiver.conn, other));
        let others: Vec<(ConnId, Peer)> = self.conns.values().filter_map(known).collect();
        if peer.life < youngest || others.iter().any(|(_, other)| is_replaced(other)) {
            return self.fail(conn, Ending::Replaced, cx);
        }
        if let Some(receiver) = self.conns.get_mut(&conn.0) {
            receiver.peer = Some(peer);
        }
        self.brackets.met(conn, peer);
        for (old, _) in others.into_iter().filter(|(_, other)| is_older(other)) {
            cx.mark(&mark::REPLACED);
            self.fail(old, Ending::Replaced, cx);
        }
    }

    /// A connection cannot go on: nothing more is read from it, it is closed here too, and its end goes into the queue.
    fn fail(&mut self, conn: ConnId, ending: Ending, cx: &mut Context<'_, Stream>) {
        let Some(receiver) = self.conns.remove(&conn.0) else { return };
        cx.note(Note::Failed(conn, ending));
        match ending {
            Ending::Closed(CloseReason::Fin) => cx.mark(&mark::CLEAN_CLOSE),
            Ending::Bytes(FrameError::Torn(_)) => cx.mark(&mark::TORN_TAIL),
            _ => {}
        }
        let said = || format!("connection {} is at its end: {ending}", conn.0);
        self.log.say(Severity::Warning, "server::fail", said);
        cx.disarm(Timer::Alive(conn));
        cx.disarm(Timer::Deadline(conn));
        let is_ours = receiver.closed.is_none();
        if is_ours && !cx.bug(&bugs::SOCKET_NEVER_CLOSED) && self.sockets.remove(&conn.0) {
            let why = if ending == Ending::Replaced { Why::Replaced } else { Why::Failed };
            cx.note(Note::Shut(conn, why));
            cx.reset(conn);
        }
        if cx.bug(&bugs::END_OVERTAKES) {
            self.queue.push_front((conn, Queued::Error(ending)));
        } else {
            self.queue.push_back((conn, Queued::Error(ending)));
        }
        self.wake(cx);
    }

    /// Closes: connections, queue, brackets; nothing is handed on after the answer.
    fn close(&mut self, cx: &mut Context<'_, Stream>) {
        self.shut_all(cx);
        self.queue.clear();
        self.parked.clear();
        self.brackets = Brackets::default();
        self.is_open = false;
        cx.note(Note::ServerClosed);
        cx.send(self.application, Msg::Closed);
    }

    fn shut_all(&mut self, cx: &mut Context<'_, Stream>) {
        for conn in std::mem::take(&mut self.conns).into_values() {
            cx.note(Note::Shut(conn.conn, Why::Asked));
            cx.disarm(Timer::Alive(conn.conn));
            cx.disarm(Timer::Deadline(conn.conn));
            if !cx.bug(&bugs::SOCKET_NEVER_CLOSED) && self.sockets.remove(&conn.conn.0) {
                cx.reset(conn.conn);
            }
        }
    }

    fn wake(&mut self, cx: &mut Context<'_, Stream>) {
        if !self.is_serving && !self.queue.is_empty() && self.room > 0 && !self.is_stuck {
            self.is_serving = true;
            cx.yield_to(Phase::Serve);
        }
    }

    /// Serves the first of the queue, and lets readers go on that wait for room.
    fn serve(&mut self, cx: &mut Context<'_, Stream>) {
        if self.room == 0 || self.is_stuck {
            return;
        }
        let Some((conn, queued)) = self.queue.pop_front() else { return };
        match (queued, self.parked.get_mut(&conn.0)) {
            (queued @ (Queued::Frame(_) | Queued::Error(_)), Some((_, parked))) => {
                parked.push_back(queued);
            }
            (Queued::Frame(entries), None) => self.frame(conn, entries, cx),
            (Queued::Error(ending), None) => self.error(conn, ending, cx),
            (Queued::Close, _) => self.close(cx),
        }
        self.take_turns(self.stalled().collect(), cx);
        self.wake(cx);
    }

    /// Readers that have waited for room take turns: the next one goes on behind the one that has gone on last.
    fn take_turns(&mut self, mut stalled: Vec<ConnId>, cx: &mut Context<'_, Stream>) {
        if !cx.bug(&bugs::NO_TURNS) {
            let behind = stalled.partition_point(|conn| conn.0 <= self.last_turn);
            stalled.rotate_left(behind);
        }
        for conn in stalled {
            if self.is_full() {
                return;
            }
            self.last_turn = conn.0;
            cx.note(Note::Turn(conn));
            self.pull(conn, cx);
        }
    }

    fn deliver(&mut self, delivery: Delivery, cx: &mut Context<'_, Stream>) {
        cx.point(&point::DELIVERED);
        self.room = self.room.saturating_sub(1);
        cx.send(self.application, Msg::Deliver(Arc::new(delivery)));
    }

    /// Hands on what lies within an open bracket of this connection and session.
    fn frame(&mut self, conn: ConnId, mut entries: Vec<Entry>, cx: &mut Context<'_, Stream>) {
        if cx.bug(&bugs::CROSSWISE_PARKED)
            && let Some(vb) = self.brackets.elsewhere(conn, &entries)
        {
            let frame = VecDeque::from([Queued::Frame(entries)]);
            self.parked.insert(conn.0, (vb, frame));
            return;
        }
        let (mut ended, past) = (Vec::new(), cx.bug(&bugs::DATA_PAST_BOOKKEEPING));
        for entry in &mut entries {
            let (vb, session) = (entry.vb, entry.session);
            entry.messages.retain(|message| {
                let what = said(&Entry { vb, session, messages: Vec::new() }, message);
                if past && Brackets::is_data(&what) {
                    return false;
                }
                let is_kept = self.brackets.judge(conn, &what, cx);
                cx.note(Note::Seen(conn, what, is_kept));
                if what.what == super::note::Glimpse::End {
                    ended.push(vb);
                }
                is_kept
            });
        }
        entries.retain(|entry| !entry.messages.is_empty());
        if !entries.is_empty() {
            self.deliver(Delivery::Frame(conn, entries), cx);
        }
        self.unpark(&ended, cx);
    }

    /// Tells the end of a connection, and which streams it breaks.
    fn error(&mut self, conn: ConnId, ending: Ending, cx: &mut Context<'_, Stream>) {
        if cx.bug(&bugs::ERRORS_UNBUFFERED) {
            // Nobody takes it.
            self.is_stuck = true;
            return;
        }
        let router = self.brackets.router_of(conn);
        let blamed = self.brackets.blame(conn, cx);
        if blamed.is_empty() {
            cx.mark(&mark::EMPTY_BLAME);
        }
        self.log.say(Severity::Error, "server::error", || {
            format!("connection {} breaks {} streams", conn.0, blamed.len())
        });
        cx.note(Note::Blamed(conn, blamed.clone()));
        self.deliver(Delivery::Error(conn, blamed), cx);
        if ending != Ending::Closed(CloseReason::Fin) && cx.bug(&bugs::ERROR_AGAIN_AND_AGAIN) {
            self.queue.push_back((conn, Queued::Error(ending)));
        }
        if cx.bug(&bugs::NEIGHBOURS_CLOSED)
            && let Some(router) = router
        {
            let of_router =
                |receiver: &&Receiver| receiver.peer.is_some_and(|peer| peer.router == router);
            let others: Vec<ConnId> =
                self.conns.values().filter(of_router).map(|other| other.conn).collect();
            others.into_iter().for_each(|other| self.fail(other, Ending::Replaced, cx));
        }
    }
}
