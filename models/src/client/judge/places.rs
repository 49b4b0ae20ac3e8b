//! Who serves which vbucket, and what each node has of it: on disk, and as a replica.

use std::collections::{BTreeMap, BTreeSet};

use seedbed_sim::id::NodeId;

use crate::client::store::{Held, Item as Known};
use crate::vbucket::op::{Key, State, Vb, home};

use super::truth::{Item, Moment, Truth};

/// Where things are.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    /// How many vbuckets there are.
    vbuckets: u8,
    /// Who is to serve a vbucket, if it was moved.
    given: BTreeMap<Vb, NodeId>,
    /// Who serves a vbucket.
    owners: BTreeMap<Vb, NodeId>,
    /// The version of a key that a node has on disk for certain.
    committed: BTreeMap<(NodeId, Key), u64>,
    /// The version of a key that the disk of a node may have still, of a vbucket of this birth that the node has forgotten.
    lingering: BTreeMap<(NodeId, Key), (u64, u64)>,
    /// The version of a key that a node has as a replica.
    replicas: BTreeMap<(NodeId, Key), u64>,
    /// What a node calls a deletion that it has from another one.
    aliases: BTreeMap<(NodeId, u64), u64>,
    /// The version of each key of a vbucket when it was copied, by session and number.
    copies: BTreeMap<(Vb, u32, u32), Vec<(Key, u64)>>,
    /// Vbuckets that are about to go to a replica that may not have everything.
    failing: BTreeSet<Vb>,
    /// Nodes that have read their disk since they were told of a vbucket.
    reloaded: BTreeSet<(NodeId, Vb)>,
}

/// The keys that are in use, and what stands in them.
type Keys = BTreeMap<Key, Truth>;

impl Places {
    /// Whether a node serves a vbucket, as far as everybody should know.
    pub(super) fn serves(&self, node: NodeId, vb: Vb) -> bool {
        self.owners.get(&vb) == Some(&node)
    }

    /// There are so many vbuckets.
    pub(super) fn are(&mut self, vbuckets: u8) {
        self.vbuckets = vbuckets;
    }

    pub(super) fn keys_of(&self, vb: Vb) -> impl Iterator<Item = Key> + use<> {
        let vbuckets = self.vbuckets;
        (0..).map(Key).take(Key::NAMES.len()).filter(move |key| home(*key, vbuckets) == vb)
    }

    pub(super) fn committed(&mut self, node: NodeId, key: Key, cas: u64) {
        let cas = self.aliases.get(&(node, cas)).copied().unwrap_or(cas);
        self.committed.insert((node, key), cas);
    }

    /// A node has forgotten a vbucket of this birth. Its disk has not.
    pub(super) fn dropped(&mut self, node: NodeId, vb: Vb, birth: u64) {
        for key in self.keys_of(vb) {
            if let Some(cas) = self.committed.remove(&(node, key)) {
                self.lingering.insert((node, key), (birth, cas));
            }
            self.replicas.remove(&(node, key));
        }
        self.reloaded.remove(&(node, vb));
    }

    /// The disk of a node knows that it has a vbucket of this birth, or that it has none.
    pub(super) fn saved(&mut self, node: NodeId, vb: Vb, birth: Option<u64>) {
        for key in self.keys_of(vb) {
            if self.lingering.get(&(node, key)).is_some_and(|(gone, _)| Some(*gone) != birth) {
                self.lingering.remove(&(node, key));
            }
        }
    }

    /// A vbucket is copied as it stands.
    pub(super) fn copying(
        &mut self,
        copy: (Vb, u32, u32),
        versions: &[(Key, u64)],
        keys: &mut Keys,
        now: Moment,
    ) {
        let version = |key: Key| {
            let there = versions.iter().find(|(of, _)| *of == key).map(|(_, cas)| *cas);
            (key, there.unwrap_or_else(|| keys.entry(key).or_default().absent_cas(now)))
        };
        let all = self.keys_of(copy.0).map(version).collect();
        self.copies.insert(copy, all);
    }

