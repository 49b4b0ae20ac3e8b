//! Streams that have lost their connections: how long they may stay away, and be remembered.

use std::collections::BTreeMap;

use seedbed_sim::check::Checked;
use seedbed_sim::id::{Incarnation as Life, NodeId};
use seedbed_sim::time::{Span, Time};

use crate::tap::frame::Name;

/// When streams lost their connections, and in which life of the node.
#[derive(Clone, Debug, Default)]
pub struct Away(BTreeMap<(NodeId, Name), (Time, Life)>);

impl Away {
    /// A stream of a node has lost its connection.
    pub fn lost(&mut self, (node, life): (NodeId, Life), name: Name, at: Time) {
        self.0.insert((node, name), (at, life));
    }

    /// For how long a stream has been without a connection, unless its node has begun a new life since.
    #[must_use]
    pub fn since(&self, (node, life): (NodeId, Life), name: Name, at: Time) -> Option<Span> {
        let (lost_at, lost_in) = self.0.get(&(node, name))?;
        (*lost_in == life).then(|| at.since(*lost_at))
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
        self.0.remove(&(node.0, name));
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
