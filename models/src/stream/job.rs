//! A request of the indexer, until all of it is answered.

use std::collections::BTreeSet;

use seedbed_sim::time::Time;

use super::message::Told;
use super::op::Keyspace;
use super::upstream::Refusal;

/// A request that data has not answered whole.
#[derive(Clone, Debug)]
pub(super) struct Job {
    waiting: BTreeSet<u16>,
    told: Told,
    /// Until when it waits for data.
    pub(super) until: Time,
}

impl Job {
    pub(super) fn new(
        router: u8,
        (keyspace, session): (Keyspace, u64),
        attempt: u32,
        until: Time,
    ) -> Job {
        let (active, rollback, failed) = (Vec::new(), Vec::new(), Vec::new());
        let told = Told { router, keyspace, session, attempt, active, rollback, failed };
        Job { waiting: BTreeSet::new(), told, until }
    }

    pub(super) fn active(&mut self, vb: u16) {
        self.told.active.push(vb);
    }

    pub(super) fn wait(&mut self, vb: u16) {
        self.waiting.insert(vb);
    }

    pub(super) fn resolve(&mut self, vb: u16, result: Result<(), (Refusal, u64)>) {
        if !self.waiting.remove(&vb) {
            return;
        }
        match result {
            Ok(()) => self.told.active.push(vb),
            Err((Refusal::Rollback, seq)) => self.told.rollback.push((vb, seq)),
            Err(_) => self.told.failed.push(vb),
        }
    }

    pub(super) fn fail(&mut self, vb: u16) {
        if self.waiting.remove(&vb) {
            self.told.failed.push(vb);
        }
    }

    pub(super) fn give_up(&mut self) {
        self.told.failed.extend(std::mem::take(&mut self.waiting));
    }

    /// The answer, once nothing is waited for.
    pub(super) fn done(&self) -> Option<Told> {
        self.waiting.is_empty().then(|| self.told.clone())
    }
}
