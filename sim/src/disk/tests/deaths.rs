//! Crash, kill and wipe.

use super::*;

/// The moment of the n-th request in flight on a file.
fn in_flight(n: u16) -> u16 {
    IN_FLIGHT + n
}

#[test]
fn a_crash_keeps_or_loses_each_sector_by_itself() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, b"aaaabbbbcccc");
    rig.write(file, 0, b"111122223333");
    rig.keep(WAL, CRASH, 0);
    rig.keep(WAL, CRASH, 2);
    rig.crash();
    assert_eq!(rig.content(WAL), Some(&b"1111bbbb3333"[..]));
    assert_eq!((rig.disk.seen().lost, rig.disk.seen().torn), (1, 1));
}

#[test]
fn a_lost_length_cuts_off_what_is_kept_beyond_it() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, b"aaaabb");
    rig.write(file, 4, b"22223333");
    rig.keep(WAL, CRASH, 1);
    rig.keep(WAL, CRASH, 2);
    rig.crash();
    assert_eq!(rig.content(WAL), Some(&b"aaaa22"[..]));
    assert_eq!(rig.choices.unused().len(), 1, "nobody asks about a sector beyond the length");
}

#[test]
fn a_kept_length_without_its_data_reads_as_zeros() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, b"aaaabb");
    rig.write(file, 6, b"223333");
    rig.keep(WAL, CRASH, LENGTH);
    rig.crash();
    assert_eq!(rig.content(WAL), Some(&b"aaaabb\0\0\0\0\0\0"[..]));
}

#[test]
fn a_lost_cut_brings_the_durable_bytes_back() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, b"aaaabbbb");
    rig.run(DiskOp::Truncate { file, len: 2 }).unwrap();
    let mut kept = rig.clone();
    rig.crash();
    assert_eq!(rig.content(WAL), Some(&b"aaaabbbb"[..]));
    kept.keep(WAL, CRASH, LENGTH);
    kept.crash();
    assert_eq!(kept.content(WAL), Some(&b"aa"[..]));
    kept.keep_all();
    let file = kept.open(WAL);
    kept.write(file, 7, b"x");
    kept.crash();
    assert_eq!(kept.content(WAL), Some(&b"aa\0\0\0\0\0x"[..]));
}

#[test]
fn a_write_in_flight_lands_sector_by_sector_before_the_rest_is_decided() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, b"aaaabbbbcccc");
    rig.write(file, 0, b"1");
    rig.submit(DiskOp::Write { file, offset: 2, data: b"2222222" });
    rig.keep(WAL, in_flight(1), 0);
    rig.keep(WAL, in_flight(1), 2);
    rig.keep(WAL, CRASH, 0);
    rig.keep(WAL, CRASH, 2);
    let mut lost = rig.clone();
    rig.crash();
    assert_eq!(rig.content(WAL), Some(&b"1a22bbbb2ccc"[..]));
    assert!(rig.choices.unused().is_empty());
    assert_eq!(rig.disk.seen().torn, 1);
    lost.force(&SECTOR, Key::sector(2, 1, WAL.word(), CRASH, 2), 0);
    lost.crash();
    assert_eq!(lost.content(WAL), Some(&b"1a22bbbbcccc"[..]));
}

#[test]
fn appends_in_flight_land_one_after_the_other_in_the_order_of_their_requests() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, b"aa");
    rig.submit(DiskOp::Append { file, data: b"11" });
    rig.submit(DiskOp::Append { file, data: b"22" });
    rig.keep_all();
    rig.crash();
    assert_eq!(rig.content(WAL), Some(&b"aa1122"[..]));
}

#[test]
fn a_truncate_or_create_in_flight_lands_by_the_choice_of_the_length() {
    for (op, expected) in [
        (DiskOp::Truncate { file: FileId(1), len: 1 }, &b"a"[..]),
        (DiskOp::Truncate { file: FileId(1), len: 6 }, b"aabb\0\0"),
        (DiskOp::Create(WAL), b""),
    ] {
        let mut rig = Rig::new();
        assert_eq!(rig.file(WAL, b"aabb"), FileId(1));
        rig.submit(op);
        let mut calm = rig.clone();
        calm.crash();
        assert_eq!(calm.content(WAL), Some(&b"aabb"[..]), "{op}");
        rig.keep(WAL, in_flight(1), LENGTH);
        rig.keep(WAL, CRASH, LENGTH);
        rig.crash();
        assert_eq!(rig.content(WAL), Some(expected), "{op}");
    }
}

