//! The model on trial: sound without its bugs, and the same whatever the number of connections and the level of the log.

use std::collections::BTreeMap;

use seedbed_sim::actor::BugSet;
use seedbed_sim::campaign::testing::check;
use seedbed_sim::check::Scenario;
use seedbed_sim::engine::{Native, Options, Progress, Verdict};
use seedbed_sim::fault::Kind;
use seedbed_sim::nemesis::{Config, Noise, Plan, PlannedOp};
use seedbed_sim::time::Span;
use seedbed_sim::world::Topology;

use super::bugs;
use super::checks;
use super::indexer::Indexer;
use super::log::Severity;
use super::model::Stream;
use super::note::{Glimpse, Note};
use super::op::{Call, Key, Vb};
use super::scenario;
use super::server::Server;
use super::settings::Settings;

/// The plan of a seed without its trouble.
fn calm(scenario: &Scenario<Stream>, seed: u64) -> Plan<Stream> {
    let plan = scenario.expand(seed);
    Plan { faults: Vec::new(), noise: Noise::Lines(Vec::new()), ..plan }
}

fn set_knob(plan: &mut Plan<Stream>, name: &str, value: u64) {
    for (knob, set) in &mut plan.config.values {
        if *knob == name {
            *set = value;
        }
    }
}

#[test]
fn streams_keep_their_promises() {
    check(&scenario::repair(), 150);
}

#[test]
fn streams_of_which_nothing_breaks_keep_their_promises() {
    check(&scenario::calm(), 150);
}

#[test]
fn altered_bytes_harm_one_connection() {
    check(&scenario::wire(), 150);
}

/// The check that breaks in a run, if one does, and whether a bit has flipped before.
fn broken(scenario: &Scenario<Stream>, plan: &Plan<Stream>) -> Option<(&'static str, bool)> {
    let mut native = Native::new(scenario);
    let Verdict::Broken(violation) = native.run(plan, Options::default()).verdict else {
        return None;
    };
    Some((violation.check, native.simulation().world.seen(Kind::Flip) > 0))
}

/// A reader that loses its place does so on connections whose bytes are as they were sent, too.
#[test]
fn a_connection_is_judged_although_another_one_was_altered() {
    let scenario = scenario::wire();
    let misread = (0..200).any(|seed| {
        let bugs = BugSet::only(&bugs::GOES_ON_AFTER_SHORT_READ);
        let plan = Plan { bugs, ..scenario.expand(seed) };
        broken(&scenario, &plan) == Some((checks::SPLITS, true))
    });
    assert!(misread);
}

/// What is delivered of each vbucket and session, in order.
fn delivered(plan: &Plan<Stream>) -> BTreeMap<(Vb, u64), Vec<u64>> {
    let scenario = scenario::calm();
    let mut native = Native::new(&scenario);
    let simulation = native.prepare(plan, Options::default());
    let mut delivered: BTreeMap<(Vb, u64), Vec<u64>> = BTreeMap::new();
    loop {
        match simulation.advance(&scenario, plan) {
            Progress::Step => {
                for note in simulation.world.notes() {
                    if let Note::Seen(_, said, true) = note
                        && let Glimpse::Mutation(seq) = said.what
                    {
                        delivered.entry((said.vb, said.session)).or_default().push(seq);
                    }
                }
            }
            Progress::Between => {}
            Progress::Over => return delivered,
        }
    }
}

/// Each document is written once, so that nothing takes the place of anything.
#[test]
fn the_number_of_connections_changes_nothing_that_is_delivered() {
    let scenario = scenario::calm();
    for seed in 0..6 {
        let mut plan = calm(&scenario, seed);
        let vbs: Vec<Vb> = Settings::of(&plan.config).vbs().collect();
        plan.ops = (0..48_u8)
            .map(|number| {
                let vb = vbs[usize::from(number) % vbs.len()];
                let op = Call::Set(vb, Key(number), u16::from(number % 7));
                PlannedOp { client: 0, number: u32::from(number) + 1, op }
            })
            .collect();
        let of = |connections| {
            let mut plan = plan.clone();
            set_knob(&mut plan, "connections", connections);
            delivered(&plan)
        };
        let one = of(1);
        assert_eq!(one.values().map(Vec::len).sum::<usize>(), 48, "seed {seed}");
        for connections in [2, 3, 8] {
            assert_eq!(of(connections), one, "seed {seed}, {connections} connections");
        }
    }
}

