//! What the actors tell each other, and what they wait for.

use std::fmt;
use std::sync::Arc;

use seedbed_sim::actor::Label;
use seedbed_sim::id::{ConnId, OpId};

use super::op::{Call, Keyspace, Point, Vb};
use super::payload::Entry;

/// What the indexer asks of a router.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ask {
    /// About the streams of this keyspace,
    pub keyspace: Keyspace,
    /// in this session.
    pub session: u64,
    /// Grows with every request of a session.
    pub attempt: u32,
    /// What to do
    pub what: Request,
    /// with these vbuckets, from there.
    pub vbs: Vec<(u16, Point)>,
}

/// What a router is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    /// Begin streams of those vbuckets that have none.
    Open,
    /// End these streams.
    Shutdown,
    /// End the session.
    Stop,
}

/// What a router answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Told {
    /// Which router.
    pub router: u8,
    /// The keyspace,
    pub keyspace: Keyspace,
    /// the session
    pub session: u64,
    /// and the attempt that it answers.
    pub attempt: u32,
    /// These have a stream.
    pub active: Vec<u16>,
    /// The consumer must forget what came after.
    pub rollback: Vec<(u16, u64)>,
    /// These have none.
    pub failed: Vec<u16>,
}

/// What the server of streams hands to the application, in one order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// Messages that came over a connection.
    Frame(ConnId, Vec<Entry>),
    /// A connection has come to its end, within the streams of these vbuckets.
    Error(ConnId, Vec<Vb>),
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Msg {
    /// Indexer to router.
    Ask(Arc<Ask>),
    /// Router to indexer.
    Told(Arc<Told>),
    /// Server to application.
    Deliver(Arc<Delivery>),
    /// Application to server: there is room for one more.
    Taken,
    /// Application to server: close.
    Close,
    /// Server to application: closed; nothing more will come.
    Closed,
    /// Application to server: listen again.
    Listen,
    /// Data to application: another node owns this vbucket.
    Moved(Vb, u8),
    /// Admin to an actor: do this.
    Order(OpId, Call),
    /// It is done, or was refused.
    Obeyed(OpId, bool),
}

impl Label for Msg {
    const KINDS: &'static [&'static str] = &[
        "ask", "told", "deliver", "taken", "close", "closed", "listen", "moved", "order", "obeyed",
    ];

    fn kind(&self) -> u16 {
        match self {
            Msg::Ask(_) => 0,
            Msg::Told(_) => 1,
            Msg::Deliver(_) => 2,
            Msg::Taken => 3,
            Msg::Close => 4,
            Msg::Closed => 5,
            Msg::Listen => 6,
            Msg::Moved(..) => 7,
            Msg::Order(..) => 8,
            Msg::Obeyed(..) => 9,
        }
    }

    fn subject(&self) -> u64 {
        match self {
            Msg::Ask(ask) => u64::from(ask.keyspace.0 + 1),
            Msg::Told(told) => u64::from(told.keyspace.0 + 1),
            Msg::Moved(vb, _) => vb.word(),
            Msg::Order(op, _) | Msg::Obeyed(op, _) => u64::from(op.number),
            Msg::Deliver(_) | Msg::Taken | Msg::Close | Msg::Closed | Msg::Listen => 0,
        }
    }
}

impl fmt::Display for Msg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Msg::Ask(ask) => {
                let Ask { keyspace, session, attempt, what, vbs } = &**ask;
                let what = match what {
                    Request::Open => "open",
                    Request::Shutdown => "shut down",
                    Request::Stop => "stop",
                };
                write!(f, "{what} {keyspace}, session {session}.{attempt}")?;
                vbs.iter().try_for_each(|(vb, from)| write!(f, ", {vb} from {from}"))
            }
            Msg::Told(told) => {
                let Told { router, keyspace, session, attempt, active, rollback, failed } = &**told;
                write!(f, "router {router}: {keyspace}, session {session}.{attempt}")?;
                active.iter().try_for_each(|vb| write!(f, ", {vb} active"))?;
                rollback.iter().try_for_each(|(vb, to)| write!(f, ", {vb} back to {to}"))?;
                failed.iter().try_for_each(|vb| write!(f, ", {vb} failed"))
            }
            Msg::Deliver(delivery) => match &**delivery {
                Delivery::Frame(conn, entries) => {
                    write!(f, "frame of {}", conn.0)?;
                    entries.iter().try_for_each(|entry| {
                        write!(f, "; {} in {}", entry.vb, entry.session)?;
                        entry.messages.iter().try_for_each(|message| write!(f, ", {message}"))
                    })
                }
                Delivery::Error(conn, vbs) => {
                    write!(f, "end of {}", conn.0)?;
                    vbs.iter().try_for_each(|vb| write!(f, ", {vb}"))
                }
            },
            Msg::Taken => write!(f, "taken"),
            Msg::Close => write!(f, "close"),
            Msg::Closed => write!(f, "closed"),
            Msg::Listen => write!(f, "listen"),
            Msg::Moved(vb, owner) => write!(f, "{vb} is owned by {owner}"),
            Msg::Order(op, call) => write!(f, "order #{}: {call}", op.number),
            Msg::Obeyed(op, true) => write!(f, "order #{} is done", op.number),
            Msg::Obeyed(op, false) => write!(f, "order #{} is refused", op.number),
        }
    }
}

