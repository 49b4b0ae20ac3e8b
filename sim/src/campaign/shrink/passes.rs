//! What is tried, and in which order.

use super::part::Part;
use super::{Shrinker, Size, remap, value};
use crate::actor::Actor;
use crate::choose::{Decision, Key};
use crate::fault::{FaultLine, Kind};
use crate::nemesis::{Noise, Plan, Run};
use crate::time::Span;
use crate::world::THINK;

/// Up to this many lines, pairs of lines are tried too.
const PAIRS_MAX: usize = 32;
/// Up to this many lines, three lines at once are tried too.
const TRIPLES_MAX: usize = 16;
/// Up to this many noise lines, pauses take the place of operations.
const PAUSES_MAX: usize = 6;
/// The shortest horizon that is tried.
const HORIZON_MIN: Span = Span::ms(1);

impl<A: Actor> Shrinker<'_, '_, A> {
    /// All passes, until nothing more goes.
    pub(super) fn passes(&mut self) {
        self.calm();
        self.whole_kinds();
        self.horizon();
        self.knobs();
        loop {
            let before = self.accepted;
            self.delta(Part::Ops);
            self.delta(Part::Faults);
            self.delta(Part::Noise);
            self.op_values();
            self.pauses();
            self.fault_values();
            self.noise_values();
            self.knobs();
            self.engine_numbers();
            if self.accepted == before {
                self.together();
            }
            if self.accepted == before || self.exhausted() {
                return;
            }
        }
    }

    /// No deviation at all. Drawn noise that could not be turned into lines goes here or never.
    fn calm(&mut self) {
        if self.plan.noise != Noise::Lines(Vec::new()) {
            let mut candidate = self.plan.clone();
            candidate.noise = Noise::Lines(Vec::new());
            candidate.odds.clear();
            self.attempt(candidate);
        }
    }

    /// Whole kinds of faults, whole sites of noise, whole clients.
    fn whole_kinds(&mut self) {
        for (kind, _, _) in Kind::CATALOGUE {
            let mut candidate = self.plan.clone();
            candidate.faults.retain(|line| line.fault.kind() != kind);
            self.attempt_if_fewer(candidate);
        }
        let mut sites: Vec<u16> = match &self.plan.noise {
            Noise::Lines(lines) => lines.iter().map(|line| line.site).collect(),
            Noise::Drawn(_) => Vec::new(),
        };
        sites.sort_unstable();
        sites.dedup();
        for site in sites {
            let mut candidate = self.plan.clone();
            if let Noise::Lines(lines) = &mut candidate.noise {
                lines.retain(|line| line.site != site);
            }
            self.attempt_if_fewer(candidate);
        }
        let mut clients: Vec<u16> = self.plan.ops.iter().map(|op| op.client).collect();
        clients.dedup();
        for client in clients {
            let mut candidate = self.plan.clone();
            candidate.ops.retain(|op| op.client != client);
            self.attempt_if_fewer(candidate);
        }
    }

    fn attempt_if_fewer(&mut self, candidate: Plan<A>) -> bool {
        Size::of(&candidate).lines() < Size::of(&self.plan).lines() && self.attempt(candidate)
    }

    /// A shorter time of trouble leaves whole tails of operations and faults unused, which then go at once. Whether the
    /// short horizon itself is needed is asked at the end.
    fn horizon(&mut self) {
        loop {
            let mut candidate = self.plan.clone();
            candidate.run.horizon = Span(self.plan.run.horizon.0 / 2);
            if candidate.run.horizon < HORIZON_MIN || !self.attempt(candidate) {
                return;
            }
        }
    }

    /// Each knob to its simplest value, or by halves towards it.
    fn knobs(&mut self) {
        for (i, knob) in self.scenario.knobs.iter().enumerate() {
            let mut simpler = knob.simplest;
            while let Some((_, value)) = self.plan.config.values.get(i).copied() {
                if value == simpler {
                    break;
                }
                let mut config = self.plan.config.clone();
                config.values[i].1 = simpler;
                if !self.attempt_moved(&config) {
                    // Half of what remains of the way, rounded towards where it is now.
                    let half = simpler.abs_diff(value) / 2;
                    simpler = if simpler < value { value - half } else { value + half };
                }
            }
        }
    }

    fn attempt_moved(&mut self, config: &crate::nemesis::Config) -> bool {
        match remap::with_config(self.scenario, &self.plan, config) {
            Some(candidate) => self.attempt(candidate),
            None => false,
        }
    }

    /// Delta debugging of one list: chunks from the end to the start, by halves, then one by one.
    fn delta(&mut self, part: Part) {
        let mut chunk = part.len(&self.plan);
        while chunk > 0 && !self.exhausted() {
            let mut end = part.len(&self.plan);
            while end > 0 {
                let start = end.saturating_sub(chunk);
                self.attempt(part.without(&self.plan, start..end));
                end = start.min(part.len(&self.plan));
            }
            chunk = if chunk == 1 { 0 } else { chunk.div_ceil(2) };
        }
    }

