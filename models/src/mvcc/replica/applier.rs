//! The applier: executes the committed entries of the log, one after the other.
//!
//! ```text
//! entry ─▶ lock store ─▶ lock backend, consistent index ─▶ action ─▶ action ─▶ ... ─▶ tell watchers
//!       ─▶ commit, if much is pending ─▶ unlock ─▶ tell the member
//! ```
//!
//! Each arrow is a step of its own. The consistent index moves with the lock of the backend, so that no commit of anybody
//! else can make it durable without the effects of its entry (etcd bfd5170f6). It moves for entries that are refused, too.
//!
//! What an entry does depends on the entry and on the store alone: not on whether a client waits for the answer here.

use std::sync::Arc;

use seedbed_sim::actor::{Context, Event};
use seedbed_sim::choose::{Shape, Site};
use seedbed_sim::id::ActorId;

use super::entry::Entry;
use super::message::GroupMsg;
use super::note::GroupNote;
use crate::mvcc::backend::Backend;
use crate::mvcc::message::{Job, Lock, Msg, Note, Phase};
use crate::mvcc::model::Mvcc;
use crate::mvcc::op::{Action, Op, Request};
use crate::mvcc::response::{Outcome, Response};
use crate::mvcc::shared::Opening;
use crate::mvcc::store::{Store, StoreError};
use crate::mvcc::txn::{Running, writes};
use crate::mvcc::watching::tell as tell_watchers;
use crate::mvcc::{bugs, point};

/// In which order a revoke deletes keys where that is left to a map; 0 is sorted.
pub static REVOKE_ORDER: Site =
    Site { id: 50, name: "revoke-order", shape: Shape::Own, outcomes: &[] };

/// The size of the smallest page.
const LEAST_PAGE: u32 = 64;

/// The other actors of the node that an applier needs.
#[derive(Clone, Copy, Debug)]
pub struct ApplierMates {
    /// Is told of outcomes.
    pub member: ActorId,
    /// Commits.
    pub committer: ActorId,
    /// Compacts.
    pub compactor: ActorId,
    /// Whether there are those who watch.
    pub watched: bool,
}

/// Executes the log.
#[derive(Clone, Debug)]
pub struct Applier {
    batch_limit: usize,
    mates: ApplierMates,
    state: State,
    opening: Opening,
    /// The first opening of this life.
    first: Opening,
    /// The backend that the consistent index is meant for.
    bound: Opening,
    /// Somebody wants it to leave off.
    rests: bool,
}

/// What it is doing.
#[derive(Clone, Debug)]
enum State {
    /// Nothing: there is no store.
    Off,
    /// Waits for an entry.
    Idle,
    /// Executes one.
    Applying(Entry, Work),
}

/// How far an entry is.
#[derive(Clone, Debug)]
enum Work {
    /// It waits for the locks.
    Locking,
    /// It holds the locks and is between two actions.
    Acting(Running),
    /// All its actions are done, and it waits for the lock of the layer that watches.
    Telling(Running),
    /// It is done, and a commit is under way before the locks are given back.
    Committing(Arc<Outcome>),
    /// Its keys are deleted, and the end of the lease waits for the locks again, which is a defect.
    Ending(Running),
}

impl Applier {
    /// An applier with these other actors.
    #[must_use]
    pub fn new(batch_limit: usize, mates: ApplierMates) -> Applier {
        let opening = Opening::default();
        Applier {
            batch_limit,
            mates,
            state: State::Off,
            opening,
            first: opening,
            bound: opening,
            rests: false,
        }
    }

