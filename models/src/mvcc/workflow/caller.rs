//! A caller: a thread of the process that uses the library as its client says.
//!
//! ```text
//! put, del, compact, hash:  lock store ─▶ lock backend ─▶ do it ─▶ commit, if due ─▶ unlock ─▶ answer
//! begin:                    lock store ─▶ lock backend ─▶ answer            put in, get in, ..  ─▶ answer
//! end:                                     do it ─▶ commit, if due ─▶ unlock ─▶ answer
//! get, history:             as put; with a read buffer without a lock
//! commit, snapshot, defrag: lock backend ─▶ commit ─▶ ...
//! ```

use std::collections::VecDeque;
use std::sync::Arc;

use seedbed_sim::actor::{Context, Event};
use seedbed_sim::id::{ActorId, FileName};
use seedbed_sim::time::Span;

use super::defrag::Defragmenting;
use super::note::UseNote;
use super::snapshot::Writing;
use super::usage::{Refusal, Reply, TxnName, Usage, Use, Used};
use super::work::mark_refusal;
use crate::mvcc::door::hand_over;
use crate::mvcc::lock::TxnId;
use crate::mvcc::message::{AskId, Job, Lock, Msg, Note, Phase, Timer};
use crate::mvcc::model::Mvcc;
use crate::mvcc::op::{Action, Op, Request};
use crate::mvcc::response::{Outcome, Response};
use crate::mvcc::{bugs, mark, point};

/// How a thread goes about it.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Whoever gives back the lock of the backend commits if so many changes are pending.
    pub batch_limit: usize,
    /// Whether readers need no lock.
    pub read_buffer: bool,
    /// Pairs that defragmenting copies at a time.
    pub defrag_batch: usize,
    /// Bytes of a snapshot that are written at a time.
    pub chunk: usize,
    /// How long a transaction may be left alone.
    pub patience: Span,
    /// Where its snapshots go.
    pub file: FileName,
}

/// The other actors of the node.
#[derive(Clone, Copy, Debug)]
pub struct Mates {
    /// Commits.
    pub committer: ActorId,
    /// Compacts.
    pub compactor: ActorId,
    /// Closes.
    pub keeper: ActorId,
}

/// A thread.
#[derive(Clone, Debug)]
pub struct Caller {
    pub(super) manner: Manner,
    pub(super) mates: Mates,
    pub(super) state: State,
    holds: Holds,
    /// The transaction that it has open.
    pub(super) txn: Option<TxnId>,
    newest: Option<AskId>,
    queue: VecDeque<Errand>,
    leaving: bool,
}

/// Which locks it holds.
#[derive(Clone, Copy, Debug, Default)]
struct Holds {
    store: bool,
    backend: bool,
}

/// What a client wants.
#[derive(Clone, Debug)]
pub(super) struct Errand {
    client: ActorId,
    id: AskId,
    pub(super) what: What,
}

/// A request, or the use of another entry point.
#[derive(Clone, Debug)]
pub(super) enum What {
    Plain(Arc<Request>),
    Use(Arc<Use>),
}

/// What came of it.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Plain(Arc<Outcome>),
    Use(Arc<Used>),
}

/// What the thread is doing.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// Waits to be asked.
    Idle,
    /// Waits for a lock.
    Locking(Errand),
    /// Has given back the lock of the backend inside a transaction, which is a defect, and waits to have it again.
    Relocking(Errand, Used),
    /// Is about to read without a lock.
    Reading(Errand),
    /// Waits for a commit that is what its client wants, or comes before it.
    Flushing(Errand),
    /// Waits for a commit before it gives back the locks.
    Committing(Then),
    /// Has given back the locks, and is about to read the revision for its answer, which is a defect.
    Answering(Errand, Arc<Outcome>),
    /// Waits for the store to be closed.
    Closing(Errand),
    /// Writes a snapshot.
    Writing(Errand, Box<Writing>),
    /// Copies the backend.
    Defragmenting(Errand, Box<Defragmenting>),
}

/// What comes when the locks were given back.
#[derive(Clone, Debug)]
pub(super) enum Then {
    Answer(Errand, Answer),
    Begin(Errand),
    Rest,
}

