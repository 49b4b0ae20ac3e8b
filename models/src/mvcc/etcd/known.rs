//! Differences that are known, and what has happened.
//!
//! A row names the versions that it is for, where it is described, and the operation; its predicate has to be false for
//! every other difference. A row that holds says what the server has now, and the comparison goes on from there. No row
//! explains that an acknowledged write is gone: each of them applies everything that was acknowledged.

use super::super::op::{Action, Keys, Op, Request, Txn};
use super::super::reference::Reference;
use super::super::response::{OpError, Outcome, Response};
use super::list::List;
use super::restart::{Logged, Observed, Past};

/// A known difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// A short name.
    pub(super) name: &'static str,
    /// How the versions begin that have it.
    pub(super) versions: &'static [&'static str],
    /// Where it is described.
    pub(super) source: &'static str,
    /// The operation that shows it.
    pub(super) operation: &'static str,
    /// What the server does.
    pub(super) what: &'static str,
}

/// A delete without an end is not seen to cover a put of its branch.
pub(super) const OPEN_DELETE: Row = Row {
    name: "open-delete-overlap",
    versions: &["3."],
    source: "seen on 3.4.23: the end `\\0` of a delete is compared as a key when overlaps are looked for",
    operation: "txn with `put k` and `del j..` in one branch, j <= k",
    what: "is accepted instead of refused for a duplicate key, and the key changes twice in one revision",
};

/// A refused transaction is done when the log is replayed.
pub(super) const REFUSED_REPLAYED: Row = Row {
    name: "refused-txn-replayed",
    versions: &["3.0", "3.1", "3.2", "3.3", "3.4", "3.5", "3.6"],
    source: "etcd-io/etcd#18667",
    operation: "kill after a txn that was refused for the revision of one of its reads",
    what: "the replay of the log drops the reads, does the writes, and later revisions move up by one",
};

/// Leases and the position in the log do not become durable together.
pub(super) const LEASE_REPLAYED: Row = Row {
    name: "lease-op-replayed",
    versions: &["3.0", "3.1", "3.2", "3.3", "3.4"],
    source: "seen on 3.4.23; etcd e9ae8eb5a saves the position with a grant or a revoke",
    operation: "kill after a grant or a revoke that no write of a key has followed",
    what: "the replay begins before it, but with its lease: what was refused for that lease is done",
};

/// A compaction at 0 looks like none to a watcher.
pub(super) const COMPACTED_AT_0: Row = Row {
    name: "watch-compacted-at-0",
    versions: &["3."],
    source: "seen on 3.4.23: a watch is told that it ends by a compacted revision other than 0",
    operation: "watch from a negative revision after a compaction at 0",
    what: "gets an empty message and nothing else ever, but is not told that it has ended",
};

/// A watcher from a negative revision is told nothing of the past.
pub(super) const NEGATIVE_WATCH: Row = Row {
    name: "negative-watch",
    versions: &["3.0", "3.1", "3.2", "3.3", "3.4", "3.5"],
    source: "seen on 3.4.23; etcd afeab20ac refuses such a watcher",
    operation: "watch from a negative revision of a store that was never compacted",
    what: "it is told of nothing before it is caught up: as bytes a negative revision is above all others",
};

/// And neither is any other watcher that is caught up in the same round.
pub(super) const BLINDED_WATCH: Row = Row {
    name: "negative-watch-blinds-others",
    versions: NEGATIVE_WATCH.versions,
    source: NEGATIVE_WATCH.source,
    operation: "watch from a past revision, and within 100 ms another from a negative one",
    what: "the first is told nothing of the past: one scan, from the least revision, is for all of them",
};

/// An order without a direction comes too late.
pub(super) const CUT_UNORDERED: Row = Row {
    name: "limit-before-order",
    versions: &["3."],
    source: "seen on 3.4.23: only a direction keeps the limit from being applied to the keys in their own order",
    operation: "range with a limit and a sort target other than the key, but no direction",
    what: "is cut to the limit and one more before it is ordered, so that it has the wrong keys",
};

/// A read at a negative revision is the present one alone, and compacted in a transaction.
pub(super) const NEGATIVE_READ: Row = Row {
    name: "negative-read-in-txn",
    versions: &["3."],
    source: "seen on 3.4.23: the check before a transaction lets only 0 stand for the present",
    operation: "txn with `get k @N`, N < 0 and below the compacted revision (-1 if there is none)",
    what: "is refused as compacted; alone, the same read is answered",
};

/// All rows.
pub(super) const ROWS: [Row; 8] = [
    OPEN_DELETE,
    NEGATIVE_READ,
    CUT_UNORDERED,
    REFUSED_REPLAYED,
    LEASE_REPLAYED,
    COMPACTED_AT_0,
    NEGATIVE_WATCH,
    BLINDED_WATCH,
];

/// What has happened so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Plans that were begun.
    pub(super) plans: u64,
    /// Steps other than kills.
    pub(super) operations: u64,
    /// Kills with a restart.
    pub(super) kills: u64,
    /// Watches that were opened.
    pub(super) watches: u64,
    /// Events that came.
    pub(super) events: u64,
    /// Hashes that were compared.
    pub(super) hashes: u64,
    /// How often each row held.
    pub(super) fired: [u64; ROWS.len()],
}

