//! A crash at every point of an online update: before each step, behind each effect, with each request of the disk in flight.
//!
//! One plan is run once to count its points, and then again for each of them, with a loss of power and with a kill, where
//! nothing of what was not synced is kept, or a part of it. What stands on disk then, and in memory after the restart, is read
//! here and compared with what the clients did:
//!
//! ```text
//!  set, set, persist, set ─ start ── changes ── complete or revert ─ set, persist
//!  └ what was persisted           └ nothing of this while it is open
//!    stays                          and all of it, or nothing, afterwards
//! ```

mod disk;
mod gaps;
mod replica;

use std::collections::{BTreeMap, BTreeSet};

use seedbed_sim::actor::BugSet;
use seedbed_sim::check::Scenario;
use seedbed_sim::choose::Odds;
use seedbed_sim::disk::{NAMES, SECTOR};
use seedbed_sim::engine::{Native, Options, Progress, Simulation};
use seedbed_sim::fault::{Death, Fault, FaultLine, When};
use seedbed_sim::id::FileName;
use seedbed_sim::nemesis::{Noise, Plan, PlannedOp, Run};
use seedbed_sim::time::Span;

use super::checks::NODE;
use super::note::Note;
use super::op::{Call, Key, Update, Vb};
use super::reference::{Item, Vbucket};
use super::response::Answer;
use super::{bugs, scenario, settings};
use disk::Found;
use gaps::{GAP, Gap, Gapped};

/// What the client does. In the window a key is added, one changed, one deleted, one deleted and added again, one changed that
/// was not on disk when it began, and one added and deleted again; it spans several checkpoints.
const BEFORE: &str = "set a 1 flags 1; set b 2 flags 2; set checkpoint_start 3 ttl 900; persist v0; set c 5; start v0";
const WINDOW: &str = "set online_update_end 7; set a 8 flags 4; delete b; delete checkpoint_start; \
                      add checkpoint_start 11; set c 12; set checkpoint_end 13; delete checkpoint_end";
const AFTER: &str = "set a 16; persist v0";

const LOG: FileName = FileName::new("log");

type Content = BTreeMap<Key, Item>;

/// What became of all crashes.
#[derive(Debug, Default)]
struct Tally {
    points: usize,
    struck: usize,
    steps: usize,
    effects: usize,
    requests: usize,
    runs: usize,
    /// What was found to be wrong.
    broken: Vec<String>,
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Tally { points, struck, steps, effects, requests, runs, broken } = self;
        write!(
            f,
            "{struck} of {points} crash points ({steps} before a step, {effects} behind an effect, {requests} "
        )?;
        write!(f, "with a request in flight), {runs} runs, {} broken", broken.len())
    }
}

fn gapped() -> Scenario<Gapped> {
    let plain = scenario::online_update();
    Scenario {
        name: "vbucket/gapped",
        about: "one online update, with a place between any two effects",
        knobs: plain.knobs,
        tune: plain.tune,
        budget: plain.budget,
        topology: gaps::topology,
        workload: |_, _| Vec::new(),
        read_back: |_| Vec::new(),
        always: &[],
        eventually: &[],
        finally: &[],
        marks: &[],
        points: &[GAP],
        bugs: bugs::BUGS,
        sites: &[],
        site_list: &[],
    }
}

fn plan(end: Update, bugs: BugSet) -> Plan<Gapped> {
    let mut config = scenario::online_update().expand(0).config;
    for (name, value) in &mut config.values {
        *value = match *name {
            name if name == settings::VBUCKETS.name => 1,
            name if name == settings::MAX_ITEMS.name => 3,
            name if name == settings::BATCH.name => 2,
            name if name == settings::FLUSH_DELAY.name => 40,
            name if name == settings::VALUES.name => 4,
            name if name == settings::PERIOD.name => 5,
            name if name == settings::EXPIRY_WINDOW.name => 0,
            _ => *value,
        };
    }
    let lines = format!("{BEFORE}; {WINDOW}; {end} v0; {AFTER}");
    let calls = lines.split(';').map(|line| line.trim().parse().expect("an operation"));
    let ops = (1..).zip(calls).map(|(number, op)| PlannedOp { client: 0, number, op }).collect();
    let run = Run { think: Span::ms(3), horizon: Span::secs(2), sector: 16, ..Run::DEFAULT };
    let (faults, noise, odds) = (Vec::new(), Noise::Lines(Vec::new()), Vec::new());
    Plan { seed: 1, bugs, config, run, down_max: 1, ops, faults, noise, odds }
}

