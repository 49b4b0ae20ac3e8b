//! The sending end of the library: a router's connections to the server of streams.
//!
//! ```text
//!  begin, send ──▶ queue of a slot ──▶ batch ──▶ bytes ──▶ connection
//!                  bounded             by count,           partial writes go on
//!                                      size, time          when there is room
//! ```
//!
//! A vbucket is bound to one slot as long as its session lives, so what is sent of it is in one order, however many
//! connections there are. A slot whose connection has failed sends nothing more until it is dialled again, and what it had
//! is lost; its streams have to be begun again. The server tells of the end of the connection, and names them.

use std::collections::BTreeMap;

use seedbed_sim::actor::Context;
use seedbed_sim::id::{ActorId, ConnId};

use super::data::millis;
use super::frame::{self, HEADER};
use super::log::{Log, Severity};
use super::message::Timer;
use super::model::Stream;
use super::note::{Glimpse, Note, Said, Why};
use super::op::Vb;
use super::payload::{BATCH_LENGTH, Entry, Message, Payload, Peer, What};
use super::settings::Settings;
use super::slot::{Slot, State};
use super::{bugs, mark, point};

/// The most connections that a client can have.
pub const CONNECTIONS_MAX: u32 = 64;

/// Why a message was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The vbucket has no stream of that session on a connection that lives.
    Unbound,
    /// There is no room now.
    Full,
    /// It would not fit a frame.
    Oversized,
}

/// A number of connections that cannot be: none, or too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadCount(pub u32);

/// A client.
#[derive(Clone, Debug)]
pub struct Client {
    settings: Settings,
    server: ActorId,
    peer: Peer,
    slots: Vec<Slot>,
    bindings: BTreeMap<(Vb, u64), Binding>,
    /// What the next message of a vbucket is called.
    indexes: BTreeMap<Vb, u32>,
    pub(super) log: Log,
    /// A caller that waits for something that never comes. Only a planted bug has one.
    pub(super) hangs: bool,
}

/// Which slot a vbucket is bound to.
#[derive(Clone, Copy, Debug)]
struct Binding {
    slot: usize,
    /// Its stream has begun, has not ended, and the connection has not failed since.
    is_live: bool,
}

impl Client {
    /// A client without connections.
    #[must_use]
    pub fn new(settings: Settings, server: ActorId, router: u8) -> Client {
        let peer = Peer { router, life: 0, slot: 0, dial: 0 };
        let (slots, bindings, indexes) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        let log = Log::new(settings.log);
        Client { settings, server, peer, slots, bindings, indexes, log, hangs: false }
    }

    /// Dials so many connections.
    ///
    /// # Errors
    /// If that is none, or more than there can be. Nothing has changed then.
    pub(super) fn start(&mut self, n: u32, cx: &mut Context<'_, Stream>) -> Result<(), BadCount> {
        if cx.bug(&bugs::NONE_DIVIDES) && n & 0xffff == 0 {
            cx.abort("division by the number of connections");
            return Err(BadCount(n));
        }
        if n == 0 || n > CONNECTIONS_MAX {
            return Err(BadCount(n));
        }
        self.close(cx);
        let first = cx.incarnation().0 << 12;
        self.peer.life = first.max(self.peer.life) + 1;
        self.peer.dial = 0;
        for at in 0..n as usize {
            let slot = self.dial(at, cx);
            self.slots.push(slot);
        }
        Ok(())
    }

    fn dial(&mut self, at: usize, cx: &mut Context<'_, Stream>) -> Slot {
        let conn = cx.connect(self.server);
        self.peer.dial += 1;
        self.log
            .say(Severity::Trace, "client::dial", || format!("slot {at}, connection {}", conn.0));
        let slot = u8::try_from(at).expect("at most CONNECTIONS_MAX slots");
        cx.arm(Timer::Beat(slot), self.settings.beat);
        Slot::new(conn, Peer { slot, ..self.peer }, (self.settings, cx.now()))
    }

