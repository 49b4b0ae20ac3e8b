//! The task manager of a client: hands tasks to workers, in the order in which they were started.

use std::collections::VecDeque;

use seedbed_sim::actor::{Context, Event, Outcome};
use seedbed_sim::id::{ActorId, OpId};
use seedbed_sim::time::Span;

use super::desk::{Stage, Task, Wish};
use super::mark;
use super::message::{Msg, Timer};
use super::model::Peer;
use super::op::{Op, Spec, TaskId};
use super::response::{End, Ret};
use super::store::Store;

/// A tenth of a second.
const TENTH: Span = Span::ms(100);
/// Tasks of the manager itself are numbered from here.
const OWN: u8 = 128;

/// A task manager.
#[derive(Clone, Debug)]
pub struct Manager {
    partitions: usize,
    workers: Vec<(ActorId, Option<TaskId>)>,
    queue: VecDeque<TaskId>,
    waits: Option<(OpId, Waits)>,
    own: u8,
}

/// What an operation waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waits {
    /// The end of a task.
    End(TaskId),
    /// The end of all that run.
    All,
    /// The end of a verification.
    Check(TaskId),
    /// Some time.
    Time,
}

impl Manager {
    /// The manager of these workers, with a store of so many partitions.
    #[must_use]
    pub fn new(partitions: usize, workers: Vec<ActorId>) -> Manager {
        let workers = workers.into_iter().map(|worker| (worker, None)).collect();
        Manager { partitions, workers, queue: VecDeque::new(), waits: None, own: 0 }
    }

