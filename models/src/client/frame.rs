//! Requests and answers as bytes on a connection.
//!
//! ```text
//!  length  client  number  attempt  kind  fields, little-endian
//!    1       2       4        4       1
//! ```

use std::sync::Arc;

use seedbed_sim::id::{ActorId, OpId};

use crate::vbucket::fields::Fields;
use crate::vbucket::message::AskId;
use crate::vbucket::op::{Call, Count, Key, Request, Store, Value, Verb};
use crate::vbucket::response::Answer;

/// What a client asks a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// To do this, if it has the vbucket.
    Do(Arc<Request>),
    /// What stands in a key of a replica.
    Peek(Key),
}

const GET: u8 = 1;
const DELETE: u8 = 2;
const COUNT: u8 = 3;
const PEEK: u8 = 4;
/// The verbs of a store follow.
const STORE: u8 = 8;

/// Appends a request; nothing if it is not one for the protocol.
pub fn encode_request(id: AskId, wanted: &Wanted, into: &mut Vec<u8>) -> Option<()> {
    let start = begin(id, into);
    match wanted {
        Wanted::Peek(key) => into.extend([PEEK, key.0]),
        Wanted::Do(request) => match &request.call {
            Call::Get(key) => into.extend([GET, key.0]),
            Call::Delete(key) => into.extend([DELETE, key.0]),
            Call::Count(Count { down, key, by, initial }) => {
                into.extend([COUNT, key.0, u8::from(*down), u8::from(initial.is_some())]);
                into.extend(by.to_le_bytes());
                let (first, ttl) = initial.unwrap_or_default();
                into.extend(first.to_le_bytes());
                into.extend(ttl.to_le_bytes());
            }
            Call::Store(Store { verb, key, value, flags, expiry }) => {
                into.extend([STORE + *verb as u8, key.0]);
                into.extend(request.cas.to_le_bytes());
                into.extend(flags.to_le_bytes());
                into.extend(expiry.to_le_bytes());
                into.extend(value.0.as_bytes());
            }
            _ => {
                into.truncate(start);
                return None;
            }
        },
    }
    end(start, into);
    Some(())
}

/// Appends an answer.
pub fn encode_answer(id: AskId, answer: &Answer, into: &mut Vec<u8>) {
    let start = begin(id, into);
    let plain = PLAIN.iter().zip(0_u8..).find(|(other, _)| *other == answer);
    match (answer, plain) {
        (_, Some((_, kind))) => into.push(kind),
        (Answer::Found { value, flags, cas }, None) => {
            into.push(FOUND);
            into.extend(flags.to_le_bytes());
            into.extend(cas.to_le_bytes());
            into.extend(value.0.as_bytes());
        }
        (Answer::Counted(number, cas), None) => {
            into.push(COUNTED);
            into.extend(number.to_le_bytes());
            into.extend(cas.to_le_bytes());
        }
        (Answer::Stored(number) | Answer::Persisted(number), None) => {
            into.push(STORED);
            into.extend(number.to_le_bytes());
        }
        (_, None) => into.push(NOT_SUPPORTED),
    }
    end(start, into);
}

/// The answers without anything beside them, by their numbers.
const PLAIN: [Answer; 10] = [
    Answer::NotSupported,
    Answer::Deleted,
    Answer::Done,
    Answer::NotFound,
    Answer::Exists,
    Answer::NotStored,
    Answer::BadDelta,
    Answer::TooLong,
    Answer::NotMyVbucket,
    Answer::TemporaryFailure,
];
const NOT_SUPPORTED: u8 = 0;
const FOUND: u8 = 32;
const STORED: u8 = 33;
const COUNTED: u8 = 34;

fn begin(id: AskId, into: &mut Vec<u8>) -> usize {
    let start = into.len();
    into.push(0);
    into.extend(id.op.client.0.to_le_bytes());
    into.extend(id.op.number.to_le_bytes());
    into.extend(id.attempt.to_le_bytes());
    start
}

fn end(start: usize, into: &mut [u8]) {
    into[start] = u8::try_from(into.len() - start - 1).expect("a frame is short");
}

