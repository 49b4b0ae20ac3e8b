//! The engine's side of a node: up or down, which life, its clock.

use crate::id::{ActorId, Incarnation};
use crate::time::{Span, Time};

const MILLION: u64 = 1_000_000;

/// The engine's side of one node.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    pub(crate) up: bool,
    pub(crate) client: bool,
    /// The last life that began; 1 from the start.
    pub(crate) incarnation: Incarnation,
    /// Actors that have not yet said `stopped`, while a clean stop goes on.
    pub(crate) stopping: Option<Vec<ActorId>>,
    /// How long the node stays down once it has stopped.
    pub(crate) down_for: Span,
    /// Until then it stands still: since a pause, or since its boot until its actors are born.
    pub(crate) paused_until: Time,
    /// The creation number of the first entry that was put off until then; 0 if none was.
    held_from: u32,
    pub(crate) slow_until: Time,
    pub(crate) slow_factor: u32,
    pub(crate) clock: Clock,
    /// When the drift of its clocks ends; another end than this is that of a drift that was replaced.
    pub(crate) drift_until: Time,
}

impl Seat {
    pub(crate) fn new(client: bool, start: Time) -> Seat {
        Seat {
            up: true,
            client,
            incarnation: Incarnation(1),
            stopping: None,
            down_for: Span(0),
            paused_until: Time(0),
            held_from: 0,
            slow_until: Time(0),
            slow_factor: 1,
            clock: Clock::new(start),
            drift_until: Time(0),
        }
    }

    /// Stands still until then, unless it does so for longer already.
    pub(crate) fn stand_still(&mut self, until: Time) {
        if self.paused_until < until {
            (self.paused_until, self.held_from) = (until, 0);
        }
    }

    /// Whether an entry that has come up has to be put off. What was due before the node goes on comes first, so entries of
    /// that instant that are older than the first one put off line up behind.
    #[inline]
    pub(crate) fn puts_off(&self, at: Time, entry: u32) -> bool {
        at <= self.paused_until && (at < self.paused_until || entry < self.held_from)
    }

    /// This entry stands for one that was put off.
    pub(crate) fn held(&mut self, entry: u32) {
        if self.held_from == 0 {
            self.held_from = entry;
        }
    }

    /// What stood still is no more.
    pub(crate) fn end_pause(&mut self) {
        (self.paused_until, self.held_from) = (Time(0), 0);
    }

    /// The incarnation that something sent now will meet, if it meets any: the next one while the node is down.
    #[inline]
    pub(crate) fn expected(&self) -> Incarnation {
        if self.up { self.incarnation } else { Incarnation(self.incarnation.0 + 1) }
    }

    /// Whether this life is the one that is running.
    #[inline]
    pub(crate) fn lives(&self, incarnation: Incarnation) -> bool {
        self.up && self.incarnation == incarnation
    }

    /// By how much everything takes longer at `now`.
    #[inline]
    pub(crate) fn slowness(&self, now: Time) -> u64 {
        if now < self.slow_until { u64::from(self.slow_factor) } else { 1 }
    }
}

/// The clocks of a node: monotonic since boot, and wall.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    boot: Time,
    /// Wall clock minus true time, in nanoseconds.
    offset: i64,
    ppm: i32,
    /// Since when the rate holds, and what had been gained until then.
    since: Time,
    gained: i64,
    gained_before_boot: i64,
}

impl Clock {
    fn new(start: Time) -> Clock {
        Clock { boot: start, offset: 0, ppm: 0, since: start, gained: 0, gained_before_boot: 0 }
    }

    pub(crate) fn boot(&mut self, now: Time) {
        self.gained_before_boot = self.gain(now);
        self.boot = now;
    }

    /// Moves the wall clock.
    pub(crate) fn shift(&mut self, by: i64) {
        self.offset = self.offset.saturating_add(by);
    }

    /// Changes the rate of both clocks.
    pub(crate) fn drift(&mut self, ppm: i32, now: Time) {
        self.gained = self.gain(now);
        self.since = now;
        self.ppm = ppm;
    }

    fn gain(&self, now: Time) -> i64 {
        if self.ppm == 0 {
            return self.gained;
        }
        let elapsed = i128::from(now.since(self.since).0);
        let gained = elapsed * i128::from(self.ppm) / i128::from(MILLION);
        self.gained + i64::try_from(gained).expect("a gain of less than 292 years")
    }

    /// Time since boot by this clock.
    #[inline]
    pub(crate) fn monotonic(&self, now: Time) -> Time {
        let gained = self.gain(now) - self.gained_before_boot;
        Time(now.since(self.boot).0.saturating_add_signed(gained))
    }

    /// The wall clock.
    pub(crate) fn wall(&self, now: Time) -> Time {
        Time(now.0.saturating_add_signed(self.offset.saturating_add(self.gain(now))))
    }

    /// What a true span is by this clock at the present rate; rounded up.
    pub(crate) fn local_span(&self, span: Span) -> Span {
        let rate = u128::from(MILLION.saturating_add_signed(i64::from(self.ppm)));
        let local = (u128::from(span.0) * rate).div_ceil(u128::from(MILLION));
        Span(u64::try_from(local).unwrap_or(u64::MAX >> 1))
    }

    /// How long a local span really takes at the present rate; rounded up, so that no timer fires early.
    #[inline]
    pub(crate) fn true_span(&self, local: Span) -> Span {
        if self.ppm == 0 {
            return local;
        }
        let rate = u128::from(MILLION.saturating_add_signed(i64::from(self.ppm)));
        let span = (u128::from(local.0) * u128::from(MILLION)).div_ceil(rate);
        Span(u64::try_from(span).unwrap_or(u64::MAX >> 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_clock_gains_and_its_timers_come_sooner_but_never_early() {
        let mut clock = Clock::new(Time(1_000));
        clock.drift(100_000, Time(1_000));
        let later = Time(1_001_000);
        assert_eq!(clock.monotonic(later), Time(1_100_000));
        assert_eq!(clock.wall(later), Time(1_101_000));
        let span = clock.true_span(Span(1_100_000));
        assert!(clock.monotonic(Time(1_000) + span).0 >= 1_100_000);
        assert!(clock.monotonic(Time(1_000) + Span(span.0 - 2)).0 < 1_100_000);
    }

    #[test]
    fn a_jump_moves_the_wall_and_not_the_monotonic_clock() {
        let mut clock = Clock::new(Time(1_000));
        clock.shift(-500);
        assert_eq!(
            (clock.wall(Time(2_000)), clock.monotonic(Time(2_000))),
            (Time(1_500), Time(1_000))
        );
    }

    #[test]
    fn a_boot_starts_the_monotonic_clock_again() {
        let mut clock = Clock::new(Time(0));
        clock.drift(-500_000, Time(0));
        clock.boot(Time(1_000));
        assert_eq!(clock.monotonic(Time(1_000)), Time(0));
        assert_eq!(clock.monotonic(Time(3_000)), Time(1_000));
    }
}
