//! Who is there: nodes, and the actors on them.

use crate::actor::{Actor, Family, Label, Names, Point};
use crate::choose::Site;
use crate::disk::{ClassSet, FileClass};
use crate::fault::NodeSet;
use crate::id::{ActorId, FileName, NodeId};

/// The nodes and newborn actors of a world.
#[derive(Clone, Debug)]
pub struct Topology<A: Actor> {
    nodes: Vec<NodeSpec>,
    actors: Vec<(NodeId, &'static str, A)>,
    classes: Vec<FileClass>,
}

#[derive(Clone, Copy, Debug)]
struct NodeSpec {
    prefix: &'static str,
    number: u16,
    client: bool,
}

impl<A: Actor> Default for Topology<A> {
    fn default() -> Topology<A> {
        Topology { nodes: Vec::new(), actors: Vec::new(), classes: Vec::new() }
    }
}

impl<A: Actor> Topology<A> {
    /// Adds a server node; nodes of one prefix are numbered from 0: `n0`, `n1`, ...
    pub fn server(&mut self, prefix: &'static str) -> NodeId {
        self.node(prefix, false)
    }

    /// Adds a client node, which the nemesis leaves alone.
    pub fn client(&mut self, prefix: &'static str) -> NodeId {
        self.node(prefix, true)
    }

    fn node(&mut self, prefix: &'static str, client: bool) -> NodeId {
        assert!(self.nodes.len() < 64, "a world has at most 64 nodes");
        let number = self.nodes.iter().filter(|n| n.prefix == prefix).count();
        let id = u16::try_from(self.nodes.len()).expect("at most 64 nodes");
        self.nodes.push(NodeSpec {
            prefix,
            number: u16::try_from(number).expect("at most 64 nodes"),
            client,
        });
        NodeId(id)
    }

    /// Puts an actor on a node. Actors are numbered from 0 in the order of these calls. The role names it after the node
    /// (`n0.timer`); the first actor of a node is called like the node.
    ///
    /// # Panics
    /// If there is no such node, or there are more than 65,535 actors.
    pub fn actor(&mut self, node: NodeId, role: &'static str, newborn: A) -> ActorId {
        assert!(usize::from(node.0) < self.nodes.len(), "an actor lives on a node of its topology");
        let id = u16::try_from(self.actors.len()).expect("at most 65,535 actors");
        self.actors.push((node, role, newborn));
        ActorId(id)
    }

    /// Names a class of files: those on any disk whose names begin like this. Where a world has classes, a plan gives some
    /// of them up on its fragile nodes, and files of other classes, or of none, are never damaged. Where it has none, all
    /// files on a fragile node may be.
    ///
    /// # Panics
    /// If there is a class of that name already, or there are too many.
    pub fn files(&mut self, name: &'static str, start: FileName) {
        assert!(self.classes.len() < ClassSet::MOST, "a world has at most 32 classes of files");
        assert!(self.class_of(name).is_err(), "each class of files has a name of its own");
        self.classes.push(FileClass { name, start });
    }

    /// The classes of files, by number.
    #[must_use]
    pub fn file_classes(&self) -> &[FileClass] {
        &self.classes
    }

    /// The number of a class of files.
    ///
    /// # Errors
    /// Says which classes there are.
    pub fn class_of(&self, name: &str) -> Result<usize, String> {
        let found = self.classes.iter().position(|class| class.name == name);
        found.ok_or_else(|| {
            let known: Vec<&str> = self.classes.iter().map(|class| class.name).collect();
            match known.is_empty() {
                true => format!("expected no class of files, since all are one, found `{name}`"),
                false => {
                    format!(
                        "expected one of the classes of files {}, found `{name}`",
                        known.join(" ")
                    )
                }
            }
        })
    }

    /// How many nodes there are.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// The actors, by number: home, role and newborn state.
    pub fn actors(&self) -> impl Iterator<Item = (NodeId, &'static str, &A)> {
        self.actors.iter().map(|(node, role, actor)| (*node, *role, actor))
    }

    /// Whether a client of the workload, by its number among [`Topology::clients`], can be asked for this.
    ///
    /// # Errors
    ///
    /// As [`Actor::takes`].
    pub fn takes(&self, client: u16, op: &A::Op) -> Result<(), String> {
        let actor = self.clients().nth(usize::from(client));
        actor.map_or(Ok(()), |actor| self.actors[usize::from(actor.0)].2.takes(op))
    }

    /// The actors on client nodes, in order: the clients of the workload.
    pub fn clients(&self) -> impl Iterator<Item = ActorId> + '_ {
        self.actors
            .iter()
            .zip(0..)
            .filter(|((node, ..), _)| self.is_client(*node))
            .map(|(_, i)| ActorId(i))
    }

    /// Whether it is a client node.
    #[must_use]
    pub fn is_client(&self, node: NodeId) -> bool {
        self.nodes[usize::from(node.0)].client
    }

    /// The server nodes.
    #[must_use]
    pub fn servers(&self) -> NodeSet {
        self.nodes_that(|node| !node.client)
    }

    /// The client nodes.
    #[must_use]
    pub fn client_nodes(&self) -> NodeSet {
        self.nodes_that(|node| node.client)
    }

    fn nodes_that(&self, are: fn(&NodeSpec) -> bool) -> NodeSet {
        let mut nodes = NodeSet::default();
        for (node, id) in self.nodes.iter().zip(0..) {
            if are(node) {
                nodes = nodes.with(NodeId(id));
            }
        }
        nodes
    }

    /// What each actor is called, in parts: prefix and number of its node, and its role if it is not the first one there.
    pub(crate) fn labels(&self) -> impl Iterator<Item = (&'static str, u16, &'static str)> + '_ {
        let mut named = NodeSet::default();
        self.actors.iter().map(move |(node, role, _)| {
            let NodeSpec { prefix, number, .. } = self.nodes[usize::from(node.0)];
            let role = if named.has(*node) { *role } else { "" };
            named = named.with(*node);
            (prefix, number, role)
        })
    }

    /// What everything is called.
    #[must_use]
    pub fn names(&self, points: &'static [Point], sites: &'static [&'static Site]) -> Names {
        let nodes: Vec<String> =
            self.nodes.iter().map(|n| format!("{}{}", n.prefix, n.number)).collect();
        let mut named = NodeSet::default();
        let mut actors = Vec::new();
        for (node, role, _) in &self.actors {
            let name = &nodes[usize::from(node.0)];
            actors.push(if named.has(*node) { format!("{name}.{role}") } else { name.clone() });
            named = named.with(*node);
        }
        let mut kinds: [&'static [&'static str]; 4] = [&[]; 4];
        kinds[Family::Message as usize] = A::Msg::KINDS;
        kinds[Family::Phase as usize] = A::Phase::KINDS;
        kinds[Family::Lock as usize] = A::Lock::KINDS;
        kinds[Family::Timer as usize] = A::Timer::KINDS;
        Names { nodes, actors, kinds, points, sites }
    }
}
