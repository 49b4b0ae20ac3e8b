//! The smart client: one call for each operation of the protocol, whatever node has the key.
//!
//! ```text
//!             ┌── map of an older epoch, or none ──▶ ask the keeper ──┐
//!   call ──▶ route ──▶ connect ──▶ send ──▶ answer                    │
//!             ▲                      │                                │
//!             │                      ├─ temporary failure: wait 1, 2, .. 256 ms, send again
//!             └──────────────────────┴─ not my vbucket, reset before it was sent: wait, then a new map; five times
//! ```
//!
//! What was sent and stays without an answer has an unknown outcome, unless it only reads: then it is sent again.

mod errand;

pub use errand::Told;

use std::collections::BTreeMap;
use std::sync::Arc;

use seedbed_sim::actor::{CloseReason, ConnEvent, Context, Event};
use seedbed_sim::id::{ConnId, OpId};
use seedbed_sim::time::Span;

use crate::vbucket::memory::seconds;
use crate::vbucket::message::AskId;
use crate::vbucket::op::{Key, Request, home};
use crate::vbucket::response::Answer;

use super::backoff::Next;
use super::frame::{self, Wanted};
use super::line::Line;
use super::map::Map;
use super::message::{Msg, Timer};
use super::model::{Book, Peer};
use super::note::{Note, Purpose};
use super::op::Server;
use super::response::{Error, Fate};
use super::{bugs, mark};
use errand::{Errand, Stage};

/// How long a node may take for an answer, or for a connection.
const PATIENCE: Span = Span::ms(300);
/// How long the keeper may take for a map.
const MAP_PATIENCE: Span = Span::ms(100);

/// A client with a map of its own.
#[derive(Clone, Debug)]
pub struct SmartClient {
    book: Arc<Book>,
    map: Option<Map>,
    /// What was asked of the keeper last, and whether its answer is awaited.
    asked: u32,
    awaits_map: bool,
    lines: BTreeMap<Server, (Line, bool)>,
    errands: BTreeMap<u32, Errand>,
    calls: u32,
    told: Vec<Told>,
    /// Something has happened that it does not provide for. Only a planted bug does that.
    has_raised: bool,
}

impl SmartClient {
    /// A client that knows these.
    #[must_use]
    pub fn new(book: Arc<Book>) -> SmartClient {
        SmartClient {
            book,
            map: None,
            asked: 0,
            awaits_map: false,
            lines: BTreeMap::new(),
            errands: BTreeMap::new(),
            calls: 0,
            told: Vec::new(),
            has_raised: false,
        }
    }

    /// Whether something has happened that it does not provide for.
    pub(super) fn has_raised(&mut self) -> bool {
        std::mem::take(&mut self.has_raised)
    }

    /// The map that it goes by.
    #[must_use]
    pub fn map(&self) -> Option<&Map> {
        self.map.as_ref()
    }

