//! The contract that a model sees: one event in, effects out.
//!
//! ```text
//!              Event ──▶ on_event ──▶ effects, applied at once, one by one,
//!                           │         through the Context (send, arm, lock, disk, point, ...)
//!                   &mut self, shared value of the node
//! ```
//!
//! An actor never asks for the time, a random number or a file by itself: everything comes through the [`Context`].
//! The traits below it are what an engine implements ([`Host`]). Reading order: [`Actor`], [`Event`], [`Context`],
//! then `embed.rs` for actors inside another model's enum.

mod context;
mod embed;
mod io;
mod names;
mod record;

pub use context::{Context, Host, Me};
pub use embed::Embeds;
pub use io::{CloseReason, ConnEvent, DiskDone, DiskError, DiskEvent, DiskKind, DiskOp};
pub use names::{Bug, BugSet, Family, Mark, Names, Point};
pub use record::{History, HistoryEvent, Outcome};

use crate::choose::{Digest, Words};
use crate::id::{ActorId, OpId};
use std::fmt::{Debug, Display};
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// A deterministic state machine. Being `Clone`, it makes a world a value.
pub trait Actor: Clone + Debug + Send + Sync + 'static {
    /// What actors send each other. `subject` should tell unlike messages apart: a key, an operation.
    type Msg: Payload + Label;
    /// Names of timers; a name has one deadline at a time and may carry an id.
    type Timer: Payload + Label + Copy + Eq;
    /// Explicit phases of work that takes several steps.
    type Phase: Payload + Label;
    /// Names of the locks of a node.
    type Lock: Payload + Label + Copy + Eq;
    /// What a client can be asked to do, in the words of the seed file.
    type Op: Payload + Eq + FromStr<Err = String>;
    /// What an operation answers.
    type Ret: Payload + Eq;
    /// Typed facts for checks and the trace.
    type Note: Payload;
    /// What the actors of one node share, as threads share memory; lost in a crash.
    type Shared: Clone + Default + Send + Sync + 'static;
    /// What the checks remember from step to step.
    type Ghost: Clone + Default + Send + 'static;

    /// Handles one event; all effects go through `cx`. One call is one atomic step.
    fn on_event(&mut self, event: Event<Self>, cx: &mut Context<'_, Self>);

    /// Becomes the newborn actor again, after a crash or for another run. A model may keep the memory of its tables.
    fn reborn(&mut self, newborn: &Self) {
        self.clone_from(newborn);
    }

    /// Whether this actor, a client, can be asked for that; if not, what it can be asked for: "expected .., found ..". Plans
    /// that people write are held to it. By default what is an operation at all is one of every client.
    ///
    /// # Errors
    ///
    /// If it cannot.
    fn takes(&self, _op: &Self::Op) -> Result<(), String> {
        Ok(())
    }

    /// Simpler operations that may do instead of this one, the simplest first: shrinking tries them. None is equal to it, and
    /// following them leads to an end.
    #[must_use]
    fn simpler(_op: &Self::Op) -> Vec<Self::Op> {
        Vec::new()
    }

    /// What a corrupted datagram arrives as. `None`: the receiver's checksum rejects it, and nothing arrives.
    #[must_use]
    fn corrupted(_msg: &Self::Msg, _word: u64) -> Option<Self::Msg> {
        None
    }
}

/// What every value that passes through the engine can do: be copied, be folded into the digest, be printed.
pub trait Payload: Clone + Hash + Debug + Display + Send + Sync + 'static {}
impl<T: Clone + Hash + Debug + Display + Send + Sync + 'static> Payload for T {}

/// A short, stable name for keys of decisions: a kind out of a fixed list, and a subject.
///
/// Printed as `kind#subject`, and as `kind` alone if the subject is 0.
pub trait Label {
    /// The kinds, by index. Appending is free; reordering gives old seed files another meaning.
    const KINDS: &'static [&'static str];

    /// The index of this value's kind.
    fn kind(&self) -> u16;

    /// What it is about: a key, a shard, an operation; 0 if there is nothing to tell apart.
    fn subject(&self) -> u64 {
        0
    }
}

/// Something that happens *to* an actor.
#[derive(Clone, Debug)]
pub enum Event<A: Actor> {
    /// The first event of every incarnation.
    Boot,
    /// A client is asked to do an operation. The next comes when this one is completed.
    Invoke {
        /// Names the operation; [`Context::complete`] wants it back.
        op: OpId,
        /// What to do.
        what: A::Op,
    },
    /// A message has arrived.
    Message {
        /// The actor that sent it.
        from: ActorId,
        /// The message.
        msg: A::Msg,
    },
    /// A timer has come due.
    Timer(A::Timer),
    /// Something has happened to a connection.
    Conn(ConnEvent),
    /// A disk request has been answered.
    Disk(DiskEvent),
    /// A lock that was asked for is now held.
    Locked(A::Lock),
    /// The work that was split off by [`Context::yield_to`] goes on.
    Phase(A::Phase),
    /// The node is asked to stop cleanly. The actor answers with [`Context::stopped`] when it has put its things away;
    /// one that takes longer than the plan's grace is killed.
    Stop,
}

impl<A: Actor> Event<A> {
    /// A digest with this event and another word, folded in. The digest goes by value: through a reference, every word
    /// would wait for the last one to be stored.
    #[inline(always)]
    pub(crate) fn fold_into(&self, digest: Digest, word: u64) -> Digest {
        match self {
            Event::Message { from, msg } => Event::<A>::fold_message(*from, msg, digest, word),
            rarer => rarer.fold_rarer(digest, word),
        }
    }

    /// The same for a message that is no event yet.
    #[inline(always)]
    pub(crate) fn fold_message(from: ActorId, msg: &A::Msg, digest: Digest, word: u64) -> Digest {
        // The other word says who handles it, in bits 47 to 32, and in which life: with the sender above and the kind of the
        // event between them, all of it is one word.
        let mut words = digest.words();
        words.write_u64(word ^ u64::from(from.0) << 48 ^ 2 << 28);
        msg.hash(&mut words);
        words.end()
    }

    /// What comes less often than messages; apart, so that the way of messages stays short.
    #[inline(never)]
    fn fold_rarer(&self, digest: Digest, word: u64) -> Digest {
        let with = |head: u64, payload: &dyn Fn(&mut Words)| {
            let mut words = digest.pair(word, head).words();
            payload(&mut words);
            words.end()
        };
        match self {
            Event::Boot => digest.pair(word, 0),
            Event::Invoke { op, what } => with(1 << 32 | u64::from(op.number), &|d| what.hash(d)),
            Event::Message { .. } => unreachable!("folded by the caller"),
            Event::Timer(timer) => with(3, &|d| timer.hash(d)),
            Event::Conn(event) => with(4, &|d| event.hash(d)),
            Event::Disk(event) => with(5, &|d| event.hash(d)),
            Event::Locked(lock) => with(6, &|d| lock.hash(d)),
            Event::Phase(phase) => with(7, &|d| phase.hash(d)),
            Event::Stop => digest.pair(word, 8),
        }
    }
}

/// The type of what a model does not have: no timers, no locks. It has no values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Never {}

impl Display for Never {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {}
    }
}

impl Label for Never {
    const KINDS: &'static [&'static str] = &[];
    fn kind(&self) -> u16 {
        match *self {}
    }
}

impl FromStr for Never {
    type Err = String;
    fn from_str(text: &str) -> Result<Never, String> {
        Err(format!("expected nothing here, found `{text}`"))
    }
}
