use super::*;

fn rev(main: i64) -> Revision {
    Revision::new(main, 0)
}

/// The key of the examples: put 2, 4, deleted 6, put 8, 10, deleted 12, put 14 and 15, deleted 16.
fn k() -> KeyIndex {
    let mut key = KeyIndex::created(rev(2));
    key.put(rev(4));
    key.tombstone(rev(6)).expect("the key exists");
    key.put(rev(8));
    key.put(rev(10));
    key.tombstone(rev(12)).expect("the key exists");
    key.put(rev(14));
    key.put(Revision::new(15, 1));
    key.tombstone(rev(16)).expect("the key exists");
    key
}

/// Generations as text: `8/3:8,10,12` is created 8, version 3 and its revisions.
fn shown(key: &KeyIndex) -> String {
    let generation = |generation: &Generation| {
        let revisions: Vec<String> =
            generation
                .revisions
                .iter()
                .map(|at| {
                    if at.sub == 0 {
                        at.main.to_string()
                    } else {
                        format!("{}.{}", at.main, at.sub)
                    }
                })
                .collect();
        format!("{}/{}:{}", generation.created, generation.version, revisions.join(","))
    };
    key.generations.iter().map(generation).collect::<Vec<_>>().join(" ")
}

fn compact(key: &mut KeyIndex, at: i64) -> Vec<Revision> {
    let mut keep = BTreeSet::new();
    key.compact(at, HeadTombstone::Kept, &mut keep);
    keep.into_iter().collect()
}

/// T33: after a compaction at 4, what holds at each revision.
#[test]
fn a_key_answers_with_the_version_that_holds_at_a_revision() {
    let mut key = k();
    compact(&mut key, 4);
    let table = [
        (0, None),
        (3, None),
        (4, Some((rev(4), 2, 2))),
        (5, Some((rev(4), 2, 2))),
        (6, None),
        (7, None),
        (8, Some((rev(8), 8, 1))),
        (9, Some((rev(8), 8, 1))),
        (10, Some((rev(10), 8, 2))),
        (11, Some((rev(10), 8, 2))),
        (12, None),
        (13, None),
        (14, Some((rev(14), 14, 1))),
        (15, Some((Revision::new(15, 1), 14, 2))),
        (16, None),
        (17, None),
    ];
    for (at, expected) in table {
        let got = key.get(at).ok().map(|found| (found.modified, found.created, found.version));
        assert_eq!(got, expected, "at {at}");
    }
}

/// T35.
#[test]
fn a_put_extends_the_last_generation() {
    let mut key = KeyIndex::created(rev(5));
    assert_eq!((shown(&key), key.modified()), ("5/1:5".to_owned(), rev(5)));
    key.put(rev(7));
    assert_eq!((shown(&key), key.modified()), ("5/2:5,7".to_owned(), rev(7)));
}

#[test]
#[should_panic(expected = "ever higher revisions")]
fn a_put_at_a_revision_that_is_not_newer_is_a_defect_of_the_caller() {
    KeyIndex::created(rev(5)).put(rev(5));
}

/// T37.
#[test]
fn a_tombstone_closes_a_generation_and_needs_a_key_that_exists() {
    let mut key = KeyIndex::created(rev(5));
    key.tombstone(rev(7)).expect("the key exists");
    assert_eq!(shown(&key), "5/2:5,7 0/0:");
    key.put(rev(8));
    key.put(rev(9));
    key.tombstone(rev(15)).expect("the key exists");
    assert_eq!(shown(&key), "5/2:5,7 8/3:8,9,15 0/0:");
    assert_eq!(key.tombstone(rev(16)), Err(NotFound));
    assert_eq!(key.modified(), rev(15));
}

type Row = (i64, &'static str, &'static [(i64, i64)]);

