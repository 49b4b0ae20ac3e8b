//! What a plan asks of a server, step by step, with one line of text for each.
//!
//! | line | what happens |
//! |---|---|
//! | `put a 1`, `txn ..`, `compact rev`, `grant 7 5000`, .. | a request, in the words of `text.rs` |
//! | `list a.. limit 2 : by version down` | a read with options of the gateway, see `list.rs` |
//! | `watch 1 a.. @rev-2 prev noput nodelete` | opens watcher 1; without `@REV` from the next change on; options as needed |
//! | `cancel 1` | closes it |
//! | `lease 7` | asks for the time and the keys of a lease |
//! | `leases` | asks for all leases |
//! | `defragment` | rewrites the server's file |
//! | `hash`, `hash @rev-1` | compares the hash of all records |
//! | `kill` | kills the server and starts it again |
//! | `kill during put a 1` | sends a request, kills the server without waiting for the answer, starts it again |

use std::fmt;
use std::str::FromStr;

use super::super::op::{Action, At, Get, Grant, Keys, Op};
use super::super::parse::ParseError;
use super::list::List;

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Step {
    /// A request whose answer is compared.
    Ask(Op),
    /// A read with options of the gateway.
    List(List),
    /// A watcher is opened.
    Watch(Watch),
    /// A watcher is closed.
    Cancel(u32),
    /// Time and keys of a lease.
    Lease(i64),
    /// The numbers of all leases.
    Leases,
    /// The server rewrites its file.
    Defragment,
    /// The hash at a revision, or at the current one.
    Hash(Option<At>),
    /// The server is killed and started again; perhaps while a request is under way.
    Kill(Option<Op>),
}

/// A watcher to be opened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Watch {
    /// What the plan calls it.
    pub(super) number: u32,
    /// What it watches.
    pub(super) keys: Keys,
    /// Where it begins; none for the next change.
    pub(super) start: Option<At>,
    /// Whether it is told what a key was before.
    pub(super) prev: bool,
    /// Whether it is not told of puts.
    pub(super) no_put: bool,
    /// Whether it is not told of deletions.
    pub(super) no_delete: bool,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Ask(op) => op.fmt(f),
            Step::List(list) => list.fmt(f),
            Step::Watch(watch) => watch.fmt(f),
            Step::Cancel(number) => write!(f, "cancel {number}"),
            Step::Lease(lease) => write!(f, "lease {lease}"),
            Step::Leases => f.write_str("leases"),
            Step::Defragment => f.write_str("defragment"),
            Step::Hash(None) => f.write_str("hash"),
            Step::Hash(Some(at)) => write!(f, "hash @{at}"),
            Step::Kill(None) => f.write_str("kill"),
            Step::Kill(Some(op)) => write!(f, "kill during {op}"),
        }
    }
}

impl fmt::Display for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "watch {} {}", self.number, self.keys)?;
        if let Some(at) = &self.start {
            write!(f, " @{at}")?;
        }
        for (is, word) in
            [(self.prev, "prev"), (self.no_put, "noput"), (self.no_delete, "nodelete")]
        {
            if is {
                write!(f, " {word}")?;
            }
        }
        Ok(())
    }
}

impl FromStr for Step {
    type Err = String;

    fn from_str(line: &str) -> Result<Step, String> {
        let op =
            |text: &str| text.parse().map_err(|error: ParseError| error.to_string()).and_then(fits);
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (word, rest) {
            ("list", rest) => rest.parse().map(Step::List),
            ("watch", rest) => watch(rest).map(Step::Watch),
            ("cancel", rest) => number(rest).map(Step::Cancel),
            ("lease", rest) => {
                let lease = rest.parse().map_err(|_| wrong("a lease number", rest))?;
                Ok(Step::Lease(lease))
            }
            ("leases", "") => Ok(Step::Leases),
            ("defragment", "") => Ok(Step::Defragment),
            ("hash", "") => Ok(Step::Hash(None)),
            ("hash", rest) => match op(&format!("get a {rest}"))? {
                Op::Single(Action::Get(Get { at: Some(at), .. })) => Ok(Step::Hash(Some(at))),
                _ => Err(wrong("a revision such as `@3` or `@rev-1`", rest)),
            },
            ("kill", "") => Ok(Step::Kill(None)),
            ("kill", rest) => match rest.strip_prefix("during ") {
                Some(rest) => Ok(Step::Kill(Some(op(rest)?))),
                None => Err(wrong("`during` and a request", rest)),
            },
            _ => op(line).map(Step::Ask).map_err(|error| {
                format!("{error}; or one of `list watch cancel lease leases defragment hash kill`")
            }),
        }
    }
}

