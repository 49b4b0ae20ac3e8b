//! Reading and writing, with nothing wrong.

use super::*;

#[test]
fn a_read_gives_what_was_written_and_is_cut_at_the_end() {
    let mut rig = Rig::new();
    let file = rig.create(WAL);
    rig.write(file, 0, b"abcdefgh");
    rig.write(file, 2, b"XY");
    assert_eq!(rig.read(file), b"abXYefgh");
    for (offset, len, expected) in
        [(1, 3, &b"bXY"[..]), (6, 10, b"gh"), (8, 1, b""), (u64::MAX, u32::MAX, b"")]
    {
        let answer = rig.run(DiskOp::Read { file, offset, len });
        assert_eq!(answer, Ok(DiskDone::Read(expected.to_vec())));
    }
}

#[test]
fn a_write_beyond_the_end_leaves_zeros_before_it() {
    let mut rig = Rig::new();
    let file = rig.create(WAL);
    rig.write(file, 0, b"a");
    rig.write(file, 6, b"b");
    assert_eq!(rig.read(file), b"a\0\0\0\0\0b");
}

#[test]
fn an_append_goes_to_the_end_as_it_is_when_the_append_is_carried_out() {
    let mut rig = Rig::new();
    let file = rig.create(WAL);
    let first = rig.submit(DiskOp::Append { file, data: b"one" });
    let second = rig.submit(DiskOp::Append { file, data: b"second" });
    assert_eq!(rig.complete(second), Ok(DiskDone::Written { offset: 0, len: 6 }));
    assert_eq!(rig.complete(first), Ok(DiskDone::Written { offset: 6, len: 3 }));
    assert_eq!(rig.read(file), b"secondone");
}

#[test]
fn overlapping_writes_in_flight_land_in_the_order_of_their_completion() {
    for (order, expected) in [([0, 1], b"ABB"), ([1, 0], b"AAB")] {
        let mut rig = Rig::new();
        let file = rig.create(WAL);
        let writes = [
            rig.submit(DiskOp::Write { file, offset: 0, data: b"AA" }),
            rig.submit(DiskOp::Write { file, offset: 1, data: b"BB" }),
        ];
        for i in order {
            rig.complete(writes[i]).unwrap();
        }
        assert_eq!(rig.read(file), expected);
    }
}

#[test]
fn a_write_in_flight_cannot_be_read() {
    let mut rig = Rig::new();
    let file = rig.create(WAL);
    let write = rig.submit(DiskOp::Write { file, offset: 0, data: b"abc" });
    assert_eq!(rig.read(file), b"");
    rig.complete(write).unwrap();
    assert_eq!(rig.read(file), b"abc");
}

#[test]
fn a_truncate_cuts_and_extends_with_zeros() {
    let mut rig = Rig::new();
    let file = rig.create(WAL);
    rig.write(file, 0, b"abcdefghij");
    rig.run(DiskOp::Truncate { file, len: 2 }).unwrap();
    assert_eq!(rig.read(file), b"ab");
    rig.run(DiskOp::Truncate { file, len: 6 }).unwrap();
    assert_eq!(rig.read(file), b"ab\0\0\0\0");
}

#[test]
fn a_file_that_is_not_there_or_not_open_is_not_found() {
    let mut rig = Rig::new();
    let file = FileId(1);
    for op in [
        DiskOp::Open(WAL),
        DiskOp::Remove(WAL),
        DiskOp::Rename { from: WAL, to: DB },
        DiskOp::Read { file, offset: 0, len: 1 },
        DiskOp::Write { file, offset: 0, data: b"a" },
        DiskOp::Append { file, data: b"a" },
        DiskOp::Truncate { file, len: 1 },
        DiskOp::Sync(file),
    ] {
        assert_eq!(rig.run(op), Err(DiskError::NotFound), "{op}");
    }
    let file = rig.file(WAL, b"a");
    rig.kill();
    assert_eq!(rig.run(DiskOp::Sync(file)), Err(DiskError::NotFound));
    assert_eq!(rig.open(WAL), file);
    rig.sync(file);
}

#[test]
fn to_create_a_file_that_exists_empties_it() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, b"abc");
    assert_eq!(rig.create(WAL), file);
    assert_eq!(rig.read(file), b"");
}

#[test]
fn a_write_that_does_not_fit_fails_and_leaves_everything_as_it_was() {
    let mut rig = Rig::new();
    let file = rig.create(WAL);
    let other = rig.create(DB);
    rig.write(file, 0, &[7; 60]);
    rig.write(other, 0, &[8; 40]);
    for op in [
        DiskOp::Append { file, data: b"a" },
        DiskOp::Write { file, offset: 60, data: b"a" },
        DiskOp::Write { file, offset: u64::MAX, data: b"a" },
        DiskOp::Write { file, offset: 1 << 40, data: b"a" },
        DiskOp::Truncate { file, len: 61 },
    ] {
        assert_eq!(rig.run(op), Err(DiskError::Full), "{op}");
    }
    assert_eq!(rig.read(file), [7; 60]);
    assert_eq!(rig.disk.seen().full, 5);
    rig.write(file, 0, &[9; 60]);
    rig.run(DiskOp::Remove(DB)).unwrap();
    rig.write(file, 60, &[9; 40]);
    assert_eq!(rig.run(DiskOp::Append { file, data: b"a" }), Err(DiskError::Full));
    rig.run(DiskOp::Truncate { file, len: 99 }).unwrap();
    rig.run(DiskOp::Append { file, data: b"a" }).unwrap();
}

#[test]
fn a_healthy_request_takes_the_calm_latency_and_an_empty_write_does_nothing() {
    let mut rig = Rig::new();
    let file = rig.create(WAL);
    let op = DiskOp::Write { file, offset: 50, data: b"" };
    let submitted = rig.disk.submit(rig.me, op, rig.now, &mut rig.choices);
    let request = RequestId(2);
    assert_eq!(submitted, Submitted { request, due: Some(SPEC.base), outcome: 0 });
    assert_eq!(rig.complete(request), Ok(DiskDone::Written { offset: 50, len: 0 }));
    assert_eq!(rig.read(file), b"");
}

#[test]
fn the_memory_of_requests_and_files_is_used_again() {
    let mut rig = Rig::new();
    let file = rig.create(WAL);
    rig.write(file, 0, &[1; 50]);
    rig.sync(file);
    for _ in 0..100 {
        rig.write(file, 0, &[2; 50]);
        rig.sync(file);
    }
    assert_eq!(rig.disk.spare_held.len(), 1, "one request at a time needs one buffer");
    let (before, capacity) = (rig.disk.spare_held[0].bytes.as_ptr(), rig.disk.files.capacity());
    rig.disk.reset(SPEC);
    let file = rig.create(WAL);
    rig.write(file, 0, &[3; 50]);
    assert_eq!(rig.disk.spare_held[0].bytes.as_ptr(), before);
    assert_eq!(rig.disk.files.capacity(), capacity);
    assert!(rig.disk.spare_images.is_empty());
}
