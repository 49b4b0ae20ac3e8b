//! Faults at work: deaths, boots, pauses, trouble of links, disks and clocks, and the heal.

use super::core::{Core, Due, Entry, Pending, Tag};
use crate::actor::Actor;
use crate::fault::{
    ClockTrouble, ConnectTrouble, Death, DiskTrouble, Fault, FaultLine, Kind, LinkTrouble, Path,
    When,
};
use crate::id::{ActorId, NodeId, StepId};
use crate::time::{Span, Time};
use crate::trace::StepLine;
use std::hash::Hash;

impl<A: Actor> Core<A> {
    /// A fault line strikes, unless the budget refuses it. `acting` is the node in whose handler it strikes.
    pub(crate) fn strike(&mut self, line: u16, acting: Option<NodeId>) {
        let FaultLine { when, fault } = self.faults[usize::from(line)];
        self.strikes.used[usize::from(line)] = true;
        if matches!(when, When::At(_)) {
            self.strikes.timed -= 1;
        }
        let taken = self.account.taken_by(&fault);
        let may_be_wiped = |node: NodeId| self.disks[usize::from(node.0)].may_be_wiped();
        let spared = matches!(fault, Fault::Down(Death::Wipe, node, _) if !may_be_wiped(node));
        let allowed = self.healed.is_none() && !spared && self.account.allows(taken, self.now);
        self.fold(Tag::Fault, u64::from(allowed));
        fault.hash(&mut self.digest);
        self.trace(|t| {
            format!(
                "{}{}",
                fault.print(t.names()),
                if allowed { "" } else { ": refused by the budget" }
            )
        });
        if !allowed {
            return;
        }
        let until = self.now + fault.span();
        for node in taken.iter() {
            match fault {
                Fault::Link(..) => self.account.cut_off(node, until),
                _ => self.account.book(node, until),
            }
        }
        if self.apply(&fault, acting) {
            self.saw(fault.kind());
        }
    }

    /// Applies a fault; answers whether there was anything to apply it to. Trouble that is there already ends when the later
    /// of the two would; where both have a factor, the later line's holds.
    fn apply(&mut self, fault: &Fault, acting: Option<NodeId>) -> bool {
        let until = self.now + fault.span();
        match *fault {
            Fault::Down(Death::Stop, node, span) => return self.begin_stop(node, span),
            Fault::Down(death, node, span) => {
                if !self.seat(node).up {
                    return false;
                }
                self.go_down(node, death, span, acting);
            }
            Fault::Pause(node, _) => {
                if !self.seat(node).up {
                    return false;
                }
                let until = until.max(self.now + Span::LEAST);
                self.seat_mut(node).stand_still(until);
                self.update_lanes(node);
                self.schedule(until, Due::PauseEnds { node });
            }
            Fault::Slow(node, factor, _) => {
                self.troubled(until);
                let seat = self.seat_mut(node);
                (seat.slow_until, seat.slow_factor) = (seat.slow_until.max(until), factor.max(1));
                let until = seat.slow_until;
                self.links.slow_node(node, until, factor.max(1));
            }
            Fault::Link(trouble, path, _) => {
                self.troubled(until);
                self.trouble_links(trouble, path, until);
            }
            Fault::Conn(trouble, from, to) => return self.trouble_conns(trouble, from, to),
            Fault::Connect(trouble, node, _) => match trouble {
                ConnectTrouble::Refuse => self.conns.refuse_connects(node, until),
                ConnectTrouble::Hang => self.conns.hang_connects(node, until),
            },
            Fault::Disk(trouble, node, _) => self.trouble_disk(trouble, node, until),
            Fault::Clock(trouble, node) => self.trouble_clock(trouble, node),
        }
        true
    }

    fn trouble_links(&mut self, trouble: LinkTrouble, path: Path, until: Time) {
        for from in path.from.iter() {
            for to in path.to.iter() {
                let ways = [(from, to), (to, from)];
                for (from, to) in ways.into_iter().take(if path.both { 2 } else { 1 }) {
                    let link = self.links.get_mut(from, to);
                    match trouble {
                        LinkTrouble::Cut => link.cut_until = link.cut_until.max(until),
                        LinkTrouble::Clog => link.clog_until = link.clog_until.max(until),
                        LinkTrouble::Slow(factor) => {
                            (link.slow_until, link.slow_factor) =
                                (link.slow_until.max(until), factor.max(1));
                        }
                    }
                }
            }
        }
    }

    fn trouble_disk(&mut self, trouble: DiskTrouble, node: NodeId, until: Time) {
        let disk = self.disks[usize::from(node.0)].trouble_mut();
        match trouble {
            DiskTrouble::Full => disk.full_until = disk.full_until.max(until),
            DiskTrouble::ReadError => disk.read_error_until = disk.read_error_until.max(until),
            DiskTrouble::WriteError => disk.write_error_until = disk.write_error_until.max(until),
            DiskTrouble::SyncError => disk.sync_error_until = disk.sync_error_until.max(until),
            DiskTrouble::Slow(factor) => {
                (disk.slow_until, disk.slow_factor) = (disk.slow_until.max(until), factor.max(1));
            }
            DiskTrouble::Hang => disk.hang_until = disk.hang_until.max(until),
        }
    }

    fn trouble_clock(&mut self, trouble: ClockTrouble, node: NodeId) {
        match trouble {
            ClockTrouble::Skew(ns) | ClockTrouble::Jump(ns) => self.seat_mut(node).clock.shift(ns),
            ClockTrouble::Drift(ppm, span) => {
                let until = self.now + span.at_least(Span::LEAST);
                self.set_drift(node, ppm);
                self.seat_mut(node).drift_until = until;
                self.schedule(until, Due::DriftEnds { node });
            }
        }
    }

