//! Places where a fault may strike, beside those of the data nodes.

use seedbed_sim::actor::Point;

use crate::vbucket::point as data;

/// A message was said, and is not answered.
pub const SAID: Point = Point { index: 40, name: "said" };
/// A message was taken in, and not answered.
pub const TAKEN: Point = Point { index: 41, name: "taken" };
/// A stream is connected, and has said nothing.
pub const CONNECTED: Point = Point { index: 42, name: "connected" };
/// A backfill has collected some keys.
pub const COLLECTED: Point = Point { index: 43, name: "collected" };
/// A replica was made anew, and this is not answered.
pub const RESET: Point = Point { index: 44, name: "vbucket-reset" };
/// A vbucket that moves is dead here, and the disk does not know.
pub const DEAD: Point = Point { index: 45, name: "dead" };
/// A vbucket that moves is active here, and the disk does not know.
pub const ACTIVATED: Point = Point { index: 46, name: "activated" };
/// The end of a checkpoint was answered.
pub const SYNCED: Point = Point { index: 47, name: "checkpoint-synced" };

/// All of them.
pub const ALL: &[Point] = &[
    data::BATCH_WRITTEN,
    data::BATCH_SYNCED,
    data::STANDING_WRITTEN,
    data::CHANGED,
    data::STATE_CHANGED,
    data::COMPLETED,
    data::REVERT_BEGUN,
    SAID,
    TAKEN,
    CONNECTED,
    COLLECTED,
    RESET,
    DEAD,
    ACTIVATED,
    SYNCED,
];
