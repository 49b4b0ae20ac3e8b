//! The words of a command.

use seedbed_sim::time::Span;

use super::super::defects::Defects;
use super::super::manager::Role;
use super::super::op::{
    Change, CheckpointId, CursorName, Epoch, Event, Incarnation, Key, Short, Value,
};
use super::super::settings::Settings;
use super::{KINDS, cursor_of};

/// Nothing is left of the line.
pub(super) fn end(words: &[&str]) -> Result<(), String> {
    match words {
        [] => Ok(()),
        [word, ..] => Err(format!("expected the end of the line, found `{word}`")),
    }
}

/// The value of the only word.
pub(super) fn one_of<T: Copy>(words: &[&str], choices: &[(&str, T)]) -> Result<T, String> {
    let found = match words {
        [word] => choices.iter().find(|(of, _)| of == word),
        _ => None,
    };
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|(of, _)| *of).collect();
        format!("expected `{}`, found `{}`", names.join("` or `"), words.join(" "))
    })
}

pub(super) fn span(words: &[&str]) -> Result<u64, String> {
    let [word] = words else { return Err("expected a span such as 20ms".into()) };
    Span::parse(word).map(|span| span.0)
}

/// The id of a checkpoint, as the only word.
pub(super) fn id(words: &[&str]) -> Result<CheckpointId, String> {
    match words {
        [word] => checkpoint(word),
        _ => Err(format!("expected a number, found `{}`", words.join(" "))),
    }
}

pub(super) fn cursor(words: &[&str]) -> Result<CursorName, String> {
    match words {
        [word] => parse_cursor(word),
        _ => Err(format!("expected a cursor, found `{}`", words.join(" "))),
    }
}

/// A cursor, how many items it wants, and where it has to stop.
pub(super) fn fetch(words: &[&str]) -> Result<(CursorName, usize, Option<CheckpointId>), String> {
    let [name, rest @ ..] = words else { return Err("expected a cursor".into()) };
    let name = parse_cursor(name)?;
    let at = rest.iter().position(|word| *word == "before").unwrap_or(rest.len());
    let (count, barrier) = rest.split_at(at);
    let wrong = || format!("expected `N` or `before ID`, found `{}`", rest.join(" "));
    let count = match count {
        [] => usize::MAX,
        [count] => usize::try_from(number(count)?).unwrap_or(usize::MAX),
        _ => return Err(wrong()),
    };
    let barrier = match barrier {
        [] => None,
        [_, id] => Some(checkpoint(id)?),
        _ => return Err(wrong()),
    };
    Ok((name, count, barrier))
}

/// A reader, the checkpoint it begins with, and of which life.
pub(super) fn reader(
    words: &[&str],
    usual: Incarnation,
) -> Result<(CursorName, CheckpointId, Incarnation), String> {
    let [name, from, rest @ ..] = words else { return Err("expected CURSOR ID [life N]".into()) };
    let life = match rest {
        [] => usual,
        [word, life] if *word == "life" => Incarnation(number(life)?),
        _ => return Err(format!("expected `life N`, found `{}`", rest.join(" "))),
    };
    Ok((parse_cursor(name)?, checkpoint(from)?, life))
}

pub(super) fn event(words: &[&str]) -> Result<Event, String> {
    let [kind, checkpoint, epoch] = words else {
        return Err("expected start, complete or revert, then ID EPOCH".into());
    };
    let kind = one_of(&[kind], &KINDS)?;
    let (checkpoint, epoch) = (self::checkpoint(checkpoint)?, Epoch(number(epoch)?));
    Ok(Event { kind, checkpoint, epoch })
}

/// A key and a version of it.
pub(super) fn version(words: &[&str]) -> Result<(Key, u64), String> {
    match words {
        [key, cas] => Ok((parse_key(key)?, number(cas)?)),
        _ => Err(format!("expected KEY CAS, found `{}`", words.join(" "))),
    }
}

