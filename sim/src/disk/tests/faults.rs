//! Deviations of single requests, and windows of trouble.

use super::*;

/// What a disk with a file of three sectors does with this request when it deviates like this.
fn deviating(op: DiskOp<'_>, n: u32, how: &str) -> (Rig, Result<DiskDone, DiskError>) {
    let mut rig = Rig::new();
    rig.deviate(Some(WAL), op.kind(), n, how);
    assert_eq!(rig.file(WAL, b"aaaabbbbcccc"), FileId(1));
    let answer = rig.run(op);
    assert!(rig.choices.unused().is_empty());
    (rig, answer)
}

const FILE: FileId = FileId(1);

#[test]
fn a_request_that_errs_does_nothing_and_is_counted_by_its_class() {
    let write = DiskOp::Write { file: FILE, offset: 0, data: b"1" };
    for (op, n, counted) in [
        (DiskOp::Read { file: FILE, offset: 0, len: 1 }, 1, [1, 0, 0]),
        (DiskOp::Open(WAL), 1, [1, 0, 0]),
        (write, 2, [0, 1, 0]),
        (DiskOp::Append { file: FILE, data: b"1" }, 1, [0, 1, 0]),
        (DiskOp::Truncate { file: FILE, len: 1 }, 1, [0, 1, 0]),
        (DiskOp::Remove(WAL), 1, [0, 1, 0]),
        (DiskOp::Rename { from: WAL, to: DB }, 1, [0, 1, 0]),
        (DiskOp::Sync(FILE), 2, [0, 0, 1]),
    ] {
        let (rig, answer) = deviating(op, n, "error");
        assert_eq!(answer, Err(DiskError::Io), "{op}");
        assert_eq!(rig.content(WAL), Some(&b"aaaabbbbcccc"[..]), "{op}");
        let seen = rig.disk.seen();
        assert_eq!([seen.read_errors, seen.write_errors, seen.sync_errors], counted, "{op}");
        assert_eq!(seen.chosen_errors, 1, "{op}");
    }
}

#[test]
fn requests_are_counted_by_file_and_kind_and_from_one_in_every_incarnation() {
    let mut rig = Rig::new();
    rig.choices.record();
    rig.choices.set_odds(DISK.id, Odds::new(&[0, 1]));
    let file = FileId(1);
    for op in [DiskOp::Create(WAL), DiskOp::Create(DB), DiskOp::Create(WAL), DiskOp::List] {
        rig.submit(op);
    }
    rig.submit(DiskOp::Sync(file));
    rig.crash();
    rig.submit(DiskOp::Create(WAL));
    let key = |incarnation, word, kind, n| Key::disk(2, incarnation, word, kind as u16, n);
    let expected = [
        key(1, WAL.word(), DiskKind::Create, 1),
        key(1, DB.word(), DiskKind::Create, 1),
        key(1, WAL.word(), DiskKind::Create, 2),
        key(1, 0, DiskKind::List, 1),
        key(1, 0, DiskKind::Sync, 1),
        key(2, WAL.word(), DiskKind::Create, 1),
    ];
    let keys: Vec<Key> = rig.choices.take_recording().iter().map(|d| d.key).collect();
    assert_eq!(keys, expected);
}

#[test]
fn a_request_about_a_file_is_keyed_by_the_name_that_the_file_has() {
    let mut rig = Rig::new();
    rig.deviate(Some(DB), DiskKind::Append, 1, "error");
    let file = rig.create(TMP);
    rig.run(DiskOp::Append { file, data: b"1" }).unwrap();
    rig.run(DiskOp::Rename { from: TMP, to: DB }).unwrap();
    assert_eq!(rig.run(DiskOp::Append { file, data: b"1" }), Err(DiskError::Io));
}

