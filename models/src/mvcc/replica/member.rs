//! The member: what clients see of a node of a group.
//!
//! ```text
//! boot:      log and file are opened ─▶ restore, chunk by chunk ─▶ serving; the applier goes on behind the file
//!
//! write:     propose ─▶ ... ─▶ the applier has applied it ─▶ answer
//! read:      where is everything committed? ─▶ applied up to there ─▶ lock store ─▶ lock backend ─▶ read ─▶ answer
//!            └────────── not for one that takes an old state ──────┘
//!
//! stop, or a snapshot to be installed:
//!            applier leaves off ─▶ compactor leaves off ─▶ batch timer commits and closes the backend ─▶ stopped
//!                       └─▶ the log begins behind the snapshot ─▶ the snapshot is renamed to be the file ─▶ opened
//! ```
//!
//! Each arrow is a step of its own. A crash between any two of them leaves something that a boot can go on from: a log
//! that begins behind what the file holds says that a snapshot was received, and is only not the file yet.

use std::sync::Arc;

use seedbed_sim::actor::{Context, Event};
use seedbed_sim::id::ActorId;

use super::Replica;
use super::entry::Proposal;
use super::message::GroupMsg;
use super::note::{GroupNote, Staleness};
use super::reads::{Read, Reads, Task};
use super::swap::Swap;
use crate::mvcc::front::WatchMates;
use crate::mvcc::hash::hash_kv;
use crate::mvcc::message::{AskId, Lock, Msg, Note, Phase};
use crate::mvcc::model::Mvcc;
use crate::mvcc::op::{Op, Request};
use crate::mvcc::response::{OpError, Outcome};
use crate::mvcc::restore::{Restore, Restored};
use crate::mvcc::settings::Settings;
use crate::mvcc::shared::Opening;
use crate::mvcc::store::StoreError;
use crate::mvcc::txn::{execute, writes};
use crate::mvcc::watching::open_hub;
use crate::mvcc::{bugs, mark, point};

/// The other actors that a member needs.
#[derive(Clone, Copy, Debug)]
pub struct MemberMates {
    /// Agrees on the log.
    pub agreement: ActorId,
    /// Keeps the log.
    pub wal: ActorId,
    /// Executes it.
    pub applier: ActorId,
    /// Opens the file and commits.
    pub committer: ActorId,
    /// Commits from time to time and closes the backend.
    pub timer: ActorId,
    /// Compacts.
    pub compactor: ActorId,
    /// Sends snapshots.
    pub shipper: ActorId,
    /// Makes the file smaller.
    pub defragmenter: ActorId,
    /// Decides when leases end.
    pub keeper: ActorId,
    /// What there is for those who watch, if there is.
    pub watch: Option<WatchMates>,
}

/// Serves clients on a node of a group.
#[derive(Clone, Debug)]
pub struct Member {
    restore_chunk: usize,
    mates: MemberMates,
    state: State,
    opening: Opening,
    /// The log was read.
    has_log: bool,
    /// The newest attempt of each client: what is not newer is a repeated or late message.
    newest: Vec<(ActorId, AskId)>,
    reads: Reads,
    /// A snapshot that is durable beside the file, and up to which entry it goes.
    received: Option<u64>,
    /// The process is to end.
    leaving: bool,
}

/// What the member is doing.
#[derive(Clone, Debug)]
enum State {
    /// Nothing: not booted yet, or closed for good.
    Down,
    /// Waits for the file to be opened.
    Opening,
    /// Reads records into the index.
    Restoring(Box<Restore>),
    /// The store is there, the log is not.
    WaitingForLog(Box<Restored>),
    /// Waits for requests; perhaps one of them waits for the locks.
    Serving(Option<Task>),
    /// Waits until nobody uses the store.
    Closing(Await),
    /// Puts a snapshot in the place of the file.
    Swapping(Swap),
}

/// What a store that is being closed waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Await {
    /// The applier leaves off.
    Applier,
    /// The compactor leaves off.
    Compactor,
    /// It does, or waits for the lock of the store, which the member holds meanwhile: a defect.
    CompactorUnderLock,
    /// The batch timer closes the backend.
    Timer,
}

