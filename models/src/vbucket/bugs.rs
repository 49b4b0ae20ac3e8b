//! Planted bugs: defects that ep-engine has had, each a switch that is off by default.
//!
//! The online update of ep-engine lived from commit 79b3f055 (2011-03-30) to 6284e5d8 (2012-02-27), and no test for it ever
//! existed there.

use seedbed_sim::actor::{Bug, BugSet};

use crate::checkpoint::defects::Defects;

use super::checks::{
    ANSWERS, BARRIER, COMES_TO_DISK, COUNTS_AGREE, CURSORS_STAND, DELIVERED, EXPIRED_ONLY, KEEPS,
    NOBODY_WAITS, NOT_ASLEEP, NOT_BEFORE_DISK, STANDINGS_IN_ORDER,
};
use super::op::Key;
use super::table::Entry;
use super::vb::Window;

mod replica;

pub use replica::*;

const SINGLE: &str = "vbucket/single";
const UPDATE: &str = "vbucket/online-update";
const REPLICA: &str = "vbucket/replica";

/// While an online update is taken back, clients are not made to wait.
pub const REVERT_BLOCKS_NOBODY: Bug = Bug {
    index: 0,
    name: "revert-blocks-nobody",
    source: "couchbase/ep-engine 79b3f055: addPendingOp returns false unless the vbucket is pending, so that a hot reload \
             blocks nobody",
    breaks: ANSWERS,
    scenario: UPDATE,
};

/// What arrives between the begin of a revert and its collection is taken back, too. It needs that nobody is blocked, and
/// brings that along.
pub const REVERT_TAKES_LATER: Bug = Bug {
    index: 1,
    name: "revert-takes-later-changes",
    source: "couchbase/ep-engine 79b3f055, beginHotReload: mutations between the begin of a revert and the collection of \
             items are collected, too",
    breaks: ANSWERS,
    scenario: UPDATE,
};

/// A complete that comes while a revert is under way ends the window, so that nothing is taken back, and nothing is
/// written either.
pub const COMPLETE_DURING_REVERT: Bug = Bug {
    index: 2,
    name: "complete-during-revert",
    source: "couchbase/ep-engine 79b3f055: stopOnlineUpdate between the begin of a revert and the collection of items succeeds",
    breaks: ANSWERS,
    scenario: UPDATE,
};

/// A revert that comes before the flusher has reached the window stops the node.
pub const REVERT_ASSERTS_BARRIER: Bug = Bug {
    index: 3,
    name: "revert-asserts-barrier",
    source: "couchbase/ep-engine 79b3f055, beginHotReload: assertion that the persistence cursor is in the online update's \
             checkpoint",
    breaks: "a node never stops by itself",
    scenario: UPDATE,
};

/// A key that had not been written when it was changed in the window is taken for one that was added there.
pub const UNWRITTEN_TAKEN_FOR_NEW: Bug = Bug {
    index: 4,
    name: "unwritten-taken-for-new",
    source: "couchbase/ep-engine 79b3f055, hot reload: a queued row id of -1 counts as an add, also of a key that was not \
             flushed yet",
    breaks: ANSWERS,
    scenario: UPDATE,
};

/// A key that was deleted and added again in the window is taken for one that was added there.
pub const ADDED_AGAIN_TAKEN_FOR_NEW: Bug = Bug {
    index: 5,
    name: "added-again-taken-for-new",
    source: "couchbase/ep-engine 79b3f055, hot reload: an add after a delete queues row id -1, and the key is removed",
    breaks: ANSWERS,
    scenario: UPDATE,
};

/// A key that was added and deleted in the window exists afterwards, without a value.
pub const DELETED_NEW_COMES_BACK: Bug = Bug {
    index: 6,
    name: "deleted-new-comes-back",
    source: "couchbase/ep-engine 79b3f055, hot reload: a delete is reverted by adding an entry, also of a key that never was",
    breaks: ANSWERS,
    scenario: UPDATE,
};

