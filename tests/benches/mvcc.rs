//! The store of the mvcc model by itself, without actors: compaction and restore by the record, watching by the event.
//!
//! `cargo bench -p seedbed-tests --bench mvcc`. All parameters are the usual ones of a real store. What is made before and
//! dropped after a measurement does not count.

use criterion::{BatchSize, Criterion, Throughput};
use seedbed_models::mvcc::backend::Bucket;
use seedbed_models::mvcc::kv::Kv;
use seedbed_models::mvcc::op::{Action, Keys, Op, Put, Request as Ask};
use seedbed_models::mvcc::parameters::Parameters;
use seedbed_models::mvcc::watch::{Body, Request, StreamId};
use std::time::Duration;

/// Records of the store that is compacted, opened and watched; each has a revision of its own.
const RECORDS: u64 = 5_000;
const KEYS: u64 = 300;
/// One write in so many is a deletion.
const DELETED: u64 = 13;
const WATCHERS: u64 = 50;
/// Puts that watchers are told of while they happen.
const PUTS: u64 = 200;

fn key(number: u64) -> Vec<u8> {
    format!("key-{number:04}").into_bytes()
}

fn all() -> Keys {
    Keys::From(key(0))
}

fn put(number: u64) -> Ask {
    let value = format!("value {number:>26}").into_bytes();
    Op::Single(Action::Put(Put { key: key(number % KEYS), value, lease: 0 }))
}

/// The history of the store. A deletion always finds its key: the write of it before came as many writes ago as there are keys,
/// which is no multiple of [`DELETED`].
fn write(number: u64) -> Ask {
    if number >= KEYS && number.is_multiple_of(DELETED) {
        return Op::Single(Action::Delete(Keys::One(key(number % KEYS))));
    }
    put(number)
}

/// A store with all its records, committed.
fn filled() -> Kv {
    let mut kv = Kv::default();
    for number in 0..RECORDS {
        kv.ask(&write(number)).expect("a write is not refused");
    }
    kv.force_commit().expect("nobody holds the lock");
    assert_eq!(records(&kv), RECORDS, "every write left a record");
    kv
}

fn records(kv: &Kv) -> u64 {
    kv.backend().scan(Bucket::Key, b"").count() as u64
}

/// Everything up to the newest revision, in batches of a thousand records, with the commits that belong to them.
fn compaction(criterion: &mut Criterion) {
    let filled = filled();
    let at = filled.store().current();
    let compact = |mut kv: Kv| {
        kv.ask(&Op::Compact(at)).expect("the revision is there");
        while !kv.batch(None).expect("a compaction runs").last {}
        kv
    };
    let left = records(&compact(filled.clone()));
    assert!((KEYS / 2..=KEYS).contains(&left), "{left} records are left");
    let mut group = criterion.benchmark_group("mvcc-store");
    group.throughput(Throughput::Elements(RECORDS));
    group.bench_function("compaction", |bencher| {
        bencher.iter_batched(|| filled.clone(), compact, BatchSize::LargeInput);
    });
    group.finish();
}

/// From the bytes of the file to a store that answers.
fn restore(criterion: &mut Criterion) {
    let filled = filled();
    let file = filled.file().to_vec();
    let open = |file| Kv::open(file, Parameters::default()).expect("a sound file").0;
    assert_eq!(open(file.clone()).hash(0), filled.hash(0), "all of it comes back");
    let mut group = criterion.benchmark_group("mvcc-store");
    group.throughput(Throughput::Elements(RECORDS));
    group.bench_function("restore", |bencher| {
        bencher.iter_batched(|| file.clone(), open, BatchSize::LargeInput);
    });
    group.finish();
}

/// Watchers of all keys, on one stream.
fn watched(mut kv: Kv, start: i64) -> (Kv, StreamId) {
    let current = kv.store().current();
    let watch = kv.watchers();
    let stream = watch.open_stream();
    for _ in 0..WATCHERS {
        let made = watch.watch(stream, Request::new(all(), start), current);
        made.expect("a watcher can be made");
    }
    (kv, stream)
}

/// Takes everything out of a stream; the number of events.
fn drain(kv: &mut Kv, stream: StreamId) -> u64 {
    let mut events = 0;
    while let Some(response) = kv.receive(stream).expect("sound records") {
        match response.body {
            Body::Events { events: some, .. } => events += some.len() as u64,
            other => panic!("expected events, found {other:?}"),
        }
    }
    events
}

/// Puts, told to watchers that are synced. The puts themselves are in the figure, one for as many events as there are watchers.
fn synced(criterion: &mut Criterion) {
    let (watched, stream) = watched(filled(), 0);
    let puts: Vec<Ask> = (0..PUTS).map(put).collect();
    let tell = |mut kv: Kv| {
        let mut events = 0;
        for put in &puts {
            kv.ask(put).expect("a put is not refused");
            events += drain(&mut kv, stream);
        }
        assert_eq!(events, PUTS * WATCHERS, "everybody was told of every put");
        kv
    };
    let mut group = criterion.benchmark_group("mvcc-store");
    group.throughput(Throughput::Elements(PUTS * WATCHERS));
    group.bench_function("watch-synced", |bencher| {
        bencher.iter_batched(|| watched.clone(), tell, BatchSize::LargeInput);
    });
    group.finish();
}

/// Rounds of synchronisation for watchers that begin at the first revision, until all are synced.
fn catching_up(criterion: &mut Criterion) {
    let (watched, stream) = watched(filled(), 1);
    let sync = |mut kv: Kv| {
        let mut events = 0;
        while !kv.watchers().is_settled() {
            kv.sync().expect("nobody holds the lock");
            events += drain(&mut kv, stream);
        }
        assert_eq!(events, RECORDS * WATCHERS, "everybody was told of every write");
        kv
    };
    let mut group = criterion.benchmark_group("mvcc-store");
    group.throughput(Throughput::Elements(RECORDS * WATCHERS));
    group.bench_function("watch-catching-up", |bencher| {
        bencher.iter_batched(|| watched.clone(), sync, BatchSize::LargeInput);
    });
    group.finish();
}

/// Short by default; `--measurement-time` and `--sample-size` ask for more.
fn briefly() -> Criterion {
    let criterion = Criterion::default().sample_size(10);
    criterion.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2))
}

fn main() {
    let mut criterion = briefly().configure_from_args();
    compaction(&mut criterion);
    synced(&mut criterion);
    catching_up(&mut criterion);
    restore(&mut criterion);
    criterion.final_summary();
}
