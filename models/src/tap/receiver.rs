//! The receiver: follows the streams that it was ordered to follow. Each frame is a step of its own.

mod answer;
mod link;
mod stand;

use std::collections::BTreeMap;

use seedbed_sim::actor::{ConnEvent, Context, Event};
use seedbed_sim::choose::{Shape, Site};
use seedbed_sim::id::{ActorId, ConnId};
use seedbed_sim::time::Span;

use crate::checkpoint::op::EventKind;
use crate::vbucket::mark::FRAME_WAITED;
use crate::vbucket::memory::Memory;
use crate::vbucket::message as data;
use crate::vbucket::op::State;
use crate::vbucket::vb::log_key;

use super::frame::{Body, Frame, Message, Name, Status};
use super::intake::{Fact, Intake, Taken};
use super::message::{Msg, Order, Orders, Phase, Timer};
use super::model::{Node, Post, notify};
use super::note::Note;
use super::seqno::Seqno;
use super::settings::Settings;
use super::{bugs, mark, point};
use link::Concern;
pub use link::Link;

/// Whether a replica has no room for a change for now.
pub static THROTTLE: Site =
    Site { id: 54, name: "throttle", shape: Shape::Own, outcomes: &["rejected"] };

/// Between two looks at a connection.
const LOOK: Span = Span::ms(200);
/// Making a vbucket anew takes so long.
const RESET_TIME: Span = Span::ms(40);

/// A receiver.
#[derive(Clone, Debug)]
pub struct Receiver {
    post: Post,
    settings: Settings,
    links: BTreeMap<Name, Link>,
    intake: Intake,
    /// Of the last orders.
    revision: u64,
    /// How often each key was looked at.
    looks: u64,
}

impl Receiver {
    /// The receiver of this node, which has no orders yet.
    #[must_use]
    pub fn new(post: Post, settings: Settings) -> Receiver {
        let intake = Intake::default();
        let links = BTreeMap::new();
        Receiver { post, settings, links, intake, revision: 0, looks: 0 }
    }

    /// The streams that it follows.
    #[must_use]
    pub fn links(&self) -> &BTreeMap<Name, Link> {
        &self.links
    }

    pub(super) fn on_event(&mut self, event: Event<Node>, cx: &mut Context<'_, Node>) {
        match event {
            Event::Boot => self.intake = Intake::new(cx.bugs()),
            Event::Message { from, msg: Msg::Follow(revision, orders) } => {
                self.ordered(from, revision, &orders, cx);
            }
            Event::Message { msg: Msg::Data(data::Msg::Unblock(_)), .. } => {
                let names: Vec<Name> = self.links.keys().copied().collect();
                names.into_iter().for_each(|name| self.go_on(name, cx));
            }
            Event::Message { msg: Msg::Reconnect(name), .. } => self.reconnect(name, cx),
            Event::Conn(event) => self.on_conn(event, cx),
            Event::Phase(Phase::Take(name)) => self.take(name, cx),
            Event::Phase(Phase::TakeLate(name)) => self.take_late(name, cx),
            Event::Timer(Timer::Connect(name)) => self.look(name, cx),
            Event::Timer(Timer::Reset(name, vb)) => self.reset(name, vb, cx),
            Event::Timer(Timer::Stand(name, vb)) => self.look_stand(name, vb, cx),
            Event::Timer(Timer::Answer(name)) => self.answer_due(name, cx),
            Event::Stop => {
                for link in std::mem::take(&mut self.links).into_values() {
                    link.conn.into_iter().for_each(|conn| cx.reset(conn));
                }
                cx.stopped();
            }
            _ => {}
        }
    }

    /// Orders have come.
    fn ordered(
        &mut self,
        from: ActorId,
        revision: u64,
        orders: &Orders,
        cx: &mut Context<'_, Node>,
    ) {
        let memory = &cx.shared().data;
        if !memory.is_loaded || memory.is_stopping || revision < self.revision {
            return;
        }
        self.revision = revision;
        for vb in &orders.replicas {
            let vbucket = cx.shared().data.vbs.get(vb);
            if vbucket.is_some_and(|vbucket| vbucket.standing.state == State::Dead) {
                self.change_state(*vb, State::Replica, cx);
            }
        }
        self.follow(&orders.streams, cx);
        let vbs = cx.shared().data.vbs.iter();
        let stand = vbs.map(|(vb, of)| (*vb, of.standing.state, of.is_saved())).collect();
        cx.send(from, Msg::Stand(revision, stand));
    }

