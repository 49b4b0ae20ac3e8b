//! What the scenarios must be able to find.

use seedbed_sim::campaign::testing;

use super::{bugs, scenario};

/// Of the three kinds of trouble with data that a client is there to find, each is found by the client's own verification.
#[test]
fn a_deleted_key_that_comes_back_is_found() {
    testing::finds(&scenario::failover(), &bugs::DELETED_STAY, 3_000);
}

#[test]
fn a_key_that_was_written_anew_after_it_had_run_out_is_found_to_be_gone() {
    testing::finds(&scenario::tasks(), &bugs::REWRITTEN_PURGED, 3_000);
}

#[test]
fn a_key_that_was_written_anew_is_found_to_have_its_older_value_again() {
    testing::finds(&scenario::tasks(), &bugs::OLDER_VALUE_BACK, 3_000);
}

#[test]
fn an_addition_that_is_done_twice_is_found() {
    testing::finds(&scenario::multi_set(), &bugs::ADDITION_SENT_AGAIN, 3_000);
}

#[test]
fn an_acknowledged_write_that_is_lost_is_found() {
    testing::finds(&scenario::failover(), &bugs::LAST_LEFT_BEHIND, 3_000);
}

#[test]
fn nothing_is_found_where_nothing_is_planted() {
    testing::check(&scenario::tasks(), 200);
    testing::check(&scenario::multi_set(), 200);
    testing::check(&scenario::failover(), 200);
}
