//! The limits, sizes and times of a store.

use seedbed_sim::nemesis::{Config, Knob};
use seedbed_sim::time::Span;

use super::watch::Limits;

/// How a store batches its work. The default is etcd's; a run draws everything small, so that it reaches every edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whoever gives back the lock of the backend commits if so many changes are pending.
    pub batch_limit: usize,
    /// The batch timer commits what is pending this often.
    pub batch_interval: Span,
    /// A compaction looks at so many records at a time.
    pub compaction_batch: usize,
    /// It pauses for so long between two batches.
    pub compaction_pause: Span,
    /// Restore reads so many records at a time.
    pub restore_chunk: usize,
    /// Bytes of a page of the file.
    pub page_size: u32,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            batch_limit: 10_000,
            batch_interval: Span::ms(100),
            compaction_batch: 1_000,
            compaction_pause: Span::ms(10),
            restore_chunk: 10_000,
            page_size: 4_096,
        }
    }
}

/// Bytes of the smallest page and sector, and what all are multiples of.
pub const UNIT: u64 = 16;

/// See [`Settings::batch_limit`].
pub const BATCH_LIMIT: Knob = Knob {
    name: "batch_limit",
    min: 1,
    max: 8,
    simplest: 8,
    about: "pending changes that make whoever unlocks the backend commit",
};
/// See [`Settings::batch_interval`].
pub const BATCH_INTERVAL: Knob = Knob {
    name: "batch_interval",
    min: 5,
    max: 100,
    simplest: 100,
    about: "milliseconds between two rounds of the batch timer",
};
/// See [`Settings::compaction_batch`].
pub const COMPACTION_BATCH: Knob = Knob {
    name: "compaction_batch",
    min: 1,
    max: 4,
    simplest: 4,
    about: "records that a compaction looks at under one lock",
};
/// See [`Settings::compaction_pause`].
pub const COMPACTION_PAUSE: Knob = Knob {
    name: "compaction_pause",
    min: 1,
    max: 10,
    simplest: 10,
    about: "milliseconds between two batches of a compaction",
};
/// See [`Settings::restore_chunk`].
pub const RESTORE_CHUNK: Knob = Knob {
    name: "restore_chunk",
    min: 2,
    max: 4,
    simplest: 4,
    about: "records that a restore reads in one step",
};
/// See [`Settings::page_size`].
pub const PAGE_UNITS: Knob = Knob {
    name: "page_units",
    min: 4,
    max: 16,
    simplest: 16,
    about: "the size of a page, in units of 16 bytes",
};
/// The disk under the store; see [`UNIT`].
pub const SECTOR_UNITS: Knob = Knob {
    name: "sector_units",
    min: 1,
    max: 8,
    simplest: 4,
    about: "the size of a disk sector, in units of 16 bytes",
};

/// See [`Limits::channel`].
pub const WATCH_CHANNEL: Knob = Knob {
    name: "watch_channel",
    min: 1,
    max: 4,
    simplest: 4,
    about: "responses that wait on one stream of watchers",
};
/// See [`Limits::watchers`].
pub const WATCHERS_PER_SYNC: Knob = Knob {
    name: "watchers_per_sync",
    min: 1,
    max: 3,
    simplest: 3,
    about: "watchers that one round of synchronisation serves",
};
/// See [`Limits::revisions`].
pub const WATCH_BATCH: Knob = Knob {
    name: "watch_batch",
    min: 1,
    max: 4,
    simplest: 4,
    about: "revisions that one response of such a round holds",
};
/// Of the loop that synchronises watchers.
pub const SYNC_INTERVAL: Knob = Knob {
    name: "sync_interval",
    min: 1,
    max: 20,
    simplest: 10,
    about: "milliseconds between two rounds of synchronisation",
};
/// Of the loop for victims.
pub const VICTIM_INTERVAL: Knob = Knob {
    name: "victim_interval",
    min: 1,
    max: 10,
    simplest: 5,
    about: "milliseconds between two rounds for victims",
};
/// Bytes that a connection holds in each direction; see [`UNIT`].
pub const STREAM_UNITS: Knob = Knob {
    name: "stream_units",
    min: 1,
    max: 16,
    simplest: 8,
    about: "what a connection holds, in units of 16 bytes",
};

