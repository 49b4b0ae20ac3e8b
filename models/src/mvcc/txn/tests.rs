use super::super::defects::Defects;
use super::super::fixture::{Node, request};
use super::*;

/// a is written twice with lease 7, b once with an empty value, c is deleted; the revision is 6.
fn db() -> Node {
    Node::after(&["put a 1", "put a 2 lease 7", "put b \"\"", "put c 3", "del c"])
}

#[test]
fn compares_look_at_the_state_before_the_transaction() {
    let table = [
        ("a version = 2", true),
        ("a version != 2", false),
        ("a version < 3", true),
        ("a version > 2", false),
        ("a created = 2", true),
        ("a modified = 3", true),
        ("a modified > 3", false),
        ("a value = 2", true),
        ("a value < 3", true),
        ("a lease = 7", true),
        ("b value = \"\"", true),
        ("c version = 0", true),
        ("c created = 0", true),
        ("c modified < 1", true),
        ("c lease = 0", true),
        ("c version > 0", false),
        // An absent key has no value, not even an empty one, whatever the relation.
        ("c value = \"\"", false),
        ("c value != 3", false),
        ("c value < x", false),
        // A range has to hold for every key that exists, or for none as for an absent key.
        ("a..c version > 0", true),
        ("a..c version > 1", false),
        ("c..d version = 0", true),
        ("a version = 2 and b version = 1", true),
        ("a version = 2 and b version = 2", false),
    ];
    for (compare, succeeded) in table {
        let branch = if succeeded { "then" } else { "else" };
        let answer = db().answer(&format!("txn if {compare} then put a new else get x count"));
        let expected = if succeeded {
            "then: revision 7; put: revision 7"
        } else {
            "else: revision 6; found: revision 6, count 0"
        };
        assert_eq!(answer, expected, "{compare} takes {branch}");
    }
}

#[test]
fn effects_share_a_revision_and_count_from_zero() {
    let mut db = db();
    let answer = db.answer("txn then put x 1; del a..c; get a.. @0; put y 2; get b");
    assert_eq!(
        answer,
        "then: revision 7; put: revision 7; deleted 2: revision 7; found: revision 7, count 1: \
         x=1 (created 7, modified 7, version 1, lease 0); put: revision 7; found: revision 7, count 0"
    );
    let records: Vec<String> = db
        .backend
        .scan(super::super::backend::Bucket::Key, &[0, 0, 0, 0, 0, 0, 0, 7])
        .map(|(key, _)| super::super::revision::RecordKey::parse(key).expect("a record key"))
        .map(|key| format!("{}{}", key.revision, if key.tombstone { "t" } else { "" }))
        .collect();
    assert_eq!(records, ["(7,0)", "(7,1)t", "(7,2)t", "(7,3)"]);
}

#[test]
fn a_read_inside_a_transaction_at_a_revision_is_checked_before_anything_is_done() {
    let mut db = db();
    db.done(&["compact 4"]);
    let before = db.clone();
    let table = [
        ("txn then put x 1; get a @7", OpError::FutureRevision),
        ("txn then put x 1; get a @3", OpError::Compacted),
        ("txn if a version = 0 then else put x 1; get a @100", OpError::FutureRevision),
    ];
    for (line, error) in table {
        assert_eq!(db.ask(&request(line)), Err(error), "{line}");
        assert_eq!((&db.store, &db.backend), (&before.store, &before.backend), "{line}");
    }
    // The branch that is not taken is not checked.
    let answer = db.answer("txn if a version = 0 then get a @100 else put x 1");
    assert_eq!(answer, "else: revision 7; put: revision 7");
}

#[test]
fn a_request_without_a_key_or_that_writes_a_key_twice_is_refused() {
    let empty = Err(OpError::EmptyKey);
    let twice = Err(OpError::DuplicateKey);
    let table = [
        ("put \"\" 1", empty),
        ("get \"\"", empty),
        ("get \"\"..", empty),
        ("del \"\"..b", empty),
        ("txn if \"\" version = 0 then", empty),
        ("txn then else get \"\"", empty),
        ("txn then put a 1; put a 2; put \"\" 3", empty),
        ("txn then put a 1; put a 1", twice),
        ("txn then put b 1; del a..c", twice),
        ("txn then del b..; put c 1", twice),
        ("txn if a version = 0 then put a 1; del a else put a 1", twice),
        ("txn then else put a 1; put a 2", twice),
        ("txn then put a 1; del a..a; del b", Ok(())),
        ("txn then del a; del a..c; get a; put c 1", Ok(())),
        ("txn then put a 1 else put a 1", Ok(())),
    ];
    for (line, expected) in table {
        assert_eq!(check(&request(line)), expected, "{line}");
    }
}

#[test]
fn a_transaction_takes_a_step_per_action_and_shows_nothing_before_its_end() {
    let Node { mut store, mut backend, .. } = db();
    let request = request("txn then put x 1; put y 2; del a");
    let mut running = Running::begin(&store, &backend, &request).expect("accepted");
    let all = Get { keys: Keys::From(b"a".to_vec()), at: None, limit: 0, count_only: true };
    let mut effects = Vec::new();
    while !running.is_done() {
        running.step(&mut store, &mut backend).expect("a sound store");
        effects.push(running.effects());
        let seen = store.range(&backend, &all).expect("readable");
        assert_eq!((seen.revision, seen.count), (6, 2));
    }
    assert_eq!(effects, [1, 2, 3]);
    assert_eq!(running.finish(&mut store).revision(), Some(7));
    assert_eq!(store.range(&backend, &all).map(|found| found.count), Ok(3));
}

#[test]
fn a_transaction_that_only_reads_sees_one_revision_throughout() {
    let mut db = db();
    let read = request("txn then get a count; get x count");
    assert!(!writes(&read));
    let mut running = Running::begin(&db.store, &db.backend, &read).expect("accepted");
    running.step(&mut db.store, &mut db.backend).expect("readable");
    db.done(&["put x 1"]);
    running.step(&mut db.store, &mut db.backend).expect("readable");
    let answer = running.finish(&mut db.store).to_string();
    assert_eq!(answer, "then: revision 6; found: revision 6, count 1; found: revision 6, count 0");

    let mut running = Running::begin(&db.store, &db.backend, &request("get a")).expect("accepted");
    db.done(&["put x 2", "compact 8"]);
    let refused = running.step(&mut db.store, &mut db.backend);
    assert_eq!(refused, Err(OpError::Compacted.into()));
}

#[test]
fn the_kind_of_a_request_tells_whether_it_needs_the_locks() {
    let table = [
        ("get a", false),
        ("put a 1", true),
        ("del a", true),
        ("txn then get a", false),
        ("txn then get a else put a 1", true),
        ("compact 1", true),
        ("close", false),
    ];
    for (line, expected) in table {
        assert_eq!(writes(&request(line)), expected, "{line}");
    }
    assert_eq!(Node::new(Defects::NONE).answer("close"), "closed");
}
