//! The wal on a host that records what it does. A request to the disk is carried out when it is made, and answered later.

use std::collections::BTreeMap;
use std::sync::Arc;

use seedbed_sim::actor::{Bug, BugSet, CloseReason, DiskEvent, Host, Mark, Me, Outcome, Point};
use seedbed_sim::choose::Site;
use seedbed_sim::id::{ConnId, Incarnation, NodeId, OpId, RequestId};
use seedbed_sim::time::Time;

use super::*;
use crate::mvcc::backend::Backend;
use crate::mvcc::call::Ret;
use crate::mvcc::defects::Defects;
use crate::mvcc::message::{Lock, Phase};
use crate::mvcc::op::Op;
use crate::mvcc::replica::entry::Proposal;
use crate::mvcc::replica::message::Primacy;
use crate::mvcc::shared::Shared;
use crate::mvcc::store::Store;

const MEMBER: ActorId = ActorId(1);
const WAL: ActorId = ActorId(2);
const APPLIER: ActorId = ActorId(3);
const AGREEMENT: ActorId = ActorId(9);
const KEPT: u64 = 2;

/// One file: its bytes, and those of them that a crash leaves.
#[derive(Clone, Default)]
struct Bytes {
    now: Vec<u8>,
    durable: Vec<u8>,
}

/// A node with a wal.
#[derive(Default)]
struct Node {
    shared: Shared,
    life: u32,
    bugs: BugSet,
    files: Vec<Bytes>,
    names: BTreeMap<FileName, u32>,
    durable_names: BTreeMap<FileName, u32>,
    answers: Vec<Result<DiskDone, DiskError>>,
    said: Vec<String>,
    marks: Vec<&'static Mark>,
}

impl Node {
    fn carry_out(&mut self, op: DiskOp<'_>) -> Result<DiskDone, DiskError> {
        let index = |file: FileId| usize::try_from(file.0).unwrap();
        match op {
            DiskOp::Open(name) => match self.names.get(&name) {
                Some(file) => Ok(self.opened(*file)),
                None => Err(DiskError::NotFound),
            },
            DiskOp::Create(name) => {
                let new = u32::try_from(self.files.len()).unwrap();
                let file = *self.names.entry(name).or_insert(new);
                if file == new {
                    self.files.push(Bytes::default());
                }
                self.files[file as usize].now.clear();
                Ok(self.opened(file))
            }
            DiskOp::Read { file, .. } => Ok(DiskDone::Read(self.files[index(file)].now.clone())),
            DiskOp::Write { file, data, .. } | DiskOp::Append { file, data } => {
                self.files[index(file)].now.extend_from_slice(data);
                Ok(DiskDone::Done)
            }
            DiskOp::Sync(file) => {
                let file = &mut self.files[index(file)];
                file.durable.clone_from(&file.now);
                Ok(DiskDone::Done)
            }
            DiskOp::Rename { from, to } => {
                let file = self.names.remove(&from).unwrap();
                self.names.insert(to, file);
                Ok(DiskDone::Done)
            }
            DiskOp::SyncDir => {
                self.durable_names.clone_from(&self.names);
                Ok(DiskDone::Done)
            }
            op => panic!("{op}"),
        }
    }

    fn opened(&self, file: u32) -> DiskDone {
        let len = self.files[file as usize].now.len() as u64;
        DiskDone::Opened { file: FileId(file), len }
    }
}

