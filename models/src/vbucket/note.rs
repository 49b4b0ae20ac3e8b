//! Facts that actors state for the checks.

use std::fmt;
use std::sync::Arc;

use crate::checkpoint::op::EventKind;

use super::message::AskId;
use super::op::{Key, Request, State, Vb};
use super::response::Answer;
use super::table::Entry;
use super::vb::Changed;

/// A fact.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Note {
    /// The node has taken in a request, which it will answer.
    Asked(AskId, Vb, Arc<Request>),
    /// A request was carried out, or refused, in this step.
    Served(AskId, Vb, Arc<Request>, Answer),
    /// A version of a key went into this checkpoint, as this mutation.
    Queued(Vb, Key, u64, Changed),
    /// The time of this version has run out, and the key was taken out; the deletion is a version, too.
    Expired(Vb, Key, u64, u64),
    /// This version of a key is on disk, by this mutation; or, as it runs out so soon, that the key is gone.
    Committed(Vb, Key, u64, (u64, bool)),
    /// All up to this checkpoint is said to be on disk.
    Published(Vb, u64),
    /// There is this vbucket now: its birth, state, and the number of the change.
    Stands(Vb, u64, State, u64),
    /// The disk says that this birth stands like this: the change of the state, and up to which checkpoint all is on disk.
    StandingSaved(Vb, u64, (u64, u64)),
    /// This birth of a vbucket is gone from memory.
    Dropped(Vb, u64),
    /// It is gone from disk.
    DropSaved(Vb),
    /// Changes of the online update are being taken back from here on.
    RevertBegun(Vb),
    /// They have been.
    Reverted(Vb),
    /// The node has read its disk, and serves.
    Loaded,
    /// A clean stop: everything is on disk.
    Drained,
    /// A replica has taken in this version of a key; nothing for a deletion.
    Applied(Vb, Key, u64, Option<Entry>),
    /// What was in a checkpoint without a number is in this one.
    Opened(Vb, u64),
    /// All checkpoints from this one on are this one now; all up to another one is said to be on disk.
    Merged(Vb, u64, u64),
    /// A replica has all up to the end of a checkpoint: which session and frame said so, and the version of each key.
    Ended(Vb, (u64, u32), Vec<(Key, u64)>),
    /// A replica has done a step of an online update.
    Stepped(Vb, EventKind),
    /// A reader has got all that there is: the version of each key.
    CaughtUp(Vb, Vec<(Key, u64)>),
    /// The value of this version was taken out of memory.
    Evicted(Vb, Key, u64),
    /// By the clock of the node it is this second.
    Second(u64),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Served(id, vb, request, answer) => {
                write!(f, "served #{} {vb} {}: {answer}", id.op.number, request.call)
            }
            Note::Asked(id, vb, request) => {
                write!(f, "asked #{} {vb} {}", id.op.number, request.call)
            }
            Note::Queued(vb, key, cas, Changed { checkpoint, mutation, .. }) => {
                write!(f, "queued {vb} {key} @{cas} in checkpoint {checkpoint} as {mutation}")
            }
            Note::Expired(vb, key, cas, deletion) => {
                write!(f, "expired {vb} {key} @{cas} by @{deletion}")
            }
            Note::Committed(vb, key, cas, _) => write!(f, "committed {vb} {key} @{cas}"),
            Note::Published(vb, id) => write!(f, "published {vb} up to checkpoint {id}"),
            Note::Stands(vb, birth, state, change) => {
                write!(f, "{vb} born @{birth} is {state}, change {change}")
            }
            Note::StandingSaved(vb, birth, (change, id)) => {
                write!(f, "saved {vb} born @{birth}, change {change}, all up to checkpoint {id}")
            }
            Note::Dropped(vb, birth) => write!(f, "dropped {vb} born @{birth}"),
            Note::DropSaved(vb) => write!(f, "saved that {vb} is gone"),
            Note::RevertBegun(vb) => write!(f, "reverting {vb}"),
            Note::Reverted(vb) => write!(f, "reverted {vb}"),
            Note::Loaded => write!(f, "loaded"),
            Note::Drained => write!(f, "drained"),
            Note::Applied(vb, key, cas, Some(_)) => write!(f, "applied {vb} {key} @{cas}"),
            Note::Applied(vb, key, cas, None) => write!(f, "applied {vb} {key} @{cas}: gone"),
            Note::Opened(vb, id) => write!(f, "{vb} has checkpoint {id} open"),
            Note::Merged(vb, id, _) => write!(f, "{vb} has everything in checkpoint {id}"),
            Note::Ended(vb, (_, number), _) => {
                write!(f, "{vb} ended a checkpoint by frame {number}")
            }
            Note::Stepped(vb, kind) => write!(f, "{vb} did {kind:?}"),
            Note::Evicted(vb, key, cas) => write!(f, "evicted {vb} {key} @{cas}"),
            Note::Second(second) => write!(f, "second {second}"),
            Note::CaughtUp(vb, got) => write!(f, "caught up with {vb}: {} keys", got.len()),
        }
    }
}
