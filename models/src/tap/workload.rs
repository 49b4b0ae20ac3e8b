//! What clients and the orchestrator do: operations drawn by weight, over few keys.

use seedbed_sim::choose::Draw;
use seedbed_sim::nemesis::PlannedOp;

use crate::vbucket::op::{Call, Key, Store, Update, Value, Vb, Verb};

use super::frame::Name;
use super::op::Op;

/// How often each kind of operation comes, in parts of the sum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mix {
    pub(super) get: u32,
    pub(super) store: u32,
    pub(super) delete: u32,
    pub(super) update: u32,
    pub(super) persist: u32,
    pub(super) flush: u32,
    pub(super) filter: u32,
    pub(super) transfer: u32,
}

/// Who there is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crowd {
    pub(super) clients: u64,
    pub(super) keys: usize,
    pub(super) vbuckets: u64,
    pub(super) nodes: u64,
}

/// Draws the operations of all clients, of which the orchestrator is the last. Each value names its operation, so no value
/// is written twice.
pub(super) fn draw(mix: Mix, crowd: Crowd, draw: &mut Draw) -> Vec<PlannedOp<Op>> {
    let last = u32::try_from(draw.range(24, 60)).expect("a small number");
    let mut ops: Vec<PlannedOp<Op>> = (1..=last)
        .map(|number| {
            let op = Words { crowd, number, draw }.op(mix);
            let client = if op.is_command() { crowd.clients } else { draw.below(crowd.clients) };
            let client = u16::try_from(client).expect("a small number");
            PlannedOp { client, number, op }
        })
        .collect();
    ops.sort_by_key(|op| (op.client, op.number));
    ops
}

/// What is asked to read everything back: every key, and whether it is there.
pub(super) fn read_back(keys: usize) -> Vec<(u16, Op)> {
    let keys = (0..).map(Key).take(keys);
    keys.map(|key| (0, Op::Data(Call::Get(key)))).collect()
}

/// Draws the parts of one operation.
struct Words<'d> {
    crowd: Crowd,
    number: u32,
    draw: &'d mut Draw,
}

impl Words<'_> {
    fn op(&mut self, mix: Mix) -> Op {
        let Mix { get, store, delete, update, persist, flush, filter, transfer } = mix;
        let weights = [get, store, delete, update, persist, flush, filter, transfer];
        match self.draw.weighted(&weights) {
            0 => Op::Data(Call::Get(self.key())),
            1 => Op::Data(self.store()),
            2 => Op::Data(Call::Delete(self.key())),
            3 => {
                let update = self.draw.weighted(&[4, 3, 3]);
                Op::Data(Call::Update(Update::ALL[update].0, self.vb()))
            }
            4 => Op::Data(Call::Persist(self.vb())),
            5 => Op::Data(Call::FlushAll(self.vb())),
            6 => {
                let vbs = (0..self.crowd.vbuckets).filter(|_| self.draw.chance(2, 3));
                let vbs = vbs.map(|vb| Vb(u8::try_from(vb).expect("a few vbuckets"))).collect();
                Op::Filter(Name(1), vbs)
            }
            _ => {
                let node = self.draw.below(self.crowd.nodes);
                Op::Move(self.vb(), u8::try_from(node).expect("a few nodes"))
            }
        }
    }

    fn key(&mut self) -> Key {
        Key(u8::try_from(self.draw.index(self.crowd.keys)).expect("a few keys"))
    }

    fn vb(&mut self) -> Vb {
        Vb(u8::try_from(self.draw.below(self.crowd.vbuckets)).expect("a few vbuckets"))
    }

    fn store(&mut self) -> Call {
        let verb = Verb::ALL[self.draw.weighted(&[12, 4, 2, 2, 2, 1])].0;
        let key = self.key();
        let number = self.number;
        // What is added to a value is told from it by a dot, so that some values are no numbers.
        let value = match verb {
            Verb::Append => format!(".{number}"),
            Verb::Prepend => format!("{number}."),
            _ => number.to_string(),
        };
        let flags = u32::try_from(self.draw.below(3)).expect("a small number");
        let expiry = match self.draw.below(4) {
            0 => u32::try_from(self.draw.range(1, 4)).expect("a few seconds"),
            _ => 0,
        };
        Call::Store(Store { verb, key, value: Value::new(&value), flags, expiry })
    }
}
