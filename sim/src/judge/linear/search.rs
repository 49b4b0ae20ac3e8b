//! The search for an order of the operations of one key.

use super::entries::{ENDS, Ends, Event};
use super::pending::{Ahead, Class, Known, Pending};
use super::seen::{Bits, Seen, States};
use super::{Operation, Outlook, Sequential};

/// How a search ended.
pub(super) enum End {
    /// In an order, as indices into the history.
    Found(Vec<usize>),
    /// There is no order.
    Exhausted(Furthest),
    /// The budget ran out.
    OutOfBudget,
}

/// How far a search without success has come.
pub(super) struct Furthest {
    /// The first return that was never placed in its turn, as an index into the events.
    pub(super) event: usize,
    /// An order that explains all that returned before, as indices into the history.
    pub(super) order: Vec<usize>,
}

/// The end of a search and what it cost.
pub(super) struct Outcome {
    pub(super) end: End,
    pub(super) steps: u64,
}

/// Looks for an order of the operations of `events`. An operation whose return is not among them counts
/// as unknown, so that a beginning of a history is searched by a beginning of its events.
pub(super) fn search<S: Sequential>(
    spec: &S,
    key: &S::Key,
    history: &[Operation<S::Op, S::Ret>],
    events: &[Event],
    budget: u64,
) -> Outcome {
    let mut search = Search::new(spec, Pending::new(spec, history, events), budget);
    let initial = search.states.number(spec.initial(key));
    let end = search.run(initial);
    Outcome { end, steps: search.meter.steps }
}

/// One operation of the order under construction.
#[derive(Clone, Copy)]
enum Placed {
    /// A known operation.
    Known(u32),
    /// An unknown operation, the first of its class that was left.
    Unknown { class: usize, number: usize },
}

/// A configuration on the way to the present one, and which of its continuations were tried.
struct Frame {
    state: u32,
    /// Length of the order before the placement that led here.
    mark: usize,
    /// The next node to try.
    node: u32,
    /// The next class to try, after the nodes.
    class: usize,
}

struct Search<'h, S: Sequential> {
    spec: &'h S,
    pending: Pending<'h, S>,
    states: States<S::State>,
    seen: Seen,
    placed: Bits,
    used: Bits,
    order: Vec<Placed>,
    frames: Vec<Frame>,
    /// The furthest node that was the first return still to come.
    furthest: u32,
    /// The length of the order that led there, until some of it is taken back.
    furthest_mark: Option<usize>,
    /// That order, from then on.
    furthest_order: Vec<Placed>,
    /// How often something was taken back since then.
    dead_ends: usize,
    meter: Meter,
}

/// The work that was done.
struct Meter {
    steps: u64,
    /// Work not yet counted as a step, in units of which [`UNITS`] are one.
    units: usize,
    budget: u64,
}

/// How many units are a step: one is a look at a coming event, four are a comparison with a remembered
/// configuration.
const UNITS: usize = 64;

impl Meter {
    fn add(&mut self, units: usize) {
        self.units += units;
        self.steps += (self.units / UNITS) as u64;
        self.units %= UNITS;
    }
}

/// How many events a specification sees ahead as long as there is progress. It sees one more for every
/// dead end since the last progress: foresight costs time, and pays where there is much to avoid.
const HORIZON: usize = 512;

/// What became of one attempt to go on.
enum Move {
    /// An operation was placed; this is the state after it.
    To(u32),
    /// Nothing else can be placed.
    Stuck,
    /// The budget has run out.
    OutOfBudget,
}

impl<'h, S: Sequential> Search<'h, S> {
    fn new(spec: &'h S, pending: Pending<'h, S>, budget: u64) -> Self {
        Self {
            spec,
            states: States::new(),
            seen: Seen::new(),
            placed: Bits::new(pending.known.len()),
            used: Bits::new(pending.unknown.len()),
            order: Vec::with_capacity(pending.known.len()),
            frames: Vec::new(),
            furthest: ENDS,
            furthest_mark: None,
            furthest_order: Vec::new(),
            dead_ends: 0,
            meter: Meter { steps: 0, units: 0, budget },
            pending,
        }
    }

    fn run(&mut self, initial: u32) -> End {
        self.enter(initial, 0);
        while self.pending.list.first() != ENDS {
            if self.frames.is_empty() {
                let event = self.pending.event_of[self.furthest as usize];
                let order = self.indices(&self.furthest_order);
                return End::Exhausted(Furthest { event, order });
            }
            let mark = self.order.len();
            match self.advance() {
                Move::To(state) => self.enter(state, mark),
                Move::Stuck => {
                    let mark = self.frames.pop().map_or(0, |frame| frame.mark);
                    self.undo(mark);
                }
                Move::OutOfBudget => return End::OutOfBudget,
            }
        }
        End::Found(self.indices(&self.order))
    }

    /// An order as indices into the history.
    fn indices(&self, order: &[Placed]) -> Vec<usize> {
        let index = |placed: &Placed| match *placed {
            Placed::Known(number) => self.pending.known[number as usize].index,
            Placed::Unknown { number, .. } => self.pending.unknown[number].index,
        };
        order.iter().map(index).collect()
    }

