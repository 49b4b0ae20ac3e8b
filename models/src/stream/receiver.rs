//! One connection at the server: its reader, and what it has said of itself.

use seedbed_sim::actor::{CloseReason, Context};
use seedbed_sim::id::ConnId;
use seedbed_sim::time::Time;

use super::bugs;
use super::frame::{FrameError, Limits, Reader};
use super::model::Stream;
use super::note::Note;
use super::payload::{Payload, Peer};

/// Bytes that are taken from a connection at once.
const PIECE: usize = 64;

/// A connection.
#[derive(Clone, Debug)]
pub(super) struct Receiver {
    pub(super) conn: ConnId,
    pub(super) peer: Option<Peer>,
    /// The queue had no room when there was something to read.
    pub(super) is_stalled: bool,
    /// When something was read last, or it could be read again.
    pub(super) heard_at: Time,
    /// The other end has closed; what had arrived is still read.
    pub(super) closed: Option<CloseReason>,
    reader: Reader,
    inbox: Vec<u8>,
    at: usize,
    outbox: Vec<u8>,
}

impl Receiver {
    pub(super) fn new(conn: ConnId, limits: Limits, now: Time) -> Receiver {
        Receiver {
            conn,
            peer: None,
            is_stalled: false,
            heard_at: now,
            closed: None,
            reader: Reader::new(limits),
            inbox: Vec::new(),
            at: 0,
            outbox: Vec::new(),
        }
    }

    /// The next payload; `None` if more bytes have to come first.
    pub(super) fn next(
        &mut self,
        cx: &mut Context<'_, Stream>,
    ) -> Result<Option<Payload>, FrameError> {
        loop {
            if self.at == self.inbox.len() {
                self.inbox.clear();
                self.at = 0;
                if cx.read(self.conn, PIECE, &mut self.inbox) == 0 {
                    return Ok(None);
                }
                self.heard_at = cx.now();
            }
            let mut rest = &self.inbox[self.at..];
            let taken = self.reader.take(&mut rest).map(|frame| frame.map(Payload::decode));
            self.at = self.inbox.len() - rest.len();
            let taken = match taken {
                Ok(Some(Err(_))) => Err(FrameError::Unreadable),
                Ok(Some(Ok(payload))) => return Ok(Some(payload)),
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            };
            if let Err(error) = taken {
                cx.note(Note::Unreadable(self.conn));
                let is_passed = error == FrameError::Unreadable;
                if !(is_passed && cx.bug(&bugs::DECODE_ERROR_IS_SUCCESS)) {
                    return Err(error);
                }
            } else if let Some(payload) = self.short(cx)? {
                return Ok(Some(payload));
            }
        }
    }

    /// What planted bugs make of a read that brings less than a frame.
    fn short(&mut self, cx: &mut Context<'_, Stream>) -> Result<Option<Payload>, FrameError> {
        if self.reader.unfinished() == 0 {
            return Ok(None);
        }
        if cx.bug(&bugs::SHORT_READ_IS_WHOLE)
            && let Some(bytes) = self.reader.cut_short()
        {
            return Payload::decode(bytes).map(Some).map_err(|_| FrameError::Unreadable);
        }
        if cx.bug(&bugs::GOES_ON_AFTER_SHORT_READ) {
            self.reader.skip();
        }
        Ok(None)
    }

    /// Whether the bytes have come to their end between two frames.
    pub(super) fn end(&self) -> Result<(), FrameError> {
        self.reader.end()
    }

    /// Says something, after what had no room before. What has none now comes with the next.
    pub(super) fn say(&mut self, bytes: &[u8], cx: &mut Context<'_, Stream>) {
        if self.outbox.len() < PIECE {
            self.outbox.extend(bytes);
        }
        let written = cx.write(self.conn, &self.outbox);
        self.outbox.drain(..written);
    }
}
