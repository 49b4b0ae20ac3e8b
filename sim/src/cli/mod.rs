//! The command line as a library: anybody's own models get the same tool.
//!
//! ```text
//! fn main() -> std::process::ExitCode {
//!     seedbed_sim::cli::main(&Registry::new().with(scenario()))
//! }
//! ```
//!
//! A verb writes what it found to standard output and everything else to standard error; with `--json`, standard output
//! holds one JSON document. Exit status: 1 if there is any finding; else 3 if it was interrupted or something came to no
//! verdict; else 0; 2 for usage or unreadable input.

mod args;
mod bench;
mod bugs;
mod console;
mod determinism;
mod extra;
mod history;
mod list;
mod replay;
mod shrink;
mod sweep;
mod transcript;

#[cfg(test)]
mod tests;

pub use clap;
pub use console::Console;
pub use extra::ExtraVerb;

use crate::campaign::Registry;
use crate::campaign::seed_file::InputError;
use args::{Arguments, Verb};
use clap::{CommandFactory, FromArgMatches};
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a verb came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing to complain about.
    Clean,
    /// There is a finding.
    Finding,
    /// The command or its input could not be understood.
    Usage,
    /// It was interrupted, or something came to no verdict.
    Undecided,
}

impl Status {
    /// The exit status of the process.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Status::Clean => 0,
            Status::Finding => 1,
            Status::Usage => 2,
            Status::Undecided => 3,
        }
    }

    /// Of two, the one that counts: a finding, then no verdict.
    #[must_use]
    pub fn and(self, other: Status) -> Status {
        const ORDER: [Status; 3] = [Status::Usage, Status::Finding, Status::Undecided];
        let counts = ORDER.into_iter().find(|status| [self, other].contains(status));
        counts.unwrap_or(Status::Clean)
    }
}

/// A command or input that could not be understood: one message, with file and line where there are any.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Usage(String);

impl From<String> for Usage {
    fn from(message: String) -> Usage {
        Usage(message)
    }
}

impl From<InputError> for Usage {
    fn from(error: InputError) -> Usage {
        let InputError { file, line, message } = error;
        Usage(if line == 0 {
            format!("{file}: {message}")
        } else {
            format!("{file}:{line}: {message}")
        })
    }
}

/// Raised by Ctrl-C.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// Whether the verb under way looks at that, and ends in order.
static LOOKS: AtomicBool = AtomicBool::new(false);

/// The whole of a `main` function: arguments, streams, Ctrl-C and exit status are those of the process.
#[must_use]
pub fn main(registry: &Registry) -> ExitCode {
    main_with(registry, &[])
}

/// [`main`] of a program that brings verbs along.
#[must_use]
pub fn main_with(registry: &Registry, verbs: &[ExtraVerb]) -> ExitCode {
    let handler = ctrlc::set_handler(|| {
        // The first wish ends a search in order; who wishes twice does not want to wait, and a verb that never looks would
        // not hear the first.
        if INTERRUPTED.swap(true, Ordering::Relaxed) || !LOOKS.load(Ordering::Relaxed) {
            std::process::exit(i32::from(Status::Undecided.code()));
        }
    });
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    let _ = handler.inspect_err(|error| {
        let _ = writeln!(err, "Ctrl-C will end this at once: {error}");
    });
    let terminal = err.is_terminal();
    let child = std::env::current_exe().ok();
    let place = Place { terminal, child };
    let known = (registry, verbs);
    ExitCode::from(run_at(known, std::env::args_os(), (&mut out, &mut err), &place).code())
}

