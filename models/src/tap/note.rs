//! Facts that actors state for the checks.

use std::fmt;

use crate::checkpoint::op::{CheckpointId, EventKind, Incarnation};
use crate::vbucket::note as data;
use crate::vbucket::op::{Key, Vb};

use super::frame::Name;

/// A fact.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Note {
    /// Of a data node.
    Data(data::Note),
    /// A stream has a connection; whether it was remembered.
    Connected(Name, bool),
    /// A stream has lost its connection.
    Lost(Name),
    /// The other end of a stream has this version of a key.
    Released(Name, Vb, Key, u64),
    /// A vbucket has moved along a stream.
    Moved(Name),
    /// A replica has taken in this version of a key.
    Applied(Vb, Key, u64),
    /// A replica begins anew.
    Reset(Vb),
    /// A replica has all up to the end of a checkpoint of a life: the version of each key.
    Ended(Vb, Incarnation, CheckpointId, Vec<(Key, u64)>),
    /// A replica has done a step of an online update.
    Stepped(Vb, EventKind),
}

impl From<data::Note> for Note {
    fn from(note: data::Note) -> Note {
        Note::Data(note)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Data(note) => write!(f, "{note}"),
            Note::Connected(name, true) => write!(f, "{name} goes on"),
            Note::Connected(name, false) => write!(f, "{name} begins"),
            Note::Lost(name) => write!(f, "{name} lost its connection"),
            Note::Released(name, vb, key, cas) => write!(f, "{name} has {vb} {key} @{cas}"),
            Note::Moved(name) => write!(f, "moved by {name}"),
            Note::Applied(vb, key, cas) => write!(f, "took in {vb} {key} @{cas}"),
            Note::Reset(vb) => write!(f, "{vb} begins anew"),
            Note::Ended(vb, _, id, held) => {
                write!(f, "{vb} ended checkpoint {id} with {} keys", held.len())
            }
            Note::Stepped(vb, kind) => write!(f, "{vb} did {kind:?}"),
        }
    }
}
