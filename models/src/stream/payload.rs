//! What a frame between router and indexer says, byte by byte. Numbers are big-endian.
//!
//! ```text
//!  version  kind
//!     1       0    hello: router (1), life of its client (4), slot (1), dial (4)       router to indexer, first of all
//!     1       1    batch: count (1), and so many entries                               router to indexer
//!     1       2    sync: nothing                                                       router to indexer, when it is idle
//!     1       3    alive: nothing                                                      indexer to router
//!
//!  entry     length of the keyspace's name (1), the name, number of the vbucket (2), session (8), count (1), messages
//!
//!  message   command (1), index (4), and
//!     8 begin      branch (8), failover log: count (1), and branch (8), after (8) of each
//!     9 snapshot   start (8), end (8), from disk (1)
//!     1 upsert     sequence number (8), key (1), write (4), length (2), so many bytes
//!     2 delete     sequence number (8), key (1)
//!     7 end        the last sequence number before it (8)
//! ```
//!
//! Commands have the numbers of the protocol that this is a copy of, where it has them. The index counts what a router
//! sends of a vbucket; nothing but checks and traces looks at it. A payload with anything left behind its end is unreadable.

use std::fmt;

use super::bytes::{Input, Output, Read};
use super::failover::FailoverLog;
use super::op::{Key, Keyspace, Value, Vb};

const VERSION: u8 = 1;

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Payload {
    /// Who has connected: router, which life of it, and in which of its slots.
    Hello(Peer),
    /// Messages.
    Batch(Vec<Entry>),
    /// The router is there, and has nothing to say.
    Sync,
    /// The indexer is there.
    Alive,
}

/// One of the connections of a router. One that is made again in the same slot is the same peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer {
    /// Which router.
    pub router: u8,
    /// Which life of its client.
    pub life: u32,
    /// Which of its connections.
    pub slot: u8,
    /// How often that life has dialled.
    pub dial: u32,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Peer { router, life, slot, dial } = self;
        write!(f, "router {router} life {life} slot {slot} dial {dial}")
    }
}

/// Messages of one vbucket and session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The vbucket.
    pub vb: Vb,
    /// The session.
    pub session: u64,
    /// In the order in which they were sent.
    pub messages: Vec<Message>,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    /// Its place among all that this life of the router sends of the vbucket.
    pub index: u32,
    /// What it says.
    pub what: What,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// A stream begins, on this branch.
    Begin(u64, FailoverLog),
    /// A snapshot begins: from, to, and whether it comes from disk.
    Snapshot(u64, u64, bool),
    /// A document was written.
    Upsert(u64, Key, Value),
    /// A document was deleted.
    Delete(u64, Key),
    /// The stream ends; the last sequence number before it.
    End(u64),
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.index, self.what)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Begin(uuid, _) => write!(f, "begin @{uuid}"),
            What::Snapshot(start, end, false) => write!(f, "snapshot {start}..{end}"),
            What::Snapshot(start, end, true) => write!(f, "snapshot {start}..{end} of disk"),
            What::Upsert(seq, key, value) => write!(f, "upsert {seq} {key} {value}"),
            What::Delete(seq, key) => write!(f, "delete {seq} {key}"),
            What::End(seq) => write!(f, "end {seq}"),
        }
    }
}

const HELLO: u8 = 0;
const BATCH: u8 = 1;
const SYNC: u8 = 2;
const ALIVE: u8 = 3;

const UPSERT: u8 = 1;
const DELETE: u8 = 2;
const END: u8 = 7;
const BEGIN: u8 = 8;
const SNAPSHOT: u8 = 9;

impl Payload {
    /// As bytes.
    pub fn encode(&self, into: &mut Vec<u8>) {
        into.push(VERSION);
        match self {
            Payload::Hello(peer) => {
                into.extend([HELLO, peer.router]);
                into.extend(peer.life.to_be_bytes());
                into.push(peer.slot);
                into.extend(peer.dial.to_be_bytes());
            }
            Payload::Batch(entries) => {
                into.extend([BATCH, count(entries.len())]);
                entries.iter().for_each(|entry| entry.encode(into));
            }
            Payload::Sync => into.push(SYNC),
            Payload::Alive => into.push(ALIVE),
        }
    }

    /// From bytes.
    ///
    /// # Errors
    /// If they are not those of a payload.
    pub fn decode(bytes: &[u8]) -> Read<Payload> {
        let mut input = Input(bytes);
        if input.u8()? != VERSION {
            return Err(super::bytes::Unreadable);
        }
        let payload = match input.u8()? {
            HELLO => {
                let (router, life) = (input.u8()?, input.u32()?);
                let slot = input.u8()?;
                Payload::Hello(Peer { router, life, slot, dial: input.u32()? })
            }
            BATCH => {
                let entries = (0..input.u8()?).map(|_| Entry::decode(&mut input));
                Payload::Batch(entries.collect::<Read<_>>()?)
            }
            SYNC => Payload::Sync,
            ALIVE => Payload::Alive,
            _ => return Err(super::bytes::Unreadable),
        };
        input.end()?;
        Ok(payload)
    }
}

/// Bytes of a batch without entries.
pub const BATCH_LENGTH: usize = 3;

impl Entry {
    /// How many bytes an entry without messages takes.
    #[must_use]
    pub fn head_length(vb: Vb) -> usize {
        1 + vb.keyspace.name().len() + 2 + 8 + 1
    }

    fn encode(&self, into: &mut Vec<u8>) {
        let name = self.vb.keyspace.name().as_bytes();
        into.push(count(name.len()));
        into.extend(name);
        into.extend(self.vb.number.to_be_bytes());
        into.extend(self.session.to_be_bytes());
        into.push(count(self.messages.len()));
        self.messages.iter().for_each(|message| message.encode(into));
    }

