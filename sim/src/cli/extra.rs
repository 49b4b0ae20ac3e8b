//! Verbs that a program brings along, for what only it can do with its models.

use super::{Console, Status, Usage};
use crate::campaign::seed_file::header_of;
use crate::campaign::store;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// A verb beside those of the library. It stands in the help, and its exit status means the same.
#[derive(Clone, Debug)]
pub struct ExtraVerb {
    /// Its name, flags and help.
    pub command: clap::Command,
    /// The scenarios whose seed files only this verb can run.
    pub scenarios: &'static [&'static str],
    /// Does it, and ends in order once the flag is raised; or says what of the command could not be understood.
    pub run: fn(&clap::ArgMatches, &mut Console<'_>, &AtomicBool) -> Result<Status, String>,
}

impl ExtraVerb {
    /// What the user types.
    #[must_use]
    pub fn name(&self) -> &str {
        self.command.get_name()
    }
}

/// Turns away a seed file that only another verb can run, and names that verb.
pub(super) fn turn_away(
    verbs: &[ExtraVerb],
    what: &[String],
    console: &Console<'_>,
) -> Result<(), Usage> {
    let [file] = what else { return Ok(()) };
    let Ok(text) = store::read(Path::new(file)) else { return Ok(()) };
    let Ok(header) = header_of(&text, file) else { return Ok(()) };
    let owner = verbs.iter().find(|verb| verb.scenarios.contains(&header.scenario.as_str()));
    let Some(verb) = owner else { return Ok(()) };
    let (scenario, command) = (&header.scenario, console.command(&[verb.name(), file]));
    Err(Usage(format!(
        "{file}: expected a scenario of this verb; {scenario} is run by `{command}`, see its --help"
    )))
}