/// Only the value of a key is brought back; flags, expiry and cas stay those of the window.
pub const OLD_VALUE_NEW_META: Bug = Bug {
    index: 7,
    name: "old-value-new-meta",
    source: "couchbase/ep-engine 79b3f055, hot reload: an update is reverted by evicting the value, flags, expiry and cas of \
             the new version survive",
    breaks: ANSWERS,
    scenario: UPDATE,
};

/// A key that was added in the window keeps its entry.
pub const ADDED_LEFT_BEHIND: Bug = Bug {
    index: 8,
    name: "added-left-behind",
    source: "review of the change that became couchbase/ep-engine 79b3f055, ep.cc:1529: this does not delete the item \
             completely",
    breaks: ANSWERS,
    scenario: UPDATE,
};

/// A dead vbucket is passed over by the end of an online update, which is answered all the same.
pub const DEAD_WINDOW_STAYS: Bug = Bug {
    index: 9,
    name: "dead-window-stays",
    source: "couchbase/ep-engine 79b3f055: stopOnlineUpdate skips dead vbuckets, which then stay in the window",
    breaks: ANSWERS,
    scenario: UPDATE,
};

/// The flusher writes what the table has, rather than what was queued.
pub const TABLE_VALUE_WRITTEN: Bug = Bug {
    index: 10,
    name: "table-value-written",
    source: "couchbase/ep-engine 2b5c86b8 (2012-01): checkpoint items without values; a change from before the window is \
             written with the value of the window",
    breaks: KEEPS,
    scenario: UPDATE,
};

/// Nobody tells the clients that waited for the end of a revert.
pub const REVERT_WAKES_NOBODY: Bug = Bug {
    index: 11,
    name: "revert-wakes-nobody",
    source: "review of the change that became couchbase/ep-engine 79b3f055, ep.cc:588: nobody notifies clients that got \
             EWOULDBLOCK",
    breaks: NOBODY_WAITS,
    scenario: UPDATE,
};

/// The end of an online update does not adjust the offsets of other cursors.
pub const OFFSETS_NOT_ADJUSTED: Bug = Bug {
    index: 12,
    name: "cursor-offsets-not-adjusted",
    source: "review of the change that became couchbase/ep-engine 79b3f055, checkpoint.cc:229 and 284: update the offsets of \
             TAP cursors, too",
    breaks: COUNTS_AGREE,
    scenario: UPDATE,
};

/// A reader that registers while a window is open is counted without the start of it.
pub const START_MARKER_FORGOTTEN: Bug = Bug {
    index: 13,
    name: "start-marker-forgotten",
    source: "couchbase/ep-engine 79b3f055, registerTAPCursor: two items of frame for each checkpoint, the start of the window \
             is forgotten",
    breaks: COUNTS_AGREE,
    scenario: UPDATE,
};

/// A reader that registers again, for a checkpoint that is gone, stays on the list of the one where it was.
pub const REREGISTRATION_PINS: Bug = Bug {
    index: 14,
    name: "reregistration-pins",
    source: "couchbase/ep-engine e2ab4d38 (MB-3646)",
    breaks: CURSORS_STAND,
    scenario: SINGLE,
};

/// The last checkpoint that is on disk is taken to be the one before in the list: 0 if there is none.
pub const LAST_CLOSED_IS_PREDECESSOR: Bug = Bug {
    index: 15,
    name: "last-closed-is-predecessor",
    source: "couchbase/ep-engine baa0d8d2 (MB-3678)",
    breaks: COMES_TO_DISK,
    scenario: SINGLE,
};

/// A key that is changed again after the flusher took it counts as no new work.
pub const REQUEUE_IS_NO_WORK: Bug = Bug {
    index: 16,
    name: "requeue-is-no-work",
    source: "couchbase/ep-engine 889507c9 (MB-7593)",
    breaks: COMES_TO_DISK,
    scenario: REPLICA,
};

