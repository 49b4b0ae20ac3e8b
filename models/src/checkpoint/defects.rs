//! Planted bugs of the manager. All are off unless a run plants one.

/// Real defects of ep-engine's checkpoint manager that can be switched on. They are given to a
/// [`Manager`](super::manager::Manager) when it is made. Where a defect needs an older rule to show, it brings it along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Defects {
    /// A cursor that stands right on the older version of a key stays where it is when that version goes, and so passes
    /// over the item that takes its place. The repair of ep-engine 79b3f055 (`Checkpoint::queueDirty`), off by one.
    pub repair_off_by_one: bool,
    /// A key that is queued again after the flusher had passed it counts as no new work. Fixed in ep-engine 889507c9
    /// (MB-7593).
    pub requeue_is_no_work: bool,
    /// The last closed checkpoint is taken to be the predecessor in the list: 0 if there is none. Fixed in ep-engine
    /// baa0d8d2 (MB-3678).
    pub last_closed_is_predecessor: bool,
    /// A cursor that is registered again while the checkpoint it asks for is gone stays on the list of the checkpoint where
    /// it stood. Fixed in ep-engine e2ab4d38 (MB-3646).
    pub reregistration_pins: bool,
    /// A registration is judged by its checkpoint id alone, whatever life of the vbucket that was of. Fixed in ep-engine
    /// 303ab543 (MB-4595) for one of its ways to show.
    pub registered_by_id_alone: bool,
    /// Registration counts two items of frame for each earlier checkpoint, and so forgets the start of an open window; who
    /// has more is told by that count. In ep-engine from 79b3f055 on.
    pub start_marker_forgotten: bool,
    /// The end of an online update takes the two items of its frame from the number of items but not from the offsets of
    /// named cursors; who has more is told by that count. Review comments on seed 002, checkpoint.cc:229 and :284.
    pub offsets_not_adjusted: bool,
    /// Merging puts every cursor to the beginning. Fixed in ep-engine 9c0951a0 (MB-7583).
    pub merge_rewinds: bool,
    /// Merging moves cursors into a checkpoint without putting them on its list. Fixed in ep-engine 3b8debc4 (MB-7652).
    pub merge_forgets_cursors: bool,
    /// A checkpoint start with an id that is there already erases everything from that id on. Fixed in ep-engine b1ae7f77
    /// (MB-4707).
    pub smaller_start_erases: bool,
    /// Going back to a smaller id does not say that less counts as persisted. Fixed in ep-engine e36dcc2f.
    pub rollback_keeps_persisted_id: bool,
    /// The next id is not moved on by ids that the active copy sends. Fixed in ep-engine 6d6cce7f (MB-3662).
    pub next_id_not_advanced: bool,
    /// A copy that is promoted between an end and the next start has no open checkpoint. Fixed in ep-engine 34757f89
    /// (MB-10641).
    pub promoted_without_open: bool,
    /// A replica that is told of the start of an online update closes its open checkpoint and opens another one of the same
    /// id. It brings along the assertion that the flusher stands in the window when that is reverted. In ep-engine
    /// 79b3f055.
    pub start_reuses_id: bool,
    /// A replica that is told of the end of an online update opens the next checkpoint by itself. It brings along the rule
    /// that another end than that of the open checkpoint drops the connection. In ep-engine 79b3f055.
    pub end_opens_next: bool,
    /// A replica that is told of the start of an online update opens a checkpoint with the next id, which the active copy
    /// then uses for another one; what has this id is erased. In ep-engine from 6d6cce7f to b1ae7f77.
    pub start_takes_next_id: bool,
    /// Clearing the log leaves window and online cursor as they are. In ep-engine from 79b3f055 to the end of the feature.
    pub window_survives_clear: bool,
    /// Going back to an id in front of the window leaves window and online cursor as they are. In ep-engine from 79b3f055 to
    /// the end of the feature.
    pub window_survives_rollback: bool,
    /// What is queued between the begin of a revert and the collection of the window is collected, too. In ep-engine from
    /// 79b3f055 on.
    pub collects_past_revert: bool,
    /// A complete that comes while a revert is under way ends the window. In ep-engine from 79b3f055 on.
    pub completes_during_revert: bool,
    /// A revert asserts that the flusher has reached the window. In ep-engine from 79b3f055 on.
    pub revert_asserts_barrier: bool,
    /// An event of an online update that was done before is refused. In ep-engine from 79b3f055 on.
    pub events_once_only: bool,
    /// A replica that is told of the start of an online update begins it in whatever checkpoint it has open, since the step
    /// names none. Review comment on seed 002, tapconnection.cc:1006.
    pub start_without_id: bool,
}

