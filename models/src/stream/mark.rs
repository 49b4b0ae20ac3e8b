//! What a campaign must have seen at least once.

use seedbed_sim::actor::Mark;

const fn mark(index: u8, name: &'static str) -> Mark {
    Mark { index, name }
}

/// Branches are for this.
pub const FAILED_OVER: Mark = mark(0, "a vbucket failed over and lost mutations");
/// Bounded buffers, at data.
pub const DATA_BLOCKED: Mark = mark(1, "data could not write on");
/// The window.
pub const WINDOW_FULL: Mark = mark(2, "data waited for an acknowledgement");
/// A slow stream.
pub const BACK_TO_DISK: Mark = mark(3, "a stream went from memory back to disk");
/// Bounded buffers, at the client.
pub const WRITE_BLOCKED: Mark = mark(4, "a client could not write on");
/// Bounded queues, at the client.
pub const CALLER_BLOCKED: Mark = mark(5, "a caller of the client found its queue full");
/// A connection is made again.
pub const REDIALLED: Mark = mark(6, "a failed connection was dialled again");
/// What the order within a batch is for.
pub const TWO_SESSIONS_IN_BATCH: Mark = mark(7, "a batch held two sessions of a vbucket");
/// Half-open connections, at the client.
pub const SENDER_GAVE_UP: Mark = mark(8, "a client gave up a silent connection");
/// Half-open connections, at the server.
pub const DEADLINE_PASSED: Mark = mark(9, "the server gave up a silent connection");
/// Bad counts.
pub const COUNT_REFUSED: Mark = mark(10, "a client refused a number of connections");
/// Requests that overtake each other.
pub const STALE_REQUEST: Mark = mark(11, "a router ignored an old request");
/// Bounded requests.
pub const REQUEST_QUEUED: Mark = mark(12, "a stream request waited for others");
/// What a session leaves unsent.
pub const ABORTED: Mark = mark(13, "a router gave up what a session had left");
/// A stream without a connection.
pub const NO_CONNECTION: Mark = mark(14, "a stream could not begin for want of a connection");
/// Documents that are too long.
pub const NOT_INDEXED: Mark = mark(15, "a document was too long for a frame");
/// What is sent to nobody.
pub const DISCARDED: Mark = mark(16, "a router discarded what had no connection");
/// An end that data has not sent.
pub const END_MADE_UP: Mark = mark(17, "a router ended a stream whose data had gone");
/// The end of a connection within a frame.
pub const TORN_TAIL: Mark = mark(18, "a connection ended within a frame");
/// The end of a connection between frames.
pub const CLEAN_CLOSE: Mark = mark(19, "a connection ended between frames");
/// What the ladder must do by itself.
pub const EMPTY_BLAME: Mark = mark(20, "the end of a connection was told with nobody to blame");
/// The order of new and old.
pub const REPLACED: Mark = mark(21, "a connection took the place of one that was still open");
/// The listener.
pub const LISTENER_FAILED: Mark = mark(22, "the listener failed");
/// Bounded queues, at the server.
pub const READER_STALLED: Mark = mark(23, "a reader waited for room in the queue");
/// What the fence is for.
pub const OLD_SESSION_DROPPED: Mark = mark(24, "a stream of an old session began and was dropped");
/// Two owners at once.
pub const BEGUN_TWICE: Mark = mark(25, "a vbucket began at two places");
/// What the source is for.
pub const OTHER_SOURCE: Mark = mark(26, "a mutation came from where a stream had been before");
/// What the filter of sessions is for.
pub const OTHER_SESSION: Mark = mark(27, "a message of another session reached the application");
/// Snapshots after a restart.
pub const SMALLER_SNAPSHOT: Mark = mark(28, "a snapshot ended before one that had been seen");
/// What the filter of numbers is for.
pub const SENT_AGAIN: Mark = mark(29, "a mutation came again");
/// Within a snapshot.
pub const ASKED_WITHIN_SNAPSHOT: Mark = mark(30, "a stream was asked for from within a snapshot");
/// Rollback.
pub const ROLLBACK_ASKED: Mark = mark(31, "a stream request was answered with a rollback");
/// Rollback upon rollback.
pub const SECOND_ROLLBACK: Mark = mark(32, "a second rollback followed the first");
/// The ladder: second rung.
pub const ESCALATED: Mark = mark(33, "a repair was tried in a stronger form");
/// The ladder: last rung.
pub const REOPENED: Mark = mark(34, "a keyspace was opened anew");
/// What the attempt is for.
pub const BROKEN_SINCE: Mark = mark(35, "an answer came when its vbucket had broken again");
/// What the session in an answer is for.
pub const STALE_ANSWER: Mark = mark(36, "an answer to an older session was ignored");
/// A begin that does not come.
pub const BEGIN_MISSED: Mark = mark(37, "a stream that was promised did not begin");
/// After a crash.
pub const INDEXES_APART: Mark = mark(38, "the indexes came back from different points");
/// After a crash within a write.
pub const TORN_RECORD: Mark = mark(39, "an index found a torn record");
/// Two requests, of which the older one is answered last.
pub const FROM_ZERO_AFTER_ALL: Mark =
    mark(40, "a stream from 0 began when something had been taken in");