    fn timer(&self, slot: usize, timer: fn(u8) -> Timer) -> Timer {
        timer(u8::try_from(slot).expect("at most CONNECTIONS_MAX slots"))
    }

    /// Connections that live, as far as the client knows.
    #[must_use]
    pub fn sockets(&self) -> usize {
        self.slots.iter().filter(|slot| slot.state != State::Dead).count()
    }

    /// Whether a connection takes no more bytes now.
    pub(super) fn is_blocked(&self) -> bool {
        self.slots.iter().any(|slot| slot.state == State::Running && !slot.outbox.is_empty())
    }

    /// Whether any connection is open, as far as the client knows.
    pub(super) fn is_running(&self) -> bool {
        self.slots.iter().any(|slot| slot.state == State::Running)
    }

    /// Whether the slot of a vbucket has room, so that who waits for it can go on.
    pub(super) fn has_room(&self, stream: (Vb, u64)) -> bool {
        let slot = self.bindings.get(&stream).and_then(|binding| self.slots.get(binding.slot));
        slot.is_none_or(|slot| slot.state == State::Dead || slot.queue.len() < self.settings.queue)
    }

    /// Dials those again that have failed.
    pub(super) fn repair(&mut self, cx: &mut Context<'_, Stream>) {
        for at in 0..self.slots.len() {
            if self.slots[at].state == State::Dead {
                self.slots[at] = self.dial(at, cx);
                cx.mark(&mark::REDIALLED);
            }
        }
    }

    /// Begins a stream: binds its vbucket, and sends the begin.
    ///
    /// # Errors
    /// If the connection that it is bound to is dead, or the begin would not fit a frame. Nothing was sent then.
    pub(super) fn begin(
        &mut self,
        (vb, session): (Vb, u64),
        what: What,
        cx: &mut Context<'_, Stream>,
    ) -> Result<(), Refused> {
        let kept =
            self.bindings.get(&(vb, session)).filter(|_| !cx.bug(&bugs::REBOUND_WITHIN_SESSION));
        let slot = match kept {
            Some(binding) => binding.slot,
            None => self.least_loaded().ok_or(Refused::Unbound)?,
        };
        if self.slots.get(slot).is_none_or(|slot| slot.state == State::Dead) {
            return Err(Refused::Unbound);
        }
        if !self.fits(vb, &what) {
            return Err(Refused::Oversized);
        }
        self.bindings.retain(|(of, _), binding| *of != vb || binding.is_live);
        self.bindings.insert((vb, session), Binding { slot, is_live: true });
        self.push((vb, session), what, cx);
        Ok(())
    }

    fn fits(&self, vb: Vb, what: &What) -> bool {
        let message = Message { index: 0, what: what.clone() };
        let length = BATCH_LENGTH + Entry::head_length(vb) + message.length();
        length <= self.settings.payload_max as usize
    }

    /// The slot with the fewest vbuckets, the first of several.
    fn least_loaded(&self) -> Option<usize> {
        let load =
            |at: &usize| self.bindings.values().filter(|b| b.slot == *at && b.is_live).count();
        let alive = (0..self.slots.len()).filter(|at| self.slots[*at].state != State::Dead);
        alive.min_by_key(load)
    }

