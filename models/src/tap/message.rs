//! What the actors tell each other, and what they wait for, beside what the data nodes do.

use std::fmt;
use std::sync::Arc;

use seedbed_sim::actor::Label;
use seedbed_sim::id::ActorId;

use crate::vbucket::message as data;
use crate::vbucket::op::{State, Vb};

use super::frame::Name;

/// A stream that a node is to follow.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Order {
    /// Its name.
    pub name: Name,
    /// Who sends it.
    pub sender: ActorId,
    /// Its vbuckets.
    pub vbs: Vec<Vb>,
    /// Whether they move, rather than being copied.
    pub is_takeover: bool,
}

/// What a node is to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Orders {
    /// The streams to follow, and no others.
    pub streams: Vec<Order>,
    /// Vbuckets of other nodes: what is dead is a replica from now on.
    pub replicas: Vec<Vb>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Msg {
    /// Of a data node.
    Data(data::Msg),
    /// To the notifier, while it sleeps: something was changed.
    Notify,
    /// Notifier to sender: look at all streams.
    Look,
    /// Sender to filler: collect this vbucket for this stream; the name of the backfill.
    Collect(Name, Vb, u64),
    /// Orchestrator to receiver: do this, unless orders of a later revision have come.
    Follow(u64, Arc<Orders>),
    /// Receiver to orchestrator: after those of this revision its vbuckets stand so; and whether the disk knows.
    Stand(u64, Vec<(Vb, State, bool)>),
    /// Orchestrator to receiver: give the connection of this stream up, and make a new one.
    Reconnect(Name),
}

impl From<data::Msg> for Msg {
    fn from(msg: data::Msg) -> Msg {
        Msg::Data(msg)
    }
}

impl TryFrom<Msg> for data::Msg {
    type Error = ();

    fn try_from(msg: Msg) -> Result<data::Msg, ()> {
        match msg {
            Msg::Data(msg) => Ok(msg),
            _ => Err(()),
        }
    }
}

/// Kinds of our own, and then those of data nodes.
const fn kinds<const N: usize>(
    own: &'static [&'static str],
    theirs: &'static [&'static str],
) -> [&'static str; N] {
    let mut all = [""; N];
    let mut at = 0;
    while at < N {
        all[at] = if at < own.len() { own[at] } else { theirs[at - own.len()] };
        at += 1;
    }
    all
}

const OWN_MSGS: &[&str] = &["notify", "look", "collect", "follow", "stand", "reconnect"];
const MSGS: [&str; OWN_MSGS.len() + data::Msg::KINDS.len()] = kinds(OWN_MSGS, data::Msg::KINDS);
const OWN_TIMERS: &[&str] = &[
    "wake",
    "doze",
    "resume",
    "noop",
    "keep-alive",
    "connect",
    "reset-vbucket",
    "stand",
    "order",
    "walk",
    "answer",
    "pace",
];
const TIMERS: [&str; OWN_TIMERS.len() + data::Timer::KINDS.len()] =
    kinds(OWN_TIMERS, data::Timer::KINDS);
const OWN_PHASES: &[&str] = &["say", "take", "take-late"];
const PHASES: [&str; OWN_PHASES.len() + data::Phase::KINDS.len()] =
    kinds(OWN_PHASES, data::Phase::KINDS);

/// The number of a kind of data nodes behind those of our own.
fn behind(own: &[&str], kind: u16) -> u16 {
    u16::try_from(own.len()).expect("a few kinds") + kind
}

impl Label for Msg {
    const KINDS: &'static [&'static str] = &MSGS;

    fn kind(&self) -> u16 {
        match self {
            Msg::Notify => 0,
            Msg::Look => 1,
            Msg::Collect(..) => 2,
            Msg::Follow(..) => 3,
            Msg::Stand(..) => 4,
            Msg::Reconnect(_) => 5,
            Msg::Data(msg) => behind(OWN_MSGS, msg.kind()),
        }
    }

    fn subject(&self) -> u64 {
        match self {
            Msg::Data(msg) => msg.subject(),
            Msg::Collect(name, vb, _) => u64::from(name.0) * 256 + u64::from(vb.0) + 1,
            Msg::Follow(revision, _) | Msg::Stand(revision, _) => *revision,
            Msg::Reconnect(name) => u64::from(name.0) + 1,
            Msg::Notify | Msg::Look => 0,
        }
    }
}

impl fmt::Display for Msg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Msg::Data(msg) => write!(f, "{msg}"),
            Msg::Collect(name, vb, _) => write!(f, "collect {vb} for {name}"),
            Msg::Follow(revision, _) => write!(f, "follow {revision}"),
            Msg::Stand(revision, _) => write!(f, "stand {revision}"),
            Msg::Reconnect(name) => write!(f, "reconnect {name}"),
            Msg::Notify | Msg::Look => f.write_str(Msg::KINDS[usize::from(self.kind())]),
        }
    }
}

