//! Classes of files: a plan gives up some of them, and the files of the others are never damaged.

use crate::probe::Do::{Append, Arm, Complete, Create, Load, Open, Sync, SyncDir};
use crate::probe::busy::bare;
use crate::probe::{Ask, Probe, Rule, word};
use seedbed_sim::actor::Outcome;
use seedbed_sim::check::Scenario;
use seedbed_sim::choose::Odds;
use seedbed_sim::disk::{ClassSet, DISK};
use seedbed_sim::engine::{Native, Options};
use seedbed_sim::fault::{FaultLine, Kind, KindSet, NodeSet};
use seedbed_sim::id::{FileName, NodeId};
use seedbed_sim::nemesis::{Budget, PlannedOp};
use seedbed_sim::time::Span;
use seedbed_sim::world::Topology;
use std::collections::BTreeMap;

/// The files of each server, and the number of their class: one has none.
const FILES: [(&str, Option<usize>); 3] = [("log-0", Some(0)), ("snap", Some(1)), ("misc", None)];

/// Two servers with three files each, which have two classes; and a client that is at work for a while.
static KEEPERS: Scenario<Probe> = Scenario {
    budget: |_| Budget {
        kinds: KindSet::of(&[Kind::Rot, Kind::Misdirect, Kind::Wipe, Kind::Crash]),
        down_max: 1,
        fragile_max: 2,
        faults_max: 4,
    },
    workload: |_, _| (1..=5).map(|number| PlannedOp { client: 0, number, op: Ask(1) }).collect(),
    ..bare("probe/keepers", |_| {
        let mut topology = Topology::default();
        // ANCHOR: classes
        topology.files("log", FileName::new("log"));
        topology.files("snapshots", FileName::new("snap"));
        // ANCHOR_END: classes
        for _ in 0..2 {
            let node = topology.server("n");
            for (name, _) in FILES {
                topology.actor(node, name, Probe::new(keeper(name)));
            }
        }
        let client = topology.client("c");
        let (retry, done) = (word("retry"), Complete(Outcome::Ok(1)));
        let waits = vec![("invoke", vec![Arm(retry, Span::ms(20))]), ("timer retry", vec![done])];
        topology.actor(client, "", Probe::new(waits));
        topology
    })
};

fn keeper(name: &'static str) -> Vec<Rule> {
    let again = || Arm(word("tick"), Span::ms(3));
    vec![
        ("boot", vec![Open(name)]),
        ("not found", vec![Create(name)]),
        ("opened", vec![SyncDir, Append(100), Sync, again()]),
        ("timer tick", vec![Append(100), Sync, Load, again()]),
    ]
}

/// The file that a line of a trace says is damaged.
fn damaged(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace().skip_while(|word| *word != "+").skip(1);
    let file = words.next()?;
    words.any(|word| word == "flipped" || word == "misdirected").then_some(file)
}

#[test]
fn a_file_of_a_class_that_is_not_given_up_is_never_damaged() {
    let mut native = Native::new(&KEEPERS);
    let (mut struck, mut sets, mut wipes) = (BTreeMap::new(), [0; 4], 0);
    for seed in 0..300 {
        let mut plan = KEEPERS.expand(seed);
        let some = plan.run.fragile_files;
        sets[usize::try_from(some.0).expect("two classes")] += 1;
        // As much damage as can be.
        plan.odds.retain(|(site, _)| *site != DISK.id);
        plan.odds.push((DISK.id, Odds::new(&[8, 0, 0, 0, 0, 0, 0, 0, 1, 1])));
        let report = native.run(&plan, Options { trace: Some(usize::MAX), ..Options::default() });
        let class = |file: &str| FILES.iter().find(|(name, _)| *name == file).expect("a file").1;
        for file in report.trace.iter().filter_map(|line| damaged(line)) {
            assert!(class(file).is_some_and(|class| some.has(class)), "seed {seed}: {file}");
            *struck.entry(file.to_string()).or_insert(0) += 1;
        }
        let world = &native.simulation().world;
        for (name, _) in FILES.into_iter().filter(|(_, class)| !class.is_some_and(|c| some.has(c)))
        {
            let content = (0..2).filter_map(|n| world.disk(NodeId(n)).content(FileName::new(name)));
            assert!(content.flatten().all(|byte| *byte == b'x'), "seed {seed}: {name}");
        }
        wipes += report.seen[Kind::Wipe as usize];
        assert!(report.seen[Kind::Wipe as usize] == 0 || some == ClassSet::all(2), "seed {seed}");
    }
    assert!(sets.iter().all(|n| *n > 20), "{sets:?}");
    assert!(struck.len() == 2 && struck.values().all(|n| *n > 500), "{struck:?}");
    assert!(wipes > 20, "{wipes} wipes");
}

#[test]
fn a_wipe_is_refused_where_a_class_of_files_is_not_given_up() {
    let mut native = Native::new(&KEEPERS);
    for (some, wiped) in [(ClassSet(0b01), 0), (ClassSet(0b11), 1)] {
        let mut plan = KEEPERS.expand(0);
        plan.run.fragile = NodeSet::one(NodeId(0));
        plan.run.fragile_files = some;
        let names = KEEPERS.names(&(KEEPERS.topology)(&plan.config));
        let line = "at 10ms: wipe n0 for 5ms";
        plan.faults = vec![FaultLine::parse(line, &names).expect(line)];
        let report = native.run(&plan, Options { trace: Some(usize::MAX), ..Options::default() });
        assert_eq!(report.seen[Kind::Wipe as usize], wiped, "{some:?}");
        let refused = report.trace.iter().any(|line| line.ends_with(": refused by the budget"));
        assert_eq!(refused, wiped == 0);
    }
}
