//! The store against its reference model, over random requests with commits, restarts, crashes and compactions that
//! are done batch by batch in between.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};

use super::arbitrary;
use super::backend::Bucket;
use super::defects::Defects;
use super::fixture::Node;
use super::hash::hash_kv;
use super::op::{Action, Get, Keys, Op, Request};
use super::reference::Reference;
use super::response::Response;
use super::restore::restore;
use super::revision::RecordKey;

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// A client asks; relative revisions count from the current one.
    Ask(Op),
    /// The compaction that is under way does a batch of so many records.
    Batch(usize),
    /// Everything pending becomes durable.
    Commit,
    /// Commit, then restore in chunks.
    Restart,
    /// What is not durable is lost; restore in chunks of so many records.
    Crash(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        24 => arbitrary::near_op().prop_map(Step::Ask),
        8 => (1..4_usize).prop_map(Step::Batch),
        2 => Just(Step::Commit),
        2 => Just(Step::Restart),
        1 => (1..5_usize).prop_map(Step::Crash),
    ]
}

/// A node and the reference model beside it.
struct Pair {
    node: Node,
    reference: Reference,
    /// All requests that are still in effect, and how many of them are durable.
    requests: Vec<Request>,
    durable: usize,
}

impl Pair {
    fn new(defects: Defects) -> Pair {
        let (node, reference) = (Node::leasing(defects), Reference::new().with_leases());
        Pair { node, reference, requests: Vec::new(), durable: 0 }
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Ask(op) => self.ask(op.resolve(self.reference.current()))?,
            Step::Batch(limit) => self.node.batch(*limit),
            Step::Commit => self.commit(),
            Step::Restart => {
                self.commit();
                self.node.crash(2);
            }
            Step::Crash(chunk) => {
                self.node.crash(*chunk);
                self.requests.truncate(self.durable);
                self.reference = Reference::new().with_leases().after(&self.requests);
            }
        }
        prop_assert_eq!(self.node.store.current(), self.reference.current());
        prop_assert_eq!(self.node.store.compacted(), self.reference.compacted());
        self.check_leases()
    }

    /// Every lease is there with its seconds and its keys.
    fn check_leases(&self) -> Result<(), TestCaseError> {
        let lessor = self.node.store.lessor().expect("the node has one");
        let held = lessor.leases().map(|(id, lease)| (id, lease.ttl(), lease.keys().collect()));
        let expected = self.reference.leases();
        let expected =
            expected.map(|(id, ttl)| (id, ttl, self.reference.attached(id).collect::<Vec<_>>()));
        prop_assert_eq!(held.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        Ok(())
    }

    fn ask(&mut self, request: Request) -> Result<(), TestCaseError> {
        let expected = self.reference.apply(&request);
        prop_assert_eq!(self.node.ask(&request), expected, "{}", request);
        self.requests.push(request);
        Ok(())
    }

    fn commit(&mut self) {
        self.node.commit();
        self.durable = self.requests.len();
    }

    /// Reads every key at every revision that can be read.
    fn read_all(&mut self) -> Result<(), TestCaseError> {
        for at in self.reference.compacted().max(1)..=self.reference.current() {
            let keys = Keys::From(b"a".to_vec());
            let get = Get { keys, at: Some(at), limit: 0, count_only: false };
            let outcome = self.node.ask(&Op::Single(Action::Get(get)));
            let Ok(Response::Range(found)) = outcome else {
                return Err(TestCaseError::fail(format!("at {at}: {outcome:?}")));
            };
            let expected = self.reference.at(at).expect("it exists");
            prop_assert_eq!(found.kvs, expected.values().cloned().collect::<Vec<_>>(), "at {}", at);
        }
        Ok(())
    }

    /// The index that a restart would build is the index in memory; while a compaction is under way, as far as it
    /// keeps it. When none is, the records up to the compacted revision are exactly those to keep.
    fn check_index(&mut self) -> Result<(), TestCaseError> {
        let Node { store, backend, compaction, .. } = &self.node;
        let rule = store.defects().head_tombstone();
        let mut rebuilt =
            restore(backend, store.defects(), 3).expect("sound records").store.index().clone();
        let keep = rebuilt.compact(store.compacted(), rule);
        prop_assert_eq!(rebuilt.as_restored(), store.index().as_restored());
        if let Some(compaction) = compaction {
            if compaction.revision() == store.compacted() {
                prop_assert_eq!(&keep, compaction.keep());
            }
            return Ok(());
        }
        let stored: BTreeSet<_> = backend
            .scan(Bucket::Key, b"")
            .map(|(key, _)| RecordKey::parse(key).expect("a record key").revision)
            .filter(|revision| revision.main <= store.compacted())
            .collect();
        prop_assert_eq!(stored, keep);
        Ok(())
    }

    /// A restart changes no hash.
    fn check_hash(&mut self) -> Result<(), TestCaseError> {
        let hash = |node: &Node| hash_kv(&node.store, &node.backend, 0);
        let before = hash(&self.node);
        let mut restarted = self.node.clone();
        restarted.restart();
        prop_assert_eq!(hash(&restarted), before);
        Ok(())
    }
}

#[test]
fn the_store_answers_like_the_reference_model() {
    let mut runner = TestRunner::new(arbitrary::config(2000));
    let result = runner.run(&vec(step(), 1..60), |steps| {
        let mut pair = Pair::new(Defects::NONE);
        for step in &steps {
            pair.step(step)?;
            if matches!(step, Step::Restart | Step::Crash(_)) {
                pair.check_index()?;
            }
        }
        pair.read_all()?;
        pair.check_index()?;
        pair.check_hash()
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn the_answers_alone_show_each_planted_bug() {
    let planted = [
        Defects { restore_by_plain_put: true, ..Defects::NONE },
        Defects { revision_not_raised: true, ..Defects::NONE },
    ];
    for defects in planted {
        let config = Config { max_shrink_iters: 0, ..arbitrary::config(1000) };
        let result = TestRunner::new(config).run(&vec(step(), 1..60), |steps| {
            let mut pair = Pair::new(defects);
            for step in &steps {
                pair.step(step)?;
            }
            pair.read_all()
        });
        assert!(matches!(result, Err(TestError::Fail(..))), "{defects:?} is not seen");
    }
}
