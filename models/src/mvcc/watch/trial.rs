//! The promise of this layer, tried on random histories: whatever the order of rounds and drains, a watcher gets the
//! history of its keys from its start on, whole revisions in order, or is told that it was compacted.

use std::collections::{BTreeMap, VecDeque};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRunner};

use super::super::arbitrary;
use super::super::defects::Defects;
use super::super::history::Effect;
use super::super::history::Query;
use super::super::kv::Kv;
use super::super::op::{Keys, Op};
use super::super::settings::Settings;
use super::super::txn::covers;
use super::*;

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// A client asks, on both replicas.
    Ask(Op),
    /// The compaction does a batch.
    Batch,
    /// Somebody watches some keys, from so far before or after the current revision; on one of two streams.
    Watch(u32, Keys, i64),
    /// Somebody cancels the n-th watcher.
    Cancel(usize),
    Sync,
    Victims,
    /// So many responses are taken out of a stream.
    Drain(u32, usize),
    Progress(u32),
    /// The replica that is watched stops to hear of requests, until the next snapshot.
    Part,
    /// It gets a snapshot of the other one, or is just restored.
    Install,
    Restore,
}

fn step() -> impl Strategy<Value = Step> {
    let keys = prop::sample::select(vec!["a", "a..", "ab..c", "b..", "d"]);
    let keys = keys.prop_map(|keys| match format!("del {keys}").parse() {
        Ok(Op::Single(super::super::op::Action::Delete(keys))) => keys,
        other => panic!("{other:?}"),
    });
    prop_oneof![
        20 => arbitrary::near_op().prop_map(Step::Ask),
        3 => Just(Step::Batch),
        4 => (1..3u32, keys, -6..4i64).prop_map(|(stream, keys, from)| Step::Watch(stream, keys, from)),
        1 => any::<usize>().prop_map(Step::Cancel),
        6 => Just(Step::Sync),
        4 => Just(Step::Victims),
        6 => (1..3u32, 1..4usize).prop_map(|(stream, n)| Step::Drain(stream, n)),
        2 => (1..3u32).prop_map(Step::Progress),
        1 => Just(Step::Part),
        2 => Just(Step::Install),
        1 => Just(Step::Restore),
    ]
}

/// A watcher as its client sees it.
#[derive(Debug)]
struct Client {
    keys: Keys,
    /// The first revision of which it must be told.
    start: i64,
    /// What it was told, as main revision and key.
    told: Vec<(i64, Vec<u8>, Kind)>,
    /// Everything up to here was promised to have been told.
    bookmark: i64,
    /// It was told that it is compacted, or it went.
    gone: bool,
    compacted: bool,
}

/// Two replicas; the first is watched, and may fall behind until it gets a snapshot of the second.
struct Trial {
    watched: Kv,
    ahead: Kv,
    parted: bool,
    /// All that ever happened, in order.
    effects: Vec<Effect>,
    clients: BTreeMap<WatcherId, Client>,
    /// Whom each progress of all watchers is about that is still in its stream: those that were there when it was told.
    about: VecDeque<(StreamId, Vec<WatcherId>)>,
}

