//! A router: asks data for the streams that the indexer wants, and sends them on.
//!
//! ```text
//!  data ──bytes──▶ queue of a session ──pump──▶ client ──connections──▶ server of the indexer
//!        ◀─acks───                     one at a time; waits where there is no room
//!
//!  indexer ──open, shut down, stop──▶ answered at once, or when data has answered: never behind mutations
//! ```
//!
//! Each session of a keyspace has a connection to data of its own. A vbucket of a session is requested, active, or neither.
//! Requests for those that are either are no work; what is active stays so until its stream has ended.

use std::collections::BTreeMap;
use std::sync::Arc;

use seedbed_sim::actor::{ConnEvent, Context, Event};
use seedbed_sim::choose::{Shape, Site};
use seedbed_sim::id::{ActorId, ConnId};
use seedbed_sim::time::Span;

use super::client::Client;
use super::indexer::is_of_later_life;
use super::job::Job;
use super::message::{Ask, Msg, Phase, Request, Timer};
use super::model::Stream;
use super::note::{Note, Why};
use super::op::{Call, Keyspace, Point, Vb};
use super::session::Session;
use super::settings::Settings;
use super::upstream::{Refusal, StreamId};
use super::{bugs, mark};

/// Whether a message that waits is still sent when its session is over.
pub static SELECT: Site = Site { id: 54, name: "select", shape: Shape::Own, outcomes: &["abort"] };

/// How long data may take to answer all of a request.
const JOB: Span = Span::ms(400);

/// Who is where.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// The data.
    pub data: ActorId,
    /// The server of streams.
    pub server: ActorId,
    /// The application.
    pub indexer: ActorId,
}

/// A router.
#[derive(Clone, Debug)]
pub struct Router {
    me: u8,
    pub(super) settings: Settings,
    places: Places,
    pub(super) client: Client,
    /// The session of each keyspace.
    feeds: BTreeMap<Keyspace, Feed>,
    /// Those sessions, and older ones that come to their end.
    sessions: Vec<Session>,
    next_stream: StreamId,
    pub(super) is_stopping: bool,
}

/// What the indexer wants of a keyspace.
#[derive(Clone, Debug)]
pub(super) struct Feed {
    session: u64,
    attempt: u32,
    pub(super) vbs: BTreeMap<u16, (StreamId, Stage)>,
    jobs: Vec<Job>,
}

/// How far a stream has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Requested,
    Active,
}

impl Router {
    /// A router of one node of the data.
    #[must_use]
    pub fn new(me: u8, settings: Settings, places: Places) -> Router {
        Router {
            me,
            settings,
            places,
            client: Client::new(settings, places.server, me),
            feeds: BTreeMap::new(),
            sessions: Vec::new(),
            next_stream: 0,
            is_stopping: false,
        }
    }

    /// The session in which a vbucket is active here.
    pub(super) fn active(&self, keyspace: Keyspace, vb: u16) -> Option<u64> {
        let feed = self.feeds.get(&keyspace)?;
        let (_, stage) = feed.vbs.get(&vb)?;
        (*stage == Stage::Active).then_some(feed.session)
    }

    /// Whether it knows of a connection.
    pub(super) fn holds(&self, conn: ConnId) -> bool {
        self.client.slot_of(conn).is_some() || self.sessions.iter().any(|own| own.conn == conn)
    }

    /// Whether somebody waits for a connection that has room.
    pub(super) fn is_stuck(&self) -> bool {
        self.client.hangs || self.waits_in_vain()
    }

    /// Whether somebody waits for a connection although it has room.
    pub(super) fn waits_in_vain(&self) -> bool {
        self.sessions.iter().any(|session| {
            session.waits_for.is_some_and(|vb| self.client.has_room((vb, session.session)))
        })
    }

    /// The same, with a log of what matters at least so much.
    #[cfg(test)]
    pub(super) fn logging(&self, level: Option<super::log::Severity>) -> Self {
        let mut other = self.clone();
        other.client.log = super::log::Log::new(level);
        other
    }