impl Caller {
    /// Whether it waits to be asked.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// A thread with nothing to do.
    #[must_use]
    pub fn new(manner: Manner, mates: Mates) -> Caller {
        Caller {
            manner,
            mates,
            state: State::Idle,
            holds: Holds::default(),
            txn: None,
            newest: None,
            queue: VecDeque::new(),
            leaving: false,
        }
    }

    pub(in crate::mvcc) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        match event {
            Event::Message { from, msg: Msg::Ask(id, request) } => {
                self.asked(Errand { client: from, id, what: What::Plain(request) }, cx);
            }
            Event::Message { from, msg: Msg::Use(id, usage) } => {
                self.asked(Errand { client: from, id, what: What::Use(usage) }, cx);
            }
            Event::Locked(lock) => self.locked(lock, cx),
            Event::Phase(Phase::Read) => self.read(cx),
            Event::Phase(Phase::Tell) => self.tell_late(cx),
            Event::Message { msg: Msg::Committed, .. } => self.committed(cx),
            Event::Message { msg: Msg::Reopened, .. } => self.defragmented(cx),
            Event::Message { msg: Msg::Answer(id, outcome), .. } => {
                if let Some(errand) = self.closing(id) {
                    self.tell(errand, Answer::Plain(outcome), cx);
                }
            }
            Event::Message { msg: Msg::Closed(id), .. } => {
                if let Some(errand) = self.closing(id) {
                    self.turn_away(errand, cx);
                }
            }
            Event::Disk(answer) => self.disk(answer.result, cx),
            Event::Timer(Timer::Disk) => {
                cx.mark(&mark::DISK_ENDED_PROCESS);
                cx.fail_stop("the disk does not answer");
            }
            Event::Timer(Timer::Alone) => self.leave(Then::Rest, cx),
            // It goes on until the keeper has closed the store.
            Event::Stop => {
                cx.stopped();
                self.leaving = true;
                if matches!(self.state, State::Idle) && self.txn.is_some() {
                    self.leave(Then::Rest, cx);
                }
            }
            _ => {}
        }
    }

    /// The errand, if it is that of closing the store.
    fn closing(&mut self, id: AskId) -> Option<Errand> {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Closing(errand) if errand.id == id => Some(errand),
            other => {
                self.state = other;
                None
            }
        }
    }

    fn asked(&mut self, errand: Errand, cx: &mut Context<'_, Mvcc>) {
        if self.newest.is_some_and(|newest| errand.id <= newest) {
            return cx.mark(&mark::REPEATED_REQUEST);
        }
        self.newest = Some(errand.id);
        self.queue.push_back(errand);
        if matches!(self.state, State::Idle) {
            self.next(cx);
        }
    }

    /// Nothing was done, and the client is told so.
    pub(super) fn turn_away(&mut self, errand: Errand, cx: &mut Context<'_, Mvcc>) {
        cx.mark(&mark::REQUEST_WHILE_CLOSING);
        cx.send(errand.client, Msg::Closed(errand.id));
        self.next(cx);
    }

    /// Turns to what comes next.
    pub(super) fn next(&mut self, cx: &mut Context<'_, Mvcc>) {
        self.state = State::Idle;
        let Some(errand) = self.queue.pop_front() else {
            if self.txn.is_some() && self.leaving {
                self.leave(Then::Rest, cx);
            } else if self.txn.is_some() {
                cx.arm(Timer::Alone, self.manner.patience);
            }
            return;
        };
        self.begin(errand, cx);
    }

    fn begin(&mut self, errand: Errand, cx: &mut Context<'_, Mvcc>) {
        if self.txn.is_some() {
            cx.disarm(Timer::Alone);
        }
        if cx.shared().using().is_none() {
            return self.turn_away(errand, cx);
        }
        let own = |name: &TxnName| self.txn.is_some_and(|txn| *name == TxnName::Id(txn.0));
        match &errand.what {
            What::Use(usage) => match &**usage {
                Usage::Inside(_, name) | Usage::End(name) if own(name) => {
                    return self.take(errand, cx);
                }
                Usage::Inside(..) | Usage::End(_) => {
                    cx.mark(&mark::WRONG_TXN_ID);
                    return self.use_at_once(errand, Err(Refusal::Mismatch), cx);
                }
                _ => {}
            },
            What::Plain(_) => {}
        }
        if errand.what.only_reads() && self.manner.read_buffer {
            let defragmenting = cx.shared().threads.as_ref().is_some_and(|lib| lib.defragmenting);
            if !defragmenting {
                self.state = State::Reading(errand);
                return cx.yield_to(Phase::Read);
            }
        }
        // A thread that waited for its own lock would wait for ever.
        if self.txn.is_some() {
            return self.leave(Then::Begin(errand), cx);
        }
        if let What::Plain(request) = &errand.what
            && **request == Op::Close
        {
            cx.send(self.mates.keeper, Msg::Ask(errand.id, request.clone()));
            self.state = State::Closing(errand);
            return;
        }
        if cx.shared().in_txn {
            cx.mark(&mark::THREAD_WAITED_FOR_TXN);
        }
        self.take(errand, cx);
    }

    /// Takes the locks that are needed and not held, one after the other.
    fn take(&mut self, errand: Errand, cx: &mut Context<'_, Mvcc>) {
        if !self.holds.store && errand.what.needs_store() {
            self.state = State::Locking(errand);
            return cx.lock(Lock::Store);
        }
        if !self.holds.backend {
            self.state = State::Locking(errand);
            return cx.lock(Lock::Backend);
        }
        self.work(errand, cx);
    }

    fn locked(&mut self, lock: Lock, cx: &mut Context<'_, Mvcc>) {
        match lock {
            Lock::Store => self.holds.store = true,
            Lock::Backend | Lock::Watch => self.holds.backend = true,
        }
        let errand = match std::mem::replace(&mut self.state, State::Idle) {
            State::Locking(errand) => errand,
            State::Relocking(errand, used) => return self.use_at_once(errand, used, cx),
            state => unreachable!("no lock was asked for in {state:?}"),
        };
        // The store may have been closed meanwhile, and even opened again.
        if cx.shared().using().is_none() {
            self.unlock(cx);
            return self.turn_away(errand, cx);
        }
        self.take(errand, cx);
    }

    /// Gives back all locks.
    pub(super) fn unlock(&mut self, cx: &mut Context<'_, Mvcc>) {
        let held = std::mem::take(&mut self.holds);
        if held.backend {
            cx.unlock(Lock::Backend);
        }
        if held.store {
            cx.unlock(Lock::Store);
        }
    }

    /// Ends the transaction that nobody goes on with.
    fn leave(&mut self, then: Then, cx: &mut Context<'_, Mvcc>) {
        let revision = self.end_txn(cx);
        cx.mark(&mark::TXN_LEFT_ALONE);
        cx.note(Note::Use(UseNote::Left(revision)));
        let due = self.write_back(cx);
        self.give_back(then, due, cx);
    }

    pub(super) fn plain_at_once(
        &mut self,
        errand: Errand,
        request: &Arc<Request>,
        outcome: Arc<Outcome>,
        cx: &mut Context<'_, Mvcc>,
    ) {
        mark_refusal(&outcome, cx);
        cx.note(Note::Done(errand.id, request.clone(), outcome.clone()));
        self.tell(errand, Answer::Plain(outcome), cx);
    }

    /// It was done, or refused; the locks, if there are any, stay as they are.
    pub(super) fn use_at_once(&mut self, errand: Errand, used: Used, cx: &mut Context<'_, Mvcc>) {
        let used = Arc::new(used);
        if let What::Use(usage) = &errand.what {
            cx.note(Note::Use(UseNote::Done(errand.id, usage.clone(), used.clone())));
        }
        self.tell(errand, Answer::Use(used), cx);
    }

    /// What was put becomes visible to readers; whether a commit is due.
    fn write_back(&self, cx: &mut Context<'_, Mvcc>) -> bool {
        let limit = self.manner.batch_limit;
        let (_, backend, _) = cx.shared().using().expect("the locks are held");
        backend.unlock(limit, false)
    }

    /// It was done, or refused, and the locks are still held.
    pub(super) fn done(&mut self, errand: Errand, answer: Answer, cx: &mut Context<'_, Mvcc>) {
        let mut due = self.write_back(cx);
        match (&errand.what, &answer) {
            (What::Plain(request), Answer::Plain(outcome)) => {
                mark_refusal(outcome, cx);
                // Nobody is told of a compaction before it is durable (etcd 6d97dcaf3).
                let schedules = matches!(**outcome, Ok(Response::Compacted { .. }));
                due |= schedules && !cx.bug(&bugs::COMPACTION_NOT_DURABLE);
                cx.note(Note::Done(errand.id, request.clone(), outcome.clone()));
                if schedules {
                    cx.point(&point::COMPACT_SCHEDULED);
                }
            }
            (What::Use(usage), Answer::Use(used)) => {
                cx.note(Note::Use(UseNote::Done(errand.id, usage.clone(), used.clone())));
            }
            _ => unreachable!("an answer is of the kind of its question"),
        }
        cx.point(&point::REQUEST_DONE);
        self.give_back(Then::Answer(errand, answer), due, cx);
    }

    fn give_back(&mut self, then: Then, commit: bool, cx: &mut Context<'_, Mvcc>) {
        if commit {
            self.state = State::Committing(then);
            return cx.send(self.mates.committer, Msg::Commit);
        }
        self.go_on(then, cx);
    }

    fn go_on(&mut self, then: Then, cx: &mut Context<'_, Mvcc>) {
        if let Then::Answer(Errand { what: What::Plain(request), .. }, Answer::Plain(outcome)) =
            &then
            && let (Op::Compact(revision), Ok(_)) = (&**request, &**outcome)
        {
            let opening = cx.shared().opening();
            let job = Job { revision: *revision, opening, resumed: false };
            hand_over(self.mates.compactor, job, cx);
        }
        self.unlock(cx);
        match then {
            Then::Answer(errand, Answer::Plain(outcome)) if late(&outcome, cx) => {
                self.state = State::Answering(errand, outcome);
                cx.yield_to(Phase::Tell);
            }
            Then::Answer(errand, answer) => self.tell(errand, answer, cx),
            Then::Begin(errand) => self.begin(errand, cx),
            Then::Rest => self.next(cx),
        }
    }

    fn committed(&mut self, cx: &mut Context<'_, Mvcc>) {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Committing(then) => self.go_on(then, cx),
            State::Flushing(errand) => match &errand.what {
                What::Use(usage) if **usage == Usage::Snapshot => self.cut(errand, cx),
                What::Use(usage) if **usage == Usage::Defrag => self.begin_defrag(errand, cx),
                _ => {
                    self.unlock(cx);
                    self.use_at_once(errand, Ok(Reply::Committed), cx);
                }
            },
            state => unreachable!("no commit was asked for in {state:?}"),
        }
    }

    pub(super) fn tell(&mut self, errand: Errand, answer: Answer, cx: &mut Context<'_, Mvcc>) {
        let Errand { client, id, what } = errand;
        match (what, answer) {
            (What::Plain(request), Answer::Plain(outcome)) => {
                cx.note(Note::Told(id, request, outcome.clone()));
                cx.send(client, Msg::Answer(id, outcome));
            }
            (_, Answer::Use(used)) => cx.send(client, Msg::Used(id, used)),
            (What::Use(_), Answer::Plain(_)) => {
                unreachable!("an answer is of the kind of its question")
            }
        }
        cx.point(&point::REPLY_SENT);
        self.next(cx);
    }
}

/// Whether a defect reads the revision of this answer after the locks were given back.
fn late(outcome: &Outcome, cx: &Context<'_, Mvcc>) -> bool {
    let writes = matches!(outcome, Ok(Response::Put { .. } | Response::Deleted { .. }));
    writes && cx.bug(&bugs::REVISION_READ_AFTER_UNLOCK)
}

impl What {
    /// Whether readers that need no lock can do it.
    fn only_reads(&self) -> bool {
        match self {
            What::Plain(request) => matches!(**request, Op::Single(Action::Get(_))),
            What::Use(usage) => matches!(**usage, Usage::History(_)),
        }
    }

    /// Whether it needs the lock of the store beside that of the backend.
    fn needs_store(&self) -> bool {
        match self {
            What::Plain(_) => true,
            What::Use(usage) => !matches!(**usage, Usage::Snapshot | Usage::Defrag | Usage::Commit),
        }
    }
}
