//! A world of one actor, without an engine: its connections, its clock and its files are what somebody says they are.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use seedbed_sim::actor::{
    BugSet, CloseReason, Context, DiskDone, DiskError, DiskEvent, DiskOp, Event, Host, Mark, Me,
    Outcome, Point,
};
use seedbed_sim::choose::Site;
use seedbed_sim::id::{ActorId, ConnId, FileId, FileName, Incarnation, NodeId, OpId, RequestId};
use seedbed_sim::time::{Span, Time};

use super::message::{Delivery, Msg, Phase, Ret, Timer};
use super::model::Stream;
use super::note::Note;

/// The actor is this one, whatever it is.
const ME: Me = Me { actor: ActorId(9), node: NodeId(9), incarnation: Incarnation(1) };

/// The actors that it can send to, by number.
const WHO: [&str; 6] = ["data", "admin", "router 0", "router 1", "server", "application"];
pub(super) const ROUTERS: [ActorId; 2] = [ActorId(2), ActorId(3)];
pub(super) const SERVER: ActorId = ActorId(4);
pub(super) const APPLICATION: ActorId = ActorId(5);

/// What is around the actor.
#[derive(Clone, Debug, Default)]
pub(super) struct Stage {
    now: Time,
    timers: Vec<(Time, Timer)>,
    phases: VecDeque<Phase>,
    answers: VecDeque<DiskEvent>,
    files: Vec<(FileName, Vec<u8>)>,
    requests: u32,
    connects: u32,
    pub(super) wires: BTreeMap<u32, Wire>,
    said: Vec<String>,
    shared: (),
    /// Nothing that is said is kept, but for what was handed to the application.
    is_quiet: bool,
    delivered: Vec<Arc<Delivery>>,
}

/// A connection: what it has taken from the actor, what it has for it, and how much more it takes.
#[derive(Clone, Debug, Default)]
pub(super) struct Wire {
    pub(super) room: usize,
    pub(super) taken: Vec<u8>,
    pub(super) inbound: VecDeque<u8>,
}

impl Stage {
    /// One that keeps nothing of what is said.
    pub(super) fn quiet() -> Stage {
        Stage { is_quiet: true, ..Stage::default() }
    }

    /// What was handed to the application since; only a quiet one keeps that.
    pub(super) fn delivered(&mut self) -> Vec<Arc<Delivery>> {
        std::mem::take(&mut self.delivered)
    }

    /// Has the actor do something; answers what it has said meanwhile.
    pub(super) fn act(&mut self, act: impl FnOnce(&mut Context<'_, Stream>)) -> String {
        act(&mut Context::new(self, ME));
        self.told()
    }

    /// Gives an event to an actor, and all that follows from it at once.
    pub(super) fn feed(&mut self, actor: &mut Stream, event: Event<Stream>) {
        use seedbed_sim::actor::Actor;
        let mut next = Some(event);
        while let Some(event) = next {
            actor.on_event(event, &mut Context::new(self, ME));
            let phase = self.phases.pop_front().map(Event::Phase);
            next = phase.or_else(|| self.answers.pop_front().map(Event::Disk));
        }
    }

    /// The next timer that is due until then; it is that late from here on. None, and it is then.
    pub(super) fn due(&mut self, until: Time) -> Option<Timer> {
        let first = self.timers.iter().enumerate().min_by_key(|(_, (at, _))| *at);
        match first.filter(|(_, (at, _))| *at <= until).map(|(which, _)| which) {
            Some(which) => {
                let (at, timer) = self.timers.remove(which);
                self.now = at;
                Some(timer)
            }
            None => {
                self.now = until;
                None
            }
        }
    }

    /// So long from now.
    pub(super) fn after(&self, span: Span) -> Time {
        Time(self.now.0.saturating_add(span.0))
    }

    /// What was said, and is forgotten.
    pub(super) fn told(&mut self) -> String {
        let said = std::mem::take(&mut self.said);
        if said.is_empty() { "nothing".into() } else { said.join("\n") }
    }

    /// Says something again that was taken already.
    pub(super) fn keep(&mut self, said: String) {
        self.said.push(said);
    }

    /// A connection that the other end has made.
    pub(super) fn accept(&mut self, conn: u32) {
        self.wires.insert(conn, Wire { room: usize::MAX, ..Wire::default() });
    }

    fn file(&mut self, file: FileId) -> Option<&mut Vec<u8>> {
        self.files.get_mut(file.0 as usize).map(|(_, bytes)| bytes)
    }

    fn opened(&self, name: FileName) -> Result<DiskDone, DiskError> {
        let at = self.files.iter().position(|(of, _)| *of == name).ok_or(DiskError::NotFound)?;
        let file = FileId(u32::try_from(at).unwrap_or(u32::MAX));
        Ok(DiskDone::Opened { file, len: self.files[at].1.len() as u64 })
    }

    fn done(&mut self, op: DiskOp<'_>) -> Result<DiskDone, DiskError> {
        match op {
            DiskOp::Open(name) => self.opened(name),
            DiskOp::Create(name) => {
                self.files.push((name, Vec::new()));
                self.opened(name)
            }
            DiskOp::Append { file, data } => {
                let bytes = self.file(file).ok_or(DiskError::NotFound)?;
                let offset = bytes.len() as u64;
                bytes.extend(data);
                Ok(DiskDone::Written { offset, len: data.len() as u64 })
            }
            DiskOp::Read { file, .. } => self
                .file(file)
                .map(|bytes| DiskDone::Read(bytes.clone()))
                .ok_or(DiskError::NotFound),
            DiskOp::Truncate { file, len } => {
                let bytes = self.file(file).ok_or(DiskError::NotFound)?;
                bytes.truncate(usize::try_from(len).unwrap_or(usize::MAX));
                Ok(DiskDone::Done)
            }
            _ => Ok(DiskDone::Done),
        }
    }
}

impl Host<Stream> for Stage {
    fn now(&self, _: Me) -> Time {
        self.now
    }

