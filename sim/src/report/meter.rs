//! How far long work is: a bar on a terminal, a line now and then elsewhere.

use super::number::{counted, grouped, lasting, rate};
use crate::campaign::sweep::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::Write;
use std::time::Duration;

/// Where there is no terminal, a line comes this often.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Shows how far long work is.
pub struct Meter {
    bar: Option<ProgressBar>,
    next_line: Duration,
}

impl Meter {
    /// A bar if standard error is a terminal, otherwise lines.
    #[must_use]
    pub fn new(terminal: bool) -> Meter {
        let bar = terminal.then(|| {
            let bar = ProgressBar::new(1_000);
            let style = ProgressStyle::with_template("{wide_bar} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Meter { bar, next_line: LINE_EVERY }
    }

    /// Shows how far a sweep is.
    pub fn sweep(&mut self, progress: &Progress, lines: &mut dyn Write) {
        let what = words(progress);
        self.show(thousandths(progress), &what, progress.elapsed, lines);
    }

    /// Shows how far work is of which the size is known.
    pub fn part(&mut self, part: Part<'_>, elapsed: Duration, lines: &mut dyn Write) {
        let done = part.done.saturating_mul(1_000) / part.all.max(1);
        self.show(done, &part.words(elapsed), elapsed, lines);
    }

    /// Shows that this many thousandths are done, in these words.
    fn show(&mut self, done: u64, what: &str, elapsed: Duration, lines: &mut dyn Write) {
        if let Some(bar) = &self.bar {
            bar.set_position(done.min(1_000));
            bar.set_message(what.to_string());
        } else if elapsed >= self.next_line {
            self.next_line = elapsed + LINE_EVERY;
            // Whoever closed standard error does not want to know how far it is.
            let _ = writeln!(lines, "{what}");
        }
    }

    /// Does something that prints, with the bar out of the way.
    pub fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// How far work is of which the size is known.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// What it is at.
    pub at: &'a str,
    /// How much is done.
    pub done: u64,
    /// How much there is, at the most.
    pub all: u64,
    /// What is counted.
    pub noun: &'a str,
}

impl Part<'_> {
    fn words(self, elapsed: Duration) -> String {
        let Part { at, done, all, noun } = self;
        let tenths = rate(done.saturating_mul(10), elapsed);
        let speed = match tenths {
            0..100 => format!("{}.{}", tenths / 10, tenths % 10),
            _ => grouped(tenths / 10),
        };
        let left = elapsed.as_nanos() * u128::from(all.saturating_sub(done));
        let left = left.checked_div(u128::from(done)).map(lasting);
        let left = left.map_or_else(String::new, |left| format!(", {left} left"));
        format!("{at}: {} of {} {noun}, {speed}/s{left}", grouped(done), grouped(all))
    }
}

/// How much is done, by time or by seeds, whichever ends first.
fn thousandths(progress: &Progress) -> u64 {
    let by_time = progress.time.map_or(0, |time| {
        let done = progress.elapsed.as_nanos() * 1_000 / time.as_nanos().max(1);
        u64::try_from(done).unwrap_or(1_000)
    });
    let by_runs = progress.runs_max.map_or(0, |max| {
        u64::try_from(u128::from(progress.runs) * 1_000 / u128::from(max.max(1))).unwrap_or(1_000)
    });
    by_time.max(by_runs).min(1_000)
}

fn words(progress: &Progress) -> String {
    let findings = counted(progress.findings, "finding");
    if progress.to_shrink > 0 {
        return format!("{findings}, {} to shrink", progress.to_shrink);
    }
    let by_time = progress.time.map(|time| time.saturating_sub(progress.elapsed).as_nanos());
    let speed = rate(progress.runs, progress.elapsed);
    let by_runs = progress.runs_max.filter(|_| speed > 0).map(|max| {
        u128::from(max.saturating_sub(progress.runs)) * 1_000_000_000 / u128::from(speed)
    });
    let left = match (by_time, by_runs) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    let left = left.map_or_else(String::new, |left| format!(", {} left", lasting(left)));
    format!("{} runs, {}/s, {findings}{left}", grouped(progress.runs), grouped(speed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_of_a_known_size_tells_its_rate_and_the_time_left() {
        let words = |done, seconds| {
            let part = Part { at: "desk/one", done, all: 20_000, noun: "runs" };
            part.words(Duration::from_secs(seconds))
        };
        assert_eq!(words(0, 0), "desk/one: 0 of 20,000 runs, 0.0/s");
        assert_eq!(words(5, 4), "desk/one: 5 of 20,000 runs, 1.2/s, 4 h 26 min left");
        assert_eq!(words(10_000, 5), "desk/one: 10,000 of 20,000 runs, 2,000/s, 5.0 s left");
        assert_eq!(words(20_000, 5), "desk/one: 20,000 of 20,000 runs, 4,000/s, 0 ms left");
    }

    #[test]
    fn without_a_terminal_a_line_comes_every_ten_seconds() {
        let (mut meter, mut lines) = (Meter::new(false), Vec::new());
        for second in 0..25 {
            let progress = Progress {
                elapsed: Duration::from_secs(second),
                time: Some(Duration::from_secs(60)),
                runs: second * 1_500,
                runs_max: None,
                findings: 1,
                to_shrink: 0,
            };
            meter.sweep(&progress, &mut lines);
        }
        let text = String::from_utf8(lines).expect("text");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "15,000 runs, 1,500/s, 1 finding, 50.0 s left",
                "30,000 runs, 1,500/s, 1 finding, 40.0 s left"
            ]
        );
    }
}
