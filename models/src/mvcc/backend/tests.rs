use proptest::collection::vec;
use proptest::prelude::*;

use super::super::arbitrary;
use super::*;

fn commit(backend: &mut Backend, file: &mut Vec<u8>) {
    if let Some(commit) = backend.begin_commit() {
        commit.write_to(file);
        backend.finish_commit(commit);
    }
}

fn put(backend: &mut Backend, key: &str, value: &str) {
    backend.put(Bucket::Key, key.into(), value.into());
}

/// The pairs of the bucket of keys as text.
fn shown(view: &impl View) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let pairs = view.pairs(Bucket::Key, b"").map(|(key, value)| text(key) + "=" + &text(value));
    pairs.collect::<Vec<_>>().join(" ")
}

#[test]
fn readers_see_what_was_put_up_to_the_last_unlock() {
    let (mut backend, mut file) = (Backend::new(64), Vec::new());
    put(&mut backend, "a", "1");
    assert_eq!((shown(&backend), shown(&backend.readers())), ("a=1".into(), String::new()));
    assert!(!backend.unlock(10, true));
    put(&mut backend, "b", "1");
    assert_eq!(shown(&backend.readers()), "a=1", "not before the next unlock");
    assert!(backend.unlock(2, true), "two changes are pending");
    commit(&mut backend, &mut file);
    put(&mut backend, "a", "2");
    put(&mut backend, "aa", "2");
    put(&mut backend, "c", "2");
    backend.unlock(10, true);
    assert_eq!(shown(&backend.readers()), "a=2 aa=2 b=1 c=2");
    let (readers, a) = (backend.readers(), b"a");
    assert_eq!(readers.value(Bucket::Key, a), Some(b"2".as_slice()));
    assert_eq!(readers.value(Bucket::Meta, a), None);
    let from = readers.pairs(Bucket::Key, b"aa").map(|(key, _)| key).collect::<Vec<_>>();
    assert_eq!(from, [b"aa".as_slice(), b"b", b"c"]);
}

/// The rule of etcd db61c9695: readers cannot see a deletion before it is committed.
#[test]
fn a_deletion_makes_the_unlock_commit() {
    let (mut backend, mut file) = (Backend::new(64), Vec::new());
    put(&mut backend, "a", "1");
    commit(&mut backend, &mut file);
    put(&mut backend, "b", "1");
    backend.unlock(10, true);
    backend.delete(Bucket::Key, b"a".to_vec());
    backend.delete(Bucket::Key, b"b".to_vec());
    assert!(!backend.clone().unlock(10, false), "the older rule");
    assert!(backend.unlock(10, true));
    assert_eq!(shown(&backend.readers()), "a=1 b=1", "stale");
    assert_eq!(shown(&backend), "");
    commit(&mut backend, &mut file);
    assert_eq!(shown(&backend.readers()), "");
    assert!(!backend.unlock(10, true), "it is not pending any more");
}

/// S6, T57.
#[test]
fn a_snapshot_is_what_was_durable_when_it_was_cut() {
    let (mut backend, mut file) = (Backend::new(64), Vec::new());
    put(&mut backend, "a", "1");
    commit(&mut backend, &mut file);
    put(&mut backend, "b", "pending");
    let mut snapshot = backend.snapshot();
    let size = snapshot.size();
    commit(&mut backend, &mut file);
    let mut received = Vec::new();
    while !snapshot.is_done() {
        let limit = if received.len() < 70 { 7 } else { usize::MAX };
        received.extend_from_slice(snapshot.chunk(limit));
        put(&mut backend, &received.len().to_string(), "later");
        commit(&mut backend, &mut file);
    }
    assert_eq!((received.len(), snapshot.written()), (size, size));
    let opened = Backend::open(&received, 64).expect("a sound file");
    assert_eq!(shown(&opened), "a=1");
    assert_eq!(backend.open_snapshots(), 1);
    backend.close_snapshot(snapshot);
    assert_eq!(backend.open_snapshots(), 0);
    let empty = Backend::new(64).snapshot();
    assert!(empty.size() == 0 && empty.is_done());
}

