//! The text of a seed file as a plan, checked against its scenario: what a run may rely on is made sure of here.

use super::numbers::{self, LONGEST};
use super::source::{At, Fields};
use super::{FORMAT, Header, InputError, wording};
use crate::actor::{Actor, BugSet, Names};
use crate::check::Scenario;
use crate::choose::{Decision, Odds, Site};
use crate::disk::ClassSet;
use crate::fault::{Fault, FaultLine, NodeSet, When};
use crate::nemesis::{Config, Noise, Plan, PlannedOp, Run};
use crate::world::{Topology, promise};

const TOP: [&str; 12] = [
    "format", "scenario", "seed", "bug", "breaks", "digest", "workload", "faults", "noise",
    "config", "run", "odds",
];
/// Fault lines are counted in 16 bits.
const FAULTS_MAX: usize = 10_000;
/// Room for the numbers of the judge's own operations.
const OP_NUMBER_MAX: u32 = 999_999_999;

/// What stands beside the plan.
pub(super) fn header(fields: &Fields<'_, '_>) -> Result<Header, InputError> {
    if fields.number("format", FORMAT..=FORMAT)?.is_none() {
        return Err(fields.missing("format", "the form of the file, 1"));
    }
    fields.only(&TOP)?;
    let scenario = fields.text("scenario")?;
    let scenario = scenario.ok_or_else(|| fields.missing("scenario", "the name of a scenario"))?;
    Ok(Header {
        scenario: scenario.what.into(),
        bug: fields.text("bug")?.map(|bug| bug.what.into()),
        breaks: fields.text("breaks")?.map(|breaks| breaks.what.into()),
        digest: fields.text("digest")?.map(|digest| read_digest(fields, &digest)).transpose()?,
        comment: comment(fields.source.text),
    })
}

fn comment(text: &str) -> Vec<String> {
    let lines = text.lines().map_while(|line| line.strip_prefix('#'));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line).into()).collect()
}

fn read_digest(fields: &Fields<'_, '_>, digest: &At<&str>) -> Result<u64, InputError> {
    let text = digest.what;
    let well_formed = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let value = if well_formed { u64::from_str_radix(text, 16).ok() } else { None };
    value.ok_or_else(|| {
        let message = format!("expected a digest of 16 hex digits, found {text:?}");
        fields.source.wrong(&digest.place, message)
    })
}

/// The plan.
pub(super) fn plan<A: Actor>(
    scenario: &Scenario<A>,
    fields: &Fields<'_, '_>,
) -> Result<Plan<A>, InputError> {
    if let Some(name) = fields.text("scenario")?.filter(|name| name.what != scenario.name) {
        let message = format!("expected the scenario `{}`, found `{}`", scenario.name, name.what);
        return Err(fields.source.wrong(&name.place, message));
    }
    let seed = fields.number("seed", 0..=u64::MAX)?;
    let seed = seed.ok_or_else(|| fields.missing("seed", "the seed that the plan grew from"))?.what;
    let bugs = read_bug(scenario, fields)?;
    if let Some(breaks) = fields.text("breaks")? {
        let known: Vec<&str> = scenario.check_names().chain(promise::ALL).collect();
        if !known.contains(&breaks.what) {
            let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
            let message = format!(
                "expected one of the promises {}, found `{}`",
                names.join(", "),
                breaks.what
            );
            return Err(fields.source.wrong(&breaks.place, message));
        }
    }
    let config = read_config(scenario, &fields.below("config")?)?;
    let topology = (scenario.topology)(&config);
    let names = scenario.names(&topology);
    let reader = Reader { scenario, fields, topology: &topology, names: &names };
    let (run, down_max) = reader.run(&config)?;
    let ops = reader.workload()?;
    let faults = reader.faults()?;
    let noise = reader.noise()?;
    let odds = reader.odds(&noise)?;
    Ok(Plan { seed, bugs, config, run, down_max, ops, faults, noise, odds })
}

fn read_bug<A: Actor>(
    scenario: &Scenario<A>,
    fields: &Fields<'_, '_>,
) -> Result<BugSet, InputError> {
    let Some(name) = fields.text("bug")? else { return Ok(BugSet::NONE) };
    scenario.bug(name.what).map(BugSet::only).ok_or_else(|| {
        let known: Vec<&str> = scenario.bugs.iter().map(|bug| bug.name).collect();
        let message =
            format!("expected one of the planted bugs {}, found `{}`", known.join(" "), name.what);
        fields.source.wrong(&name.place, message)
    })
}

