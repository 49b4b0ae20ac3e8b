//! What the checks remember: who owns which vbucket in which epoch, what each copy has been told, and, in the judge of the
//! clients, what stands in each key.
//!
//! The judge of the clients is told everything in its own words. A failover is a copy for it: the replica has what it had
//! taken in until then, and everything else is lost that may be lost.

mod replicas;
pub(super) mod streams;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use seedbed_sim::check::Checked;
use seedbed_sim::id::NodeId;
use seedbed_sim::time::Time;
use seedbed_sim::world::{Step, World};

use crate::client::judge::Ghost as Clients;
use crate::client::note::Note as ClientNote;
use crate::client::op::Server;
use crate::tap::judge::away::Away;
use crate::tap::note::Note as TapNote;
use crate::vbucket::memory::seconds;
use crate::vbucket::note::Note as NodeNote;
use crate::vbucket::op::{Key, State, Vb};
use crate::vbucket::response::Answer;

use super::checks::{COUNTED, MOVES_COMPLETELY, ONE_MAP, OWNS, PLACED};
use super::map::{Chain, Servers};
use super::model::Node;
use super::note::{How, Note};
use super::reference::{Counts, Placed, misplaced};
use replicas::{MORE, Rest};

/// What the checks remember from step to step.
#[derive(Clone, Debug, Default)]
pub struct Ghost {
    /// What clients may see.
    pub(super) clients: Clients,
    /// Who owns the vbuckets, by epoch.
    epochs: BTreeMap<u32, Arc<[Server]>>,
    /// The last epoch that a node has learned of, in its present life.
    learned: BTreeMap<NodeId, u32>,
    /// Who has acknowledged for a vbucket in an epoch.
    acknowledged: BTreeMap<(Vb, u32), NodeId>,
    /// Who owns a vbucket by the last map.
    owners: BTreeMap<Vb, NodeId>,
    /// Vbuckets whose owner was given up, and who is to be promoted.
    failing: BTreeMap<Vb, NodeId>,
    /// The version of each key that a copy was told last, since it was empty or read from disk.
    told: BTreeMap<(NodeId, Vb), BTreeMap<Key, u64>>,
    /// Copies that were read from disk, and not filled since.
    reloaded: BTreeSet<(NodeId, Vb)>,
    /// Copies that are active.
    active: BTreeSet<(NodeId, Vb)>,
    /// What owners had when they died for somebody else.
    left: BTreeMap<Vb, Vec<(Key, u64)>>,
    /// Streams without a connection.
    away: Away,
    /// When something was changed last, or somebody has lost something or become something else.
    changed_at: Time,
    /// Since when nothing has become of copies of vbuckets.
    rest: Rest,
    /// How many replicas each vbucket has, if all have as many.
    replicas: Option<u8>,
    /// Promises that this step was about, and the first one that it broke.
    said: Vec<&'static str>,
    broken: Option<Broken>,
}

/// A promise that was broken: its name, the class, and what was seen.
type Broken = (&'static str, &'static str, String);
type Judged = Result<(), Broken>;

impl Ghost {
    /// Takes in what this step says.
    pub(super) fn observe(&mut self, world: &World<Node>, step: &Step) {
        self.said.clear();
        self.clients.begin();
        if self.broken.is_some() {
            return;
        }
        for note in world.notes() {
            if let Err(broken) = self.take(world, step, note) {
                self.said.push(broken.0);
                self.broken = Some(broken);
                return;
            }
        }
    }

    /// What this step says about a promise.
    pub(super) fn verdict(&self, name: &'static str) -> Checked {
        match &self.broken {
            Some((broken, class, detail)) if *broken == name => {
                Checked::Broken(class, detail.clone())
            }
            _ if self.said.contains(&name) => Checked::Held,
            _ => Checked::Skipped,
        }
    }