#[test]
fn a_slow_request_takes_longer_and_a_hanging_one_is_never_answered() {
    for (how, due) in [
        ("slow 1ms", Some(Span::ms(1))),
        ("slow 10ms", Some(Span::ms(10))),
        ("slow 100ms", Some(Span::ms(100))),
        ("slow 1s", Some(Span::secs(1))),
        ("hang", None),
    ] {
        let mut rig = Rig::new();
        rig.deviate(Some(WAL), DiskKind::Open, 1, how);
        let submitted = rig.disk.submit(rig.me, DiskOp::Open(WAL), rig.now, &mut rig.choices);
        assert_eq!(submitted.due, due.map(|extra| SPEC.base + extra));
        assert_eq!(DISK.outcomes[submitted.outcome as usize - 1], how);
        let seen = rig.disk.seen();
        let expected = (u64::from(due.is_some()), u64::from(due.is_none()));
        assert_eq!((seen.slow, seen.hung), expected);
        assert_eq!((seen.chosen_slow, seen.chosen_hung), expected);
    }
}

#[test]
fn a_short_write_lands_a_proper_prefix_of_its_sectors_and_fails() {
    let mut lengths = [false; 13];
    for seed in 0..50 {
        let mut rig = Rig::new();
        rig.choices.reset(seed);
        rig.deviate(Some(WAL), DiskKind::Write, 2, "short");
        let file = rig.file(WAL, b"aaaabbbbcccc");
        let answer = rig.run(DiskOp::Write { file, offset: 2, data: b"1111111111" });
        assert_eq!(answer, Err(DiskError::Io));
        let [DiskChange::Short { landed, .. }] = rig.changes[..] else { panic!("not told") };
        let landed = usize::try_from(landed).unwrap();
        lengths[landed] = true;
        let expected = [&b"aa"[..], &b"1111111111"[..landed], &b"aabbbbcccc"[landed..]].concat();
        assert_eq!(rig.content(WAL), Some(&expected[..]));
        assert_eq!((rig.disk.seen().short, rig.disk.seen().write_errors), (1, 1));
        assert_eq!(rig.disk.seen().chosen_errors, 0, "a short write is another kind");
    }
    let seen: Vec<usize> = (0..13).filter(|n| lengths[*n]).collect();
    assert_eq!(seen, [0, 2, 6]);
}

#[test]
fn a_misdirected_write_lands_at_another_sector_and_succeeds() {
    let mut targets = [false; 12];
    for seed in 0..50 {
        let mut rig = Rig::new();
        rig.choices.reset(seed);
        rig.deviate(Some(WAL), DiskKind::Write, 2, "misdirect");
        let file = rig.file(WAL, b"aaaabbbbcccc");
        let answer = rig.run(DiskOp::Write { file, offset: 5, data: b"1" });
        assert_eq!(answer, Ok(DiskDone::Written { offset: 5, len: 1 }));
        let [DiskChange::Misdirected { from: 5, to, .. }] = rig.changes[..] else {
            panic!("not told")
        };
        let to = usize::try_from(to).unwrap();
        targets[to] = true;
        let mut expected = b"aaaabbbbcccc".to_vec();
        expected[to] = b'1';
        assert_eq!(rig.content(WAL), Some(&expected[..]));
        assert_eq!(rig.disk.seen().misdirected, 1);
    }
    let seen: Vec<usize> = (0..12).filter(|n| targets[*n]).collect();
    assert_eq!(seen, [1, 9]);
}

#[test]
fn a_misdirected_append_extends_the_file_and_leaves_zeros_in_its_place() {
    let (rig, answer) = deviating(DiskOp::Append { file: FILE, data: b"1111" }, 1, "misdirect");
    assert_eq!(answer, Ok(DiskDone::Written { offset: 12, len: 4 }));
    let content = rig.content(WAL).unwrap();
    assert_eq!((content.len(), &content[12..]), (16, &[0; 4][..]));
    assert_eq!(content.iter().filter(|b| **b == b'1').count(), 4);
}

#[test]
fn a_write_that_can_go_nowhere_else_is_not_misdirected() {
    let mut rig = Rig::new();
    rig.deviate(Some(WAL), DiskKind::Write, 1, "misdirect");
    let file = rig.create(WAL);
    rig.write(file, 0, b"1111");
    assert_eq!(rig.read(file), b"1111");
    assert_eq!(rig.disk.seen().misdirected, 0);
}

fn flipped(a: &[u8], b: &[u8]) -> u32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum()
}

