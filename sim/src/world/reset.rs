//! A plan becomes the beginning of a run, in memory that is used again.

use super::client::Client;
use super::core::{Core, Due, TIE};
use super::lanes::Lane;
use super::seat::Seat;
use super::{Topology, locks};
use crate::actor::Actor;
use crate::choose::{Digest, fold, scale, start};
use crate::fault::{Kind, NodeSet, When};
use crate::id::{Incarnation, NodeId, StepId};
use crate::nemesis::{Noise, Plan, PlannedOp, Run};
use crate::time::{Span, Time};

impl<A: Actor> Core<A> {
    pub(super) fn reset(&mut self, topology: &Topology<A>, plan: &Plan<A>) {
        let (nodes, run) = (topology.nodes(), plan.run);
        self.now = run.start;
        self.step = StepId(0);
        self.struck = false;
        self.agenda.reset();
        self.run = Run { local: run.local.at_least(Span::LEAST), ..run };
        self.bugs = plan.bugs;
        self.counts.reset();
        self.reset_lanes(topology);
        self.labels.clear();
        self.labels.extend(topology.labels());
        self.seats.clear();
        for node in 0..nodes {
            let node = NodeId(u16::try_from(node).expect("at most 64 nodes"));
            self.seats.push(Seat::new(topology.is_client(node), run.start));
        }
        self.shared.clear();
        self.shared.resize_with(nodes, A::Shared::default);
        self.locks.resize_with(nodes, locks::Locks::default);
        self.locks.iter_mut().for_each(locks::Locks::reset);
        self.timers.reset();
        self.handed.resize_with(self.homes.len(), Vec::new);
        self.handed.iter_mut().for_each(Vec::clear);
        self.reset_links(nodes, plan);
        self.io_reset(nodes, topology.file_classes());
        self.history.events.clear();
        self.faults.clone_from(&plan.faults);
        self.strikes.reset(&plan.faults);
        self.healed = None;
        self.reading_back = false;
        self.died.clear();
        self.notes.clear();
        self.marks = 0;
        self.points = 0;
        self.seen = [0; Kind::CATALOGUE.len()];
        self.refused = 0;
        self.digest = Digest::new(start(0));
        self.broken = None;
        self.notable = false;
        self.tracer = None;
        self.lent = None;
        self.lending = false;
        self.tie_keys = None;
        self.burst = (run.start, 0);
        self.busy = 0;
        self.reset_work(topology, plan);
        self.reset_choices(plan);
        self.net_varies = self.choices.is_live(&crate::net::NET) || self.choices.is_live(&TIE);
        self.trouble_until = Time(0);
        self.open_from = Time(0);
        self.short_way_from = Time(0);
    }

    fn reset_links(&mut self, nodes: usize, plan: &Plan<A>) {
        let run = plan.run;
        if run.spread.0 == 0 {
            self.links.reset_to(nodes, run.latency);
        } else {
            self.links.reset(nodes, |from| {
                let from = fold(start(plan.seed), from as u64);
                move |to| {
                    let word = fold(from, to as u64);
                    Span(run.latency.0 + scale(word, run.spread.0.saturating_add(1)))
                }
            });
        }
    }

    fn reset_lanes(&mut self, topology: &Topology<A>) {
        let nodes = topology.nodes();
        let homes = || topology.actors().map(|(node, ..)| node);
        if self.seats.len() != nodes || !homes().eq(self.homes.iter().copied()) {
            self.homes.clear();
            self.homes.extend(homes());
            self.residents.reset(nodes, &self.homes);
        }
        self.lanes.clear();
        let lane = |node| Lane { node, open: Incarnation(0), expected: Incarnation(1) };
        self.lanes.extend(self.homes.iter().map(|node| lane(*node)));
    }

    fn reset_work(&mut self, topology: &Topology<A>, plan: &Plan<A>) {
        self.clients.clear();
        let client = |(actor, process)| Client { actor, process, current: None, end: 0 };
        self.clients.extend(topology.clients().zip(0..).map(client));
        self.ops.clone_from(&plan.ops);
        self.invoked.clear();
        self.invoked.resize(plan.ops.len(), false);
    }

    fn reset_choices(&mut self, plan: &Plan<A>) {
        match &plan.noise {
            Noise::Drawn(seed) => {
                self.choices.reset(*seed);
                // The same noise, given as lines, belongs to the plan: so do its details.
                self.choices.set_detail_seed(plan.seed);
                for (site, odds) in &plan.odds {
                    self.choices.set_odds(*site, *odds);
                }
            }
            Noise::Lines(lines) => {
                self.choices.reset(plan.seed);
                for decision in lines {
                    self.choices.force(*decision);
                }
            }
        }
    }

    /// Puts the timed faults on the agenda: what stands at the start is there before anybody boots.
    pub(super) fn plan_faults(&mut self, plan: &Plan<A>) {
        self.account.reset(self.servers(), self.seats.len(), plan.down_max);
        for (line, i) in plan.faults.iter().zip(0..) {
            if let When::At(after) = line.when {
                self.schedule(
                    plan.run.start + after.at_least(Span::LEAST),
                    Due::Strike { line: i },
                );
            }
        }
    }

    /// Puts the first operation of each client on the agenda.
    pub(super) fn plan_work(&mut self) {
        for client in 0..self.clients.len() {
            let mine = |op: &PlannedOp<A::Op>| usize::from(op.client) == client;
            let Some(first) = self.ops.iter().position(mine) else { continue };
            let count = self.ops[first..].iter().take_while(|op| mine(op)).count();
            let first = u32::try_from(first).expect("fewer than 2^32 operations");
            let state = &mut self.clients[client];
            state.end = first + u32::try_from(count).expect("fewer than 2^32 operations");
            self.busy += 1;
            self.schedule_invoke(u16::try_from(client).expect("a client's index"), first);
        }
    }

    fn servers(&self) -> NodeSet {
        let mut servers = NodeSet::default();
        for (seat, i) in self.seats.iter().zip(0..) {
            if !seat.client {
                servers = servers.with(NodeId(i));
            }
        }
        servers
    }

    pub(super) fn ask(&mut self, client: u16, ops: impl IntoIterator<Item = A::Op>) {
        self.reading_back = true;
        let number = self.ops.iter().map(|op| op.number).max().unwrap_or(0);
        let first = u32::try_from(self.ops.len()).expect("fewer than 2^32 operations");
        self.ops.extend(ops.into_iter().zip(number + 1..).map(|(op, number)| PlannedOp {
            client,
            number,
            op,
        }));
        self.invoked.resize(self.ops.len(), false);
        let end = u32::try_from(self.ops.len()).expect("fewer than 2^32 operations");
        if first < end {
            let state = &mut self.clients[usize::from(client)];
            state.end = end;
            self.busy += 1;
            self.schedule(self.now + Span::LEAST, Due::Invoke { client, op: first });
        }
    }

    pub(super) fn not_invoked(&self) -> Vec<(u16, u32)> {
        let left = self.ops.iter().zip(&self.invoked).filter(|(_, invoked)| !**invoked);
        left.map(|(op, _)| (op.client, op.number)).collect()
    }
}
