//! The trace: one line a step, in fixed columns, and a line for each effect below it.
//!
//! ```text
//!  step  time          nodes  what                                              causes
//!    12  1.000234000   .*..   n1 message from c0: put a 1                       <- 9
//!                             + send n2 copy#3 a 1
//! ```
//!
//! It is text for people. The digest never sees it, so its wording may change.

use crate::actor::{Actor, ConnEvent, DiskDone, DiskEvent, DiskOp, Event, Names};
use crate::id::{NodeId, StepId};
use crate::time::Time;
use std::fmt::{self, Write};

/// The columns of a step beside what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepLine {
    /// Its number.
    pub step: StepId,
    /// When it was due.
    pub at: Time,
    /// The node that it happened on, if on one.
    pub node: Option<NodeId>,
    /// The steps that caused it; 0 for none.
    pub causes: [StepId; 2],
}

/// Collects the lines of a run.
#[derive(Clone, Debug)]
pub struct Tracer {
    names: Names,
    lines: Vec<String>,
    /// Effects of the step that is about to begin.
    early: Vec<String>,
    /// Only this many of the last lines are kept, if set.
    keep: Option<usize>,
}

impl Tracer {
    /// Starts a trace. With `keep`, memory is bounded: at least the last `keep` lines are there.
    #[must_use]
    pub fn new(names: Names, keep: Option<usize>) -> Tracer {
        Tracer { names, lines: Vec::new(), early: Vec::new(), keep }
    }

    /// What things are called.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The lines so far.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        let from = self.keep.map_or(0, |keep| self.lines.len().saturating_sub(keep));
        &self.lines[from..]
    }

    /// Begins a step.
    pub fn step(&mut self, line: StepLine, what: fmt::Arguments<'_>) {
        let StepLine { step, at, node, causes } = line;
        if let Some(keep) = self.keep
            && self.lines.len() > 2 * keep + 64
        {
            self.lines.drain(..self.lines.len() - keep);
        }
        let mut line = format!("{:>6}  {at}  ", step.0);
        for i in 0..self.names.nodes.len() {
            line.push(if node.is_some_and(|n| usize::from(n.0) == i) { '*' } else { '.' });
        }
        let _ = write!(line, "  {what}");
        let mut arrow = "  <- ";
        for cause in causes.iter().filter(|c| c.0 != 0) {
            let _ = write!(line, "{arrow}{}", cause.0);
            arrow = " ";
        }
        self.lines.push(line);
        self.lines.append(&mut self.early);
    }

    /// Adds an effect to the step.
    pub fn effect(&mut self, what: fmt::Arguments<'_>) {
        let line = self.indented(what);
        self.lines.push(line);
    }

    /// Adds an effect to the step that is about to begin: what a device does comes before the event that tells of it.
    pub fn effect_of_next(&mut self, what: fmt::Arguments<'_>) {
        let line = self.indented(what);
        self.early.push(line);
    }

    fn indented(&self, what: fmt::Arguments<'_>) -> String {
        let indent = 6 + 2 + 12 + 2 + self.names.nodes.len() + 2;
        format!("{:indent$}+ {what}", "")
    }
}

/// An event in words, without the name of the actor that it happens to.
pub fn say_event<A: Actor>(event: &Event<A>, names: &Names) -> String {
    match event {
        Event::Boot => "boot".into(),
        Event::Invoke { op, what } => format!("invoke #{}: {what}", op.number),
        Event::Message { from, msg } => format!("message from {}: {msg}", names.actor(*from)),
        Event::Timer(timer) => format!("timer {timer}"),
        Event::Conn(event) => say_conn(event, names),
        Event::Disk(event) => say_disk(event),
        Event::Locked(lock) => format!("locked {lock}"),
        Event::Phase(phase) => format!("phase {phase}"),
        Event::Stop => "stop".into(),
    }
}

fn say_conn(event: &ConnEvent, names: &Names) -> String {
    match event {
        ConnEvent::Opened { conn } => format!("conn {} opened", conn.0),
        ConnEvent::Refused { conn } => format!("conn {} refused", conn.0),
        ConnEvent::Accepted { conn, from } => {
            format!("conn {} accepted from {}", conn.0, names.actor(*from))
        }
        ConnEvent::Readable { conn } => format!("conn {} readable", conn.0),
        ConnEvent::Writable { conn } => format!("conn {} writable", conn.0),
        ConnEvent::Closed { conn, reason } => format!("conn {} closed ({reason:?})", conn.0),
    }
}

fn say_disk(event: &DiskEvent) -> String {
    let number = event.request.0;
    match &event.result {
        Ok(DiskDone::Opened { file, len }) => {
            format!("disk {number}: opened file {} of {len} bytes", file.0)
        }
        Ok(DiskDone::Read(bytes)) => format!("disk {number}: read {} bytes", bytes.len()),
        Ok(DiskDone::Written { offset, len }) => {
            format!("disk {number}: wrote {len} bytes at {offset}")
        }
        Ok(DiskDone::Listed(names)) => format!("disk {number}: listed {} names", names.len()),
        Ok(DiskDone::Done) => format!("disk {number}: done"),
        Err(error) => format!("disk {number}: {error}"),
    }
}

/// A disk request in words, without its data.
#[must_use]
pub fn say_request(op: &DiskOp<'_>) -> String {
    let kind = op.kind();
    match op {
        DiskOp::Open(name) | DiskOp::Create(name) | DiskOp::Remove(name) => {
            format!("{kind} {name}")
        }
        DiskOp::Read { file, offset, len } => {
            format!("{kind} file {} {len} bytes at {offset}", file.0)
        }
        DiskOp::Write { file, offset, data } => {
            format!("{kind} file {} {} bytes at {offset}", file.0, data.len())
        }
        DiskOp::Append { file, data } => format!("{kind} file {} {} bytes", file.0, data.len()),
        DiskOp::Truncate { file, len } => format!("{kind} file {} to {len} bytes", file.0),
        DiskOp::Sync(file) => format!("{kind} file {}", file.0),
        DiskOp::Rename { from, to } => format!("{kind} {from} to {to}"),
        DiskOp::List | DiskOp::SyncDir => format!("{kind}"),
    }
}
