//! What the actors tell each other, and what they wait for, beside those of the models that the cluster is made of. What
//! those have in common, the messages of a data node, is one thing here.

use std::fmt;
use std::sync::Arc;

use seedbed_sim::actor::Label;

use crate::client::message as client;
use crate::client::op::Server;
use crate::tap::message as tap;
use crate::vbucket::message as node;
use crate::vbucket::op::{State, Vb};

use super::map::View;

pub use crate::client::message::Lock;

/// How a vbucket stands on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stand {
    /// The vbucket.
    pub vb: Vb,
    /// Its state.
    pub state: State,
    /// The disk knows.
    pub is_saved: bool,
    /// It has had everything that its master had at some time.
    pub is_filled: bool,
    /// How many items there are.
    pub items: u32,
    /// How many changes are not on disk.
    pub queued: u32,
}

/// What a node has come to be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Report {
    /// The node.
    pub server: Server,
    /// Its life.
    pub life: u32,
    /// Counts reports of a life.
    pub number: u32,
    /// The last view that it has carried out.
    pub epoch: u32,
    /// The vbuckets that it has.
    pub stands: Vec<Stand>,
}

impl Report {
    /// How a vbucket stands there.
    #[must_use]
    pub fn stand(&self, vb: Vb) -> Option<&Stand> {
        self.stands.iter().find(|stand| stand.vb == vb)
    }
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Msg {
    /// Of streams and data nodes.
    Tap(tap::Msg),
    /// Of clients; never one of a data node.
    Client(client::Msg),
    /// Orchestrator to agent: be this, in that life.
    View(u32, Arc<View>),
    /// Agent to orchestrator: so it is.
    Report(Arc<Report>),
}

/// A timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// Of streams and data nodes.
    Tap(tap::Timer),
    /// Of clients; never one of a data node.
    Client(client::Timer),
    /// Of an agent: look whether all is as it should be.
    Look,
    /// Of the orchestrator: look how things stand.
    Plan,
}

/// Work that goes on in a later step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Of streams and data nodes.
    Tap(tap::Phase),
    /// Of clients; never one of a data node.
    Client(client::Phase),
}

/// Says that those of both models are these, too.
macro_rules! holds {
    ($name:ident) => {
        impl From<tap::$name> for $name {
            fn from(inner: tap::$name) -> $name {
                $name::Tap(inner)
            }
        }

        impl TryFrom<$name> for tap::$name {
            type Error = ();

            fn try_from(outer: $name) -> Result<tap::$name, ()> {
                match outer {
                    $name::Tap(inner) => Ok(inner),
                    _ => Err(()),
                }
            }
        }

        impl From<client::$name> for $name {
            fn from(inner: client::$name) -> $name {
                match inner {
                    client::$name::Node(inner) => $name::Tap(tap::$name::Data(inner)),
                    inner => $name::Client(inner),
                }
            }
        }

        impl TryFrom<$name> for client::$name {
            type Error = ();

            fn try_from(outer: $name) -> Result<client::$name, ()> {
                match outer {
                    $name::Tap(tap::$name::Data(inner)) => Ok(client::$name::Node(inner)),
                    $name::Client(inner) => Ok(inner),
                    _ => Err(()),
                }
            }
        }
    };
}

holds!(Msg);
holds!(Timer);
holds!(Phase);

/// Own kinds, behind them those of clients but for those of a data node, and behind them those of streams and data nodes.
const fn kinds<const N: usize>(parts: [&'static [&'static str]; 3]) -> [&'static str; N] {
    let mut all = [""; N];
    let [own, clients, streams] = parts;
    let behind = N - streams.len();
    let mut at = 0;
    while at < N {
        all[at] = if at < own.len() {
            own[at]
        } else if at < behind {
            clients[at - own.len()]
        } else {
            streams[at - behind]
        };
        at += 1;
    }
    all
}

const OWN_MSGS: &[&str] = &["view", "node-report"];
const CLIENT_MSGS: usize = client::Msg::KINDS.len() - node::Msg::KINDS.len();
const MSGS: [&str; OWN_MSGS.len() + CLIENT_MSGS + tap::Msg::KINDS.len()] =
    kinds([OWN_MSGS, client::Msg::KINDS, tap::Msg::KINDS]);
