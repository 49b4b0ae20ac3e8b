//! perf
#![allow(clippy::print_stdout)]
fn main() {
    let effort = seedbed_sim::campaign::bench::Effort {
        rounds: 3,
        each: std::time::Duration::from_millis(300),
        allocations: || 0,
    };
    for f in seedbed_sim::campaign::bench::run(effort) {
        println!("{f:?}");
    }
}
