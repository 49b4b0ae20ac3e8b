//! The model on trial: each scenario over some seeds, with no bug planted.

use super::scenario;
use seedbed_sim::campaign::testing::check;

#[test]
fn a_register_over_a_majority_keeps_its_promises() {
    check(&scenario::majority(), 100);
}

#[test]
fn a_durable_register_keeps_its_promises() {
    check(&scenario::durable(), 100);
}
