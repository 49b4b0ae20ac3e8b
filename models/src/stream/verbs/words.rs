//! The words of commands.

use std::fmt::Write;

use crate::stream::failover::FailoverLog;
use crate::stream::op::Value;
use crate::stream::payload::{Entry, Message, What};

/// Messages in the words of transcripts, numbered from 1 on.
pub(super) fn entry(vb: &str, session: &str, text: &str) -> Result<Entry, String> {
    let messages = text.split("; ").zip(1..).map(|(text, index)| {
        let what = what(text)?;
        Ok(Message { index, what })
    });
    let messages = messages.collect::<Result<Vec<Message>, String>>()?;
    if messages.len() > usize::from(u8::MAX) {
        return Err(format!("expected at most 255 messages, found {}", messages.len()));
    }
    Ok(Entry { vb: vb.parse()?, session: number(session)?, messages })
}

/// A message in the words of transcripts.
pub(super) fn what(text: &str) -> Result<What, String> {
    let wrong = || format!("expected begin, snapshot, upsert, delete or end; found `{text}`");
    let (verb, rest) = text.split_once(' ').ok_or_else(wrong)?;
    let words: Vec<&str> = rest.split(' ').collect();
    match verb {
        "begin" if words.len() == 1 => {
            let uuid = number(words[0])?;
            Ok(What::Begin(uuid, FailoverLog { entries: vec![(uuid, 0)] }))
        }
        "snapshot" if words.len() == 2 => {
            Ok(What::Snapshot(number(words[0])?, number(words[1])?, false))
        }
        "upsert" if words.len() == 3 || words.len() == 4 => {
            let length = words.get(3).map_or(Ok(0), |length| small(length))?;
            let value = Value { write: small(words[2])?, length };
            Ok(What::Upsert(number(words[0])?, words[1].parse()?, value))
        }
        "delete" if words.len() == 2 => Ok(What::Delete(number(words[0])?, words[1].parse()?)),
        "end" if words.len() == 1 => Ok(What::End(number(words[0])?)),
        _ => Err(wrong()),
    }
}

/// A branch, such as 7@3.
pub(super) fn branch(text: &str) -> Result<(u64, u64), String> {
    let (uuid, after) = text
        .split_once('@')
        .ok_or_else(|| format!("expected a branch such as 7@3, found `{text}`"))?;
    Ok((number(uuid)?, number(after)?))
}

/// A number.
pub(super) fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("expected a whole number, found `{text}`"))
}

/// A number that is not large.
pub(super) fn small<N: TryFrom<u64>>(text: &str) -> Result<N, String> {
    N::try_from(number(text)?).map_err(|_| format!("expected a smaller number, found `{text}`"))
}

/// Bytes from hex digits.
pub(super) fn bytes(hex: &str) -> Result<Vec<u8>, String> {
    let wrong = || format!("expected bytes as hex digits, found `{hex}`");
    if !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) || !hex.len().is_multiple_of(2) {
        return Err(wrong());
    }
    let pairs = (0..hex.len()).step_by(2);
    pairs.map(|at| u8::from_str_radix(&hex[at..at + 2], 16).map_err(|_| wrong())).collect()
}

/// Bytes as hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