impl Trial {
    fn new(defects: Defects) -> Trial {
        let settings = Settings { page_size: 64, compaction_batch: 2, ..Settings::default() };
        let limits = Limits { channel: 2, watchers: 2, revisions: 2 };
        let parameters = Parameters { settings, watch: limits, ..Parameters::default() };
        let mut watched = Kv::new(Parameters { defects, ..parameters });
        let streams = [(); 2].map(|()| watched.watchers().open_stream());
        assert_eq!(streams, [1, 2].map(StreamId));
        let ahead = Kv::new(parameters);
        let (effects, clients, about) = (Vec::new(), BTreeMap::new(), VecDeque::new());
        Trial { watched, ahead, parted: false, effects, clients, about }
    }

    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Ask(op) => self.ask(&op),
            Step::Batch => drop(self.watched.batch(None)),
            Step::Watch(stream, keys, from) => self.watch(StreamId(stream), keys, from),
            Step::Cancel(n) => self.cancel(n),
            Step::Sync => drop(self.watched.sync().expect("sound records")),
            Step::Victims => drop(self.watched.victims()),
            Step::Drain(stream, n) => {
                for _ in 0..n {
                    self.receive(StreamId(stream))?;
                }
            }
            Step::Progress(stream) => {
                let current = self.watched.store().current();
                let stream = StreamId(stream);
                if self.watched.watchers().progress(stream, None, current) {
                    let of = self.clients.keys().filter(|id| id.stream == stream);
                    self.about.push_back((stream, of.copied().collect()));
                }
            }
            Step::Part => self.parted = true,
            Step::Install => {
                self.parted = false;
                let mut snapshot = self.ahead.snapshot().expect("free");
                let bytes = snapshot.chunk(usize::MAX).to_vec();
                self.ahead.close_snapshot(snapshot);
                let size = bytes.len();
                self.watched.install(bytes, size).expect("a sound file");
            }
            Step::Restore => drop(self.watched.restore().expect("free")),
        }
        Ok(())
    }

    fn ask(&mut self, op: &Op) {
        if *op == Op::Close {
            return;
        }
        let request = op.resolve(self.ahead.store().current());
        let before = self.ahead.store().current();
        let answer = self.ahead.ask(&request);
        if !self.parted {
            assert_eq!(self.watched.ask(&request), answer);
        }
        if self.ahead.store().current() > before {
            let (keys, start) = (Keys::From(Vec::new()), before + 1);
            let query = Query { keys, start, end: 0, limit: 0 };
            let new = self.ahead.range_history(&query).expect("it just happened");
            self.effects.extend(new.effects);
        }
    }

    fn watch(&mut self, stream: StreamId, keys: Keys, from: i64) {
        let current = self.watched.store().current();
        let start = (current + from).max(0);
        let request = Request::new(keys.clone(), start);
        let made = self.watched.watchers().watch(stream, request, current);
        let watch = made.expect("keys are in order, and the stream is open");
        let start = if start == 0 { current + 1 } else { start };
        let (told, gone, compacted) = (Vec::new(), false, false);
        let client = Client { keys, start, told, bookmark: 0, gone, compacted };
        self.clients.insert(WatcherId { stream, watch }, client);
    }

    fn cancel(&mut self, n: usize) {
        let Some((id, client)) = self.clients.iter_mut().nth(n % 8) else { return };
        let cancelled = self.watched.watchers().cancel(id.stream, id.watch);
        let known = client.gone || client.compacted || cancelled.is_ok();
        // One that was compacted is gone before its client has taken that out of the stream.
        assert!(known || self.watched.watchers().waiting(id.stream) > 0);
        client.gone = true;
    }

    fn receive(&mut self, stream: StreamId) -> Result<bool, TestCaseError> {
        let Some(response) = self.watched.receive(stream).expect("sound records") else {
            return Ok(false);
        };
        let Some(watch) = response.watcher else {
            let Body::Progress { revision } = response.body else { panic!("{response}") };
            let first = self.about.iter().position(|(of, _)| *of == stream);
            let (_, about) = self.about.remove(first.expect("it was told")).expect("it is there");
            for id in about {
                let client = self.clients.get_mut(&id).expect("it was there then");
                client.bookmark = client.bookmark.max(revision);
                if !client.gone {
                    Self::check(client, &self.effects, false)?;
                }
            }
            return Ok(true);
        };
        let client = self.clients.get_mut(&WatcherId { stream, watch }).expect("it is known");
        prop_assert!(!client.compacted, "nothing comes after the end");
        match response.body {
            Body::Events { events, .. } => {
                let told =
                    |event: &Event| (event.kv.mod_revision, event.kv.key.clone(), event.kind);
                client.told.extend(events.iter().map(told));
            }
            Body::Progress { revision } => client.bookmark = client.bookmark.max(revision),
            Body::Compacted { .. } => (client.compacted, client.gone) = (true, true),
        }
        Self::check(client, &self.effects, false)
    }

    /// What a client was told is the beginning of what it has to be told; all of it if it is at its end.
    fn check(client: &Client, effects: &[Effect], end: bool) -> Result<bool, TestCaseError> {
        let mine = effects.iter().filter(|effect| {
            effect.revision.main >= client.start && covers(&client.keys, &effect.kv.key)
        });
        let mine: Vec<_> = mine
            .map(|effect| {
                let kind = if effect.deleted { Kind::Delete } else { Kind::Put };
                (effect.revision.main, effect.kv.key.clone(), kind)
            })
            .collect();
        let told = client.told.len();
        prop_assert!(mine.starts_with(&client.told), "{client:?} of {mine:?}");
        let split = told > 0 && mine.get(told).is_some_and(|next| next.0 == mine[told - 1].0);
        prop_assert!(!split, "a revision is split: {client:?}");
        let promised = mine.iter().filter(|(main, ..)| *main <= client.bookmark).count();
        prop_assert!(told >= promised, "told to be there too early: {client:?}");
        prop_assert!(!end || told == mine.len(), "something is missing: {client:?} of {mine:?}");
        Ok(true)
    }

    /// Nothing happens any more, and all rounds go on.
    fn settle(&mut self) -> Result<(), TestCaseError> {
        self.step(Step::Install)?;
        for _ in 0..200 {
            self.step(Step::Sync)?;
            self.step(Step::Victims)?;
            while self.receive(StreamId(1))? | self.receive(StreamId(2))? {}
            if self.watched.watchers().is_settled() {
                break;
            }
        }
        prop_assert!(self.watched.watchers().is_settled(), "somebody is still not served");
        for client in self.clients.values().filter(|client| !client.gone) {
            Self::check(client, &self.effects, true)?;
        }
        Ok(())
    }
}

