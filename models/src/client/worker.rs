//! A worker: a thread of the client, which does one task after the other with a smart client of its own.
//!
//! ```text
//!  next key ──▶ lock its partition ──▶ look at the store ──▶ call ──▶ tell the store ──▶ unlock ──▶ next key
//! ```
//!
//! The lock is held over the call, so that the store and the nodes stay in step; others get the partition between two
//! keys. Who needs several partitions takes them in the order of their numbers.

mod act;
mod settle;

use std::collections::VecDeque;
use std::sync::Arc;

use seedbed_sim::actor::{Context, Event};
use seedbed_sim::id::ActorId;
use seedbed_sim::time::Span;

use crate::vbucket::memory::seconds;
use crate::vbucket::op::Key;
use crate::vbucket::response::Answer;

use super::desk::{Stage, Wish};
use super::generator::{BlobGenerator, DocumentGenerator, mixed};
use super::message::{Lock, Msg, Phase, Progress, Timer};
use super::model::{Book, Peer};
use super::note::Note;
use super::op::{Load, Spec, TaskId};
use super::response::End;
use super::smart::SmartClient;
use super::store::{Held, Status};
use super::{bugs, mark};

/// Between two looks at something that takes its time.
const POLL: Span = Span::ms(60);
/// A batch stores so many keys at once.
const BATCH: usize = 3;
/// After so many looks at a key it is given up.
const LOOKS_MAX: u32 = 10;

/// A worker.
#[derive(Clone, Debug)]
pub struct Worker {
    /// As who it holds partitions.
    number: u16,
    manager: ActorId,
    keeper: ActorId,
    pub(super) smart: SmartClient,
    documents: Arc<DocumentGenerator>,
    blobs: Arc<BlobGenerator>,
    job: Option<Job>,
    moves: u32,
    /// How far the clocks of nodes may be off, if that is known.
    skew: Option<u64>,
}

/// The task that a worker is at.
#[derive(Clone, Debug)]
struct Job {
    task: TaskId,
    spec: Spec,
    /// Keys to come.
    left: VecDeque<Key>,
    aim: Option<Aim>,
    /// Partitions to lock, the next one last.
    wanted: Vec<u8>,
    held: Vec<u8>,
    calls: Vec<Pending>,
    /// How often a key could not be looked at.
    looks: u32,
    /// The move that it waits for.
    moves: Option<u32>,
}

/// What the next step is about.
#[derive(Clone, Debug)]
enum Aim {
    /// This key.
    Key(Key, Action),
    /// All of these at once.
    Many(Vec<Key>),
    /// Some key of which that is said, in the partition that is locked or else in the next one.
    Any(Action, Status, u64),
}

/// What is done to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Store(Load, u8),
    Delete,
    Read,
    Verify,
    Compare,
}

/// A call that is on its way.
#[derive(Clone, Debug)]
struct Pending {
    number: u32,
    key: Key,
    what: What,
}

/// What a call is for.
#[derive(Clone, Debug)]
enum What {
    /// A write of this number, with this time to live.
    Write(u64, Held, u8),
    /// A look, as a part of a verification or not.
    Look(bool),
    /// A look at the master, and after it one at the replica.
    Master,
    /// A look at the replica of what had this answer.
    Replica(Answer),
}