    /// Two or three lines that are only needed for each other.
    fn together(&mut self) {
        const PARTS: [Part; 3] = [Part::Ops, Part::Faults, Part::Noise];
        let plan = &self.plan;
        let all: Vec<(Part, usize)> = PARTS
            .into_iter()
            .flat_map(|part| (0..part.len(plan)).map(move |i| (part, i)))
            .collect();
        let triples = all.len() <= TRIPLES_MAX;
        if all.len() > PAIRS_MAX {
            return;
        }
        for c in 0..all.len() {
            for b in 0..c {
                if self.attempt_without(&[all[c], all[b]]) {
                    return;
                }
                for a in (0..b).filter(|_| triples) {
                    if self.attempt_without(&[all[c], all[b], all[a]]) {
                        return;
                    }
                }
            }
        }
    }

    /// The places come from the last to the first, so that the others stay where they are.
    fn attempt_without(&mut self, places: &[(Part, usize)]) -> bool {
        let without = |plan: Plan<A>, (part, i): &(Part, usize)| part.without(&plan, *i..*i + 1);
        self.attempt(places.iter().fold(self.plan.clone(), without))
    }

    /// Simpler operations, as the model offers them.
    fn op_values(&mut self) {
        let mut i = 0;
        while let Some(planned) = self.plan.ops.get(i) {
            let simpler = A::simpler(&planned.op);
            let accepted = simpler.into_iter().any(|op| {
                let mut candidate = self.plan.clone();
                candidate.ops[i].op = op;
                self.attempt(candidate)
            });
            if !accepted {
                i += 1;
            }
        }
    }

    /// A pause of the client instead of an operation that does nothing but pass the time.
    fn pauses(&mut self) {
        let mut i = 0;
        while i + 1 < self.plan.ops.len() {
            if !self.pause_instead(i) {
                i += 1;
            }
        }
    }

    fn pause_instead(&mut self, i: usize) -> bool {
        let next = &self.plan.ops[i + 1];
        let client = usize::from(next.client);
        let lines = match &self.plan.noise {
            Noise::Lines(lines) if lines.len() < PAUSES_MAX => lines,
            Noise::Lines(_) | Noise::Drawn(_) => return false,
        };
        let topology = (self.scenario.topology)(&self.plan.config);
        let Some(actor) = topology.clients().nth(client) else { return false };
        if self.plan.ops[i].client != next.client {
            return false;
        }
        let key = Key::own(actor.0, 1, 0, u64::from(next.number));
        let mut others = lines.clone();
        others.retain(|line| (line.site, line.key) != (THINK.id, key));
        (3..=THINK.outcomes.len()).any(|outcome| {
            let outcome = u32::try_from(outcome).expect("a short table");
            let mut candidate = Part::Ops.without(&self.plan, i..i + 1);
            let mut lines = others.clone();
            lines.push(Decision { site: THINK.id, key, outcome });
            candidate.noise = Noise::Lines(lines);
            self.attempt(candidate)
        })
    }

    /// Shorter spans, smaller ordinals, rounder times, fewer nodes.
    fn fault_values(&mut self) {
        let mut i = 0;
        while let Some(line) = self.plan.faults.get(i).copied() {
            let candidates = value::simpler_faults(&line);
            if !candidates.into_iter().any(|simpler| self.attempt_fault(i, simpler)) {
                i += 1;
            }
        }
    }

    fn attempt_fault(&mut self, i: usize, line: FaultLine) -> bool {
        let mut candidate = self.plan.clone();
        candidate.faults[i] = line;
        self.attempt(candidate)
    }

    /// Shorter delays.
    fn noise_values(&mut self) {
        let sites = value::sites(self.scenario);
        let mut i = 0;
        while let Some(decision) = noise_line(&self.plan, i) {
            let mut candidates = value::simpler_outcomes(&sites, decision).into_iter();
            let accepted = candidates.any(|outcome| {
                let mut candidate = self.plan.clone();
                if let Noise::Lines(lines) = &mut candidate.noise {
                    lines[i].outcome = outcome;
                }
                self.attempt(candidate)
            });
            if !accepted {
                i += 1;
            }
        }
    }

    /// The engine's numbers to what holds where a plan says nothing else: all at once, then one by one.
    fn engine_numbers(&mut self) {
        let mut base = Run::DEFAULT;
        (self.scenario.tune)(&self.plan.config, &mut base);
        let down_max = (self.scenario.budget)(&self.plan.config).down_max;
        if (self.plan.run, self.plan.down_max) == (base, down_max) {
            return;
        }
        let candidate = Plan { run: base, down_max, ..self.plan.clone() };
        if self.attempt(candidate) {
            return;
        }
        for set in value::RUN_NUMBERS {
            let mut candidate = self.plan.clone();
            set(&mut candidate.run, &base);
            if candidate.run != self.plan.run {
                self.attempt(candidate);
            }
        }
        if self.plan.down_max != down_max {
            self.attempt(Plan { down_max, ..self.plan.clone() });
        }
    }
}

fn noise_line<A: Actor>(plan: &Plan<A>, i: usize) -> Option<Decision> {
    match &plan.noise {
        Noise::Lines(lines) => lines.get(i).copied(),
        Noise::Drawn(_) => None,
    }
}
