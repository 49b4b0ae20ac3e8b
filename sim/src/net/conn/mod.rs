//! Connections: ordered byte streams with arbitrary segmentation and bounded buffers.
//!
//! ```text
//!   actor ── connect, write, read, close ──▶ Conns ── Wake { due, .. } ──▶ the world's agenda
//!   nemesis ── strike, node_killed, .. ──▶     ▲                               │
//!   actor ◀── (End, ConnEvent) ── wake() ──────┴───────────────────────────────┘ when due
//! ```
//!
//! A pure data structure: every call gets a [`Medium`] (the time, the links, the decisions) and leaves the wakes that it
//! wants there. The promises to an actor:
//!
//! - Bytes arrive in order, none lost and none twice, for as long as the connection lives.
//! - Each piece that arrives is one `Readable`; bytes left unread get no reminder. Where a piece ends says nothing about
//!   where a write ended.
//! - At most `buffer` bytes a direction are written and not yet read. A write that does not fit is cut short, and one
//!   `Writable` follows when there is room.
//! - `close` ends both directions for the one who calls it, as closing a socket does. The other end sees `Closed` after
//!   the bytes (`Fin`) or instead of them (`Reset`); what it had written but was not read is lost. It may read on what has
//!   arrived, and writes nothing more.
//! - After `Closed`, `Refused` or its own `close` an end gets no more events.
//!
//! Reading order: here the vocabulary and the calls of actors, `arrive.rs` for what a wake does, `trouble.rs` for faults
//! and deaths, `one.rs` and `pipe.rs` for the state, `sites.rs` for the decisions, `seen.rs` for what is counted.

mod arrive;
mod one;
mod pipe;
mod seen;
mod sites;
mod trouble;

pub use seen::{Seen, Sight};
pub use sites::{CONNECT, CORRUPT, CUT, SEGMENT};
pub use trouble::{Trouble, Which};

use crate::actor::{CloseReason, Me};
use crate::choose::{Choices, FixedState};
use crate::id::{ActorId, ConnId, Incarnation, NodeId, StepId};
use crate::net::Links;
use crate::time::{Span, Time};
use hashbrown::HashMap;
use one::{Conn, Stage};
use pipe::{Buffers, Cargo, Flow};
use sites::Knock;

/// Who holds an end: the actor, its node, and which life of the node it connected or accepted in.
pub type End = Me;

/// The two sides of a connection. A direction is named by the side that writes into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The one that has connected.
    Client,
    /// The one that has accepted.
    Server,
}

impl Side {
    /// Both, the client first.
    pub const BOTH: [Side; 2] = [Side::Client, Side::Server];

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Side {
        match self {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }
}

/// A connection in the hands of one of its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Socket {
    /// Who holds it.
    pub owner: End,
    /// Which connection.
    pub conn: ConnId,
}

/// Something that will be due: the world hands it back to [`Conns::wake`] at that time, or later while a node is paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Wake {
    /// When, at least 1 ns after the call that asked for it.
    pub due: Time,
    /// The connection.
    pub conn: ConnId,
    /// The step that set it going: the write behind a `Readable`, the read behind a `Writable`.
    pub cause: StepId,
    /// What for.
    pub what: ConnWake,
}

/// What a [`Wake`] is for. The serial tells one that still matters from one that was overtaken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnWake {
    /// The next thing of what `from` sends arrives.
    Arrive {
        /// The sending side.
        from: Side,
        /// The number of the wake.
        serial: u32,
    },
    /// `from` learns that there is room for more of its bytes.
    Room {
        /// The writing side.
        from: Side,
        /// The number of the wake.
        serial: u32,
    },
}

/// What connections run over, at one moment.
#[derive(Debug)]
pub struct Medium<'a> {
    /// Virtual time.
    pub now: Time,
    /// The step in which this happens.
    pub step: StepId,
    /// All links, as they are now.
    pub links: &'a Links,
    /// The decisions of the run.
    pub choices: &'a mut Choices,
    /// Where wakes are left for the agenda.
    pub wakes: &'a mut Vec<Wake>,
}

