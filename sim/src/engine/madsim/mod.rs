//! The second engine: every actor is a task on a madsim node and keeps its own state; madsim's clock says when something
//! is due, and its kill and restart end and begin the lives of nodes. What effects do is the world's, on both engines.
//!
//! ```text
//!   director ──sleep_until──▶ begin ──inbox──▶ task of the actor ──finish──▶ ended ──▶ director
//! ```
//!
//! A *pinned* run is the native one again, step for step: what the agenda of the native engine does wrong, and what a model
//! keeps outside its actors, shows as another digest. A *free* run leaves to madsim's scheduler what comes first at one
//! instant, and writes that order down, so that the native engine can replay it. `docs/decisions/0001-second-engine-hooks.md`
//! says what this is built on. Reading order: [`run`], `director.rs`, `stage.rs`, `agenda.rs`, `clock.rs`.

mod agenda;
mod clock;
mod director;
mod stage;

use super::{Options, Report, Simulation, Verdict, said};
use crate::actor::Actor;
use crate::check::Scenario;
use crate::nemesis::Plan;
use crate::world::{Violation, promise};
use director::Director;
use madsim::runtime::Runtime;
use stage::Stage;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

/// What becomes of things that are due at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They come in the order of the native engine.
    Pinned,
    /// They come as madsim's scheduler picks them. The order is added to the decisions of the report.
    Free,
    /// Pinned, but every timer fires a nanosecond late: a planted difference, so that a comparison is seen to fail.
    LateTimers,
}

/// Runs a plan to its end. A panic of the model or of the testbed becomes a broken promise of class *panic*.
///
/// madsim keeps state by thread, and what one run leaves there another would see: each run needs a thread of its own.
#[must_use]
pub fn run<A: Actor>(
    scenario: &Scenario<A>,
    plan: &Plan<A>,
    options: Options,
    mode: Mode,
) -> Report {
    let options = Options { decisions: options.decisions || mode == Mode::Free, ..options };
    let simulation = Arc::new(Mutex::new(Simulation::default()));
    caught(&simulation, || {
        let topology = (scenario.topology)(&plan.config);
        let stage = Arc::new(Stage::new(simulation.clone(), &topology));
        stage.simulation().prepare(scenario, &topology, plan, options);
        let runtime = Runtime::with_seed_and_config(plan.seed, ::madsim::Config::default());
        let director = Director::new(scenario, plan, stage, mode);
        runtime.block_on(director.direct(&topology, options))
    })
}

/// Makes a panic a broken promise, in the report of the simulation as far as it came.
pub(super) fn caught<A: Actor>(
    simulation: &Mutex<Simulation<A>>,
    run: impl FnOnce() -> Report,
) -> Report {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| {
        let violation =
            Violation { check: promise::NO_PANIC, class: "panic", detail: said(&*payload) };
        let mut simulation = simulation.lock().unwrap_or_else(PoisonError::into_inner);
        simulation.report(Verdict::Broken(violation), Vec::new())
    })
}
