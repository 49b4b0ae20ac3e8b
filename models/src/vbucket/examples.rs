//! The example scenarios that are about a node as a whole: what clients are told, and what there is at the end, with every
//! check on. Those about the log alone are transcripts.

use seedbed_sim::actor::{BugSet, HistoryEvent, Outcome};
use seedbed_sim::engine::{Native, Options, Progress, Verdict};
use seedbed_sim::fault::{Death, Fault, FaultLine, When};
use seedbed_sim::nemesis::{Noise, Plan, PlannedOp, Run};
use seedbed_sim::time::Span;

use super::checks::NODE;
use super::memory::Memory;
use super::model::Node;
use super::op::{Call, Key, Vb};
use super::response::Answer;
use super::vb::Vbucket;
use super::{scenario, settings};

/// Settings under which little happens by itself.
const QUIET: [(&str, u64); 9] = [
    ("clients", 2),
    ("keys", 3),
    (settings::VBUCKETS.name, 2),
    (settings::MAX_ITEMS.name, 5),
    (settings::PERIOD.name, 5),
    (settings::PAGER.name, 10),
    (settings::VALUES.name, 4),
    (settings::EXPIRY_WINDOW.name, 0),
    (settings::FLUSH_DELAY.name, 1),
];

/// What came of a plan.
struct Told {
    /// What was asked, in the order of the answers, and the answers; nothing where there was none.
    answers: Vec<(Call, Option<Answer>)>,
    memory: Memory,
}

impl Told {
    /// The last answer to this, without versions.
    fn last(&self, call: &str) -> String {
        let call: Call = call.parse().expect("an operation");
        let of = self.answers.iter().rfind(|(of, _)| *of == call);
        say(of.and_then(|(_, answer)| answer.as_ref()))
    }

    /// The first answers, without versions.
    fn first(&self, count: usize) -> Vec<String> {
        self.answers.iter().take(count).map(|(_, answer)| say(answer.as_ref())).collect()
    }

    fn vbucket(&self) -> &Vbucket {
        &self.memory.vbs[&Vb(0)]
    }
}

fn say(answer: Option<&Answer>) -> String {
    match answer {
        None => "nothing".into(),
        Some(Answer::Found { value, flags, .. }) => format!("{value} flags {flags}"),
        Some(Answer::Stored(_)) => "stored".into(),
        Some(Answer::Counted(number, _)) => format!("{number}"),
        Some(other) => other.to_string(),
    }
}

/// Runs operations, each for a client: `0 set a 1; 1 get a`. At this time the process is killed, if there is one.
fn told(settings: &[(&str, u64)], lines: &str, kill: Option<Span>) -> Told {
    let scenario = scenario::single();
    let mut config = scenario.expand(0).config;
    for (name, value) in QUIET.iter().chain(settings) {
        let knob = config.values.iter_mut().find(|(of, _)| of == name);
        knob.expect("it has this knob").1 = *value;
    }
    let lines = lines.split(';').map(|line| line.trim().split_once(' ').expect("a client"));
    let ops = (1..).zip(lines).map(|(number, (client, op))| PlannedOp {
        client: client.parse().expect("its number"),
        number,
        op: op.parse().expect("an operation"),
    });
    let mut ops: Vec<PlannedOp<Call>> = ops.collect();
    ops.sort_by_key(|op| (op.client, op.number));
    let run = Run { think: Span::ms(5), horizon: Span::secs(5), ..Run::DEFAULT };
    let fault = Fault::Down(Death::Kill, NODE, Span::ms(20));
    let faults = kill.map(|at| FaultLine { when: When::At(at), fault }).into_iter().collect();
    let (bugs, noise, odds) = (BugSet::NONE, Noise::Lines(Vec::new()), Vec::new());
    let plan: Plan<Node> =
        Plan { seed: 1, bugs, config, run, down_max: 1, ops, faults, noise, odds };
    let mut native = Native::new(&scenario);
    let simulation = native.prepare(&plan, Options::default());
    while simulation.advance(&scenario, &plan) != Progress::Over {}
    assert_eq!(simulation.verdict(), Some(&Verdict::Pass));
    let mut answers = Vec::new();
    let mut asked = Vec::new();
    for event in &simulation.world.history().events {
        match event {
            HistoryEvent::Invoked { op, what, .. } => asked.push((*op, what.clone())),
            HistoryEvent::Completed { op, outcome, .. } => {
                let (_, what) = asked.iter().rfind(|(of, _)| of == op).expect("it was asked");
                let answer = if let Outcome::Ok(answer) = outcome { Some(answer) } else { None };
                answers.push((what.clone(), answer.cloned()));
            }
        }
    }
    Told { answers, memory: simulation.world.shared(NODE).clone() }
}