/// Control beside data.
pub const SERVED_WHILE_BLOCKED: Mark = mark(41, "a request was served while a write was blocked");
/// A life that ends unseen.
pub const CONSUMER_RESTARTED: Mark =
    mark(42, "a consumer restarted before a sender noticed that it was gone");
/// A slow disk.
pub const FILE_BUSY: Mark = mark(43, "an index was to be made durable while its file was busy");

/// All of them.
pub const ALL: &[Mark] = &[
    FAILED_OVER,
    DATA_BLOCKED,
    WINDOW_FULL,
    BACK_TO_DISK,
    WRITE_BLOCKED,
    CALLER_BLOCKED,
    REDIALLED,
    TWO_SESSIONS_IN_BATCH,
    SENDER_GAVE_UP,
    DEADLINE_PASSED,
    COUNT_REFUSED,
    STALE_REQUEST,
    REQUEST_QUEUED,
    ABORTED,
    NO_CONNECTION,
    NOT_INDEXED,
    DISCARDED,
    END_MADE_UP,
    TORN_TAIL,
    CLEAN_CLOSE,
    EMPTY_BLAME,
    REPLACED,
    LISTENER_FAILED,
    READER_STALLED,
    OLD_SESSION_DROPPED,
    BEGUN_TWICE,
    OTHER_SOURCE,
    OTHER_SESSION,
    SMALLER_SNAPSHOT,
    SENT_AGAIN,
    ASKED_WITHIN_SNAPSHOT,
    ROLLBACK_ASKED,
    SECOND_ROLLBACK,
    ESCALATED,
    REOPENED,
    BROKEN_SINCE,
    STALE_ANSWER,
    BEGIN_MISSED,
    INDEXES_APART,
    TORN_RECORD,
    FROM_ZERO_AFTER_ALL,
    SERVED_WHILE_BLOCKED,
    CONSUMER_RESTARTED,
    FILE_BUSY,
];

/// Those that a scenario sees whose connections last.
pub const CALM: &[Mark] = &without::<{ ALL.len() - UNSEEN_IN_CALM.len() }>(UNSEEN_IN_CALM);
/// Those that a scenario sees whose disks are well.
pub const WIRE: &[Mark] = &without::<{ ALL.len() - UNSEEN_ON_WIRE.len() }>(UNSEEN_ON_WIRE);

const UNSEEN_IN_CALM: &[Mark] = &[
    FAILED_OVER,
    SENDER_GAVE_UP,
    DEADLINE_PASSED,
    TORN_TAIL,
    LISTENER_FAILED,
    SECOND_ROLLBACK,
    INDEXES_APART,
    TORN_RECORD,
    CONSUMER_RESTARTED,
    FILE_BUSY,
];
const UNSEEN_ON_WIRE: &[Mark] = &[TORN_RECORD, CONSUMER_RESTARTED, FILE_BUSY];

/// All but these. It does not compile unless each of these is one of them.
const fn without<const LEFT: usize>(unseen: &[Mark]) -> [Mark; LEFT] {
    let mut left = [ALL[0]; LEFT];
    let (mut at, mut to) = (0, 0);
    while at < ALL.len() {
        if !holds(unseen, ALL[at]) {
            left[to] = ALL[at];
            to += 1;
        }
        at += 1;
    }
    assert!(to == LEFT, "a mark is left out that there is not, or left out twice");
    left
}

const fn holds(marks: &[Mark], mark: Mark) -> bool {
    let mut at = 0;
    while at < marks.len() {
        if marks[at].index == mark.index {
            return true;
        }
        at += 1;
    }
    false
}
