//! The map of the cluster: which node serves which vbucket and who follows it, by epochs; and what every node is to be.

use std::fmt;
use std::sync::Arc;

use crate::client::map as client;
use crate::client::op::Server;
use crate::vbucket::op::Vb;

/// The most replicas of a vbucket.
pub const REPLICAS_MAX: usize = 2;
/// The most vbuckets of a cluster.
pub const VBUCKETS_MAX: usize = 64;
/// The most data nodes of a cluster.
pub const NODES_MAX: u8 = 5;

/// Who has a vbucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chain {
    /// Serves clients.
    pub master: Server,
    /// Follow it; the first is the one that takes over.
    pub replicas: [Option<Server>; REPLICAS_MAX],
}

impl Chain {
    /// A vbucket on these nodes.
    #[must_use]
    pub fn of(master: Server, replicas: &[Server]) -> Chain {
        let mut of = [None; REPLICAS_MAX];
        for (place, replica) in of.iter_mut().zip(replicas) {
            *place = Some(*replica);
        }
        Chain { master, replicas: of }
    }

    /// The nodes that follow.
    pub fn followers(self) -> impl Iterator<Item = Server> {
        self.replicas.into_iter().flatten()
    }

    /// The same without a replica on this node.
    #[must_use]
    pub fn without(self, server: Server) -> Chain {
        let left: Vec<Server> = self.followers().filter(|other| *other != server).collect();
        Chain::of(self.master, &left)
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.master)?;
        self.followers().try_for_each(|replica| write!(f, "+{replica}"))
    }
}

/// Some of the data nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Servers(pub u8);

impl Servers {
    /// These.
    #[must_use]
    pub fn of(servers: impl IntoIterator<Item = Server>) -> Servers {
        Servers(servers.into_iter().fold(0, |set, server| set | 1 << server.0))
    }

    /// Whether a node is among them.
    #[must_use]
    pub fn has(self, server: Server) -> bool {
        self.0 & 1 << server.0 != 0
    }

    /// All of them, in order.
    pub fn iter(self) -> impl Iterator<Item = Server> {
        (0..8).map(Server).filter(move |server| self.has(*server))
    }
}

/// A vbucket is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Taking {
    /// To which node.
    pub to: Server,
    /// Since which epoch: what came of an earlier attempt does not count.
    pub session: u32,
    /// The stream by which it moves, among those from one node to another.
    pub lane: u8,
    /// Its master knows, so that the other one may begin. A master that does not know might take itself for the one to serve
    /// after it has given everything away.
    begins: bool,
}

impl Taking {
    /// A vbucket is offered to this node, which may not take it yet.
    #[must_use]
    pub fn offered(to: Server, session: u32, lane: u8) -> Taking {
        Taking { to, session, lane, begins: false }
    }

    /// Now it may.
    #[must_use]
    pub fn begun(self) -> Taking {
        Taking { begins: true, ..self }
    }
}

/// What is to become of a vbucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Part {
    /// The nodes that follow its master.
    pub followers: Servers,
    /// Where it moves to.
    pub taking: Option<Taking>,
}

/// What a node is to be for a vbucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// It has nothing of it.
    Nothing,
    /// It serves it.
    Active,
    /// It serves it, and hands it over.
    Give,
    /// It follows this node.
    Replica(Server),
    /// It takes it over from this node.
    Take(Server, Taking),
}

impl fmt::Display for Duty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Duty::Nothing => write!(f, "nothing"),
            Duty::Active => write!(f, "active"),
            Duty::Give => write!(f, "gives"),
            Duty::Replica(from) => write!(f, "follows {from}"),
            Duty::Take(from, _) => write!(f, "takes over from {from}"),
        }
    }
}

/// What everybody is to be, of one epoch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct View {
    /// Later ones have a greater one.
    pub epoch: u32,
    /// The nodes of the cluster.
    pub members: Servers,
    /// By the number of the vbucket: who owns it.
    pub masters: Arc<[Server]>,
    /// The same: who else has to do with it.
    pub parts: Vec<Part>,
}

impl View {
    /// What a node is to be for a vbucket.
    #[must_use]
    pub fn duty(&self, server: Server, vb: Vb) -> Duty {
        let at = usize::from(vb.0);
        let (Some(master), Some(part)) = (self.masters.get(at), self.parts.get(at)) else {
            return Duty::Nothing;
        };
        match part.taking {
            Some(_) if server == *master => Duty::Give,
            None if server == *master => Duty::Active,
            Some(taking) if taking.to == server && taking.begins => Duty::Take(*master, taking),
            _ if part.followers.has(server) => Duty::Replica(*master),
            _ => Duty::Nothing,
        }
    }

    /// The vbuckets.
    pub fn vbs(&self) -> impl Iterator<Item = Vb> + use<> {
        (0..).map(Vb).take(self.masters.len())
    }
}

/// Who else has to do with each vbucket, while these are on their way: to which chain, and, once they are being taken over,
/// how.
#[must_use]
pub fn parts(
    chains: &[Chain],
    moving: impl IntoIterator<Item = (Vb, Chain, Option<Taking>)>,
) -> Vec<Part> {
    let plain = |chain: &Chain| Part { followers: Servers::of(chain.followers()), taking: None };
    let mut parts: Vec<Part> = chains.iter().map(plain).collect();
    for (vb, to, taking) in moving {
        let at = usize::from(vb.0);
        let all = to.followers().chain([to.master]);
        let all = all.filter(|server| *server != chains[at].master);
        parts[at].followers.0 |= Servers::of(all).0;
        parts[at].taking = taking;
    }
    parts
}

/// The map as clients know it.
#[must_use]
pub fn for_clients(epoch: u32, chains: &[Chain]) -> client::Map {
    let places = chains
        .iter()
        .map(|chain| client::Place { master: chain.master, replica: chain.replicas[0] });
    client::Map { epoch, places: places.collect() }
}

/// A map as text.
#[must_use]
pub fn print(epoch: u32, chains: &[Chain]) -> String {
    let mut text = format!("epoch {epoch}:");
    for (vb, chain) in chains.iter().enumerate() {
        text.push_str(&format!(" v{vb}={chain}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_node_has_one_duty_for_each_vbucket() {
        let taking = Taking::offered(Server(1), 3, 0).begun();
        let part = |followers, taking| Part { followers: Servers(followers), taking };
        let view = View {
            epoch: 3,
            members: Servers(0b111),
            masters: [Server(0), Server(2)].into(),
            parts: vec![part(0b110, Some(taking)), part(0b001, None)],
        };
        let duties = |vb| [0, 1, 2].map(|server| view.duty(Server(server), Vb(vb)));
        let replica = |of| Duty::Replica(Server(of));
        assert_eq!(duties(0), [Duty::Give, Duty::Take(Server(0), taking), replica(0)]);
        assert_eq!(duties(1), [replica(2), Duty::Nothing, Duty::Active]);
        assert_eq!(duties(2), [Duty::Nothing; 3]);
    }

    #[test]
    fn a_chain_loses_a_replica() {
        let chain = Chain::of(Server(0), &[Server(1), Server(2)]);
        assert_eq!(chain.to_string(), "n0+n1+n2");
        assert_eq!(chain.without(Server(1)).to_string(), "n0+n2");
        assert_eq!(chain.without(Server(0)).to_string(), "n0+n1+n2");
    }
}
