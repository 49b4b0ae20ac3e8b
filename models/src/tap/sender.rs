//! The sender: serves the streams of a node. Each message is a step of its own.

use std::collections::{BTreeMap, BTreeSet};

use seedbed_sim::actor::{ConnEvent, Context, Event};
use seedbed_sim::id::ConnId;
use seedbed_sim::time::{Span, Time};

use crate::vbucket::message as data;
use crate::vbucket::note as data_note;
use crate::vbucket::op::{State, Vb};

use super::frame::{Body, Frame, Name, Wish};
use super::message::{Msg, Phase, Timer};
use super::model::{Node, Post};
use super::note::Note;
use super::producer::{Next, Producer, Stage};
use super::settings::Settings;
use super::{bugs, mark, point};

/// A sender.
#[derive(Clone, Debug)]
pub struct Sender {
    post: Post,
    settings: Settings,
    conns: BTreeMap<ConnId, Conn>,
    /// Streams whose next message is about to be said.
    busy: BTreeSet<Name>,
}

/// A connection.
#[derive(Clone, Debug, Default)]
struct Conn {
    /// The stream, once the other end has said which.
    name: Option<Name>,
    inbox: Vec<u8>,
    /// What the buffer of the connection had no room for.
    outbox: Vec<u8>,
}

impl Sender {
    /// The sender of this node.
    #[must_use]
    pub fn new(post: Post, settings: Settings) -> Sender {
        Sender { post, settings, conns: BTreeMap::new(), busy: BTreeSet::new() }
    }

    pub(super) fn on_event(&mut self, event: Event<Node>, cx: &mut Context<'_, Node>) {
        match event {
            Event::Boot => cx.shared().tap.settings = self.settings,
            Event::Message { msg: Msg::Look, .. } => {
                let names: Vec<Name> = self.conns.values().filter_map(|conn| conn.name).collect();
                names.into_iter().for_each(|name| self.go_on(name, cx));
            }
            Event::Phase(Phase::Say(name)) | Event::Timer(Timer::Pace(name)) => {
                self.busy.remove(&name);
                self.say(name, cx);
            }
            Event::Conn(ConnEvent::Accepted { conn, .. }) => self.accepted(conn, cx),
            Event::Conn(ConnEvent::Readable { conn }) => self.read(conn, cx),
            Event::Conn(ConnEvent::Writable { conn }) => {
                self.write(conn, cx);
                if let Some(name) = self.conns.get(&conn).and_then(|conn| conn.name) {
                    self.go_on(name, cx);
                }
            }
            Event::Conn(ConnEvent::Closed { conn, .. }) => self.lost(conn, cx),
            Event::Timer(Timer::Resume(name)) => {
                let now = cx.now();
                let producer = cx.shared().tap.producers.get(&name);
                if producer.is_some_and(|producer| producer.is_due(now)) {
                    self.go_on(name, cx);
                }
            }
            Event::Timer(Timer::Noop(name)) => self.noop(name, cx),
            Event::Timer(Timer::KeepAlive(name)) => self.expire(name, cx),
            Event::Stop => {
                for conn in std::mem::take(&mut self.conns).into_keys() {
                    cx.reset(conn);
                }
                cx.stopped();
            }
            _ => {}
        }
    }

    fn accepted(&mut self, conn: ConnId, cx: &mut Context<'_, Node>) {
        let memory = &cx.shared().data;
        if !memory.is_loaded || memory.is_stopping {
            return cx.reset(conn);
        }
        self.conns.insert(conn, Conn::default());
    }

    fn lost(&mut self, conn: ConnId, cx: &mut Context<'_, Node>) {
        let Some(Conn { name: Some(name), .. }) = self.conns.remove(&conn) else { return };
        let now = cx.now();
        if let Some(producer) = cx.shared().tap.producers.get_mut(&name) {
            producer.lose(now);
            cx.note(Note::Lost(name));
        }
        cx.disarm(Timer::Resume(name));
        cx.disarm(Timer::Noop(name));
        if cx.bug(&bugs::KEEP_ALIVE_INVERTED) {
            return self.forget(name, cx);
        }
        cx.arm(Timer::KeepAlive(name), self.settings.keep_alive);
    }

    fn hang_up(&mut self, conn: ConnId, cx: &mut Context<'_, Node>) {
        cx.reset(conn);
        self.lost(conn, cx);
    }

    /// The connection of a stream.
    fn conn_of(&self, name: Name) -> Option<ConnId> {
        self.conns.iter().find(|(_, conn)| conn.name == Some(name)).map(|(conn, _)| *conn)
    }

