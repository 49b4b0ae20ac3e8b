//! What clients are asked, in the words of the seed file.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use crate::vbucket::op::{Call, Key, Value, Vb, has_form};

/// Names a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub u8);

/// Names a data node, by its place among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Server(pub u8);

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0)
    }
}

/// What is done to each key of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Load {
    /// Stores a new document.
    Create,
    /// Stores a new blob.
    Blob,
    /// Looks, and compares.
    Read,
    /// Stores another document where there is a value.
    Update,
    /// Takes the key out.
    Delete,
}

impl Load {
    /// All of them, with their words.
    pub const ALL: [(Load, &'static str); 5] = [
        (Load::Create, "create"),
        (Load::Blob, "blob"),
        (Load::Read, "read"),
        (Load::Update, "update"),
        (Load::Delete, "delete"),
    ];
}

/// Keys of a range, by their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Keys {
    /// The first.
    pub start: u8,
    /// The one behind the last.
    pub end: u8,
}

impl Keys {
    /// The places.
    #[must_use]
    pub fn places(self) -> Range<u8> {
        self.start..self.end
    }
}

/// What a task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Spec {
    /// `load create 0..4 ttl 2`: one key after the other.
    Load(Load, Keys, u8),
    /// `batch 0..4`: stores new documents in three of them at once, until all have one.
    Batch(Keys),
    /// `work 12 of 3 2 2 1 seed 7`: so many operations on keys that the store holds: create, read, update, delete by these
    /// weights.
    Work(u8, [u8; 4], u8),
    /// `verify`: compares every key that the store knows with what a node says.
    Verify,
    /// `replicas`: compares flags, version and value of every key with those of its replica.
    Replicas,
    /// `rebalance v0 n1`: moves a vbucket, and waits for the end of it.
    Rebalance(Vb, Server),
}

/// An operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// `create 1 verify`: there is such a task.
    Create(TaskId, Spec),
    /// `run 1 verify`: the same, and it is started.
    Run(TaskId, Spec),
    /// `start 1`: it waits for a worker.
    Start(TaskId),
    /// `pause 1`: it stops after the key that it is at.
    Pause(TaskId),
    /// `resume 1`: and goes on.
    Resume(TaskId),
    /// `abort 1`: it ends after the key that it is at.
    Abort(TaskId),
    /// `complete 1`: waits until it has ended.
    Complete(TaskId),
    /// `complete-all`: waits until all that were started have ended.
    CompleteAll,
    /// `verify 1`: compares the keys that it has touched.
    Verify(TaskId),
    /// `verify-all`: compares all keys.
    VerifyAll,
    /// `wait 12`: lets so many tenths of a second pass.
    Wait(u8),
    /// `get a`, `set a 7`: an operation of the protocol.
    Ask(Call),
    /// `multi-set 7 a b c`: stores `7.a` in a, and so on.
    MultiSet(u32, Vec<Key>),
    /// `move v0 n1`: a vbucket goes to another node.
    Move(Vb, Server),
    /// `failover v0`: the replica takes over.
    Failover(Vb),
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Spec::Load(load, keys, 0) => write!(f, "load {} {keys}", word_of(*load)),
            Spec::Load(load, keys, ttl) => write!(f, "load {} {keys} ttl {ttl}", word_of(*load)),
            Spec::Batch(keys) => write!(f, "batch {keys}"),
            Spec::Work(ops, [create, read, update, delete], seed) => {
                write!(f, "work {ops} of {create} {read} {update} {delete} seed {seed}")
            }
            Spec::Verify => write!(f, "verify"),
            Spec::Replicas => write!(f, "replicas"),
            Spec::Rebalance(vb, server) => write!(f, "rebalance {vb} {server}"),
        }
    }
}