const OPERATIONS: [&str; 9] = [
    "get a",
    "set a 1",
    "add a 1",
    "replace a 1",
    "cas a 1",
    "append a 1",
    "prepend a 1",
    "incr a 1",
    "delete a",
];

#[test]
fn s64_what_is_not_active_serves_nobody() {
    for state in ["dead", "replica"] {
        for operation in OPERATIONS {
            let told = told(&[], &format!("0 state v0 {state}; 0 {operation}"), None);
            assert_eq!(told.first(2), ["done", "not my vbucket"], "{state}: {operation}");
            // The judge reads back two keys of this vbucket.
            assert_eq!(told.vbucket().counters.not_my_vbucket, 1 + 2, "{state}: {operation}");
        }
    }
}

#[test]
fn s64_what_is_pending_lets_everybody_wait() {
    for operation in OPERATIONS {
        let told = told(&[], &format!("0 state v0 pending; 0 {operation}"), None);
        assert_eq!(told.first(2), ["done", "nothing"], "{operation}");
        let blocked = &told.vbucket().blocked;
        let call: Call = operation.parse().expect("an operation");
        assert!(blocked.iter().any(|waiter| waiter.request.call == call), "{operation}");
        assert_eq!(told.vbucket().counters.not_my_vbucket, 0, "{operation}");
    }
}

#[test]
fn s66_who_waits_for_a_pending_vbucket_is_told_what_becomes_of_it() {
    let until = |then: &str| {
        let lines = "0 state v0 pending; 0 set a 2 flags 1; 1 get b; 1 get b; 1 get b; 1 get b";
        let told = told(&[], &format!("{lines}; {then}"), None);
        told.last("set a 2 flags 1")
    };
    assert_eq!(until("1 state v0 active"), "stored");
    assert_eq!(until("1 state v0 replica"), "not my vbucket");
    assert_eq!(until("1 state v0 dead"), "not my vbucket");
    assert_eq!(until("1 state v0 dead; 1 drop v0"), "not my vbucket");
}

#[test]
fn s88_what_runs_out_soon_leaves_nothing_older_on_disk() {
    let window = [(settings::EXPIRY_WINDOW.name, 3)];
    let lines = "0 set a 1; 0 persist v0; 0 set a 2 ttl 2; 0 persist v0";
    let at = Some(Span::ms(600));
    let told = told(&window, lines, at);
    assert_eq!(told.last("get a"), "not found");
    assert_eq!((told.vbucket().table.len(), told.vbucket().counters.items), (0, 0));
}

#[test]
fn s93_and_s94_an_online_update_is_begun_and_ended_once() {
    let lines = "0 complete v0; 0 revert v0; 0 start v0; 0 start v0; 0 complete v0; 0 complete v0; \
                 0 start v0; 0 revert v0; 0 revert v0";
    let (done, not) = ("done", "not supported");
    let told = told(&[], lines, None);
    assert_eq!(told.first(9), [not, not, done, not, done, not, done, done, not]);
}

