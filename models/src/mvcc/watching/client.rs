//! A client that watches: makes watchers as the workload says, and goes on where it was when it loses its stream.
//!
//! The connection may be refused, hang, go silent or end. A client that hears nothing for a while gives it up and begins
//! another one; each watcher is made again at the revision after the last one that it was told of, and one that was told
//! that it is compacted, at the compacted revision.
//!
//! Where several nodes keep the same store it goes on at the next one.

use std::collections::BTreeMap;
use std::sync::Arc;

use seedbed_sim::actor::{ConnEvent, Context, Event, Outcome};
use seedbed_sim::id::{ActorId, ConnId, OpId};
use seedbed_sim::time::Span;

use super::RECORD;
use super::note::WatchNote;
use super::wire::{Ask, Tell, next_frame};
use super::wish::{Interest, Wish};
use crate::mvcc::call::{Call, Ret};
use crate::mvcc::mark;
use crate::mvcc::message::{Note, Timer};
use crate::mvcc::model::Mvcc;
use crate::mvcc::op::{At, Keys};
use crate::mvcc::rules::Rules;
use crate::mvcc::store::FIRST_REVISION;
use crate::mvcc::watch::{self, Body, Follower, WatchId};

/// How long an operation may wait for its answer.
const PATIENCE: Span = Span::ms(30);
/// The pause before connecting again.
const PAUSE: Span = Span::ms(3);
/// How often a client sees to it that its stream lives.
const PING: Span = Span::ms(20);
/// After so many rounds without a word the stream counts as lost.
const QUIET_MAX: u32 = 3;

/// A client that watches.
#[derive(Clone, Debug)]
pub struct Watcher {
    /// Those that it can go to.
    senders: Vec<ActorId>,
    /// Where it is among them.
    at: usize,
    conn: Option<ConnId>,
    /// The connection can be written to.
    opened: bool,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
    /// The newest revision that it knows of.
    last: i64,
    follows: BTreeMap<WatchId, Follow>,
    resting: bool,
    /// The operation under way, and the watcher that it waits for.
    errand: Option<(OpId, Option<WatchId>)>,
    /// Rounds without a word.
    quiet: u32,
}

/// A watcher as its client wants it.
#[derive(Clone, Debug)]
struct Follow {
    interest: Interest,
    /// Where it is, once it was made for the first time.
    follower: Option<Follower>,
    /// Who made it: the sender, and the life of its node.
    made_by: Option<(ActorId, u32)>,
    /// It is there, as far as the client knows.
    created: bool,
    /// It is to end.
    leaving: bool,
}

impl Follow {
    fn new(interest: Interest) -> Follow {
        Follow { interest, follower: None, made_by: None, created: false, leaving: false }
    }

    /// What to ask for now.
    fn ask(&self) -> Interest {
        let next = self.follower.map(|follower| At::Absolute(follower.next()));
        Interest { from: next.unwrap_or(self.interest.from), ..self.interest.clone() }
    }
}

impl Watcher {
    /// A client that begins at the first of these senders. One that keeps the record follows everything from the first
    /// revision on.
    ///
    /// # Panics
    ///
    /// Later, if there is none.
    #[must_use]
    pub fn new(senders: Vec<ActorId>, keeps_record: bool) -> Watcher {
        let everything = Interest {
            keys: Keys::From(Vec::new()),
            from: At::Absolute(FIRST_REVISION),
            no_put: false,
            no_delete: false,
            with_previous: true,
        };
        let record = keeps_record.then(|| (RECORD, Follow::new(everything)));
        Watcher {
            senders,
            at: 0,
            conn: None,
            opened: false,
            inbox: Vec::new(),
            outbox: Vec::new(),
            last: FIRST_REVISION,
            follows: record.into_iter().collect(),
            resting: false,
            errand: None,
            quiet: 0,
        }
    }

    /// The first watcher that is not there yet, as far as the client knows.
    #[must_use]
    pub fn lacks(&self) -> Option<WatchId> {
        self.follows.iter().find(|(_, follow)| !follow.created).map(|(id, _)| *id)
    }

