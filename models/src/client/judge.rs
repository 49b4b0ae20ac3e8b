//! What the checks remember: what stands in each key by what the nodes have carried out, which of it may be lost, what
//! was read, and what clients have called and been told.

mod history;
mod places;
mod truth;

use std::collections::{BTreeMap, BTreeSet};

use seedbed_sim::actor::Actor;
use seedbed_sim::check::Checked;
use seedbed_sim::fault::Kind;
use seedbed_sim::id::{ActorId, NodeId};
use seedbed_sim::world::{Step, World};

use crate::vbucket::message::AskId;
use crate::vbucket::note::Note as NodeNote;
use crate::vbucket::op::{Call, Key, Request, Store as StoreCall, Vb, Verb};
use crate::vbucket::response::Answer;

use super::checks::{
    ABSENT, CONNECTED, CONTAINS, ONLY_READS, REBALANCES, UNLOCKED, VERDICTS, VERIFIED,
};
use super::model::Peer;
use super::note::{Note, Purpose, Verdict};
use super::smart::SmartClient;
use super::store::Store;
pub(super) use history::Past;
use places::Places;
pub(super) use truth::Truth;
use truth::{Look, Moment, Reading};

/// What the checks remember from step to step.
#[derive(Clone, Debug, Default)]
pub struct Ghost {
    /// What stands in each key.
    pub(super) keys: BTreeMap<Key, Truth>,
    /// Who serves which vbucket, and what each node has of it.
    places: Places,
    /// What was read by each attempt.
    readings: BTreeMap<AskId, Reading>,
    /// What clients have called, and been told.
    pub(super) past: Past,
    /// How the moves that tasks wanted have ended.
    moves: BTreeMap<(u16, u32), bool>,
    /// Promises that this step was about, and the first one that it broke.
    said: BTreeSet<&'static str>,
    /// What the node has said which second it is, in this step.
    second: Option<u64>,
    broken: Option<Broken>,
}

/// What the judge has to see of a world beside what is said in it.
pub trait Sight {
    /// How many vbuckets there are, as a data node has it.
    fn vbuckets(&self, node: NodeId) -> u8;
    /// The reference store of a client.
    fn store(&self, node: NodeId) -> &Store<Key>;
    /// The smart client of an actor, if it has one.
    fn smart(&self, actor: ActorId) -> Option<&SmartClient>;
    /// Whether all clocks are right: nothing was done to any so far.
    fn is_sure(&self) -> bool;
}

impl Sight for World<Peer> {
    fn vbuckets(&self, node: NodeId) -> u8 {
        self.shared(node).memory.settings.vbuckets
    }

    fn store(&self, node: NodeId) -> &Store<Key> {
        &self.shared(node).desk.store
    }

    fn smart(&self, actor: ActorId) -> Option<&SmartClient> {
        self.actor(actor).smart()
    }

    fn is_sure(&self) -> bool {
        are_clocks_right(self)
    }
}

/// A promise that was broken: its name, the class, and what was seen.
pub(super) type Broken = (&'static str, &'static str, String);
/// What came of looking at a note.
pub(super) type Judged = Result<(), Broken>;

impl Ghost {
    /// Takes in what this step says.
    pub(super) fn observe(&mut self, world: &World<Peer>, step: &Step) {
        self.begin();
        for note in world.notes() {
            self.observe_one(world, step, note);
        }
    }

    /// How many keys hold something in this second, at least and at most, once what has run out was taken out, by whichever
    /// node. A key of which something was lost may hold anything that it held.
    pub(crate) fn items(&self, second: u64) -> (usize, usize) {
        let held = self.keys.values().map(|truth| truth.is_held(second));
        held.fold((0, 0), |(least, most), (surely, maybe)| {
            (least + usize::from(surely), most + usize::from(maybe))
        })
    }

    /// What is not as it should be in a copy of a vbucket that is said to have everything: these are the versions of the keys
    /// that it holds in this second.
    pub(crate) fn missing(&self, vb: Vb, held: &[(Key, u64)], second: u64) -> Option<String> {
        self.places.keys_of(vb).find_map(|key| {
            let wanted = self.keys.get(&key)?.certain(second)?;
            let is = held.iter().find(|(of, _)| *of == key).map(|(_, cas)| *cas);
            (is != wanted).then(|| format!("{key} is {is:?}, not {wanted:?}"))
        })
    }

