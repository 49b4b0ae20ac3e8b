//! Each promise is seen to fail, and what a crash may take away is seen not to break one.

use super::*;
use crate::mvcc::fixture::request;
use crate::mvcc::op::At;
use std::sync::Arc;

const CLIENT: ActorId = ActorId(9);
const ID: WatchId = WatchId(1);

/// A judge, and the history that is to be told of.
struct Court {
    judge: WatchJudge,
    history: Reference,
    life: Life,
}

impl Court {
    /// In the first life of a node, with this history; connection 0 is served.
    fn after(lines: &[&str]) -> Court {
        let life = (NodeId(0), Incarnation(1));
        let mut court = Court { judge: WatchJudge::default(), history: Reference::new(), life };
        court.judge.opened(life, &court.history, 1);
        court.judge.begun(ConnId(0), life);
        court.done(lines);
        court
    }

    fn done(&mut self, lines: &[&str]) {
        for line in lines {
            self.history.apply(&request(line)).expect(line);
        }
    }

    /// The node dies and comes back at a revision; it serves this connection then.
    fn crash(&mut self, at: i64, conn: u32) {
        let life = (NodeId(0), Incarnation(self.life.1.0 + 1));
        self.judge.opened(life, &self.history, at);
        self.history.roll_back(at, -1);
        self.judge.begun(ConnId(conn), life);
        self.life = life;
    }

    fn hear(&mut self, note: &WatchNote) -> Option<(&'static str, &'static str)> {
        let verdicts = self.judge.hear(CLIENT, note, &self.history);
        verdicts.into_iter().find_map(|(promise, checked)| match checked {
            Checked::Broken(class, _) => Some((promise, class)),
            _ => None,
        })
    }

    /// A watcher of everything from a revision on, on some connection.
    fn watch(&mut self, conn: u32, from: i64) -> Option<(&'static str, &'static str)> {
        self.watch_as(conn, from, |interest| interest)
    }

    fn watch_as(
        &mut self,
        conn: u32,
        from: i64,
        change: impl Fn(Interest) -> Interest,
    ) -> Option<(&'static str, &'static str)> {
        let interest = Interest {
            keys: Keys::From(Vec::new()),
            from: At::Absolute(from),
            no_put: false,
            no_delete: false,
            with_previous: false,
        };
        let asked = WatchNote::Asked(ConnId(conn), ID, change(interest));
        assert_eq!(self.hear(&asked), None);
        self.hear(&WatchNote::Created(ConnId(conn), ID, self.history.current()))
    }

    fn told(&mut self, events: &[Event]) -> Option<(&'static str, &'static str)> {
        self.told_on(0, events)
    }

    fn told_on(&mut self, conn: u32, events: &[Event]) -> Option<(&'static str, &'static str)> {
        let revision = events.last().map_or(0, |event| event.kv.mod_revision);
        self.body(conn, Body::Events { revision, events: events.to_vec() })
    }

    fn body(&mut self, conn: u32, body: Body) -> Option<(&'static str, &'static str)> {
        self.hear(&WatchNote::Heard(ConnId(conn), vec![ID], Arc::new(body)))
    }

    /// The put of a key at a revision, as it happened.
    fn put(&self, key: &str, at: i64) -> Event {
        let kv = self.history.at(at).and_then(|state| state.get(key.as_bytes()));
        Event { kind: Kind::Put, kv: kv.expect("it is there").clone(), previous: None }
    }
}

fn deleted(key: &str, at: i64) -> Event {
    let kv = KeyValue { key: key.into(), mod_revision: at, ..KeyValue::default() };
    Event { kind: Kind::Delete, kv, previous: None }
}

const HISTORY: [&str; 4] = ["put a 1", "txn then put a 2; put b 2", "del b", "put c 5"];

#[test]
fn what_is_told_as_it_happened_breaks_nothing() {
    let mut court = Court::after(&HISTORY);
    assert_eq!(court.watch(0, 1), None);
    let [a, b] = ["a", "b"].map(|key| court.put(key, 3));
    assert!(court.judge.behind(&court.history).is_some());
    let first = court.put("a", 2);
    assert_eq!(court.told(&[first, a, b]), None);
    assert_eq!(court.body(0, Body::Progress { revision: 3 }), None);
    assert_eq!(court.told(&[deleted("b", 4)]), None);
    let last = court.put("c", 5);
    assert_eq!(court.told(&[last]), None);
    assert_eq!(court.judge.behind(&court.history), None);
    assert_eq!(court.body(0, Body::Progress { revision: 5 }), None);
}

