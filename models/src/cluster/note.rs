//! Facts that actors state for the checks, beside those of the models that the cluster is made of.

use std::fmt;
use std::sync::Arc;

use seedbed_sim::time::Span;

use crate::client::note as client;
use crate::client::op::Server;
use crate::tap::note as tap;
use crate::vbucket::op::Vb;

use super::map::{Chain, Servers};

/// How a vbucket came to another master.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum How {
    /// It was taken over.
    Taken,
    /// Its master was given up, and a replica takes its place.
    Failover,
}

/// What a node reports of a copy of a vbucket; the last one is nothing if it has not reported.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reported {
    /// The vbucket.
    pub vb: Vb,
    /// The node.
    pub server: Server,
    /// Its items, and its changes that are not on disk.
    pub counts: Option<(u32, u32)>,
}

/// A fact.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Note {
    /// Of streams and data nodes.
    Tap(tap::Note),
    /// Of clients; never one of a data node.
    Client(client::Note),
    /// From this epoch on these nodes own the vbuckets; which of them have another one than before, and how; and how many
    /// replicas each has, if all have as many.
    Published(u32, Arc<[Server]>, Vec<(Vb, Server, How)>, Option<u8>),
    /// This node has learned of an epoch, in which these nodes own the vbuckets.
    Learned(u32, Arc<[Server]>),
    /// A rebalance to these nodes, with so many replicas, has ended with everything in its place.
    Finished(Vec<Chain>, Servers, u8),
    /// The orchestrator has counted, and taken so long for it: items of masters, and of all replicas.
    Counted(u32, u32, Span),
    /// The orchestrator has counted for so long, and counts do not agree: what is reported of each vbucket where it is so.
    NotCounted(Vec<Reported>, Span),
}

impl From<tap::Note> for Note {
    fn from(note: tap::Note) -> Note {
        Note::Tap(note)
    }
}

impl From<client::Note> for Note {
    fn from(note: client::Note) -> Note {
        match note {
            client::Note::Node(note) => Note::Tap(tap::Note::Data(note)),
            note => Note::Client(note),
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Tap(note) => note.fmt(f),
            Note::Client(note) => note.fmt(f),
            Note::Published(epoch, _, changes, _) => {
                write!(f, "epoch {epoch}")?;
                changes.iter().try_for_each(|(vb, server, how)| match how {
                    How::Taken => write!(f, ", {vb} taken over by {server}"),
                    How::Failover => write!(f, ", {vb} failed over to {server}"),
                })
            }
            Note::Learned(epoch, _) => write!(f, "learned of epoch {epoch}"),
            Note::Finished(..) => write!(f, "everything is in its place"),
            Note::Counted(active, replica, _) => {
                write!(f, "counted {active} items, {replica} in replicas")
            }
            Note::NotCounted(reported, _) => {
                write!(f, "counts differ")?;
                reported.iter().try_for_each(|Reported { vb, server, counts }| match counts {
                    Some((items, 0)) => write!(f, ", {vb} on {server} {items}"),
                    Some((items, queued)) => {
                        write!(f, ", {vb} on {server} {items}, {queued} queued")
                    }
                    None => write!(f, ", {vb} on {server} unknown"),
                })
            }
        }
    }
}