/// The flusher passes over dead vbuckets.
pub const DEAD_SKIPPED: Bug = Bug {
    index: 17,
    name: "dead-vbucket-skipped",
    source: "couchbase/ep-engine 83df66dd (MB-4661)",
    breaks: COMES_TO_DISK,
    scenario: SINGLE,
};

/// A version that runs out soon is not written, and an older one stays on disk.
pub const SOON_EXPIRED_SKIPPED: Bug = Bug {
    index: 18,
    name: "soon-expired-skipped",
    source: "couchbase/ep-engine 2ebfeccf (MB-3522)",
    breaks: NOT_BEFORE_DISK,
    scenario: SINGLE,
};

/// The pager takes out what it had collected, whatever is there now.
pub const PURGED_UNSEEN: Bug = Bug {
    index: 19,
    name: "purged-unseen",
    source: "couchbase/ep-engine 395a83ef (MB-3980)",
    breaks: EXPIRED_ONLY,
    scenario: SINGLE,
};

/// Each change of a state is written by a task of its own, at its own time.
pub const STANDINGS_BY_TASKS: Bug = Bug {
    index: 20,
    name: "standings-by-tasks",
    source: "couchbase/ep-engine 66882e8d (MB-20852)",
    breaks: STANDINGS_IN_ORDER,
    scenario: SINGLE,
};

/// Whether a reader needs a backfill is decided before its cursor is registered, and the checkpoint may go in between.
pub const BACKFILL_DECIDED_BEFORE: Bug = Bug {
    index: 21,
    name: "backfill-decided-before-register",
    source: "couchbase/kv_engine 08a75fa00 (MB-22960) and dee7c17e9 (MB-37150)",
    breaks: DELIVERED,
    scenario: SINGLE,
};

/// A cursor that stands right on the older version of a key stays where it is when that version goes.
pub const REPAIR_OFF_BY_ONE: Bug = Bug {
    index: 22,
    name: "cursor-repair-off-by-one",
    source: "couchbase/ep-engine 79b3f055, Checkpoint::queueDirty: a cursor on the version that is replaced moves to the left",
    breaks: COUNTS_AGREE,
    scenario: SINGLE,
};

/// What complete lets to the disk is written in transactions of ordinary size.
pub const WINDOW_BY_BATCHES: Bug = Bug {
    index: 34,
    name: "window-by-batches",
    source: "couchbase/ep-engine 79b3f055: after stopOnlineUpdate the flusher takes the window like anything else, in \
             transactions of its usual size",
    breaks: BARRIER,
    scenario: UPDATE,
};

/// A key that was deleted in the window comes back without flags, expiry and value.
pub const DELETED_COMES_BACK_BARE: Bug = Bug {
    index: 35,
    name: "deleted-comes-back-bare",
    source: "couchbase/ep-engine 09c1047f: a delete is reverted by adding the key with flags 0, expiry 0 and row id -1, so \
             that its value cannot be fetched",
    breaks: ANSWERS,
    scenario: UPDATE,
};

/// A small value cannot be taken out of memory, which nobody asks about, so that it is not taken back.
pub const SMALL_VALUE_STAYS: Bug = Bug {
    index: 36,
    name: "small-value-stays",
    source: "couchbase/ep-engine 79b3f055, stored-value.cc: ejecting fails for small items, and the hot reload does not look",
    breaks: ANSWERS,
    scenario: UPDATE,
};

/// Deleting all keys while an online update is open clears the log, but neither the cursor nor the flag of the window.
pub const FLUSH_ALL_KEEPS_WINDOW: Bug = Bug {
    index: 41,
    name: "flush-all-keeps-window",
    source: "couchbase/ep-engine 79b3f055: flush_all clears the checkpoints of a vbucket in an online update, whose cursor and \
             flag stay",
    breaks: ANSWERS,
    scenario: UPDATE,
};

/// A reader that comes back is judged by its checkpoint alone, whatever life of the vbucket that was of.
pub const REGISTERED_BY_ID_ALONE: Bug = Bug {
    index: 42,
    name: "registered-by-id-alone",
    source: "couchbase/ep-engine 303ab543 (MB-4595): a client of checkpoint 1 is taken for one of the empty checkpoint 1 of a \
             master that was started again",
    breaks: DELIVERED,
    scenario: SINGLE,
};

