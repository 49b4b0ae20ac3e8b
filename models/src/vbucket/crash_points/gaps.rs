//! The data node with a place between any two effects of its actors, where a fault of the plan can strike.

use seedbed_sim::actor::{
    Actor, BugSet, CloseReason, Context, DiskOp, Embeds, Event, Host, Mark, Me, Outcome, Point,
};
use seedbed_sim::choose::Site;
use seedbed_sim::id::{ActorId, ConnId, NodeId, OpId, RequestId};
use seedbed_sim::nemesis::Config;
use seedbed_sim::time::{Span, Time};
use seedbed_sim::world::Topology;

use crate::vbucket::checks::NODE;
use crate::vbucket::memory::Memory;
use crate::vbucket::message::{Lock, Msg, Phase, Ret, Timer};
use crate::vbucket::model::Node;
use crate::vbucket::note::Note;
use crate::vbucket::op::Call;
use crate::vbucket::scenario;

/// The place between two effects. The others are those of the model.
pub(super) const GAP: Point = Point { index: 63, name: "gap" };

/// What a gap is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// Nothing of this step yet.
    Step,
    /// An effect.
    Effect,
    /// A request to the disk, which is in flight then.
    Disk,
}

/// What the actors of the node share, and the gaps that there were in this life of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared {
    pub(super) memory: Memory,
    pub(super) gaps: Vec<Gap>,
}

/// An actor of the data node, unchanged.
#[derive(Clone, Debug)]
pub(super) struct Gapped(Node);

impl Actor for Gapped {
    type Msg = Msg;
    type Timer = Timer;
    type Phase = Phase;
    type Lock = Lock;
    type Op = Call;
    type Ret = Ret;
    type Note = Note;
    type Shared = Shared;
    type Ghost = ();

    fn on_event(&mut self, event: Event<Gapped>, cx: &mut Context<'_, Gapped>) {
        let Some(event) = event.narrow::<Node>() else { return };
        let me = Me { actor: cx.me(), node: cx.node(), incarnation: cx.incarnation() };
        let mut between = Between { cx };
        between.gap(Gap::Step);
        self.0.on_event(event, &mut Context::new(&mut between, me));
    }
}

impl Embeds<Node> for Gapped {
    fn shared_part(shared: &mut Shared) -> &mut Memory {
        &mut shared.memory
    }
}

/// The topology of the online update's scenario, with gaps.
pub(super) fn topology(config: &Config) -> Topology<Gapped> {
    with_gaps(&(scenario::online_update().topology)(config))
}

/// The topology of the replica's scenario, with gaps in the node of the replica.
pub(super) fn fed(config: &Config) -> Topology<Gapped> {
    with_gaps(&(scenario::replica().topology)(config))
}

fn with_gaps(plain: &Topology<Node>) -> Topology<Gapped> {
    let mut gapped = Topology::default();
    for node in (0..).map(NodeId).take(plain.nodes()) {
        if plain.is_client(node) {
            gapped.client("c")
        } else {
            gapped.server("n")
        };
    }
    for (node, role, actor) in plain.actors() {
        gapped.actor(node, role, Gapped(actor.clone()));
    }
    gapped
}

/// A host that lets a fault strike behind each effect.
struct Between<'a, 'c> {
    cx: &'a mut Context<'c, Gapped>,
}

impl Between<'_, '_> {
    fn gap(&mut self, gap: Gap) {
        if self.cx.node() == NODE {
            self.cx.shared().gaps.push(gap);
            self.cx.point(&GAP);
        }
    }
}

impl Host<Node> for Between<'_, '_> {
    fn now(&self, _: Me) -> Time {
        self.cx.now()
    }

    fn wall(&self, _: Me) -> Time {
        self.cx.wall()
    }

    fn send(&mut self, _: Me, to: ActorId, msg: Msg) {
        self.cx.send(to, msg);
        self.gap(Gap::Effect);
    }

    fn arm(&mut self, _: Me, timer: Timer, after: Span) {
        self.cx.arm(timer, after);
        self.gap(Gap::Effect);
    }

    fn disarm(&mut self, _: Me, timer: Timer) {
        self.cx.disarm(timer);
        self.gap(Gap::Effect);
    }

    fn lock(&mut self, _: Me, lock: Lock) {
        self.cx.lock(lock);
        self.gap(Gap::Effect);
    }

    fn unlock(&mut self, _: Me, lock: Lock) {
        self.cx.unlock(lock);
        self.gap(Gap::Effect);
    }

    fn yield_to(&mut self, _: Me, phase: Phase) {
        self.cx.yield_to(phase);
        self.gap(Gap::Effect);
    }

    fn point(&mut self, _: Me, point: &'static Point) {
        self.cx.point(point);
    }

    fn note(&mut self, _: Me, note: Note) {
        self.cx.note(note);
        self.gap(Gap::Effect);
    }

    fn mark(&mut self, _: Me, mark: &'static Mark) {
        self.cx.mark(mark);
    }

    fn complete(&mut self, _: Me, op: OpId, outcome: Outcome<Ret>) {
        self.cx.complete(op, outcome);
        self.gap(Gap::Effect);
    }

    fn choose(&mut self, _: Me, site: &'static Site, subject: u64, n: u64) -> u32 {
        self.cx.choose(site, subject, n)
    }

    fn bugs(&self) -> BugSet {
        self.cx.bugs()
    }

    fn shared(&mut self, _: Me) -> &mut Memory {
        &mut self.cx.shared().memory
    }

    fn connect(&mut self, _: Me, to: ActorId) -> ConnId {
        self.cx.connect(to)
    }

    fn write(&mut self, _: Me, conn: ConnId, data: &[u8]) -> usize {
        self.cx.write(conn, data)
    }

    fn read(&mut self, _: Me, conn: ConnId, max: usize, into: &mut Vec<u8>) -> usize {
        self.cx.read(conn, max, into)
    }

    fn close(&mut self, _: Me, conn: ConnId, reason: CloseReason) {
        match reason {
            CloseReason::Fin => self.cx.close(conn),
            CloseReason::Reset => self.cx.reset(conn),
        }
    }

    fn disk(&mut self, _: Me, op: DiskOp<'_>) -> RequestId {
        let request = self.cx.disk(op);
        self.gap(Gap::Disk);
        request
    }

    fn stopped(&mut self, _: Me) {
        self.cx.stopped();
    }

    fn fail_stop(&mut self, _: Me, reason: &'static str) {
        self.cx.fail_stop(reason);
    }

    fn abort(&mut self, _: Me, reason: &'static str) {
        self.cx.abort(reason);
    }
}
