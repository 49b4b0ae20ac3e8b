//! The part of a world that effects act on: everything but the actors themselves, so that an actor can be borrowed while
//! it acts.

use super::agenda::Agenda;
use super::lanes::{Lane, Residents};
use super::locks::Locks;
use super::seat::Seat;
use super::tally::Tally;
use super::timers::Timers;
use super::{Step, Violation, client::Client};
use crate::actor::{
    Actor, BugSet, ConnEvent, Event, Family, History, HistoryEvent, Label, Me, Outcome,
};
use crate::choose::{Choices, Digest, Ends, Key, Shape, Site, fold, fold_pair, start};
use crate::fault::{FaultLine, Kind};
use crate::id::{ActorId, Incarnation, NodeId, OpId, RequestId, StepId};
use crate::nemesis::{Account, PlannedOp, Run};
use crate::net::Links;
use crate::time::{Span, Time};
use crate::trace::Tracer;
use std::collections::VecDeque;

/// The order among events due at the same instant. 0 = order of creation. (Drawn outcomes are small; a second engine that
/// leaves the order to its own scheduler writes down what came of it, and may need them all.)
pub const TIE: Site = Site {
    id: 2,
    name: "tie",
    shape: Shape::Between,
    outcomes: &[
        "+1", "+2", "+3", "+4", "+5", "+6", "+7", "+8", "+9", "+10", "+11", "+12", "+13", "+14",
        "+15",
    ],
};

/// How much longer a hand-over between actors of a node takes.
pub const SCHEDULE: Site = Site {
    id: 3,
    name: "schedule",
    shape: Shape::Between,
    outcomes: &["10us", "100us", "1ms", "10ms", "100ms"],
};

/// Which waiter gets a lock. 0 = first come.
pub const WAITER: Site =
    Site { id: 4, name: "waiter", shape: Shape::Between, outcomes: &["2nd", "3rd", "4th"] };

/// The pause of a client before an operation, instead of the calm one.
pub const THINK: Site = Site {
    id: 12,
    name: "think",
    shape: Shape::Own,
    outcomes: &["1us", "100us", "5ms", "20ms", "100ms"],
};

const SCHEDULES: [Span; 5] =
    [Span::us(10), Span::us(100), Span::ms(1), Span::ms(10), Span::ms(100)];
const THINKS: [Span; 5] = [Span::us(1), Span::us(100), Span::ms(5), Span::ms(20), Span::ms(100)];

/// Something on the agenda.
#[derive(Clone, Debug)]
pub(crate) struct Entry<A: Actor> {
    pub(crate) cause: StepId,
    /// A second cause: who asked for the lock that was now released.
    pub(crate) second: StepId,
    pub(crate) due: Due<A>,
}

/// What can be due.
#[derive(Clone, Debug)]
pub(crate) enum Due<A: Actor> {
    /// An event for an actor of this incarnation.
    Event { to: ActorId, incarnation: Incarnation, event: Pending<A> },
    /// A timer's deadline, unless it has moved.
    Timer { actor: ActorId, timer: A::Timer },
    /// The answer to a disk request.
    Disk { node: NodeId, incarnation: Incarnation, request: RequestId },
    /// Something about a connection.
    Conn(crate::net::conn::Wake),
    /// The next operation of a client.
    Invoke { client: u16, op: u32 },
    /// A fault line with a time.
    Strike { line: u16 },
    /// A node boots, if it is still down after this incarnation.
    Boot { node: NodeId, after: Incarnation },
    /// A clean stop has lasted too long.
    Grace { node: NodeId, incarnation: Incarnation },
    /// The drift of a clock ends.
    DriftEnds { node: NodeId },
    /// The pause of a node ends, unless it has been made longer. What the node has missed is due then; this entry sees to
    /// it that time reaches that instant even if it has missed nothing.
    PauseEnds { node: NodeId },
}

/// A hand-over between actors of a node: to whom, its key where it can deviate from calm, and its second cause.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HandOver {
    pub(crate) to: ActorId,
    pub(crate) key: Option<Key>,
    pub(crate) second: StepId,
}

/// When something is due, and the steps that caused it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) at: Time,
    pub(crate) cause: StepId,
    pub(crate) second: StepId,
}

/// An event that waits on the agenda. Events that carry much (a disk's answer, an operation) are made when they are due, so
/// that what is copied with every message stays small.
#[derive(Clone, Debug)]
pub(crate) enum Pending<A: Actor> {
    Boot,
    Message { from: ActorId, msg: A::Msg },
    Conn(ConnEvent),
    Locked(A::Lock),
    Phase(A::Phase),
    Stop,
}

