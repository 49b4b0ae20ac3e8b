//! The events of a history, and the list of those that are still to be placed.

use super::Operation;

/// One end of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Event {
    pub(super) position: u64,
    /// At one position invocations come first: operations that touch overlap.
    pub(super) end: Ends,
    /// The operation, as an index into the history.
    pub(super) index: usize,
    /// The operation, as a number among those that belong together.
    pub(super) slot: usize,
}

/// Which end of an operation an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ends {
    Invoke,
    Return,
}

/// The events of the operations of `part`, in their order.
pub(super) fn events<Op, Ret>(history: &[Operation<Op, Ret>], part: &[usize]) -> Vec<Event> {
    let mut events = Vec::with_capacity(part.len() * 2);
    for (slot, &index) in part.iter().enumerate() {
        let operation = &history[index];
        events.push(Event { position: operation.invoked, end: Ends::Invoke, index, slot });
        if let Some((position, _)) = operation.returned {
            assert!(
                position >= operation.invoked,
                "operation {index} returns before it is invoked"
            );
            events.push(Event { position, end: Ends::Return, index, slot });
        }
    }
    events.sort_unstable();
    events
}

/// The node before the first event and after the last one.
pub(super) const ENDS: u32 = 0;

/// A doubly linked list of events in which an operation is taken out by unlinking its two nodes, and put
/// back by linking them again, in the reverse order of the taking out.
///
/// A node's number grows with the position of its event.
pub(super) struct List {
    nodes: Vec<Node>,
    /// By operation: its invocation and its return.
    ends: Vec<(u32, u32)>,
}

#[derive(Clone, Copy)]
pub(super) struct Node {
    previous: u32,
    pub(super) next: u32,
    pub(super) end: Ends,
    /// The operation, as numbered by the list's maker.
    pub(super) operation: u32,
}

impl List {
    /// An empty list for `operations` operations.
    pub(super) fn new(operations: usize) -> Self {
        let around = Node { previous: ENDS, next: ENDS, end: Ends::Return, operation: u32::MAX };
        let mut nodes = Vec::with_capacity(operations * 2 + 1);
        nodes.push(around);
        Self { nodes, ends: vec![(ENDS, ENDS); operations] }
    }

    /// The number that the next node will have.
    pub(super) fn next_number(&self) -> u32 {
        u32::try_from(self.nodes.len()).expect("a history has fewer events")
    }

    /// Appends an event.
    pub(super) fn push(&mut self, end: Ends, operation: u32) {
        let number = self.next_number();
        let previous = number - 1;
        self.nodes.push(Node { previous, next: ENDS, end, operation });
        self.nodes[previous as usize].next = number;
        self.nodes[ENDS as usize].previous = number;
        let ends = &mut self.ends[operation as usize];
        match end {
            Ends::Invoke => ends.0 = number,
            Ends::Return => ends.1 = number,
        }
    }

    pub(super) fn node(&self, number: u32) -> Node {
        self.nodes[number as usize]
    }

    /// The first node, or [`ENDS`] if the list is empty.
    pub(super) fn first(&self) -> u32 {
        self.nodes[ENDS as usize].next
    }

    /// The first return, or [`ENDS`].
    pub(super) fn first_return(&self) -> u32 {
        let mut at = self.first();
        while self.node(at).end == Ends::Invoke {
            at = self.node(at).next;
        }
        at
    }

    /// Takes both events of an operation out.
    pub(super) fn lift(&mut self, operation: u32) {
        let (invoke, ret) = self.ends[operation as usize];
        for number in [invoke, ret] {
            let Node { previous, next, .. } = self.node(number);
            self.nodes[previous as usize].next = next;
            self.nodes[next as usize].previous = previous;
        }
    }

    /// Puts both events of the operation that was taken out last back.
    pub(super) fn unlift(&mut self, operation: u32) {
        let (invoke, ret) = self.ends[operation as usize];
        for number in [ret, invoke] {
            let Node { previous, next, .. } = self.node(number);
            self.nodes[previous as usize].next = number;
            self.nodes[next as usize].previous = number;
        }
    }
}