    fn decode(input: &mut Input<'_>) -> Read<Entry> {
        let name = input.u8()?;
        let name = input.take(usize::from(name))?;
        let keyspace = Keyspace::named(name).ok_or(super::bytes::Unreadable)?;
        let vb = Vb { keyspace, number: input.u16()? };
        let session = input.u64()?;
        let messages = (0..input.u8()?).map(|_| Message::decode(input));
        Ok(Entry { vb, session, messages: messages.collect::<Read<_>>()? })
    }
}

impl Message {
    /// How many bytes it takes.
    #[must_use]
    pub fn length(&self) -> usize {
        5 + match &self.what {
            What::Begin(_, log) => 9 + 16 * log.entries.len(),
            What::Snapshot(..) => 17,
            What::Upsert(_, _, value) => 15 + usize::from(value.length),
            What::Delete(..) => 9,
            What::End(_) => 8,
        }
    }

    fn encode(&self, into: &mut Vec<u8>) {
        let command = match self.what {
            What::Begin(..) => BEGIN,
            What::Snapshot(..) => SNAPSHOT,
            What::Upsert(..) => UPSERT,
            What::Delete(..) => DELETE,
            What::End(_) => END,
        };
        into.push(command);
        into.extend(self.index.to_be_bytes());
        match &self.what {
            What::Begin(uuid, log) => {
                into.words(&[*uuid]);
                into.log(log);
            }
            What::Snapshot(start, end, disk) => {
                into.words(&[*start, *end]);
                into.push(u8::from(*disk));
            }
            What::Upsert(seq, key, value) => {
                into.words(&[*seq]);
                into.push(key.0);
                into.value(*value);
            }
            What::Delete(seq, key) => {
                into.words(&[*seq]);
                into.push(key.0);
            }
            What::End(seq) => into.words(&[*seq]),
        }
    }

    fn decode(input: &mut Input<'_>) -> Read<Message> {
        let (command, index) = (input.u8()?, input.u32()?);
        let what = match command {
            BEGIN => What::Begin(input.u64()?, input.log()?),
            SNAPSHOT => What::Snapshot(input.u64()?, input.u64()?, input.bool()?),
            UPSERT => What::Upsert(input.u64()?, input.key()?, input.value()?),
            DELETE => What::Delete(input.u64()?, input.key()?),
            END => What::End(input.u64()?),
            _ => return Err(super::bytes::Unreadable),
        };
        Ok(Message { index, what })
    }
}

/// A count as it is written. Batches are far smaller than a byte can count.
fn count(n: usize) -> u8 {
    u8::try_from(n).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::test_runner::{Config, RngSeed};

    fn whats() -> impl Strategy<Value = What> {
        let value = (any::<u32>(), 0..9_u16).prop_map(|(write, length)| Value { write, length });
        let log = vec((any::<u64>(), any::<u64>()), 0..4);
        prop_oneof![
            (any::<u64>(), log)
                .prop_map(|(uuid, entries)| { What::Begin(uuid, FailoverLog { entries }) }),
            (any::<u64>(), any::<u64>(), any::<bool>())
                .prop_map(|(s, e, d)| What::Snapshot(s, e, d)),
            (any::<u64>(), any::<u8>(), value).prop_map(|(s, k, v)| What::Upsert(s, Key(k), v)),
            (any::<u64>(), any::<u8>()).prop_map(|(seq, key)| What::Delete(seq, Key(key))),
            any::<u64>().prop_map(What::End),
        ]
    }

    fn payloads() -> impl Strategy<Value = Payload> {
        let message = (any::<u32>(), whats()).prop_map(|(index, what)| Message { index, what });
        let vb = (0..3_u8, any::<u16>())
            .prop_map(|(keyspace, number)| Vb { keyspace: Keyspace(keyspace), number });
        let entry = (vb, any::<u64>(), vec(message, 0..4))
            .prop_map(|(vb, session, messages)| Entry { vb, session, messages });
        let peer = (any::<u8>(), any::<u32>(), any::<u8>(), any::<u32>())
            .prop_map(|(router, life, slot, dial)| Peer { router, life, slot, dial });
        prop_oneof![
            peer.prop_map(Payload::Hello),
            vec(entry, 0..4).prop_map(Payload::Batch),
            Just(Payload::Sync),
            Just(Payload::Alive),
        ]
    }

    proptest! {
        #![proptest_config(Config {
            cases: 2000, failure_persistence: None, rng_seed: RngSeed::Fixed(4151), ..Config::default()
        })]

        #[test]
        fn a_payload_is_read_as_it_is_written(payload in payloads()) {
            let mut bytes = Vec::new();
            payload.encode(&mut bytes);
            if let Payload::Batch(entries) = &payload {
                let length = |entry: &Entry| {
                    let messages = entry.messages.iter().map(Message::length).sum::<usize>();
                    Entry::head_length(entry.vb) + messages
                };
                prop_assert_eq!(
                    bytes.len(),
                    BATCH_LENGTH + entries.iter().map(length).sum::<usize>()
                );
            }
            for end in 0..bytes.len() {
                prop_assert!(Payload::decode(&bytes[..end]).is_err(), "cut at {}", end);
            }
            prop_assert_eq!(Payload::decode(&bytes), Ok(payload));
            bytes.push(0);
            prop_assert!(Payload::decode(&bytes).is_err());
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..60)) {
            let _ = Payload::decode(&bytes);
            let mut known = vec![1, 1, 1, 1, b'a', 0, 2];
            known.extend(bytes);
            let _ = Payload::decode(&known);
        }
    }
}
