//! One step: the next entry of the agenda becomes an event of an actor, or a change of the world.

use super::core::{Due, Entry, Moment, Pending, TIE, Tag};
use super::{Violation, World, promise};
use crate::actor::{Actor, Context, Event, Family, HistoryEvent, Me};
use crate::choose::Digest;
use crate::id::{ActorId, Incarnation, NodeId, OpId, StepId};
use crate::net::Link;
use crate::time::{Span, Time};
use crate::trace::{StepLine, say_event};
use std::hash::Hash;

/// More events than this within a microsecond, and the run has stopped making progress.
const BURST_MAX: u32 = 100_000;
/// So many steps are between two looks at that.
const BURST_LOOK: u32 = 4096;

/// What one step was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)] // Written at every step: node and actor side by side would be put together by shuffles.
pub struct Step {
    /// The node that it happened on, if on one.
    pub node: Option<NodeId>,
    /// Its number, from 1.
    pub id: StepId,
    /// When it was due.
    pub at: Time,
    /// The actor that handled an event, if one did.
    pub actor: Option<ActorId>,
}

/// What came of asking for a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stepped {
    /// A step was made; [`World::last_step`] says what it was about.
    Step,
    /// An entry was taken that had become void: a timer that was disarmed or moved. It is no step.
    Void,
    /// The agenda is empty.
    Idle,
}

impl<A: Actor> World<A> {
    /// Makes one step.
    ///
    /// # Panics
    /// If the model breaks the contract (completes an operation twice, gives back a lock that it does not hold): a defect
    /// of the model, which a campaign reports as a finding of class *panic*.
    #[inline]
    pub fn step(&mut self) -> Stepped {
        let next = self.core.agenda.pop();
        next.map_or(Stepped::Idle, |(at, id, entry)| self.take(at, id, entry))
    }

    /// Makes one step, if it is due before `limit`.
    #[inline(always)]
    pub(crate) fn step_before(&mut self, limit: Time) -> Option<Stepped> {
        let (at, id, entry) = self.core.agenda.pop_before(limit)?;
        Some(self.take(at, id, entry))
    }

    #[inline(always)]
    fn take(&mut self, at: Time, id: u32, entry: Entry<A>) -> Stepped {
        match entry {
            Entry {
                cause,
                second,
                due: Due::Event { to, incarnation, event: Pending::Message { from, msg } },
            } => {
                let moment = Moment { at, cause, second };
                self.message(moment, id, (to, incarnation), (from, msg))
            }
            rarer => self.route::<false>(at, id, rarer),
        }
    }

    /// The short way of what comes most often: a message for an actor that is up and moving, in a run that nobody traces.
    /// All in one, so that the message is read where it lay and moved once, into the handler: each further copy costs more
    /// than a short handler.
    #[inline(always)]
    fn message(
        &mut self,
        moment: Moment,
        id: u32,
        (to, incarnation): (ActorId, Incarnation),
        (from, msg): (ActorId, A::Msg),
    ) -> Stepped {
        let (core, at) = (&mut self.core, moment.at);
        let lane = core.lane(to);
        if lane.open != incarnation || at < core.open_from {
            let event = Pending::Message { from, msg };
            let Moment { cause, second, .. } = moment;
            let entry = Entry { cause, second, due: Due::Event { to, incarnation, event } };
            return self.route::<false>(at, id, entry);
        }
        let node = lane.node;
        let me = Me { actor: to, node, incarnation };
        let digest = moment.fold_into(core.digest);
        core.digest = Event::<A>::fold_message(from, &msg, digest, whom(me));
        (core.now, core.popped) = (at, id);
        core.begin_at(at, me);
        let cx = &mut Context::new(&mut self.core, me);
        self.actors[usize::from(to.0)].on_event(Event::Message { from, msg }, cx);
        if !self.core.died.is_empty() {
            self.bury();
        }
        Stepped::Step
    }

    /// Makes the step of an entry. With `LEND`, the event is put down for whoever keeps the actor, instead of handled.
    #[inline(never)]
    pub(super) fn route<const LEND: bool>(
        &mut self,
        at: Time,
        id: u32,
        entry: Entry<A>,
    ) -> Stepped {
        let Entry { cause, second, due } = entry;
        let moment = Moment { at, cause, second };
        debug_assert!(self.core.now <= at, "time never goes back");
        // What has become void takes its time, too: a clock that is not ours cannot know it beforehand.
        self.core.now = at;
        self.core.popped = id;
        match due {
            Due::Event { to, incarnation, event } => {
                self.waited::<LEND>(moment, (to, incarnation), event)
            }
            Due::Timer { actor, timer } => self.timer::<LEND>(at, id, actor, timer),
            rarer => self.rarer::<LEND>(moment, rarer),
        }
    }