    fn take(&mut self, world: &World<Node>, step: &Step, note: &Note) -> Judged {
        self.rest.take(note, step.at);
        match note {
            Note::Client(note) => {
                self.clients.observe_one(world, step, note);
                match note {
                    ClientNote::Replicated(key, verdict) => {
                        self.compared(world, step, (*key, *verdict))
                    }
                    _ => Ok(()),
                }
            }
            Note::Tap(TapNote::Data(note)) => match step.node {
                Some(node) => self.take_data(world, (step, node), note),
                None => Ok(()),
            },
            Note::Tap(TapNote::Applied(vb, key, cas)) => {
                if let Some(node) = step.node {
                    self.told.entry((node, *vb)).or_default().insert(*key, *cas);
                }
                Ok(())
            }
            Note::Tap(TapNote::Lost(name)) => {
                if let Some(node) = step.node {
                    self.away.lost((node, world.incarnation(node)), *name, step.at);
                }
                Ok(())
            }
            Note::Tap(TapNote::Connected(name, is_known)) => match step.node {
                Some(node) => self.connected(world, (node, step.at), (*name, *is_known)),
                None => Ok(()),
            },
            Note::Tap(_) => Ok(()),
            Note::Counted(active, replica, took) => {
                // What was counted was on its way for less than that when it was asked for.
                let is_at_rest = step.at.since(self.changed_at) > *took + MORE;
                self.counted((*active, *replica), is_at_rest, seconds(step.at))
            }
            Note::NotCounted(reported, took) => self.not_counted(world, step, (reported, *took)),
            Note::Published(epoch, masters, changes, replicas) => {
                self.changed_at = step.at;
                self.replicas = *replicas;
                let known = self.epochs.insert(*epoch, masters.clone());
                if known.is_some_and(|known| known != *masters) {
                    return Err((ONE_MAP, "published again", format!("of epoch {epoch}")));
                }
                self.published(world, step, masters, changes)
            }
            Note::Learned(epoch, masters) => {
                self.said.push(ONE_MAP);
                if let Some(node) = step.node {
                    self.learned.insert(node, *epoch);
                }
                match self.epochs.get(epoch) {
                    Some(known) if known == masters => Ok(()),
                    _ => Err((ONE_MAP, "another map", format!("of epoch {epoch}"))),
                }
            }
            Note::Finished(chains, members, replicas) => self.finished(chains, *members, *replicas),
        }
    }

    /// Items of masters and of replicas were counted. If nothing was changed meanwhile, that is what clients have stored,
    /// where each vbucket has as many replicas. What has run out may still be there.
    fn counted(&mut self, (active, replica): (u32, u32), is_at_rest: bool, second: u64) -> Judged {
        let Some(replicas) = self.replicas.filter(|_| is_at_rest) else { return Ok(()) };
        self.said.push(COUNTED);
        let ((least, _), (_, most)) = (self.clients.items(second), self.clients.items(0));
        let is_right = (least..=most).contains(&usize::try_from(active).unwrap_or(usize::MAX));
        let counts = Counts { active: active.into(), replica: replica.into(), queued: 0 };
        match counts.wrong(active.into(), replicas.into()) {
            Some(detail) => Err((COUNTED, "replicas", detail)),
            None if is_right => Ok(()),
            None => {
                let detail = format!("{active} items were counted, there are {least} to {most}");
                Err((COUNTED, "items", detail))
            }
        }
    }

    /// There is a new map.
    fn published(
        &mut self,
        world: &World<Node>,
        step: &Step,
        masters: &[Server],
        changes: &[(Vb, Server, How)],
    ) -> Judged {
        if self.owners.is_empty() {
            for (vb, server) in (0..).map(Vb).zip(masters) {
                let node = NodeId(server.0.into());
                self.owners.insert(vb, node);
                self.owned(world, (step, node), vb);
            }
        }
        for (vb, server, how) in changes {
            let node = NodeId(server.0.into());
            self.owners.insert(*vb, node);
            let is_active = self.active.contains(&(node, *vb));
            match how {
                How::Failover if !is_active => {
                    self.failing.insert(*vb, node);
                    continue;
                }
                // It had taken the vbucket over, and only the map was not there yet.
                How::Failover => {}
                How::Taken => {
                    self.said.push(MOVES_COMPLETELY);
                    if !is_active {
                        let detail =
                            format!("{vb} is given to {server}, which has not taken it over");
                        return Err((MOVES_COMPLETELY, "not taken over", detail));
                    }
                    self.moved(world, (step, node), *vb)?;
                }
            }
            self.failing.remove(vb);
            self.left.remove(vb);
            self.owned(world, (step, node), *vb);
        }
        Ok(())
    }

