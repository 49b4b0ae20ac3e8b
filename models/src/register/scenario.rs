//! The scenarios: who is there, what clients do, and what must be survived.

use super::{Call, Client, Coordinator, Key, Register, Replica, bugs, checks, mark, point};
use seedbed_sim::actor::Mark;
use seedbed_sim::check::Scenario;
use seedbed_sim::choose::Draw;
use seedbed_sim::fault::{Kind, KindSet};
use seedbed_sim::id::ActorId;
use seedbed_sim::nemesis::{Budget, Config, Knob, PlannedOp, Run};
use seedbed_sim::world::Topology;

const REPLICAS: Knob =
    Knob { name: "replicas", min: 3, max: 5, simplest: 3, about: "nodes, each with a replica" };
const CLIENTS: Knob = Knob { name: "clients", min: 2, max: 4, simplest: 2, about: "clients" };
const KEYS: Knob = Knob { name: "keys", min: 1, max: 3, simplest: 1, about: "keys in use" };
const SECTOR: Knob =
    Knob { name: "sector", min: 16, max: 64, simplest: 64, about: "bytes of a disk sector" };

/// How many operations: few are quick and leave little to explain, many let things pile up.
const OPS: [u32; 6] = [10, 15, 20, 30, 45, 60];

/// The network and whole nodes are in trouble; disks work, and lose in a crash all that was not synced.
#[must_use]
pub const fn majority() -> Scenario<Register> {
    Scenario {
        name: "register/majority",
        about: "a register over a majority: lost, late and repeated messages, cuts, nodes that die and come back",
        knobs: &[REPLICAS, CLIENTS, KEYS],
        budget: |config| budget(config, NETWORK.and(DEATHS)),
        marks: &[
            mark::READ_WROTE_BACK,
            mark::RETRIED_ELSEWHERE,
            mark::STALE_REFUSED,
            mark::OLDER_STORED,
            mark::GIVEN_UP,
        ],
        ..BASE
    }
}

/// Disks are in trouble, and the power fails at any time.
#[must_use]
pub const fn durable() -> Scenario<Register> {
    Scenario {
        name: "register/durable",
        about: "a register over a majority: torn writes, failing and silent disks, power losses, late messages",
        knobs: &[REPLICAS, CLIENTS, KEYS, SECTOR],
        tune: |config, run| {
            run.sector = u32::try_from(config.get("sector")).expect("a small number");
        },
        budget: |config| budget(config, DEATHS.and(DISKS).and(MESSAGES)),
        marks: &[mark::READ_WROTE_BACK, mark::TORN_RECORD, mark::OLDER_STORED],
        ..BASE
    }
}

const BASE: Scenario<Register> = Scenario {
    name: "",
    about: "",
    knobs: &[],
    tune: |_: &Config, _: &mut Run| {},
    budget: |config| budget(config, KindSet::NONE),
    topology,
    workload,
    read_back,
    always: checks::ALWAYS,
    eventually: checks::EVENTUALLY,
    finally: checks::FINALLY,
    marks: &[] as &[Mark],
    points: point::ALL,
    bugs: bugs::BUGS,
    sites: &[],
    site_list: &[],
};

/// What happens to single messages, and the order of what is due at once.
const MESSAGES: KindSet = KindSet::of(&[
    Kind::Drop,
    Kind::Duplicate,
    Kind::Reorder,
    Kind::Corrupt,
    Kind::Delay,
    Kind::Schedule,
    Kind::Tie,
    Kind::Think,
]);

/// What happens to links and messages.
const NETWORK: KindSet =
    MESSAGES.and(KindSet::of(&[Kind::Cut, Kind::CutOneWay, Kind::Clog, Kind::SlowLink]));

/// What happens to nodes.
const DEATHS: KindSet =
    KindSet::of(&[Kind::Crash, Kind::Kill, Kind::Stop, Kind::Pause, Kind::SlowNode, Kind::Drift]);

/// What happens to disks. Not among it is what a majority cannot make good in a replica that must never forget: rotten and
/// misdirected bytes, and the loss of a disk.
const DISKS: KindSet = KindSet::of(&[
    Kind::DiskFull,
    Kind::ReadErrors,
    Kind::WriteErrors,
    Kind::SyncErrors,
    Kind::DiskSlow,
    Kind::DiskHang,
    Kind::RequestError,
    Kind::RequestSlow,
    Kind::RequestHang,
    Kind::ShortWrite,
    Kind::Kept,
]);

/// A minority may be away at once.
fn budget(config: &Config, kinds: KindSet) -> Budget {
    let minority = (config.get("replicas") - 1) / 2;
    let down_max = u32::try_from(minority).expect("a small number");
    Budget { kinds, down_max, fragile_max: 0, faults_max: 20 }
}

/// Nodes n0, n1, ... with a replica and a coordinator each, and clients c0, c1, ... who know all coordinators.
fn topology(config: &Config) -> Topology<Register> {
    let replicas = u16::try_from(config.get("replicas")).expect("a small number");
    // Actors are numbered in the order in which they are added: two a node.
    let replica_ids: Vec<ActorId> = (0..replicas).map(|i| ActorId(2 * i)).collect();
    let coordinator_ids: Vec<ActorId> = (0..replicas).map(|i| ActorId(2 * i + 1)).collect();
    let mut topology = Topology::default();
    for i in 0..usize::from(replicas) {
        let node = topology.server("n");
        let replica = topology.actor(node, "replica", Register::Replica(Replica::default()));
        let coordinator = Register::Coordinator(Coordinator::new(replica_ids.clone()));
        let coordinator = topology.actor(node, "front", coordinator);
        assert_eq!((replica, coordinator), (replica_ids[i], coordinator_ids[i]));
    }
    for _ in 0..config.get("clients") {
        let node = topology.client("c");
        let client = Client::new(coordinator_ids.clone());
        topology.actor(node, "client", Register::Client(client));
    }
    topology
}

/// Reads and writes in equal parts, of keys at random, by clients at random. An operation's number is the value that it
/// writes, so that no value is written twice.
fn workload(config: &Config, draw: &mut Draw) -> Vec<PlannedOp<Call>> {
    let last = *draw.pick(&OPS);
    let mut ops: Vec<PlannedOp<Call>> = (1..=last)
        .map(|number| {
            let client = u16::try_from(draw.below(config.get("clients"))).expect("a small number");
            let key = Key(u8::try_from(draw.below(config.get("keys"))).expect("a small number"));
            let writes = draw.chance(1, 2);
            let op = if writes { Call::Write(key, number.into()) } else { Call::Read(key) };
            PlannedOp { client, number, op }
        })
        .collect();
    ops.sort_by_key(|op| (op.client, op.number));
    ops
}

/// The judge reads every key.
pub(super) fn read_back(config: &Config) -> Vec<(u16, Call)> {
    let keys = u8::try_from(config.get("keys")).expect("a small number");
    (0..keys).map(|key| (0, Call::Read(Key(key)))).collect()
}
