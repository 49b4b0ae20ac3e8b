//! Facts that actors state for the checks.

use std::fmt;

use seedbed_sim::actor::CloseReason;
use seedbed_sim::id::ConnId;

use super::frame::FrameError;
use super::op::{Keyspace, Point, Vb};
use super::payload::Peer;

/// What a message says, as far as checks want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Glimpse {
    /// A stream begins.
    Begin,
    /// A snapshot: from, to.
    Snapshot(u64, u64),
    /// A mutation.
    Mutation(u64),
    /// The stream ends.
    End,
}

/// A message of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Said {
    /// The vbucket.
    pub vb: Vb,
    /// The session that it travels under.
    pub session: u64,
    /// Its place among what the router has sent of the vbucket.
    pub index: u32,
    /// What it says.
    pub what: Glimpse,
}

/// Why an end of a connection was closed by one who holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// Something was wrong with it.
    Failed,
    /// It was asked for.
    Asked,
    /// Another one took its place.
    Replaced,
}

/// Why the server reads no more from a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// It was closed between two frames.
    Closed(CloseReason),
    /// What has come cannot be read, or it was closed within a frame.
    Bytes(FrameError),
    /// It has said what nobody says there.
    Unexpected,
    /// It has said nothing for too long.
    Silent,
    /// A younger one of its slot, or of its router, is there.
    Replaced,
}

impl Ending {
    /// Whether the bytes were at fault.
    #[must_use]
    pub fn is_misread(self) -> bool {
        match self {
            Ending::Bytes(FrameError::Torn(_)) => false,
            Ending::Bytes(_) | Ending::Unexpected => true,
            Ending::Closed(_) | Ending::Silent | Ending::Replaced => false,
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ending::Closed(CloseReason::Fin) => write!(f, "closed"),
            Ending::Closed(CloseReason::Reset) => write!(f, "reset"),
            Ending::Bytes(error) => write!(f, "{error}"),
            Ending::Unexpected => write!(f, "said what nobody says here"),
            Ending::Silent => write!(f, "silent for too long"),
            Ending::Replaced => write!(f, "another one is in its place"),
        }
    }
}