fn read_config<A: Actor>(
    scenario: &Scenario<A>,
    fields: &Fields<'_, '_>,
) -> Result<Config, InputError> {
    let known: Vec<&str> = scenario.knobs.iter().map(|knob| knob.name).collect();
    fields.only(&known)?;
    let mut values = Vec::with_capacity(scenario.knobs.len());
    for knob in scenario.knobs {
        let value = fields.number(knob.name, knob.min..=knob.max)?;
        values.push((knob.name, value.map_or(knob.simplest, |value| value.what)));
    }
    Ok(Config { values })
}

/// What is known while the lines are read.
struct Reader<'r, 's, 'a, A: Actor> {
    scenario: &'r Scenario<A>,
    fields: &'r Fields<'s, 'a>,
    topology: &'r Topology<A>,
    names: &'r Names,
}

impl<A: Actor> Reader<'_, '_, '_, A> {
    fn wrong<T>(&self, at: &At<T>, message: String) -> InputError {
        self.fields.source.wrong(&at.place, message)
    }

    fn run(&self, config: &Config) -> Result<(Run, u32), InputError> {
        let fields = self.fields.below("run")?;
        fields.only(&numbers::keys())?;
        let mut run = Run::DEFAULT;
        (self.scenario.tune)(config, &mut run);
        numbers::read(&fields, &mut run)?;
        if fields.has_list("fragile") {
            run.fragile = NodeSet::default();
        }
        for name in fields.texts("fragile")? {
            let node = self.names.node_of(name.what).map_err(|wrong| self.wrong(&name, wrong))?;
            if self.topology.is_client(node) {
                let message = format!("expected a server, found the client node `{}`", name.what);
                return Err(self.wrong(&name, message));
            }
            run.fragile = run.fragile.with(node);
        }
        if fields.has_list("fragile_files") {
            run.fragile_files = ClassSet::default();
        }
        for name in fields.texts("fragile_files")? {
            let class = self.topology.class_of(name.what);
            let class = class.map_err(|wrong| self.wrong(&name, wrong))?;
            run.fragile_files = run.fragile_files.with(class);
        }
        let down_max = match fields.number("down_max", 0..=64)? {
            Some(n) => u32::try_from(n.what).expect("at most 64"),
            None => (self.scenario.budget)(config).down_max,
        };
        Ok((run, down_max))
    }

    fn workload(&self) -> Result<Vec<PlannedOp<A::Op>>, InputError> {
        let clients: Vec<&str> = self.topology.clients().map(|c| self.names.actor(c)).collect();
        let mut last = vec![None; clients.len()];
        let mut ops = Vec::new();
        for line in self.fields.texts("workload")? {
            let op = read_op::<A>(line.what, &clients)
                .and_then(|op| self.topology.takes(op.client, &op.op).map(|()| op))
                .map_err(|wrong| self.wrong(&line, wrong))?;
            let last = &mut last[usize::from(op.client)];
            if last.is_some_and(|last| last >= op.number) {
                let message = format!(
                    "expected the numbers of a client to grow, found {} after {}",
                    op.number,
                    last.unwrap_or_default()
                );
                return Err(self.wrong(&line, message));
            }
            *last = Some(op.number);
            ops.push(op);
        }
        // Within a client they are in order already; a run wants each client's in one piece.
        ops.sort_by_key(|op| op.client);
        Ok(ops)
    }

    fn faults(&self) -> Result<Vec<FaultLine>, InputError> {
        let mut faults = Vec::new();
        for line in self.fields.texts("faults")? {
            let fault = FaultLine::parse(line.what, self.names)
                .and_then(|fault| self.fits(fault))
                .map_err(|wrong| self.wrong(&line, wrong))?;
            if faults.len() == FAULTS_MAX {
                let message = format!("expected at most {FAULTS_MAX} fault lines");
                return Err(self.wrong(&line, message));
            }
            faults.push(fault);
        }
        Ok(faults)
    }

    /// Refuses what a run could not carry out: endless spans, and trouble for clients.
    fn fits(&self, line: FaultLine) -> Result<FaultLine, String> {
        let at = if let When::At(at) = line.when { at } else { LONGEST };
        if at > LONGEST || line.fault.span() > LONGEST {
            return Err(format!("expected times and spans of at most {LONGEST}"));
        }
        // A client may be an end of a link or of a connection, but nothing befalls it.
        let befalls = match line.fault {
            Fault::Link(..) | Fault::Conn(..) => NodeSet::default(),
            fault => fault.nodes(),
        };
        match befalls.iter().find(|node| self.topology.is_client(*node)) {
            Some(client) => Err(format!(
                "expected a fault of a server; `{}` is a client node, which is left alone",
                self.names.node(client)
            )),
            None => Ok(line),
        }
    }

    fn noise(&self) -> Result<Noise, InputError> {
        if !self.fields.has_list("noise") {
            let seed = self.fields.number("noise", 0..=u64::MAX)?;
            return Ok(seed.map_or(Noise::Lines(Vec::new()), |seed| Noise::Drawn(seed.what)));
        }
        let wording = wording(self.names);
        let mut lines: Vec<Decision> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        for line in self.fields.texts("noise")? {
            let decision = wording.parse(line.what).and_then(|decision| {
                let most = wording.site(decision.site).map_or(0, |site| self.outcomes(site));
                if decision.outcome as usize >= most {
                    return Err(format!("expected an outcome below {most}"));
                }
                Ok(decision)
            });
            let decision = decision.map_err(|wrong| self.wrong(&line, wrong))?;
            if !seen.insert((decision.site, decision.key)) {
                return Err(self.wrong(&line, "expected each decision only once".into()));
            }
            lines.push(decision);
        }
        Ok(Noise::Lines(lines))
    }

    /// How many outcomes a site has, calm included.
    fn outcomes(&self, site: &Site) -> usize {
        let own = self.scenario.sites.iter().find(|own| own.site.id == site.id);
        let drawn = own.map_or(0, |own| own.odds.weights().count());
        drawn.max(site.outcomes.len() + 1)
    }

    fn odds(&self, noise: &Noise) -> Result<Vec<(u16, Odds)>, InputError> {
        let fields = self.fields.below("odds")?;
        let wording = wording(self.names);
        let mut odds = Vec::new();
        for key in fields.keys() {
            if let Noise::Lines(_) = noise {
                let message = "expected `noise = SEED` beside [odds]: lines are not drawn".into();
                return Err(self.wrong(&key, message));
            }
            let site = wording.site_of(key.what).map_err(|wrong| self.wrong(&key, wrong))?;
            let weights: Vec<u32> = fields.numbers(key.what)?.iter().map(|w| w.what).collect();
            let most = self.outcomes(site).min(Odds::OUTCOMES_MAX);
            if weights.len() > most {
                let message = format!("expected at most {most} weights, found {}", weights.len());
                return Err(self.wrong(&key, message));
            }
            if weights.iter().map(|w| u64::from(*w)).sum::<u64>() > u64::from(u32::MAX) {
                let message = "expected weights whose sum is below 4294967296".into();
                return Err(self.wrong(&key, message));
            }
            let weights = Odds::new(&weights);
            if !weights.is_calm() {
                odds.push((site.id, weights));
            }
        }
        odds.sort_by_key(|(site, _)| *site);
        Ok(odds)
    }
}

fn read_op<A: Actor>(text: &str, clients: &[&str]) -> Result<PlannedOp<A::Op>, String> {
    let form = || format!("expected an operation such as `c0#1: OPERATION`, found `{text}`");
    let (head, op) = text.split_once(": ").ok_or_else(form)?;
    let (name, number) = head.split_once('#').ok_or_else(form)?;
    let client = clients.iter().position(|client| *client == name).ok_or_else(|| {
        format!("expected one of the clients {}, found `{name}`", clients.join(" "))
    })?;
    let number = number.parse().ok().filter(|n| *n <= OP_NUMBER_MAX).ok_or_else(|| {
        format!("expected a number of at most {OP_NUMBER_MAX} after `{name}#`, found `{number}`")
    })?;
    let client = u16::try_from(client).expect("fewer clients than actors");
    Ok(PlannedOp { client, number, op: op.parse()? })
}
