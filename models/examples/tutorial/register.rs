//! The second step of the tutorial: one register, replicated over a majority, in memory only.
//!
//! ```text
//!  client c0                                    replicas n0, n1, n2
//!
//!  write 7   ─query─▶ all; a majority answers ─▶ the version that each holds
//!            a tag above the highest
//!            ─store─▶ all; a majority answers ─▶ kept, unless something newer is there
//!
//!  read      ─query─▶ all; a majority answers
//!            ─store─▶ the highest, unless all agreed (the write-back)
//! ```

use crate::checks;
use seedbed_sim::actor::{Actor, Bug, Context, Event, Label, Mark, Never, Outcome};
use seedbed_sim::id::{ActorId, OpId};
use seedbed_sim::time::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

// ANCHOR: call
/// What a client can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    Read,
    Write(u64),
}

/// What it answers: a read the value, if there is one; a write nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Ret {
    Value(Option<u64>),
    Written,
}
// ANCHOR_END: call

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Call::Read => write!(f, "read"),
            Call::Write(value) => write!(f, "write {value}"),
        }
    }
}

impl FromStr for Call {
    type Err = String;
    fn from_str(text: &str) -> Result<Call, String> {
        if text == "read" {
            return Ok(Call::Read);
        }
        let value = text.strip_prefix("write ").and_then(|value| value.parse().ok());
        let call = value.map(Call::Write);
        call.ok_or_else(|| format!("expected `read` or `write VALUE`, found `{text}`"))
    }
}

impl fmt::Display for Ret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ret::Value(Some(value)) => write!(f, "{value}"),
            Ret::Value(None) => write!(f, "nothing"),
            Ret::Written => write!(f, "written"),
        }
    }
}

// ANCHOR: version
/// Orders writes: by counter, then by client. No two writes share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Tag {
    counter: u32,
    client: ActorId,
}

/// A value and the tag of the write that it came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Version {
    pub(crate) tag: Tag,
    value: u64,
}
// ANCHOR_END: version

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}.{}", self.value, self.tag.counter, self.tag.client.0)
    }
}

/// Nothing, or a version.
struct Held(Option<Version>);

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(version) => write!(f, "{version}"),
            None => write!(f, "nothing"),
        }
    }
}

// ANCHOR: message
/// Every message names its operation, and the round of questions that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Msg {
    op: u32,
    round: u32,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum What {
    /// What do you hold?
    Query,
    /// This.
    Held(Option<Version>),
    /// Keep this, unless you hold something newer.
    Store(Version),
    /// It is kept.
    Stored,
}
// ANCHOR_END: message

impl fmt::Display for Msg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", Msg::KINDS[usize::from(self.kind())], self.op)?;
        match self.what {
            What::Query | What::Stored => {}
            What::Held(version) => write!(f, " {}", Held(version))?,
            What::Store(version) => write!(f, " {version}")?,
        }
        write!(f, ", round {}", self.round)
    }
}

// ANCHOR: label
impl Label for Msg {
    const KINDS: &'static [&'static str] = &["query", "held", "store", "stored"];
    fn kind(&self) -> u16 {
        match self.what {
            What::Query => 0,
            What::Held(_) => 1,
            What::Store(_) => 2,
            What::Stored => 3,
        }
    }
    fn subject(&self) -> u64 {
        u64::from(self.op)
    }
}
// ANCHOR_END: label

/// The one timer: ask those again who have not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Retry;

impl fmt::Display for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "retry")
    }
}

impl Label for Retry {
    const KINDS: &'static [&'static str] = &["retry"];
    fn kind(&self) -> u16 {
        0
    }
}

// ANCHOR: actor
#[derive(Clone, Debug)]
pub(crate) enum Register {
    Replica(Replica),
    Client(Client),
}

impl Actor for Register {
    type Msg = Msg;
    type Timer = Retry;
    type Phase = Never;
    type Lock = Never;
    type Op = Call;
    type Ret = Ret;
    type Note = Kept;
    type Shared = ();
    type Ghost = BTreeMap<ActorId, Tag>;

    fn on_event(&mut self, event: Event<Register>, cx: &mut Context<'_, Register>) {
        match self {
            Register::Replica(replica) => replica.on_event(event, cx),
            Register::Client(client) => client.on_event(event, cx),
        }
    }
}
// ANCHOR_END: actor

// ANCHOR: replica
/// Keeps the newest version that it was asked to store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Replica {
    held: Option<Version>,
}

/// The fact that a replica states for the checks: from now on it holds this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Kept(pub(crate) Version);

impl Replica {
    fn on_event(&mut self, event: Event<Register>, cx: &mut Context<'_, Register>) {
        let Event::Message { from, msg } = event else { return };
        let what = match msg.what {
            What::Query => What::Held(self.held),
            What::Store(version) => {
                if self.held.is_none_or(|held| held.tag < version.tag || cx.bug(&LAST_STAYS)) {
                    self.held = Some(version);
                    cx.note(Kept(version));
                }
                What::Stored
            }
            What::Held(_) | What::Stored => return,
        };
        cx.send(from, Msg { what, ..msg });
    }
}
// ANCHOR_END: replica

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kept {}", self.0)
    }
}