impl Host<Mvcc> for Node {
    fn send(&mut self, _: Me, to: ActorId, msg: Msg) {
        let to = match to {
            MEMBER => "member",
            APPLIER => "applier",
            _ => "agreement",
        };
        self.said.push(format!("{to}: {msg}"));
    }
    fn note(&mut self, _: Me, note: Note) {
        self.said.push(note.to_string());
    }
    fn mark(&mut self, _: Me, mark: &'static Mark) {
        self.marks.push(mark);
    }
    fn disk(&mut self, _: Me, op: DiskOp<'_>) -> RequestId {
        self.said.push(op.kind().to_string());
        let answer = self.carry_out(op);
        self.answers.push(answer);
        RequestId(0)
    }
    fn fail_stop(&mut self, _: Me, reason: &'static str) {
        self.said.push(reason.into());
    }
    fn stopped(&mut self, _: Me) {
        self.said.push("stopped".into());
    }
    fn bugs(&self) -> BugSet {
        self.bugs
    }
    fn shared(&mut self, _: Me) -> &mut Shared {
        &mut self.shared
    }
    fn now(&self, _: Me) -> Time {
        Time::default()
    }
    fn wall(&self, _: Me) -> Time {
        Time::default()
    }
    fn arm(&mut self, _: Me, _: Timer, _: Span) {}
    fn disarm(&mut self, _: Me, _: Timer) {}
    fn point(&mut self, _: Me, _: &'static Point) {}
    fn lock(&mut self, _: Me, _: Lock) {
        unreachable!()
    }
    fn unlock(&mut self, _: Me, _: Lock) {
        unreachable!()
    }
    fn yield_to(&mut self, _: Me, _: Phase) {
        unreachable!()
    }
    fn complete(&mut self, _: Me, _: OpId, _: Outcome<Ret>) {
        unreachable!()
    }
    fn choose(&mut self, _: Me, _: &'static Site, _: u64, _: u64) -> u32 {
        unreachable!()
    }
    fn connect(&mut self, _: Me, _: ActorId) -> ConnId {
        unreachable!()
    }
    fn write(&mut self, _: Me, _: ConnId, _: &[u8]) -> usize {
        unreachable!()
    }
    fn read(&mut self, _: Me, _: ConnId, _: usize, _: &mut Vec<u8>) -> usize {
        unreachable!()
    }
    fn close(&mut self, _: Me, _: ConnId, _: CloseReason) {
        unreachable!()
    }
    fn abort(&mut self, _: Me, _: &'static str) {
        unreachable!()
    }
}

struct Trial {
    wal: Wal,
    node: Node,
}

impl Trial {
    /// A node without files that has just booted.
    fn booted(alone: bool, bug: Option<&Bug>) -> Trial {
        let wal = Wal::new(AGREEMENT, APPLIER, alone, KEPT);
        let bugs = bug.map_or(BugSet::NONE, BugSet::only);
        let mut trial = Trial { wal, node: Node { bugs, ..Node::default() } };
        trial.crash();
        trial
    }

    /// A node that has opened its log.
    fn opened(alone: bool, bug: Option<&Bug>) -> Trial {
        let mut trial = Trial::booted(alone, bug);
        trial.open();
        trial
    }

    /// The power fails: what was not synced is gone. The node boots again.
    fn crash(&mut self) {
        self.wal = Wal::new(AGREEMENT, APPLIER, self.wal.alone, KEPT);
        let node = &mut self.node;
        node.files.iter_mut().for_each(|file| file.now.clone_from(&file.durable));
        node.names.clone_from(&node.durable_names);
        self.die();
    }

    /// The process ends, and nothing else. The node boots again.
    fn die(&mut self) {
        self.wal = Wal::new(AGREEMENT, APPLIER, self.wal.alone, KEPT);
        let node = &mut self.node;
        node.life += 1;
        node.answers.clear();
        node.shared = Shared::default();
        node.shared.replica = Some(Box::default());
    }

    fn event(&mut self, event: Event<Mvcc>) -> Vec<String> {
        let me = Me { actor: WAL, node: NodeId(0), incarnation: Incarnation(self.node.life) };
        self.node.said.clear();
        self.wal.on_event(event, &mut Context::new(&mut self.node, me));
        self.node.said.clone()
    }

    fn hear(&mut self, from: ActorId, msg: GroupMsg) -> Vec<String> {
        self.event(Event::Message { from, msg: Msg::Group(msg) })
    }

    /// The disk answers the first request.
    fn answer(&mut self) -> Vec<String> {
        let result = self.node.answers.remove(0);
        self.event(Event::Disk(DiskEvent { request: RequestId(0), result }))
    }

    /// The disk answers everything; what was done.
    fn finish(&mut self) -> Vec<String> {
        let mut said = Vec::new();
        while !self.node.answers.is_empty() {
            said.extend(self.answer());
        }
        said
    }

    fn open(&mut self) -> Vec<String> {
        let mut said = self.hear(MEMBER, GroupMsg::OpenLog);
        said.extend(self.finish());
        said
    }

    fn append(&mut self, from: u64, last: u64, committed: u64) -> Vec<String> {
        let request = Op::Close;
        let proposal = Arc::new(Proposal { ask: None, request });
        let entry = |index| Entry { index, proposal: proposal.clone() };
        let known = Known { committed, primary: Primacy { node: NodeId(0), term: 1 } };
        let entries = (from..=last).map(entry).collect();
        self.hear(AGREEMENT, GroupMsg::Append(from, entries, known))
    }

    /// The file of the backend has everything up to here.
    fn stored(&mut self, index: u64) {
        let mut backend = Backend::new(64);
        let replica = crate::mvcc::replica::Replica {
            consistent: (crate::mvcc::shared::Opening(1), index),
            ..Default::default()
        };
        replica.before_commit(crate::mvcc::shared::Opening(1), &mut backend);
        let commit = backend.begin_commit().unwrap();
        backend.finish_commit(commit);
        self.node.shared.open(backend);
        self.node.shared.serve(Store::new(Defects::NONE));
    }

