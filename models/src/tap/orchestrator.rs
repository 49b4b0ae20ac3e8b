//! The orchestrator: knows which node owns which vbucket and who follows whom, tells the nodes again and again, and moves
//! vbuckets. It is on a node that the nemesis leaves alone.
//!
//! ```text
//!  move v n1:  n1 follows n0 by a takeover ─▶ v is active at n1, also on disk ─▶ v is a replica at n0, which follows n1
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use seedbed_sim::actor::{Context, Event, Outcome};
use seedbed_sim::id::{ActorId, OpId};
use seedbed_sim::time::Span;

use crate::vbucket::op::{State, Vb};
use crate::vbucket::response::Answer;

use super::frame::Name;
use super::message::{Msg, Order, Orders, Timer};
use super::model::{Node, Post};
use super::op::Op;

/// Orders are given again after this time.
const AGAIN: Span = Span::ms(300);
/// An operation that takes longer has an unknown outcome; what it began goes on.
const ROUNDS_MAX: u32 = 20;

/// A stream that it has somebody follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its name.
    pub name: Name,
    /// From which node.
    pub from: u8,
    /// To which.
    pub to: u8,
    /// Its vbuckets, unless they are those that the first node owns.
    pub vbs: Option<Vec<Vb>>,
}

/// A vbucket that is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Transfer {
    from: u8,
    to: u8,
    /// It is active where it is to be; the node that had it is to follow.
    has_arrived: bool,
    /// The orders that began it.
    revision: u64,
}

/// The orchestrator.
#[derive(Clone, Debug)]
pub struct Orchestrator {
    posts: Vec<Post>,
    plans: Vec<Plan>,
    owners: BTreeMap<Vb, u8>,
    moving: BTreeMap<Vb, Transfer>,
    errand: Option<(OpId, Option<Vb>, u32)>,
    /// Of the last orders.
    revision: u64,
}

/// Streams that move vbuckets are named apart.
pub(super) const TAKEOVER: u8 = 100;

impl Orchestrator {
    /// The orchestrator of these nodes, of which the first owns all vbuckets.
    #[must_use]
    pub fn new(posts: Vec<Post>, plans: Vec<Plan>, vbuckets: u8) -> Orchestrator {
        let owners = (0..vbuckets).map(|vb| (Vb(vb), 0)).collect();
        let (moving, errand) = (BTreeMap::new(), None);
        Orchestrator { posts, plans, owners, moving, errand, revision: 0 }
    }

    /// Who owns a vbucket; nobody while it is on its way.
    #[must_use]
    pub fn owner(&self, vb: Vb) -> Option<u8> {
        self.owners.get(&vb).copied().filter(|_| !self.moving.contains_key(&vb))
    }

