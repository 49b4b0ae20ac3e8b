use super::super::defects::Defects;
use super::super::fixture::request;
use super::super::kv::Kv;
use super::super::op::Keys;
use super::*;

/// A store with streams of so much room, with some bugs planted, after some requests.
fn store(channel: usize, defects: Defects, lines: &[&str]) -> Kv {
    let limits = Limits { channel, ..Limits::default() };
    let mut kv = Kv::new(Parameters { watch: limits, defects, ..Parameters::default() });
    done(&mut kv, lines);
    kv
}

fn done(kv: &mut Kv, lines: &[&str]) {
    for line in lines {
        kv.ask(&request(line)).unwrap_or_else(|error| panic!("{line}: {error}"));
        while kv.compaction().is_some() {
            kv.batch(None).expect("a batch");
        }
    }
}

fn keys(text: &str) -> Keys {
    match text.split_once("..") {
        Some((first, "")) => Keys::From(first.into()),
        Some((first, end)) => Keys::Span(first.into(), end.into()),
        None => Keys::One(text.into()),
    }
}

/// A watcher on a stream of its own.
fn watch(kv: &mut Kv, of: &str, start: i64) -> WatcherId {
    let stream = kv.watchers().open_stream();
    let watch = watch_on(kv, stream, of, start).expect("a watcher");
    WatcherId { stream, watch }
}

fn watch_on(kv: &mut Kv, stream: StreamId, of: &str, start: i64) -> Result<WatchId, WatchError> {
    let current = kv.store().current();
    kv.watchers().watch(stream, Request::new(keys(of), start), current)
}

/// What comes out of a stream.
fn drain(kv: &mut Kv, stream: StreamId) -> Vec<String> {
    let mut said = Vec::new();
    while let Some(response) = kv.receive(stream).expect("sound records") {
        said.push(response.to_string());
    }
    said
}

fn sync(kv: &mut Kv) -> Round {
    kv.sync().expect("sound records")
}

/// How many are synced, unsynced and victims.
fn groups(kv: &mut Kv) -> [usize; 3] {
    let Groups { synced, unsynced, victims, .. } = kv.watchers().groups();
    [synced.len(), unsynced.len(), victims.len()]
}

fn put(key: &str, created: i64, modified: i64) -> String {
    let version = modified - created + 1;
    format!("put {key}=v (created {created}, modified {modified}, version {version}, lease 0)")
}

/// T69.
#[test]
fn a_watcher_is_cancelled_once() {
    let mut kv = store(9, Defects::NONE, &["put foo v"]);
    let id = watch(&mut kv, "foo", 0);
    assert_eq!(kv.watchers().groups().synced, [id]);
    assert_eq!(kv.watchers().cancel(id.stream, id.watch), Ok(()));
    assert_eq!(groups(&mut kv), [0, 0, 0]);
    assert_eq!(kv.watchers().cancel(id.stream, id.watch), Err(CancelError::NotExist));
    assert_eq!(kv.watchers().cancel(id.stream, WatchId(7)), Err(CancelError::NotExist));
    assert_eq!(kv.watchers().ended(id.stream, id.watch), None);
    done(&mut kv, &["put foo v"]);
    assert_eq!(drain(&mut kv, id.stream), Vec::<String>::new());
}

/// T70.
#[test]
fn watchers_of_the_past_are_served_by_one_round() {
    let mut kv = store(9, Defects::NONE, &["put foo v"]);
    let ids: Vec<WatcherId> = (0..100).map(|_| watch(&mut kv, "foo", 1)).collect();
    assert_eq!(groups(&mut kv), [0, 100, 0]);
    assert_eq!(sync(&mut kv), Round { chosen: 100, synced: 100, ..Round::default() });
    assert_eq!(groups(&mut kv), [100, 0, 0]);
    for id in ids {
        let said = drain(&mut kv, id.stream);
        assert_eq!(said, [format!("watcher 0: revision 2; {}", put("foo", 2, 2))]);
    }
}