    fn range(&mut self) -> (u64, u64, u64) {
        let log = &self.node.shared.group().log;
        (log.base(), log.last(), log.durable())
    }
}

const RENEWED: [&str; 5] = ["create", "write", "sync", "rename", "sync-dir"];

#[test]
fn a_first_boot_makes_a_log_and_joins_until_the_agreement_answers() {
    let mut trial = Trial::booted(false, None);
    let told = ["log opened: (0, 0]", "member: log-opened", "agreement: join (0, 0] in life 1"];
    assert_eq!(trial.open(), [&["open"], &RENEWED[..], &told].concat());
    let joined = trial.event(Event::Timer(Timer::Resend));
    assert_eq!(joined, ["agreement: join (0, 0] in life 1"]);
    assert_eq!(trial.append(1, 0, 0), ["agreement: appended (0, 0] in life 1"]);
    assert!(trial.event(Event::Timer(Timer::Resend)).is_empty());
}

#[test]
fn an_entry_is_acknowledged_when_it_is_durable_and_stays() {
    let mut trial = Trial::opened(false, None);
    assert_eq!(trial.append(1, 2, 0), ["append"]);
    assert_eq!(trial.range(), (0, 2, 0));
    assert_eq!(trial.answer(), ["sync"]);
    let done = ["log durable up to 2", "agreement: appended (0, 2] in life 1", "applier: go"];
    assert_eq!(trial.answer(), done);
    assert_eq!(trial.range(), (0, 2, 2));
    assert_eq!(trial.append(2, 3, 2), ["applier: go", "append"]);
    assert_eq!(trial.node.shared.group().committed, 2);
    trial.crash();
    let opened = trial.open();
    assert_eq!(opened[..2], ["open", "read"]);
    assert_eq!(opened[2..7], RENEWED);
    assert_eq!(opened[7], "log opened: (0, 2]");
    assert_eq!(trial.range(), (0, 2, 2));
}

#[test]
fn what_comes_during_a_write_goes_together_with_the_next() {
    let mut trial = Trial::opened(false, None);
    trial.append(1, 1, 0);
    assert!(trial.append(2, 2, 0).is_empty());
    assert!(trial.append(3, 3, 0).is_empty());
    assert_eq!(trial.node.marks, [&mark::APPENDS_BATCHED; 2]);
    assert_eq!(trial.answer(), ["sync"]);
    assert!(trial.answer().contains(&"append".to_owned()));
    assert_eq!(trial.range(), (0, 3, 1));
    assert_eq!(trial.finish()[1], "log durable up to 3");
}

#[test]
fn a_gap_or_what_is_there_is_only_answered() {
    let mut trial = Trial::opened(false, None);
    trial.append(1, 2, 0);
    trial.finish();
    assert_eq!(trial.append(4, 5, 0), ["agreement: appended (0, 2] in life 1"]);
    assert_eq!(trial.append(1, 2, 0), ["agreement: appended (0, 2] in life 1"]);
    assert_eq!(trial.range(), (0, 2, 2));
}

#[test]
fn what_is_known_only_grows() {
    let mut trial = Trial::opened(false, None);
    assert_eq!(trial.append(1, 0, 7)[0], "applier: go");
    assert_eq!(trial.append(1, 0, 5), ["agreement: appended (0, 0] in life 1"]);
    assert_eq!(trial.node.shared.group().committed, 7);
}

#[test]
fn with_the_planted_bug_a_lonely_node_forgets_what_it_has_acknowledged() {
    let bug = &bugs::ACKNOWLEDGED_BEFORE_LOG_SYNC;
    for (alone, bug, lasts) in
        [(true, Some(bug), [1, 0]), (false, Some(bug), [0, 0]), (true, None, [0, 0])]
    {
        let mut trial = Trial::opened(alone, bug);
        let said = trial.append(1, 1, 0);
        assert_eq!(said.contains(&"log durable up to 1".to_owned()), lasts[0] == 1);
        assert_eq!(trial.range().2, lasts[0]);
        trial.crash();
        trial.open();
        assert_eq!(trial.range().2, lasts[1]);
    }
}

#[test]
fn what_was_read_is_durable_before_it_is_told() {
    let mut trial = Trial::opened(false, None);
    trial.append(1, 2, 0);
    trial.answer();
    // The sync never came; the process died, and after it the node.
    trial.node.files.iter_mut().for_each(|file| file.durable.truncate(16));
    trial.die();
    assert!(trial.open().contains(&"log opened: (0, 2]".to_owned()));
    trial.crash();
    assert!(trial.open().contains(&"log opened: (0, 2]".to_owned()));
}

#[test]
fn a_torn_tail_is_dropped_and_damage_ends_the_process() {
    let mut trial = Trial::opened(false, None);
    trial.append(1, 3, 0);
    trial.finish();
    let file = trial.node.names[&FILE] as usize;
    trial.node.files[file].durable.pop();
    trial.crash();
    assert!(trial.open().contains(&"log opened: (0, 2]".to_owned()));
    assert_eq!(trial.node.marks, [&mark::TORN_LOG]);
    trial.append(3, 3, 0);
    trial.finish();
    trial.crash();
    assert!(trial.open().contains(&"log opened: (0, 3]".to_owned()));

    let file = trial.node.names[&FILE] as usize;
    trial.node.files[file].durable[5] ^= 1;
    trial.crash();
    let said = trial.open();
    assert_eq!(said, ["open", "read", "the header of the log is damaged", "the log is damaged"]);
}

#[test]
fn a_log_forgets_what_the_backend_has_when_that_is_much() {
    let mut trial = Trial::opened(false, None);
    trial.append(1, 8, 8);
    trial.finish();
    trial.stored(3);
    trial.append(9, 8, 8);
    assert!(trial.finish().is_empty());
    trial.stored(4);
    let mut said = trial.append(9, 8, 8);
    said.extend(trial.finish());
    assert_eq!(said[1..], RENEWED);
    assert_eq!(trial.range(), (2, 8, 8));
    trial.append(9, 9, 8);
    trial.finish();
    trial.crash();
    assert!(trial.open().contains(&"log opened: (2, 9]".to_owned()));
}

#[test]
fn a_release_that_a_crash_meets_leaves_one_of_both_logs() {
    for answers in 0..=5 {
        for power in [false, true] {
            let mut trial = Trial::opened(false, None);
            trial.append(1, 8, 8);
            trial.finish();
            trial.stored(8);
            trial.append(9, 8, 8);
            (0..answers).for_each(|_| drop(trial.answer()));
            if power {
                trial.crash();
            } else {
                trial.die();
            }
            trial.open();
            let (base, last, durable) = trial.range();
            assert!((base == 0 || base == 6) && (last, durable) == (8, 8), "{answers} {base}");
            assert_eq!(base == 6, answers >= if power { 4 } else { 3 }, "{answers}");
        }
    }
}

#[test]
fn a_log_begins_anew_behind_a_snapshot() {
    let mut trial = Trial::opened(false, None);
    trial.append(1, 2, 2);
    // It waits for the write; what follows the snapshot comes meanwhile.
    assert!(trial.hear(MEMBER, GroupMsg::ResetLog(5)).is_empty());
    trial.append(3, 7, 2);
    let said = trial.finish();
    let told = ["member: log-reset", "log durable up to 7", "agreement: appended (5, 7] in life 1"];
    assert_eq!(said[said.len() - 4..said.len() - 1], told);
    assert_eq!((trial.range(), trial.node.shared.group().committed), ((5, 7, 7), 5));
    // Behind its end.
    trial.hear(MEMBER, GroupMsg::ResetLog(20));
    trial.append(8, 8, 2);
    trial.finish();
    assert_eq!(trial.range(), (20, 20, 20));
    assert_eq!(trial.hear(MEMBER, GroupMsg::ResetLog(3)), ["member: log-reset"]);
    trial.append(21, 21, 20);
    trial.finish();
    trial.crash();
    assert!(trial.open().contains(&"log opened: (20, 21]".to_owned()));
}

#[test]
fn it_stops_when_nothing_is_under_way() {
    assert_eq!(Trial::booted(false, None).event(Event::Stop), ["stopped"]);
    let mut trial = Trial::opened(false, None);
    trial.append(1, 1, 0);
    assert!(trial.event(Event::Stop).is_empty());
    assert_eq!(trial.finish().last().map(String::as_str), Some("stopped"));
}

#[test]
fn a_disk_that_fails_or_is_silent_ends_the_process() {
    let mut trial = Trial::opened(false, None);
    trial.append(1, 1, 0);
    trial.node.answers[0] = Err(DiskError::Io);
    assert_eq!(trial.answer(), ["the disk has failed"]);
    assert_eq!(trial.event(Event::Timer(Timer::Disk)), ["the disk does not answer"]);
    assert_eq!(trial.node.marks, [&mark::DISK_ENDED_PROCESS; 2]);
}
