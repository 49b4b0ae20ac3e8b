//! Each promise is seen to fail.

use std::sync::Arc;

use seedbed_sim::id::{ActorId, OpId};

use super::super::CONSISTENT_INDEX;
use super::super::entry::Proposal;
use super::*;
use crate::mvcc::backend::Bucket;
use crate::mvcc::defects::Defects;
use crate::mvcc::fixture::{Node, request};
use crate::mvcc::response::{KeyValue, OpError, Response};
use crate::mvcc::revision::{RecordKey, Revision};

const N0: NodeId = NodeId(0);
const N1: NodeId = NodeId(1);

type Broken = Option<(&'static str, &'static str)>;

/// The first broken promise with its class.
fn broken(verdicts: Verdicts) -> Broken {
    verdicts.into_iter().find_map(|(promise, checked)| match checked {
        Checked::Broken(class, _) => Some((promise, class)),
        Checked::Held | Checked::Skipped => None,
    })
}

fn ask(number: u32, attempt: u32) -> AskId {
    AskId { op: OpId { client: ActorId(9), number }, attempt }
}

fn entry(index: u64, line: &str) -> Entry {
    let ask = Some(ask(u32::try_from(index).expect("small"), 1));
    Entry { index, proposal: Arc::new(Proposal { ask, request: request(line) }) }
}

/// A group of two nodes, and its judge.
struct Court {
    judge: GroupJudge,
    nodes: [Node; 2],
}

impl Court {
    fn new() -> Court {
        let nodes = [0, 1].map(|_| Node::leasing(Defects::NONE));
        Court { judge: GroupJudge::default(), nodes }
    }

    /// Node 0 has applied these entries from the first one on, and they are committed.
    fn after(lines: &[&str]) -> Court {
        let mut court = Court::new();
        court.judge.hear(N0, &GroupNote::Committed(lines.len() as u64), (None, Time(0)));
        for (line, index) in lines.iter().zip(1..) {
            assert_eq!(court.apply(N0, index, line), None, "{line}");
        }
        court
    }

    fn node(&mut self, node: NodeId) -> &mut Node {
        &mut self.nodes[usize::from(node.0)]
    }

    /// A node applies an entry, and says so.
    fn apply(&mut self, node: NodeId, index: u64, line: &str) -> Broken {
        let outcome = self.node(node).ask(&request(line));
        self.state(node, entry(index, line), outcome)
    }

    /// A node says that it has applied an entry, whatever it did.
    fn state(&mut self, node: NodeId, entry: Entry, outcome: Outcome) -> Broken {
        let note = GroupNote::Applied(entry, Arc::new(outcome));
        let store = &self.nodes[usize::from(node.0)].store;
        broken(self.judge.hear(node, &note, (Some(store), Time(0))))
    }

    /// A client, or the log of a node, states something.
    fn hear(&mut self, node: NodeId, note: &GroupNote) -> Broken {
        broken(self.judge.hear(node, note, (None, Time(0))))
    }

    /// A node answers `get a` at some entry.
    fn read(&mut self, id: AskId, (at, outcome): (u64, Outcome), of: Staleness) -> Broken {
        let request = Arc::new(request("get a"));
        self.hear(N0, &GroupNote::Read(id, request, Arc::new(outcome), at, of))
    }

    /// A node comes back, with a backend that is up to an entry by its own word.
    fn open(&mut self, node: NodeId, index: u64) -> Broken {
        let Node { store, backend, .. } = &mut self.nodes[usize::from(node.0)];
        let value = index.to_be_bytes().to_vec();
        backend.put(Bucket::Meta, CONSISTENT_INDEX.to_vec(), value);
        broken(self.judge.opened(node, store, backend))
    }

    fn compacted(&mut self, node: NodeId, at: i64) -> Broken {
        let Node { store, backend, .. } = &self.nodes[usize::from(node.0)];
        broken(self.judge.compacted(node, at, (store, backend)))
    }
}

const LOG: [&str; 8] = [
    "grant 1 5",
    "put a 1 lease 1",
    "txn then put a 2 lease 1; put b 1",
    "put c 1 lease 9",
    "del b",
    "compact 3",
    "put c 1 lease 1",
    "get a",
];

