//! What a manager answers.

use super::op::{CheckpointId, Item, MutationId};

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Queued {
    /// The first change of its key in the open checkpoint.
    New {
        /// Its mutation.
        id: MutationId,
    },
    /// It took the place of an older one.
    Existing {
        /// Its mutation.
        id: MutationId,
        /// The older one had been drained by the flusher already.
        persists_again: bool,
    },
    /// A copy that has no open checkpoint takes nothing: it is a left-over of an older stream.
    Dropped,
}

impl Queued {
    /// Whether there is more to persist than before.
    pub fn persistence_grew(self) -> bool {
        match self {
            Queued::New { .. } => true,
            Queued::Existing { persists_again, .. } => persists_again,
            Queued::Dropped => false,
        }
    }
}

/// Items for whoever reads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fetched {
    /// In the order of the log.
    pub items: Vec<Item>,
    /// Everything up to this checkpoint has now been delivered.
    pub last_closed: CheckpointId,
}

/// How much a cursor has left, counted in three ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Remaining {
    /// Mutations behind its position.
    pub mutations: u64,
    /// Items behind its position, recounted.
    pub items: u64,
    /// The number of items less the offset of the cursor, both kept up by adding and subtracting, as it was done in 2011.
    /// Equal to `items`, unless something forgets to add or to subtract.
    pub counted: i64,
}

/// What became of a reader that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Registration {
    /// Its cursor stood in that checkpoint and goes on where it was.
    Resume,
    /// It begins with that checkpoint.
    Found,
    /// What it asks for is not here any more; it begins with the open checkpoint and needs what was before.
    BackfillNeeded,
    /// It would need a backfill, and the window of an online update is open: nothing has changed.
    WindowOpen,
    /// The name belongs to the manager itself.
    Refused,
}

/// What became of a checkpoint start that the active copy sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Started {
    /// This copy is active, or the id is that of a backfill.
    Ignored,
    /// The open checkpoint was empty or a backfill, and has this id now.
    Renumbered,
    /// A new checkpoint is open.
    Opened,
    /// The id, or a greater one, was there already, so everything is one open checkpoint of this id now.
    Merged {
        /// What was persisted counts only up to here from now on.
        persisted_at_most: Option<CheckpointId>,
    },
    /// It goes back behind the start of the window of an online update: the copy has to be reset.
    Refused,
}

/// What became of a checkpoint end that the active copy sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ended {
    /// This copy is active, or has another checkpoint open, or none; or it is a backfill.
    Ignored,
    /// The open checkpoint is closed now.
    Closed,
    /// Under the rule of early 2011: the connection is to be dropped.
    Disconnect,
}

/// What became of an event of an online update that the active copy sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Accepted {
    /// This copy is active.
    Ignored,
    /// Done.
    Applied,
    /// Was done before.
    AlreadyDone,
    /// It does not follow what this copy has: the copy has to be reset.
    Refused,
    /// An assertion of the landed code fails here: the node stops.
    Aborts,
}

/// Why a command of an online update was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// Not what can be done in this state, or at this copy.
    #[error("not supported")]
    NotSupported,
    /// An assertion of the landed code fails here: the node stops.
    #[error("the node aborts")]
    Aborts,
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Removed {
    /// Checkpoints that are gone.
    pub checkpoints: u64,
    /// Mutations that were in them.
    pub mutations: u64,
    /// The checkpoint that was opened first, because it was time.
    pub opened: Option<CheckpointId>,
}
