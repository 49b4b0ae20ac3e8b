//! The one-line form of operations, as it stands in seed files, transcripts and traces.
//!
//! | form | meaning |
//! |---|---|
//! | `put KEY VALUE [lease N]` | write a key |
//! | `get KEYS [@REV] [limit N] [count]` | read keys |
//! | `del KEYS` | delete keys |
//! | `txn [if COMPARE {and COMPARE}] then [ACTION {; ACTION}] [else [ACTION {; ACTION}]]` | a transaction |
//! | `compact REV` | forget what is older |
//! | `close` | close the store |
//! | `grant LEASE SECONDS` | make a lease |
//! | `revoke LEASE` | end a lease and delete its keys |
//!
//! KEYS is `a`, `a..c` (without `c`) or `a..` (no end). REV is `3`, or `rev`, `rev-1`, `rev+2`: relative to the last
//! revision that the client saw. COMPARE is KEYS, one of `version created modified value lease`, one of `= != < >`, and
//! an operand. A key or value is a bare word of letters, digits and `_ / : + -`, or stands in quotes, where `\\`, `\"`
//! and `\xHH` write any byte.

use std::fmt;

use super::op::{Action, At, Compare, Field, Get, Keys, Op, Put, Relation, Txn};

/// The text form of bytes: a bare word if possible, else in quotes.
pub fn quoted(bytes: &[u8]) -> Quoted<'_> {
    Quoted(bytes)
}

/// Bytes that print as a bare word or in quotes; made by [`quoted`].
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'a>(&'a [u8]);

/// Whether a byte may stand in a bare word.
pub(super) fn is_bare(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'/' | b':' | b'+' | b'-')
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bare = !self.0.is_empty() && self.0.iter().all(|byte| is_bare(*byte));
        if bare {
            return self.0.iter().try_for_each(|byte| write!(f, "{}", char::from(*byte)));
        }
        f.write_str("\"")?;
        for byte in self.0 {
            match byte {
                b'"' | b'\\' => write!(f, "\\{}", char::from(*byte))?,
                b' '..=b'~' => write!(f, "{}", char::from(*byte))?,
                _ => write!(f, "\\x{byte:02x}")?,
            }
        }
        f.write_str("\"")
    }
}

impl<R: fmt::Display> fmt::Display for Op<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Op::Single(action) => action.fmt(f),
            Op::Txn(txn) => txn.fmt(f),
            Op::Compact(at) => write!(f, "compact {at}"),
            Op::Close => f.write_str("close"),
            Op::Grant(grant) => write!(f, "grant {} {}", grant.lease, grant.ttl),
            Op::Revoke(lease) => write!(f, "revoke {lease}"),
        }
    }
}

impl<R: fmt::Display> fmt::Display for Action<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Put(put) => put.fmt(f),
            Action::Get(get) => get.fmt(f),
            Action::Delete(keys) => write!(f, "del {keys}"),
        }
    }
}

impl fmt::Display for Put {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "put {} {}", quoted(&self.key), quoted(&self.value))?;
        if self.lease != 0 {
            write!(f, " lease {}", self.lease)?;
        }
        Ok(())
    }
}

impl<R: fmt::Display> fmt::Display for Get<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "get {}", self.keys)?;
        if let Some(at) = &self.at {
            write!(f, " @{at}")?;
        }
        if self.limit != 0 {
            write!(f, " limit {}", self.limit)?;
        }
        if self.count_only {
            f.write_str(" count")?;
        }
        Ok(())
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Keys::One(key) => write!(f, "{}", quoted(key)),
            Keys::Span(first, end) => write!(f, "{}..{}", quoted(first), quoted(end)),
            Keys::From(first) => write!(f, "{}..", quoted(first)),
        }
    }
}

impl<R: fmt::Display> fmt::Display for Txn<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("txn")?;
        for (n, compare) in self.compares.iter().enumerate() {
            let word = if n == 0 { "if" } else { "and" };
            write!(f, " {word} {compare}")?;
        }
        f.write_str(" then")?;
        branch(f, &self.success)?;
        if !self.failure.is_empty() {
            f.write_str(" else")?;
            branch(f, &self.failure)?;
        }
        Ok(())
    }
}

fn branch<R: fmt::Display>(f: &mut fmt::Formatter<'_>, actions: &[Action<R>]) -> fmt::Result {
    for (n, action) in actions.iter().enumerate() {
        let before = if n == 0 { " " } else { "; " };
        write!(f, "{before}{action}")?;
    }
    Ok(())
}

impl<R: fmt::Display> fmt::Display for Compare<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Compare { keys, relation, field } = self;
        match field {
            Field::Version(version) => write!(f, "{keys} version {relation} {version}"),
            Field::Created(at) => write!(f, "{keys} created {relation} {at}"),
            Field::Modified(at) => write!(f, "{keys} modified {relation} {at}"),
            Field::Value(value) => write!(f, "{keys} value {relation} {}", quoted(value)),
            Field::Lease(lease) => write!(f, "{keys} lease {relation} {lease}"),
        }
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Relation::Equal => "=",
            Relation::NotEqual => "!=",
            Relation::Less => "<",
            Relation::Greater => ">",
        })
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            At::Absolute(revision) => write!(f, "{revision}"),
            At::FromLast(0) => f.write_str("rev"),
            At::FromLast(distance) => write!(f, "rev{distance:+}"),
        }
    }
}