    /// A node has become what was copied.
    pub(super) fn copied(&mut self, node: NodeId, copy: (Vb, u32, u32), deletions: &[(Key, u64)]) {
        let Some(versions) = self.copies.get(&copy) else { return };
        for (key, cas) in versions {
            self.replicas.insert((node, *key), *cas);
            let deletion = deletions.iter().find(|(of, _)| of == key);
            self.aliases.extend(deletion.map(|(_, own)| ((node, *own), *cas)));
        }
        self.reloaded.remove(&(node, copy.0));
    }

    /// A vbucket is to be served by this node from here on.
    pub(super) fn given(&mut self, vb: Vb, node: NodeId) {
        self.given.insert(vb, node);
    }

    /// A replica is about to take over without having been told everything.
    pub(super) fn failing(&mut self, vb: Vb) {
        self.failing.insert(vb);
    }

    /// A vbucket has this state on a node. What is left of the keys that have lost something by that.
    pub(super) fn stands(
        &mut self,
        node: NodeId,
        vb: Vb,
        state: State,
        (keys, now): (&mut Keys, Moment),
    ) -> Vec<(Key, Option<Item>)> {
        // Who has not heard of it may still do what it was told before.
        let is_given = self.given.get(&vb).is_none_or(|given| *given == node);
        if state != State::Active || !is_given || self.owners.get(&vb) == Some(&node) {
            return Vec::new();
        }
        if self.owners.insert(vb, node).is_none() {
            return Vec::new();
        }
        let (fails, is_reloaded) = (self.failing.remove(&vb), self.reloaded.contains(&(node, vb)));
        let mut fallen = Vec::new();
        for key in self.keys_of(vb) {
            let truth = keys.entry(key).or_default();
            let has = self.replicas.get(&(node, key)).copied().unwrap_or_default();
            if is_reloaded {
                truth.may_lose(has, now.at);
                if let Some((_, cas)) = self.lingering.get(&(node, key)) {
                    truth.may_be(*cas, now.at);
                }
            } else if fails {
                fallen.extend(truth.lose(has, now).map(|left| (key, left)));
            }
        }
        fallen
    }

    /// A node has written everything down before a clean stop, which loses nothing.
    pub(super) fn drained(&mut self, node: NodeId, keys: &Keys) {
        for (vb, owner) in self.owners.clone() {
            for key in self.keys_of(vb).filter(|_| owner == node) {
                let known = keys.get(&key).filter(|truth| truth.possible.len() == 1);
                self.committed.extend(known.map(|truth| ((node, key), truth.newest_cas())));
            }
        }
    }

    /// A node has read its disk. What was not there may be lost.
    pub(super) fn loaded(&mut self, node: NodeId, keys: &mut Keys, at: u64) {
        let owners = self.owners.clone();
        for (vb, owner) in owners {
            for key in self.keys_of(vb) {
                let safe = self.committed.get(&(node, key)).copied().unwrap_or_default();
                if owner != node {
                    self.replicas.insert((node, key), safe);
                    self.reloaded.insert((node, vb));
                    continue;
                }
                let truth = keys.entry(key).or_default();
                if safe != truth.newest_cas() {
                    truth.may_lose(safe, at);
                }
                if let Some((_, cas)) = self.lingering.get(&(node, key)) {
                    truth.may_be(*cas, at);
                }
            }
        }
    }
}

/// Whether what a store holds possible is what stands there.
pub(super) fn is_it(held: &Held, truth: Option<&Item>, now: Moment) -> bool {
    let may_be_absent = truth.is_none_or(|item| item.may_be_over(now));
    let may_be_there = truth.filter(|item| item.is_alive(now) || !now.is_sure);
    match held {
        Held::Gone => may_be_absent,
        Held::Item(item) => {
            let is_over = item.until.is_some_and(|until| until.earliest <= now.second);
            (may_be_absent && is_over) || may_be_there.is_some_and(|truth| is_same(item, truth))
        }
    }
}

/// Whether a store holds possible that this stands there, and that it lives as long.
fn is_same(item: &Known, truth: &Item) -> bool {
    let lives = match (item.until, truth.until) {
        (None, None) => true,
        (Some(known), Some(until)) => {
            known.earliest <= until && known.latest.is_none_or(|latest| until <= latest)
        }
        // What was seen without having been stored may live as long as it likes.
        (Some(known), None) => known.earliest == 0,
        (None, Some(_)) => false,
    };
    lives && item.content.value() == &truth.value && item.flags == truth.flags
}