/// What a run without a crash shows.
#[derive(Debug, Default)]
struct Calm {
    /// The gaps from the start of the online update to the end of the run.
    gaps: Vec<(u32, Gap)>,
    /// What may stand on disk: what there was after each operation that is not in the window.
    contents: Vec<Content>,
    /// By number of an operation: how many of these there were when it had been carried out.
    done: BTreeMap<u32, usize>,
}

fn calm(native: &mut Native<'_, Gapped>, plan: &Plan<Gapped>) -> Calm {
    let simulation = native.prepare(plan, Options::default());
    let mut calm = Calm { contents: vec![Content::new()], ..Calm::default() };
    let mut vbucket = Vbucket::default();
    let (mut from, mut before) = (0, 0);
    while !simulation.world.clients_are_idle() {
        let progress = simulation.advance(&gapped(), plan);
        assert!(progress != Progress::Over, "the run ends before its operations");
        let now = simulation.world.last_step().at.0 / 1_000_000_000;
        for note in simulation.world.notes() {
            let Note::Served(id, _, request, answer) = note else { continue };
            if calm.done.contains_key(&id.op.number) {
                continue;
            }
            match request.call {
                Call::Update(Update::Start, _) => {
                    from = before;
                    vbucket.start();
                }
                Call::Update(Update::Complete, _) => vbucket.complete(),
                Call::Update(Update::Revert, _) => vbucket.revert(),
                Call::Persist(_) => assert!(matches!(answer, Answer::Persisted(_)), "{answer}"),
                ref call => {
                    let cas = answer.made().unwrap_or_default();
                    assert_eq!(vbucket.serve(call, 0, now, cas), *answer, "{call}");
                }
            }
            if vbucket.before.is_none() {
                calm.contents.push(vbucket.items.clone());
            }
            calm.done.insert(id.op.number, calm.contents.len());
        }
        before = simulation.world.shared(NODE).gaps.len();
    }
    let gaps = (1..).zip(simulation.world.shared(NODE).gaps.iter().copied());
    calm.gaps = gaps.skip(from).collect();
    calm
}

/// What is known of a run up to its crash.
#[derive(Debug, Default)]
struct Before {
    /// The greatest number of an operation that was carried out.
    served: u32,
    /// The same of those that say that all before them is on disk.
    persisted: u32,
    /// Versions that the node knows to be on disk.
    committed: BTreeSet<(Key, u64)>,
    /// The checkpoint of each version.
    queued: Vec<(u64, (Key, u64))>,
    /// The id up to which all is on disk, as the disk has it, and what was said since.
    ids: Vec<u64>,
}

impl Before {
    fn take(&mut self, note: &Note) {
        match note {
            Note::Served(id, _, request, _) => {
                self.served = self.served.max(id.op.number);
                if matches!(request.call, Call::Persist(_)) {
                    self.persisted = self.persisted.max(id.op.number);
                }
            }
            Note::Committed(_, key, cas, _) => drop(self.committed.insert((*key, *cas))),
            Note::Queued(_, key, cas, changed) => {
                self.queued.push((changed.checkpoint, (*key, *cas)));
            }
            // What was told before the first checkpoint is in it.
            Note::Opened(_, id) => {
                let unnamed = self.queued.iter_mut().filter(|(checkpoint, _)| *checkpoint == 0);
                unnamed.for_each(|(checkpoint, _)| *checkpoint = *id);
            }
            Note::Published(_, id) => self.ids.push(*id),
            Note::StandingSaved(_, _, (_, id)) => {
                let said = self.ids.iter().position(|said| said == id);
                self.ids.drain(..said.unwrap_or(0));
                if said.is_none() {
                    self.ids = vec![*id];
                }
            }
            _ => {}
        }
    }

