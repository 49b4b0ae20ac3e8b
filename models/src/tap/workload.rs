//! What clients and the orchestrator do: operations drawn by weight, over few keys.

use std::collections::BTreeSet;

use seedbed_sim::choose::Draw;
use seedbed_sim::nemesis::PlannedOp;

use crate::vbucket::op::{Call, Key, Store, Update, Vb, Verb};

use crate::vbucket::workload::value;

use super::frame::Name;
use super::op::Op;
use super::orchestrator::TAKEOVER;

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
    pub(super) reconnect: u32,
}

/// Who there is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crowd {
    pub(super) clients: u64,
    pub(super) keys: usize,
    pub(super) vbuckets: u64,
    pub(super) nodes: u64,
    /// Streams that are always followed.
    pub(super) streams: u8,
    /// Whether vbuckets move along streams of their own.
    pub(super) moves: bool,
}

/// Draws the operations of all clients, of which the orchestrator is the last. Each value names its operation, so no value
/// is written twice.
pub(super) fn draw(mix: Mix, crowd: Crowd, draw: &mut Draw) -> Vec<PlannedOp<Op>> {
    let last = u32::try_from(draw.range(24, 60)).expect("a small number");
    let mut words = Words { crowd, number: 0, key: Key(0), updating: BTreeSet::new(), draw };
    let mut ops: Vec<PlannedOp<Op>> = (1..=last)
        .map(|number| {
            words.number = number;
            let op = words.op(mix);
            let client =
                if op.is_command() { crowd.clients } else { words.draw.below(crowd.clients) };
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
    /// The last key that was drawn.
    key: Key,
    /// Vbuckets of which an online update was begun and not ended.
    updating: BTreeSet<Vb>,
    draw: &'d mut Draw,
}

impl Words<'_> {
    fn op(&mut self, mix: Mix) -> Op {
        let Mix { get, store, delete, update, persist, flush, filter, transfer, reconnect } = mix;
        let weights = [get, store, delete, update, persist, flush, filter, transfer, reconnect];
        match self.draw.weighted(&weights) {
            0 => Op::Data(Call::Get(self.key())),
            1 => Op::Data(self.store()),
            2 => Op::Data(Call::Delete(self.key())),
            3 => Op::Data(self.update()),
            4 => Op::Data(Call::Persist(self.vb())),
            5 => Op::Data(Call::FlushAll(self.vb())),
            6 => {
                let vbs = (0..self.crowd.vbuckets).filter(|_| self.draw.chance(2, 3));
                let vbs = vbs.map(|vb| Vb(u8::try_from(vb).expect("a few vbuckets"))).collect();
                Op::Filter(Name(1), vbs)
            }
            7 => {
                let node = self.draw.below(self.crowd.nodes);
                Op::Move(self.vb(), u8::try_from(node).expect("a few nodes"))
            }
            _ => Op::Reconnect(self.stream()),
        }
    }

    /// A step of an online update: mostly one that can be done, so that something is written in between.
    fn update(&mut self) -> Call {
        let vb = self.vb();
        let weights = if self.updating.contains(&vb) { [1, 4, 4] } else { [8, 1, 1] };
        let (update, _) = Update::ALL[self.draw.weighted(&weights)];
        match update {
            Update::Start => self.updating.insert(vb),
            Update::Complete | Update::Revert => self.updating.remove(&vb),
        };
        Call::Update(update, vb)
    }

    /// Where vbuckets move, as often one of the streams by which they do.
    fn stream(&mut self) -> Name {
        if self.crowd.moves && self.draw.chance(1, 2) {
            return Name(TAKEOVER + self.vb().0);
        }
        let stream = self.draw.below(self.crowd.streams.into());
        Name(1 + u8::try_from(stream).expect("a few streams"))
    }

    /// Often the one before: what is changed is soon changed again.
    fn key(&mut self) -> Key {
        if !self.draw.chance(1, 3) {
            self.key = Key(u8::try_from(self.draw.index(self.crowd.keys)).expect("a few keys"));
        }
        self.key
    }

    fn vb(&mut self) -> Vb {
        Vb(u8::try_from(self.draw.below(self.crowd.vbuckets)).expect("a few vbuckets"))
    }

    fn store(&mut self) -> Call {
        let verb = Verb::ALL[self.draw.weighted(&[12, 4, 2, 2, 2, 1])].0;
        let key = self.key();
        let value = value(verb, self.number);
        let flags = u32::try_from(self.draw.below(3)).expect("a small number");
        let expiry = match self.draw.below(4) {
            0 => u32::try_from(self.draw.range(1, 4)).expect("a few seconds"),
            _ => 0,
        };
        Call::Store(Store { verb, key, value, flags, expiry })
    }
}
