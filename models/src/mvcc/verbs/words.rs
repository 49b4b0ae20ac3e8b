//! The words of a command.

use std::str::FromStr;

use super::super::op::{Action, Keys, Op};
use super::super::revision::{RecordKey, Revision};

/// The words of a line: spaces part them, but not inside quotes.
pub(super) fn split(line: &str) -> Vec<&str> {
    let (mut words, mut from, mut inside, mut escaped) = (Vec::new(), None, false, false);
    for (at, c) in line.char_indices() {
        let parts = c.is_whitespace() && !inside;
        match (from, parts) {
            (Some(first), true) => {
                words.push(&line[first..at]);
                from = None;
            }
            (None, false) => from = Some(at),
            _ => {}
        }
        inside ^= c == '"' && !escaped;
        escaped = c == '\\' && inside && !escaped;
    }
    words.extend(from.map(|first| &line[first..]));
    words
}

/// A number, or whatever reads itself from a word.
pub(super) fn parse<T: FromStr>(word: &str, expected: &str) -> Result<T, String> {
    word.parse().map_err(|_| format!("expected {expected}, found `{word}`"))
}

/// A number above zero.
pub(super) fn count(words: &[&str], usual: usize) -> Result<usize, String> {
    let [word] = words else {
        return if words.is_empty() { Ok(usual) } else { Err(surplus(words[1])) };
    };
    let number = word.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("expected a number of records, found `{word}`"))
}

pub(super) fn surplus(word: &str) -> String {
    format!("expected the end of the line, found `{word}`")
}

/// Keys, as in a request.
pub(super) fn keys(word: &str) -> Result<Keys, String> {
    match format!("del {word}").parse() {
        Ok(Op::Single(Action::Delete(keys))) => Ok(keys),
        _ => Err(format!("expected keys, found `{word}`")),
    }
}

/// Bytes, as in a request.
pub(super) fn bytes(word: &str) -> Result<Vec<u8>, String> {
    match keys(word) {
        Ok(Keys::One(key)) => Ok(key),
        _ => Err(format!("expected a word or a quoted text, found `{word}`")),
    }
}

/// A revision with or without a sub: `15.1`, `15`.
pub(super) fn revision(word: &str) -> Result<Revision, String> {
    let (main, sub) = word.split_once('.').unwrap_or((word, "0"));
    let number = |word: &str| word.parse::<u32>().ok().map(i64::from);
    match (number(main), number(sub)) {
        (Some(main), Some(sub)) => Ok(Revision::new(main, sub)),
        _ => Err(format!("expected a revision such as `15` or `15.1`, found `{word}`")),
    }
}

/// The key of a record: `2.0`, and `3.0t` for a tombstone.
pub(super) fn record(word: &str) -> Result<RecordKey, String> {
    let bare = word.strip_suffix('t');
    let revision = revision(bare.unwrap_or(word))?;
    Ok(RecordKey { revision, tombstone: bare.is_some() })
}
