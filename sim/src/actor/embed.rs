//! Actors inside another model's enum: a context of the outer model is lifted into one of the inner.
//!
//! A larger model embeds a smaller one unchanged: its message, timer, phase ... types have a variant for each inner type,
//! and its actor enum a variant for the inner actor. The outer actor narrows an event and passes it on:
//!
//! ```text
//! Outer::Store(store) => if let Some(event) = event.narrow() { cx.lift(|cx| store.on_event(event, cx)) }
//! ```

use super::{Actor, BugSet, CloseReason, Context, DiskOp, Event, Host, Mark, Me, Outcome, Point};
use crate::choose::Site;
use crate::id::{ActorId, ConnId, OpId, RequestId};
use crate::time::{Span, Time};

/// Says that `Self` has room for actors of the model `A`.
///
/// Bug, mark and point constants pass through unchanged, so an outer model lists the inner ones among its own.
pub trait Embeds<A: Actor>:
    Actor<
        Msg: From<A::Msg> + TryInto<A::Msg>,
        Timer: From<A::Timer> + TryInto<A::Timer>,
        Phase: From<A::Phase> + TryInto<A::Phase>,
        Lock: From<A::Lock> + TryInto<A::Lock>,
        Op: From<A::Op> + TryInto<A::Op>,
        Ret: From<A::Ret>,
        Note: From<A::Note>,
    >
{
    /// The part of a node's shared value that belongs to the inner model.
    fn shared_part(shared: &mut Self::Shared) -> &mut A::Shared;

    /// The inner bugs that are on, given the outer set.
    #[must_use]
    fn bugs_part(bugs: BugSet) -> BugSet {
        bugs
    }
}

impl<B: Actor> Event<B> {
    /// The event as an inner model knows it; `None` if it belongs to another part of the outer model.
    #[must_use]
    pub fn narrow<A: Actor>(self) -> Option<Event<A>>
    where
        B: Embeds<A>,
    {
        Some(match self {
            Event::Boot => Event::Boot,
            Event::Invoke { op, what } => Event::Invoke { op, what: what.try_into().ok()? },
            Event::Message { from, msg } => Event::Message { from, msg: msg.try_into().ok()? },
            Event::Timer(timer) => Event::Timer(timer.try_into().ok()?),
            Event::Conn(event) => Event::Conn(event),
            Event::Disk(event) => Event::Disk(event),
            Event::Locked(lock) => Event::Locked(lock.try_into().ok()?),
            Event::Phase(phase) => Event::Phase(phase.try_into().ok()?),
            Event::Stop => Event::Stop,
        })
    }
}

impl<B: Actor> Context<'_, B> {
    /// Runs an inner actor's handler with a context of its own kind. Everything it does lands in the outer world.
    pub fn lift<A: Actor, R>(&mut self, run: impl FnOnce(&mut Context<'_, A>) -> R) -> R
    where
        B: Embeds<A>,
    {
        let (host, me) = self.parts();
        let mut lifted = Lifted { host };
        run(&mut Context::new(&mut lifted, me))
    }
}

struct Lifted<'a, 'h, B: Actor> {
    host: &'a mut (dyn Host<B> + 'h),
}

impl<A: Actor, B: Embeds<A>> Host<A> for Lifted<'_, '_, B> {
    fn now(&self, me: Me) -> Time {
        self.host.now(me)
    }
    fn wall(&self, me: Me) -> Time {
        self.host.wall(me)
    }
    fn send(&mut self, me: Me, to: ActorId, msg: A::Msg) {
        self.host.send(me, to, msg.into());
    }
    fn arm(&mut self, me: Me, timer: A::Timer, after: Span) {
        self.host.arm(me, timer.into(), after);
    }
    fn disarm(&mut self, me: Me, timer: A::Timer) {
        self.host.disarm(me, timer.into());
    }
    fn lock(&mut self, me: Me, lock: A::Lock) {
        self.host.lock(me, lock.into());
    }
    fn unlock(&mut self, me: Me, lock: A::Lock) {
        self.host.unlock(me, lock.into());
    }
    fn yield_to(&mut self, me: Me, phase: A::Phase) {
        self.host.yield_to(me, phase.into());
    }
    fn point(&mut self, me: Me, point: &'static Point) {
        self.host.point(me, point);
    }
    fn note(&mut self, me: Me, note: A::Note) {
        self.host.note(me, note.into());
    }
    fn mark(&mut self, me: Me, mark: &'static Mark) {
        self.host.mark(me, mark);
    }
    fn complete(&mut self, me: Me, op: OpId, outcome: Outcome<A::Ret>) {
        let outcome = match outcome {
            Outcome::Ok(ret) => Outcome::Ok(ret.into()),
            Outcome::Failed => Outcome::Failed,
            Outcome::Unknown => Outcome::Unknown,
        };
        self.host.complete(me, op, outcome);
    }
    fn choose(&mut self, me: Me, site: &'static Site, subject: u64, n: u64) -> u32 {
        self.host.choose(me, site, subject, n)
    }
    fn bugs(&self) -> BugSet {
        B::bugs_part(self.host.bugs())
    }
    fn shared(&mut self, me: Me) -> &mut A::Shared {
        B::shared_part(self.host.shared(me))
    }
    fn connect(&mut self, me: Me, to: ActorId) -> ConnId {
        self.host.connect(me, to)
    }
    fn write(&mut self, me: Me, conn: ConnId, data: &[u8]) -> usize {
        self.host.write(me, conn, data)
    }
    fn read(&mut self, me: Me, conn: ConnId, max: usize, into: &mut Vec<u8>) -> usize {
        self.host.read(me, conn, max, into)
    }
    fn close(&mut self, me: Me, conn: ConnId, reason: CloseReason) {
        self.host.close(me, conn, reason);
    }
    fn disk(&mut self, me: Me, op: DiskOp<'_>) -> RequestId {
        self.host.disk(me, op)
    }
    fn stopped(&mut self, me: Me) {
        self.host.stopped(me);
    }
    fn fail_stop(&mut self, me: Me, reason: &'static str) {
        self.host.fail_stop(me, reason);
    }
    fn abort(&mut self, me: Me, reason: &'static str) {
        self.host.abort(me, reason);
    }
}