#[test]
fn defragmenting_makes_the_file_smaller_and_changes_nothing() {
    let (mut backend, mut file) = (Backend::new(64), Vec::new());
    for n in 0..40 {
        put(&mut backend, "a", &n.to_string());
        put(&mut backend, &n.to_string(), "x");
        commit(&mut backend, &mut file);
    }
    for n in 0..38 {
        backend.delete(Bucket::Key, n.to_string().into());
    }
    assert_eq!(Defrag::begin(&backend), Err(NotCommitted(38)));
    commit(&mut backend, &mut file);
    let hash = backend.hash(|_, _| false);
    let (mut defrag, mut copy) = (Defrag::begin(&backend).expect("committed"), Vec::new());
    let mut parts = 0;
    while !defrag.is_done() {
        let part = defrag.copy(&backend, 2).expect("something is left");
        part.write_to(&mut copy);
        defrag.copied(part);
        parts += 1;
    }
    assert_eq!((parts, defrag.copy(&backend, 2)), (2, None));
    let late = defrag.clone();
    defrag.swap(&mut backend).expect("nobody has committed");
    assert!(copy.len() < file.len(), "{} of {} bytes", copy.len(), file.len());
    assert_eq!(shown(&Backend::open(&copy, 64).expect("a sound file")), "38=x 39=x a=39");
    assert_eq!(backend.hash(|_, _| false), hash);
    put(&mut backend, "a", "40");
    commit(&mut backend, &mut copy);
    assert_eq!(shown(&Backend::open(&copy, 64).expect("a sound file")), "38=x 39=x a=40");
    assert_eq!(late.swap(&mut backend), Err(Stale));
}

#[test]
fn the_hash_of_a_backend_is_that_of_what_is_durable() {
    let (mut backend, mut file) = (Backend::new(64), Vec::new());
    let empty = crc32c::crc32c(b"keyleasemeta");
    assert_eq!(backend.hash(|_, _| false), empty);
    put(&mut backend, "a", "1");
    backend.put(Bucket::Meta, b"m".to_vec(), b"2".to_vec());
    assert_eq!(backend.hash(|_, _| false), empty, "nothing is durable");
    commit(&mut backend, &mut file);
    assert_eq!(backend.hash(|_, _| false), crc32c::crc32c(b"keya1leasemetam2"));
    let ignored = backend.hash(|bucket, key| bucket == Bucket::Meta && key == b"m");
    assert_eq!(ignored, crc32c::crc32c(b"keya1leasemeta"));
}

#[test]
#[should_panic(expected = "a snapshot is closed once")]
fn a_snapshot_of_another_backend_is_a_defect_of_the_caller() {
    let snapshot = Backend::new(64).snapshot();
    Backend::new(64).close_snapshot(snapshot);
}

/// What happens next: a put or deletion of one of few keys, an unlock, a commit, a cut.
#[derive(Clone, Debug)]
enum Step {
    Put(u8, u8),
    Delete(u8),
    Unlock,
    Commit,
    Cut,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..4u8, any::<u8>()).prop_map(|(key, value)| Step::Put(key, value)),
        2 => (0..4u8).prop_map(Step::Delete),
        3 => Just(Step::Unlock),
        2 => Just(Step::Commit),
        1 => Just(Step::Cut),
    ]
}

proptest! {
    #![proptest_config(arbitrary::config(400))]

    /// With the rule for deletions readers see what the lock holder sees at the last unlock, and a snapshot is the
    /// contents after some commit, however long its writing takes.
    #[test]
    fn readers_and_snapshots_see_whole_points(steps in vec(step(), 0..60)) {
        let (mut backend, mut file) = (Backend::new(64), Vec::new());
        let (mut points, mut cuts) = (vec![Contents::new()], Vec::new());
        let mut unlocked = Contents::new();
        for step in steps {
            match step {
                Step::Put(key, value) => backend.put(Bucket::Key, vec![key], vec![value]),
                Step::Delete(key) => backend.delete(Bucket::Key, vec![key]),
                Step::Unlock | Step::Commit => {
                    if backend.unlock(5, true) || matches!(step, Step::Commit) {
                        commit(&mut backend, &mut file);
                        points.push(backend.durable().clone());
                    }
                    unlocked = backend.contents().clone();
                }
                Step::Cut => cuts.push((points.len(), backend.snapshot())),
            }
            let readers = backend.readers();
            let seen: Contents = readers
                .pairs(Bucket::Key, b"")
                .map(|(key, value)| ((Bucket::Key, key.to_vec()), value.to_vec()))
                .collect();
            prop_assert_eq!(&seen, &unlocked);
        }
        for (points_then, mut snapshot) in cuts {
            let bytes = snapshot.chunk(usize::MAX).to_vec();
            let opened = Backend::open(&bytes, 64).expect("a sound file");
            prop_assert_eq!(opened.contents(), &points[points_then - 1]);
        }
        let crashed = Backend::open(&file, 64).expect("a sound file");
        prop_assert_eq!(crashed.contents(), backend.durable());
    }
}
