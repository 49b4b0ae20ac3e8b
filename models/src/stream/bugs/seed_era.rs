//! Defects of the first versions of the library that no ticket names: they stand in its code, and in the review of it.

use seedbed_sim::actor::Bug;

use super::{CALM, REPAIR, WIRE};
use crate::stream::checks::{
    BAD_FRAME, BEGINS_AGAIN, BLAME, CLOSE_TELLS, CONTROL_SERVED, IN_ORDER, NO_LEAK, SPLITS,
    UNBROKEN,
};

/// A payload that cannot be read is passed over.
pub const DECODE_ERROR_IS_SUCCESS: Bug = Bug {
    index: 28,
    name: "decode-error-is-success",
    source: "couchbase/indexing 838a2261: a decode error is dropped (return m, nil)",
    breaks: BAD_FRAME,
    scenario: WIRE,
};

/// After a short read the next bytes are taken for a header.
pub const GOES_ON_AFTER_SHORT_READ: Bug = Bug {
    index: 29,
    name: "goes-on-after-short-read",
    source: "couchbase/indexing 838a2261: a short read continues the loop",
    breaks: SPLITS,
    scenario: WIRE,
};

/// A connection that has failed is read again, and fails again.
pub const ERROR_AGAIN_AND_AGAIN: Bug = Bug {
    index: 30,
    name: "error-again-and-again",
    source: "couchbase/indexing 838a2261: an error other than the end of file loops and fills the queue of errors",
    breaks: BLAME,
    scenario: WIRE,
};

/// The server leaves connections open that it does not read any more.
pub const SOCKET_NEVER_CLOSED: Bug = Bug {
    index: 31,
    name: "socket-never-closed",
    source: "couchbase/indexing 838a2261: the server never closes a socket",
    breaks: NO_LEAK,
    scenario: REPAIR,
};

/// Errors go by a way of their own that nobody looks at, and the server waits until somebody does.
pub const ERRORS_UNBUFFERED: Bug = Bug {
    index: 32,
    name: "errors-unbuffered",
    source: "couchbase/indexing 838a2261: errch is unbuffered",
    breaks: CONTROL_SERVED,
    scenario: WIRE,
};

/// A client of no connections divides by their number, of which 16 bits are kept.
pub const NONE_DIVIDES: Bug = Bug {
    index: 33,
    name: "none-divides",
    source: "couchbase/indexing 838a2261: conn = vb % n with n as uint16",
    breaks: "a node never stops by itself",
    scenario: CALM,
};

/// A message that is longer than the buffer crashes its sender.
pub const OVERSIZE_PANICS: Bug = Bug {
    index: 34,
    name: "oversize-panics",
    source: "couchbase/indexing 838a2261: c.buf[:l] with more than 10,240 bytes",
    breaks: "a node never stops by itself",
    scenario: CALM,
};

/// A connection on which a vbucket begins that is still open on another one waits for its end there: two can wait for
/// each other.
pub const CROSSWISE_PARKED: Bug = Bug {
    index: 35,
    name: "crosswise-parked",
    source: "couchbase/indexing 9805c55e, dataport/server.go",
    breaks: CONTROL_SERVED,
    scenario: REPAIR,
};

/// A listener that fails is not started again.
pub const LISTENER_ERROR_SWALLOWED: Bug = Bug {
    index: 36,
    name: "listener-error-swallowed",
    source: "couchbase/indexing 9805c55e and 2b104442: its error carries no address and is passed over",
    breaks: BEGINS_AGAIN,
    scenario: REPAIR,
};

/// A message of a vbucket without a connection makes its sender wait for ever.
pub const UNMAPPED_HANGS: Bug = Bug {
    index: 37,
    name: "unmapped-hangs",
    source: "couchbase/indexing 52336b18, dataport/client.go: a send to a nil channel",
    breaks: CONTROL_SERVED,
    scenario: REPAIR,
};

/// Closing leaves out what was accepted and not yet sent, and says nothing of it.
pub const CLOSE_DROPS_BATCH: Bug = Bug {
    index: 38,
    name: "close-drops-batch",
    source: "couchbase/indexing 52336b18, dataport/client.go: Close is asynchronous and drops batches",
    breaks: CLOSE_TELLS,
    scenario: CALM,
};

/// A vbucket that begins again in its session is bound to another connection.
pub const REBOUND_WITHIN_SESSION: Bug = Bug {
    index: 39,
    name: "rebound-within-session",
    source: "couchbase/indexing 52336b18, dataport/client.go: the end on one connection and the begin on \
             another are in no order",
    breaks: IN_ORDER,
    scenario: REPAIR,
};

/// The entries of a batch are sent in the order of a map.
pub const SESSIONS_IN_MAP_ORDER: Bug = Bug {
    index: 40,
    name: "sessions-in-map-order",
    source: "couchbase/indexing fffd9678, dataport/endpoint_buffer.go",
    breaks: IN_ORDER,
    scenario: REPAIR,
};

/// The batch is gone when its write fails.
pub const SWAPPED_BEFORE_WRITE: Bug = Bug {
    index: 41,
    name: "swapped-before-write",
    source: "couchbase/indexing fffd9678, dataport/endpoint_buffer.go: flush swaps the buffer before the write",
    breaks: UNBROKEN,
    scenario: REPAIR,
};
