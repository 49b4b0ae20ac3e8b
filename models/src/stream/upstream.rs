//! What a frame between router and data says, byte by byte. Numbers are big-endian, and frames are those of
//! [`super::frame`].
//!
//! ```text
//!  kind
//!   1  open       router (1), place of the keyspace (1), session (8)                        router to data, first of all
//!   2  request    stream (4), vbucket (2), point (32), purge (8)                            router to data
//!   3  close      stream (4)                                                                router to data
//!   4  ack        how many messages were taken in (2)                                       router to data
//!   5  noop       nothing                                                                   both ways
//!   6  ok         stream (4), failover log                                                  data to router
//!   7  refused    stream (4), reason (1), sequence number (8)                               data to router
//!   8  snapshot   stream (4), start (8), end (8), from disk (1)                             data to router
//!   9  upsert     stream (4), sequence number (8), key (1), value                           data to router
//!  10  delete     stream (4), sequence number (8), key (1)                                  data to router
//!  11  end        stream (4), reason (1)                                                    data to router
//!
//!  point          sequence number (8), branch (8), start and end of the snapshot (8, 8)
//! ```
//!
//! Snapshot, upsert, delete and end are what the window counts and what is to be acknowledged; nothing else is.

use super::bytes::{Input, Output, Read, Unreadable};
use super::failover::FailoverLog;
use super::frame::Reader;
use super::op::{Key, Keyspace, Point, Value};

/// The number of a stream: the router's name for it on one connection.
pub type StreamId = u32;

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each field stands in the table above")]
pub enum Dcp {
    Open { router: u8, keyspace: Keyspace, session: u64 },
    Request { stream: StreamId, vb: u16, from: Point, purge: u64 },
    Close { stream: StreamId },
    Ack(u16),
    Noop,
    Ok { stream: StreamId, log: FailoverLog },
    Refused { stream: StreamId, why: Refusal, seq: u64 },
    Snapshot { stream: StreamId, start: u64, end: u64, disk: bool },
    Upsert { stream: StreamId, seq: u64, key: Key, value: Value },
    Delete { stream: StreamId, seq: u64, key: Key },
    End { stream: StreamId, why: EndReason },
}

/// Why a stream was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Another node owns the vbucket.
    NotMyVbucket,
    /// The point makes no sense.
    OutOfRange,
    /// There is one on this connection.
    Exists,
    /// The consumer must forget what came after a sequence number.
    Rollback,
}

/// Why a stream has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// It was closed as asked.
    Closed,
    /// The vbucket has another owner.
    StateChanged,
    /// What it needs is not there any more.
    Rollback,
}

const REFUSALS: [Refusal; 4] =
    [Refusal::NotMyVbucket, Refusal::OutOfRange, Refusal::Exists, Refusal::Rollback];
const REASONS: [EndReason; 3] = [EndReason::Closed, EndReason::StateChanged, EndReason::Rollback];

