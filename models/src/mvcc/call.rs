//! Operations and answers as the engine passes them on: with one line of text for each.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use super::op::{Action, Op};
use super::parse::ParseError;
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
        let line = line.trim();
        let (first, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        match (first, rest.trim_start()) {
            ("defragment", "") => Ok(Call::Defragment),
            ("defragment", rest) => {
                Err(format!("expected nothing behind `{first}`, found `{rest}`"))
            }
            ("renew", lease) => {
                let number = lease.parse().map(Call::Renew);
                number.map_err(|_| format!("expected the number of a lease, found `{lease}`"))
            }
            ("stale", read) => stale(read),
            _ if words::ALL.iter().any(|words| words.contains(&first)) => {
                line.parse().map(Call::Store).map_err(|error: ParseError| error.to_string())
            }
            _ => Err(format!("expected one of {}, found `{first}`", quoted(&words::ALL))),
        }
    }
}

/// A read that takes an old state, too; the line without its first word.
fn stale(line: &str) -> Result<Call, String> {
    let read: Result<Op, ParseError> = line.parse();
    match read {
        Ok(op @ Op::Single(Action::Get(_))) => Ok(Call::Stale(op)),
        _ => Err(format!("expected a read such as `get a` behind `stale`, found `{line}`")),
    }
}

impl Call {
    /// The words of those who can be asked for it.
    fn words(&self) -> &'static [&'static str] {
        match self {
            Call::Store(Op::Close) => words::CLOSING,
            Call::Store(_) => words::STORE,
            Call::Watch(_) => words::WATCHING,
            Call::Use(_) => words::LIBRARY,
            Call::Stale(_) | Call::Defragment | Call::Renew(_) => words::GROUP,
        }
    }

    /// Whether a client with these words can be asked for it; if not, what is expected.
    pub(super) fn is_one_of(&self, words: &[&[&str]]) -> Result<(), String> {
        if words.contains(&self.words()) {
            return Ok(());
        }
        let known = quoted(words);
        Err(format!("expected an operation of this client, one of {known}, found `{self}`"))
    }
}

fn quoted(words: &[&[&str]]) -> String {
    format!("`{}`", words.concat().join(" "))
}

/// The words that operations begin with, by who can be asked for them.
pub(super) mod words {
    /// Every store that is served.
    pub(in crate::mvcc) const STORE: &[&str] =
        &["put", "get", "del", "txn", "compact", "grant", "revoke"];
    /// A store that goes on after it was closed and opened again.
    pub(in crate::mvcc) const CLOSING: &[&str] = &["close"];
    /// The clients that watch.
    pub(in crate::mvcc) const WATCHING: &[&str] = &["watch", "cancel", "progress", "rest", "leave"];
    /// The threads of a library.
    pub(in crate::mvcc) const LIBRARY: &[&str] =
        &["begin", "end", "hash", "history", "snapshot", "defrag", "commit"];
    /// The members of a group.
    pub(in crate::mvcc) const GROUP: &[&str] = &["stale", "defragment", "renew"];
    /// All of them.
    pub(in crate::mvcc) const ALL: [&[&str]; 5] = [STORE, CLOSING, WATCHING, LIBRARY, GROUP];
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
        for (line, expected) in [
            ("renew", "expected the number of a lease, found ``"),
            ("renew x", "expected the number of a lease, found `x`"),
            ("stale", "expected a read such as `get a` behind `stale`, found ``"),
            ("stale put a 1", "behind `stale`, found `put a 1`"),
            ("stale close", "behind `stale`, found `close`"),
            ("defragment a", "expected nothing behind `defragment`, found `a`"),
        ] {
            assert!(line.parse::<Call>().expect_err(line).contains(expected), "{line}");
        }
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
    fn every_word_begins_an_operation_and_belongs_to_one_kind_of_client() {
        let lines = [
            "put a 1",
            "get a",
            "del a",
            "txn then",
            "compact 1",
            "grant 1 2",
            "revoke 1",
            "close",
            "watch a from 0",
            "cancel 1",
            "progress",
            "rest 1",
            "leave",
            "begin",
            "end txn",
            "hash",
            "history a from 0",
            "snapshot",
            "defrag",
            "commit",
            "stale get a",
            "defragment",
            "renew 1",
        ];
        let first = |line: &&str| line.split(' ').next().unwrap_or_default().to_owned();
        assert_eq!(lines.iter().map(first).collect::<Vec<_>>(), words::ALL.concat());
        for line in lines.into_iter().chain(["put a 1 in txn"]) {
            let call: Call = line.parse().expect(line);
            let of = words::ALL.iter().filter(|words| call.is_one_of(&[words]).is_ok());
            assert_eq!(of.count(), 1, "{line}");
        }
    }

    #[test]
    fn an_answer_prints_as_itself_and_a_refusal_with_its_reason() {
        let ret = |outcome| Ret::Store(Arc::new(outcome)).to_string();
        assert_eq!(ret(Ok(Response::Put { revision: 2 })), "put: revision 2");
        assert_eq!(ret(Err(OpError::EmptyKey)), "refused: key is empty");
    }
}