    pub(super) fn on_event(&mut self, event: Event<Stream>, cx: &mut Context<'_, Stream>) {
        match event {
            Event::Boot => {
                let n = u32::from(self.settings.connections);
                let started = self.client.start(n, cx);
                started.expect("a scenario draws a count that can be");
            }
            Event::Message { from, msg } => match msg {
                Msg::Ask(ask) => self.asked(&ask, cx),
                Msg::Order(op, Call::Connections(_, n)) => {
                    let is_done = self.client.start(n, cx).is_ok();
                    if !is_done {
                        cx.mark(&mark::COUNT_REFUSED);
                    }
                    cx.send(from, Msg::Obeyed(op, is_done));
                    self.resume(cx);
                }
                _ => {}
            },
            Event::Phase(Phase::Pump(conn)) => self.pump(conn, cx),
            Event::Timer(timer) => self.timer(timer, cx),
            Event::Conn(event) => self.conn(event, cx),
            Event::Stop => {
                self.is_stopping = true;
                self.client.close(cx);
                cx.stopped();
            }
            _ => {}
        }
    }

    fn timer(&mut self, timer: Timer, cx: &mut Context<'_, Stream>) {
        match timer {
            Timer::Flush(slot) => {
                self.client.flush_due(usize::from(slot), cx);
                self.resume(cx);
            }
            Timer::Beat(slot) => {
                self.client.beat(usize::from(slot), cx);
                self.resume(cx);
            }
            Timer::Job(keyspace) => self.give_up_jobs(keyspace, cx),
            Timer::Noop(conn) => {
                let settings = self.settings;
                if let Some(session) = self.session_of(conn)
                    && !session.look(settings, cx)
                {
                    self.pump(conn, cx);
                }
            }
            Timer::Ack(conn) => {
                if let Some(session) = self.session_of(conn) {
                    session.acknowledge(cx);
                }
            }
            _ => {}
        }
    }

    fn conn(&mut self, event: ConnEvent, cx: &mut Context<'_, Stream>) {
        let conn = event.conn();
        if let Some(slot) = self.client.slot_of(conn) {
            match event {
                ConnEvent::Opened { .. } => self.client.opened(slot, cx),
                ConnEvent::Readable { .. } => self.client.read(slot, cx),
                ConnEvent::Writable { .. } => self.client.transmit(slot, cx),
                ConnEvent::Closed { .. } | ConnEvent::Refused { .. } => {
                    self.client.fail(slot, false, cx);
                }
                ConnEvent::Accepted { .. } => {}
            }
            return self.resume(cx);
        }
        let Some(at) = self.sessions.iter().position(|session| session.conn == conn) else {
            return;
        };
        let session = &mut self.sessions[at];
        match event {
            ConnEvent::Opened { .. } => session.opened(self.me, cx),
            ConnEvent::Writable { .. } => session.write(cx),
            ConnEvent::Readable { .. } => {
                let answers = session.read(cx);
                let (keyspace, session) = (session.keyspace, session.session);
                let current = self.feeds.get(&keyspace).map(|feed| feed.session);
                for (stream, result) in answers {
                    if current == Some(session) {
                        self.resolve((keyspace, stream), result, cx);
                    }
                }
                self.request(keyspace, cx);
                self.pump(conn, cx);
            }
            ConnEvent::Closed { .. } | ConnEvent::Refused { .. } => {
                session.ended();
                cx.disarm(Timer::Noop(conn));
                self.pump(conn, cx);
            }
            ConnEvent::Accepted { .. } => {}
        }
    }

