//! What the core does for an actor: every effect, applied at once.

use super::Violation;
use super::client::Client;
use super::core::{Core, Due, Entry, HandOver, Pending, Tag, WAITER};
use super::locks::Asked;
use super::timers::Armed;
use super::violation::promise;
use crate::actor::{
    Actor, BugSet, CloseReason, DiskOp, Family, Host, Label, Mark, Me, Outcome, Point,
};
use crate::choose::{Key, Site};
use crate::fault::{Death, Fault, Kind};
use crate::id::{ActorId, ConnId, NodeId, OpId, RequestId, StepId};
use crate::net::Fate;
use crate::time::{Span, Time};
use std::hash::{Hash, Hasher};

impl<A: Actor> Core<A> {
    #[inline]
    pub(crate) fn fold(&mut self, tag: Tag, word: u64) {
        self.digest.write_u64((tag as u64) << 48 ^ word);
    }

    #[inline]
    fn fold_with(&mut self, tag: Tag, word: u64, payload: &impl Hash) {
        // In a local: through the reference, every word would wait for the last one to be stored.
        let mut words = self.digest.words();
        words.write_u64((tag as u64) << 48 ^ word);
        payload.hash(&mut words);
        self.digest = words.end();
    }

    /// Sends where the short way is barred: within a node, in a run that is traced, or in trouble.
    #[inline(never)]
    fn send_the_long_way(&mut self, me: Me, to: ActorId, msg: A::Msg) {
        if self.tracer.is_some() {
            self.trace(|t| format!("send {}: {msg}", t.names().actor(to)));
        }
        if self.lane(to).node != me.node {
            return self.transmit(me, to, msg);
        }
        let key = self.hand_overs_vary().then(|| self.key_between(me, to, Family::Message, &msg));
        self.hand_over(
            me,
            HandOver { to, key, second: StepId(0) },
            Pending::Message { from: me.actor, msg },
        );
    }

    /// Sends over a network that may deviate from calm and is not in trouble: mostly, nothing comes of it.
    #[inline(never)]
    fn send_by_choice(&mut self, me: Me, to: ActorId, msg: A::Msg) {
        let base = self.links.get(me.node, self.lane(to).node).base;
        let key = self.key_between(me, to, Family::Message, &msg);
        let fate = Fate::decide(&mut self.choices, key, base);
        if fate != Fate::Calm {
            return self.transmit_so(me, to, msg, (Some(key), fate));
        }
        let priority = self.priority(key);
        self.deliver_in_place(me, to, msg, (self.now + base, priority));
    }

    /// Sends over a network that may be in trouble, and may deviate from calm.
    fn transmit(&mut self, me: Me, to: ActorId, msg: A::Msg) {
        let base = self.links.get(me.node, self.home(to)).base;
        let key = self.net_varies.then(|| self.key_between(me, to, Family::Message, &msg));
        let fate = key.map_or(Fate::Calm, |key| Fate::decide(&mut self.choices, key, base));
        self.transmit_so(me, to, msg, (key, fate));
    }

    /// Sends a datagram that has this key, if it has one, and this fate.
    #[inline(never)]
    fn transmit_so(&mut self, me: Me, to: ActorId, msg: A::Msg, (key, fate): (Option<Key>, Fate)) {
        let target = self.home(to);
        let link = *self.links.get(me.node, target);
        if fate != Fate::Calm {
            fate.hash(&mut self.digest);
            self.trace(|_| format!("  {fate}"));
        }
        if link.is_cut(self.now) {
            self.fold(Tag::Refused, u64::from(to.0));
            self.saw_cut_datagram();
            return;
        }
        let slow = self.seat(me.node).slowness(self.now).max(self.seat(target).slowness(self.now));
        let extra = Span(link.base.0 * (slow - 1));
        let (extra, copy) = match fate {
            Fate::Calm => (extra, None),
            Fate::Drop => return self.saw(Kind::Drop),
            Fate::Duplicate(later) => {
                self.saw(Kind::Duplicate);
                (extra, Some(extra + later))
            }
            Fate::Reorder(later) => {
                self.saw(Kind::Reorder);
                (extra + later, None)
            }
            Fate::Delay(later) => {
                self.saw(Kind::Delay);
                (extra + later, None)
            }
            Fate::Corrupt(word) => {
                self.saw(Kind::Corrupt);
                let Some(altered) = A::corrupted(&msg, word) else { return };
                return self.deliver_later(me, to, altered, (link.arrival(self.now, extra), 0));
            }
        };
        if let Some(later) = copy {
            self.deliver_later(me, to, msg.clone(), (link.arrival(self.now, later), 0));
        }
        let priority = key.map_or(0, |key| self.priority(key));
        self.deliver_later(me, to, msg, (link.arrival(self.now, extra), priority));
    }

