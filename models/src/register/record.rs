//! The log of a replica as bytes: records of one size, each with a checksum.
//!
//! ```text
//!  key  coordinator  life  counter  value  crc32c of all before
//!   1       2         4       8      8      4                    bytes, little-endian
//! ```
//!
//! The size divides no size of a sector, so that a power loss finds records of which one sector is on disk and the next is
//! not. One record at a time is unsynced, so only the last can be torn.

use super::bugs;
use super::call::Key;
use super::table::Table;
use super::tag::{Tag, Version};
use seedbed_sim::actor::BugSet;
use seedbed_sim::id::{ActorId, Incarnation};

/// Bytes of a record.
pub const LEN: usize = 27;
const BODY: usize = LEN - 4;

/// Appends a record to `log`.
pub fn encode(key: Key, version: Version, log: &mut Vec<u8>) {
    let from = log.len();
    log.push(key.0);
    log.extend_from_slice(&version.tag.coordinator.0.to_le_bytes());
    log.extend_from_slice(&version.tag.life.0.to_le_bytes());
    log.extend_from_slice(&version.tag.counter.to_le_bytes());
    log.extend_from_slice(&version.value.to_le_bytes());
    let checksum = crc32c::crc32c(&log[from..]);
    log.extend_from_slice(&checksum.to_le_bytes());
}

/// A log that holds each version of a table once.
#[must_use]
pub fn log_of(table: &Table) -> Vec<u8> {
    let mut log = Vec::new();
    for (key, version) in table.iter() {
        encode(key, version, &mut log);
    }
    log
}

/// What a log says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// The newest version of each key.
    pub table: Table,
    /// Whether the log goes on behind the last good record.
    pub torn: bool,
}

/// Reads a log up to the first record that is short or does not match its checksum.
#[must_use]
pub fn replay(log: &[u8], bugs: BugSet) -> Replayed {
    let mut replayed = Replayed::default();
    for record in log.chunks(LEN) {
        let Some((key, version)) = decode(record, bugs) else {
            replayed.torn = true;
            break;
        };
        replayed.table.put(key, version, bugs);
    }
    replayed
}

fn decode(record: &[u8], bugs: BugSet) -> Option<(Key, Version)> {
    let record: &[u8; LEN] = record.try_into().ok()?;
    let (body, checksum) = record.split_at(BODY);
    if crc32c::crc32c(body).to_le_bytes() != checksum && !bugs.has(&bugs::TORN_RECORD_BELIEVED) {
        return None;
    }
    let (key, rest) = body.split_first()?;
    let (coordinator, rest) = rest.split_first_chunk()?;
    let (life, rest) = rest.split_first_chunk()?;
    let (counter, rest) = rest.split_first_chunk()?;
    let (value, _) = rest.split_first_chunk()?;
    let tag = Tag {
        counter: u64::from_le_bytes(*counter),
        coordinator: ActorId(u16::from_le_bytes(*coordinator)),
        life: Incarnation(u32::from_le_bytes(*life)),
    };
    Some((Key(*key), Version { tag, value: u64::from_le_bytes(*value) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: BugSet = BugSet::NONE;

    fn version(counter: u64, value: u64) -> Version {
        Version { tag: Tag { counter, coordinator: ActorId(3), life: Incarnation(9) }, value }
    }

    fn log(records: &[(Key, Version)]) -> Vec<u8> {
        let mut log = Vec::new();
        for (key, version) in records {
            encode(*key, *version, &mut log);
        }
        log
    }

    #[test]
    fn a_log_is_read_back_as_the_newest_version_of_each_key() {
        let records = [
            (Key(0), version(1, 10)),
            (Key(1), version(7, u64::MAX)),
            (Key(0), version(3, 30)),
            (Key(0), version(2, 20)),
        ];
        let replayed = replay(&log(&records), NONE);
        let read: Vec<_> = replayed.table.iter().collect();
        assert_eq!(read, [(Key(0), version(3, 30)), (Key(1), version(7, u64::MAX))]);
        assert!(!replayed.torn);
        assert_eq!(replay(&log_of(&replayed.table), NONE), replayed);
    }

    #[test]
    fn a_log_cut_anywhere_keeps_the_whole_records_before_the_cut() {
        let records: Vec<_> = (0..4).map(|i| (Key(i), version(1, u64::from(i)))).collect();
        let log = log(&records);
        for cut in 0..=log.len() {
            let replayed = replay(&log[..cut], NONE);
            assert_eq!(replayed.table.iter().count(), cut / LEN, "cut at {cut}");
            assert_eq!(replayed.torn, cut % LEN != 0, "cut at {cut}");
        }
    }

    #[test]
    fn a_record_with_any_bit_flipped_or_any_part_zeroed_ends_the_log() {
        let log = log(&[(Key(2), version(5, 0x0102_0304_0506_0708))]);
        for byte in 0..LEN {
            for bit in 0..8 {
                let mut flipped = log.clone();
                flipped[byte] ^= 1 << bit;
                assert_eq!(replay(&flipped, NONE), Replayed { torn: true, ..Replayed::default() });
            }
        }
        for kept in 1..LEN {
            let (mut head, mut tail) = (log.clone(), log.clone());
            head[kept..].fill(0);
            tail[..kept].fill(0);
            assert!(replay(&head, NONE).torn && replay(&tail, NONE).torn, "{kept}");
        }
        assert!(replay(&[0; LEN], NONE).torn);
    }

    #[test]
    fn without_the_checksum_a_torn_record_is_a_version_that_nobody_wrote() {
        let mut torn = log(&[(Key(2), version(5, 7))]);
        torn[16..].fill(0);
        let believed = replay(&torn, BugSet::only(&bugs::TORN_RECORD_BELIEVED));
        assert_eq!(believed.table.get(Key(2)), Some(version(5, 7 & 0xff)));
        torn[15..].fill(0);
        let believed = replay(&torn, BugSet::only(&bugs::TORN_RECORD_BELIEVED));
        assert_eq!(believed.table.get(Key(2)), Some(version(5, 0)));
    }
}