impl Dcp {
    /// Whether the window counts it.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        match self {
            Dcp::Snapshot { .. } | Dcp::Upsert { .. } | Dcp::Delete { .. } | Dcp::End { .. } => {
                true
            }
            Dcp::Open { .. }
            | Dcp::Request { .. }
            | Dcp::Close { .. }
            | Dcp::Ack(_)
            | Dcp::Noop
            | Dcp::Ok { .. }
            | Dcp::Refused { .. } => false,
        }
    }

    /// The stream that it is about.
    #[must_use]
    pub fn stream(&self) -> Option<StreamId> {
        match *self {
            Dcp::Request { stream, .. }
            | Dcp::Close { stream }
            | Dcp::Ok { stream, .. }
            | Dcp::Refused { stream, .. }
            | Dcp::Snapshot { stream, .. }
            | Dcp::Upsert { stream, .. }
            | Dcp::Delete { stream, .. }
            | Dcp::End { stream, .. } => Some(stream),
            Dcp::Open { .. } | Dcp::Ack(_) | Dcp::Noop => None,
        }
    }

    /// As bytes.
    pub fn encode(&self, into: &mut Vec<u8>) {
        let mut head = |kind: u8, stream: &StreamId| {
            into.push(kind);
            into.extend(stream.to_be_bytes());
        };
        match self {
            Dcp::Open { router, keyspace, session } => {
                into.extend([1, *router, keyspace.0]);
                into.words(&[*session]);
            }
            Dcp::Request { stream, vb, from, purge } => {
                head(2, stream);
                into.extend(vb.to_be_bytes());
                into.point(from);
                into.words(&[*purge]);
            }
            Dcp::Close { stream } => head(3, stream),
            Dcp::Ack(count) => {
                into.push(4);
                into.extend(count.to_be_bytes());
            }
            Dcp::Noop => into.push(5),
            Dcp::Ok { stream, log } => {
                head(6, stream);
                into.log(log);
            }
            Dcp::Refused { stream, why, seq } => {
                head(7, stream);
                into.push(*why as u8);
                into.words(&[*seq]);
            }
            Dcp::Snapshot { stream, start, end, disk } => {
                head(8, stream);
                into.words(&[*start, *end]);
                into.push(u8::from(*disk));
            }
            Dcp::Upsert { stream, seq, key, value } => {
                head(9, stream);
                into.words(&[*seq]);
                into.push(key.0);
                into.value(*value);
            }
            Dcp::Delete { stream, seq, key } => {
                head(10, stream);
                into.words(&[*seq]);
                into.push(key.0);
            }
            Dcp::End { stream, why } => {
                head(11, stream);
                into.push(*why as u8);
            }
        }
    }

    /// From bytes.
    ///
    /// # Errors
    /// If they are not those of a frame.
    pub fn decode(bytes: &[u8]) -> Read<Dcp> {
        let mut input = Input(bytes);
        let frame = Dcp::read(&mut input)?;
        input.end()?;
        Ok(frame)
    }

    /// All whole frames in what a reader is given.
    ///
    /// # Errors
    /// If anything in it cannot be read.
    pub fn decode_all(reader: &mut Reader, mut bytes: &[u8]) -> Read<Vec<Dcp>> {
        let mut frames = Vec::new();
        while let Some(payload) = reader.take(&mut bytes).map_err(|_| Unreadable)? {
            frames.push(Dcp::decode(payload)?);
        }
        Ok(frames)
    }

    fn read(input: &mut Input<'_>) -> Read<Dcp> {
        let kind = input.u8()?;
        match kind {
            1 => {
                let (router, keyspace) = (input.u8()?, Keyspace(input.u8()?));
                if usize::from(keyspace.0) >= Keyspace::NAMES.len() {
                    return Err(Unreadable);
                }
                return Ok(Dcp::Open { router, keyspace, session: input.u64()? });
            }
            4 => return input.u16().map(Dcp::Ack),
            5 => return Ok(Dcp::Noop),
            _ => {}
        }
        let stream = input.u32()?;
        Ok(match kind {
            2 => {
                let (vb, from) = (input.u16()?, input.point()?);
                Dcp::Request { stream, vb, from, purge: input.u64()? }
            }
            3 => Dcp::Close { stream },
            6 => Dcp::Ok { stream, log: input.log()? },
            7 => {
                let why = REFUSALS.get(usize::from(input.u8()?)).ok_or(Unreadable)?;
                Dcp::Refused { stream, why: *why, seq: input.u64()? }
            }
            8 => {
                let (start, end) = (input.u64()?, input.u64()?);
                Dcp::Snapshot { stream, start, end, disk: input.bool()? }
            }
            9 => {
                let (seq, key) = (input.u64()?, input.key()?);
                Dcp::Upsert { stream, seq, key, value: input.value()? }
            }
            10 => Dcp::Delete { stream, seq: input.u64()?, key: input.key()? },
            11 => {
                let why = REASONS.get(usize::from(input.u8()?)).ok_or(Unreadable)?;
                Dcp::End { stream, why: *why }
            }
            _ => return Err(Unreadable),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each kind.
    fn all() -> Vec<Dcp> {
        let point = Point { seq: 3, uuid: 1 << 40, snap_start: 1, snap_end: 4 };
        let value = Value { write: 77, length: 5 };
        vec![
            Dcp::Open { router: 1, keyspace: Keyspace(2), session: 1 << 33 },
            Dcp::Request { stream: 9, vb: 12, from: point, purge: 2 },
            Dcp::Close { stream: 9 },
            Dcp::Ack(3),
            Dcp::Noop,
            Dcp::Ok { stream: 9, log: FailoverLog { entries: vec![(2, 3), (1, 0)] } },
            Dcp::Refused { stream: 9, why: Refusal::Rollback, seq: 1 },
            Dcp::Snapshot { stream: 9, start: 1, end: 4, disk: true },
            Dcp::Upsert { stream: 9, seq: 4, key: Key(3), value },
            Dcp::Delete { stream: 9, seq: 4, key: Key(3) },
            Dcp::End { stream: 9, why: EndReason::Rollback },
        ]
    }

    #[test]
    fn a_frame_is_read_as_it_is_written_and_not_when_it_is_cut() {
        for frame in all() {
            let mut bytes = Vec::new();
            frame.encode(&mut bytes);
            for end in 0..bytes.len() {
                assert_eq!(Dcp::decode(&bytes[..end]), Err(Unreadable), "{frame:?} cut at {end}");
            }
            assert_eq!(Dcp::decode(&bytes), Ok(frame));
            bytes.push(0);
            assert_eq!(Dcp::decode(&bytes), Err(Unreadable));
        }
        assert_eq!(all().iter().filter(|frame| frame.is_counted()).count(), 4);
    }

    #[test]
    fn a_value_whose_filler_is_not_its_own_is_unreadable() {
        let mut bytes = Vec::new();
        all()[8].encode(&mut bytes);
        *bytes.last_mut().expect("some bytes") ^= 1;
        assert_eq!(Dcp::decode(&bytes), Err(Unreadable));
    }
}
