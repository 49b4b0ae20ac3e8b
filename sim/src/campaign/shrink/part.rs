//! The three lists of lines of a plan, and plans without some of them.

use crate::actor::Actor;
use crate::choose::Decision;
use crate::nemesis::{Noise, Plan};
use std::ops::Range;

/// One of the three lists of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::campaign) enum Part {
    /// Operations.
    Ops,
    /// Faults.
    Faults,
    /// Deviations from calm, if they are lines.
    Noise,
}

impl Part {
    /// How many lines it has.
    pub(super) fn len<A: Actor>(self, plan: &Plan<A>) -> usize {
        match (self, &plan.noise) {
            (Part::Ops, _) => plan.ops.len(),
            (Part::Faults, _) => plan.faults.len(),
            (Part::Noise, Noise::Lines(lines)) => lines.len(),
            (Part::Noise, Noise::Drawn(_)) => 0,
        }
    }

    /// The plan without these lines.
    pub(in crate::campaign) fn without<A: Actor>(
        self,
        plan: &Plan<A>,
        range: Range<usize>,
    ) -> Plan<A> {
        let mut plan = plan.clone();
        match (self, &mut plan.noise) {
            (Part::Ops, _) => drop(plan.ops.drain(range)),
            (Part::Faults, _) => drop(plan.faults.drain(range)),
            (Part::Noise, Noise::Lines(lines)) => drop(lines.drain(range)),
            (Part::Noise, Noise::Drawn(_)) => {}
        }
        plan
    }
}

/// The plan without these deviations.
pub(super) fn without_noise<A: Actor>(plan: &Plan<A>, unused: &[Decision]) -> Plan<A> {
    let mut plan = plan.clone();
    if let Noise::Lines(lines) = &mut plan.noise {
        lines.retain(|line| !unused.iter().any(|u| (u.site, u.key) == (line.site, line.key)));
    }
    plan
}

/// The plan without these fault lines.
pub(super) fn without_faults<A: Actor>(plan: &Plan<A>, unused: &[usize]) -> Plan<A> {
    let mut plan = plan.clone();
    let mut at = 0;
    plan.faults.retain(|_| {
        at += 1;
        !unused.contains(&(at - 1))
    });
    plan
}

/// The plan without these operations: client and number.
pub(super) fn without_ops<A: Actor>(plan: &Plan<A>, unused: &[(u16, u32)]) -> Plan<A> {
    let mut plan = plan.clone();
    plan.ops.retain(|op| !unused.contains(&(op.client, op.number)));
    plan
}
