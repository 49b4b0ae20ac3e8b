//! What can be set.

/// When checkpoints are made, and how many there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Settings {
    /// Mutations in the open checkpoint; the next one goes into a new checkpoint.
    pub max_items: u32,
    /// Whether `max_items` makes checkpoints at all.
    pub by_count: bool,
    /// Age at which an open checkpoint that is not empty is closed, in nanoseconds.
    pub period: u64,
    /// With so many checkpoints and a cursor in the oldest one no further checkpoint is made.
    pub max_checkpoints: u32,
    /// Least number of mutations in a checkpoint that is closed to give back memory.
    pub min_items: u32,
}

impl Settings {
    /// What a real node is set to.
    pub const USUAL: Settings = Settings {
        max_items: 500,
        by_count: true,
        period: 5_000_000_000,
        max_checkpoints: 2,
        min_items: 10,
    };
}
