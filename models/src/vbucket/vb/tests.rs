//! A vbucket without actors: what is drained, what is clean, what is brought back.

use super::*;
use crate::checkpoint::manager::Role;
use crate::checkpoint::op::Incarnation;
use crate::checkpoint::settings::Settings;
use crate::vbucket::op::State;

const ROW: Row = Row { offset: 7, len: 9 };

fn vbucket() -> Vbucket {
    let standing = Standing { birth: 1, state: State::Active, change: 1, persisted: 0 };
    Vbucket::new(standing, Manager::new(Settings::USUAL, Role::Active, Incarnation(1), 0))
}

fn entry(value: &str, cas: u64, until: Option<u64>) -> Option<Entry> {
    let value = Some(Value::new(value));
    Some(Entry { value, flags: 3, until, cas, dirty: true, row: None })
}

fn set(vbucket: &mut Vbucket, key: u8, value: &str, cas: u64) -> Changed {
    vbucket.change(Key(key), entry(value, cas, None), cas, 0)
}

fn drained(vbucket: &mut Vbucket) -> Vec<(u8, u64)> {
    let drained = vbucket.drain(0, 0);
    drained.items.iter().map(|item| (item.key.0, item.cas)).collect()
}

#[test]
fn each_key_is_drained_once_and_what_was_refused_comes_first_the_next_time() {
    let mut vbucket = vbucket();
    for (key, cas) in [(0, 1), (1, 2), (0, 3)] {
        assert!(set(&mut vbucket, key, "x", cas).mutation != 0);
    }
    let first = vbucket.drain(0, 0);
    assert_eq!(first.items.iter().map(|item| item.cas).collect::<Vec<_>>(), [2, 3]);
    vbucket.put_back(first.items, false);
    set(&mut vbucket, 2, "y", 4);
    set(&mut vbucket, 0, "z", 5);
    assert_eq!(drained(&mut vbucket), [(1, 2), (2, 4), (0, 5)]);
}

#[test]
fn a_window_is_drained_as_a_whole_or_not_at_all() {
    let mut vbucket = vbucket();
    set(&mut vbucket, 0, "x", 1);
    vbucket.log.start(0).expect("no window is open");
    set(&mut vbucket, 0, "y", 2);
    let before = vbucket.drain(0, 0);
    assert_eq!((before.items.len(), before.items[0].cas, before.is_whole), (1, 1, false));
    vbucket.written();
    assert!(drained(&mut vbucket).is_empty());
    vbucket.written();
    vbucket.log.complete(0).expect("it is open");
    let window = vbucket.drain(0, 0);
    assert!(window.is_whole);
    vbucket.put_back(window.items, true);
    let again = vbucket.drain(0, 0);
    assert_eq!((again.items.len(), again.items[0].cas, again.is_whole), (1, 2, true));
}

#[test]
fn what_runs_out_soon_is_written_as_gone_and_never_leaves_the_memory() {
    let mut vbucket = vbucket();
    vbucket.change(Key(0), entry("x", 1, Some(12)), 1, 0);
    let drained = vbucket.drain(10, 3);
    assert_eq!(drained.items[0].record(Vb(0), 1), Record::Delete(Vb(0), 1, Key(0)));
    vbucket.committed(&drained.items[0], ROW);
    let entry = vbucket.table.entry(Key(0)).expect("it is there");
    assert!(!entry.dirty && !entry.is_evictable());
}

#[test]
fn a_version_that_was_replaced_meanwhile_stays_dirty_and_its_image_gets_clean() {
    let mut vbucket = vbucket();
    set(&mut vbucket, 0, "x", 1);
    let drained = vbucket.drain(0, 0);
    vbucket.window = Some(Window::default());
    set(&mut vbucket, 0, "y", 2);
    vbucket.committed(&drained.items[0], ROW);
    assert!(vbucket.table.entry(Key(0)).is_some_and(|entry| entry.dirty));
    let image = vbucket.window.take().and_then(|mut window| window.images.remove(&Key(0)));
    let image = image.expect("it was changed");
    assert!(image.as_ref().is_some_and(|image| !image.dirty && image.row == Some(ROW)));
    vbucket.restore(Key(0), image);
    assert_eq!(vbucket.table.entry(Key(0)).map(|entry| entry.cas), Some(1));
    assert_eq!(vbucket.counters.reverted_updates, 1);
}

#[test]
fn only_the_first_change_of_a_key_in_a_window_keeps_its_image() {
    let mut vbucket = vbucket();
    set(&mut vbucket, 0, "x", 1);
    vbucket.window = Some(Window::default());
    vbucket.change(Key(0), None, 2, 0);
    set(&mut vbucket, 0, "y", 3);
    set(&mut vbucket, 1, "z", 4);
    let window = vbucket.window.take().expect("it is open");
    let images: Vec<Option<u64>> =
        window.images.values().map(|image| image.as_ref().map(|entry| entry.cas)).collect();
    assert_eq!(images, [Some(1), None]);
    assert!(window.has_added_again(Key(0)) && !window.has_added_again(Key(1)));
    for (key, image) in window.images {
        vbucket.restore(key, image);
    }
    assert_eq!((vbucket.table.len(), vbucket.counters.items), (1, 1));
    assert_eq!(vbucket.counters.reverted_adds, 1);
}

#[test]
fn a_value_that_the_log_still_needs_stays_in_memory() {
    let mut vbucket = vbucket();
    set(&mut vbucket, 0, "x", 1);
    let drained = vbucket.drain(0, 0);
    vbucket.committed(&drained.items[0], ROW);
    vbucket.written();
    assert_eq!(vbucket.evict(1), []);
    vbucket.log.force(0);
    drop(vbucket.drain(0, 0));
    vbucket.written();
    vbucket.log.remove_unreferenced(0);
    assert_eq!(vbucket.evict(1), [(Key(0), 1)]);
    assert_eq!(vbucket.counters.evicted, 1);
}

/// S27 of the example scenarios.
#[test]
fn a_key_that_the_flusher_has_passed_is_work_again() {
    let mut vbucket = vbucket();
    set(&mut vbucket, 0, "x", 1);
    assert_eq!(drained(&mut vbucket), [(0, 1)]);
    vbucket.written();
    assert_eq!(vbucket.queue_size(), 0);
    assert!(set(&mut vbucket, 0, "y", 2).grew);
    assert_eq!(vbucket.queue_size(), 1);
    // Once more before the flusher comes: it is the same work.
    assert!(!set(&mut vbucket, 0, "z", 3).grew);
    assert_eq!(vbucket.queue_size(), 1);
    assert_eq!(drained(&mut vbucket), [(0, 3)]);
}
