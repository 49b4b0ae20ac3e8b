//! Mutations through a producer, its connections and a consumer of the stream model, without an engine, by the number of
//! connections.
//!
//! `cargo bench -p seedbed-tests --bench stream`. All parameters are the usual ones; that all streams have begun does not count.

use criterion::{Criterion, Throughput};
use seedbed_models::stream::loopback::Loopback;
use std::time::Duration;

const VBUCKETS: u16 = 1_024;
const MUTATIONS: u32 = 10_240;
/// 24 is what the library's own benchmark had.
const CONNECTIONS: [u32; 5] = [1, 2, 8, 16, 24];

fn loopback(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("stream-loopback");
    group.throughput(Throughput::Elements(u64::from(MUTATIONS)));
    for n in CONNECTIONS {
        let mut loopback = Loopback::new(n, VBUCKETS);
        group.bench_function(format!("connections-{n}"), |bencher| {
            bencher.iter(|| {
                let delivered = loopback.run(MUTATIONS);
                assert_eq!(delivered, u64::from(MUTATIONS), "all of them arrive");
            });
        });
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    loopback(&mut criterion);
    criterion.final_summary();
}