    /// A step begins, of which nothing was said yet.
    pub(crate) fn begin(&mut self) {
        self.said.clear();
        self.second = None;
    }

    /// Takes in something that was said in this step, unless something is broken already.
    pub(crate) fn observe_one(&mut self, sight: &impl Sight, step: &Step, note: &Note) {
        if self.broken.is_some() {
            return;
        }
        if let Err(broken) = self.take(sight, step, note) {
            self.said.insert(broken.0);
            self.broken = Some(broken);
        }
    }

    /// What this step says about a promise.
    pub(crate) fn verdict(&self, name: &'static str) -> Checked {
        match &self.broken {
            Some((broken, class, detail)) if *broken == name => {
                Checked::Broken(class, detail.clone())
            }
            _ if self.said.contains(name) => Checked::Held,
            _ => Checked::Skipped,
        }
    }

    fn take(&mut self, world: &impl Sight, step: &Step, note: &Note) -> Judged {
        let at = step.at.0;
        let second = self.second.unwrap_or(at / 1_000_000_000);
        let now = Moment { at, second, is_sure: world.is_sure() };
        match note {
            Note::Node(note) => {
                let Some(node) = step.node else { return Ok(()) };
                if *note == NodeNote::Loaded {
                    self.places.are(world.vbuckets(node));
                }
                self.node(node, note, now);
                Ok(())
            }
            Note::Called(op, purpose, call) => {
                self.past.called(*op, call, at);
                if *purpose == Purpose::Verify {
                    self.said.insert(ONLY_READS);
                    if !matches!(call, Call::Get(_)) {
                        return Err((ONLY_READS, "changes", format!("it sent `{call}`")));
                    }
                }
                Ok(())
            }
            Note::Wants(op, cas) => {
                self.past.wants(*op, *cas);
                Ok(())
            }
            Note::Fated(op, fate) => {
                self.past.fated(*op, fate, at);
                Ok(())
            }
            Note::Kept(key) => self.kept(world, step.node, *key, now),
            Note::Verified(id, key, verdict, absent, is_certain) => {
                self.verified((*id, *key), *verdict, *absent, *is_certain)
            }
            Note::Ended(task, worker, _) => self.ended(world, step.node, (task.0, *worker)),
            Note::Mapped(_) => self.mapped(world, step),
            Note::Copying(..) | Note::Copied(..) | Note::Failover(_) | Note::Given(..) => {
                self.placed(step.node, note, now);
                Ok(())
            }
            Note::Moved(task, _, _, is_done) => {
                self.moves.extend(task.map(|(actor, number)| ((actor.0, number), *is_done)));
                Ok(())
            }
            Note::Rebalanced(number, is_done) => {
                let actor = step.actor.map_or(0, |actor| actor.0);
                self.rebalanced((actor, *number), *is_done)
            }
            Note::Replicated(..) => Ok(()),
        }
    }

    /// Something was said of where vbuckets are.
    fn placed(&mut self, node: Option<NodeId>, note: &Note, now: Moment) {
        match note {
            Note::Copying(vb, session, number, versions) => {
                self.places.copying((*vb, *session, *number), versions, &mut self.keys, now);
            }
            Note::Copied(vb, session, number, deletions) => {
                if let Some(node) = node {
                    self.places.copied(node, (*vb, *session, *number), deletions);
                }
            }
            Note::Failover(vb) => self.places.failing(*vb),
            Note::Given(vb, server) => self.places.given(*vb, NodeId(server.0.into())),
            _ => {}
        }
    }

    /// A task has reported whether a move was done.
    fn rebalanced(&mut self, asked: (u16, u32), is_done: bool) -> Judged {
        self.said.insert(REBALANCES);
        match self.moves.get(&asked) {
            Some(ended) if *ended == is_done => Ok(()),
            ended => {
                let detail = format!("it was said to be done: {is_done}, it was: {ended:?}");
                Err((REBALANCES, "taken for done", detail))
            }
        }
    }