    fn session_of(&mut self, conn: ConnId) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|session| session.conn == conn)
    }

    /// The indexer wants something. What is older than what it has wanted already is ignored.
    fn asked(&mut self, ask: &Arc<Ask>, cx: &mut Context<'_, Stream>) {
        let Ask { keyspace, session, attempt, what, ref vbs } = **ask;
        let known = self.feeds.get(&keyspace).map(|feed| (feed.session, feed.attempt));
        if self.client.is_blocked() {
            cx.mark(&mark::SERVED_WHILE_BLOCKED);
        }
        if known.is_some_and(|(known, _)| known > 0 && is_of_later_life(session, known))
            && self.client.is_running()
        {
            cx.mark(&mark::CONSUMER_RESTARTED);
        }
        if self.is_stopping || known.is_some_and(|known| (session, attempt) < known) {
            return cx.mark(&mark::STALE_REQUEST);
        }
        if known.is_none_or(|(known, _)| known != session) {
            self.end_session(keyspace, cx);
            self.feeds.insert(keyspace, Feed::new(session));
            if what == Request::Stop {
                return self.stop(keyspace);
            }
            let conn = cx.connect(self.places.data);
            cx.arm(Timer::Noop(conn), self.settings.suicide);
            self.sessions.push(Session::new(conn, (keyspace, session), cx.now()));
        }
        match what {
            Request::Stop => {
                self.end_session(keyspace, cx);
                self.stop(keyspace);
            }
            Request::Shutdown => self.shut_down(ask, cx),
            Request::Open => {
                self.client.repair(cx);
                let Some(feed) = self.feeds.get_mut(&keyspace) else { return };
                feed.attempt = attempt;
                self.redial_data(keyspace, cx);
                self.open(keyspace, (attempt, vbs), cx);
            }
        }
    }

    /// Nothing more of this session is listened to.
    fn stop(&mut self, keyspace: Keyspace) {
        if let Some(feed) = self.feeds.get_mut(&keyspace) {
            feed.attempt = u32::MAX;
        }
    }

    /// The connection to data has ended, and the indexer asks again: it is made again.
    fn redial_data(&mut self, keyspace: Keyspace, cx: &mut Context<'_, Stream>) {
        let Some(session) = self.feeds.get(&keyspace).map(|feed| feed.session) else { return };
        let is_there = |own: &Session| own.is_of((keyspace, session)) && !own.is_over();
        if !self.sessions.iter().any(is_there) {
            let conn = cx.connect(self.places.data);
            cx.arm(Timer::Noop(conn), self.settings.suicide);
            self.sessions.push(Session::new(conn, (keyspace, session), cx.now()));
        }
    }

    fn open(
        &mut self,
        keyspace: Keyspace,
        (attempt, vbs): (u32, &[(u16, Point)]),
        cx: &mut Context<'_, Stream>,
    ) {
        let Some(feed) = self.feeds.get_mut(&keyspace) else { return };
        let current = (keyspace, feed.session);
        let at = self.sessions.iter().rposition(|own| own.is_of(current) && !own.is_over());
        let Some(session) = at.map(|at| &mut self.sessions[at]) else { return };
        let mut job = Job::new(self.me, current, attempt, cx.now() + JOB);
        for (vb, from) in vbs {
            match feed.vbs.get(vb) {
                Some((_, Stage::Active)) => job.active(*vb),
                Some((_, Stage::Requested)) => job.wait(*vb),
                None => {
                    self.next_stream += 1;
                    feed.vbs.insert(*vb, (self.next_stream, Stage::Requested));
                    session.wanted.push_back((self.next_stream, *vb, *from));
                    job.wait(*vb);
                }
            }
        }
        if feed.jobs.is_empty() {
            cx.arm(Timer::Job(keyspace), JOB);
        }
        feed.jobs.push(job);
        self.request(keyspace, cx);
        self.answer(keyspace, cx);
    }

    /// Sends requests to data, of which only so many are under way.
    fn request(&mut self, keyspace: Keyspace, cx: &mut Context<'_, Stream>) {
        let most = self.settings.requests;
        for session in self.sessions.iter_mut().filter(|own| own.keyspace == keyspace) {
            session.request(most, cx);
        }
    }

    fn shut_down(&mut self, ask: &Ask, cx: &mut Context<'_, Stream>) {
        let Some(feed) = self.feeds.get_mut(&ask.keyspace) else { return };
        feed.attempt = ask.attempt;
        let current = (ask.keyspace, ask.session);
        let mut conns = Vec::new();
        for (vb, _) in &ask.vbs {
            let Some((stream, _)) = feed.vbs.remove(vb) else { continue };
            for session in self.sessions.iter_mut().filter(|own| own.is_of(current)) {
                session.close_stream(stream, &mut self.client, cx);
                conns.push(session.conn);
            }
        }
        conns.dedup();
        conns.into_iter().for_each(|conn| self.pump(conn, cx));
        self.resume(cx);
    }

    /// The session of a keyspace is over: what waits is given up, and its streams end.
    fn end_session(&mut self, keyspace: Keyspace, cx: &mut Context<'_, Stream>) {
        if let Some(feed) = self.feeds.get_mut(&keyspace) {
            feed.vbs.clear();
            feed.jobs.clear();
        }
        let mut conns = Vec::new();
        for session in self.sessions.iter_mut().filter(|own| own.keyspace == keyspace) {
            if !session.is_over() {
                cx.close(session.conn);
                cx.disarm(Timer::Noop(session.conn));
            }
            session.abort();
            conns.push(session.conn);
        }
        for conn in conns {
            cx.yield_to(Phase::Pump(conn));
        }
    }

    /// Data has answered a request.
    fn resolve(
        &mut self,
        (keyspace, stream): (Keyspace, StreamId),
        result: Result<(), (Refusal, u64)>,
        cx: &mut Context<'_, Stream>,
    ) {
        let Some(feed) = self.feeds.get_mut(&keyspace) else { return };
        let found = feed.vbs.iter().find(|(_, (id, _))| *id == stream);
        let Some(vb) = found.map(|(vb, _)| *vb) else { return };
        match result {
            Ok(()) => {
                feed.vbs.insert(vb, (stream, Stage::Active));
            }
            Err(_) => {
                feed.vbs.remove(&vb);
            }
        }
        feed.jobs.iter_mut().for_each(|job| job.resolve(vb, result));
        self.answer(keyspace, cx);
    }

    /// Answers the requests of which nothing is under way any more.
    fn answer(&mut self, keyspace: Keyspace, cx: &mut Context<'_, Stream>) {
        let Some(feed) = self.feeds.get_mut(&keyspace) else { return };
        feed.jobs.retain_mut(|job| {
            let Some(told) = job.done() else { return true };
            cx.send(self.places.indexer, Msg::Told(Arc::new(told)));
            false
        });
        if feed.jobs.is_empty() {
            cx.disarm(Timer::Job(keyspace));
        }
    }

    /// Data has taken too long: what has no answer is said to have failed.
    fn give_up_jobs(&mut self, keyspace: Keyspace, cx: &mut Context<'_, Stream>) {
        let Some(feed) = self.feeds.get_mut(&keyspace) else { return };
        let now = cx.now();
        feed.jobs.iter_mut().filter(|job| job.until <= now).for_each(Job::give_up);
        if let Some(next) = feed.jobs.iter().map(|job| job.until).filter(|until| *until > now).min()
        {
            cx.arm(Timer::Job(keyspace), next.since(now));
        }
        self.answer(keyspace, cx);
    }

    /// Sends the next message of a session on, and comes back for the one after it.
    fn pump(&mut self, conn: ConnId, cx: &mut Context<'_, Stream>) {
        let Some(at) = self.sessions.iter().position(|session| session.conn == conn) else {
            return;
        };
        let mut session = self.sessions.remove(at);
        let step = session.step(self, cx);
        if step.more {
            cx.yield_to(Phase::Pump(conn));
        }
        if let Some(stream) = step.over {
            let keyspace = session.keyspace;
            let current = self.feeds.get(&keyspace).map(|feed| feed.session);
            if current == Some(session.session) {
                self.stream_over(keyspace, stream, cx);
            }
        }
        if session.is_done() {
            cx.disarm(Timer::Ack(conn));
            cx.note(Note::Shut(conn, Why::Asked));
        } else {
            self.sessions.insert(at, session);
        }
        if !cx.bug(&bugs::ROOM_UNNOTICED) {
            // What has been sent may have taken the bytes of others along: nobody tells of the room that there is now.
            self.resume(cx);
        }
    }

    /// The vbucket that a stream of a session is for, if it is still wanted.
    pub(super) fn vb_of(&self, keyspace: Keyspace, session: u64, stream: StreamId) -> Option<Vb> {
        let feed = self.feeds.get(&keyspace).filter(|feed| feed.session == session)?;
        let found = feed.vbs.iter().find(|(_, (id, _))| *id == stream);
        found.map(|(number, _)| Vb { keyspace, number: *number })
    }

    /// A stream has come to its end.
    fn stream_over(&mut self, keyspace: Keyspace, stream: StreamId, cx: &mut Context<'_, Stream>) {
        let Some(feed) = self.feeds.get_mut(&keyspace) else { return };
        let found = feed.vbs.iter().find(|(_, (id, _))| *id == stream);
        if let Some(vb) = found.map(|(vb, _)| *vb) {
            feed.vbs.remove(&vb);
            feed.jobs.iter_mut().for_each(|job| job.fail(vb));
            self.answer(keyspace, cx);
        }
    }

    /// Goes on with the sessions that wait for room.
    fn resume(&mut self, cx: &mut Context<'_, Stream>) {
        if self.client.hangs && cx.bug(&bugs::UNMAPPED_HANGS) {
            return;
        }
        for session in &mut self.sessions {
            if let Some(vb) = session.waits_for
                && self.client.has_room((vb, session.session))
            {
                session.waits_for = None;
                cx.yield_to(Phase::Pump(session.conn));
            }
        }
    }
}

impl Feed {
    fn new(session: u64) -> Feed {
        Feed { session, attempt: 0, vbs: BTreeMap::new(), jobs: Vec::new() }
    }
}
