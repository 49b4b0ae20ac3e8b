//! What an agreement knows: the log, and who has acknowledged how much of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use seedbed_sim::id::{ActorId, Incarnation, NodeId};
use seedbed_sim::time::{Span, Time};

use super::Effect;
use crate::mvcc::message::AskId;
use crate::mvcc::op::Op;
use crate::mvcc::replica::entry::{Entry, Proposal};
use crate::mvcc::replica::message::{GroupMsg, Known, Primacy};
use crate::mvcc::replica::note::GroupNote;

/// Entries of one message.
pub(super) const BATCH: u64 = 4;
/// Entries that may be on their way to a node.
pub(super) const WINDOW: u64 = 2 * BATCH;

/// The log, and the nodes.
#[derive(Clone, Debug)]
pub(super) struct Group {
    peers: Vec<Peer>,
    /// All of them, from 1.
    entries: Vec<Entry>,
    /// Whose requests they are.
    asks: BTreeSet<AskId>,
    committed: u64,
    /// Which of the peers, and how often that has changed.
    primary: Option<usize>,
    term: u32,
    /// A node that is not heard of for longer may be dead.
    patience: Span,
    /// A snapshot that was asked for is waited for, whatever becomes of it: a defect.
    pub(super) asks_once: bool,
}

/// A node.
#[derive(Clone, Debug)]
struct Peer {
    node: NodeId,
    wal: ActorId,
    member: ActorId,
    keeper: ActorId,
    /// Its last life that is known; none before it has joined.
    life: Option<Incarnation>,
    /// When it was last heard of.
    heard: Time,
    /// What of the log it has, durable.
    base: u64,
    acked: u64,
    /// Up to where entries were sent to it.
    sent: u64,
    /// When a snapshot was last asked for it.
    asked: Option<Time>,
}

/// What a wal says of itself: in this life, its log begins behind `base` and is durable up to `last`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reported {
    pub(super) life: Incarnation,
    pub(super) base: u64,
    pub(super) last: u64,
}

impl Peer {
    /// Takes over what it says; whether that is the beginning of a life, or nothing new if it comes from a former one.
    fn report(&mut self, said: Reported, now: Time) -> Option<bool> {
        if self.life.is_some_and(|life| said.life < life) {
            return None;
        }
        let begins = self.life != Some(said.life);
        self.heard = now;
        if begins {
            let Reported { life, base, last } = said;
            let (life, sent, asked) = (Some(life), last, None);
            *self = Peer { life, base, acked: last, sent, asked, ..*self };
        } else {
            self.base = self.base.max(said.base);
            self.acked = self.acked.max(said.last);
            self.sent = self.sent.max(self.acked);
        }
        Some(begins)
    }
}

impl Group {
    /// A group of these nodes, each with its wal, its member and its keeper.
    pub(super) fn new(peers: Vec<(NodeId, [ActorId; 3])>, patience: Span) -> Group {
        let peer = |(node, [wal, member, keeper]): (NodeId, [ActorId; 3])| Peer {
            node,
            wal,
            member,
            keeper,
            life: None,
            heard: Time::default(),
            base: 0,
            acked: 0,
            sent: 0,
            asked: None,
        };
        let (peers, entries, asks) =
            (peers.into_iter().map(peer).collect(), Vec::new(), BTreeSet::new());
        let (committed, primary, term, asks_once) = (0, None, 0, false);
        Group { peers, entries, asks, committed, primary, term, patience, asks_once }
    }

    /// Everything up to here is committed.
    pub(super) fn committed(&self) -> u64 {
        self.committed
    }

    /// Puts something at the end of the log, unless it is a repeated message.
    pub(super) fn propose(&mut self, proposal: Arc<Proposal>) -> Vec<Effect> {
        let mut effects = Vec::new();
        if proposal.ask.is_none_or(|ask| self.asks.insert(ask)) {
            self.entries.push(Entry { index: self.last() + 1, proposal });
            for n in 0..self.peers.len() {
                self.feed(n, &mut effects);
            }
        }
        effects
    }

    /// A wal has said how much of the log it has.
    pub(super) fn heard(&mut self, wal: ActorId, said: Reported, now: Time) -> Vec<Effect> {
        let mut effects = Vec::new();
        let Some(n) = self.peers.iter().position(|peer| peer.wal == wal) else { return effects };
        let said = Reported { last: said.last.min(self.last()), ..said };
        let asked = self.peers[n].asked;
        let Some(begins) = self.peers[n].report(said, now) else { return effects };
        if self.asks_once {
            self.peers[n].asked = asked.filter(|_| self.is_behind(n));
        }
        if begins {
            self.look_for_loss(&mut effects);
        }
        self.elect(now);
        if self.commit(&mut effects) {
            (0..self.peers.len()).for_each(|n| self.tell(n, &mut effects));
        } else if begins {
            self.tell(n, &mut effects);
        } else {
            self.feed(n, &mut effects);
        }
        effects
    }

    /// Says again what was not answered, and gives a sign of life to all others.
    pub(super) fn beat(&mut self, now: Time) -> Vec<Effect> {
        self.elect(now);
        let mut effects = Vec::new();
        for n in 0..self.peers.len() {
            self.peers[n].sent = self.peers[n].acked;
            self.tell(n, &mut effects);
            self.ask_snapshot(n, now, &mut effects);
        }
        effects
    }

