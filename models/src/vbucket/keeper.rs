//! The keeper of standings: writes how vbuckets stand, one after the other, as they stand when it comes to write.

use std::collections::{BTreeMap, VecDeque};

use seedbed_sim::actor::{Context, DiskDone, DiskEvent, Event};
use seedbed_sim::choose::{Shape, Site};
use seedbed_sim::id::RequestId;
use seedbed_sim::time::Span;

use super::loader::DISK_PATIENCE;
use super::message::{Lock, Msg, Timer};
use super::model::Node;
use super::note::Note;
use super::op::Vb;
use super::record::{self, Record, Standing};
use super::{bugs, point};

/// How long a task that writes a standing waits for its turn. Only where each is a task of its own.
pub static TASK_DELAY: Site =
    Site { id: 51, name: "task-delay", shape: Shape::Own, outcomes: &["20ms", "200ms", "1s"] };
const DELAYS: [Span; 4] = [Span::ms(1), Span::ms(20), Span::ms(200), Span::ms(1_000)];

/// The keeper.
#[derive(Clone, Debug, Default)]
pub struct Keeper {
    /// The vbuckets whose standing is to be written, in order; the one that is being written is the first.
    queue: VecDeque<(Vb, Option<Standing>)>,
    /// Whether the first is being written.
    is_busy: bool,
    /// What is being written; nothing stands for a vbucket that is gone.
    writing: Option<Standing>,
    request: Option<RequestId>,
    /// The node is about to stop, and the flusher has nothing more to say.
    is_finishing: bool,
    is_asked_to_stop: bool,
    /// Tasks that wait for their time, and how many there were.
    tasks: BTreeMap<u32, (Vb, Standing)>,
    tasks_made: u32,
}

impl Keeper {
    /// Whether it has nothing to write.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.tasks.is_empty()
    }

    pub(super) fn on_event(&mut self, event: Event<Node>, cx: &mut Context<'_, Node>) {
        match event {
            Event::Message { msg: Msg::Snapshot(vb, standing), .. } => self.told(vb, standing, cx),
            Event::Message { msg: Msg::Finish, .. } => {
                self.is_finishing = true;
                self.stop_if_done(cx);
            }
            Event::Locked(Lock::Log) => self.write(cx),
            Event::Disk(DiskEvent { request, result }) if self.request == Some(request) => {
                match result {
                    Ok(done) => self.done(done, cx),
                    Err(_) => cx.fail_stop("the disk has failed"),
                }
            }
            Event::Timer(Timer::Disk) => cx.fail_stop("the disk does not answer"),
            Event::Timer(Timer::Task(number)) => {
                if let Some((vb, standing)) = self.tasks.remove(&number) {
                    self.queue.push_back((vb, Some(standing)));
                    self.begin(cx);
                }
            }
            Event::Stop => {
                self.is_asked_to_stop = true;
                self.stop_if_done(cx);
            }
            _ => {}
        }
    }

    fn told(&mut self, vb: Vb, standing: Option<Standing>, cx: &mut Context<'_, Node>) {
        if let (true, Some(standing)) = (cx.bug(&bugs::STANDINGS_BY_TASKS), standing) {
            self.tasks_made += 1;
            self.tasks.insert(self.tasks_made, (vb, standing));
            let delay = cx.choose(&TASK_DELAY, u64::from(vb.0), u64::from(self.tasks_made));
            return cx.arm(Timer::Task(self.tasks_made), DELAYS[delay as usize % DELAYS.len()]);
        }
        // The first may have been read already.
        let known = self.queue.iter().skip(usize::from(self.is_busy)).any(|(of, _)| *of == vb);
        if !known {
            self.queue.push_back((vb, None));
        }
        self.begin(cx);
    }

    fn begin(&mut self, cx: &mut Context<'_, Node>) {
        if !self.is_busy && !self.queue.is_empty() {
            self.is_busy = true;
            cx.lock(Lock::Log);
        }
    }

    fn write(&mut self, cx: &mut Context<'_, Node>) {
        let Some(&(vb, captured)) = self.queue.front() else { return };
        let memory = cx.shared();
        let standing = captured.or_else(|| memory.vbs.get(&vb).map(|vbucket| vbucket.standing));
        let file = memory.file.expect("the log is open");
        self.writing = standing;
        let mut bytes = Vec::new();
        record::encode(&Record::Begin, &mut bytes);
        let record = standing.map_or(Record::Dropped(vb), |standing| Record::State(vb, standing));
        record::encode(&record, &mut bytes);
        record::encode(&Record::Commit, &mut bytes);
        self.request = Some(cx.append(file, &bytes));
        cx.arm(Timer::Disk, DISK_PATIENCE);
    }

    fn done(&mut self, done: DiskDone, cx: &mut Context<'_, Node>) {
        let file = cx.shared().file.expect("the log is open");
        if let DiskDone::Written { .. } = done {
            cx.point(&point::STANDING_WRITTEN);
            self.request = Some(cx.sync(file));
            return cx.arm(Timer::Disk, DISK_PATIENCE);
        }
        cx.disarm(Timer::Disk);
        self.is_busy = false;
        let Some((vb, _)) = self.queue.pop_front() else { return };
        match self.writing.take() {
            Some(Standing { birth, change, persisted, .. }) => {
                let mut told = None;
                let vbucket = cx.shared().vbs.get_mut(&vb);
                if let Some(vbucket) = vbucket.filter(|of| of.standing.birth == birth) {
                    vbucket.is_born = true;
                    vbucket.saved = vbucket.saved.max(change);
                    if persisted <= vbucket.standing.persisted {
                        told = vbucket.unsaved_fall.take();
                    }
                }
                cx.note(Note::StandingSaved(vb, birth, (change, persisted)));
                if let Some(told) = told {
                    cx.send(told, Msg::Unblock(vb));
                }
            }
            None => cx.note(Note::DropSaved(vb)),
        }
        cx.unlock(Lock::Log);
        self.begin(cx);
        self.stop_if_done(cx);
    }

    fn stop_if_done(&mut self, cx: &mut Context<'_, Node>) {
        if self.is_asked_to_stop && self.is_finishing && self.is_idle() {
            self.is_asked_to_stop = false;
            cx.stopped();
        }
    }
}
