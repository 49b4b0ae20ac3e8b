//! What the actors tell each other, what they wait for, and the facts that they state for checks.

use std::fmt;
use std::sync::Arc;

use seedbed_sim::actor::Label;
use seedbed_sim::id::OpId;

use super::call::Ret;
use super::op::Request;
use super::pages::OpenError;
use super::replica::message::GroupMsg;
use super::replica::note::GroupNote;
use super::response::Outcome;
use super::shared::Opening;
use super::watching::note::WatchNote;
use super::workflow::note::UseNote;
use super::workflow::usage::{Use, Used};

/// Names one attempt of a client at an operation. Attempts of a client grow, so that the front end can tell a repeated
/// or late message from a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId {
    /// The operation.
    pub op: OpId,
    /// Which attempt, from 1.
    pub attempt: u32,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Msg {
    /// Client to front end: do this.
    Ask(AskId, Arc<Request>),
    /// Front end to client: it is done, or refused.
    Answer(AskId, Arc<Outcome>),
    /// Front end to client: it was not done, and will not be; the store is closed at the moment.
    Closed(AskId),
    /// Front end to committer: open the file.
    Open,
    /// Committer to front end: the backend can be used.
    Opened(Opening),
    /// To the committer, from whoever holds the lock of the backend: make everything pending durable.
    Commit,
    /// Committer to whoever asked: it is.
    Committed,
    /// Front end to batch timer: commit from time to time.
    Start(Opening),
    /// Front end to batch timer: commit for the last time and close the backend.
    Finish,
    /// Batch timer to front end: the backend is closed.
    Finished,
    /// Front end to compactor: a compaction was scheduled.
    Compact(Job),
    /// Front end to compactor: leave off compacting.
    LeaveOff,
    /// Compactor to front end: no compaction runs any more.
    LeftOff,
    /// To a sender: look whether there is something to do.
    Wake,
    /// Client to caller: use this entry point of the library.
    Use(AskId, Arc<Use>),
    /// Caller to client: it is done, or refused.
    Used(AskId, Arc<Used>),
    /// Caller to committer: another file has the name of yours.
    Reopen,
    /// Committer to caller: it is open.
    Reopened,
    /// Caller to keeper: a snapshot was closed.
    LetGo,
    /// Within a group of nodes.
    Group(GroupMsg),
}

/// A compaction for the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Job {
    /// What is older is forgotten.
    pub revision: i64,
    /// The opening of the store that it belongs to.
    pub opening: Opening,
    /// Whether it was found unfinished when the store was opened.
    pub resumed: bool,
}

/// How many kinds of messages there are on one node.
const OWN: usize = 19;

/// The kinds of messages on one node, and behind them those within a group.
const fn with_group(own: [&'static str; OWN]) -> [&'static str; OWN + GroupMsg::KINDS.len()] {
    let mut all = [""; OWN + GroupMsg::KINDS.len()];
    let mut n = 0;
    while n < all.len() {
        all[n] = if n < own.len() { own[n] } else { GroupMsg::KINDS[n - own.len()] };
        n += 1;
    }
    all
}

impl Label for Msg {
    const KINDS: &'static [&'static str] = &with_group([
        "ask",
        "answer",
        "closed",
        "open",
        "opened",
        "commit",
        "committed",
        "start",
        "finish",
        "finished",
        "compact",
        "leave-off",
        "left-off",
        "wake",
        "use",
        "used",
        "reopen",
        "reopened",
        "let-go",
    ]);

    fn kind(&self) -> u16 {
        match self {
            Msg::Ask(..) => 0,
            Msg::Answer(..) => 1,
            Msg::Closed(_) => 2,
            Msg::Open => 3,
            Msg::Opened(_) => 4,
            Msg::Commit => 5,
            Msg::Committed => 6,
            Msg::Start(_) => 7,
            Msg::Finish => 8,
            Msg::Finished => 9,
            Msg::Compact(_) => 10,
            Msg::LeaveOff => 11,
            Msg::LeftOff => 12,
            Msg::Wake => 13,
            Msg::Use(..) => 14,
            Msg::Used(..) => 15,
            Msg::Reopen => 16,
            Msg::Reopened => 17,
            Msg::LetGo => 18,
            Msg::Group(msg) => 19 + msg.kind(),
        }
    }

    /// The number of the operation; a workload numbers its operations across all clients.
    fn subject(&self) -> u64 {
        match self {
            Msg::Ask(id, _)
            | Msg::Answer(id, _)
            | Msg::Closed(id)
            | Msg::Use(id, _)
            | Msg::Used(id, _) => u64::from(id.op.number),
            Msg::Group(msg) => msg.subject(),
            _ => 0,
        }
    }
}

