//! The register inside another model: a shop keeps its stock in it, and rings a bell of its own beside it.
//!
//! Nothing of the register is written again here: its actors are variants of the shop's actor, its messages, timers
//! and notes variants of the shop's, and a context of the shop is lifted into one of the register for each event.

use seedbed_models::register::{
    self, Call, Client, Coordinator, Key, Register, Replica, Ret, bugs, mark, point,
};
use seedbed_sim::actor::{
    Actor, BugSet, Context, Embeds, Event, HistoryEvent, Label, Never, Outcome,
};
use seedbed_sim::check::{Checked, Eventually, Finally, Scenario};
use seedbed_sim::engine::{Native, Options, Verdict};
use seedbed_sim::fault::{Kind, KindSet};
use seedbed_sim::id::ActorId;
use seedbed_sim::nemesis::{Budget, Config, Plan, PlannedOp};
use seedbed_sim::time::Span;
use seedbed_sim::world::{Topology, World};
use std::fmt;

/// The actors of the outer model.
#[derive(Clone, Debug)]
enum Shop {
    Stock(Register),
    Bell { next: ActorId, heard: u32 },
}

/// A type of the outer model with a variant for the register's: conversions both ways, a label, and how it prints.
macro_rules! outer {
    ($name:ident holds $inner:ty, beside $own:ident($own_type:ty) $(, $derive:ident)*) => {
        #[derive(Clone, Debug, PartialEq, Eq, Hash $(, $derive)*)]
        enum $name {
            Stock($inner),
            $own($own_type),
        }

        impl From<$inner> for $name {
            fn from(inner: $inner) -> $name {
                $name::Stock(inner)
            }
        }

        impl TryFrom<$name> for $inner {
            type Error = ();
            fn try_from(outer: $name) -> Result<$inner, ()> {
                match outer {
                    $name::Stock(inner) => Ok(inner),
                    $name::$own(_) => Err(()),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $name::Stock(inner) => write!(f, "{inner}"),
                    $name::$own(own) => write!(f, "{} {own}", stringify!($own)),
                }
            }
        }
    };
}

outer!(Msg holds register::Msg, beside Ring(u32));
outer!(Timer holds register::Timer, beside Ring(u32), Copy);
outer!(Note holds register::Note, beside Rang(u32));

impl Label for Msg {
    const KINDS: &'static [&'static str] = &[
        "pick", "picked", "put", "done", "get", "got", "query", "held", "store", "stored", "ring",
    ];
    fn kind(&self) -> u16 {
        match self {
            Msg::Stock(msg) => msg.kind(),
            Msg::Ring(_) => 10,
        }
    }
    fn subject(&self) -> u64 {
        match self {
            Msg::Stock(msg) => msg.subject(),
            Msg::Ring(n) => u64::from(*n),
        }
    }
}

impl Label for Timer {
    const KINDS: &'static [&'static str] = &["retry", "resend", "disk", "ring"];
    fn kind(&self) -> u16 {
        match self {
            Timer::Stock(timer) => timer.kind(),
            Timer::Ring(_) => 3,
        }
    }
    fn subject(&self) -> u64 {
        match self {
            Timer::Stock(timer) => timer.subject(),
            Timer::Ring(n) => u64::from(*n),
        }
    }
}

impl Embeds<Register> for Shop {
    fn shared_part(shared: &mut ()) -> &mut () {
        shared
    }
}

impl Actor for Shop {
    type Msg = Msg;
    type Timer = Timer;
    type Phase = Never;
    type Lock = Never;
    type Op = Call;
    type Ret = Ret;
    type Note = Note;
    type Shared = ();
    type Ghost = ();

    fn on_event(&mut self, event: Event<Shop>, cx: &mut Context<'_, Shop>) {
        match self {
            Shop::Stock(register) => {
                if let Some(event) = event.narrow() {
                    cx.lift(|cx| register.on_event(event, cx));
                }
            }
            Shop::Bell { next, heard } => match event {
                Event::Boot => cx.arm(Timer::Ring(1), Span::ms(3)),
                Event::Timer(Timer::Ring(n)) => {
                    cx.send(*next, Msg::Ring(n));
                    cx.arm(Timer::Ring(n % 9 + 1), Span::ms(3));
                }
                Event::Message { msg: Msg::Ring(n), .. } => {
                    *heard += 1;
                    cx.note(Note::Rang(n));
                }
                Event::Stop => cx.stopped(),
                _ => {}
            },
        }
    }
}

const NODES: u16 = 4;
const READS_ITS_WRITES: &str = "a single client reads what it wrote last";
const BELLS_RING: &str = "every bell is heard by the next";