impl Member {
    /// The member of a node with these other actors.
    #[must_use]
    pub fn new(settings: &Settings, mates: MemberMates) -> Member {
        Member {
            restore_chunk: settings.restore_chunk,
            mates,
            state: State::Down,
            opening: Opening::default(),
            has_log: false,
            newest: Vec::new(),
            reads: Reads::default(),
            received: None,
            leaving: false,
        }
    }

    /// Whether the store is open.
    #[must_use]
    pub fn is_serving(&self) -> bool {
        matches!(self.state, State::Serving(_))
    }

    pub(in crate::mvcc) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        match event {
            Event::Boot => {
                cx.shared().replica = Some(Box::new(Replica::default()));
                cx.send(self.mates.wal, Msg::Group(GroupMsg::OpenLog));
                self.open(cx);
            }
            Event::Message { msg: Msg::Ask(id, request), .. } => {
                self.asked(id, request, Staleness::Newest, cx);
            }
            Event::Message { from, msg: Msg::Group(msg) } => self.heard(from, msg, cx),
            Event::Message { msg: Msg::Opened(opening), .. } => self.opened(opening, cx),
            Event::Message { msg: Msg::LeftOff, .. } => self.compactor_left_off(cx),
            Event::Message { msg: Msg::Finished, .. } => self.closed(cx),
            Event::Phase(Phase::Chunk) => self.restore(cx),
            Event::Locked(Lock::Store) => match self.state {
                State::Closing(_) => cx.send(self.mates.compactor, Msg::LeaveOff),
                _ => cx.lock(Lock::Backend),
            },
            Event::Locked(Lock::Backend) => self.locked(cx),
            Event::Disk(_) | Event::Timer(_) => self.swap_on(event, cx),
            Event::Stop => {
                self.leaving = true;
                match self.state {
                    State::Down => cx.stopped(),
                    State::Serving(None) => self.close(cx),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn heard(&mut self, from: ActorId, msg: GroupMsg, cx: &mut Context<'_, Mvcc>) {
        match msg {
            GroupMsg::HashAt(round, at) => {
                self.reads.add_hash(from, round, at);
                self.next(cx);
            }
            GroupMsg::Stale(id, request) => self.asked(id, request, Staleness::Any, cx),
            GroupMsg::ReadAt(id, index) => {
                self.reads.may_show(id, index);
                self.next(cx);
            }
            GroupMsg::Go => self.next(cx),
            GroupMsg::Applied(id, index, outcome) => {
                cx.note(Note::Group(GroupNote::Told(id, index, outcome.clone())));
                cx.send(id.op.client, Msg::Answer(id, outcome));
                cx.point(&point::REPLY_SENT);
            }
            GroupMsg::LogOpened => {
                self.has_log = true;
                match std::mem::replace(&mut self.state, State::Down) {
                    State::WaitingForLog(restored) => self.serve(*restored, cx),
                    other => self.state = other,
                }
            }
            GroupMsg::Received(index) => {
                self.received = Some(index);
                if let State::Serving(None) = self.state {
                    self.close(cx);
                }
            }
            GroupMsg::Defragment(_) if self.is_serving() => {
                cx.send(self.mates.defragmenter, Msg::Group(msg));
            }
            GroupMsg::Renew(..) if self.is_serving() => {
                cx.send(self.mates.keeper, Msg::Group(msg));
            }
            GroupMsg::NeedSnapshot(_) if self.is_serving() => {
                cx.send(self.mates.shipper, Msg::Group(msg));
            }
            GroupMsg::Rested => self.applier_left_off(cx),
            GroupMsg::LogReset => {
                cx.point(&point::LOG_RESET);
                self.state = State::Swapping(Swap::begin(cx));
            }
            _ => {}
        }
    }

    fn open(&mut self, cx: &mut Context<'_, Mvcc>) {
        self.state = State::Opening;
        cx.send(self.mates.committer, Msg::Open);
    }

    fn opened(&mut self, opening: Opening, cx: &mut Context<'_, Mvcc>) {
        self.opening = opening;
        let defects = bugs::defects(cx.bugs());
        let backend = cx.shared().backend(opening).expect("it was just opened");
        let restore = Restore::begin(backend, defects);
        match restore.and_then(|restore| restore.with_lessor(backend)) {
            Ok(restore) => {
                self.state = State::Restoring(Box::new(restore));
                self.restore(cx);
            }
            Err(fatal) => cx.abort(fatal.class()),
        }
    }

    fn restore(&mut self, cx: &mut Context<'_, Mvcc>) {
        let State::Restoring(mut restore) = std::mem::replace(&mut self.state, State::Down) else {
            unreachable!("chunks are read while restoring")
        };
        let backend = cx.shared().backend(self.opening).expect("nobody else uses it yet");
        if let Err(fatal) = restore.chunk(backend, self.restore_chunk) {
            return cx.abort(fatal.class());
        }
        cx.point(&point::RESTORE_CHUNK);
        if !restore.is_done() {
            self.state = State::Restoring(restore);
            return cx.yield_to(Phase::Chunk);
        }
        let restored = restore.finish();
        if self.has_log {
            self.serve(restored, cx);
        } else {
            self.state = State::WaitingForLog(Box::new(restored));
        }
    }

    fn serve(&mut self, restored: Restored, cx: &mut Context<'_, Mvcc>) {
        let opening = self.opening;
        let backend = cx.shared().backend(opening).expect("nobody else uses it yet");
        let index = super::consistent_index(backend);
        let group = cx.shared().group();
        if group.log.base() > index {
            // A snapshot was to be installed when the process ended.
            self.state = State::Swapping(Swap::begin(cx));
            return;
        }
        (group.applied, group.consistent) = (index, (opening, index));
        let Restored { store, resume } = restored;
        group.leases_anew = true;
        let shared = cx.shared();
        shared.serve(store);
        shared.jobs = u32::from(resume.is_some());
        cx.note(Note::StoreOpened);
        open_hub(self.mates.watch, cx);
        cx.send(self.mates.timer, Msg::Start(opening));
        for mate in [self.mates.applier, self.mates.defragmenter] {
            cx.send(mate, Msg::Group(GroupMsg::Begin(opening, resume)));
        }
        cx.point(&point::STORE_OPENED);
        self.state = State::Serving(None);
        self.next(cx);
    }

    fn asked(
        &mut self,
        id: AskId,
        request: Arc<Request>,
        staleness: Staleness,
        cx: &mut Context<'_, Mvcc>,
    ) {
        let client = id.op.client;
        match self.newest.iter_mut().find(|(other, _)| *other == client) {
            Some((_, newest)) if id <= *newest => return cx.mark(&mark::REPEATED_REQUEST),
            Some((_, newest)) => *newest = id,
            None => self.newest.push((client, id)),
        }
        // Nobody waits for what the client asked before.
        self.reads.forget(client);
        if self.leaving || matches!(self.state, State::Down) || *request == Op::Close {
            cx.mark(&mark::REQUEST_WHILE_CLOSING);
            return cx.send(client, Msg::Closed(id));
        }
        if writes(&request) {
            let awaited = &mut cx.shared().group().awaited;
            awaited.retain(|other| other.op.client != client);
            awaited.insert(id);
            let proposal = Proposal { ask: Some(id), request: (*request).clone() };
            let propose = GroupMsg::Propose(Arc::new(proposal));
            return cx.send(self.mates.agreement, Msg::Group(propose));
        }
        self.reads.add(Read { id, request, staleness, index: None });
        if staleness == Staleness::Newest {
            cx.send(self.mates.agreement, Msg::Group(GroupMsg::ReadIndex(id)));
        }
        self.next(cx);
    }

    /// Turns to what comes next.
    fn next(&mut self, cx: &mut Context<'_, Mvcc>) {
        let State::Serving(None) = self.state else { return };
        if self.leaving || self.received.is_some() {
            return self.close(cx);
        }
        let group = cx.shared().group();
        let ready = self.reads.ready(group.applied);
        group.reads_wait = !self.reads.is_empty();
        if ready.is_some() {
            self.state = State::Serving(ready);
            cx.lock(Lock::Store);
        }
    }

    /// The locks are held, so no transaction is half done.
    fn locked(&mut self, cx: &mut Context<'_, Mvcc>) {
        match std::mem::replace(&mut self.state, State::Serving(None)) {
            State::Serving(Some(Task::Read(read))) => self.read(read, cx),
            State::Serving(Some(Task::Hash(from, round, at))) => {
                let (store, backend) =
                    cx.shared().both(self.opening).expect("the member closes it");
                let hash = hash_kv(store, backend, at);
                cx.unlock(Lock::Backend);
                cx.unlock(Lock::Store);
                match hash {
                    Ok(hash) => cx.send(from, Msg::Group(GroupMsg::HashIs(round, hash))),
                    Err(StoreError::Refused(_)) => {}
                    Err(StoreError::Fatal(fatal)) => return cx.abort(fatal.class()),
                }
                self.next(cx);
            }
            _ => unreachable!("the locks are taken for reads"),
        }
    }

    fn read(&mut self, read: Read, cx: &mut Context<'_, Mvcc>) {
        let Read { id, request, staleness, .. } = read;
        let (store, backend) = cx.shared().both(self.opening).expect("the member closes it");
        let outcome: Outcome = match execute(store, backend, &request) {
            Ok(outcome) => outcome,
            Err(fatal) => return cx.abort(fatal.class()),
        };
        match outcome {
            Err(OpError::Compacted) => cx.mark(&mark::READ_COMPACTED),
            Err(OpError::FutureRevision) => cx.mark(&mark::READ_FUTURE),
            _ => {}
        }
        let (outcome, applied) = (Arc::new(outcome), cx.shared().group().applied);
        let note = GroupNote::Read(id, request, outcome.clone(), applied, staleness);
        cx.note(Note::Group(note));
        cx.unlock(Lock::Backend);
        cx.unlock(Lock::Store);
        cx.send(id.op.client, Msg::Answer(id, outcome));
        self.next(cx);
    }

    /// Begins to close the store, because the process ends or a snapshot is to take its place.
    fn close(&mut self, cx: &mut Context<'_, Mvcc>) {
        if self.is_overtaken(cx) {
            self.received = None;
            return self.next(cx);
        }
        cx.point(&point::STORE_CLOSING);
        self.state = State::Closing(Await::Applier);
        cx.send(self.mates.applier, Msg::Group(GroupMsg::Rest));
    }

    /// Whether a snapshot is to be installed that came too late to be of use.
    fn is_overtaken(&self, cx: &mut Context<'_, Mvcc>) -> bool {
        let applied = cx.shared().group().applied;
        !self.leaving && self.received.is_some_and(|index| index <= applied)
    }

    fn applier_left_off(&mut self, cx: &mut Context<'_, Mvcc>) {
        if self.is_overtaken(cx) {
            // What was applied until it left off may be released from the log already.
            self.received = None;
            self.state = State::Serving(None);
            cx.send(self.mates.applier, Msg::Group(GroupMsg::Begin(self.opening, None)));
            return self.next(cx);
        }
        let shared = cx.shared();
        shared.stopping = true;
        if shared.jobs == 0 {
            return self.close_backend(cx);
        }
        if cx.bug(&bugs::RESTORE_WAITS_UNDER_LOCK) {
            self.state = State::Closing(Await::CompactorUnderLock);
            return cx.lock(Lock::Store);
        }
        cx.mark(&mark::CLOSE_WAITED);
        self.state = State::Closing(Await::Compactor);
        cx.send(self.mates.compactor, Msg::LeaveOff);
    }

    fn compactor_left_off(&mut self, cx: &mut Context<'_, Mvcc>) {
        if let State::Closing(Await::CompactorUnderLock) = self.state {
            cx.unlock(Lock::Store);
        }
        self.close_backend(cx);
    }

    fn close_backend(&mut self, cx: &mut Context<'_, Mvcc>) {
        self.state = State::Closing(Await::Timer);
        cx.send(self.mates.timer, Msg::Finish);
    }

    /// The backend is closed.
    fn closed(&mut self, cx: &mut Context<'_, Mvcc>) {
        cx.point(&point::STORE_CLOSED);
        if self.leaving {
            self.state = State::Down;
            return cx.stopped();
        }
        let index = self.received.expect("else the store is closed for good");
        self.has_log = false;
        cx.send(self.mates.wal, Msg::Group(GroupMsg::ResetLog(index)));
    }

    fn swap_on(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        let State::Swapping(swap) = &mut self.state else { return };
        if swap.on_event(event, cx) {
            cx.point(&point::SNAPSHOT_RENAMED);
            (self.received, self.has_log) = (None, true);
            self.open(cx);
        }
    }
}