#[test]
fn a_group_that_does_as_it_should_breaks_nothing() {
    let mut court = Court::after(&LOG);
    assert_eq!((court.judge.last(), court.judge.committed()), (8, 8));
    court.node(N0).compact();
    assert_eq!(court.compacted(N0, 3), None);
    for (line, index) in LOG[..4].iter().zip(1..) {
        assert_eq!(court.apply(N1, index, line), None, "{line}");
    }
    // It comes back where it was, and does not apply anything twice.
    court.node(N1).commit();
    court.node(N1).crash(2);
    assert_eq!(court.open(N1, 4), None);
    for (line, index) in LOG.iter().zip(1..).skip(4) {
        assert_eq!(court.apply(N1, index, line), None, "{line}");
    }
    assert_eq!(court.judge.done().len(), 8);
    // A node that gets the backend of another one.
    let other = court.node(N0).clone();
    *court.node(N1) = other;
    assert_eq!(court.open(N1, 8), None);
    court.judge.hear(N0, &GroupNote::Committed(9), (None, Time(0)));
    for node in [N0, N1] {
        assert_eq!(court.apply(node, 9, "revoke 1"), None);
        assert_eq!(court.open(node, 9), None);
    }
}

#[test]
fn what_a_node_answers_is_held_against_the_reference_and_the_others() {
    let put = |revision| Ok(Response::Put { revision });
    let mut court = Court::after(&LOG[..1]);
    court.node(N0).done(&["put a 1"]);
    assert_eq!(court.state(N0, entry(2, "put a 1"), put(9)), Some((ANSWERS_AGREE, "wrong answer")));
    let mut court = Court::after(&LOG[..1]);
    let said = court.state(N0, entry(2, "put a 1"), put(2));
    assert_eq!(said, Some((ANSWERS_AGREE, "another position")));

    let refused = "txn then put b 1; get a @9";
    let second = |line: &str, done: &[&str], said: OpError| {
        let mut court = Court::after(&["put a 1", refused]);
        assert_eq!(court.apply(N1, 1, "put a 1"), None);
        court.node(N1).done(done);
        court.state(N1, entry(2, line), Err(said))
    };
    assert_eq!(second(refused, &[], OpError::FutureRevision), None);
    let other = second("put b 2", &[], OpError::FutureRevision);
    assert_eq!(other, Some((REPLICAS_AGREE, "another entry")));
    let other = second(refused, &[], OpError::Compacted);
    assert_eq!(other, Some((REPLICAS_AGREE, "another answer")));
    let other = second(refused, &["put b 1"], OpError::FutureRevision);
    assert_eq!(other, Some((REPLICAS_AGREE, "another position")));
}

#[test]
fn a_client_is_told_of_its_own_entry() {
    let told = |number, index, revision| {
        let mut court = Court::after(&["put a 1", "put b 1"]);
        let outcome = Arc::new(Ok(Response::Put { revision }));
        court.hear(N0, &GroupNote::Told(ask(number, 1), index, outcome))
    };
    let otherwise = Some((ANSWERS_AGREE, "told otherwise"));
    assert_eq!(told(2, 2, 3), None);
    assert_eq!((told(2, 2, 2), told(1, 2, 3), told(2, 3, 3)), (otherwise, otherwise, otherwise));
}

#[test]
fn every_entry_is_applied_once_and_in_order() {
    let out_of_order = Some((EQUALS_LOG, "out of order"));
    let mut court = Court::after(&LOG[..3]);
    assert_eq!(court.apply(N0, 3, LOG[2]), out_of_order);
    assert_eq!(court.apply(N1, 2, LOG[1]), out_of_order);
    // A backend that is said to be less far than it is makes a node apply an entry again.
    let mut court = Court::after(&LOG[..3]);
    assert_eq!(court.open(N0, 2), Some((EQUALS_LOG, "another position")));
}

