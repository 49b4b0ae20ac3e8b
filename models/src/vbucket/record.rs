//! The file of a node as bytes: records with checksums, in transactions that count as a whole or not at all.
//!
//! ```text
//!  length  body               crc32c of the body
//!    2     kind, then fields    4                  bytes, little-endian
//!
//!  begin  set  set  delete  commit │ begin  state  commit │ begin  set ~~~ (torn: ends the log)
//! ```
//!
//! What a record says about a vbucket counts only for the birth of it that the record names, so that what was still to
//! be written of a deleted vbucket does not come back in the next one of its number.

use std::collections::BTreeMap;

use super::fields::Fields;
use super::op::{Key, State, Value, Vb};
use super::table::Row;

/// A record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Record {
    /// A transaction begins. One before it that has not been committed never was.
    Begin,
    /// A version of a key.
    Set(Vb, u64, Version),
    /// A key is gone.
    Delete(Vb, u64, Key),
    /// How a vbucket stands.
    State(Vb, Standing),
    /// A vbucket is gone.
    Dropped(Vb),
    /// All since the begin counts.
    Commit,
}

/// A version of a key on disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    /// The key.
    pub key: Key,
    /// The value.
    pub value: Value,
    /// Kept with it.
    pub flags: u32,
    /// The second in which it is gone.
    pub until: Option<u64>,
    /// Which version it is.
    pub cas: u64,
}

/// How a vbucket stands, on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Standing {
    /// Which vbucket of its number it is.
    pub birth: u64,
    /// Active or not.
    pub state: State,
    /// Counts changes of the state.
    pub change: u64,
    /// All up to this checkpoint is on disk.
    pub persisted: u64,
}

const BEGIN: u8 = 1;
const SET: u8 = 2;
const DELETE: u8 = 3;
const STATE: u8 = 4;
const DROPPED: u8 = 5;
const COMMIT: u8 = 6;
/// Bytes around a body.
const FRAME: usize = 6;

/// Appends a record to `log`, and returns how many bytes that were.
///
/// # Panics
/// If a value has more than 65,000 bytes.
pub fn encode(record: &Record, log: &mut Vec<u8>) -> u32 {
    let mut body = Vec::with_capacity(40);
    match record {
        Record::Begin => body.push(BEGIN),
        Record::Commit => body.push(COMMIT),
        Record::Dropped(vb) => body.extend([DROPPED, vb.0]),
        Record::Delete(vb, birth, key) => {
            body.extend([DELETE, vb.0]);
            body.extend(birth.to_le_bytes());
            body.push(key.0);
        }
        Record::State(vb, Standing { birth, state, change, persisted }) => {
            body.extend([STATE, vb.0, *state as u8]);
            for number in [birth, change, persisted] {
                body.extend(number.to_le_bytes());
            }
        }
        Record::Set(vb, birth, Version { key, value, flags, until, cas }) => {
            body.extend([SET, vb.0]);
            body.extend(birth.to_le_bytes());
            body.push(key.0);
            body.extend(cas.to_le_bytes());
            body.extend(flags.to_le_bytes());
            body.push(u8::from(until.is_some()));
            body.extend(until.unwrap_or_default().to_le_bytes());
            body.extend(value.0.as_bytes());
        }
    }
    let len = u16::try_from(body.len()).expect("values are short");
    log.extend(len.to_le_bytes());
    log.extend(&body);
    log.extend(crc32c::crc32c(&body).to_le_bytes());
    u32::from(len) + u32::try_from(FRAME).expect("a small number")
}

/// The record at the start of `log` and its length; nothing if it is short, or does not match its checksum.
#[must_use]
pub fn decode(log: &[u8]) -> Option<(Record, usize)> {
    let (len, rest) = log.split_first_chunk::<2>()?;
    let (body, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*len)))?;
    let (checksum, _) = rest.split_first_chunk::<4>()?;
    if crc32c::crc32c(body).to_le_bytes() != *checksum {
        return None;
    }
    Some((fields(body)?, body.len() + FRAME))
}