/// What a node is to those who connect to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Host {
    /// Runs, in this life.
    Up(Incarnation),
    /// The machine runs and the process does not: connects are refused.
    Down,
    /// Without power: silent.
    Dark,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    host: Host,
    refuse_until: Time,
    hang_until: Time,
}

/// All connections of a world.
#[derive(Clone, Debug, Default)]
pub struct Conns {
    buffer: u32,
    nodes: Vec<Node>,
    conns: Vec<Conn>,
    /// How often each client has connected to each server.
    counts: HashMap<(ActorId, ActorId), u32, FixedState>,
    spare: Vec<Buffers>,
    seen: Seen,
}

impl Conns {
    /// Starts over: no connections, all nodes down. `buffer` bounds the bytes of one direction that are written and not yet
    /// read, in bytes, at least 1. Keeps its memory.
    pub fn reset(&mut self, nodes: usize, buffer: u32) {
        self.buffer = buffer.max(1);
        let down = Node { host: Host::Down, refuse_until: Time(0), hang_until: Time(0) };
        self.nodes.clear();
        self.nodes.resize(nodes, down);
        for mut conn in self.conns.drain(..) {
            self.spare.extend(conn.pipes.0.iter_mut().map(pipe::Pipe::take));
        }
        self.spare.retain(|buffers| buffers.bytes.capacity() + buffers.flights.capacity() > 0);
        self.counts.clear();
        self.seen.reset();
    }

