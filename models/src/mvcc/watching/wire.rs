//! What travels on a stream: frames, each with its length before it.
//!
//! ```text
//! len u16 | kind u8 | fields          numbers are 8 bytes, big-endian; texts have a length of 2 bytes before them
//! ```
//!
//! A connection gives bytes in order, none lost and none twice, in whatever pieces. A frame that is not whole waits for
//! the rest of it.

use super::wish::Interest;
use crate::mvcc::op::{At, Keys};
use crate::mvcc::record;
use crate::mvcc::watch::{Body, Event, Kind, WatchId};

/// From a client to the store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// Make a watcher of this name. Its revision is a number by now.
    Create(WatchId, Interest),
    /// Cancel it.
    Cancel(WatchId),
    /// Tell how far all watchers of the stream are.
    Progress,
    /// Say something.
    Ping,
}

/// From the store to a client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Tell {
    /// The watcher is made, by this life of the node, while this was the current revision.
    Created(WatchId, u32, i64),
    /// It is not: its revision is compacted (a negative one always is), or its keys are none.
    Refused(WatchId),
    /// It was cancelled, and nothing more of it comes.
    Cancelled(WatchId),
    /// What the store says, and to which watchers.
    Heard(Vec<WatchId>, Body),
    /// Something.
    Pong,
}

/// The next whole frame in `bytes`, which are then without it.
pub(super) fn next_frame(bytes: &mut Vec<u8>) -> Option<Vec<u8>> {
    let len = usize::from(u16::from_be_bytes([*bytes.first()?, *bytes.get(1)?]));
    if bytes.len() < 2 + len {
        return None;
    }
    let frame = bytes[2..2 + len].to_vec();
    bytes.drain(..2 + len);
    Some(frame)
}

/// Writes a frame.
#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn number(mut self, number: i64) -> Writer {
        self.0.extend(number.to_be_bytes());
        self
    }

    fn flag(mut self, flag: bool) -> Writer {
        self.0.push(u8::from(flag));
        self
    }

    fn text(mut self, text: &[u8]) -> Writer {
        let len = u16::try_from(text.len()).expect("texts are short");
        self.0.extend(len.to_be_bytes());
        self.0.extend(text);
        self
    }

    fn kind(kind: u8) -> Writer {
        Writer(vec![kind])
    }

    /// The frame, with its length before it.
    fn frame(self) -> Vec<u8> {
        Writer::default().text(&self.0).0
    }
}

/// Reads a frame. What does not fit is none: under the budgets of the scenarios no byte of a stream is ever altered.
struct Reader<'b>(&'b [u8]);

impl Reader<'_> {
    fn take(&mut self, len: usize) -> Option<&[u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    fn flag(&mut self) -> Option<bool> {
        Some(self.byte()? == 1)
    }

    fn number(&mut self) -> Option<i64> {
        Some(i64::from_be_bytes(self.take(8)?.try_into().ok()?))
    }

    fn watch(&mut self) -> Option<WatchId> {
        self.number().map(WatchId)
    }

    fn count(&mut self) -> Option<usize> {
        Some(usize::from(u16::from_be_bytes(self.take(2)?.try_into().ok()?)))
    }

    fn text(&mut self) -> Option<Vec<u8>> {
        let len = self.count()?;
        self.take(len).map(<[u8]>::to_vec)
    }
}

impl Ask {
    /// The bytes of it.
    pub(super) fn encode(&self) -> Vec<u8> {
        let writer = match self {
            Ask::Create(WatchId(id), Interest { keys, from, no_put, no_delete, with_previous }) => {
                let writer = Writer::kind(0).number(*id).number(from.absolute(0));
                let writer = writer.flag(*no_put).flag(*no_delete).flag(*with_previous);
                match keys {
                    Keys::One(key) => writer.text(key),
                    Keys::From(first) => writer.text(first).flag(true),
                    Keys::Span(first, end) => writer.text(first).flag(false).text(end),
                }
            }
            Ask::Cancel(WatchId(id)) => Writer::kind(1).number(*id),
            Ask::Progress => Writer::kind(2),
            Ask::Ping => Writer::kind(3),
        };
        writer.frame()
    }

    /// Reads one.
    pub(super) fn decode(frame: &[u8]) -> Option<Ask> {
        let mut reader = Reader(frame);
        Some(match reader.byte()? {
            0 => {
                let (id, from) = (reader.watch()?, At::Absolute(reader.number()?));
                let (no_put, no_delete) = (reader.flag()?, reader.flag()?);
                let (with_previous, first) = (reader.flag()?, reader.text()?);
                let keys = match reader.flag() {
                    None => Keys::One(first),
                    Some(true) => Keys::From(first),
                    Some(false) => Keys::Span(first, reader.text()?),
                };
                Ask::Create(id, Interest { keys, from, no_put, no_delete, with_previous })
            }
            1 => Ask::Cancel(reader.watch()?),
            2 => Ask::Progress,
            3 => Ask::Ping,
            _ => return None,
        })
    }
}