    /// Sends a message of a stream that was begun. An end fits always.
    ///
    /// # Errors
    /// See [`Refused`]; nothing was sent then.
    pub(super) fn send(
        &mut self,
        (vb, session): (Vb, u64),
        what: What,
        cx: &mut Context<'_, Stream>,
    ) -> Result<(), Refused> {
        let binding = self.bindings.get(&(vb, session)).filter(|binding| binding.is_live);
        let Some(binding) = binding else {
            self.hangs |= cx.bug(&bugs::UNMAPPED_HANGS);
            return Err(Refused::Unbound);
        };
        let is_end = matches!(what, What::End(_));
        let slot = &self.slots[binding.slot];
        if slot.queue.len() >= self.settings.queue && !is_end {
            cx.mark(&mark::CALLER_BLOCKED);
            return Err(Refused::Full);
        }
        if !self.fits(vb, &what) {
            if cx.bug(&bugs::OVERSIZE_PANICS) {
                cx.abort("a slice beyond the buffer");
            }
            self.log.say(Severity::Error, "client::send", || format!("{vb} says what is too long"));
            return Err(Refused::Oversized);
        }
        if is_end && let Some(binding) = self.bindings.get_mut(&(vb, session)) {
            binding.is_live = false;
        }
        self.push((vb, session), what, cx);
        Ok(())
    }

    fn push(&mut self, (vb, session): (Vb, u64), what: What, cx: &mut Context<'_, Stream>) {
        let Some(at) = self.bindings.get(&(vb, session)).map(|binding| binding.slot) else {
            return;
        };
        let index = self.indexes.entry(vb).or_default();
        *index += 1;
        let said = Said { vb, session, index: *index, what: glimpse(&what) };
        let message = Message { index: *index, what };
        cx.note(Note::Sent(self.slots[at].peer, said));
        self.slots[at].queue.push_back((vb, session, message));
        self.transmit(at, cx);
    }

    /// Moves what waits into batches, and these onto the connection, as far as it takes them.
    pub(super) fn transmit(&mut self, at: usize, cx: &mut Context<'_, Stream>) {
        loop {
            self.write(at, cx);
            let slot = &mut self.slots[at];
            if slot.state != State::Running || !slot.outbox.is_empty() {
                return;
            }
            let Some((vb, _, message)) = slot.queue.front() else { return };
            let length = Entry::head_length(*vb) + message.length();
            if slot.batch_length + length > self.settings.payload_max as usize {
                self.flush(at, cx);
                continue;
            }
            let Some((vb, session, message)) = slot.queue.pop_front() else { return };
            slot.add(vb, session, message, cx);
            if slot.batch_count >= self.settings.batch {
                let length = slot.batch_length;
                let again = cx.bug(&bugs::BATCH_SENT_AGAIN).then(|| slot.batch.clone());
                self.flush(at, cx);
                let slot = &mut self.slots[at];
                if let Some(batch) = again {
                    // It is sent again with what comes next, or when it is old enough.
                    (slot.batch, slot.batch_length) = (batch, length);
                    cx.arm(self.timer(at, Timer::Flush), self.settings.batch_delay);
                }
            } else if slot.batch_count == 1 {
                cx.arm(self.timer(at, Timer::Flush), self.settings.batch_delay);
            }
        }
    }

    /// The batch is old enough.
    pub(super) fn flush_due(&mut self, at: usize, cx: &mut Context<'_, Stream>) {
        if self.slots.get(at).is_some_and(|slot| slot.state == State::Running) {
            self.flush(at, cx);
            self.transmit(at, cx);
        }
    }

    /// Makes a frame of the batch, unless one is still being written.
    fn flush(&mut self, at: usize, cx: &mut Context<'_, Stream>) {
        let timer = self.timer(at, Timer::Flush);
        let limits = self.settings.sends();
        let slot = &mut self.slots[at];
        if slot.batch.is_empty() {
            return;
        }
        if !slot.outbox.is_empty() {
            return cx.arm(timer, self.settings.batch_delay);
        }
        cx.disarm(timer);
        let mut batch = std::mem::take(&mut slot.batch);
        if cx.bug(&bugs::SESSIONS_IN_MAP_ORDER) {
            batch.sort_by_key(|entry| (entry.vb, u64::MAX - entry.session));
        }
        let (count, payload) = (slot.batch_count, Payload::Batch(batch));
        (slot.batch_count, slot.batch_length) = (0, BATCH_LENGTH);
        if frame::append_with(limits, &mut slot.outbox, |into| payload.encode(into)).is_err() {
            // Only a batch that is sent twice is ever too long.
            return;
        }
        slot.writing = u32::try_from(count).unwrap_or(u32::MAX);
        cx.point(&point::BATCH_MADE);
        if cx.bug(&bugs::SWAPPED_BEFORE_WRITE) {
            let slot = &mut self.slots[at];
            let first = cx.write(slot.conn, &slot.outbox[..1]);
            slot.outbox.drain(..first);
            if first == 0 {
                // The write that has failed is not made again.
                slot.outbox.clear();
                slot.writing = 0;
            }
        }
        self.write(at, cx);
    }

