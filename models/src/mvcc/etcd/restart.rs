//! What a server has after it was killed: every acknowledged request, perhaps the one that was under way, no refused one.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde_json::json;

use super::super::op::{Keys, Request};
use super::super::reference::{Reference, StoreHash};
use super::super::response::{KeyValue, Outcome};
use super::super::text::quoted;
use super::clock::{Deadline, pause};
use super::json;
use super::known::{Known, Tally};
use super::server::{Server, Trouble};
use super::trial::{Difference, Stop};

/// How long a compaction that a kill has interrupted may take to go on.
const RESUMED: Duration = Duration::from_secs(3);

/// A request and what the server said to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Logged {
    /// What was asked.
    pub(super) request: Request,
    /// What was answered.
    pub(super) outcome: Outcome,
}

/// What was before a kill.
#[derive(Clone, Copy, Debug)]
pub(super) struct Past<'p> {
    /// The reference model before all requests.
    pub(super) base: &'p Reference,
    /// All requests that were answered.
    pub(super) log: &'p [Logged],
    /// The reference model after them.
    pub(super) now: &'p Reference,
    /// The request that was under way.
    pub(super) during: Option<&'p Request>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Back {
    /// The reference model of it.
    pub(super) reference: Reference,
    /// What was answered to the request that was under way, if it was done.
    pub(super) during: Option<Outcome>,
    /// Whether revisions are not what they were, by a known difference.
    pub(super) rewritten: bool,
}

/// Everything of a server that can be read at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Observed {
    /// The current revision.
    pub(super) revision: i64,
    /// All keys.
    pub(super) kvs: Vec<KeyValue>,
    /// All leases.
    pub(super) leases: BTreeSet<i64>,
    /// The hash of all records, if there is a way to read it.
    pub(super) hash: Option<StoreHash>,
}

impl Observed {
    /// Reads a server.
    pub(super) fn of(server: &mut dyn Server) -> Result<Observed, Stop> {
        let unreadable = |what: String| Difference::new("unreadable answer", what);
        // The smallest key is one zero byte: an empty one is refused.
        let all = json::keys(&Keys::From(vec![0]));
        let reply = server.post("/v3/kv/range", &all)?;
        let revision = json::revision(&reply.body).map_err(unreadable)?;
        let kvs = reply.body["kvs"].as_array().map_or(&[][..], Vec::as_slice).iter();
        let kvs = kvs.map(json::key_value).collect::<Result<_, _>>().map_err(unreadable)?;
        let leases = leases(server)?;
        let hash = match server.hash(0)? {
            Some(Err(refusal)) => return Err(Trouble(format!("the hash: {refusal}")).into()),
            Some(Ok(hash)) => Some(hash),
            None => None,
        };
        Ok(Observed { revision, kvs, leases, hash })
    }

    /// What a server that agrees with the reference model has.
    pub(super) fn expected(reference: &Reference) -> Observed {
        let revision = reference.current();
        let kvs = reference.at(revision).into_iter().flatten().map(|(_, kv)| kv.clone());
        Observed {
            revision,
            kvs: kvs.collect(),
            leases: reference.leases().map(|(lease, _)| lease).collect(),
            hash: reference.hash(0).ok(),
        }
    }

    /// Whether this is what the reference model has.
    pub(super) fn is(&self, reference: &Reference) -> bool {
        let expected = Observed::expected(reference);
        let hash = if self.hash.is_none() { None } else { expected.hash };
        *self == Observed { hash, ..expected }
    }
}

impl fmt::Display for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "revision {}, leases {:?}", self.revision, self.leases)?;
        if let Some(StoreHash { hash, compacted, .. }) = self.hash {
            write!(f, ", compacted {compacted}, hash {hash}")?;
        }
        self.kvs.iter().try_for_each(|kv| write!(f, ", {kv}"))
    }
}

/// The numbers of all leases of a server.
pub(super) fn leases(server: &mut dyn Server) -> Result<BTreeSet<i64>, Stop> {
    let reply = server.post("/v3/lease/leases", &json!({}))?;
    if reply.status != 200 {
        return Err(Trouble(format!("/v3/lease/leases gave status {}", reply.status)).into());
    }
    let leases = reply.body["leases"].as_array().map_or(&[][..], Vec::as_slice).iter();
    let leases: Result<BTreeSet<i64>, _> = leases.map(|of| json::number(of, "ID")).collect();
    leases.map_err(|what| Difference::new("unreadable answer", what).into())
}

/// Reads a server that was started again, and says which past it has.
pub(super) fn judge(
    server: &mut dyn Server,
    past: &Past<'_>,
    known: &Known,
    tally: &mut Tally,
) -> Result<Back, Stop> {
    let with = past.during.map(|request| {
        let mut with = past.now.clone();
        let outcome = with.apply(request);
        (with, outcome)
    });
    let otherwise = past.during.and_then(|request| known.during(past.now, request));
    let with: Vec<(Reference, Outcome)> = with.into_iter().chain(otherwise).collect();
    let deadline = Deadline::after(RESUMED);
    loop {
        let seen = Observed::of(server)?;
        if seen.is(past.now) {
            let reference = past.now.clone();
            return Ok(Back { reference, during: None, rewritten: false });
        }
        if let Some((reference, outcome)) = with.iter().find(|(with, _)| seen.is(with)) {
            let (reference, during) = (reference.clone(), Some(outcome.clone()));
            return Ok(Back { reference, during, rewritten: false });
        }
        if let Some(reference) = known.restart(past, &seen, tally) {
            return Ok(Back { reference, during: None, rewritten: true });
        }
        // Only the hash may take a while: until a compaction that was interrupted is done.
        let mut settles = std::iter::once(past.now).chain(with.iter().map(|(with, _)| with));
        let unhashed = Observed { hash: None, ..seen.clone() };
        if deadline.left().is_none() || !settles.any(|state| unhashed.is(state)) {
            return Err(differs(past, &seen).into());
        }
        pause(Duration::from_millis(50));
    }
}

fn differs(past: &Past<'_>, seen: &Observed) -> Difference {
    let expected = Observed::expected(past.now);
    let said = format!("after a kill expected {expected}, came {seen}");
    let found = |kv: &&KeyValue| seen.kvs.contains(kv);
    let lost = expected.kvs.iter().find(|kv| !found(kv)).filter(|_| past.during.is_none());
    if seen.revision < expected.revision {
        return Difference::new("acknowledged write lost", said);
    }
    if let Some(refused) = past.log.iter().filter(|logged| logged.outcome.is_err()).find_map(
        |Logged { request, .. }| wrote(request).into_iter().find(|value| has(seen, value)),
    ) {
        let said = format!("{} was refused: {said}", quoted(&refused));
        return Difference::new("refused write is there", said);
    }
    if lost.is_some() {
        return Difference::new("acknowledged write lost", said);
    }
    Difference::new("wrong state after a kill", said)
}

fn has(seen: &Observed, value: &[u8]) -> bool {
    seen.kvs.iter().any(|kv| kv.value == value && !value.is_empty())
}

/// The values that a transaction would have written.
fn wrote(request: &Request) -> Vec<Vec<u8>> {
    use super::super::op::{Action, Op};
    let actions = match request {
        Op::Single(action) => vec![action.clone()],
        Op::Txn(txn) => txn.success.iter().chain(&txn.failure).cloned().collect(),
        _ => Vec::new(),
    };
    let values = actions.into_iter().filter_map(|action| match action {
        Action::Put(put) => Some(put.value),
        _ => None,
    });
    values.collect()
}
