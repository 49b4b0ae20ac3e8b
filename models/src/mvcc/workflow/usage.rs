//! What a client asks of the library beside requests, and what it is told, in words: `begin`, `put a 1 in txn`, `end txn`,
//! `hash rev-1`, `history a.. from rev-3 to rev limit 2`, `snapshot`, `defrag`, `commit`.

use std::fmt;

use crate::mvcc::hash::KvHash;
use crate::mvcc::history::{History, Query};
use crate::mvcc::op::{Action, At, Keys, Op};
use crate::mvcc::response::{OpError, Response};
use crate::mvcc::simpler::{simpler, simpler_revisions};
use crate::mvcc::text::quoted;

/// Use of an entry point of the library. `R` is how it names a revision, as in [`Op`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Usage<R = At> {
    /// Begin a transaction, which holds the lock of the store until it is ended: `begin`.
    Begin,
    /// Put, delete or read inside a transaction: `put a 1 in txn`.
    Inside(Action<R>, TxnName),
    /// End a transaction: `end txn`.
    End(TxnName),
    /// The hash at a revision, or the current one: `hash rev-1`.
    Hash(Option<R>),
    /// A part of the history of changes: `history a.. from rev-3 to rev limit 2`.
    History(Part<R>),
    /// Write a snapshot to a file: `snapshot`.
    Snapshot,
    /// Copy the backend to a new file that takes the place of the old one: `defrag`.
    Defrag,
    /// Make everything durable: `commit`.
    Commit,
}

/// Usage whose revisions and transactions are numbers.
pub type Use = Usage<i64>;

/// Which transaction is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TxnName {
    /// The one that this client has begun last, `txn`, or another so many after it: `txn-1`, `txn+1`.
    Last(i64),
    /// The one with this id.
    Id(i64),
}

/// A part of the history.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Part<R = At> {
    /// Changes of these keys.
    pub keys: Keys,
    /// From this revision on.
    pub start: R,
    /// Up to this revision, which is not included.
    pub end: Option<R>,
    /// At most so many changes; zero means all.
    pub limit: i64,
}

impl Part<i64> {
    /// As the store is asked.
    #[must_use]
    pub fn query(&self) -> Query {
        let Part { keys, start, end, limit } = self;
        Query { keys: keys.clone(), start: *start, end: end.unwrap_or(0), limit: *limit }
    }
}

/// What a client is told when it was done.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reply {
    /// A transaction has begun; its id.
    Begun(i64),
    /// Something was done inside a transaction.
    Inside(Response),
    /// A transaction has ended; the revision afterwards.
    Ended(i64),
    /// A hash, and whether a compaction had taken it.
    Hash(KvHash, Kept),
    /// A part of the history.
    History(History),
    /// A snapshot was written; its revision and its size in bytes, which was told before.
    Snapshot(i64, u64),
    /// The new file is in place.
    Defragmented,
    /// Everything is durable.
    Committed,
}

/// Where a hash comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kept {
    /// A compaction took it while it ran.
    Yes,
    /// It was taken now.
    No,
}

/// Why nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// The store refuses.
    #[error(transparent)]
    Store(#[from] OpError),
    /// The thread has no such transaction open.
    #[error("txn id mismatch")]
    Mismatch,
    /// The disk has failed, and the file that was to be written is no use.
    #[error("the disk has failed")]
    Disk,
}

/// What came of it.
pub type Used = Result<Reply, Refusal>;

impl Reply {
    /// The revision that the client knows of afterwards.
    #[must_use]
    pub fn revision(&self) -> Option<i64> {
        match self {
            Reply::Ended(revision) | Reply::Snapshot(revision, _) => Some(*revision),
            Reply::Begun(_)
            | Reply::Inside(_)
            | Reply::Hash(..)
            | Reply::History(_)
            | Reply::Defragmented
            | Reply::Committed => None,
        }
    }
}

impl Usage<At> {
    /// With numbers, for a client that last saw revision `last` and last began transaction `txn`.
    #[must_use]
    pub fn resolve(&self, last: i64, txn: i64) -> Use {
        let id = |name: TxnName| match name {
            TxnName::Last(distance) => TxnName::Id(txn.saturating_add(distance)),
            TxnName::Id(id) => TxnName::Id(id),
        };
        match self {
            Usage::Begin => Usage::Begin,
            Usage::Inside(action, name) => Usage::Inside(action.resolve(last), id(*name)),
            Usage::End(name) => Usage::End(id(*name)),
            Usage::Hash(at) => Usage::Hash(at.map(|at| at.absolute(last))),
            Usage::History(Part { keys, start, end, limit }) => Usage::History(Part {
                keys: keys.clone(),
                start: start.absolute(last),
                end: end.map(|end| end.absolute(last)),
                limit: *limit,
            }),
            Usage::Snapshot => Usage::Snapshot,
            Usage::Defrag => Usage::Defrag,
            Usage::Commit => Usage::Commit,
        }
    }