    /// A stream has been without a connection for so long that it will not come back.
    fn expire(&mut self, name: Name, cx: &mut Context<'_, Node>) {
        let stays = cx.bug(&bugs::KEEP_ALIVE_INVERTED) || cx.bug(&bugs::KEPT_FOR_EVER);
        if self.conn_of(name).is_none() && !stays {
            cx.mark(&mark::FORGOTTEN);
            self.forget(name, cx);
        }
    }

    fn forget(&mut self, name: Name, cx: &mut Context<'_, Node>) {
        let shared = cx.shared();
        if let Some(mut producer) = shared.tap.producers.remove(&name) {
            producer.forget(&mut shared.data);
        }
    }

    fn read(&mut self, conn: ConnId, cx: &mut Context<'_, Node>) {
        let Some(of) = self.conns.get_mut(&conn) else { return };
        cx.read(conn, usize::MAX, &mut of.inbox);
        while let Some(of) = self.conns.get_mut(&conn) {
            match (Frame::take(&mut of.inbox), of.name) {
                (Ok(None), _) => return,
                (Ok(Some(Frame::Connect { name, is_takeover, wishes })), None) => {
                    self.connect(conn, (name, is_takeover), &wishes, cx);
                }
                (Ok(Some(Frame::Filter(wishes))), Some(name)) => {
                    let shared = cx.shared();
                    if let Some(producer) = shared.tap.producers.get_mut(&name) {
                        producer.filter(&wishes, &mut shared.data);
                    }
                    cx.mark(&mark::FILTER_CHANGED);
                    self.go_on(name, cx);
                }
                (Ok(Some(Frame::Reply(seqno, status))), Some(name)) => {
                    self.answered(name, (seqno, status), cx);
                }
                (Ok(Some(_)) | Err(_), _) => return self.hang_up(conn, cx),
            }
        }
    }

    /// The other end says which stream it wants.
    fn connect(
        &mut self,
        conn: ConnId,
        (name, is_takeover): (Name, bool),
        wishes: &[Wish],
        cx: &mut Context<'_, Node>,
    ) {
        if let Some(old) = self.conn_of(name) {
            self.hang_up(old, cx);
        }
        cx.disarm(Timer::KeepAlive(name));
        let (now, bugs) = (cx.now(), cx.bugs());
        let shared = cx.shared();
        let known = shared.tap.producers.get(&name);
        if known.is_some_and(|producer| producer.is_takeover != is_takeover) {
            self.forget(name, cx);
        }
        let known = cx.shared().tap.producers.get(&name);
        let had = known.map(|producer| {
            let mut stages = producer.streams().values().map(|stream| stream.stage);
            (producer.unanswered() > 0, stages.any(|stage| stage == Stage::Filling))
        });
        cx.note(Note::Connected(name, had.is_some()));
        if let Some((was_unanswered, was_filling)) = had {
            cx.mark(&mark::WENT_ON);
            if was_unanswered {
                cx.mark(&mark::ROLLED_BACK);
            }
            if was_filling {
                cx.mark(&mark::BACK_IN_BACKFILL);
            }
        }
        let shared = cx.shared();
        let producers = &mut shared.tap.producers;
        let producer = producers
            .entry(name)
            .or_insert_with(|| Producer::new(name, is_takeover, (self.settings, bugs)));
        producer.connect(wishes, &mut shared.data, now);
        if let Some(conn) = self.conns.get_mut(&conn) {
            conn.name = Some(name);
        }
        cx.point(&point::CONNECTED);
        cx.arm(Timer::Noop(name), self.settings.noop);
        self.go_on(name, cx);
    }

    fn answered(
        &mut self,
        name: Name,
        (seqno, status): (super::seqno::Seqno, super::frame::Status),
        cx: &mut Context<'_, Node>,
    ) {
        let now = cx.now();
        let Some(producer) = cx.shared().tap.producers.get_mut(&name) else { return };
        let is_awaited = producer.awaits_answers();
        let answered = producer.answer(seqno, status, now);
        for released in answered.released {
            cx.note(Note::Released(name, released.vb, released.key, released.cas));
        }
        if answered.has_wrapped {
            cx.mark(&mark::WRAPPED);
        }
        if answered.delays_end {
            cx.mark(&mark::END_WAITED);
        }
        if answered.pulls_back {
            cx.mark(&mark::PULLED_BACK);
        }
        if answered.has_synced {
            cx.point(&point::SYNCED);
        }
        if is_awaited || status == super::frame::Status::TemporaryFailure {
            self.go_on(name, cx);
        }
    }

    /// Has the next message said.
    fn go_on(&mut self, name: Name, cx: &mut Context<'_, Node>) {
        if self.conn_of(name).is_some() && self.busy.insert(name) {
            cx.yield_to(Phase::Say(name));
        }
    }