    /// The rule: all or nothing of a window that is over, nothing of one that is open, nothing lost that was on disk or is in
    /// a checkpoint of which the disk says so, and no such id that was not said.
    fn allows(&self, contents: &[Content], least: usize, found: &Found) -> Result<(), String> {
        let Found { content, persisted, .. } = found;
        let holds = |content: &Content, (key, cas): &(Key, u64)| {
            content.get(key).is_some_and(|item| item.cas == *cas)
        };
        let may = contents.iter().enumerate().skip(least);
        let mut may = may.filter(|(_, may)| *may == content);
        let Some((at, _)) = may.next_back() else {
            let most = contents.len();
            return Err(format!("found {}, which is no state of {least}..{most}", say(content)));
        };
        if !self.ids.contains(persisted) && *persisted != 0 {
            return Err(format!("checkpoint {persisted} is on disk, not one of {:?}", self.ids));
        }
        let said =
            self.queued.iter().filter(|(checkpoint, _)| (1..=*persisted).contains(checkpoint));
        let mut must = self.committed.iter().chain(said.map(|(_, version)| version));
        // A deletion has no version in what is found.
        let lost = must.find(|version| {
            let first = contents.iter().position(|content| holds(content, version));
            first.is_some_and(|first| first > at)
        });
        match lost {
            Some((key, cas)) => Err(format!("{key} @{cas} was on disk, found {}", say(content))),
            None => Ok(()),
        }
    }
}

fn say(content: &Content) -> String {
    let items = content.iter().map(|(key, Item { value, flags, until, cas })| {
        format!("{key}={value} flags {flags} until {until:?} @{cas}")
    });
    items.collect::<Vec<_>>().join(", ")
}

/// Goes on until the node is down.
fn until_struck(
    simulation: &mut Simulation<Gapped>,
    (scenario, plan): (&Scenario<Gapped>, &Plan<Gapped>),
    mut take: impl FnMut(&Note),
) -> Result<Found, String> {
    while simulation.world.incarnation(NODE).0 < 2 && !is_struck(simulation) {
        go_on(simulation, (scenario, plan))?;
        simulation.world.notes().iter().for_each(&mut take);
    }
    Ok(disk::found(simulation.world.disk(NODE).content(LOG).unwrap_or_default()))
}

fn go_on(
    simulation: &mut Simulation<Gapped>,
    (scenario, plan): (&Scenario<Gapped>, &Plan<Gapped>),
) -> Result<(), String> {
    match simulation.advance(scenario, plan) {
        Progress::Over => Err(format!("the run is over: {:?}", simulation.verdict())),
        Progress::Step | Progress::Between => Ok(()),
    }
}

/// Goes on until the node has read its disk; what is in memory then is what was found there.
fn comes_back(
    simulation: &mut Simulation<Gapped>,
    of: (&Scenario<Gapped>, &Plan<Gapped>),
    found: &Found,
) -> Result<(), String> {
    while simulation.world.incarnation(NODE).0 < 2
        || !simulation.world.shared(NODE).memory.is_loaded
    {
        go_on(simulation, of)?;
    }
    let vbucket = &simulation.world.shared(NODE).memory.vbs[&Vb(0)];
    let (table, persisted) = (&vbucket.table, vbucket.standing.persisted);
    if persisted != found.persisted {
        return Err(format!("checkpoint {persisted} came back, {} is on disk", found.persisted));
    }
    for (key, Item { value, flags, until, cas }) in &found.content {
        let entry = table.entry(*key).ok_or(format!("{key} is on disk, and did not come back"))?;
        let is_same = entry.value.as_ref().is_none_or(|held| held == value)
            && (entry.flags, entry.until, entry.cas) == (*flags, *until, *cas);
        if !is_same {
            return Err(format!("{key} came back as {entry:?}"));
        }
    }
    let is_all = table.len() == found.content.len();
    if is_all { Ok(()) } else { Err("a key came back from nowhere".into()) }
}

