//! The application: keeps two indexes of each keyspace from its streams, and has streams repaired.
//!
//! It takes in what the server of streams hands it, in order; it stands still for a while when it is told to, and then the
//! server waits. What is stable goes into the indexes step by step; each index is made durable at its own times, so that
//! after a crash each has come to another point, and the streams go on from the lesser of both.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use seedbed_sim::actor::{Context, DiskError, DiskEvent, Event};
use seedbed_sim::id::{ActorId, ConnId, FileName, OpId};
use seedbed_sim::time::Span;

use super::archive::Archive;
use super::keyspace::{Side, Status};
use super::ladder::LOOK;
use super::log::{Log, Severity};
use super::message::{Ask, Delivery, Msg, Phase, Request, Timer};
use super::model::Stream;
use super::op::{Call, Keyspace, Vb};
use super::payload::Entry;
use super::settings::Settings;
use super::{bugs, mark, point};

/// Sessions of a life are numbered from the life times this on.
const SESSIONS: u64 = 1 << 16;

const FILES: [[FileName; 2]; 3] = [
    [FileName::new("a.0"), FileName::new("a.1")],
    [FileName::new("a1.0"), FileName::new("a1.1")],
    [FileName::new("a12.0"), FileName::new("a12.1")],
];

/// Whether a session is of a later life of the application than another one.
pub(super) fn is_of_later_life(session: u64, other: u64) -> bool {
    session / SESSIONS > other / SESSIONS
}

/// The application.
#[derive(Clone, Debug)]
pub struct Indexer {
    pub(super) settings: Settings,
    pub(super) routers: [ActorId; 2],
    server: ActorId,
    /// Its keyspaces.
    pub(super) sides: BTreeMap<Keyspace, Side>,
    pub(super) archives: BTreeMap<(Keyspace, usize), Archive>,
    sessions: u64,
    is_loaded: bool,
    is_stalled: bool,
    /// The server was asked to close, and has not answered.
    pub(super) is_closing: bool,
    waiting: VecDeque<Arc<Delivery>>,
    /// Indexes that will be made durable.
    persisting: BTreeSet<(Keyspace, u8)>,
    pub(super) has_rolled_back: BTreeSet<Keyspace>,
    orders: BTreeSet<OpId>,
    pub(super) log: Log,
}

impl Indexer {
    /// An application of these routers and this server.
    #[must_use]
    pub fn new(settings: Settings, routers: [ActorId; 2], server: ActorId) -> Indexer {
        let archive = |keyspace: Keyspace, which: usize| {
            let name = FILES[usize::from(keyspace.0)][which];
            ((keyspace, which), Archive::new(name))
        };
        let archives = settings.keyspaces.into_iter();
        let archives = archives.flat_map(|keyspace| [archive(keyspace, 0), archive(keyspace, 1)]);
        let side = |keyspace| (keyspace, Side::new(keyspace));
        Indexer {
            settings,
            routers,
            server,
            archives: archives.collect(),
            sides: settings.keyspaces.into_iter().map(side).collect(),
            sessions: 0,
            is_loaded: false,
            is_stalled: false,
            is_closing: false,
            waiting: VecDeque::new(),
            persisting: BTreeSet::new(),
            has_rolled_back: BTreeSet::new(),
            orders: BTreeSet::new(),
            log: Log::new(settings.log),
        }
    }

    /// What it knows of a keyspace.
    #[must_use]
    pub fn side(&self, keyspace: Keyspace) -> Option<&Side> {
        self.sides.get(&keyspace)
    }