    /// The nodes that it has connections to.
    pub fn servers(&self) -> impl Iterator<Item = Server> + '_ {
        self.lines.keys().copied()
    }

    /// Begins a call, and returns its number.
    pub fn call(
        &mut self,
        request: Arc<Request>,
        purpose: Purpose,
        cx: &mut Context<'_, Peer>,
    ) -> u32 {
        let op = OpId { client: cx.me(), number: self.calls + 1 };
        if purpose != Purpose::Part {
            cx.note(Note::Called(op, purpose, request.call.clone()));
        }
        self.begin(Wanted::Do(request), purpose, cx)
    }

    /// Asks the replica of a key what stands in it, and returns the number of the call.
    pub fn peek(&mut self, key: Key, cx: &mut Context<'_, Peer>) -> u32 {
        self.begin(Wanted::Peek(key), Purpose::Part, cx)
    }

    fn begin(&mut self, wanted: Wanted, purpose: Purpose, cx: &mut Context<'_, Peer>) -> u32 {
        self.calls += 1;
        let id = AskId { op: OpId { client: cx.me(), number: self.calls }, attempt: 0 };
        self.errands.insert(self.calls, Errand::new(id, wanted, purpose));
        self.route(self.calls, cx);
        self.calls
    }

    /// What has become of calls since the last look.
    pub fn take_told(&mut self) -> Option<Told> {
        (!self.told.is_empty()).then(|| self.told.remove(0))
    }

    /// Takes an event that is its own.
    pub(super) fn on_event(&mut self, event: &Event<Peer>, cx: &mut Context<'_, Peer>) {
        match event {
            Event::Message { msg: Msg::ToldMap(number, map), .. } => self.mapped(*number, map, cx),
            Event::Timer(Timer::Map) if self.awaits_map => self.ask_map(cx),
            Event::Timer(Timer::Patience(number)) => self.timed_out(*number, cx),
            Event::Timer(Timer::Retry(number)) => self.retry(*number, cx),
            Event::Conn(event) => self.connected(*event, cx),
            _ => {}
        }
    }

    /// Sends a call where it belongs, or does what has to be done first.
    fn route(&mut self, number: u32, cx: &mut Context<'_, Peer>) {
        let Some(errand) = self.errands.get_mut(&number) else { return };
        let Some(map) = &self.map else {
            errand.stage = Stage::Map;
            return self.ask_map(cx);
        };
        let key = errand.wanted_key();
        let place = map.place(home(key, map.vbuckets()));
        let is_peek = matches!(errand.wanted, Wanted::Peek(_));
        let Some(server) = (if is_peek { place.replica } else { Some(place.master) }) else {
            return self.end(number, Fate::NotApplied(Error::NotMyVbucket), cx);
        };
        match self.lines.get(&server) {
            Some((_, true)) => self.send(number, server, cx),
            known => {
                errand.stage = Stage::Connect(server);
                cx.arm(Timer::Patience(number), PATIENCE);
                if known.is_none() {
                    let conn = cx.connect(self.book.doors[usize::from(server.0)]);
                    self.lines.insert(server, (Line::new(conn), false));
                }
            }
        }
    }

    fn send(&mut self, number: u32, server: Server, cx: &mut Context<'_, Peer>) {
        let (Some(errand), Some((line, _))) =
            (self.errands.get_mut(&number), self.lines.get_mut(&server))
        else {
            return;
        };
        errand.id.attempt += 1;
        errand.stage = Stage::Answer(server);
        if errand.last.replace(server).is_some_and(|last| last != server) {
            cx.mark(&mark::SENT_ELSEWHERE);
        }
        errand.sent = seconds(cx.wall());
        let encoded = frame::encode_request(errand.id, &errand.wanted, line.outbox());
        if encoded.is_none() {
            return self.end(number, Fate::Answered(Answer::NotSupported), cx);
        }
        line.pump(cx);
        cx.arm(Timer::Patience(number), PATIENCE);
    }

    fn connected(&mut self, event: ConnEvent, cx: &mut Context<'_, Peer>) {
        let Some(server) = self.server_of(event.conn()) else { return };
        match event {
            ConnEvent::Opened { .. } => {
                let Some((_, is_open)) = self.lines.get_mut(&server) else { return };
                *is_open = true;
                for number in self.at(Stage::Connect(server)) {
                    self.send(number, server, cx);
                }
            }
            ConnEvent::Refused { .. } => {
                cx.mark(&mark::REFUSED);
                self.lost(server, Error::Refused, cx);
            }
            ConnEvent::Closed { reason, .. } => {
                let waits = !self.at(Stage::Answer(server)).is_empty();
                // Only the other kind of end is provided for.
                self.has_raised |=
                    reason == CloseReason::Fin && waits && cx.bug(&bugs::END_NOT_CAUGHT);
                self.lost(server, Error::Reset, cx);
            }
            ConnEvent::Readable { .. } => {
                let Some((line, _)) = self.lines.get_mut(&server) else { return };
                line.read(cx);
                while let Some((id, answer)) = self.next_answer(server) {
                    self.answered(id, answer, cx);
                }
            }
            ConnEvent::Writable { .. } => {
                if let Some((line, _)) = self.lines.get_mut(&server) {
                    line.pump(cx);
                }
            }
            ConnEvent::Accepted { .. } => {}
        }
    }

    fn next_answer(&mut self, server: Server) -> Option<(AskId, Answer)> {
        frame::take_answer(&mut self.lines.get_mut(&server)?.0.inbox)
    }

    fn server_of(&self, conn: ConnId) -> Option<Server> {
        self.lines.iter().find(|(_, (line, _))| line.conn() == conn).map(|(server, _)| *server)
    }

    /// The calls that stand there.
    fn at(&self, stage: Stage) -> Vec<u32> {
        let there = self.errands.iter().filter(|(_, errand)| errand.stage == stage);
        there.map(|(number, _)| *number).collect()
    }

    /// There is no connection to this node any more, for that reason.
    fn lost(&mut self, server: Server, error: Error, cx: &mut Context<'_, Peer>) {
        self.lines.remove(&server);
        for number in self.at(Stage::Connect(server)) {
            self.refresh(number, error, cx);
        }
        for number in self.at(Stage::Answer(server)) {
            self.gone(number, error, cx);
        }
    }

    /// What was sent will not be answered.
    fn gone(&mut self, number: u32, error: Error, cx: &mut Context<'_, Peer>) {
        let Some(errand) = self.errands.get(&number) else { return };
        let is_reset = error == Error::Reset;
        let again = is_reset && cx.bug(&bugs::ADDITION_SENT_AGAIN) && errand.adds();
        if errand.only_reads() || again {
            return self.refresh(number, error, cx);
        }
        cx.mark(if error == Error::TimedOut {
            &mark::UNKNOWN_TIMEOUT
        } else {
            &mark::UNKNOWN_RESET
        });
        self.end(number, Fate::Unknown(error), cx);
    }

    fn answered(&mut self, id: AskId, answer: Answer, cx: &mut Context<'_, Peer>) {
        let number = id.op.number;
        let Some(errand) = self.errands.get_mut(&number).filter(|errand| errand.id == id) else {
            return;
        };
        cx.disarm(Timer::Patience(number));
        match answer {
            Answer::TemporaryFailure => match errand.retries.refused_for_now() {
                Next::Again(wait) => {
                    errand.stage = Stage::Wait;
                    cx.arm(Timer::Retry(number), wait);
                    cx.mark(&mark::BACKED_OFF);
                }
                _ => self.end(number, Fate::NotApplied(Error::TemporaryFailure), cx),
            },
            Answer::NotMyVbucket => {
                if cx.bug(&bugs::NOT_MY_VBUCKET_RAISES) {
                    return cx.abort("the name `key` is not defined");
                }
                cx.mark(&mark::NOT_MY_VBUCKET);
                self.refresh(number, Error::NotMyVbucket, cx);
            }
            answer => self.end(number, Fate::Answered(answer), cx),
        }
    }

    /// Waits, and asks for a new map, unless there were enough of them.
    fn refresh(&mut self, number: u32, error: Error, cx: &mut Context<'_, Peer>) {
        let Some(errand) = self.errands.get_mut(&number) else { return };
        cx.disarm(Timer::Patience(number));
        let Next::NewMap(wait) = errand.retries.goes_elsewhere() else {
            cx.mark(&mark::TOO_MANY_REFRESHES);
            return self.end(number, Fate::NotApplied(error), cx);
        };
        errand.stage = Stage::Refresh;
        cx.arm(Timer::Retry(number), wait);
    }

    fn retry(&mut self, number: u32, cx: &mut Context<'_, Peer>) {
        let Some(errand) = self.errands.get_mut(&number) else { return };
        match errand.stage {
            Stage::Refresh => {
                errand.stage = Stage::Map;
                self.ask_map(cx);
            }
            Stage::Wait => self.route(number, cx),
            Stage::Map | Stage::Connect(_) | Stage::Answer(_) => {}
        }
    }

    /// Nothing has come of a call: its connection is given up, and with it all that others have sent there.
    fn timed_out(&mut self, number: u32, cx: &mut Context<'_, Peer>) {
        let Some(errand) = self.errands.get(&number) else { return };
        let (Stage::Connect(server) | Stage::Answer(server)) = errand.stage else { return };
        if let Some((line, _)) = self.lines.get(&server) {
            cx.reset(line.conn());
        }
        self.lost(server, Error::TimedOut, cx);
    }

    fn ask_map(&mut self, cx: &mut Context<'_, Peer>) {
        self.asked += 1;
        self.awaits_map = true;
        cx.send(self.book.keeper, Msg::AskMap(self.asked));
        cx.arm(Timer::Map, MAP_PATIENCE);
    }

    fn mapped(&mut self, number: u32, map: &Map, cx: &mut Context<'_, Peer>) {
        if number != self.asked || !self.awaits_map {
            return;
        }
        self.awaits_map = false;
        cx.disarm(Timer::Map);
        if self.map.as_ref().is_none_or(|known| known.epoch < map.epoch) {
            self.map = Some(map.clone());
        }
        self.hang_up(cx);
        cx.note(Note::Mapped(map.epoch));
        for number in self.at(Stage::Map) {
            self.route(number, cx);
        }
    }

    /// Ends the connections to nodes that have nothing any more, unless something is to come from there.
    fn hang_up(&mut self, cx: &mut Context<'_, Peer>) {
        let Some(map) = &self.map else { return };
        let awaited = |server: Server| {
            let at = |errand: &Errand| {
                errand.stage == Stage::Answer(server) || errand.stage == Stage::Connect(server)
            };
            self.errands.values().any(at)
        };
        let unused = self.lines.keys().copied();
        let unused: Vec<Server> =
            unused.filter(|server| !map.has(*server) && !awaited(*server)).collect();
        for server in unused {
            cx.mark(&mark::UNUSED_CLOSED);
            if cx.bug(&bugs::UNUSED_KEPT) {
                continue;
            }
            if let Some((line, _)) = self.lines.remove(&server) {
                cx.close(line.conn());
            }
        }
    }

    fn end(&mut self, number: u32, fate: Fate, cx: &mut Context<'_, Peer>) {
        let Some(errand) = self.errands.remove(&number) else { return };
        cx.disarm(Timer::Patience(number));
        cx.disarm(Timer::Retry(number));
        let now = seconds(cx.wall());
        if errand.purpose != Purpose::Part {
            cx.note(Note::Fated(errand.id.op, fate.clone()));
        }
        self.told.push(Told { id: errand.id, fate, window: (errand.sent, now) });
    }

    /// Whether something is to come from a node that is not in the map.
    #[must_use]
    pub fn awaits(&self, server: Server) -> bool {
        !self.at(Stage::Answer(server)).is_empty() || !self.at(Stage::Connect(server)).is_empty()
    }
}