const OWN_TIMERS: &[&str] = &["node-look", "plan"];
const CLIENT_TIMERS: usize = client::Timer::KINDS.len() - node::Timer::KINDS.len();
const TIMERS: [&str; OWN_TIMERS.len() + CLIENT_TIMERS + tap::Timer::KINDS.len()] =
    kinds([OWN_TIMERS, client::Timer::KINDS, tap::Timer::KINDS]);
const CLIENT_PHASES: usize = client::Phase::KINDS.len() - node::Phase::KINDS.len();
const PHASES: [&str; CLIENT_PHASES + tap::Phase::KINDS.len()] =
    kinds([&[], client::Phase::KINDS, tap::Phase::KINDS]);

/// The number of a kind behind so many others.
fn behind(others: usize, kind: u16) -> u16 {
    u16::try_from(others).expect("a few kinds") + kind
}

impl Label for Msg {
    const KINDS: &'static [&'static str] = &MSGS;

    fn kind(&self) -> u16 {
        match self {
            Msg::View(..) => 0,
            Msg::Report(_) => 1,
            Msg::Client(msg) => behind(OWN_MSGS.len(), msg.kind()),
            Msg::Tap(msg) => behind(OWN_MSGS.len() + CLIENT_MSGS, msg.kind()),
        }
    }

    fn subject(&self) -> u64 {
        match self {
            Msg::View(_, view) => u64::from(view.epoch),
            Msg::Report(report) => u64::from(report.epoch),
            Msg::Client(msg) => msg.subject(),
            Msg::Tap(msg) => msg.subject(),
        }
    }
}

impl fmt::Display for Msg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Msg::View(_, view) => write!(f, "view of epoch {}", view.epoch),
            Msg::Report(report) => {
                write!(f, "report {} of epoch {}", report.number, report.epoch)
            }
            Msg::Client(msg) => msg.fmt(f),
            Msg::Tap(msg) => msg.fmt(f),
        }
    }
}

impl Label for Timer {
    const KINDS: &'static [&'static str] = &TIMERS;

    fn kind(&self) -> u16 {
        match self {
            Timer::Look => 0,
            Timer::Plan => 1,
            Timer::Client(timer) => behind(OWN_TIMERS.len(), timer.kind()),
            Timer::Tap(timer) => behind(OWN_TIMERS.len() + CLIENT_TIMERS, timer.kind()),
        }
    }

    fn subject(&self) -> u64 {
        match self {
            Timer::Look | Timer::Plan => 0,
            Timer::Client(timer) => timer.subject(),
            Timer::Tap(timer) => timer.subject(),
        }
    }
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Timer::Look | Timer::Plan => f.write_str(Timer::KINDS[usize::from(self.kind())]),
            Timer::Client(timer) => timer.fmt(f),
            Timer::Tap(timer) => timer.fmt(f),
        }
    }
}

impl Label for Phase {
    const KINDS: &'static [&'static str] = &PHASES;

    fn kind(&self) -> u16 {
        match self {
            Phase::Client(phase) => phase.kind(),
            Phase::Tap(phase) => behind(CLIENT_PHASES, phase.kind()),
        }
    }

    fn subject(&self) -> u64 {
        match self {
            Phase::Client(phase) => phase.subject(),
            Phase::Tap(phase) => phase.subject(),
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Phase::Client(phase) => phase.fmt(f),
            Phase::Tap(phase) => phase.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_kind_has_two_numbers() {
        for kinds in [Msg::KINDS, Timer::KINDS, Phase::KINDS, Lock::KINDS] {
            let mut sorted = kinds.to_vec();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), kinds.len(), "{kinds:?}");
        }
    }

    #[test]
    fn what_a_data_node_says_is_the_same_whoever_says_it() {
        let said: Msg = client::Msg::Node(node::Msg::Flush).into();
        assert_eq!(said, Msg::Tap(tap::Msg::Data(node::Msg::Flush)));
        assert_eq!(Msg::KINDS[usize::from(said.kind())], "flush");
        assert_eq!(client::Msg::try_from(said), Ok(client::Msg::Node(node::Msg::Flush)));
        let map: Msg = client::Msg::AskMap(7).into();
        assert_eq!(Msg::KINDS[usize::from(map.kind())], "ask-map");
        assert!(tap::Msg::try_from(map).is_err());
    }
}
