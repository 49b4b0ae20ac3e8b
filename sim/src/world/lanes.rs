//! Who lives where, and whether messages may be given to them the short way.

use super::core::Core;
use crate::actor::Actor;
use crate::id::{ActorId, Incarnation, NodeId};

/// What the way of a message wants to know of its receiver, in one place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lane {
    /// Where the actor lives.
    pub(crate) node: NodeId,
    /// The life to which messages may be given the short way; 0 while the node is down or stands still, and until somebody
    /// has looked after that.
    pub(crate) open: Incarnation,
    /// The life that something sent now will meet, if it meets any: the next one while the node is down.
    pub(crate) expected: Incarnation,
}

/// The actors by node, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Residents {
    pub(crate) actors: Vec<ActorId>,
    /// Where those of each node begin, and where those of the last one end.
    from: Vec<usize>,
}

impl Residents {
    /// Starts over with actors that live here. Keeps its memory.
    pub(crate) fn reset(&mut self, nodes: usize, homes: &[NodeId]) {
        self.actors.clear();
        self.from.clear();
        for node in 0..nodes {
            self.from.push(self.actors.len());
            let here = homes.iter().zip(0..).filter(|(home, _)| usize::from(home.0) == node);
            self.actors.extend(here.map(|(_, actor)| ActorId(actor)));
        }
        self.from.push(self.actors.len());
    }

    /// Where the actors of a node stand.
    pub(crate) fn of(&self, node: NodeId) -> std::ops::Range<usize> {
        let node = usize::from(node.0);
        self.from[node]..self.from[node + 1]
    }
}

impl<A: Actor> Core<A> {
    #[inline]
    pub(crate) fn lane(&self, actor: ActorId) -> Lane {
        self.lanes[usize::from(actor.0)]
    }

    /// A node has gone up or down, or stands still: what its actors' lanes know of it.
    pub(crate) fn update_lanes(&mut self, node: NodeId) {
        let seat = &self.seats[usize::from(node.0)];
        let goes_on = seat.up && seat.paused_until < self.now;
        let open = if goes_on { seat.incarnation } else { Incarnation(0) };
        let expected = seat.expected();
        for actor in &self.residents.actors[self.residents.of(node)] {
            let lane = &mut self.lanes[usize::from(actor.0)];
            (lane.open, lane.expected) = (open, expected);
        }
    }

    /// Opens the lanes of all nodes that go on again: often it is more than one.
    #[cold]
    pub(crate) fn open_lanes(&mut self) {
        for (node, _) in (0..).zip(0..self.seats.len()) {
            self.update_lanes(NodeId(node));
        }
    }
}
