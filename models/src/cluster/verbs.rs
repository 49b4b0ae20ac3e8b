//! The verbs of transcripts: maps, what moves in a rebalance, step by step, and who serves by which map, without actors.
//!
//! | verb | what it does | example |
//! |---|---|---|
//! | `cluster VBUCKETS REPLICAS NODE..` | a cluster of these nodes, and its first map | `cluster 8 1 n0 n1 n2` |
//! | `map` | the map of clients | `map` |
//! | `rebalance NODE..` | what has to move so that the cluster is of these nodes | `rebalance n0 n1 n3` |
//! | `step` | the next step of the rebalance: a vbucket is built, offered, taken over, or published | `step` |
//! | `progress` | how much of it is done | `progress` |
//! | `stop` | what is on its way goes back | `stop` |
//! | `failover NODE` | replicas take over from a node | `failover n1` |
//! | `duties VB` | what every node is to be for a vbucket | `duties v2` |
//! | `learn NODE` | a node learns of the present epoch | `learn n1` |
//! | `serves NODE VB` | whether a node serves a vbucket by the map that it knows | `serves n1 v2` |
//! | `counts ACTIVE REPLICA QUEUED` | whether nodes that count this have every item of the map's N, once and in each replica | `counts 5 10 0` |
//! | `items N` | there are so many items | `items 5` |

use std::collections::{BTreeMap, VecDeque};

use seedbed_sim::campaign::transcript::Verbs;

use crate::client::op::Server;
use crate::vbucket::op::Vb;

use super::balance::{balanced, dealt};
use super::map::{self, Chain, Duty, Servers, Taking, View};
use super::op::parse_server;
use super::reference::Counts;

/// A cluster that lines of text drive.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    replicas: usize,
    epoch: u32,
    members: Servers,
    goal: Servers,
    chains: Vec<Chain>,
    pending: VecDeque<(Vb, Chain)>,
    moving: Option<(Vb, Chain, Option<Taking>)>,
    total: usize,
    items: u64,
    /// What nodes know.
    known: BTreeMap<u8, View>,
}

/// The verbs that need a cluster.
const VERBS: [&str; 9] =
    ["map", "rebalance", "step", "progress", "stop", "failover", "duties", "learn", "serves"];

impl Verbs for Desk {
    fn run(&mut self, command: &str) -> Result<String, String> {
        let words: Vec<&str> = command.split(' ').collect();
        match words[..] {
            ["cluster", vbuckets, replicas, ref nodes @ ..] => {
                self.found(number(vbuckets, 64)?, number(replicas, 2)?, servers(nodes)?)
            }
            ["items", items] => {
                self.items = u64::from(number(items, 255)?);
                Ok("ok".into())
            }
            ["counts", active, replica, queued] => {
                let count = |text| number(text, 255).map(u64::from);
                let (active, replica, queued) = (count(active)?, count(replica)?, count(queued)?);
                let wrong = Counts { active, replica, queued }.wrong(self.items, self.many());
                Ok(wrong.unwrap_or_else(|| "right".into()))
            }
            [word, ..] if self.chains.is_empty() && VERBS.contains(&word) => {
                Err("there is no cluster; `cluster 8 1 n0 n1 n2` makes one".into())
            }
            ["map"] => Ok(map::print(self.epoch, &self.chains)),
            ["rebalance", ref nodes @ ..] => self.rebalance(servers(nodes)?),
            ["step"] => self.step(),
            ["progress"] => Ok(format!("{} %", self.percent())),
            ["stop"] => self.stop(),
            ["failover", node] => self.failover(parse_server(node)?),
            ["duties", vb] => self.duties(self.vb(vb)?),
            ["learn", node] => {
                let server = parse_server(node)?;
                self.known.insert(server.0, self.view());
                Ok(format!("{server} knows epoch {}", self.epoch))
            }
            ["serves", node, vb] => self.serves(parse_server(node)?, self.vb(vb)?),
            _ => Err(format!(
                "expected one of cluster, map, rebalance, step, progress, stop, failover, duties, learn, serves, items, counts; \
                 found `{command}`"
            )),
        }
    }
}

fn number(text: &str, most: u8) -> Result<u8, String> {
    let number = text.parse().ok().filter(|number| *number <= most);
    number.ok_or_else(|| format!("expected a number up to {most}, found `{text}`"))
}

fn servers(words: &[&str]) -> Result<Servers, String> {
    let servers: Result<Vec<Server>, String> = words.iter().map(|of| parse_server(of)).collect();
    match servers? {
        servers if servers.is_empty() => {
            Err(format!("expected nodes from n0 to n{}, found none", map::NODES_MAX - 1))
        }
        servers => Ok(Servers::of(servers)),
    }
}

impl Desk {
    fn found(&mut self, vbuckets: u8, replicas: u8, members: Servers) -> Result<String, String> {
        let replicas = replicas.into();
        let chains = dealt(vbuckets.max(1), members, replicas);
        let goal = members;
        *self = Desk { replicas, epoch: 1, members, goal, chains, ..Desk::default() };
        Ok(map::print(self.epoch, &self.chains))
    }

