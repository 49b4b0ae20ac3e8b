//! Checks over a world: always, eventually, and at the end; and the scenario that brings them together.
//!
//! A check's name is a sentence about the promise. Each counts how often it really was evaluated; one that never was is
//! reported, since a check that was never evaluated has promised nothing.

mod expand;
mod scenario;
#[cfg(test)]
pub(crate) mod tiny;

pub use scenario::{ModelSite, Questions, Scenario};

use crate::actor::Actor;
use crate::nemesis::Config;
use crate::time::Span;
use crate::world::{Step, Violation, World};

/// What came of evaluating a check.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(u8)] // What it is shall not have to be worked out of the text: this is asked after every step.
pub enum Checked {
    /// There was nothing to evaluate.
    Skipped,
    /// The promise held.
    Held,
    /// The promise was broken: the class, a constant of the check, and what was seen.
    Broken(&'static str, String),
}

/// What came of a check at the end of a run, or the reason why it could not be decided.
pub type Decided = Result<Checked, String>;

/// A promise that holds after every step.
pub struct Always<A: Actor> {
    /// A sentence about the promise.
    pub name: &'static str,
    /// Evaluates it; most steps are skipped at once by a look at [`World::notes`].
    pub check: fn(&World<A>, &mut A::Ghost, &Step) -> Checked,
}

/// A promise that must come to hold once the trouble has ended.
pub struct Eventually<A: Actor> {
    /// A sentence about the promise.
    pub name: &'static str,
    /// Says what is still pending.
    pub check: fn(&World<A>, &A::Ghost) -> Result<(), String>,
    /// How long it may take after the heal, or after the return of the last server that was away then, computed from the
    /// knobs.
    pub bound: fn(&Config) -> Span,
}

/// A promise about the whole run, evaluated once at its end.
pub struct Finally<A: Actor> {
    /// A sentence about the promise.
    pub name: &'static str,
    /// Evaluates it. An `Err` says why it could not be decided, which makes the run inconclusive.
    pub check: fn(&World<A>, &A::Ghost, &Config) -> Decided,
}

/// What the checks of a run remember and count.
#[derive(Clone, Debug)]
pub struct Watch<A: Actor> {
    /// The model's own memory.
    pub ghost: A::Ghost,
    /// Evaluations: of the `always` checks, then `eventually`, then `finally`.
    pub evaluated: Vec<u64>,
}

impl<A: Actor> Default for Watch<A> {
    fn default() -> Watch<A> {
        Watch { ghost: A::Ghost::default(), evaluated: Vec::new() }
    }
}

impl<A: Actor> Watch<A> {
    /// Starts over for a run of this scenario.
    pub fn reset(&mut self, scenario: &Scenario<A>) {
        self.ghost = A::Ghost::default();
        self.evaluated.clear();
        self.evaluated.resize(scenario.check_names().count(), 0);
    }

    /// Evaluates what holds after every step.
    ///
    /// # Errors
    /// The promise that was broken.
    #[inline(always)] // It is one call a step, and what it answers would go through memory.
    pub fn after(&mut self, scenario: &Scenario<A>, world: &World<A>) -> Result<(), Violation> {
        let counts = self.evaluated.as_mut_slice();
        for (i, check) in scenario.always.iter().enumerate() {
            let count = &mut counts[i];
            match (check.check)(world, &mut self.ghost, world.last_step()) {
                Checked::Skipped => {}
                Checked::Held => *count += 1,
                Checked::Broken(class, detail) => {
                    *count += 1;
                    return Err(Violation { check: check.name, class, detail });
                }
            }
        }
        Ok(())
    }

    /// The first promise that is still pending: its index and what it waits for.
    pub fn pending(&mut self, scenario: &Scenario<A>, world: &World<A>) -> Option<(usize, String)> {
        let from = scenario.always.len();
        for (i, check) in scenario.eventually.iter().enumerate() {
            self.evaluated[from + i] += 1;
            if let Err(pending) = (check.check)(world, &self.ghost) {
                return Some((i, pending));
            }
        }
        None
    }

    /// Evaluates what is judged at the end of the run.
    ///
    /// # Errors
    /// The reason why a check could not be decided, if no other was broken.
    pub fn at_end(
        &mut self,
        scenario: &Scenario<A>,
        world: &World<A>,
        config: &Config,
    ) -> Result<Option<Violation>, String> {
        let from = scenario.always.len() + scenario.eventually.len();
        let mut undecided = None;
        for (i, check) in scenario.finally.iter().enumerate() {
            match (check.check)(world, &self.ghost, config) {
                // What cannot be decided hides nothing that is broken.
                Err(reason) => undecided = undecided.or(Some(reason)),
                Ok(Checked::Skipped) => {}
                Ok(Checked::Held) => self.evaluated[from + i] += 1,
                Ok(Checked::Broken(class, detail)) => {
                    self.evaluated[from + i] += 1;
                    return Ok(Some(Violation { check: check.name, class, detail }));
                }
            }
        }
        undecided.map_or(Ok(None), Err)
    }
}