/// T72 with B41 and B37.
#[test]
fn a_compacted_watcher_is_told_once_and_waits_for_room() {
    let history = ["put foo v"; 10];
    let compacted = ["watcher 1: cancelled, compacted 5"];
    let run = |defects| {
        let mut kv = store(1, defects, &history);
        let full = watch(&mut kv, "bar", 0);
        let behind = watch_on(&mut kv, full.stream, "foo", 4).expect("a watcher");
        assert_eq!(behind, WatchId(1));
        done(&mut kv, &["put bar v", "compact 5"]);
        let first = sync(&mut kv);
        let taken = drain(&mut kv, full.stream).len();
        let second = sync(&mut kv);
        let told = drain(&mut kv, full.stream);
        sync(&mut kv);
        let exists = kv.watchers().next_of(WatcherId { watch: behind, ..full }).is_some();
        assert_eq!((taken, drain(&mut kv, full.stream).len()), (1, 0));
        (first.compacted, second.compacted, told, exists)
    };
    let told = compacted.map(String::from).to_vec();
    assert_eq!(run(Defects::NONE), (0, 1, told, false));
    let dropped = Defects { compacted_watcher_dropped: true, ..Defects::NONE };
    assert_eq!(run(dropped), (1, 0, Vec::new(), false));
    let passed_over = Defects { compacted_watcher_passed_over: true, ..Defects::NONE };
    assert_eq!(run(passed_over), (0, 0, Vec::new(), true), "a silent gap");
}

/// T74.
#[test]
fn a_watcher_of_the_future_waits_for_its_revision() {
    let mut kv = store(9, Defects::NONE, &[]);
    let id = watch(&mut kv, "foo", 10);
    assert_eq!(groups(&mut kv), [1, 0, 0]);
    done(&mut kv, &["put foo v"; 9]);
    let said = drain(&mut kv, id.stream);
    assert_eq!(said, [format!("watcher 0: revision 10; {}", put("foo", 2, 10))]);
}

/// T82 with B42.
#[test]
fn deletions_of_one_transaction_come_together_each_with_its_key() {
    let run = |defects| {
        let mut kv = store(9, defects, &["put foo_0 v", "put foo_1 v", "put foo_2 v"]);
        let id = watch(&mut kv, "foo..foo_99", 0);
        done(&mut kv, &["del foo..foo_99"]);
        drain(&mut kv, id.stream)
    };
    let delete = |n| format!("; delete foo_{n} (modified 5)");
    let told =
        |keys: [i64; 3]| vec!["watcher 0: revision 5".to_owned() + &keys.map(delete).concat()];
    assert_eq!(run(Defects::NONE), told([0, 1, 2]));
    assert_eq!(run(Defects { deletions_share_last_key: true, ..Defects::NONE }), told([2, 2, 2]));
}

/// B43.
#[test]
fn an_empty_value_is_no_deletion() {
    let run = |defects| {
        let mut kv = store(9, defects, &["put a \"\""]);
        let id = watch(&mut kv, "a", 1);
        sync(&mut kv);
        done(&mut kv, &["put a \"\""]);
        let said = drain(&mut kv, id.stream).join(" ");
        (said.matches("put a").count(), said.matches("delete a").count())
    };
    assert_eq!(run(Defects::NONE), (2, 0));
    assert_eq!(run(Defects { empty_value_is_deletion: true, ..Defects::NONE }), (0, 2));
}

/// B66.
#[test]
fn a_write_of_a_longer_key_leaves_watchers_of_its_beginning_alone() {
    let run = |defects| {
        let mut kv = store(9, defects, &[]);
        let [foo, from] = ["foo", "foo.."].map(|of| watch(&mut kv, of, 0).stream);
        done(&mut kv, &["put foobar v", "put foo v"]);
        [foo, from].map(|stream| drain(&mut kv, stream).len())
    };
    assert_eq!(run(Defects::NONE), [1, 2]);
    assert_eq!(run(Defects { longer_key_unregisters: true, ..Defects::NONE }), [0, 2]);
}

/// The file of a store after some requests, as a snapshot.
fn snapshot(lines: &[&str]) -> Vec<u8> {
    let mut kv = store(9, Defects::NONE, lines);
    let mut snapshot = kv.snapshot().expect("a snapshot");
    snapshot.chunk(usize::MAX).to_vec()
}