    /// What has happened to connections since this was asked last, in order.
    pub fn news(&mut self) -> std::vec::Drain<'_, Sight> {
        self.seen.news()
    }

    /// Whether anything has.
    #[inline]
    #[must_use]
    pub const fn has_news(&self) -> bool {
        self.seen.has_news()
    }

    /// What has happened to connections since the reset.
    #[must_use]
    pub const fn seen(&self) -> &Seen {
        &self.seen
    }

    /// How many bits of a connection have flipped since it was made, in both directions.
    #[must_use]
    pub fn flips(&self, conn: ConnId) -> u32 {
        self.conns.get(conn.0 as usize).map_or(0, |conn| conn.flips)
    }

    /// The ends that are open: an actor has accepted, or was told that it is connected; it has not closed since, was not told
    /// of an end, and has not died.
    pub fn open(&self) -> impl Iterator<Item = Socket> + '_ {
        let ends = self.conns.iter().flat_map(|conn| Side::BOTH.map(|side| (conn, side)));
        let open = ends.filter(|(conn, side)| conn.stages[*side] == Stage::Open);
        open.map(|(conn, side)| Socket { owner: conn.ends[side], conn: conn.id })
    }

    /// Whether an actor was told of the end of a connection, and has not closed it.
    #[must_use]
    pub fn is_told(&self, conn: ConnId, actor: ActorId) -> bool {
        self.conns.get(conn.0 as usize).is_some_and(|conn| {
            let mut sides = Side::BOTH.into_iter();
            sides.any(|s| conn.ends[s].actor == actor && conn.stages[s] == Stage::Told)
        })
    }

    /// Client and server of a connection. The server has incarnation 0 until it has accepted.
    #[must_use]
    pub fn ends(&self, conn: ConnId) -> Option<[End; 2]> {
        self.conns.get(conn.0 as usize).map(|conn| conn.ends.0)
    }

    /// Begins to connect to actor `to` on node `at`. Answered by `Opened` or `Refused`, or by nothing at all. An actor that
    /// connects to itself is refused.
    ///
    /// # Panics
    /// At connection 2^32 of a run.
    pub fn connect(&mut self, client: End, to: ActorId, at: NodeId, m: &mut Medium<'_>) -> ConnId {
        let id = ConnId(u32::try_from(self.conns.len()).expect("fewer than 2^32 connections"));
        let nth = *self.counts.entry((client.actor, to)).and_modify(|n| *n += 1).or_insert(1);
        let server = End { actor: to, node: at, incarnation: Incarnation(0) };
        let memory = [(); 2].map(|()| self.spare.pop().unwrap_or_default());
        let mut conn = Conn::new(id, nth, [client, server], memory);
        conn.refused = client.actor == to;
        let knock = if m.choices.is_live(&CONNECT) {
            sites::knock(m.choices, conn.key(Side::Client, 0))
        } else {
            Knock::Calm
        };
        let extra = match knock {
            Knock::Calm => Span(0),
            Knock::Refuse => {
                conn.refused = true;
                Span(0)
            }
            Knock::Hang => {
                self.seen.note_chosen(Sight::HungConnect);
                conn.pipes[Side::Client].silence();
                self.conns.push(conn);
                return id;
            }
            Knock::Later(span) => {
                self.seen.note(Sight::DelayedConnect);
                span
            }
        };
        note_link(&mut self.seen, &conn, Side::Client, m);
        conn.send(Side::Client, Cargo::Open, extra, m);
        self.conns.push(conn);
        id
    }

    /// Writes what fits and answers how many bytes that was; `Writable` follows if it was less than all. Answers 0, and
    /// counts a misuse, where the owner has nothing to write into: before `Opened`, after an end, with a connection of
    /// somebody else or of another incarnation.
    pub fn write(&mut self, socket: Socket, data: &[u8], m: &mut Medium<'_>) -> usize {
        let Some((i, side)) = self.find(socket, &[Stage::Open]) else { return 0 };
        let pipe = &mut self.conns[i].pipes[side];
        let fits = data.len().min(pipe.room(self.buffer));
        pipe.blocked = fits < data.len();
        if pipe.blocked {
            self.seen.note(Sight::ShortWrite);
        }
        if fits > 0 {
            self.conns[i].send_bytes(side, &data[..fits], m);
            let Conns { conns, seen, .. } = self;
            note_link(seen, &conns[i], side, m);
        }
        fits
    }

    /// Takes up to `max` bytes that have arrived, appends them to `into` and answers how many. This works on after `Closed`,
    /// not after the owner's own close, which like other misuse answers 0.
    pub fn read(
        &mut self,
        socket: Socket,
        max: usize,
        into: &mut Vec<u8>,
        m: &mut Medium<'_>,
    ) -> usize {
        let Some((i, side)) = self.find(socket, &[Stage::Open, Stage::Told]) else { return 0 };
        let conn = &mut self.conns[i];
        let from = side.other();
        let n = conn.pipes[from].hand_over(max, into);
        if n > 0 && conn.pipes[side].flow != Flow::Silent {
            // That there is room travels with the other direction, and is lost where that is lost.
            let pipe = &mut conn.pipes[from];
            pipe.free();
            if pipe.blocked && pipe.room_due.is_none() {
                conn.offer_room(from, m.step, m);
            }
        }
        self.collect(i);
        n
    }

    /// Ends a connection for its owner. With `Fin` what was written still arrives; with `Reset` what is in flight is lost.
    /// After `Closed` or `Refused` it merely lets go of what was not read.
    pub fn close(&mut self, socket: Socket, reason: CloseReason, m: &mut Medium<'_>) {
        let stages = [Stage::Opening, Stage::Open, Stage::Told];
        let Some((i, side)) = self.find(socket, &stages) else { return };
        self.conns[i].leave(side, Stage::Left, reason, m);
        self.collect(i);
    }

    /// The connection and side behind a socket whose side has come to one of these stages; anything else is a misuse.
    fn find(&mut self, socket: Socket, stages: &[Stage]) -> Option<(usize, Side)> {
        let i = socket.conn.0 as usize;
        let side = self.conns.get(i).and_then(|conn| {
            conn.side(socket.owner).filter(|side| stages.contains(&conn.stages[*side]))
        });
        if side.is_none() {
            self.seen.note(Sight::Misuse);
        }
        side.map(|side| (i, side))
    }

    /// Keeps the memory of directions that are over for connections to come.
    fn collect(&mut self, i: usize) {
        for pipe in &mut self.conns[i].pipes.0 {
            self.spare.extend(pipe.give_back());
        }
    }
}

/// Notes what the link does to something that is sent now.
fn note_link(seen: &mut Seen, conn: &Conn, from: Side, m: &Medium<'_>) {
    let link = conn.link(from, m);
    if m.now < link.clog_until {
        seen.note(Sight::Clogged);
    }
    if m.now < link.slow_until {
        seen.note(Sight::Slowed);
    }
}

#[cfg(test)]
mod tests;