    /// A vbucket was taken over, and is served there from here on: everything must be there, unless that node has crashed
    /// since.
    fn moved(&self, world: &World<Node>, (step, node): (&Step, NodeId), vb: Vb) -> Judged {
        let is_there = world.is_up(node) && world.shared(node).tap.data.is_loaded;
        if !is_there || self.reloaded.contains(&(node, vb)) {
            return Ok(());
        }
        let held = held(world, node, vb);
        match self.clients.missing(vb, &held, seconds(step.at)) {
            None => Ok(()),
            Some(detail) => {
                Err((MOVES_COMPLETELY, "left behind", format!("{vb} on n{}: {detail}", node.0)))
            }
        }
    }

    /// A vbucket has another owner, for clients.
    fn owned(&mut self, world: &World<Node>, (step, node): (&Step, NodeId), vb: Vb) {
        let note = ClientNote::Node(NodeNote::Stands(vb, 0, State::Active, 0));
        self.clients.observe_one(world, &Step { node: Some(node), ..*step }, &note);
    }

    fn take_data(
        &mut self,
        world: &World<Node>,
        (step, node): (&Step, NodeId),
        note: &NodeNote,
    ) -> Judged {
        match note {
            NodeNote::Served(id, vb, request, answer) => {
                if request.call.key().is_some() {
                    self.changed_at = step.at;
                    self.tell(world, step, note);
                    return self.served((node, *vb), id.op.number, answer);
                }
                Ok(())
            }
            NodeNote::Queued(vb, key, cas, _) => {
                self.changed_at = step.at;
                self.told.entry((node, *vb)).or_default().insert(*key, *cas);
                self.tell(world, step, note);
                Ok(())
            }
            NodeNote::Expired(..)
            | NodeNote::Committed(..)
            | NodeNote::Second(_)
            | NodeNote::StandingSaved(..)
            | NodeNote::DropSaved(_)
            | NodeNote::Drained => {
                self.tell(world, step, note);
                Ok(())
            }
            NodeNote::Dropped(vb, _) => {
                self.told.remove(&(node, *vb));
                self.reloaded.remove(&(node, *vb));
                self.active.remove(&(node, *vb));
                self.tell(world, step, note);
                Ok(())
            }
            NodeNote::Loaded => {
                self.changed_at = step.at;
                self.loaded(world, node);
                self.tell(world, step, note);
                Ok(())
            }
            NodeNote::Stands(vb, _, state, _) => self.stands(world, (step, node), *vb, *state),
            _ => Ok(()),
        }
    }

    fn tell(&mut self, world: &World<Node>, step: &Step, note: &NodeNote) {
        self.clients.observe_one(world, step, &ClientNote::Node(note.clone()));
    }

    /// A node has read its disk, and knows no map.
    fn loaded(&mut self, world: &World<Node>, node: NodeId) {
        self.learned.remove(&node);
        self.told.retain(|(of, _), _| *of != node);
        self.active.retain(|(of, _)| *of != node);
        for (vb, vbucket) in &world.shared(node).tap.data.vbs {
            if world.incarnation(node).0 > 1 {
                self.reloaded.insert((node, *vb));
            }
            // It goes on from what its disk has.
            self.told.insert((node, *vb), held(world, node, *vb).into_iter().collect());
            if vbucket.standing.state == State::Active {
                self.active.insert((node, *vb));
            }
            // What was not on disk is lost.
            if self.owners.get(vb) == Some(&node) {
                self.left.remove(vb);
            }
        }
    }

