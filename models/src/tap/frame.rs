//! What the two ends of a stream say to each other, as bytes.
//!
//! ```text
//!  length  body
//!    2     kind, fields                                 bytes, little-endian
//! ```

use std::fmt;

use crate::checkpoint::op::{CheckpointId, Epoch, Event, EventKind, Incarnation};
use crate::vbucket::fields::Fields;
use crate::vbucket::op::{Key, State, Value, Vb};
use crate::vbucket::record::Version;

use super::seqno::Seqno;

/// The name of a stream, under which it is known at its producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(pub u8);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s{}", self.0)
    }
}

/// What a consumer asks for of one vbucket, and what it has of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Wish {
    /// The vbucket.
    pub vb: Vb,
    /// All up to this checkpoint; 0 if there is nothing.
    pub closed: CheckpointId,
    /// The life of the producer's vbucket that this is of; 0 if there is nothing.
    pub incarnation: Incarnation,
}

/// What a producer says, and repeats until it is acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    /// About which vbucket; that of a no-op does not matter.
    pub vb: Vb,
    /// What.
    pub body: Body,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Body {
    /// Are you there?
    Noop,
    /// Forget the vbucket: all of it will come.
    Reset,
    /// All of it has come, but for what is in checkpoints.
    BackfillEnd,
    /// The vbucket is this from now on.
    State(State),
    /// A checkpoint begins, of this life.
    Start(CheckpointId, Incarnation),
    /// A checkpoint ends.
    End(CheckpointId),
    /// A version of a key, of this online update.
    Set(u64, Version),
    /// A key is gone, by this change of this online update.
    Delete(u64, Key, u64),
    /// A step of an online update.
    Update(Event),
    /// Everything is gone.
    Flush,
}

/// How a message is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// This one and all before it have been taken in.
    Success,
    /// This one has not, for now; all before it have.
    TemporaryFailure,
}

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Frame {
    /// Consumer: go on with the stream of this name, which is to be like this.
    Connect {
        /// Which stream.
        name: Name,
        /// Whether the vbuckets are to move, rather than to be copied.
        is_takeover: bool,
        /// The vbuckets, in order.
        wishes: Vec<Wish>,
    },
    /// Consumer: from now on it is to be of these vbuckets.
    Filter(Vec<Wish>),
    /// Consumer: an answer to the message of this number.
    Reply(Seqno, Status),
    /// Producer: a message, and whether an answer is wanted.
    Message(Seqno, bool, Message),
}

const CONNECT: u8 = 0;
const FILTER: u8 = 1;
const REPLY: u8 = 2;
const NOOP: u8 = 3;
const RESET: u8 = 4;
const BACKFILL_END: u8 = 5;
const STATE: u8 = 6;
const START: u8 = 7;
const END: u8 = 8;
const SET: u8 = 9;
const DELETE: u8 = 10;
const UPDATE: u8 = 11;
const FLUSH: u8 = 12;
const STEPS: [EventKind; 3] = [EventKind::Start, EventKind::Complete, EventKind::Revert];

impl Frame {
    /// Appends it as bytes.
    ///
    /// # Panics
    /// If a value has more than 65,000 bytes.
    pub fn encode(&self, into: &mut Vec<u8>) {
        let start = into.len();
        into.extend([0, 0]);
        match self {
            Frame::Connect { name, is_takeover, wishes } => {
                into.extend([CONNECT, name.0, u8::from(*is_takeover)]);
                wishes.iter().for_each(|wish| wish.encode(into));
            }
            Frame::Filter(wishes) => {
                into.push(FILTER);
                wishes.iter().for_each(|wish| wish.encode(into));
            }
            Frame::Reply(seqno, status) => {
                into.push(REPLY);
                into.extend(seqno.0.to_le_bytes());
                into.push(u8::from(*status == Status::Success));
            }
            Frame::Message(seqno, wants_reply, message) => {
                let kind = message.body.kind();
                into.push(kind);
                into.extend(seqno.0.to_le_bytes());
                into.extend([u8::from(*wants_reply), message.vb.0]);
                message.body.encode(into);
            }
        }
        let len = u16::try_from(into.len() - start - 2).expect("values are short");
        into[start..start + 2].copy_from_slice(&len.to_le_bytes());
    }

