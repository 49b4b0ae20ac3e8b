//! Every sequence of operations on a small log, up to a length; equal states are gone on from once.

use std::hash::{Hash, Hasher};
use std::io::{Write, stderr};

use hashbrown::HashSet;
use seedbed_sim::choose::{FixedState, Mixer, start};

use super::checks;
use super::defects::Defects;
use super::manager::Role;
use super::op::{Change, CursorName, Key, Short};
use super::pair::{NOTHING_IS_SKIPPED, Outcome, Pair, same};
use super::settings::Settings;

const READER: CursorName = CursorName::Named(1);
const LENGTH: usize = 7;
const TRANSITIONS_MIN: u64 = 5_000_000;

#[derive(Clone, Copy, Debug)]
enum Op {
    Set(u8),
    Delete(u8),
    Next(CursorName),
    FetchAll(CursorName),
    Drain,
    FlushFailed,
    Close,
    Remove,
    RegisterAtOldest,
    RegisterAtOpen,
    RegisterAtGone,
    RemoveCursor,
    Start,
    Complete,
    Revert,
    FinishRevert,
}

const OPS: [Op; 20] = [
    Op::Set(b'a'),
    Op::Set(b'b'),
    Op::Delete(b'a'),
    Op::Delete(b'b'),
    Op::Next(CursorName::Persistence),
    Op::Next(READER),
    Op::FetchAll(CursorName::Persistence),
    Op::FetchAll(READER),
    Op::Drain,
    Op::FlushFailed,
    Op::Close,
    Op::Remove,
    Op::RegisterAtOldest,
    Op::RegisterAtOpen,
    Op::RegisterAtGone,
    Op::RemoveCursor,
    Op::Start,
    Op::Complete,
    Op::Revert,
    Op::FinishRevert,
];

const SMALL: Settings = Settings { max_items: 2, max_checkpoints: 3, ..Settings::USUAL };

fn key(name: u8) -> Key {
    Short::new(&[name]).expect("it fits")
}

fn newborn(defects: Defects) -> Pair {
    let mut pair = Pair::new(SMALL, Role::Active, defects);
    let first = pair.log.open_id();
    pair.register(READER, first).expect("the reader comes");
    pair
}

/// One operation on both; what they answer must be the same.
fn apply(pair: &mut Pair, op: Op) -> Outcome {
    let Pair { log, reference } = pair;
    match op {
        Op::Set(name) => queue(pair, Change::set(key(name), Short::EMPTY)),
        Op::Delete(name) => queue(pair, Change::delete(key(name))),
        Op::Next(name) => pair.next(name),
        Op::FetchAll(name) => pair.fetch_all(name),
        Op::Drain => pair.drain(),
        Op::FlushFailed => {
            log.flush_failed();
            reference.end_flush(true);
            Ok(())
        }
        Op::Close => {
            log.create(0);
            reference.create(0);
            Ok(())
        }
        Op::Remove => {
            log.remove_unreferenced(0);
            reference.remove(0);
            checks::unneeded_goes(log).map_err(|broken| broken.to_string())
        }
        Op::RegisterAtOldest => {
            let oldest = log.checkpoints()[0].id();
            pair.register(READER, oldest)
        }
        Op::RegisterAtOpen => {
            let open = log.open_id();
            pair.register(READER, open)
        }
        Op::RegisterAtGone => {
            let gone = log.checkpoints()[0].id().previous();
            pair.register(READER, gone)
        }
        Op::RemoveCursor => {
            log.remove_cursor(READER);
            reference.remove_reader(READER);
            Ok(())
        }
        Op::Start => same("start", &log.start(0).is_ok(), &reference.start(0)),
        Op::Complete => same("complete", &log.complete(0).is_ok(), &reference.complete(0)),
        Op::Revert => same("revert", &log.begin_revert(0).is_ok(), &reference.revert(0)),
        Op::FinishRevert => {
            log.finish_revert();
            reference.finish_revert();
            Ok(())
        }
    }
}

fn queue(pair: &mut Pair, change: Change) -> Outcome {
    let queued = pair.log.queue(0, change);
    same("grew", &Some(queued.persistence_grew()), &pair.reference.queue(0, change))
}

/// Which operations led to a state: five bits for each, the last one lowest; a one in front.
type Way = u64;

fn ops_of(way: Way) -> Vec<Op> {
    let mut ops = Vec::new();
    let mut rest = way;
    while rest > 1 {
        ops.push(OPS[usize::try_from(rest & 31).expect("five bits")]);
        rest >>= 5;
    }
    ops.reverse();
    ops
}

fn fingerprint(pair: &Pair) -> u64 {
    let mut mixer = Mixer::new(start(0));
    pair.hash(&mut mixer);
    mixer.finish()
}

struct Explored {
    transitions: u64,
    states: usize,
}

/// Goes every way up to a length; the first one that breaks something is one of the shortest.
fn explore(length: usize, defects: Defects) -> Result<Explored, String> {
    let mut seen = HashSet::with_hasher(FixedState);
    let mut ways: Vec<Way> = vec![1];
    let mut transitions = 0;
    for step in 1..=length {
        let mut further = Vec::new();
        for way in ways {
            let mut from = newborn(defects);
            for op in ops_of(way) {
                let _ = apply(&mut from, op);
            }
            for (op, number) in OPS.into_iter().zip(0..) {
                let (mut to, way) = (from.clone(), way << 5 | number);
                transitions += 1;
                let outcome = apply(&mut to, op).and_then(|()| to.check());
                outcome.map_err(|broken| format!("{:?}: {broken}", ops_of(way)))?;
                // Nobody goes on from the states at the end of the longest ways.
                if step < length && seen.insert(fingerprint(&to)) {
                    further.push(way);
                }
            }
        }
        ways = further;
    }
    Ok(Explored { transitions, states: 1 + seen.len() })
}

#[test]
fn every_short_sequence_of_operations_does_what_the_reference_model_does() {
    let explored = explore(LENGTH, Defects::NONE).unwrap_or_else(|broken| panic!("{broken}"));
    let Explored { transitions, states } = explored;
    let _ = writeln!(stderr(), "{transitions} transitions from {states} states");
    assert!(transitions >= TRANSITIONS_MIN, "{transitions} are too few");
}

#[test]
fn a_cursor_repair_that_is_off_by_one_is_caught() {
    let defects = Defects { repair_off_by_one: true, ..Defects::NONE };
    let broken = explore(LENGTH, defects).err().expect("it is seen");
    assert!(broken.contains(NOTHING_IS_SKIPPED), "{broken}");
}