    /// A request was carried out, or refused.
    fn served(&mut self, (node, vb): (NodeId, Vb), number: u32, answer: &Answer) -> Judged {
        if matches!(answer, Answer::NotMyVbucket | Answer::TemporaryFailure) {
            return Ok(());
        }
        self.said.push(OWNS);
        let Some(epoch) = self.learned.get(&node).copied() else {
            let detail = format!("n{} served #{number} of {vb} without a map", node.0);
            return Err((OWNS, "no map", detail));
        };
        let owner = self.epochs.get(&epoch).and_then(|owners| owners.get(usize::from(vb.0)));
        if owner.is_none_or(|owner| NodeId(owner.0.into()) != node) {
            let detail = format!("n{} served #{number} of {vb} in epoch {epoch}", node.0);
            return Err((OWNS, "not the owner", detail));
        }
        let other = *self.acknowledged.entry((vb, epoch)).or_insert(node);
        if other != node {
            let detail = format!("n{} and n{} in epoch {epoch}", other.0, node.0);
            return Err((OWNS, "two owners", detail));
        }
        Ok(())
    }

    /// A vbucket has this state on a node.
    fn stands(
        &mut self,
        world: &World<Node>,
        (step, node): (&Step, NodeId),
        vb: Vb,
        state: State,
    ) -> Judged {
        let is_owner = self.owners.get(&vb) == Some(&node);
        self.changed_at = step.at;
        if state != State::Active {
            self.active.remove(&(node, vb));
            if state == State::Dead && is_owner && world.is_up(node) {
                self.left.insert(vb, held(world, node, vb));
            }
            return Ok(());
        }
        if !self.active.insert((node, vb)) {
            return Ok(());
        }
        if self.failing.get(&vb) == Some(&node) {
            self.failing.remove(&vb);
            self.left.remove(&vb);
            self.promoted(world, (step, node), vb);
            return Ok(());
        }
        if is_owner {
            // It was given back to its master.
            self.left.remove(&vb);
            return Ok(());
        }
        let Some(left) = self.left.get(&vb).filter(|_| world.is_up(node)) else { return Ok(()) };
        self.said.push(MOVES_COMPLETELY);
        let held = held(world, node, vb);
        if held == *left {
            return Ok(());
        }
        let detail = format!("{vb} on n{}: {held:?}, not {left:?}", node.0);
        Err((MOVES_COMPLETELY, "left behind", detail))
    }

    /// A replica takes over from a node that was given up: it has what it was told.
    fn promoted(&mut self, world: &World<Node>, (step, node): (&Step, NodeId), vb: Vb) {
        let step = Step { node: Some(node), ..*step };
        let told = self.told.get(&(node, vb));
        let versions =
            told.map_or(Vec::new(), |told| told.iter().map(|(key, cas)| (*key, *cas)).collect());
        let number = step.id.0;
        let copying = ClientNote::Copying(vb, 0, number, versions);
        self.clients.observe_one(world, &step, &copying);
        self.clients.observe_one(world, &step, &ClientNote::Copied(vb, 0, number, Vec::new()));
        self.clients.observe_one(world, &step, &ClientNote::Failover(vb));
        self.owned(world, (&step, node), vb);
    }

    fn finished(&mut self, chains: &[Chain], members: Servers, replicas: u8) -> Judged {
        self.said.push(PLACED);
        let placed: Vec<Placed> = chains
            .iter()
            .map(|chain| (chain.master.0, chain.followers().map(|server| server.0).collect()))
            .collect();
        let nodes: Vec<u8> = members.iter().map(|server| server.0).collect();
        match misplaced(&placed, &nodes, replicas.into()) {
            None => Ok(()),
            Some(detail) => Err((PLACED, "misplaced", detail)),
        }
    }
}

/// The version of each key of a copy.
fn held(world: &World<Node>, node: NodeId, vb: Vb) -> Vec<(Key, u64)> {
    let vbucket = world.shared(node).tap.data.vbs.get(&vb);
    let entries = vbucket.into_iter().flat_map(|vbucket| vbucket.table.iter());
    entries.map(|(key, entry)| (key, entry.cas)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_at_rest_is_what_there_is_and_as_much_in_each_replica() {
        let is_right = |counted, is_at_rest| {
            let mut ghost = Ghost { replicas: Some(2), ..Ghost::default() };
            ghost.counted(counted, is_at_rest, 0).is_ok()
        };
        // Nobody has stored anything.
        assert!(is_right((0, 0), true));
        assert!(!is_right((0, 1), true) && !is_right((1, 2), true));
        assert!(is_right((1, 2), false), "somebody may have stored it meanwhile");
    }
}
