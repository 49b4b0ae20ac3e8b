//! Numbers as people read them.

use std::time::Duration;

/// `1234567` as `1,234,567`.
#[must_use]
pub fn grouped(n: impl Into<u128>) -> String {
    let digits = n.into().to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How many a second; 0 if no time has passed.
#[must_use]
pub fn rate(count: u64, time: Duration) -> u64 {
    let per_second = u128::from(count) * 1_000_000_000 / time.as_nanos().max(1);
    u64::try_from(per_second).unwrap_or(u64::MAX)
}

/// `part` of `whole` in per cent with one decimal: `98.7 %`. Only 0 reads `0.0 %`, and only the whole `100.0 %`.
#[must_use]
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".into();
    }
    let tenths = u128::from(part) * 1_000 / u128::from(whole);
    let tenths = if part > 0 { tenths.max(1) } else { tenths };
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// A length of real or virtual time in the unit that suits it: `350 ms`, `12.3 s`, `4 min 05 s`, `3 h 20 min`.
#[must_use]
pub fn lasting(nanoseconds: u128) -> String {
    let ms = nanoseconds / 1_000_000;
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..120_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        120_000..7_200_000 => format!("{} min {:02} s", ms / 60_000, ms % 60_000 / 1_000),
        _ => format!("{} h {:02} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

/// `1 operation`, `2 operations`.
#[must_use]
pub fn counted(n: usize, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(n as u128))
}

/// Whole milliseconds.
#[must_use]
pub fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(grouped(0_u64), "0");
        assert_eq!(grouped(999_u64), "999");
        assert_eq!(grouped(1_000_u64), "1,000");
        assert_eq!(grouped(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(rate(500, Duration::from_millis(250)), 2_000);
        assert_eq!(percent(987, 1_000), "98.7 %");
        assert_eq!(percent(1, 1_000_000), "0.1 %");
        assert_eq!(percent(999_999, 1_000_000), "99.9 %");
        assert_eq!(percent(0, 0), "-");
        let said = [350, 12_345, 245_000, 12_000_000].map(|ms: u128| lasting(ms * 1_000_000));
        assert_eq!(said, ["350 ms", "12.3 s", "4 min 05 s", "3 h 20 min"]);
        assert_eq!(counted(1, "seed"), "1 seed");
        assert_eq!(counted(2, "seed"), "2 seeds");
    }
}