    /// Visits the configuration that a placement has led to, or takes the placement back.
    fn enter(&mut self, mut state: u32, mark: usize) {
        self.absorb(state);
        if self.pending.list.first() != ENDS {
            let first_return = self.pending.list.first_return();
            if self.furthest < first_return {
                self.furthest = first_return;
                self.furthest_mark = Some(self.order.len());
                self.dead_ends = 0;
            }
            let reached = self.states.get(state).clone();
            let outlook = self.outlook(reached);
            state = match outlook {
                Outlook::Open(plainer) | Outlook::Unseen(plainer) => self.states.number(plainer),
                Outlook::Hopeless => return self.undo(mark),
            };
            if !self.admit(state) {
                return self.undo(mark);
            }
        }
        self.frames.push(Frame { state, mark, node: self.pending.list.first(), class: 0 });
    }

    /// What the specification says about a state, given the operations that are still to be placed.
    fn outlook(&mut self, state: S::State) -> Outlook<S::State> {
        let ahead = Ahead::new(&self.pending, HORIZON.saturating_add(self.dead_ends));
        let outlook = self.spec.outlook(state, &ahead);
        self.meter.add(ahead.looked());
        outlook
    }

    fn admit(&mut self, state: u32) -> bool {
        let admission = self.seen.admit(state, &self.placed, &self.used);
        self.meter.add(admission.compared * 4);
        admission.fresh
    }

    /// Places every operation that only reads and fits. Each can be placed now in any order that places
    /// it later, because no other notices.
    fn absorb(&mut self, state: u32) {
        let mut at = self.pending.list.first();
        while at != ENDS {
            let node = self.pending.list.node(at);
            if node.end == Ends::Return {
                break;
            }
            at = node.next;
            let Known { op, ret, reads_only, .. } = self.pending.known[node.operation as usize];
            if !reads_only {
                continue;
            }
            self.meter.add(UNITS);
            let before = self.states.get(state);
            if let Some(after) = self.spec.step(before, op, Some(ret)) {
                assert!(after == *before, "an operation that only reads changed the state");
                let following = self.pending.list.node(at);
                if following.operation == node.operation {
                    at = following.next;
                }
                self.place_known(node.operation);
            }
        }
    }

    /// Places the next operation that can be placed in the last configuration: known ones first, so that
    /// a configuration is reached with as few unknown ones as possible.
    fn advance(&mut self) -> Move {
        let Some(&Frame { state, mut node, mut class, .. }) = self.frames.last() else {
            return Move::Stuck;
        };
        let found = loop {
            if self.meter.steps >= self.meter.budget {
                return Move::OutOfBudget;
            }
            let at = self.pending.list.node(node);
            if at.end == Ends::Invoke {
                node = at.next;
                if let Some(next) = self.try_known(state, at.operation) {
                    break Move::To(next);
                }
            } else if class < self.pending.classes.len() {
                class += 1;
                if let Some(next) = self.try_unknown(state, class - 1, node) {
                    break Move::To(next);
                }
            } else {
                break Move::Stuck;
            }
        };
        if let Some(frame) = self.frames.last_mut() {
            frame.node = node;
            frame.class = class;
        }
        found
    }

    fn try_known(&mut self, state: u32, number: u32) -> Option<u32> {
        let Known { op, ret, reads_only, .. } = self.pending.known[number as usize];
        if reads_only {
            return None;
        }
        self.meter.add(UNITS);
        let next = self.spec.step(self.states.get(state), op, Some(ret))?;
        self.place_known(number);
        Some(self.states.number(next))
    }

    /// `first_return` is the first return still to come: what is invoked after it cannot be placed.
    fn try_unknown(&mut self, state: u32, class: usize, first_return: u32) -> Option<u32> {
        let Class { next: number, end } = self.pending.classes[class];
        if number == end || self.pending.unknown[number].before > first_return {
            return None;
        }
        self.meter.add(UNITS);
        let op = self.pending.unknown[number].op;
        let next = self.spec.step(self.states.get(state), op, None)?;
        let Outlook::Open(next) = self.outlook(next) else {
            return None;
        };
        if next == *self.states.get(state) {
            return None;
        }
        let next = self.states.number(next);
        self.used.insert(number);
        self.pending.classes[class].next += 1;
        self.order.push(Placed::Unknown { class, number });
        Some(next)
    }

    fn place_known(&mut self, number: u32) {
        self.placed.insert(number as usize);
        self.pending.list.lift(number);
        self.order.push(Placed::Known(number));
    }

    /// Takes back what was placed since the order had the length `mark`.
    fn undo(&mut self, mark: usize) {
        if let Some(length) = self.furthest_mark.take() {
            self.furthest_order.clear();
            self.furthest_order.extend_from_slice(&self.order[..length]);
        }
        self.dead_ends += 1;
        for placed in self.order.drain(mark..).rev() {
            match placed {
                Placed::Known(number) => {
                    self.placed.remove(number as usize);
                    self.pending.list.unlift(number);
                }
                Placed::Unknown { class, number } => {
                    self.used.remove(number);
                    self.pending.classes[class].next -= 1;
                }
            }
        }
    }
}