    /// Takes the first frame out of what has arrived, if all of it has.
    ///
    /// # Errors
    /// If what has arrived is no frame.
    pub fn take(inbox: &mut Vec<u8>) -> Result<Option<Frame>, NoFrame> {
        let Some((len, rest)) = inbox.split_first_chunk::<2>() else { return Ok(None) };
        let len = usize::from(u16::from_le_bytes(*len));
        let Some(body) = rest.get(..len) else { return Ok(None) };
        let frame = Frame::decode(&mut Fields(body)).ok_or(NoFrame)?;
        inbox.drain(..2 + len);
        Ok(Some(frame))
    }

    fn decode(fields: &mut Fields<'_>) -> Option<Frame> {
        Some(match fields.byte()? {
            CONNECT => Frame::Connect {
                name: Name(fields.byte()?),
                is_takeover: fields.byte()? != 0,
                wishes: fields.wishes()?,
            },
            FILTER => Frame::Filter(fields.wishes()?),
            REPLY => {
                let seqno = Seqno(fields.int()?);
                let success = fields.byte()? != 0;
                let status = if success { Status::Success } else { Status::TemporaryFailure };
                Frame::Reply(seqno, status)
            }
            kind => {
                let seqno = Seqno(fields.int()?);
                let (wants_reply, vb) = (fields.byte()? != 0, Vb(fields.byte()?));
                Frame::Message(seqno, wants_reply, Message { vb, body: fields.body(kind)? })
            }
        })
    }
}

impl Wish {
    fn encode(&self, into: &mut Vec<u8>) {
        into.push(self.vb.0);
        into.extend(self.closed.0.to_le_bytes());
        into.extend(self.incarnation.0.to_le_bytes());
    }
}

impl Body {
    fn kind(&self) -> u8 {
        match self {
            Body::Noop => NOOP,
            Body::Reset => RESET,
            Body::BackfillEnd => BACKFILL_END,
            Body::State(_) => STATE,
            Body::Start(..) => START,
            Body::End(_) => END,
            Body::Set(..) => SET,
            Body::Delete(..) => DELETE,
            Body::Update(_) => UPDATE,
            Body::Flush => FLUSH,
        }
    }

    fn encode(&self, into: &mut Vec<u8>) {
        let mut put = |numbers: &[u64]| {
            numbers.iter().for_each(|number| into.extend(number.to_le_bytes()));
        };
        match self {
            Body::Noop | Body::Reset | Body::BackfillEnd | Body::Flush => {}
            Body::State(state) => into.push(*state as u8),
            Body::Start(id, incarnation) => put(&[id.0, incarnation.0]),
            Body::End(id) => put(&[id.0]),
            Body::Delete(window, key, cas) => put(&[*window, u64::from(key.0), *cas]),
            Body::Update(Event { kind, checkpoint, epoch }) => {
                put(&[*kind as u64, checkpoint.0, epoch.0]);
            }
            Body::Set(window, Version { key, value, flags, until, cas }) => {
                let lives = u64::from(until.is_none());
                let until = until.unwrap_or_default();
                put(&[*window, u64::from(key.0), *cas, u64::from(*flags), lives, until]);
                into.extend(value.0.as_bytes());
            }
        }
    }

    /// Whether an answer to it is wanted in any case.
    #[must_use]
    pub fn wants_reply(&self) -> bool {
        match self {
            Body::Noop
            | Body::Reset
            | Body::BackfillEnd
            | Body::State(_)
            | Body::Start(..)
            | Body::End(_)
            | Body::Update(_) => true,
            Body::Set(..) | Body::Delete(..) | Body::Flush => false,
        }
    }
}

