//! What is done to connections: faults, and the deaths of their ends.

use super::one::{Conn, Stage};
use super::pipe::{FAR, Flow};
use super::{Conns, Host, Medium, Side, Sight};
use crate::actor::CloseReason;
use crate::id::{ConnId, Incarnation, NodeId};
use crate::time::Time;

/// Which connections a trouble strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Which {
    /// One connection; a direction, where that matters, by the side that writes.
    One {
        /// The connection.
        conn: ConnId,
        /// The writing side.
        from: Side,
    },
    /// All between two nodes, whoever has connected; a direction, where that matters, by the node that writes.
    Between {
        /// The writing node.
        from: NodeId,
        /// The reading node.
        to: NodeId,
    },
}

/// What strikes a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// Both ends see a reset a latency later, as when a firewall forgets the connection. What is in flight is lost.
    Reset,
    /// Both ends see an orderly end after the bytes already written, as from a middlebox. Later writes are lost.
    Close,
    /// Nothing more arrives in one direction, for ever and without an event: half-open. The news that there is room travels
    /// in that direction, too, so the other one fills up.
    Silence,
    /// Of the bytes that arrive next in one direction only a prefix does. Then the reader sees this end, and the writer a
    /// reset.
    Tear(CloseReason),
}

impl Conns {
    /// Strikes, and answers how many connections that met; those for which it changes nothing are not counted.
    pub fn strike(&mut self, which: Which, trouble: Trouble, m: &mut Medium<'_>) -> u32 {
        let mut struck = 0;
        for i in 0..self.conns.len() {
            let conn = &mut self.conns[i];
            let Some(from) = conn.direction(which) else { continue };
            if let Some(sight) = conn.strike(from, trouble, m) {
                struck += 1;
                // A tear is seen when it tears.
                if sight != Sight::Torn {
                    self.seen.note(sight);
                }
            }
            self.collect(i);
        }
        struck
    }

    /// Until then this node refuses all connects.
    pub fn refuse_connects(&mut self, node: NodeId, until: Time) {
        let node = &mut self.nodes[usize::from(node.0)];
        node.refuse_until = node.refuse_until.max(until);
    }

    /// Until then connects to this node wait, as when its queue of them is full.
    pub fn hang_connects(&mut self, node: NodeId, until: Time) {
        let node = &mut self.nodes[usize::from(node.0)];
        node.hang_until = node.hang_until.max(until);
    }

    /// A node has booted, for the first time or again: it accepts. What peers still have for its dead incarnation reaches
    /// it now, and is answered by a reset; connects that it left unanswered reach it, too.
    pub fn node_up(&mut self, node: NodeId, incarnation: Incarnation, m: &mut Medium<'_>) {
        self.nodes[usize::from(node.0)].host = Host::Up(incarnation);
        for conn in &mut self.conns {
            for from in Side::BOTH {
                let waits = conn.pipes[from].flights.front().is_some_and(|f| f.due >= FAR);
                if conn.ends[from.other()].node == node && waits {
                    let due = conn.arrival(from, m);
                    conn.postpone(from, due, m);
                }
            }
        }
    }

    /// The process of a node is killed: peers see a reset, and connects are refused. Answers how many ends died.
    pub fn node_killed(&mut self, node: NodeId, m: &mut Medium<'_>) -> u32 {
        self.process_ends(node, CloseReason::Reset, m)
    }

    /// The process of a node has stopped in order: peers see its end after its bytes, and connects are refused. Answers how
    /// many ends it still had.
    pub fn node_stopped(&mut self, node: NodeId, m: &mut Medium<'_>) -> u32 {
        self.process_ends(node, CloseReason::Fin, m)
    }

    fn process_ends(&mut self, node: NodeId, reason: CloseReason, m: &mut Medium<'_>) -> u32 {
        self.nodes[usize::from(node.0)].host = Host::Down;
        let sight = match reason {
            CloseReason::Fin => Sight::Stopped,
            CloseReason::Reset => Sight::Killed,
        };
        self.each_end(node, |conn, side| {
            let lived = conn.is_listening(side);
            if lived {
                conn.leave(side, Stage::Gone, reason, m);
            }
            lived.then_some(sight)
        })
    }

