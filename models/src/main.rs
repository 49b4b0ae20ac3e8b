//! The `seedbed` command.

use seedbed_models::registry::{registry, verbs};
use seedbed_sim::campaign::bench::Allocated;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;

/// Counts allocations for `bench`.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn allocated() -> Allocated {
    let stats = ALLOCATOR.stats();
    let count = stats.allocations + stats.reallocations;
    Allocated { count: count as u64, bytes: stats.bytes_allocated as u64 }
}

fn main() -> std::process::ExitCode {
    seedbed_sim::cli::main_with(&registry().with_allocations(allocated), &verbs())
}
