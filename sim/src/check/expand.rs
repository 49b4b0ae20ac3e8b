//! A seed grows into a plan.

use super::Scenario;
use crate::actor::{Actor, BugSet};
use crate::choose::{Draw, Purpose};
use crate::nemesis::{Config, Noise, Plan, Run};

impl<A: Actor> Scenario<A> {
    /// The plan that grows from a seed. It does not depend on any planted bug.
    #[must_use]
    pub fn expand(&self, seed: u64) -> Plan<A> {
        let mut draw = Draw::new(seed, Purpose::Config);
        let values = self.knobs.iter().map(|k| (k.name, draw.range(k.min, k.max))).collect();
        let config = Config { values };
        let mut run = Run::DEFAULT;
        (self.tune)(&config, &mut run);
        let budget = (self.budget)(&config);
        let ops = (self.workload)(&config, &mut Draw::new(seed, Purpose::Workload));
        Plan {
            seed,
            bugs: BugSet::NONE,
            config,
            run,
            down_max: budget.down_max,
            ops,
            faults: Vec::new(),
            noise: Noise::Drawn(seed),
            odds: Vec::new(),
        }
    }

    /// The control arm of a hunt: every kind that the budget allows, on at one fixed low rate; no shapes, points or swarm.
    #[must_use]
    pub fn expand_control(&self, seed: u64) -> Plan<A> {
        self.expand(seed)
    }
}
