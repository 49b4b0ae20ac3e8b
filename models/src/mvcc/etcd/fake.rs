//! A server that says what a test has written down.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde_json::Value;

use super::super::reference::{Reference, StoreHash};
use super::super::response::OpError;
use super::super::rules::Rules;
use super::http::Reply;
use super::known::{Known, Tally};
use super::server::{Server, Stream, Trouble};
use super::trial::{End, Numbered, Trial};

type Lines = Rc<RefCell<VecDeque<Value>>>;

/// Answers in the order in which they are asked for, and the lines of all watches in the same way.
pub(super) struct Canned {
    replies: VecDeque<Reply>,
    lines: Lines,
    hash: Option<Result<StoreHash, OpError>>,
}

struct CannedStream(Lines);

impl Stream for CannedStream {
    /// A line whose turn has not come is held back by an empty one.
    fn next(&mut self, _wait: Duration) -> Result<Option<Value>, Trouble> {
        Ok(self.0.borrow_mut().pop_front().filter(|line| !line.is_null()))
    }
}

impl Server for Canned {
    fn post(&mut self, path: &str, _body: &Value) -> Result<Reply, Trouble> {
        self.replies
            .pop_front()
            .ok_or_else(|| Trouble(format!("no answer for {path} is written down")))
    }

    fn watch(&mut self, _body: &Value) -> Result<Box<dyn Stream>, Trouble> {
        Ok(Box::new(CannedStream(self.lines.clone())))
    }

    fn kill(&mut self, _during: Option<(&str, &Value)>) -> Result<(), Trouble> {
        Ok(())
    }

    fn hash(&mut self, _at: i64) -> Result<Option<Result<StoreHash, OpError>>, Trouble> {
        Ok(self.hash)
    }
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// What a server says in a test.
#[derive(Clone, Debug, Default)]
pub(super) struct Script {
    replies: Vec<String>,
    lines: Vec<String>,
    hash: Option<Result<StoreHash, OpError>>,
}

impl Script {
    /// The next answer: its body if all is well.
    pub(super) fn says(mut self, body: &str) -> Script {
        self.replies.push(body.into());
        self
    }

    /// The next answer is a refusal.
    pub(super) fn refuses(self, message: &str) -> Script {
        self.says(&format!("{{\"message\": \"etcdserver: {message}\"}}"))
    }

    /// What is read at the end, or after a kill: all keys, then all leases.
    pub(super) fn has(self, range: &str) -> Script {
        self.says(range).says("{}")
    }

    /// The next line of a watch; `null` holds the following ones back once.
    pub(super) fn tells(mut self, line: &str) -> Script {
        self.lines.push(line.into());
        self
    }

    /// The hash, whenever it is asked for.
    pub(super) fn hashes(mut self, hash: Result<StoreHash, OpError>) -> Script {
        self.hash = Some(hash);
        self
    }

    fn server(&self) -> Canned {
        let reply = |text: &String| {
            let body = parse(text);
            Reply { status: if body.get("message").is_some() { 400 } else { 200 }, body }
        };
        let lines = self.lines.iter().map(|line| parse(line)).collect();
        Canned {
            replies: self.replies.iter().map(reply).collect(),
            lines: Rc::new(RefCell::new(lines)),
            hash: self.hash,
        }
    }

    /// Runs a plan against it, as a 3.4.23.
    pub(super) fn run(&self, steps: &[&str]) -> (End, Tally) {
        let parse = |line: &&str| line.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
        let plan: Vec<Numbered> = (1..).zip(steps.iter().map(parse)).collect();
        let fresh: (Box<dyn Server>, _) =
            (Box::new(self.server()), Reference::of(Rules::V3_4).with_leases());
        let (known, mut tally) = (Known::of("3.4.23"), Tally::default());
        let end = Trial::new(fresh, &known, &mut tally).run(&plan, &AtomicBool::new(false));
        (end, tally)
    }

    /// The class of the difference, or `agreed`.
    pub(super) fn class(&self, steps: &[&str]) -> &'static str {
        match self.run(steps).0 {
            End::Agreed => "agreed",
            End::Differs(_, difference) => difference.class,
            other => panic!("{other:?}"),
        }
    }
}
