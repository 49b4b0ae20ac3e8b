//! What the engine costs: five workloads beside the same work as bare loops, in interleaved rounds of one process.
//!
//! | workload | what happens | unit |
//! |---|---|---|
//! | `pingpong` | two nodes, one message in flight, latency 1 to 10 ms | events/s |
//! | `fan` | five nodes, each receipt sends to a random other, 64 in flight, links of 1 to 10 ms | events/s |
//! | `timers` | a thousand outstanding, half of the firings cancel or re-arm another | events/s |
//! | `short` | a fresh run on five nodes, 200 deliveries, one crash and restart | runs/s |
//! | `replicated-kv` | a primary, two replicas, 1000 puts of 32 bytes, 1 % drops, retries | runs/s |
//!
//! Digest and one check are on. Allocations are the engine's: where there is a bare form, what the same work allocates there
//! is taken off.

mod bare;
mod hops;
mod kv;
mod timers;
mod workload;

pub use workload::{Workload, short, workloads};

use super::runner::{Runner, Session, Setting};
use crate::engine::Options;
use std::time::Duration;
#[expect(clippy::disallowed_types, reason = "measuring real time is this module's purpose")]
use std::time::Instant;

/// One workload's figures: medians over the rounds.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// The workload.
    pub name: &'static str,
    /// Steps per second of real time.
    pub events_per_s: u64,
    /// Runs per second of real time.
    pub runs_per_s: u64,
    /// Allocations per event, in thousandths, rounded up, once everything is warm; less those of the bare form.
    pub milli_allocs_per_event: u64,
    /// Bytes allocated per run, once everything is warm; less those of the bare form.
    pub bytes_per_run: u64,
    /// Speed as parts of a thousand of the bare loop, the median of the ratios of the rounds; none where there is no bare form.
    pub milli_of_bare: Option<u64>,
    /// The bare loop's units (deliveries or runs) per second.
    pub bare_per_s: Option<u64>,
}

/// How much to measure.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Interleaved rounds; the median counts.
    pub rounds: usize,
    /// Real time of each measurement.
    pub each: Duration,
    /// Reads the counters of the process's allocations.
    pub allocated: fn() -> Allocated,
}

/// What a process has allocated so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allocated {
    /// How many times.
    pub count: u64,
    /// How many bytes.
    pub bytes: u64,
}

/// What a round measured.
#[derive(Clone, Copy, Default)]
struct Round {
    events: u64,
    runs: u64,
    allocations: u64,
    bytes: u64,
    seconds: f64,
    bare_seconds_per_unit: f64,
    bare_allocations: f64,
    bare_bytes: f64,
}

#[expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "measuring real time is this module's purpose"
)]
#[expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "measuring real time is this module's purpose"
)]
impl Workload {
    fn round(&mut self, effort: Effort) -> Round {
        let mut round = Round::default();
        if let Some(bare) = self.bare() {
            let (start, before) = (Instant::now(), (effort.allocated)());
            let (mut times, mut sum) = (0_u64, 0);
            while start.elapsed() < effort.each {
                sum ^= bare(times + 1);
                times += 1;
            }
            std::hint::black_box(sum);
            round.bare_seconds_per_unit =
                start.elapsed().as_secs_f64() / (times * self.units()) as f64;
            let after = (effort.allocated)();
            // One run of the engine makes one time of this.
            round.bare_allocations = (after.count - before.count) as f64 / times as f64;
            round.bare_bytes = (after.bytes - before.bytes) as f64 / times as f64;
        }
        self.run();
        let (start, before) = (Instant::now(), (effort.allocated)());
        while start.elapsed() < effort.each {
            round.events += u64::from(self.run());
            round.runs += 1;
        }
        round.seconds = start.elapsed().as_secs_f64();
        let after = (effort.allocated)();
        round.allocations = after.count - before.count;
        round.bytes = after.bytes - before.bytes;
        round
    }
}

/// Seeds of one scenario, from 0 on, as a sweep runs them.
struct Seeds<'r> {
    session: Box<dyn Session + 'r>,
    next: u64,
}