    fn vb(&self, text: &str) -> Result<Vb, String> {
        let vb: Vb = text.parse()?;
        let is_there = usize::from(vb.0) < self.chains.len();
        is_there.then_some(vb).ok_or_else(|| format!("expected a vbucket of the map, found {vb}"))
    }

    /// How many replicas each vbucket has.
    fn many(&self) -> u64 {
        let many = self.chains.iter().map(|chain| chain.followers().count()).min();
        many.unwrap_or_default() as u64
    }

    fn view(&self) -> View {
        let masters: Vec<Server> = self.chains.iter().map(|chain| chain.master).collect();
        let parts = map::parts(&self.chains, self.moving);
        View { epoch: self.epoch, members: self.members, masters: masters.into(), parts }
    }

    fn rebalance(&mut self, goal: Servers) -> Result<String, String> {
        if self.moving.is_some() || !self.pending.is_empty() {
            return Err("expected that nothing moves".into());
        }
        let chains = balanced(&self.chains, goal, self.replicas);
        let moves = (0..).map(Vb).zip(self.chains.iter().zip(chains));
        self.pending =
            moves.filter(|(_, (old, new))| *old != new).map(|(vb, (_, new))| (vb, new)).collect();
        self.members.0 |= goal.0;
        (self.goal, self.total) = (goal, self.pending.len());
        self.epoch += 1;
        let said = self
            .pending
            .iter()
            .map(|(vb, new)| format!("{vb}: {} -> {new}", self.chains[usize::from(vb.0)]));
        let said: Vec<String> = said.collect();
        Ok(if said.is_empty() { "nothing has to move".into() } else { said.join("\n") })
    }

    fn percent(&self) -> usize {
        let left = self.pending.len() + usize::from(self.moving.is_some());
        (self.total - left) * 100 / self.total.max(1)
    }

    fn step(&mut self) -> Result<String, String> {
        let Some((vb, to, taking)) = self.moving else {
            let Some((vb, to)) = self.pending.pop_front() else {
                return Err("expected something that moves".into());
            };
            self.moving = Some((vb, to, None));
            self.epoch += 1;
            return Ok(format!("epoch {}: {vb} is built on {to}", self.epoch));
        };
        self.epoch += 1;
        let old = self.chains[usize::from(vb.0)].master;
        if taking.is_none() && old != to.master {
            self.moving = Some((vb, to, Some(Taking::offered(to.master, self.epoch, 0))));
            return Ok(format!("epoch {}: {old} offers {vb} to {}", self.epoch, to.master));
        }
        if let Some(taking) = taking.filter(|taking| *taking != taking.begun()) {
            self.moving = Some((vb, to, Some(taking.begun())));
            return Ok(format!("epoch {}: {} takes {vb} over from {old}", self.epoch, to.master));
        }
        self.chains[usize::from(vb.0)] = to;
        self.moving = None;
        if self.pending.is_empty() {
            self.members = self.goal;
        }
        Ok(format!("epoch {}: {vb} is on {to}", self.epoch))
    }

    fn stop(&mut self) -> Result<String, String> {
        if self.moving.is_none() && self.pending.is_empty() {
            return Err("expected something that moves".into());
        }
        let done = self.percent();
        self.pending.clear();
        self.total = 0;
        let back = self.moving.take();
        self.epoch += 1;
        let said = back.map_or(String::new(), |(vb, ..)| format!(", {vb} stays where it is"));
        Ok(format!("epoch {}: stopped at {done} %{said}", self.epoch))
    }

    fn failover(&mut self, server: Server) -> Result<String, String> {
        let mut promoted = Vec::new();
        for (vb, chain) in (0..).map(Vb).zip(&self.chains) {
            if chain.master != server {
                continue;
            }
            let Some(heir) = chain.followers().next() else {
                return Err(format!("expected a replica of {vb}"));
            };
            promoted.push((vb, heir));
        }
        (self.moving, self.total) = (None, 0);
        self.pending.clear();
        for (vb, heir) in &promoted {
            let old = self.chains[usize::from(vb.0)];
            let left: Vec<Server> = old.followers().filter(|other| other != heir).collect();
            self.chains[usize::from(vb.0)] = Chain::of(*heir, &left);
        }
        for chain in &mut self.chains {
            *chain = chain.without(server);
        }
        self.members.0 &= !(1 << server.0);
        self.epoch += 1;
        Ok(map::print(self.epoch, &self.chains))
    }

    fn duties(&self, vb: Vb) -> Result<String, String> {
        let view = self.view();
        let all = (0..map::NODES_MAX).map(Server).map(|server| (server, view.duty(server, vb)));
        let said = all.filter(|(_, duty)| *duty != Duty::Nothing);
        let said: Vec<String> = said.map(|(server, duty)| format!("{server} {duty}")).collect();
        Ok(said.join(", "))
    }

    fn serves(&self, server: Server, vb: Vb) -> Result<String, String> {
        let Some(view) = self.known.get(&server.0) else { return Ok("no: it knows no map".into()) };
        let owner = view.masters[usize::from(vb.0)];
        Ok(match owner == server {
            true => format!("yes, by epoch {}", view.epoch),
            false => format!("no: {owner} does, by epoch {}", view.epoch),
        })
    }
}