    /// What is due less often than messages and timers; kept apart, so that their way stays short.
    #[inline(never)]
    fn rarer<const LEND: bool>(&mut self, moment: Moment, due: Due<A>) -> Stepped {
        let (core, at) = (&mut self.core, moment.at);
        match due {
            Due::Disk { node, incarnation, request } => {
                if core.seat(node).puts_off(at, core.popped) {
                    return core.put_off(node, moment, due);
                }
                match core.io_disk_done(node, request) {
                    Some((to, event)) => {
                        self.handle::<LEND>(moment, (to, incarnation), Event::Disk(event))
                    }
                    None => self.refuse(at, node, moment.cause),
                }
            }
            Due::Conn(wake) => match core.io_wake(wake) {
                Some((end, event)) => {
                    self.waited::<LEND>(moment, (end.actor, end.incarnation), Pending::Conn(event))
                }
                None => Stepped::Void,
            },
            Due::Invoke { client, op } => self.invoke::<LEND>(moment, client, op),
            other => self.change(at, moment.cause, &other),
        }
    }

    /// Delivers an event that has waited, or lets it wait on if its node stands still.
    fn waited<const LEND: bool>(
        &mut self,
        moment: Moment,
        (to, incarnation): (ActorId, Incarnation),
        event: Pending<A>,
    ) -> Stepped {
        let node = self.core.home(to);
        if moment.at < self.core.trouble_until
            && let Pending::Message { from, .. } = &event
            && let Some(link) = self.core.troubled_link(*from, node, moment.at)
        {
            return self.core.kept_by_link(link, moment, Due::Event { to, incarnation, event });
        }
        let seat = self.core.seat(node);
        // A pause begins before a birth or after it.
        if seat.puts_off(moment.at, self.core.popped)
            && seat.lives(incarnation)
            && !matches!(event, Pending::Boot)
        {
            return self.core.put_off(node, moment, Due::Event { to, incarnation, event });
        }
        let goes_on = seat.up && seat.paused_until < moment.at;
        if goes_on && self.core.lane(to).open != seat.incarnation {
            self.core.open_lanes();
        }
        self.handle::<LEND>(moment, (to, incarnation), event.into())
    }

    /// Delivers an event, if the life that it is meant for is still going on.
    fn handle<const LEND: bool>(
        &mut self,
        moment: Moment,
        (to, incarnation): (ActorId, Incarnation),
        event: Event<A>,
    ) -> Stepped {
        let at = moment.at;
        let node = self.core.home(to);
        let seat = self.core.seat(node);
        if !seat.lives(incarnation) {
            return self.refuse(at, node, moment.cause);
        }
        let me = Me { actor: to, node, incarnation };
        self.core.digest = event.fold_into(moment.fold_into(self.core.digest), whom(me));
        self.core.begin_at(at, me);
        if self.core.tracer.is_some() {
            self.core.trace_event(node, to, &event, moment);
        }
        if LEND {
            self.core.lent = Some((me, event));
            return Stepped::Step;
        }
        self.actors[usize::from(to.0)].on_event(event, &mut Context::new(&mut self.core, me));
        if !self.core.died.is_empty() {
            self.bury();
        }
        Stepped::Step
    }

    fn timer<const LEND: bool>(
        &mut self,
        at: Time,
        id: u32,
        actor: ActorId,
        timer: A::Timer,
    ) -> Stepped {
        let core = &mut self.core;
        let Some(armed) = core.timers.get_mut(actor, timer) else { return Stepped::Void };
        if armed.entry != id {
            return Stepped::Void;
        }
        let (incarnation, cause, deadline) = (armed.incarnation, armed.cause, armed.deadline);
        let node = core.home(actor);
        let seat = core.seat(node);
        let (still, paused_until) = (seat.puts_off(at, id), seat.paused_until);
        if still || at < deadline {
            // The deadline has moved, or the node stands still: the entry is put back.
            let due = if still { deadline.max(paused_until) } else { deadline };
            let entry = Entry { cause, second: StepId(0), due: Due::Timer { actor, timer } };
            // Its place among equals is asked for as that of a timer that is armed anew.
            let priority = if !still && core.choices.is_live(&TIE) {
                let me = Me { actor, node, incarnation };
                let key = core.key_between(me, actor, Family::Timer, &timer);
                core.priority(key)
            } else {
                0
            };
            let entry = core.agenda.push(due, priority, entry);
            if still && due == paused_until {
                core.seat_mut(node).held(entry);
            }
            if let Some(armed) = core.timers.get_mut(actor, timer) {
                (armed.entry, armed.entry_due) = (entry, due);
            }
            return Stepped::Void;
        }
        core.timers.remove(actor, timer);
        self.handle::<LEND>(
            Moment { at, cause, second: StepId(0) },
            (actor, incarnation),
            Event::Timer(timer),
        )
    }

