//! The world: nodes, clocks, locks, incarnations, links, disks, agenda, history and digest, as one value.
//!
//! ```text
//!   agenda ──next entry──▶ step ──event──▶ actor ──effects──▶ core ──▶ agenda
//! ```
//!
//! It routes and decides nothing: decisions come from `choose`, faults from the plan. A world can be cloned at any step;
//! both copies then go on alike. Reading order: [`Topology`], [`World`], `reset.rs` (how a run begins), `step.rs` (one
//! step), `core.rs` and `host.rs` (what effects do), `lanes.rs` (the short way of messages), `faults.rs` (what trouble does),
//! `io.rs` (connections and disks), `held.rs` (for a second engine).

mod agenda;
mod client;
mod core;
mod faults;
mod heap;
mod held;
mod host;
mod io;
mod lanes;
mod locks;
mod reset;
mod seat;
mod step;
mod strike;
mod tally;
mod timers;
mod topology;
mod violation;

pub use self::core::{SCHEDULE, THINK, TIE, WAITER};
pub use held::{Begun, Delivery, Scheduled};
pub use step::{Step, Stepped};
pub use topology::Topology;
pub use violation::{Violation, promise};

use self::core::Core;
use crate::actor::{Actor, History, Mark, Names};
use crate::choose::{Decision, Site};
use crate::fault::{FaultLine, Kind};
use crate::id::{ActorId, ConnId, Incarnation, NodeId};
use crate::nemesis::{Plan, Run};
use crate::time::Time;
use crate::trace::Tracer;
use client::Client;
use std::sync::Arc;

/// A whole simulated world, as a value.
#[derive(Clone)]
pub struct World<A: Actor> {
    actors: Vec<A>,
    newborn: Arc<[A]>,
    core: Core<A>,
}

impl<A: Actor> Default for World<A> {
    fn default() -> World<A> {
        World { actors: Vec::new(), newborn: Arc::from([]), core: Core::default() }
    }
}

impl<A: Actor> World<A> {
    /// Makes the world of this topology ready for a run of this plan. All memory is used again, so that a reused world
    /// costs no allocation; the run is the same as in a fresh one.
    ///
    /// # Panics
    /// If the plan names nodes, clients or sites that the topology does not have: plans are checked when they are read.
    pub fn reset(&mut self, topology: &Topology<A>, plan: &Plan<A>) {
        self.be_born(topology);
        self.core.reset(topology, plan);
        self.core.plan_faults(plan);
        for node in 0..topology.nodes() {
            let node = NodeId(u16::try_from(node).expect("at most 64 nodes"));
            self.core.io_up(node, Incarnation(1));
            self.core.boot_actors(node, Incarnation(1));
        }
        self.core.plan_work();
    }

    fn be_born(&mut self, topology: &Topology<A>) {
        if self.newborn.len() == topology.actors().count()
            && Arc::get_mut(&mut self.newborn).is_some()
        {
            let newborn = Arc::get_mut(&mut self.newborn).expect("nobody else holds it");
            for (slot, (_, _, actor)) in newborn.iter_mut().zip(topology.actors()) {
                slot.clone_from(actor);
            }
            for (actor, newborn) in self.actors.iter_mut().zip(self.newborn.iter()) {
                actor.reborn(newborn);
            }
        } else {
            self.newborn = topology.actors().map(|(_, _, actor)| actor.clone()).collect();
            self.actors = self.newborn.to_vec();
        }
    }

    /// From now on, writes a trace. With `keep`, at least the last `keep` lines are there.
    pub fn trace(&mut self, names: Names, keep: Option<usize>) {
        self.core.tracer = Some(Box::new(Tracer::new(names, keep)));
        // The short ways write no lines.
        self.core.open_from = Time(u64::MAX);
        self.core.short_way_from = Time(u64::MAX);
    }

    /// The lines of the trace so far; none if no trace was asked for.
    #[must_use]
    pub fn trace_lines(&self) -> &[String] {
        self.core.tracer.as_ref().map_or(&[], |t| t.lines())
    }

