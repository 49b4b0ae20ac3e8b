//! Running a plan: the stages of a run, its verdict, and the native engine.
//!
//! ```text
//! trouble ──heal──▶ settle ──quiet──▶ read back ──▶ judge
//! ```
//!
//! Reading order: [`Simulation`] (one run, step by step), [`Native`] (whole runs, memory used again), [`Report`], and the
//! second engine in `madsim/`. Code that is no actors at all runs in `hosted/`. Both are there under `--cfg madsim`.

#[cfg(madsim)]
pub mod hosted;
#[cfg(madsim)]
pub mod madsim;
mod native;
mod simulation;

pub(crate) use native::said;
pub use native::{Native, Options};
pub use simulation::{Progress, Simulation};

use crate::actor::Actor;
use crate::choose::Decision;
use crate::fault::Kind;
use crate::nemesis::Plan;
use crate::time::Span;
use crate::world::Violation;

/// Whatever runs plans of one scenario, one after the other.
pub trait Execute<A: Actor>: Send {
    /// Runs a plan to its end. A panic of the model or of the testbed becomes a broken promise of class *panic*.
    fn run(&mut self, plan: &Plan<A>, options: Options) -> Report;

    /// Another one of its kind, with memory of its own.
    #[must_use]
    fn another(&self) -> Self
    where
        Self: Sized;
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every promise was kept.
    Pass,
    /// A promise was broken.
    Broken(Violation),
    /// Neither can be said: a limit was reached.
    Inconclusive(String),
}

/// What is known of a run after its end.
#[derive(Clone, Debug)]
pub struct Report {
    /// What it came to.
    pub verdict: Verdict,
    /// The digest over all steps, the durable images and the verdict.
    pub digest: u64,
    /// How many steps it had.
    pub steps: u32,
    /// How much virtual time it took.
    pub virtual_time: Span,
    /// One bit a mark that was seen.
    pub marks: u64,
    /// One bit a point that was passed.
    pub points: u64,
    /// Whether an operation of the workload succeeded after the first fault.
    pub counted: bool,
    /// How often each check was evaluated, in the order of the scenario's check names.
    pub evaluated: Vec<u64>,
    /// How often each kind of trouble really happened, in the order of the catalogue.
    pub seen: [u32; Kind::CATALOGUE.len()],
    /// Operations that were completed, with any outcome.
    pub completed: u32,
    /// What of the plan found no use.
    pub unused: Unused,
    /// The decisions that differed from calm, if they were recorded.
    pub decisions: Vec<Decision>,
    /// The trace, if there was one.
    pub trace: Vec<String>,
    /// The digest after each step, if they were kept.
    pub step_digests: Vec<u64>,
}

/// What of a plan found no use in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unused {
    /// Noise lines that no question asked for.
    pub noise: Vec<Decision>,
    /// Fault lines, by index, whose point or time never came.
    pub faults: Vec<usize>,
    /// Operations that were never invoked: client and number.
    pub ops: Vec<(u16, u32)>,
}

impl Unused {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.noise.len() + self.faults.len() + self.ops.len()
    }

    /// Whether everything was used.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