#[test]
fn changes_of_names_in_flight_follow_the_pending_ones() {
    let mut rig = Rig::new();
    rig.file(TMP, b"new");
    rig.submit(DiskOp::Rename { from: TMP, to: DB });
    rig.submit(DiskOp::Create(WAL));
    rig.submit(DiskOp::Remove(DB));
    rig.submit(DiskOp::Remove(TMP));
    for (kept, expected) in
        [(0, vec![(TMP, 3)]), (1, vec![(DB, 3)]), (2, vec![(DB, 3), (WAL, 0)]), (3, vec![(WAL, 0)])]
    {
        let mut rig = rig.clone();
        for name in [TMP, WAL, DB].iter().take(kept) {
            rig.keep_name(*name, IN_FLIGHT, 1);
        }
        let mut killed = rig.clone();
        rig.crash();
        assert_eq!(rig.listed(), expected);
        killed.kill();
        assert_eq!(killed.listed(), expected);
        killed.crash();
        assert_eq!(killed.listed(), [(TMP, 3)]);
    }
}

#[test]
fn a_change_of_names_in_flight_needs_all_pending_ones() {
    let mut rig = Rig::new();
    rig.create(WAL);
    rig.submit(DiskOp::Create(DB));
    rig.keep_name(DB, IN_FLIGHT, 1);
    rig.crash();
    assert_eq!(rig.listed(), []);
}

#[test]
fn a_sync_in_flight_may_have_stored_what_was_overwritten_since() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, b"aaaabbbb");
    rig.write(file, 0, b"11112222");
    rig.submit(DiskOp::Sync(file));
    rig.write(file, 0, b"3333");
    rig.keep(WAL, in_flight(1), 0);
    let mut calm = rig.clone();
    rig.crash();
    assert_eq!(rig.content(WAL), Some(&b"1111bbbb"[..]), "sector 1 is pending and lost");
    calm.force(&SECTOR, Key::sector(2, 1, WAL.word(), in_flight(1), 0), 0);
    calm.crash();
    assert_eq!(calm.content(WAL), Some(&b"aaaabbbb"[..]));
}

#[test]
fn after_a_crash_nothing_is_open_and_no_request_is_answered() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, b"abc");
    let request = rig.submit(DiskOp::Read { file, offset: 0, len: 3 });
    rig.crash();
    assert_eq!(rig.try_complete(request), None);
    assert_eq!(rig.run(DiskOp::Read { file, offset: 0, len: 3 }), Err(DiskError::NotFound));
}

#[test]
fn a_kill_keeps_what_was_carried_out_and_loses_what_is_in_flight() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, b"abcdefgh");
    rig.write(file, 0, b"1");
    let write = rig.submit(DiskOp::Write { file, offset: 1, data: b"2" });
    rig.submit(DiskOp::Sync(file));
    let mut landed = rig.clone();
    rig.kill();
    assert_eq!(rig.try_complete(write), None);
    assert_eq!(rig.content(WAL), Some(&b"1bcdefgh"[..]));
    landed.keep_all();
    landed.kill();
    assert_eq!(landed.content(WAL), Some(&b"12cdefgh"[..]));
    landed.choices.set_odds(SECTOR.id, Odds::CALM);
    landed.crash();
    assert_eq!(landed.content(WAL), Some(&b"abcdefgh"[..]), "a kill makes nothing durable");
}

#[test]
fn what_a_killed_process_wrote_is_covered_by_the_sync_of_the_next() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, b"abcd");
    rig.write(file, 0, b"1");
    rig.kill();
    let file = rig.open(WAL);
    rig.sync(file);
    rig.crash();
    assert_eq!(rig.content(WAL), Some(&b"1bcd"[..]));
}

#[test]
fn a_request_that_was_to_fail_never_lands() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, b"abcd");
    rig.disk.trouble_mut().write_error_until = Time(u64::MAX);
    rig.submit(DiskOp::Write { file, offset: 0, data: b"1" });
    rig.submit(DiskOp::Create(DB));
    rig.disk.heal(rig.now);
    rig.disk.trouble_mut().full_until = Time(u64::MAX);
    rig.submit(DiskOp::Append { file, data: b"2" });
    rig.keep_all();
    rig.crash();
    assert_eq!(rig.content(WAL), Some(&b"abcd"[..]));
    assert_eq!(rig.listed(), [(WAL, 4)]);
}

#[test]
fn a_wiped_disk_is_empty_and_forgets_what_was_in_flight() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, &[1; 100]);
    let write = rig.submit(DiskOp::Write { file, offset: 0, data: b"1" });
    rig.disk.wipe();
    assert_eq!(rig.try_complete(write), None);
    assert_eq!(rig.listed(), []);
    assert_eq!(rig.disk.durable_names().count(), 0);
    let other = rig.file(WAL, &[2; 100]);
    assert_ne!(file, other, "an old handle never means a new file");
    assert_eq!(rig.read(other), [2; 100]);
}

#[test]
fn the_room_of_lost_bytes_is_free_after_a_crash() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, &[1; 10]);
    rig.write(file, 10, &[1; 90]);
    assert_eq!(rig.run(DiskOp::Append { file, data: b"a" }), Err(DiskError::Full));
    rig.crash();
    let file = rig.open(WAL);
    rig.write(file, 10, &[1; 90]);
    assert_eq!(rig.run(DiskOp::Append { file, data: b"a" }), Err(DiskError::Full));
}
