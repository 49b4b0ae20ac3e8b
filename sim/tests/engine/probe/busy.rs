//! A scenario in which probes use everything that the engine offers, under every kind of trouble.
//!
//! Each server node has a front, which clients ask, and two probes beside it; they share a lock. The front of each node keeps
//! a file, and a connection to the next one.

use super::Do::{
    Answer, Append, Arm, Connect, Count, Create, Disarm, FailStop, Finish, Mark, Open, Pick, Point,
    Queue, Read, Release, Send, Stopped, Sync, SyncDir, Want, Write, Yield,
};
use super::{Ask, EDGE, PICK, POINTS, Probe, RARE, RIM, Rule, SAME, about, word};
use seedbed_sim::actor::Outcome;
use seedbed_sim::check::{Always, Checked, Eventually, Finally, ModelSite, Scenario};
use seedbed_sim::choose::Odds;
use seedbed_sim::fault::{Kind, KindSet};
use seedbed_sim::id::NodeId;
use seedbed_sim::nemesis::{Budget, Config, Knob, PlannedOp};
use seedbed_sim::time::Span;
use seedbed_sim::world::Topology;

/// How many clients there are.
pub(crate) const CLIENTS: u16 = 2;

/// A scenario of probes without anything but these nodes.
pub(crate) const fn bare(
    name: &'static str,
    topology: fn(&Config) -> Topology<Probe>,
) -> Scenario<Probe> {
    Scenario {
        name,
        about: "a test of the engine",
        knobs: &[],
        tune: |_, _| {},
        budget: |_| Budget { kinds: KindSet::NONE, down_max: 0, fragile_max: 0, faults_max: 0 },
        topology,
        workload: |_, _| Vec::new(),
        read_back: |_| Vec::new(),
        always: &[],
        eventually: &[],
        finally: &[],
        marks: &[RARE],
        points: POINTS,
        bugs: &[],
        sites: &[],
        site_list: &[&PICK],
    }
}

/// Everything at once.
pub(crate) static BUSY: Scenario<Probe> = Scenario {
    knobs: &[Knob { name: "servers", min: 2, max: 5, simplest: 2, about: "server nodes" }],
    budget: |config| Budget {
        kinds: all_kinds(),
        down_max: u32::try_from(config.get("servers") - 1).expect("few servers") / 2 + 1,
        fragile_max: 1,
        faults_max: 10,
    },
    workload: |_, draw| {
        let ops = (0..CLIENTS).flat_map(|client| (1..=4).map(move |number| (client, number)));
        ops.map(|(client, number)| PlannedOp { client, number, op: Ask(draw.below(9)) }).collect()
    },
    read_back: |_| (0..CLIENTS).map(|client| (client, Ask(99))).collect(),
    always: &[Always {
        name: "a step that an actor makes has notes",
        check: |world, notes, step| {
            *notes += world.notes().len() as u64;
            match step.actor {
                None => Checked::Skipped,
                Some(_) if world.notes().is_empty() => {
                    Checked::Broken("no note", step.id.0.to_string())
                }
                Some(_) => Checked::Held,
            }
        },
    }],
    eventually: &[Eventually {
        name: "every server runs again",
        check: |world, _| {
            let down = (0..).map(NodeId).take(world.actors().len() / 3).find(|n| !world.is_up(*n));
            down.map_or(Ok(()), |node| Err(format!("node {} is down", node.0)))
        },
        bound: |_| Span::secs(1),
    }],
    finally: &[Finally {
        name: "every probe has said something",
        check: |world, notes, _| {
            let said = *notes >= world.actors().len() as u64;
            Ok(if said { Checked::Held } else { Checked::Broken("silence", notes.to_string()) })
        },
    }],
    sites: &[ModelSite { site: &PICK, odds: Odds::new(&[2, 1, 1]) }],
    ..bare("probe/busy", topology)
};

/// The same, but for fronts that end themselves when a disk fails in their first or third life.
pub(crate) static FAILING: Scenario<Probe> = Scenario {
    name: "probe/failing",
    topology: |config| {
        world(config, |next, beside| {
            let mut rules = front(next, beside);
            rules.extend([("i/o error in 1", vec![FailStop]), ("i/o error in 3", vec![FailStop])]);
            rules
        })
    },
    ..BUSY
};

fn all_kinds() -> KindSet {
    Kind::CATALOGUE.iter().fold(KindSet::NONE, |kinds, (kind, ..)| kinds.with(*kind))
}

fn topology(config: &Config) -> Topology<Probe> {
    world(config, front)
}

fn world(config: &Config, front: fn(u16, u16) -> Vec<Rule>) -> Topology<Probe> {
    let servers = u16::try_from(config.get("servers")).expect("few servers");
    let mut topology = Topology::default();
    for server in 0..servers {
        let node = topology.server("n");
        let next = (server + 1) % servers * 3;
        topology.actor(node, "", Probe::new(front(next, server * 3 + 1)));
        topology.actor(node, "b", Probe::new(beside()));
        topology.actor(node, "c", Probe::new(beside()));
    }
    for _ in 0..CLIENTS {
        let node = topology.client("c");
        topology.actor(node, "", Probe::new(client(servers)));
    }
    topology
}

fn front(next: u16, beside: u16) -> Vec<Rule> {
    let (table, work, tick) = (word("table"), word("d"), word("tick"));
    let lost = || vec![Arm(word("retry"), Span::ms(5))];
    let failed = || vec![Answer(word("e")), Release(table)];
    vec![
        ("boot", vec![Open("log"), Connect(next), Arm(tick, Span::ms(7)), Count]),
        ("not found", vec![Create("log"), Answer(word("e")), Release(table)]),
        ("put", vec![Queue, Want(table), Send(beside + 1, about("copy", 3))]),
        ("locked table", vec![Point(&EDGE), Append(40), Pick, Yield(work)]),
        ("phase d", vec![Send(beside, about("copy", 1)), Send(beside + 1, about("copy", 2))]),
        ("written", vec![Point(&EDGE), Sync, Mark]),
        ("done", vec![Answer(word("ack")), Point(&RIM), Release(table), Write(24)]),
        ("i/o error", failed()),
        ("disk full", failed()),
        ("timer tick", vec![Arm(tick, Span::ms(7)), Send(next, word("c")), SyncDir]),
        ("readable", vec![Read]),
        ("closed", lost()),
        ("reset", lost()),
        ("refused", lost()),
        ("timer retry", vec![Connect(next)]),
        ("stop", vec![Stopped]),
    ]
}

fn beside() -> Vec<Rule> {
    let (table, work) = (word("table"), word("d"));
    vec![
        ("copy", vec![Want(table)]),
        ("locked table", vec![Count, Yield(work)]),
        ("phase d", vec![Point(&RIM), Release(table)]),
        ("stop", vec![Stopped]),
    ]
}

fn client(servers: u16) -> Vec<Rule> {
    let (put, retry, tick) = (about("put", SAME), about("retry", SAME), about("tick", SAME));
    let second = (servers - 1) * 3;
    vec![
        ("invoke", vec![Send(0, put), Arm(retry, Span::ms(15)), Arm(tick, Span::ms(60))]),
        ("timer retry", vec![Send(second, put), Arm(retry, Span::ms(15))]),
        ("timer tick", vec![Disarm(retry), Finish(Outcome::Unknown)]),
        ("ack", vec![Disarm(retry), Disarm(tick), Finish(Outcome::Ok(1))]),
    ]
}
