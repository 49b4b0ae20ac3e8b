//! Where a verb writes: what it found, and everything else.

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// Where a verb writes.
pub struct Console<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    args: Vec<String>,
    json: bool,
    failed: Option<io::Error>,
    /// Whether standard error is a terminal.
    pub terminal: bool,
}

impl<'a> Console<'a> {
    /// A console; the first argument is the name of the program. With `json`, only documents go to `out`.
    pub fn new(
        out: &'a mut dyn Write,
        err: &'a mut dyn Write,
        args: &[OsString],
        json: bool,
    ) -> Console<'a> {
        let args = args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
        Console { out, err, args, json, failed: None, terminal: false }
    }

    /// A line of the report.
    pub fn say(&mut self, line: impl Display) {
        if self.json {
            self.note(line);
        } else {
            let done = writeln!(self.out, "{line}");
            self.check(done);
        }
    }

    /// A line beside the report.
    pub fn note(&mut self, line: impl Display) {
        // There is nowhere to say that standard error is closed.
        let _ = writeln!(self.err, "{line}");
    }

    /// The report as a JSON document, if one was asked for.
    pub fn document(&mut self, document: &impl serde::Serialize) {
        if self.json {
            let text = serde_json::to_string_pretty(document).expect("plain data has a JSON form");
            let done = writeln!(self.out, "{text}");
            self.check(done);
        }
    }

    /// Text that goes to standard output in any case.
    pub fn raw(&mut self, text: &str) {
        let done = self.out.write_all(text.as_bytes());
        self.check(done);
    }

    /// Standard error, for those who write lines of their own.
    pub fn err(&mut self) -> &mut dyn Write {
        self.err
    }

    /// What went wrong when the report was written; that its reader left early is nothing wrong.
    pub fn write_error(&mut self) -> Option<io::Error> {
        let done = self.out.flush();
        self.check(done);
        self.failed.take().filter(|error| error.kind() != ErrorKind::BrokenPipe)
    }

    fn check(&mut self, done: io::Result<()>) {
        if let Err(error) = done {
            self.failed.get_or_insert(error);
        }
    }

    /// A command of this program, as a shell reads it.
    #[must_use]
    pub fn command(&self, words: &[&str]) -> String {
        let program = self.args.first().map_or("seedbed", String::as_str);
        let quoted = std::iter::once(program).chain(words.iter().copied()).map(quoted);
        quoted.collect::<Vec<String>>().join(" ")
    }

    /// The command that replays a file.
    #[must_use]
    pub fn replay_of(&self, file: &Path) -> String {
        let file = file.display().to_string();
        // Nobody is to take it for a flag.
        let file = if file.starts_with('-') { format!("./{file}") } else { file };
        self.command(&["replay", &file])
    }

    /// The command that this is, without the flags that only say how much is shown.
    #[must_use]
    pub fn this_command(&self) -> String {
        let shown = |word: &&str| !matches!(*word, "--trace" | "--json");
        let words: Vec<&str> = self.args.iter().skip(1).map(String::as_str).filter(shown).collect();
        self.command(&words)
    }
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./=:@%+,-#".contains(c);
    if !word.is_empty() && !word.starts_with('#') && word.chars().all(plain) {
        word.to_string()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_are_quoted_where_a_shell_would_read_them_otherwise() {
        assert_eq!(quoted("seeds/desk/a-b.toml"), "seeds/desk/a-b.toml");
        assert_eq!(quoted("c0#1: put a 1"), "'c0#1: put a 1'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted(""), "''");
    }
}
