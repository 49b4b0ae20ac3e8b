//! Planted bugs: defects that the connection library of the secondary index has had, each a switch that is off by default.

use seedbed_sim::actor::Bug;

use super::checks::{
    ACKED, ACKS, AFTER_END, BEGINS_AGAIN, BLAME, CONTROL, CONTROL_SERVED, DURABLE, FENCED, GOES_ON,
    HEALTHY, HEARD, IN_SNAPSHOT, ISOLATED, KEYSPACES_APART, LOOKED_AFTER, NO_LEAK, ONCE, ONE_OWNER,
    PATIENT, RESTART_POINT, ROLLED_BACK, SAME, SATISFIABLE, SPLITS, STABLE_GROWS, TURNS,
    WELL_FORMED, WITHIN_STREAM,
};

mod seed_era;

pub use seed_era::*;

const REPAIR: &str = "stream/repair";
const CALM: &str = "stream/calm";
const WIRE: &str = "stream/wire";

/// An error on one connection closes all of the same router, and what is still in the queue is not blamed.
pub const NEIGHBOURS_CLOSED: Bug = Bug {
    index: 0,
    name: "neighbours-closed",
    source: "couchbase/indexing d973e252 (MB-14374), dataport/server.go",
    breaks: ISOLATED,
    scenario: REPAIR,
};

/// Mutations go straight to the application, and begins and ends through the queue.
pub const DATA_PAST_BOOKKEEPING: Bug = Bug {
    index: 1,
    name: "data-past-bookkeeping",
    source: "couchbase/indexing 88b9352b (MB-14787), dataport/server.go",
    breaks: WITHIN_STREAM,
    scenario: REPAIR,
};

/// The end of a stream closes whatever stream of the vbucket is open, of whichever session.
pub const LATE_END_ERASES: Bug = Bug {
    index: 2,
    name: "late-end-erases-session",
    source: "couchbase/indexing de4558ff (MB-45998), dataport/server.go",
    breaks: FENCED,
    scenario: REPAIR,
};

/// A stream is asked for from the end of the snapshot, of which less has been seen.
pub const SNAPSHOT_END_AS_SEQNO: Bug = Bug {
    index: 3,
    name: "snapshot-end-as-seqno",
    source: "couchbase/indexing 9e517506 (MB-15399), kv_sender.go",
    breaks: RESTART_POINT,
    scenario: REPAIR,
};

/// After a crash streams go on from the points of one index, rather than from the lesser of both.
pub const VECTOR_PICKED_WHOLE: Bug = Bug {
    index: 4,
    name: "vector-picked-whole",
    source: "couchbase/indexing 561fc9a0 and eee875ae (MB-63638), common/timestamp.go",
    breaks: RESTART_POINT,
    scenario: REPAIR,
};

/// A batch that was sent because it was full is not cleared.
pub const BATCH_SENT_AGAIN: Bug = Bug {
    index: 5,
    name: "batch-sent-again",
    source: "couchbase/indexing 754af72d, indexer/streamc.go",
    breaks: ONCE,
    scenario: CALM,
};

/// Messages of two sessions of a vbucket are put together in one entry of a batch.
pub const BATCH_WITHOUT_SESSION: Bug = Bug {
    index: 6,
    name: "batch-without-session",
    source: "couchbase/indexing ffed36ea (MB-54191), dataport/endpoint_buffer.go",
    breaks: FENCED,
    scenario: REPAIR,
};

/// What was blamed on a connection stays on the list of its slot, and is blamed again.
pub const BLAME_NOT_FORGOTTEN: Bug = Bug {
    index: 7,
    name: "blame-not-forgotten",
    source: "couchbase/indexing b74b6d8b, dataport/server.go",
    breaks: BLAME,
    scenario: REPAIR,
};

/// When a session is over each message that waits is sent or not by chance: the begin of a snapshot may be left out and
/// its mutations sent.
pub const ABORTED_MARKER: Bug = Bug {
    index: 8,
    name: "aborted-marker",
    source: "couchbase/indexing d948faf7 (MB-46466), common/util.go",
    breaks: IN_SNAPSHOT,
    scenario: REPAIR,
};

/// The connection to data ends, and nobody ends the streams that came over it.
pub const UPSTREAM_END_UNTOLD: Bug = Bug {
    index: 9,
    name: "upstream-end-untold",
    source: "couchbase/indexing 90296b10 (MB-12315) and 941dbf1c (MB-23950), projector/kvdata.go and dcp_feed.go",
    breaks: ONE_OWNER,
    scenario: REPAIR,
};