    fn invoke<const LEND: bool>(&mut self, moment: Moment, client: u16, op: u32) -> Stepped {
        let (core, at) = (&mut self.core, moment.at);
        if core.healed.is_some() && !core.reading_back {
            core.busy -= 1;
            return Stepped::Void;
        }
        let state = &mut core.clients[usize::from(client)];
        let node = core.homes[usize::from(state.actor.0)];
        if core.seats[usize::from(node.0)].puts_off(at, core.popped) {
            return core.put_off(node, moment, Due::Invoke { client, op });
        }
        if !core.seats[usize::from(node.0)].up {
            let refused = self.refuse(at, node, moment.cause);
            self.core.invoke_next(client, op + 1);
            return refused;
        }
        let planned = &core.ops[op as usize];
        state.current = Some(op);
        core.invoked[op as usize] = true;
        let (actor, process) = (state.actor, state.process);
        let op = OpId { client: actor, number: planned.number };
        let what = planned.op.clone();
        core.notable = true;
        core.history.events.push(HistoryEvent::Invoked { process, op, what: what.clone(), at });
        let incarnation = core.seat(node).incarnation;
        self.handle::<LEND>(moment, (actor, incarnation), Event::Invoke { op, what })
    }

    /// Something is due that is no event of an actor.
    fn change(&mut self, at: Time, cause: StepId, due: &Due<A>) -> Stepped {
        let core = &mut self.core;
        let node = match due {
            Due::Strike { .. } if core.healed.is_some() => return Stepped::Void,
            Due::Strike { line } => {
                core.begin_traced(at, cause, None, (1, "fault"));
                core.strike(*line, None);
                None
            }
            Due::Boot { node, after } => {
                let seat = core.seat(*node);
                if seat.up || seat.incarnation != *after {
                    return Stepped::Void;
                }
                core.begin_traced(at, cause, Some(*node), (2, "restart"));
                core.boot(*node);
                Some(*node)
            }
            Due::Grace { node, incarnation } => {
                let seat = core.seat(*node);
                if !seat.lives(*incarnation) || seat.stopping.is_none() {
                    return Stepped::Void;
                }
                core.begin_traced(at, cause, Some(*node), (3, "the grace of the stop is over"));
                let span = core.seat(*node).down_for;
                core.go_down(*node, crate::fault::Death::Kill, span, None);
                Some(*node)
            }
            Due::DriftEnds { node } => {
                if core.seat(*node).drift_until != at {
                    return Stepped::Void;
                }
                core.begin_traced(at, cause, Some(*node), (4, "the drift ends"));
                core.set_drift(*node, 0);
                Some(*node)
            }
            Due::PauseEnds { node } => {
                let seat = core.seat(*node);
                if !seat.up || at != seat.paused_until {
                    return Stepped::Void;
                }
                core.begin_traced(at, cause, Some(*node), (6, "the pause ends"));
                Some(*node)
            }
            Due::Event { .. }
            | Due::Timer { .. }
            | Due::Disk { .. }
            | Due::Conn(_)
            | Due::Invoke { .. } => {
                unreachable!("routed by the caller")
            }
        };
        self.bury();
        self.core.last = Step { id: self.core.step, at, node, actor: None };
        Stepped::Step
    }

    /// An event came too late: its life is over, or nobody is there. That is a step, so that the digest sees it.
    fn refuse(&mut self, at: Time, node: NodeId, cause: StepId) -> Stepped {
        let core = &mut self.core;
        core.refused += 1;
        core.begin_traced(at, cause, Some(node), (5, "refused: meant for a life that is over"));
        core.fold(Tag::Refused, u64::from(node.0));
        core.last = Step { id: core.step, at, node: Some(node), actor: None };
        Stepped::Step
    }

    /// Makes the actors of nodes that died in this step newborn again; what they shared is lost.
    pub(super) fn bury(&mut self) {
        while let Some(node) = self.core.died.pop() {
            for (i, home) in self.core.homes.iter().enumerate() {
                if *home == node {
                    self.actors[i].reborn(&self.newborn[i]);
                }
            }
            self.core.shared[usize::from(node.0)] = A::Shared::default();
        }
    }
}

