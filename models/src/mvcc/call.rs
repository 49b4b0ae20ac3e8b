//! Operations and answers as the engine passes them on: with one line of text for each.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use super::op::Op;
use super::response::Outcome;
use super::watching::wish::Wish;
use super::workflow::usage::{Usage, Used};

/// An operation of the workload, in the words of `text.rs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Of a client of the store.
    Store(Op),
    /// Of a client that watches.
    Watch(Wish),
    /// Of a client of the library.
    Use(Usage),
    /// Of a client of a group that takes an old state, too: `stale get a`.
    Stale(Op),
    /// Of a client of a group: make the file of a node smaller: `defragment`.
    Defragment,
    /// Of a client of a group: this lease is to live on: `renew 7`.
    Renew(i64),
}

/// What a client asks of the store counts as itself, so that digests do not tell that there are others.
impl Hash for Call {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Call::Store(op) => op.hash(state),
            Call::Watch(wish) => {
                u8::MAX.hash(state);
                wish.hash(state);
            }
            Call::Use(usage) => {
                (u8::MAX - 1).hash(state);
                usage.hash(state);
            }
            Call::Defragment => (u8::MAX - 3).hash(state),
            Call::Renew(lease) => {
                (u8::MAX - 4).hash(state);
                lease.hash(state);
            }
            Call::Stale(op) => {
                (u8::MAX - 2).hash(state);
                op.hash(state);
            }
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Call::Store(op) => op.fmt(f),
            Call::Watch(wish) => wish.fmt(f),
            Call::Use(usage) => usage.fmt(f),
            Call::Defragment => f.write_str("defragment"),
            Call::Renew(lease) => write!(f, "renew {lease}"),
            Call::Stale(op) => write!(f, "stale {op}"),
        }
    }
}

impl FromStr for Call {
    type Err = String;

    fn from_str(line: &str) -> Result<Call, String> {
        if let Some(wish) = super::parse::wish(line) {
            return wish.map(Call::Watch).map_err(|error| error.to_string());
        }
        if let Some(usage) = super::parse::usage(line) {
            return usage.map(Call::Use).map_err(|error| error.to_string());
        }
        if line == "defragment" {
            return Ok(Call::Defragment);
        }
        if let Some(lease) = line.strip_prefix("renew ") {
            let number = lease.parse().map(Call::Renew);
            return number.map_err(|_| format!("expected the number of a lease, found `{lease}`"));
        }
        if let Some(read) = line.strip_prefix("stale ") {
            return read
                .parse()
                .map(Call::Stale)
                .map_err(|error: super::ParseError| error.to_string());
        }
        line.parse().map(Call::Store).map_err(|error: super::ParseError| error.to_string())
    }
}

/// What a client learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ret {
    /// An answer, or the reason why the store refused. A refused operation had no effect.
    Store(Arc<Outcome>),
    /// A client that watches has done its part; what comes of it, it hears on its stream.
    Watch,
    /// What came of the use of an entry point of the library.
    Use(Arc<Used>),
    /// The file of a node was made smaller.
    Defragmented,
    /// Whether a lease lives on.
    Renewed(bool),
}

/// As of [`Call`].
impl Hash for Ret {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Ret::Store(outcome) => outcome.hash(state),
            Ret::Watch => u8::MAX.hash(state),
            Ret::Use(used) => {
                (u8::MAX - 1).hash(state);
                used.hash(state);
            }
            Ret::Defragmented => (u8::MAX - 2).hash(state),
            Ret::Renewed(lives) => {
                (u8::MAX - 3).hash(state);
                lives.hash(state);
            }
        }
    }
}

impl fmt::Display for Ret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ret::Store(outcome) => match &**outcome {
                Ok(response) => response.fmt(f),
                Err(refusal) => write!(f, "refused: {refusal}"),
            },
            Ret::Watch => f.write_str("done"),
            Ret::Use(used) => match &**used {
                Ok(reply) => reply.fmt(f),
                Err(refusal) => write!(f, "refused: {refusal}"),
            },
            Ret::Defragmented => f.write_str("defragmented"),
            Ret::Renewed(true) => f.write_str("renewed"),
            Ret::Renewed(false) => f.write_str("not renewed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::response::{OpError, Response};
    use super::*;

    #[test]
    fn a_call_prints_and_parses_to_itself_and_bad_words_say_what_was_expected() {
        for line in ["put a 1", "txn if a version = 0 then put a 1", "compact rev-1", "close"]
            .into_iter()
            .chain(["watch a.. from rev-2 noput nodel prev", "watch b from 0", "cancel 7"])
            .chain(["progress", "rest 20", "leave", "begin", "put a in", "put a in in txn"])
            .chain(["del a..c in txn-1", "get a @rev in 7", "end txn", "hash", "hash rev-1"])
            .chain(["history a.. from 0 to rev+1 limit 2", "snapshot", "defrag", "commit"])
        {
            assert_eq!(line.parse::<Call>().expect(line).to_string(), line);
        }
        let error = "shut".parse::<Call>().expect_err("no such word");
        assert!(error.contains("expected one of `put"), "{error}");
        let error = "watch a 3".parse::<Call>().expect_err("a word is missing");
        assert!(error.contains("expected `from`"), "{error}");
        for (line, expected) in [
            ("put a 1 in b", "expected a transaction: `txn`, `txn-1`"),
            ("put a 1 in txn x", "expected the end of the line"),
            ("end", "expected a transaction"),
            ("hash x", "expected a revision"),
            ("history a to 3", "expected `from`"),
            ("begin txn", "expected the end of the line"),
        ] {
            let error = line.parse::<Call>().expect_err(line);
            assert!(error.contains(expected), "{line}: {error}");
        }
    }

    #[test]
    fn an_answer_prints_as_itself_and_a_refusal_with_its_reason() {
        let ret = |outcome| Ret::Store(Arc::new(outcome)).to_string();
        assert_eq!(ret(Ok(Response::Put { revision: 2 })), "put: revision 2");
        assert_eq!(ret(Err(OpError::EmptyKey)), "refused: key is empty");
    }
}
