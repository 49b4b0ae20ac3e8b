//! Limits, sizes and times. A run draws them small, so that it reaches every edge.

use seedbed_sim::nemesis::{Config, Knob};
use seedbed_sim::time::Span;

use super::frame::Limits;
use super::log::Severity;
use super::op::{Keyspace, Vb};
use super::store::Sizes;

/// How everything works. The default is what the real ones used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Vbuckets of a keyspace.
    pub vbuckets: u8,
    /// The two keyspaces.
    pub keyspaces: [Keyspace; 2],
    /// Connections of a router at first.
    pub connections: u8,
    /// Messages of a batch.
    pub batch: usize,
    /// A batch is sent when its first message is this old.
    pub batch_delay: Span,
    /// Messages that wait for a connection of a router.
    pub queue: usize,
    /// Frames that wait in the server.
    pub server_queue: usize,
    /// Frames that wait in the application.
    pub application_queue: u32,
    /// Messages that data sends ahead of acknowledgements.
    pub window: u32,
    /// Requests of a router that data has not answered.
    pub requests: usize,
    /// The longest payload that either side sends between router and indexer, in bytes.
    pub payload_max: u32,
    /// The longest that either takes; no less than what is sent.
    pub receive_max: u32,
    /// Between two signs of life on a connection.
    pub beat: Span,
    /// A sender that has sent nothing for so long ends itself, as does one that hears nothing.
    pub suicide: Span,
    /// A reader that has heard nothing for so long gives up.
    pub deadline: Span,
    /// Between a trouble and its repair.
    pub repair_delay: Span,
    /// A repair that has not helped for so long is tried in a stronger form.
    pub escalate: Span,
    /// How long a stream may take to begin.
    pub begin_wait: Span,
    /// Between two looks at what is stable.
    pub stable: Span,
    /// Between two durable snapshots of the first index; of the second it is half as much again.
    pub persist: Span,
    /// Mutations of a checkpoint of data.
    pub checkpoint_items: usize,
    /// A repair goes on from the last whole snapshot rather than from where the stream was.
    pub repairs_whole: bool,
    /// One connection that fails takes all of its router's with it.
    pub all_fail: bool,
    /// What is logged.
    pub log: Option<Severity>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            vbuckets: 4,
            keyspaces: [Keyspace(0), Keyspace(1)],
            connections: 4,
            batch: 100,
            batch_delay: Span::ms(1),
            queue: 5_000,
            server_queue: 250,
            application_queue: 250,
            window: 10_000,
            requests: 64,
            payload_max: 1_000 * 1_024,
            receive_max: 1_000 * 1_024,
            beat: Span::secs(20),
            suicide: Span::secs(300),
            deadline: Span::secs(300),
            repair_delay: Span::secs(1),
            escalate: Span::secs(1_800),
            begin_wait: Span::secs(30),
            stable: Span::ms(200),
            persist: Span::secs(10),
            checkpoint_items: 5_000,
            repairs_whole: false,
            all_fail: false,
            log: None,
        }
    }
}

const fn knob(name: &'static str, range: [u64; 3], about: &'static str) -> Knob {
    let [min, max, simplest] = range;
    Knob { name, min, max, simplest, about }
}

const CONNECTIONS: Knob = knob("connections", [1, 4, 1], "connections of a router at first");
pub(super) const VBUCKETS: Knob = knob("vbuckets", [1, 8, 1], "vbuckets of a keyspace");
pub(super) const NAMES: Knob = knob("names", [0, 2, 0], "which two of the keyspaces a, a1, a12");
pub(super) const KEYS: Knob = knob("keys", [2, 4, 2], "documents of a vbucket");
const BATCH: Knob = knob("batch", [1, 4, 1], "messages of a batch");
const QUEUE: Knob = knob("queue", [1, 4, 4], "messages that wait for a connection");
const SERVER_QUEUE: Knob = knob("server_queue", [1, 4, 4], "frames that wait in the server");
const TAKES: Knob = knob("application_queue", [1, 3, 3], "frames that wait in the application");
const WINDOW: Knob = knob("window", [2, 6, 6], "messages ahead of acknowledgements");
const REQUESTS: Knob = knob("requests", [1, 4, 4], "stream requests under way");
const PAYLOAD: Knob = knob("payload", [90, 130, 130], "bytes of the longest payload");
const RECEIVE_MORE: Knob =
    knob("receive_more", [0, 60, 0], "bytes that are taken beyond the longest that is sent");
