//! The workloads that benches measure on madsim do the work that they are measured for.
#![cfg(madsim)]

#[path = "../benches/on_madsim/mod.rs"]
mod on_madsim;

use on_madsim::WORKLOADS;
use seedbed_sim::campaign::bench;

/// Runs one of them small; answers how many messages it sent, or timers fired.
fn small(name: &str, seed: u64, amount: u32) -> u64 {
    let workload = WORKLOADS.iter().find(|workload| workload.name == name);
    (workload.expect("a workload").run)(seed, amount)
}

#[test]
fn there_is_one_for_each_native_workload() {
    assert_eq!(WORKLOADS.map(|workload| workload.name), bench::NAMES);
}

#[test]
fn every_hop_is_made_once() {
    // Beside the hops: a first delivery for each flight, and one that tells the client of its end.
    assert_eq!(small("pingpong", 1, 300), 300 + 2);
    assert_eq!(small("fan", 1, 640), 640 + 2 * 64);
    assert_eq!(small("fan", 2, 640), 640 + 2 * 64);
}

#[test]
fn timers_fire_as_often_as_asked() {
    assert_eq!(small("timers", 1, 5_000), 5_000);
}

#[test]
fn a_crash_loses_flights_and_the_restarted_node_makes_up_for_them() {
    let sent: Vec<u64> = (1..=20).map(|seed| small("short", seed, 200)).collect();
    println!("{sent:?}");
}

#[test]
fn every_put_is_copied_and_acknowledged() {
    let sent = small("replicated-kv", 1, 100);
    println!("{sent:?}");
}
