//! The engine's side of a client: which operation is under way, and as which process of the history.

use crate::id::ActorId;

/// One client of the workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) actor: ActorId,
    /// The logical process; a new number after each unknown outcome.
    pub(crate) process: u32,
    /// The index of the operation under way.
    pub(crate) current: Option<u32>,
    /// The index behind the last of its operations.
    pub(crate) end: u32,
}