    fn deliver_later(&mut self, me: Me, to: ActorId, msg: A::Msg, when: (Time, u8)) {
        self.deliver_in_place(me, to, msg, when);
    }

    #[inline(always)]
    fn deliver_in_place(&mut self, me: Me, to: ActorId, msg: A::Msg, (due, priority): (Time, u8)) {
        let incarnation = self.lane(to).expected;
        let event = Pending::Message { from: me.actor, msg };
        let entry = Entry {
            cause: self.step,
            second: StepId(0),
            due: Due::Event { to, incarnation, event },
        };
        self.agenda.push_in_place(due, priority, entry);
    }

    #[cold]
    fn saw_cut_datagram(&mut self) {
        self.trace(|_| "  lost in a cut".into());
    }

    /// Apart, so that a run that nobody traces does not ask what the outcome was: that branch would be mispredicted.
    #[cold]
    #[inline(never)]
    fn trace_choice(&mut self, site: &Site, outcome: u32) {
        if outcome == 0 {
            return;
        }
        self.trace(|_| match site.outcomes.get(outcome as usize - 1) {
            Some(named) => format!("choose {}: {named}", site.name),
            None => format!("choose {}: {outcome}", site.name),
        });
    }
}

impl<A: Actor> Host<A> for Core<A> {
    fn now(&self, me: Me) -> Time {
        self.seat(me.node).clock.monotonic(self.now)
    }

    fn wall(&self, me: Me) -> Time {
        self.seat(me.node).clock.wall(self.now)
    }

    fn send(&mut self, me: Me, to: ActorId, msg: A::Msg) {
        if self.struck {
            return;
        }
        self.fold_with(Tag::Send, u64::from(to.0), &msg);
        let lane = self.lane(to);
        if lane.node == me.node || self.now < self.short_way_from {
            return self.send_the_long_way(me, to, msg);
        }
        if self.net_varies {
            return self.send_by_choice(me, to, msg);
        }
        let due = self.now + self.links.get(me.node, lane.node).base;
        self.deliver_in_place(me, to, msg, (due, 0));
    }

    fn arm(&mut self, me: Me, timer: A::Timer, after: Span) {
        if self.struck {
            return;
        }
        self.fold_with(Tag::Arm, after.0, &timer);
        self.trace(|_| format!("arm {timer} in {after}"));
        let seat = self.seat(me.node);
        let after =
            seat.clock.true_span(after.at_least(Span::LEAST)).times(seat.slowness(self.now));
        let (deadline, cause) = (self.now + after, self.step);
        let armed =
            Armed { incarnation: me.incarnation, deadline, entry: 0, entry_due: deadline, cause };
        let Some(armed) = self.timers.arm(me.actor, timer, armed) else { return };
        let entry = Entry { cause, second: StepId(0), due: Due::Timer { actor: me.actor, timer } };
        if !self.choices.is_live(&super::TIE) {
            armed.entry = self.agenda.push_in_place(deadline, 0, entry);
            return;
        }
        let key = self.key_between(me, me.actor, Family::Timer, &timer);
        let priority = self.priority(key);
        let entry = self.agenda.push(deadline, priority, entry);
        if let Some(armed) = self.timers.get_mut(me.actor, timer) {
            armed.entry = entry;
        }
    }

    fn disarm(&mut self, me: Me, timer: A::Timer) {
        if self.struck {
            return;
        }
        self.fold_with(Tag::Disarm, 0, &timer);
        self.trace(|_| format!("disarm {timer}"));
        self.timers.remove(me.actor, timer);
    }