/// Runs one command. `args` begins with the name of the program, which the commands that reports end with repeat.
pub fn run_with(
    registry: &Registry,
    args: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Status {
    run_with_verbs((registry, &[]), args, out, err)
}

/// [`run_with`] for a program that brings verbs along.
pub fn run_with_verbs(
    known: (&Registry, &[ExtraVerb]),
    args: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Status {
    run_at(known, args, (out, err), &Place::default())
}

/// What surrounds a command beside its streams.
#[derive(Clone, Debug, Default)]
struct Place {
    /// Standard error is a terminal.
    terminal: bool,
    /// The program itself, where it can be run again.
    child: Option<PathBuf>,
}

fn run_at(
    (registry, verbs): (&Registry, &[ExtraVerb]),
    args: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    (out, err): (&mut dyn Write, &mut dyn Write),
    place: &Place,
) -> Status {
    let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    let (parsed, json) = match parse(&args, verbs) {
        Ok(parsed) => parsed,
        Err(error) if error.use_stderr() => {
            let _ = write!(err, "{error}");
            return Status::Usage;
        }
        Err(help) => {
            let _ = write!(out, "{help}");
            return Status::Clean;
        }
    };
    let mut console = Console::new(out, err, &args, json);
    console.terminal = place.terminal;
    let status = match &parsed {
        Parsed::Extra(verb, asked) => {
            LOOKS.store(true, Ordering::Relaxed);
            (verb.run)(asked, &mut console, &INTERRUPTED).map_err(Usage)
        }
        Parsed::Own(verb) => run_own((registry, verbs), verb, &mut console, place),
    };
    let status = status.unwrap_or_else(|Usage(message)| {
        console.note(one_line(&message));
        Status::Usage
    });
    match console.write_error() {
        Some(error) => {
            console.note(format_args!("standard output: expected to be able to write: {error}"));
            Status::Usage
        }
        None => status,
    }
}

/// A message as one line: what was found may hold line breaks, and orders to the terminal.
fn one_line(message: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.into() };
    message.chars().map(shown).collect()
}

/// What was asked for.
enum Parsed<'v> {
    /// A verb of the library.
    Own(Verb),
    /// One that the program brings along.
    Extra(&'v ExtraVerb, clap::ArgMatches),
}

fn parse<'v>(args: &[OsString], verbs: &'v [ExtraVerb]) -> Result<(Parsed<'v>, bool), clap::Error> {
    let own = Arguments::command();
    let command = verbs.iter().fold(own, |all, verb| all.subcommand(verb.command.clone()));
    let mut matches = command.try_get_matches_from(args)?;
    let json = matches.get_flag("json");
    if let Some((name, asked)) = matches.subcommand()
        && let Some(verb) = verbs.iter().find(|verb| verb.name() == name)
    {
        return Ok((Parsed::Extra(verb, asked.clone()), json));
    }
    let Arguments { verb, json } = Arguments::from_arg_matches_mut(&mut matches)?;
    Ok((Parsed::Own(verb), json))
}

fn run_own(
    (registry, verbs): (&Registry, &[ExtraVerb]),
    verb: &Verb,
    console: &mut Console<'_>,
    place: &Place,
) -> Result<Status, Usage> {
    LOOKS.store(verb.ends_in_order(), Ordering::Relaxed);
    match verb {
        Verb::List(asked) => list::run(registry, asked, console),
        Verb::Sweep(asked) => sweep::run(registry, asked, console),
        Verb::Replay(asked) => {
            extra::turn_away(verbs, &asked.what, console)?;
            replay::run(registry, asked, console)
        }
        Verb::Shrink(asked) => {
            extra::turn_away(verbs, &asked.what, console)?;
            shrink::run(registry, asked, console)
        }
        Verb::Bugs(asked) => bugs::run(registry, asked, console),
        Verb::Determinism(asked) => {
            determinism::run(registry, asked, place.child.as_deref(), console)
        }
        Verb::Transcript(asked) => transcript::run(registry, asked, console),
        Verb::Bench(asked) => bench::run(registry, asked, console),
        Verb::History(asked) => history::run(asked, console),
        Verb::ChildDigests(asked) => determinism::child_digests(registry, asked, console),
        Verb::ChildProbe(asked) => determinism::child_probe(registry, asked, console),
    }
}
