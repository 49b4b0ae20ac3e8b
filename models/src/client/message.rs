//! What the actors tell each other, and what they wait for. Those of a data node are passed through.

use std::fmt;
use std::sync::Arc;

use seedbed_sim::actor::Label;

use crate::vbucket::message as node;
use crate::vbucket::op::{Key, Vb};
use crate::vbucket::table::Entry;

use super::map::Map;
use super::op::{Server, TaskId};

/// What a node is to be for a vbucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Duty {
    /// Serves it, and tells another node of it.
    Active(Option<Follower>),
    /// Follows, from this number on.
    Replica(u32),
    /// Serves it no more, and tells another node of what is left.
    Dead(Option<Follower>),
}

/// Who follows a vbucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Follower {
    /// The node.
    pub server: Server,
    /// As the node was told.
    pub session: u32,
}

/// What a node is to be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Orders {
    /// Later orders have a greater one.
    pub epoch: u32,
    /// The life of the node for which they are.
    pub life: u32,
    /// By the number of the vbucket.
    pub duties: Vec<Duty>,
}

/// What a node has come to be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Report {
    /// The node.
    pub server: Server,
    /// Its life.
    pub life: u32,
    /// The last orders that it has carried out.
    pub epoch: u32,
    /// By the number of the vbucket: whether its follower has all that stands in it now.
    pub fed: Vec<bool>,
    /// The same: whether it has what its master had once.
    pub copied: Vec<bool>,
}

/// All that stands in a vbucket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Copy {
    /// The vbucket.
    pub vb: Vb,
    /// For the replica of this session.
    pub session: u32,
    /// Counts copies.
    pub number: u32,
    /// Who waits for word.
    pub from: Server,
    /// Every key that is there.
    pub entries: Vec<(Key, Entry)>,
}

/// How a rebalance stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Progress {
    /// It goes on: so many percent.
    Going(u8),
    /// The vbucket is there.
    Done,
    /// It is not, and will not be. The management interface says -1.
    Failed,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Msg {
    /// Within a data node.
    Node(node::Msg),
    /// Client to keeper: what is the map?
    AskMap(u32),
    /// Keeper to client: this.
    ToldMap(u32, Map),
    /// Carrier to keeper: a node has come to life, and waits for orders.
    Hello(Server, u32),
    /// Keeper to carrier: be this.
    Orders(Arc<Orders>),
    /// Carrier to keeper: so it is.
    Report(Arc<Report>),
    /// Carrier to carrier: take this.
    Copy(Arc<Copy>),
    /// Carrier to carrier: it is taken.
    Copied(Vb, u32, u32),
    /// Task to keeper: move this, and say how that stands.
    Rebalance(u32, Vb, Server),
    /// Keeper to task: so.
    Progress(u32, Progress),
    /// Task manager to worker: go on with this task.
    Work(TaskId),
    /// Worker to task manager: the task has ended, or was paused.
    Left(TaskId),
}

/// Says that one of a data node is one of these, too.
macro_rules! holds {
    ($name:ident) => {
        impl From<node::$name> for $name {
            fn from(inner: node::$name) -> $name {
                $name::Node(inner)
            }
        }

        impl TryFrom<$name> for node::$name {
            type Error = $name;

            fn try_from(outer: $name) -> Result<node::$name, $name> {
                match outer {
                    $name::Node(inner) => Ok(inner),
                    other => Err(other),
                }
            }
        }
    };
}

/// Own kinds, and behind them those of a data node.
const fn joined<const N: usize>(own: &[&'static str], node: &[&'static str]) -> [&'static str; N] {
    let mut all = [""; N];
    let mut at = 0;
    while at < N {
        all[at] = if at < own.len() { own[at] } else { node[at - own.len()] };
        at += 1;
    }
    all
}

const MSGS: [&str; 11] = [
    "ask-map",
    "told-map",
    "hello",
    "orders",
    "report",
    "copy",
    "copied",
    "rebalance",
    "progress",
    "work",
    "left",
];
const TIMERS: [&str; 5] = ["call-patience", "call-retry", "map", "look", "poll"];
const PHASES: [&str; 2] = ["next", "tell"];
const LOCKS: [&str; 1] = ["partition"];

impl Label for Msg {
    const KINDS: &'static [&'static str] =
        &joined::<{ MSGS.len() + node::Msg::KINDS.len() }>(&MSGS, node::Msg::KINDS);

    fn kind(&self) -> u16 {
        match self {
            Msg::AskMap(_) => 0,
            Msg::ToldMap(..) => 1,
            Msg::Hello(..) => 2,
            Msg::Orders(_) => 3,
            Msg::Report(_) => 4,
            Msg::Copy(_) => 5,
            Msg::Copied(..) => 6,
            Msg::Rebalance(..) => 7,
            Msg::Progress(..) => 8,
            Msg::Work(_) => 9,
            Msg::Left(_) => 10,
            Msg::Node(msg) => 11 + msg.kind(),
        }
    }

    fn subject(&self) -> u64 {
        match self {
            Msg::Node(msg) => msg.subject(),
            Msg::AskMap(number) | Msg::ToldMap(number, _) => u64::from(*number),
            Msg::Hello(server, _) => u64::from(server.0) + 1,
            Msg::Orders(orders) => u64::from(orders.epoch),
            Msg::Report(report) => u64::from(report.epoch),
            Msg::Copy(copy) => u64::from(copy.vb.0) + 1,
            Msg::Copied(vb, ..) => u64::from(vb.0) + 1,
            Msg::Rebalance(number, ..) | Msg::Progress(number, _) => u64::from(*number),
            Msg::Work(task) | Msg::Left(task) => u64::from(task.0),
        }
    }
}

