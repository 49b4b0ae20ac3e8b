//! Virtual time on madsim's clock.

use crate::time::Time;
use madsim::time::{TimeHandle, sleep_until};
use std::time::Duration;

/// Reads virtual time off madsim's clock: a nanosecond is 2^41 of madsim's, and things of one instant are 2^20 apart, far
/// more than what madsim adds for polling a task (50 to 100 ns), and just above the least that it sleeps (1 ms).
pub(super) struct Clock {
    time: TimeHandle,
    instant: Time,
    rank: u128,
}

impl Clock {
    pub(super) fn new() -> Clock {
        Clock { time: TimeHandle::current(), instant: Time(0), rank: 0 }
    }

    /// Waits for the next thing that is due at an instant.
    ///
    /// # Panics
    /// If more than 2^21 things are due at one instant, or the instant is more than 50 days away.
    pub(super) async fn reach(&mut self, at: Time) {
        self.rank = if at == self.instant { self.rank + 1 } else { 0 };
        self.instant = at;
        assert!(self.rank < 1 << 21, "fewer than 2^21 things are due at one instant");
        let ns = (u128::from(at.0) << 41) + (self.rank << 20);
        let (seconds, rest) = (ns / 1_000_000_000, ns % 1_000_000_000);
        let deadline = Duration::new(
            u64::try_from(seconds).expect("a run of less than 50 days"),
            u32::try_from(rest).expect("less than a second"),
        );
        let origin = self.time.now_instant() - self.time.elapsed();
        sleep_until(origin + deadline).await;
        let now = self.time.elapsed().as_nanos();
        assert_eq!((now >> 41, now >> 20 & 0x1f_ffff), (u128::from(at.0), self.rank));
    }
}
