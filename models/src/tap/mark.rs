//! What a campaign must have seen at least once.

use seedbed_sim::actor::Mark;

/// Rejections.
pub const REJECTED: Mark = Mark { index: 40, name: "a replica rejected a change for now" };
/// What the pulling back is for.
pub const PULLED_BACK: Mark =
    Mark { index: 41, name: "changes were on their way behind one that was rejected" };
/// What the barrier before the end of a checkpoint is for.
pub const END_WAITED: Mark =
    Mark { index: 42, name: "the end of a checkpoint waited for a rejected change" };
/// Numbers begin again.
pub const WRAPPED: Mark = Mark { index: 43, name: "the numbers of messages began again" };
/// A full window.
pub const WINDOW_FULL: Mark = Mark { index: 44, name: "a stream waited since its window was full" };
/// A named connection comes back.
pub const WENT_ON: Mark = Mark { index: 45, name: "a stream went on where it had been" };
/// With messages that were not answered.
pub const ROLLED_BACK: Mark =
    Mark { index: 46, name: "a stream came back with messages that had not been answered" };
/// In the midst of a backfill.
pub const BACK_IN_BACKFILL: Mark =
    Mark { index: 47, name: "a stream came back in the midst of its backfill" };
/// Keep-alive is over.
pub const FORGOTTEN: Mark = Mark { index: 48, name: "a stream that stayed away was forgotten" };
/// A backfill from disk.
pub const FILLED_FROM_DISK: Mark = Mark { index: 49, name: "a backfill brought a value from disk" };
/// A change under a backfill.
pub const CHANGED_IN_BACKFILL: Mark =
    Mark { index: 50, name: "a vbucket was changed while it was collected for a backfill" };
/// What the token is for.
pub const BACKFILL_ENDED_EARLY: Mark =
    Mark { index: 51, name: "a backfill was ended since its stream had changed" };
/// No-ops.
pub const NOOP: Mark = Mark { index: 52, name: "a stream said that it was there" };
/// Nobody answers.
pub const HUNG_UP: Mark = Mark { index: 53, name: "a producer hung up since nobody answered" };
/// The filter changes.
pub const FILTER_CHANGED: Mark =
    Mark { index: 54, name: "the filter of a stream was changed while it was connected" };
/// Steps at replicas.
pub const STEPPED: Mark = Mark { index: 55, name: "a replica did a step of an online update" };
/// What the number of the update in each step is for.
pub const STEP_AGAIN: Mark = Mark { index: 56, name: "a step of an online update came again" };
/// What the number of the update in each change is for. One run in many thousands sees it, so no scenario promises it.
pub const LEFT_OUT: Mark =
    Mark { index: 57, name: "a change of an online update came again after its revert" };
/// A replica goes back.
pub const MERGED: Mark =
    Mark { index: 58, name: "a replica was told of a checkpoint that it had begun before" };
/// Writes during a takeover.
pub const WRITTEN_WHILE_MOVING: Mark =
    Mark { index: 59, name: "a vbucket was written while it was about to move" };
/// Drain of a dead vbucket.
pub const DRAINED_DEAD: Mark =
    Mark { index: 60, name: "changes were sent after their vbucket was dead" };
/// A move that is complete.
pub const MOVED: Mark = Mark { index: 61, name: "a vbucket moved" };
/// A middle node makes the next one wait.
pub const WAITED_FOR_UPSTREAM: Mark =
    Mark { index: 62, name: "a stream waited for its vbucket to be filled from another node" };
/// The notifier's second look.
pub const NOTIFIED_AWAKE: Mark =
    Mark { index: 63, name: "something was changed after the notifier had looked" };
