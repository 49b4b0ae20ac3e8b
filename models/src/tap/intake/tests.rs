use super::*;
use crate::checkpoint::op::Operation;
use crate::vbucket::op::Value;
use crate::vbucket::settings::Settings;
use crate::vbucket::vb::key_of;

const VB: Vb = Vb(0);
const LIFE: Incarnation = Incarnation(77);

fn replica() -> (Intake, Memory) {
    let mut memory = Memory::new(Settings::default(), 0, BugSet::NONE);
    memory.create(VB, State::Replica, 0);
    (Intake::new(BugSet::NONE), memory)
}

fn set(key: u8, value: &str, cas: u64) -> Body {
    let value = Value::new(value);
    Body::Set(0, Version { key: Key(key), value, flags: 1, until: Some(9), cas })
}

fn take((intake, memory): &mut (Intake, Memory), body: Body) -> Taken {
    intake.take(&Message { vb: VB, body }, memory, 0, false)
}

fn held(memory: &Memory) -> Vec<(Key, u64)> {
    memory.vbs[&VB].table.iter().map(|(key, entry)| (key, entry.cas)).collect()
}

#[test]
fn it_asks_for_what_comes_after_the_last_checkpoint_that_it_has_whole() {
    let mut replica = replica();
    let wish = |(intake, memory): &(Intake, Memory)| {
        let wishes = intake.wishes(&[VB].into(), memory);
        wishes.first().map(|wish| (wish.closed.0, wish.incarnation.0))
    };
    assert_eq!(wish(&replica), Some((0, 0)));
    take(&mut replica, Body::Start(CheckpointId(3), LIFE));
    assert_eq!(wish(&replica), Some((2, 77)));
    take(&mut replica, Body::End(CheckpointId(3)));
    assert_eq!(wish(&replica), Some((3, 77)));
    replica.1.stand(VB, State::Active, 0);
    assert_eq!(wish(&replica), None);
    replica.1.stand(VB, State::Replica, 0);
    assert_eq!(wish(&replica), Some((0, 0)), "it was promoted, and is another one");
}

#[test]
fn what_comes_again_changes_nothing() {
    let mut replica = replica();
    take(&mut replica, Body::Start(CheckpointId(1), LIFE));
    for _ in 0..2 {
        take(&mut replica, set(0, "x", 5));
        take(&mut replica, Body::Delete(0, Key(1), 6));
        assert_eq!(held(&replica.1), [(Key(0), 5)]);
    }
    take(&mut replica, Body::End(CheckpointId(1)));
    assert_eq!(take(&mut replica, Body::End(CheckpointId(1))), Taken::Done);
}

#[test]
fn what_comes_again_after_its_checkpoint_is_not_for_the_disk_any_more() {
    let mut replica = replica();
    for body in [Body::Start(CheckpointId(1), LIFE), set(0, "x", 5), Body::End(CheckpointId(1))] {
        take(&mut replica, body);
    }
    replica.1.vbs.get_mut(&VB).and_then(|of| of.table.entry_mut(Key(0))).expect("x").dirty = false;
    assert_eq!(take(&mut replica, set(0, "x", 5)), Taken::Done);
    assert_eq!(replica.1.vbs[&VB].table.entry(Key(0)).map(|entry| entry.dirty), Some(false));
}

#[test]
fn what_a_backfill_brings_is_for_the_disk_and_not_for_the_next_node() {
    let mut replica = replica();
    take(&mut replica, set(0, "x", 5));
    assert_eq!(take(&mut replica, set(0, "older", 4)), Taken::Done);
    take(&mut replica, set(1, "y", 6));
    take(&mut replica, Body::Delete(0, Key(1), 7));
    let vbucket = &replica.1.vbs[&VB];
    assert_eq!(vbucket.log.items().filter_map(|item| item.mutation()).count(), 0);
    assert_eq!(vbucket.backlog.len(), 2);
    assert_eq!(held(&replica.1), [(Key(0), 5)]);
    assert_eq!(vbucket.counters.items, 1);
    take(&mut replica, Body::Start(CheckpointId(4), LIFE));
    take(&mut replica, set(1, "z", 8));
    let log = &replica.1.vbs[&VB].log;
    assert_eq!(log.items().filter_map(|item| item.mutation()).count(), 1);
}