impl<A: Actor> From<Pending<A>> for Event<A> {
    #[inline]
    fn from(pending: Pending<A>) -> Event<A> {
        match pending {
            Pending::Boot => Event::Boot,
            Pending::Message { from, msg } => Event::Message { from, msg },
            Pending::Conn(event) => Event::Conn(event),
            Pending::Locked(lock) => Event::Locked(lock),
            Pending::Phase(phase) => Event::Phase(phase),
            Pending::Stop => Event::Stop,
        }
    }
}

/// Kinds of effects and state changes in the digest.
#[derive(Clone, Copy)]
#[repr(u64)]
pub(crate) enum Tag {
    Send = 1,
    Arm,
    Disarm,
    Lock,
    Unlock,
    Yield,
    Point,
    Note,
    Mark,
    Complete,
    Connect = 12,
    Write,
    Read,
    Close,
    Disk,
    Stopped,
    Death,
    Fault,
    Refused,
    Heal,
    End,
}

/// Everything that effects act on.
#[derive(Clone)]
pub(crate) struct Core<A: Actor> {
    pub(crate) now: Time,
    pub(crate) step: StepId,
    /// What the last step was about.
    pub(crate) last: Step,
    /// The creation number of the entry that was taken last.
    pub(crate) popped: u32,
    /// The node of the acting actor has died within this handler: its remaining effects are refused.
    pub(crate) struck: bool,
    pub(crate) agenda: Agenda<Entry<A>>,
    pub(crate) run: Run,
    pub(crate) bugs: BugSet,
    pub(crate) choices: Choices,
    /// Under a word for each thing counted.
    pub(crate) counts: Tally,
    pub(crate) homes: Vec<NodeId>,
    /// By actor.
    pub(crate) lanes: Vec<Lane>,
    pub(crate) residents: Residents,
    /// What each actor is called: see [`super::Topology::labels`].
    pub(crate) labels: Vec<(&'static str, u16, &'static str)>,
    pub(crate) seats: Vec<Seat>,
    pub(crate) shared: Vec<A::Shared>,
    pub(crate) locks: Vec<Locks<A::Lock>>,
    pub(crate) timers: Timers<A::Timer>,
    /// Per receiver: when the last hand-over from each sender of its node is due, and its priority.
    pub(crate) handed: Vec<Vec<(ActorId, (Time, u8))>>,
    pub(crate) links: Links,
    pub(crate) conns: crate::net::conn::Conns,
    pub(crate) disks: Vec<crate::disk::Disk>,
    pub(crate) clients: Vec<Client>,
    /// How many clients have an operation under way or waiting.
    pub(crate) busy: u32,
    /// Datagrams can deviate from calm by choice.
    pub(crate) net_varies: bool,
    /// From then on datagrams take the short way: no link or node is in trouble, and nobody traces.
    pub(crate) short_way_from: Time,
    /// Until then some link or node is in trouble.
    pub(crate) trouble_until: Time,
    /// From then on messages are given the short way: nothing is in trouble, and nobody traces.
    pub(crate) open_from: Time,
    pub(crate) ops: Vec<PlannedOp<A::Op>>,
    pub(crate) invoked: Vec<bool>,
    pub(crate) history: History<A>,
    pub(crate) faults: Vec<FaultLine>,
    pub(crate) strikes: super::strike::Strikes,
    pub(crate) account: Account,
    pub(crate) healed: Option<Time>,
    /// After the heal, the judge's own operations are handed out.
    pub(crate) reading_back: bool,
    /// Nodes that went down in this step; their actors are made newborn at its end.
    pub(crate) died: Vec<NodeId>,
    pub(crate) notes: Vec<A::Note>,
    pub(crate) marks: u64,
    pub(crate) points: u64,
    pub(crate) seen: [u32; Kind::CATALOGUE.len()],
    pub(crate) refused: u32,
    pub(crate) digest: Digest,
    pub(crate) broken: Option<Violation>,
    /// The history has grown, or a promise is broken, since somebody last asked.
    pub(crate) notable: bool,
    pub(crate) tracer: Option<Box<Tracer>>,
    pub(crate) scratch: Vec<crate::net::conn::Wake>,
    /// When the events of the present microsecond began, and how many there were when somebody last looked.
    pub(crate) burst: (Time, u32),
    /// An event that its actor, which lives elsewhere, has to handle.
    pub(crate) lent: Option<(Me, Event<A>)>,
    /// A step has begun whose actor lives elsewhere, and has not ended.
    pub(crate) lending: bool,
    /// The keys under which the order of entries can be decided, by creation number; if a second engine wants to know.
    pub(crate) tie_keys: Option<VecDeque<(u32, Key)>>,
}