/// The flusher goes to sleep although something has come since it looked, of which nobody told it.
pub const SLEEPS_UNSEEN: Bug = Bug {
    index: 43,
    name: "sleeps-unseen",
    source: "couchbase/ep-engine 06b090ec (MB-5136) and fec0aad0: a notifier sleeps although a notification arrived just \
             before",
    breaks: NOT_ASLEEP,
    scenario: SINGLE,
};

/// A deletion that the disk has is passed over when the node starts, so that the key comes back.
pub const DELETIONS_PASSED_OVER: Bug = Bug {
    index: 45,
    name: "deletions-passed-over",
    source: "a mistake that the warm-up of couchbase/ep-engine 79b3f055 invites, which reads what is there and never looks \
             for what is gone; no commit is known",
    breaks: KEEPS,
    scenario: SINGLE,
};

/// What is not on disk yet when a vbucket becomes dead leaves the memory.
pub const LAST_WRITES_DROPPED: Bug = Bug {
    index: 46,
    name: "last-writes-dropped",
    source: "couchbase/ep-engine 2493565e (MB-3802): the last writes before a vbucket became dead were lost",
    breaks: ANSWERS,
    scenario: SINGLE,
};

/// A version whose time has run out is passed over when the node starts, so that the one before it comes back.
pub const EXPIRED_PASSED_OVER: Bug = Bug {
    index: 47,
    name: "expired-passed-over",
    source: "couchbase/ep-engine 2ebfeccf (MB-3522): a permanent value comes back from disk when the one that was written in its \
             place has run out",
    breaks: KEEPS,
    scenario: SINGLE,
};

/// All of them.
pub const BUGS: &[Bug] = &[
    REVERT_BLOCKS_NOBODY,
    REVERT_TAKES_LATER,
    COMPLETE_DURING_REVERT,
    REVERT_ASSERTS_BARRIER,
    UNWRITTEN_TAKEN_FOR_NEW,
    ADDED_AGAIN_TAKEN_FOR_NEW,
    DELETED_NEW_COMES_BACK,
    OLD_VALUE_NEW_META,
    ADDED_LEFT_BEHIND,
    DEAD_WINDOW_STAYS,
    TABLE_VALUE_WRITTEN,
    REVERT_WAKES_NOBODY,
    OFFSETS_NOT_ADJUSTED,
    START_MARKER_FORGOTTEN,
    REREGISTRATION_PINS,
    LAST_CLOSED_IS_PREDECESSOR,
    REQUEUE_IS_NO_WORK,
    DEAD_SKIPPED,
    SOON_EXPIRED_SKIPPED,
    PURGED_UNSEEN,
    STANDINGS_BY_TASKS,
    BACKFILL_DECIDED_BEFORE,
    REPAIR_OFF_BY_ONE,
    START_REUSES_ID,
    END_OPENS_NEXT,
    START_TAKES_NEXT_ID,
    UPDATE_NOT_REPEATABLE,
    STEP_OVERTAKES,
    MERGE_REWINDS,
    MERGE_FORGETS_CURSORS,
    SMALLER_START_ERASES,
    ROLLBACK_KEEPS_PERSISTED_ID,
    NEXT_ID_NOT_ADVANCED,
    PROMOTED_WITHOUT_OPEN,
    WINDOW_BY_BATCHES,
    DELETED_COMES_BACK_BARE,
    SMALL_VALUE_STAYS,
    BACKFILLED_IN_WINDOW,
    RESET_KEEPS_WINDOW,
    ROLLBACK_KEEPS_WINDOW,
    START_WITHOUT_ID,
    FLUSH_ALL_KEEPS_WINDOW,
    REGISTERED_BY_ID_ALONE,
    SLEEPS_UNSEEN,
    ROLLED_BACK_ID_NOT_SAVED,
    DELETIONS_PASSED_OVER,
    LAST_WRITES_DROPPED,
    EXPIRED_PASSED_OVER,
];