/// B31 and B34.
#[test]
fn a_restore_serves_watchers_from_where_they_are() {
    let run = |defects| {
        let mut kv = store(9, defects, &["put a v"]);
        let id = watch(&mut kv, "a", 0);
        done(&mut kv, &["put a v"]);
        assert_eq!(drain(&mut kv, id.stream).len(), 1);
        let bytes = snapshot(&["put a v"; 3]);
        let size = bytes.len();
        kv.install(bytes, size).expect("a sound file");
        sync(&mut kv);
        done(&mut kv, &["put a v"]);
        drain(&mut kv, id.stream)
    };
    let told = |revision, from: i64, to: i64| {
        let puts = (from..=to).map(|modified| format!("; {}", put("a", 2, modified)));
        format!("watcher 0: revision {revision}") + &puts.collect::<String>()
    };
    assert_eq!(run(Defects::NONE), [told(4, 4, 4), told(5, 5, 5)]);
    let left = Defects { restore_leaves_watchers: true, ..Defects::NONE };
    assert_eq!(run(left), [told(5, 5, 5)], "what the snapshot brought is missing");
    let behind = Defects { only_slow_watchers_advance: true, ..Defects::NONE };
    assert_eq!(run(behind), [told(4, 3, 4), told(5, 5, 5)], "it goes back in time");
}

/// B35.
#[test]
fn a_watcher_of_the_future_stays_one_after_a_restore() {
    let run = |defects| {
        let mut kv = store(9, defects, &["put a v"]);
        let id = watch(&mut kv, "a", 6);
        kv.restore().expect("sound records");
        assert_eq!((sync(&mut kv).synced, groups(&mut kv)), (1, [1, 0, 0]));
        done(&mut kv, &["put a v"; 4]);
        drain(&mut kv, id.stream).len()
    };
    assert_eq!(run(Defects::NONE), 1);
    assert_eq!(run(Defects { future_watcher_rewound: true, ..Defects::NONE }), 4);
}

/// Etcd pull request 20693.
#[test]
fn a_watcher_of_a_negative_revision_hides_nothing_from_others() {
    let run = |rules, hides| {
        let defects = Defects { negative_start_hides_history: hides, ..Defects::NONE };
        let mut kv = Kv::new(Parameters { defects, ..Parameters::of(rules) });
        done(&mut kv, &["put a v"]);
        let stream = kv.watchers().open_stream();
        let negative = watch_on(&mut kv, stream, "a", -1);
        let past = watch(&mut kv, "a", 1);
        sync(&mut kv);
        assert_eq!(drain(&mut kv, stream).len(), 0, "it is shown no history");
        (negative, drain(&mut kv, past.stream).len())
    };
    assert_eq!(run(Rules::Main, true), (Err(WatchError::Compacted), 1));
    assert_eq!(run(Rules::V3_4, false), (Ok(WatchId(0)), 1));
    assert_eq!(run(Rules::V3_4, true), (Ok(WatchId(0)), 0));
    // What is below even -1 counts as compacted, although nothing is (observed on etcd 3.4.23).
    let mut kv = Kv::new(Parameters::of(Rules::V3_4));
    let id = watch(&mut kv, "a", -2);
    assert_eq!(sync(&mut kv).compacted, 1);
    assert_eq!(drain(&mut kv, id.stream), ["watcher 0: cancelled, compacted -1"]);
}

#[test]
fn a_stream_without_room_makes_a_victim_which_is_helped_later() {
    let mut kv = store(2, Defects::NONE, &[]);
    let id = watch(&mut kv, "a", 0);
    done(&mut kv, &["put a v"; 5]);
    assert_eq!(groups(&mut kv), [0, 0, 1]);
    assert_eq!(kv.victims(), (1, 0), "there is still no room");
    assert_eq!(drain(&mut kv, id.stream).len(), 2);
    assert_eq!((kv.victims(), groups(&mut kv)), ((1, 1), [0, 1, 0]), "more has happened");
    assert_eq!((sync(&mut kv).synced, groups(&mut kv)), (1, [1, 0, 0]));
    let rest = [
        format!("watcher 0: revision 4; {}", put("a", 2, 4)),
        format!("watcher 0: revision 6; {}; {}", put("a", 2, 5), put("a", 2, 6)),
    ];
    assert_eq!(drain(&mut kv, id.stream), rest);
    done(&mut kv, &["put a v"; 3]);
    assert_eq!(drain(&mut kv, id.stream).len(), 2);
    assert_eq!((kv.victims(), groups(&mut kv)), ((1, 1), [1, 0, 0]), "nothing has happened");
}