impl Worker {
    /// A worker of this manager, where the clocks of nodes are off by at most so many seconds, if that is known.
    ///
    /// # Panics
    /// Never: its documents fit their template.
    #[must_use]
    pub fn new(number: u16, manager: ActorId, book: Arc<Book>, skew: Option<u64>) -> Worker {
        let kinds = ["ox", "cat", "hen"].map(String::from).to_vec();
        let documents = DocumentGenerator::new("doc", r#"{{"{0}":{i}}}"#, vec![kinds], 0..u64::MAX);
        Worker {
            number,
            manager,
            keeper: book.keeper,
            smart: SmartClient::new(book),
            documents: Arc::new(documents.expect("they fit")),
            blobs: Arc::new(BlobGenerator::new("blob", 7, 6, 0..u64::MAX)),
            job: None,
            moves: 0,
            skew,
        }
    }

    /// As who it holds partitions.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }

    pub(super) fn on_event(&mut self, event: Event<Peer>, cx: &mut Context<'_, Peer>) {
        match event {
            Event::Message { msg: Msg::Work(task), .. } => self.begin(task, cx),
            Event::Message { msg: Msg::Progress(number, progress), .. } => {
                self.moved(number, progress, cx);
            }
            Event::Locked(Lock::Partition(partition)) => self.locked(partition, cx),
            Event::Phase(Phase::Next) => self.next(cx),
            Event::Timer(Timer::Poll) => self.poll(cx),
            Event::Stop => cx.stopped(),
            event => self.smart.on_event(&event, cx),
        }
        if self.smart.has_raised() {
            // Nobody gives back what it holds.
            self.leave(Stage::Ended(End::Failed), cx);
        }
        while let Some(told) = self.smart.take_told() {
            self.settle(told, cx);
        }
    }

    fn begin(&mut self, task: TaskId, cx: &mut Context<'_, Peer>) {
        let desk = &mut cx.shared().desk;
        let Some(of) = desk.tasks.get_mut(&task) else { return };
        of.stage = Stage::Running;
        let spec = of.spec;
        let left = of.left.take().unwrap_or_else(|| match spec {
            Spec::Load(_, keys, _) => keys.places().map(Key).collect(),
            // Each begins with another key.
            Spec::Batch(keys) => {
                let many = usize::from(keys.end - keys.start);
                let mut all: Vec<Key> = keys.places().map(Key).collect();
                all.rotate_left(usize::from(task.0) % many);
                all
            }
            Spec::Verify | Spec::Replicas => {
                let partitions = 0..desk.store.partitions();
                let keys = partitions.flat_map(|partition| desk.store.keys(partition, 0));
                keys.map(|(key, _)| *key).collect()
            }
            Spec::Work(..) | Spec::Rebalance(..) => Vec::new(),
        });
        self.job = Some(Job {
            task,
            spec,
            left: left.into(),
            aim: None,
            wanted: Vec::new(),
            held: Vec::new(),
            calls: Vec::new(),
            looks: 0,
            moves: None,
        });
        self.next(cx);
    }

    /// The next step of the task, unless something else is wanted of it.
    fn next(&mut self, cx: &mut Context<'_, Peer>) {
        let Some(job) = &mut self.job else { return };
        let Some(task) = cx.shared().desk.tasks.get_mut(&job.task) else { return };
        match task.wish {
            Wish::Pause => {
                cx.mark(&mark::PAUSED);
                return self.leave(Stage::Paused, cx);
            }
            Wish::Abort => {
                cx.mark(&mark::ABORTED);
                return self.leave(Stage::Ended(End::Aborted), cx);
            }
            Wish::GoOn => {}
        }
        let (step, store) = (u64::from(task.steps), cx.shared().desk.store.partitions());
        if let Spec::Rebalance(..) = job.spec {
            self.moves += 1;
            job.moves = Some(self.moves);
            return self.poll(cx);
        }
        let Some(aim) = job.aim(step) else {
            return self.leave(Stage::Ended(End::Completed), cx);
        };
        let known = &cx.shared().desk.store;
        let key = |key: &Key| known.partition(key);
        let mut wanted = match &aim {
            Aim::Key(of, _) => vec![key(of)],
            Aim::Many(keys) => keys.iter().map(key).collect(),
            Aim::Any(_, _, draw) => vec![usize::try_from(draw % store as u64).expect("a few")],
        };
        if cx.bug(&bugs::LOCKS_BY_KEY) {
            let mut known = Vec::new();
            wanted.retain(|of| {
                !known.contains(of) && {
                    known.push(*of);
                    true
                }
            });
        } else {
            wanted.sort_unstable();
            wanted.dedup();
        }
        let small = |of: usize| u8::try_from(of).expect("a few partitions");
        job.wanted = wanted.into_iter().rev().map(small).collect();
        job.aim = Some(aim);
        if job.wanted.len() > 1 {
            cx.mark(&mark::SEVERAL_PARTITIONS);
        }
        cx.shared().desk.tasks.entry(job.task).and_modify(|task| task.steps += 1);
        self.lock(cx);
    }

    /// Asks for the next partition; acts once it has all of them.
    fn lock(&mut self, cx: &mut Context<'_, Peer>) {
        let Some(job) = &mut self.job else { return };
        match job.wanted.last() {
            Some(partition) => {
                if cx.shared().desk.store.holder(usize::from(*partition)).is_some() {
                    cx.mark(&mark::WAITED_FOR_PARTITION);
                }
                cx.lock(Lock::Partition(*partition));
            }
            None => self.act(cx),
        }
    }

    fn locked(&mut self, partition: u8, cx: &mut Context<'_, Peer>) {
        let Some(job) = &mut self.job else { return };
        job.wanted.pop();
        job.held.push(partition);
        let was_free = cx.shared().desk.store.take(usize::from(partition), self.number);
        assert!(was_free, "who is given a lock is the only one to hold it");
        self.lock(cx);
    }

    /// Gives all partitions back.
    fn unlock(&mut self, cx: &mut Context<'_, Peer>) {
        let Some(job) = &mut self.job else { return };
        for partition in std::mem::take(&mut job.held) {
            cx.shared().desk.store.give(usize::from(partition), self.number);
            cx.unlock(Lock::Partition(partition));
        }
    }

    /// A step is over.
    fn step_over(&mut self, cx: &mut Context<'_, Peer>) {
        self.unlock(cx);
        if let Some(job) = &mut self.job {
            job.aim = None;
        }
        cx.yield_to(Phase::Next);
    }

    /// Leaves the task, which has ended or is paused.
    fn leave(&mut self, stage: Stage, cx: &mut Context<'_, Peer>) {
        let Some(job) = self.job.take() else { return };
        cx.disarm(Timer::Poll);
        if let Some(task) = cx.shared().desk.tasks.get_mut(&job.task) {
            task.stage = stage;
            if stage == Stage::Paused && !matches!(job.spec, Spec::Work(..) | Spec::Rebalance(..)) {
                task.left = Some(job.left.into());
            }
        }
        if let Stage::Ended(end) = stage {
            cx.note(Note::Ended(job.task, self.number, end));
        }
        cx.send(self.manager, Msg::Left(job.task));
    }

    /// It is time to look again: at a move, or at a key.
    fn poll(&mut self, cx: &mut Context<'_, Peer>) {
        let Some(job) = &self.job else { return };
        match (job.moves, job.spec) {
            (Some(number), Spec::Rebalance(vb, to)) => {
                cx.send(self.keeper, Msg::Rebalance(number, vb, to));
                cx.arm(Timer::Poll, POLL);
            }
            _ => self.next(cx),
        }
    }

    fn moved(&mut self, number: u32, progress: Progress, cx: &mut Context<'_, Peer>) {
        if self.job.as_ref().is_none_or(|job| job.moves != Some(number)) {
            return;
        }
        let is_done = match progress {
            Progress::Going(_) => return,
            Progress::Done => true,
            Progress::Failed => cx.bug(&bugs::FAILED_TAKEN_FOR_DONE),
        };
        cx.note(Note::Rebalanced(number, is_done));
        let end = if is_done { End::Completed } else { End::Failed };
        self.leave(Stage::Ended(end), cx);
    }
}

impl Job {
    /// What the next step is about.
    fn aim(&mut self, step: u64) -> Option<Aim> {
        match self.spec {
            Spec::Load(load, _, ttl) => {
                let action = match load {
                    Load::Create | Load::Blob | Load::Update => Action::Store(load, ttl),
                    Load::Read => Action::Read,
                    Load::Delete => Action::Delete,
                };
                self.left.pop_front().map(|key| Aim::Key(key, action))
            }
            Spec::Verify => self.left.pop_front().map(|key| Aim::Key(key, Action::Verify)),
            Spec::Replicas => self.left.pop_front().map(|key| Aim::Key(key, Action::Compare)),
            Spec::Batch(_) if self.left.is_empty() => None,
            Spec::Batch(_) => {
                let many = self.left.len().min(BATCH);
                Some(Aim::Many(self.left.drain(..many).collect()))
            }
            Spec::Work(ops, weights, seed) => {
                let draw = mixed(u64::from(seed), step, 1);
                (step < u64::from(ops)).then(|| any(weights, draw))
            }
            Spec::Rebalance(..) => None,
        }
    }
}

/// What a random operation is about: by these weights, with the last numbers of this draw.
fn any(weights: [u8; 4], draw: u64) -> Aim {
    let sum: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
    let mut at = (draw >> 32).checked_rem(sum).unwrap_or_default();
    let mut kind = 0;
    while kind < 3 && at >= u64::from(weights[kind]) {
        at -= u64::from(weights[kind]);
        kind += 1;
    }
    // Some live for a second or two.
    let ttl = u8::try_from((draw >> 24) % 4).expect("a few seconds");
    let ttl = if ttl > 2 { 0 } else { ttl };
    match kind {
        0 => Aim::Any(Action::Store(Load::Create, ttl), Status::Deleted, draw),
        1 => Aim::Any(Action::Read, Status::Valid, draw),
        2 => Aim::Any(Action::Store(Load::Update, ttl), Status::Valid, draw),
        _ => Aim::Any(Action::Delete, Status::Valid, draw),
    }
}

impl Worker {
    /// Looks for a key in the partition that is locked; goes on to the next one if there is none.
    fn pick(&mut self, status: Status, draw: u64, cx: &mut Context<'_, Peer>) -> Option<Key> {
        let now = seconds(cx.wall());
        let job = self.job.as_mut()?;
        let partition = usize::from(*job.held.first()?);
        let store = &cx.shared().desk.store;
        let found = store.pick(partition, status, now, draw >> 8);
        if found.is_some() {
            return found;
        }
        let many = store.partitions();
        let first = usize::try_from(draw % many as u64).expect("a few partitions");
        let next = (partition + 1) % many;
        self.unlock(cx);
        if next == first {
            cx.mark(&mark::NOTHING_TO_PICK);
            self.step_over(cx);
        } else {
            let job = self.job.as_mut()?;
            job.wanted = vec![u8::try_from(next).expect("a few partitions")];
            self.lock(cx);
        }
        None
    }
}