impl Tell {
    /// The bytes of it.
    pub(super) fn encode(&self) -> Vec<u8> {
        let writer = match self {
            Tell::Created(WatchId(id), life, revision) => {
                Writer::kind(0).number(*id).number(i64::from(*life)).number(*revision)
            }
            Tell::Refused(WatchId(id)) => Writer::kind(1).number(*id),
            Tell::Cancelled(WatchId(id)) => Writer::kind(2).number(*id),
            Tell::Heard(about, body) => heard(about, body),
            Tell::Pong => Writer::kind(6),
        };
        writer.frame()
    }

    /// Reads one.
    pub(super) fn decode(frame: &[u8]) -> Option<Tell> {
        let mut reader = Reader(frame);
        let kind = reader.byte()?;
        Some(match kind {
            0 => {
                let (id, life) = (reader.watch()?, u32::try_from(reader.number()?).ok()?);
                Tell::Created(id, life, reader.number()?)
            }
            1 => Tell::Refused(reader.watch()?),
            2 => Tell::Cancelled(reader.watch()?),
            3..=5 => {
                let number = reader.number()?;
                let about = (0..reader.count()?).map(|_| reader.watch()).collect::<Option<_>>()?;
                let body = match kind {
                    3 => Body::Progress { revision: number },
                    4 => Body::Compacted { compacted: number },
                    _ => {
                        let count = reader.count()?;
                        let events = (0..count).map(|_| event(&mut reader)).collect::<Option<_>>();
                        Body::Events { revision: number, events: events? }
                    }
                };
                Tell::Heard(about, body)
            }
            6 => Tell::Pong,
            _ => return None,
        })
    }
}

fn heard(about: &[WatchId], body: &Body) -> Writer {
    let (kind, number) = match body {
        Body::Progress { revision } => (3, *revision),
        Body::Compacted { compacted } => (4, *compacted),
        Body::Events { revision, .. } => (5, *revision),
    };
    let count = |len: usize| u16::try_from(len).expect("few").to_be_bytes();
    let mut writer = Writer::kind(kind).number(number);
    writer.0.extend(count(about.len()));
    let mut writer = about.iter().fold(writer, |writer, id| writer.number(id.0));
    let Body::Events { events, .. } = body else { return writer };
    writer.0.extend(count(events.len()));
    events.iter().fold(writer, |writer, event| {
        let writer = writer.flag(event.kind == Kind::Delete).text(&record::encode(&event.kv));
        match &event.previous {
            Some(previous) => writer.flag(true).text(&record::encode(previous)),
            None => writer.flag(false),
        }
    })
}

fn event(reader: &mut Reader<'_>) -> Option<Event> {
    let kind = if reader.flag()? { Kind::Delete } else { Kind::Put };
    let kv = record::decode(&reader.text()?).ok()?;
    let previous = if reader.flag()? { Some(record::decode(&reader.text()?).ok()?) } else { None };
    Some(Event { kind, kv, previous })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mvcc::response::KeyValue;

    fn kv(key: &str, mod_revision: i64) -> KeyValue {
        let (key, value) = (key.into(), b"v".to_vec());
        KeyValue { key, create_revision: 2, mod_revision, version: 3, value, lease: 7 }
    }

    #[test]
    fn what_is_written_is_read_in_whatever_pieces_it_comes() {
        let interest = |keys| Interest {
            keys,
            from: At::Absolute(-1),
            no_put: true,
            no_delete: false,
            with_previous: true,
        };
        let keys = [
            Keys::One(b"a".to_vec()),
            Keys::Span(b"a".to_vec(), b"c".to_vec()),
            Keys::From(Vec::new()),
        ];
        let mut asks = vec![Ask::Cancel(WatchId(9)), Ask::Progress, Ask::Ping];
        asks.extend(keys.map(|keys| Ask::Create(WatchId(4), interest(keys))));
        for ask in &asks {
            let mut bytes = ask.encode();
            let frame = next_frame(&mut bytes).expect("it is whole");
            assert_eq!((Ask::decode(&frame).as_ref(), bytes.len()), (Some(ask), 0));
        }
        let put = Event { kind: Kind::Put, kv: kv("a", 5), previous: Some(kv("a", 4)) };
        let deleted = KeyValue { mod_revision: 5, ..KeyValue::default() };
        let delete = Event { kind: Kind::Delete, kv: deleted, previous: None };
        let ids = vec![WatchId(1), WatchId(2)];
        let tells = [
            Tell::Created(WatchId(1), 2, 30),
            Tell::Refused(WatchId(2)),
            Tell::Cancelled(WatchId(3)),
            Tell::Heard(ids.clone(), Body::Progress { revision: 8 }),
            Tell::Heard(ids[..1].to_vec(), Body::Compacted { compacted: 6 }),
            Tell::Heard(ids, Body::Events { revision: 8, events: vec![put, delete] }),
            Tell::Pong,
        ];
        let (mut bytes, mut read) = (Vec::new(), Vec::new());
        for byte in tells.iter().flat_map(Tell::encode) {
            bytes.push(byte);
            read.extend(next_frame(&mut bytes).and_then(|frame| Tell::decode(&frame)));
        }
        assert_eq!(read, tells);
        assert_eq!(
            (Ask::decode(&[9]), Tell::decode(&[9]), Ask::decode(&[1, 0])),
            (None, None, None)
        );
    }
}
