//! What a file of a node says, read by other code than the node's own: after the description in `record.rs`.

use std::collections::BTreeMap;

use crate::vbucket::op::{Key, Value};
use crate::vbucket::reference::Item;

/// What stands in the keys of vbucket 0, by the committed transactions of a log.
pub(super) fn content(log: &[u8]) -> BTreeMap<Key, Item> {
    let (mut birth, mut content) = (0, BTreeMap::new());
    let mut open: Vec<&[u8]> = Vec::new();
    let mut rest = log;
    while let Some((body, behind)) = record(rest) {
        rest = behind;
        match body[0] {
            1 => open.clear(),
            6 => {
                for body in open.drain(..) {
                    take(body, &mut birth, &mut content);
                }
            }
            _ => open.push(body),
        }
    }
    content
}

/// The body of the next record, if it is whole, and what comes after it.
fn record(log: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = usize::from(u16::from_le_bytes(log.get(..2)?.try_into().ok()?));
    let body = log.get(2..2 + len)?;
    let sum = log.get(2 + len..6 + len)?;
    let is_whole = !body.is_empty() && crc32c::crc32c(body).to_le_bytes() == *sum;
    is_whole.then(|| (body, &log[6 + len..]))
}

fn take(body: &[u8], birth: &mut u64, content: &mut BTreeMap<Key, Item>) {
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
            *birth = long(fields, 1);
        }
        (5, 0) => content.clear(),
        _ => {}
    }
}

fn long(fields: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(fields[at..at + 8].try_into().expect("eight bytes"))
}
