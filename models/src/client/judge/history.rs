//! What clients have called and been told, and what nodes have lost meanwhile, for the judge of linearizability.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use seedbed_sim::id::OpId;
use seedbed_sim::judge::linear::Operation;

use crate::client::reference::Access;
use crate::client::response::Fate;
use crate::vbucket::op::{Call, Key, Request};
use crate::vbucket::reference;
use crate::vbucket::response::Answer;

use super::truth::Item;

/// An operation as the judge of linearizability knows it.
type Judged = Operation<(u8, Access), Answer>;

/// What has happened.
#[derive(Clone, Debug, Default)]
pub(in crate::client) struct Past {
    calls: BTreeMap<OpId, Called>,
    /// What was lost, which nobody has called.
    falls: Vec<Judged>,
    run_outs: Vec<RunOut>,
    /// Calls that a node has served which was cut off.
    stale: BTreeSet<OpId>,
}

/// A value that runs out, which nobody calls either.
#[derive(Clone, Debug)]
struct RunOut {
    key: Key,
    item: Item,
    /// Since when it stands there, and the instant at which it is over.
    since: u64,
    until: u64,
}

/// A call.
#[derive(Clone, Debug)]
struct Called {
    key: Key,
    request: Arc<Request>,
    at: u64,
    fate: Option<(u64, Fate)>,
}

impl Past {
    pub(super) fn called(&mut self, op: OpId, call: &Call, at: u64) {
        let Some(key) = call.key() else { return };
        let request = Arc::new(Request { call: call.clone(), cas: 0 });
        self.calls.insert(op, Called { key, request, at, fate: None });
    }

    /// A call is to be done only where its key has this version.
    pub(super) fn wants(&mut self, op: OpId, cas: u64) {
        if let Some(called) = self.calls.get_mut(&op) {
            let call = called.request.call.clone();
            called.request = Arc::new(Request { call, cas });
        }
    }

    pub(super) fn fated(&mut self, op: OpId, fate: &Fate, at: u64) {
        if let Some(called) = self.calls.get_mut(&op) {
            called.fate = Some((at, fate.clone()));
        }
    }

    pub(super) fn is_stale(&mut self, op: OpId) {
        self.stale.insert(op);
    }

    /// Something stands there from here on that may run out.
    pub(super) fn stored(&mut self, key: Key, item: Option<&Item>, since: u64) {
        let Some(item @ Item { until: Some(until), .. }) = item else { return };
        let until = until.saturating_mul(1_000_000_000);
        self.run_outs.push(RunOut { key, item: item.clone(), since, until });
    }

    /// Between these instants a node has lost all but this.
    pub(super) fn fell(&mut self, key: Key, left: Option<&Item>, (from, to): (u64, u64)) {
        self.stored(key, left, from);
        let left = left.map(|Item { value, flags, .. }| {
            // Whoever sees it sees its version.
            reference::Item { value: value.clone(), flags: *flags, until: None, cas: 0 }
        });
        let op = (key.0, Access::Fall(left));
        let returned = Some((to, Answer::Done));
        self.falls.push(Operation { process: 0, op, invoked: from, returned });
    }

    /// All of it, for the judge. Where something was done to clocks, nobody knows when what runs out is over.
    pub(in crate::client) fn judged(&self, is_sure: bool) -> Vec<Judged> {
        let mut judged = self.falls.clone();
        judged.extend(self.run_outs.iter().map(|RunOut { key, item, since, until }| {
            let op = (key.0, Access::Expire(item.value.clone(), item.flags));
            let invoked = if is_sure { *until } else { *since };
            Operation { process: 0, op, invoked, returned: None }
        }));
        // Elsewhere versions matter to nobody, and the judge is quicker without them.
        let conditional = self.calls.values().filter(|called| called.request.cas != 0);
        let by_version: BTreeSet<Key> = conditional.map(|called| called.key).collect();
        for (op, called) in self.calls.iter().filter(|(op, _)| !self.stale.contains(*op)) {
            let returned = match &called.fate {
                None | Some((_, Fate::Unknown(_))) => None,
                Some((_, Fate::NotApplied(_))) => continue,
                Some((at, Fate::Answered(answer))) => {
                    match said(answer, by_version.contains(&called.key)) {
                        Some(said) => Some((*at, said)),
                        None => continue,
                    }
                }
            };
            let process = u64::from(op.client.0) + 1;
            let op = (called.key.0, Access::Call(called.request.clone()));
            judged.push(Operation { process, op, invoked: called.at, returned });
        }
        judged
    }
}

/// What an answer says of a key, with the version or without; nothing if nothing was done and nothing is said.
fn said(answer: &Answer, with_version: bool) -> Option<Answer> {
    let version = |cas: &u64| if with_version { *cas } else { 0 };
    Some(match answer {
        Answer::Found { value, flags, cas } => {
            Answer::Found { value: value.clone(), flags: *flags, cas: version(cas) }
        }
        Answer::Stored(cas) => Answer::Stored(version(cas)),
        Answer::Counted(number, cas) => Answer::Counted(*number, version(cas)),
        Answer::Deleted
        | Answer::NotFound
        | Answer::Exists
        | Answer::NotStored
        | Answer::BadDelta
        | Answer::TooLong => answer.clone(),
        Answer::Done
        | Answer::Persisted(_)
        | Answer::NotMyVbucket
        | Answer::TemporaryFailure
        | Answer::NotSupported => return None,
    })
}
