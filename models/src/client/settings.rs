//! The numbers that a plan draws, and how data nodes work here.

use seedbed_sim::fault::{Kind, KindSet};
use seedbed_sim::nemesis::{Config, Knob};
use seedbed_sim::time::Span;

use crate::vbucket::op::{Key, State};
use crate::vbucket::settings::Settings;

/// Data nodes.
pub const NODES: Knob = Knob { name: "nodes", min: 2, max: 3, simplest: 2, about: "data nodes" };
/// Vbuckets of the cluster.
pub const VBUCKETS: Knob =
    Knob { name: "vbuckets", min: 1, max: 3, simplest: 1, about: "vbuckets of the cluster" };
/// Keys.
pub const KEYS: Knob =
    Knob { name: "keys", min: 3, max: Key::FEW as u64, simplest: 3, about: "keys in use" };
/// Partitions of the reference store; 16 outside of a run.
pub const PARTITIONS: Knob = Knob {
    name: "partitions",
    min: 1,
    max: 4,
    simplest: 2,
    about: "partitions of the reference store",
};
/// Workers of the task manager.
pub const WORKERS: Knob =
    Knob { name: "workers", min: 1, max: 3, simplest: 2, about: "tasks that run side by side" };
/// Between two orders.
pub const THINK: Knob = Knob {
    name: "think",
    min: 2,
    max: 160,
    simplest: 120,
    about: "milliseconds between two orders to the task manager",
};
/// Callers.
pub const CALLERS: Knob =
    Knob { name: "callers", min: 2, max: 3, simplest: 2, about: "clients without a store" };
/// Between a change and the flush.
pub const FLUSH_DELAY: Knob = Knob {
    name: "flush_delay",
    min: 1,
    max: 400,
    simplest: 1,
    about: "milliseconds between a change and the flush",
};
/// Between two rounds of the pager.
pub const PAGER: Knob = Knob {
    name: "pager",
    min: 1,
    max: 4,
    simplest: 2,
    about: "seconds between two rounds of the expiry pager",
};

/// What is done to the clocks of data nodes.
pub const CLOCKS: Knob = Knob {
    name: "clocks",
    min: 0,
    max: 3,
    simplest: 0,
    about: "clocks of data nodes: right (0 and 1), off (2), jumping (3)",
};

/// By how many seconds two clocks together are off at most: 10 from the start each, and what they drift.
const SKEW_MAX: u64 = 24;

/// How far clocks may be off, if that is known.
#[must_use]
pub fn skew(config: &Config) -> Option<u64> {
    match config.get(CLOCKS.name) {
        0 | 1 => Some(0),
        2 => Some(SKEW_MAX),
        _ => None,
    }
}

/// What may happen to clocks.
#[must_use]
pub fn clock_trouble(config: &Config) -> KindSet {
    match config.get(CLOCKS.name) {
        0 | 1 => KindSet::NONE,
        2 => KindSet::of(&[Kind::Skew, Kind::Drift]),
        _ => KindSet::of(&[Kind::Skew, Kind::Drift, Kind::Jump]),
    }
}

/// A knob as a small number.
#[must_use]
pub fn small(config: &Config, knob: Knob) -> u8 {
    u8::try_from(config.get(knob.name)).expect("a small number")
}

/// How a data node works. It begins with dead vbuckets, until it is told what to be.
#[must_use]
pub fn node(config: &Config, place: u8) -> Settings {
    Settings {
        vbuckets: small(config, VBUCKETS),
        state: State::Dead,
        max_items: 4,
        max_checkpoints: 2,
        period: Span::secs(4),
        remover: Span::secs(2),
        pager: Span::secs(config.get(PAGER.name)),
        // What is written as a deletion before its time would be lost where nothing may be.
        expiry_window: 0,
        batch: 3,
        flush_delay: Span::ms(config.get(FLUSH_DELAY.name)),
        values: usize::MAX,
        purge_delay: Span::ms(60),
        nodes: config.get(NODES.name),
        node: u64::from(place),
    }
}
