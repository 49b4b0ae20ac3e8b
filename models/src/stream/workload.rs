//! What clients do: operations drawn by weight, over few documents.

use seedbed_sim::choose::Draw;
use seedbed_sim::nemesis::{Config, PlannedOp};

use super::op::{Call, Key, Vb};
use super::settings::{self, Settings};

/// How often each kind of operation comes, in parts of the sum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mix {
    pub(super) set: u32,
    pub(super) load: u32,
    pub(super) delete: u32,
    pub(super) hand_over: u32,
    pub(super) fail: u32,
    pub(super) purge: u32,
    pub(super) admin: u32,
    pub(super) bounce: u32,
}

/// Draws the operations of data (client 0) and of the admin (client 1).
pub(super) fn draw(mix: Mix, config: &Config, draw: &mut Draw) -> Vec<PlannedOp<Call>> {
    let settings = Settings::of(config);
    let vbs: Vec<Vb> = settings.vbs().collect();
    let keys = config.get(settings::KEYS.name);
    let last = u32::try_from(draw.range(24, 60)).expect("a small number");
    let mut ops: Vec<PlannedOp<Call>> = (1..=last)
        .map(|number| {
            let op = one(mix, &settings, (&vbs, keys), draw);
            PlannedOp { client: u16::from(!op.is_of_data()), number, op }
        })
        .collect();
    ops.sort_by_key(|op| (op.client, op.number));
    ops
}

fn one(mix: Mix, settings: &Settings, (vbs, keys): (&[Vb], u64), draw: &mut Draw) -> Call {
    let Mix { set, load, delete, hand_over, fail, purge, admin, bounce } = mix;
    let vb = *draw.pick(vbs);
    let key = Key(u8::try_from(draw.below(keys)).expect("a few keys"));
    match draw.weighted(&[set, delete, hand_over, fail, purge, admin, bounce, load]) {
        0 => {
            let length = match draw.below(8) {
                0 => draw.range(40, 120),
                1 => draw.range(1, 40),
                _ => 0,
            };
            Call::Set(vb, key, u16::try_from(length).expect("a small number"))
        }
        1 => Call::Delete(vb, key),
        2 => Call::Move(vb),
        3 => Call::Fail(vb, u8::try_from(draw.below(4)).expect("a small number")),
        4 => Call::Purge(vb),
        5 => order(settings, draw),
        6 => Call::Bounce,
        _ => {
            let last = Key(u8::try_from(keys - 1).expect("a few keys"));
            Call::Load(vb, last, u8::try_from(draw.range(2, 6)).expect("a small number"))
        }
    }
}

fn order(settings: &Settings, draw: &mut Draw) -> Call {
    let keyspace = *draw.pick(&settings.keyspaces);
    match draw.weighted(&[2, 4, 6, 3]) {
        0 => Call::Stop(keyspace),
        1 => Call::Start(keyspace),
        2 => Call::Stall(u16::try_from(draw.range(50, 3_500)).expect("a few seconds")),
        _ => {
            let router = u8::try_from(draw.below(2)).expect("a router");
            Call::Connections(router, *draw.pick(&[0, 1, 2, 3, 8, 65_536]))
        }
    }
}
