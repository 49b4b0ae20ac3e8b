//! A scenario of any model, behind one face: what the verbs of the command line work with.

use super::case::{Case, PlanCase};
use super::engine::{self, Engine};
use super::hush::hush;
use super::seed_file::{self, Header, InputError};
use crate::actor::{Actor, Bug, BugSet};
use crate::check::Scenario;
use crate::engine::{Execute, Native, Options, Report, Unused, Verdict, said};
use crate::fault::{Kind, KindSet};
use crate::nemesis::{Knob, Plan};
use crate::time::Span;
use crate::world::{Violation, promise};
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How a seed grows into a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arm {
    /// As sweeps do it: kinds, shapes, points and rates are drawn.
    #[default]
    Drawn,
    /// The control: every kind on at one fixed low rate, no shapes, points or swarm.
    Control,
}

/// How seeds are run: the arm, the planted bug that is switched on, and the engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Setting {
    /// How a seed grows into a plan.
    pub arm: Arm,
    /// The planted bug that is on.
    pub bug: Option<&'static Bug>,
    /// What runs them.
    pub engine: Engine,
}

/// What there is to say about a scenario.
#[derive(Clone, Debug)]
pub struct Info {
    /// `model/name`.
    pub name: &'static str,
    /// A line about it.
    pub about: &'static str,
    /// Its checks: always, eventually, at the end.
    pub checks: Vec<&'static str>,
    /// Its points.
    pub points: Vec<Promise>,
    /// What a campaign must have seen.
    pub marks: Vec<Promise>,
    /// The planted bugs of its model.
    pub bugs: &'static [Bug],
    /// The numbers that a plan draws.
    pub knobs: &'static [Knob],
    /// The kinds of trouble that some plan may have.
    pub kinds: KindSet,
    /// How many servers may be away at once, over all plans looked at.
    pub down_max: RangeInclusive<u32>,
    /// How many servers may lose or damage what is durable, over all plans looked at.
    pub fragile_max: RangeInclusive<u32>,
}

/// A point or mark: one bit of what a run has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Its bit.
    pub index: u8,
    /// Its name.
    pub name: &'static str,
}

/// A scenario of any model. Implemented by every [`Scenario`].
pub trait Runner: Send + Sync {
    /// `model/name`.
    fn name(&self) -> &'static str;
    /// The planted bugs of its model.
    fn bugs(&self) -> &'static [Bug];
    /// What there is to say about it.
    fn info(&self) -> Info;
    /// Memory to run seeds in, one after the other. Each thread has its own.
    fn session(&self) -> Box<dyn Session + '_>;
    /// The plan that grows from a seed; where an engine only samples, the plan that it ran.
    ///
    /// # Errors
    /// If growing it panics, which is a defect of the model: the broken promise that says so.
    fn grow(&self, seed: u64, setting: Setting) -> Result<Box<dyn Case + '_>, Violation>;
    /// The plan of a seed file; `file` is what messages call it.
    ///
    /// # Errors
    /// If the text is no seed file of this scenario.
    fn read(&self, text: &str, file: &str) -> Result<Box<dyn Case + '_>, InputError>;
}

/// Runs the seeds of one scenario, one after the other, in memory that is used again.
pub trait Session: Send {
    /// Grows a seed into its plan and runs it.
    fn run(&mut self, seed: u64, setting: Setting, options: Options) -> Report;
}

impl<A: Actor> Runner for Scenario<A> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn bugs(&self) -> &'static [Bug] {
        self.bugs
    }

    fn info(&self) -> Info {
        info(self)
    }

    fn session(&self) -> Box<dyn Session + '_> {
        Box::new(SeedSession { native: Native::new(self) })
    }

    fn grow(&self, seed: u64, setting: Setting) -> Result<Box<dyn Case + '_>, Violation> {
        let mut plan = grown(self, seed, setting)?;
        if setting.engine.samples() {
            let mut native = Native::new(self);
            let _ = engine::run(setting.engine, &mut native, &mut plan, Options::default());
        }
        Ok(case(self, setting, plan, Native::new(self)))
    }

    fn read(&self, text: &str, file: &str) -> Result<Box<dyn Case + '_>, InputError> {
        read(self, text, file, Native::new(self))
    }
}

