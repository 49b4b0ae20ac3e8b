//! What clients did and learned. Only invoke and complete write it.

use super::Actor;
use crate::id::OpId;
use crate::time::Time;

/// What a client learned about its operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outcome<R> {
    /// It took effect and answered this.
    Ok(R),
    /// It certainly had no effect.
    Failed,
    /// It may have taken effect, may do so at any later time, or never.
    Unknown,
}

/// One line of a history.
#[derive(Clone, Debug)]
pub enum HistoryEvent<A: Actor> {
    /// A client was asked.
    Invoked {
        /// The logical process: a client goes on as a new one after an unknown outcome.
        process: u32,
        /// The operation.
        op: OpId,
        /// What it was asked.
        what: A::Op,
        /// When.
        at: Time,
    },
    /// A client gave its answer.
    Completed {
        /// The logical process.
        process: u32,
        /// The operation.
        op: OpId,
        /// What it learned.
        outcome: Outcome<A::Ret>,
        /// When.
        at: Time,
    },
}

/// The invocations and completions of a run, in order.
#[derive(Clone, Debug)]
pub struct History<A: Actor> {
    /// The lines; a line's index is its position in time.
    pub events: Vec<HistoryEvent<A>>,
}

impl<A: Actor> Default for History<A> {
    fn default() -> History<A> {
        History { events: Vec::new() }
    }
}
