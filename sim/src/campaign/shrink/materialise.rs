//! Drawn noise becomes lines: what a run decided other than calm, written down.

use crate::actor::Actor;
use crate::choose::Decision;
use crate::engine::{Execute, Options};
use crate::nemesis::{Noise, Plan};
use std::collections::BTreeSet;

/// The plan with its drawn noise as lines. `None` if its noise is lines already, or the run with lines is another one
/// (which is a defect of the testbed, so nothing is changed then).
pub(in crate::campaign) fn materialise<A: Actor>(
    engine: &mut impl Execute<A>,
    plan: &Plan<A>,
) -> Option<Plan<A>> {
    let Noise::Drawn(_) = plan.noise else { return None };
    let drawn = engine.run(plan, Options { decisions: true, ..Options::default() });
    let mut known = BTreeSet::new();
    let lines: Vec<Decision> =
        drawn.decisions.into_iter().filter(|d| known.insert((d.site, d.key))).collect();
    // The details of an outcome (which bit, which sector) belong to the plan's own seed, whatever drew the outcomes.
    let mut explicit = plan.clone();
    explicit.noise = Noise::Lines(lines);
    explicit.odds.clear();
    let again = engine.run(&explicit, Options::default());
    (again.digest == drawn.digest && again.verdict == drawn.verdict).then_some(explicit)
}