/// The word of the digest that says who handles an event.
#[inline]
fn whom(me: Me) -> u64 {
    u64::from(me.actor.0) << 32 | u64::from(me.incarnation.0)
}

impl Moment {
    #[inline]
    fn fold_into(self, digest: Digest) -> Digest {
        digest.pair(self.at.0, u64::from(self.second.0) << 32 | u64::from(self.cause.0))
    }
}

impl<A: Actor> super::Core<A> {
    /// Opens the next step, in which an actor handles an event.
    #[inline]
    fn begin_at(&mut self, at: Time, me: Me) {
        self.begin(at);
        self.last = Step { id: self.step, at, node: Some(me.node), actor: Some(me.actor) };
    }

    /// Opens the next step.
    #[inline]
    fn begin(&mut self, at: Time) {
        self.step.0 += 1;
        self.struck = false;
        self.notes.clear();
        if self.step.0.is_multiple_of(BURST_LOOK) {
            self.look_for_progress(at);
        }
    }

    #[cold]
    fn look_for_progress(&mut self, at: Time) {
        let (began, events) = &mut self.burst;
        if at.since(*began) >= Span::us(1) {
            (*began, *events) = (at, 0);
            return;
        }
        *events += BURST_LOOK;
        if *events > BURST_MAX {
            self.no_progress();
        }
    }

    fn no_progress(&mut self) {
        let detail = format!("more than {BURST_MAX} events within a microsecond");
        self.break_promise(Violation { check: promise::PROGRESS, class: "no progress", detail });
    }

    fn begin_traced(
        &mut self,
        at: Time,
        cause: StepId,
        node: Option<NodeId>,
        (code, what): (u64, &str),
    ) {
        self.begin(at);
        let place = node.map_or(u64::from(u16::MAX), |node| u64::from(node.0));
        self.digest = self.digest.pair(at.0, (code << 16 | place) << 32 | u64::from(cause.0));
        if let Some(tracer) = &mut self.tracer {
            let line = StepLine { step: self.step, at, node, causes: [cause, StepId(0)] };
            tracer.step(line, format_args!("{what}"));
        }
    }

    #[cold]
    fn trace_event(&mut self, node: NodeId, to: ActorId, event: &Event<A>, moment: Moment) {
        if let Some(tracer) = &mut self.tracer {
            let text = format!("{} {}", tracer.names().actor(to), say_event(event, tracer.names()));
            let line = StepLine {
                step: self.step,
                at: self.now,
                node: Some(node),
                causes: [moment.cause, moment.second],
            };
            tracer.step(line, format_args!("{text}"));
        }
    }

    /// The link that a message has come over, if it delivers nothing at this instant. What a pause has put off had arrived
    /// before.
    fn troubled_link(&self, from: ActorId, to: NodeId, at: Time) -> Option<Link> {
        let home = self.home(from);
        let link = *self.links.get(home, to);
        let keeps = link.is_cut(at) || at < link.clog_until;
        (keeps && home != to && at != self.seat(to).paused_until).then_some(link)
    }

    /// A message is on its way while its link delivers nothing: a cut loses it, a clog holds it.
    #[cold]
    fn kept_by_link(&mut self, link: Link, moment: Moment, due: Due<A>) -> Stepped {
        let Moment { at, cause, second } = moment;
        let Due::Event { to, .. } = &due else { unreachable!("only messages come over links") };
        let node = self.home(*to);
        if !link.is_cut(at) {
            self.agenda.push(link.clog_until, 0, Entry { cause, second, due });
            return Stepped::Void;
        }
        self.begin_traced(at, cause, Some(node), (7, "lost in a cut"));
        self.fold(Tag::Refused, u64::from(node.0));
        self.last = Step { id: self.step, at, node: Some(node), actor: None };
        Stepped::Step
    }

    /// Puts something off until its node goes on.
    #[cold]
    fn put_off(&mut self, node: NodeId, moment: Moment, due: Due<A>) -> Stepped {
        let Moment { cause, second, .. } = moment;
        let until = self.seat(node).paused_until;
        let entry = self.agenda.push(until, 0, Entry { cause, second, due });
        self.seat_mut(node).held(entry);
        Stepped::Void
    }

    pub(super) fn fold_end(&mut self, verdict: &(impl Hash + ?Sized)) {
        self.fold(Tag::End, 0);
        for (disk, node) in self.disks.iter().zip(0..) {
            self.digest = self.digest.pair(Tag::End as u64, node);
            disk.fold_durable(&mut self.digest);
        }
        verdict.hash(&mut self.digest);
    }
}
