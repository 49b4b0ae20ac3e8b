//! What actors say for people: one form of line, and nothing done for a line that nobody wants.
//!
//! ```text
//!  warning server::fail connection 7 is at its end
//!  severity component::function message
//! ```
//!
//! A log is no effect: it is in no digest, and no actor looks at it. A line below the level is not even put together.

use std::fmt::Write;

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// What goes on.
    Trace,
    /// What is unusual, and is dealt with.
    Warning,
    /// What has gone wrong, and is told.
    Error,
    /// After which nothing goes on.
    Fatal,
}

impl Severity {
    const NAMES: [&'static str; 4] = ["trace", "warning", "error", "fatal"];
}

/// The log of an actor.
#[derive(Clone, Debug, Default)]
pub struct Log {
    level: Option<Severity>,
    lines: String,
    /// How many lines were put together.
    pub formatted: u64,
}

impl Log {
    /// A log of what matters at least so much; of nothing, without a level.
    #[must_use]
    pub fn new(level: Option<Severity>) -> Log {
        Log { level, lines: String::new(), formatted: 0 }
    }

    /// Says something. The message is made only if somebody wants it.
    pub fn say(
        &mut self,
        severity: Severity,
        place: &'static str,
        message: impl FnOnce() -> String,
    ) {
        if self.level.is_none_or(|level| severity < level) {
            return;
        }
        self.formatted += 1;
        let name = Severity::NAMES[severity as usize];
        let _ = writeln!(self.lines, "{name} {place} {}", message());
    }

    /// What was said.
    #[must_use]
    pub fn lines(&self) -> &str {
        &self.lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_the_level_nothing_is_put_together() {
        let say_all = |level| {
            let (mut log, mut made) = (Log::new(level), 0);
            for severity in [Severity::Trace, Severity::Warning, Severity::Error, Severity::Fatal] {
                log.say(severity, "server::fail", || {
                    made += 1;
                    format!("connection {made}")
                });
            }
            assert_eq!(log.formatted, made);
            log
        };
        assert_eq!(say_all(None).formatted, 0);
        assert_eq!(say_all(Some(Severity::Trace)).formatted, 4);
        let lines = "error server::fail connection 1\nfatal server::fail connection 2\n";
        assert_eq!(say_all(Some(Severity::Error)).lines(), lines);
    }
}
