//! `bench`: what the engine costs, and what every scenario does per second.

use super::args;
use super::{Console, Status, Usage};
use crate::campaign::bench::{self, Allocated, Effort, Figure};
use crate::campaign::{Registry, Runner, Stopwatch};
use crate::report::document::{Bench, BenchedScenario, BenchedWorkload};
use crate::report::meter::{Meter, Part};
use crate::report::table;

pub(super) fn run(
    registry: &Registry,
    asked: &args::Bench,
    console: &mut Console<'_>,
) -> Result<Status, Usage> {
    let is_workload = |name: &String| bench::NAMES.contains(&name.as_str());
    let (workloads, scenarios): (Vec<String>, Vec<String>) =
        asked.names.iter().cloned().partition(is_workload);
    let runners: Vec<&dyn Runner> = if scenarios.is_empty() && !workloads.is_empty() {
        Vec::new()
    } else {
        registry.select(&scenarios)?
    };
    let wanted = |name: &str| asked.names.is_empty() || workloads.iter().any(|w| w == name);
    let rounds = usize::try_from(asked.rounds).unwrap_or(usize::MAX);
    let allocated = registry.allocated();
    let effort =
        Effort { rounds, each: asked.time, allocated: allocated.unwrap_or(Allocated::default) };
    // A scenario's rate needs fewer rounds than a ratio.
    let few = Effort { rounds: rounds.min(3), ..effort };
    let many = bench::NAMES.iter().filter(|name| wanted(name)).count();
    let all = (many.saturating_mul(effort.rounds) + runners.len() * few.rounds) as u64;
    let (began, mut meter, mut done) = (Stopwatch::start(), Meter::new(console.terminal), 0);
    let mut told = |name: &str| {
        done += 1;
        let part = Part { at: name, done, all, noun: "measurements" };
        meter.part(part, began.elapsed(), console.err());
    };
    let workloads = bench::run(effort, wanted, &mut told);
    let scenarios = bench::run_scenarios(few, &runners, &mut told);
    meter.finish();
    let all: Vec<&Figure> = workloads.iter().chain(&scenarios).collect();
    console.say(table::bench(&all, allocated.is_some()));
    console.document(&Bench {
        workloads: workloads.iter().map(BenchedWorkload::new).collect(),
        scenarios: scenarios.iter().map(BenchedScenario::new).collect(),
    });
    Ok(Status::Clean)
}