    fn say(&mut self, name: Name, cx: &mut Context<'_, Node>) {
        let Some(conn) = self.conn_of(name) else { return };
        if cx.shared().data.is_stopping {
            return self.hang_up(conn, cx);
        }
        if self.conns.get(&conn).is_some_and(|conn| !conn.outbox.is_empty()) {
            return;
        }
        let now = cx.now();
        let shared = cx.shared();
        let Some(producer) = shared.tap.producers.get_mut(&name) else { return };
        let was_waiting = producer.waits_for_upstream(&shared.data);
        let next = producer.next(&mut shared.data, now);
        if was_waiting {
            cx.mark(&mark::WAITED_FOR_UPSTREAM);
        }
        match next {
            Next::Say(seqno, wants_answer, message) => {
                self.note_said(name, &message.body, cx);
                let frame = Frame::Message(seqno, wants_answer, message);
                if let Some(conn) = self.conns.get_mut(&conn) {
                    frame.encode(&mut conn.outbox);
                }
                self.write(conn, cx);
                cx.point(&point::SAID);
                cx.arm(Timer::Noop(name), self.settings.noop);
                if self.settings.pace == Span(0) {
                    return self.go_on(name, cx);
                }
                self.busy.insert(name);
                cx.arm(Timer::Pace(name), self.settings.pace);
            }
            Next::Backfill(vb, token) => {
                cx.send(self.post.filler, Msg::Collect(name, vb, token));
                self.go_on(name, cx);
            }
            Next::Die(vbs) => {
                vbs.into_iter().for_each(|vb| self.die(vb, cx));
                self.go_on(name, cx);
            }
            Next::HangUp => {
                cx.mark(&mark::HUNG_UP);
                self.hang_up(conn, cx);
            }
            Next::Over => {
                cx.note(Note::Moved(name));
                cx.mark(&mark::MOVED);
                cx.close(conn);
                self.conns.remove(&conn);
                self.forget(name, cx);
            }
            Next::Rest(until) => self.rest(name, until, now, cx),
        }
    }

    fn note_said(&self, name: Name, body: &Body, cx: &mut Context<'_, Node>) {
        let Some(producer) = cx.shared().tap.producers.get(&name) else { return };
        let is_change = matches!(body, Body::Set(..) | Body::Delete(..));
        if is_change && producer.is_takeover && !producer.is_copying() {
            cx.mark(&mark::DRAINED_DEAD);
        }
    }

    fn rest(&mut self, name: Name, until: Time, now: Time, cx: &mut Context<'_, Node>) {
        let Some(producer) = cx.shared().tap.producers.get(&name) else { return };
        if producer.unanswered() > 0 && producer.is_full() {
            cx.mark(&mark::WINDOW_FULL);
        }
        let Some(producer) = cx.shared().tap.producers.get(&name) else { return };
        // Rest that only waits for something to be said of is up to the notifier.
        if producer.unanswered() > 0 || producer.is_suspended() {
            cx.arm(Timer::Resume(name), until.since(now).at_least(Span::us(10)));
        }
        let Some(producer) = cx.shared().tap.producers.get(&name) else { return };
        if producer.is_takeover && !producer.is_copying() {
            // The disk may be about to know that the vbucket is dead.
            cx.arm(Timer::Resume(name), Span::ms(5));
        }
    }

    /// A vbucket that moves has no owner from here on.
    fn die(&mut self, vb: Vb, cx: &mut Context<'_, Node>) {
        let now = cx.now().0;
        let standing = cx.shared().data.stand(vb, State::Dead, now);
        let (birth, change) = (standing.birth, standing.change);
        cx.note(Note::Data(data_note::Note::Stands(vb, birth, State::Dead, change)));
        cx.point(&point::DEAD);
        cx.send(self.post.data.keeper, Msg::Data(data::Msg::Snapshot(vb, Some(standing))));
        cx.send(self.post.data.front, Msg::Data(data::Msg::Unblock(vb)));
    }

    /// A stream says that it is there.
    fn noop(&mut self, name: Name, cx: &mut Context<'_, Node>) {
        let Some(conn) = self.conn_of(name) else { return };
        let now = cx.now();
        let Some(producer) = cx.shared().tap.producers.get_mut(&name) else { return };
        if let Some(Next::Say(seqno, wants_answer, message)) = producer.noop(now) {
            let frame = Frame::Message(seqno, wants_answer, message);
            if let Some(conn) = self.conns.get_mut(&conn) {
                frame.encode(&mut conn.outbox);
            }
            cx.mark(&mark::NOOP);
            self.write(conn, cx);
        }
        cx.arm(Timer::Noop(name), self.settings.noop);
    }

    fn write(&mut self, conn: ConnId, cx: &mut Context<'_, Node>) {
        if let Some(of) = self.conns.get_mut(&conn) {
            let written = cx.write(conn, &of.outbox);
            of.outbox.drain(..written);
        }
    }
}