    fn wall(&self, _: Me) -> Time {
        self.now
    }

    fn send(&mut self, _: Me, to: ActorId, msg: Msg) {
        if self.is_quiet {
            if let Msg::Deliver(delivery) = msg {
                self.delivered.push(delivery);
            }
        } else if !matches!(msg, Msg::Taken) {
            let to = WHO.get(usize::from(to.0)).copied().unwrap_or("nobody");
            self.said.push(format!("to {to}: {msg}"));
        }
    }

    fn arm(&mut self, me: Me, timer: Timer, after: Span) {
        self.disarm(me, timer);
        let at = self.after(after.max(Span(1)));
        self.timers.push((at, timer));
    }

    fn disarm(&mut self, _: Me, timer: Timer) {
        self.timers.retain(|(_, armed)| *armed != timer);
    }

    fn lock(&mut self, _: Me, _: seedbed_sim::actor::Never) {}

    fn unlock(&mut self, _: Me, _: seedbed_sim::actor::Never) {}

    fn yield_to(&mut self, _: Me, phase: Phase) {
        self.phases.push_back(phase);
    }

    fn point(&mut self, _: Me, _: &'static Point) {}

    fn note(&mut self, _: Me, note: Note) {
        if !self.is_quiet {
            self.said.push(note.to_string());
        }
    }

    fn mark(&mut self, _: Me, _: &'static Mark) {}

    fn complete(&mut self, _: Me, _: OpId, _: Outcome<Ret>) {}

    fn choose(&mut self, _: Me, _: &'static Site, _: u64, _: u64) -> u32 {
        0
    }

    fn bugs(&self) -> BugSet {
        BugSet::NONE
    }

    fn shared(&mut self, _: Me) -> &mut () {
        &mut self.shared
    }

    fn connect(&mut self, _: Me, _: ActorId) -> ConnId {
        self.connects += 1;
        self.wires.insert(self.connects, Wire::default());
        ConnId(self.connects)
    }

    fn write(&mut self, _: Me, conn: ConnId, data: &[u8]) -> usize {
        let Some(wire) = self.wires.get_mut(&conn.0) else { return 0 };
        let length = data.len().min(wire.room);
        wire.room -= length;
        wire.taken.extend(&data[..length]);
        length
    }

    fn read(&mut self, _: Me, conn: ConnId, max: usize, into: &mut Vec<u8>) -> usize {
        let Some(wire) = self.wires.get_mut(&conn.0) else { return 0 };
        let length = max.min(wire.inbound.len());
        into.extend(wire.inbound.drain(..length));
        length
    }

    fn close(&mut self, _: Me, conn: ConnId, _: CloseReason) {
        self.wires.remove(&conn.0);
    }

    fn disk(&mut self, _: Me, op: DiskOp<'_>) -> RequestId {
        self.requests += 1;
        let request = RequestId(self.requests);
        let result = self.done(op);
        self.answers.push_back(DiskEvent { request, result });
        request
    }

    fn stopped(&mut self, _: Me) {
        self.said.push("stopped".into());
    }

    fn fail_stop(&mut self, _: Me, reason: &'static str) {
        self.said.push(format!("stops: {reason}"));
    }

    fn abort(&mut self, _: Me, reason: &'static str) {
        self.said.push(format!("aborts: {reason}"));
    }
}
