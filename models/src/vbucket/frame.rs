//! What an active vbucket tells a replica over a connection, as bytes.
//!
//! ```text
//!  length  body
//!    2     kind, number, fields                        bytes, little-endian
//! ```

use std::fmt;

use crate::checkpoint::op::{CheckpointId, Epoch, Event, EventKind};

use super::op::{Key, Value};
use super::record::Version;

/// A frame with its number in the session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Frame {
    /// From 1 on; 0 for what is outside of the order.
    pub number: u32,
    /// What it says.
    pub what: What,
}

/// What a frame says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// Replica: this is the session that I am in, and the last number of it that I have.
    Hello(u64),
    /// Replica: I have all up to this number.
    Ack,
    /// Replica: this does not go together with what I have; begin anew.
    Refuse,
    /// Active: a session begins; forget everything.
    Begin(u64),
    /// Active: a checkpoint begins.
    Start(CheckpointId),
    /// Active: a version of a key, of this online update.
    Set(u64, Version),
    /// Active: a key is gone, by this change of this online update.
    Delete(u64, Key, u64),
    /// Active: a checkpoint ends.
    End(CheckpointId),
    /// Active: a step of an online update.
    Update(Event),
    /// Active: are you there?
    Idle,
}

const HELLO: u8 = 0;
const ACK: u8 = 1;
const REFUSE: u8 = 2;
const BEGIN: u8 = 3;
const START: u8 = 4;
const SET: u8 = 5;
const DELETE: u8 = 6;
const END: u8 = 7;
const UPDATE: u8 = 8;
const IDLE: u8 = 9;
const STEPS: [EventKind; 3] = [EventKind::Start, EventKind::Complete, EventKind::Revert];

impl Frame {
    /// As bytes.
    ///
    /// # Panics
    /// If a value has more than 65,000 bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut body = vec![0, 0];
        let mut put = |kind: u8, numbers: &[u64]| {
            body.push(kind);
            body.extend(self.number.to_le_bytes());
            numbers.iter().for_each(|number| body.extend(number.to_le_bytes()));
        };
        match &self.what {
            What::Hello(session) => put(HELLO, &[*session]),
            What::Ack => put(ACK, &[]),
            What::Idle => put(IDLE, &[]),
            What::Refuse => put(REFUSE, &[]),
            What::Begin(session) => put(BEGIN, &[*session]),
            What::Start(id) => put(START, &[id.0]),
            What::End(id) => put(END, &[id.0]),
            What::Delete(window, key, cas) => put(DELETE, &[*window, u64::from(key.0), *cas]),
            What::Update(Event { kind, checkpoint, epoch }) => {
                put(UPDATE, &[*kind as u64, checkpoint.0, epoch.0]);
            }
            What::Set(window, Version { key, value, flags, until, cas }) => {
                let lives = u64::from(until.is_none());
                let until = until.unwrap_or_default();
                put(SET, &[*window, u64::from(key.0), *cas, u64::from(*flags), lives, until]);
                body.extend(value.0.as_bytes());
            }
        }
        let len = u16::try_from(body.len() - 2).expect("values are short");
        body[..2].copy_from_slice(&len.to_le_bytes());
        body
    }

    /// Takes the first frame out of what has arrived, if all of it has.
    ///
    /// # Errors
    /// If what has arrived is no frame.
    pub fn take(inbox: &mut Vec<u8>) -> Result<Option<Frame>, NoFrame> {
        let Some((len, rest)) = inbox.split_first_chunk::<2>() else { return Ok(None) };
        let len = usize::from(u16::from_le_bytes(*len));
        let Some(body) = rest.get(..len) else { return Ok(None) };
        let frame = Frame::decode(body).ok_or(NoFrame)?;
        inbox.drain(..2 + len);
        Ok(Some(frame))
    }

    fn decode(body: &[u8]) -> Option<Frame> {
        let (kind, rest) = body.split_first()?;
        let (number, mut rest) = rest.split_first_chunk::<4>()?;
        let mut long = || {
            let (field, behind) = rest.split_first_chunk::<8>()?;
            rest = behind;
            Some(u64::from_le_bytes(*field))
        };
        let what = match *kind {
            HELLO => What::Hello(long()?),
            ACK => What::Ack,
            IDLE => What::Idle,
            REFUSE => What::Refuse,
            BEGIN => What::Begin(long()?),
            START => What::Start(CheckpointId(long()?)),
            END => What::End(CheckpointId(long()?)),
            DELETE => What::Delete(long()?, Key(u8::try_from(long()?).ok()?), long()?),
            UPDATE => {
                let kind = *STEPS.get(usize::try_from(long()?).ok()?)?;
                let (checkpoint, epoch) = (CheckpointId(long()?), Epoch(long()?));
                What::Update(Event { kind, checkpoint, epoch })
            }
            SET => {
                let (window, key, cas) = (long()?, Key(u8::try_from(long()?).ok()?), long()?);
                let (flags, lives, until) = (u32::try_from(long()?).ok()?, long()? != 0, long()?);
                let value = Value::new(std::str::from_utf8(rest).ok()?);
                let until = if lives { None } else { Some(until) };
                What::Set(window, Version { key, value, flags, until, cas })
            }
            _ => return None,
        };
        Some(Frame { number: u32::from_le_bytes(*number), what })
    }
}

/// Bytes that are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a frame")]
pub struct NoFrame;

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.number)?;
        match &self.what {
            What::Hello(session) => write!(f, "hello {session}"),
            What::Ack => write!(f, "ack"),
            What::Idle => write!(f, "idle"),
            What::Refuse => write!(f, "refuse"),
            What::Begin(session) => write!(f, "begin {session}"),
            What::Start(id) => write!(f, "start {id}"),
            What::End(id) => write!(f, "end {id}"),
            What::Set(_, Version { key, value, cas, .. }) => write!(f, "set {key} {value} @{cas}"),
            What::Delete(_, key, cas) => write!(f, "delete {key} @{cas}"),
            What::Update(Event { kind, checkpoint, epoch }) => {
                write!(f, "{kind:?} of update {} in checkpoint {checkpoint}", epoch.0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_back_however_they_arrive() {
        let version = Version {
            key: Key(3),
            value: Value::new("17.x"),
            flags: 9,
            until: Some(4),
            cas: 1 << 40,
        };
        let event = Event { kind: EventKind::Revert, checkpoint: CheckpointId(8), epoch: Epoch(2) };
        let frames: Vec<Frame> = [
            What::Hello(7),
            What::Ack,
            What::Idle,
            What::Refuse,
            What::Begin(u64::MAX),
            What::Start(CheckpointId(1)),
            What::Set(2, version.clone()),
            What::Set(0, Version { until: None, value: Value::new(""), ..version }),
            What::Delete(1, Key(255), 5),
            What::End(CheckpointId(1)),
            What::Update(event),
        ]
        .into_iter()
        .zip(1..)
        .map(|(what, number)| Frame { number, what })
        .collect();
        let (mut inbox, mut read) = (Vec::new(), Vec::new());
        for byte in frames.iter().flat_map(Frame::encode) {
            inbox.push(byte);
            read.extend(Frame::take(&mut inbox).expect("frames"));
        }
        assert_eq!(read, frames);
        assert!(inbox.is_empty());
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        for body in [&[10, 0, 0, 0, 0][..], &[1, 0, 0], &[4, 0, 0, 0, 0, 1], &[]] {
            let mut inbox = u16::try_from(body.len()).expect("short").to_le_bytes().to_vec();
            inbox.extend(body);
            assert_eq!(Frame::take(&mut inbox), Err(NoFrame), "{body:?}");
        }
    }
}