#[test]
fn a_victim_in_hand_is_cancelled_after_the_round() {
    let mut kv = store(1, Defects::NONE, &[]);
    let id = watch(&mut kv, "a", 0);
    done(&mut kv, &["put a v", "put a v"]);
    let watch = kv.watchers();
    assert_eq!(watch.begin_victims(), 1);
    assert_eq!(watch.cancel(id.stream, id.watch), Err(CancelError::InHand));
    assert_eq!(watch.close_stream(id.stream), Err(CancelError::InHand));
    watch.resend();
    assert_eq!((watch.groups().in_hand, watch.is_settled()), (vec![id], false));
    assert_eq!(watch.end_victims(3), 0);
    assert_eq!(watch.close_stream(id.stream), Ok(()));
    assert_eq!(watch.close_stream(id.stream), Err(CancelError::NotExist));
    done(&mut kv, &["put a v"]);
    assert_eq!(drain(&mut kv, id.stream).len(), 1, "only what was in it before");
    assert_eq!(watch_on(&mut kv, id.stream, "a", 0), Err(WatchError::EmptyRange));
}

#[test]
fn responses_hold_whole_revisions_however_few_fit() {
    let txn = "txn then put a v; put b v; put c v";
    let mut kv = store(9, Defects::NONE, &[txn, "put a v", "del a..z"]);
    kv.watchers().limits.revisions = 1;
    let id = watch(&mut kv, "a..", 1);
    let mut sizes = Vec::new();
    while !kv.watchers().is_settled() {
        sync(&mut kv);
        sizes.extend(drain(&mut kv, id.stream).iter().map(|said| said.matches(';').count()));
    }
    assert_eq!(sizes, [3, 1, 3]);
}

#[test]
fn a_round_serves_so_many_and_the_next_one_goes_on_behind_them() {
    let mut kv = store(1, Defects::NONE, &["put a v"]);
    kv.watchers().limits.watchers = 2;
    // Watchers that cannot be told of a compaction stand in front of the others.
    let full = watch(&mut kv, "b", 0);
    for _ in 0..2 {
        watch_on(&mut kv, full.stream, "a", 1).expect("a watcher");
    }
    let other = watch(&mut kv, "b", 3);
    done(&mut kv, &["put b v"; 2]);
    let behind = watch(&mut kv, "b", 4);
    done(&mut kv, &["compact 3"]);
    assert_eq!((sync(&mut kv).synced, sync(&mut kv).synced), (0, 1));
    assert_eq!(drain(&mut kv, behind.stream).len(), 1);
    assert_eq!(drain(&mut kv, other.stream).len(), 1);
}

#[test]
fn filters_leave_out_what_is_not_wanted() {
    let mut kv = store(1, Defects::NONE, &["put a v", "del a"]);
    let stream = kv.watchers().open_stream();
    let all = Request::new(keys("a"), 1);
    for (no_put, no_delete) in [(true, false), (false, true), (true, true)] {
        let request = Request { no_put, no_delete, ..all.clone() };
        let id = kv.watchers().watch(stream, request, 3).expect("a watcher");
        sync(&mut kv);
        let said = drain(&mut kv, stream).join(" ");
        let seen = (!said.contains("put a"), !said.contains("delete a"));
        assert_eq!(seen, (no_put, no_delete), "{said}");
        // What is left out needs no room.
        kv.watchers().cancel(stream, id).expect("it is there");
    }
    let only_deletions = Request { no_put: true, ..all };
    kv.watchers().watch(stream, only_deletions, 3).expect("a watcher");
    sync(&mut kv);
    done(&mut kv, &["put a v"]);
    assert_eq!(groups(&mut kv), [1, 0, 0]);
}

#[test]
fn what_was_before_is_added_if_it_is_not_compacted() {
    let mut kv = store(9, Defects::NONE, &["put a v"]);
    let stream = kv.watchers().open_stream();
    let request = Request { with_previous: true, ..Request::new(keys("a"), 0) };
    kv.watchers().watch(stream, request, 2).expect("a watcher");
    done(&mut kv, &["put a v", "del a", "put a v"]);
    let said = drain(&mut kv, stream);
    let before = |said: &str| said.split(", before ").nth(1).map(str::len).is_some();
    assert_eq!(said.iter().map(|said| before(said)).collect::<Vec<_>>(), [true, true, false]);
    assert!(said[1].ends_with("before a=v (created 2, modified 3, version 2, lease 0)"));
    done(&mut kv, &["put a v", "compact 6"]);
    let said = drain(&mut kv, stream);
    assert_eq!(said.iter().map(|said| before(said)).collect::<Vec<_>>(), [false]);
}

