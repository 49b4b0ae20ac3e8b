//! A tiny model for tests of what is drawn, printed and read: servers that acknowledge puts, clients that try again.

use super::Scenario;
use crate::actor::{Actor, Bug, Context, Event, Label, Never, Outcome, Point};
use crate::choose::{Draw, Odds, Shape, Site};
use crate::fault::{Kind, KindSet};
use crate::id::{ActorId, FileName, OpId};
use crate::nemesis::{Budget, Config, Knob, PlannedOp, Run};
use crate::time::Span;
use crate::world::Topology;
use std::fmt;
use std::str::FromStr;

/// Both of its roles.
#[derive(Clone, Debug)]
pub(crate) enum Tiny {
    /// Acknowledges, and counts what it was asked in this life.
    Server { asked: u64 },
    /// Asks one server after the other.
    Client { servers: u16, current: Option<(OpId, u64)>, tries: u16 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Msg {
    Put { op: u32, key: u64 },
    Done { op: u32, key: u64 },
}

impl fmt::Display for Msg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl Label for Msg {
    const KINDS: &'static [&'static str] = &["put", "done"];
    fn kind(&self) -> u16 {
        u16::from(matches!(self, Msg::Done { .. }))
    }
    fn subject(&self) -> u64 {
        match self {
            Msg::Put { key, .. } | Msg::Done { key, .. } => *key,
        }
    }
}

/// When to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Retry;

impl fmt::Display for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("retry")
    }
}

impl Label for Retry {
    const KINDS: &'static [&'static str] = &["retry"];
    fn kind(&self) -> u16 {
        0
    }
}

/// `put KEY`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Put(pub(crate) u64);

impl fmt::Display for Put {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "put {}", self.0)
    }
}

impl FromStr for Put {
    type Err = String;
    fn from_str(text: &str) -> Result<Put, String> {
        let key = text.strip_prefix("put ").and_then(|key| key.parse().ok());
        key.map(Put).ok_or_else(|| format!("expected `put KEY`, found `{text}`"))
    }
}

const BEFORE: Point = Point { index: 0, name: "before-reply" };
const AFTER: Point = Point { index: 1, name: "after-reply" };
static SHUFFLE: Site = Site { id: 40, name: "shuffle", shape: Shape::Own, outcomes: &[] };
const TRIES: u16 = 8;

impl Tiny {
    fn ask(&mut self, cx: &mut Context<'_, Tiny>) {
        if let Tiny::Client { servers, current: Some((op, key)), tries } = self {
            cx.send(ActorId(*tries % *servers), Msg::Put { op: op.number, key: *key });
            cx.arm(Retry, Span::ms(10));
        }
    }

    fn answer(&mut self, cx: &mut Context<'_, Tiny>, outcome: Outcome<u64>) {
        if let Tiny::Client { current, tries, .. } = self
            && let Some((op, _)) = current.take()
        {
            *tries = 0;
            cx.disarm(Retry);
            cx.complete(op, outcome);
        }
    }
}

impl Actor for Tiny {
    type Msg = Msg;
    type Timer = Retry;
    type Phase = Never;
    type Lock = Never;
    type Op = Put;
    type Ret = u64;
    type Note = Never;
    type Shared = ();
    type Ghost = ();

    fn on_event(&mut self, event: Event<Tiny>, cx: &mut Context<'_, Tiny>) {
        match (&mut *self, event) {
            (Tiny::Server { asked }, Event::Message { from, msg: Msg::Put { op, key } }) => {
                *asked += 1;
                cx.choose(&SHUFFLE, key, *asked);
                cx.point(&BEFORE);
                cx.send(from, Msg::Done { op, key });
                cx.point(&AFTER);
            }
            (Tiny::Server { .. }, Event::Stop) => cx.stopped(),
            (Tiny::Client { current, .. }, Event::Invoke { op, what }) => {
                *current = Some((op, what.0));
                self.ask(cx);
            }
            (Tiny::Client { current, .. }, Event::Message { msg: Msg::Done { op, key }, .. })
                if current.is_some_and(|(asked, _)| asked.number == op) =>
            {
                self.answer(cx, Outcome::Ok(key));
            }
            (Tiny::Client { tries, .. }, Event::Timer(Retry)) => {
                *tries += 1;
                if *tries == TRIES { self.answer(cx, Outcome::Unknown) } else { self.ask(cx) }
            }
            _ => {}
        }
    }
}

/// All kinds that there are.
pub(crate) fn all_kinds() -> KindSet {
    Kind::CATALOGUE.iter().fold(KindSet::NONE, |set, (kind, _, _)| set.with(*kind))
}

/// What the tiny scenario promises to survive.
pub(crate) fn budget(_: &Config) -> Budget {
    Budget { kinds: all_kinds(), down_max: 1, fragile_max: 2, faults_max: 12 }
}

fn topology(config: &Config) -> Topology<Tiny> {
    let mut topology = Topology::default();
    let servers = u16::try_from(config.get("servers")).expect("a few servers");
    for _ in 0..servers {
        let node = topology.server("n");
        topology.actor(node, "", Tiny::Server { asked: 0 });
    }
    for _ in 0..2 {
        let node = topology.client("c");
        topology.actor(node, "", Tiny::Client { servers, current: None, tries: 0 });
    }
    topology
}

fn workload(_: &Config, draw: &mut Draw) -> Vec<PlannedOp<Put>> {
    let mut ops = Vec::with_capacity(24);
    for client in 0..2 {
        let count = u32::try_from(draw.range(6, 12)).expect("a few operations");
        ops.extend((1..=count).map(|number| PlannedOp { client, number, op: Put(draw.below(5)) }));
    }
    ops
}

const KNOBS: &[Knob] = &[
    Knob { name: "servers", min: 2, max: 5, simplest: 3, about: "servers" },
    Knob {
        name: "grace_ms",
        min: 50,
        max: 150,
        simplest: 100,
        about: "patience with a stop, in ms",
    },
];
const BUGS: &[Bug] = &[
    Bug { index: 0, name: "no-reply", source: "made up", breaks: "-", scenario: "tiny/puts" },
    Bug { index: 1, name: "two-replies", source: "made up", breaks: "-", scenario: "tiny/puts" },
];

/// The scenario.
pub(crate) const SCENARIO: Scenario<Tiny> = Scenario {
    name: "tiny/puts",
    about: "puts to one server after the other",
    knobs: KNOBS,
    tune: |config: &Config, run: &mut Run| run.grace = Span::ms(config.get("grace_ms")),
    budget,
    topology,
    workload,
    read_back: |_| vec![(0, Put(99))],
    always: &[],
    eventually: &[],
    finally: &[],
    marks: &[],
    points: &[BEFORE, AFTER],
    bugs: BUGS,
    sites: &[super::ModelSite { site: &SHUFFLE, odds: Odds::new(&[4, 2, 1, 1]) }],
    site_list: &[&SHUFFLE],
};

/// The same in a world whose files have two classes.
pub(crate) const FILED: Scenario<Tiny> = Scenario {
    topology: |config| {
        let mut topology = topology(config);
        topology.files("log", FileName::new("log"));
        topology.files("snapshots", FileName::new("snap"));
        topology
    },
    ..SCENARIO
};