    /// A node loses its power: peers see nothing, until they write to it after it has booted. What is already on the wire
    /// arrives, unless it meets a cut. Answers how many ends died.
    pub fn node_crashed(&mut self, node: NodeId) -> u32 {
        self.nodes[usize::from(node.0)].host = Host::Dark;
        self.each_end(node, |conn, side| {
            if (side, conn.stages[side]) == (Side::Server, Stage::Opening) {
                // It has not heard of this connection, and may yet accept it in its next life.
                return None;
            }
            conn.pipes[side].orphan = true;
            let lived = conn.is_listening(side);
            conn.stages[side] = Stage::Gone;
            lived.then_some(Sight::PowerLost)
        })
    }

    /// Does this to each end on a node, and counts and notes what it answers.
    fn each_end(
        &mut self,
        node: NodeId,
        mut end: impl FnMut(&mut Conn, Side) -> Option<Sight>,
    ) -> u32 {
        let mut ends = 0;
        for i in 0..self.conns.len() {
            for side in Side::BOTH {
                if self.conns[i].ends[side].node == node
                    && let Some(sight) = end(&mut self.conns[i], side)
                {
                    self.seen.note(sight);
                    ends += 1;
                }
            }
            self.collect(i);
        }
        ends
    }

    /// Ends all trouble that can end, after the links have healed: servers take connects, nothing more is torn, and all that
    /// is on the way arrives within a latency. What was decided about a connection stays: silence is for ever.
    pub fn heal(&mut self, m: &mut Medium<'_>) {
        for node in &mut self.nodes {
            node.refuse_until = node.refuse_until.min(m.now);
            node.hang_until = node.hang_until.min(m.now);
        }
        for conn in &mut self.conns {
            for from in Side::BOTH {
                conn.pipes[from].torn = None;
                conn.hurry(from, m);
            }
        }
    }
}

impl Conn {
    /// The direction of this connection that is meant, if any.
    fn direction(&self, which: Which) -> Option<Side> {
        match which {
            Which::One { conn, from } => (conn == self.id).then_some(from),
            Which::Between { from, to } => Side::BOTH
                .into_iter()
                .find(|side| self.ends[*side].node == from && self.ends[side.other()].node == to),
        }
    }

    /// What struck, if there was anything to strike.
    fn strike(&mut self, from: Side, trouble: Trouble, m: &mut Medium<'_>) -> Option<Sight> {
        let open = Side::BOTH.iter().all(|side| self.stages[*side] == Stage::Open);
        // Whoever reads this direction still hopes for something.
        let hopeful = self.pipes[from].flow != Flow::Silent
            && !matches!(self.stages[from.other()], Stage::Told | Stage::Left | Stage::Gone);
        match trouble {
            Trouble::Reset => {
                let heard = Side::BOTH.map(|from| self.end(from, CloseReason::Reset, m));
                heard.contains(&true).then_some(Sight::Reset)
            }
            Trouble::Close if open => {
                let heard = Side::BOTH.map(|from| self.end(from, CloseReason::Fin, m));
                heard.contains(&true).then_some(Sight::Closed)
            }
            Trouble::Silence if hopeful => {
                self.pipes[from].silence();
                Some(Sight::Silenced)
            }
            Trouble::Tear(reason) if hopeful => {
                self.pipes[from].torn = Some(reason);
                Some(Sight::Torn)
            }
            Trouble::Close | Trouble::Silence | Trouble::Tear(_) => None,
        }
    }

    /// Nothing in this direction takes longer than a latency from now.
    fn hurry(&mut self, from: Side, m: &mut Medium<'_>) {
        let due = self.arrival(from, m);
        let back = self.arrival(from.other(), m);
        let flights = &mut self.pipes[from].flights;
        let late = flights.front().is_some_and(|front| front.due > due);
        for flight in flights {
            flight.due = flight.due.min(due);
        }
        if late {
            self.schedule(from, m);
        }
        if self.pipes[from].room_due.is_some_and(|room| room > back) {
            self.offer_room_at(from, back, m.step, m);
        }
    }
}