    /// From now on it follows these streams.
    fn follow(&mut self, orders: &[Order], cx: &mut Context<'_, Node>) {
        let names: Vec<Name> = self.links.keys().copied().collect();
        for name in names {
            if orders.iter().all(|order| order.name != name) {
                self.hang_up(name, cx);
                self.links.remove(&name);
                cx.disarm(Timer::Connect(name));
            }
        }
        for order in orders {
            let fresh = Link::of(order);
            match self.links.get_mut(&order.name) {
                Some(link) if link.sender == order.sender => {
                    let is_same = link.vbs == fresh.vbs;
                    link.vbs = fresh.vbs;
                    if !is_same && link.is_open {
                        let wishes = self.intake.wishes(&link.vbs, &cx.shared().data);
                        // The sender goes on with the others as it was.
                        self.intake.begins(&link.tells_of(&wishes, &cx.shared().data));
                        self.send(order.name, &Frame::Filter(wishes), cx);
                    }
                }
                Some(_) | None => {
                    self.hang_up(order.name, cx);
                    self.links.insert(order.name, fresh);
                    self.look(order.name, cx);
                }
            }
        }
    }

    fn name_of(&self, conn: ConnId) -> Option<Name> {
        self.links.iter().find(|(_, link)| link.conn == Some(conn)).map(|(name, _)| *name)
    }

    fn on_conn(&mut self, event: ConnEvent, cx: &mut Context<'_, Node>) {
        let Some(name) = self.name_of(event.conn()) else { return };
        match event {
            ConnEvent::Opened { .. } => self.opened(name, cx),
            ConnEvent::Readable { conn } => {
                let now = cx.now();
                let Some(link) = self.links.get_mut(&name) else { return };
                link.heard_at = now;
                cx.read(conn, usize::MAX, &mut link.inbox);
                self.go_on(name, cx);
            }
            ConnEvent::Writable { .. } => self.write(name, cx),
            ConnEvent::Refused { .. } | ConnEvent::Closed { .. } => self.lost(name),
            ConnEvent::Accepted { .. } => {}
        }
    }

    fn lost(&mut self, name: Name) {
        if let Some(link) = self.links.get_mut(&name) {
            (link.conn, link.is_open) = (None, false);
            link.inbox.clear();
            link.outbox.clear();
            link.slow.clear();
            link.held.clear();
            link.late.clear();
            link.waiting.clear();
            link.due = None;
        }
    }

    fn hang_up(&mut self, name: Name, cx: &mut Context<'_, Node>) {
        if let Some(conn) = self.links.get_mut(&name).and_then(|link| link.conn.take()) {
            cx.reset(conn);
        }
        self.lost(name);
    }

    /// Makes a new connection, unless there is none.
    fn reconnect(&mut self, name: Name, cx: &mut Context<'_, Node>) {
        if self.links.get(&name).is_some_and(|link| link.is_open) {
            self.hang_up(name, cx);
            self.look(name, cx);
        }
    }

    /// Looks whether a stream is connected, and its other end there.
    fn look(&mut self, name: Name, cx: &mut Context<'_, Node>) {
        let now = cx.now();
        let silence = Span(3 * self.settings.noop.0) + Span::ms(500);
        let Some(link) = self.links.get(&name) else { return };
        cx.arm(Timer::Connect(name), LOOK);
        if link.conn.is_some() {
            if now.since(link.heard_at) > silence {
                self.hang_up(name, cx);
            }
            return;
        }
        if self.intake.wishes(&link.vbs, &cx.shared().data).is_empty() {
            return;
        }
        let conn = cx.connect(link.sender);
        if let Some(link) = self.links.get_mut(&name) {
            (link.conn, link.heard_at) = (Some(conn), now);
        }
    }

