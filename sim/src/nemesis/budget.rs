//! What a scenario promises to survive. The nemesis may not exceed it, so every violation is a bug.

use crate::fault::{Fault, KindSet, LinkTrouble, NodeSet};
use crate::id::NodeId;
use crate::time::Time;

/// What a scenario promises to survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    /// The kinds of trouble that may come at all.
    pub kinds: KindSet,
    /// How many of the servers may be down, standing still or cut off at once.
    pub down_max: u32,
    /// How many of the servers may lose or damage what is durable; the plan draws which, and of the classes of files that
    /// the world has, which of those.
    pub fragile_max: u32,
    /// The most fault lines of a plan.
    pub faults_max: u32,
}

/// Keeps count of who is unavailable, and until when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    servers: NodeSet,
    down_max: u32,
    /// Per node: when it is expected to run again.
    away_until: Vec<Time>,
    /// Per node: when it is expected to be linked again, whether or not it runs.
    cut_until: Vec<Time>,
}

impl Account {
    /// Starts over. Keeps its memory.
    pub fn reset(&mut self, servers: NodeSet, nodes: usize, down_max: u32) {
        self.servers = servers;
        self.down_max = down_max;
        for until in [&mut self.away_until, &mut self.cut_until] {
            until.clear();
            until.resize(nodes, Time(0));
        }
    }

    /// The servers that a fault would make unavailable: the node itself, or the smaller side of a cut among servers.
    #[must_use]
    pub fn taken_by(&self, fault: &Fault) -> NodeSet {
        match fault {
            Fault::Down(_, node, _) | Fault::Pause(node, _) => {
                NodeSet(self.servers.0 & NodeSet::one(*node).0)
            }
            Fault::Link(LinkTrouble::Cut | LinkTrouble::Clog, path, _) => {
                let (from, to) =
                    (NodeSet(path.from.0 & self.servers.0), NodeSet(path.to.0 & self.servers.0));
                if from.is_empty() || to.is_empty() {
                    NodeSet::default()
                } else if from.len() <= to.len() {
                    from
                } else {
                    to
                }
            }
            Fault::Link(LinkTrouble::Slow(_), ..)
            | Fault::Slow(..)
            | Fault::Conn(..)
            | Fault::Connect(..)
            | Fault::Disk(..)
            | Fault::Clock(..) => NodeSet::default(),
        }
    }

    /// The servers that are away at `now`.
    #[must_use]
    pub fn away(&self, now: Time) -> NodeSet {
        let mut away = NodeSet::default();
        for node in self.servers.iter().filter(|n| usize::from(n.0) < self.away_until.len()) {
            let i = usize::from(node.0);
            if now < self.away_until[i].max(self.cut_until[i]) {
                away = away.with(node);
            }
        }
        away
    }

    /// Whether these may go away too.
    #[must_use]
    pub fn allows(&self, taken: NodeSet, now: Time) -> bool {
        taken.is_empty() || NodeSet(self.away(now).0 | taken.0).len() <= self.down_max
    }

    /// Books a node as down, or standing still, until then.
    pub fn book(&mut self, node: NodeId, until: Time) {
        let entry = &mut self.away_until[usize::from(node.0)];
        *entry = (*entry).max(until);
    }

    /// Books a node as cut off until then.
    pub fn cut_off(&mut self, node: NodeId, until: Time) {
        let entry = &mut self.cut_until[usize::from(node.0)];
        *entry = (*entry).max(until);
    }

    /// When the last of the nodes that are away is expected to run again.
    #[must_use]
    pub fn last_return(&self) -> Time {
        self.away_until.iter().copied().max().unwrap_or_default()
    }

    /// Says when a node really runs again; earlier bookings of its death or pause end there. It may still be cut off.
    pub fn back(&mut self, node: NodeId, at: Time) {
        self.away_until[usize::from(node.0)] = at;
    }
}
