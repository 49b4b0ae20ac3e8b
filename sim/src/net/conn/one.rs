//! One connection: two ends, two directions.

use super::pipe::{Buffers, Cargo, FAR, Flight, Flow, Pipe};
use super::{ConnWake, End, Medium, Side, Wake};
use crate::actor::CloseReason;
use crate::choose::{Key, Site};
use crate::id::{ConnId, StepId};
use crate::net::Link;
use crate::time::{Span, Time};
use std::ops::{Index, IndexMut};

/// How long the ends of a connection wait at most for a cut to end, once they have decided to give it up.
pub(super) const PATIENCE: Span = Span::secs(1);

/// How far an end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The client has asked and was not answered; the server has not been asked yet.
    Opening,
    Open,
    /// It was told of the end, and may read what has arrived before.
    Told,
    /// It has closed by itself, or never came to be.
    Left,
    /// Its incarnation has died.
    Gone,
}

/// One value for each side.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Both<T>(pub(super) [T; 2]);

impl<T> Index<Side> for Both<T> {
    type Output = T;
    fn index(&self, side: Side) -> &T {
        &self.0[side as usize]
    }
}

impl<T> IndexMut<Side> for Both<T> {
    fn index_mut(&mut self, side: Side) -> &mut T {
        &mut self.0[side as usize]
    }
}

/// One connection. A direction is named by the side that writes into it.
#[derive(Clone, Debug)]
pub(super) struct Conn {
    pub(super) id: ConnId,
    /// Which connect of this client to this server it is, from 1.
    nth: u32,
    pub(super) ends: Both<End>,
    pub(super) stages: Both<Stage>,
    pub(super) pipes: Both<Pipe>,
    /// The server will refuse it.
    pub(super) refused: bool,
    /// How many of its bits have flipped, in both directions.
    pub(super) flips: u32,
}

impl Conn {
    pub(super) fn new(id: ConnId, nth: u32, ends: [End; 2], memory: [Buffers; 2]) -> Conn {
        Conn {
            id,
            nth,
            ends: Both(ends),
            stages: Both([Stage::Opening; 2]),
            pipes: Both(memory.map(Pipe::new)),
            refused: false,
            flips: 0,
        }
    }

    /// Which side this end is. A server is one only after it has accepted: before, its incarnation is none that lives.
    pub(super) fn side(&self, end: End) -> Option<Side> {
        if self.ends[Side::Client] == end {
            Some(Side::Client)
        } else if self.ends[Side::Server] == end {
            Some(Side::Server)
        } else {
            None
        }
    }

    /// Whether this side still waits for something.
    pub(super) fn is_listening(&self, side: Side) -> bool {
        match self.stages[side] {
            Stage::Open => true,
            Stage::Opening => side == Side::Client,
            Stage::Told | Stage::Left | Stage::Gone => false,
        }
    }

