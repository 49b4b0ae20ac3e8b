//! What Seedbed has to know of the counter: what clients can be asked, what may go wrong, and what is promised.

use crate::counter::{self, PORT};
use seedbed_sim::actor::{Bug, HistoryEvent, Outcome};
use seedbed_sim::check::{Checked, Decided, Finally, Scenario};
use seedbed_sim::choose::Draw;
use seedbed_sim::engine::hosted::{Hosted, Place, System, address};
use seedbed_sim::fault::{Kind, KindSet};
use seedbed_sim::judge::linear::{self, Operation, Sequential, Verdict};
use seedbed_sim::nemesis::{Budget, Config, Knob, PlannedOp};
use seedbed_sim::world::{Topology, World};
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

// ANCHOR: words
/// The one thing that a client can be asked: `take`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Take;

impl fmt::Display for Take {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("take")
    }
}

impl FromStr for Take {
    type Err = String;
    fn from_str(text: &str) -> Result<Take, String> {
        if text == "take" { Ok(Take) } else { Err(format!("expected `take`, found `{text}`")) }
    }
}
// ANCHOR_END: words

// ANCHOR: system
/// The counter as Seedbed sees it.
pub(crate) enum CounterSystem {}

impl System for CounterSystem {
    type Op = Take;
    type Ret = u64;

    async fn serve(place: Place) {
        counter::serve(place.bugs).await.expect("the network and the disk of madsim work");
    }

    async fn operate(place: Place, number: u32, Take: Take) -> Outcome<u64> {
        let server = SocketAddr::new(address(place.servers[0]), PORT);
        let taken = counter::take(server, u64::from(place.node.0), u64::from(number)).await;
        match taken.expect("the network of madsim works") {
            Some(number) => Outcome::Ok(number),
            None => Outcome::Unknown,
        }
    }

    #[expect(clippy::float_arithmetic, reason = "madsim wants a rate; the plan has a whole number")]
    fn network(config: &Config) -> madsim::Config {
        let mut network = madsim::Config::default();
        let loss = i32::try_from(config.get("loss")).expect("a small number");
        network.net.packet_loss_rate = f64::from(loss) / 100.0;
        network
    }
}
// ANCHOR_END: system

// ANCHOR: scenario
/// Two or three clients and a server that dies, stands still and is cut off.
pub(crate) const fn scenario() -> Scenario<Hosted<CounterSystem>> {
    Scenario {
        name: "async/counter",
        about: "a counter service in async code: lost messages, cuts, a server that dies or stands still",
        knobs: &[CLIENTS, LOSS],
        tune: |_, _| {},
        budget: |_| Budget { kinds: TROUBLE, down_max: 1, fragile_max: 0, faults_max: 6 },
        topology,
        workload,
        read_back: |_| vec![(0, Take)],
        always: &[],
        eventually: &[],
        finally: &[
            Finally { name: ONCE, check: each_number_once },
            Finally { name: ANSWERS, check: answers_again },
        ],
        marks: &[],
        points: &[],
        bugs: &[APPLIED_TWICE, ANSWERS_FORGOTTEN],
        sites: &[],
        site_list: &[],
    }
}

const CLIENTS: Knob = Knob { name: "clients", min: 2, max: 3, simplest: 2, about: "clients" };
const LOSS: Knob = Knob {
    name: "loss",
    min: 0,
    max: 20,
    simplest: 0,
    about: "percent of the messages that are lost",
};
const TROUBLE: KindSet =
    KindSet::of(&[Kind::Crash, Kind::Kill, Kind::Pause, Kind::Cut, Kind::CutOneWay, Kind::Think]);

fn topology(config: &Config) -> Topology<Hosted<CounterSystem>> {
    let mut topology = Topology::default();
    let node = topology.server("n");
    topology.actor(node, "server", Hosted::server());
    for _ in 0..config.get("clients") {
        let node = topology.client("c");
        topology.actor(node, "client", Hosted::client());
    }
    topology
}

fn workload(config: &Config, draw: &mut Draw) -> Vec<PlannedOp<Take>> {
    let clients = config.get("clients");
    let mut client = || u16::try_from(draw.below(clients)).expect("few clients");
    (1..=20).map(|number| PlannedOp { client: client(), number, op: Take }).collect()
}
// ANCHOR_END: scenario

// ANCHOR: checks
pub(crate) const ONCE: &str = "every number is given out once, and in order";
pub(crate) const ANSWERS: &str = "the service answers once the trouble is over";

/// A counter in one line.
struct Counting;

impl Sequential for Counting {
    type Key = ();
    type Op = ();
    type Ret = u64;
    type State = u64;

    fn key(&self, (): &()) {}

    fn initial(&self, (): &()) -> u64 {
        0
    }

    fn step(&self, last: &u64, (): &(), taken: Option<&u64>) -> Option<u64> {
        taken.is_none_or(|taken| *taken == last + 1).then_some(last + 1)
    }
}

fn each_number_once(world: &World<Hosted<CounterSystem>>, (): &(), _: &Config) -> Decided {
    let (mut history, mut index) = (Vec::new(), BTreeMap::new());
    for (event, at) in world.history().events.iter().zip(0_u64..) {
        match event {
            HistoryEvent::Invoked { process, op, .. } => {
                index.insert(*op, history.len());
                let process = u64::from(*process);
                history.push(Operation { process, op: (), invoked: at, returned: None });
            }
            HistoryEvent::Completed { op, outcome: Outcome::Ok(taken), .. } => {
                history[index[op]].returned = Some((at, *taken));
            }
            HistoryEvent::Completed { .. } => {}
        }
    }
    match linear::check(&Counting, &history, 1_000_000) {
        Verdict::Linearizable => Ok(Checked::Held),
        Verdict::NotLinearizable(_) => {
            let taken = history.iter().filter_map(|op| Some(op.returned?.1.to_string()));
            let detail = format!("no order explains {}", taken.collect::<Vec<_>>().join(" "));
            Ok(Checked::Broken("not linearizable", detail))
        }
        Verdict::Inconclusive { steps } => Err(format!("the judge gave up after {steps} steps")),
    }
}

/// The judge's own question is the last of all.
fn answers_again(world: &World<Hosted<CounterSystem>>, (): &(), _: &Config) -> Decided {
    Ok(match world.history().events.last() {
        Some(HistoryEvent::Completed { outcome: Outcome::Ok(_), .. }) => Checked::Held,
        _ => Checked::Broken("silent", "the judge was not answered".into()),
    })
}
// ANCHOR_END: checks

// ANCHOR: bugs
/// A request that comes again is served again.
pub(crate) const APPLIED_TWICE: Bug = Bug {
    index: 0,
    name: "retry-applied-twice",
    source: "etcd-io/jetcd issue 1444 (2025); Jepsen, jetcd 0.8.2 (2024): retried puts that had taken effect",
    breaks: ONCE,
    scenario: "async/counter",
};

/// What clients were told is not kept on disk, so a request that comes again after a restart is served again.
pub(crate) const ANSWERS_FORGOTTEN: Bug = Bug {
    index: 1,
    name: "answers-forgotten",
    source: "Ongaro, Consensus: Bridging Theory and Practice (2014), section 6.3: what clients were told is part of the state \
             that survives, or a command is executed twice",
    breaks: ONCE,
    scenario: "async/counter",
};
// ANCHOR_END: bugs