    /// The vbuckets that are on their way.
    pub fn on_their_way(&self) -> impl Iterator<Item = Vb> + '_ {
        self.moving.keys().copied()
    }

    /// The streams that a node is to follow.
    #[must_use]
    pub fn orders(&self, node: u8) -> Vec<Order> {
        let plans = self.plans.iter().filter(|plan| plan.to == node);
        let mut orders: Vec<Order> = plans
            .map(|plan| {
                let owned = || {
                    let owners = self.owners.iter().filter(|(vb, owner)| {
                        **owner == plan.from && !self.moving.contains_key(vb)
                    });
                    owners.map(|(vb, _)| *vb).collect()
                };
                let vbs = plan.vbs.clone().unwrap_or_else(owned);
                let sender = self.posts[usize::from(plan.from)].sender;
                Order { name: plan.name, sender, vbs, is_takeover: false }
            })
            .collect();
        let moving = self.moving.iter().filter(|(_, of)| of.to == node && !of.has_arrived);
        orders.extend(moving.map(|(vb, of)| Order {
            name: Name(TAKEOVER + vb.0),
            sender: self.posts[usize::from(of.from)].sender,
            vbs: vec![*vb],
            is_takeover: true,
        }));
        orders
    }

    /// The vbuckets that a node does not own, and is not about to hand over.
    fn replicas(&self, node: u8) -> Vec<Vb> {
        let others = self.owners.iter().filter(|(vb, owner)| {
            let hands_over =
                self.moving.get(vb).is_some_and(|of| of.from == node && !of.has_arrived);
            **owner != node && !hands_over
        });
        others.map(|(vb, _)| *vb).collect()
    }

    pub(super) fn on_event(&mut self, event: Event<Node>, cx: &mut Context<'_, Node>) {
        match event {
            Event::Boot => {
                cx.arm(Timer::Order, AGAIN);
            }
            Event::Invoke { op, what } => self.invoke(op, what, cx),
            Event::Timer(Timer::Order) => {
                cx.arm(Timer::Order, AGAIN);
                self.give_orders(cx);
                self.pass_time(cx);
            }
            Event::Message { from, msg: Msg::Stand(revision, stand) } => {
                self.told((from, revision), &stand, cx);
            }
            Event::Stop => cx.stopped(),
            _ => {}
        }
    }

    fn invoke(&mut self, op: OpId, what: Op, cx: &mut Context<'_, Node>) {
        match what {
            Op::Filter(name, vbs) => {
                let Some(plan) = self.plans.iter_mut().find(|plan| plan.name == name) else {
                    return cx.complete(op, Outcome::Failed);
                };
                plan.vbs = Some(vbs);
                self.give_orders(cx);
                cx.complete(op, Outcome::Ok(Answer::Done));
            }
            Op::Move(vb, to) => {
                let from = self.owner(vb).filter(|from| *from != to);
                let (Some(from), true) = (from, usize::from(to) < self.posts.len()) else {
                    return cx.complete(op, Outcome::Failed);
                };
                let revision = self.revision + 1;
                self.moving.insert(vb, Transfer { from, to, has_arrived: false, revision });
                self.errand = Some((op, Some(vb), 0));
                self.give_orders(cx);
            }
            Op::Reconnect(name) => {
                let Some(to) = self.receiver_of(name) else {
                    return cx.complete(op, Outcome::Failed);
                };
                cx.send(to, Msg::Reconnect(name));
                cx.complete(op, Outcome::Ok(Answer::Done));
            }
            Op::Data(_) => cx.complete(op, Outcome::Failed),
        }
    }

    /// Who follows a stream.
    fn receiver_of(&self, name: Name) -> Option<ActorId> {
        let plan = self.plans.iter().find(|plan| plan.name == name).map(|plan| plan.to);
        let moving = self.moving.iter().find(|(vb, _)| name.0 == TAKEOVER + vb.0);
        let node = plan.or(moving.map(|(_, of)| of.to))?;
        Some(self.posts[usize::from(node)].receiver)
    }

    fn give_orders(&mut self, cx: &mut Context<'_, Node>) {
        self.revision += 1;
        for node in (0..).take(self.posts.len()) {
            let orders = Orders { streams: self.orders(node), replicas: self.replicas(node) };
            let to = self.posts[usize::from(node)].receiver;
            cx.send(to, Msg::Follow(self.revision, Arc::new(orders)));
        }
    }

    /// An operation takes too long.
    fn pass_time(&mut self, cx: &mut Context<'_, Node>) {
        if let Some((op, _, rounds)) = &mut self.errand {
            *rounds += 1;
            if *rounds > ROUNDS_MAX {
                cx.complete(*op, Outcome::Unknown);
                self.errand = None;
            }
        }
    }

    /// A node says how its vbuckets stand.
    fn told(
        &mut self,
        (from, revision): (ActorId, u64),
        stand: &[(Vb, State, bool)],
        cx: &mut Context<'_, Node>,
    ) {
        let Some(node) = self.posts.iter().position(|post| post.receiver == from) else { return };
        let node = u8::try_from(node).expect("a few nodes");
        for (vb, state, is_saved) in stand {
            let transfer = self.moving.get_mut(vb).filter(|of| of.revision <= revision);
            let Some(transfer) = transfer else { continue };
            if node == transfer.to && *state == State::Active && *is_saved && !transfer.has_arrived
            {
                transfer.has_arrived = true;
                self.owners.insert(*vb, node);
            }
            let Transfer { from, has_arrived, .. } = *transfer;
            if has_arrived && node == from && *state == State::Replica {
                self.arrived(*vb, cx);
            }
        }
    }

    fn arrived(&mut self, vb: Vb, cx: &mut Context<'_, Node>) {
        self.moving.remove(&vb);
        if let Some((op, _, _)) = self.errand.take_if(|(_, of, _)| *of == Some(vb)) {
            cx.complete(op, Outcome::Ok(Answer::Done));
        }
        self.give_orders(cx);
    }
}