pub(super) const BUFFER: Knob = knob("buffer", [96, 256, 256], "bytes that a connection holds");
const BEAT: Knob = knob("beat", [320, 560, 560], "milliseconds between two signs of life");
const ESCALATE: Knob = knob("escalate", [1, 5, 1], "seconds until a stronger repair");
const STABLE: Knob =
    knob("stable", [40, 200, 100], "milliseconds between two looks at what is stable");
const PERSIST: Knob =
    knob("persist", [150, 700, 300], "milliseconds between two durable snapshots");
const ITEMS: Knob = knob("checkpoint_items", [1, 5, 5], "mutations of a checkpoint");
const WHOLE: Knob =
    knob("repairs_whole", [0, 3, 1], "0: repairs go on from the last whole snapshot");
pub(super) const DISK: Knob =
    knob("disk", [1, 100, 1], "tenths of a millisecond that a request to a disk takes");
const ALL_FAIL: Knob = knob("all_fail", [0, 3, 1], "0: with one connection of a router all fail");

/// What is drawn.
pub const KNOBS: [Knob; 21] = [
    CONNECTIONS,
    VBUCKETS,
    NAMES,
    KEYS,
    BATCH,
    QUEUE,
    SERVER_QUEUE,
    TAKES,
    WINDOW,
    REQUESTS,
    PAYLOAD,
    RECEIVE_MORE,
    BUFFER,
    BEAT,
    ESCALATE,
    STABLE,
    PERSIST,
    ITEMS,
    WHOLE,
    ALL_FAIL,
    DISK,
];

impl Settings {
    /// What a plan has drawn. Times keep their ratios: a sign of life comes far more often than a peer is given up for
    /// want of one, and a sender ends itself before its reader gives up.
    ///
    /// # Panics
    /// If the scenario lacks one of [`KNOBS`].
    #[must_use]
    pub fn of(config: &Config) -> Settings {
        let small = |knob: Knob| u8::try_from(config.get(knob.name)).expect("a small number");
        let ms = |knob: Knob| Span::ms(config.get(knob.name));
        let keyspaces = [[0, 1], [1, 2], [0, 2]][usize::from(small(NAMES))].map(Keyspace);
        let beat = ms(BEAT);
        let escalate = Span::secs(config.get(ESCALATE.name));
        Settings {
            vbuckets: small(VBUCKETS),
            keyspaces,
            connections: small(CONNECTIONS),
            batch: config.count(BATCH.name),
            batch_delay: Span::ms(2),
            queue: config.count(QUEUE.name),
            server_queue: config.count(SERVER_QUEUE.name),
            application_queue: u32::from(small(TAKES)),
            window: u32::from(small(WINDOW)),
            requests: config.count(REQUESTS.name),
            payload_max: u32::from(small(PAYLOAD)),
            receive_max: u32::from(small(PAYLOAD)) + u32::from(small(RECEIVE_MORE)),
            beat,
            suicide: beat.times(5),
            deadline: beat.times(6),
            repair_delay: Span::ms(60),
            escalate,
            begin_wait: Span(escalate.0 / 3),
            stable: ms(STABLE),
            persist: ms(PERSIST),
            checkpoint_items: config.count(ITEMS.name),
            repairs_whole: config.get(WHOLE.name) == 0,
            all_fail: config.get(ALL_FAIL.name) == 0,
            log: None,
        }
    }

    /// What either side sends.
    #[must_use]
    pub fn sends(&self) -> Limits {
        Limits { payload_max: self.payload_max, seed_era: false }
    }

    /// What either side takes.
    #[must_use]
    pub fn takes(&self) -> Limits {
        Limits { payload_max: self.receive_max, seed_era: false }
    }

    /// All vbuckets.
    pub fn vbs(&self) -> impl Iterator<Item = Vb> + use<> {
        let Settings { keyspaces, .. } = *self;
        let numbers = self.numbers();
        keyspaces
            .into_iter()
            .flat_map(move |keyspace| numbers.clone().map(move |number| Vb { keyspace, number }))
    }

    /// The numbers of the vbuckets of each keyspace.
    pub fn numbers(&self) -> impl Iterator<Item = u16> + Clone + use<> {
        Vb::NUMBERS.into_iter().take(usize::from(self.vbuckets))
    }

    /// What data keeps of a vbucket.
    #[must_use]
    pub fn sizes(&self) -> Sizes {
        Sizes { items: self.checkpoint_items, closed: 1, branches: 3 }
    }
}

/// What goes between router and data is not limited here: the longest document fits.
pub const UPSTREAM: Limits = Limits { payload_max: 1 << 17, seed_era: false };