impl<A: Actor> Default for Core<A> {
    fn default() -> Core<A> {
        Core {
            now: Time(0),
            step: StepId(0),
            last: Step { id: StepId(0), at: Time(0), node: None, actor: None },
            popped: 0,
            struck: false,
            agenda: Agenda::default(),
            run: Run::DEFAULT,
            bugs: BugSet::NONE,
            choices: Choices::default(),
            counts: Tally::default(),
            homes: Vec::new(),
            lanes: Vec::new(),
            residents: Residents::default(),
            labels: Vec::new(),
            seats: Vec::new(),
            shared: Vec::new(),
            locks: Vec::new(),
            timers: Timers::default(),
            handed: Vec::new(),
            links: Links::default(),
            conns: crate::net::conn::Conns::default(),
            disks: Vec::new(),
            clients: Vec::new(),
            busy: 0,
            net_varies: false,
            short_way_from: Time(0),
            trouble_until: Time(0),
            open_from: Time(0),
            ops: Vec::new(),
            invoked: Vec::new(),
            history: History::default(),
            faults: Vec::new(),
            strikes: super::strike::Strikes::default(),
            account: Account::default(),
            healed: None,
            reading_back: false,
            died: Vec::new(),
            notes: Vec::new(),
            marks: 0,
            points: 0,
            seen: [0; Kind::CATALOGUE.len()],
            refused: 0,
            digest: Digest::new(start(0)),
            broken: None,
            notable: false,
            tracer: None,
            scratch: Vec::new(),
            burst: (Time(0), 0),
            lent: None,
            lending: false,
            tie_keys: None,
        }
    }
}

impl<A: Actor> Core<A> {
    /// Writes an effect into the trace, if there is one.
    #[inline]
    pub(crate) fn trace(&mut self, what: impl FnOnce(&Tracer) -> String) {
        if let Some(tracer) = &mut self.tracer {
            let text = what(tracer);
            tracer.effect(format_args!("{text}"));
        }
    }

    #[inline]
    pub(crate) fn saw(&mut self, kind: Kind) {
        self.seen[kind as usize] += 1;
    }

    #[inline]
    pub(crate) fn home(&self, actor: ActorId) -> NodeId {
        self.homes[usize::from(actor.0)]
    }

    #[inline]
    pub(crate) fn seat(&self, node: NodeId) -> &Seat {
        &self.seats[usize::from(node.0)]
    }

    #[inline]
    pub(crate) fn seat_mut(&mut self, node: NodeId) -> &mut Seat {
        &mut self.seats[usize::from(node.0)]
    }

    /// How often something equal has come before, plus one. Only asked where a decision can be other than calm.
    pub(crate) fn count(&mut self, who: u64, what: u64, kind: u64) -> u32 {
        self.counts.count(fold(fold_pair(start(0), who, what), kind))
    }

    /// The key of something that passes between two actors.
    pub(crate) fn key_between<L: Label>(
        &mut self,
        me: Me,
        to: ActorId,
        family: Family,
        label: &L,
    ) -> Key {
        let (kind, subject) = (family.number(label.kind()), label.subject());
        let ends = Ends { from: me.actor.0, to: to.0, incarnation: me.incarnation.0 };
        let who =
            u64::from(ends.from) << 48 | u64::from(ends.to) << 32 | u64::from(ends.incarnation);
        let n = self.count(who, subject, u64::from(kind));
        Key::between(ends, kind, subject, n)
    }

    /// The priority among equals of an event with this key, which is put down next.
    #[inline(always)]
    pub(crate) fn priority(&mut self, key: Key) -> u8 {
        if self.choices.is_live(&TIE) { self.decide_priority(key) } else { 0 }
    }

    #[inline(never)]
    fn decide_priority(&mut self, key: Key) -> u8 {
        if let Some(keys) = &mut self.tie_keys {
            keys.push_back((self.agenda.next_number(), key));
        }
        let priority = self.choices.choose(&TIE, key);
        if priority != 0 {
            self.saw(Kind::Tie);
        }
        u8::try_from(priority).expect("a priority is an outcome of a small table")
    }