impl fmt::Display for Msg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = Msg::KINDS[usize::from(self.kind())];
        match self {
            Msg::Node(msg) => msg.fmt(f),
            Msg::AskMap(_) => write!(f, "{kind}"),
            Msg::ToldMap(_, map) => write!(f, "{kind} {map}"),
            Msg::Hello(server, life) => write!(f, "{kind} {server} life {life}"),
            Msg::Orders(orders) => write!(f, "{kind} of epoch {}", orders.epoch),
            Msg::Report(report) => write!(f, "{kind} of epoch {}", report.epoch),
            Msg::Copy(copy) => write!(f, "{kind} {} number {}", copy.vb, copy.number),
            Msg::Copied(vb, _, number) => write!(f, "{kind} {vb} number {number}"),
            Msg::Rebalance(_, vb, server) => write!(f, "{kind} {vb} {server}"),
            Msg::Progress(_, Progress::Going(percent)) => write!(f, "{kind} {percent} %"),
            Msg::Progress(_, Progress::Done) => write!(f, "{kind} 100 %"),
            Msg::Progress(_, Progress::Failed) => write!(f, "{kind} -1"),
            Msg::Work(task) | Msg::Left(task) => write!(f, "{kind} {}", task.0),
        }
    }
}

holds!(Msg);

/// A timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// Within a data node.
    Node(node::Timer),
    /// Of a call: it has been without an answer for too long.
    Patience(u32),
    /// Of a call: it is time to try again.
    Retry(u32),
    /// Of a client: the map does not come.
    Map,
    /// Of a carrier or the keeper: look again.
    Look,
    /// Of a task: ask again how a rebalance stands, or look at a key again.
    Poll,
}

impl Label for Timer {
    const KINDS: &'static [&'static str] =
        &joined::<{ TIMERS.len() + node::Timer::KINDS.len() }>(&TIMERS, node::Timer::KINDS);

    fn kind(&self) -> u16 {
        match self {
            Timer::Patience(_) => 0,
            Timer::Retry(_) => 1,
            Timer::Map => 2,
            Timer::Look => 3,
            Timer::Poll => 4,
            Timer::Node(timer) => 5 + timer.kind(),
        }
    }

    fn subject(&self) -> u64 {
        match self {
            Timer::Node(timer) => timer.subject(),
            Timer::Patience(number) | Timer::Retry(number) => u64::from(*number),
            Timer::Map | Timer::Look | Timer::Poll => 0,
        }
    }
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Timer::KINDS[usize::from(self.kind())])?;
        if self.subject() == 0 { Ok(()) } else { write!(f, " {}", self.subject()) }
    }
}

holds!(Timer);

/// Work that goes on in a later step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Within a data node.
    Node(node::Phase),
    /// Of a worker: the next key.
    Next,
    /// Of a worker that has given its locks back already: the store is to be told.
    Tell,
}

impl Label for Phase {
    const KINDS: &'static [&'static str] =
        &joined::<{ PHASES.len() + node::Phase::KINDS.len() }>(&PHASES, node::Phase::KINDS);

    fn kind(&self) -> u16 {
        match self {
            Phase::Next => 0,
            Phase::Tell => 1,
            Phase::Node(phase) => 2 + phase.kind(),
        }
    }

    fn subject(&self) -> u64 {
        match self {
            Phase::Node(phase) => phase.subject(),
            Phase::Next | Phase::Tell => 0,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Phase::Node(phase) => phase.fmt(f),
            Phase::Next | Phase::Tell => f.write_str(Phase::KINDS[usize::from(self.kind())]),
        }
    }
}

holds!(Phase);

/// A lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lock {
    /// Of a data node.
    Node(node::Lock),
    /// Of a client: a partition of the reference store.
    Partition(u8),
}

impl Label for Lock {
    const KINDS: &'static [&'static str] =
        &joined::<{ LOCKS.len() + node::Lock::KINDS.len() }>(&LOCKS, node::Lock::KINDS);

    fn kind(&self) -> u16 {
        match self {
            Lock::Partition(_) => 0,
            Lock::Node(lock) => 1 + lock.kind(),
        }
    }

    fn subject(&self) -> u64 {
        match self {
            Lock::Node(lock) => lock.subject(),
            Lock::Partition(partition) => u64::from(*partition) + 1,
        }
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lock::Node(lock) => lock.fmt(f),
            Lock::Partition(partition) => write!(f, "partition {partition}"),
        }
    }
}

holds!(Lock);
