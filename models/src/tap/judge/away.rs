//! Streams that have lost their connections: how long they may stay away, and be remembered.

use std::collections::BTreeMap;

use seedbed_sim::check::Checked;
use seedbed_sim::id::{Incarnation as Life, NodeId};
use seedbed_sim::time::{Span, Time};

use crate::tap::frame::Name;

/// When streams lost their connections, and in which life of the node.
#[derive(Clone, Debug, Default)]
pub struct Away {
    lost: BTreeMap<(NodeId, Name), (Time, Life)>,
    /// The last look at a node, and the one since which it has not stood still.
    looks: BTreeMap<NodeId, (Time, Time)>,
}

impl Away {
    /// A stream of a node has lost its connection.
    pub fn lost(&mut self, (node, life): (NodeId, Life), name: Name, at: Time) {
        self.lost.insert((node, name), (at, life));
    }

    /// For how long a stream has been without a connection, unless its node has begun a new life since.
    #[must_use]
    pub fn since(&self, (node, life): (NodeId, Life), name: Name, at: Time) -> Option<Span> {
        let (lost_at, lost_in) = self.lost.get(&(node, name))?;
        (*lost_in == life).then(|| at.since(*lost_at))
    }

    /// For how long a node has been at work without standing still for so long, at this step of it.
    pub fn at_work(&mut self, node: NodeId, at: Time, still: Span) -> Span {
        let (last, since) = self.looks.entry(node).or_insert((at, at));
        if at.since(*last) > still {
            *since = at;
        }
        *last = at;
        at.since(*since)
    }

    /// A stream has a connection again: if it comes back in time, it is remembered.
    pub fn back(
        &mut self,
        node: (NodeId, Life),
        (name, is_known): (Name, bool),
        at: Time,
        keep_alive: Span,
    ) -> Checked {
        let away = self.since(node, name, at).filter(|away| *away < keep_alive);
        self.lost.remove(&(node.0, name));
        match away {
            None => Checked::Skipped,
            Some(_) if is_known => Checked::Held,
            Some(away) => {
                let detail = format!("{name} was away for {away} of {keep_alive}");
                Checked::Broken("forgotten", detail)
            }
        }
    }
}
