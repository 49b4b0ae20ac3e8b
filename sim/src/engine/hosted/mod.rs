//! Code that is written against madsim's own API, under our plans, history, checks and reports.
//!
//! ```text
//!   plan ──▶ world: clients' operations, faults, history, checks, digest
//!              │ invoke            ▲ completed          │ crash, kill, stop, pause, cut
//!              ▼                   │                    ▼
//!            task of a client on madsim ◀──network──▶ servers on madsim: any async code
//! ```
//!
//! The world knows clients and nodes; what happens between them is madsim's. So operations, faults and the pauses of clients
//! are decided by plan and key as always, while latencies, losses and schedules come from madsim's one stream of random
//! numbers: taking a line away re-rolls them. Reading order: [`System`], [`Hosted`], [`run`], `director.rs`, `mirror.rs`.

mod director;
mod mirror;

use super::madsim::caught;
use super::{Options, Report, Simulation};
use crate::actor::{Actor, BugSet, Context, Event, Label, Never, Outcome, Payload};
use crate::check::Scenario;
use crate::fault::{Kind, KindSet};
use crate::id::{Incarnation, NodeId, OpId};
use crate::nemesis::{Config, Plan};
use director::Director;
use madsim::runtime::Runtime;
use std::fmt;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

/// Code that is written against madsim's own API: what its servers do, and how a client asks.
pub trait System: Sized + 'static {
    /// What a client can be asked to do, in the words of the seed file.
    type Op: Payload + Eq + FromStr<Err = String>;
    /// What an operation answers.
    type Ret: Payload + Eq;

    /// One life of a server: the first task of its node, at the start and after each restart. What it spawns dies with it.
    fn serve(place: Place) -> impl Future<Output = ()> + Send;

    /// One operation of a client, as a task of its node; its number is unique at that node. Clients never die; this has to
    /// come to an end, if need be with [`Outcome::Unknown`].
    fn operate(
        place: Place,
        number: u32,
        op: Self::Op,
    ) -> impl Future<Output = Outcome<Self::Ret>> + Send;

    /// Latencies and losses of madsim's network.
    #[must_use]
    fn network(_config: &Config) -> ::madsim::Config {
        ::madsim::Config::default()
    }

    /// Simpler operations that may do instead of this one, the simplest first: shrinking tries them.
    #[must_use]
    fn simpler(_op: &Self::Op) -> Vec<Self::Op> {
        Vec::new()
    }
}

/// Where a task runs.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its node, in the order of the topology.
    pub node: NodeId,
    /// Which life of it, from 1.
    pub life: Incarnation,
    /// The servers, in order.
    pub servers: Arc<[NodeId]>,
    /// The knobs of the plan.
    pub config: Config,
    /// The planted bugs that are on.
    pub bugs: BugSet,
}

/// The address of a node on madsim's network.
#[must_use]
pub fn address(node: NodeId) -> IpAddr {
    let [high, low] = (node.0 + 1).to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(10, 0, high, low))
}

/// The kinds of trouble that a budget may allow where code is hosted; the rest happens inside of what is madsim's here.
pub const KINDS: KindSet = KindSet::of(&[
    Kind::Crash,
    Kind::Kill,
    Kind::Stop,
    Kind::Pause,
    Kind::Cut,
    Kind::CutOneWay,
    Kind::Think,
]);

/// What stands in the world for a node of hosted code.
pub enum Hosted<S: System> {
    /// A server: it is up or down, and that is all that the world knows.
    Server(PhantomData<fn() -> S>),
    /// A client, with the operation under way.
    Client(Option<(OpId, S::Op)>),
}

impl<S: System> Hosted<S> {
    /// A server.
    #[must_use]
    pub const fn server() -> Hosted<S> {
        Hosted::Server(PhantomData)
    }

    /// A client that is asked nothing yet.
    #[must_use]
    pub const fn client() -> Hosted<S> {
        Hosted::Client(None)
    }
}

impl<S: System> Clone for Hosted<S> {
    fn clone(&self) -> Hosted<S> {
        match self {
            Hosted::Server(_) => Hosted::server(),
            Hosted::Client(under_way) => Hosted::Client(under_way.clone()),
        }
    }
}

impl<S: System> fmt::Debug for Hosted<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hosted::Server(_) => f.write_str("server"),
            Hosted::Client(under_way) => f.debug_tuple("client").field(under_way).finish(),
        }
    }
}

/// What a task of a client tells the world: the operation of this number has come to its end.
pub struct Done<S: System>(pub u32, pub Outcome<S::Ret>);

impl<S: System> Clone for Done<S> {
    fn clone(&self) -> Done<S> {
        Done(self.0, self.1.clone())
    }
}

impl<S: System> Hash for Done<S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0, &self.1).hash(state);
    }
}

impl<S: System> fmt::Debug for Done<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Done").field(&self.0).field(&self.1).finish()
    }
}

impl<S: System> fmt::Display for Done<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "done#{}", self.0)
    }
}

impl<S: System> Label for Done<S> {
    const KINDS: &'static [&'static str] = &["done"];
    fn kind(&self) -> u16 {
        0
    }
    fn subject(&self) -> u64 {
        u64::from(self.0)
    }
}

impl<S: System> Actor for Hosted<S> {
    type Msg = Done<S>;
    type Timer = Never;
    type Phase = Never;
    type Lock = Never;
    type Op = S::Op;
    type Ret = S::Ret;
    type Note = Never;
    type Shared = ();
    type Ghost = ();

    fn on_event(&mut self, event: Event<Self>, cx: &mut Context<'_, Self>) {
        match (self, event) {
            (Hosted::Client(under_way), Event::Invoke { op, what }) => {
                *under_way = Some((op, what));
            }
            (Hosted::Client(under_way), Event::Message { msg: Done(number, outcome), .. }) => {
                let (op, _) = under_way.take().expect("an operation is under way");
                assert_eq!(op.number, number, "one operation is under way at a client");
                cx.complete(op, outcome);
            }
            (_, Event::Stop) => cx.stopped(),
            _ => {}
        }
    }

    fn simpler(op: &S::Op) -> Vec<S::Op> {
        S::simpler(op)
    }
}

/// Runs a plan to its end. A panic of the code or of the testbed becomes a broken promise of class *panic*.
///
/// madsim keeps state by thread: each run needs a thread of its own.
///
/// # Panics
/// If the budget allows kinds of trouble beyond [`KINDS`]: a defect of the scenario.
#[must_use]
pub fn run<S: System>(
    scenario: &Scenario<Hosted<S>>,
    plan: &Plan<Hosted<S>>,
    options: Options,
) -> Report {
    let simulation = Arc::new(Mutex::new(Simulation::default()));
    caught(&simulation, || {
        let beyond = (scenario.budget)(&plan.config).kinds.minus(KINDS);
        assert!(beyond == KindSet::NONE, "hosted code meets no {beyond:?}");
        let topology = (scenario.topology)(&plan.config);
        let mut world = simulation.lock().unwrap_or_else(PoisonError::into_inner);
        world.prepare(scenario, &topology, plan, options);
        drop(world);
        let runtime = Runtime::with_seed_and_config(plan.seed, S::network(&plan.config));
        let director = Director::new(scenario, plan, simulation.clone());
        runtime.block_on(director.direct(&topology, options))
    })
}
