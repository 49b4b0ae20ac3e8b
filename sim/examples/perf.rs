//! perf
#![allow(clippy::print_stdout)]
fn main() {
    let only = std::env::args().nth(1).unwrap_or_default();
    let ms = std::env::args().nth(2).and_then(|n| n.parse().ok()).unwrap_or(300);
    let effort = seedbed_sim::campaign::bench::Effort {
        rounds: 3,
        each: std::time::Duration::from_millis(ms),
        allocations: || 0,
    };
    for f in seedbed_sim::campaign::bench::run(effort, |n| only.is_empty() || n == only) {
        println!("{f:?}");
    }
}