    fn write(&mut self, at: usize, cx: &mut Context<'_, Stream>) {
        let slot = &mut self.slots[at];
        if slot.outbox.is_empty() || slot.state != State::Running {
            return;
        }
        let written = cx.write(slot.conn, &slot.outbox);
        slot.outbox.drain(..written);
        slot.sent_at = cx.now();
        if slot.outbox.is_empty() {
            if slot.writing > 0 {
                cx.note(Note::Wrote(slot.peer, std::mem::take(&mut slot.writing)));
            }
        } else {
            cx.mark(&mark::WRITE_BLOCKED);
        }
    }

    /// A look at a connection: says that it is there if it has said nothing, and gives it up if nothing comes.
    pub(super) fn beat(&mut self, at: usize, cx: &mut Context<'_, Stream>) {
        let (now, Settings { beat, suicide, .. }) = (cx.now(), self.settings);
        let Some(slot) = self.slots.get_mut(at) else { return };
        let half_open = cx.bug(&bugs::HALF_OPEN_UNSEEN);
        let is_silent = match slot.state {
            State::Dead => return,
            State::Dialling => now.since(slot.dialled_at) > suicide,
            State::Running if half_open => false,
            State::Running => now.since(slot.heard_at) > suicide,
        };
        let is_idle = slot.state == State::Running
            && slot.outbox.is_empty()
            && now.since(slot.sent_at) > suicide;
        if is_silent || is_idle {
            cx.mark(&mark::SENDER_GAVE_UP);
            cx.note(Note::GaveUp(slot.conn));
            return self.fail(at, true, cx);
        }
        let silence = now.since(slot.heard_at);
        if slot.state == State::Running && silence > beat.times(2) {
            cx.note(Note::Silent(slot.conn, millis(silence)));
        }
        if slot.state == State::Running
            && slot.outbox.is_empty()
            && slot.batch.is_empty()
            && (now.since(slot.sent_at) >= beat || cx.bug(&bugs::HEARTBEAT_LEAVES_CLOCK))
        {
            let before = slot.sent_at;
            // Two bytes fit every limit.
            let limits = self.settings.sends();
            let _ = frame::append_with(limits, &mut slot.outbox, |into| Payload::Sync.encode(into));
            self.write(at, cx);
            if cx.bug(&bugs::HEARTBEAT_LEAVES_CLOCK) {
                self.slots[at].sent_at = before;
            }
        }
        cx.arm(self.timer(at, Timer::Beat), beat);
    }

    /// The connection of a slot.
    pub(super) fn conn_of(&self, slot: usize) -> Option<ConnId> {
        self.slots.get(slot).map(|slot| slot.conn)
    }

    /// The slot of a connection.
    pub(super) fn slot_of(&self, conn: ConnId) -> Option<usize> {
        self.slots.iter().position(|slot| slot.conn == conn && slot.state != State::Dead)
    }

    /// A connection is open: says who is there.
    pub(super) fn opened(&mut self, at: usize, cx: &mut Context<'_, Stream>) {
        let (mut payload, limits) = (Vec::new(), self.settings.sends());
        let slot = &mut self.slots[at];
        Payload::Hello(slot.peer).encode(&mut payload);
        slot.state = State::Running;
        (slot.sent_at, slot.heard_at) = (cx.now(), cx.now());
        // A hello fits every limit.
        let _ = frame::append(&payload, limits, &mut slot.outbox);
        self.transmit(at, cx);
    }

