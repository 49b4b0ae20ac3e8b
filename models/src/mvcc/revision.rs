//! Revisions, and the keys under which records are stored.

use std::fmt;

/// A point in the history of the store. All effects of one transaction share `main`; `sub` counts them from 0.
/// Ordered by `main`, then `sub`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision {
    /// The transaction; the first write of a store has 2.
    pub main: i64,
    /// The effect inside the transaction.
    pub sub: i64,
}

impl Revision {
    /// The revision of effect `sub` of transaction `main`.
    pub const fn new(main: i64, sub: i64) -> Revision {
        Revision { main, sub }
    }

    /// The 17 bytes that stand for this revision: both numbers big-endian with `_` between, so that byte order is
    /// revision order. Negative numbers have no place in that order and never get here.
    pub fn encode(self) -> [u8; REVISION_LEN] {
        assert!(self.main >= 0 && self.sub >= 0, "only a revision of the store is written");
        let mut bytes = [b'_'; REVISION_LEN];
        bytes[..8].copy_from_slice(&self.main.to_be_bytes());
        bytes[9..].copy_from_slice(&self.sub.to_be_bytes());
        bytes
    }

    /// Reads back what [`Revision::encode`] wrote.
    pub fn parse(bytes: &[u8]) -> Result<Revision, RevisionError> {
        let bytes: &[u8; REVISION_LEN] =
            bytes.try_into().map_err(|_| RevisionError::Length(bytes.len()))?;
        if bytes[8] != b'_' {
            return Err(RevisionError::Separator(bytes[8]));
        }
        let number = |from: usize| {
            let number = i64::from_be_bytes(std::array::from_fn(|n| bytes[from + n]));
            if number < 0 { Err(RevisionError::Negative(number)) } else { Ok(number) }
        };
        Ok(Revision { main: number(0)?, sub: number(9)? })
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({},{})", self.main, self.sub)
    }
}

/// Length of an encoded revision in bytes. A tombstone has one byte more.
pub const REVISION_LEN: usize = 17;

/// The key of a record: its revision, and whether it says that the key was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey {
    /// When it was written.
    pub revision: Revision,
    /// Whether it marks a deletion.
    pub tombstone: bool,
}

impl RecordKey {
    /// The 17 bytes of the revision, and a `t` behind them for a tombstone (etcd 2f74f7602).
    pub fn encode(self) -> Vec<u8> {
        let mut bytes = self.revision.encode().to_vec();
        if self.tombstone {
            bytes.push(b't');
        }
        bytes
    }

    /// Reads back what [`RecordKey::encode`] wrote.
    pub fn parse(bytes: &[u8]) -> Result<RecordKey, RevisionError> {
        match bytes.split_at_checked(REVISION_LEN) {
            Some((revision, b"")) => {
                Ok(RecordKey { revision: Revision::parse(revision)?, tombstone: false })
            }
            Some((revision, b"t")) => {
                Ok(RecordKey { revision: Revision::parse(revision)?, tombstone: true })
            }
            Some((_, [mark])) => Err(RevisionError::Mark(*mark)),
            Some(_) | None => Err(RevisionError::Length(bytes.len())),
        }
    }
}

/// Why bytes are not a revision or the key of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum RevisionError {
    /// Neither 17 bytes nor, for a record, 18.
    #[error("a revision has 17 bytes, or 18 for a tombstone, not {0}")]
    Length(usize),
    /// Byte 8 has to be `_`.
    #[error("byte 8 of a revision is `_` (0x5f), not 0x{0:02x}")]
    Separator(u8),
    /// Byte 17 has to be `t`.
    #[error("byte 17 of a tombstone is `t` (0x74), not 0x{0:02x}")]
    Mark(u8),
    /// Revisions are never negative.
    #[error("a stored revision is not negative, but this is {0}")]
    Negative(i64),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_two_big_endian_numbers_around_an_underscore() {
        let bytes = Revision::new(0x0102, 3).encode();
        assert_eq!(bytes, [0, 0, 0, 0, 0, 0, 1, 2, b'_', 0, 0, 0, 0, 0, 0, 0, 3]);
        let tombstone = RecordKey { revision: Revision::new(0x0102, 3), tombstone: true };
        assert_eq!(tombstone.encode(), [&bytes[..], b"t"].concat());
    }

    #[test]
    fn byte_order_is_revision_order_and_a_tombstone_follows_its_revision() {
        let mut keys: Vec<RecordKey> = Vec::new();
        for (main, sub) in [(1, 0), (1, 1), (1, 256), (2, 0), (255, 7), (256, 0), (i64::MAX, 0)] {
            for tombstone in [false, true] {
                keys.push(RecordKey { revision: Revision::new(main, sub), tombstone });
            }
        }
        assert!(keys.is_sorted());
        let encoded: Vec<Vec<u8>> = keys.iter().map(|key| key.encode()).collect();
        assert!(encoded.is_sorted());
        let parsed: Vec<RecordKey> =
            encoded.iter().map(|bytes| RecordKey::parse(bytes).expect("encoded above")).collect();
        assert_eq!(parsed, keys);
    }

    #[test]
    fn other_bytes_are_refused_with_the_reason() {
        let mut good = Revision::new(5, 1).encode().to_vec();
        assert_eq!(RecordKey::parse(&good[..16]), Err(RevisionError::Length(16)));
        assert_eq!(RecordKey::parse(b""), Err(RevisionError::Length(0)));
        good.push(b'u');
        assert_eq!(RecordKey::parse(&good), Err(RevisionError::Mark(b'u')));
        good[17] = b't';
        assert!(RecordKey::parse(&good).expect("a tombstone").tombstone);
        assert_eq!(Revision::parse(&good), Err(RevisionError::Length(18)));
        good.push(b't');
        assert_eq!(RecordKey::parse(&good), Err(RevisionError::Length(19)));
        good[8] = b'-';
        assert_eq!(Revision::parse(&good[..17]), Err(RevisionError::Separator(b'-')));
        good[8] = b'_';
        good[9] = 0x80;
        assert!(matches!(Revision::parse(&good[..17]), Err(RevisionError::Negative(_))));
    }
}