    /// A lease has run out, as somebody knows who has applied everything up to `applied`. If the log has something about
    /// it behind that, it may be another lease of the same number, or be gone already.
    pub(super) fn run_out(&mut self, lease: i64, applied: u64) -> Vec<Effect> {
        let behind = self.entries.iter().rev().take_while(|entry| entry.index > applied);
        let mut requests = behind.map(|entry| &entry.proposal.request);
        let changed = requests.any(|request| match request {
            Op::Revoke(other) => *other == lease,
            Op::Grant(grant) => grant.lease == lease,
            _ => false,
        });
        let request = Op::Revoke(lease);
        if changed { Vec::new() } else { self.propose(Arc::new(Proposal { ask: None, request })) }
    }

    /// Whether an actor is the keeper of the primary.
    pub(super) fn leads(&self, keeper: ActorId) -> bool {
        self.primary.is_some_and(|n| self.peers[n].keeper == keeper)
    }

    /// Which primary it is, by their order.
    pub(super) fn term(&self) -> u32 {
        self.term
    }

    /// Where the log ends.
    pub(super) fn last(&self) -> u64 {
        self.entries.len() as u64
    }

    fn known(&self) -> Known {
        let node = self.peers[self.primary.unwrap_or(0)].node;
        Known { committed: self.committed, primary: Primacy { node, term: self.term } }
    }

    /// A node may have less in a new life than it had acknowledged. What no node has any more is gone for good.
    fn look_for_loss(&mut self, effects: &mut Vec<Effect>) {
        let reach = self.peers.iter().map(|peer| peer.acked).max().unwrap_or(0);
        if reach >= self.committed {
            return;
        }
        effects.push(Effect::Note(GroupNote::Lost(reach)));
        self.committed = reach;
        let gone = self.entries.split_off(usize::try_from(reach).expect("an index of a vector"));
        for ask in gone.iter().filter_map(|entry| entry.proposal.ask) {
            self.asks.remove(&ask);
        }
        self.peers.iter_mut().for_each(|peer| peer.sent = peer.sent.min(reach));
    }

    /// Whether more is committed than before: what a majority has acknowledged.
    fn commit(&mut self, effects: &mut Vec<Effect>) -> bool {
        let mut acked: Vec<u64> = self.peers.iter().map(|peer| peer.acked).collect();
        acked.sort_unstable_by(|a, b| b.cmp(a));
        let index = acked[acked.len() / 2];
        let grown = index > self.committed;
        if grown {
            self.committed = index;
            effects.push(Effect::Note(GroupNote::Committed(index)));
        }
        grown
    }

    fn is_heard(&self, n: usize, now: Time) -> bool {
        let peer = &self.peers[n];
        peer.life.is_some() && now.since(peer.heard) <= self.patience
    }

    /// The primary stays as long as it is heard of.
    fn elect(&mut self, now: Time) {
        if self.primary.is_none_or(|n| !self.is_heard(n, now)) {
            let first = (0..self.peers.len()).find(|n| self.is_heard(*n, now));
            let next = first.or(self.primary);
            self.term += u32::from(next != self.primary);
            self.primary = next;
        }
    }

    /// Sends what a node lacks, or just what is known.
    fn tell(&mut self, n: usize, effects: &mut Vec<Effect>) {
        if self.peers[n].life.is_some() && !self.feed(n, effects) {
            self.append(n, &[], effects);
        }
    }

    /// Sends what a node lacks, as far as it can be sent and is not on its way; whether that is anything.
    fn feed(&mut self, n: usize, effects: &mut Vec<Effect>) -> bool {
        let mut fed = false;
        while self.peers[n].life.is_some() && !self.is_behind(n) {
            let Peer { acked, sent, .. } = self.peers[n];
            let end = self.last().min(acked + WINDOW).min(sent + BATCH);
            if end <= sent {
                break;
            }
            let place = |index| usize::try_from(index).expect("an index of a vector");
            let entries = self.entries[place(sent)..place(end)].to_vec();
            self.append(n, &entries, effects);
            self.peers[n].sent = end;
            fed = true;
        }
        fed
    }

    fn append(&self, n: usize, entries: &[Entry], effects: &mut Vec<Effect>) {
        let peer = &self.peers[n];
        let append = GroupMsg::Append(peer.sent + 1, entries.into(), self.known());
        effects.push(Effect::Send(peer.wal, append));
    }

    /// Who has the entries for the others: the primary, or if that lacks some that are committed, the first that has them.
    fn source(&self) -> Option<usize> {
        let complete = |n: &usize| {
            let peer = &self.peers[*n];
            peer.life.is_some() && peer.acked >= self.committed
        };
        self.primary.filter(complete).or_else(|| (0..self.peers.len()).find(complete))
    }

    /// Whether a node needs entries that were released.
    fn is_behind(&self, n: usize) -> bool {
        self.source().is_some_and(|source| self.peers[n].acked < self.peers[source].base)
    }

    fn ask_snapshot(&mut self, n: usize, now: Time, effects: &mut Vec<Effect>) {
        let peer = &self.peers[n];
        let waits = |asked| self.asks_once || now.since(asked) < self.patience;
        let lately = peer.asked.is_some_and(waits);
        if lately || !self.is_heard(n, now) || !self.is_behind(n) {
            return;
        }
        if let Some(source) = self.source() {
            let needed = GroupMsg::NeedSnapshot(peer.node);
            effects.push(Effect::Send(self.peers[source].member, needed));
            self.peers[n].asked = Some(now);
        }
    }
}
