//! A seed grows into a plan: one stream of draws for each purpose, so that drawing more of one thing moves no other.

use super::Scenario;
use crate::actor::{Actor, BugSet};
use crate::choose::{Draw, Odds, Purpose};
use crate::fault::{Kind, KindSet};
use crate::nemesis::{
    Budget, Config, Ground, Noise, Plan, PlannedOp, draw_faults, draw_fragile, draw_fragile_files,
    draw_rates, draw_run, draw_swarm, fixed_rates, sprinkle_evenly, without_damage,
};
use crate::time::Span;
use crate::world::Topology;

impl<A: Actor> Scenario<A> {
    /// The plan that grows from a seed: a swarm of kinds, faults in shapes over time, noise at drawn rates. It does not
    /// depend on any planted bug.
    #[must_use]
    pub fn expand(&self, seed: u64) -> Plan<A> {
        let (mut plan, budget, topology) = self.calm(seed);
        let mut draw = Draw::new(seed, Purpose::Faults);
        let on = draw_swarm(budget.kinds, &mut draw);
        let on = self.give_up(&mut plan, &budget, on, &topology);
        let ground = self.ground(&plan, &topology);
        let faults = draw_faults(&ground, on, budget.faults_max, &mut draw);
        let mut draw = Draw::new(seed, Purpose::Noise);
        plan.odds = draw_rates(without_damage(on, &plan.run), &mut draw);
        plan.odds.extend(self.own_odds(|| draw.chance(1, 2)));
        plan.odds.sort_by_key(|(site, _)| *site);
        plan.faults = faults;
        plan
    }

    /// The control arm of a hunt: every kind that the budget allows, on at one fixed low rate; no shapes, points or swarm.
    #[must_use]
    pub fn expand_control(&self, seed: u64) -> Plan<A> {
        let (mut plan, budget, topology) = self.calm(seed);
        let on = self.give_up(&mut plan, &budget, budget.kinds, &topology);
        let ground = self.ground(&plan, &topology);
        let mut draw = Draw::new(seed, Purpose::Faults);
        let faults = sprinkle_evenly(&ground, on, budget.faults_max, &mut draw);
        plan.odds = fixed_rates(without_damage(on, &plan.run));
        plan.odds.extend(self.own_odds(|| true));
        plan.odds.sort_by_key(|(site, _)| *site);
        plan.faults = faults;
        plan
    }

    /// The plan without trouble: knobs, numbers of the run, workload. Whatever is drawn for trouble moves none of these.
    fn calm(&self, seed: u64) -> (Plan<A>, Budget, Topology<A>) {
        let mut draw = Draw::new(seed, Purpose::Config);
        let values = self.knobs.iter().map(|k| (k.name, draw.range(k.min, k.max))).collect();
        let config = Config { values };
        let mut run = draw_run(&mut Draw::new(seed, Purpose::Timing));
        // The scenario has the last word.
        (self.tune)(&config, &mut run);
        let budget = (self.budget)(&config);
        let topology = (self.topology)(&config);
        let mut ops = (self.workload)(&config, &mut Draw::new(seed, Purpose::Workload));
        // A run wants the operations of a client in one piece and in order.
        let place = |op: &PlannedOp<A::Op>| (op.client, op.number);
        if !ops.is_sorted_by_key(place) {
            ops.sort_by_key(place);
        }
        let plan = Plan {
            seed,
            bugs: BugSet::NONE,
            config,
            run,
            down_max: budget.down_max,
            ops,
            faults: Vec::new(),
            noise: Noise::Drawn(seed),
            odds: Vec::new(),
        };
        (plan, budget, topology)
    }

    /// Draws the nodes that the budget gives up, and the classes of files there, unless the scenario has named them. Answers
    /// the kinds that can strike then.
    fn give_up(
        &self,
        plan: &mut Plan<A>,
        budget: &Budget,
        on: KindSet,
        topology: &Topology<A>,
    ) -> KindSet {
        let (run, classes) = (&mut plan.run, topology.file_classes().len());
        let mut draw = Draw::new(plan.seed, Purpose::Budget);
        if run.fragile.is_empty() {
            run.fragile = draw_fragile(on, topology.servers(), budget.fragile_max, &mut draw);
        }
        if !run.fragile.is_empty() && run.fragile_files.is_empty() {
            run.fragile_files = draw_fragile_files(on, classes, &mut draw);
        }
        let whole = (0..classes).all(|class| run.fragile_files.has(class));
        if whole { on } else { on.without(Kind::Wipe) }
    }

    fn ground<'g>(&self, plan: &'g Plan<A>, topology: &Topology<A>) -> Ground<'g> {
        let longest = plan.ops.chunk_by(|one, other| one.client == other.client).map(<[_]>::len);
        let run = &plan.run;
        // An operation takes some round trips and some requests to a disk; more if there is trouble.
        let each = run.think + run.latency.times(4) + run.disk.times(2);
        Ground {
            servers: topology.servers(),
            clients: topology.client_nodes(),
            points: self.points,
            run,
            busy: Span(each.0.saturating_mul(longest.max().unwrap_or(0) as u64)),
            down_max: plan.down_max,
        }
    }

    /// The odds of the model's own sites, as far as they are on.
    fn own_odds(&self, mut on: impl FnMut() -> bool) -> impl Iterator<Item = (u16, Odds)> {
        let drawn = self.sites.iter().filter(move |own| on() && !own.odds.is_calm());
        drawn.map(|own| (own.site.id, own.odds))
    }
}

#[cfg(test)]
mod tests;