/// Begins of a vbucket are not counted: the late end of the old owner's stream ends that of the new one. It brings
/// along the repair of that time, which asks again and nothing stronger.
pub const OWNERSHIP_IS_A_BOOLEAN: Bug = Bug {
    index: 10,
    name: "ownership-is-a-boolean",
    source: "couchbase/indexing fca385fe (MB-14357), stream_state.go and timekeeper.go",
    breaks: BEGINS_AGAIN,
    scenario: REPAIR,
};

/// An answer to a repair is taken for one to a later trouble, and nothing more is done about it.
pub const REPAIR_ABA: Bug = Bug {
    index: 11,
    name: "repair-aba",
    source: "couchbase/indexing c0c2bd2c (MB-54667), stream_state.go",
    breaks: BEGINS_AGAIN,
    scenario: REPAIR,
};

/// A sign of life does not count as something sent, and an idle client ends itself.
pub const HEARTBEAT_LEAVES_CLOCK: Bug = Bug {
    index: 12,
    name: "heartbeat-leaves-clock",
    source: "couchbase/indexing 1bd4f0ca (MB-49031), dataport/endpoint.go",
    breaks: HEALTHY,
    scenario: CALM,
};

/// The end of a connection that blames nobody is ignored; what had never begun is not looked for, and nothing stronger is
/// tried.
pub const EMPTY_BLAME_IGNORED: Bug = Bug {
    index: 13,
    name: "empty-blame-ignored",
    source: "couchbase/indexing 8070140a (MB-15501), stream_reader.go and timekeeper.go",
    breaks: BEGINS_AGAIN,
    scenario: REPAIR,
};

/// The filter of a stream that begins starts at 0: what is sent again is taken in again.
pub const FILTER_FROM_ZERO: Bug = Bug {
    index: 14,
    name: "filter-from-zero",
    source: "couchbase/indexing e5c3385f (MB-15484), stream_reader.go",
    breaks: ONCE,
    scenario: REPAIR,
};

/// Sessions are numbered from 1 in each life.
pub const SESSION_FROM_ONE: Bug = Bug {
    index: 15,
    name: "session-from-one",
    source: "couchbase/indexing ad2d3c32 (MB-49153), indexer.go",
    breaks: FENCED,
    scenario: REPAIR,
};

/// What was acknowledged is counted again.
pub const ACK_COUNTED_AGAIN: Bug = Bug {
    index: 17,
    name: "ack-counted-again",
    source: "couchbase/indexing 96655dba (MB-28784), dcp_feed.go",
    breaks: ACKS,
    scenario: CALM,
};

/// An acknowledgement is made and not sent.
pub const ACK_NEVER_SENT: Bug = Bug {
    index: 18,
    name: "ack-never-sent",
    source: "couchbase/indexing 844beb02 (MB-13716), dcp_feed.go",
    breaks: ACKED,
    scenario: CALM,
};

/// The question whether a router is there waits behind mutations.
pub const NOOP_IN_LINE: Bug = Bug {
    index: 19,
    name: "noop-in-line",
    source: "couchbase/indexing 2e56e3d5 (MB-30072), dcp_feed.go",
    breaks: HEALTHY,
    scenario: CALM,
};

/// A router reads what data sends only when all its requests are written.
pub const READS_AFTER_ASKING: Bug = Bug {
    index: 20,
    name: "reads-after-asking",
    source: "couchbase/indexing 9a2ea0f0 (MB-13636), projector/feed.go",
    breaks: CONTROL,
    scenario: CALM,
};

/// The order to close waits behind what the application does not take.
pub const CLOSE_BEHIND_DATA: Bug = Bug {
    index: 21,
    name: "close-behind-data",
    source: "couchbase/indexing 2a3e79b5 (MB-18994), 614f02a0 (MB-15816) and 1612a988 (MB-31157)",
    breaks: CONTROL_SERVED,
    scenario: REPAIR,
};

/// A stream goes by the name of its keyspace and its number, one behind the other: a1 and 2 are a and 12.
pub const ID_WITHOUT_SEPARATOR: Bug = Bug {
    index: 22,
    name: "id-without-separator",
    source: "couchbase/indexing bcc087d3 (MB-18851), common/mutation.go and dataport/server.go",
    breaks: KEYSPACES_APART,
    scenario: REPAIR,
};

/// What has never happened has happened at time 0, and so has been waited for for too long.
pub const NEVER_IS_ZERO: Bug = Bug {
    index: 23,
    name: "never-is-zero",
    source: "couchbase/indexing 691a630b (MB-71277), timekeeper.go",
    breaks: PATIENT,
    scenario: CALM,
};

/// A client that hears nothing more goes on writing.
pub const HALF_OPEN_UNSEEN: Bug = Bug {
    index: 24,
    name: "half-open-unseen",
    source: "couchbase/indexing 84b39630 (MB-65760) and d59be2c4 (MB-34193)",
    breaks: HEARD,
    scenario: REPAIR,
};

