//! What the scenarios must be able to find.

use seedbed_sim::campaign::testing;

use super::{bugs, scenario};

#[test]
fn who_serves_what_is_not_its_own_is_found() {
    testing::finds(&scenario::rebalance(), &bugs::ACTIVE_IS_ENOUGH, 2_000);
}

#[test]
fn a_takeover_that_leaves_something_behind_is_found() {
    testing::finds(&scenario::rebalance(), &bugs::TAKEOVER_IGNORES_NEW, 2_000);
}

#[test]
fn nothing_is_found_where_nothing_is_planted() {
    testing::check(&scenario::rebalance(), 40);
    testing::check(&scenario::failover(), 40);
}