#[test]
fn a_backend_is_what_the_log_makes_of_it() {
    let opened = |spoil: fn(&mut Court), index| {
        let mut court = Court::after(&LOG);
        spoil(&mut court);
        court.open(N0, index)
    };
    assert_eq!(opened(|_| (), 8), None);
    assert_eq!(opened(|_| (), 9), Some((EQUALS_LOG, "not committed")));
    let ahead = |court: &mut Court| {
        court.judge.hear(N0, &GroupNote::Committed(9), (None, Time(0)));
    };
    assert_eq!(opened(ahead, 9), Some((EQUALS_LOG, "never applied")));
    assert_eq!(opened(|_| (), 6), Some((EQUALS_LOG, "another position")));
    let differs = |court: &mut Court| {
        let mut other = Node::leasing(Defects::NONE);
        other.done(&["grant 1 5", "put a 1 lease 1", "txn then put a 3 lease 1; put b 1"]);
        other.done(&["del b", "compact 3", "put c 1 lease 1"]);
        *court.node(N0) = other;
    };
    assert_eq!(opened(differs, 8), Some((EQUALS_LOG, "differs")));
}

#[test]
fn leases_and_what_is_attached_to_them_are_those_of_the_reference() {
    let differs = Some((LEASES_ARE_EXACT, "differs"));
    let log = ["grant 1 5", "grant 2 4", "put a 1 lease 1"];
    let others = [
        (["grant 1 5", "grant 2 5", "put a 1 lease 1"], differs),
        (["grant 1 5", "grant 3 4", "put a 1 lease 1"], differs),
        // Here the key itself differs, too.
        (["grant 1 5", "grant 2 4", "put a 1 lease 2"], Some((EQUALS_LOG, "differs"))),
        (["grant 1 5", "grant 2 4", "put a 1"], Some((EQUALS_LOG, "differs"))),
    ];
    for (lines, when_opened) in others {
        let mut court = Court::after(&log);
        *court.node(N0) = Node::leasing(Defects::NONE);
        court.node(N0).done(&lines);
        assert_eq!(court.apply(N0, 4, "get b"), differs, "{lines:?}");
        assert_eq!(court.open(N0, 3), when_opened, "{lines:?}");
    }
    let mut court = Court::after(&log);
    court.node(N0).store = Node::after(&["put a 1"]).store;
    assert_eq!(court.apply(N0, 4, "get b"), differs);
}

#[test]
fn what_was_acknowledged_stays_in_the_log() {
    let opened = |last| {
        let mut court = Court::new();
        assert_eq!(court.hear(N0, &GroupNote::LogOpened(0, 0)), None);
        for last in [3, 2] {
            assert_eq!(court.hear(N0, &GroupNote::Acknowledged(last)), None);
        }
        assert_eq!(court.hear(N1, &GroupNote::LogOpened(0, 0)), None);
        court.hear(N0, &GroupNote::LogOpened(1, last))
    };
    assert_eq!((opened(3), opened(4)), (None, None));
    assert_eq!(opened(2), Some((ACKNOWLEDGED_STAYS, "gone")));
    let lost = Court::new().hear(N0, &GroupNote::Lost(2));
    assert_eq!(lost, Some((ACKNOWLEDGED_STAYS, "lost by all")));
}

/// What a read finds of `a` after so many puts of it.
fn found(puts: u64) -> Outcome {
    let mut node = Node::leasing(Defects::NONE);
    (0..puts).for_each(|n| node.done(&[&format!("put a {n}")]));
    node.ask(&request("get a"))
}

#[test]
fn a_read_sees_what_was_acknowledged_before_it() {
    let court = || {
        let mut court = Court::after(&["put a 0", "put a 1", "put a 2", "put b 3"]);
        court.hear(N0, &GroupNote::Wanted(ask(20, 1)));
        let told = Arc::new(Ok(Response::Put { revision: 3 }));
        assert_eq!(court.hear(N0, &GroupNote::Told(ask(2, 1), 2, told)), None);
        court.hear(N0, &GroupNote::Wanted(ask(21, 2)));
        court
    };
    // One that began before may see what was before; so may one whose beginning is not known.
    assert_eq!(court().read(ask(20, 1), (1, found(1)), Staleness::Newest), None);
    assert_eq!(court().read(ask(21, 1), (1, found(1)), Staleness::Newest), None);
    let newest = |at, outcome| court().read(ask(21, 2), (at, outcome), Staleness::Newest);
    assert_eq!(newest(1, found(1)), Some((READS_SEE, "too old")));
    assert_eq!((newest(2, found(2)), newest(3, found(3))), (None, None));
    assert_eq!(newest(3, found(2)), Some((READS_SEE, "another state")));
    assert_eq!(newest(5, found(3)), Some((READS_SEE, "never applied")));
    // Who comes after a read is shown no less than that.
    let mut later = court();
    assert_eq!(later.read(ask(21, 2), (3, found(3)), Staleness::Newest), None);
    later.hear(N0, &GroupNote::Wanted(ask(22, 1)));
    let less = later.read(ask(22, 2), (2, found(2)), Staleness::Newest);
    assert_eq!(less, Some((READS_SEE, "too old")));
    // Any state will do where that is asked for, if it is that of its revision.
    let stale = |at, outcome| court().read(ask(21, 2), (at, outcome), Staleness::Any);
    assert_eq!(stale(1, found(1)), None);
    assert_eq!(stale(1, found(2)), Some((READS_SEE, "another state")));

    let outcome = Arc::new(Ok(Response::Put { revision: 6 }));
    let written = Arc::new(request("put a 9"));
    let note = GroupNote::Read(ask(20, 1), written, outcome, 4, Staleness::Newest);
    assert_eq!(court().hear(N0, &note), Some((READS_SEE, "written past the log")));
}

