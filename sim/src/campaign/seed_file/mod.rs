//! Seed files: a plan as TOML, made to be read, edited and diffed by people.
//!
//! ```toml
//! # A batch ran after its store had been closed.
//! format   = 1
//! scenario = "store/restart-under-load"
//! seed     = 7
//! bug      = "batch-outlives-close"
//! breaks   = "no operation reaches a closed store"
//! digest   = "9f31c2e04b7a1d55"
//! workload = [
//!   "c0#1: put a 1",
//!   "c0#3: put a 2",
//! ]
//! faults   = ["on 1st batch at n0: stop n0 for 20ms"]
//! noise    = ["net c0->n0 put#2 1st: drop"]
//!
//! [config]
//! batch = 2
//!
//! [run]
//! latency = "5ms"
//! ```
//!
//! `noise = 7` instead of lines means: drawn from seed 7, at the weights of a table `[odds]`. A knob that is left out of
//! `[config]` has its simplest value; `[run]` holds the engine's numbers (and `down_max`, `fragile`, `fragile_files`) where they differ from
//! what the scenario makes of its knobs. Reading order: `print.rs`, `read.rs`, then `source.rs` for places and types.

mod numbers;
mod print;
mod read;
mod source;

pub use print::print;

use crate::actor::{Actor, Names};
use crate::check::Scenario;
use crate::choose::Decision;
use crate::nemesis::{Plan, Wording};
use crate::world::ENGINE_SITES;
use source::{Fields, Source};
use thiserror::Error;

/// The form that is written and read.
const FORMAT: u64 = 1;

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

/// The scenario that a seed file is for, and what else its head says; the plan itself is not looked at.
///
/// # Errors
/// If the text is no TOML, or the head departs from the form: where, and what was expected.
pub fn header_of(text: &str, file: &str) -> Result<Header, InputError> {
    let source = Source { text, file };
    let table = source.table()?;
    read::header(&Fields::top(&source, &table))
}

/// Reads a seed file of this scenario.
///
/// # Errors
/// If a line departs from the form, or the plan does not fit the scenario: where, and what was expected.
pub fn parse<A: Actor>(
    scenario: &Scenario<A>,
    text: &str,
    file: &str,
) -> Result<(Header, Plan<A>), InputError> {
    let source = Source { text, file };
    let table = source.table()?;
    let fields = Fields::top(&source, &table);
    let header = read::header(&fields)?;
    let plan = read::plan(scenario, &fields)?;
    Ok((header, plan))
}

/// The noise line of a decision.
#[must_use]
pub fn noise_line(decision: &Decision, names: &Names) -> String {
    wording(names).print(decision)
}

/// The words of noise lines, with the sites of the engine.
#[must_use]
pub fn wording(names: &Names) -> Wording<'_> {
    Wording { names, engine: ENGINE_SITES }
}

#[cfg(test)]
mod tests;
