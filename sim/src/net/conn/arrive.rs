//! What happens when a wake is due.

use super::one::{Conn, PATIENCE, Stage, arrival};
use super::pipe::{Cargo, FAR, Flow};
use super::sites::{self, Piece};
use super::{CORRUPT, CUT, ConnWake, Conns, End, Host, Medium, SEGMENT, Seen, Side, Sight, Wake};
use crate::actor::{CloseReason, ConnEvent};
use crate::time::Span;

impl Conns {
    /// Carries out a wake: the event that it brings, and the end to hand it to. `None` if it was overtaken, or if what
    /// comes has to wait, or comes to nobody. The world refuses an event whose incarnation is gone.
    pub fn wake(&mut self, wake: Wake, m: &mut Medium<'_>) -> Option<(End, ConnEvent)> {
        let i = wake.conn.0 as usize;
        let conn = self.conns.get(i)?;
        // What follows from it without an actor, such as the answer to a connect, has the same cause.
        let Medium { now, links, .. } = *m;
        let (choices, wakes) = (&mut *m.choices, &mut *m.wakes);
        let m = &mut Medium { now, step: wake.cause, links, choices, wakes };
        let (to, event) = match wake.what {
            ConnWake::Arrive { from, serial } if serial == conn.pipes[from].serial => {
                (from.other(), self.arrive(i, from, m))
            }
            ConnWake::Room { from, serial } if serial == conn.pipes[from].room_serial => {
                (from, self.room(i, from, wake, m))
            }
            ConnWake::Arrive { .. } | ConnWake::Room { .. } => return None,
        };
        self.collect(i);
        event.map(|event| (self.conns[i].ends[to], event))
    }

    /// The next thing in a direction arrives, unless the link or the host keeps it.
    fn arrive(&mut self, i: usize, from: Side, m: &mut Medium<'_>) -> Option<ConnEvent> {
        let Conns { conns, nodes, seen, .. } = self;
        let conn = &mut conns[i];
        let to = from.other();
        let cargo = conn.pipes[from].flights.front()?.cargo;
        if cargo != Cargo::GiveUp && conn.is_held(from, cargo, m, seen) {
            return None;
        }
        let node = &nodes[usize::from(conn.ends[to].node.0)];
        let knocks = from == Side::Client && cargo == Cargo::Open;
        if (knocks || conn.stages[to] == Stage::Gone) && node.host == Host::Dark {
            // It is sent again and again, and gets through once the machine runs.
            if knocks {
                seen.note(Sight::DeadServer);
            }
            conn.postpone(from, FAR, m);
            return None;
        }
        if conn.stages[to] == Stage::Gone {
            conn.pipes[from].abandon();
            // This answer comes from a machine that runs.
            conn.pipes[to].orphan = false;
            if conn.end(to, CloseReason::Reset, m) {
                seen.note(Sight::LateReset);
            }
            return None;
        }
        let id = conn.id;
        match cargo {
            Cargo::Open if knocks => self.knock(i, m),
            Cargo::Open => {
                conn.stages[to] = Stage::Open;
                conn.arrived(from, m);
                Some(ConnEvent::Opened { conn: id })
            }
            Cargo::Bytes(_) if conn.bytes_arrive(from, m, seen) => {
                Some(ConnEvent::Readable { conn: id })
            }
            Cargo::Bytes(_) => None,
            Cargo::Refuse => Some(conn.told(to, CloseReason::Reset)),
            Cargo::End(reason) => Some(conn.told(to, reason)),
            Cargo::GiveUp => Some(conn.told(to, CloseReason::Reset)),
        }
    }

    /// A connect reaches a machine that runs.
    fn knock(&mut self, i: usize, m: &mut Medium<'_>) -> Option<ConnEvent> {
        let conn = &mut self.conns[i];
        let (client, server) = (Side::Client, Side::Server);
        let node = &self.nodes[usize::from(conn.ends[server].node.0)];
        if m.now < node.hang_until {
            self.seen.note(Sight::HungConnect);
            conn.postpone(client, node.hang_until.min(FAR), m);
            return None;
        }
        let answer = match node.host {
            Host::Up(incarnation) if !conn.refused && node.refuse_until <= m.now => {
                conn.ends[server].incarnation = incarnation;
                conn.stages[server] = Stage::Open;
                conn.arrived(client, m);
                Cargo::Open
            }
            host => {
                let ends = &conn.ends;
                match host {
                    // Who connects to himself is refused without anybody's decision.
                    Host::Up(_) if conn.refused && ends[client].actor != ends[server].actor => {
                        self.seen.note_chosen(Sight::RefusedConnect);
                    }
                    Host::Up(_) => self.seen.note(Sight::RefusedConnect),
                    Host::Down | Host::Dark => self.seen.note(Sight::DeadServer),
                }
                conn.stages[server] = Stage::Left;
                conn.pipes[client].abandon();
                Cargo::Refuse
            }
        };
        // A client that has left meanwhile has sealed this direction, and is not answered.
        if conn.pipes[server].flow == Flow::Running {
            conn.send(server, answer, Span(0), m);
            if answer == Cargo::Refuse {
                conn.pipes[server].flow = Flow::Sealed;
            }
        }
        let from = conn.ends[client].actor;
        (answer == Cargo::Open).then_some(ConnEvent::Accepted { conn: conn.id, from })
    }

