//! The model on trial: each scenario over some seeds without and with bugs, and checks that are seen to fail.

use seedbed_sim::actor::Bug;
use seedbed_sim::campaign::testing::{check, finds};
use seedbed_sim::check::Scenario;
use seedbed_sim::engine::{Native, Options, Verdict};
use seedbed_sim::id::ActorId;
use seedbed_sim::time::Span;

use super::client::Client;
use super::model::Mvcc;
use super::settings::Settings;
use super::{bugs, checks, replica, scenario, workflow};

/// Else a finding would be a seed file that nobody can read.
#[test]
fn no_client_is_planned_to_do_what_it_cannot_be_asked_for() {
    let single = [scenario::single(), scenario::restart(), scenario::restart_under_compaction()];
    let group = [replica::scenario::replicas(), replica::scenario::install()];
    let group =
        group.into_iter().chain([replica::scenario::defragment(), replica::scenario::leases()]);
    let library = [workflow::scenario::workflow(), workflow::scenario::snapshot()];
    for scenario in single.into_iter().chain([scenario::watch()]).chain(group).chain(library) {
        for seed in 0..30 {
            let plan = scenario.expand(seed);
            let topology = (scenario.topology)(&plan.config);
            let asked = plan.ops.iter().map(|planned| (planned.client, &planned.op));
            let at_the_end = (scenario.read_back)(&plan.config);
            for (client, op) in asked.chain(at_the_end.iter().map(|(client, op)| (*client, op))) {
                assert_eq!(
                    topology.takes(client, op),
                    Ok(()),
                    "{} {seed}: {client}",
                    scenario.name
                );
            }
        }
    }
}

#[test]
fn a_single_node_keeps_its_promises() {
    check(&scenario::single(), 150);
}

#[test]
fn a_node_that_restarts_keeps_its_promises() {
    check(&scenario::restart(), 150);
}

#[test]
fn a_node_that_restarts_under_compaction_keeps_its_promises() {
    check(&scenario::restart_under_compaction(), 150);
}

/// The rarer bugs are left to campaigns.
#[test]
fn common_bugs_are_found_within_a_hundred_runs() {
    let (single, restart) = (scenario::single(), scenario::restart());
    let under_compaction = scenario::restart_under_compaction();
    let table: [(&Scenario<Mvcc>, &'static Bug); 9] = [
        (&single, &bugs::COMPACTION_OUTLIVES_CLOSE),
        (&restart, &bugs::COMMIT_INSIDE_TRANSACTION),
        (&restart, &bugs::COMPACTION_NOT_DURABLE),
        (&restart, &bugs::RESTORE_LOSES_CREATED),
        (&under_compaction, &bugs::RESUME_READS_FINISHED),
        (&under_compaction, &bugs::LEADING_TOMBSTONE_IGNORED),
        (&single, &bugs::READ_REFUSED_AT_COMPACTED),
        (&single, &bugs::BATCH_INTERVAL_IGNORED),
        (&single, &bugs::WRITE_REPEATED),
    ];
    for (scenario, bug) in table {
        finds(scenario, bug, 100);
    }
}

/// Settings under which nothing happens by itself.
fn lazy() -> Settings {
    let hour = Span::secs(3_600);
    Settings {
        batch_limit: usize::MAX,
        batch_interval: hour,
        compaction_batch: 1,
        compaction_pause: hour,
        restore_chunk: 2,
        page_size: 64,
    }
}

fn breaks(scenario: &Scenario<Mvcc>, promise: &str) {
    let mut native = Native::new(scenario);
    let broken = (0..20).any(|seed| {
        let verdict = native.run(&scenario.expand(seed), Options::default()).verdict;
        matches!(verdict, Verdict::Broken(broken) if broken.check == promise)
    });
    assert!(broken, "`{promise}` does not break");
}

#[test]
fn a_batch_timer_that_never_comes_due_is_seen() {
    let topology = |_: &_| scenario::nodes(&lazy(), 3);
    let scenario = Scenario { topology, ..scenario::single() };
    breaks(&scenario, checks::ALL_BECOMES_DURABLE);
}

#[test]
fn a_compaction_that_never_goes_on_is_seen() {
    let topology = |config: &_| {
        let compaction_pause = lazy().compaction_pause;
        scenario::nodes(&Settings { compaction_pause, ..Settings::of(config) }, 3)
    };
    let scenario = Scenario { topology, ..scenario::single() };
    breaks(&scenario, checks::COMPACTION_ENDS);
}

/// The store is open and nothing is left to do, but the clients ask somebody who never answers.
#[test]
fn a_store_that_answers_nobody_is_seen() {
    const COMMITTER: ActorId = ActorId(1);
    let topology = |config: &_| {
        let mut topology = scenario::nodes(&Settings::of(config), 0);
        for _ in 0..3 {
            let node = topology.client("c");
            topology.actor(node, "client", Mvcc::Client(Client::new(COMMITTER)));
        }
        topology
    };
    let scenario = Scenario { topology, ..scenario::single() };
    breaks(&scenario, checks::READ_BACK);
}