/// What there is to say about a scenario.
pub(super) fn info<A: Actor>(scenario: &Scenario<A>) -> Info {
    let (mut kinds, mut down, mut fragile) = (KindSet::NONE, Vec::new(), Vec::new());
    for seed in 0..SEEDS_LOOKED_AT {
        if let Ok(plan) = grow(scenario, seed, Arm::Drawn) {
            let budget = (scenario.budget)(&plan.config);
            kinds = kinds.and(budget.kinds);
            down.push(budget.down_max);
            fragile.push(budget.fragile_max);
        }
    }
    let range =
        |of: &[u32]| of.iter().min().copied().unwrap_or(0)..=of.iter().max().copied().unwrap_or(0);
    let points = scenario.points.iter().map(|p| Promise { index: p.index, name: p.name });
    let marks = scenario.marks.iter().map(|m| Promise { index: m.index, name: m.name });
    Info {
        name: scenario.name,
        about: scenario.about,
        checks: scenario.check_names().collect(),
        points: points.collect(),
        marks: marks.collect(),
        bugs: scenario.bugs,
        knobs: scenario.knobs,
        kinds,
        down_max: range(&down),
        fragile_max: range(&fragile),
    }
}

/// The plan of a seed, with the planted bug switched on.
pub(super) fn grown<A: Actor>(
    scenario: &Scenario<A>,
    seed: u64,
    setting: Setting,
) -> Result<Plan<A>, Violation> {
    let mut plan = grow(scenario, seed, setting.arm)?;
    plan.bugs = setting.bug.map_or(BugSet::NONE, BugSet::only);
    Ok(plan)
}

/// A plan that was grown, as a case.
pub(super) fn case<'s, A: Actor>(
    scenario: &'s Scenario<A>,
    setting: Setting,
    plan: Plan<A>,
    engine: impl Execute<A> + 's,
) -> Box<dyn Case + 's> {
    let header = Header {
        scenario: scenario.name.into(),
        bug: setting.bug.map(|bug| bug.name.into()),
        ..Header::default()
    };
    Box::new(PlanCase::new(scenario, header, plan, engine))
}

/// The plan of a seed file, as a case.
pub(super) fn read<'s, A: Actor>(
    scenario: &'s Scenario<A>,
    text: &str,
    file: &str,
    engine: impl Execute<A> + 's,
) -> Result<Box<dyn Case + 's>, InputError> {
    let (header, mut plan) = seed_file::parse(scenario, text, file)?;
    plan.bugs = match &header.bug {
        None => BugSet::NONE,
        Some(name) => BugSet::only(scenario.bug(name).ok_or_else(|| InputError {
            file: file.into(),
            line: 0,
            message: format!("expected a planted bug of {}, found `{name}`", scenario.name),
        })?),
    };
    Ok(Box::new(PlanCase::new(scenario, header, plan, engine)))
}

/// Budgets may depend on what a plan draws; so many plans are looked at to describe them.
const SEEDS_LOOKED_AT: u64 = 64;

struct SeedSession<'s, A: Actor> {
    native: Native<'s, A>,
}

impl<A: Actor> Session for SeedSession<'_, A> {
    fn run(&mut self, seed: u64, setting: Setting, options: Options) -> Report {
        hush(|| match grown(self.native.scenario(), seed, setting) {
            Ok(mut plan) => engine::run(setting.engine, &mut self.native, &mut plan, options),
            Err(violation) => stillborn(violation),
        })
    }
}

/// Grows a plan. A panic of the model's workload or topology is a finding, as one within a run is.
fn grow<A: Actor>(scenario: &Scenario<A>, seed: u64, arm: Arm) -> Result<Plan<A>, Violation> {
    let grown = catch_unwind(AssertUnwindSafe(|| match arm {
        Arm::Drawn => scenario.expand(seed),
        Arm::Control => scenario.expand_control(seed),
    }));
    grown.map_err(|payload| {
        let detail = format!("while the plan grew: {}", said(&*payload));
        Violation { check: promise::NO_PANIC, class: "panic", detail }
    })
}

/// The report of a run that never began.
pub(super) fn stillborn(violation: Violation) -> Report {
    Report {
        verdict: Verdict::Broken(violation),
        digest: 0,
        steps: 0,
        virtual_time: Span(0),
        marks: 0,
        points: 0,
        counted: false,
        evaluated: Vec::new(),
        seen: [0; Kind::CATALOGUE.len()],
        completed: 0,
        unused: Unused::default(),
        decisions: Vec::new(),
        trace: Vec::new(),
        step_digests: Vec::new(),
    }
}