/// Several times the longest patience passes without a mutation.
#[test]
fn idle_peers_that_are_well_are_not_given_up() {
    let scenario = scenario::calm();
    for seed in 0..20 {
        let mut plan = calm(&scenario, seed);
        let op = |number| PlannedOp { client: 1, number, op: Call::Stall(1) };
        plan.ops = vec![op(1), op(2), op(3)];
        plan.run.think = Settings::of(&plan.config).deadline.times(2);
        plan.run.horizon = Span::secs(60);
        let report = Native::new(&scenario).run(&plan, Options::default());
        assert_eq!(report.verdict, Verdict::Pass, "seed {seed}");
        assert!(report.virtual_time >= plan.run.think.times(2), "seed {seed}");
    }
}

fn logging(config: &Config) -> Topology<Stream> {
    with_server(config, Settings { log: Some(Severity::Trace), ..Settings::of(config) })
}

/// The usual actors, with a server of these settings.
fn with_server(config: &Config, settings: Settings) -> Topology<Stream> {
    let quiet = scenario::topology(config);
    let mut topology = Topology::default();
    let nodes = [
        topology.client("d"),
        topology.client("c"),
        topology.server("r"),
        topology.server("r"),
        topology.server("i"),
    ];
    for (node, role, actor) in quiet.actors() {
        let actor = match actor {
            Stream::Server(_) => Stream::Server(Server::new(settings, seedbed_sim::id::ActorId(5))),
            Stream::Router(router) => Stream::Router(router.logging(settings.log)),
            Stream::Indexer(indexer) => Stream::Indexer(indexer.logging(settings.log)),
            other => other.clone(),
        };
        topology.actor(nodes[usize::from(node.0)], role, actor);
    }
    topology
}

#[test]
fn the_level_of_the_log_changes_no_run() {
    let (quiet, loud) = (scenario::repair(), Scenario { topology: logging, ..scenario::repair() });
    let formatted = |native: &Native<'_, Stream>| -> u64 {
        let actors = native.simulation().world.actors().iter();
        actors
            .map(|actor| match actor {
                Stream::Server(server) => server.log().formatted,
                Stream::Router(router) => router.client.log.formatted,
                Stream::Indexer(indexer) => indexer.log.formatted,
                Stream::Data(_) | Stream::Admin(_) => 0,
            })
            .sum()
    };
    let mut said = 0;
    for seed in 0..20 {
        let plan = quiet.expand(seed);
        let (mut one, mut other) = (Native::new(&quiet), Native::new(&loud));
        let (one_report, other_report) =
            (one.run(&plan, Options::default()), other.run(&plan, Options::default()));
        assert_eq!(one_report.digest, other_report.digest, "seed {seed}");
        assert_eq!(formatted(&one), 0);
        said += formatted(&other);
    }
    assert!(said > 0);
}

/// What the application waits for is there: a world whose indexer has lost its routers is seen not to settle.
#[test]
fn an_indexer_that_nobody_answers_is_seen() {
    let topology = |config: &Config| {
        let quiet = scenario::topology(config);
        let mut topology = Topology::default();
        let nodes = [
            topology.client("d"),
            topology.client("c"),
            topology.server("r"),
            topology.server("r"),
            topology.server("i"),
        ];
        let nobody = seedbed_sim::id::ActorId(1);
        for (node, role, actor) in quiet.actors() {
            let actor = match actor {
                Stream::Indexer(_) => {
                    let settings = Settings::of(config);
                    let server = seedbed_sim::id::ActorId(4);
                    Stream::Indexer(Indexer::new(settings, [nobody; 2], server))
                }
                other => other.clone(),
            };
            topology.actor(nodes[usize::from(node.0)], role, actor);
        }
        topology
    };
    let scenario = Scenario { topology, ..scenario::repair() };
    let verdict = Native::new(&scenario).run(&calm(&scenario, 0), Options::default()).verdict;
    let Verdict::Broken(violation) = verdict else { panic!("{verdict:?}") };
    assert_eq!(violation.check, checks::BEGINS_AGAIN);
}