/// Refuses the leases that a server changes or refuses by limits of its own, which are no promises of a store: it finds a
/// number in place of 0, and has a least and a greatest time.
fn fits(op: Op) -> Result<Op, String> {
    match op {
        Op::Grant(Grant { lease: 0, .. }) => Err(wrong("a lease number other than 0", "0")),
        Op::Grant(Grant { ttl, .. }) if !(1..=TTL_MAX).contains(&ttl) => {
            Err(wrong(&format!("from 1 to {TTL_MAX} seconds"), &ttl.to_string()))
        }
        op => Ok(op),
    }
}

/// The most seconds of a lease (etcd's `MaxLeaseTTL`).
const TTL_MAX: i64 = 9_000_000_000;

fn wrong(expected: &str, found: &str) -> String {
    format!("expected {expected}, found `{found}`")
}

fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| wrong("the number of a watcher", text))
}

fn watch(text: &str) -> Result<Watch, String> {
    let (first, mut rest) = text.split_once(' ').unwrap_or((text, ""));
    let number = number(first)?;
    let mut option = |word: &str| match rest.strip_suffix(word).and_then(|r| r.strip_suffix(' ')) {
        Some(before) => {
            rest = before;
            true
        }
        None => false,
    };
    let (no_delete, no_put, prev) = (option("nodelete"), option("noput"), option("prev"));
    match format!("get {rest}").parse() {
        Ok(Op::Single(Action::Get(Get { keys, at, limit: 0, count_only: false }))) => {
            Ok(Watch { number, keys, start: at, prev, no_put, no_delete })
        }
        Ok(_) => Err(wrong("keys, a revision, and `prev noput nodelete`", rest)),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_prints_as_it_was_written() {
        for line in [
            "put a 1",
            "grant 7 5000",
            "list a.. limit 2 : by version down",
            "watch 1 a",
            "watch 1 a.. @rev-2 prev noput nodelete",
            "watch 2 a..\"c prev\" @-1 nodelete",
            "cancel 1",
            "lease -7",
            "leases",
            "defragment",
            "hash",
            "hash @rev-1",
            "kill",
            "kill during txn then put a 1; get b @rev+2",
        ] {
            let step: Step = line.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(step.to_string(), line);
        }
    }

    #[test]
    fn a_line_that_is_no_step_says_what_was_expected() {
        for (line, words) in [
            ("", "one of `list watch"),
            ("shut", "one of `list watch"),
            ("watch", "the number of a watcher"),
            ("watch 1", "a key"),
            ("watch 1 a limit 2", "prev noput nodelete"),
            ("watch one a", "the number of a watcher"),
            ("cancel", "the number of a watcher"),
            ("lease x", "a lease number"),
            ("hash 3", "end of the line"),
            ("grant 0 5", "a lease number other than 0"),
            ("grant 1 0", "from 1 to 9000000000 seconds, found `0`"),
            ("grant 1 9000000001", "from 1 to 9000000000 seconds"),
            ("kill during grant 1 -1", "from 1 to 9000000000 seconds, found `-1`"),
            ("kill -9", "`during`"),
            ("kill during", "`during`"),
            ("kill during nothing", "column 1"),
        ] {
            let error = line.parse::<Step>().expect_err(line);
            assert!(error.contains(words), "{line}: {error}");
        }
    }
}