// ANCHOR: client
/// Does one operation after the other: asks all replicas, and goes on when a majority has answered.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    replicas: Vec<ActorId>,
    /// The highest counter that it has given. Without it, two of its writes could get the same tag.
    counter: u32,
    round: u32,
    errand: Option<Errand>,
}

/// The operation under way.
#[derive(Clone, Debug)]
struct Errand {
    op: OpId,
    call: Call,
    /// What is being asked, and who has answered.
    question: What,
    heard: BTreeSet<ActorId>,
    highest: Option<Version>,
    agreed: bool,
}
// ANCHOR_END: client

// ANCHOR: rounds
impl Client {
    pub(crate) fn new(replicas: Vec<ActorId>) -> Client {
        Client { replicas, counter: 0, round: 0, errand: None }
    }

    fn on_event(&mut self, event: Event<Register>, cx: &mut Context<'_, Register>) {
        match event {
            Event::Invoke { op, what } => self.begin(op, what, What::Query, cx),
            Event::Message { from, msg } if msg.round == self.round => {
                self.hear(from, msg.what, cx);
            }
            Event::Timer(Retry) => self.ask(cx),
            _ => {}
        }
    }

    /// Begins a round of questions. Answers to earlier rounds count for nothing.
    fn begin(&mut self, op: OpId, call: Call, question: What, cx: &mut Context<'_, Register>) {
        self.round += 1;
        let (heard, highest) = (BTreeSet::new(), None);
        self.errand = Some(Errand { op, call, question, heard, highest, agreed: true });
        self.ask(cx);
    }

    /// Asks those who have not answered, now and whenever the timer fires. To share the load, each operation begins with
    /// another replica.
    fn ask(&self, cx: &mut Context<'_, Register>) {
        let Some(Errand { op, question, heard, .. }) = &self.errand else { return };
        let msg = Msg { op: op.number, round: self.round, what: *question };
        let (before, first) = self.replicas.split_at(op.number as usize % self.replicas.len());
        for replica in first.iter().chain(before).filter(|replica| !heard.contains(replica)) {
            cx.send(*replica, msg);
        }
        cx.arm(Retry, Span::ms(20));
    }

    /// Counts an answer. A majority of answers ends the round.
    fn hear(&mut self, from: ActorId, answer: What, cx: &mut Context<'_, Register>) {
        let majority = self.replicas.len() / 2 + 1;
        let Some(errand) = &mut self.errand else { return };
        let first = errand.heard.is_empty();
        if !errand.heard.insert(from) {
            return;
        }
        if let What::Held(version) = answer {
            errand.agreed &= first || version == errand.highest;
            errand.highest = errand.highest.max(version);
        }
        if errand.heard.len() == majority
            && let Some(errand) = self.errand.take()
        {
            self.conclude(&errand, cx);
        }
    }
}
// ANCHOR_END: rounds

// ANCHOR: conclude
impl Client {
    fn conclude(&mut self, errand: &Errand, cx: &mut Context<'_, Register>) {
        let Errand { op, call, question, highest, agreed, .. } = *errand;
        match (call, question) {
            (Call::Write(value), What::Query) => {
                let known = highest.map_or(0, |version| version.tag.counter);
                self.counter = self.counter.max(known) + 1;
                let tag = Tag { counter: self.counter, client: cx.me() };
                self.begin(op, call, What::Store(Version { tag, value }), cx);
            }
            (Call::Read, What::Query) => {
                if !agreed {
                    cx.mark(&DISAGREED);
                }
                match highest {
                    Some(version) if !agreed && !cx.bug(&NO_WRITE_BACK) => {
                        self.begin(op, call, What::Store(version), cx);
                    }
                    _ => self.complete(op, Ret::Value(highest.map(|version| version.value)), cx),
                }
            }
            (Call::Write(_), _) => self.complete(op, Ret::Written, cx),
            (Call::Read, What::Store(version)) => {
                self.complete(op, Ret::Value(Some(version.value)), cx);
            }
            (Call::Read, What::Held(_) | What::Stored) => {}
        }
    }

    fn complete(&self, op: OpId, ret: Ret, cx: &mut Context<'_, Register>) {
        cx.disarm(Retry);
        cx.complete(op, Outcome::Ok(ret));
    }
}
// ANCHOR_END: conclude

// ANCHOR: bugs
/// A read returns what the highest of a majority said, and does not see to it that a majority has it.
pub(crate) const NO_WRITE_BACK: Bug = Bug {
    index: 0,
    name: "no-write-back",
    source: "Attiya, Bar-Noy and Dolev, Sharing Memory Robustly in Message-Passing Systems, 1995: why a reader writes",
    breaks: checks::LINEARIZABLE,
    scenario: "tutorial/register",
};

/// A replica keeps what came last, whatever its tag.
pub(crate) const LAST_STAYS: Bug = Bug {
    index: 1,
    name: "last-stays",
    source: "the same: a processor ignores what is older than what it has",
    breaks: checks::ONLY_NEWER,
    scenario: "tutorial/register",
};

/// What a campaign must have seen, or it is too weak to say anything about the write-back.
pub(crate) const DISAGREED: Mark = Mark { index: 0, name: "a read met replicas that disagreed" };
// ANCHOR_END: bugs
