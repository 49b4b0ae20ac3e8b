//! An entry of the log, and its bytes.
//!
//! ```text
//!  length  crc32c  index  asked  [client  number  attempt]  request
//!    4       4       8      1        2       4        4     as its line of text     bytes, little-endian
//! ```
//!
//! The length is that of what follows the checksum; the checksum is of all but itself.

use std::fmt;
use std::sync::Arc;

use seedbed_sim::id::{ActorId, OpId};

use crate::mvcc::message::AskId;
use crate::mvcc::op::{Op, Request};

/// Bytes before the index.
const HEAD: usize = 8;

/// What is to be done, and for whom.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Proposal {
    /// The request of a client; none if a lessor asks for it.
    pub ask: Option<AskId>,
    /// What it is.
    pub request: Request,
}

/// One place of the log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The place, from 1.
    pub index: u64,
    /// What every node does there.
    pub proposal: Arc<Proposal>,
}

/// Why bytes are no entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoEntry {
    /// They end too early, or the checksum is wrong: not all of what was written is there.
    Torn,
    /// They were written so, and yet are no entry.
    Foreign,
}

impl Entry {
    /// Appends its bytes.
    pub(super) fn encode(&self, to: &mut Vec<u8>) {
        let mut body = self.index.to_le_bytes().to_vec();
        match self.proposal.ask {
            Some(AskId { op, attempt }) => {
                body.push(1);
                body.extend_from_slice(&op.client.0.to_le_bytes());
                body.extend_from_slice(&op.number.to_le_bytes());
                body.extend_from_slice(&attempt.to_le_bytes());
            }
            None => body.push(0),
        }
        body.extend_from_slice(self.proposal.request.to_string().as_bytes());
        let len = u32::try_from(body.len()).expect("a request is short").to_le_bytes();
        to.extend_from_slice(&len);
        to.extend_from_slice(&checksum(len, &body).to_le_bytes());
        to.extend_from_slice(&body);
    }

    /// The first entry of these bytes, and how many of them it takes.
    pub(super) fn decode(bytes: &[u8]) -> Result<(Entry, usize), NoEntry> {
        let (len, rest) = bytes.split_first_chunk().ok_or(NoEntry::Torn)?;
        let (sum, rest) = rest.split_first_chunk().ok_or(NoEntry::Torn)?;
        let size = usize::try_from(u32::from_le_bytes(*len)).map_err(|_| NoEntry::Torn)?;
        let body = rest.get(..size).ok_or(NoEntry::Torn)?;
        if u32::from_le_bytes(*sum) != checksum(*len, body) {
            return Err(NoEntry::Torn);
        }
        let entry = Entry::of_body(body).ok_or(NoEntry::Foreign)?;
        Ok((entry, HEAD + size))
    }

    fn of_body(body: &[u8]) -> Option<Entry> {
        let (index, rest) = body.split_first_chunk()?;
        let (asked, rest) = rest.split_first()?;
        let (ask, text) = match asked {
            0 => (None, rest),
            1 => {
                let (client, rest) = rest.split_first_chunk()?;
                let (number, rest) = rest.split_first_chunk()?;
                let (attempt, rest) = rest.split_first_chunk()?;
                let client = ActorId(u16::from_le_bytes(*client));
                let op = OpId { client, number: u32::from_le_bytes(*number) };
                (Some(AskId { op, attempt: u32::from_le_bytes(*attempt) }), rest)
            }
            _ => return None,
        };
        // The revisions of a request are numbers, so that there is nothing to put in.
        let request = std::str::from_utf8(text).ok()?.parse::<Op>().ok()?.resolve(0);
        let proposal = Arc::new(Proposal { ask, request });
        Some(Entry { index: u64::from_le_bytes(*index), proposal })
    }
}

fn checksum(len: [u8; 4], body: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&len), body)
}

impl fmt::Display for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ask {
            Some(ask) => write!(f, "{ask}: {}", self.request),
            None => write!(f, "{}", self.request),
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.index, self.proposal)
    }
}
