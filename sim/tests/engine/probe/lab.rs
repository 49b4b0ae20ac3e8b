//! A world of probes, run until nothing is due any more, without stages and checks: what happened is read off the notes.

use super::{PICK, POINTS, Probe, Rule, Word};
use seedbed_sim::actor::{BugSet, Family, Label, Names};
use seedbed_sim::choose::{Decision, Ends, Key, Odds, Site};
use seedbed_sim::fault::FaultLine;
use seedbed_sim::id::{ActorId, NodeId};
use seedbed_sim::nemesis::{Config, Noise, Plan, PlannedOp, Run};
use seedbed_sim::time::{Span, Time};
use seedbed_sim::world::{Stepped, Topology, World};

/// A note, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) step: u32,
    pub(crate) at: Time,
    pub(crate) actor: Option<ActorId>,
    pub(crate) text: String,
}

/// A world of probes, and what has happened in it.
#[derive(Clone)]
pub(crate) struct Lab {
    pub(crate) topology: Topology<Probe>,
    pub(crate) plan: Plan<Probe>,
    pub(crate) world: World<Probe>,
    pub(crate) log: Vec<Line>,
    /// Steps without notes, for which nobody handled an event.
    pub(crate) silent_steps: u32,
}

/// A calm plan: nothing to do, no faults, no noise.
pub(crate) fn calm_plan() -> Plan<Probe> {
    Plan {
        seed: 1,
        bugs: BugSet::NONE,
        config: Config::default(),
        run: Run::DEFAULT,
        down_max: 64,
        ops: Vec::new(),
        faults: Vec::new(),
        noise: Noise::Lines(Vec::new()),
        odds: Vec::new(),
    }
}

/// The key of a decision about a word that passes between two actors of the first life.
pub(crate) fn key(family: Family, (from, to): (u16, u16), word: Word, n: u32) -> Key {
    let ends = Ends { from, to, incarnation: 1 };
    Key::between(ends, family.number(word.kind()), word.subject, n)
}

impl Lab {
    pub(crate) fn new() -> Lab {
        Lab {
            topology: Topology::default(),
            plan: calm_plan(),
            world: World::default(),
            log: Vec::new(),
            silent_steps: 0,
        }
    }

    /// A server node with one probe on it. Probes are numbered in the order of these calls.
    pub(crate) fn server(mut self, script: Vec<Rule>) -> Lab {
        let node = self.topology.server("n");
        self.topology.actor(node, "", Probe::new(script));
        self
    }

    /// Another probe on the node added last; `n0.b` for role `b`.
    pub(crate) fn beside(mut self, role: &'static str, script: Vec<Rule>) -> Lab {
        let last = u16::try_from(self.topology.nodes() - 1).expect("few nodes");
        self.topology.actor(NodeId(last), role, Probe::new(script));
        self
    }

    /// A client node with one probe on it, which is asked these numbers one after the other.
    pub(crate) fn client(mut self, script: Vec<Rule>, asks: &[u64]) -> Lab {
        let node = self.topology.client("c");
        self.topology.actor(node, "", Probe::new(script));
        let client = u16::try_from(self.topology.clients().count() - 1).expect("few clients");
        self.plan.ops.extend(asks.iter().zip(1..).map(|(ask, number)| PlannedOp {
            client,
            number,
            op: super::Ask(*ask),
        }));
        self
    }

    pub(crate) fn names(&self) -> Names {
        self.topology.names(POINTS, &[&PICK])
    }

    /// Adds a fault line, as a seed file holds it.
    pub(crate) fn fault(mut self, line: &str) -> Lab {
        self.plan.faults.push(FaultLine::parse(line, &self.names()).expect(line));
        self
    }

    /// Decides in advance.
    pub(crate) fn force(mut self, site: &Site, key: Key, outcome: u32) -> Lab {
        let Noise::Lines(lines) = &mut self.plan.noise else { panic!("noise is given as lines") };
        lines.push(Decision { site: site.id, key, outcome });
        self
    }

    /// Draws at a site; the first call turns the noise to drawn.
    pub(crate) fn draw(mut self, seed: u64, site: &Site, weights: &[u32]) -> Lab {
        self.plan.seed = seed;
        self.plan.noise = Noise::Drawn(seed);
        self.plan.odds.push((site.id, Odds::new(weights)));
        self
    }

    /// Grows from another seed: the details of outcomes, where lines give the noise.
    pub(crate) fn seed(mut self, seed: u64) -> Lab {
        self.plan.seed = seed;
        self
    }

    /// Changes the numbers of the engine.
    pub(crate) fn tune(mut self, tune: impl FnOnce(&mut Run)) -> Lab {
        tune(&mut self.plan.run);
        self
    }

    /// Makes the world ready.
    pub(crate) fn reset(&mut self) {
        self.world.reset(&self.topology, &self.plan);
        self.world.trace(self.names(), None);
        self.log.clear();
        self.silent_steps = 0;
    }

    /// Runs until nothing is due, or a promise is broken.
    pub(crate) fn run(mut self) -> Lab {
        self.reset();
        self.go_on(Span::secs(1_000_000));
        self
    }

    /// Goes on for this long.
    pub(crate) fn go_on(&mut self, span: Span) {
        let end = self.world.now() + span;
        while self.world.broken().is_none() && self.world.next_due().is_some_and(|next| next <= end)
        {
            if self.world.step() == Stepped::Step {
                let step = *self.world.last_step();
                let line = |text: &String| Line {
                    step: step.id.0,
                    at: step.at,
                    actor: step.actor,
                    text: text.clone(),
                };
                self.log.extend(self.world.notes().iter().map(line));
                self.silent_steps += u32::from(self.world.notes().is_empty());
            }
        }
    }

    /// What was noted, in order: `n1 timer a`.
    pub(crate) fn said(&self) -> Vec<String> {
        let names = self.names();
        let say = |line: &Line| {
            format!("{} {}", line.actor.map_or("?", |actor| names.actor(actor)), line.text)
        };
        self.log.iter().map(say).collect()
    }

    /// What was noted but for the boots, in one line.
    pub(crate) fn story(&self) -> String {
        let mut said = self.said();
        said.retain(|line| !line.ends_with(" boot"));
        said.join(", ")
    }

    /// When this was noted, since the start of the run.
    pub(crate) fn times(&self, text: &str) -> Vec<Span> {
        let said = self.said();
        let found = self.log.iter().zip(&said).filter(|(_, said)| *said == text);
        found.map(|(line, _)| line.at.since(self.plan.run.start)).collect()
    }

    /// When this was noted, which it was exactly once.
    pub(crate) fn time(&self, text: &str) -> Span {
        let times = self.times(text);
        assert_eq!(times.len(), 1, "`{text}` once in: {}", self.story());
        times[0]
    }

    /// The steps of the trace: number, time, and the steps that caused it.
    pub(crate) fn steps(&self) -> Vec<(u32, Time, Vec<u32>)> {
        let read = |line: &String| {
            let mut words = line.split_whitespace();
            let step = words.next()?.parse().ok()?;
            let (secs, nanos) = words.next()?.split_once('.')?;
            let at = secs.parse::<u64>().ok()? * 1_000_000_000 + nanos.parse::<u64>().ok()?;
            let causes = line.rsplit_once("  <- ").map_or("", |(_, causes)| causes);
            let causes = causes.split(' ').filter_map(|cause| cause.parse().ok()).collect();
            Some((step, Time(at), causes))
        };
        self.world.trace_lines().iter().filter_map(read).collect()
    }

    /// The whole trace.
    pub(crate) fn trace(&self) -> String {
        self.world.trace_lines().join("\n")
    }
}