    fn opened(&mut self, name: Name, cx: &mut Context<'_, Node>) {
        let now = cx.now();
        let Some(link) = self.links.get_mut(&name) else { return };
        (link.is_open, link.heard_at) = (true, now);
        let wishes = self.intake.wishes(&link.vbs, &cx.shared().data);
        link.wished.clear();
        self.intake.begins(&link.tells_of(&wishes, &cx.shared().data));
        let is_takeover = link.is_takeover;
        self.send(name, &Frame::Connect { name, is_takeover, wishes }, cx);
    }

    fn send(&mut self, name: Name, frame: &Frame, cx: &mut Context<'_, Node>) {
        if let Some(link) = self.links.get_mut(&name) {
            frame.encode(&mut link.outbox);
            self.write(name, cx);
        }
    }

    fn write(&mut self, name: Name, cx: &mut Context<'_, Node>) {
        if let Some(link) = self.links.get_mut(&name)
            && let Some(conn) = link.conn
        {
            let written = cx.write(conn, &link.outbox);
            link.outbox.drain(..written);
        }
    }

    /// Has the next frame taken in.
    fn go_on(&mut self, name: Name, cx: &mut Context<'_, Node>) {
        if let Some(link) = self.links.get_mut(&name)
            && !std::mem::replace(&mut link.is_taking, true)
        {
            cx.yield_to(Phase::Take(name));
        }
    }

    fn take(&mut self, name: Name, cx: &mut Context<'_, Node>) {
        let Some(link) = self.links.get_mut(&name) else { return };
        link.is_taking = false;
        if link.conn.is_none() {
            return;
        }
        let waiting = link.waiting.pop_front();
        let next = waiting.map_or_else(
            || Frame::take(&mut link.inbox),
            |(seqno, wants_answer, message)| Ok(Some(Frame::Message(seqno, wants_answer, message))),
        );
        let frame = match next {
            Ok(None) => return,
            Ok(Some(Frame::Message(seqno, wants_answer, message))) => {
                (seqno, wants_answer, message)
            }
            Ok(Some(_)) | Err(_) => return self.hang_up(name, cx),
        };
        if cx.shared().data.is_stopping {
            return self.hang_up(name, cx);
        }
        if cx.bug(&bugs::ANSWERED_BEFORE_TAKEN) && may_be_late(&frame.2.body) {
            if frame.1 {
                self.answer(name, frame.0, Status::Success, cx);
            }
            if let Some(link) = self.links.get_mut(&name) {
                link.late.push((frame.0, false, frame.2));
            }
            return cx.yield_to(Phase::TakeLate(name));
        }
        if self.take_in(name, &frame, cx) {
            self.go_on(name, cx);
        }
    }

    fn take_late(&mut self, name: Name, cx: &mut Context<'_, Node>) {
        let Some(link) = self.links.get_mut(&name) else { return };
        for frame in std::mem::take(&mut link.late) {
            match self.links.get_mut(&name) {
                Some(link) if !link.waiting.is_empty() => link.waiting.push_back(frame),
                _ => _ = self.take_in(name, &frame, cx),
            }
        }
        self.go_on(name, cx);
    }

    /// Takes a message in, and answers it; whether the next one may be taken in.
    fn take_in(
        &mut self,
        name: Name,
        frame: &(Seqno, bool, Message),
        cx: &mut Context<'_, Node>,
    ) -> bool {
        let (seqno, wants_answer, message) = frame;
        let now = cx.now().0;
        let full = self.is_throttled(message, cx);
        let Some(link) = self.links.get(&name) else { return false };
        let memory = &mut cx.shared().data;
        let taken = match link.concerns(message, memory) {
            Concern::Here => self.intake.take(message, memory, now, full),
            Concern::LeftFilter => Taken::Done,
            Concern::Former => Taken::HangUp,
        };
        let status = match taken {
            Taken::Done => Status::Success,
            Taken::With(fact) => {
                self.state(fact, cx);
                Status::Success
            }
            Taken::Rejected => {
                cx.mark(&mark::REJECTED);
                Status::TemporaryFailure
            }
            Taken::Resets(vb) => {
                if let Some(link) = self.links.get_mut(&name) {
                    link.is_to_reset(*seqno, vb);
                }
                cx.arm(Timer::Reset(name, vb), RESET_TIME);
                return true;
            }
            Taken::Waits => {
                self.wait(name, frame, cx);
                return false;
            }
            Taken::Stands(vb, state) => {
                self.stand(name, (*seqno, vb), state, cx);
                return true;
            }
            Taken::Anew => {
                self.intake.forget(message.vb);
                self.hang_up(name, cx);
                return false;
            }
            Taken::HangUp => {
                self.hang_up(name, cx);
                return false;
            }
            Taken::Aborts(reason) => {
                cx.abort(reason);
                return false;
            }
        };
        cx.point(&point::TAKEN);
        self.wake(cx);
        if *wants_answer || status == Status::TemporaryFailure {
            self.answer(name, *seqno, status, cx);
        }
        true
    }