impl Defects {
    /// None planted.
    pub const NONE: Defects = Defects {
        repair_off_by_one: false,
        requeue_is_no_work: false,
        last_closed_is_predecessor: false,
        reregistration_pins: false,
        registered_by_id_alone: false,
        start_marker_forgotten: false,
        offsets_not_adjusted: false,
        merge_rewinds: false,
        merge_forgets_cursors: false,
        smaller_start_erases: false,
        rollback_keeps_persisted_id: false,
        next_id_not_advanced: false,
        promoted_without_open: false,
        start_reuses_id: false,
        end_opens_next: false,
        start_takes_next_id: false,
        window_survives_clear: false,
        window_survives_rollback: false,
        collects_past_revert: false,
        completes_during_revert: false,
        revert_asserts_barrier: false,
        events_once_only: false,
        start_without_id: false,
    };

    /// Whether "is there more?" is answered by counting, as until ep-engine b10af2bb, and not by position.
    pub(super) fn counts_more(self) -> bool {
        self.start_marker_forgotten || self.offsets_not_adjusted
    }

    /// Plants one by the name of its field. Nothing if there is none of that name.
    pub fn plant(&mut self, name: &str) -> Option<()> {
        self.switches().into_iter().find(|(of, _)| *of == name).map(|(_, switch)| *switch = true)
    }

    /// The names of all.
    pub fn names() -> Vec<&'static str> {
        Defects::default().switches().map(|(name, _)| name).to_vec()
    }

    fn switches(&mut self) -> [(&'static str, &mut bool); 23] {
        [
            ("repair_off_by_one", &mut self.repair_off_by_one),
            ("requeue_is_no_work", &mut self.requeue_is_no_work),
            ("last_closed_is_predecessor", &mut self.last_closed_is_predecessor),
            ("reregistration_pins", &mut self.reregistration_pins),
            ("registered_by_id_alone", &mut self.registered_by_id_alone),
            ("start_marker_forgotten", &mut self.start_marker_forgotten),
            ("offsets_not_adjusted", &mut self.offsets_not_adjusted),
            ("merge_rewinds", &mut self.merge_rewinds),
            ("merge_forgets_cursors", &mut self.merge_forgets_cursors),
            ("smaller_start_erases", &mut self.smaller_start_erases),
            ("rollback_keeps_persisted_id", &mut self.rollback_keeps_persisted_id),
            ("next_id_not_advanced", &mut self.next_id_not_advanced),
            ("promoted_without_open", &mut self.promoted_without_open),
            ("start_reuses_id", &mut self.start_reuses_id),
            ("end_opens_next", &mut self.end_opens_next),
            ("start_takes_next_id", &mut self.start_takes_next_id),
            ("window_survives_clear", &mut self.window_survives_clear),
            ("window_survives_rollback", &mut self.window_survives_rollback),
            ("collects_past_revert", &mut self.collects_past_revert),
            ("completes_during_revert", &mut self.completes_during_revert),
            ("revert_asserts_barrier", &mut self.revert_asserts_barrier),
            ("events_once_only", &mut self.events_once_only),
            ("start_without_id", &mut self.start_without_id),
        ]
    }
}
