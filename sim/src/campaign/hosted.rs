//! Scenarios of code that is written against madsim's own API.

use super::case::Case;
use super::hush::hush;
use super::runner::{Info, Runner, Session, Setting, case, grown, info, read, stillborn};
use super::seed_file::InputError;
use crate::actor::Bug;
use crate::check::Scenario;
use crate::engine::hosted::{Hosted, System, run};
use crate::engine::{Execute, Options, Report};
use crate::nemesis::Plan;
use crate::world::Violation;

/// A scenario of code that is written against madsim's own API. It runs on madsim, whatever engine is asked for.
pub struct OnMadsim<S: System>(pub Scenario<Hosted<S>>);

impl<S: System> Runner for OnMadsim<S> {
    fn name(&self) -> &'static str {
        self.0.name
    }

    fn bugs(&self) -> &'static [Bug] {
        self.0.bugs
    }

    fn info(&self) -> Info {
        info(&self.0)
    }

    fn session(&self) -> Box<dyn Session + '_> {
        Box::new(Alone(&self.0))
    }

    fn grow(&self, seed: u64, setting: Setting) -> Result<Box<dyn Case + '_>, Violation> {
        let plan = grown(&self.0, seed, setting)?;
        Ok(case(&self.0, setting, plan, Alone(&self.0)))
    }

    fn read(&self, text: &str, file: &str) -> Result<Box<dyn Case + '_>, InputError> {
        read(&self.0, text, file, Alone(&self.0))
    }
}

/// Runs each plan on a thread of its own, since madsim keeps state by thread.
struct Alone<'s, S: System>(&'s Scenario<Hosted<S>>);

impl<S: System> Execute<Hosted<S>> for Alone<'_, S> {
    fn run(&mut self, plan: &Plan<Hosted<S>>, options: Options) -> Report {
        let run = || hush(|| run(self.0, plan, options));
        std::thread::scope(|scope| scope.spawn(run).join())
            .expect("panics of a run are caught in it")
    }

    fn another(&self) -> Self {
        Alone(self.0)
    }
}

impl<S: System> Session for Alone<'_, S> {
    fn run(&mut self, seed: u64, setting: Setting, options: Options) -> Report {
        match hush(|| grown(self.0, seed, setting)) {
            Ok(plan) => Execute::run(self, &plan, options),
            Err(violation) => stillborn(violation),
        }
    }
}
