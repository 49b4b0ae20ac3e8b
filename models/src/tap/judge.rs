//! What the checks remember: the reference model of every vbucket, moved on by what its owner says that it did; what each
//! copy was at the end of each checkpoint; and what has been answered.

mod answered;
pub mod away;

use std::collections::BTreeMap;

use seedbed_sim::check::Checked;
use seedbed_sim::id::{NodeId, OpId};
use seedbed_sim::time::Time;
use seedbed_sim::world::{Step, World};

use crate::checkpoint::op::{EventKind, Incarnation};
use crate::vbucket::note::Note as DataNote;
use crate::vbucket::op::{Call, Key, Request, State, Update, Vb};
use crate::vbucket::response::Answer;
use crate::vbucket::vb::Changed;

use super::checks::{
    ANSWERS, KEPT_ALIVE, MOVES_COMPLETELY, ONE_OWNER, SNAPSHOT, STAYS_ANSWERED, difference,
};
use super::frame::Name;
use super::model::Node;
use super::note::Note;
use super::reference::{Item, Vbucket as Reference};
use answered::Answered;
use away::Away;

/// What the checks remember from step to step.
#[derive(Clone, Debug, Default)]
pub struct Ghost {
    owned: BTreeMap<Vb, Owned>,
    copies: BTreeMap<(NodeId, Vb), Copy>,
    answered: Answered,
    /// Streams without a connection.
    pub(super) away: Away,
    answers: BTreeMap<OpId, Vec<Answer>>,
    /// Promises that this step was about, and the first one that it broke.
    said: Vec<&'static str>,
    broken: Option<Broken>,
}

/// A vbucket as its owner has it.
#[derive(Clone, Debug, Default)]
struct Owned {
    owner: Option<NodeId>,
    /// The birth of the owner's copy: if its disk knows another one, it does not know that it is the owner.
    birth: u64,
    /// Who had it before, and what it was then: should the present owner forget that it is the owner.
    before: Option<(NodeId, u64, Reference)>,
    reference: Reference,
    /// What it was before its owner crashed while it was dead there. Who takes it over may have all of that, and been told
    /// that it is the owner: what the crash took back is not lost then.
    at_death: Option<Reference>,
    /// Every version that there was.
    versions: BTreeMap<u64, Item>,
}

/// The copy of a vbucket on a node, of one birth.
#[derive(Clone, Debug, Default)]
struct Copy {
    birth: u64,
    incarnations: Vec<Incarnation>,
    /// The version of each key, where it is active.
    held: BTreeMap<Key, u64>,
    /// The checkpoint that the last change went into.
    open: u64,
    /// What was there at the end of checkpoints.
    ends: BTreeMap<u64, Vec<(Key, u64)>>,
    /// What a replica has is known at the ends of checkpoints only.
    is_active: bool,
}

/// A promise that was broken: its name, the class, and what was seen.
type Broken = (&'static str, &'static str, String);
type Judged = Result<(), Broken>;

