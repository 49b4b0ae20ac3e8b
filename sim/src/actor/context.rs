//! The context: how an actor acts on its world, one effect after the other.

use super::{Actor, BugSet, CloseReason, DiskOp, Mark, Outcome, Point};
use crate::actor::Bug;
use crate::choose::Site;
use crate::id::{ActorId, ConnId, FileId, FileName, Incarnation, NodeId, OpId, RequestId};
use crate::time::{Span, Time};

/// Who is acting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Me {
    /// The actor.
    pub actor: ActorId,
    /// The node that it lives on.
    pub node: NodeId,
    /// Which life of the node this is.
    pub incarnation: Incarnation,
}

/// What an engine does for an actor. Every effect is applied at once; after the actor's own node has died in the middle
/// of a handler (a fault at a point), the remaining effects of that handler are refused.
pub trait Host<A: Actor> {
    /// The node's monotonic clock: time since boot, with its drift.
    fn now(&self, me: Me) -> Time;
    /// The node's wall clock: with skew, drift and jumps.
    fn wall(&self, me: Me) -> Time;
    /// Sends a datagram, or hands a message over to an actor of the same node.
    fn send(&mut self, me: Me, to: ActorId, msg: A::Msg);
    /// Sets the deadline of a timer, replacing the one that it had.
    fn arm(&mut self, me: Me, timer: A::Timer, after: Span);
    /// Takes the deadline of a timer away.
    fn disarm(&mut self, me: Me, timer: A::Timer);
    /// Asks for a lock of the node.
    fn lock(&mut self, me: Me, lock: A::Lock);
    /// Gives a lock back.
    fn unlock(&mut self, me: Me, lock: A::Lock);
    /// Goes on in a later step.
    fn yield_to(&mut self, me: Me, phase: A::Phase);
    /// Names a place where a fault may strike; it strikes before this returns.
    fn point(&mut self, me: Me, point: &'static Point);
    /// States a fact for checks and trace.
    fn note(&mut self, me: Me, note: A::Note);
    /// Says that something rare was seen.
    fn mark(&mut self, me: Me, mark: &'static Mark);
    /// Completes an operation.
    fn complete(&mut self, me: Me, op: OpId, outcome: Outcome<A::Ret>);
    /// Decides about a subject for the `n`-th time.
    fn choose(&mut self, me: Me, site: &'static Site, subject: u64, n: u64) -> u32;
    /// The planted bugs of this run.
    fn bugs(&self) -> BugSet;
    /// What the actors of this node share.
    fn shared(&mut self, me: Me) -> &mut A::Shared;
    /// Begins to connect to another actor.
    fn connect(&mut self, me: Me, to: ActorId) -> ConnId;
    /// Writes what fits; answers how many bytes that was.
    fn write(&mut self, me: Me, conn: ConnId, data: &[u8]) -> usize;
    /// Takes up to `max` bytes that have arrived, appending them to `into`; answers how many.
    fn read(&mut self, me: Me, conn: ConnId, max: usize, into: &mut Vec<u8>) -> usize;
    /// Ends this side of a connection.
    fn close(&mut self, me: Me, conn: ConnId, reason: CloseReason);
    /// Makes a disk request.
    fn disk(&mut self, me: Me, op: DiskOp<'_>) -> RequestId;
    /// This actor has put its things away after [`super::Event::Stop`].
    fn stopped(&mut self, me: Me);
    /// The process ends itself, which the modelled system is allowed to do here (fail-stop).
    fn fail_stop(&mut self, me: Me, reason: &'static str);
    /// The process dies of a defect (an assertion, a crash). This breaks the promise that a node never stops by itself.
    fn abort(&mut self, me: Me, reason: &'static str);
}

/// An actor's view of its world while it handles one event.
pub struct Context<'a, A: Actor> {
    host: &'a mut (dyn Host<A> + 'a),
    me: Me,
}

impl<'a, A: Actor> Context<'a, A> {
    /// A context for one event. Engines make it.
    pub fn new(host: &'a mut (dyn Host<A> + 'a), me: Me) -> Context<'a, A> {
        Context { host, me }
    }

    pub(super) fn parts(&mut self) -> (&mut (dyn Host<A> + 'a), Me) {
        (self.host, self.me)
    }

    /// This actor.
    #[must_use]
    pub const fn me(&self) -> ActorId {
        self.me.actor
    }

    /// The node that it lives on.
    #[must_use]
    pub const fn node(&self) -> NodeId {
        self.me.node
    }

    /// Which life of the node this is, from 1.
    #[must_use]
    pub const fn incarnation(&self) -> Incarnation {
        self.me.incarnation
    }

    /// The monotonic clock: time since boot, with the node's drift.
    #[must_use]
    pub fn now(&self) -> Time {
        self.host.now(self.me)
    }

    /// The wall clock: with the node's skew, drift and jumps.
    #[must_use]
    pub fn wall(&self) -> Time {
        self.host.wall(self.me)
    }

    /// Sends a message: a datagram to another node, or a hand-over in order to an actor of this node.
    pub fn send(&mut self, to: ActorId, msg: A::Msg) {
        self.host.send(self.me, to, msg);
    }

    /// Sets a timer, `after` by this node's monotonic clock; it never fires early. Arming again replaces the deadline.
    pub fn arm(&mut self, timer: A::Timer, after: Span) {
        self.host.arm(self.me, timer, after);
    }

    /// Takes a timer's deadline away; nothing happens if it has none.
    pub fn disarm(&mut self, timer: A::Timer) {
        self.host.disarm(self.me, timer);
    }

    /// Asks for a lock of this node; answered by [`super::Event::Locked`] and held over steps until [`Context::unlock`].
    pub fn lock(&mut self, lock: A::Lock) {
        self.host.lock(self.me, lock);
    }

    /// Gives a lock back, to one of the waiters if there are any.
    pub fn unlock(&mut self, lock: A::Lock) {
        self.host.unlock(self.me, lock);
    }

    /// Ends this step here and goes on with [`super::Event::Phase`]; others may run in between.
    pub fn yield_to(&mut self, phase: A::Phase) {
        self.host.yield_to(self.me, phase);
    }

    /// Names this place. A fault that the plan puts on it strikes now, before the next effect.
    pub fn point(&mut self, point: &'static Point) {
        self.host.point(self.me, point);
    }

    /// States a fact for checks and the trace.
    pub fn note(&mut self, note: A::Note) {
        self.host.note(self.me, note);
    }

    /// Says that something that a campaign must have seen was seen.
    pub fn mark(&mut self, mark: &'static Mark) {
        self.host.mark(self.me, mark);
    }

    /// Completes an operation. After [`Outcome::Unknown`] the client goes on as a new process of the history.
    pub fn complete(&mut self, op: OpId, outcome: Outcome<A::Ret>) {
        self.host.complete(self.me, op, outcome);
    }

    /// Decides at a site of the model, about `subject`, for the `n`-th time. 0 is calm.
    pub fn choose(&mut self, site: &'static Site, subject: u64, n: u64) -> u32 {
        self.host.choose(self.me, site, subject, n)
    }

    /// Whether this planted bug is switched on.
    #[must_use]
    pub fn bug(&self, bug: &Bug) -> bool {
        self.host.bugs().has(bug)
    }

    /// The planted bugs of this run, to hand on to a pure structure.
    #[must_use]
    pub fn bugs(&self) -> BugSet {
        self.host.bugs()
    }

    /// What the actors of this node share. Lost in a crash.
    pub fn shared(&mut self) -> &mut A::Shared {
        self.host.shared(self.me)
    }

    /// Begins to connect; answered by `Opened` or `Refused`, or by nothing at all.
    pub fn connect(&mut self, to: ActorId) -> ConnId {
        self.host.connect(self.me, to)
    }

    /// Writes what fits into the buffer and answers how many bytes that was; `Writable` follows when it was less than all.
    pub fn write(&mut self, conn: ConnId, data: &[u8]) -> usize {
        self.host.write(self.me, conn, data)
    }

    /// Takes up to `max` bytes that have arrived and appends them to `into`; answers how many.
    pub fn read(&mut self, conn: ConnId, max: usize, into: &mut Vec<u8>) -> usize {
        self.host.read(self.me, conn, max, into)
    }

    /// Closes in order: what was written still arrives, then the other end sees `Fin`.
    pub fn close(&mut self, conn: ConnId) {
        self.host.close(self.me, conn, CloseReason::Fin);
    }

    /// Closes at once: what is in flight is lost, and the other end sees `Reset`.
    pub fn reset(&mut self, conn: ConnId) {
        self.host.close(self.me, conn, CloseReason::Reset);
    }

    /// Makes a disk request; its answer is an [`super::Event::Disk`] with the number returned here.
    pub fn disk(&mut self, op: DiskOp<'_>) -> RequestId {
        self.host.disk(self.me, op)
    }

    /// Opens a file.
    pub fn open(&mut self, name: FileName) -> RequestId {
        self.disk(DiskOp::Open(name))
    }

    /// Creates or empties a file.
    pub fn create(&mut self, name: FileName) -> RequestId {
        self.disk(DiskOp::Create(name))
    }

    /// Reads from a file.
    pub fn read_at(&mut self, file: FileId, offset: u64, len: u32) -> RequestId {
        self.disk(DiskOp::Read { file, offset, len })
    }

    /// Writes into a file.
    pub fn write_at(&mut self, file: FileId, offset: u64, data: &[u8]) -> RequestId {
        self.disk(DiskOp::Write { file, offset, data })
    }

    /// Appends to a file.
    pub fn append(&mut self, file: FileId, data: &[u8]) -> RequestId {
        self.disk(DiskOp::Append { file, data })
    }

    /// Makes a file's bytes durable.
    pub fn sync(&mut self, file: FileId) -> RequestId {
        self.disk(DiskOp::Sync(file))
    }

    /// Makes the names of the disk durable.
    pub fn sync_dir(&mut self) -> RequestId {
        self.disk(DiskOp::SyncDir)
    }

    /// Says that this actor has put its things away after [`super::Event::Stop`].
    pub fn stopped(&mut self) {
        self.host.stopped(self.me);
    }

    /// Ends the process where the modelled system is meant to (a failed sync); the node restarts later.
    pub fn fail_stop(&mut self, reason: &'static str) {
        self.host.fail_stop(self.me, reason);
    }

    /// The modelled system dies of its own defect here. A violation of "a node never stops by itself".
    pub fn abort(&mut self, reason: &'static str) {
        self.host.abort(self.me, reason);
    }
}
