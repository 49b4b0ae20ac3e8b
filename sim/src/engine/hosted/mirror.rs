//! What the world says about nodes and links, done to madsim's.

use super::{Hosted, Place, System, address};
use crate::engine::Simulation;
use crate::id::{Incarnation, NodeId};
use crate::nemesis::Plan;
use crate::time::Time;
use crate::world::Topology;
use madsim::net::NetSim;
use madsim::plugin;
use madsim::runtime::{Handle, NodeHandle};
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The nodes of madsim, and what was last done to them.
pub(super) struct Mirror {
    nodes: Vec<Node>,
    /// By from and to: whether the link delivers nothing.
    cut: Vec<bool>,
}

struct Node {
    handle: NodeHandle,
    /// Its life for the tasks that begin in it.
    told: Arc<AtomicU32>,
    life: Option<Incarnation>,
    still: bool,
}

impl Mirror {
    pub(super) fn new<S: System>(topology: &Topology<Hosted<S>>, plan: &Plan<Hosted<S>>) -> Mirror {
        let count = u16::try_from(topology.nodes()).expect("at most 64 nodes");
        let servers: Arc<[NodeId]> = topology.servers().iter().collect();
        let node = |id: NodeId| {
            let told = Arc::new(AtomicU32::new(1));
            let place = Place {
                node: id,
                life: Incarnation(1),
                servers: servers.clone(),
                config: plan.config.clone(),
                bugs: plan.bugs,
            };
            let (life, is_server) = (told.clone(), !topology.is_client(id));
            let begin = move || {
                let life = Incarnation(life.load(Ordering::Relaxed));
                let place = Place { life, ..place.clone() };
                async move {
                    if is_server {
                        S::serve(place).await;
                    }
                    pending::<()>().await;
                }
            };
            let handle = Handle::current().create_node().ip(address(id)).init(begin).build();
            Node { handle, told, life: Some(Incarnation(1)), still: false }
        };
        let nodes: Vec<Node> = (0..count).map(|id| node(NodeId(id))).collect();
        let cut = vec![false; nodes.len() * nodes.len()];
        Mirror { nodes, cut }
    }

    /// The node to spawn tasks on.
    pub(super) fn node(&self, id: NodeId) -> &NodeHandle {
        &self.nodes[usize::from(id.0)].handle
    }

    /// Does to madsim what the world says of this instant.
    pub(super) fn follow<S: System>(&mut self, simulation: &Simulation<Hosted<S>>, now: Time) {
        let (world, handle) = (&simulation.world, Handle::current());
        for (node, id) in self.nodes.iter_mut().zip((0..).map(NodeId)) {
            let life = world.is_up(id).then(|| world.incarnation(id));
            if node.life != life {
                if node.life.is_some() {
                    handle.kill(node.handle.id());
                }
                if let Some(life) = life {
                    node.told.store(life.0, Ordering::Relaxed);
                    handle.restart(node.handle.id());
                }
                (node.life, node.still) = (life, false);
            }
            let still = life.is_some() && world.stands_still(id, now);
            if node.still != still {
                if still {
                    handle.pause(node.handle.id());
                } else {
                    handle.resume(node.handle.id());
                }
                node.still = still;
            }
        }
        self.cut_links(simulation, now);
    }

    fn cut_links<S: System>(&mut self, simulation: &Simulation<Hosted<S>>, now: Time) {
        let net = plugin::simulator::<NetSim>();
        let ids = || (0..).map(NodeId).zip(&self.nodes);
        let pairs = ids().flat_map(|from| ids().map(move |to| (from, to)));
        for (was, ((from, one), (to, other))) in self.cut.iter_mut().zip(pairs) {
            let cut = from != to && simulation.world.is_cut(from, to, now);
            if *was != cut {
                if cut {
                    net.clog_link(one.handle.id(), other.handle.id());
                } else {
                    net.unclog_link(one.handle.id(), other.handle.id());
                }
                *was = cut;
            }
        }
    }

    /// Kills all: a task that is parked would keep everything that it holds.
    pub(super) async fn end(&self) {
        self.nodes.iter().for_each(|node| Handle::current().kill(node.handle.id()));
        madsim::task::yield_now().await;
    }
}
