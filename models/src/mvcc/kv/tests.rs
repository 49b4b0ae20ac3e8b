use seedbed_sim::time::Span;

use super::super::compaction::SCHEDULED;
use super::super::defects::Defects;
use super::super::fixture::request;
use super::super::lock::TxnId;
use super::super::op::{Keys, Put};
use super::super::rules::Rules;
use super::super::settings::Settings;
use super::*;

/// Small pages and batches, and nothing that happens by itself.
fn parameters() -> Parameters {
    let lazy = Settings { batch_limit: 1_000, page_size: 64, ..Settings::default() };
    Parameters { settings: lazy, ..Parameters::default() }
}

fn planted(defects: Defects) -> Kv {
    Kv::new(Parameters { defects, ..parameters() })
}

fn after(lines: &[&str]) -> Kv {
    let mut kv = Kv::new(parameters());
    done(&mut kv, lines);
    kv
}

fn done(kv: &mut Kv, lines: &[&str]) {
    for line in lines {
        kv.ask(&request(line)).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
}

fn answer(kv: &mut Kv, line: &str) -> String {
    kv.ask(&request(line)).map_or_else(|error| error.to_string(), |response| response.to_string())
}

fn finish(kv: &mut Kv) {
    while kv.compaction().is_some() {
        kv.batch(Some(2)).expect("a batch");
    }
}

fn put(key: &str, value: &str) -> Put {
    Put { key: key.into(), value: value.into(), lease: 0 }
}

fn get(at: i64) -> Get<i64> {
    let keys = Keys::One(b"foo".to_vec());
    Get { keys, at: Some(at), limit: 0, count_only: false }
}

/// T10.
#[test]
fn an_explicit_transaction_sees_its_own_writes_and_makes_one_revision() {
    let mut kv = after(&[]);
    let foo = Keys::One(b"foo".to_vec());
    for i in 1..=10 {
        let id = kv.begin().expect("free");
        assert_eq!(kv.put_in(id, &put("foo", "bar")), Ok(i + 1));
        let inside = kv.range_in(id, &get(i + 1)).expect("its own revision").to_string();
        let kv_now = format!("foo=bar (created {0}, modified {0}, version 1, lease 0)", i + 1);
        assert_eq!(inside, format!("revision {}, count 1: {kv_now}", i + 1));
        let outside = kv.range(&get(0)).expect("readers need no lock");
        assert_eq!((outside.revision, outside.count), (i, 0));
        assert_eq!(kv.delete_in(id, &foo), Ok((1, i + 1)));
        let inside = kv.range_in(id, &get(i + 1)).expect("its own revision");
        assert_eq!((inside.revision, inside.count), (i + 1, 0));
        assert_eq!(kv.end(id), Ok(i + 1));
    }
    assert_eq!(kv.store().current(), 11);
    let idle = kv.begin().expect("free");
    assert_eq!(kv.end(idle), Ok(11), "nothing was done");
}

#[test]
fn a_wrong_id_is_refused_and_the_lock_is_for_everybody() {
    let mut kv = after(&["put foo 1"]);
    let mismatch = Err(KvError::Lock(LockError::Mismatch));
    assert_eq!(kv.put_in(TxnId(0), &put("foo", "2")), mismatch);
    let id = kv.begin().expect("free");
    let wrong = TxnId(id.0 + 1);
    assert_eq!(kv.put_in(wrong, &put("foo", "2")), mismatch);
    assert_eq!(kv.end(wrong), mismatch);
    assert_eq!(kv.end(wrong).expect_err("refused").to_string(), "txn id mismatch");
    let locked = KvError::Lock(LockError::Locked(id));
    assert_eq!(kv.begin(), Err(locked.clone()));
    assert_eq!(kv.force_commit(), Err(locked.clone()));
    assert_eq!(kv.snapshot(), Err(locked.clone()));
    assert_eq!(kv.begin_defrag(), Err(locked.clone()));
    assert_eq!(kv.restore(), Err(locked.clone()));
    assert_eq!(kv.close(), Err(locked.clone()));
    for line in ["put a 1", "del a", "txn then", "compact 1", "close"] {
        assert_eq!(kv.ask(&request(line)), Err(locked.clone()), "{line}");
    }
    assert!(kv.ask(&request("get foo")).is_ok(), "readers go on");
    kv.parameters.read_buffer = false;
    assert_eq!(kv.ask(&request("get foo")), Err(locked));
    assert_eq!(kv.end(id), Ok(2));
}

/// T62 with B44's promise: a commit waits for the end of a transaction, the timer too.
#[test]
fn a_commit_waits_for_the_end_of_a_transaction() {
    let mut kv = after(&[]);
    let id = kv.begin().expect("free");
    kv.put_in(id, &put("a", "1")).expect("its own id");
    assert_eq!(kv.tick(Span::ms(100)), Ok(None));
    assert!(kv.backend().durable().is_empty());
    kv.put_in(id, &put("b", "1")).expect("its own id");
    kv.end(id).expect("its own id");
    assert_eq!(kv.backend().durable().len(), 2, "both or none");
}

/// S2 and B78: what the constructor is given arrives.
#[test]
fn the_interval_and_the_limit_are_those_that_were_given() {
    let mut kv = after(&["put a 1"]);
    let committed = Some(Committed { changes: 1, pages: 1 });
    assert_eq!(kv.tick(Span::ms(99)), Ok(None));
    assert_eq!(kv.tick(Span::ms(1)), Ok(committed));
    assert_eq!(kv.tick(Span::ms(100)), Ok(None), "nothing is pending");
    let settings = Settings { batch_interval: Span::secs(3_600), ..parameters().settings };
    let mut kv = Kv::new(Parameters { settings, ..parameters() });
    done(&mut kv, &["put a 1"]);
    assert_eq!(kv.tick(Span::secs(3_599)), Ok(None));
    assert_eq!(kv.tick(Span::secs(1)), Ok(committed));
    // T59.
    for (batch_limit, durable) in [(1, 1), (10_000, 0)] {
        let settings = Settings { batch_limit, ..parameters().settings };
        let mut kv = Kv::new(Parameters { settings, ..parameters() });
        done(&mut kv, &["put a 1"]);
        assert_eq!(kv.backend().durable().len(), durable, "limit {batch_limit}");
    }
}

/// The other sizes that a constructor is given.
#[test]
fn batches_and_copies_have_the_size_that_was_given() {
    let settings = Settings { compaction_batch: 2, ..parameters().settings };
    let mut kv = Kv::new(Parameters { settings, defrag_batch: 3, ..parameters() });
    done(&mut kv, &["put a 1", "put a 2", "put a 3", "put a 4", "compact 5"]);
    let batch = kv.batch(None).expect("it runs");
    assert_eq!((batch.deleted.len(), batch.last), (2, false));
    done(&mut kv, &["put b 1"]);
    kv.begin_defrag().expect("free");
    // Two records of a, one of b, and the mark.
    assert_eq!((kv.copy(None), kv.copy(None)), (Ok(false), Ok(true)));
    kv.swap().expect("all is copied");
}

/// B77.
#[test]
fn a_put_is_answered_with_its_own_revision() {
    let run = |defects| {
        let mut kv = planted(defects);
        let first = kv.put(&put("a", "1")).expect("free");
        let (count, second) = kv.delete(&Keys::From(b"a".to_vec())).expect("free");
        assert_eq!(count, 1);
        [first, second].map(|done| kv.answer(done))
    };
    assert_eq!(run(Defects::NONE), [2, 3]);
    assert_eq!(run(Defects { revision_read_after_unlock: true, ..Defects::NONE }), [3, 3]);
}

/// T57.
#[test]
fn a_snapshot_is_a_file_that_opens() {
    let mut kv = after(&["put foo bar"]);
    assert_eq!(kv.force_commit(), Ok(Some(Committed { changes: 1, pages: 1 })));
    done(&mut kv, &["put foo1 bar1"]);
    let mut snapshot = kv.snapshot().expect("free");
    done(&mut kv, &["put foo2 bar2"]);
    let (size, bytes) = (snapshot.size(), snapshot.chunk(usize::MAX).to_vec());
    assert_eq!(bytes.len(), size);
    assert_eq!(kv.close(), Err(KvError::SnapshotsOpen(1)));
    kv.close_snapshot(snapshot);
    let (mut copy, opened) = Kv::open(bytes, parameters()).expect("a sound file");
    assert_eq!(opened, Opened { current: 3, compacted: -1, resumed: None });
    assert_eq!(answer(&mut copy, "get foo.. count"), "found: revision 3, count 2");
}

#[test]
fn whatever_is_asked_of_a_closed_backend_is_fatal() {
    let mut kv = after(&["put a 1", "put a 2", "compact 2", "close"]);
    assert_eq!(kv.backend().durable().len(), 3);
    let results = [
        kv.ask(&request("put a 1")).map(drop),
        kv.ask(&request("get a")).map(drop),
        kv.begin().map(drop),
        kv.put_in(TxnId(1), &put("a", "1")).map(drop),
        kv.batch(None).map(drop),
        kv.tick(Span::ms(1)).map(drop),
        kv.force_commit().map(drop),
        kv.snapshot().map(drop),
        kv.begin_defrag(),
        kv.restore().map(drop),
        kv.sync().map(drop),
        kv.hash(0).map(drop),
        kv.close(),
    ];
    for (n, result) in results.into_iter().enumerate() {
        assert!(result.as_ref().is_err_and(KvError::is_fatal), "{n}: {result:?}");
    }
}

#[test]
fn a_copy_takes_the_place_of_the_file_under_the_lock() {
    let mut kv = after(&[]);
    for n in 0..20 {
        done(&mut kv, &[&format!("put a {n}")]);
        kv.force_commit().expect("free");
    }
    done(&mut kv, &["compact 21"]);
    finish(&mut kv);
    let hash = kv.hash(0);
    assert_eq!(kv.swap(), Err(KvError::NoCopy("swap in")));
    kv.begin_defrag().expect("free");
    assert_eq!(answer(&mut kv, "put b 1"), "locked by defragmenting");
    assert_eq!(answer(&mut kv, "get a"), "locked by defragmenting");
    assert_eq!(kv.copy(Some(1)), Ok(false));
    kv.drop_copy().expect("there is one");
    let before = kv.file().len();
    kv.begin_defrag().expect("free");
    while !kv.copy(Some(2)).expect("under way") {}
    assert_eq!(kv.swap(), Ok(before - kv.file().len()));
    assert!(kv.file().len() < before);
    assert_eq!(kv.hash(0), hash);
    let (copy, _) = Kv::open(kv.file().to_vec(), parameters()).expect("a sound file");
    assert_eq!(copy.hash(0), hash);
}

#[test]
fn a_store_is_restored_in_place_and_goes_on() {
    let mut ahead = after(&["put a 1", "put b 1", "del a", "put c 1", "compact 4"]);
    ahead.batch(Some(1)).expect("a batch");
    let mut snapshot = ahead.snapshot().expect("free");
    let bytes = snapshot.chunk(usize::MAX).to_vec();
    let mut kv = after(&["put a 1", "put b 1", "compact 3"]);
    let half = bytes[..64].to_vec();
    let incomplete = KvError::Incomplete { received: 64, size: bytes.len() };
    assert_eq!(kv.install(half, bytes.len()), Err(incomplete));
    let opened = kv.install(bytes, snapshot.size()).expect("a sound file");
    assert_eq!(opened, Opened { current: 5, compacted: 4, resumed: Some(4) });
    finish(&mut kv);
    finish(&mut ahead);
    assert_eq!(kv.backend().durable(), ahead.backend().durable());
    assert_eq!(answer(&mut kv, "put d 1"), "put: revision 6");
    let opened = kv.restore().expect("free");
    assert_eq!(opened, Opened { current: 6, compacted: 4, resumed: None });
    assert!(matches!(kv.install(b"no file".to_vec(), 7), Err(KvError::Open(_))));
}

/// T25.
#[test]
fn a_compaction_that_was_only_scheduled_is_in_force_and_goes_on() {
    for in_place in [true, false] {
        let mut kv = after(&["put foo 1", "put foo 2", "put foo 3"]);
        let mark = super::super::revision::Revision::new(3, 0).encode().to_vec();
        kv.backend.put(super::super::backend::Bucket::Meta, SCHEDULED.to_vec(), mark);
        kv.commit();
        if in_place {
            kv.restore().expect("free");
        } else {
            kv = Kv::open(kv.file().to_vec(), parameters()).expect("a sound file").0;
        }
        assert_eq!(answer(&mut kv, "get foo @2"), "required revision has been compacted");
        finish(&mut kv);
        assert_eq!(kv.backend().durable().len(), 4, "two records and two marks");
    }
}

/// The history of the golden hashes in short, with deletions.
const HISTORY: [&str; 8] =
    ["put a 1", "put b 1", "put a 2", "del b", "put b 2", "put c 1", "del a", "put c 2"];

#[test]
fn a_compaction_takes_the_hash_that_was_there_before_it() {
    for limit in 1..5 {
        let mut kv = after(&HISTORY);
        for at in [3, 5, 8] {
            let before = kv.hash(at).expect("readable");
            done(&mut kv, &[&format!("compact {at}")]);
            while kv.compaction().is_some() {
                kv.batch(Some(limit)).expect("a batch");
            }
            assert_eq!(kv.hashes().get(at), Some(before), "at {at} in batches of {limit}");
        }
    }
    let mut kv = Kv::new(Parameters { hashes_kept: 1, ..parameters() });
    done(&mut kv, &HISTORY);
    for at in [3, 5] {
        done(&mut kv, &[&format!("compact {at}")]);
        finish(&mut kv);
    }
    assert_eq!(kv.hashes().all().map(|kept| kept.revision).collect::<Vec<_>>(), [5]);
}

/// B50.
#[test]
fn a_hash_that_is_not_whole_is_not_kept_unless_that_is_planted() {
    let run = |defects| {
        let mut kv = planted(defects);
        done(&mut kv, &HISTORY);
        done(&mut kv, &["compact 6"]);
        let whole = kv.hash(6).expect("readable").hash;
        kv.batch(Some(2)).expect("a batch");
        kv.restore().expect("free");
        finish(&mut kv);
        (whole, kv.hashes().get(6).map(|kept| kept.hash))
    };
    assert_eq!(run(Defects::NONE).1, None);
    let (whole, partial) = run(Defects { partial_hash_published: true, ..Defects::NONE });
    assert!(partial.is_some_and(|partial| partial != whole), "a false alarm");
    // One that is accepted before the one before it is done is not whole either.
    let mut kv = after(&HISTORY);
    done(&mut kv, &["compact 3", "compact 5"]);
    finish(&mut kv);
    assert_eq!(kv.hashes().all().map(|kept| kept.revision).collect::<Vec<_>>(), [3]);
}

/// B48.
#[test]
fn the_newest_hash_is_the_same_before_and_after_a_compaction() {
    let run = |defects| {
        let mut kv = planted(defects);
        done(&mut kv, &HISTORY);
        done(&mut kv, &["compact 6"]);
        let before = kv.hash(0).expect("readable");
        finish(&mut kv);
        (before, kv.hash(0).expect("readable"))
    };
    let (before, afterwards) = run(Defects::NONE);
    assert_eq!(before, afterwards);
    let (before, afterwards) = run(Defects { newest_hash_keeps_nothing: true, ..Defects::NONE });
    assert_ne!(before.hash, afterwards.hash);
    assert_eq!((before.compacted, before.revision), (afterwards.compacted, afterwards.revision));
}

/// T95, for each era: the values are those of any store that begins at revision 1.
#[test]
fn compactions_take_the_golden_hashes() {
    use super::super::hash::golden::{GOLDEN, key};
    for rules in [Rules::V3_4, Rules::Main] {
        let settings = Settings { page_size: 4_096, ..Settings::default() };
        let mut kv = Kv::new(Parameters { settings, hashes_kept: 18, ..Parameters::of(rules) });
        let (mut first, mut read) = (0, Vec::new());
        while first < 1210 {
            for i in first..=first + 71 {
                done(&mut kv, &[&format!("put {} {i}", key(i))]);
            }
            read.push(kv.hash(first + 35).expect("readable"));
            done(&mut kv, &[&format!("compact {}", first + 35)]);
            while kv.compaction().is_some() {
                kv.batch(None).expect("a batch");
            }
            first += 71;
        }
        let golden: Vec<KvHash> = GOLDEN.iter().map(|golden| golden.1).collect();
        assert_eq!(read, golden[..18], "{rules}");
        assert_eq!(kv.hashes().all().collect::<Vec<_>>(), read, "{rules}");
    }
}
