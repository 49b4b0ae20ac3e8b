//! Places where a fault may strike: those of a data node, and one more.

use seedbed_sim::actor::Point;

use crate::vbucket::point as node;

/// A follower has taken a copy, and its master does not know.
pub const COPY_TAKEN: Point = Point { index: 32, name: "copy-taken" };

/// All of them.
pub const ALL: &[Point] = &[
    node::LOG_REWRITTEN,
    node::BATCH_WRITTEN,
    node::BATCH_SYNCED,
    node::PUBLISHED,
    node::STANDING_WRITTEN,
    node::CHANGED,
    node::STATE_CHANGED,
    node::EXPIRED_COLLECTED,
    COPY_TAKEN,
];
