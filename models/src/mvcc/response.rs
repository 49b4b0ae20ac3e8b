//! What a client is told: answers and refusals.

use std::fmt;

use super::text::quoted;

/// One version of a key, as readers see it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct KeyValue {
    /// The key.
    pub key: Vec<u8>,
    /// The revision that created the key, after its last deletion.
    pub create_revision: i64,
    /// The revision that wrote this version.
    pub mod_revision: i64,
    /// The number of writes since the key was created; 1 is the first.
    pub version: i64,
    /// The value.
    pub value: Vec<u8>,
    /// The lease that the key is attached to, 0 for none.
    pub lease: i64,
}

/// What a client is told when its request was done.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Response {
    /// A key was written, at this revision.
    Put {
        /// The revision of the write.
        revision: i64,
    },
    /// What a read found.
    Range(Found),
    /// Keys were deleted.
    Deleted {
        /// The revision of the deletion, or the current one if nothing was deleted.
        revision: i64,
        /// The number of keys that existed.
        count: i64,
    },
    /// A transaction was done.
    Txn {
        /// The revision after the transaction.
        revision: i64,
        /// Whether all compares held.
        succeeded: bool,
        /// The answers of the branch that was taken, in order.
        results: Vec<Response>,
    },
    /// The compaction was accepted; reads below it fail from now on.
    Compacted {
        /// The current revision.
        revision: i64,
    },
    /// The store is closed.
    Closed,
    /// A lease was made.
    Granted {
        /// The current revision; a grant makes no new one.
        revision: i64,
    },
    /// A lease was ended.
    Revoked {
        /// The revision that deleted its keys, or the current one if it had none.
        revision: i64,
    },
}

impl Response {
    /// The revision in the answer's header: the newest one that the client knows of afterwards.
    pub fn revision(&self) -> Option<i64> {
        match self {
            Response::Put { revision }
            | Response::Deleted { revision, .. }
            | Response::Txn { revision, .. }
            | Response::Compacted { revision }
            | Response::Granted { revision }
            | Response::Revoked { revision } => Some(*revision),
            Response::Range(found) => Some(found.revision),
            Response::Closed => None,
        }
    }
}

/// The answer to a read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Found {
    /// The current revision, not the one that was asked for.
    pub revision: i64,
    /// How many keys there are, whatever the limit.
    pub count: i64,
    /// Whether the limit left keys out.
    pub more: bool,
    /// The keys in ascending order; none if only the count was asked for.
    pub kvs: Vec<KeyValue>,
}

/// Why a request was refused. A refused request has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum OpError {
    /// A read, hash or compaction below what is still kept.
    #[error("required revision has been compacted")]
    Compacted,
    /// A read, hash or compaction above the current revision.
    #[error("required revision is a future revision")]
    FutureRevision,
    /// A transaction with two puts of one key in a branch, or a put that a delete of that branch covers.
    #[error("duplicate key given in a transaction")]
    DuplicateKey,
    /// A request that names no key.
    #[error("key is empty")]
    EmptyKey,
    /// A put with a lease, or a revoke, that names no lease that is there; also a grant of lease 0.
    #[error("lease not found")]
    LeaseNotFound,
    /// A grant of a lease that is there already.
    #[error("lease already exists")]
    LeaseExists,
}

/// What a client gets back: an answer, or a refusal.
pub type Outcome = Result<Response, OpError>;

impl fmt::Display for KeyValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let KeyValue { create_revision: created, mod_revision: modified, version, lease, .. } =
            self;
        write!(f, "{}={}", quoted(&self.key), quoted(&self.value))?;
        write!(f, " (created {created}, modified {modified}, version {version}, lease {lease})")
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "revision {}, count {}", self.revision, self.count)?;
        if self.more {
            f.write_str(", more")?;
        }
        for (n, kv) in self.kvs.iter().enumerate() {
            let before = if n == 0 { ": " } else { ", " };
            write!(f, "{before}{kv}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Response::Put { revision } => write!(f, "put: revision {revision}"),
            Response::Range(found) => write!(f, "found: {found}"),
            Response::Deleted { revision, count } => {
                write!(f, "deleted {count}: revision {revision}")
            }
            Response::Txn { revision, succeeded, results } => {
                let branch = if *succeeded { "then" } else { "else" };
                write!(f, "{branch}: revision {revision}")?;
                results.iter().try_for_each(|result| write!(f, "; {result}"))
            }
            Response::Compacted { revision } => write!(f, "compacted: revision {revision}"),
            Response::Closed => f.write_str("closed"),
            Response::Granted { revision } => write!(f, "granted: revision {revision}"),
            Response::Revoked { revision } => write!(f, "revoked: revision {revision}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_prints_every_field_on_one_line() {
        let kv = KeyValue {
            key: b"a".to_vec(),
            create_revision: 2,
            mod_revision: 4,
            version: 3,
            value: b"x y".to_vec(),
            lease: 7,
        };
        let found = Found { revision: 5, count: 2, more: true, kvs: vec![kv] };
        let answer = Response::Txn {
            revision: 5,
            succeeded: true,
            results: vec![Response::Range(found), Response::Deleted { revision: 5, count: 0 }],
        };
        assert_eq!(
            answer.to_string(),
            "then: revision 5; found: revision 5, count 2, more: \
             a=\"x y\" (created 2, modified 4, version 3, lease 7); deleted 0: revision 5"
        );
    }
}
