//! Real time, for campaigns and reports. No run sees it.

use std::time::Duration;
#[expect(clippy::disallowed_types, reason = "campaigns end and are measured in real time")]
use std::time::Instant;

/// A stopwatch that was started.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Started);

#[expect(clippy::disallowed_types, reason = "campaigns end and are measured in real time")]
type Started = Instant;

impl Stopwatch {
    /// Starts it now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "campaigns end and are measured in real time")]
    pub fn start() -> Stopwatch {
        Stopwatch(Started::now())
    }

    /// The time since.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
