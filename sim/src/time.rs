//! Virtual time: instants and spans in whole nanoseconds. There is no other time in a run.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// An instant of virtual time, in nanoseconds since the origin of the run's clock.
///
/// A run starts at a drawn instant, never at zero, so that nothing can use zero as "never".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u64);

/// A length of virtual time, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub u64);

impl Time {
    /// The span since `earlier`; zero if `earlier` lies later.
    #[must_use]
    pub const fn since(self, earlier: Time) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// The least delay: nothing is due at the instant of its cause.
    pub const LEAST: Span = Span(1);

    /// `n` nanoseconds.
    #[must_use]
    pub const fn ns(n: u64) -> Span {
        Span(n)
    }

    /// `n` microseconds.
    #[must_use]
    pub const fn us(n: u64) -> Span {
        Span(n * 1_000)
    }

    /// `n` milliseconds.
    #[must_use]
    pub const fn ms(n: u64) -> Span {
        Span(n * 1_000_000)
    }

    /// `n` seconds.
    #[must_use]
    pub const fn secs(n: u64) -> Span {
        Span(n * 1_000_000_000)
    }

    /// This span `factor` times, or the longest span there is.
    #[must_use]
    pub const fn times(self, factor: u64) -> Span {
        Span(self.0.saturating_mul(factor))
    }

    /// The longer of the two.
    #[must_use]
    pub const fn at_least(self, other: Span) -> Span {
        if self.0 < other.0 { other } else { self }
    }

    /// Reads `20ms`, `1500us`, `7ns` or `3s`: a whole number and a unit.
    ///
    /// # Errors
    /// Says what was expected when the text is no number with one of the four units, or too long for u64.
    pub fn parse(text: &str) -> Result<Span, String> {
        let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at(split);
        let scale = match unit {
            "ns" => 1,
            "us" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            _ => return Err(format!("expected a span such as 20ms, found `{text}`")),
        };
        digits
            .parse::<u64>()
            .ok()
            .and_then(|n| n.checked_mul(scale))
            .map(Span)
            .ok_or_else(|| format!("expected a span such as 20ms, found `{text}`"))
    }
}

impl Add<Span> for Time {
    type Output = Time;
    fn add(self, span: Span) -> Time {
        // What would be due after the end of time is due at it, and so never.
        Time(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Time {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl Sub for Span {
    type Output = Span;
    fn sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

/// The largest unit that keeps the number whole, so that print and parse are inverse.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => write!(f, "0ns"),
            n if n % 1_000_000_000 == 0 => write!(f, "{}s", n / 1_000_000_000),
            n if n % 1_000_000 == 0 => write!(f, "{}ms", n / 1_000_000),
            n if n % 1_000 == 0 => write!(f, "{}us", n / 1_000),
            n => write!(f, "{n}ns"),
        }
    }
}

/// Seconds with nine decimals: a column of times lines up and loses nothing.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}", self.0 / 1_000_000_000, self.0 % 1_000_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_prints_and_parses_to_itself() {
        for ns in [0, 1, 999, 1_000, 1_500, 20_000_000, 3_000_000_000, u64::MAX] {
            assert_eq!(Span::parse(&Span(ns).to_string()), Ok(Span(ns)));
        }
    }

    #[test]
    fn a_span_without_unit_or_too_long_is_refused() {
        for text in
            ["", "5", "ms", "-1ms", "1 ms", "1m", "99999999999999999999s", "18446744073709551615s"]
        {
            assert!(Span::parse(text).is_err(), "{text}");
        }
    }
}