    fn lock(&mut self, me: Me, lock: A::Lock) {
        if self.struck {
            return;
        }
        let asked = self.locks[usize::from(me.node.0)].ask(lock, me.actor, self.step);
        self.fold_with(Tag::Lock, asked as u64, &lock);
        self.trace(|_| format!("lock {lock}: {asked:?}"));
        match asked {
            Asked::Granted => self.grant(me, me.actor, lock, StepId(0)),
            Asked::Waits => {}
            Asked::Deadlock => {
                let detail = format!("{} waits for {lock} for ever", self.say_actor(me.actor));
                self.break_promise(Violation {
                    check: promise::NO_DEADLOCK,
                    class: "deadlock",
                    detail,
                });
            }
        }
    }

    fn unlock(&mut self, me: Me, lock: A::Lock) {
        if self.struck {
            return;
        }
        let locks = &self.locks[usize::from(me.node.0)];
        assert_eq!(
            locks.owner(lock),
            Some(me.actor),
            "an actor gives back the lock {lock} that it holds"
        );
        let waiting = u32::try_from(locks.waiting(lock)).expect("at most 65,535 actors");
        let heir = if waiting > 1 && self.choices.is_live(&WAITER) {
            let key = self.key_between(me, me.actor, Family::Lock, &lock);
            self.choices.choose(&WAITER, key) % waiting
        } else {
            0
        };
        if heir != 0 {
            self.saw(Kind::Waiter);
        }
        self.fold_with(Tag::Unlock, u64::from(heir), &lock);
        self.trace(|_| format!("unlock {lock}"));
        if let Some((next, asked)) = self.locks[usize::from(me.node.0)].release(lock, heir as usize)
        {
            self.grant(me, next, lock, asked);
        }
    }

    fn yield_to(&mut self, me: Me, phase: A::Phase) {
        if self.struck {
            return;
        }
        self.fold_with(Tag::Yield, 0, &phase);
        self.trace(|_| format!("yield to {phase}"));
        let key =
            self.hand_overs_vary().then(|| self.key_between(me, me.actor, Family::Phase, &phase));
        self.hand_over(
            me,
            HandOver { to: me.actor, key, second: StepId(0) },
            Pending::Phase(phase),
        );
    }

    fn point(&mut self, me: Me, point: &'static Point) {
        if self.struck {
            return;
        }
        self.fold(Tag::Point, u64::from(point.index));
        self.trace(|_| format!("point {}", point.name));
        self.points |= 1 << point.index;
        if self.strikes.watches(point) && self.healed.is_none() {
            for line in self.strikes.occurs(point, me.node) {
                self.strike(line, Some(me.node));
            }
        }
    }

    fn note(&mut self, me: Me, note: A::Note) {
        if self.struck {
            return;
        }
        self.fold_with(Tag::Note, u64::from(me.actor.0), &note);
        self.trace(|_| format!("note {note}"));
        self.notes.push(note);
    }

    fn mark(&mut self, _me: Me, mark: &'static Mark) {
        if self.struck {
            return;
        }
        if self.marks & (1 << mark.index) == 0 {
            self.fold(Tag::Mark, u64::from(mark.index));
            self.trace(|_| format!("seen: {}", mark.name));
            self.marks |= 1 << mark.index;
        }
    }

    fn complete(&mut self, me: Me, op: OpId, outcome: Outcome<A::Ret>) {
        if self.struck {
            return;
        }
        self.fold_with(Tag::Complete, u64::from(op.number), &outcome);
        self.trace(|_| match &outcome {
            Outcome::Ok(ret) => format!("complete #{}: {ret}", op.number),
            Outcome::Failed => format!("complete #{}: failed", op.number),
            Outcome::Unknown => format!("complete #{}: unknown", op.number),
        });
        let client = self.clients.iter().position(|c| c.actor == op.client && c.actor == me.actor);
        let client = client.expect("only the client that was asked completes an operation");
        let index = self.clients[client].current.expect("an operation is completed once");
        assert_eq!(
            self.ops[index as usize].number, op.number,
            "the operation under way is the one completed"
        );
        self.conclude(client, outcome);
    }

    fn choose(&mut self, me: Me, site: &'static Site, subject: u64, n: u64) -> u32 {
        if self.struck || !self.choices.is_live(site) {
            return 0;
        }
        let key = Key::own(me.actor.0, me.incarnation.0, subject, n);
        let outcome = self.choices.decide(site.id, key);
        // Calm leaves no trace: where noise is given as lines, nobody may ask at all.
        self.digest = self.digest.unusual(outcome);
        if self.tracer.is_some() {
            self.trace_choice(site, outcome);
        }
        outcome
    }