impl Tally {
    /// A row held so often.
    pub(super) fn fire(&mut self, row: Row, times: u64) {
        let at = ROWS.iter().position(|known| *known == row).expect("it is one of them");
        self.fired[at] += times;
    }
}

/// The predicate of a row about an answer: the store afterwards, if it holds.
type OfAnswer = fn(&Reference, &Request, &Outcome) -> Option<Reference>;
/// The predicate of a row about what came back after a kill.
type OfRestart = fn(&Past<'_>, &Observed) -> Option<Reference>;

/// The rows that hold for one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    version: String,
}

impl Known {
    /// The rows for a version.
    pub(super) fn of(version: &str) -> Known {
        Known { version: version.to_owned() }
    }

    /// Whether a row is for this version.
    pub(super) fn has(&self, row: Row) -> bool {
        row.versions.iter().any(|begins| self.version.starts_with(begins))
    }

    /// The store after an answer that differs in a known way.
    pub(super) fn answer(
        &self,
        before: &Reference,
        request: &Request,
        got: &Outcome,
        tally: &mut Tally,
    ) -> Option<Reference> {
        let rows: [(Row, OfAnswer); 2] =
            [(OPEN_DELETE, open_delete), (NEGATIVE_READ, negative_read)];
        rows.into_iter().filter(|(row, _)| self.has(*row)).find_map(|(row, holds)| {
            let after = holds(before, request, got)?;
            tally.fire(row, 1);
            Some(after)
        })
    }

    /// The store after a request that was under way, if the server does it in a known way, with the answer.
    pub(super) fn during(
        &self,
        before: &Reference,
        request: &Request,
    ) -> Option<(Reference, Outcome)> {
        self.has(OPEN_DELETE).then(|| overlapping(before, request)).flatten()
    }

    /// Whether a read with options differs in a known way.
    pub(super) fn list(
        &self,
        reference: &Reference,
        list: &List,
        got: &Outcome,
        tally: &mut Tally,
    ) -> bool {
        let known = self.has(CUT_UNORDERED)
            && list.is_cut_unordered()
            && list.cut_unordered(reference) == *got;
        tally.fire(CUT_UNORDERED, u64::from(known));
        known
    }

    /// The store after a kill that came back in a known way.
    pub(super) fn restart(
        &self,
        past: &Past<'_>,
        seen: &Observed,
        tally: &mut Tally,
    ) -> Option<Reference> {
        let rows: [(Row, OfRestart); 2] =
            [(REFUSED_REPLAYED, refused_replayed), (LEASE_REPLAYED, lease_replayed)];
        rows.into_iter().filter(|(row, _)| self.has(*row)).find_map(|(row, holds)| {
            let after = holds(past, seen)?;
            tally.fire(row, 1);
            Some(after)
        })
    }
}

/// Only deletes without an end overlap, and the answer is that of doing everything in order.
fn open_delete(before: &Reference, request: &Request, got: &Outcome) -> Option<Reference> {
    let (after, outcome) = overlapping(before, request)?;
    (outcome == *got).then_some(after)
}

/// What is made of a transaction that is refused only because a delete without an end covers a put.
fn overlapping(before: &Reference, request: &Request) -> Option<(Reference, Outcome)> {
    let Op::Txn(txn) = request else { return None };
    if before.clone().apply(request) != Err(OpError::DuplicateKey) {
        return None;
    }
    let closed = |actions: &[Action<i64>]| -> Vec<Action<i64>> {
        let open = |action: &Action<i64>| matches!(action, Action::Delete(Keys::From(_)));
        actions.iter().filter(|action| !open(action)).cloned().collect()
    };
    let (success, failure) = (closed(&txn.success), closed(&txn.failure));
    let rest = Txn { compares: txn.compares.clone(), success, failure };
    if before.clone().apply(&Op::Txn(rest)) == Err(OpError::DuplicateKey) {
        return None;
    }
    let mut after = before.clone();
    let outcome = after.apply_unchecked(txn);
    Some((after, outcome))
}

/// The first read of the branch that cannot be had, as the server sees it, is at a negative revision.
fn negative_read(before: &Reference, request: &Request, got: &Outcome) -> Option<Reference> {
    let Op::Txn(txn) = request else { return None };
    if *got != Err(OpError::Compacted) {
        return None;
    }
    // Without its reads nothing about it depends on revisions.
    let Ok(Response::Txn { succeeded, .. }) = before.clone().apply(&without_reads(txn)) else {
        return None;
    };
    let branch = if succeeded { &txn.success } else { &txn.failure };
    let reads = branch.iter().filter_map(|action| match action {
        Action::Get(get) => get.at.filter(|at| *at != 0),
        _ => None,
    });
    let refused = |at: &i64| *at > before.current() || *at < before.compacted();
    reads.into_iter().find(refused).filter(|at| *at < 0).map(|_| before.clone())
}

