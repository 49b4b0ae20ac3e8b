use super::super::op::Op;
use super::*;

fn after(rules: Rules, lines: &[&str]) -> Reference {
    let mut reference = Reference::of(rules).with_leases();
    for line in lines {
        let op: Op = line.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
        reference.apply(&op.resolve(0)).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
    reference
}

fn keys(text: &str) -> Keys {
    match format!("del {text}").parse() {
        Ok(Op::Single(Action::Delete(keys))) => keys,
        other => panic!("{other:?}"),
    }
}

fn refusal(reference: &Reference, line: &str) -> Option<OpError> {
    let op: Op = line.parse().expect(line);
    reference.clone().apply(&op.resolve(0)).err()
}

/// Events as `P2` and `D3`.
fn brief(events: &[&Event]) -> String {
    let one = |event: &&Event| {
        format!("{}{}", if event.deleted { "D" } else { "P" }, event.kv.mod_revision)
    };
    events.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// T29, in the words of the first era.
#[test]
fn the_history_is_cut_at_both_ends_and_says_where_to_go_on() {
    let lines = ["put foo 1", "del foo", "put foo 2", "put unrelated 3"];
    let reference = after(Rules::V2015, &lines);
    let table = [
        ((1, 1), "", 1),
        ((1, 2), "P1", 2),
        ((1, 3), "P1 D2", 3),
        ((1, 4), "P1 D2 P3", 5),
        ((1, 5), "P1 D2 P3", 5),
        ((1, 10), "P1 D2 P3", 5),
        ((3, 4), "P3", 5),
        ((0, 10), "P1 D2 P3", 5),
        ((1, 0), "P1 D2 P3", 5),
        ((0, 0), "P1 D2 P3", 5),
    ];
    for (span, events, next) in table {
        let (found, at) = reference.history(&keys("foo"), span, 0).expect("within");
        assert_eq!((brief(&found).as_str(), at), (events, next), "{span:?}");
    }
    assert_eq!(reference.history(&keys("foo"), (5, 0), 0), Err(OpError::FutureRevision));
}

#[test]
fn a_limit_never_splits_a_revision() {
    let reference = after(Rules::Main, &["txn then put a 1; put b 1; put c 1", "put a 2"]);
    let (found, next) = reference.history(&keys("a.."), (0, 0), 1).expect("within");
    assert_eq!((brief(&found).as_str(), next), ("P2 P2 P2", 3));
}

#[test]
fn the_floor_is_where_each_era_has_it() {
    let lines = ["put a 1", "put a 2", "del a", "put b 1", "compact 4"];
    let table = [
        (Rules::V2015, ["Some(Compacted)", "Compacted", "Err(Compacted)"], ""),
        (Rules::V3_4, ["None", "From(4)", "Err(Compacted)"], ""),
        (Rules::Main, ["None", "From(4)", "Ok"], "D4"),
    ];
    for (rules, [read, watch, hash], kept) in table {
        let mut reference = after(rules, &lines[..4]);
        if rules == Rules::V2015 {
            // One revision earlier, so that the same change stands at the floor.
            reference = after(rules, &["put z 1", "put a 1", "put a 2", "del a", "put b 1"]);
        }
        reference.apply(&Op::Compact(4)).expect("accepted");
        assert_eq!(format!("{:?}", refusal(&reference, "get a @4")), read, "{rules}");
        assert_eq!(format!("{:?}", reference.watch(4)), watch, "{rules}");
        let said = match reference.hash(4) {
            Ok(_) => "Ok".to_owned(),
            Err(error) => format!("Err({error:?})"),
        };
        assert_eq!(said, hash, "{rules}");
        let changes = reference.changes(&keys("a"), 4);
        let left: Vec<&Event> = changes.into_iter().filter(|e| reference.is_kept(e)).collect();
        assert_eq!(brief(&left), kept, "{rules}");
        assert_eq!(reference.watch(3), Watched::Compacted);
        assert_eq!(refusal(&reference, "get a @3"), Some(OpError::Compacted));
    }
}

#[test]
fn a_watcher_begins_where_its_era_lets_it() {
    let table = [
        (Rules::V2015, [Watched::From(2), Watched::Refused, Watched::From(-1)]),
        (Rules::V3_4, [Watched::From(3), Watched::From(9), Watched::From(-1)]),
        (Rules::Main, [Watched::From(3), Watched::From(9), Watched::Refused]),
    ];
    for (rules, expected) in table {
        let reference = after(rules, &["put a 1"]);
        assert_eq!([0, 9, -1].map(|start| reference.watch(start)), expected, "{rules}");
    }
    let mut compacted = after(Rules::V3_4, &["put a 1"]);
    compacted.apply(&Op::Compact(1)).expect("accepted");
    assert_eq!(compacted.watch(-1), Watched::Compacted);
    assert_eq!(Reference::of(Rules::V3_4).watch(-2), Watched::Compacted);
    let emptied = Reference::emptied(Rules::V3_4, 7);
    assert_eq!((emptied.current(), emptied.watch(6)), (7, Watched::Compacted));
}

#[test]
fn a_revoke_is_one_revision_with_its_keys_in_order() {
    let lines = ["grant 7 60", "put b 1 lease 7", "put a 1 lease 7", "put c 1", "revoke 7"];
    let reference = after(Rules::Main, &lines);
    let changes = reference.changes(&keys("a.."), 5);
    let gone: Vec<_> = changes.iter().map(|event| (event.deleted, event.kv.key.clone())).collect();
    assert_eq!(gone, [(true, b"a".to_vec()), (true, b"b".to_vec())]);
    let event = Event::clone(changes[1]);
    assert_eq!(reference.before(&event).map(|kv| kv.mod_revision), Some(2));
    let mut reference = reference;
    reference.apply(&Op::Compact(5)).expect("accepted");
    assert_eq!(reference.before(&event), None, "what was before is compacted");
}

/// T95: the key of the i-th put.
fn pick_key(i: i64) -> &'static str {
    match i {
        i if i % 142 == 30 => "zenek",
        i if i % 71 == 30 => "xavery",
        i => ["alice", "bob", "celine", "dominik", "eve", "frederica", "gorge"]
            [usize::try_from(i % 7).expect("small")],
    }
}

/// T95.
#[test]
fn the_golden_hashes_come_out() {
    const HASHES: [u32; 18] = [
        4082599214, 2279933401, 3284231217, 126286495, 900108730, 2475485232, 1226296507,
        2503661030, 4155130747, 106915399, 406914006, 1882211381, 806177088, 664311366, 1496914449,
        2434525091, 3988652253, 1122462288,
    ];
    let mut reference = Reference::new();
    let put = |reference: &mut Reference, i: i64| {
        let line = format!("put {} {i}", pick_key(i));
        let op: Op = line.parse().expect("a put");
        reference.apply(&op.resolve(0)).expect("accepted");
    };
    let (mut rev, mut floor) = (0, -1);
    for expected in HASHES {
        (rev..=rev + 71).for_each(|i| put(&mut reference, i));
        let hash = reference.hash(rev + 35).expect("within");
        assert_eq!((hash.hash, hash.compacted, hash.revision), (expected, floor, rev + 35));
        floor = rev + 35;
        reference.apply(&Op::Compact(floor)).expect("accepted");
        rev += 71;
    }
    (1278..=2488).for_each(|i| put(&mut reference, i));
    let hash = reference.hash(1883).expect("within");
    assert_eq!((hash.hash, hash.compacted, hash.revision), (724436716, 1242, 1883));
}

#[test]
fn a_key_that_a_change_has_created_was_nothing_before_even_if_the_same_revision_deleted_it() {
    let mut reference = after(Rules::V3_4, &["put a 1"]);
    let op: Op = "txn then del a..; put a 2".parse().expect("a transaction");
    let Op::Txn(txn) = op.resolve(0) else { panic!("a transaction was parsed") };
    assert_eq!(reference.apply(&Op::Txn(txn.clone())), Err(OpError::DuplicateKey));
    reference.apply_unchecked(&txn).expect("done all the same");
    let changes = reference.changes(&keys("a"), 3);
    let before: Vec<_> = changes.iter().map(|event| reference.before(event)).collect();
    assert_eq!(brief(&changes), "D3 P3");
    assert_eq!(before.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false]);
}