fn run(defects: Defects, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut trial = Trial::new(defects);
    for step in steps {
        trial.step(step)?;
    }
    trial.settle()
}

#[test]
fn a_watcher_gets_the_history_from_its_start_whatever_the_order_of_rounds() {
    let mut runner = TestRunner::new(arbitrary::config(700));
    let result = runner.run(&vec(step(), 1..80), |steps| run(Defects::NONE, steps));
    result.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn the_trial_sees_each_defect_of_the_layer() {
    let table = [
        Defects { restore_leaves_watchers: true, ..Defects::NONE },
        Defects { only_slow_watchers_advance: true, ..Defects::NONE },
        Defects { future_watcher_rewound: true, ..Defects::NONE },
        Defects { compacted_watcher_passed_over: true, ..Defects::NONE },
        Defects { compacted_watcher_dropped: true, ..Defects::NONE },
        Defects { deletions_share_last_key: true, ..Defects::NONE },
        Defects { empty_value_is_deletion: true, ..Defects::NONE },
        Defects { longer_key_unregisters: true, ..Defects::NONE },
    ];
    for defects in table {
        let config =
            proptest::test_runner::Config { max_shrink_iters: 0, ..arbitrary::config(2_000) };
        let result = TestRunner::new(config).run(&vec(step(), 1..80), |steps| run(defects, steps));
        assert!(matches!(result, Err(TestError::Fail(..))), "{defects:?} is not seen");
    }
}

proptest! {
    #![proptest_config(arbitrary::config(300))]

    /// A client that loses its stream goes on at its last revision and one, on whatever replica, and misses nothing.
    #[test]
    fn a_follower_resumes_on_any_replica(
        ops in vec(arbitrary::near_op(), 1..40),
        lost in vec(any::<bool>(), 40),
    ) {
        let mut replicas = [Kv::default(), Kv::default()];
        let (keys, mut told, mut at) = (Keys::From(b"a".to_vec()), Vec::new(), 0);
        let mut follower = Follower::new(Rules::Main, 1, 1);
        let mut stream = None;
        for (op, lost) in ops.iter().zip(lost) {
            if stream.is_none() || lost {
                at = 1 - at;
                let current = replicas[at].store().current();
                let new = replicas[at].watchers().open_stream();
                let request = Request::new(keys.clone(), follower.next());
                replicas[at].watchers().watch(new, request, current).expect("a watcher");
                stream = Some(new);
            }
            let request = op.resolve(replicas[0].store().current());
            if !matches!(request, Op::Close | Op::Compact(_)) {
                for kv in &mut replicas {
                    let _ = kv.ask(&request);
                }
            }
            let (kv, stream) = (&mut replicas[at], stream.expect("it was opened"));
            kv.sync().expect("sound records");
            if let Some(response) = kv.receive(stream).expect("sound records") {
                follower.took(&response);
                if let Body::Events { events, .. } = response.body {
                    told.extend(events);
                }
            }
        }
        let query = Query { keys, start: 1, end: follower.next(), limit: 0 };
        let history = replicas[0].range_history(&query).expect("nothing is compacted");
        let told: Vec<_> = told.into_iter().map(|event| event.kv).collect();
        let history: Vec<_> = history.effects.into_iter().map(|effect| effect.kv).collect();
        prop_assert_eq!(told, history);
    }
}