    /// Simpler usages, the simplest first, for shrinking.
    pub(in crate::mvcc) fn simpler(&self) -> Vec<Usage> {
        match self {
            Usage::Inside(action, name) => simpler(&Op::Single(action.clone()))
                .into_iter()
                .filter_map(|op| match op {
                    Op::Single(action) => Some(Usage::Inside(action, *name)),
                    _ => None,
                })
                .collect(),
            Usage::Hash(Some(at)) => {
                simpler_revisions(*at).map(|at| Usage::Hash(Some(at))).collect()
            }
            Usage::History(part) => part.simpler().into_iter().map(Usage::History).collect(),
            Usage::Begin
            | Usage::End(_)
            | Usage::Hash(None)
            | Usage::Snapshot
            | Usage::Defrag
            | Usage::Commit => Vec::new(),
        }
    }
}

impl Part {
    fn simpler(&self) -> Vec<Part> {
        let mut simpler = Vec::new();
        if self.end.is_some() {
            simpler.push(Part { end: None, ..self.clone() });
        }
        if self.limit > 0 {
            simpler.push(Part { limit: self.limit - 1, ..self.clone() });
        }
        let whole = Keys::From(self.keys.first().to_vec());
        if self.keys != whole {
            simpler.push(Part { keys: whole, ..self.clone() });
        }
        simpler.extend(simpler_revisions(self.start).map(|start| Part { start, ..self.clone() }));
        simpler
    }
}

impl fmt::Display for TxnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TxnName::Last(0) => f.write_str("txn"),
            TxnName::Last(distance) => write!(f, "txn{distance:+}"),
            TxnName::Id(id) => write!(f, "{id}"),
        }
    }
}

impl<R: fmt::Display> fmt::Display for Usage<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Usage::Begin => f.write_str("begin"),
            Usage::Inside(action, name) => write!(f, "{action} in {name}"),
            Usage::End(name) => write!(f, "end {name}"),
            Usage::Hash(None) => f.write_str("hash"),
            Usage::Hash(Some(at)) => write!(f, "hash {at}"),
            Usage::History(Part { keys, start, end, limit }) => {
                write!(f, "history {keys} from {start}")?;
                if let Some(end) = end {
                    write!(f, " to {end}")?;
                }
                if *limit != 0 { write!(f, " limit {limit}") } else { Ok(()) }
            }
            Usage::Snapshot => f.write_str("snapshot"),
            Usage::Defrag => f.write_str("defrag"),
            Usage::Commit => f.write_str("commit"),
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reply::Begun(id) => write!(f, "begun: transaction {id}"),
            Reply::Inside(response) => write!(f, "inside: {response}"),
            Reply::Ended(revision) => write!(f, "ended: revision {revision}"),
            Reply::Hash(KvHash { hash, compacted, revision }, kept) => {
                write!(f, "hash {hash}: revision {revision}, compacted {compacted}")?;
                if *kept == Kept::Yes { f.write_str(", kept") } else { Ok(()) }
            }
            Reply::History(History { effects, next }) => {
                write!(f, "history: next {next}")?;
                effects.iter().try_for_each(|effect| {
                    let key = quoted(&effect.kv.key);
                    if effect.deleted {
                        write!(f, "; {} del {key}", effect.revision)
                    } else {
                        write!(f, "; {} {}", effect.revision, effect.kv)
                    }
                })
            }
            Reply::Snapshot(revision, size) => {
                write!(f, "snapshot: revision {revision}, {size} bytes")
            }
            Reply::Defragmented => f.write_str("defragmented"),
            Reply::Committed => f.write_str("committed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mvcc::call::Call;

    fn usage(line: &str) -> Usage {
        match line.parse::<Call>() {
            Ok(Call::Use(usage)) => usage,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn following_what_is_simpler_leads_to_an_end() {
        for line in [
            "history a..c from 3 to rev+1 limit 2",
            "history a.. from rev-3",
            "hash rev-1",
            "get a.. @rev-2 limit 1 in txn",
        ] {
            let (mut open, mut steps) = (vec![usage(line)], 0);
            while let Some(usage) = open.pop() {
                steps += 1;
                assert!(steps < 20_000 && !usage.simpler().contains(&usage), "{usage}");
                open.extend(usage.simpler());
            }
            assert!(steps > 1, "{line}");
        }
    }

    #[test]
    fn names_become_numbers() {
        let resolved = |line: &str| usage(line).resolve(9, 4).to_string();
        assert_eq!(resolved("put a 1 in txn"), "put a 1 in 4");
        assert_eq!(resolved("get a @rev-1 in txn-1"), "get a @8 in 3");
        assert_eq!(resolved("end txn+2"), "end 6");
        assert_eq!(resolved("end 17"), "end 17");
        assert_eq!(
            resolved("history a.. from rev-3 to rev limit 2"),
            "history a.. from 6 to 9 limit 2"
        );
    }
}