/// A timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// Of a data node.
    Data(data::Timer),
    /// Of the notifier: it has slept for long enough.
    Wake,
    /// Of the notifier: it has looked, and falls asleep.
    Doze,
    /// Of the sender: this stream may go on after a rejection, or has waited for answers for too long.
    Resume(Name),
    /// Of the sender: this stream has been silent.
    Noop(Name),
    /// Of the sender: this stream has been without a connection.
    KeepAlive(Name),
    /// Of the receiver: look at the connection of this stream.
    Connect(Name),
    /// Of the receiver: make this vbucket anew, for this stream.
    Reset(Name, Vb),
    /// Of the receiver: look whether the disk knows how this vbucket stands.
    Stand(Name, Vb),
    /// Of the orchestrator: give orders again.
    Order,
    /// Of the filler: the next keys.
    Walk,
    /// Of the receiver: answer what has been taken in of this stream.
    Answer(Name),
    /// Of the sender: the next message of this stream, after some time.
    Pace(Name),
}

impl From<data::Timer> for Timer {
    fn from(timer: data::Timer) -> Timer {
        Timer::Data(timer)
    }
}

impl TryFrom<Timer> for data::Timer {
    type Error = ();

    fn try_from(timer: Timer) -> Result<data::Timer, ()> {
        match timer {
            Timer::Data(timer) => Ok(timer),
            _ => Err(()),
        }
    }
}

impl Label for Timer {
    const KINDS: &'static [&'static str] = &TIMERS;

    fn kind(&self) -> u16 {
        match self {
            Timer::Wake => 0,
            Timer::Doze => 1,
            Timer::Resume(_) => 2,
            Timer::Noop(_) => 3,
            Timer::KeepAlive(_) => 4,
            Timer::Connect(_) => 5,
            Timer::Reset(..) => 6,
            Timer::Stand(..) => 7,
            Timer::Order => 8,
            Timer::Walk => 9,
            Timer::Answer(_) => 10,
            Timer::Pace(_) => 11,
            Timer::Data(timer) => behind(OWN_TIMERS, timer.kind()),
        }
    }

    fn subject(&self) -> u64 {
        match self {
            Timer::Data(timer) => timer.subject(),
            Timer::Wake | Timer::Doze | Timer::Order | Timer::Walk => 0,
            Timer::Resume(name)
            | Timer::Noop(name)
            | Timer::KeepAlive(name)
            | Timer::Connect(name)
            | Timer::Answer(name)
            | Timer::Pace(name) => u64::from(name.0) + 1,
            Timer::Reset(name, vb) | Timer::Stand(name, vb) => {
                u64::from(name.0) * 256 + u64::from(vb.0) + 1
            }
        }
    }
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Timer::Data(timer) => write!(f, "{timer}"),
            Timer::Reset(name, vb) => write!(f, "reset {vb} of {name}"),
            Timer::Stand(name, vb) => write!(f, "stand {vb} of {name}"),
            Timer::Wake | Timer::Doze | Timer::Order | Timer::Walk => {
                f.write_str(Timer::KINDS[usize::from(self.kind())])
            }
            Timer::Resume(name)
            | Timer::Noop(name)
            | Timer::KeepAlive(name)
            | Timer::Connect(name)
            | Timer::Answer(name)
            | Timer::Pace(name) => {
                write!(f, "{} {name}", Timer::KINDS[usize::from(self.kind())])
            }
        }
    }
}

/// Work that goes on in a later step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Of a data node.
    Data(data::Phase),
    /// Of the sender: the next message of this stream.
    Say(Name),
    /// Of the receiver: the next frame of this stream.
    Take(Name),
    /// Of the receiver: take in what was answered already. Only a planted bug does that.
    TakeLate(Name),
}

impl From<data::Phase> for Phase {
    fn from(phase: data::Phase) -> Phase {
        Phase::Data(phase)
    }
}

impl TryFrom<Phase> for data::Phase {
    type Error = ();

    fn try_from(phase: Phase) -> Result<data::Phase, ()> {
        match phase {
            Phase::Data(phase) => Ok(phase),
            _ => Err(()),
        }
    }
}

impl Label for Phase {
    const KINDS: &'static [&'static str] = &PHASES;

    fn kind(&self) -> u16 {
        match self {
            Phase::Say(_) => 0,
            Phase::Take(_) => 1,
            Phase::TakeLate(_) => 2,
            Phase::Data(phase) => behind(OWN_PHASES, phase.kind()),
        }
    }

    fn subject(&self) -> u64 {
        match self {
            Phase::Data(phase) => phase.subject(),
            Phase::Say(name) | Phase::Take(name) | Phase::TakeLate(name) => u64::from(name.0) + 1,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Phase::Data(phase) => write!(f, "{phase}"),
            Phase::Say(name) => write!(f, "say {name}"),
            Phase::Take(name) => write!(f, "take {name}"),
            Phase::TakeLate(name) => write!(f, "take late {name}"),
        }
    }
}
