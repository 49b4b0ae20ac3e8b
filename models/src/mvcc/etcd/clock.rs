//! Real time. A server on the machine has no other; nothing of it reaches a plan or a verdict but that something came
//! too late.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a real server lives in real time"
)]

use std::time::{Duration, Instant};

/// A moment to come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Instant);

impl Deadline {
    /// So long from now.
    pub(super) fn after(wait: Duration) -> Deadline {
        Deadline(Instant::now() + wait)
    }

    /// How long it is until then; none once it is over.
    pub(super) fn left(&self) -> Option<Duration> {
        let left = self.0.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }
}

/// Does nothing for a while.
pub(super) fn pause(time: Duration) {
    std::thread::sleep(time);
}