    fn bugs(&self) -> BugSet {
        self.bugs
    }

    fn shared(&mut self, me: Me) -> &mut A::Shared {
        &mut self.shared[usize::from(me.node.0)]
    }

    fn connect(&mut self, me: Me, to: ActorId) -> ConnId {
        if self.struck { ConnId(u32::MAX) } else { self.io_connect(me, to) }
    }

    fn write(&mut self, me: Me, conn: ConnId, data: &[u8]) -> usize {
        if self.struck { 0 } else { self.io_write(me, conn, data) }
    }

    fn read(&mut self, me: Me, conn: ConnId, max: usize, into: &mut Vec<u8>) -> usize {
        if self.struck { 0 } else { self.io_read(me, conn, max, into) }
    }

    fn close(&mut self, me: Me, conn: ConnId, reason: CloseReason) {
        if !self.struck {
            self.io_close(me, conn, reason);
        }
    }

    fn disk(&mut self, me: Me, op: DiskOp<'_>) -> RequestId {
        if self.struck { RequestId(0) } else { self.io_disk(me, op) }
    }

    fn stopped(&mut self, me: Me) {
        if self.struck {
            return;
        }
        self.fold(Tag::Stopped, u64::from(me.actor.0));
        self.trace(|_| "stopped".into());
        let seat = self.seat_mut(me.node);
        let Some(left) = &mut seat.stopping else { return };
        left.retain(|actor| *actor != me.actor);
        if left.is_empty() {
            let span = seat.down_for;
            self.go_down(me.node, Death::Stop, span, Some(me.node));
        }
    }

    fn fail_stop(&mut self, me: Me, reason: &'static str) {
        if self.struck {
            return;
        }
        // The process ends in any case; how long it is away is trouble like any other.
        let death = Fault::Down(Death::Kill, me.node, self.run.restart);
        let allowed = self.account.allows(self.account.taken_by(&death), self.now);
        let span = if allowed { self.run.restart } else { Span::LEAST };
        self.trace(|_| {
            let refused = if allowed { "" } else { " (back at once: refused by the budget)" };
            format!("fail-stop: {reason}{refused}")
        });
        self.go_down(me.node, Death::Kill, span, Some(me.node));
    }

    fn abort(&mut self, me: Me, reason: &'static str) {
        if self.struck {
            return;
        }
        self.trace(|_| format!("abort: {reason}"));
        let detail = format!("{}: {reason}", self.say_actor(me.actor));
        self.break_promise(Violation { check: promise::NEVER_STOPS, class: reason, detail });
        self.go_down(me.node, Death::Kill, self.run.restart, Some(me.node));
    }
}

impl<A: Actor> Core<A> {
    /// The operations under way on a client's node that has died stay unknown.
    pub(crate) fn give_up_operations(&mut self, node: NodeId) {
        for client in 0..self.clients.len() {
            let Client { actor, current, .. } = self.clients[client];
            if let Some(index) = current
                && self.home(actor) == node
            {
                self.fold(Tag::Complete, u64::from(self.ops[index as usize].number));
                self.conclude(client, Outcome::Unknown);
            }
        }
    }

    /// Tells an actor of this node that it holds a lock now.
    fn grant(&mut self, me: Me, to: ActorId, lock: A::Lock, asked: StepId) {
        let key = if self.hand_overs_vary() {
            let (number, subject) = (Family::Lock.number(lock.kind()), lock.subject());
            let ends =
                crate::choose::Ends { from: me.actor.0, to: to.0, incarnation: me.incarnation.0 };
            // Counted apart from the questions about who gets the lock, which have the giver at both ends.
            let who =
                u64::from(ends.from) << 48 | u64::from(ends.to) << 32 | u64::from(ends.incarnation);
            let n = self.count(who, subject, u64::from(number | 0x800));
            Some(Key::between(ends, number, subject, n))
        } else {
            None
        };
        self.hand_over(me, HandOver { to, key, second: asked }, Pending::Locked(lock));
    }

    pub(crate) fn say_actor(&self, actor: ActorId) -> String {
        match self.labels[usize::from(actor.0)] {
            (prefix, number, "") => format!("{prefix}{number}"),
            (prefix, number, role) => format!("{prefix}{number}.{role}"),
        }
    }
}
