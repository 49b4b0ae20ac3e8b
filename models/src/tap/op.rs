//! What clients and the orchestrator are asked to do, in the words of the seed file.

use std::fmt;
use std::str::FromStr;

use crate::vbucket::op::{Call, Vb, has_form};

use super::frame::Name;

/// So many vbuckets there are at most.
pub const VBUCKETS_MAX: u8 = 3;

/// An operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// `get a`, and whatever else a data node is asked by a client.
    Data(Call),
    /// `filter s1 v0 v1`: from now on the stream is of these vbuckets.
    Filter(Name, Vec<Vb>),
    /// `move v0 n1`: the vbucket moves to this node.
    Move(Vb, u8),
    /// `reconnect s1`: whoever follows the stream gives its connection up, and makes a new one.
    Reconnect(Name),
}

impl From<Call> for Op {
    fn from(call: Call) -> Op {
        Op::Data(call)
    }
}

impl TryFrom<Op> for Call {
    type Error = ();

    fn try_from(op: Op) -> Result<Call, ()> {
        match op {
            Op::Data(call) => Ok(call),
            Op::Filter(..) | Op::Move(..) | Op::Reconnect(_) => Err(()),
        }
    }
}

impl Op {
    /// The last of the vbuckets that it names.
    fn vbucket(&self) -> Option<Vb> {
        match self {
            Op::Data(call) => Some(call.vb(1)),
            Op::Filter(_, vbs) => vbs.iter().max().copied(),
            Op::Move(vb, _) => Some(*vb),
            Op::Reconnect(_) => None,
        }
    }

    /// Whether the orchestrator does it.
    #[must_use]
    pub fn is_command(&self) -> bool {
        matches!(self, Op::Filter(..) | Op::Move(..) | Op::Reconnect(_))
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Op::Data(call) => write!(f, "{call}"),
            Op::Filter(name, vbs) => {
                write!(f, "filter {name}")?;
                vbs.iter().try_for_each(|vb| write!(f, " {vb}"))
            }
            Op::Move(vb, node) => write!(f, "move {vb} n{node}"),
            Op::Reconnect(name) => write!(f, "reconnect {name}"),
        }
    }
}

impl FromStr for Op {
    type Err = String;

    fn from_str(text: &str) -> Result<Op, String> {
        let words: Vec<&str> = text.split(' ').collect();
        let op = match words[..] {
            ["filter", name, ref vbs @ ..] => {
                let vbs = vbs.iter().map(|vb| vb.parse()).collect::<Result<Vec<Vb>, String>>()?;
                Op::Filter(Name(numbered('s', name)?), vbs)
            }
            ["reconnect", name] => Op::Reconnect(Name(numbered('s', name)?)),
            ["move", vb, node] => Op::Move(vb.parse()?, numbered('n', node)?),
            _ => {
                has_form(text, &["filter s1 v0 v1", "reconnect s1", "move v0 n1"])?;
                Op::Data(text.parse()?)
            }
        };
        match op.vbucket() {
            Some(vb) if vb.0 >= VBUCKETS_MAX => {
                let last = Vb(VBUCKETS_MAX - 1);
                return Err(format!("expected a vbucket from v0 to {last}, found `{vb}`"));
            }
            _ => {}
        }
        // Print and parse are inverse: what would be printed in other words is refused.
        let printed = op.to_string();
        if printed == text { Ok(op) } else { Err(format!("expected `{printed}`, found `{text}`")) }
    }
}

fn numbered(letter: char, text: &str) -> Result<u8, String> {
    let number = text.strip_prefix(letter).and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| format!("expected `{letter}` and a number, found `{text}`"))
}

#[cfg(test)]
mod tests {
    use super::Op;

    #[test]
    fn an_operation_prints_and_parses_to_itself() {
        for text in
            ["filter s1 v0 v1", "filter s2", "reconnect s1", "move v1 n0", "get a", "set b 7 ttl 2"]
        {
            assert_eq!(text.parse::<Op>().map(|op| op.to_string()), Ok(text.into()));
        }
    }

    #[test]
    fn a_vbucket_that_cannot_be_is_refused() {
        let texts =
            ["filter s1 v3", "filter s1 v0 v200 v1", "move v3 n0", "flush-all v3", "start v255"];
        for text in texts {
            let error = text.parse::<Op>().expect_err(text);
            assert!(error.contains("a vbucket from v0 to v2"), "{text}: {error}");
        }
    }

    #[test]
    fn an_operation_in_other_words_is_refused() {
        for text in [
            "filter",
            "reconnect 1",
            "filter 1 v0",
            "filter s1 v01",
            "move v0",
            "move v0 1",
            "move n0 v1",
        ] {
            let error = text.parse::<Op>().expect_err(text);
            assert!(error.contains("expected"), "{text}: {error}");
        }
    }
}