    /// Whether no task runs or waits for a worker.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.workers.iter().all(|(_, task)| task.is_none())
    }

    pub(super) fn on_event(&mut self, event: Event<Peer>, cx: &mut Context<'_, Peer>) {
        match event {
            Event::Boot => cx.shared().desk.store = Store::new(self.partitions),
            Event::Invoke { op, what } => self.invoke(op, &what, cx),
            Event::Message { from, msg: Msg::Left(task) } => self.left(from, task, cx),
            Event::Timer(Timer::Poll) => {
                if let Some((op, Waits::Time)) = self.waits {
                    self.waits = None;
                    cx.complete(op, Outcome::Ok(Ret::Done));
                }
            }
            Event::Stop => cx.stopped(),
            _ => {}
        }
    }

    fn invoke(&mut self, op: OpId, what: &Op, cx: &mut Context<'_, Peer>) {
        let is_done = match what {
            Op::Create(task, spec) => self.create(*task, *spec, cx),
            Op::Run(task, spec) => self.create(*task, *spec, cx) && self.start(*task, cx),
            Op::Start(task) => self.start(*task, cx),
            Op::Pause(task) => self.pause(*task, cx),
            Op::Resume(task) => self.resume(*task, cx),
            Op::Abort(task) => self.abort(*task, cx),
            Op::Complete(task) => return self.wait(op, Waits::End(*task), cx),
            Op::CompleteAll => return self.wait(op, Waits::All, cx),
            Op::Verify(task) => return self.verify(op, Some(*task), cx),
            Op::VerifyAll => return self.verify(op, None, cx),
            Op::Wait(tenths) => {
                self.waits = Some((op, Waits::Time));
                return cx.arm(Timer::Poll, TENTH.times(u64::from(*tenths).max(1)));
            }
            Op::Ask(_) | Op::MultiSet(..) | Op::Move(..) | Op::Failover(_) => false,
        };
        let ret = if is_done { Ret::Done } else { Ret::Refused };
        cx.complete(op, Outcome::Ok(ret));
    }

    fn create(&mut self, task: TaskId, spec: Spec, cx: &mut Context<'_, Peer>) -> bool {
        let tasks = &mut cx.shared().desk.tasks;
        let is_new = !tasks.contains_key(&task) && task.0 < OWN;
        if is_new {
            tasks.insert(task, Task::new(spec));
        }
        is_new
    }

    fn start(&mut self, task: TaskId, cx: &mut Context<'_, Peer>) -> bool {
        let of = cx.shared().desk.tasks.get_mut(&task);
        let Some(of) = of.filter(|of| of.stage == Stage::Created) else { return false };
        of.stage = Stage::Queued;
        self.queue.push_back(task);
        self.dispatch(cx);
        true
    }

    fn pause(&mut self, task: TaskId, cx: &mut Context<'_, Peer>) -> bool {
        let Some(of) = cx.shared().desk.tasks.get_mut(&task) else { return false };
        match of.stage {
            Stage::Queued => {
                of.stage = Stage::Paused;
                self.queue.retain(|queued| *queued != task);
                true
            }
            Stage::Running if of.wish == Wish::GoOn => {
                of.wish = Wish::Pause;
                true
            }
            _ => false,
        }
    }

    fn resume(&mut self, task: TaskId, cx: &mut Context<'_, Peer>) -> bool {
        let Some(of) = cx.shared().desk.tasks.get_mut(&task) else { return false };
        match (of.stage, of.wish) {
            (Stage::Paused, _) => {
                (of.stage, of.wish) = (Stage::Queued, Wish::GoOn);
                cx.mark(&mark::RESUMED);
                self.queue.push_back(task);
                self.dispatch(cx);
                true
            }
            (Stage::Running, Wish::Pause) => {
                of.wish = Wish::GoOn;
                true
            }
            _ => false,
        }
    }

    fn abort(&mut self, task: TaskId, cx: &mut Context<'_, Peer>) -> bool {
        let Some(of) = cx.shared().desk.tasks.get_mut(&task) else { return false };
        match of.stage {
            Stage::Created | Stage::Queued | Stage::Paused => {
                of.stage = Stage::Ended(End::Aborted);
                self.queue.retain(|queued| *queued != task);
                true
            }
            Stage::Running => {
                of.wish = Wish::Abort;
                true
            }
            Stage::Ended(_) => false,
        }
    }

    /// Verifies all keys, or those that a task has touched, by a task of the manager's own.
    fn verify(&mut self, op: OpId, task: Option<TaskId>, cx: &mut Context<'_, Peer>) {
        let tasks = &mut cx.shared().desk.tasks;
        let left = match task.map(|task| tasks.get(&task)) {
            None => None,
            Some(None) => return cx.complete(op, Outcome::Ok(Ret::Refused)),
            Some(Some(of)) => {
                let mut touched = of.touched.clone();
                touched.sort_unstable();
                touched.dedup();
                Some(touched)
            }
        };
        let own = TaskId(OWN + self.own % OWN);
        self.own = self.own.wrapping_add(1);
        let stage = Stage::Queued;
        tasks.insert(own, Task { left, stage, ..Task::new(Spec::Verify) });
        self.queue.push_back(own);
        self.waits = Some((op, Waits::Check(own)));
        self.dispatch(cx);
    }

    fn wait(&mut self, op: OpId, waits: Waits, cx: &mut Context<'_, Peer>) {
        if let Waits::End(task) = waits {
            let stage = cx.shared().desk.tasks.get(&task).map(|of| of.stage);
            if matches!(stage, None | Some(Stage::Created | Stage::Paused)) {
                return cx.complete(op, Outcome::Ok(Ret::Refused));
            }
        }
        self.waits = Some((op, waits));
        self.look(cx);
    }

    /// Gives the next tasks to workers that have none.
    fn dispatch(&mut self, cx: &mut Context<'_, Peer>) {
        let running = self.workers.iter().filter(|(_, task)| task.is_some()).count();
        for (worker, task) in self.workers.iter_mut().filter(|(_, task)| task.is_none()) {
            let Some(next) = self.queue.pop_front() else { return };
            *task = Some(next);
            if running > 0 {
                cx.mark(&mark::SIDE_BY_SIDE);
            }
            cx.send(*worker, Msg::Work(next));
        }
        if !self.queue.is_empty() {
            cx.mark(&mark::QUEUED);
        }
    }

    /// A worker has left its task.
    fn left(&mut self, from: ActorId, task: TaskId, cx: &mut Context<'_, Peer>) {
        for (worker, of) in &mut self.workers {
            if *worker == from && *of == Some(task) {
                *of = None;
            }
        }
        // It may have been resumed before it had stopped.
        if let Some(of) = cx.shared().desk.tasks.get_mut(&task)
            && (of.stage, of.wish) == (Stage::Paused, Wish::GoOn)
        {
            of.stage = Stage::Queued;
            self.queue.push_back(task);
        }
        self.dispatch(cx);
        self.look(cx);
    }

    /// Completes the operation that waits, if what it waits for has come.
    fn look(&mut self, cx: &mut Context<'_, Peer>) {
        let Some((op, waits)) = &self.waits else { return };
        let tasks = &cx.shared().desk.tasks;
        let ret = match waits {
            Waits::Time => None,
            Waits::All => {
                let goes_on = |of: &Task| matches!(of.stage, Stage::Queued | Stage::Running);
                (!tasks.values().any(goes_on)).then_some(Ret::Done)
            }
            Waits::End(task) | Waits::Check(task) => match tasks.get(task) {
                None => Some(Ret::Refused),
                Some(of) => {
                    let many = |keys: &Vec<_>| u8::try_from(keys.len()).unwrap_or(u8::MAX);
                    let (wrong, unseen) = (many(&of.wrong), many(&of.unseen));
                    match (of.stage, waits) {
                        (Stage::Ended(_), Waits::Check(_)) => Some(Ret::Checked(wrong, unseen)),
                        (Stage::Ended(end), _) => Some(Ret::Ended(end, wrong)),
                        (Stage::Paused, _) => Some(Ret::Refused),
                        _ => None,
                    }
                }
            },
        };
        if let Some(ret) = ret {
            let op = *op;
            self.waits = None;
            cx.complete(op, Outcome::Ok(ret));
        }
    }
}
