//! The front end: opens the store, serves one request after the other, and closes it. See [`super::door`].
//!
//! ```text
//! boot ─▶ the door opens the store ─▶ serving
//!
//! serving:  lock store ─▶ lock backend ─▶ action ─▶ action ─▶ ... ─▶ commit, if much is pending ─▶ unlock ─▶ answer
//!
//! close:    the door closes the store ─▶ answer, and open again
//! ```
//!
//! Each arrow is a step of its own. Between two of them others run, as far as the locks let them.

use std::collections::VecDeque;
use std::sync::Arc;

use seedbed_sim::actor::{Context, Event};
use seedbed_sim::id::ActorId;

use super::door::{Door, hand_over};
use super::message::{AskId, Job, Lock, Msg, Note, Phase};
use super::model::Mvcc;
use super::op::{Op, Request};
use super::response::{OpError, Outcome, Response};
use super::restore::Restored;
use super::settings::Settings;
use super::shared::Opening;
use super::store::{Fatal, Store, StoreError};
use super::txn::Running;
use super::watch::Limits;
use super::watching::{open_hub, tell as tell_watchers};
use super::{bugs, mark, point};

/// The other actors of the node.
#[derive(Clone, Copy, Debug)]
pub struct Mates {
    /// Opens the file and commits.
    pub committer: ActorId,
    /// Commits from time to time and closes the backend.
    pub timer: ActorId,
    /// Compacts.
    pub compactor: ActorId,
    /// What there is for those who watch, if there is.
    pub watch: Option<WatchMates>,
}

/// What a node has for those who watch.
#[derive(Clone, Copy, Debug)]
pub struct WatchMates {
    /// Bounds of the layer that watches.
    pub limits: Limits,
    /// The first of the senders, and how many there are.
    pub senders: (ActorId, u16),
}

/// Serves clients.
#[derive(Clone, Debug)]
pub struct Front {
    batch_limit: usize,
    mates: Mates,
    door: Door,
    state: State,
    /// Requests that wait for their turn.
    queue: VecDeque<Ask>,
    /// The newest attempt of each client: what is not newer is a repeated or late message.
    newest: Vec<(ActorId, AskId)>,
    /// The process is to end.
    leaving: bool,
}

/// A request of a client.
#[derive(Clone, Debug)]
struct Ask {
    client: ActorId,
    id: AskId,
    request: Arc<Request>,
}

/// What the front end is doing.
#[derive(Clone, Debug)]
enum State {
    /// Nothing: not booted yet, or closed for good.
    Down,
    /// Waits for the store to be opened.
    Opening,
    /// Waits for requests.
    Idle,
    /// Serves a request.
    Serving(Ask, Work),
    /// Closes the store; on request of a client, or because the process ends.
    Closing(Option<Ask>),
}

/// How far a request is.
#[derive(Clone, Debug)]
enum Work {
    /// It waits for the locks.
    Locking,
    /// It holds the locks and is between two actions.
    Acting(Running),
    /// It gives the lock of the backend back between two actions, which is a defect; first comes a commit.
    Releasing(Running),
    /// It is done, and a commit is under way before the locks are given back.
    Committing(Arc<Outcome>),
    /// All its actions are done, and it waits for the lock of the layer that watches.
    Telling(Running),
}

impl Front {
    /// The front end of a node with these other actors.
    #[must_use]
    pub fn new(settings: &Settings, mates: Mates) -> Front {
        Front {
            batch_limit: settings.batch_limit,
            mates,
            door: Door::new(settings.restore_chunk, mates),
            state: State::Down,
            queue: VecDeque::new(),
            newest: Vec::new(),
            leaving: false,
        }
    }

    /// Whether the store is open.
    #[must_use]
    pub fn is_serving(&self) -> bool {
        matches!(self.state, State::Idle | State::Serving(..))
    }

