//! The limits, sizes and times of a node.

use seedbed_sim::nemesis::{Config, Knob};
use seedbed_sim::time::Span;

use super::op::State;

/// How a node works. The default is what the real one used; a run draws everything small, so that it reaches every edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Vbuckets.
    pub vbuckets: u8,
    /// What they are at first.
    pub state: State,
    /// Mutations of a checkpoint.
    pub max_items: u32,
    /// Checkpoints of a vbucket.
    pub max_checkpoints: u32,
    /// A checkpoint that is older is closed.
    pub period: Span,
    /// Between two rounds of the remover.
    pub remover: Span,
    /// Between two rounds of the pager.
    pub pager: Span,
    /// What expires within so many seconds is not written any more.
    pub expiry_window: u64,
    /// Records of a write.
    pub batch: usize,
    /// Between the first change and the flush.
    pub flush_delay: Span,
    /// So many values are kept in memory.
    pub values: usize,
    /// Which of several nodes it is. No two of them call changes alike.
    pub place: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            vbuckets: 1,
            state: State::Active,
            max_items: 5_000,
            max_checkpoints: 2,
            period: Span::secs(600),
            remover: Span::secs(5),
            pager: Span::secs(3_600),
            expiry_window: 3,
            batch: 250,
            flush_delay: Span::ms(1),
            values: usize::MAX,
            place: 0,
        }
    }
}

/// So many values above [`Settings::values`] new ones are refused.
pub const ROOM: usize = 2;

/// See [`Settings::vbuckets`].
pub const VBUCKETS: Knob =
    Knob { name: "vbuckets", min: 1, max: 2, simplest: 1, about: "vbuckets of the node" };
/// See [`Settings::max_items`].
pub const MAX_ITEMS: Knob =
    Knob { name: "max_items", min: 2, max: 5, simplest: 5, about: "mutations of a checkpoint" };
/// See [`Settings::max_checkpoints`].
pub const MAX_CHECKPOINTS: Knob = Knob {
    name: "max_checkpoints",
    min: 2,
    max: 3,
    simplest: 3,
    about: "checkpoints of a vbucket",
};
/// See [`Settings::period`].
pub const PERIOD: Knob = Knob {
    name: "period",
    min: 1,
    max: 5,
    simplest: 5,
    about: "seconds after which a checkpoint is closed",
};
/// See [`Settings::remover`].
pub const REMOVER: Knob = Knob {
    name: "remover",
    min: 200,
    max: 1_000,
    simplest: 1_000,
    about: "milliseconds between two rounds of the remover",
};
/// See [`Settings::pager`].
pub const PAGER: Knob = Knob {
    name: "pager",
    min: 2,
    max: 10,
    simplest: 10,
    about: "seconds between two rounds of the expiry pager",
};
/// See [`Settings::expiry_window`].
pub const EXPIRY_WINDOW: Knob = Knob {
    name: "expiry_window",
    min: 0,
    max: 3,
    simplest: 0,
    about: "seconds before its end in which a value is not written any more",
};
/// See [`Settings::batch`].
pub const BATCH: Knob =
    Knob { name: "batch", min: 1, max: 3, simplest: 3, about: "records of a write of the flusher" };
/// See [`Settings::flush_delay`].
pub const FLUSH_DELAY: Knob = Knob {
    name: "flush_delay",
    min: 1,
    max: 800,
    simplest: 1,
    about: "milliseconds between a change and the flush",
};
/// See [`Settings::values`].
pub const VALUES: Knob =
    Knob { name: "values", min: 2, max: 4, simplest: 4, about: "values that are kept in memory" };

/// What is drawn for every node.
pub const KNOBS: [Knob; 10] = [
    VBUCKETS,
    MAX_ITEMS,
    MAX_CHECKPOINTS,
    PERIOD,
    REMOVER,
    PAGER,
    EXPIRY_WINDOW,
    BATCH,
    FLUSH_DELAY,
    VALUES,
];

impl Settings {
    /// What a plan has drawn.
    ///
    /// # Panics
    /// If the scenario lacks one of [`KNOBS`].
    #[must_use]
    pub fn of(config: &Config) -> Settings {
        let small = |knob: Knob| u32::try_from(config.get(knob.name)).expect("a small number");
        Settings {
            vbuckets: u8::try_from(config.get(VBUCKETS.name)).expect("a small number"),
            state: State::Active,
            max_items: small(MAX_ITEMS),
            max_checkpoints: small(MAX_CHECKPOINTS),
            period: Span::secs(config.get(PERIOD.name)),
            remover: Span::ms(config.get(REMOVER.name)),
            pager: Span::secs(config.get(PAGER.name)),
            expiry_window: config.get(EXPIRY_WINDOW.name),
            batch: config.count(BATCH.name),
            flush_delay: Span::ms(config.get(FLUSH_DELAY.name)),
            values: config.count(VALUES.name),
            place: 0,
        }
    }
}