    pub(super) fn link<'a>(&self, from: Side, m: &Medium<'a>) -> &'a Link {
        m.links.get(self.ends[from].node, self.ends[from.other()].node)
    }

    /// When something that leaves `from` now arrives.
    pub(super) fn arrival(&self, from: Side, m: &Medium<'_>) -> Time {
        arrival(self.link(from, m), m.now, self.lag(m))
    }

    /// What a latency is longer by, if one of the ends is slow.
    fn lag(&self, m: &Medium<'_>) -> Span {
        let (one, other) = (self.ends[Side::Client].node, self.ends[Side::Server].node);
        m.links.lag(one, other, m.now, self.link(Side::Client, m).base)
    }

    /// The key of a decision about the stream that `from` writes.
    pub(super) fn key(&self, from: Side, offset: u64) -> Key {
        let (client, server) = (self.ends[Side::Client].actor, self.ends[Side::Server].actor);
        Key::stream(client.0, server.0, self.nth, from as u8, offset)
    }

    /// Decides about the place that `from`'s stream has come to; makes no key if the site is off.
    pub(super) fn ask(&self, site: &Site, from: Side, m: &mut Medium<'_>) -> u32 {
        if !m.choices.is_live(site) {
            return 0;
        }
        m.choices.choose(site, self.key(from, self.pipes[from].arrived))
    }

    /// Puts something on the way, behind what already is.
    pub(super) fn send(&mut self, from: Side, cargo: Cargo, extra: Span, m: &mut Medium<'_>) {
        let due = arrival(self.link(from, m), m.now, extra + self.lag(m));
        self.send_at(from, cargo, due, m);
    }

    pub(super) fn send_at(&mut self, from: Side, cargo: Cargo, due: Time, m: &mut Medium<'_>) {
        let flights = &mut self.pipes[from].flights;
        flights.push_back(Flight { due, cause: m.step, cargo, delayed: false });
        if flights.len() == 1 {
            self.schedule(from, m);
        }
    }

    /// Takes bytes in and puts them on the way. What is written in one instant travels as one, however it was written.
    pub(super) fn send_bytes(&mut self, from: Side, data: &[u8], m: &mut Medium<'_>) {
        let due = self.arrival(from, m);
        let pipe = &mut self.pipes[from];
        let Some(end) = pipe.store(data) else { return };
        match pipe.flights.back_mut() {
            Some(Flight { due: last, cargo: Cargo::Bytes(upto), .. }) if *last >= due => {
                *upto = end;
            }
            _ => self.send_at(from, Cargo::Bytes(end), due, m),
        }
    }

    /// Asks to be woken for what comes next in this direction; wakes asked for earlier come to nothing.
    pub(super) fn schedule(&mut self, from: Side, m: &mut Medium<'_>) {
        let pipe = &mut self.pipes[from];
        pipe.serial = pipe.serial.wrapping_add(1);
        let Some(front) = pipe.flights.front() else { return };
        if front.due < FAR {
            let what = ConnWake::Arrive { from, serial: pipe.serial };
            let due = front.due.max(m.now + Span::LEAST);
            m.wakes.push(Wake { due, conn: self.id, cause: front.cause, what });
        }
    }

    /// What comes next in this direction comes later.
    pub(super) fn postpone(&mut self, from: Side, due: Time, m: &mut Medium<'_>) {
        if let Some(front) = self.pipes[from].flights.front_mut() {
            front.due = due;
        }
        self.schedule(from, m);
    }

    /// What comes next has come.
    pub(super) fn arrived(&mut self, from: Side, m: &mut Medium<'_>) {
        self.pipes[from].flights.pop_front();
        self.schedule(from, m);
    }

    /// Lets the writer know that there is room, if it waits for that.
    pub(super) fn offer_room(&mut self, from: Side, cause: StepId, m: &mut Medium<'_>) {
        let due = self.arrival(from.other(), m);
        self.offer_room_at(from, due, cause, m);
    }

    pub(super) fn offer_room_at(
        &mut self,
        from: Side,
        due: Time,
        cause: StepId,
        m: &mut Medium<'_>,
    ) {
        let pipe = &mut self.pipes[from];
        pipe.room_due = Some(due);
        pipe.room_serial = pipe.room_serial.wrapping_add(1);
        if due < FAR {
            let what = ConnWake::Room { from, serial: pipe.room_serial };
            let due = due.max(m.now + Span::LEAST);
            m.wakes.push(Wake { due, conn: self.id, cause, what });
        }
    }

    /// Ends a direction. `Fin` comes after all that was written; `Reset` loses it. Whether the reader will hear of it.
    pub(super) fn end(&mut self, from: Side, reason: CloseReason, m: &mut Medium<'_>) -> bool {
        let to = from.other();
        let unheard = matches!(self.stages[to], Stage::Told | Stage::Left | Stage::Gone);
        let pipe = &mut self.pipes[from];
        if unheard || pipe.flow == Flow::Silent {
            return false;
        }
        let ended = std::mem::replace(&mut pipe.flow, Flow::Sealed) == Flow::Sealed;
        match reason {
            CloseReason::Fin if ended => return false,
            CloseReason::Fin => (),
            CloseReason::Reset => pipe.lose_flights(),
        }
        if reason == CloseReason::Reset && !self.is_listening(to) {
            // The connect itself was still on its way: the server never hears of it.
            self.stages[to] = Stage::Left;
            return false;
        }
        self.send(from, Cargo::End(reason), Span(0), m);
        true
    }

    /// This side takes no more part: `stage` says how it went. What comes for it is lost.
    pub(super) fn leave(
        &mut self,
        side: Side,
        stage: Stage,
        reason: CloseReason,
        m: &mut Medium<'_>,
    ) {
        self.stages[side] = stage;
        self.pipes[side.other()].abandon();
        self.end(side, reason, m);
    }

    /// Both ends give the connection up at `due`, each by itself.
    pub(super) fn give_up(&mut self, due: Time, m: &mut Medium<'_>) {
        for from in Side::BOTH {
            if self.pipes[from].flow == Flow::Silent {
                continue;
            }
            self.pipes[from].lose_flights();
            self.pipes[from].flow = Flow::Sealed;
            if self.is_listening(from.other()) {
                self.send_at(from, Cargo::GiveUp, due, m);
            }
        }
    }
}

/// When something that leaves at `from` arrives; [`FAR`] if the link holds it for ever.
pub(super) fn arrival(link: &Link, from: Time, extra: Span) -> Time {
    if from.max(link.clog_until) >= FAR { FAR } else { link.arrival(from, extra) }
}