fn word_of(load: Load) -> &'static str {
    Load::ALL[load as usize].1
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Op::Create(task, spec) => write!(f, "create {} {spec}", task.0),
            Op::Run(task, spec) => write!(f, "run {} {spec}", task.0),
            Op::Start(task) => write!(f, "start {}", task.0),
            Op::Pause(task) => write!(f, "pause {}", task.0),
            Op::Resume(task) => write!(f, "resume {}", task.0),
            Op::Abort(task) => write!(f, "abort {}", task.0),
            Op::Complete(task) => write!(f, "complete {}", task.0),
            Op::CompleteAll => write!(f, "complete-all"),
            Op::Verify(task) => write!(f, "verify {}", task.0),
            Op::VerifyAll => write!(f, "verify-all"),
            Op::Wait(tenths) => write!(f, "wait {tenths}"),
            Op::Ask(call) => call.fmt(f),
            Op::MultiSet(number, keys) => {
                write!(f, "multi-set {number}")?;
                keys.iter().try_for_each(|key| write!(f, " {key}"))
            }
            Op::Move(vb, server) => write!(f, "move {vb} {server}"),
            Op::Failover(vb) => write!(f, "failover {vb}"),
        }
    }
}

/// What a manager, a caller and a keeper are asked; `start` and `complete` are online updates, too.
const FORMS: &[&str] = &[
    "create 1 verify",
    "run 1 verify",
    "pause 1",
    "resume 1",
    "abort 1",
    "complete-all",
    "verify 1",
    "verify-all",
    "wait 10",
    "multi-set 1 a b",
    "move v0 n1",
    "failover v0",
];

impl FromStr for Op {
    type Err = String;

    fn from_str(text: &str) -> Result<Op, String> {
        let words: Vec<&str> = text.split(' ').collect();
        let op = match words[..] {
            ["create", task, ref spec @ ..] => Op::Create(TaskId(number(task)?), parse_spec(spec)?),
            ["run", task, ref spec @ ..] => Op::Run(TaskId(number(task)?), parse_spec(spec)?),
            ["start", task] if !task.starts_with('v') => Op::Start(TaskId(number(task)?)),
            ["pause", task] => Op::Pause(TaskId(number(task)?)),
            ["resume", task] => Op::Resume(TaskId(number(task)?)),
            ["abort", task] => Op::Abort(TaskId(number(task)?)),
            ["complete", task] if !task.starts_with('v') => Op::Complete(TaskId(number(task)?)),
            ["complete-all"] => Op::CompleteAll,
            ["verify", task] => Op::Verify(TaskId(number(task)?)),
            ["verify-all"] => Op::VerifyAll,
            ["wait", tenths] => Op::Wait(number(tenths)?),
            ["multi-set", first, ref keys @ ..] if !keys.is_empty() => {
                let keys = keys.iter().map(|key| key.parse()).collect::<Result<Vec<Key>, _>>()?;
                Op::MultiSet(number(first)?, keys)
            }
            ["move", vb, server] => Op::Move(vb.parse()?, parse_server(server)?),
            ["failover", vb] => Op::Failover(vb.parse()?),
            _ => {
                has_form(text, FORMS)?;
                Op::Ask(text.parse()?)
            }
        };
        // Print and parse are inverse: what would be printed in other words is refused.
        let printed = op.to_string();
        if printed == text { Ok(op) } else { Err(format!("expected `{printed}`, found `{text}`")) }
    }
}

fn parse_spec(words: &[&str]) -> Result<Spec, String> {
    Ok(match *words {
        ["load", load, keys] => Spec::Load(parse_load(load)?, parse_keys(keys)?, 0),
        ["load", load, keys, "ttl", ttl] => {
            Spec::Load(parse_load(load)?, parse_keys(keys)?, number(ttl)?)
        }
        ["batch", keys] => Spec::Batch(parse_keys(keys)?),
        ["work", ops, "of", create, read, update, delete, "seed", seed] => {
            let weights = [number(create)?, number(read)?, number(update)?, number(delete)?];
            Spec::Work(number(ops)?, weights, number(seed)?)
        }
        ["verify"] => Spec::Verify,
        ["replicas"] => Spec::Replicas,
        ["rebalance", vb, server] => Spec::Rebalance(vb.parse()?, parse_server(server)?),
        _ => {
            let found = words.join(" ");
            return Err(format!("expected what a task does, such as `verify`, found `{found}`"));
        }
    })
}

fn parse_load(text: &str) -> Result<Load, String> {
    let found = Load::ALL.iter().find(|(_, word)| *word == text).map(|(load, _)| *load);
    found.ok_or_else(|| format!("expected create, blob, read, update or delete, found `{text}`"))
}

