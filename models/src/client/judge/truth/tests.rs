//! What may stand in a key, by what was said of it.

use super::*;

fn item(value: &str) -> Option<Item> {
    Some(Item { value: Value::new(value), flags: 0, until: None })
}

fn at(second: u64) -> Moment {
    Moment { at: second * 1_000_000_000, second, is_sure: true }
}

fn truth() -> Truth {
    let mut truth = Truth::default();
    truth.change(7, item("1"));
    truth.change(8, None);
    truth.change(9, item("3"));
    truth
}

#[test]
fn after_a_loss_whoever_looks_first_says_what_is_left() {
    let mut truth = truth();
    let (one, three) = (Value::new("1"), Value::new("3"));
    assert!(truth.look(Look::Found(&three, 0, 0), at(0)).0.agrees);
    assert!(!truth.look(Look::Found(&one, 0, 0), at(0)).0.is_legal);
    truth.may_lose(7, 5);
    let (reading, left) = truth.look(Look::Absent, at(0));
    assert_eq!((reading.agrees, reading.is_legal, left), (false, true, Some(None)));
    assert!(truth.has_fallen && !truth.look(Look::Found(&three, 0, 0), at(0)).0.is_legal);
    assert!(truth.look(Look::Absent, at(0)).0.is_legal);
}

#[test]
fn what_was_the_same_before_is_told_apart_by_its_name() {
    let mut truth = truth();
    truth.change(10, item("1"));
    truth.may_lose(7, 5);
    let mut other = truth.clone();
    let one = Value::new("1");
    assert_eq!(truth.look(Look::Found(&one, 0, 10), at(0)).1, None);
    assert!(!truth.has_fallen && truth.newest_cas() == 10);
    let (reading, left) = other.look(Look::Found(&one, 0, 7), at(0));
    assert_eq!((reading.agrees, reading.is_legal, left), (true, true, Some(item("1"))));
    assert!(other.has_fallen && other.newest_cas() == 7);
}

#[test]
fn nothing_older_than_what_is_safe_comes_back() {
    let mut truth = truth();
    truth.may_lose(8, 5);
    assert!(!truth.look(Look::Found(&Value::new("1"), 0, 0), at(0)).0.is_legal);
    assert_eq!(truth.lose(8, at(0)), Some(None));
    assert_eq!(truth.lose(8, at(0)), None);
}

#[test]
fn what_was_lost_may_come_back_from_the_disk_of_another_node() {
    let mut truth = truth();
    truth.may_lose(0, 5);
    assert!(truth.look(Look::Absent, at(0)).0.is_legal);
    truth.change(10, item("4"));
    let one = Value::new("1");
    assert!(!truth.look(Look::Found(&one, 0, 0), at(0)).0.is_legal);
    // It was written there before, and what came later never was.
    truth.may_lose(7, 6);
    assert_eq!(truth.look(Look::Found(&one, 0, 0), at(0)).1, Some(item("1")));
    assert!(!truth.look(Look::Absent, at(0)).0.is_legal);
}

#[test]
fn what_a_node_has_forgotten_may_come_back_from_its_disk() {
    let mut truth = Truth::default();
    truth.change(7, item("1"));
    assert_eq!(truth.lose(0, at(0)), Some(None));
    let one = Value::new("1");
    assert!(!truth.look(Look::Found(&one, 0, 0), at(0)).0.is_legal);
    truth.may_be(7, 5);
    let mut other = truth.clone();
    assert_eq!(truth.look(Look::Found(&one, 0, 0), at(0)).1, Some(item("1")));
    assert!(other.look(Look::Absent, at(0)).0.is_legal);
    assert!(!other.look(Look::Found(&one, 0, 0), at(0)).0.is_legal);
}

#[test]
fn a_client_that_was_not_told_of_a_loss_expects_what_was_lost() {
    let mut truth = Truth::default();
    let (value, flags, until) = (Value::new("1"), 0, Some(12));
    truth.change(7, Some(Item { value, flags, until }));
    truth.change(8, item("2"));
    truth.may_lose(7, 5);
    assert!(truth.look(Look::Expired, at(12)).1.is_some());
    truth.expire(9);
    let reading = truth.look(Look::Absent, at(12)).0;
    assert!(reading.is_legal && !reading.agrees && truth.has_fallen);
    truth.told(reading);
    assert!(!truth.has_fallen && truth.look(Look::Absent, at(12)).0.agrees);
}