    /// A writer learns of room, unless it has used it up already or the link keeps the news.
    fn room(&mut self, i: usize, from: Side, wake: Wake, m: &mut Medium<'_>) -> Option<ConnEvent> {
        let conn = &mut self.conns[i];
        conn.pipes[from].room_due = None;
        let to = from.other();
        let link = conn.link(to, m);
        let waits = conn.pipes[from].blocked
            && conn.stages[from] == Stage::Open
            && conn.pipes[to].flow != Flow::Silent;
        if waits && (link.is_cut(m.now) || m.now < link.clog_until) {
            let cut = link.is_cut(m.now);
            self.seen.note(if cut { Sight::CutStall } else { Sight::Clogged });
            let due = arrival(link, m.now.max(link.cut_until), Span(0));
            conn.offer_room_at(from, due, wake.cause, m);
            return None;
        }
        if !waits || conn.pipes[from].room(self.buffer) == 0 {
            return None;
        }
        conn.pipes[from].blocked = false;
        Some(ConnEvent::Writable { conn: conn.id })
    }
}

impl Conn {
    /// Whether the link keeps what is next in this direction; then this has seen to what becomes of it.
    fn is_held(&mut self, from: Side, cargo: Cargo, m: &mut Medium<'_>, seen: &mut Seen) -> bool {
        let link = self.link(from, m);
        if link.is_cut(m.now) {
            self.meet_cut(from, cargo, m, seen);
            return true;
        }
        if m.now < link.clog_until {
            seen.note(Sight::Clogged);
            let due = self.arrival(from, m);
            self.postpone(from, due, m);
            return true;
        }
        false
    }

    fn meet_cut(&mut self, from: Side, cargo: Cargo, m: &mut Medium<'_>, seen: &mut Seen) {
        if self.pipes[from].orphan {
            // It would have to be sent again, and the machine that could is off.
            self.pipes[from].silence();
            return;
        }
        // A connect and its answer, and a reset, are simply sent again after the cut.
        let decides = matches!(cargo, Cargo::Bytes(_) | Cargo::End(CloseReason::Fin));
        let link = self.link(from, m);
        let after = arrival(link, link.cut_until, Span(0));
        match if decides { self.ask(&CUT, from, m) } else { 0 } {
            0 => {
                seen.note(Sight::CutStall);
                self.postpone(from, after, m);
            }
            1 => {
                seen.note(Sight::CutReset);
                self.give_up(after.min(m.now + PATIENCE), m);
            }
            _ => {
                seen.note(Sight::CutHalfOpen);
                self.pipes[from].silence();
            }
        }
    }

    /// Bytes arrive: all that are due in one piece, unless decided otherwise. Whether any did.
    fn bytes_arrive(&mut self, from: Side, m: &mut Medium<'_>, seen: &mut Seen) -> bool {
        let start = self.pipes[from].arrived;
        let len = self.pipes[from].due_upto(m.now) - start;
        if let Some(reason) = self.pipes[from].torn.take() {
            seen.note(Sight::Torn);
            return self.tear(from, len, reason, m);
        }
        let delayed = self.pipes[from].flights.front().is_some_and(|front| front.delayed);
        let piece = if delayed || !m.choices.is_live(&SEGMENT) {
            Piece::Now(len)
        } else {
            sites::segment(m.choices, self.key(from, start), len)
        };
        match piece {
            Piece::Later(span) => {
                seen.note(Sight::Delayed);
                if let Some(front) = self.pipes[from].flights.front_mut() {
                    front.delayed = true;
                }
                self.postpone(from, m.now + span, m);
                false
            }
            Piece::Now(n) => {
                if self.ask(&CORRUPT, from, m) != 0 {
                    seen.note(Sight::Flipped);
                    let bit = m.choices.detail(&CORRUPT, self.key(from, start), n * 8);
                    self.pipes[from].flip(bit);
                    self.flips = self.flips.saturating_add(1);
                }
                self.pipes[from].advance(start + n);
                if n < len {
                    seen.note(Sight::Split);
                    self.rest_later(from, m);
                }
                self.schedule(from, m);
                true
            }
        }
    }

    /// What a cut has left over travels on its own.
    fn rest_later(&mut self, from: Side, m: &mut Medium<'_>) {
        let due = self.arrival(from, m);
        if let Some(front) = self.pipes[from].flights.front_mut() {
            front.due = due;
        }
    }

    /// Of `len` bytes a prefix arrives, and nothing after it. Whether any did.
    fn tear(&mut self, from: Side, len: u64, reason: CloseReason, m: &mut Medium<'_>) -> bool {
        let start = self.pipes[from].arrived;
        let prefix = m.choices.detail(&SEGMENT, self.key(from, start), len);
        self.pipes[from].advance(start + prefix);
        self.pipes[from].lose_flights();
        // An end that was on its way is lost with the rest, so that this one takes its place.
        self.pipes[from].flow = Flow::Running;
        self.end(from, reason, m);
        self.end(from.other(), CloseReason::Reset, m);
        prefix > 0
    }

    /// A side learns that it is over.
    fn told(&mut self, side: Side, reason: CloseReason) -> ConnEvent {
        let refused = self.stages[side] == Stage::Opening;
        self.stages[side] = Stage::Told;
        self.pipes[side.other()].lose_flights();
        let conn = self.id;
        if refused { ConnEvent::Refused { conn } } else { ConnEvent::Closed { conn, reason } }
    }
}
