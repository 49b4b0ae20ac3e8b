//! The operations that are still to be placed.

use std::cell::Cell;

use super::entries::{ENDS, Ends, Event, List};
use super::{Operation, Sequential};

/// An operation that returned.
pub(super) struct Known<'h, S: Sequential> {
    /// Its index in the history.
    pub(super) index: usize,
    pub(super) op: &'h S::Op,
    pub(super) ret: &'h S::Ret,
    pub(super) reads_only: bool,
}

/// An operation of unknown outcome.
pub(super) struct Unknown<'h, S: Sequential> {
    /// Its index in the history.
    pub(super) index: usize,
    pub(super) op: &'h S::Op,
    /// The first node after its invocation.
    pub(super) before: u32,
}

/// Operations of unknown outcome of which it does not matter which takes effect, in the order of their
/// invocations.
pub(super) struct Class {
    /// The next of them to be placed, as an index into all unknown ones.
    pub(super) next: usize,
    pub(super) end: usize,
}

/// The operations that are still to be placed.
pub(super) struct Pending<'h, S: Sequential> {
    pub(super) known: Vec<Known<'h, S>>,
    /// By class.
    pub(super) unknown: Vec<Unknown<'h, S>>,
    pub(super) classes: Vec<Class>,
    /// The events of the known operations.
    pub(super) list: List,
    /// By node: its event.
    pub(super) event_of: Vec<usize>,
}

impl<'h, S: Sequential> Pending<'h, S> {
    pub(super) fn new(spec: &S, history: &'h [Operation<S::Op, S::Ret>], events: &[Event]) -> Self {
        let slots = events.iter().map(|event| event.slot + 1).max();
        let mut returns = vec![false; slots.unwrap_or(0)];
        for event in events {
            returns[event.slot] |= event.end == Ends::Return;
        }
        let mut number_of = vec![0; returns.len()];
        let known = returns.iter().filter(|&&returns| returns).count();
        let mut pending = Self {
            known: Vec::with_capacity(known),
            unknown: Vec::new(),
            classes: Vec::new(),
            list: List::new(known),
            event_of: vec![0],
        };
        for (at, event) in events.iter().enumerate() {
            let (index, slot) = (event.index, event.slot);
            let Operation { op, returned, .. } = &history[index];
            let ret = returned.as_ref().filter(|_| returns[slot]);
            if let Some((_, ret)) = ret {
                if event.end == Ends::Invoke {
                    let number = u32::try_from(pending.known.len());
                    number_of[slot] = number.expect("a history has fewer operations");
                    let reads_only = spec.reads_only(op, Some(ret));
                    pending.known.push(Known { index, op, ret, reads_only });
                }
                pending.list.push(event.end, number_of[slot]);
                pending.event_of.push(at);
            } else if !spec.reads_only(op, None) {
                let before = pending.list.next_number();
                pending.unknown.push(Unknown { index, op, before });
            }
        }
        pending.classify(spec);
        pending
    }

    /// Sorts the unknown operations into classes.
    fn classify(&mut self, spec: &S) {
        let each = 0..self.unknown.len();
        self.classes = each.clone().map(|at| Class { next: at, end: at + 1 }).collect();
        let ahead = Ahead::new(self, usize::MAX);
        let blind: Vec<bool> = each.map(|at| spec.is_blind(self.unknown[at].op, &ahead)).collect();
        let mut groups: Vec<(bool, Vec<Unknown<'h, S>>)> = Vec::new();
        for (unknown, blind) in self.unknown.drain(..).zip(blind) {
            let alike = |(other, group): &&mut (bool, Vec<Unknown<'h, S>>)| {
                if blind { *other } else { group[0].op == unknown.op }
            };
            match groups.iter_mut().find(alike) {
                Some((_, group)) => group.push(unknown),
                None => groups.push((blind, vec![unknown])),
            }
        }
        self.classes.clear();
        for (_, group) in groups {
            let next = self.unknown.len();
            self.unknown.extend(group);
            self.classes.push(Class { next, end: self.unknown.len() });
        }
    }
}

/// The operations that are still to be placed, as a specification sees them.
pub struct Ahead<'a, S: Sequential> {
    pending: &'a Pending<'a, S>,
    /// How many events can be seen.
    horizon: usize,
    /// How many were looked at.
    looked: Cell<usize>,
}

/// An event that is still to come, of an operation that returned.
pub enum Coming<'a, S: Sequential> {
    /// The operation is invoked.
    Invoked(&'a S::Op),
    /// It returns with this answer.
    Returned(&'a S::Op, &'a S::Ret),
    /// More events follow that cannot be seen from here; anything may be among them.
    Later,
}

impl<'a, S: Sequential> Ahead<'a, S> {
    pub(super) fn new(pending: &'a Pending<'a, S>, horizon: usize) -> Self {
        Self { pending, horizon, looked: Cell::new(0) }
    }

    /// How many events were looked at.
    pub(super) fn looked(&self) -> usize {
        self.looked.get()
    }

    /// The events of the operations with a known outcome, in their order. A long history is not seen to
    /// its end: then the last item is [`Coming::Later`].
    pub fn coming(&self) -> impl Iterator<Item = Coming<'a, S>> {
        let pending = self.pending;
        let mut at = pending.list.first();
        let mut seen = 0;
        std::iter::from_fn(move || {
            if at == ENDS {
                return None;
            }
            self.looked.set(self.looked.get() + 1);
            seen += 1;
            if seen > self.horizon {
                at = ENDS;
                return Some(Coming::Later);
            }
            let node = pending.list.node(at);
            at = node.next;
            let Known { op, ret, .. } = pending.known[node.operation as usize];
            Some(match node.end {
                Ends::Invoke => Coming::Invoked(op),
                Ends::Return => Coming::Returned(op, ret),
            })
        })
    }

    /// The operations of unknown outcome that are not placed, in no particular order; of several among
    /// which it does not matter which takes effect, one.
    pub fn unknown(&self) -> impl Iterator<Item = &'a S::Op> {
        let pending = self.pending;
        let left = pending.classes.iter().filter(|class| class.next < class.end);
        left.map(|class| pending.unknown[class.next].op)
    }
}