#[test]
fn each_promise_is_seen_to_break() {
    type Telling = fn(&mut Court) -> Option<(&'static str, &'static str)>;
    let table: [(Telling, &str, &str); 12] = [
        (
            |c| c.told(&[c.put("a", 2), c.put("a", 3), c.put("b", 3), c.put("a", 2)]),
            ORDERED,
            "out of order",
        ),
        (|c| c.told(&[c.put("a", 2)]).or(c.told(&[c.put("a", 2)])), UNIQUE, "told twice"),
        (|c| c.told(&[c.put("a", 2), c.put("a", 3)]), ATOMIC, "split"),
        (|c| c.told(&[c.put("a", 3), c.put("b", 3)]), RELIABLE, "left out"),
        (|c| c.body(0, Body::Progress { revision: 2 }), BOOKMARK, "too early"),
        (|c| c.body(0, Body::Progress { revision: 9 }), BOOKMARK, "too early"),
        (
            |c| c.body(0, Body::Events { revision: 1, events: vec![c.put("a", 2)] }),
            BOOKMARK,
            "older than its events",
        ),
        (|c| c.told(&[deleted("a", 2)]), FAITHFUL, "told otherwise"),
        (|c| c.told(&[deleted("d", 2)]), FAITHFUL, "not asked for, or never happened"),
        (
            |c| c.told(&[Event { previous: Some(c.put("a", 2).kv), ..c.put("a", 2) }]),
            FAITHFUL,
            "another one before",
        ),
        (|c| c.body(0, Body::Compacted { compacted: 4 }), COMPACTED, "not overtaken"),
        (
            |c| {
                c.done(&["compact 5"]);
                c.told(&[c.put("c", 5)])
            },
            COMPACTED,
            "silent",
        ),
    ];
    for (n, (telling, promise, class)) in table.into_iter().enumerate() {
        let mut court = Court::after(&HISTORY);
        assert_eq!(court.watch(0, 1), None);
        assert_eq!(telling(&mut court), Some((promise, class)), "row {n}");
    }
}

#[test]
fn start_keys_filters_and_what_was_before_are_those_that_were_asked_for() {
    let mut court = Court::after(&HISTORY);
    court.watch(0, 3);
    let early = court.put("a", 2);
    assert_eq!(court.told(&[early]), Some((FAITHFUL, "before its start")));

    let mut court = Court::after(&HISTORY);
    court.watch_as(0, 1, |interest| Interest { no_put: true, with_previous: true, ..interest });
    let put = court.put("a", 2);
    assert_eq!(court.told(&[put]), Some((FAITHFUL, "not asked for, or never happened")));
    assert_eq!(court.told(&[deleted("b", 4)]), Some((FAITHFUL, "another one before")));
    let before = court.put("b", 3).kv;
    let deletion = Event { previous: Some(before), ..deleted("b", 4) };
    court.watch_as(0, 4, |interest| Interest { with_previous: true, ..interest });
    assert_eq!(court.told(&[deletion]), None);
    // After a compaction it may be gone.
    court.done(&["compact 4"]);
    court.watch_as(0, 5, |interest| Interest { with_previous: true, ..interest });
    let last = court.put("c", 5);
    assert_eq!(court.told(&[last]), None);

    let mut court = Court::after(&["put a 1", "put b 2", "del a.."]);
    court.watch(0, 4);
    assert_eq!(
        court.told(&[deleted("b", 4), deleted("b", 4)]),
        Some((FAITHFUL, "one key twice in a revision"))
    );
}

#[test]
fn the_end_is_told_once_and_nothing_comes_afterwards() {
    let mut court = Court::after(&HISTORY);
    court.done(&["compact 4"]);
    court.watch(0, 2);
    assert_eq!(court.body(0, Body::Compacted { compacted: 4 }), None);
    let again = court.body(0, Body::Compacted { compacted: 4 });
    assert_eq!(again, Some((COMPACTED, "told afterwards")));
    let mut court = Court::after(&HISTORY);
    court.watch(0, 5);
    assert_eq!(court.hear(&WatchNote::Cancelled(ConnId(0), ID)), None);
    let last = court.put("c", 5);
    assert_eq!(court.told(&[last]), Some((COMPACTED, "told afterwards")));
    assert_eq!(court.judge.behind(&court.history), None);
}

#[test]
fn a_watcher_is_resumed_where_it_was() {
    let resumed = |from, compacted: Option<i64>| {
        let mut court = Court::after(&HISTORY);
        court.watch(0, 1);
        let first = court.put("a", 2);
        assert_eq!(court.told(&[first]), None);
        if let Some(compacted) = compacted {
            court.done(&["compact 4"]);
            assert_eq!(court.body(0, Body::Compacted { compacted }), None);
        }
        court.hear(&WatchNote::Lost(ConnId(0)));
        court.judge.begun(ConnId(1), court.life);
        court.watch(1, from)
    };
    let broken = Some((RESUMES, "not where it was"));
    assert_eq!(resumed(3, None), None);
    assert_eq!((resumed(2, None), resumed(4, None)), (broken, broken));
    assert_eq!((resumed(4, Some(4)), resumed(5, Some(4))), (None, broken));
}

#[test]
fn what_a_crash_takes_away_was_told_of_its_own_life() {
    let mut court = Court::after(&HISTORY);
    court.watch(0, 1);
    let [first, a, b] = [("a", 2), ("a", 3), ("b", 3)].map(|(key, at)| court.put(key, at));
    // It comes back without 3, 4 and 5, and does something else at 3; what is still on its way is of the former life.
    court.crash(2, 1);
    court.done(&["put d 6"]);
    assert_eq!(court.told(&[first, a, b]), None);
    court.hear(&WatchNote::Lost(ConnId(0)));
    // The new life cannot know what the client has seen.
    assert_eq!(court.watch(1, 4), None);
    court.done(&["put d 7"]);
    let next = court.put("d", 4);
    assert_eq!(court.told_on(1, &[next]), None);

    // Nothing was lost that the client had seen: it is to miss nothing.
    let mut court = Court::after(&HISTORY);
    court.watch(0, 1);
    let first = court.put("a", 2);
    assert_eq!(court.told(&[first]), None);
    court.crash(4, 1);
    court.hear(&WatchNote::Lost(ConnId(0)));
    assert_eq!(court.watch(1, 4), Some((RESUMES, "not where it was")));
}