/// A timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// Of data and routers: a look at the connection between them.
    Noop(ConnId),
    /// Of a router: what was taken in is to be acknowledged.
    Ack(ConnId),
    /// Of a router: the batch of a slot is old enough.
    Flush(u8),
    /// Of a router: a look at a slot.
    Beat(u8),
    /// Of a router: a request about a keyspace has been without an answer for too long.
    Job(Keyspace),
    /// Of the server: a look at a connection.
    Alive(ConnId),
    /// Of the server: nothing has come for too long.
    Deadline(ConnId),
    /// Of the server: it listens again.
    Listen,
    /// Of the application: a look at the streams of a keyspace.
    Ladder(Keyspace),
    /// Of the application: what is stable goes into the indexes.
    Stable(Keyspace),
    /// Of the application: an index is made durable.
    Persist(Keyspace, u8),
    /// Of the application: it goes on taking things in.
    Stall,
    /// Of the admin: an order has been without an answer for too long.
    Retry,
}

impl Label for Timer {
    const KINDS: &'static [&'static str] = &[
        "noop", "ack", "flush", "beat", "job", "alive", "deadline", "listen", "ladder", "stable",
        "persist", "stall", "retry",
    ];

    fn kind(&self) -> u16 {
        match self {
            Timer::Noop(_) => 0,
            Timer::Ack(_) => 1,
            Timer::Flush(_) => 2,
            Timer::Beat(_) => 3,
            Timer::Job(_) => 4,
            Timer::Alive(_) => 5,
            Timer::Deadline(_) => 6,
            Timer::Listen => 7,
            Timer::Ladder(_) => 8,
            Timer::Stable(_) => 9,
            Timer::Persist(..) => 10,
            Timer::Stall => 11,
            Timer::Retry => 12,
        }
    }

    fn subject(&self) -> u64 {
        match self {
            // The number of a connection changes with every connect that is taken away.
            Timer::Noop(_) | Timer::Ack(_) | Timer::Alive(_) | Timer::Deadline(_) => 0,
            Timer::Flush(slot) | Timer::Beat(slot) => u64::from(*slot + 1),
            Timer::Job(keyspace) | Timer::Ladder(keyspace) | Timer::Stable(keyspace) => {
                u64::from(keyspace.0 + 1)
            }
            Timer::Persist(keyspace, index) => u64::from(keyspace.0 + 1) << 8 | u64::from(*index),
            Timer::Listen | Timer::Stall | Timer::Retry => 0,
        }
    }
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Timer::KINDS[usize::from(self.kind())])?;
        match self {
            Timer::Noop(conn) | Timer::Ack(conn) | Timer::Alive(conn) | Timer::Deadline(conn) => {
                write!(f, " {}", conn.0)
            }
            Timer::Flush(slot) | Timer::Beat(slot) => write!(f, " {slot}"),
            Timer::Job(keyspace) | Timer::Ladder(keyspace) | Timer::Stable(keyspace) => {
                write!(f, " {keyspace}")
            }
            Timer::Persist(keyspace, index) => write!(f, " {keyspace} {index}"),
            Timer::Listen | Timer::Stall | Timer::Retry => Ok(()),
        }
    }
}

/// Work that goes on in a later step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Of a router: the next message from data.
    Pump(ConnId),
    /// Of the server: the next of its queue.
    Serve,
    /// Of the application: the stable part of a keyspace goes into the indexes.
    Apply(Keyspace),
}

impl Label for Phase {
    const KINDS: &'static [&'static str] = &["pump", "serve", "apply"];

    fn kind(&self) -> u16 {
        match self {
            Phase::Pump(_) => 0,
            Phase::Serve => 1,
            Phase::Apply(_) => 2,
        }
    }

    fn subject(&self) -> u64 {
        match self {
            Phase::Pump(_) | Phase::Serve => 0,
            Phase::Apply(keyspace) => u64::from(keyspace.0 + 1),
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Phase::Pump(conn) => write!(f, "pump {}", conn.0),
            Phase::Serve => write!(f, "serve"),
            Phase::Apply(keyspace) => write!(f, "apply {keyspace}"),
        }
    }
}

/// What an operation answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ret {
    /// The mutation has this number.
    Seq(u64),
    /// There is nothing to do it to.
    Nothing,
    /// Done.
    Done,
    /// It was refused, which is what ought to happen to it.
    Refused,
}

impl fmt::Display for Ret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ret::Seq(seq) => write!(f, "{seq}"),
            Ret::Nothing => write!(f, "nothing"),
            Ret::Done => write!(f, "done"),
            Ret::Refused => write!(f, "refused"),
        }
    }
}
