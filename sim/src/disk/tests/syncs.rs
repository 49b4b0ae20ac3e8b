//! What a sync covers.

use super::*;

#[test]
fn what_no_sync_covers_is_lost_in_a_calm_crash() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, b"abcdefgh");
    rig.write(file, 2, b"XYZ");
    rig.crash();
    assert_eq!(rig.content(WAL), Some(&b"abcdefgh"[..]));
    assert_eq!(rig.disk.seen().lost, 2, "two sectors");
}

#[test]
fn what_a_sync_covers_survives_a_crash() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, b"abcdefgh");
    rig.write(file, 2, b"XYZ");
    rig.write(file, 7, b"12345");
    rig.sync(file);
    rig.crash();
    assert_eq!(rig.content(WAL), Some(&b"abXYZfg12345"[..]));
    assert_eq!(rig.disk.seen(), &DiskSeen::default());
}

#[test]
fn a_write_that_completes_after_the_sync_is_issued_is_not_covered() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, b"abcdefgh");
    let early = rig.submit(DiskOp::Write { file, offset: 0, data: b"AAAA" });
    let sync = rig.submit(DiskOp::Sync(file));
    rig.complete(early).unwrap();
    rig.write(file, 4, b"BBBB");
    rig.complete(sync).unwrap();
    rig.crash();
    assert_eq!(rig.content(WAL), Some(&b"abcdefgh"[..]));
}

#[test]
fn a_sync_stores_a_sector_as_it_was_when_the_sync_was_issued() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, b"abcdefgh");
    rig.write(file, 0, b"AAAA");
    let sync = rig.submit(DiskOp::Sync(file));
    rig.write(file, 1, b"B");
    rig.complete(sync).unwrap();
    assert_eq!(rig.disk.durable(WAL), Some(&b"AAAAefgh"[..]));
    assert_eq!(rig.read(file), b"ABAAefgh");
    let mut later = rig.clone();
    rig.crash();
    assert_eq!(rig.content(WAL), Some(&b"AAAAefgh"[..]));
    later.sync(file);
    later.crash();
    assert_eq!(later.content(WAL), Some(&b"ABAAefgh"[..]));
}

#[test]
fn an_older_sync_that_is_answered_late_does_not_bring_older_bytes_back() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, b"abcdefgh");
    rig.write(file, 0, b"11112222");
    let old = rig.submit(DiskOp::Sync(file));
    rig.write(file, 0, b"3333");
    rig.run(DiskOp::Truncate { file, len: 6 }).unwrap();
    let new = rig.submit(DiskOp::Sync(file));
    rig.complete(new).unwrap();
    assert_eq!(rig.disk.durable(WAL), Some(&b"333322"[..]));
    rig.complete(old).unwrap();
    assert_eq!(rig.disk.durable(WAL), Some(&b"333322"[..]));
}

#[test]
fn a_failed_sync_keeps_or_drops_each_sector_by_choice() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, b"abcdefgh");
    rig.write(file, 0, b"11112222");
    rig.keep(WAL, 1, 1);
    rig.fail_sync(file);
    assert_eq!(rig.disk.durable(WAL), Some(&b"abcd2222"[..]));
    let (file, sector) = (WAL, 1);
    let lost = DiskChange::Lost { file, sector: 0 };
    assert_eq!(rig.changes, [lost, DiskChange::Kept { file, sector }]);
    assert_eq!((rig.disk.seen().dropped, rig.disk.seen().torn), (1, 1));
}

#[test]
fn what_a_failed_sync_dropped_still_reads_and_a_later_success_does_not_cover_it() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, b"abcdefgh");
    rig.write(file, 0, b"11112222");
    rig.fail_sync(file);
    rig.write(file, 4, b"3");
    assert_eq!(rig.read(file), b"11113222");
    rig.sync(file);
    assert_eq!(rig.read(file), b"11113222");
    rig.crash();
    assert_eq!(rig.content(WAL), Some(&b"abcd3222"[..]));
}

#[test]
fn the_second_failed_sync_of_a_file_is_another_moment() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, b"abcd");
    rig.write(file, 0, b"1111");
    rig.keep(WAL, 2, 0);
    rig.fail_sync(file);
    assert_eq!(rig.disk.durable(WAL), Some(&b"abcd"[..]));
    rig.write(file, 0, b"2222");
    rig.fail_sync(file);
    assert_eq!(rig.disk.durable(WAL), Some(&b"2222"[..]));
    assert!(rig.choices.unused().is_empty());
}

#[test]
fn what_one_sync_dropped_is_not_covered_by_another_that_was_in_flight_beside_it() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, b"abcdefgh");
    rig.write(file, 0, b"1111");
    let beside = rig.submit(DiskOp::Sync(file));
    rig.write(file, 4, b"2222");
    rig.fail_sync(file);
    rig.complete(beside).unwrap();
    assert_eq!(rig.disk.durable(WAL), Some(&b"abcdefgh"[..]));
}

#[test]
fn a_failed_sync_does_not_take_from_one_in_flight_what_was_overwritten_since() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, b"abcd");
    rig.write(file, 0, b"1111");
    let early = rig.submit(DiskOp::Sync(file));
    rig.write(file, 0, b"2222");
    rig.fail_sync(file);
    rig.complete(early).unwrap();
    assert_eq!(rig.disk.durable(WAL), Some(&b"1111"[..]));
}

#[test]
fn a_write_after_a_dropped_length_carries_the_length_along() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, b"");
    rig.write(file, 0, b"11112222");
    rig.fail_sync(file);
    assert_eq!(rig.disk.durable(WAL), Some(&b""[..]));
    rig.write(file, 4, b"3333");
    rig.sync(file);
    rig.crash();
    assert_eq!(rig.content(WAL), Some(&b"\0\0\0\x003333"[..]));
}

#[test]
fn what_was_cut_off_does_not_come_back_when_the_file_grows_again() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, b"abcdefghijkl");
    rig.run(DiskOp::Truncate { file, len: 2 }).unwrap();
    rig.write(file, 9, b"X");
    assert_eq!(rig.read(file), b"ab\0\0\0\0\0\0\0X");
    rig.sync(file);
    rig.crash();
    assert_eq!(rig.content(WAL), Some(&b"ab\0\0\0\0\0\0\0X"[..]));
}

#[test]
fn what_was_cut_off_during_a_sync_does_not_come_back_through_it() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, b"");
    rig.write(file, 0, b"abcdefghijkl");
    let old = rig.submit(DiskOp::Sync(file));
    rig.run(DiskOp::Truncate { file, len: 2 }).unwrap();
    rig.run(DiskOp::Truncate { file, len: 12 }).unwrap();
    let new = rig.submit(DiskOp::Sync(file));
    rig.complete(new).unwrap();
    rig.complete(old).unwrap();
    rig.crash();
    assert_eq!(rig.content(WAL), Some(&b"ab\0\0\0\0\0\0\0\0\0\0"[..]));
}