#[test]
fn a_rotten_write_stores_one_bit_wrongly() {
    for op in [
        DiskOp::Write { file: FILE, offset: 2, data: b"11111" },
        DiskOp::Append { file: FILE, data: b"11111" },
    ] {
        let n = if op.kind() == DiskKind::Write { 2 } else { 1 };
        let (rig, _) = deviating(op, n, "rot");
        let (right, _) = deviating(op, n, "slow 1ms");
        let (rotten, right) = (rig.content(WAL).unwrap(), right.content(WAL).unwrap());
        assert_eq!(flipped(rotten, right), 1);
        assert_eq!(rig.disk.seen().rotted, 1);
    }
}

#[test]
fn a_rotten_read_flips_a_stored_bit_for_good() {
    let op = DiskOp::Read { file: FILE, offset: 4, len: 4 };
    let (mut rig, answer) = deviating(op, 1, "rot");
    let Ok(DiskDone::Read(data)) = answer else { panic!("a read answers with data") };
    assert_eq!(flipped(&data, b"bbbb"), 1);
    assert_eq!(rig.run(op), Ok(DiskDone::Read(data.clone())));
    rig.crash();
    assert_eq!(rig.content(WAL).unwrap()[4..8], data);
}

#[test]
fn rot_reaches_what_a_sync_in_flight_holds() {
    let mut rig = Rig::new();
    rig.deviate(Some(WAL), DiskKind::Read, 1, "rot");
    let file = rig.file(WAL, b"aaaa");
    rig.write(file, 0, b"1111");
    let sync = rig.submit(DiskOp::Sync(file));
    let read = rig.read(file);
    rig.complete(sync).unwrap();
    rig.crash();
    assert_eq!(rig.content(WAL), Some(&read[..]));
}

#[test]
fn an_outcome_that_makes_no_sense_for_a_request_is_calm() {
    for how in ["short", "misdirect", "rot"] {
        let (rig, answer) = deviating(DiskOp::Truncate { file: FILE, len: 1 }, 1, how);
        assert_eq!(answer, Ok(DiskDone::Done));
        assert_eq!(rig.content(WAL), Some(&b"a"[..]));
        let (_, answer) = deviating(DiskOp::Read { file: FILE, offset: 99, len: 1 }, 1, how);
        assert_eq!(answer, Ok(DiskDone::Read(Vec::new())));
    }
}

#[test]
fn a_full_window_fails_every_write_and_extension_until_it_ends() {
    let mut rig = Rig::new();
    let file = rig.file(WAL, b"aaaabbbb");
    rig.disk.trouble_mut().full_until = rig.now + Span(10);
    for op in [
        DiskOp::Write { file, offset: 0, data: b"1" },
        DiskOp::Append { file, data: b"1" },
        DiskOp::Truncate { file, len: 9 },
    ] {
        assert_eq!(rig.run(op), Err(DiskError::Full), "{op}");
    }
    assert_eq!(rig.disk.seen().full, 3);
    rig.run(DiskOp::Truncate { file, len: 4 }).unwrap();
    rig.sync(file);
    rig.now += Span(10);
    rig.write(file, 0, b"1");
    assert_eq!(rig.read(file), b"1aaa");
}

#[test]
fn an_error_window_fails_its_class_of_requests_until_it_ends() {
    let until = |rig: &Rig| rig.now + Span(10);
    for class in 0..3 {
        let mut rig = Rig::new();
        let file = rig.file(WAL, b"aaaa");
        let end = until(&rig);
        let trouble = rig.disk.trouble_mut();
        *[
            &mut trouble.read_error_until,
            &mut trouble.write_error_until,
            &mut trouble.sync_error_until,
        ][class] = end;
        for _ in 0..2 {
            let failing = rig.now < end;
            for (of, op) in [
                (0, DiskOp::Open(WAL)),
                (0, DiskOp::Read { file, offset: 0, len: 1 }),
                (0, DiskOp::List),
                (1, DiskOp::Create(DB)),
                (1, DiskOp::Write { file, offset: 0, data: b"1" }),
                (1, DiskOp::Append { file, data: b"1" }),
                (1, DiskOp::Truncate { file, len: 4 }),
                (1, DiskOp::Rename { from: WAL, to: WAL }),
                (2, DiskOp::Sync(file)),
                (2, DiskOp::SyncDir),
            ] {
                let fails = rig.run(op) == Err(DiskError::Io);
                assert_eq!(fails, failing && of == class, "{op} in class {class}");
            }
            rig.now = end;
        }
    }
}