/// The planted bugs that live in the log of a vbucket.
#[must_use]
pub fn defects(bugs: BugSet) -> Defects {
    Defects {
        completes_during_revert: bugs.has(&COMPLETE_DURING_REVERT),
        revert_asserts_barrier: bugs.has(&REVERT_ASSERTS_BARRIER),
        offsets_not_adjusted: bugs.has(&OFFSETS_NOT_ADJUSTED),
        start_marker_forgotten: bugs.has(&START_MARKER_FORGOTTEN),
        repair_off_by_one: bugs.has(&REPAIR_OFF_BY_ONE),
        registered_by_id_alone: bugs.has(&REGISTERED_BY_ID_ALONE),
        reregistration_pins: bugs.has(&REREGISTRATION_PINS),
        last_closed_is_predecessor: bugs.has(&LAST_CLOSED_IS_PREDECESSOR),
        requeue_is_no_work: bugs.has(&REQUEUE_IS_NO_WORK),
        start_reuses_id: bugs.has(&START_REUSES_ID),
        end_opens_next: bugs.has(&END_OPENS_NEXT),
        start_takes_next_id: bugs.has(&START_TAKES_NEXT_ID),
        events_once_only: bugs.has(&UPDATE_NOT_REPEATABLE),
        merge_rewinds: bugs.has(&MERGE_REWINDS),
        merge_forgets_cursors: bugs.has(&MERGE_FORGETS_CURSORS),
        smaller_start_erases: bugs.has(&SMALLER_START_ERASES),
        rollback_keeps_persisted_id: bugs.has(&ROLLBACK_KEEPS_PERSISTED_ID),
        next_id_not_advanced: bugs.has(&NEXT_ID_NOT_ADVANCED),
        promoted_without_open: bugs.has(&PROMOTED_WITHOUT_OPEN),
        window_survives_clear: bugs.has(&RESET_KEEPS_WINDOW) || bugs.has(&FLUSH_ALL_KEEPS_WINDOW),
        window_survives_rollback: bugs.has(&ROLLBACK_KEEPS_WINDOW),
        start_without_id: bugs.has(&START_WITHOUT_ID),
        ..Defects::NONE
    }
}

/// A value of so many bytes is a small one.
const SMALL: usize = 2;

/// What a key is brought back to: its image, or what a planted bug makes of it.
pub(super) fn image(
    bugs: BugSet,
    image: Option<Entry>,
    present: Option<&Entry>,
    (window, key): (&Window, Key),
) -> Option<Entry> {
    let is_small = |entry: &Entry| entry.value.as_ref().is_some_and(|v| v.0.len() <= SMALL);
    let without_value = |cas| {
        let (flags, until) = (0, None);
        Some(Entry { value: None, flags, until, cas, dirty: false, row: None })
    };
    match (image, present) {
        (Some(_), _) if bugs.has(&UNWRITTEN_TAKEN_FOR_NEW) && window.was_unwritten(key) => None,
        (Some(_), Some(_))
            if bugs.has(&ADDED_AGAIN_TAKEN_FOR_NEW) && window.has_added_again(key) =>
        {
            None
        }
        (Some(image), Some(Entry { flags, until, cas, .. })) if bugs.has(&OLD_VALUE_NEW_META) => {
            Some(Entry { flags: *flags, until: *until, cas: *cas, ..image })
        }
        (Some(image), None) if bugs.has(&DELETED_COMES_BACK_BARE) => without_value(image.cas),
        (Some(_), Some(present)) if bugs.has(&SMALL_VALUE_STAYS) && is_small(present) => {
            Some(present.clone())
        }
        (None, None) if bugs.has(&DELETED_NEW_COMES_BACK) => without_value(0),
        (None, Some(present)) if bugs.has(&ADDED_LEFT_BEHIND) => without_value(present.cas),
        (image, _) => image,
    }
}
