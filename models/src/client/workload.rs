//! What clients do: tasks, single operations and multi-sets, drawn by weight.

use seedbed_sim::choose::Draw;
use seedbed_sim::nemesis::PlannedOp;

use crate::vbucket::op::{Call, Count, Key, Store, Vb, Verb};
use crate::vbucket::workload::value;

use super::op::{Keys, Load, Op, Server, Spec, TaskId};

/// Who there is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crowd {
    pub(crate) keys: u8,
    pub(crate) vbuckets: u8,
    pub(crate) nodes: u8,
    /// Clients without a store.
    pub(crate) callers: u8,
    /// The keeper of the map, among the clients.
    pub(crate) keeper: u16,
    /// Whether there are replicas.
    pub(crate) has_replicas: bool,
}

/// Draws what the manager of tasks is asked, and the keeper of the map where there are replicas.
pub(crate) fn tasks(crowd: Crowd, draw: &mut Draw) -> Vec<PlannedOp<Op>> {
    let last = u8::try_from(draw.range(20, 50)).expect("a small number");
    let mut words = Words { crowd, draw, created: Vec::new(), looked: None };
    let mut ops: Vec<PlannedOp<Op>> = (1..=last)
        .map(|number| {
            if crowd.has_replicas && words.draw.chance(1, 6) {
                let op = words.failover();
                return PlannedOp { client: crowd.keeper, number: number.into(), op };
            }
            PlannedOp { client: 0, number: number.into(), op: words.task(number) }
        })
        .collect();
    ops.sort_by_key(|op| (op.client, op.number));
    ops
}

/// Draws what callers do, and what the keeper of the map moves meanwhile.
pub(crate) fn multi_sets(crowd: Crowd, draw: &mut Draw) -> Vec<PlannedOp<Op>> {
    let last = u32::try_from(draw.range(20, 60)).expect("a small number");
    let mut words = Words { crowd, draw, created: Vec::new(), looked: None };
    let mut ops: Vec<PlannedOp<Op>> = (1..=last)
        .map(|number| {
            if let Some((client, key)) = words.looked.take() {
                return PlannedOp { client, number, op: store(Verb::Cas, key, number) };
            }
            if words.draw.chance(1, 4) {
                let op = Op::Move(words.vb(), words.server());
                return PlannedOp { client: crowd.keeper, number, op };
            }
            let client = words.draw.below(crowd.callers.into());
            let client = u16::try_from(client).expect("a small number");
            let op = words.call(number);
            if let Op::Ask(Call::Get(key)) = op {
                words.looked = words.draw.chance(1, 2).then_some((client, key));
            }
            PlannedOp { client, number, op }
        })
        .collect();
    ops.sort_by_key(|op| (op.client, op.number));
    ops
}

/// Draws the parts of one operation.
struct Words<'d> {
    crowd: Crowd,
    draw: &'d mut Draw,
    /// Tasks that were only created.
    created: Vec<TaskId>,
    /// A client looks at a key in order to write it if it is still the same.
    looked: Option<(u16, Key)>,
}

impl Words<'_> {
    fn small(&mut self, bound: u8) -> u8 {
        u8::try_from(self.draw.below(bound.into())).expect("below a small number")
    }

    fn vb(&mut self) -> Vb {
        Vb(self.small(self.crowd.vbuckets))
    }

    fn server(&mut self) -> Server {
        Server(self.small(self.crowd.nodes))
    }

    fn key(&mut self) -> Key {
        Key(self.small(self.crowd.keys))
    }

    fn keys(&mut self) -> Keys {
        let start = self.small(self.crowd.keys);
        let end = start + 1 + self.small(self.crowd.keys - start);
        Keys { start, end }
    }

    fn ttl(&mut self) -> u8 {
        if self.draw.chance(1, 3) { 1 + self.small(2) } else { 0 }
    }

    fn spec(&mut self) -> Spec {
        match self.draw.weighted(&[10, 3, 3, 4, 4, 16, 8, 6, 6, 3]) {
            0 => Spec::Load(Load::Create, self.keys(), self.ttl()),
            1 => Spec::Load(Load::Blob, self.keys(), self.ttl()),
            2 => Spec::Load(Load::Read, self.keys(), 0),
            3 => Spec::Load(Load::Update, self.keys(), self.ttl()),
            4 => Spec::Load(Load::Delete, self.keys(), 0),
            5 => Spec::Batch(self.keys()),
            6 => {
                let weights = [1 + self.small(3), self.small(3), self.small(3), self.small(3)];
                Spec::Work(3 + self.small(8), weights, self.small(100))
            }
            7 => Spec::Verify,
            8 => Spec::Rebalance(self.vb(), self.server()),
            _ if self.crowd.has_replicas => Spec::Replicas,
            _ => Spec::Verify,
        }
    }

    fn task(&mut self, number: u8) -> Op {
        let known = TaskId(1 + self.small(number));
        match self.draw.weighted(&[60, 5, 5, 4, 4, 3, 3, 4, 4, 6, 8]) {
            0 => Op::Run(TaskId(number), self.spec()),
            1 => {
                self.created.push(TaskId(number));
                Op::Create(TaskId(number), self.spec())
            }
            2 => Op::Start(self.created.pop().unwrap_or(known)),
            3 => Op::Pause(TaskId(number - 1)),
            4 => Op::Resume(TaskId(number.saturating_sub(2))),
            5 => Op::Abort(TaskId(number - 1)),
            6 => Op::Complete(known),
            7 => Op::CompleteAll,
            8 => Op::Verify(known),
            9 => Op::VerifyAll,
            _ => Op::Wait(1 + self.small(15)),
        }
    }

    fn failover(&mut self) -> Op {
        if self.draw.chance(1, 2) {
            Op::Failover(self.vb())
        } else {
            Op::Move(self.vb(), self.server())
        }
    }

    fn call(&mut self, number: u32) -> Op {
        match self.draw.weighted(&[14, 12, 6, 2, 2, 3, 3, 2, 1, 7]) {
            0 => {
                let Keys { start, end } = self.keys();
                Op::MultiSet(number, (start..end).map(Key).collect())
            }
            1 => Op::Ask(Call::Get(self.key())),
            2 => store(Verb::Set, self.key(), number),
            3 => store(Verb::Add, self.key(), number),
            4 => store(Verb::Replace, self.key(), number),
            5 => Op::Ask(Call::Delete(self.key())),
            6 => store(Verb::Append, self.key(), number),
            7 => store(Verb::Prepend, self.key(), number),
            8 => store(Verb::Cas, self.key(), number),
            _ => self.count(number),
        }
    }

    fn count(&mut self, number: u32) -> Op {
        let (down, key) = (self.draw.chance(1, 3), self.key());
        let by = *self.draw.pick(&[1, 7, 100]);
        // One that is not there begins with a number of its own.
        let initial = self.draw.chance(1, 2).then(|| (u64::from(number) * 1000, 0));
        Op::Ask(Call::Count(Count { down, key, by, initial }))
    }
}

/// Stores what the operation of this number stores.
fn store(verb: Verb, key: Key, number: u32) -> Op {
    let value = value(verb, number);
    Op::Ask(Call::Store(Store { verb, key, value, flags: 0, expiry: 0 }))
}