impl Fields<'_> {
    fn key(&mut self) -> Option<Key> {
        u8::try_from(self.long()?).ok().map(Key)
    }

    fn wishes(&mut self) -> Option<Vec<Wish>> {
        let mut wishes = Vec::new();
        while !self.0.is_empty() {
            let vb = Vb(self.byte()?);
            let (closed, incarnation) = (CheckpointId(self.long()?), Incarnation(self.long()?));
            wishes.push(Wish { vb, closed, incarnation });
        }
        Some(wishes)
    }

    fn body(&mut self, kind: u8) -> Option<Body> {
        Some(match kind {
            NOOP => Body::Noop,
            RESET => Body::Reset,
            BACKFILL_END => Body::BackfillEnd,
            FLUSH => Body::Flush,
            STATE => Body::State(State::ALL.get(usize::from(self.byte()?))?.0),
            START => Body::Start(CheckpointId(self.long()?), Incarnation(self.long()?)),
            END => Body::End(CheckpointId(self.long()?)),
            DELETE => Body::Delete(self.long()?, self.key()?, self.long()?),
            UPDATE => {
                let kind = *STEPS.get(usize::try_from(self.long()?).ok()?)?;
                let (checkpoint, epoch) = (CheckpointId(self.long()?), Epoch(self.long()?));
                Body::Update(Event { kind, checkpoint, epoch })
            }
            SET => {
                let (window, key, cas) = (self.long()?, self.key()?, self.long()?);
                let flags = u32::try_from(self.long()?).ok()?;
                let (lives, until) = (self.long()? != 0, self.long()?);
                let value = Value::new(std::str::from_utf8(self.0).ok()?);
                let until = if lives { None } else { Some(until) };
                Body::Set(window, Version { key, value, flags, until, cas })
            }
            _ => return None,
        })
    }
}

/// Bytes that are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a frame")]
pub struct NoFrame;

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let vb = self.vb;
        match &self.body {
            Body::Noop => write!(f, "noop"),
            Body::Reset => write!(f, "{vb} reset"),
            Body::BackfillEnd => write!(f, "{vb} backfill_end"),
            Body::State(state) => write!(f, "{vb} vbucket_set {state}"),
            Body::Start(id, _) => write!(f, "{vb} checkpoint_start {id}"),
            Body::End(id) => write!(f, "{vb} checkpoint_end {id}"),
            Body::Set(_, Version { key, value, cas, .. }) => {
                write!(f, "{vb} set {key} {value} @{cas}")
            }
            Body::Delete(_, key, cas) => write!(f, "{vb} delete {key} @{cas}"),
            Body::Update(event) => write!(
                f,
                "{vb} {} of update {}",
                match event.kind {
                    EventKind::Start => "start",
                    EventKind::Complete => "complete",
                    EventKind::Revert => "revert",
                },
                event.epoch.0
            ),
            Body::Flush => write!(f, "{vb} flush"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames() -> Vec<Frame> {
        let version = Version {
            key: Key(3),
            value: Value::new("17.x"),
            flags: 9,
            until: Some(4),
            cas: 1 << 40,
        };
        let event = Event { kind: EventKind::Revert, checkpoint: CheckpointId(8), epoch: Epoch(2) };
        let wish = |vb| Wish { vb: Vb(vb), closed: CheckpointId(7), incarnation: Incarnation(9) };
        let bodies = [
            Body::Noop,
            Body::Reset,
            Body::BackfillEnd,
            Body::State(State::Pending),
            Body::Start(CheckpointId(1), Incarnation(u64::MAX)),
            Body::End(CheckpointId(1)),
            Body::Set(2, version.clone()),
            Body::Set(0, Version { until: None, value: Value::new(""), ..version }),
            Body::Delete(1, Key(255), 5),
            Body::Update(event),
            Body::Flush,
        ];
        let messages = bodies.into_iter().zip(1..).map(|(body, number)| {
            Frame::Message(Seqno(number), number % 2 == 0, Message { vb: Vb(1), body })
        });
        let mut frames = vec![
            Frame::Connect { name: Name(4), is_takeover: true, wishes: vec![wish(0), wish(1)] },
            Frame::Filter(vec![]),
            Frame::Filter(vec![wish(2)]),
            Frame::Reply(Seqno(1), Status::Success),
            Frame::Reply(Seqno(u32::MAX), Status::TemporaryFailure),
        ];
        frames.extend(messages);
        frames
    }

    #[test]
    fn frames_are_read_back_however_they_arrive() {
        let (mut bytes, mut inbox, mut read) = (Vec::new(), Vec::new(), Vec::new());
        frames().iter().for_each(|frame| frame.encode(&mut bytes));
        for byte in bytes {
            inbox.push(byte);
            read.extend(Frame::take(&mut inbox).expect("frames"));
        }
        assert_eq!(read, frames());
        assert!(inbox.is_empty());
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        for body in [&[200, 0, 0, 0, 0, 0, 0][..], &[1, 0, 0], &[7, 0, 0, 0, 0, 1], &[]] {
            let mut inbox = u16::try_from(body.len()).expect("short").to_le_bytes().to_vec();
            inbox.extend(body);
            assert_eq!(Frame::take(&mut inbox), Err(NoFrame), "{body:?}");
        }
    }
}