    /// A data node has said something.
    fn node(&mut self, node: NodeId, note: &NodeNote, now: Moment) {
        match note {
            NodeNote::Second(second) => self.second = Some(*second),
            NodeNote::Served(id, vb, request, answer) => {
                self.served((node, *vb), *id, request, (answer, now));
            }
            NodeNote::Expired(vb, key, ..) if self.places.serves(node, *vb) => {
                let truth = self.keys.entry(*key).or_default();
                let since = truth.since;
                let (reading, left) = truth.look(Look::Expired, now);
                // What is taken out alive stays what should be there.
                truth.expires = reading.is_legal;
                if let Some(left) = left {
                    self.past.fell(*key, left.as_ref(), (since, now.at));
                }
            }
            NodeNote::Queued(vb, key, cas, _) if self.places.serves(node, *vb) => {
                let truth = self.keys.entry(*key).or_default();
                if std::mem::take(&mut truth.expires) {
                    truth.expire(*cas);
                } else if let Some(items) = truth.coming.take() {
                    for item in &items {
                        self.past.stored(*key, item.as_ref(), now.at);
                    }
                    truth.changed(*cas, items);
                }
            }
            NodeNote::Committed(_, key, cas, _) => self.places.committed(node, *key, *cas),
            NodeNote::Dropped(vb, birth) => self.places.dropped(node, *vb, *birth),
            NodeNote::StandingSaved(vb, birth, ..) => self.places.saved(node, *vb, Some(*birth)),
            NodeNote::DropSaved(vb) => self.places.saved(node, *vb, None),
            NodeNote::Stands(vb, _, state, _) => {
                let fallen = self.places.stands(node, *vb, *state, (&mut self.keys, now));
                for (key, left) in fallen {
                    self.past.fell(key, left.as_ref(), (now.at, now.at));
                }
            }
            NodeNote::Drained => self.places.drained(node, &self.keys),
            NodeNote::Loaded => self.places.loaded(node, &mut self.keys, now.at),
            _ => {}
        }
    }

    /// A request was carried out, or refused.
    fn served(
        &mut self,
        (node, vb): (NodeId, Vb),
        id: AskId,
        request: &Request,
        (answer, now): (&Answer, Moment),
    ) {
        let Some(key) = request.call.key() else { return };
        let Some(look) = look(request, answer) else { return };
        let truth = self.keys.entry(key).or_default();
        if !self.places.serves(node, vb) {
            truth.blur();
            let is_absent = look == Some(Look::Absent);
            let reading = Reading { is_stale: true, is_absent, ..Reading::default() };
            self.readings.insert(id, reading);
            return self.past.is_stale(id.op);
        }
        if let Some(look) = look {
            let since = truth.since;
            let (reading, left) = truth.look(look, now);
            self.readings.insert(id, reading);
            if let Some(left) = left {
                self.past.fell(key, left.as_ref(), (since, now.at));
            }
        }
        if answer.made().is_some() || *answer == Answer::Deleted {
            truth.coming = Some(truth.made((request, answer), now));
        }
    }

    /// A verification has come to a verdict.
    fn verified(
        &mut self,
        (id, key): (AskId, Key),
        verdict: Verdict,
        absent: Option<bool>,
        is_certain: bool,
    ) -> Judged {
        let reading = self.readings.get(&id).copied();
        if absent == Some(true) {
            self.said.insert(ABSENT);
            if !reading.is_some_and(|reading| reading.is_absent) {
                let detail = format!("{key} was taken for absent; no node has said so");
                return Err((ABSENT, "taken for absent", detail));
            }
        }
        if absent.is_none() {
            return Ok(());
        }
        let Some(reading) = reading else { return Ok(()) };
        let truth = self.keys.entry(key).or_default();
        let held = truth.newest().is_some();
        // It knows better from here on, unless it was told by a node that is cut off.
        truth.told(reading);
        if reading.is_stale {
            return Ok(());
        }
        self.said.insert(VERDICTS);
        self.said.insert(VERIFIED);
        let is_wrong = match verdict {
            Verdict::Differs => reading.agrees,
            Verdict::Agrees => is_certain && !reading.agrees,
            Verdict::NotVerified => false,
        };
        if is_wrong {
            let class = if verdict == Verdict::Differs { "false alarm" } else { "overlooked" };
            return Err((VERDICTS, class, format!("{key} by #{}", id.op.number)));
        }
        if verdict == Verdict::Differs && !reading.is_legal {
            let class = match (absent, held) {
                (Some(true), _) => "lost",
                (_, true) => "another value",
                (_, false) => "came back",
            };
            return Err((VERIFIED, class, format!("{key} by #{}", id.op.number)));
        }
        Ok(())
    }

