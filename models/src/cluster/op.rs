//! What clients and the orchestrator are asked to do, in the words of the seed file.

use std::fmt;
use std::str::FromStr;

use crate::client::op as client;
use crate::client::op::{Server, Spec};
use crate::tap::op as tap;
use crate::vbucket::op::has_form;

use super::map::NODES_MAX;

/// What becomes of the nodes of the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// `in n3`: a node joins.
    In(Server),
    /// `out n1`: a node leaves.
    Out(Server),
    /// `swap n1 n3`: the second joins in the place of the first.
    Swap(Server, Server),
    /// `add-back n1`: a node that had been given up joins again.
    AddBack(Server),
    /// `rebalance`: nothing; vbuckets go where they belong. So goes on what was stopped.
    Nothing,
}

/// An operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// What a client is asked; see [`client::Op`].
    Client(client::Op),
    /// What the orchestrator of streams alone is asked. Here is none.
    Tap(tap::Op),
    /// A rebalance begins.
    Rebalance(Change),
    /// `stop 40`: once so many percent are done, the rebalance is stopped.
    Stop(u8),
    /// `finish`: waits until the rebalance has ended.
    Finish,
    /// `failover n1`: a node is given up, and replicas take its vbuckets over.
    Failover(Server),
    /// `count`: waits until every replica counts what its master counts, and everything is on disk.
    Count,
}

impl Op {
    /// Whether the orchestrator does it.
    #[must_use]
    pub fn is_command(&self) -> bool {
        !matches!(self, Op::Client(_) | Op::Tap(_))
    }
}

impl From<client::Op> for Op {
    fn from(op: client::Op) -> Op {
        Op::Client(op)
    }
}

impl TryFrom<Op> for client::Op {
    type Error = ();

    fn try_from(op: Op) -> Result<client::Op, ()> {
        match op {
            Op::Client(op) => Ok(op),
            _ => Err(()),
        }
    }
}

impl From<tap::Op> for Op {
    fn from(op: tap::Op) -> Op {
        Op::Tap(op)
    }
}

impl TryFrom<Op> for tap::Op {
    type Error = ();

    fn try_from(op: Op) -> Result<tap::Op, ()> {
        match op {
            Op::Tap(op) => Ok(op),
            _ => Err(()),
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Op::Client(op) => op.fmt(f),
            Op::Tap(op) => op.fmt(f),
            Op::Rebalance(Change::In(server)) => write!(f, "in {server}"),
            Op::Rebalance(Change::Out(server)) => write!(f, "out {server}"),
            Op::Rebalance(Change::Swap(out, server)) => write!(f, "swap {out} {server}"),
            Op::Rebalance(Change::AddBack(server)) => write!(f, "add-back {server}"),
            Op::Rebalance(Change::Nothing) => write!(f, "rebalance"),
            Op::Stop(percent) => write!(f, "stop {percent}"),
            Op::Finish => write!(f, "finish"),
            Op::Failover(server) => write!(f, "failover {server}"),
            Op::Count => write!(f, "count"),
        }
    }
}

impl FromStr for Op {
    type Err = String;

    fn from_str(text: &str) -> Result<Op, String> {
        let words: Vec<&str> = text.split(' ').collect();
        let op = match words[..] {
            ["in", server] => Op::Rebalance(Change::In(parse_server(server)?)),
            ["out", server] => Op::Rebalance(Change::Out(parse_server(server)?)),
            ["swap", out, server] => {
                Op::Rebalance(Change::Swap(parse_server(out)?, parse_server(server)?))
            }
            ["add-back", server] => Op::Rebalance(Change::AddBack(parse_server(server)?)),
            ["rebalance"] => Op::Rebalance(Change::Nothing),
            ["stop", percent] => {
                let percent = percent.parse().ok().filter(|percent| *percent <= 100);
                Op::Stop(percent.ok_or_else(|| expected("`stop 40`, or another percentage", text))?)
            }
            ["finish"] => Op::Finish,
            ["failover", server] if server.starts_with('n') => Op::Failover(parse_server(server)?),
            ["count"] => Op::Count,
            _ => {
                let changes = ["in n3", "out n1", "swap n1 n3", "add-back n1", "rebalance"];
                has_form(text, &changes)?;
                has_form(text, &["stop 40", "finish", "count"])?;
                Op::Client(parse_client(text)?)
            }
        };
        // Print and parse are inverse: what would be printed in other words is refused.
        let printed = op.to_string();
        if printed == text { Ok(op) } else { Err(expected(&format!("`{printed}`"), text)) }
    }
}

fn expected(what: &str, found: &str) -> String {
    format!("expected {what}, found `{found}`")
}

/// Reads a node, one of those that there may be.
pub(super) fn parse_server(text: &str) -> Result<Server, String> {
    let digits = text.strip_prefix('n').and_then(|digits| digits.parse().ok());
    let server = digits.filter(|server| *server < NODES_MAX).map(Server);
    server.ok_or_else(|| expected(&format!("a node from n0 to n{}", NODES_MAX - 1), text))
}

/// An operation of a client. The nodes that it names are among those that there may be.
fn parse_client(text: &str) -> Result<client::Op, String> {
    let op: client::Op = text.parse()?;
    if let client::Op::Create(_, Spec::Rebalance(_, server))
    | client::Op::Run(_, Spec::Rebalance(_, server))
    | client::Op::Move(_, server) = &op
    {
        parse_server(&server.to_string())?;
    }
    Ok(op)
}

/// Simpler operations that may do, the simplest first.
#[must_use]
pub fn simpler(op: &Op) -> Vec<Op> {
    match op {
        Op::Client(op) => client::simpler(op).into_iter().map(Op::Client).collect(),
        Op::Rebalance(Change::Swap(out, _)) => vec![Op::Rebalance(Change::Out(*out))],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::Op;

    #[test]
    fn an_operation_prints_and_parses_to_itself() {
        for text in [
            "in n3",
            "out n1",
            "swap n1 n3",
            "add-back n1",
            "rebalance",
            "stop 40",
            "finish",
            "failover n1",
            "failover v1",
            "count",
            "run 1 load create 0..4",
            "start 1",
            "verify-all",
        ] {
            assert_eq!(text.parse::<Op>().map(|op| op.to_string()), Ok(text.into()));
        }
    }

    #[test]
    fn an_operation_in_other_words_is_refused() {
        for text in
            ["in", "in 3", "out n01", "swap n1", "stop", "stop 040", "finish now", "count n1"]
        {
            let error = text.parse::<Op>().expect_err(text);
            assert!(error.contains("expected"), "{text}: {error}");
        }
    }

    #[test]
    fn a_node_that_cannot_be_is_refused() {
        for text in ["in n5", "out n8", "swap n8 n0", "swap n0 n8", "add-back n64", "failover n255"]
        {
            let error = text.parse::<Op>().expect_err(text);
            assert!(error.contains("a node from n0 to n4"), "{text}: {error}");
        }
        for text in ["run 1 rebalance v5 n8", "create 1 rebalance v5 n5", "move v0 n8"] {
            let error = text.parse::<Op>().expect_err(text);
            assert!(error.contains("a node from n0 to n4"), "{text}: {error}");
        }
    }
}