#[test]
fn what_is_added_to_what_may_be_lost_may_be_several_things_until_somebody_looks() {
    let request = |call: &str| Request { call: call.parse().expect("a call"), cas: 0 };
    let mut truth = truth();
    truth.change(10, item("4"));
    truth.may_lose(9, 5);
    let (append, stored) = (request("append a .1"), Answer::Stored(11));
    assert_eq!(truth.look(Look::Answered(&append, &stored), at(0)).1, None);
    let made = truth.made((&append, &stored), at(0));
    assert_eq!(made, [item("3.1"), item("4.1")]);
    truth.changed(11, made);
    let mut other = truth.clone();
    assert_eq!(truth.look(Look::Found(&Value::new("4.1"), 0, 0), at(0)).1, None);
    assert_eq!(other.look(Look::Found(&Value::new("3.1"), 0, 0), at(0)).1, Some(item("3.1")));
    // A number tells what it was before.
    let mut truth = self::truth();
    truth.change(10, item("4"));
    truth.may_lose(9, 5);
    let (add, counted) = (request("incr a 1"), Answer::Counted(4, 11));
    assert_eq!(truth.look(Look::Answered(&add, &counted), at(0)).1, Some(item("3")));
    assert_eq!(truth.made((&add, &counted), at(0)), [item("4")]);
    // So does the version that a conditional write has asked for.
    let cas = Request { cas: 11, ..request("cas a 7") };
    truth.changed(11, vec![item("4")]);
    assert!(truth.look(Look::Answered(&cas, &Answer::Stored(12)), at(0)).0.is_legal);
    assert!(!truth.look(Look::Answered(&cas, &Answer::Exists), at(0)).0.is_legal);
}

#[test]
fn what_has_run_out_is_not_held() {
    let mut truth = truth();
    assert_eq!(truth.is_held(0), (true, true));
    truth.may_lose(8, 5);
    assert_eq!(truth.is_held(0), (false, true));
    truth.change(10, Some(Item { value: Value::new("4"), flags: 0, until: Some(12) }));
    assert_eq!((truth.is_held(11), truth.is_held(12)), ((true, true), (false, false)));
    assert_eq!((truth.certain(11), truth.certain(12)), (Some(Some(10)), None));
    truth.change(11, None);
    assert_eq!((truth.is_held(0), truth.certain(0)), ((false, false), Some(None)));
    truth.may_lose(10, 6);
    assert_eq!(truth.certain(0), None);
}

#[test]
fn what_has_run_out_is_absent() {
    let mut truth = Truth::default();
    let until = Some(12);
    truth.change(7, Some(Item { value: Value::new("1"), flags: 0, until }));
    assert!(truth.look(Look::Found(&Value::new("1"), 0, 0), at(11)).0.agrees);
    assert!(
        truth.look(Look::Absent, at(12)).0.agrees && !truth.look(Look::Absent, at(11)).0.agrees
    );
    assert!(truth.look(Look::Expired, at(12)).0.is_legal);
    assert!(!truth.look(Look::Expired, at(11)).0.is_legal);
    assert_eq!((truth.absent_cas(at(12)), truth.absent_cas(at(11))), (7, 0));
}

#[test]
fn once_something_was_done_to_a_clock_what_runs_out_may_be_gone_at_any_time() {
    let mut truth = Truth::default();
    truth.change(7, Some(Item { value: Value::new("1"), flags: 0, until: Some(12) }));
    let unsure = Moment { is_sure: false, ..at(5) };
    assert!(!truth.look(Look::Absent, at(5)).0.is_legal);
    assert!(truth.look(Look::Absent, unsure).0.is_legal);
    assert_eq!((truth.absent_cas(at(5)), truth.absent_cas(unsure)), (0, 7));
    // A node goes by its own clock all the same.
    assert!(!truth.look(Look::Expired, unsure).0.is_legal);
    assert!(!truth.look(Look::Found(&Value::new("1"), 0, 0), at(12)).0.is_legal);
    truth.change(8, item("2"));
    assert!(!truth.look(Look::Absent, unsure).0.is_legal);
}
