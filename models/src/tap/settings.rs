//! The limits and times of streams.

use seedbed_sim::nemesis::{Config, Knob};
use seedbed_sim::time::Span;

use super::seqno::Seqno;

/// How streams work. The default is what the real ones used; a run draws everything small, so that it reaches every edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// So many messages may be without an answer.
    pub window: u32,
    /// One of so many messages asks for an answer.
    pub ack_interval: u32,
    /// The number of the first message of a connection.
    pub first: Seqno,
    /// How long a producer waits after the first rejection; after another one it waits five times as long.
    pub backoff: Span,
    /// A producer that has said nothing for so long says that it is there.
    pub noop: Span,
    /// A producer that has had no answer for so long hangs up.
    pub grace: Span,
    /// A producer remembers a stream for so long after its connection was lost.
    pub keep_alive: Span,
    /// A stream that rests is looked at after this time.
    pub idle: Span,
    /// A vbucket that moves is made dead when so many items are left.
    pub threshold: u32,
    /// So many values may be fetched from disk for a backfill at once.
    pub fetches: u32,
    /// A consumer answers so much later than it has taken something in; one answer is for all of that time.
    pub ack_delay: Span,
    /// Who looks for changes looks again after this time if there were some, and falls asleep if not.
    pub doze: Span,
    /// A cursor gives so many changes of one checkpoint at once, when nothing waits to be said.
    pub refill: u32,
    /// A producer says so much later what it says next: it is one task among others.
    pub pace: Span,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            window: 10_000,
            ack_interval: 1_000,
            first: Seqno(1),
            backoff: Span::secs(1),
            noop: Span::secs(200),
            grace: Span::secs(300),
            keep_alive: Span::secs(0),
            idle: Span::secs(5),
            threshold: 500,
            fetches: 500,
            ack_delay: Span::ms(0),
            doze: Span::ms(30),
            refill: 1,
            pace: Span::ms(0),
        }
    }
}

/// See [`Settings::window`].
pub const WINDOW: Knob =
    Knob { name: "ack_window", min: 2, max: 8, simplest: 8, about: "messages without an answer" };
/// See [`Settings::ack_interval`].
pub const ACK_INTERVAL: Knob = Knob {
    name: "ack_interval",
    min: 1,
    max: 4,
    simplest: 1,
    about: "messages to one that asks for an answer",
};
/// See [`Settings::first`]: up to 8 before the end of the numbers, or 1.
pub const FIRST: Knob = Knob {
    name: "numbers_left",
    min: 1,
    max: 16,
    simplest: 16,
    about: "messages of a connection before numbers begin again; above 8, very many",
};
/// See [`Settings::backoff`].
pub const BACKOFF: Knob = Knob {
    name: "backoff",
    min: 100,
    max: 1_000,
    simplest: 100,
    about: "milliseconds that a producer waits after a rejection",
};
/// See [`Settings::noop`].
pub const NOOP: Knob = Knob {
    name: "noop",
    min: 100,
    max: 2_000,
    simplest: 2_000,
    about: "milliseconds of silence before a no-op",
};
/// See [`Settings::grace`].
pub const GRACE: Knob = Knob {
    name: "ack_grace",
    min: 500,
    max: 5_000,
    simplest: 5_000,
    about: "milliseconds without an answer before a producer hangs up",
};
/// See [`Settings::keep_alive`].
pub const KEEP_ALIVE: Knob = Knob {
    name: "keep_alive",
    min: 100,
    max: 5_000,
    simplest: 5_000,
    about: "milliseconds for which a lost connection is remembered",
};
/// See [`Settings::idle`].
pub const IDLE: Knob = Knob {
    name: "idle",
    min: 500,
    max: 5_000,
    simplest: 500,
    about: "milliseconds of rest before a stream is looked at",
};
/// See [`Settings::threshold`].
pub const THRESHOLD: Knob = Knob {
    name: "takeover_threshold",
    min: 0,
    max: 3,
    simplest: 0,
    about: "items that are left when a vbucket that moves is made dead",
};
/// See [`Settings::fetches`].
pub const FETCHES: Knob = Knob {
    name: "fetches",
    min: 1,
    max: 3,
    simplest: 3,
    about: "values fetched for a backfill at once",
};

/// See [`Settings::ack_delay`].
pub const ACK_DELAY: Knob = Knob {
    name: "ack_delay",
    min: 0,
    max: 375,
    simplest: 0,
    about: "milliseconds between taking something in and the answer; above 250, none",
};
/// A third of the runs is above this, and answers at once.
const ACK_DELAY_MAX: u64 = 250;

/// See [`Settings::doze`].
pub const DOZE: Knob = Knob {
    name: "doze",
    min: 10,
    max: 200,
    simplest: 30,
    about: "milliseconds between two looks for changes",
};

/// See [`Settings::refill`].
pub const REFILL: Knob = Knob {
    name: "refill",
    min: 1,
    max: 4,
    simplest: 1,
    about: "changes of a checkpoint that a cursor gives at once",
};

/// See [`Settings::pace`].
pub const PACE: Knob = Knob {
    name: "pace",
    min: 0,
    max: 60,
    simplest: 0,
    about: "milliseconds between two messages of a stream",
};

/// What is drawn for every stream.
pub const KNOBS: [Knob; 14] = [
    WINDOW,
    ACK_INTERVAL,
    FIRST,
    BACKOFF,
    NOOP,
    GRACE,
    KEEP_ALIVE,
    IDLE,
    THRESHOLD,
    FETCHES,
    ACK_DELAY,
    DOZE,
    REFILL,
    PACE,
];

impl Settings {
    /// What a plan has drawn.
    ///
    /// # Panics
    /// If the scenario lacks one of [`KNOBS`].
    #[must_use]
    pub fn of(config: &Config) -> Settings {
        let small = |knob: Knob| u32::try_from(config.get(knob.name)).expect("a small number");
        let first = match small(FIRST) {
            left @ 1..=8 => Seqno(u32::MAX - (left - 1)),
            _ => Seqno(1),
        };
        Settings {
            window: small(WINDOW),
            ack_interval: small(ACK_INTERVAL),
            first,
            backoff: Span::ms(config.get(BACKOFF.name)),
            noop: Span::ms(config.get(NOOP.name)),
            grace: Span::ms(config.get(GRACE.name)),
            keep_alive: Span::ms(config.get(KEEP_ALIVE.name)),
            idle: Span::ms(config.get(IDLE.name)),
            threshold: small(THRESHOLD),
            fetches: small(FETCHES),
            ack_delay: ack_delay(config),
            doze: Span::ms(config.get(DOZE.name)),
            refill: small(REFILL),
            pace: Span::ms(config.get(PACE.name)),
        }
    }
}

/// See [`Settings::ack_delay`].
#[must_use]
pub fn ack_delay(config: &Config) -> Span {
    let drawn = config.get(ACK_DELAY.name);
    Span::ms(if drawn > ACK_DELAY_MAX { 0 } else { drawn })
}
