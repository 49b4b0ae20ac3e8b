//! Whether the memory of a sweep grows with its seeds.
//!
//! `cargo bench -p seedbed-tests --bench memory` sweeps ten million seeds of `short` on all threads, and prints how much of
//! the process is in memory after each tenth; `-- N` sweeps so many, and `-- --test` a few. It fails if the last tenth ends
//! with a megabyte more than the first one. The number comes from `/proc`, so elsewhere than on Linux nothing is measured.

use seedbed_sim::campaign::Setting;
use seedbed_sim::campaign::bench;
use seedbed_sim::campaign::sweep::{News, Sweep};
use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

/// The seeds of a sweep, if nobody asks for another number.
const SEEDS: u64 = 10_000_000;
/// The same for a test.
const FEW: u64 = 2_000;
/// Growth in KiB that is put down to the allocator.
const SLACK: u64 = 1024;
const TENTHS: u64 = 10;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let usual = if words.iter().any(|word| word == "--test") { FEW } else { SEEDS };
    let asked = words.iter().find(|word| !word.starts_with('-'));
    let seeds = asked.map_or(Ok(usual), |word| word.parse());
    let Some(seeds) = seeds.ok().filter(|seeds| *seeds >= TENTHS) else {
        say(format_args!("expected a number of seeds, at least {TENTHS}"));
        return ExitCode::from(2);
    };
    if resident().is_none() {
        say(format_args!("skipped: there is no /proc/self/status here"));
        return ExitCode::SUCCESS;
    }
    let sizes = sweep(seeds);
    let (first, last) = (sizes[0], sizes[sizes.len() - 1]);
    let flat = last <= first + SLACK;
    let word = if flat { "flat" } else { "it grows" };
    say(format_args!("{word}: {first} KiB at first, {last} KiB in the end"));
    if flat { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Sweeps, and answers what was in memory whenever another tenth was done, in KiB.
fn sweep(seeds: u64) -> Vec<u64> {
    let sweep = Sweep {
        lanes: vec![(bench::short(), Setting::default())],
        seeds: 0..seeds,
        time: None,
        jobs: std::thread::available_parallelism().map_or(1, usize::from),
        store: None,
        shrink: 0,
    };
    let mut sizes = Vec::new();
    let outcome = sweep.run(&AtomicBool::new(false), &mut |news| {
        let News::Progress(progress) = news else { return };
        if progress.runs * TENTHS / seeds > sizes.len() as u64 {
            sizes.extend(resident());
            say(format_args!("{:>10} runs, {} KiB", progress.runs, sizes[sizes.len() - 1]));
        }
    });
    let lane = &outcome.lanes[0];
    assert_eq!(lane.tally.runs, seeds, "every seed was run");
    assert!(outcome.findings.is_empty(), "a run of `short` passes");
    sizes.extend(resident());
    say(format_args!("{seeds:>10} runs, {} KiB", sizes[sizes.len() - 1]));
    sizes
}

/// What of this process is in memory, in KiB.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn say(what: fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stdout(), "{what}");
}
