//! `bench`: what the engine costs, and what every scenario does per second.

use super::args;
use super::{Console, Status, Usage};
use crate::campaign::bench::{self, Allocated, Effort, Figure};
use crate::campaign::{Registry, Runner};

use crate::report::document::{Bench, BenchedScenario, BenchedWorkload};
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
    let workloads = bench::run(effort, wanted);
    // A scenario's rate needs fewer rounds than a ratio.
    let scenarios = bench::run_scenarios(Effort { rounds: rounds.min(3), ..effort }, &runners);
    let all: Vec<&Figure> = workloads.iter().chain(&scenarios).collect();
    console.say(table::bench(&all, allocated.is_some()));
    console.document(&Bench {
        workloads: workloads.iter().map(BenchedWorkload::new).collect(),
        scenarios: scenarios.iter().map(BenchedScenario::new).collect(),
    });
    Ok(Status::Clean)
}
