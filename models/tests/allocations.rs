//! What the engine allocates, by the counters that `bench` of the command reads. One test only: the counters are those of
//! the whole process.

use seedbed_sim::campaign::bench::{self, Allocated, Effort};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What the report of a run may take. The smallest of the runs has more events than that.
const BYTES_OF_A_REPORT: u64 = 64;

fn allocated() -> Allocated {
    let stats = ALLOCATOR.stats();
    let count = stats.allocations + stats.reallocations;
    Allocated { count: count as u64, bytes: stats.bytes_allocated as u64 }
}

#[test]
fn the_engine_allocates_nothing_for_an_event_once_it_is_warm() {
    let before = allocated();
    drop(std::hint::black_box(vec![0_u8; 1_000]));
    assert!(allocated().bytes >= before.bytes + 1_000, "the allocator counts");
    let effort = Effort { rounds: 3, each: Duration::from_millis(20), allocated };
    let figures = bench::run(effort, |_| true, &mut |_| {});
    assert_eq!(figures.len(), bench::NAMES.len());
    for figure in figures {
        let few = figure.bytes_per_run <= BYTES_OF_A_REPORT && figure.milli_allocs_per_event <= 1;
        assert!(few, "{figure:?}");
    }
}