/// T38: at, the key after compaction, what is kept.
const COMPACTIONS: [Row; 17] = [
    (1, "2/3:2,4,6 8/3:8,10,12 14/3:14,15.1,16 0/0:", &[]),
    (2, "2/3:2,4,6 8/3:8,10,12 14/3:14,15.1,16 0/0:", &[(2, 0)]),
    (3, "2/3:2,4,6 8/3:8,10,12 14/3:14,15.1,16 0/0:", &[(2, 0)]),
    (4, "2/3:4,6 8/3:8,10,12 14/3:14,15.1,16 0/0:", &[(4, 0)]),
    (5, "2/3:4,6 8/3:8,10,12 14/3:14,15.1,16 0/0:", &[(4, 0)]),
    (6, "2/3:6 8/3:8,10,12 14/3:14,15.1,16 0/0:", &[(6, 0)]),
    (7, "8/3:8,10,12 14/3:14,15.1,16 0/0:", &[]),
    (8, "8/3:8,10,12 14/3:14,15.1,16 0/0:", &[(8, 0)]),
    (9, "8/3:8,10,12 14/3:14,15.1,16 0/0:", &[(8, 0)]),
    (10, "8/3:10,12 14/3:14,15.1,16 0/0:", &[(10, 0)]),
    (11, "8/3:10,12 14/3:14,15.1,16 0/0:", &[(10, 0)]),
    (12, "8/3:12 14/3:14,15.1,16 0/0:", &[(12, 0)]),
    (13, "14/3:14,15.1,16 0/0:", &[]),
    (14, "14/3:14,15.1,16 0/0:", &[(14, 0)]),
    (15, "14/3:15.1,16 0/0:", &[(15, 1)]),
    (16, "14/3:16 0/0:", &[(16, 0)]),
    (17, "0/0:", &[]),
];

fn check_compaction(key: &mut KeyIndex, row: usize) {
    let (at, expected, kept) = COMPACTIONS[row];
    let before = key.clone();
    let mut would_keep = BTreeSet::new();
    key.keep(at, HeadTombstone::Kept, &mut would_keep);
    assert_eq!(*key, before, "keep at {at} changes nothing");

    let keep = compact(key, at);
    let kept: Vec<Revision> = kept.iter().map(|&(main, sub)| Revision::new(main, sub)).collect();
    assert_eq!((shown(key).as_str(), keep), (expected, kept.clone()), "compact at {at}");
    assert_eq!(key.is_empty(), at == 17);

    let tombstones = [rev(6), rev(12), rev(16)];
    let without: BTreeSet<Revision> =
        kept.into_iter().filter(|at| !tombstones.contains(at)).collect();
    assert_eq!(would_keep, without, "keep at {at}");
}

#[test]
fn a_compaction_keeps_what_holds_at_its_revision_when_done_alone() {
    for row in 0..COMPACTIONS.len() {
        check_compaction(&mut k(), row);
    }
}

#[test]
fn a_compaction_keeps_what_holds_at_its_revision_after_any_other_compactions() {
    // Every one, two or three of them in ascending order, and all of them.
    for chosen in 1..1_u32 << COMPACTIONS.len() {
        if !matches!(chosen.count_ones(), 1..=3 | 17) {
            continue;
        }
        let mut key = k();
        for row in (0..COMPACTIONS.len()).filter(|row| chosen >> row & 1 == 1) {
            check_compaction(&mut key, row);
        }
    }
}

#[test]
fn the_older_rule_removes_a_tombstone_right_at_the_compacted_revision() {
    for (at, expected) in
        [(6, "8/3:8,10,12 14/3:14,15.1,16 0/0:"), (12, "14/3:14,15.1,16 0/0:"), (16, "0/0:")]
    {
        let mut key = k();
        let mut keep = BTreeSet::new();
        key.compact(at, HeadTombstone::Removed, &mut keep);
        assert_eq!((shown(&key).as_str(), keep), (expected, BTreeSet::new()), "compact at {at}");
    }
    let mut key = k();
    let mut keep = BTreeSet::new();
    key.compact(5, HeadTombstone::Removed, &mut keep);
    assert_eq!((shown(&key).as_str(), keep), (COMPACTIONS[4].1, BTreeSet::from([rev(4)])));
}

