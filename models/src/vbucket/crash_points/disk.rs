//! What a file of a node says, read by other code than the node's own: after the description in `record.rs`.

use std::collections::BTreeMap;

use crate::vbucket::op::{Key, Value};
use crate::vbucket::reference::Item;

/// What a file says of vbucket 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    birth: u64,
    /// What stands in its keys.
    pub(super) content: BTreeMap<Key, Item>,
    /// Up to which checkpoint all is on disk.
    pub(super) persisted: u64,
}

/// What the committed transactions of a log say.
pub(super) fn found(log: &[u8]) -> Found {
    let mut found = Found::default();
    let mut open: Vec<&[u8]> = Vec::new();
    let mut rest = log;
    while let Some((body, behind)) = record(rest) {
        rest = behind;
        match body[0] {
            1 => open.clear(),
            6 => {
                for body in open.drain(..) {
                    take(body, &mut found);
                }
            }
            _ => open.push(body),
        }
    }
    found
}

/// The body of the next record, if it is whole, and what comes after it.
fn record(log: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = usize::from(u16::from_le_bytes(log.get(..2)?.try_into().ok()?));
    let body = log.get(2..2 + len)?;
    let sum = log.get(2 + len..6 + len)?;
    let is_whole = !body.is_empty() && crc32c::crc32c(body).to_le_bytes() == *sum;
    is_whole.then(|| (body, &log[6 + len..]))
}

fn take(body: &[u8], found: &mut Found) {
    let Found { birth, content, persisted } = found;
    let [kind, vb, fields @ ..] = body else { return };
    match (kind, vb) {
        (2, 0) if long(fields, 0) == *birth => {
            let until = (fields[21] != 0).then(|| long(fields, 22));
            let value = std::str::from_utf8(&fields[30..]).expect("values are text");
            let flags = u32::from_le_bytes(fields[17..21].try_into().expect("four bytes"));
            let item = Item { value: Value::new(value), flags, until, cas: long(fields, 9) };
            content.insert(Key(fields[8]), item);
        }
        (3, 0) if long(fields, 0) == *birth => drop(content.remove(&Key(fields[8]))),
        (4, 0) => {
            if long(fields, 1) != *birth {
                content.clear();
            }
            (*birth, *persisted) = (long(fields, 1), long(fields, 17));
        }
        (5, 0) => *found = Found::default(),
        _ => {}
    }
}

fn long(fields: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(fields[at..at + 8].try_into().expect("eight bytes"))
}