    /// Whether its indexes are loaded.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.is_loaded
    }

    /// An index of which not all is on disk.
    pub(super) fn not_durable(&self) -> Option<(Keyspace, usize)> {
        let all = self.archives.iter();
        let mut not = all.filter(|((keyspace, which), archive)| {
            self.sides.get(keyspace).is_some_and(|side| !archive.has(&side.indexes[*which]))
        });
        not.next().map(|(at, _)| *at)
    }

    /// Whether it waits for the server to close.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.is_closing
    }

    /// The same, with a log of what matters at least so much.
    #[cfg(test)]
    pub(super) fn logging(&self, level: Option<Severity>) -> Self {
        let mut other = self.clone();
        other.log = Log::new(level);
        other
    }

    pub(super) fn on_event(&mut self, event: Event<Stream>, cx: &mut Context<'_, Stream>) {
        match event {
            Event::Boot => self.archives.values_mut().for_each(|archive| archive.open(cx)),
            Event::Disk(event) => self.answered(event, cx),
            Event::Message { from, msg } => self.message(from, msg, cx),
            Event::Phase(Phase::Apply(keyspace)) => self.apply(keyspace, cx),
            Event::Timer(timer) => self.timer(timer, cx),
            Event::Stop => cx.stopped(),
            _ => {}
        }
    }

    fn answered(&mut self, event: DiskEvent, cx: &mut Context<'_, Stream>) {
        if let Err(error) = event.result
            && error != DiskError::NotFound
        {
            self.log
                .say(Severity::Fatal, "indexer::answered", || format!("the disk says {error:?}"));
        }
        let archive = self.archives.values_mut().find(|archive| archive.waits_for(&event));
        if let Some(archive) = archive {
            archive.answered(event, cx);
        }
        if self.is_loaded || !self.archives.values().all(Archive::is_loaded) {
            return;
        }
        self.is_loaded = true;
        for ((keyspace, which), archive) in &self.archives {
            if let Some(side) = self.sides.get_mut(keyspace) {
                side.indexes[*which] = archive.newest();
            }
        }
        for side in self.sides.values() {
            if side.indexes[0].at != side.indexes[1].at {
                cx.mark(&mark::INDEXES_APART);
            }
        }
        for keyspace in self.settings.keyspaces {
            self.open_session(keyspace, cx);
        }
    }

    fn message(&mut self, from: ActorId, msg: Msg, cx: &mut Context<'_, Stream>) {
        match msg {
            Msg::Deliver(delivery) => {
                self.waiting.push_back(delivery);
                self.take_in(cx);
            }
            Msg::Told(told) => self.told(&told, cx),
            Msg::Closed => self.server_closed(cx),
            Msg::Moved(vb, _) => self.moved(vb, cx),
            Msg::Order(op, call) => {
                if self.orders.insert(op) {
                    self.obey(call, cx);
                }
                cx.send(from, Msg::Obeyed(op, true));
            }
            _ => {}
        }
    }

    fn timer(&mut self, timer: Timer, cx: &mut Context<'_, Stream>) {
        match timer {
            Timer::Ladder(keyspace) => {
                if let Some(side) = self.sides.get_mut(&keyspace) {
                    side.looked();
                    self.look(keyspace, cx);
                }
            }
            Timer::Stall => {
                self.is_stalled = false;
                self.take_in(cx);
            }
            Timer::Stable(keyspace) => {
                if let Some(side) = self.sides.get_mut(&keyspace) {
                    side.waits_for_stable = false;
                    if side.decide_stable(cx) {
                        cx.yield_to(Phase::Apply(keyspace));
                    }
                }
            }
            Timer::Persist(keyspace, which) => {
                let at = usize::from(which);
                self.persisting.remove(&(keyspace, which));
                if let (Some(side), Some(archive)) =
                    (self.sides.get(&keyspace), self.archives.get_mut(&(keyspace, at)))
                {
                    let is_done = archive.persist(&side.indexes[at], cx);
                    if !is_done && !cx.bug(&bugs::BUSY_FILE_FORGOTTEN) {
                        cx.mark(&mark::FILE_BUSY);
                        self.persist_later((keyspace, which), cx);
                    }
                }
            }
            _ => {}
        }
    }

    /// Takes in what the server has handed over, unless it stands still.
    fn take_in(&mut self, cx: &mut Context<'_, Stream>) {
        while !self.is_stalled && !self.is_closing {
            let Some(delivery) = self.waiting.pop_front() else { return };
            match &*delivery {
                Delivery::Frame(conn, entries) => self.frame(*conn, entries, cx),
                Delivery::Error(conn, vbs) => self.broken(*conn, vbs, cx),
            }
            cx.send(self.server, Msg::Taken);
        }
    }

    fn frame(&mut self, conn: ConnId, entries: &[Entry], cx: &mut Context<'_, Stream>) {
        let now = cx.wall();
        for entry in entries {
            let keyspace = entry.vb.keyspace;
            let Some(side) = self.sides.get_mut(&keyspace) else { continue };
            if !side.is_wanted || side.session != entry.session {
                cx.mark(&mark::OTHER_SESSION);
                continue;
            }
            for message in &entry.messages {
                side.take((conn, entry.vb.number, now), &message.what, cx);
            }
            let is_unwell = |number: u16| {
                side.vbs.get(&number).is_some_and(|track| track.status != Status::Begun)
            };
            if is_unwell(entry.vb.number) || !side.rollbacks.is_empty() {
                side.look_within(self.settings.repair_delay, cx);
            }
            if !side.waits_for_stable && side.vbs.values().any(|track| !track.queue.is_empty()) {
                side.waits_for_stable = true;
                cx.arm(Timer::Stable(keyspace), self.settings.stable);
            }
        }
    }

    /// A connection has ended. What was open on it is broken; and what was asked for and has not begun may have been lost
    /// with it.
    fn broken(&mut self, conn: ConnId, vbs: &[Vb], cx: &mut Context<'_, Stream>) {
        self.log.say(Severity::Error, "indexer::broken", || {
            format!("the end of connection {} breaks {} streams", conn.0, vbs.len())
        });
        let now = cx.wall();
        for (keyspace, side) in self.sides.iter_mut().filter(|(_, side)| side.is_wanted) {
            let mut is_any_broken = false;
            for (number, track) in &mut side.vbs {
                let is_blamed = vbs.contains(&Vb { keyspace: *keyspace, number: *number });
                let may_be_lost = track.status != Status::Begun
                    && track.asked.is_some()
                    && !cx.bug(&bugs::EMPTY_BLAME_IGNORED);
                if is_blamed || may_be_lost {
                    track.breaks(now);
                    is_any_broken = true;
                }
            }
            if is_any_broken {
                side.look_within(self.settings.repair_delay, cx);
            }
        }
    }

    /// Another node owns a vbucket: it is asked for there, whether its stream has ended or not.
    fn moved(&mut self, vb: Vb, cx: &mut Context<'_, Stream>) {
        let Some(side) = self.sides.get(&vb.keyspace) else { return };
        // From 0 it is asked for only when nothing more can come: see Side::point.
        let is_begun = |number| {
            let track = side.vbs.get(&number);
            track.is_some_and(|track| track.status == Status::Begun && track.high.seq > 0)
        };
        if side.is_wanted && is_begun(vb.number) && !self.is_closing {
            self.ask(vb.keyspace, Request::Open, &[vb.number], cx);
        }
    }

    /// The stable part goes into the indexes, which are made durable a while later.
    fn apply(&mut self, keyspace: Keyspace, cx: &mut Context<'_, Stream>) {
        let Some(side) = self.sides.get_mut(&keyspace) else { return };
        side.apply_stable();
        cx.point(&point::APPLIED);
        for which in [0, 1] {
            self.persist_later((keyspace, which), cx);
        }
    }

    /// Has an index made durable in a while; the second one takes half as long again.
    fn persist_later(&mut self, (keyspace, which): (Keyspace, u8), cx: &mut Context<'_, Stream>) {
        let persist = self.settings.persist.0;
        let after = Span(persist + persist / 2 * u64::from(which));
        if self.persisting.insert((keyspace, which)) {
            cx.arm(Timer::Persist(keyspace, which), after);
        }
    }

    /// Begins a session of a keyspace.
    pub(super) fn open_session(&mut self, keyspace: Keyspace, cx: &mut Context<'_, Stream>) {
        let (numbers, now) = (self.settings.numbers(), cx.wall());
        self.sessions += 1;
        let life = if cx.bug(&bugs::SESSION_FROM_ONE) { 0 } else { u64::from(cx.incarnation().0) };
        let session = life * SESSIONS + self.sessions;
        let Some(side) = self.sides.get_mut(&keyspace) else { return };
        side.begin((session, now), numbers, cx);
        // What begins at 0 is forgotten, on disk too.
        let is_durable = |which: usize| {
            let archive = self.archives.get(&(keyspace, which));
            archive.is_none_or(|archive| archive.has(&side.indexes[which]))
        };
        let apart: Vec<u8> =
            [0, 1].into_iter().filter(|at| !is_durable(usize::from(*at))).collect();
        let all: Vec<u16> = side.vbs.keys().copied().collect();
        apart.into_iter().for_each(|which| self.persist_later((keyspace, which), cx));
        self.ask(keyspace, Request::Open, &all, cx);
        if let Some(side) = self.sides.get_mut(&keyspace) {
            side.look_within(LOOK, cx);
        }
    }

    fn obey(&mut self, call: Call, cx: &mut Context<'_, Stream>) {
        match call {
            Call::Stop(keyspace) => {
                let Some(side) = self.sides.get_mut(&keyspace) else { return };
                side.is_wanted = false;
                side.rollbacks.clear();
                side.stable.clear();
                side.vbs.values_mut().for_each(|track| track.queue.clear());
                let (session, attempt) = (side.session, side.attempt + 1);
                side.attempt = attempt;
                let (what, vbs) = (Request::Stop, Vec::new());
                let ask = Arc::new(Ask { keyspace, session, attempt, what, vbs });
                self.routers.into_iter().for_each(|router| cx.send(router, Msg::Ask(ask.clone())));
            }
            Call::Start(keyspace) => {
                let Some(side) = self.sides.get_mut(&keyspace).filter(|side| !side.is_wanted)
                else {
                    return;
                };
                side.is_wanted = true;
                if self.is_loaded {
                    self.open_session(keyspace, cx);
                }
            }
            Call::Stall(ms) => {
                self.is_stalled = true;
                cx.arm(Timer::Stall, Span::ms(u64::from(ms)));
            }
            Call::Bounce if !self.is_closing => {
                self.is_closing = true;
                cx.send(self.server, Msg::Close);
            }
            _ => {}
        }
    }

    /// The server is closed: what it had handed over counts no more, and all streams are broken. It listens again.
    fn server_closed(&mut self, cx: &mut Context<'_, Stream>) {
        if !std::mem::take(&mut self.is_closing) {
            return;
        }
        self.waiting.clear();
        let now = cx.wall();
        for side in self.sides.values_mut() {
            side.vbs.values_mut().for_each(|track| track.breaks(now));
            side.look_within(self.settings.repair_delay, cx);
        }
        cx.send(self.server, Msg::Listen);
    }
}
