//! Names and the sync of the directory.

use super::*;

fn names(rig: &Rig) -> Vec<FileName> {
    rig.disk.durable_names().collect()
}

#[test]
fn a_file_whose_name_was_never_made_durable_is_gone_even_if_its_bytes_were() {
    let mut rig = Rig::new();
    let file = rig.create(WAL);
    rig.write(file, 0, b"abc");
    rig.sync(file);
    rig.crash();
    assert_eq!(rig.run(DiskOp::Open(WAL)), Err(DiskError::NotFound));
    assert_eq!(rig.disk.name_of(file), None, "it has been freed");
    assert_eq!(rig.disk.seen().names_lost, 1);
}

#[test]
fn a_file_whose_name_is_durable_and_whose_bytes_are_not_is_empty_after_a_crash() {
    let mut rig = Rig::new();
    let file = rig.create(WAL);
    rig.write(file, 0, b"abc");
    rig.sync_dir();
    rig.crash();
    assert_eq!(rig.content(WAL), Some(&b""[..]));
}

#[test]
fn a_sync_of_the_directory_covers_the_changes_answered_before_it_was_issued() {
    let mut rig = Rig::new();
    rig.create(WAL);
    let sync = rig.submit(DiskOp::SyncDir);
    rig.create(DB);
    rig.complete(sync).unwrap();
    assert_eq!(names(&rig), [WAL]);
    rig.crash();
    assert_eq!(rig.listed(), [(WAL, 0)]);
}

#[test]
fn syncs_of_the_directory_may_be_answered_in_any_order() {
    let mut rig = Rig::new();
    rig.create(WAL);
    let first = rig.submit(DiskOp::SyncDir);
    rig.create(DB);
    let second = rig.submit(DiskOp::SyncDir);
    rig.create(TMP);
    rig.complete(second).unwrap();
    assert_eq!(names(&rig), [DB, WAL]);
    rig.complete(first).unwrap();
    assert_eq!(names(&rig), [DB, WAL]);
}

#[test]
fn a_failed_sync_of_the_directory_leaves_the_changes_pending() {
    let mut rig = Rig::new();
    rig.create(WAL);
    rig.disk.trouble_mut().sync_error_until = Time(u64::MAX);
    assert_eq!(rig.run(DiskOp::SyncDir), Err(DiskError::Io));
    assert_eq!(names(&rig), []);
    rig.disk.heal(rig.now);
    rig.sync_dir();
    assert_eq!(names(&rig), [WAL]);
}

#[test]
fn a_rename_replaces_and_open_files_stay_with_their_bytes() {
    let mut rig = Rig::new();
    let old = rig.file(DB, b"old");
    let new = rig.file(TMP, b"newer");
    rig.run(DiskOp::Rename { from: TMP, to: DB }).unwrap();
    assert_eq!(rig.listed(), [(DB, 5)]);
    assert_eq!(rig.open(DB), new);
    rig.write(old, 0, b"O");
    assert_eq!((rig.read(old), rig.read(new)), (b"Old".to_vec(), b"newer".to_vec()));
    assert_eq!((rig.disk.name_of(old), rig.disk.name_of(new)), (Some(DB), Some(DB)));
}

#[test]
fn a_rename_that_is_not_durable_is_undone_by_a_crash() {
    let mut rig = Rig::new();
    rig.file(DB, b"old");
    let new = rig.file(TMP, b"newer");
    rig.run(DiskOp::Rename { from: TMP, to: DB }).unwrap();
    let mut synced = rig.clone();
    rig.crash();
    assert_eq!(rig.listed(), [(DB, 3), (TMP, 5)]);
    assert_eq!(rig.disk.name_of(new), Some(TMP));
    synced.sync_dir();
    synced.crash();
    assert_eq!(synced.listed(), [(DB, 5)]);
}

#[test]
fn a_rename_to_itself_changes_nothing() {
    let mut rig = Rig::new();
    rig.file(DB, b"abc");
    assert_eq!(rig.run(DiskOp::Rename { from: DB, to: DB }), Ok(DiskDone::Done));
    assert_eq!(rig.listed(), [(DB, 3)]);
    rig.crash();
    assert_eq!(rig.listed(), [(DB, 3)]);
}

#[test]
fn a_removed_file_comes_back_with_its_durable_bytes_unless_its_removal_is_durable() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, b"abc");
    rig.write(file, 0, b"XYZ");
    rig.run(DiskOp::Remove(WAL)).unwrap();
    assert_eq!(rig.run(DiskOp::Open(WAL)), Err(DiskError::NotFound));
    assert_eq!(rig.read(file), b"XYZ");
    let mut synced = rig.clone();
    rig.crash();
    assert_eq!(rig.content(WAL), Some(&b"abc"[..]));
    synced.sync_dir();
    synced.crash();
    assert_eq!(synced.listed(), []);
    assert_eq!(synced.disk.name_of(file), None, "it has been freed");
}

#[test]
fn the_first_change_of_a_name_that_is_lost_takes_the_later_ones_along() {
    let mut rig = Rig::new();
    rig.create(WAL);
    rig.create(DB);
    rig.create(TMP);
    rig.keep_name(WAL, CRASH, 1);
    rig.keep_name(TMP, CRASH, 1);
    rig.crash();
    assert_eq!(rig.listed(), [(WAL, 0)]);
    assert_eq!(rig.disk.seen().names_lost, 2);
    let [kept, db, tmp] = [WAL, DB, TMP];
    let lost = |name| DiskChange::NameLost { name };
    assert_eq!(rig.changes, [DiskChange::NameKept { name: kept }, lost(db), lost(tmp)]);
}

#[test]
fn changes_of_one_name_are_told_apart_by_their_number() {
    let mut rig = Rig::new();
    rig.create(WAL);
    rig.run(DiskOp::Remove(WAL)).unwrap();
    rig.create(WAL);
    for n in 1..=2 {
        rig.keep_name(WAL, CRASH, n);
    }
    let mut third = rig.clone();
    rig.crash();
    assert_eq!(rig.listed(), []);
    third.keep_name(WAL, CRASH, 3);
    third.crash();
    assert_eq!(third.listed(), [(WAL, 0)]);
}

#[test]
fn a_file_that_has_only_pending_names_outlives_a_kill() {
    let mut rig = Rig::new();
    let file = rig.create(WAL);
    rig.write(file, 0, b"abc");
    rig.sync(file);
    rig.run(DiskOp::Remove(WAL)).unwrap();
    rig.kill();
    assert_eq!(rig.listed(), []);
    rig.keep_name(WAL, CRASH, 1);
    rig.crash();
    assert_eq!(rig.content(WAL), Some(&b"abc"[..]), "created, and the removal lost");
}
