//! What clients do: tasks, single operations and multi-sets, drawn by weight.

use seedbed_sim::choose::Draw;
use seedbed_sim::nemesis::PlannedOp;

use crate::vbucket::op::{Call, Key, Store, Value, Vb, Verb};

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
    let mut words = Words { crowd, draw, created: Vec::new() };
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
    let mut words = Words { crowd, draw, created: Vec::new() };
    let mut ops: Vec<PlannedOp<Op>> = (1..=last)
        .map(|number| {
            if words.draw.chance(1, 4) {
                let op = Op::Move(words.vb(), words.server());
                return PlannedOp { client: crowd.keeper, number, op };
            }
            let client = words.draw.below(crowd.callers.into());
            let client = u16::try_from(client).expect("a small number");
            PlannedOp { client, number, op: words.call(number) }
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
        let set = |verb, key, number: u32| {
            let value = Value::new(&number.to_string());
            Op::Ask(Call::Store(Store { verb, key, value, flags: 0, expiry: 0 }))
        };
        match self.draw.weighted(&[12, 8, 5, 2, 2, 3]) {
            0 => {
                let Keys { start, end } = self.keys();
                Op::MultiSet(number, (start..end).map(Key).collect())
            }
            1 => Op::Ask(Call::Get(self.key())),
            2 => set(Verb::Set, self.key(), number),
            3 => set(Verb::Add, self.key(), number),
            4 => set(Verb::Replace, self.key(), number),
            _ => Op::Ask(Call::Delete(self.key())),
        }
    }
}