/// A connection after the close, or the end of a stream that is not known, crashes the server.
pub const LATE_EVENTS_CRASH: Bug = Bug {
    index: 25,
    name: "late-events-crash",
    source: "couchbase/indexing 5dbd64ce (MB-47050), 94f8b51c (MB-13547), 444d121c (MB-13668) and c74cc294 \
             (MB-15300)",
    breaks: "a node never stops by itself",
    scenario: REPAIR,
};

/// A connection that is reset rather than closed takes the whole server with it.
pub const UNKNOWN_ERROR_CLOSES: Bug = Bug {
    index: 26,
    name: "unknown-error-closes-server",
    source: "couchbase/indexing ce4d4942 (MB-15830), dataport/server.go",
    breaks: ISOLATED,
    scenario: WIRE,
};

/// A read that brings less than a frame is taken for the whole of it.
pub const SHORT_READ_IS_WHOLE: Bug = Bug {
    index: 27,
    name: "short-read-is-whole",
    source: "couchbase/indexing 52336b18 (fullRead) and a5439a85 (MB-21658)",
    breaks: SPLITS,
    scenario: WIRE,
};

/// A rollback asks for the stream again, and leaves in the indexes what came after.
pub const ROLLBACK_KEEPS_INDEX: Bug = Bug {
    index: 42,
    name: "rollback-keeps-index",
    source: "a mistake that the answer of couchbase/kv_engine to a stream request invites, which names a number and leaves \
             the consumer to forget what came after it (DCP documentation, failure scenarios); no commit is known",
    breaks: ROLLED_BACK,
    scenario: REPAIR,
};

/// The end of a connection goes by a way of its own, and overtakes what was read before it.
pub const END_OVERTAKES: Bug = Bug {
    index: 43,
    name: "end-overtakes",
    source: "a mistake that couchbase/indexing 52336b18, dataport/server.go, invites, where mutations and errors have a \
             channel each, until 2a3e79b5 puts them into one; no ticket is known",
    breaks: AFTER_END,
    scenario: REPAIR,
};

/// A stream is asked for with the snapshot that was announced last, of which nothing may have come.
pub const SNAPSHOT_AHEAD: Bug = Bug {
    index: 44,
    name: "snapshot-ahead",
    source: "a mistake that couchbase/indexing 190f6f6b and dc47ef10 invite, where only what has carried a mutation may be \
             asked for again; no commit is known",
    breaks: WELL_FORMED,
    scenario: REPAIR,
};

/// What was stable of a vbucket is forgotten when its stream begins again.
pub const STABLE_FORGOTTEN: Bug = Bug {
    index: 45,
    name: "stable-forgotten",
    source: "a mistake that the rule of couchbase/indexing, timekeeper.go, invites, by which a stability timestamp is never \
             below the one that was flushed last; no commit is known",
    breaks: STABLE_GROWS,
    scenario: REPAIR,
};

/// What is stable goes to the end of the snapshot that is under way, of which not all has come.
pub const STABLE_AHEAD: Bug = Bug {
    index: 46,
    name: "stable-ahead",
    source: "a mistake that couchbase/indexing, mutation_queue.go, invites, where a flush waits until the queue has come to \
             its timestamp; no commit is known",
    breaks: SATISFIABLE,
    scenario: REPAIR,
};

/// A document that is too long is refused, and nothing is sent in its place: the indexes keep what it said before.
pub const OVERSIZE_SKIPPED: Bug = Bug {
    index: 16,
    name: "oversize-skipped",
    source: "a mistake that couchbase/indexing 2b104442 and 5605541a, dataport, invite, where a packet that overflows is an \
             error and nothing else; no commit is known",
    breaks: SAME,
    scenario: CALM,
};

/// A snapshot that ends before one that was seen is ignored.
pub const SNAPSHOT_END_ONLY_GROWS: Bug = Bug {
    index: 47,
    name: "snapshot-end-only-grows",
    source: "couchbase/indexing 1d11bfb7 (MB-59654), stream_reader.go and stream_state.go",
    breaks: IN_SNAPSHOT,
    scenario: REPAIR,
};

/// Whatever comes while a stream is not well puts the look at it off.
pub const LOOK_PUT_OFF: Bug = Bug {
    index: 48,
    name: "look-put-off",
    source: "a mistake that couchbase/indexing, timekeeper.go, invites, where each new trouble of a stream starts the time \
             until its repair again; no commit is known",
    breaks: LOOKED_AFTER,
    scenario: REPAIR,
};

