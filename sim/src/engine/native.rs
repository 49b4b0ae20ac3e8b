//! The native engine: whole runs, one after the other, in memory that is used again.

use super::{Execute, Progress, Report, Simulation, Verdict};
use crate::actor::Actor;
use crate::check::Scenario;
use crate::nemesis::{Config, Plan};
use crate::world::{Topology, Violation, promise};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What to keep of a run beside its verdict. None of it changes the digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Write a trace: all of it, or at least this many of the last lines.
    pub trace: Option<usize>,
    /// Keep the decisions that differ from calm.
    pub decisions: bool,
    /// Keep the digest after each step.
    pub step_digests: bool,
    /// Stop after this many steps; the verdict is then inconclusive.
    pub stop_after: Option<u32>,
}

/// What a panic said.
pub(crate) fn said(payload: &(dyn Any + Send)) -> String {
    let words = payload.downcast_ref::<String>().map(String::as_str);
    let words = words.or_else(|| payload.downcast_ref::<&str>().copied());
    words.unwrap_or("a panic without words").into()
}

/// Runs plans of one scenario.
pub struct Native<'s, A: Actor> {
    scenario: &'s Scenario<A>,
    simulation: Simulation<A>,
    topology: Option<(Config, Topology<A>)>,
    /// The simulation belongs to the present plan, and not to the one before.
    ready: bool,
}

impl<'s, A: Actor> Native<'s, A> {
    /// An engine for this scenario.
    #[must_use]
    pub fn new(scenario: &'s Scenario<A>) -> Native<'s, A> {
        Native { scenario, simulation: Simulation::default(), topology: None, ready: false }
    }

    /// The scenario that it runs.
    #[must_use]
    pub fn scenario(&self) -> &'s Scenario<A> {
        self.scenario
    }

    /// The simulation as the last run left it.
    #[must_use]
    pub fn simulation(&self) -> &Simulation<A> {
        &self.simulation
    }

    /// Runs a plan to its end. A panic of the model or of the testbed is caught here and becomes a broken promise of class
    /// *panic*; the world is made anew after it.
    pub fn run(&mut self, plan: &Plan<A>, options: Options) -> Report {
        let caught = catch_unwind(AssertUnwindSafe(|| self.run_through(plan, options)));
        caught.unwrap_or_else(|payload| {
            let violation =
                Violation { check: promise::NO_PANIC, class: "panic", detail: said(&*payload) };
            if !self.ready {
                self.simulation = Simulation::default();
            }
            let report = self.simulation.report(Verdict::Broken(violation), Vec::new());
            self.simulation = Simulation::default();
            self.topology = None;
            report
        })
    }

    fn run_through(&mut self, plan: &Plan<A>, options: Options) -> Report {
        let scenario = self.scenario;
        self.prepare(plan, options);
        let mut step_digests = Vec::new();
        if options.step_digests || options.stop_after.is_some() {
            self.look_on(plan, options, &mut step_digests);
        } else {
            self.simulation.run_on(scenario, plan);
        }
        let simulation = &mut self.simulation;
        let verdict = simulation.verdict().cloned();
        let verdict = verdict.unwrap_or_else(|| Verdict::Inconclusive("stopped as asked".into()));
        simulation.report(verdict, step_digests)
    }

    /// Goes on to the end, or to the step that was asked for, and looks at every step.
    #[cold]
    fn look_on(&mut self, plan: &Plan<A>, options: Options, step_digests: &mut Vec<u64>) {
        let simulation = &mut self.simulation;
        loop {
            match simulation.advance(self.scenario, plan) {
                Progress::Step => {
                    if options.step_digests {
                        step_digests.push(simulation.world.digest());
                    }
                    if options.stop_after == Some(simulation.world.steps()) {
                        return;
                    }
                }
                Progress::Between => {}
                Progress::Over => return,
            }
        }
    }

    /// Makes the simulation ready for a plan, without running it.
    #[inline(never)]
    pub fn prepare(&mut self, plan: &Plan<A>, options: Options) -> &mut Simulation<A> {
        self.ready = false;
        let known = self.topology.take().filter(|(config, _)| *config == plan.config);
        let (config, topology) =
            known.unwrap_or_else(|| (plan.config.clone(), (self.scenario.topology)(&plan.config)));
        self.simulation.prepare(self.scenario, &topology, plan, options);
        self.topology = Some((config, topology));
        self.ready = true;
        &mut self.simulation
    }
}

impl<A: Actor> Execute<A> for Native<'_, A> {
    fn run(&mut self, plan: &Plan<A>, options: Options) -> Report {
        Native::run(self, plan, options)
    }

    fn another(&self) -> Self {
        Native::new(self.scenario)
    }
}
