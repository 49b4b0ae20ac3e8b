//! The five workloads of the engine: native, on madsim, and as bare loops where there are some.
//!
//! `cargo bench -p seedbed-tests --bench engines`. Criterion measures one after the other; for a comparison see `versus`.

#[cfg(madsim)]
mod on_madsim;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use seedbed_sim::campaign::bench::workloads;
use std::time::Duration;

fn engines(criterion: &mut Criterion) {
    for mut workload in workloads() {
        let mut group = criterion.benchmark_group(workload.name());
        group.throughput(Throughput::Elements(workload.units()));
        group.bench_function("native", |bencher| bencher.iter(|| workload.run()));
        if let Some(bare) = workload.bare() {
            with_seeds(&mut group, "bare", bare);
        }
        #[cfg(madsim)]
        for other in on_madsim::WORKLOADS.into_iter().chain([on_madsim::FAN_OF_VALUES]) {
            let how = match other.name.strip_prefix(workload.name()) {
                Some("") => "madsim",
                Some("-of-values") => "madsim-of-values",
                _ => continue,
            };
            with_seeds(&mut group, how, |seed| (other.run)(seed, other.amount));
        }
        group.finish();
    }
}

/// Measures something with one seed after the other.
fn with_seeds(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, run: impl Fn(u64) -> u64) {
    let mut seed = 0;
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            seed += 1;
            run(seed)
        });
    });
}

/// Short by default; `--measurement-time` and `--sample-size` ask for more.
fn briefly() -> Criterion {
    let criterion = Criterion::default().sample_size(10);
    criterion.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2))
}

fn main() {
    let mut criterion = briefly().configure_from_args();
    engines(&mut criterion);
    criterion.final_summary();
}
