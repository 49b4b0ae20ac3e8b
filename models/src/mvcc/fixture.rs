//! A node in miniature for the tests of this folder: a store, its backend and its file, driven by lines of text.

use super::backend::Backend;
use super::compaction::{Compaction, Scheduled};
use super::defects::Defects;
use super::op::{Op, Request};
use super::response::Outcome;
use super::restore::Restore;
use super::rules::Rules;
use super::store::Store;
use super::txn::execute;

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) store: Store,
    pub(super) backend: Backend,
    /// The durable bytes.
    pub(super) file: Vec<u8>,
    /// The compaction that is under way.
    pub(super) compaction: Option<Compaction>,
}

pub(super) fn request(line: &str) -> Request {
    let op: Op = line.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
    op.resolve(0)
}

impl Node {
    pub(super) fn new(defects: Defects) -> Node {
        Node::by(Rules::Main, defects)
    }

    pub(super) fn by(rules: Rules, defects: Defects) -> Node {
        let (store, backend) = (Store::by(rules, defects), Backend::new(64));
        Node { store, backend, file: Vec::new(), compaction: None }
    }

    /// A node whose store has a lessor.
    pub(super) fn leasing(defects: Defects) -> Node {
        let node = Node::new(defects);
        Node { store: node.store.clone().with_lessor(), ..node }
    }

    pub(super) fn after(lines: &[&str]) -> Node {
        let mut node = Node::new(Defects::NONE);
        node.done(lines);
        node
    }

    /// Does requests that must not be refused; compactions run to their end.
    pub(super) fn done(&mut self, lines: &[&str]) {
        for line in lines {
            self.ask(&request(line)).unwrap_or_else(|error| panic!("{line}: {error}"));
            self.compact();
        }
    }

    /// Ends the compaction that is under way.
    pub(super) fn compact(&mut self) {
        while self.compaction.is_some() {
            self.batch(2);
        }
    }

    /// Does a request; a compaction that it schedules is only begun. One that is still under way is finished before.
    pub(super) fn ask(&mut self, request: &Request) -> Outcome {
        let compacted = self.store.compacted();
        let outcome = execute(&mut self.store, &mut self.backend, request);
        if self.store.compacted() > compacted {
            while self.compaction.is_some() {
                self.batch(3);
            }
            let at = self.store.compacted();
            self.compaction = Some(Compaction::start(&mut self.store, at));
        }
        outcome.expect("the store is sound")
    }

    /// The answer or refusal as text.
    pub(super) fn answer(&mut self, line: &str) -> String {
        match self.ask(&request(line)) {
            Ok(response) => response.to_string(),
            Err(error) => error.to_string(),
        }
    }

    /// Schedules a compaction without starting it.
    pub(super) fn schedule(&mut self, at: i64) -> Scheduled {
        self.store.schedule_compaction(&mut self.backend, at).expect("accepted")
    }

    /// One batch of the compaction that is under way.
    pub(super) fn batch(&mut self, limit: usize) {
        let Some(compaction) = &mut self.compaction else { return };
        let batch = compaction.next_batch(&self.backend, limit).expect("sound records");
        let last = batch.last;
        compaction.apply(&mut self.backend, batch);
        if last {
            self.compaction = None;
        }
    }

    pub(super) fn commit(&mut self) {
        let Some(commit) = self.backend.begin_commit() else { return };
        commit.write_to(&mut self.file);
        self.backend.finish_commit(commit);
    }

    /// Loses everything that is not in the file, and restores from it; a compaction that was not done is resumed.
    pub(super) fn crash(&mut self, chunk: usize) {
        self.backend = Backend::open(&self.file, 64).expect("a sound file");
        let (rules, defects) = (self.store.rules(), self.store.defects());
        let mut restore = Restore::by(rules, &self.backend, defects).expect("sound marks");
        if self.store.lessor().is_some() {
            restore = restore.with_lessor(&self.backend).expect("sound leases");
        }
        let restored = restore.to_end(&self.backend, chunk).expect("sound records");
        self.store = restored.store;
        self.compaction = restored.resume.map(|at| Compaction::start(&mut self.store, at));
    }

    /// A clean restart: nothing is lost, but a compaction is interrupted.
    pub(super) fn restart(&mut self) {
        self.commit();
        self.crash(2);
    }
}