/// Three keys on disk, and a window in which one is changed, one deleted and one added; b and c are of the other vbucket.
const WINDOW: &str = "0 set a 1 flags 1 ttl 1000; 0 set checkpoint_start 2 flags 2; 0 persist v0; 0 start v0; \
                      0 set a 3 flags 3; 0 delete checkpoint_start; 0 set online_update_end 4";
const READ: &str = "0 get a; 0 get checkpoint_start; 0 get online_update_end";

#[test]
fn s97_changes_of_a_window_are_read_and_not_written() {
    let told = told(&[], &format!("{WINDOW}; {READ}"), Some(Span::ms(800)));
    let read = told.answers[7..10].iter().map(|(_, answer)| say(answer.as_ref()));
    assert_eq!(read.collect::<Vec<_>>(), ["3 flags 3", "not found", "4 flags 0"]);
    // After the restart nothing of it is left.
    assert_eq!(told.last("get a"), "1 flags 1");
    assert_eq!(told.last("get checkpoint_start"), "2 flags 2");
    assert_eq!(told.vbucket().table.len(), 2);
}

#[test]
fn s98_a_completed_window_comes_to_disk() {
    let lines = format!("{WINDOW}; 0 complete v0; 0 persist v0; {READ}");
    let told = told(&[], &lines, Some(Span::ms(800)));
    assert_eq!(told.last("get a"), "3 flags 3");
    assert_eq!(told.last("get checkpoint_start"), "not found");
    let table = &told.vbucket().table;
    assert_eq!((table.len(), table.entry(Key(4)).map(|entry| entry.dirty)), (2, Some(false)));
}

#[test]
fn s99_a_revert_brings_back_value_flags_expiry_and_existence() {
    let lines = format!("{WINDOW}; 0 revert v0; {READ}");
    for kill in [None, Some(Span::ms(800))] {
        let told = told(&[], &lines, kill);
        assert_eq!(told.last("get a"), "1 flags 1");
        assert_eq!(told.last("get checkpoint_start"), "2 flags 2");
        assert_eq!(told.last("get online_update_end"), "not found");
        let (table, counters) = (&told.vbucket().table, told.vbucket().counters);
        assert_eq!(table.entry(Key(0)).and_then(|entry| entry.until), Some(1_001));
        let reverted =
            (counters.reverted_deletes, counters.reverted_adds, counters.reverted_updates);
        // A restart forgets what was counted.
        assert_eq!(reverted, if kill.is_some() { (0, 0, 0) } else { (1, 1, 1) });
    }
}

#[test]
fn s101_what_was_acknowledged_before_the_start_survives_a_revert() {
    let slow = [(settings::FLUSH_DELAY.name, 300)];
    let lines = "0 set a 1 flags 3; 0 start v0; 0 set a 2; 0 revert v0; 0 get a";
    let told = told(&slow, lines, Some(Span::ms(1_500)));
    assert_eq!(told.first(5), ["stored", "done", "stored", "done", "1 flags 3"]);
    // And once more after the restart.
    assert_eq!(told.last("get a"), "1 flags 3");
    assert_eq!(told.answers.iter().filter(|(call, _)| *call == Call::Get(Key(0))).count(), 2);
}

#[test]
fn all_keys_are_deleted_at_once_but_not_in_a_window() {
    let lines = "0 set a 1; 0 set checkpoint_start 2; 0 persist v0; 0 flush-all v0; 0 get a; 0 set a 3; 0 start v0; \
                 0 flush-all v0; 0 get a";
    let told = told(&[], lines, Some(Span::ms(2_500)));
    let answers = told.first(9);
    assert_eq!(answers[3..], ["done", "not found", "stored", "done", "nothing", "3 flags 0"]);
    // After the restart: what was set before the window.
    assert_eq!(
        (told.last("get a"), told.last("get checkpoint_start")),
        ("3 flags 0".into(), "not found".into())
    );
}