/// A crash of the active copy.
fn crash(
    simulation: &mut Simulation<Gapped>,
    plan: &Plan<Gapped>,
    calm: &Calm,
) -> Result<(), String> {
    let scenario = gapped();
    let mut before = Before::default();
    let found = until_struck(simulation, (&scenario, plan), |note| before.take(note))?;
    let most = calm.done.get(&before.served).copied().unwrap_or(1);
    let least = calm.done.get(&before.persisted).copied().unwrap_or(1) - 1;
    before.allows(&calm.contents[..most], least, &found)?;
    comes_back(simulation, (&scenario, plan), &found)
}

fn is_struck(simulation: &Simulation<Gapped>) -> bool {
    simulation.world.saw_any_fault()
}

/// All crashes of an online update of the active copy that ends like this.
fn crashes(end: Update, bugs: BugSet) -> Tally {
    let (scenario, plan) = (gapped(), plan(end, bugs));
    let mut native = Native::new(&scenario);
    let calm = calm(&mut native, &plan);
    strike(&mut native, &plan, &calm.gaps, |simulation, plan| crash(simulation, plan, &calm))
}

/// Strikes at each of these gaps, in each way, and looks what that did.
fn strike(
    native: &mut Native<'_, Gapped>,
    plan: &Plan<Gapped>,
    gaps: &[(u32, Gap)],
    crash: impl Fn(&mut Simulation<Gapped>, &Plan<Gapped>) -> Result<(), String>,
) -> Tally {
    let mut tally = Tally { points: gaps.len(), ..Tally::default() };
    for (nth, gap) in gaps {
        match gap {
            Gap::Step => tally.steps += 1,
            Gap::Effect => tally.effects += 1,
            Gap::Disk => tally.requests += 1,
        }
        let mut has_struck = true;
        for death in [Death::Crash, Death::Kill] {
            for kept in 0..3 {
                let mut plan = plan.clone();
                let when = When::On { nth: *nth, point: GAP.index, node: NODE };
                let fault = Fault::Down(death, NODE, Span::ms(20));
                plan.faults.push(FaultLine { when, fault });
                if kept > 0 {
                    let even = Odds::new(&[1, 1]);
                    (plan.seed, plan.noise) = (kept, Noise::Drawn(kept));
                    plan.odds = vec![(SECTOR.id, even), (NAMES.id, even)];
                }
                let simulation = native.prepare(&plan, Options::default());
                tally.runs += 1;
                if let Err(wrong) = crash(simulation, &plan) {
                    tally
                        .broken
                        .push(format!("{death:?} at {nth} ({gap:?}), kept {kept}: {wrong}"));
                }
                has_struck &= simulation.world.unused().1.is_empty();
            }
        }
        tally.struck += usize::from(has_struck);
    }
    tally
}

#[expect(clippy::print_stdout, reason = "the count is what one wants to see")]
fn all_hold(what: &str, tally: &Tally) {
    println!("{what}: {tally}");
    assert_eq!(tally.broken, Vec::<String>::new(), "{what}: {tally}");
    assert_eq!(tally.struck, tally.points, "{what}: {tally}");
    assert!(tally.steps > 20 && tally.effects > 50 && tally.requests > 5, "{what}: {tally}");
}

#[test]
fn a_crash_at_any_point_of_an_online_update_that_completes_leaves_all_of_it_or_nothing() {
    all_hold("complete", &crashes(Update::Complete, BugSet::NONE));
}

#[test]
fn a_crash_at_any_point_of_an_online_update_that_is_reverted_leaves_nothing_of_it() {
    all_hold("revert", &crashes(Update::Revert, BugSet::NONE));
}

/// Else the tests above would be worth nothing.
#[test]
fn a_window_in_two_transactions_or_on_disk_too_early_is_seen() {
    for (bug, end) in
        [(&bugs::WINDOW_BY_BATCHES, Update::Complete), (&bugs::TABLE_VALUE_WRITTEN, Update::Revert)]
    {
        let tally = crashes(end, BugSet::only(bug));
        assert!(!tally.broken.is_empty(), "{}: {tally}", bug.name);
    }
}
