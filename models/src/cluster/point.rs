//! Places where a fault may strike, beside those of the data nodes and of streams.

use seedbed_sim::actor::Point;

use crate::tap::point as tap;
use crate::vbucket::point as node;

/// A node has learned of a map, and not done yet what it says.
pub const LEARNED: Point = Point { index: 48, name: "map-learned" };
/// A node is what the map says, and nobody knows.
pub const OBEYED: Point = Point { index: 49, name: "map-obeyed" };

/// All of them.
pub const ALL: &[Point] = &[
    node::BATCH_WRITTEN,
    node::BATCH_SYNCED,
    node::STANDING_WRITTEN,
    node::CHANGED,
    node::STATE_CHANGED,
    tap::SAID,
    tap::TAKEN,
    tap::CONNECTED,
    tap::COLLECTED,
    tap::RESET,
    tap::DEAD,
    tap::ACTIVATED,
    tap::SYNCED,
    LEARNED,
    OBEYED,
];
