use seedbed_sim::actor::BugSet;
use seedbed_sim::time::{Span, Time};

use super::*;
use crate::tap::frame::{Body, Status, Wish};
use crate::tap::intake::{Intake, Taken};
use crate::vbucket::memory::Memory;
use crate::vbucket::op::{Key, State, Value};
use crate::vbucket::settings::Settings as DataSettings;
use crate::vbucket::table::Entry;

const VB: Vb = Vb(0);

/// A producer and a consumer with what is in flight between them.
struct Pair {
    master: Memory,
    replica: Memory,
    producer: Producer,
    intake: Intake,
    now: Time,
    flight: VecDeque<(Seqno, bool, Message)>,
    is_over: bool,
}

impl Pair {
    fn new(is_takeover: bool, settings: Settings) -> Pair {
        let memory = |node, state| {
            let data = DataSettings { nodes: 2, node, max_items: 4, ..DataSettings::default() };
            let mut memory = Memory::new(data, 0, BugSet::NONE);
            memory.create(VB, state, 0);
            memory
        };
        let mut pair = Pair {
            master: memory(0, State::Active),
            replica: memory(1, State::Replica),
            producer: Producer::new(Name(1), is_takeover, (settings, BugSet::NONE)),
            intake: Intake::new(BugSet::NONE),
            now: Time(1),
            flight: VecDeque::new(),
            is_over: false,
        };
        pair.connect();
        pair
    }

    fn set(&mut self, key: u8, value: &str) {
        let value = Some(Value::new(value));
        let entry = Entry { value, flags: 0, until: None, cas: 0, dirty: true, row: None };
        if self.master.vbs[&VB].standing.state == State::Active {
            self.master.change(VB, Key(key), Some(entry), self.now.0);
        }
    }

    fn connect(&mut self) {
        self.flight.clear();
        self.intake.begins(&[VB].into());
        let wishes: Vec<Wish> = self.intake.wishes(&[VB].into(), &self.replica);
        self.producer.connect(&wishes, &mut self.master, self.now);
    }

    /// One step of the producer. Whether it did something.
    fn say(&mut self) -> bool {
        match self.producer.next(&mut self.master, self.now) {
            Next::Say(seqno, wants_answer, message) => {
                self.flight.push_back((seqno, wants_answer, message));
            }
            Next::Backfill(vb, token) => {
                assert!(self.producer.backfill_begins(vb, token, &mut self.master));
                let table = self.master.vbs[&vb].table.clone();
                for (key, Entry { value, flags, until, cas, .. }) in table.iter() {
                    let value = value.clone().expect("nothing is evicted");
                    let (flags, until, cas) = (*flags, *until, *cas);
                    let version = Version { key, value, flags, until, cas };
                    self.producer.fill(vb, token, version, false);
                }
                self.producer.backfill_ends(vb, token);
            }
            Next::Die(vbs) => {
                for vb in vbs {
                    let standing = self.master.stand(vb, State::Dead, self.now.0);
                    let vbucket = self.master.vbs.get_mut(&vb).expect("it is there");
                    vbucket.saved = standing.change;
                }
            }
            Next::Over => {
                self.is_over = true;
                return false;
            }
            Next::HangUp => panic!("somebody answers"),
            Next::Rest(until) => {
                let is_suspended = self.producer.is_suspended();
                if is_suspended {
                    self.now = until;
                }
                return is_suspended;
            }
        }
        true
    }

    /// The consumer takes the next message, or rejects it, and its answer arrives at once.
    fn take(&mut self, rejects: bool) -> bool {
        let Some((seqno, wants_answer, message)) = self.flight.pop_front() else { return false };
        let taken = self.intake.take(&message, &mut self.replica, self.now.0, rejects);
        let status = match taken {
            Taken::Rejected => Status::TemporaryFailure,
            Taken::Resets(vb) => {
                self.intake.reset(vb, &mut self.replica, self.now.0);
                Status::Success
            }
            Taken::Stands(vb, state) => {
                self.replica.stand(vb, state, self.now.0);
                Status::Success
            }
            Taken::Done | Taken::With(_) => Status::Success,
            Taken::Waits | Taken::HangUp | Taken::Anew | Taken::Aborts(_) => {
                panic!("{message}: {taken:?}")
            }
        };
        if wants_answer || status == Status::TemporaryFailure {
            self.producer.answer(seqno, status, self.now);
        }
        true
    }

    fn settle(&mut self) {
        while self.say() || self.take(false) {}
    }

    fn tables(&self) -> [Vec<(Key, u64)>; 2] {
        [&self.master, &self.replica].map(|memory| {
            memory.vbs[&VB].table.iter().map(|(key, entry)| (key, entry.cas)).collect()
        })
    }

    fn bodies(&self) -> Vec<String> {
        self.flight.iter().map(|(_, _, message)| message.to_string()).collect()
    }
}

fn small() -> Settings {
    Settings { window: 4, ack_interval: 3, backoff: Span::ms(10), ..Settings::default() }
}

#[test]
fn a_replica_comes_to_be_what_its_master_is() {
    let mut pair = Pair::new(false, small());
    for round in 0..5 {
        for key in 0..4 {
            pair.set(key, &format!("{round}.{key}"));
        }
        pair.settle();
        let [master, replica] = pair.tables();
        assert_eq!(master, replica);
    }
}

