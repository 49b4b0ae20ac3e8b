//! Answers as text.

use std::fmt::Write;

use super::super::manager::{Manager, Role};
use super::super::op::{CheckpointId, CursorName, Event, EventKind, Item, Key, Mutation};
use super::super::response::{Accepted, Ended, Fetched, Queued, Registration, Remaining, Started};
use super::super::segment::Checkpoint;
use seedbed_sim::time::Span;

pub(super) fn whether(is: bool, yes: &str, no: &str) -> String {
    if is { yes.into() } else { no.into() }
}

pub(super) fn time(now: u64) -> String {
    format!("it is {}", Span::ns(now))
}

pub(super) fn queued(queued: Queued) -> String {
    let more = whether(queued.persistence_grew(), "more to persist", "no more to persist");
    match queued {
        Queued::New { id } => format!("new {}, {more}", id.0),
        Queued::Existing { id, .. } => format!("existing {}, {more}", id.0),
        Queued::Dropped => "dropped".into(),
    }
}

pub(super) fn items(items: &[Item]) -> String {
    let words: Vec<String> = items.iter().map(Item::to_string).collect();
    if words.is_empty() { "nothing".into() } else { words.join(" ") }
}

pub(super) fn fetched(fetched: &Fetched) -> String {
    format!("{}; last closed {}", items(&fetched.items), fetched.last_closed)
}

pub(super) fn opened(opened: Option<CheckpointId>) -> String {
    opened.map_or("not now".into(), |id| format!("opened {id}"))
}

pub(super) fn registered(registration: Registration) -> String {
    match registration {
        Registration::Resume => "goes on where it was".into(),
        Registration::Found => "found".into(),
        Registration::BackfillNeeded => "backfill needed".into(),
        Registration::WindowOpen => "not while a window is open".into(),
        Registration::Refused => "not for this cursor".into(),
    }
}

pub(super) fn started(started: Started) -> String {
    match started {
        Started::Ignored => "ignored".into(),
        Started::Renumbered => "renumbered".into(),
        Started::Opened => "opened".into(),
        Started::Merged { persisted_at_most: Some(id) } => {
            format!("merged, persisted at most {id}")
        }
        Started::Merged { persisted_at_most: None } => "merged".into(),
        Started::Refused => "refused: the copy has to be reset".into(),
    }
}

pub(super) fn ended(ended: Ended) -> String {
    match ended {
        Ended::Ignored => "ignored".into(),
        Ended::Closed => "closed".into(),
        Ended::Disconnect => "disconnect".into(),
    }
}

pub(super) fn accepted(accepted: Accepted) -> String {
    match accepted {
        Accepted::Ignored => "ignored".into(),
        Accepted::Applied => "applied".into(),
        Accepted::AlreadyDone => "was done before".into(),
        Accepted::Refused => "refused: the copy has to be reset".into(),
        Accepted::Aborts => "the node aborts".into(),
    }
}

pub(super) fn event(event: Event) -> String {
    let word = match event.kind {
        EventKind::Start => "started",
        EventKind::Complete => "completed",
        EventKind::Revert => "is being taken back",
    };
    format!("{word}: epoch {}, from checkpoint {} on", event.epoch.0, event.checkpoint)
}

/// What is not in the checkpoints.
pub(super) fn state(log: &Manager) -> String {
    let role = match log.role() {
        Role::Active => "active",
        Role::Replica => "replica",
    };
    let open = whether(log.open_checkpoint().is_some(), "open", "to be opened");
    let mut said = format!(
        "{role}, life {}, checkpoint {} is {open}, {} items",
        log.incarnation().0,
        log.open_id(),
        log.counted()
    );
    if let Some(window) = log.window() {
        let what = whether(window.is_reverting, "being taken back", "open");
        let _ = write!(
            said,
            ", window {} from checkpoint {} is {what}",
            window.epoch.0, window.checkpoint
        );
    }
    said
}

/// A line for each checkpoint. A cursor is shown behind the item that it has delivered last.
pub(super) fn show(log: &Manager) -> String {
    let lines = log.checkpoints().iter().enumerate().map(|(at, checkpoint)| {
        let mut line = format!("{} {:8}", checkpoint.id(), kind(checkpoint));
        for (position, item) in checkpoint.items().iter().enumerate() {
            if position > 0 {
                let _ = write!(line, " {item}");
            }
            for cursor in log.cursors() {
                if (cursor.checkpoint(), cursor.position()) == (at, position) {
                    let _ = write!(line, " <{}>", cursor.name());
                }
            }
        }
        line
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn kind(checkpoint: &Checkpoint) -> &'static str {
    match (checkpoint.is_open(), checkpoint.is_reverted()) {
        (true, false) => "open",
        (false, false) => "closed",
        (_, true) => "reverted",
    }
}

/// A line for each cursor that reads: where it stands, and its three numbers.
pub(super) fn cursors(log: &Manager) -> String {
    let lines = log.cursors().iter().map(|cursor| {
        let name = cursor.name();
        let checkpoint = log.checkpoints().get(cursor.checkpoint()).map_or(0, |at| at.id().0);
        let place = format!("{name}: checkpoint {checkpoint}, item {}", cursor.position());
        match log.remaining(name) {
            Some(left) if name != CursorName::OnlineUpdate => format!("{place}, {}", numbers(left)),
            Some(_) | None => place,
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn numbers(left: Remaining) -> String {
    let Remaining { mutations, items, counted } = left;
    format!("left {mutations} mutations, {items} items, 2011: {counted}")
}

/// The changes of a window in order, and its keys.
pub(super) fn window(log: &Manager) -> String {
    let mutations: Vec<Mutation> = log.window_mutations();
    let changed: Vec<Item> = mutations.into_iter().map(Item::Mutation).collect();
    let keys: Vec<String> = log.window_keys().iter().map(Key::to_string).collect();
    format!(
        "{}; keys {}",
        items(&changed),
        if keys.is_empty() { "none".into() } else { keys.join(" ") }
    )
}