/// Takes the first request, if all of it is there.
pub fn take_request(inbox: &mut Vec<u8>) -> Option<(AskId, Wanted)> {
    take(inbox, |fields| {
        let kind = fields.byte()?;
        let key = Key(fields.byte()?);
        let request = |call, cas| Wanted::Do(Arc::new(Request { call, cas }));
        Some(match kind {
            PEEK => Wanted::Peek(key),
            GET => request(Call::Get(key), 0),
            DELETE => request(Call::Delete(key), 0),
            COUNT => {
                let (down, begins) = (fields.byte()? != 0, fields.byte()? != 0);
                let (by, first, ttl) = (fields.long()?, fields.long()?, fields.int()?);
                let initial = begins.then_some((first, ttl));
                request(Call::Count(Count { down, key, by, initial }), 0)
            }
            verb => {
                let verb = Verb::ALL.get(usize::from(verb.checked_sub(STORE)?))?.0;
                let (cas, flags, expiry) = (fields.long()?, fields.int()?, fields.int()?);
                let value = fields.text()?;
                request(Call::Store(Store { verb, key, value, flags, expiry }), cas)
            }
        })
    })
}

/// Takes the first answer, if all of it is there.
pub fn take_answer(inbox: &mut Vec<u8>) -> Option<(AskId, Answer)> {
    take(inbox, |fields| {
        Some(match fields.byte()? {
            FOUND => {
                let (flags, cas) = (fields.int()?, fields.long()?);
                Answer::Found { value: fields.text()?, flags, cas }
            }
            STORED => Answer::Stored(fields.long()?),
            COUNTED => Answer::Counted(fields.long()?, fields.long()?),
            plain => PLAIN.get(usize::from(plain))?.clone(),
        })
    })
}

/// Takes the first frame. One that makes no sense is passed over: connections do not alter what they carry.
fn take<T>(inbox: &mut Vec<u8>, read: impl Fn(&mut Fields<'_>) -> Option<T>) -> Option<(AskId, T)> {
    loop {
        let end = usize::from(*inbox.first()?) + 1;
        let mut fields = Fields(inbox.get(1..end)?);
        let id = fields.id();
        let found = id.and_then(|id| Some((id, read(&mut fields)?)));
        inbox.drain(..end);
        if found.is_some() {
            return found;
        }
    }
}

impl Fields<'_> {
    fn id(&mut self) -> Option<AskId> {
        let client = ActorId(u16::from_le_bytes(self.take()?));
        let number = self.int()?;
        Some(AskId { op: OpId { client, number }, attempt: self.int()? })
    }

    fn text(&mut self) -> Option<Value> {
        let text = std::str::from_utf8(self.0).ok()?;
        self.0 = &[];
        Some(Value::new(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: AskId = AskId { op: OpId { client: ActorId(7), number: 70_000 }, attempt: 3 };

    #[test]
    fn requests_come_back_as_they_were() {
        let mut bytes = Vec::new();
        let mut sent = vec![Wanted::Peek(Key(2))];
        for (text, cas) in [
            ("get a", 0),
            ("delete b", 0),
            ("cas c 7 flags 3 ttl 2", 9),
            ("prepend a 7.", 0),
            ("incr a 18446744073709551615", 0),
            ("decr a 1 initial 5 ttl 2", 0),
        ] {
            let call = text.parse().expect("a call");
            sent.push(Wanted::Do(Arc::new(Request { call, cas })));
        }
        for wanted in &sent {
            encode_request(ID, wanted, &mut bytes).expect("it is of the protocol");
        }
        let mut inbox = Vec::new();
        let mut got = Vec::new();
        // Byte by byte, as a connection may bring it.
        for byte in bytes {
            inbox.push(byte);
            got.extend(take_request(&mut inbox));
        }
        assert_eq!(got, sent.into_iter().map(|wanted| (ID, wanted)).collect::<Vec<_>>());
        let other = Wanted::Do(Arc::new(Request { call: "drop v0".parse().expect("one"), cas: 0 }));
        assert_eq!((encode_request(ID, &other, &mut inbox), inbox.len()), (None, 0));
    }

    #[test]
    fn answers_come_back_as_they_were() {
        let value = Value::new("7");
        let found = Answer::Found { value, flags: 3, cas: 9 };
        let more = [found, Answer::Stored(7), Answer::Counted(u64::MAX, 8)];
        let sent: Vec<Answer> = PLAIN.into_iter().chain(more).collect();
        let mut bytes = Vec::new();
        sent.iter().for_each(|answer| encode_answer(ID, answer, &mut bytes));
        let got: Vec<Answer> =
            std::iter::from_fn(|| take_answer(&mut bytes)).map(|(_, answer)| answer).collect();
        assert_eq!((got, bytes.len()), (sent, 0));
    }
}
