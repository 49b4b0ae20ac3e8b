//! What a run is made from. A run is a pure function of the code and this.

use crate::actor::{Actor, BugSet};
use crate::choose::{Decision, Odds};
use crate::disk::ClassSet;
use crate::fault::{FaultLine, NodeSet};
use crate::time::{Span, Time};

/// A number of a scenario that a plan draws: a limit, a size, a count of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Knob {
    /// Its name in seed files.
    pub name: &'static str,
    /// The least value.
    pub min: u64,
    /// The greatest value.
    pub max: u64,
    /// Where shrinking moves it to: the value of the most boring run.
    pub simplest: u64,
    /// A line about it, with its unit.
    pub about: &'static str,
}

/// The values of a scenario's knobs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Config {
    /// Name and value, in the order of the scenario's knobs.
    pub values: Vec<(&'static str, u64)>,
}

impl Config {
    /// The value of a knob.
    ///
    /// # Panics
    /// If the scenario has no knob of that name: a defect of the model.
    #[must_use]
    pub fn get(&self, name: &str) -> u64 {
        let found = self.values.iter().find(|(n, _)| *n == name);
        found.unwrap_or_else(|| panic!("the scenario has a knob `{name}`")).1
    }

    /// The value of a knob, as a count.
    ///
    /// # Panics
    /// As [`Config::get`], or if the value does not fit.
    #[must_use]
    pub fn count(&self, name: &str) -> usize {
        usize::try_from(self.get(name)).expect("a knob's value fits usize")
    }
}

/// The numbers of the engine for one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Run {
    /// The first instant of the run's clock; drawn, never 0.
    pub start: Time,
    /// The least calm latency of a link between nodes.
    pub latency: Span,
    /// Each link's own calm latency is longer by up to this; drawn from the plan's seed, by link.
    pub spread: Span,
    /// Calm time of a hand-over between actors of a node: message, phase, lock.
    pub local: Span,
    /// Calm latency of a disk request.
    pub disk: Span,
    /// Calm pause of a client between two operations.
    pub think: Span,
    /// How long the calm start lasts: faults strike after it.
    pub calm: Span,
    /// When the trouble ends at the latest, since the start: the heal.
    pub horizon: Span,
    /// How long every `eventually` promise must hold in a row to be believed.
    pub quiet: Span,
    /// How long a node that ended itself stays down.
    pub restart: Span,
    /// How long a node may take for a clean stop.
    pub grace: Span,
    /// The most steps of a run; more makes it inconclusive.
    pub steps_max: u32,
    /// Bytes of a disk sector.
    pub sector: u32,
    /// Bytes that fit a disk.
    pub capacity: u64,
    /// Bytes that a connection holds in each direction.
    pub buffer: u32,
    /// The nodes that the budget gives up: only they may be wiped or have their bytes damaged.
    pub fragile: NodeSet,
    /// On those nodes: the classes of files that may be damaged, in a world whose files have classes. Only where it is all
    /// of them may a node be wiped.
    pub fragile_files: ClassSet,
}

impl Run {
    /// What holds where a plan says nothing else.
    pub const DEFAULT: Run = Run {
        start: Time(1_000_000_000),
        latency: Span::ms(1),
        spread: Span(0),
        local: Span::us(1),
        disk: Span::us(100),
        think: Span::ms(1),
        calm: Span::ms(5),
        horizon: Span::ms(500),
        quiet: Span::ms(100),
        restart: Span::ms(20),
        grace: Span::ms(100),
        steps_max: 200_000,
        sector: 64,
        capacity: 1 << 20,
        buffer: 256,
        fragile: NodeSet(0),
        fragile_files: ClassSet(0),
    };
}

/// Where the small deviations come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Noise {
    /// Drawn from this seed, at the plan's odds.
    Drawn(u64),
    /// Exactly these; everything else is calm.
    Lines(Vec<Decision>),
}

/// One operation of the workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedOp<O> {
    /// Which client, by the order of the clients.
    pub client: u16,
    /// Its number; numbers grow per client, and holes stay holes.
    pub number: u32,
    /// What the client is asked.
    pub op: O,
}

/// A plan: everything that decides a run.
#[derive(Clone, Debug)]
pub struct Plan<A: Actor> {
    /// The seed that it grew from; details of noise and keyed draws belong to it.
    pub seed: u64,
    /// The planted bugs that are on.
    pub bugs: BugSet,
    /// The knobs of the scenario.
    pub config: Config,
    /// The numbers of the engine.
    pub run: Run,
    /// How many servers may be away at once: the dynamic part of the budget.
    pub down_max: u32,
    /// The workload, by client and number.
    pub ops: Vec<PlannedOp<A::Op>>,
    /// The fault lines.
    pub faults: Vec<FaultLine>,
    /// The noise.
    pub noise: Noise,
    /// The odds of the sites; used when the noise is drawn.
    pub odds: Vec<(u16, Odds)>,
}

/// By hand, since a derived one would ask the actor itself to be comparable.
impl<A: Actor> PartialEq for Plan<A> {
    fn eq(&self, other: &Plan<A>) -> bool {
        self.seed == other.seed
            && self.bugs == other.bugs
            && self.config == other.config
            && (self.run, self.down_max) == (other.run, other.down_max)
            && self.ops == other.ops
            && self.faults == other.faults
            && self.noise == other.noise
            && self.odds == other.odds
    }
}

impl<A: Actor> Eq for Plan<A> {}