    /// A message waits until the vbucket can be changed, and so does what comes behind it.
    fn wait(&mut self, name: Name, frame: &(Seqno, bool, Message), cx: &mut Context<'_, Node>) {
        let me = cx.me();
        let vbucket = cx.shared().data.vbs.get_mut(&frame.2.vb);
        if let Some(window) = vbucket.and_then(|vbucket| vbucket.window.as_mut()) {
            window.follower = Some(me);
        }
        cx.mark(&FRAME_WAITED);
        if let Some(link) = self.links.get_mut(&name) {
            link.waiting.push_front(frame.clone());
        }
    }

    /// Whether there is no room for a change, or it is to look like that.
    fn is_throttled(&mut self, message: &Message, cx: &mut Context<'_, Node>) -> bool {
        let Body::Set(_, version) = &message.body else { return false };
        self.looks += 1;
        let memory = &cx.shared().data;
        let held = memory.vbs.get(&message.vb).and_then(|of| of.table.entry(version.key));
        let is_one_more = held.is_none_or(|entry| entry.value.is_none());
        let is_full = is_one_more && !memory.has_room() && may_have_room(memory);
        is_full || cx.choose(&THROTTLE, u64::from(version.key.0), self.looks) != 0
    }

    /// Says what was done.
    fn state(&mut self, fact: Fact, cx: &mut Context<'_, Node>) {
        match fact {
            Fact::Applied(vb, key, cas) => {
                cx.note(Note::Applied(vb, key, cas));
                notify(self.post.notifier, cx);
            }
            Fact::Ended(vb, of, id, held) => cx.note(Note::Ended(vb, of, id, held)),
            Fact::Stepped(vb, kind) => {
                cx.note(Note::Stepped(vb, kind));
                cx.mark(&mark::STEPPED);
                notify(self.post.notifier, cx);
                let birth = cx.shared().data.vbs.get(&vb).map(|vbucket| vbucket.standing.birth);
                if let Some(birth) = birth.filter(|_| kind == EventKind::Revert) {
                    cx.send(self.post.data.reverter, Msg::Data(data::Msg::Revert(vb, birth)));
                }
            }
            Fact::Merged(vb, has_fallen) => {
                cx.mark(&mark::MERGED);
                if has_fallen {
                    self.save_fall(vb, cx);
                }
            }
            Fact::LeftOut(_) => cx.mark(&mark::LEFT_OUT),
            Fact::StepAgain(_) => cx.mark(&mark::STEP_AGAIN),
            Fact::Filled(_) => notify(self.post.notifier, cx),
        }
    }

    fn wake(&mut self, cx: &mut Context<'_, Node>) {
        if cx.shared().data.wakes_flusher() {
            cx.send(self.post.data.flusher, Msg::Data(data::Msg::Flush));
        }
    }
}

/// Whether a value will leave the memory by and by. If none can, rejecting changes would help nobody: a replica makes no
/// checkpoints, so that what its open one holds stays until its master goes on.
fn may_have_room(memory: &Memory) -> bool {
    memory.vbs.values().any(|vbucket| {
        let mut entries = vbucket.table.iter().filter(|(_, entry)| entry.is_evictable());
        entries.any(|(key, entry)| !vbucket.log.holds(log_key(key), entry.cas))
    })
}

/// Whether a planted bug answers it before it is taken in.
fn may_be_late(body: &Body) -> bool {
    matches!(body, Body::Set(..) | Body::Delete(..))
}