    pub(in crate::mvcc) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        match event {
            Event::Message { msg: Msg::Group(GroupMsg::Begin(opening, resume)), .. } => {
                if let Some(revision) = resume {
                    let job = Job { revision, opening, resumed: true };
                    cx.send(self.mates.compactor, Msg::Compact(job));
                }
                self.begin_with(opening, cx);
            }
            Event::Message { msg: Msg::Group(GroupMsg::Rest), .. } => {
                self.rests = true;
                if matches!(self.state, State::Off | State::Idle) {
                    self.next(cx);
                }
            }
            Event::Message { msg: Msg::Group(GroupMsg::Go), .. } => {
                if let State::Idle = self.state {
                    self.next(cx);
                }
            }
            Event::Locked(Lock::Store) => cx.lock(Lock::Backend),
            Event::Locked(Lock::Backend) | Event::Phase(Phase::Action) => self.work(cx),
            Event::Locked(Lock::Watch) => self.tell_watchers(cx),
            Event::Message { msg: Msg::Committed, .. } => self.committed(cx),
            // It goes on until the member has closed the store.
            Event::Stop => cx.stopped(),
            _ => {}
        }
    }

    fn begin_with(&mut self, opening: Opening, cx: &mut Context<'_, Mvcc>) {
        self.opening = opening;
        if self.first == Opening::default() {
            (self.first, self.bound) = (opening, opening);
        } else if !cx.bug(&bugs::INDEX_LEFT_ON_OLD_BACKEND) {
            self.bound = opening;
        }
        (self.state, self.rests) = (State::Idle, false);
        self.next(cx);
    }

    /// Turns to the next entry, or leaves off.
    fn next(&mut self, cx: &mut Context<'_, Mvcc>) {
        if self.rests {
            self.state = State::Off;
            return cx.send(self.mates.member, Msg::Group(GroupMsg::Rested));
        }
        self.state = State::Idle;
        let Some(entry) = cx.shared().group().next().cloned() else { return };
        if cx.bug(&bugs::INDEX_BEFORE_DATA) {
            cx.shared().group().consistent = (self.bound, entry.index);
        }
        cx.point(&point::ENTRY_TAKEN);
        self.state = State::Applying(entry, Work::Locking);
        cx.lock(Lock::Store);
    }

    fn both<'c>(
        opening: Opening,
        cx: &'c mut Context<'_, Mvcc>,
    ) -> (&'c mut Store, &'c mut Backend) {
        cx.shared().both(opening).expect("the store is closed after the applier has left off")
    }

    /// Goes on with the entry; the locks of store and backend are held.
    fn work(&mut self, cx: &mut Context<'_, Mvcc>) {
        let State::Applying(entry, work) = std::mem::replace(&mut self.state, State::Idle) else {
            unreachable!("locks are taken for entries")
        };
        match work {
            Work::Locking => self.begin(entry, cx),
            Work::Acting(running) | Work::Ending(running) => self.act(entry, running, cx),
            Work::Telling(_) | Work::Committing(_) => {
                unreachable!("the locks of store and backend are held already")
            }
        }
    }

    fn begin(&mut self, entry: Entry, cx: &mut Context<'_, Mvcc>) {
        let of_lease = matches!(entry.proposal.request, Op::Grant(_) | Op::Revoke(_));
        if !(of_lease && cx.bug(&bugs::LEASES_LEAVE_INDEX)) {
            cx.shared().group().consistent = (self.bound, entry.index);
        }
        let proposal = entry.proposal.clone();
        if let Op::Compact(at) = proposal.request {
            let (store, backend) = Applier::both(self.opening, cx);
            let scheduled = store.schedule_compaction(backend, at);
            let revision = store.current();
            let outcome = scheduled.map(|_| Response::Compacted { revision });
            if outcome.is_ok() {
                cx.point(&point::COMPACT_SCHEDULED);
            }
            return self.done(entry, outcome, cx);
        }
        let awaited = proposal.ask.is_some_and(|ask| cx.shared().group().awaited.contains(&ask));
        let stripped = (!awaited && cx.bug(&bugs::UNAWAITED_READS_STRIPPED))
            .then(|| without_reads(&proposal.request));
        let request = stripped.as_ref().unwrap_or(&proposal.request);
        let (store, backend) = Applier::both(self.opening, cx);
        match Running::begin(store, backend, request) {
            Ok(mut running) => {
                if let (Op::Revoke(lease), true) = (request, cx.bug(&bugs::REVOKE_IN_MAP_ORDER)) {
                    let op = proposal.ask.map_or(0, |ask| u64::from(ask.op.number));
                    let order = cx.choose(&REVOKE_ORDER, lease.cast_unsigned(), op);
                    running.reorder_deletions(order);
                }
                self.act(entry, running, cx);
            }
            Err(StoreError::Refused(refusal)) => self.done(entry, Err(refusal), cx),
            Err(StoreError::Fatal(fatal)) => cx.abort(fatal.class()),
        }
    }

    fn act(&mut self, entry: Entry, mut running: Running, cx: &mut Context<'_, Mvcc>) {
        let leaves = cx.bug(&bugs::LESSOR_LEFT_ON_OLD_BACKEND);
        let lost = leaves && self.opening != self.first && running.is_of_lease();
        // Nobody reads the old one any more, so an empty one does.
        let mut old = lost.then(|| Backend::new(LEAST_PAGE));
        let (store, backend) = Applier::both(self.opening, cx);
        match running.step(store, old.as_mut().unwrap_or(backend)) {
            Ok(()) => {}
            Err(StoreError::Refused(refusal)) => return self.done(entry, Err(refusal), cx),
            Err(StoreError::Fatal(fatal)) => return cx.abort(fatal.class()),
        }
        if running.is_done() {
            return self.acted(entry, running, cx);
        }
        cx.point(&point::ACTION_DONE);
        if running.ends_lease() && cx.bug(&bugs::LEASE_ENDS_APART) {
            let (_, backend) = Applier::both(self.opening, cx);
            let much = backend.pending().len() >= self.batch_limit;
            self.state = State::Applying(entry, Work::Ending(running));
            return if much { cx.send(self.mates.committer, Msg::Commit) } else { again(cx) };
        }
        cx.shared().in_txn = true;
        self.state = State::Applying(entry, Work::Acting(running));
        cx.yield_to(Phase::Action);
    }

    fn acted(&mut self, entry: Entry, running: Running, cx: &mut Context<'_, Mvcc>) {
        let untold =
            matches!(entry.proposal.request, Op::Revoke(_)) && cx.bug(&bugs::REVOKE_PAST_WATCHERS);
        if self.mates.watched && running.effects() > 0 && !untold {
            self.state = State::Applying(entry, Work::Telling(running));
            return cx.lock(Lock::Watch);
        }
        let (store, _) = Applier::both(self.opening, cx);
        let response = running.finish(store);
        self.done(entry, Ok(response), cx);
    }

    fn tell_watchers(&mut self, cx: &mut Context<'_, Mvcc>) {
        let State::Applying(entry, Work::Telling(running)) =
            std::mem::replace(&mut self.state, State::Idle)
        else {
            unreachable!("that lock is taken to tell watchers")
        };
        match tell_watchers(running, cx) {
            Ok(response) => self.done(entry, Ok(response), cx),
            Err(fatal) => cx.abort(fatal.class()),
        }
    }

    /// The entry is done, or refused, and the locks are still held.
    fn done(&mut self, entry: Entry, outcome: Outcome, cx: &mut Context<'_, Mvcc>) {
        let (_, backend) = Applier::both(self.opening, cx);
        let much = backend.pending().len() >= self.batch_limit;
        let shared = cx.shared();
        shared.in_txn = false;
        shared.group().applied = entry.index;
        let schedules = matches!(outcome, Ok(Response::Compacted { .. }));
        let outcome = Arc::new(outcome);
        cx.note(Note::Group(GroupNote::Applied(entry.clone(), outcome.clone())));
        cx.point(&point::REQUEST_DONE);
        if much || (schedules && !cx.bug(&bugs::COMPACTION_NOT_DURABLE)) {
            self.state = State::Applying(entry, Work::Committing(outcome));
            return cx.send(self.mates.committer, Msg::Commit);
        }
        self.unlock(&entry, outcome, cx);
    }

    fn committed(&mut self, cx: &mut Context<'_, Mvcc>) {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Applying(entry, Work::Committing(outcome)) => self.unlock(&entry, outcome, cx),
            State::Applying(entry, Work::Ending(running)) => {
                self.state = State::Applying(entry, Work::Ending(running));
                again(cx);
            }
            state => unreachable!("no commit was asked for in {state:?}"),
        }
    }

    fn unlock(&mut self, entry: &Entry, outcome: Arc<Outcome>, cx: &mut Context<'_, Mvcc>) {
        if let (Op::Compact(revision), Ok(_)) = (&entry.proposal.request, &*outcome) {
            cx.point(&point::COMPACT_DURABLE);
            cx.shared().jobs += 1;
            let job = Job { revision: *revision, opening: self.opening, resumed: false };
            cx.send(self.mates.compactor, Msg::Compact(job));
        }
        cx.unlock(Lock::Backend);
        cx.unlock(Lock::Store);
        let group = cx.shared().group();
        if let (Op::Revoke(lease), Ok(_)) = (&entry.proposal.request, &*outcome) {
            group.revoked.insert(*lease);
        }
        let awaited = entry.proposal.ask.filter(|ask| group.awaited.remove(ask));
        let waits = std::mem::take(&mut group.reads_wait);
        if let Some(ask) = awaited {
            cx.send(self.mates.member, Msg::Group(GroupMsg::Applied(ask, entry.index, outcome)));
        }
        if waits {
            cx.send(self.mates.member, Msg::Group(GroupMsg::Go));
        }
        self.next(cx);
    }
}

/// Gives the locks to whoever waits, and takes them again: what follows is another transaction, which is a defect.
fn again(cx: &mut Context<'_, Mvcc>) {
    cx.unlock(Lock::Backend);
    cx.unlock(Lock::Store);
    cx.lock(Lock::Store);
}

/// A transaction that writes, without what it reads: nobody waits for that here. A read that would have been refused, and
/// the transaction with it, is gone, too.
fn without_reads(request: &Request) -> Request {
    let mut request = request.clone();
    if let Op::Txn(txn) = &mut request
        && writes(&Op::Txn(txn.clone()))
    {
        let is_write = |action: &Action<i64>| !matches!(action, Action::Get(_));
        txn.success.retain(is_write);
        txn.failure.retain(is_write);
    }
    request
}