impl Ghost {
    /// Takes in what this step says.
    pub(super) fn observe(&mut self, world: &World<Node>, step: &Step) {
        if self.broken.is_some() {
            return;
        }
        self.said.clear();
        let Some(node) = step.node else { return };
        for note in world.notes() {
            if let Err(broken) = self.take(world, (node, step.at), note) {
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

    /// What was answered to an operation.
    pub(super) fn answers(&self, op: OpId) -> &[Answer] {
        self.answers.get(&op).map_or(&[], Vec::as_slice)
    }

    fn take(&mut self, world: &World<Node>, (node, at): (NodeId, Time), note: &Note) -> Judged {
        match note {
            Note::Data(note) => self.take_data(world, (node, at), note),
            Note::Connected(name, is_known) => self.connected(world, (node, at), *name, *is_known),
            Note::Lost(name) => {
                self.away.lost((node, world.incarnation(node)), *name, at);
                Ok(())
            }
            Note::Released(name, vb, key, cas) => {
                let to = receiver_of(world, *name);
                if let Some(to) = to {
                    self.answered.answered((to, *vb, *key), *cas);
                }
                Ok(())
            }
            Note::Moved(_) => Ok(()),
            Note::Applied(vb, key, cas) => {
                self.said.push(STAYS_ANSWERED);
                self.answered.taken((node, *vb, *key), *cas).map_err(|newest| {
                    let detail = format!("{vb} {key} @{cas} after @{newest} on n{}", node.0);
                    (STAYS_ANSWERED, "older version", detail)
                })
            }
            Note::Reset(vb) => {
                self.answered.back(node, *vb);
                Ok(())
            }
            Note::Stepped(vb, kind) => {
                if *kind == EventKind::Revert {
                    self.answered.back(node, *vb);
                }
                Ok(())
            }
            Note::Ended(vb, of, id, held) => self.ended((node, *vb), *of, id.0, held),
        }
    }

    fn take_data(
        &mut self,
        world: &World<Node>,
        (node, at): (NodeId, Time),
        note: &DataNote,
    ) -> Judged {
        let now = at.0 / 1_000_000_000;
        match note {
            DataNote::Served(id, vb, request, answer) => {
                self.answers.entry(id.op).or_default().push(answer.clone());
                self.said.push(ANSWERS);
                self.served((node, *vb), request, answer, now)
            }
            DataNote::Queued(vb, key, cas, changed) => {
                self.queued(world, (node, *vb), (*key, *cas), *changed);
                Ok(())
            }
            DataNote::Expired(vb, key, _, _) => {
                if let Some(owned) = self.owned.get_mut(vb).filter(|of| of.owner == Some(node)) {
                    owned.reference.items.remove(key);
                }
                Ok(())
            }
            DataNote::RevertBegun(vb) => {
                self.reverted(world, node, *vb);
                Ok(())
            }
            DataNote::Stands(vb, birth, state, _) => {
                self.stands(world, (node, *vb), *birth, *state)
            }
            DataNote::Loaded => self.loaded(world, node),
            // What they say is judged where a data node is alone.
            DataNote::Asked(..)
            | DataNote::Committed(..)
            | DataNote::Published(..)
            | DataNote::StandingSaved(..)
            | DataNote::Dropped(..)
            | DataNote::DropSaved(_)
            | DataNote::Reverted(_)
            | DataNote::Drained
            | DataNote::Applied(..)
            | DataNote::Opened(..)
            | DataNote::Merged(..)
            | DataNote::Ended(..)
            | DataNote::Stepped(..)
            | DataNote::CaughtUp(..)
            | DataNote::Evicted(..)
            | DataNote::Second(_) => Ok(()),
        }
    }

    /// A node has read its disk. What it owns is what it has now, and nobody else may own that.
    fn loaded(&mut self, world: &World<Node>, node: NodeId) -> Judged {
        let vbs: Vec<Vb> = world.shared(node).data.vbs.keys().copied().collect();
        vbs.into_iter().for_each(|vb| self.answered.back(node, vb));
        for (vb, vbucket) in &world.shared(node).data.vbs {
            let held = vbucket.table.iter().map(|(key, entry)| (key, entry.cas)).collect();
            let copy = Copy {
                birth: vbucket.standing.birth,
                incarnations: vec![vbucket.log.incarnation()],
                held,
                open: vbucket.log.open_id().0,
                ends: BTreeMap::new(),
                is_active: vbucket.standing.state == State::Active,
            };
            self.copies.insert((node, *vb), copy);
            let owned = self.owned.entry(*vb).or_default();
            let (birth, state) = (vbucket.standing.birth, vbucket.standing.state);
            if owned.owner.is_none() && state == State::Active {
                (owned.owner, owned.birth) = (Some(node), birth);
            }
            let has_served = matches!(state, State::Active | State::Dead) && birth == owned.birth;
            if owned.owner == Some(node) && !has_served {
                // It died before the disk knew, and has served nobody.
                if let Some((before, birth, reference)) = owned.before.take() {
                    (owned.owner, owned.birth, owned.reference) = (Some(before), birth, reference);
                }
            }
            let is_before = owned.before.as_ref().is_some_and(|(before, ..)| *before == node);
            if owned.owner == Some(node) || is_before {
                let items = vbucket.table.iter().filter_map(|(key, entry)| {
                    owned.versions.get(&entry.cas).map(|item| (key, item.clone()))
                });
                let reference = Reference { items: items.collect(), before: None };
                match &mut owned.before {
                    Some((.., before)) if is_before => *before = reference,
                    _ => {
                        let had = std::mem::replace(&mut owned.reference, reference);
                        if state == State::Dead && owned.at_death.is_none() {
                            owned.at_death = Some(had);
                        }
                    }
                }
            }
            if let Some(owner) = owned.owner.filter(|owner| *owner != node)
                && state == State::Active
            {
                let detail =
                    format!("{vb} is active on n{} again, and n{} has it", node.0, owner.0);
                return Err((ONE_OWNER, "two owners", detail));
            }
        }
        Ok(())
    }

    /// A request was carried out in this second, or refused.
    fn served(
        &mut self,
        (node, vb): (NodeId, Vb),
        request: &Request,
        answer: &Answer,
        now: u64,
    ) -> Judged {
        if matches!(answer, Answer::TemporaryFailure | Answer::NotMyVbucket) {
            return Ok(());
        }
        let is_change = matches!(request.call, Call::Update(..) | Call::FlushAll(_));
        let is_done = *answer == Answer::Done && is_change;
        if request.call.key().is_none() && !is_done {
            return Ok(());
        }
        let Some(owned) = self.owned.get_mut(&vb).filter(|of| of.owner == Some(node)) else {
            let detail = format!("n{} answered `{}` of {vb}", node.0, request.call);
            return Err((ONE_OWNER, "served elsewhere", detail));
        };
        let Some(key) = request.call.key() else {
            match &request.call {
                Call::FlushAll(_) => owned.reference.items.clear(),
                Call::Update(Update::Start, _) => owned.reference.start(),
                Call::Update(Update::Complete, _) => owned.reference.complete(),
                // A revert counts from the moment on at which it began.
                _ => {}
            }
            return Ok(());
        };
        let cas = answer.made().unwrap_or_default();
        let expected = owned.reference.serve(&request.call, request.cas, now, cas);
        if let (Some(cas), Some(item)) = (answer.made(), owned.reference.items.get(&key)) {
            owned.versions.insert(cas, item.clone());
        }
        if expected == *answer {
            return Ok(());
        }
        let detail = format!("`{}` was answered `{answer}`, expected `{expected}`", request.call);
        Err((ANSWERS, "another answer", detail))
    }

    /// A change went into a checkpoint of an active copy.
    fn queued(
        &mut self,
        world: &World<Node>,
        (node, vb): (NodeId, Vb),
        (key, cas): (Key, u64),
        changed: Changed,
    ) {
        let Some(copy) = self.copies.get_mut(&(node, vb)) else { return };
        copy.close_before(changed.checkpoint);
        let reference = self.owned.get(&vb).filter(|of| of.owner == Some(node));
        let is_there = reference
            .is_some_and(|of| of.reference.items.get(&key).is_some_and(|item| item.cas == cas));
        if is_there {
            copy.held.insert(key, cas)
        } else {
            copy.held.remove(&key)
        };
        copy.learn(world, (node, vb));
    }

    /// An online update is taken back, all at once as far as clients can see.
    fn reverted(&mut self, world: &World<Node>, node: NodeId, vb: Vb) {
        let Some(owned) = self.owned.get_mut(&vb).filter(|of| of.owner == Some(node)) else {
            return;
        };
        owned.reference.revert();
        let Some(copy) = self.copies.get_mut(&(node, vb)) else { return };
        let open = world.shared(node).data.vbs.get(&vb).map_or(0, |of| of.log.open_id().0);
        copy.close_before(open.saturating_sub(1));
        let items = owned.reference.items.iter();
        copy.held = items.map(|(key, item)| (*key, item.cas)).collect();
    }

    /// A vbucket is in this state now.
    fn stands(
        &mut self,
        world: &World<Node>,
        (node, vb): (NodeId, Vb),
        birth: u64,
        state: State,
    ) -> Judged {
        let copy = self.copies.entry((node, vb)).or_default();
        if copy.birth != birth {
            *copy = Copy { birth, ..Copy::default() };
        }
        copy.learn(world, (node, vb));
        let owned = self.owned.entry(vb).or_default();
        // Who dies in the step of its promotion has never been the owner.
        if state != State::Active || owned.owner == Some(node) || !world.is_up(node) {
            return Ok(());
        }
        self.said.extend([ONE_OWNER, MOVES_COMPLETELY]);
        let vbucket = world.shared(node).data.vbs.get(&vb);
        let held: Vec<(Key, u64)> = vbucket.map_or(Vec::new(), |vbucket| {
            vbucket.table.iter().map(|(key, entry)| (key, entry.cas)).collect()
        });
        if let Some(owner) = owned.owner {
            let other = world.shared(owner).data.vbs.get(&vb);
            let is_active = other.is_some_and(|other| other.standing.state == State::Active);
            if world.is_up(owner) && is_active {
                let detail = format!("{vb} is active on n{} and on n{}", owner.0, node.0);
                return Err((ONE_OWNER, "two owners", detail));
            }
        }
        owned.before = owned.owner.map(|owner| (owner, owned.birth, owned.reference.clone()));
        (owned.owner, owned.birth) = (Some(node), birth);
        let versions = |of: &Reference| -> Vec<(Key, u64)> {
            of.items.iter().map(|(key, item)| (*key, item.cas)).collect()
        };
        if let Some(had) = owned.at_death.take().filter(|had| versions(had) == held) {
            owned.reference = had;
        }
        let wanted = versions(&owned.reference);
        copy.held = held.iter().copied().collect();
        copy.open = vbucket.map_or(0, |vbucket| vbucket.log.open_id().0);
        match difference(&held, &wanted) {
            Some(detail) => {
                let detail = format!("{vb} on n{} {detail}", node.0);
                Err((MOVES_COMPLETELY, "left behind", detail))
            }
            None => Ok(()),
        }
    }

    /// A replica has all up to the end of a checkpoint.
    fn ended(
        &mut self,
        (node, vb): (NodeId, Vb),
        of: Incarnation,
        id: u64,
        held: &[(Key, u64)],
    ) -> Judged {
        let before =
            self.copies.iter().find(|((_, at), copy)| *at == vb && copy.incarnations.contains(&of));
        let wanted = before.and_then(|(_, copy)| copy.at_end(id));
        if let Some(copy) = self.copies.get_mut(&(node, vb)) {
            copy.ends.insert(id, held.to_vec());
            copy.open = copy.open.max(id + 1);
        }
        let Some(wanted) = wanted else { return Ok(()) };
        self.said.push(SNAPSHOT);
        match difference(held, &wanted) {
            Some(detail) => {
                let detail = format!("at the end of {id} {vb} on n{} {detail}", node.0);
                Err((SNAPSHOT, "another state", detail))
            }
            None => Ok(()),
        }
    }

    fn connected(
        &mut self,
        world: &World<Node>,
        (node, at): (NodeId, Time),
        name: Name,
        is_known: bool,
    ) -> Judged {
        let keep_alive = world.shared(node).tap.settings.keep_alive;
        let node = (node, world.incarnation(node));
        match self.away.back(node, (name, is_known), at, keep_alive) {
            Checked::Broken(class, detail) => return Err((KEPT_ALIVE, class, detail)),
            Checked::Held => self.said.push(KEPT_ALIVE),
            Checked::Skipped => {}
        }
        Ok(())
    }
}

impl Copy {
    /// Changes go into this checkpoint from now on: what is there is what was there at the end of those before it.
    fn close_before(&mut self, id: u64) {
        while self.open < id {
            let held = self.held.iter().map(|(key, cas)| (*key, *cas)).collect();
            self.ends.insert(self.open, held);
            self.open += 1;
        }
        // Nobody is behind by more than a few checkpoints.
        while self.ends.len() > 32 {
            self.ends.pop_first();
        }
    }

    /// What was there at the end of a checkpoint.
    fn at_end(&self, id: u64) -> Option<Vec<(Key, u64)>> {
        if let Some(held) = self.ends.get(&id) {
            return Some(held.clone());
        }
        let is_last = id >= self.open && self.open != 0 && self.is_active;
        is_last.then(|| self.held.iter().map(|(key, cas)| (*key, *cas)).collect())
    }

    fn learn(&mut self, world: &World<Node>, (node, vb): (NodeId, Vb)) {
        let Some(vbucket) = world.shared(node).data.vbs.get(&vb) else { return };
        self.is_active = vbucket.standing.state == State::Active;
        let incarnation = vbucket.log.incarnation();
        if !self.incarnations.contains(&incarnation) {
            self.incarnations.push(incarnation);
        }
    }
}

/// The node that follows a stream.
fn receiver_of(world: &World<Node>, name: Name) -> Option<NodeId> {
    let actors = (0..).map(seedbed_sim::id::ActorId).zip(world.actors());
    actors.into_iter().find_map(|(id, actor)| match actor {
        Node::Receiver(receiver) if receiver.links().contains_key(&name) => Some(world.home(id)),
        _ => None,
    })
}