#[test]
fn what_belongs_to_a_reverted_update_is_left_out() {
    let mut replica = replica();
    take(&mut replica, Body::Start(CheckpointId(1), LIFE));
    take(&mut replica, set(0, "before", 5));
    take(&mut replica, Body::End(CheckpointId(1)));
    take(&mut replica, Body::Start(CheckpointId(2), LIFE));
    let step = |kind| Body::Update(Step { kind, checkpoint: CheckpointId(2), epoch: Epoch(1) });
    let within = |cas| {
        let version = Version { key: Key(0), value: Value::new("in"), flags: 0, until: None, cas };
        Body::Set(1, version)
    };
    take(&mut replica, step(EventKind::Start));
    take(&mut replica, within(6));
    assert_eq!(held(&replica.1), [(Key(0), 6)]);
    take(&mut replica, step(EventKind::Revert));
    replica.1.edit(VB, Vbucket::take_back);
    assert_eq!(held(&replica.1), [(Key(0), 5)]);
    assert_eq!(take(&mut replica, within(6)), Taken::With(Fact::LeftOut(VB)));
    assert_eq!(take(&mut replica, step(EventKind::Revert)), Taken::With(Fact::StepAgain(VB)));
    assert_eq!(held(&replica.1), [(Key(0), 5)]);
}

#[test]
fn what_is_behind_a_revert_waits_until_it_is_over() {
    let mut replica = replica();
    let step = |kind| Body::Update(Step { kind, checkpoint: CheckpointId(1), epoch: Epoch(1) });
    for body in [Body::Start(CheckpointId(1), LIFE), step(EventKind::Start), set(0, "in", 6)] {
        take(&mut replica, body);
    }
    take(&mut replica, step(EventKind::Revert));
    assert_eq!(held(&replica.1), [(Key(0), 6)], "the reverter brings back");
    let behind =
        [set(0, "x", 7), Body::End(CheckpointId(1)), Body::State(State::Pending), Body::Flush];
    for body in behind {
        assert_eq!(take(&mut replica, body), Taken::Waits);
    }
    replica.1.edit(VB, Vbucket::take_back);
    assert_eq!(take(&mut replica, set(0, "x", 7)), Taken::With(Fact::Applied(VB, Key(0), 7)));
}

#[test]
fn a_flush_deletes_every_key_in_its_place_among_the_changes() {
    let mut replica = replica();
    let changes = [set(0, "x", 5), set(1, "y", 6), Body::Flush, set(0, "z", 7)];
    for body in [Body::Start(CheckpointId(1), LIFE)].into_iter().chain(changes.clone()) {
        take(&mut replica, body);
    }
    assert_eq!(held(&replica.1), [(Key(0), 7)]);
    assert_eq!(replica.1.vbs[&VB].counters.items, 1);
    // The next node hears of it key by key.
    let log = &replica.1.vbs[&VB].log;
    let told = log.items().filter_map(|item| item.mutation());
    let told: Vec<_> = told.map(|of| (key_of(of.change.key), of.change.operation)).collect();
    assert_eq!(told, [(Some(Key(1)), Operation::Delete), (Some(Key(0)), Operation::Set)]);
    for body in changes {
        take(&mut replica, body);
    }
    assert_eq!(held(&replica.1), [(Key(0), 7)], "it came again with all that was around it");
}

#[test]
fn a_flush_waits_behind_what_was_rejected() {
    let (mut intake, mut memory) = replica();
    let mut told = |body, full| intake.take(&Message { vb: VB, body }, &mut memory, 0, full);
    told(Body::Start(CheckpointId(1), LIFE), false);
    assert_eq!(told(set(0, "x", 5), true), Taken::Rejected);
    assert_eq!(told(Body::Flush, false), Taken::Rejected);
    assert_eq!(told(set(0, "x", 5), false), Taken::With(Fact::Applied(VB, Key(0), 5)));
    assert_eq!(told(Body::Flush, true), Taken::Done, "nothing is stored for it");
    assert_eq!(held(&memory), []);
}

