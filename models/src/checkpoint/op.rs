//! Vocabulary: what is queued, what a log is made of, and the names of its parts.

use std::fmt;
use std::str::FromStr;

/// Up to `N` bytes, kept in place, so that copies cost no allocation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Short<const N: usize> {
    /// Zero behind the end.
    bytes: [u8; N],
    len: u8,
}

/// What a mutation is about. Keys may be anything, the words of [`Item`]s too.
pub type Key = Short<23>;
/// What a key is set to.
pub type Value = Short<31>;

/// More bytes than fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected at most {0} bytes")]
pub struct TooLong(pub usize);

impl<const N: usize> Short<N> {
    /// No bytes.
    pub const EMPTY: Short<N> = Short { bytes: [0; N], len: 0 };

    /// These bytes, if they fit.
    pub fn new(bytes: &[u8]) -> Result<Short<N>, TooLong> {
        let mut short = Short::EMPTY;
        short.bytes.get_mut(..bytes.len()).ok_or(TooLong(N))?.copy_from_slice(bytes);
        short.len = u8::try_from(bytes.len()).map_err(|_| TooLong(usize::from(u8::MAX)))?;
        Ok(short)
    }

    /// What was put in.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl<const N: usize> FromStr for Short<N> {
    type Err = TooLong;

    fn from_str(text: &str) -> Result<Short<N>, TooLong> {
        Short::new(text.as_bytes())
    }
}

impl<const N: usize> fmt::Display for Short<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.as_bytes()))
    }
}

impl<const N: usize> fmt::Debug for Short<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self.as_bytes()))
    }
}

/// The name of a checkpoint: 1, 2, .. at the active copy, and what that says at the others. 0 is what is open while a
/// copy is backfilled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckpointId(pub u64);

impl CheckpointId {
    /// Open while a copy is backfilled.
    pub const BACKFILL: CheckpointId = CheckpointId(0);

    /// The one after it.
    #[must_use]
    pub fn next(self) -> CheckpointId {
        CheckpointId(self.0.saturating_add(1))
    }

    /// The one before it; 0 has none.
    #[must_use]
    pub fn previous(self) -> CheckpointId {
        CheckpointId(self.0.saturating_sub(1))
    }
}

impl fmt::Display for CheckpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The order in which mutations were queued at one manager, from 1001 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MutationId(pub u64);

/// One life of one copy of a vbucket. It is drawn anew when the copy is made, after every crash and at every promotion, so
/// that equal checkpoint ids of different lives are never taken for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incarnation(pub u64);

/// Which online update of a vbucket: 1 for the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

/// What a mutation does to its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// It has this value now.
    Set,
    /// It is gone.
    Delete,
}

/// What is queued about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    /// Which key.
    pub key: Key,
    /// Set or deleted.
    pub operation: Operation,
    /// The new value; nothing for a deletion.
    pub value: Value,
    /// What the client keeps beside the value.
    pub flags: u32,
    /// When it runs out, by the clock of whoever queues it.
    pub expires_at: Option<u64>,
    /// The version.
    pub cas: u64,
    /// Whether some version of the key was known to be on disk when this was queued.
    pub is_on_disk: bool,
}

impl Change {
    /// A value without flags, that never runs out and is not on disk yet.
    pub fn set(key: Key, value: Value) -> Change {
        let (operation, flags, cas) = (Operation::Set, 0, 0);
        Change { key, operation, value, flags, expires_at: None, cas, is_on_disk: false }
    }

    /// A deletion of something that is not on disk yet.
    pub fn delete(key: Key) -> Change {
        Change { operation: Operation::Delete, ..Change::set(key, Value::EMPTY) }
    }
}

/// A change in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mutation {
    /// Its place in the order of all mutations.
    pub id: MutationId,
    /// Since when something about the key has waited in this checkpoint.
    pub queued_at: u64,
    /// What was queued.
    pub change: Change,
}

/// A step of an online update, as it stands in the log and as it is told to replicas. It names the update in full, so
/// that one that comes twice is told from one that is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// Which step.
    pub kind: EventKind,
    /// The first checkpoint of the window, at the active copy.
    pub checkpoint: CheckpointId,
    /// Which online update.
    pub epoch: Epoch,
}

/// The steps of an online update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// From here on nothing is persisted.
    Start,
    /// All of it holds, and is persisted.
    Complete,
    /// None of it holds.
    Revert,
}

/// What a checkpoint is made of. Everything but a mutation is *meta*: it has no key, no mutation id, and is never
/// de-duplicated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Item {
    /// In front of everything, for cursors that have delivered nothing of the checkpoint. Is itself never delivered.
    Empty,
    /// The first item of a checkpoint.
    CheckpointStart(CheckpointId),
    /// A key was set or deleted.
    Mutation(Mutation),
    /// Everything was deleted.
    Flush,
    /// A transaction ends here.
    Commit,
    /// A step of an online update.
    OnlineUpdate(Event),
    /// The last item of a closed checkpoint.
    CheckpointEnd(CheckpointId),
}

impl Item {
    /// The mutation, if it is one.
    pub fn mutation(&self) -> Option<&Mutation> {
        match self {
            Item::Mutation(mutation) => Some(mutation),
            Item::Empty
            | Item::CheckpointStart(_)
            | Item::Flush
            | Item::Commit
            | Item::OnlineUpdate(_)
            | Item::CheckpointEnd(_) => None,
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Item::Empty => f.write_str("empty"),
            Item::CheckpointStart(id) => write!(f, "checkpoint_start({id})"),
            Item::Mutation(mutation) => match mutation.change.operation {
                Operation::Set if mutation.change.value == Value::EMPTY => {
                    write!(f, "set({})", mutation.change.key)
                }
                Operation::Set => {
                    write!(f, "set({}={})", mutation.change.key, mutation.change.value)
                }
                Operation::Delete => write!(f, "del({})", mutation.change.key),
            },
            Item::Flush => f.write_str("flush"),
            Item::Commit => f.write_str("commit"),
            Item::OnlineUpdate(event) => f.write_str(match event.kind {
                EventKind::Start => "online_update_start",
                EventKind::Complete => "online_update_end",
                EventKind::Revert => "online_update_revert",
            }),
            Item::CheckpointEnd(id) => write!(f, "checkpoint_end({id})"),
        }
    }
}

/// Who reads the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CursorName {
    /// The flusher.
    Persistence,
    /// Where the flusher goes back to if what it has drained cannot be written.
    Backup,
    /// Nobody reads here: it pins the window of an online update.
    OnlineUpdate,
    /// A replica, or another client of the stream.
    Named(u8),
}

impl CursorName {
    /// Whether it delivers to the disk of this node.
    pub fn persists(self) -> bool {
        matches!(self, CursorName::Persistence | CursorName::Backup)
    }
}

impl fmt::Display for CursorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CursorName::Persistence => f.write_str("persistence"),
            CursorName::Backup => f.write_str("backup"),
            CursorName::OnlineUpdate => f.write_str("online-update"),
            CursorName::Named(number) => write!(f, "c{number}"),
        }
    }
}
