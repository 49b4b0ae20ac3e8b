//! One direction between two nodes, and what troubles it.

use crate::id::NodeId;
use crate::time::{Span, Time};

/// One direction between two nodes. Each trouble carries its own end; an end that has passed means none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Link {
    /// The calm latency, at least 1 ns.
    pub base: Span,
    /// Until then nothing is delivered: datagrams are lost, connections stall.
    pub cut_until: Time,
    /// Until then everything is held, and nothing lost.
    pub clog_until: Time,
    /// Until then latencies are multiplied.
    pub slow_until: Time,
    /// By this, at least 1.
    pub slow_factor: u32,
}

impl Link {
    /// A healthy link.
    #[must_use]
    pub const fn calm(base: Span) -> Link {
        Link { base, cut_until: Time(0), clog_until: Time(0), slow_until: Time(0), slow_factor: 1 }
    }

    /// Whether it delivers nothing at `now`.
    #[inline]
    #[must_use]
    pub fn is_cut(&self, now: Time) -> bool {
        now < self.cut_until
    }

    /// When something sent at `now` with the calm latency plus `extra` arrives, were it not cut.
    #[inline]
    #[must_use]
    pub fn arrival(&self, now: Time, extra: Span) -> Time {
        let factor = if now < self.slow_until { u64::from(self.slow_factor) } else { 1 };
        let from = if now < self.clog_until { self.clog_until } else { now };
        from + self.base.times(factor) + extra
    }
}

/// All links of a world.
#[derive(Clone, Debug, Default)]
pub struct Links {
    nodes: usize,
    links: Vec<Link>,
    /// Per node: until when all that it does takes longer, and how many times as long.
    slow: Vec<(Time, u32)>,
    /// The latency that all links have, if they have one.
    same: Option<Span>,
    /// Something has been troubled since the reset.
    troubled: bool,
}

impl Links {
    /// Makes `nodes` squared calm links, all with one latency. Keeps its memory.
    pub fn reset_to(&mut self, nodes: usize, base: Span) {
        if self.nodes == nodes && self.same == Some(base) && !self.troubled {
            return;
        }
        self.reset(nodes, |_| move |_| base);
        self.same = Some(base);
    }

    /// Makes `nodes` squared calm links, each with the latency that `bases` gives it for the node that it comes from and then
    /// the node that it goes to. Keeps its memory.
    pub fn reset<B: Fn(usize) -> Span>(&mut self, nodes: usize, bases: impl Fn(usize) -> B) {
        if self.nodes != nodes || self.troubled {
            self.nodes = nodes;
            self.troubled = false;
            self.slow.clear();
            self.slow.resize(nodes, (Time(0), 1));
            self.links.clear();
            self.links.resize(nodes * nodes, Link::calm(Span::LEAST));
        }
        self.same = None;
        for (from, links) in self.links.chunks_exact_mut(nodes.max(1)).enumerate() {
            let base = bases(from);
            for (to, link) in links.iter_mut().enumerate() {
                link.base = base(to).at_least(Span::LEAST);
            }
        }
    }

    /// The link from one node to another.
    #[inline]
    #[must_use]
    pub fn get(&self, from: NodeId, to: NodeId) -> &Link {
        &self.links[usize::from(from.0) * self.nodes + usize::from(to.0)]
    }

    /// The same, to be troubled.
    pub fn get_mut(&mut self, from: NodeId, to: NodeId) -> &mut Link {
        self.troubled = true;
        &mut self.links[usize::from(from.0) * self.nodes + usize::from(to.0)]
    }

    /// All that a node does takes `factor` times as long until then.
    pub fn slow_node(&mut self, node: NodeId, until: Time, factor: u32) {
        self.troubled = true;
        self.slow[usize::from(node.0)] = (until, factor);
    }

    /// What a latency of `base` between two nodes is longer by, if one of them is slow at `now`.
    #[must_use]
    pub fn lag(&self, one: NodeId, other: NodeId, now: Time, base: Span) -> Span {
        let factor = |node: NodeId| {
            let (until, factor) = self.slow[usize::from(node.0)];
            if now < until { u64::from(factor.max(1)) } else { 1 }
        };
        base.times(factor(one).max(factor(other)) - 1)
    }

    /// Ends all trouble at `now`.
    pub fn heal(&mut self, now: Time) {
        if !self.troubled {
            return;
        }
        for (until, _) in &mut self.slow {
            *until = now.min(*until);
        }
        for link in &mut self.links {
            link.cut_until = link.cut_until.min(now);
            link.clog_until = link.clog_until.min(now);
            link.slow_until = link.slow_until.min(now);
        }
    }
}