#[expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "measuring real time is this module's purpose"
)]
impl Seeds<'_> {
    fn round(&mut self, effort: Effort) -> Round {
        let mut round = Round::default();
        let (start, before) = (Instant::now(), (effort.allocated)());
        while start.elapsed() < effort.each {
            let report = self.session.run(self.next, Setting::default(), Options::default());
            self.next += 1;
            round.events += u64::from(report.steps);
            round.runs += 1;
        }
        round.seconds = start.elapsed().as_secs_f64();
        let after = (effort.allocated)();
        round.allocations = after.count - before.count;
        round.bytes = after.bytes - before.bytes;
        round
    }
}

/// Measures sweeps of these scenarios, one thread. `told` hears of each round, by the name of what it measured.
#[must_use]
pub fn run_scenarios(
    effort: Effort,
    runners: &[&dyn Runner],
    told: &mut dyn FnMut(&str),
) -> Vec<Figure> {
    let measure = |runner: &&dyn Runner| {
        let mut seeds = Seeds { session: runner.session(), next: 0 };
        let mut rounds = Vec::new();
        for _ in 0..effort.rounds.max(1) {
            rounds.push(seeds.round(effort));
            told(runner.name());
        }
        figure(runner.name(), 1, &rounds)
    };
    runners.iter().map(measure).collect()
}

/// The names of the workloads.
pub const NAMES: [&str; 5] = ["pingpong", "fan", "timers", "short", "replicated-kv"];

/// Measures the workloads for which `wanted` holds. `told` hears of each round, by the name of what it measured.
#[must_use]
pub fn run(
    effort: Effort,
    wanted: impl Fn(&str) -> bool,
    told: &mut dyn FnMut(&str),
) -> Vec<Figure> {
    let mut workloads = workloads();
    workloads.retain(|workload| wanted(workload.name()));
    let mut rounds: Vec<Vec<Round>> = vec![Vec::new(); workloads.len()];
    for _ in 0..effort.rounds.max(1) {
        for (workload, rounds) in workloads.iter_mut().zip(&mut rounds) {
            rounds.push(workload.round(effort));
            told(workload.name());
        }
    }
    let each = workloads.iter().zip(&rounds);
    each.map(|(workload, rounds)| figure(workload.name(), workload.units(), rounds)).collect()
}

#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "figures for people")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "figures for people")]
fn figure(name: &'static str, units: u64, rounds: &[Round]) -> Figure {
    let median = |of: &dyn Fn(&Round) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let has_bare = rounds.iter().all(|r| r.bare_seconds_per_unit > 0.0);
    let unit_seconds = |r: &Round| r.seconds / (r.runs * units) as f64;
    Figure {
        name,
        events_per_s: median(&|r| r.events as f64 / r.seconds) as u64,
        runs_per_s: median(&|r| r.runs as f64 / r.seconds) as u64,
        milli_allocs_per_event: median(&|r| {
            let own = r.allocations as f64 - r.bare_allocations * r.runs as f64;
            1000.0 * own.max(0.0) / r.events as f64
        })
        // Rounded up: nothing at all is told from little.
        .ceil() as u64,
        bytes_per_run: median(&|r| (r.bytes as f64 / r.runs as f64 - r.bare_bytes).max(0.0)) as u64,
        milli_of_bare: has_bare
            .then(|| median(&|r| 1000.0 * r.bare_seconds_per_unit / unit_seconds(r)) as u64),
        bare_per_s: has_bare.then(|| median(&|r| 1.0 / r.bare_seconds_per_unit) as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workload_runs_through_and_makes_the_deliveries_that_it_says() {
        let effort =
            Effort { rounds: 1, each: Duration::from_millis(1), allocated: Allocated::default };
        let mut told = Vec::new();
        for figure in
            run(effort, |name| NAMES.contains(&name), &mut |name| told.push(name.to_string()))
        {
            assert!(figure.events_per_s > 0 && figure.runs_per_s > 0, "{figure:?}");
        }
        assert_eq!(told, NAMES);
    }

    #[test]
    fn few_allocations_are_told_from_none() {
        let of = |allocations| {
            let round =
                Round { events: 100_000, runs: 1, seconds: 1.0, allocations, ..Round::default() };
            figure("some", 1, &[round]).milli_allocs_per_event
        };
        assert_eq!([of(0), of(1), of(99), of(100), of(101)], [0, 1, 1, 1, 2]);
    }
}