#[test]
fn progress_is_told_when_nothing_is_left() {
    let mut kv = store(2, Defects::NONE, &["put a v"]);
    let id = watch(&mut kv, "a", 1);
    let future = watch_on(&mut kv, id.stream, "a", 4).expect("a watcher");
    let progress = |kv: &mut Kv, watch| {
        let current = kv.store().current();
        kv.watchers().progress(id.stream, watch, current)
    };
    assert!(!progress(&mut kv, Some(id.watch)), "it is not synced");
    sync(&mut kv);
    drain(&mut kv, id.stream);
    assert!(progress(&mut kv, Some(id.watch)));
    assert!(!progress(&mut kv, None) && !progress(&mut kv, Some(future)), "one waits");
    assert_eq!(drain(&mut kv, id.stream), ["watcher 0: revision 2, progress"]);
    done(&mut kv, &["put b v"; 2]);
    assert!(progress(&mut kv, None));
    assert_eq!(drain(&mut kv, id.stream), ["all watchers: revision 4, progress"]);
    assert!(progress(&mut kv, None) && progress(&mut kv, None) && !progress(&mut kv, None), "full");
    let empty = kv.watchers().open_stream();
    assert!(!kv.watchers().progress(empty, None, 4), "nobody asks");
}

#[test]
fn names_and_ranges_are_checked() {
    let mut kv = store(9, Defects::NONE, &["put a v"]);
    let stream = kv.watchers().open_stream();
    let named = |id| Request { id: Some(WatchId(id)), ..Request::new(keys("a"), 0) };
    assert_eq!(kv.watchers().watch(stream, named(1), 2), Ok(WatchId(1)));
    assert_eq!(kv.watchers().watch(stream, named(1), 2), Err(WatchError::DuplicateId));
    assert_eq!(watch_on(&mut kv, stream, "a", 0), Ok(WatchId(0)));
    assert_eq!(watch_on(&mut kv, stream, "a", 0), Ok(WatchId(2)), "1 is taken");
    for empty in ["b..a", "a..a"] {
        assert_eq!(watch_on(&mut kv, stream, empty, 0), Err(WatchError::EmptyRange));
    }
    assert_eq!(watch_on(&mut kv, StreamId(9), "a", 0), Err(WatchError::EmptyRange));
}

#[test]
fn under_the_rules_of_2015_watchers_say_how_they_ended_and_the_future_is_refused() {
    let mut kv = Kv::new(Parameters::of(Rules::V2015));
    done(&mut kv, &["put a v", "put a v", "put a v"]);
    let stream = kv.watchers().open_stream();
    assert_eq!(watch_on(&mut kv, stream, "a", 4), Err(WatchError::FutureRevision));
    let [cancelled, behind] =
        [1, 2].map(|start| watch_on(&mut kv, stream, "a", start).expect("ok"));
    let ended = |kv: &mut Kv, watch| kv.watchers().ended(stream, watch).map(|end| end.to_string());
    assert_eq!(ended(&mut kv, cancelled), None);
    kv.watchers().cancel(stream, cancelled).expect("it is there");
    assert_eq!(ended(&mut kv, cancelled).as_deref(), Some("watcher is canceled"));
    done(&mut kv, &["compact 2"]);
    sync(&mut kv);
    let compacted = "required revision has been compacted";
    assert_eq!(ended(&mut kv, behind).as_deref(), Some(compacted), "right at the compacted one");
}

#[test]
fn a_follower_goes_on_where_it_is_allowed_after_a_compaction() {
    for (rules, next) in [(Rules::V2015, 3), (Rules::V3_4, 2), (Rules::Main, 2)] {
        let mut kv = Kv::new(Parameters::of(rules));
        done(&mut kv, &["put a v", "put a v", "put a v", "compact 2"]);
        let mut follower = Follower::new(rules, 1, kv.store().current());
        for compacted in [true, false] {
            let id = watch(&mut kv, "a", follower.next());
            sync(&mut kv);
            let response = kv.receive(id.stream).expect("sound records").expect("it is served");
            assert_eq!(matches!(response.body, Body::Compacted { .. }), compacted, "{rules}");
            follower.took(&response);
            let after = if compacted { next } else { kv.store().current() + 1 };
            assert_eq!(follower.next(), after, "{rules}");
        }
        let from_now = Follower::new(rules, 0, kv.store().current());
        assert_eq!(from_now.next(), follower.next());
    }
}