    pub(in crate::mvcc) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        match event {
            Event::Boot => self.connect(cx),
            Event::Invoke { op, what: Call::Watch(wish) } => self.invoke(op, wish, cx),
            Event::Invoke { op, .. } => cx.complete(op, Outcome::Failed),
            Event::Conn(event) if self.conn == Some(event.conn()) => self.heard_of_conn(event, cx),
            Event::Timer(Timer::Reconnect) => self.connect(cx),
            Event::Timer(Timer::Ping) => self.ping(cx),
            Event::Timer(Timer::Answer) => self.complete(Outcome::Unknown, cx),
            Event::Timer(Timer::Rest) => {
                self.resting = false;
                self.read(cx);
                self.complete(Outcome::Ok(Ret::Watch), cx);
            }
            Event::Stop => cx.stopped(),
            _ => {}
        }
    }

    fn heard_of_conn(&mut self, event: ConnEvent, cx: &mut Context<'_, Mvcc>) {
        match event {
            ConnEvent::Opened { .. } => {
                self.opened = true;
                let ids: Vec<WatchId> = self.follows.keys().copied().collect();
                ids.into_iter().for_each(|id| self.create(id, cx));
            }
            ConnEvent::Readable { .. } => self.read(cx),
            ConnEvent::Writable { .. } => self.flush(cx),
            ConnEvent::Refused { .. } => self.lose(cx),
            ConnEvent::Closed { .. } => {
                // What has arrived can still be read.
                self.resting = false;
                self.read(cx);
                self.lose(cx);
            }
            ConnEvent::Accepted { .. } => {}
        }
    }

    fn connect(&mut self, cx: &mut Context<'_, Mvcc>) {
        if self.conn.is_none() {
            self.conn = Some(cx.connect(self.senders[self.at]));
            self.quiet = 0;
            cx.arm(Timer::Ping, PING);
        }
    }

    /// The stream is gone. Those whose end was asked for have come to it.
    fn lose(&mut self, cx: &mut Context<'_, Mvcc>) {
        let Some(conn) = self.conn.take() else { return };
        self.at = (self.at + 1) % self.senders.len();
        self.opened = false;
        self.inbox.clear();
        self.outbox.clear();
        self.follows.retain(|_, follow| !follow.leaving);
        self.follows.values_mut().for_each(|follow| follow.created = false);
        cx.note(Note::Watch(WatchNote::Lost(conn)));
        cx.disarm(Timer::Ping);
        cx.arm(Timer::Reconnect, PAUSE);
    }

    fn give_up(&mut self, cx: &mut Context<'_, Mvcc>) {
        if let Some(conn) = self.conn {
            cx.reset(conn);
            self.lose(cx);
        }
    }

    /// Asks for a sign of life, and gives up if there was none for too long. While it does not read there can be none.
    fn ping(&mut self, cx: &mut Context<'_, Mvcc>) {
        if self.quiet >= QUIET_MAX {
            return self.give_up(cx);
        }
        if !self.resting {
            self.quiet += 1;
            self.ask(&Ask::Ping, cx);
        }
        cx.arm(Timer::Ping, PING);
    }

    fn invoke(&mut self, op: OpId, wish: Wish, cx: &mut Context<'_, Mvcc>) {
        self.errand = Some((op, None));
        match wish {
            Wish::Watch(interest) => {
                let id = WatchId(i64::from(op.number));
                let from = At::Absolute(interest.from.absolute(self.last));
                self.follows.insert(id, Follow::new(Interest { from, ..interest }));
                self.create(id, cx);
                self.wait(op, id, cx);
            }
            Wish::Cancel(number) => {
                let id = WatchId(i64::from(number));
                let follow = self.follows.get_mut(&id).filter(|_| self.opened);
                let Some(follow) = follow else {
                    self.follows.remove(&id);
                    return self.complete(Outcome::Ok(Ret::Watch), cx);
                };
                follow.leaving = true;
                self.ask(&Ask::Cancel(id), cx);
                self.wait(op, id, cx);
            }
            Wish::Progress => {
                self.ask(&Ask::Progress, cx);
                self.complete(Outcome::Ok(Ret::Watch), cx);
            }
            Wish::Rest(ms) => {
                self.resting = true;
                cx.arm(Timer::Rest, Span::ms(u64::from(ms)));
            }
            Wish::Leave => {
                self.give_up(cx);
                self.complete(Outcome::Ok(Ret::Watch), cx);
            }
        }
    }

    fn wait(&mut self, op: OpId, id: WatchId, cx: &mut Context<'_, Mvcc>) {
        self.errand = Some((op, Some(id)));
        cx.arm(Timer::Answer, PATIENCE);
    }

    fn complete(&mut self, outcome: Outcome<Ret>, cx: &mut Context<'_, Mvcc>) {
        let Some((op, _)) = self.errand.take() else { return };
        cx.disarm(Timer::Answer);
        cx.complete(op, outcome);
    }

    /// What somebody waits for has come.
    fn came(&mut self, id: WatchId, cx: &mut Context<'_, Mvcc>) {
        if self.errand.is_some_and(|(_, waits_for)| waits_for == Some(id)) {
            self.complete(Outcome::Ok(Ret::Watch), cx);
        }
    }

    fn create(&mut self, id: WatchId, cx: &mut Context<'_, Mvcc>) {
        let (Some(conn), true, Some(follow)) = (self.conn, self.opened, self.follows.get(&id))
        else {
            return;
        };
        let interest = follow.ask();
        cx.note(Note::Watch(WatchNote::Asked(conn, id, interest.clone())));
        self.ask(&Ask::Create(id, interest), cx);
    }

    fn ask(&mut self, ask: &Ask, cx: &mut Context<'_, Mvcc>) {
        if self.opened {
            self.outbox.extend(ask.encode());
            self.flush(cx);
        }
    }

    fn flush(&mut self, cx: &mut Context<'_, Mvcc>) {
        let Some(conn) = self.conn.filter(|_| !self.outbox.is_empty()) else { return };
        let written = cx.write(conn, &self.outbox);
        self.outbox.drain(..written);
    }

    fn read(&mut self, cx: &mut Context<'_, Mvcc>) {
        let Some(conn) = self.conn.filter(|_| !self.resting) else { return };
        if cx.read(conn, usize::MAX, &mut self.inbox) > 0 {
            self.quiet = 0;
        }
        while let Some(frame) = next_frame(&mut self.inbox) {
            let tell = Tell::decode(&frame).expect("no byte of a stream is altered");
            self.told(conn, tell, cx);
        }
    }

    fn told(&mut self, conn: ConnId, tell: Tell, cx: &mut Context<'_, Mvcc>) {
        match tell {
            Tell::Created(id, life, revision) => {
                cx.note(Note::Watch(WatchNote::Created(conn, id, revision)));
                self.created(id, (self.senders[self.at], life), revision, cx);
                self.came(id, cx);
            }
            Tell::Refused(id) => {
                cx.note(Note::Watch(WatchNote::Refused(conn, id)));
                self.follows.remove(&id);
                self.came(id, cx);
            }
            Tell::Cancelled(id) => {
                cx.note(Note::Watch(WatchNote::Cancelled(conn, id)));
                self.follows.remove(&id);
                self.came(id, cx);
            }
            Tell::Heard(about, body) => self.heard(conn, about, body, cx),
            Tell::Pong => {}
        }
    }

    fn created(
        &mut self,
        id: WatchId,
        by: (ActorId, u32),
        revision: i64,
        cx: &mut Context<'_, Mvcc>,
    ) {
        self.last = revision;
        let Some(follow) = self.follows.get_mut(&id) else { return };
        follow.created = true;
        let start = follow.interest.from.absolute(0);
        follow.follower.get_or_insert_with(|| Follower::new(Rules::Main, start, revision));
        match follow.made_by.replace(by) {
            Some(before) if before == by => cx.mark(&mark::RESUMED_IN_LIFE),
            Some((sender, _)) if sender != by.0 => cx.mark(&mark::RESUMED_ELSEWHERE),
            Some(_) => cx.mark(&mark::RESUMED_AFTER_CRASH),
            None => {}
        }
    }

    fn heard(&mut self, conn: ConnId, about: Vec<WatchId>, body: Body, cx: &mut Context<'_, Mvcc>) {
        let body = Arc::new(body);
        cx.note(Note::Watch(WatchNote::Heard(conn, about.clone(), body.clone())));
        if let Body::Events { revision, events } = &*body {
            self.last = self.last.max(*revision);
            self.mark(&about, events, cx);
        }
        let compacted = matches!(*body, Body::Compacted { .. });
        for id in about {
            let Some(follow) = self.follows.get_mut(&id) else { continue };
            if let Some(follower) = &mut follow.follower {
                follower.heard(&body);
            }
            if compacted && follow.leaving {
                self.follows.remove(&id);
                self.came(id, cx);
            } else if compacted {
                // It begins anew where the store still knows everything.
                (follow.created, follow.made_by) = (false, None);
                self.create(id, cx);
            }
        }
    }

    fn mark(&self, about: &[WatchId], events: &[watch::Event], cx: &mut Context<'_, Mvcc>) {
        let revision = |event: &watch::Event| event.kv.mod_revision;
        if events.first().map(revision) < events.last().map(revision) {
            cx.mark(&mark::BATCH_OF_SEVERAL);
        }
        let asks = |follow: &Follow| follow.interest.with_previous;
        let asked = about.iter().any(|id| self.follows.get(id).is_some_and(asks));
        let lacks = events.iter().any(|event| event.previous.is_none() && !event.is_create());
        if asked && lacks {
            cx.mark(&mark::PREVIOUS_COMPACTED);
        }
    }
}
