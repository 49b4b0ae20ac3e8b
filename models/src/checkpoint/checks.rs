//! What always holds in a log, whatever was done to it: each rule is a sentence, and a function that looks at a manager.

use super::manager::{Manager, Role};
use super::op::{CursorName, Item};
use super::segment::Checkpoint;

/// A rule that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not so: {rule}: {what}")]
pub struct Broken {
    /// The sentence.
    pub rule: &'static str,
    /// Where it does not hold.
    pub what: String,
}

/// CUR.
pub const CURSORS_STAND: &str = "every cursor stands on an item of a checkpoint that lists it";
/// REM.
pub const REMAINING_IS_COUNTED: &str = "what a cursor has left is what its offset says";
/// ID.
pub const IDS_INCREASE: &str = "ids increase, and only the last checkpoint is open";
/// MEM.
pub const UNNEEDED_GOES: &str = "the oldest checkpoint is needed by a cursor";
/// BAR.
pub const FLUSHER_STOPS: &str = "the flusher does not go into an open window";

/// All of them that hold after any operation.
pub fn holds(manager: &Manager) -> Result<(), Broken> {
    cursors_stand(manager)?;
    remaining_is_counted(manager)?;
    ids_increase(manager)?;
    flusher_stops(manager)
}

/// CUR: a cursor stands on an item of a checkpoint, and the checkpoint knows of it; nobody else is on its list.
pub fn cursors_stand(manager: &Manager) -> Result<(), Broken> {
    for cursor in manager.cursors() {
        let at = manager.checkpoints().get(cursor.checkpoint());
        let stands = at.is_some_and(|at| cursor.position() < at.items().len());
        let listed = at.is_some_and(|at| at.cursors().contains(&cursor.name()));
        ensure(stands && listed, CURSORS_STAND, || {
            format!("{} in {} at {}", cursor.name(), cursor.checkpoint(), cursor.position())
        })?;
    }
    let listed: usize = manager.checkpoints().iter().map(|at| at.cursors().len()).sum();
    ensure(listed == manager.cursors().len(), CURSORS_STAND, || format!("{listed} are listed"))
}

/// REM: the numbers that are kept by adding and subtracting are those that a recount gives.
pub fn remaining_is_counted(manager: &Manager) -> Result<(), Broken> {
    for cursor in manager.cursors() {
        let Some(remaining) = manager.remaining(cursor.name()) else { continue };
        ensure(
            u64::try_from(remaining.counted) == Ok(remaining.items),
            REMAINING_IS_COUNTED,
            || {
                format!(
                    "{}: {} items, counted {}",
                    cursor.name(),
                    remaining.items,
                    remaining.counted
                )
            },
        )?;
    }
    Ok(())
}

/// ID: checkpoints are whole, in order, and all but the last are closed. An active copy has an open one, and the next id
/// is a new one.
pub fn ids_increase(manager: &Manager) -> Result<(), Broken> {
    let all = manager.checkpoints();
    for pair in all.windows(2) {
        ensure(pair[0].id() < pair[1].id() && !pair[0].is_open(), IDS_INCREASE, || {
            format!("{} and then {}", pair[0].id(), pair[1].id())
        })?;
    }
    for checkpoint in all {
        ensure(is_whole(checkpoint), IDS_INCREASE, || format!("{} is torn", checkpoint.id()))?;
    }
    let is_active = manager.role() == Role::Active;
    ensure(!is_active || manager.open_checkpoint().is_some(), IDS_INCREASE, || {
        "nothing is open".into()
    })?;
    let newest = all.last().map(Checkpoint::id);
    ensure(newest.is_some_and(|newest| newest < manager.next_id()), IDS_INCREASE, || {
        format!("{} comes again", manager.next_id())
    })
}

/// MEM: after a round of removal.
pub fn unneeded_goes(manager: &Manager) -> Result<(), Broken> {
    let needed = manager.cursors().iter().any(|cursor| cursor.checkpoint() == 0);
    ensure(needed || manager.checkpoints().len() == 1, UNNEEDED_GOES, || {
        format!("{} checkpoints", manager.checkpoints().len())
    })
}

/// BAR: while a window is open, the flusher stands in front of it, or has no more of its first checkpoint than the start: at
/// a replica that may have been there for a while.
pub fn flusher_stops(manager: &Manager) -> Result<(), Broken> {
    let is_open = manager.window().is_some_and(|window| !window.is_reverting);
    let window = manager.cursor(CursorName::OnlineUpdate).map(|cursor| cursor.checkpoint());
    let (Some(window), Some(flusher)) = (window, manager.cursor(CursorName::Persistence)) else {
        return Ok(());
    };
    let place = (flusher.checkpoint(), flusher.position());
    ensure(!is_open || place <= (window, 1), FLUSHER_STOPS, || format!("{place:?} of {window}"))
}

/// A checkpoint has its frame, each key once, in the order of its mutations, and an index that says where.
fn is_whole(checkpoint: &Checkpoint) -> bool {
    let items = checkpoint.items();
    let ends = matches!(items.last(), Some(Item::CheckpointEnd(id)) if *id == checkpoint.id());
    let starts =
        matches!(items, [Item::Empty, Item::CheckpointStart(id), ..] if *id == checkpoint.id());
    let mut mutations = 0;
    let mut last = None;
    let in_place = items.iter().enumerate().all(|(position, item)| {
        let Some(mutation) = item.mutation() else { return true };
        mutations += 1;
        let follows = last.is_none_or(|last| last < mutation.id);
        last = Some(mutation.id);
        follows && checkpoint.mutation_of(mutation.change.key) == Some((position, mutation.id))
    });
    starts && ends != checkpoint.is_open() && in_place && mutations == checkpoint.mutations()
}

fn ensure(holds: bool, rule: &'static str, what: impl FnOnce() -> String) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(Broken { rule, what: what() }) }
}