#[test]
fn a_read_of_a_node_that_lags_behind_goes_by_what_was_compacted_there() {
    let log = ["put a 0", "put a 1", "compact 3", "put a 2"];
    let said = |at: u64, answered_after: usize| {
        let mut node = Node::leasing(Defects::NONE);
        node.done(&log[..answered_after]);
        let outcome = Arc::new(node.ask(&request("get a @2")));
        let request = Arc::new(request("get a @2"));
        let note = GroupNote::Read(ask(20, 1), request, outcome, at, Staleness::Any);
        Court::after(&log).hear(N1, &note)
    };
    assert_eq!((said(2, 2), said(3, 3), said(4, 4)), (None, None, None));
    let otherwise = Some((READS_SEE, "another state"));
    assert_eq!((said(2, 3), said(3, 2)), (otherwise, otherwise));
}

#[test]
fn records_index_and_hash_are_looked_at_after_a_compaction() {
    let record = |main| {
        let revision = Revision::new(main, 0);
        RecordKey { revision, tombstone: false }.encode()
    };
    let log = ["put a 0", "put a 1", "put b 1", "compact 3", "put b 2", "put c 1"];
    let court = || {
        let mut court = Court::after(&log);
        // Node 1 lags behind.
        for (line, index) in log[..5].iter().zip(1..) {
            assert_eq!(court.apply(N1, index, line), None);
        }
        court.node(N1).compact();
        assert_eq!(court.compacted(N1, 3), None);
        court
    };
    for main in [3, 5] {
        let mut less = court();
        less.node(N1).backend.delete(Bucket::Key, record(main));
        let differs = Some((INDEX_EQUALS_BACKEND, "differs"));
        assert_eq!((less.compacted(N1, 3), less.open(N1, 5)), (differs, differs));
    }
    let mut more = court();
    let value = more.node(N1).backend.get(Bucket::Key, &record(3)).map(<[u8]>::to_vec);
    more.node(N1).backend.put(Bucket::Key, record(2), value.expect("it is there"));
    assert_eq!(more.compacted(N1, 3), Some((INDEX_EQUALS_BACKEND, "differs")));
    // A record of the right key that says something else.
    let mut other = court();
    let value = crate::mvcc::record::encode(&KeyValue {
        key: b"b".to_vec(),
        create_revision: 4,
        mod_revision: 5,
        version: 2,
        value: b"3".to_vec(),
        lease: 0,
    });
    other.node(N1).backend.put(Bucket::Key, record(5), value);
    assert_eq!(other.compacted(N1, 3), Some((HASHES_AGREE, "differs")));
}

#[test]
fn a_node_that_was_never_written_begins_with_the_first_entry() {
    let mut court = Court::after(&["put a 0", "del a"]);
    let Node { store, backend, .. } = Node::leasing(Defects::NONE);
    assert_eq!(broken(court.judge.opened(N1, &store, &backend)), None);
    assert_eq!(court.apply(N1, 1, "put a 0"), None);
    let hash = |court: &Court| {
        let Node { store, backend, .. } = &court.nodes[1];
        court.judge.hash(N1, store, backend)
    };
    assert_eq!(hash(&court), Checked::Held);
    assert_eq!(court.apply(N1, 2, "del a"), None);
    assert_eq!(hash(&court), Checked::Skipped, "nothing is there any more");
}
