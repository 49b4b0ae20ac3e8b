//! Which engine runs a plan, and what the second one is asked for.

use crate::actor::Actor;
use crate::engine::{Native, Options, Report};
use crate::nemesis::Plan;

#[cfg(madsim)]
use super::hush::hush;
#[cfg(madsim)]
use super::signature::Signature;
#[cfg(madsim)]
use crate::engine::{Verdict, madsim};
#[cfg(madsim)]
use crate::nemesis::Noise;
#[cfg(madsim)]
use crate::world::{TIE, Violation, promise};

/// Which engine runs a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Engine {
    /// The product.
    #[default]
    Native,
    /// The same actors as tasks of madsim. In free mode a plan gets the order of events that came about as lines, and is
    /// run again natively; the runs must be the same.
    #[cfg(madsim)]
    Madsim(madsim::Mode),
}

impl Engine {
    /// Its names on the command line: `native`; with the second engine `madsim`, `madsim-free` and `madsim-late-timers`.
    #[must_use]
    pub fn named(name: &str) -> Option<Engine> {
        match name {
            "native" => Some(Engine::Native),
            #[cfg(madsim)]
            "madsim" => Some(Engine::Madsim(madsim::Mode::Pinned)),
            #[cfg(madsim)]
            "madsim-free" => Some(Engine::Madsim(madsim::Mode::Free)),
            #[cfg(madsim)]
            "madsim-late-timers" => Some(Engine::Madsim(madsim::Mode::LateTimers)),
            _ => None,
        }
    }

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Engine::Native => "native",
            #[cfg(madsim)]
            Engine::Madsim(madsim::Mode::Pinned) => "madsim",
            #[cfg(madsim)]
            Engine::Madsim(madsim::Mode::Free) => "madsim-free",
            #[cfg(madsim)]
            Engine::Madsim(madsim::Mode::LateTimers) => "madsim-late-timers",
        }
    }

    /// Whether seeds are only samples of what it may do, to be looked at natively.
    #[must_use]
    pub fn samples(self) -> bool {
        #[cfg(madsim)]
        return self == Engine::Madsim(madsim::Mode::Free);
        #[cfg(not(madsim))]
        false
    }
}

/// Runs a plan. In free mode the plan becomes the one that was run.
pub(super) fn run<A: Actor>(
    engine: Engine,
    native: &mut Native<'_, A>,
    plan: &mut Plan<A>,
    options: Options,
) -> Report {
    match engine {
        Engine::Native => native.run(plan, options),
        #[cfg(madsim)]
        Engine::Madsim(madsim::Mode::Free) => sample(native, plan, options),
        #[cfg(madsim)]
        Engine::Madsim(mode) => alone(native, plan, options, mode),
    }
}

/// A run on madsim, on a thread of its own.
#[cfg(madsim)]
fn alone<A: Actor>(
    native: &Native<'_, A>,
    plan: &Plan<A>,
    options: Options,
    mode: madsim::Mode,
) -> Report {
    let scenario = native.scenario();
    let run = || hush(|| madsim::run(scenario, plan, options, mode));
    std::thread::scope(|scope| scope.spawn(run).join()).expect("panics of a run are caught in it")
}

/// Lets madsim decide what comes first at one instant, and runs the plan natively with the order that came about.
#[cfg(madsim)]
fn sample<A: Actor>(native: &mut Native<'_, A>, plan: &mut Plan<A>, options: Options) -> Report {
    plan.odds.retain(|(site, _)| *site != TIE.id);
    let free = alone(native, plan, options, madsim::Mode::Free);
    plan.noise = Noise::Lines(free.decisions);
    let mut report = native.run(plan, options);
    let broke = |verdict: &Verdict| Signature::of_verdict(verdict);
    if (report.digest, broke(&report.verdict)) != (free.digest, broke(&free.verdict)) {
        let one_line = |verdict: &Verdict| match verdict {
            Verdict::Pass => "every promise was kept".into(),
            Verdict::Broken(violation) => format!("broken: {}", violation.check),
            Verdict::Inconclusive(reason) => format!("no verdict: {reason}"),
        };
        let detail = format!(
            "on madsim: {}, digest {:016x}, {} steps\nnatively: {}, digest {:016x}, {} steps",
            one_line(&free.verdict),
            free.digest,
            free.steps,
            one_line(&report.verdict),
            report.digest,
            report.steps
        );
        let violation =
            Violation { check: promise::SAME_ON_BOTH, class: "engine difference", detail };
        report.verdict = Verdict::Broken(violation);
    }
    report
}
