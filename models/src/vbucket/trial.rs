//! The model on trial: each scenario over some seeds, and the bugs that show often.

use seedbed_sim::actor::Bug;
use seedbed_sim::campaign::testing::{check, finds};
use seedbed_sim::check::Scenario;

use super::model::Node;
use super::{bugs, scenario};

#[test]
fn a_node_with_clients_keeps_its_promises() {
    check(&scenario::single(), 100);
}

#[test]
fn a_node_in_online_updates_keeps_its_promises() {
    check(&scenario::online_update(), 100);
}

#[test]
fn a_replica_keeps_its_promises() {
    check(&scenario::replica(), 100);
}

/// The rarer ones are left to campaigns.
#[test]
fn common_bugs_are_found_within_three_hundred_runs() {
    let (single, update) = (scenario::single(), scenario::online_update());
    let replica = scenario::replica();
    let table: [(&Scenario<Node>, &'static Bug); 9] = [
        (&single, &bugs::REPAIR_OFF_BY_ONE),
        (&single, &bugs::SOON_EXPIRED_SKIPPED),
        (&single, &bugs::STANDINGS_BY_TASKS),
        (&update, &bugs::REVERT_ASSERTS_BARRIER),
        (&update, &bugs::OLD_VALUE_NEW_META),
        (&update, &bugs::DELETED_COMES_BACK_BARE),
        (&replica, &bugs::START_REUSES_ID),
        (&replica, &bugs::MERGE_REWINDS),
        (&replica, &bugs::BACKFILLED_IN_WINDOW),
    ];
    for (scenario, bug) in table {
        finds(scenario, bug, 300);
    }
}
