//! The model on trial: each scenario over some seeds, with no bug planted.

use super::scenario;
use seedbed_sim::campaign::testing::check;

#[test]
fn a_single_node_keeps_its_promises() {
    check(&scenario::single(), 150);
}

#[test]
fn a_node_that_restarts_keeps_its_promises() {
    check(&scenario::restart(), 150);
}

#[test]
fn a_node_that_restarts_under_compaction_keeps_its_promises() {
    check(&scenario::restart_under_compaction(), 150);
}
