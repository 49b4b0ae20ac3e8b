//! Places where a fault may strike.

use seedbed_sim::actor::Point;

/// A batch is made into a frame, and not a byte of it is written.
pub const BATCH_MADE: Point = Point { index: 0, name: "batch-made" };
/// The server hands something to the application.
pub const DELIVERED: Point = Point { index: 1, name: "delivered" };
/// What is stable is in the indexes, in memory.
pub const APPLIED: Point = Point { index: 2, name: "applied" };
/// An index is durable, and nobody knows.
pub const INDEX_SYNCED: Point = Point { index: 3, name: "index-synced" };

/// An index is written, and not durable.
pub const INDEX_APPENDED: Point = Point { index: 4, name: "index-appended" };

/// All of them.
pub const ALL: &[Point] = &[BATCH_MADE, DELIVERED, APPLIED, INDEX_SYNCED, INDEX_APPENDED];
