//! The first step of the tutorial: a server that says back what it is told, and clients that ask again.

use seedbed_sim::actor::{Actor, Context, Event, Label, Never, Outcome};
use seedbed_sim::check::Scenario;
use seedbed_sim::choose::Draw;
use seedbed_sim::fault::{Kind, KindSet};
use seedbed_sim::id::{ActorId, OpId};
use seedbed_sim::nemesis::{Budget, Config, PlannedOp};
use seedbed_sim::time::Span;
use seedbed_sim::world::Topology;
use std::fmt;
use std::str::FromStr;

// ANCHOR: words
/// What a client can be asked: `say 7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Say(u64);

impl fmt::Display for Say {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "say {}", self.0)
    }
}

impl FromStr for Say {
    type Err = String;
    fn from_str(text: &str) -> Result<Say, String> {
        let number = text.strip_prefix("say ").and_then(|n| n.parse().ok());
        number.map(Say).ok_or_else(|| format!("expected `say NUMBER`, found `{text}`"))
    }
}

/// What client and server send each other. Both name the operation that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Msg {
    Said { op: u32, number: u64 },
    Back { op: u32, number: u64 },
}

impl fmt::Display for Msg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Msg::Said { op, number } => write!(f, "said#{op} {number}"),
            Msg::Back { op, number } => write!(f, "back#{op} {number}"),
        }
    }
}

impl Label for Msg {
    const KINDS: &'static [&'static str] = &["said", "back"];
    fn kind(&self) -> u16 {
        match self {
            Msg::Said { .. } => 0,
            Msg::Back { .. } => 1,
        }
    }
    fn subject(&self) -> u64 {
        match self {
            Msg::Said { op, .. } | Msg::Back { op, .. } => u64::from(*op),
        }
    }
}

/// The one timer: ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Retry;

impl fmt::Display for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "retry")
    }
}

impl Label for Retry {
    const KINDS: &'static [&'static str] = &["retry"];
    fn kind(&self) -> u16 {
        0
    }
}
// ANCHOR_END: words

// ANCHOR: actor
/// The roles are variants of one enum, so that checks see real types.
#[derive(Clone, Debug)]
pub(crate) enum Echo {
    Server,
    Client { under_way: Option<(OpId, u64)> },
}

/// The server is the first actor of the topology.
const SERVER: ActorId = ActorId(0);

impl Actor for Echo {
    type Msg = Msg;
    type Timer = Retry;
    type Phase = Never;
    type Lock = Never;
    type Op = Say;
    type Ret = u64;
    type Note = Never;
    type Shared = ();
    type Ghost = ();

    fn on_event(&mut self, event: Event<Echo>, cx: &mut Context<'_, Echo>) {
        match (self, event) {
            (Echo::Server, Event::Message { from, msg: Msg::Said { op, number } }) => {
                cx.send(from, Msg::Back { op, number });
            }
            (Echo::Server, Event::Stop) => cx.stopped(),
            (Echo::Client { under_way }, Event::Invoke { op, what: Say(number) }) => {
                *under_way = Some((op, number));
                ask(op, number, cx);
            }
            (Echo::Client { under_way: Some((op, number)) }, Event::Timer(Retry)) => {
                ask(*op, *number, cx);
            }
            (Echo::Client { under_way }, Event::Message { msg: Msg::Back { op, number }, .. }) => {
                // A repeated answer to an operation that is over is ignored.
                if let Some((asked, _)) = under_way.take_if(|(asked, _)| asked.number == op) {
                    cx.disarm(Retry);
                    cx.complete(asked, Outcome::Ok(number));
                }
            }
            _ => {}
        }
    }
}

fn ask(op: OpId, number: u64, cx: &mut Context<'_, Echo>) {
    cx.send(SERVER, Msg::Said { op: op.number, number });
    cx.arm(Retry, Span::ms(20));
}
// ANCHOR_END: actor

// ANCHOR: scenario
/// Two clients and a server, over a network that loses, repeats and delays; the server may die, for it keeps nothing.
pub(crate) const fn scenario() -> Scenario<Echo> {
    Scenario {
        name: "tutorial/echo",
        about: "a server that says back what it is told",
        knobs: &[],
        tune: |_, _| {},
        budget: |_| Budget { kinds: TROUBLE, down_max: 1, fragile_max: 0, faults_max: 6 },
        topology,
        workload,
        read_back: |_| Vec::new(),
        always: &[],
        eventually: &[],
        finally: &[],
        marks: &[],
        points: &[],
        bugs: &[],
        sites: &[],
        site_list: &[],
    }
}

const TROUBLE: KindSet = KindSet::of(&[Kind::Drop, Kind::Duplicate, Kind::Delay, Kind::Crash]);

fn topology(_: &Config) -> Topology<Echo> {
    let mut topology = Topology::default();
    let node = topology.server("n");
    topology.actor(node, "server", Echo::Server);
    for _ in 0..2 {
        let node = topology.client("c");
        topology.actor(node, "client", Echo::Client { under_way: None });
    }
    topology
}

fn workload(_: &Config, draw: &mut Draw) -> Vec<PlannedOp<Say>> {
    let ops = (1..=20).map(|number| {
        let client = u16::from(draw.chance(1, 2));
        PlannedOp { client, number, op: Say(draw.below(100)) }
    });
    ops.collect()
}
// ANCHOR_END: scenario
