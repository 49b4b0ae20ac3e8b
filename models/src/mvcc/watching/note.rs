//! What the actors state about watchers, for checks.

use std::fmt;
use std::sync::Arc;

use seedbed_sim::id::ConnId;

use super::wish::{Interest, Wish};
use crate::mvcc::watch::{Body, WatchId};

/// A fact about a stream or a watcher. All but the first are stated by the client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum WatchNote {
    /// The node serves a stream on this connection.
    Begun(ConnId),
    /// The client asks for a watcher.
    Asked(ConnId, WatchId, Interest),
    /// It learns that there is one, made while this was the current revision.
    Created(ConnId, WatchId, i64),
    /// It learns that there is none.
    Refused(ConnId, WatchId),
    /// It learns that there is none any more, as it wished.
    Cancelled(ConnId, WatchId),
    /// It is told something about these watchers.
    Heard(ConnId, Vec<WatchId>, Arc<Body>),
    /// The stream is lost, with all its watchers.
    Lost(ConnId),
}

impl fmt::Display for WatchNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WatchNote::Begun(_) => f.write_str("stream begun"),
            WatchNote::Asked(_, id, interest) => {
                write!(f, "watcher {id}: asked to {}", Wish::Watch(interest.clone()))
            }
            WatchNote::Created(_, id, revision) => {
                write!(f, "watcher {id}: created, revision {revision}")
            }
            WatchNote::Refused(_, id) => write!(f, "watcher {id}: refused"),
            WatchNote::Cancelled(_, id) => write!(f, "watcher {id}: cancelled"),
            WatchNote::Heard(_, about, body) => {
                f.write_str("watcher")?;
                about.iter().try_for_each(|id| write!(f, " {id}"))?;
                match &**body {
                    Body::Events { revision, events } => {
                        write!(f, ": revision {revision}")?;
                        events.iter().try_for_each(|event| write!(f, "; {event}"))
                    }
                    Body::Progress { revision } => write!(f, ": revision {revision}, progress"),
                    Body::Compacted { compacted } => {
                        write!(f, ": cancelled, compacted {compacted}")
                    }
                }
            }
            WatchNote::Lost(_) => f.write_str("stream lost"),
        }
    }
}