    /// From now on, keeps every decision that differs from calm. Asked for before a reset, it keeps those of the whole run.
    pub fn record_decisions(&mut self) {
        self.core.choices.record();
    }

    /// The same for every question with its outcome: see [`observe`](crate::choose::Choices::observe).
    pub fn observe_decisions(&mut self) {
        self.core.choices.observe();
    }

    /// The decisions that were kept: those that differed from calm, or all of them.
    pub fn take_decisions(&mut self) -> Vec<Decision> {
        self.core.choices.take_recording()
    }

    /// The present instant of virtual time.
    #[must_use]
    pub fn now(&self) -> Time {
        self.core.now
    }

    /// The number of steps so far.
    #[must_use]
    pub fn steps(&self) -> u32 {
        self.core.step.0
    }

    /// What the last step was about.
    #[must_use]
    pub fn last_step(&self) -> &Step {
        &self.core.last
    }

    /// The digest of everything so far.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.core.digest.state()
    }

    /// All actors, by number. Those of a node that is down are newborn.
    #[must_use]
    pub fn actors(&self) -> &[A] {
        &self.actors
    }

    /// One actor.
    #[must_use]
    pub fn actor(&self, id: ActorId) -> &A {
        &self.actors[usize::from(id.0)]
    }

    /// The node that an actor lives on.
    #[must_use]
    pub fn home(&self, actor: ActorId) -> NodeId {
        self.core.home(actor)
    }

    /// Whether a node is up.
    #[must_use]
    pub fn is_up(&self, node: NodeId) -> bool {
        self.core.seat(node).up
    }

    /// Whether all nodes are up and none stands still.
    #[must_use]
    pub fn all_up(&self) -> bool {
        self.core
            .seats
            .iter()
            .all(|s| s.up && s.stopping.is_none() && s.paused_until <= self.core.now)
    }

    /// Which life of a node is, or was last, running.
    #[must_use]
    pub fn incarnation(&self, node: NodeId) -> Incarnation {
        self.core.seat(node).incarnation
    }

    /// What the actors of a node share.
    #[must_use]
    pub fn shared(&self, node: NodeId) -> &A::Shared {
        &self.core.shared[usize::from(node.0)]
    }

    /// The disk of a node.
    #[must_use]
    pub fn disk(&self, node: NodeId) -> &crate::disk::Disk {
        &self.core.disks[usize::from(node.0)]
    }

    /// What the clients did and learned.
    #[must_use]
    pub fn history(&self) -> &History<A> {
        &self.core.history
    }

    /// The facts that actors stated in the last step.
    #[must_use]
    pub fn notes(&self) -> &[A::Note] {
        &self.core.notes
    }

    /// Whether something that a campaign wants to see was seen.
    #[must_use]
    pub fn has_seen(&self, mark: &Mark) -> bool {
        self.core.marks & (1 << mark.index) != 0
    }

    /// One bit a mark that was seen.
    #[must_use]
    pub fn marks(&self) -> u64 {
        self.core.marks
    }

    /// One bit a point that was passed.
    #[must_use]
    pub fn points(&self) -> u64 {
        self.core.points
    }

    /// How often this kind of trouble really happened.
    #[must_use]
    pub fn seen(&self, kind: Kind) -> u32 {
        self.seen_all()[kind as usize]
    }

    /// How many bits of a connection have flipped so far, in both directions; it may be over meanwhile.
    #[must_use]
    pub fn flips(&self, conn: ConnId) -> u32 {
        self.core.conns.flips(conn)
    }

    /// The ends of connections that are open, as the network knows it: who holds which.
    pub fn open_conns(&self) -> impl Iterator<Item = (ActorId, ConnId)> + '_ {
        self.core.conns.open().map(|socket| (socket.owner.actor, socket.conn))
    }

    /// Whether an actor was told of the end of a connection, and has not closed it since.
    #[must_use]
    pub fn is_told_closed(&self, conn: ConnId, actor: ActorId) -> bool {
        self.core.conns.is_told(conn, actor)
    }

    /// The same as [`World::seen`] for all kinds, in the order of the catalogue.
    #[must_use]
    pub fn seen_all(&self) -> [u32; Kind::CATALOGUE.len()] {
        let mut seen = self.core.seen;
        self.core.add_seen_below(&mut seen);
        seen
    }

    /// Whether any fault, beyond unusual timing, has really happened.
    #[must_use]
    pub fn saw_any_fault(&self) -> bool {
        self.core.saw_any_fault()
    }

    /// How many events were refused because the life that they were meant for was over, or nobody was there.
    #[must_use]
    pub fn refused(&self) -> u32 {
        self.core.refused
    }

    /// Whether no client has an operation under way or waiting.
    #[must_use]
    pub fn clients_are_idle(&self) -> bool {
        self.core.busy == 0
    }

    /// The operations that are under way: client and number.
    #[must_use]
    pub fn under_way(&self) -> Vec<(ActorId, u32)> {
        let current = |c: &Client| c.current.map(|op| (c.actor, self.core.ops[op as usize].number));
        self.core.clients.iter().filter_map(current).collect()
    }

    /// Whether fault lines with a time are still to come.
    #[must_use]
    pub fn faults_to_come(&self) -> bool {
        self.core.strikes.timed > 0
    }

    /// The instant of the next entry on the agenda.
    #[must_use]
    pub fn next_due(&self) -> Option<Time> {
        self.core.agenda.next_due()
    }

    /// The numbers of the engine in this run.
    #[must_use]
    pub fn run(&self) -> &Run {
        &self.core.run
    }

    /// When the last of the servers that are away is expected to run again.
    #[must_use]
    pub fn last_return(&self) -> Time {
        self.core.account.last_return()
    }

    /// Ends all trouble and hands out no more operations.
    pub fn heal(&mut self) {
        self.core.heal();
    }

    /// Puts a healthy ending upon the run: these operations are invoked even though the world has healed.
    pub fn ask(&mut self, client: u16, ops: impl IntoIterator<Item = A::Op>) {
        self.core.ask(client, ops);
    }

    /// Whether the history has grown, or a promise is broken, since this was asked last.
    #[inline]
    pub(crate) fn take_notable(&mut self) -> bool {
        std::mem::take(&mut self.core.notable)
    }

    /// A promise that the engine itself saw broken.
    #[must_use]
    pub fn broken(&self) -> Option<&Violation> {
        self.core.broken.as_ref()
    }

    /// Folds the end of the run into the digest: every durable image, and the verdict's signature.
    pub fn fold_end(&mut self, verdict: &(impl std::hash::Hash + ?Sized)) {
        self.core.fold_end(verdict);
    }

    /// The overrides, and the fault lines (by index), that nothing asked for.
    #[must_use]
    pub fn unused(&self) -> (Vec<Decision>, Vec<usize>) {
        let lines =
            self.core.strikes.used.iter().enumerate().filter(|(_, used)| !**used).map(|(i, _)| i);
        (self.core.choices.unused(), lines.collect())
    }

    /// The numbers of the operations that were never invoked: client index and number.
    #[must_use]
    pub fn not_invoked(&self) -> Vec<(u16, u32)> {
        self.core.not_invoked()
    }
}

/// The sites of the engine itself, for reading noise lines.
pub const ENGINE_SITES: &[&Site] = &[
    &crate::net::NET,
    &TIE,
    &SCHEDULE,
    &WAITER,
    &crate::disk::DISK,
    &crate::disk::SECTOR,
    &crate::disk::NAMES,
    &crate::net::conn::SEGMENT,
    &crate::net::conn::CONNECT,
    &crate::net::conn::CUT,
    &crate::net::conn::CORRUPT,
    &THINK,
];

/// A fault line by its index, for reports.
#[must_use]
pub fn fault_line(lines: &[FaultLine], index: usize) -> Option<&FaultLine> {
    lines.get(index)
}
