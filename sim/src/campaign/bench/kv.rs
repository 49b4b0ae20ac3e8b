//! `replicated-kv`: one primary, two replicas, puts of 32-byte values, acknowledged by a majority; one message in a hundred
//! is lost, and retry timers make up for it. Values are buffers that somebody owns and tables are ordered maps, as in a store:
//! what copies, frees and looks up is the same in the bare form.

use super::hops::Go;
use crate::actor::{Actor, Context, Event, Label, Never, Outcome};
use crate::id::{ActorId, OpId};
use crate::time::Span;
use std::collections::BTreeMap;
use std::fmt;

/// Distinct keys.
pub(super) const KEYS: u32 = 256;
/// After this long without an answer, a message is sent again.
pub(super) const RETRY: Span = Span::ms(5);

/// The value of a put: a pattern that names it.
pub(super) fn value(put: u32) -> Vec<u8> {
    let mut value = vec![0; 32];
    value[..4].copy_from_slice(&put.to_le_bytes());
    value
}

/// A copy of the data: by key, the number of the put that it is from, and the value.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    values: BTreeMap<u32, (u32, Vec<u8>)>,
}

impl Table {
    pub(super) fn put(&mut self, put: u32, value: Vec<u8>) {
        let slot = self.values.entry(put % KEYS).or_default();
        if slot.0 < put {
            *slot = (put, value);
        }
    }

    /// The value of a put, if no later one has replaced it.
    pub(super) fn get(&self, put: u32) -> Option<Vec<u8>> {
        let (from, value) = self.values.get(&(put % KEYS))?;
        (*from == put).then(|| value.clone())
    }
}

/// The roles.
#[derive(Clone, Debug)]
pub(super) enum Kv {
    /// Takes puts, copies them, answers when a majority has them.
    Primary { table: Table, client: ActorId, replicas: [ActorId; 2], waiting: Vec<u32> },
    /// Holds a copy.
    Replica { table: Table },
    /// Makes one put after the other.
    Client { primary: ActorId, op: Option<OpId>, puts: u32, at: u32 },
}

/// What they send each other; the number names the put.
#[derive(Clone, Debug, Hash)]
pub(super) enum Msg {
    Put(u32, Vec<u8>),
    Copy(u32, Vec<u8>),
    Copied(u32),
    Done(u32),
}

impl fmt::Display for Msg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Msg::Put(n, _) | Msg::Copy(n, _) | Msg::Copied(n) | Msg::Done(n)) = self;
        write!(f, "{} {n}", Msg::KINDS[usize::from(self.kind())])
    }
}

impl Label for Msg {
    const KINDS: &'static [&'static str] = &["put", "copy", "copied", "done"];
    fn kind(&self) -> u16 {
        match self {
            Msg::Put(..) => 0,
            Msg::Copy(..) => 1,
            Msg::Copied(_) => 2,
            Msg::Done(_) => 3,
        }
    }
    fn subject(&self) -> u64 {
        let (Msg::Put(n, _) | Msg::Copy(n, _) | Msg::Copied(n) | Msg::Done(n)) = self;
        u64::from(*n)
    }
}

/// Send it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Retry(u32);

impl fmt::Display for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "retry {}", self.0)
    }
}

impl Label for Retry {
    const KINDS: &'static [&'static str] = &["retry"];
    fn kind(&self) -> u16 {
        0
    }
    fn subject(&self) -> u64 {
        u64::from(self.0)
    }
}

impl Actor for Kv {
    type Msg = Msg;
    type Timer = Retry;
    type Phase = Never;
    type Lock = Never;
    type Op = Go;
    type Ret = Never;
    type Note = Never;
    type Shared = ();
    type Ghost = u64;

    fn on_event(&mut self, event: Event<Kv>, cx: &mut Context<'_, Kv>) {
        match self {
            Kv::Primary { table, client, replicas, waiting } => match event {
                Event::Message { msg: Msg::Put(put, value), .. } => {
                    if !waiting.contains(&put) {
                        waiting.push(put);
                    }
                    replicas.iter().for_each(|r| cx.send(*r, Msg::Copy(put, value.clone())));
                    table.put(put, value);
                    cx.arm(Retry(put), RETRY);
                }
                // The first copy makes a majority with the primary's own.
                Event::Message { msg: Msg::Copied(put), .. } => {
                    if let Some(i) = waiting.iter().position(|w| *w == put) {
                        waiting.swap_remove(i);
                        cx.disarm(Retry(put));
                        cx.send(*client, Msg::Done(put));
                    }
                }
                Event::Timer(Retry(put)) => {
                    let Some(value) = table.get(put) else { return };
                    replicas.iter().for_each(|r| cx.send(*r, Msg::Copy(put, value.clone())));
                    cx.arm(Retry(put), RETRY);
                }
                _ => {}
            },
            Kv::Replica { table } => {
                if let Event::Message { from, msg: Msg::Copy(put, value) } = event {
                    table.put(put, value);
                    cx.send(from, Msg::Copied(put));
                }
            }
            Kv::Client { primary, op, puts, at } => match event {
                Event::Invoke { op: id, what } => {
                    (*op, *puts, *at) = (Some(id), what.0, 1);
                    put(*primary, 1, cx);
                }
                Event::Message { msg: Msg::Done(done), .. } if done == *at => {
                    cx.disarm(Retry(done));
                    *at += 1;
                    if *at <= *puts {
                        put(*primary, *at, cx);
                    } else if let Some(op) = op.take() {
                        cx.complete(op, Outcome::Unknown);
                    }
                }
                Event::Timer(Retry(again)) if again == *at => put(*primary, again, cx),
                _ => {}
            },
        }
    }
}

fn put(primary: ActorId, n: u32, cx: &mut Context<'_, Kv>) {
    cx.send(primary, Msg::Put(n, value(n)));
    cx.arm(Retry(n), RETRY);
}
