//! What clients do: operations drawn by weight, over few keys.

use seedbed_sim::choose::Draw;
use seedbed_sim::nemesis::PlannedOp;

use super::op::{Call, Count, Feed, Key, State, Store, Update, Value, Vb, Verb};

/// How often each kind of operation comes, in parts of the sum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mix {
    pub(super) get: u32,
    pub(super) store: u32,
    pub(super) count: u32,
    pub(super) delete: u32,
    pub(super) persist: u32,
    pub(super) state: u32,
    pub(super) drop: u32,
    pub(super) update: u32,
    pub(super) flush_all: u32,
}

/// Who there is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crowd {
    pub(super) clients: u64,
    pub(super) keys: usize,
    pub(super) vbuckets: u64,
}

/// Draws the operations of all clients. Each value names its operation, so no value is written twice.
pub(super) fn draw(mix: Mix, crowd: Crowd, draw: &mut Draw) -> Vec<PlannedOp<Call>> {
    let last = u32::try_from(draw.range(20, 60)).expect("a small number");
    let mut ops: Vec<PlannedOp<Call>> = (1..=last)
        .map(|number| {
            let client = u16::try_from(draw.below(crowd.clients)).expect("a small number");
            PlannedOp { client, number, op: Words { crowd, number, draw }.op(mix) }
        })
        .collect();
    ops.sort_by_key(|op| (op.client, op.number));
    ops
}

/// Draws what a scripted master does, and what clients do meanwhile. The master is the last client.
pub(super) fn draw_fed(mix: Mix, crowd: Crowd, draw: &mut Draw) -> Vec<PlannedOp<Call>> {
    let last = u32::try_from(draw.range(20, 60)).expect("a small number");
    let master = u16::try_from(crowd.clients).expect("a small number");
    let mut ops: Vec<PlannedOp<Call>> = (1..=last)
        .map(|number| {
            let mut words = Words { crowd, number, draw };
            if words.draw.chance(3, 4) {
                let op = Call::Feed(words.feed());
                return PlannedOp { client: master, number, op };
            }
            let op = words.op(mix);
            let client = u16::try_from(draw.below(crowd.clients)).expect("a small number");
            PlannedOp { client, number, op }
        })
        .collect();
    // Most runs end without an online update, so that the replica must have followed in the end.
    if draw.chance(3, 4) {
        let op = Call::Feed(Feed::Update(*draw.pick(&[Update::Complete, Update::Revert])));
        ops.push(PlannedOp { client: master, number: last + 1, op });
    }
    ops.sort_by_key(|op| (op.client, op.number));
    ops
}

/// What is asked to read everything back: every key, and whether it is there.
pub(super) fn read_back(keys: usize) -> Vec<(u16, Call)> {
    let keys = (0..).map(Key).take(keys);
    keys.map(|key| (0, Call::Get(key))).collect()
}

/// What the operation of this number stores. What is added to a value is told from it by a dot, so that some values are no
/// numbers.
pub(crate) fn value(verb: Verb, number: u32) -> Value {
    Value::new(&match verb {
        Verb::Append => format!(".{number}"),
        Verb::Prepend => format!("{number}."),
        _ => number.to_string(),
    })
}

/// Draws the parts of one operation.
struct Words<'d> {
    crowd: Crowd,
    number: u32,
    draw: &'d mut Draw,
}

impl Words<'_> {
    fn op(&mut self, mix: Mix) -> Call {
        let Mix { get, store, count, delete, persist, state, drop, update, flush_all } = mix;
        let weights = [get, store, count, delete, persist, state, drop, update, flush_all];
        match self.draw.weighted(&weights) {
            0 => Call::Get(self.key()),
            1 => self.store(),
            2 => self.count(),
            3 => Call::Delete(self.key()),
            4 => Call::Persist(self.vb()),
            5 => {
                let state = self.draw.weighted(&[8, 1, 2, 2]);
                Call::State(self.vb(), State::ALL[state].0)
            }
            6 => Call::Drop(self.vb()),
            7 => {
                let update = self.draw.weighted(&[4, 3, 3]);
                Call::Update(Update::ALL[update].0, self.vb())
            }
            _ => Call::FlushAll(self.vb()),
        }
    }

    fn feed(&mut self) -> Feed {
        match self.draw.weighted(&[40, 12, 14, 16, 6, 6]) {
            0 => {
                let (key, value) = (self.key(), Value::new(&self.number.to_string()));
                let (flags, expiry) = (0, self.expiry());
                Feed::Set(Store { verb: Verb::Set, key, value, flags, expiry })
            }
            1 => Feed::Delete(self.key()),
            2 => Feed::Close,
            3 => Feed::Update(Update::ALL[self.draw.weighted(&[4, 3, 3])].0),
            4 => Feed::HangUp,
            _ => Feed::Lag(u32::try_from(self.draw.below(3)).expect("a small number")),
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
        let value = value(verb, self.number);
        let flags = u32::try_from(self.draw.below(3)).expect("a small number");
        Call::Store(Store { verb, key, value, flags, expiry: self.expiry() })
    }

    fn expiry(&mut self) -> u32 {
        match self.draw.below(3) {
            0 => u32::try_from(self.draw.range(1, 4)).expect("a few seconds"),
            _ => 0,
        }
    }

    fn count(&mut self) -> Call {
        let down = self.draw.chance(1, 3);
        let key = self.key();
        let by = *self.draw.pick(&[1, 7, 100, u64::MAX]);
        let initial =
            self.draw.chance(1, 2).then(|| (u64::from(self.number) * 1000, self.expiry()));
        // Now and then one that does not create its key.
        let is_told_not_to = self.number.is_multiple_of(5);
        let initial =
            initial.map(|(to, expiry)| (to, if is_told_not_to { u32::MAX } else { expiry }));
        Call::Count(Count { down, key, by, initial })
    }
}