fn parse_keys(text: &str) -> Result<Keys, String> {
    let (start, end) =
        text.split_once("..").ok_or_else(|| format!("expected `0..4`, found `{text}`"))?;
    let keys = Keys { start: number(start)?, end: number(end)? };
    let fits = keys.start < keys.end && usize::from(keys.end) <= Key::NAMES.len();
    let all = Key::NAMES.len();
    if fits { Ok(keys) } else { Err(format!("expected keys out of 0..{all}, found `{text}`")) }
}

fn parse_server(text: &str) -> Result<Server, String> {
    let digits = text.strip_prefix('n').ok_or_else(|| format!("expected `n1`, found `{text}`"))?;
    number(digits).map(Server)
}

/// Only the digits that it would be printed with.
fn number<N: FromStr + fmt::Display>(text: &str) -> Result<N, String> {
    let value = text.parse::<N>().ok().filter(|value| value.to_string() == text);
    value.ok_or_else(|| format!("expected a small number, found `{text}`"))
}

/// The value that a multi-set stores in a key.
#[must_use]
pub fn part(number: u32, key: Key) -> Value {
    Value::new(&format!("{number}.{}", key.0))
}

impl From<Call> for Op {
    fn from(call: Call) -> Op {
        Op::Ask(call)
    }
}

impl TryFrom<Op> for Call {
    type Error = Op;

    fn try_from(op: Op) -> Result<Call, Op> {
        match op {
            Op::Ask(call) => Ok(call),
            other => Err(other),
        }
    }
}

/// Simpler operations that may do, the simplest first.
#[must_use]
pub fn simpler(op: &Op) -> Vec<Op> {
    let fewer =
        |keys: Keys| (keys.end - keys.start > 1).then(|| Keys { end: keys.end - 1, ..keys });
    let simpler_spec = |spec: Spec| -> Option<Spec> {
        match spec {
            Spec::Load(load, keys, ttl) => fewer(keys).map(|keys| Spec::Load(load, keys, ttl)),
            Spec::Batch(keys) => fewer(keys).map(Spec::Batch),
            Spec::Work(ops, weights, seed) if ops > 1 => Some(Spec::Work(ops / 2, weights, seed)),
            Spec::Work(..) | Spec::Verify | Spec::Replicas | Spec::Rebalance(..) => None,
        }
    };
    match op {
        Op::Create(task, spec) => {
            simpler_spec(*spec).map(|spec| Op::Create(*task, spec)).into_iter().collect()
        }
        Op::Run(task, spec) => {
            simpler_spec(*spec).map(|spec| Op::Run(*task, spec)).into_iter().collect()
        }
        Op::MultiSet(number, keys) if keys.len() > 1 => {
            vec![Op::MultiSet(*number, keys[..keys.len() - 1].to_vec())]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Op, simpler};

    #[test]
    fn operations_print_and_parse_to_themselves() {
        for text in [
            "create 1 load create 0..4 ttl 2",
            "run 2 load delete 1..2",
            "run 3 batch 0..3",
            "run 4 work 12 of 3 2 2 1 seed 7",
            "create 5 verify",
            "create 5 replicas",
            "run 6 rebalance v0 n1",
            "start 1",
            "pause 1",
            "resume 1",
            "abort 1",
            "complete 1",
            "complete-all",
            "verify 1",
            "verify-all",
            "wait 12",
            "set a 7 ttl 2",
            "multi-set 7 a b",
            "move v0 n1",
            "failover v1",
        ] {
            let op: Op = text.parse().unwrap_or_else(|why| panic!("{text}: {why}"));
            assert_eq!(op.to_string(), text);
        }
        for text in
            ["run 1", "run 1 load create 4..4", "run 01 verify", "move v0 1", "run 1 batch 0..13"]
        {
            assert!(text.parse::<Op>().is_err(), "{text}");
        }
        assert!("run 1 batch 0..12".parse::<Op>().is_ok());
    }

    #[test]
    fn following_what_is_simpler_leads_to_an_end() {
        let mut op: Op = "run 4 work 12 of 3 2 2 1 seed 7".parse().expect("an operation");
        let mut steps = 0;
        while let Some(next) = simpler(&op).into_iter().next() {
            assert_ne!(next, op);
            op = next;
            steps += 1;
        }
        assert_eq!((op.to_string().as_str(), steps), ("run 4 work 1 of 3 2 2 1 seed 7", 3));
    }
}
