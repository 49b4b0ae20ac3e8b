//! For an engine that holds the entries of the agenda, and the actors, itself.
//!
//! ```text
//!   world ──take_scheduled──▶ engine: waits until it is due ──begin──▶ world ──Delivery──▶ the actor's task ──finish──▶ world
//! ```
//!
//! Such an engine decides nothing: it takes every entry as soon as it has been created, waits for its instant by its own
//! clock, and gives it back in the order of [`Scheduled::order`] (or in another among equals, which it then writes down by
//! their [`Scheduled::tie_key`]). Effects, faults, checks and digest are the world's, on every engine.

#[cfg(madsim)]
use super::core::{Due, Pending};
use super::core::{Entry, TIE};
use super::{Stepped, World};
use crate::actor::{Actor, Context, Event, Me};
use crate::choose::Key;
use crate::id::ActorId;
#[cfg(madsim)]
use crate::id::NodeId;
#[cfg(madsim)]
use crate::time::Span;
use crate::time::Time;
use std::collections::VecDeque;

/// An entry of the agenda that an engine holds.
#[derive(Clone, Debug)]
pub struct Scheduled<A: Actor> {
    at: Time,
    priority: u8,
    number: u32,
    tie: Option<Key>,
    entry: Entry<A>,
}

impl<A: Actor> Scheduled<A> {
    /// Its place: the instant at which it is due, its priority among equals, and the number of its creation. No two entries
    /// of a run have the same.
    #[must_use]
    pub const fn order(&self) -> (Time, u8, u32) {
        (self.at, self.priority, self.number)
    }

    /// What its priority is decided under, at the site [`TIE`]; `None` for what nobody is asked about: boots, stops,
    /// answers of disks, wakes of connections, operations and faults. Those come in the order of their creation, and
    /// before every entry with a priority above 0.
    #[must_use]
    pub const fn tie_key(&self) -> Option<Key> {
        self.tie
    }
}

/// For an engine that is to differ, so that a comparison of engines is seen to fail.
#[cfg(madsim)]
impl<A: Actor> Scheduled<A> {
    /// Whether a timer is due.
    pub(crate) const fn is_timer(&self) -> bool {
        matches!(self.entry.due, Due::Timer { .. })
    }

    /// Makes it come later than it is due.
    pub(crate) fn postpone(&mut self, by: Span) {
        self.at += by;
    }
}

/// For code that runs beside the world and lets it know only what matters.
#[cfg(madsim)]
impl<A: Actor> World<A> {
    /// Puts a message to an actor down, as from itself. What is due before is not overtaken.
    pub(crate) fn deliver(&mut self, at: Time, to: ActorId, msg: A::Msg) {
        let incarnation = self.incarnation(self.home(to));
        let event = Pending::Message { from: to, msg };
        let at = at.max(self.now() + Span::LEAST);
        self.core.schedule(at, Due::Event { to, incarnation, event });
    }

    /// Whether a node is paused.
    pub(crate) fn stands_still(&self, node: NodeId, now: Time) -> bool {
        now < self.core.seat(node).paused_until
    }

    /// Whether a link delivers nothing.
    pub(crate) fn is_cut(&self, from: NodeId, to: NodeId, now: Time) -> bool {
        self.core.links.get(from, to).is_cut(now)
    }
}

/// What came of beginning with an entry.
#[derive(Debug)]
#[must_use]
pub enum Begun<A: Actor> {
    /// It is done: a change of the world, or nothing.
    Done(Stepped),
    /// A step has begun, and an actor has to handle this.
    Event(Delivery<A>),
}

/// An event that an actor has to handle, in a step that has begun. Nothing else may happen before [`World::finish`].
#[derive(Debug)]
#[must_use]
pub struct Delivery<A: Actor> {
    me: Me,
    event: Event<A>,
}

impl<A: Actor> Delivery<A> {
    /// Whether a client is asked something.
    #[must_use]
    pub const fn is_invoke(&self) -> bool {
        matches!(self.event, Event::Invoke { .. })
    }

    /// Who has to handle it.
    #[must_use]
    pub const fn me(&self) -> Me {
        self.me
    }
}

impl<A: Actor> World<A> {
    /// Takes an entry out of the agenda: those that are due first come first.
    pub fn take_scheduled(&mut self) -> Option<Scheduled<A>> {
        let core = &mut self.core;
        let priority = core.agenda.next_priority();
        let (at, number, entry) = core.agenda.pop()?;
        let tie = core.tie_keys.as_mut().and_then(|keys| {
            let kept = keys.iter().position(|(of, _)| *of == number)?;
            keys.remove(kept).map(|(_, key)| key)
        });
        Some(Scheduled { at, priority, number, tie, entry })
    }

    /// From now on, entries know the key of their priority. That changes no run: the site is asked, and answers 0 unless
    /// the plan says otherwise.
    pub fn keep_tie_keys(&mut self) {
        self.core.tie_keys = Some(VecDeque::new());
        self.core.choices.ask(&TIE);
        self.core.net_varies = true;
    }

    /// Begins with an entry whose time has come.
    ///
    /// # Panics
    /// If the step before has begun and has not ended, or if the entry comes too late: a defect of the engine.
    pub fn begin(&mut self, scheduled: Scheduled<A>) -> Begun<A> {
        assert!(!self.core.lending, "a step ends before the next one begins");
        assert!(self.core.now <= scheduled.at, "time never goes back");
        let stepped = self.route::<true>(scheduled.at, scheduled.number, scheduled.entry);
        match self.core.lent.take() {
            Some((me, event)) => {
                self.core.lending = true;
                Begun::Event(Delivery { me, event })
            }
            None => Begun::Done(stepped),
        }
    }

    /// Lets an actor that lives elsewhere handle its event, which ends the step. The world keeps a copy of what it has become,
    /// for checks to look at.
    pub fn finish(&mut self, delivery: Delivery<A>, actor: &mut A) {
        assert!(std::mem::take(&mut self.core.lending), "a step begins before it ends");
        let Delivery { me, event } = delivery;
        actor.on_event(event, &mut Context::new(&mut self.core, me));
        self.actors[usize::from(me.actor.0)].clone_from(actor);
        self.bury();
    }

    /// An actor as it is born, and born again after each death of its node.
    #[must_use]
    pub fn newborn(&self, actor: ActorId) -> &A {
        &self.newborn[usize::from(actor.0)]
    }
}