/// See [`Parameters::read_buffer`](super::parameters::Parameters::read_buffer).
pub const READ_BUFFER: Knob = Knob {
    name: "read_buffer",
    min: 0,
    max: 1,
    simplest: 1,
    about: "whether readers have a buffer and need no lock",
};
/// See [`Parameters::hashes_kept`](super::parameters::Parameters::hashes_kept).
pub const HASHES_KEPT: Knob = Knob {
    name: "hashes_kept",
    min: 2,
    max: 3,
    simplest: 3,
    about: "newest hashes of compactions that can be asked for",
};
/// See [`Parameters::defrag_batch`](super::parameters::Parameters::defrag_batch).
pub const DEFRAG_BATCH: Knob = Knob {
    name: "defrag_batch",
    min: 1,
    max: 6,
    simplest: 6,
    about: "pairs that defragmenting copies at a time",
};
/// Of a thread.
pub const TXN_PATIENCE: Knob = Knob {
    name: "txn_patience",
    min: 10,
    max: 60,
    simplest: 60,
    about: "milliseconds that a transaction may be left alone",
};
/// Of the log of a node that is one of a group.
pub const LOG_KEPT: Knob = Knob {
    name: "log_kept",
    min: 2,
    max: 8,
    simplest: 8,
    about: "entries that a node keeps in its log although its backend has them",
};
/// Of the agreement within a group.
pub const RESEND: Knob = Knob {
    name: "resend",
    min: 2,
    max: 10,
    simplest: 10,
    about: "milliseconds after which the agreement sends again what a node has not acknowledged",
};

/// Of the disk under whoever makes a copy of a file.
pub const DEFRAG_PAUSE: Knob = Knob {
    name: "defrag_pause",
    min: 1,
    max: 6,
    simplest: 6,
    about: "milliseconds that the disk takes to read what defragmenting copies at a time",
};
/// Of whoever makes a file smaller, as a server of etcd can be told to.
pub const DEFRAG_AT_BOOT: Knob = Knob {
    name: "defrag_at_boot",
    min: 0,
    max: 1,
    simplest: 0,
    about: "1 if a node defragments its file as soon as its store is open",
};
/// Of leases: their seconds are short in a run.
pub const LEASE_SECOND: Knob = Knob {
    name: "lease_second",
    min: 5,
    max: 60,
    simplest: 60,
    about: "milliseconds that a second of a lease lasts",
};
/// Of the keeper of leases.
pub const LEASE_ROUND: Knob = Knob {
    name: "lease_round",
    min: 2,
    max: 20,
    simplest: 20,
    about: "milliseconds between two looks for leases that have run out",
};
/// Of the comparer.
pub const COMPARE_INTERVAL: Knob = Knob {
    name: "compare_interval",
    min: 5,
    max: 50,
    simplest: 50,
    about: "milliseconds between two comparisons of nodes by hash",
};

/// The limits of the layer that watches which a plan has drawn.
#[must_use]
pub fn watch_limits(config: &Config) -> Limits {
    Limits {
        channel: config.count(WATCH_CHANNEL.name),
        watchers: config.count(WATCHERS_PER_SYNC.name),
        revisions: config.count(WATCH_BATCH.name),
    }
}

impl Settings {
    /// The settings that a plan has drawn.
    #[must_use]
    pub fn of(config: &Config) -> Settings {
        let page_size = config.get(PAGE_UNITS.name) * UNIT;
        Settings {
            batch_limit: config.count(BATCH_LIMIT.name),
            batch_interval: Span::ms(config.get(BATCH_INTERVAL.name)),
            compaction_batch: config.count(COMPACTION_BATCH.name),
            compaction_pause: Span::ms(config.get(COMPACTION_PAUSE.name)),
            restore_chunk: config.count(RESTORE_CHUNK.name),
            page_size: u32::try_from(page_size).expect("a page is small"),
        }
    }
}
