//! The same of a replica: a crash at every point of what it does about an online update of its master.

use seedbed_sim::actor::BugSet;
use seedbed_sim::check::Scenario;
use seedbed_sim::engine::{Native, Options, Progress, Simulation};
use seedbed_sim::nemesis::{Noise, Plan, PlannedOp, Run};
use seedbed_sim::time::Span;

use super::gaps::{self, Gap, Gapped};
use super::{Before, Content, Tally, all_hold, comes_back, gapped, strike, until_struck};
use crate::checkpoint::op::EventKind;
use crate::vbucket::checks::NODE;
use crate::vbucket::note::Note;
use crate::vbucket::op::{Key, Update, Value};
use crate::vbucket::reference::{Item, Vbucket};
use crate::vbucket::table::Entry;
use crate::vbucket::{bugs, scenario, settings};

/// The master does nothing until the replica has greeted it, and nothing until all is on disk.
const NOTHING: &str = "delete checkpoint_end; ";
const A_WHILE: usize = 24;
const BEFORE: &str =
    "set a 1 flags 1; set b 2 flags 2; set checkpoint_start 3 ttl 900; close; set c 5; start";
const WINDOW: &str = "set online_update_end 7; set a 8 flags 4; delete b; delete checkpoint_start; close; \
                      set checkpoint_start 11; set c 12; close; set checkpoint_end 13; delete checkpoint_end";
const AFTER: &str = "set a 16; close";

fn fed() -> Scenario<Gapped> {
    let plain = scenario::replica();
    let Scenario { knobs, tune, budget, .. } = plain;
    Scenario { knobs, tune, budget, topology: gaps::fed, ..gapped() }
}

fn plan(end: Update, bugs: BugSet) -> Plan<Gapped> {
    let mut config = scenario::replica().expand(0).config;
    for (name, value) in &mut config.values {
        *value = match *name {
            name if name == settings::MAX_ITEMS.name => 3,
            name if name == settings::BATCH.name => 2,
            name if name == settings::FLUSH_DELAY.name => 40,
            name if name == settings::VALUES.name => 4,
            name if name == settings::PERIOD.name => 5,
            name if name == settings::EXPIRY_WINDOW.name => 0,
            _ => *value,
        };
    }
    let wait = NOTHING.repeat(A_WHILE);
    let lines = format!("{wait}{BEFORE}; {WINDOW}; {end}; {AFTER}; {wait}");
    let calls =
        lines.trim_end_matches([';', ' ']).split(';').map(|line| format!("feed {}", line.trim()));
    let calls = calls.map(|line| line.parse().expect("an operation"));
    let ops = (1..).zip(calls).map(|(number, op)| PlannedOp { client: 1, number, op }).collect();
    let run = Run { think: Span::ms(60), horizon: Span::secs(6), sector: 16, ..Run::DEFAULT };
    let (faults, noise, odds) = (Vec::new(), Noise::Lines(Vec::new()), Vec::new());
    Plan { seed: 1, bugs, config, run, down_max: 1, ops, faults, noise, odds }
}

/// What the replica has taken in.
#[derive(Debug)]
struct Follower {
    before: Before,
    vbucket: Vbucket,
    /// What may stand on disk: what there was after each change that is not in the window.
    contents: Vec<Content>,
}

impl Follower {
    fn new() -> Follower {
        let before = Before { ids: vec![0], ..Before::default() };
        Follower { before, vbucket: Vbucket::default(), contents: vec![Content::new()] }
    }

    fn take(&mut self, note: &Note) {
        self.before.take(note);
        let items = &mut self.vbucket.items;
        match note {
            Note::Applied(_, key, cas, Some(Entry { value: Some(value), flags, until, .. })) => {
                let (value, flags, until) = (value.clone(), *flags, *until);
                items.insert(*key, Item { value, flags, until, cas: *cas });
            }
            Note::Applied(_, key, ..) => drop(items.remove(key)),
            Note::Stepped(_, EventKind::Start) => return self.vbucket.start(),
            Note::Stepped(_, EventKind::Complete) => self.vbucket.complete(),
            Note::Stepped(_, EventKind::Revert) => self.vbucket.revert(),
            _ => return,
        }
        if self.vbucket.before.is_none() {
            self.contents.push(self.vbucket.items.clone());
        }
    }

    /// Whether the last change is on disk, and the disk says so of its checkpoint.
    fn is_done(&self) -> bool {
        let last =
            self.vbucket.items.get(&Key(0)).is_some_and(|item| item.value == Value::new("16"));
        let checkpoint = self.before.queued.last().map(|(checkpoint, _)| *checkpoint);
        last && self.before.ids.first().copied() >= checkpoint
    }
}

/// The gaps from the start of the online update to the end of the run.
fn gaps_of(native: &mut Native<'_, Gapped>, plan: &Plan<Gapped>) -> Vec<(u32, Gap)> {
    let (simulation, scenario) = (native.prepare(plan, Options::default()), fed());
    let mut follower = Follower::new();
    let (mut from, mut before) = (None, 0);
    while !follower.is_done() {
        let progress = simulation.advance(&scenario, plan);
        assert!(progress != Progress::Over, "the run ends before its operations: {follower:?}");
        for note in simulation.world.notes() {
            if matches!(note, Note::Stepped(_, EventKind::Start)) {
                from = from.or(Some(before));
            }
            follower.take(note);
        }
        before = simulation.world.shared(NODE).gaps.len();
    }
    let from = from.expect("the replica hears of the start");
    let gaps = (1..).zip(simulation.world.shared(NODE).gaps.iter().copied());
    gaps.skip(from).collect()
}

fn crash(simulation: &mut Simulation<Gapped>, plan: &Plan<Gapped>) -> Result<(), String> {
    let scenario = fed();
    let mut follower = Follower::new();
    let found = until_struck(simulation, (&scenario, plan), |note| follower.take(note))?;
    follower.before.allows(&follower.contents, 0, &found)?;
    comes_back(simulation, (&scenario, plan), &found)
}

/// All crashes of a replica in an online update that ends like this.
fn crashes(end: Update, bugs: BugSet) -> Tally {
    let (scenario, plan) = (fed(), plan(end, bugs));
    let mut native = Native::new(&scenario);
    let gaps = gaps_of(&mut native, &plan);
    strike(&mut native, &plan, &gaps, crash)
}

#[test]
fn a_crash_of_a_replica_at_any_point_of_an_online_update_that_completes_leaves_all_of_it_or_nothing()
 {
    all_hold("complete of a replica", &crashes(Update::Complete, BugSet::NONE));
}

#[test]
fn a_crash_of_a_replica_at_any_point_of_an_online_update_that_is_reverted_leaves_nothing_of_it() {
    all_hold("revert of a replica", &crashes(Update::Revert, BugSet::NONE));
}

/// Else the tests above would be worth nothing.
#[test]
fn a_replica_that_writes_a_window_in_two_transactions_is_seen() {
    let tally = crashes(Update::Complete, BugSet::only(&bugs::WINDOW_BY_BATCHES));
    assert!(!tally.broken.is_empty(), "{tally}");
}