    /// Changes the rate of a node's clocks. Its timers follow: a deadline is a time of its own clock.
    pub(crate) fn set_drift(&mut self, node: NodeId, ppm: i32) {
        let (now, homes) = (self.now, &self.homes);
        let clock = &mut self.seats[usize::from(node.0)].clock;
        let before = clock.clone();
        clock.drift(ppm, now);
        for (actor, timer) in self.timers.of(|actor| homes[usize::from(actor.0)] == node) {
            let armed = self.timers.get_mut(actor, timer).expect("a timer that was just seen");
            if armed.deadline <= now {
                continue;
            }
            let left = clock.true_span(before.local_span(armed.deadline.since(now)));
            armed.deadline = now + left;
            if armed.deadline < armed.entry_due {
                let due = Due::Timer { actor, timer };
                let entry = Entry { cause: armed.cause, second: StepId(0), due };
                armed.entry = self.agenda.push(armed.deadline, 0, entry);
                armed.entry_due = armed.deadline;
            }
        }
    }

    /// Asks every actor of the node to stop; the node goes down when all have, or when the grace is over.
    fn begin_stop(&mut self, node: NodeId, span: Span) -> bool {
        let actors: Vec<ActorId> = self.actors_of(node).collect();
        let seat = self.seat_mut(node);
        if !seat.up || seat.stopping.is_some() {
            return false;
        }
        let incarnation = seat.incarnation;
        seat.down_for = span;
        seat.stopping = Some(actors.clone());
        self.account.book(node, self.now + self.run.grace + span);
        let due = self.now + self.run.local.at_least(Span::LEAST);
        for to in actors {
            self.schedule(due, Due::Event { to, incarnation, event: Pending::Stop });
        }
        let grace = self.run.grace.at_least(Span::LEAST);
        self.schedule(self.now + grace, Due::Grace { node, incarnation });
        true
    }

    pub(crate) fn actors_of(&self, node: NodeId) -> impl Iterator<Item = ActorId> + '_ {
        self.residents.actors[self.residents.of(node)].iter().copied()
    }

    /// A node goes down, and will boot again after `span`.
    pub(crate) fn go_down(
        &mut self,
        node: NodeId,
        death: Death,
        span: Span,
        acting: Option<NodeId>,
    ) {
        let span = span.at_least(Span::LEAST);
        let seat = self.seat_mut(node);
        debug_assert!(seat.up, "only a running node goes down");
        seat.up = false;
        seat.stopping = None;
        seat.end_pause();
        let (after, client) = (seat.incarnation, seat.client);
        self.update_lanes(node);
        self.fold(Tag::Death, u64::from(node.0) << 8 | death as u64);
        let homes = &self.homes;
        self.timers.forget(|actor| homes[usize::from(actor.0)] == node);
        self.locks[usize::from(node.0)].reset();
        for handed in &mut self.handed {
            handed.retain(|(sender, _)| homes[usize::from(sender.0)] != node);
        }
        self.io_down(node, death, after);
        self.account.back(node, self.now + span);
        self.schedule(self.now + span, Due::Boot { node, after });
        self.died.push(node);
        if client {
            self.give_up_operations(node);
        }
        if acting == Some(node) {
            self.struck = true;
        }
    }

    /// A node comes up: its actors get their boot event.
    pub(crate) fn boot(&mut self, node: NodeId) {
        let now = self.now;
        let seat = self.seat_mut(node);
        seat.up = true;
        seat.incarnation.0 += 1;
        seat.clock.boot(now);
        let incarnation = seat.incarnation;
        self.account.back(node, now);
        self.io_up(node, incarnation);
        self.boot_actors(node, incarnation);
        self.update_lanes(node);
    }

    pub(crate) fn boot_actors(&mut self, node: NodeId, incarnation: crate::id::Incarnation) {
        let born = self.now + Span::LEAST;
        self.seat_mut(node).stand_still(born);
        for i in self.residents.of(node) {
            let to = self.residents.actors[i];
            let boot = self.schedule(born, Due::Event { to, incarnation, event: Pending::Boot });
            // Whatever else comes in that instant lines up behind.
            self.seat_mut(node).held(boot);
        }
    }

    /// Ends all trouble: links, disks and clocks work, nothing is drawn any more, clients get no new operations. Nodes
    /// that are down or paused come back when their span is over.
    pub(crate) fn heal(&mut self) {
        if self.healed.is_some() {
            return;
        }
        let now = self.now;
        self.healed = Some(now);
        self.fold(Tag::Heal, now.0);
        self.links.heal(now);
        for seat in &mut self.seats {
            seat.slow_until = seat.slow_until.min(now);
        }
        for node in 0..self.seats.len() {
            if self.seats[node].drift_until > now {
                self.seats[node].drift_until = Time(0);
                self.set_drift(NodeId(u16::try_from(node).expect("at most 64 nodes")), 0);
            }
        }
        self.choices.fall_calm();
        self.io_heal();
        if let Some(tracer) = &mut self.tracer {
            let line = StepLine { step: self.step, at: now, node: None, causes: [StepId(0); 2] };
            tracer.step(line, format_args!("heal"));
        }
    }

    /// Whether any fault, beyond unusual timing, has really happened.
    pub(crate) fn saw_any_fault(&self) -> bool {
        const MILD: [Kind; 5] = [Kind::Kept, Kind::Schedule, Kind::Tie, Kind::Waiter, Kind::Think];
        let mut seen = self.seen;
        self.add_seen_below(&mut seen);
        // A sector that a death kept is unusual timing, too.
        let mild: u32 = MILD.iter().map(|kind| seen[*kind as usize]).sum();
        seen.iter().sum::<u32>() > mild
    }
}