/// From some entry of the log on, transactions that were refused for the revision of a read are done without their reads;
/// everything that was acknowledged is done again; and that is what came back.
fn refused_replayed(past: &Past<'_>, seen: &Observed) -> Option<Reference> {
    let some = past.log.iter().any(|logged| stripped(logged).is_some());
    if !some && past.during.and_then(strip).is_none() {
        return None;
    }
    // The server has forgotten as little as possible.
    let mut starts = prefixes(past)?.into_iter().enumerate().rev();
    starts.find_map(|(n, from)| replayed(from, n, past, seen))
}

/// The same, but the replay begins with the leases of a later entry, up to which no key was written.
fn lease_replayed(past: &Past<'_>, seen: &Observed) -> Option<Reference> {
    let prefixes = prefixes(past)?;
    for (n, from) in prefixes.iter().enumerate().rev() {
        for later in prefixes[n..].iter().take_while(|later| later.current() == from.current()) {
            let from = from.clone().with_leases_of(later);
            if let Some(end) = replayed(from, n, past, seen) {
                return Some(end);
            }
        }
    }
    None
}

/// The reference model before each entry of the log, and behind the last.
fn prefixes(past: &Past<'_>) -> Option<Vec<Reference>> {
    let mut all = vec![past.base.clone()];
    for logged in past.log {
        let mut next = all.last().expect("there is a first").clone();
        redo(&mut next, logged)?;
        all.push(next);
    }
    Some(all)
}

/// What the replay of the log from its n-th entry on makes of `from`, if that is what came back.
fn replayed(from: Reference, n: usize, past: &Past<'_>, seen: &Observed) -> Option<Reference> {
    let plain = replay(from, &past.log[n..])?;
    let mut ends = vec![plain.clone()];
    let fewer = past.during.and_then(strip);
    for request in past.during.into_iter().chain(&fewer) {
        let mut end = plain.clone();
        let _ = end.apply(request);
        ends.push(end);
        ends.extend(overlapping(&plain, request).map(|(end, _)| end));
    }
    ends.into_iter().find(|end| seen.is(end))
}

/// Does a request of the log again as it was done the first time.
fn redo(reference: &mut Reference, Logged { request, outcome }: &Logged) -> Option<()> {
    if outcome.is_err() {
        return Some(());
    }
    if reference.clone().apply(request) == *outcome {
        let _ = reference.apply(request);
        return Some(());
    }
    let Op::Txn(txn) = request else { return None };
    (reference.apply_unchecked(txn) == *outcome).then_some(())
}

/// The end of the log as its replay does it; none if that would not do again what was acknowledged.
fn replay(mut reference: Reference, log: &[Logged]) -> Option<Reference> {
    for logged in log {
        if let Some(request) = stripped(logged) {
            let _ = reference.apply(&request);
        } else if logged.outcome.is_err() || matches!(logged.request, Op::Grant(_) | Op::Revoke(_))
        {
            // The replay may do what was refused, and need not do again what it finds done.
            let _ = reference.apply(&logged.request);
        } else {
            let before = reference.clone();
            let mut again = reference.apply(&logged.request);
            if let (Err(OpError::DuplicateKey), Op::Txn(txn)) = (&again, &logged.request) {
                reference = before;
                again = reference.apply_unchecked(txn);
            }
            if !again
                .is_ok_and(|again| logged.outcome.as_ref().is_ok_and(|told| keeps(told, &again)))
            {
                return None;
            }
        }
    }
    Some(reference)
}

/// What the replay makes of a transaction that was refused for the revision of a read.
fn stripped(Logged { request, outcome }: &Logged) -> Option<Request> {
    let refused = matches!(outcome, Err(OpError::Compacted | OpError::FutureRevision));
    refused.then(|| strip(request)).flatten()
}

/// A transaction without its reads, if it has both reads and writes.
fn strip(request: &Request) -> Option<Request> {
    let Op::Txn(txn) = request else { return None };
    let reads = |action: &Action<i64>| matches!(action, Action::Get(_));
    let mut all = txn.success.iter().chain(&txn.failure);
    (all.clone().any(reads) && !all.all(reads)).then(|| without_reads(txn))
}

fn without_reads(txn: &Txn<i64>) -> Request {
    let writes = |actions: &[Action<i64>]| -> Vec<Action<i64>> {
        let reads = |action: &Action<i64>| matches!(action, Action::Get(_));
        actions.iter().filter(|action| !reads(action)).cloned().collect()
    };
    let (success, failure) = (writes(&txn.success), writes(&txn.failure));
    Op::Txn(Txn { compares: txn.compares.clone(), success, failure })
}

/// Whether what was acknowledged is done again: the same branch, the same writes, and at least as many deletions. What
/// was read may be otherwise, and revisions may be.
fn keeps(told: &Response, again: &Response) -> bool {
    match (told, again) {
        (Response::Deleted { count: told, .. }, Response::Deleted { count: again, .. }) => {
            again >= told
        }
        (
            Response::Txn { succeeded: told, results: tolds, .. },
            Response::Txn { succeeded: again, results: agains, .. },
        ) => told == again && tolds.iter().zip(agains).all(|(told, again)| keeps(told, again)),
        (told, again) => std::mem::discriminant(told) == std::mem::discriminant(again),
    }
}
