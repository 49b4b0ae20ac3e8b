//! The workloads that benches measure on madsim do the work that they are measured for.
#![cfg(madsim)]

#[path = "../benches/on_madsim/mod.rs"]
mod on_madsim;

use on_madsim::{FAN_OF_VALUES, WORKLOADS};
use seedbed_sim::campaign::bench;

/// Runs one of them small; answers how many messages it sent, or timers fired.
fn small(name: &str, seed: u64, amount: u32) -> u64 {
    let workload = WORKLOADS.iter().find(|workload| workload.name == name);
    (workload.expect("a workload").run)(seed, amount)
}

#[test]
fn there_is_one_for_each_native_workload_that_asks_for_as_much() {
    let native = bench::workloads();
    assert_eq!(WORKLOADS.map(|workload| workload.name), bench::NAMES);
    for (native, madsim) in native.iter().zip(WORKLOADS).filter(|(native, _)| native.units() > 1) {
        assert_eq!(native.units(), u64::from(madsim.amount), "{}", madsim.name);
    }
    assert_eq!(FAN_OF_VALUES.amount, WORKLOADS[1].amount);
}

#[test]
fn every_hop_is_made_once() {
    // Beside the hops: a first delivery for each flight, and one that tells the client of its end.
    assert_eq!(small("pingpong", 1, 300), 300 + 2);
    assert_eq!(small("fan", 1, 640), 640 + 2 * 64);
    assert_eq!((FAN_OF_VALUES.run)(2, 640), 640 + 2 * 64);
}

#[test]
fn timers_fire_as_often_as_asked() {
    assert_eq!(small("timers", 1, 5_000), 5_000);
}

#[test]
fn a_crash_loses_flights_and_the_restarted_node_makes_up_for_them() {
    let sent: Vec<u64> = (1..=50).map(|seed| small("short", seed, 200)).collect();
    // Without a crash all runs would be alike: 200 hops, and twice as many others as there are flights.
    assert!(sent.iter().any(|sent| *sent != 216), "{sent:?}");
    let mut native = bench::workloads().swap_remove(3);
    let steps: u64 = (1..=50).map(|_| u64::from(native.run())).sum();
    let sent: u64 = sent.iter().sum();
    // Boots, crash, restart and the like are steps, too.
    let (least, most) = (steps - steps / 8, steps);
    assert!((least..most).contains(&sent), "{sent} messages on madsim, {steps} steps natively");
}

#[test]
fn puts_are_copied_and_acknowledged_and_only_what_was_lost_is_sent_again() {
    let (puts, mut sent) = (100, Vec::new());
    for seed in 1..=10 {
        sent.push(small("replicated-kv", seed, puts));
    }
    let puts = u64::from(puts);
    // A put, two copies, an answer to each, and one to the client.
    let least = 6 * puts - 6 * puts / 20;
    assert!(sent.iter().all(|sent| (least..6 * puts + puts).contains(sent)), "{sent:?}");
    assert!(sent.iter().any(|other| *other != sent[0]), "messages are lost by chance: {sent:?}");
}