/// T45.
#[test]
fn a_key_exists_from_its_put_to_its_tombstone() {
    let mut key = KeyIndex::created(rev(2));
    key.put(rev(4));
    key.tombstone(rev(6)).expect("the key exists");
    let at = |at| key.get(at).ok().map(|found| (found.modified.main, found.created, found.version));
    let found: Vec<_> = (0..=6).map(at).collect();
    let (first, second) = (Some((2, 2, 1)), Some((4, 2, 2)));
    assert_eq!(found, [None, None, first, first, second, second, None]);
    assert!(!key.exists());
}

#[test]
fn a_restored_key_continues_where_its_oldest_record_left_off() {
    let mut key = KeyIndex::restored(2, rev(10), 7);
    key.put(rev(12));
    assert_eq!(shown(&key), "2/8:10,12");
    assert_eq!(key.get(9), Err(NotFound));

    let mut key = KeyIndex::restored_tombstone(rev(10));
    assert_eq!(shown(&key), "0/1:10 0/0:");
    assert!((0..20).all(|at| key.get(at).is_err()));
    key.put(rev(12));
    assert_eq!(shown(&key), "0/1:10 12/1:12");
}

#[test]
fn what_was_written_since_a_revision_is_told_once_for_each_transaction() {
    let mut key = k();
    let since = |key: &KeyIndex, at| -> Vec<Revision> { key.since(at) };
    let all = [2, 4, 6, 8, 10, 12, 14].map(rev).into_iter();
    let all: Vec<Revision> = all.chain([Revision::new(15, 1), rev(16)]).collect();
    for at in 0..18 {
        let expected: Vec<Revision> = all.iter().copied().filter(|of| of.main >= at).collect();
        assert_eq!(since(&key, at), expected, "since {at}");
    }
    compact(&mut key, 10);
    assert_eq!(since(&key, 0), all[4..]);

    let mut key = KeyIndex::created(rev(2));
    key.put(Revision::new(2, 1));
    key.tombstone(Revision::new(2, 2)).expect("the key exists");
    key.put(Revision::new(2, 3));
    assert_eq!(key.since(1), [Revision::new(2, 3)]);
}

#[test]
fn the_older_generation_answers_in_a_gap_only_if_that_is_planted() {
    let key = k();
    let at = |at, gap| key.get_by(at, gap).map(|found| found.modified);
    for gap in [6, 7, 12, 13, 16, 17] {
        assert_eq!(at(gap, Gap::Absent), Err(NotFound));
    }
    for (gap, older) in [(6, rev(4)), (7, rev(4)), (13, rev(10)), (17, Revision::new(15, 1))] {
        assert_eq!(at(gap, Gap::AnsweredByOlder), Ok(older));
    }
    assert_eq!(at(1, Gap::AnsweredByOlder), Err(NotFound));
    for present in [2, 5, 8, 11, 14, 15] {
        assert_eq!(at(present, Gap::AnsweredByOlder), at(present, Gap::Absent));
    }
    let alone = KeyIndex::restored_tombstone(rev(3));
    assert_eq!(alone.get_by(4, Gap::AnsweredByOlder), Err(NotFound));
}

/// Only the library lets a transaction do so: a client's may not delete what it puts.
#[test]
fn a_key_that_is_deleted_and_put_again_in_one_transaction_survives_a_compaction_there() {
    let mut key = KeyIndex::created(rev(2));
    key.tombstone(Revision::new(5, 0)).expect("the key exists");
    key.put(Revision::new(5, 1));
    let mut kept = BTreeSet::new();
    key.keep(5, HeadTombstone::Kept, &mut kept);
    assert_eq!(kept, BTreeSet::from([Revision::new(5, 1)]));
    assert_eq!(compact(&mut key.clone(), 5), [Revision::new(5, 1)]);
    key.tombstone(Revision::new(5, 2)).expect("the key exists");
    assert_eq!(compact(&mut key.clone(), 5), [Revision::new(5, 2)]);
    key.put(rev(6));
    assert_eq!(compact(&mut key.clone(), 5), [Revision::new(5, 2)]);
    assert_eq!(compact(&mut key, 6), [rev(6)]);
}
