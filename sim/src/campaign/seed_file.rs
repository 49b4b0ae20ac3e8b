//! Seed files: a plan as TOML, made to be read, edited and diffed by people.

use crate::actor::Actor;
use crate::check::Scenario;
use crate::nemesis::Plan;
use thiserror::Error;

/// What is wrong with an input: where, and what was expected there.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{file}:{line}: {message}")]
pub struct InputError {
    /// The file as the user named it.
    pub file: String,
    /// From 1; 0 if the file as a whole is meant.
    pub line: usize,
    /// What was expected, and what was found.
    pub message: String,
}

/// What a seed file says beside its plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The scenario's name.
    pub scenario: String,
    /// The planted bug that it catches; without one the plan must pass.
    pub bug: Option<String>,
    /// The promise that breaks.
    pub breaks: Option<String>,
    /// The digest of the recorded run.
    pub digest: Option<u64>,
    /// The comment lines at the top, without `# `.
    pub comment: Vec<String>,
}

/// The scenario that a seed file is for.
///
/// # Errors
/// If the text is no seed file.
pub fn header_of(text: &str, file: &str) -> Result<Header, InputError> {
    let _ = text;
    Err(InputError { file: file.into(), line: 0, message: "not read yet".into() })
}

/// Reads a seed file of this scenario.
///
/// # Errors
/// If a line departs from the form: where, and what was expected.
pub fn parse<A: Actor>(
    scenario: &Scenario<A>,
    text: &str,
    file: &str,
) -> Result<(Header, Plan<A>), InputError> {
    let _ = scenario;
    header_of(text, file).map(|_| unreachable!())
}

/// Writes a seed file.
#[must_use]
pub fn print<A: Actor>(scenario: &Scenario<A>, header: &Header, plan: &Plan<A>) -> String {
    let _ = (scenario, plan);
    header.scenario.clone()
}
