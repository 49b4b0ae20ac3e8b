//! A scenario: nodes, workload, trouble and judges, under a name.

use super::{Always, Eventually, Finally};
use crate::actor::{Actor, Bug, Mark, Names, Point};
use crate::choose::{Draw, Odds, Site};
use crate::nemesis::{Budget, Config, Knob, PlannedOp, Run};
use crate::world::Topology;

/// A decision site of a model, and the odds at which a plan draws it when it is on.
#[derive(Debug)]
pub struct ModelSite {
    /// The site; its id is at least [`crate::choose::FIRST_MODEL_SITE`].
    pub site: &'static Site,
    /// The weights of its outcomes, calm first.
    pub odds: Odds,
}

/// Operations for clients, by the order of the clients.
pub type Questions<O> = Vec<(u16, O)>;

/// Nodes, workload, trouble and judges, under a name. Plain data and plain functions: everything that a run is made from
/// is a pure function of the seed.
pub struct Scenario<A: Actor> {
    /// `model/name`.
    pub name: &'static str,
    /// A line about it.
    pub about: &'static str,
    /// The numbers that a plan draws.
    pub knobs: &'static [Knob],
    /// Adapts the engine's numbers to the knobs.
    pub tune: fn(&Config, &mut Run),
    /// What it promises to survive.
    pub budget: fn(&Config) -> Budget,
    /// Who is there.
    pub topology: fn(&Config) -> Topology<A>,
    /// What the clients do.
    pub workload: fn(&Config, &mut Draw) -> Vec<PlannedOp<A::Op>>,
    /// What the judge asks at the end, by client.
    pub read_back: fn(&Config) -> Questions<A::Op>,
    /// Promises after every step.
    pub always: &'static [Always<A>],
    /// Promises that come true once the trouble has ended.
    pub eventually: &'static [Eventually<A>],
    /// Promises about the whole run.
    pub finally: &'static [Finally<A>],
    /// What a campaign must have seen.
    pub marks: &'static [Mark],
    /// Places where a fault may strike.
    pub points: &'static [Point],
    /// Planted bugs of the model.
    pub bugs: &'static [Bug],
    /// Decision sites of the model.
    pub sites: &'static [ModelSite],
    /// The same sites, for reading noise lines.
    pub site_list: &'static [&'static Site],
}

impl<A: Actor> Scenario<A> {
    /// The names of its checks: always, eventually, at the end.
    pub fn check_names(&self) -> impl Iterator<Item = &'static str> + '_ {
        let always = self.always.iter().map(|c| c.name);
        let eventually = self.eventually.iter().map(|c| c.name);
        always.chain(eventually).chain(self.finally.iter().map(|c| c.name))
    }

    /// What everything is called in a world of this topology.
    #[must_use]
    pub fn names(&self, topology: &Topology<A>) -> Names {
        topology.names(self.points, self.site_list)
    }

    /// The planted bug of this name.
    #[must_use]
    pub fn bug(&self, name: &str) -> Option<&'static Bug> {
        self.bugs.iter().find(|bug| bug.name == name)
    }
}