/// A fact.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Note {
    /// The client of a router has accepted a message for a slot.
    Sent(Peer, Said),
    /// So many messages of a slot have been written out whole.
    Wrote(Peer, u32),
    /// The client of a router has closed a slot, and says that so many messages were not sent.
    Closed(Peer, u32),
    /// An end of a connection between router and server was closed here.
    Shut(ConnId, Why),
    /// The server has learned who is at the other end.
    Met(ConnId, Peer),
    /// The server cannot read on: nothing more comes from a connection, and why.
    Failed(ConnId, Ending),
    /// The server has come to a frame that it cannot read.
    Unreadable(ConnId),
    /// A reader of the server that had to wait for room goes on.
    Turn(ConnId),
    /// The server has looked at a message, and hands it on, or drops it.
    Seen(ConnId, Said, bool),
    /// The server tells the end of a connection, and blames these.
    Blamed(ConnId, Vec<Vb>),
    /// The server is there, and has no connections.
    ServerUp,
    /// The server is closed.
    ServerClosed,
    /// A vbucket was asked for from there, and data has answered: whether it can go on.
    Requested(Vb, Point, bool),
    /// Data was told that so many messages were taken in; so many were not known to be.
    Acked(ConnId, u32, u32),
    /// Data or a router has given up the connection between them, whose other end should have answered.
    GaveUp(ConnId),
    /// The client of a router has heard nothing over a connection for so many milliseconds, and goes on.
    Silent(ConnId, u32),
    /// Data has been able to write on after so many milliseconds.
    Unblocked(ConnId, u32),
    /// The application has begun a session of a keyspace.
    Session(Keyspace, u64),
    /// The application asks for a vbucket, in this session and attempt, from there.
    Asked(Vb, u64, u32, Point),
    /// The application asks again for a vbucket whose stream has not begun, for which it has to wait so many milliseconds.
    Missed(Vb, u32),
    /// The application looks at the streams of a keyspace, as long as they are not well.
    Looked(Keyspace),
    /// The application goes by what a router has answered of a vbucket, to the request of a session and attempt.
    Heeded(Vb, u64, u32),
    /// The application has taken in a mutation, of this session, within the snapshot that is said last.
    Took(Vb, u64, Point),
    /// What is stable of a vbucket goes into the indexes, up to there; the queue holds mutations up to the second number.
    Stable(Vb, u64, u64, u64),
    /// The indexes were put back to before a number of a vbucket.
    RolledBack(Vb, u64),
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Said { vb, session, index, what } = self;
        write!(f, "{vb} in {session}, {index}: ")?;
        match what {
            Glimpse::Begin => write!(f, "begin"),
            Glimpse::Snapshot(start, end) => write!(f, "snapshot {start}..{end}"),
            Glimpse::Mutation(seq) => write!(f, "mutation {seq}"),
            Glimpse::End => write!(f, "end"),
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Sent(peer, said) => write!(f, "sends on slot {}: {said}", peer.slot),
            Note::Wrote(peer, n) => write!(f, "slot {} has written {n}", peer.slot),
            Note::Closed(peer, n) => write!(f, "closes slot {}, {n} not sent", peer.slot),
            Note::Shut(conn, why) => {
                let why = match why {
                    Why::Failed => "failed",
                    Why::Asked => "as asked",
                    Why::Replaced => "replaced",
                };
                write!(f, "shuts {}: {why}", conn.0)
            }
            Note::Met(conn, peer) => write!(f, "{} is {peer}", conn.0),
            Note::Failed(conn, ending) => write!(f, "{} is at its end: {ending}", conn.0),
            Note::Turn(conn) => write!(f, "{} is read on", conn.0),
            Note::Unreadable(conn) => write!(f, "an unreadable frame from {}", conn.0),
            Note::Seen(conn, said, true) => write!(f, "from {}: {said}", conn.0),
            Note::Seen(conn, said, false) => write!(f, "from {}, dropped: {said}", conn.0),
            Note::Blamed(conn, vbs) => {
                write!(f, "end of {} told", conn.0)?;
                vbs.iter().try_for_each(|vb| write!(f, ", {vb}"))
            }
            Note::ServerUp => write!(f, "server up"),
            Note::ServerClosed => write!(f, "server closed"),
            Note::Requested(vb, from, true) => write!(f, "{vb} goes on from {from}"),
            Note::Requested(vb, from, false) => write!(f, "{vb} cannot go on from {from}"),
            Note::Acked(conn, n, of) => write!(f, "{n} of {of} acknowledged on {}", conn.0),
            Note::GaveUp(conn) => write!(f, "gives up {}", conn.0),
            Note::Silent(conn, ms) => write!(f, "{} says nothing for {ms}ms", conn.0),
            Note::Unblocked(conn, ms) => write!(f, "{} goes on after {ms}ms", conn.0),
            Note::Session(keyspace, session) => write!(f, "session {session} of {keyspace}"),
            Note::Asked(vb, session, attempt, from) => {
                write!(f, "asks for {vb} in {session}.{attempt} from {from}")
            }
            Note::Missed(vb, wait) => write!(f, "misses {vb} after {wait}ms"),
            Note::Looked(keyspace) => write!(f, "looks at {keyspace}"),
            Note::Heeded(vb, session, attempt) => {
                write!(f, "heeds the answer for {vb} in {session}.{attempt}")
            }
            Note::Took(vb, _, at) => write!(f, "took {vb} {at}"),
            Note::Stable(vb, _, seq, queued) => write!(f, "{vb} is stable to {seq} of {queued}"),
            Note::RolledBack(vb, seq) => write!(f, "{vb} is back to {seq}"),
        }
    }
}