impl fmt::Display for Msg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Msg::Group(msg) = self {
            return msg.fmt(f);
        }
        f.write_str(Msg::KINDS[usize::from(self.kind())])?;
        match self {
            Msg::Ask(id, request) => write!(f, "{id}: {request}"),
            Msg::Answer(id, outcome) => write!(f, "{id}: {}", Ret::Store(outcome.clone())),
            Msg::Closed(id) => write!(f, "{id}"),
            Msg::Use(id, usage) => write!(f, "{id}: {usage}"),
            Msg::Used(id, used) => write!(f, "{id}: {}", Ret::Use(used.clone())),
            Msg::Opened(opening) | Msg::Start(opening) => write!(f, " {opening}"),
            Msg::Compact(Job { revision, resumed: true, .. }) => write!(f, " {revision} again"),
            Msg::Compact(Job { revision, .. }) => write!(f, " {revision}"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for AskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.op.number)?;
        if self.attempt > 1 { write!(f, " (attempt {})", self.attempt) } else { Ok(()) }
    }
}

/// A timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// Of the batch timer: what is pending is to be committed.
    Batch,
    /// Of the compactor: the pause between two batches is over.
    Pause,
    /// Of the committer: the disk has been without an answer for too long.
    Disk,
    /// Of a client: the request has been without an answer for too long.
    Answer,
    /// Of a client: the store may be open again.
    Retry,
    /// Of the loop that synchronises watchers: the next round.
    Sync,
    /// Of the loop for victims: the next round.
    Victims,
    /// Of a sender: a watcher that was in the hands of a round may be free again.
    Again,
    /// Of a client that watches: to connect again.
    Reconnect,
    /// Of a client that watches: to see whether the store still answers.
    Ping,
    /// Of a client that watches: to read again.
    Rest,
    /// Of a caller: its transaction was left alone.
    Alone,
    /// Of a keeper of leases: the next round.
    Leases,
    /// Of a comparer: the next round.
    Compare,
    /// Of an agreement and of who joins it: to say again what was not answered.
    Resend,
    /// Of a defragmenter: the disk has read the next part.
    Copy,
}

impl Label for Timer {
    const KINDS: &'static [&'static str] = &[
        "batch",
        "pause",
        "disk",
        "answer",
        "retry",
        "sync",
        "victims",
        "again",
        "reconnect",
        "ping",
        "rest",
        "alone",
        "leases",
        "compare",
        "resend",
        "copy",
    ];

    fn kind(&self) -> u16 {
        *self as u16
    }
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Timer::KINDS[usize::from(self.kind())])
    }
}

/// What an actor goes on with in a later step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Of the front end: the next action of the transaction.
    Action,
    /// Of the front end: the next records of the backend, into the index.
    Chunk,
    /// Of the loop for victims: to offer them what they have to be given, without the lock.
    Resend,
    /// Of a sender: the next response of its stream.
    Drain,
    /// Of a caller: to read without a lock.
    Read,
    /// Of a caller: to answer after the locks were given back.
    Tell,
}

impl Label for Phase {
    const KINDS: &'static [&'static str] = &["action", "chunk", "resend", "drain", "read", "tell"];

    fn kind(&self) -> u16 {
        *self as u16
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Phase::KINDS[usize::from(self.kind())])
    }
}

/// The locks of a node. Who needs several takes them in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lock {
    /// Of the store: revisions and index.
    Store,
    /// Of the backend: what is pending, and the commit.
    Backend,
    /// Of the layer that watches: groups and streams.
    Watch,
}

impl Label for Lock {
    const KINDS: &'static [&'static str] = &["store", "backend", "watch"];

    fn kind(&self) -> u16 {
        *self as u16
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Lock::KINDS[usize::from(self.kind())])
    }
}

/// A fact that an actor of the node states.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Note {
    /// This was done, or refused, in this place of the order of all requests; the locks are still held.
    Done(AskId, Arc<Request>, Arc<Outcome>),
    /// The client is being told.
    Told(AskId, Arc<Request>, Arc<Outcome>),
    /// A commit of everything pending has begun.
    CommitBegun,
    /// That commit is durable.
    Committed,
    /// The batch timer has come due.
    Round,
    /// A batch of a compaction was done.
    Batch,
    /// The last batch of the compaction at this revision was done.
    Compacted(i64),
    /// Somebody came to use a backend that is closed.
    ReachedClosed(&'static str),
    /// The backend was closed in order.
    BackendClosed,
    /// The store can be used.
    StoreOpened,
    /// The file does not open.
    Damaged(OpenError),
    /// Something about a watcher.
    Watch(WatchNote),
    /// Something about the use of the library.
    Use(UseNote),
    /// Something about a group of nodes.
    Group(GroupNote),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Done(id, _, outcome) => write!(f, "done {id}: {}", Ret::Store(outcome.clone())),
            Note::Told(id, ..) => write!(f, "told {id}"),
            Note::CommitBegun => f.write_str("commit begun"),
            Note::Committed => f.write_str("committed"),
            Note::Round => f.write_str("a round of the batch timer"),
            Note::Batch => f.write_str("a batch of the compaction"),
            Note::Compacted(revision) => write!(f, "compacted {revision}"),
            Note::ReachedClosed(who) => write!(f, "the {who} reached a closed backend"),
            Note::BackendClosed => f.write_str("backend closed"),
            Note::StoreOpened => f.write_str("store opened"),
            Note::Damaged(error) => write!(f, "the file does not open: {error}"),
            Note::Watch(note) => note.fmt(f),
            Note::Use(note) => note.fmt(f),
            Note::Group(note) => note.fmt(f),
        }
    }
}