    pub(super) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        match event {
            Event::Boot => self.open(cx),
            Event::Message { from, msg: Msg::Ask(id, request) } => {
                self.asked(Ask { client: from, id, request }, cx);
            }
            Event::Message { msg: Msg::Opened(opening), .. } => {
                let restored = self.door.opened(opening, cx);
                self.serve(restored, cx);
            }
            Event::Phase(Phase::Chunk) => {
                let restored = self.door.chunk(cx);
                self.serve(restored, cx);
            }
            Event::Locked(Lock::Store) => cx.lock(Lock::Backend),
            Event::Locked(Lock::Backend) | Event::Phase(Phase::Action) => self.work(cx),
            Event::Locked(Lock::Watch) => self.tell_watchers(cx),
            Event::Message { msg: Msg::Committed, .. } => self.committed(cx),
            Event::Message { msg: Msg::LeftOff, .. } => self.door.finish(cx),
            Event::Message { msg: Msg::Finished, .. } => self.closed(cx),
            Event::Stop => {
                self.leaving = true;
                match self.state {
                    State::Down => cx.stopped(),
                    State::Idle => self.next(cx),
                    _ => {}
                }
            }
            Event::Invoke { .. }
            | Event::Message { .. }
            | Event::Timer(_)
            | Event::Conn(_)
            | Event::Disk(_)
            | Event::Phase(_) => {}
        }
    }

    fn open(&mut self, cx: &mut Context<'_, Mvcc>) {
        self.state = State::Opening;
        self.door.open(cx);
    }

    fn serve(&mut self, restored: Option<Restored>, cx: &mut Context<'_, Mvcc>) {
        let Some(restored) = restored else { return };
        let resume = self.door.share(restored, cx);
        open_hub(self.mates.watch, cx);
        self.door.start(resume, cx);
        self.next(cx);
    }

    fn asked(&mut self, ask: Ask, cx: &mut Context<'_, Mvcc>) {
        match self.newest.iter_mut().find(|(client, _)| *client == ask.client) {
            Some((_, newest)) if ask.id <= *newest => return cx.mark(&mark::REPEATED_REQUEST),
            Some((_, newest)) => *newest = ask.id,
            None => self.newest.push((ask.client, ask.id)),
        }
        match self.state {
            State::Down | State::Closing(_) => {
                cx.mark(&mark::REQUEST_WHILE_CLOSING);
                cx.send(ask.client, Msg::Closed(ask.id));
            }
            State::Opening => {
                cx.mark(&mark::REQUEST_WAITED_FOR_OPENING);
                self.queue.push_back(ask);
            }
            State::Serving(..) => self.queue.push_back(ask),
            State::Idle => {
                self.queue.push_back(ask);
                self.next(cx);
            }
        }
    }

    /// Turns to what comes next.
    fn next(&mut self, cx: &mut Context<'_, Mvcc>) {
        self.state = State::Idle;
        if self.leaving {
            return self.close(None, cx);
        }
        let Some(ask) = self.queue.pop_front() else { return };
        if let Op::Close = *ask.request {
            return self.close(Some(ask), cx);
        }
        self.state = State::Serving(ask, Work::Locking);
        cx.lock(Lock::Store);
    }

    fn both<'c>(
        opening: Opening,
        cx: &'c mut Context<'_, Mvcc>,
    ) -> (&'c mut Store, &'c mut super::backend::Backend) {
        cx.shared().both(opening).expect("the front end itself has the store closed")
    }

    /// Goes on with the request under way; both locks are held.
    fn work(&mut self, cx: &mut Context<'_, Mvcc>) {
        let State::Serving(ask, work) = std::mem::replace(&mut self.state, State::Idle) else {
            unreachable!("locks are taken for requests")
        };
        match work {
            Work::Locking => self.begin(ask, cx),
            Work::Acting(running) | Work::Releasing(running) => self.act(ask, running, cx),
            Work::Committing(_) | Work::Telling(_) => {
                unreachable!("the locks of store and backend are held already")
            }
        }
    }

    fn begin(&mut self, ask: Ask, cx: &mut Context<'_, Mvcc>) {
        let (store, backend) = Front::both(self.door.opening(), cx);
        if let Op::Compact(at) = *ask.request {
            let scheduled = store.schedule_compaction(backend, at);
            let revision = store.current();
            let outcome = scheduled.map(|_| Response::Compacted { revision });
            if outcome.is_ok() {
                cx.point(&point::COMPACT_SCHEDULED);
            }
            return self.done(ask, outcome, cx);
        }
        match Running::begin(store, backend, &ask.request) {
            Ok(running) => self.act(ask, running, cx),
            Err(error) => self.failed(ask, error, cx),
        }
    }

    fn failed(&mut self, ask: Ask, error: StoreError, cx: &mut Context<'_, Mvcc>) {
        match error {
            StoreError::Refused(refusal) => self.done(ask, Err(refusal), cx),
            StoreError::Fatal(fatal) => cx.abort(Fatal::class(fatal)),
        }
    }

    fn act(&mut self, ask: Ask, mut running: Running, cx: &mut Context<'_, Mvcc>) {
        let (store, backend) = Front::both(self.door.opening(), cx);
        if let Err(error) = running.step(store, backend) {
            return self.failed(ask, error, cx);
        }
        if running.is_done() && running.effects() > 0 && self.mates.watch.is_some() {
            self.state = State::Serving(ask, Work::Telling(running));
            return cx.lock(Lock::Watch);
        }
        if running.is_done() {
            let response = running.finish(store);
            return self.done(ask, Ok(response), cx);
        }
        let much = backend.pending().len() >= self.batch_limit;
        cx.point(&point::ACTION_DONE);
        if cx.bug(&bugs::COMMIT_INSIDE_TRANSACTION) {
            self.state = State::Serving(ask, Work::Releasing(running));
            return if much { cx.send(self.mates.committer, Msg::Commit) } else { again(cx) };
        }
        cx.shared().in_txn = true;
        self.state = State::Serving(ask, Work::Acting(running));
        cx.yield_to(Phase::Action);
    }

    /// Tells watchers of a transaction before it is visible, so that nobody can begin to watch between the two.
    fn tell_watchers(&mut self, cx: &mut Context<'_, Mvcc>) {
        let State::Serving(ask, Work::Telling(running)) =
            std::mem::replace(&mut self.state, State::Idle)
        else {
            unreachable!("that lock is taken to tell watchers")
        };
        match tell_watchers(running, cx) {
            Ok(response) => self.done(ask, Ok(response), cx),
            Err(fatal) => cx.abort(fatal.class()),
        }
    }

    /// The request is done, or refused, and the locks are still held.
    fn done(&mut self, ask: Ask, outcome: Outcome, cx: &mut Context<'_, Mvcc>) {
        let (_, backend) = Front::both(self.door.opening(), cx);
        let much = backend.pending().len() >= self.batch_limit;
        cx.shared().in_txn = false;
        if let (Err(refusal), Op::Single(_) | Op::Txn(_)) = (&outcome, &*ask.request) {
            match refusal {
                OpError::Compacted => cx.mark(&mark::READ_COMPACTED),
                OpError::FutureRevision => cx.mark(&mark::READ_FUTURE),
                OpError::DuplicateKey
                | OpError::EmptyKey
                | OpError::LeaseNotFound
                | OpError::LeaseExists => {}
            }
        }
        let schedules = matches!(outcome, Ok(Response::Compacted { .. }));
        let outcome = Arc::new(outcome);
        cx.note(Note::Done(ask.id, ask.request.clone(), outcome.clone()));
        cx.point(&point::REQUEST_DONE);
        // Nobody is told of a compaction before it is durable (etcd 6d97dcaf3).
        if much || (schedules && !cx.bug(&bugs::COMPACTION_NOT_DURABLE)) {
            self.state = State::Serving(ask, Work::Committing(outcome));
            return cx.send(self.mates.committer, Msg::Commit);
        }
        self.answer(ask, outcome, cx);
    }

    fn committed(&mut self, cx: &mut Context<'_, Mvcc>) {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Serving(ask, Work::Committing(outcome)) => self.answer(ask, outcome, cx),
            State::Serving(ask, Work::Releasing(running)) => {
                self.state = State::Serving(ask, Work::Releasing(running));
                again(cx);
            }
            state => unreachable!("no commit was asked for in {state:?}"),
        }
    }

    fn answer(&mut self, ask: Ask, outcome: Arc<Outcome>, cx: &mut Context<'_, Mvcc>) {
        if let (Op::Compact(revision), Ok(_)) = (&*ask.request, &*outcome) {
            let job = Job { revision: *revision, opening: self.door.opening(), resumed: false };
            hand_over(self.mates.compactor, job, cx);
        }
        cx.unlock(Lock::Backend);
        cx.unlock(Lock::Store);
        tell(ask, outcome, cx);
        self.next(cx);
    }

    fn close(&mut self, ask: Option<Ask>, cx: &mut Context<'_, Mvcc>) {
        self.state = State::Closing(ask);
        self.door.close(cx);
    }

    fn closed(&mut self, cx: &mut Context<'_, Mvcc>) {
        let State::Closing(ask) = std::mem::replace(&mut self.state, State::Down) else {
            unreachable!("the backend was not to be closed")
        };
        cx.point(&point::STORE_CLOSED);
        if let Some(ask) = ask {
            let outcome = Arc::new(Ok(Response::Closed));
            cx.note(Note::Done(ask.id, ask.request.clone(), outcome.clone()));
            tell(ask, outcome, cx);
        }
        if self.leaving {
            return cx.stopped();
        }
        self.open(cx);
    }
}

/// Gives the lock of the backend to whoever waits, and takes it again.
fn again(cx: &mut Context<'_, Mvcc>) {
    cx.unlock(Lock::Backend);
    cx.lock(Lock::Backend);
}

fn tell(ask: Ask, outcome: Arc<Outcome>, cx: &mut Context<'_, Mvcc>) {
    cx.note(Note::Told(ask.id, ask.request, outcome.clone()));
    cx.send(ask.client, Msg::Answer(ask.id, outcome));
    cx.point(&point::REPLY_SENT);
}