    /// The store of a client knows something else of a key.
    fn kept(&mut self, world: &impl Sight, node: Option<NodeId>, key: Key, now: Moment) -> Judged {
        let Some(node) = node else { return Ok(()) };
        let truth = self.keys.entry(key).or_default();
        let store = world.store(node);
        let is_possible = store.get(&key).is_some_and(|entry| {
            entry.possible().any(|held| places::is_it(held, truth.newest(), now))
        });
        if !is_possible && !truth.has_fallen && truth.possible.len() == 1 {
            let true_one = truth.newest().map_or("nothing".into(), |item| {
                let until = item.until.map_or(String::new(), |until| format!(" until {until}"));
                format!("`{}` flags {}{until}", item.value, item.flags)
            });
            return Err((CONTAINS, "impossible", format!("{key} holds {true_one}")));
        }
        self.said.insert(CONTAINS);
        Ok(())
    }

    fn ended(
        &mut self,
        world: &impl Sight,
        node: Option<NodeId>,
        (task, worker): (u8, u16),
    ) -> Judged {
        let Some(node) = node else { return Ok(()) };
        self.said.insert(UNLOCKED);
        let store = world.store(node);
        match (0..store.partitions()).find(|partition| store.holder(*partition) == Some(worker)) {
            None => Ok(()),
            Some(partition) => {
                Err((UNLOCKED, "held", format!("task {task} holds partition {partition}")))
            }
        }
    }

    fn mapped(&mut self, world: &impl Sight, step: &Step) -> Judged {
        let Some(smart) = step.actor.and_then(|actor| world.smart(actor)) else { return Ok(()) };
        let Some(map) = smart.map() else { return Ok(()) };
        self.said.insert(CONNECTED);
        match smart.servers().find(|server| !map.has(*server) && !smart.awaits(*server)) {
            None => Ok(()),
            Some(server) => Err((CONNECTED, "stale", format!("a connection to {server} is left"))),
        }
    }
}

/// Whether all clocks are right: nothing was done to any so far.
pub(crate) fn are_clocks_right<A: Actor>(world: &World<A>) -> bool {
    [Kind::Skew, Kind::Jump, Kind::Drift].iter().all(|kind| world.seen(*kind) == 0)
}

/// What an answer says of a key; nothing if nothing was done, and nothing inside if it says nothing.
fn look<'a>(request: &'a Request, answer: &'a Answer) -> Option<Option<Look<'a>>> {
    match answer {
        Answer::TemporaryFailure | Answer::NotMyVbucket | Answer::NotSupported => return None,
        _ => {}
    }
    Some(match (&request.call, answer) {
        (Call::Count(_), _) => Some(Look::Answered(request, answer)),
        (Call::Store(StoreCall { verb: Verb::Append | Verb::Prepend | Verb::Cas, .. }), _) => {
            Some(Look::Answered(request, answer))
        }
        (_, Answer::TooLong | Answer::BadDelta) => return None,
        (_, Answer::Found { value, flags, cas }) => Some(Look::Found(value, *flags, *cas)),
        (_, Answer::NotFound | Answer::NotStored) => Some(Look::Absent),
        (_, Answer::Exists | Answer::Deleted) => Some(Look::Present),
        (Call::Store(store), Answer::Stored(_)) => match store.verb {
            Verb::Add => Some(Look::Absent),
            Verb::Replace => Some(Look::Present),
            _ => None,
        },
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::truth::Item;
    use super::*;
    use crate::vbucket::op::Value;

    #[test]
    fn a_copy_that_lacks_something_or_has_another_version_is_seen() {
        let mut ghost = Ghost::default();
        ghost.places.are(1);
        let item = Item { value: Value::new("1"), flags: 0, until: Some(12) };
        ghost.keys.entry(Key(0)).or_default().change(7, Some(item));
        let is_missing = |held: &[(Key, u64)], second| ghost.missing(Vb(0), held, second).is_some();
        assert!(!is_missing(&[(Key(0), 7)], 5));
        assert!(is_missing(&[], 5) && is_missing(&[(Key(0), 6)], 5));
        assert!(!is_missing(&[], 12), "its time has run out");
    }
}
