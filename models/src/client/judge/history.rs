//! What clients have called and been told, and what nodes have lost meanwhile, for the judge of linearizability.

use std::collections::{BTreeMap, BTreeSet};

use seedbed_sim::id::OpId;
use seedbed_sim::judge::linear::Operation;

use crate::client::reference::{Access, Said, Value};
use crate::client::response::Fate;
use crate::vbucket::op::{Call, Key, Verb};
use crate::vbucket::response::Answer;

use super::truth::Item;

/// An operation as the judge of linearizability knows it.
type Judged = Operation<(u8, Access), Said>;

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
    value: Value,
    /// Since when it stands there, and the instant at which it is over.
    since: u64,
    until: u64,
}

/// A call.
#[derive(Clone, Debug)]
struct Called {
    key: Key,
    access: Option<Access>,
    at: u64,
    fate: Option<(u64, Fate)>,
}

impl Past {
    pub(super) fn called(&mut self, op: OpId, call: &Call, at: u64) {
        let Some(key) = call.key() else { return };
        self.calls.insert(op, Called { key, access: access(call), at, fate: None });
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
        let Some(Item { value, flags, until: Some(until) }) = item else { return };
        let (value, until) = ((value.0.clone(), *flags), until * 1_000_000_000);
        self.run_outs.push(RunOut { key, value, since, until });
    }

    /// Between these instants a node has lost all but this.
    pub(super) fn fell(&mut self, key: Key, left: Option<&Item>, (from, to): (u64, u64)) {
        self.stored(key, left, from);
        let left = left.map(|item| (item.value.0.clone(), item.flags));
        let op = (key.0, Access::Fall(left));
        let returned = Some((to, Said::Done));
        self.falls.push(Operation { process: 0, op, invoked: from, returned });
    }

    /// All of it, for the judge. Where something was done to clocks, nobody knows when what runs out is over.
    pub(in crate::client) fn judged(&self, is_sure: bool) -> Vec<Judged> {
        let mut judged = self.falls.clone();
        judged.extend(self.run_outs.iter().map(|RunOut { key, value, since, until }| {
            let op = (key.0, Access::Expire(value.clone()));
            let invoked = if is_sure { *until } else { *since };
            Operation { process: 0, op, invoked, returned: None }
        }));
        for (op, called) in &self.calls {
            let Some(access) = called.access.clone().filter(|_| !self.stale.contains(op)) else {
                continue;
            };
            let returned = match &called.fate {
                None | Some((_, Fate::Unknown(_))) => None,
                Some((_, Fate::NotApplied(_))) => continue,
                Some((at, Fate::Answered(answer))) => match said(answer) {
                    Some(said) => Some((*at, said)),
                    None => continue,
                },
            };
            let process = u64::from(op.client.0) + 1;
            let op = (called.key.0, access);
            judged.push(Operation { process, op, invoked: called.at, returned });
        }
        judged
    }
}

/// What a call does; nothing for those that are not judged.
fn access(call: &Call) -> Option<Access> {
    match call {
        Call::Get(_) => Some(Access::Get),
        Call::Delete(_) => Some(Access::Delete),
        Call::Store(store) => {
            let value: Value = (store.value.0.clone(), store.flags);
            match store.verb {
                Verb::Set => Some(Access::Set(value)),
                Verb::Add => Some(Access::Add(value)),
                Verb::Replace => Some(Access::Replace(value)),
                Verb::Cas | Verb::Append | Verb::Prepend => None,
            }
        }
        _ => None,
    }
}

fn said(answer: &Answer) -> Option<Said> {
    match answer {
        Answer::Found { value, flags, .. } => Some(Said::Found((value.0.clone(), *flags))),
        Answer::NotFound => Some(Said::Absent),
        Answer::Exists => Some(Said::Exists),
        Answer::Stored(_) | Answer::Deleted => Some(Said::Done),
        _ => None,
    }
}
