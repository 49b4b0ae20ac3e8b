//! Places where a fault may strike.

use seedbed_sim::actor::Point;

/// A recovering node has synced its new log, and not yet given it the name of the old one.
pub const LOG_REWRITTEN: Point = Point { index: 0, name: "log-rewritten" };
/// A batch of the flusher is written, and not yet synced.
pub const BATCH_WRITTEN: Point = Point { index: 1, name: "batch-written" };
/// A batch of the flusher is synced, and nobody knows yet.
pub const BATCH_SYNCED: Point = Point { index: 2, name: "batch-synced" };
/// A checkpoint is said to be on disk, in memory only.
pub const PUBLISHED: Point = Point { index: 3, name: "published" };
/// How a vbucket stands is written, and not yet synced.
pub const STANDING_WRITTEN: Point = Point { index: 4, name: "standing-written" };
/// A key was changed, and its client was not told yet.
pub const CHANGED: Point = Point { index: 5, name: "changed" };
/// The state of a vbucket was changed, and the disk does not know.
pub const STATE_CHANGED: Point = Point { index: 6, name: "state-changed" };
/// An online update is complete, and the flusher does not know.
pub const COMPLETED: Point = Point { index: 7, name: "completed" };
/// An online update is about to be taken back.
pub const REVERT_BEGUN: Point = Point { index: 8, name: "revert-begun" };
/// One key of an online update was taken back.
pub const KEY_RESTORED: Point = Point { index: 9, name: "key-restored" };
/// The pager has collected what has run out.
pub const EXPIRED_COLLECTED: Point = Point { index: 10, name: "expired-collected" };

/// A replica has taken in a frame, and not acknowledged it.
pub const FRAME_TAKEN: Point = Point { index: 11, name: "frame-taken" };

/// All of them.
pub const ALL: &[Point] = &[
    LOG_REWRITTEN,
    BATCH_WRITTEN,
    BATCH_SYNCED,
    PUBLISHED,
    STANDING_WRITTEN,
    CHANGED,
    STATE_CHANGED,
    COMPLETED,
    REVERT_BEGUN,
    KEY_RESTORED,
    EXPIRED_COLLECTED,
    FRAME_TAKEN,
];
