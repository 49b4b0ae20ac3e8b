//! Digests that must not change by accident: they are what every kept seed file is compared with.
//!
//! A change of the digest, of the mixer, of the expansion of seeds or of the engine's order of events changes them, and with
//! them every digest under `seeds/`. Where that is meant, the test prints the new table.

use crate::probe::Probe;
use crate::probe::busy::BUSY;
use seedbed_sim::engine::{Native, Options, Report};
use seedbed_sim::fault::FaultLine;
use seedbed_sim::nemesis::{Noise, Plan};

/// Seed, digest and number of steps: of plans as they are drawn, and then of one without trouble and one with two faults.
const GOLDEN: [(&str, u64, u32); 5] = [
    ("seed 0", 3306179114997766036, 652),
    ("seed 1", 7985020273996367757, 312),
    ("seed 2", 2400204279074479730, 481),
    ("calm", 4806494224998374519, 527),
    ("two faults", 6975574614940739273, 599),
];

fn plans() -> [Plan<Probe>; 5] {
    let calm = || Plan { faults: Vec::new(), noise: Noise::Lines(Vec::new()), ..BUSY.expand(3) };
    let mut faulty = calm();
    let names = BUSY.names(&(BUSY.topology)(&faulty.config));
    let lines = ["at 9ms: cut n0 from n1 for 20ms", "on 3rd edge at n0: crash n0 for 5ms"];
    faulty.faults = lines.map(|line| FaultLine::parse(line, &names).expect(line)).to_vec();
    [BUSY.expand(0), BUSY.expand(1), BUSY.expand(2), calm(), faulty]
}

#[test]
fn the_digests_of_known_plans_have_not_changed() {
    let mut native = Native::new(&BUSY);
    let reports: Vec<Report> =
        plans().iter().map(|plan| native.run(plan, Options::default())).collect();
    let found: Vec<(&str, u64, u32)> = GOLDEN
        .iter()
        .zip(&reports)
        .map(|((name, ..), report)| (*name, report.digest, report.steps))
        .collect();
    assert_eq!(found, GOLDEN, "the table would be {found:#?}");
    assert!(reports[4].unused.is_empty() && reports[4].digest != reports[3].digest);
}