pub(super) fn set(words: &[&str]) -> Result<Change, String> {
    let [key, rest @ ..] = words else { return Err("expected a key".into()) };
    let is_option = |word: &str| matches!(word, "flags" | "expires" | "cas" | "disk");
    let (value, rest) = match rest {
        [value, rest @ ..] if !is_option(value) => (*value, rest),
        rest => ("", rest),
    };
    let value: Value = value.parse().map_err(|error| format!("{error}, found `{value}`"))?;
    options(Change::set(parse_key(key)?, value), rest)
}

pub(super) fn delete(words: &[&str]) -> Result<Change, String> {
    let [key, rest @ ..] = words else { return Err("expected a key".into()) };
    options(Change::delete(parse_key(key)?), rest)
}

fn options(mut change: Change, words: &[&str]) -> Result<Change, String> {
    let mut rest = words.iter();
    let mut seen = Vec::new();
    while let Some(name) = rest.next() {
        once(name, &mut seen)?;
        let mut value = || rest.next().ok_or_else(|| format!("expected a value for `{name}`"));
        match *name {
            "disk" => change.is_on_disk = true,
            "flags" => change.flags = small(value()?)?,
            "expires" => change.expires_at = Some(number(value()?)?),
            "cas" => change.cas = number(value()?)?,
            _ => return Err(format!("expected flags, expires, cas or disk, found `{name}`")),
        }
    }
    Ok(change)
}

/// What a new log is like.
pub(super) fn newborn(words: &[&str]) -> Result<(Settings, Role, Defects), String> {
    let (mut settings, mut defects) = (Settings::USUAL, Defects::NONE);
    let (role, mut rest) = match words.split_first() {
        Some((&"active", rest)) => (Role::Active, rest),
        Some((&"replica", rest)) => (Role::Replica, rest),
        Some(_) | None => (Role::Active, words),
    };
    let mut seen = Vec::new();
    while let [name, value, others @ ..] = rest {
        if *name != "bug" {
            once(name, &mut seen)?;
        }
        match *name {
            "max_items" => settings.max_items = small(value)?,
            "by_count" => settings.by_count = one_of(&[value], &[("yes", true), ("no", false)])?,
            "period" => settings.period = span(&[value])?,
            "max_checkpoints" => settings.max_checkpoints = small(value)?,
            "min_items" => settings.min_items = small(value)?,
            "bug" => {
                let plant = defects.plant(value);
                plant.ok_or_else(|| format!("expected the name of a bug, found `{value}`"))?;
            }
            _ => return Err(format!("expected the name of a setting, found `{name}`")),
        }
        rest = others;
    }
    end(rest).map(|()| (settings, role, defects))
}

/// An option stands only once.
fn once<'a>(name: &'a str, seen: &mut Vec<&'a str>) -> Result<(), String> {
    if seen.contains(&name) {
        return Err(format!("expected `{name}` only once"));
    }
    seen.push(name);
    Ok(())
}

fn parse_cursor(word: &str) -> Result<CursorName, String> {
    cursor_of(word)
        .ok_or_else(|| format!("expected `persistence` or `c1` to `c255`, found `{word}`"))
}

fn parse_key(word: &str) -> Result<Key, String> {
    Short::new(word.as_bytes()).map_err(|error| format!("{error}, found `{word}`"))
}

/// Half of the ids, so that the next ones are there, too.
fn checkpoint(word: &str) -> Result<CheckpointId, String> {
    let id = number(word)?;
    if id >= 1 << 63 {
        return Err(format!("expected the id of a checkpoint below 2^63, found `{word}`"));
    }
    Ok(CheckpointId(id))
}

fn number(word: &str) -> Result<u64, String> {
    word.parse().map_err(|_| format!("expected a number, found `{word}`"))
}

fn small(word: &str) -> Result<u32, String> {
    word.parse().map_err(|_| format!("expected a number below 2^32, found `{word}`"))
}
