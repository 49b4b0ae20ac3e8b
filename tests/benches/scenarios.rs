//! Every scenario on the same seeds: native, and pinned on madsim.
//!
//! `cargo bench -p seedbed-tests --bench scenarios`. Criterion measures one after the other; for a comparison see `versus`.

use criterion::{Criterion, Throughput};
use seedbed_models::registry::registry;
use seedbed_sim::campaign::{Engine, Setting};
use seedbed_sim::engine::{Options, Verdict};
use std::time::Duration;

/// The seeds of one iteration.
const SEEDS: u64 = 16;

fn scenarios(criterion: &mut Criterion) {
    for runner in registry().runners() {
        let mut group = criterion.benchmark_group(runner.name());
        group.throughput(Throughput::Elements(SEEDS));
        let engines = [("native", Some(Engine::Native)), ("pinned", Engine::named("madsim"))];
        for (name, engine) in engines {
            let Some(engine) = engine else { continue };
            let mut session = runner.session();
            let setting = Setting { engine, ..Setting::default() };
            let mut seeds = || {
                for seed in 0..SEEDS {
                    let report = session.run(seed, setting, Options::default());
                    assert_eq!(report.verdict, Verdict::Pass, "{} {seed}", runner.name());
                }
            };
            group.bench_function(name, |bencher| bencher.iter(&mut seeds));
        }
        group.finish();
    }
}

/// Short by default; `--measurement-time` and `--sample-size` ask for more.
fn briefly() -> Criterion {
    let criterion = Criterion::default().sample_size(10);
    criterion.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2))
}

fn main() {
    let mut criterion = briefly().configure_from_args();
    scenarios(&mut criterion);
    criterion.final_summary();
}