    /// Whether hand-overs can deviate from calm at all.
    #[inline]
    pub(crate) fn hand_overs_vary(&self) -> bool {
        self.choices.is_live(&SCHEDULE) || self.choices.is_live(&TIE)
    }

    /// Hands an event over to an actor of the same node, in order for this pair.
    pub(crate) fn hand_over(&mut self, me: Me, how: HandOver, event: Pending<A>) {
        let HandOver { to, key, second } = how;
        let slow = self.seat(me.node).slowness(self.now);
        let mut due = self.now + self.run.local.times(slow);
        let mut priority = 0;
        if let Some(key) = key {
            match self.choices.choose(&SCHEDULE, key) {
                0 => {}
                longer => {
                    due += SCHEDULES[(longer - 1) as usize % SCHEDULES.len()];
                    self.saw(Kind::Schedule);
                }
            }
            priority = self.priority(key);
        }
        if key.is_some() || slow > 1 || !self.handed[usize::from(to.0)].is_empty() {
            (due, priority) = self.in_order(me.actor, to, (due, priority));
        }
        let entry = Entry {
            cause: self.step,
            second,
            due: Due::Event { to, incarnation: me.incarnation, event },
        };
        self.agenda.push(due, priority, entry);
    }

    /// The earliest place at or after `due` that keeps the order of this pair. Of hand-overs with equal time and priority
    /// the one made first comes first; none is moved in time for that, so that whether anybody asks about this order changes
    /// nothing. One that has to wait for its predecessor keeps its own priority where that is the higher one, so that every
    /// order of an instant that keeps the order of pairs can be written down in priorities.
    fn in_order(&mut self, from: ActorId, to: ActorId, due: (Time, u8)) -> (Time, u8) {
        let handed = &mut self.handed[usize::from(to.0)];
        match handed.iter_mut().find(|(sender, _)| *sender == from) {
            Some((_, last)) => {
                let due = (due.0.max(last.0), due.1);
                *last = due.max(*last);
                *last
            }
            None => {
                handed.push((from, due));
                due
            }
        }
    }

    /// Puts a plain entry on the agenda.
    pub(crate) fn schedule(&mut self, due: Time, what: Due<A>) -> u32 {
        let entry = Entry { cause: self.step, second: StepId(0), due: what };
        self.agenda.push(due, 0, entry)
    }

    /// The operation under way at a client has come to its end, and the next one is put down.
    pub(crate) fn conclude(&mut self, client: usize, outcome: Outcome<A::Ret>) {
        let at = self.now;
        let state = &mut self.clients[client];
        let index = state.current.take().expect("an operation is completed once");
        let op = OpId { client: state.actor, number: self.ops[index as usize].number };
        let process = state.process;
        if outcome == Outcome::Unknown {
            // Processes of one client are numbered apart from those of the others.
            state.process = state.process.wrapping_add(1 << 16);
        }
        self.notable = true;
        self.history.events.push(HistoryEvent::Completed { process, op, outcome, at });
        self.invoke_next(u16::try_from(client).expect("a client's index"), index + 1);
    }

    /// Puts down the operation at this index, if the client still has it to do.
    pub(crate) fn invoke_next(&mut self, client: u16, next: u32) {
        if next < self.clients[usize::from(client)].end {
            self.schedule_invoke(client, next);
        } else {
            self.busy -= 1;
        }
    }

    /// Puts down the operation at this index for its client, after the client's pause.
    pub(crate) fn schedule_invoke(&mut self, client: u16, op: u32) {
        let planned = &self.ops[op as usize];
        let actor = self.clients[usize::from(client)].actor;
        let key = Key::own(actor.0, 1, 0, u64::from(planned.number));
        let pause = match self.choices.choose(&THINK, key) {
            0 => self.run.think,
            other => {
                self.saw(Kind::Think);
                THINKS[(other - 1) as usize % THINKS.len()]
            }
        };
        self.schedule(self.now + pause.at_least(Span::LEAST), Due::Invoke { client, op });
    }

    /// Some link or node is in trouble until then.
    pub(crate) fn troubled(&mut self, until: Time) {
        self.trouble_until = self.trouble_until.max(until);
        self.open_from = self.open_from.max(until);
        self.short_way_from = self.short_way_from.max(until);
    }

    /// Ends the run with a broken promise, unless one is broken already.
    pub(crate) fn break_promise(&mut self, violation: Violation) {
        self.notable = true;
        self.broken.get_or_insert(violation);
    }
}