/// Each node has a replica, a coordinator and a bell, so that the register's actors have other numbers than at home.
fn topology(_: &Config) -> Topology<Shop> {
    let every_third = |first: u16| (0..NODES).map(|i| ActorId(3 * i + first)).collect::<Vec<_>>();
    let (bells, replicas, coordinators) = (every_third(0), every_third(1), every_third(2));
    let mut topology = Topology::default();
    for i in 0..usize::from(NODES) {
        let node = topology.server("n");
        let next = bells[(i + 1) % bells.len()];
        topology.actor(node, "bell", Shop::Bell { next, heard: 0 });
        topology.actor(node, "replica", Shop::Stock(Register::Replica(Replica::default())));
        let coordinator = Coordinator::new(replicas.clone());
        topology.actor(node, "front", Shop::Stock(Register::Coordinator(coordinator)));
    }
    let client = topology.client("c");
    topology.actor(client, "client", Shop::Stock(Register::Client(Client::new(coordinators))));
    topology
}

fn shop() -> Scenario<Shop> {
    const CHECKS: &[Finally<Shop>] = &[Finally { name: READS_ITS_WRITES, check: reads_its_writes }];
    const PROMISES: &[Eventually<Shop>] =
        &[Eventually { name: BELLS_RING, check: bells_ring, bound: |_| Span::secs(10) }];
    Scenario {
        name: "shop/stock",
        about: "a register inside another model",
        knobs: &[],
        tune: |_, _| {},
        budget: |_| Budget {
            kinds: KindSet::of(&[Kind::Crash, Kind::Kill, Kind::Stop, Kind::Drop, Kind::Delay]),
            down_max: 1,
            fragile_max: 0,
            faults_max: 4,
        },
        topology,
        workload: |_, _| {
            let call = |n| if n % 2 == 1 { Call::Write(Key(0), n) } else { Call::Read(Key(0)) };
            let op = |n: u32| PlannedOp { client: 0, number: n, op: call(n.into()) };
            (1..=30).map(op).collect()
        },
        read_back: |_| vec![(0, Call::Read(Key(0)))],
        always: &[],
        eventually: PROMISES,
        finally: CHECKS,
        marks: &[mark::READ_WROTE_BACK, mark::RETRIED_ELSEWHERE],
        points: point::ALL,
        bugs: bugs::BUGS,
        sites: &[],
        site_list: &[],
    }
}

fn bells_ring(world: &World<Shop>, (): &()) -> Result<(), String> {
    let silent = |shop: &Shop| matches!(shop, Shop::Bell { heard: 0, .. });
    if world.actors().iter().any(silent) { Err("a bell was not heard".into()) } else { Ok(()) }
}

/// A write of unknown outcome may show at once, later or never, so that a read may see it or what was before.
fn reads_its_writes(world: &World<Shop>, (): &(), _: &Config) -> Result<Checked, String> {
    let mut possible: Vec<Option<u64>> = vec![None];
    let mut asked = None;
    for event in &world.history().events {
        match event {
            HistoryEvent::Invoked { what, .. } => asked = Some(*what),
            HistoryEvent::Completed { outcome, .. } => match (asked, outcome) {
                (Some(Call::Write(_, value)), Outcome::Ok(_)) => possible = vec![Some(value)],
                (Some(Call::Write(_, value)), Outcome::Unknown) => possible.push(Some(value)),
                (_, Outcome::Ok(Ret::Value(seen))) if !possible.contains(seen) => {
                    let detail = format!("it read {seen:?} where {possible:?} is possible");
                    return Ok(Checked::Broken("stale", detail));
                }
                (_, _) => {}
            },
        }
    }
    Ok(Checked::Held)
}

#[test]
fn an_embedded_register_works_beside_the_actors_of_the_outer_model() {
    let scenario = shop();
    let mut native = Native::new(&scenario);
    let mut marks = 0;
    for seed in 0..300 {
        let report = native.run(&scenario.expand(seed), Options::default());
        assert_eq!(report.verdict, Verdict::Pass, "seed {seed}");
        assert!(report.completed > 1 && report.evaluated.iter().all(|times| *times > 0));
        marks |= report.marks;
    }
    for mark in scenario.marks {
        assert!(marks & (1 << mark.index) != 0, "never `{}`", mark.name);
    }
}

#[test]
fn a_planted_bug_of_the_register_reaches_it_through_the_outer_model() {
    let scenario = shop();
    let mut native = Native::new(&scenario);
    let mut breaks = |seed: &u64| {
        let bugs = BugSet::only(&bugs::HALF_IS_A_MAJORITY);
        let plan = Plan { bugs, ..scenario.expand(*seed) };
        let verdict = native.run(&plan, Options::default()).verdict;
        matches!(verdict, Verdict::Broken(violation) if violation.check == READS_ITS_WRITES)
    };
    assert!((0..2_000).any(|seed| breaks(&seed)));
}