#[test]
fn a_slow_window_multiplies_the_calm_latency_and_a_hang_window_swallows_requests() {
    let mut rig = Rig::new();
    let due = |rig: &mut Rig| rig.disk.submit(rig.me, DiskOp::List, rig.now, &mut rig.choices).due;
    rig.disk.trouble_mut().slow_until = rig.now + Span(10);
    rig.disk.trouble_mut().slow_factor = 20;
    assert_eq!(due(&mut rig), Some(Span::ms(2)));
    rig.disk.trouble_mut().hang_until = rig.now + Span(5);
    assert_eq!(due(&mut rig), None);
    rig.now += Span(5);
    assert_eq!(due(&mut rig), Some(Span::ms(2)));
    rig.now += Span(5);
    assert_eq!(due(&mut rig), Some(SPEC.base));
    assert_eq!((rig.disk.seen().slow, rig.disk.seen().hung), (2, 1));
    assert_eq!((rig.disk.seen().chosen_slow, rig.disk.seen().chosen_hung), (0, 0));
}

#[test]
fn healing_ends_every_window() {
    let mut rig = Rig::new();
    let end = Time(u64::MAX);
    *rig.disk.trouble_mut() = Trouble {
        full_until: end,
        read_error_until: end,
        write_error_until: end,
        sync_error_until: end,
        slow_until: end,
        slow_factor: 9,
        hang_until: end,
    };
    rig.disk.heal(rig.now);
    let submitted = rig.disk.submit(rig.me, DiskOp::Create(WAL), rig.now, &mut rig.choices);
    assert_eq!(submitted.due, Some(SPEC.base));
    let file = rig.file(WAL, b"aaaa");
    assert_eq!(rig.read(file), b"aaaa");
}

const CLASSES: [FileClass; 2] = [
    FileClass { name: "log", start: FileName::new("w") },
    FileClass { name: "table", start: FileName::new("db") },
];

/// How often a file of this name is damaged by a write that rots, where some classes of files are given up.
fn rotted(name: FileName, some: ClassSet) -> u64 {
    let mut rig = Rig::new();
    rig.disk.give_up_only(&CLASSES, some);
    rig.deviate(Some(name), DiskKind::Write, 1, "rot");
    let file = rig.create(name);
    rig.write(file, 0, b"aaaa");
    let damaged = rig.content(name) != Some(&b"aaaa"[..]);
    assert_eq!(u64::from(damaged), rig.disk.seen().rotted);
    rig.disk.seen().rotted
}

#[test]
fn only_files_of_a_class_that_is_given_up_are_damaged() {
    let (none, log, both) = (ClassSet(0b00), ClassSet(0b01), ClassSet(0b11));
    let of = |some| [WAL, DB, TMP].map(|name| rotted(name, some));
    assert_eq!((of(none), of(log), of(both)), ([0, 0, 0], [1, 0, 0], [1, 1, 0]));
    let mut disk = Disk::default();
    for (some, all) in [(none, false), (log, false), (both, true)] {
        disk.give_up_only(&CLASSES, some);
        assert_eq!(disk.may_be_wiped(), all);
    }
    disk.give_up_only(&[], none);
    assert!(disk.may_be_wiped(), "without classes all files are one");
}

#[test]
fn a_file_that_is_renamed_while_a_request_is_on_its_way_is_judged_by_its_new_name() {
    for (to, damaged) in [(DB, false), (FileName::new("wal2"), true)] {
        let mut rig = Rig::new();
        rig.disk.give_up_only(&CLASSES, ClassSet(0b01));
        rig.deviate(Some(WAL), DiskKind::Write, 1, "rot");
        let file = rig.create(WAL);
        let write = rig.submit(DiskOp::Write { file, offset: 0, data: b"aaaa" });
        rig.run(DiskOp::Rename { from: WAL, to }).expect("a rename");
        rig.complete(write).expect("a write");
        assert_eq!(rig.content(to) != Some(&b"aaaa"[..]), damaged);
    }
}
