//! Shrinking: from a plan that breaks a promise to the few lines that matter.
//!
//! ```text
//! materialise ▶ kinds ▶ horizon ▶ knobs ▶ ┌ operations ▶ faults ▶ noise ▶ values ┐ until nothing more goes
//!                                         └──────────────────────────────────────┘
//! ```
//!
//! What is kept is the signature, not "any failure". It is deterministic, and bounded by executions, never by time. At
//! its fixed point every single line is needed: with any one of them taken away the signature does not come back.
//! Reading order: [`shrink`], `part.rs` (lists of lines), `passes.rs` (what is tried, in which order), `value.rs` (what
//! is simpler than a line), `remap.rs` (a plan moved to other knobs).

mod materialise;
mod part;
mod passes;
mod remap;
mod value;

pub(super) use materialise::materialise;
pub(super) use part::Part;

use super::signature::Signature;
use crate::actor::{Actor, BugSet};
use crate::check::Scenario;
use crate::engine::Report;
use crate::nemesis::{Noise, Plan};
use std::sync::atomic::{AtomicBool, Ordering};

/// How far a shrink may go.
#[derive(Clone, Copy, Debug)]
pub struct Limit<'a> {
    /// The most executions. Enough for plans of some hundred lines by default.
    pub executions: u32,
    /// Raised by somebody who wants it to end now, with what it has.
    pub stop: &'a AtomicBool,
}

/// Never raised.
static NEVER: AtomicBool = AtomicBool::new(false);

impl Limit<'static> {
    /// The most executions of a shrink, if nothing else is said.
    pub const EXECUTIONS: u32 = 20_000;

    /// Up to this many executions, and nobody interrupts.
    #[must_use]
    pub fn executions(executions: u32) -> Limit<'static> {
        Limit { executions, stop: &NEVER }
    }
}

/// How many lines a plan has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Size {
    /// Operations.
    pub ops: usize,
    /// Faults.
    pub faults: usize,
    /// Deviations from calm, if they are lines.
    pub noise: usize,
    /// Whether the deviations are drawn: then there may be any number of them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub drawn: bool,
}

impl Size {
    /// The size of a plan.
    #[must_use]
    pub fn of<A: Actor>(plan: &Plan<A>) -> Size {
        let (noise, drawn) = match &plan.noise {
            Noise::Drawn(_) => (0, true),
            Noise::Lines(lines) => (lines.len(), false),
        };
        Size { ops: plan.ops.len(), faults: plan.faults.len(), noise, drawn }
    }

    /// All lines.
    #[must_use]
    pub fn lines(self) -> usize {
        self.ops + self.faults + self.noise
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counts = [(self.ops, "operation"), (self.faults, "fault"), (self.noise, "noise line")];
        for (i, (n, noun)) in counts.into_iter().enumerate() {
            let (comma, plural) = (if i > 0 { ", " } else { "" }, if n == 1 { "" } else { "s" });
            write!(f, "{comma}{n} {noun}{plural}")?;
        }
        if self.drawn { write!(f, ", drawn noise") } else { Ok(()) }
    }
}

/// What a shrink did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrinking {
    /// The signature that was kept.
    pub signature: Signature,
    /// What was seen in the run of the small plan.
    pub detail: String,
    /// The size of the plan with its noise as lines, before.
    pub before: Size,
    /// The size after.
    pub after: Size,
    /// How many runs it took.
    pub executions: u32,
    /// Whether every single line is known to be needed; false if the executions ran out.
    pub minimal: bool,
}

/// A plan made small.
#[derive(Clone, Debug)]
pub struct Shrunk<A: Actor> {
    /// The plan.
    pub plan: Plan<A>,
    /// Its run.
    pub report: Report,
    /// How many runs it took.
    pub executions: u32,
    /// Whether every single line is known to be needed.
    pub minimal: bool,
}

/// Decides whether a plan still shows what matters, and gives the report of its run if so.
pub type Judge<'j, A> = dyn FnMut(&Plan<A>) -> Option<Report> + 'j;

/// Makes a plan smaller while the judge is satisfied.
///
/// # Panics
/// If the judge is not satisfied with the plan itself: then there is nothing to keep.
pub fn shrink<A: Actor>(
    scenario: &Scenario<A>,
    plan: &Plan<A>,
    judge: &mut Judge<'_, A>,
    limit: Limit<'_>,
) -> Shrunk<A> {
    let report = judge(plan).expect("the plan itself shows what matters");
    let mut shrinker =
        Shrinker { scenario, judge, limit, plan: plan.clone(), report, executions: 1, accepted: 0 };
    shrinker.prune();
    shrinker.passes();
    let minimal = !shrinker.exhausted();
    let Shrinker { plan, report, executions, .. } = shrinker;
    Shrunk { plan, report, executions, minimal }
}

/// The state of a shrink: the smallest plan so far.
struct Shrinker<'a, 'j, A: Actor> {
    scenario: &'a Scenario<A>,
    judge: &'a mut Judge<'j, A>,
    limit: Limit<'a>,
    plan: Plan<A>,
    report: Report,
    executions: u32,
    /// How many candidates were accepted.
    accepted: u32,
}

impl<A: Actor> Shrinker<'_, '_, A> {
    fn exhausted(&self) -> bool {
        self.executions >= self.limit.executions || self.limit.stop.load(Ordering::Relaxed)
    }

    /// Tries a candidate; it becomes the plan if the judge is satisfied.
    fn attempt(&mut self, candidate: Plan<A>) -> bool {
        let accepted = self.take(candidate);
        if accepted {
            self.accepted += 1;
            self.prune();
        }
        accepted
    }

    fn take(&mut self, candidate: Plan<A>) -> bool {
        if self.exhausted() {
            return false;
        }
        self.executions += 1;
        let Some(report) = (self.judge)(&candidate) else { return false };
        // The judge has run it a second time, without its planted bug.
        self.executions += u32::from(candidate.bugs != BugSet::NONE);
        (self.plan, self.report) = (candidate, report);
        true
    }

    /// Drops the lines that found no use. They go without a change of the run, nearly always: an operation that was never
    /// asked may still keep a client busy, and so the heal away.
    fn prune(&mut self) {
        while !self.report.unused.is_empty() {
            let unused = &self.report.unused;
            let without_noise = part::without_noise(&self.plan, &unused.noise);
            let without_faults = part::without_faults(&without_noise, &unused.faults);
            let without_ops = part::without_ops(&without_faults, &unused.ops);
            let fewer = |plan: &Plan<A>| Size::of(plan).lines() < Size::of(&self.plan).lines();
            if !fewer(&without_ops) {
                return;
            }
            let partly = fewer(&without_faults);
            let pruned = self.take(without_ops) || (partly && self.take(without_faults));
            if !pruned {
                return;
            }
        }
    }
}
