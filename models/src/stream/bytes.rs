//! Numbers and names in payloads, big-endian. Reading past the end is an error, never a panic.

use super::failover::FailoverLog;
use super::op::{Key, Point, Value};

/// What is left to be read of a payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input<'a>(pub(super) &'a [u8]);

/// The payload cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

pub(super) type Read<T> = Result<T, Unreadable>;

impl<'a> Input<'a> {
    pub(super) fn take(&mut self, n: usize) -> Read<&'a [u8]> {
        let (part, rest) = self.0.split_at_checked(n).ok_or(Unreadable)?;
        self.0 = rest;
        Ok(part)
    }

    pub(super) fn u8(&mut self) -> Read<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub(super) fn u16(&mut self) -> Read<u16> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    pub(super) fn u32(&mut self) -> Read<u32> {
        let (high, low) = (self.u16()?, self.u16()?);
        Ok(u32::from(high) << 16 | u32::from(low))
    }

    pub(super) fn u64(&mut self) -> Read<u64> {
        let (high, low) = (self.u32()?, self.u32()?);
        Ok(u64::from(high) << 32 | u64::from(low))
    }

    /// One byte that is 0 or 1.
    pub(super) fn bool(&mut self) -> Read<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Unreadable),
        }
    }

    pub(super) fn key(&mut self) -> Read<Key> {
        self.u8().map(Key)
    }

    /// The number of the write, the length of what is behind it, and so many bytes, each the last one of the number.
    pub(super) fn value(&mut self) -> Read<Value> {
        let (write, length) = (self.u32()?, self.u16()?);
        let filler = self.take(usize::from(length))?;
        let [.., last] = write.to_be_bytes();
        if filler.iter().all(|byte| *byte == last) {
            Ok(Value { write, length })
        } else {
            Err(Unreadable)
        }
    }

    /// A count, and a branch and a sequence number for each.
    pub(super) fn log(&mut self) -> Read<FailoverLog> {
        let entries = (0..self.u8()?).map(|_| Ok((self.u64()?, self.u64()?)));
        Ok(FailoverLog { entries: entries.collect::<Read<_>>()? })
    }

    pub(super) fn point(&mut self) -> Read<Point> {
        let (seq, uuid) = (self.u64()?, self.u64()?);
        Ok(Point { seq, uuid, snap_start: self.u64()?, snap_end: self.u64()? })
    }

    /// Nothing may be left.
    pub(super) fn end(self) -> Read<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Unreadable) }
    }
}

/// A payload that is being written.
pub(super) trait Output {
    fn value(&mut self, value: Value);
    fn log(&mut self, log: &FailoverLog);
    fn point(&mut self, point: &Point);
    fn words(&mut self, words: &[u64]);
}

impl Output for Vec<u8> {
    fn value(&mut self, value: Value) {
        let write = value.write.to_be_bytes();
        self.extend(write);
        self.extend(value.length.to_be_bytes());
        self.resize(self.len() + usize::from(value.length), write[3]);
    }

    fn log(&mut self, log: &FailoverLog) {
        let count = log.entries.len().min(usize::from(u8::MAX));
        self.push(u8::try_from(count).unwrap_or(u8::MAX));
        log.entries[..count].iter().for_each(|(uuid, after)| self.words(&[*uuid, *after]));
    }

    fn point(&mut self, point: &Point) {
        self.words(&[point.seq, point.uuid, point.snap_start, point.snap_end]);
    }

    fn words(&mut self, words: &[u64]) {
        words.iter().for_each(|word| self.extend(word.to_be_bytes()));
    }
}