#[test]
fn a_merge_says_whether_the_disk_has_to_hear_of_it() {
    let mut replica = replica();
    for id in 1..4 {
        take(&mut replica, Body::Start(CheckpointId(id), LIFE));
        take(&mut replica, Body::End(CheckpointId(id)));
    }
    let (_, memory) = &mut replica;
    memory.vbs.get_mut(&VB).expect("it is there").standing.persisted = 3;
    let again = |id| Body::Start(CheckpointId(id), LIFE);
    assert_eq!(take(&mut replica, again(2)), Taken::With(Fact::Merged(VB, true)));
    assert_eq!(replica.1.vbs[&VB].standing.persisted, 1);
    take(&mut replica, Body::End(CheckpointId(2)));
    assert_eq!(take(&mut replica, again(2)), Taken::With(Fact::Merged(VB, false)));
}

#[test]
fn what_is_behind_a_rejected_change_is_rejected_until_that_comes_again() {
    let mut replica = replica();
    take(&mut replica, Body::Start(CheckpointId(1), LIFE));
    let (intake, memory) = &mut replica;
    let mut told = |body, full| intake.take(&Message { vb: VB, body }, memory, 0, full);
    assert_eq!(told(set(0, "x", 5), true), Taken::Rejected);
    assert_eq!(told(set(0, "y", 6), false), Taken::Rejected);
    assert_eq!(told(Body::End(CheckpointId(1)), false), Taken::Rejected);
    assert_eq!(told(set(0, "x", 5), false), Taken::With(Fact::Applied(VB, Key(0), 5)));
    assert_eq!(told(set(0, "y", 6), true), Taken::Rejected);
    replica.0.begins(&[VB].into());
    assert_eq!(take(&mut replica, set(1, "z", 7)), Taken::With(Fact::Applied(VB, Key(1), 7)));
}

/// The backfill has x, and so does the cursor. All that was said since x is said again, from x on.
#[test]
fn a_second_copy_of_what_was_rejected_does_not_keep_the_first_one_out() {
    let (mut intake, mut memory) = replica();
    let mut told = |body, full| intake.take(&Message { vb: VB, body }, &mut memory, 0, full);
    let applied = |key, cas| Taken::With(Fact::Applied(VB, Key(key), cas));
    assert_eq!(told(set(0, "x", 5), true), Taken::Rejected);
    assert_eq!(told(Body::BackfillEnd, false), Taken::Rejected);
    assert_eq!(told(set(0, "x", 5), false), applied(0, 5), "it looks like the first one");
    assert_eq!(told(set(1, "y", 6), true), Taken::Rejected);
    assert_eq!(told(set(2, "z", 7), false), Taken::Rejected);
    assert_eq!(told(set(0, "x", 5), false), Taken::Done);
    assert_eq!(told(Body::BackfillEnd, false), Taken::Done);
    assert_eq!(told(set(0, "x", 5), false), Taken::Done);
    assert_eq!(told(set(1, "y", 6), false), applied(1, 6));
    assert_eq!(told(set(2, "z", 7), true), Taken::Rejected);
    assert_eq!(told(set(2, "z", 7), false), applied(2, 7));
    told(Body::Start(CheckpointId(2), LIFE), false);
    assert_eq!(told(set(0, "x", 8), true), Taken::Rejected);
    assert_eq!(told(set(1, "y", 6), false), Taken::Rejected, "that is over");
    assert_eq!(told(set(0, "x", 8), false), applied(0, 8));
}

#[test]
fn an_owner_takes_nothing_in() {
    let mut replica = replica();
    replica.1.stand(VB, State::Active, 0);
    for body in [Body::Reset, set(0, "x", 5), Body::State(State::Pending)] {
        assert_eq!(take(&mut replica, body), Taken::HangUp);
    }
    assert_eq!(held(&replica.1), []);
}