    /// Something has come from the server: it is there.
    pub(super) fn read(&mut self, at: usize, cx: &mut Context<'_, Stream>) {
        let slot = &mut self.slots[at];
        slot.inbox.clear();
        if cx.read(slot.conn, usize::MAX, &mut slot.inbox) > 0 {
            slot.heard_at = cx.now();
        }
        let mut rest = slot.inbox.as_slice();
        loop {
            match slot.reader.take(&mut rest) {
                Ok(Some(_)) => {}
                Ok(None) => return,
                Err(_) => return self.fail(at, true, cx),
            }
        }
    }

    /// A connection has failed: no further byte is written to it, and its streams are over here.
    pub(super) fn fail(&mut self, at: usize, is_ours: bool, cx: &mut Context<'_, Stream>) {
        let all = self.settings.all_fail;
        for (i, slot) in self.slots.iter_mut().enumerate() {
            if i != at && !(all && slot.state != State::Dead) {
                continue;
            }
            if is_ours || i != at {
                let why = if i == at { Why::Failed } else { Why::Asked };
                cx.note(Note::Shut(slot.conn, why));
                if !cx.bug(&bugs::GIVEN_UP_NOT_CLOSED) {
                    cx.reset(slot.conn);
                }
            }
            let said = || format!("connection {} is at its end", slot.conn.0);
            self.log.say(Severity::Warning, "client::fail", said);
            slot.die();
            for binding in self.bindings.values_mut().filter(|binding| binding.slot == i) {
                binding.is_live = false;
            }
        }
    }

    /// Closes all connections, whatever state they are in: sends what was accepted as far as the connections take it, and
    /// says how much they did not. Closing again does nothing.
    pub(super) fn close(&mut self, cx: &mut Context<'_, Stream>) {
        for at in 0..self.slots.len() {
            if self.slots[at].state == State::Dead {
                continue;
            }
            if !cx.bug(&bugs::CLOSE_DROPS_BATCH) {
                // What waits goes into batches, and the last batch onto the connection.
                self.transmit(at, cx);
                self.flush(at, cx);
            }
            let slot = &self.slots[at];
            let unsent = if cx.bug(&bugs::CLOSE_DROPS_BATCH) { 0 } else { slot.unsent() };
            cx.note(Note::Closed(slot.peer, unsent));
            cx.note(Note::Shut(slot.conn, Why::Asked));
            cx.close(slot.conn);
            let (beat, flush) = (self.timer(at, Timer::Beat), self.timer(at, Timer::Flush));
            cx.disarm(beat);
            cx.disarm(flush);
        }
        self.slots.clear();
        self.bindings.clear();
    }
}

fn glimpse(what: &What) -> Glimpse {
    match *what {
        What::Begin(..) => Glimpse::Begin,
        What::Snapshot(start, end, _) => Glimpse::Snapshot(start, end),
        What::Upsert(seq, ..) | What::Delete(seq, _) => Glimpse::Mutation(seq),
        What::End(_) => Glimpse::End,
    }
}

/// What checks are told of a message.
pub(super) fn said(entry: &Entry, message: &Message) -> Said {
    let (vb, session, index) = (entry.vb, entry.session, message.index);
    Said { vb, session, index, what: glimpse(&message.what) }
}

/// The longest document that a frame can carry in a keyspace.
#[must_use]
pub fn longest(settings: &Settings, vb: Vb) -> usize {
    let head = BATCH_LENGTH + Entry::head_length(vb) + 5 + 15;
    (settings.payload_max as usize).saturating_sub(head)
}

/// Bytes of the smallest frame.
pub const FRAME_MIN: usize = HEADER + 2;