#[test]
fn what_is_behind_a_rejected_change_comes_again_after_it() {
    let mut pair = Pair::new(false, small());
    pair.settle();
    pair.set(0, "1");
    pair.say();
    pair.set(0, "2");
    pair.say();
    pair.set(1, "3");
    pair.say();
    assert_eq!(pair.bodies().len(), 3);
    let before = pair.bodies();
    pair.take(true);
    pair.flight.clear();
    assert!(pair.producer.is_suspended());
    while pair.say() && pair.flight.len() < 3 {}
    assert_eq!(pair.bodies(), before);
}

#[test]
fn the_end_of_a_checkpoint_waits_for_what_was_rejected() {
    let mut pair = Pair::new(false, small());
    pair.settle();
    pair.set(0, "1");
    pair.say();
    pair.master.vbs.get_mut(&VB).expect("it is there").log.create(0);
    pair.say();
    assert!(pair.bodies().iter().all(|body| !body.contains("checkpoint_end")));
    pair.take(true);
    while pair.say() && !pair.bodies().iter().any(|body| body.contains(" set ")) {}
    assert!(pair.bodies().iter().all(|body| !body.contains("checkpoint_end")));
    while pair.take(false) {}
    pair.say();
    assert!(pair.bodies()[0].contains("checkpoint_end"));
}

#[test]
fn no_more_than_the_window_is_without_an_answer() {
    let mut pair = Pair::new(false, small());
    pair.settle();
    for key in 0..6 {
        pair.set(key, "1");
        pair.say();
    }
    assert_eq!((pair.flight.len(), pair.producer.unanswered()), (4, 4));
    assert!(pair.flight[3].1, "the last one that fits asks for an answer");
    pair.settle();
    let [master, replica] = pair.tables();
    assert_eq!(master, replica);
}

/// S73, with the keys that there are: each change is rejected once, and in every fourth step the connection is lost.
#[test]
fn every_change_arrives_though_each_is_rejected_and_connections_are_lost() {
    let mut pair = Pair::new(false, Settings { first: Seqno(u32::MAX - 2), ..small() });
    pair.settle();
    let mut rejected = std::collections::BTreeSet::new();
    for key in 0..6 {
        pair.set(key, &format!("{key}"));
    }
    for step in 0..1_000 {
        if step % 4 == 3 {
            pair.connect();
        }
        pair.say();
        let next = pair.flight.front().map(|(_, _, message)| message.clone());
        let is_new = next.is_some_and(|message| {
            matches!(message.body, Body::Set(..)) && rejected.insert(message.to_string())
        });
        pair.take(is_new);
    }
    pair.settle();
    assert_eq!(rejected.len(), 6);
    let [master, replica] = pair.tables();
    assert_eq!(master, replica);
}

/// S71: what is there before a takeover and what is written during it is there when the new owner is active, and nothing
/// comes after that.
#[test]
fn a_takeover_brings_everything_and_nothing_behind_it() {
    let mut pair = Pair::new(true, Settings { threshold: 1, ..small() });
    for key in 0..3 {
        pair.set(key, "before");
    }
    let mut number = 0;
    while !pair.is_over {
        number += 1;
        assert!(number < 1_000, "it comes to an end");
        if number < 20 {
            pair.set(3 + (number % 3) as u8, &format!("{number}"));
        }
        pair.say();
        if number % 2 == 0 || pair.flight.len() > 2 {
            pair.take(false);
        }
        let is_active = pair.replica.vbs[&VB].standing.state == State::Active;
        assert!(!is_active || pair.flight.is_empty());
    }
    let states = [&pair.master, &pair.replica].map(|memory| memory.vbs[&VB].standing.state);
    assert_eq!(states, [State::Dead, State::Active]);
    let [master, replica] = pair.tables();
    assert_eq!(master, replica);
    assert_eq!(master.len(), 6);
}

#[test]
fn a_stream_leaves_no_cursor_behind() {
    let mut pair = Pair::new(false, small());
    pair.settle();
    let has_cursor = |pair: &Pair| pair.master.vbs[&VB].log.cursor(CursorName::Named(1)).is_some();
    assert!(has_cursor(&pair));
    pair.producer.filter(&[], &mut pair.master);
    assert!(!has_cursor(&pair) && pair.producer.queued().next().is_none());
    pair.connect();
    assert!(has_cursor(&pair));
    pair.producer.forget(&mut pair.master);
    assert!(!has_cursor(&pair));
}

#[test]
fn an_answer_to_a_stream_that_was_given_up_says_nothing_of_the_next_one() {
    let mut pair = Pair::new(false, Settings::default());
    assert!(pair.say());
    pair.producer.filter(&[], &mut pair.master);
    let wishes = pair.intake.wishes(&[VB].into(), &pair.replica);
    pair.producer.filter(&wishes, &mut pair.master);
    assert!(pair.say());
    let resets: Vec<Seqno> = pair.flight.iter().map(|(seqno, ..)| *seqno).collect();
    assert!(pair.flight.iter().all(|(_, _, message)| message.body == Body::Reset));
    pair.producer.answer(resets[0], Status::Success, pair.now);
    let next = pair.producer.next(&mut pair.master, pair.now);
    assert!(!matches!(next, Next::Backfill(..)), "the other end is about to forget it again");
    pair.producer.answer(resets[1], Status::Success, pair.now);
    let next = pair.producer.next(&mut pair.master, pair.now);
    assert!(matches!(next, Next::Backfill(..)));
}