/// Of the readers that wait for room the one with the lowest number goes on, each time.
pub const NO_TURNS: Bug = Bug {
    index: 49,
    name: "no-turns",
    source: "a mistake that couchbase/indexing 838a2261 invites, where readers wait for room in the queue of one channel and \
             only the runtime sees to their order; no commit is known",
    breaks: TURNS,
    scenario: REPAIR,
};

/// Who waits for room is not told when another one's message has taken the bytes along that were in the way.
pub const ROOM_UNNOTICED: Bug = Bug {
    index: 50,
    name: "room-unnoticed",
    source: "a mistake that a bounded queue in front of a connection invites, whose sender is woken by the connection alone; \
             no commit is known",
    breaks: GOES_ON,
    scenario: CALM,
};

/// An index whose file is busy when it is to be made durable is left alone until something else is written.
pub const BUSY_FILE_FORGOTTEN: Bug = Bug {
    index: 51,
    name: "busy-file-forgotten",
    source: "a mistake that couchbase/indexing, storage_manager.go, invites, where a snapshot that cannot be made now is left \
             to the next one; no commit is known",
    breaks: DURABLE,
    scenario: REPAIR,
};

/// The application goes by answers to requests that it has made again since.
pub const STALE_ANSWER_HEEDED: Bug = Bug {
    index: 52,
    name: "stale-answer-heeded",
    source: "a mistake that couchbase/indexing, kv_sender.go, invites, where an answer is matched by its topic and not by its \
             request; no commit is known",
    breaks: FENCED,
    scenario: REPAIR,
};

/// A stream goes on from the number of one index in the branch of the other.
pub const POINT_OF_TWO_SOURCES: Bug = Bug {
    index: 53,
    name: "point-of-two-sources",
    source: "a mistake that couchbase/indexing, timekeeper.go, invites, where a restart timestamp is put together from several; \
             no commit is known",
    breaks: RESTART_POINT,
    scenario: REPAIR,
};

/// A connection that is given up for its silence is forgotten and stays open.
pub const GIVEN_UP_NOT_CLOSED: Bug = Bug {
    index: 54,
    name: "given-up-not-closed",
    source: "a mistake that couchbase/indexing 838a2261, dataport, invites, where a connection that fails is dropped from the \
             list of its client; no commit is known",
    breaks: NO_LEAK,
    scenario: WIRE,
};

/// All of them, by index.
pub const BUGS: &[Bug] = &[
    NEIGHBOURS_CLOSED,
    DATA_PAST_BOOKKEEPING,
    LATE_END_ERASES,
    SNAPSHOT_END_AS_SEQNO,
    VECTOR_PICKED_WHOLE,
    BATCH_SENT_AGAIN,
    BATCH_WITHOUT_SESSION,
    BLAME_NOT_FORGOTTEN,
    ABORTED_MARKER,
    UPSTREAM_END_UNTOLD,
    OWNERSHIP_IS_A_BOOLEAN,
    REPAIR_ABA,
    HEARTBEAT_LEAVES_CLOCK,
    EMPTY_BLAME_IGNORED,
    FILTER_FROM_ZERO,
    SESSION_FROM_ONE,
    OVERSIZE_SKIPPED,
    ACK_COUNTED_AGAIN,
    ACK_NEVER_SENT,
    NOOP_IN_LINE,
    READS_AFTER_ASKING,
    CLOSE_BEHIND_DATA,
    ID_WITHOUT_SEPARATOR,
    NEVER_IS_ZERO,
    HALF_OPEN_UNSEEN,
    LATE_EVENTS_CRASH,
    UNKNOWN_ERROR_CLOSES,
    SHORT_READ_IS_WHOLE,
    DECODE_ERROR_IS_SUCCESS,
    GOES_ON_AFTER_SHORT_READ,
    ERROR_AGAIN_AND_AGAIN,
    SOCKET_NEVER_CLOSED,
    ERRORS_UNBUFFERED,
    NONE_DIVIDES,
    OVERSIZE_PANICS,
    CROSSWISE_PARKED,
    LISTENER_ERROR_SWALLOWED,
    UNMAPPED_HANGS,
    CLOSE_DROPS_BATCH,
    REBOUND_WITHIN_SESSION,
    SESSIONS_IN_MAP_ORDER,
    SWAPPED_BEFORE_WRITE,
    ROLLBACK_KEEPS_INDEX,
    END_OVERTAKES,
    SNAPSHOT_AHEAD,
    STABLE_FORGOTTEN,
    STABLE_AHEAD,
    SNAPSHOT_END_ONLY_GROWS,
    LOOK_PUT_OFF,
    NO_TURNS,
    ROOM_UNNOTICED,
    BUSY_FILE_FORGOTTEN,
    STALE_ANSWER_HEEDED,
    POINT_OF_TWO_SOURCES,
    GIVEN_UP_NOT_CLOSED,
];