fn fields(body: &[u8]) -> Option<Record> {
    let mut fields = Fields(body);
    Some(match fields.byte()? {
        BEGIN => Record::Begin,
        COMMIT => Record::Commit,
        DROPPED => Record::Dropped(Vb(fields.byte()?)),
        DELETE => Record::Delete(Vb(fields.byte()?), fields.long()?, Key(fields.byte()?)),
        STATE => {
            let vb = Vb(fields.byte()?);
            let state = State::ALL.get(usize::from(fields.byte()?))?.0;
            let (birth, change, persisted) = (fields.long()?, fields.long()?, fields.long()?);
            Record::State(vb, Standing { birth, state, change, persisted })
        }
        SET => {
            let (vb, birth) = (Vb(fields.byte()?), fields.long()?);
            let (key, cas, flags) = (Key(fields.byte()?), fields.long()?, fields.int()?);
            let (lives, until) = (fields.byte()? == 0, fields.long()?);
            let value = Value::new(std::str::from_utf8(fields.0).ok()?);
            let until = if lives { None } else { Some(until) };
            Record::Set(vb, birth, Version { key, value, flags, until, cas })
        }
        _ => return None,
    })
}

/// A vbucket as the disk has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// How it stands.
    pub standing: Standing,
    /// The newest version of each key, and where it is.
    pub rows: BTreeMap<Key, (Version, Row)>,
}

/// What a log says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// The vbuckets that there are.
    pub vbuckets: BTreeMap<Vb, Saved>,
    /// Whether the log goes on behind the last good record.
    pub torn: bool,
    /// Whether something was found that was never committed.
    pub unfinished: bool,
}

/// Reads a log up to the first bad record.
#[must_use]
pub fn replay(log: &[u8]) -> Replayed {
    replay_with(log, |_| true)
}

/// The same; a planted bug has it pass something over.
pub(super) fn replay_with(log: &[u8], counts: impl Fn(&Record) -> bool) -> Replayed {
    let mut replayed = Replayed::default();
    let mut open: Vec<(Record, Row)> = Vec::new();
    let mut at = 0;
    while at < log.len() {
        let Some((record, len)) = decode(&log[at..]) else {
            replayed.torn = true;
            break;
        };
        let row = Row { offset: at as u64, len: u32::try_from(len).expect("records are short") };
        at += len;
        match record {
            Record::Begin => {
                replayed.unfinished |= !open.is_empty();
                open.clear();
            }
            Record::Commit => {
                for (record, row) in open.drain(..).filter(|(record, _)| counts(record)) {
                    replayed.take(record, row);
                }
            }
            record => open.push((record, row)),
        }
    }
    replayed.unfinished |= !open.is_empty();
    replayed
}

impl Replayed {
    fn take(&mut self, record: Record, row: Row) {
        match record {
            Record::State(vb, standing) => {
                let saved = self.vbuckets.entry(vb);
                let saved = saved.or_insert(Saved { standing, rows: BTreeMap::new() });
                if saved.standing.birth != standing.birth {
                    saved.rows.clear();
                }
                saved.standing = standing;
            }
            Record::Dropped(vb) => drop(self.vbuckets.remove(&vb)),
            Record::Set(vb, birth, version) => {
                if let Some(saved) = self.born(vb, birth) {
                    saved.rows.insert(version.key, (version, row));
                }
            }
            Record::Delete(vb, birth, key) => {
                if let Some(saved) = self.born(vb, birth) {
                    saved.rows.remove(&key);
                }
            }
            Record::Begin | Record::Commit => {}
        }
    }

    fn born(&mut self, vb: Vb, birth: u64) -> Option<&mut Saved> {
        self.vbuckets.get_mut(&vb).filter(|saved| saved.standing.birth == birth)
    }

    /// A log that says the same in one transaction. The rows are those of the new log.
    #[must_use]
    pub fn log(&mut self) -> Vec<u8> {
        let mut log = Vec::new();
        encode(&Record::Begin, &mut log);
        for (vb, saved) in &mut self.vbuckets {
            encode(&Record::State(*vb, saved.standing), &mut log);
            for (version, row) in saved.rows.values_mut() {
                row.offset = log.len() as u64;
                let record = Record::Set(*vb, saved.standing.birth, version.clone());
                row.len = encode(&record, &mut log);
            }
        }
        encode(&Record::Commit, &mut log);
        log
    }
}

#[cfg(test)]
mod tests;
