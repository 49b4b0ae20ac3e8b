//! What the threads of a client share: the reference store, and the tasks.

use std::collections::BTreeMap;

use crate::vbucket::op::Key;

use super::op::{Spec, TaskId};
use super::response::End;
use super::store::Store;

/// How a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Nobody has started it.
    Created,
    /// It waits for a worker.
    Queued,
    /// A worker is at it.
    Running,
    /// It was paused.
    Paused,
    /// It has ended.
    Ended(End),
}

/// What a client wants of a task that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wish {
    /// That it goes on.
    GoOn,
    /// That it stops, and can go on.
    Pause,
    /// That it ends.
    Abort,
}

/// A task.
#[derive(Clone, Debug)]
pub struct Task {
    /// What it does.
    pub spec: Spec,
    /// How it stands.
    pub stage: Stage,
    /// What is wanted of it.
    pub wish: Wish,
    /// The keys that are left, once a worker has begun; or that it is about from the start.
    pub left: Option<Vec<Key>>,
    /// How many steps were made.
    pub steps: u32,
    /// The keys that it has touched.
    pub touched: Vec<Key>,
    /// Keys with something amiss.
    pub wrong: Vec<Key>,
    /// Keys that could not be looked at.
    pub unseen: Vec<Key>,
}

impl Task {
    /// A task that nobody has started.
    #[must_use]
    pub fn new(spec: Spec) -> Task {
        Task {
            spec,
            stage: Stage::Created,
            wish: Wish::GoOn,
            left: None,
            steps: 0,
            touched: Vec::new(),
            wrong: Vec::new(),
            unseen: Vec::new(),
        }
    }

    /// Whether it has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        matches!(self.stage, Stage::Ended(_))
    }
}

impl AsRef<str> for Key {
    fn as_ref(&self) -> &str {
        Key::NAMES.get(usize::from(self.0)).copied().unwrap_or_default()
    }
}

/// What the threads of a client share.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    /// What is believed to stand in each key.
    pub store: Store<Key>,
    /// The tasks, by name.
    pub tasks: BTreeMap<TaskId, Task>,
    /// How many writes there were.
    pub writes: u64,
}

impl Desk {
    /// The number of the next write. Each value carries it, so that no value is written twice.
    pub fn write(&mut self) -> u64 {
        self.writes += 1;
        self.writes
    }
}
