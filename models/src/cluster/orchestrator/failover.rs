//! Failover: a node is given up, and replicas take its vbuckets over.

use seedbed_sim::actor::Context;

use crate::client::op::Server;
use crate::cluster::map::{Chain, Servers};
use crate::cluster::mark;
use crate::cluster::model::Node;
use crate::cluster::note::How;
use crate::cluster::response::Ret;
use crate::vbucket::op::{State, Vb};

use super::Orchestrator;

impl Orchestrator {
    /// Gives a node up, unless nobody else has had everything of one of its vbuckets.
    pub(super) fn fail_over(&mut self, server: Server, cx: &mut Context<'_, Node>) -> Ret {
        let one = 1 << server.0;
        if !self.members.has(server) || self.members.0 == one {
            return Ret::Refused;
        }
        let mut promoted = Vec::new();
        for vb in (0..).map(Vb).take(self.chains.len()) {
            if self.chains[usize::from(vb.0)].master != server {
                continue;
            }
            let Some(heir) = self.heir(vb, server) else {
                cx.mark(&mark::NOT_FAILED_OVER);
                return Ret::Refused;
            };
            promoted.push((vb, heir, How::Failover));
        }
        let is_moving = self.rebalance.as_ref().is_some_and(|of| !of.moving.is_empty());
        if let Some(rebalance) = &mut self.rebalance {
            rebalance.goal.0 &= !one;
        }
        for (vb, heir, _) in &promoted {
            let old = self.chains[usize::from(vb.0)];
            let left: Vec<Server> = old.followers().filter(|other| other != heir).collect();
            self.place(*vb, Chain::of(*heir, &left));
        }
        for vb in (0..).map(Vb).take(self.chains.len()) {
            let chain = self.chains[usize::from(vb.0)];
            if chain.followers().any(|follower| follower == server) {
                self.place(vb, chain.without(server));
            }
        }
        self.members = Servers(self.members.0 & !one);
        self.failed.0 |= one;
        cx.mark(if is_moving { &mark::FAILED_OVER_MOVING } else { &mark::FAILED_OVER });
        let many = u8::try_from(promoted.len()).unwrap_or(u8::MAX);
        self.publish_after(promoted, cx);
        Ret::FailedOver(many)
    }

    /// What moves goes back where it was, under the new map.
    fn publish_after(&mut self, promoted: Vec<(Vb, Server, How)>, cx: &mut Context<'_, Node>) {
        if let Some(rebalance) = &mut self.rebalance {
            rebalance.moving.clear();
            rebalance.pending.clear();
        }
        self.publish(promoted, cx);
        if self.rebalance.is_some() {
            self.end_moves(false, cx);
        }
    }

    /// Who takes a vbucket over: who has done so already, or else the first replica that has had everything.
    fn heir(&self, vb: Vb, failed: Server) -> Option<Server> {
        let mut moving = self.rebalance.iter().flat_map(|rebalance| &rebalance.moving);
        let taken = moving.find(|moving| moving.vb == vb && self.is_taken(**moving));
        if let Some(moving) = taken {
            return Some(moving.to.master);
        }
        let chain = self.chains[usize::from(vb.0)];
        let since = self.since[usize::from(vb.0)];
        chain.followers().find(|server| {
            let stand = self.stand(*server, vb, since);
            let is_there = *server != failed && self.members.has(*server);
            is_there && stand.is_some_and(|stand| stand.state == State::Replica && stand.is_filled)
        })
    }
}
