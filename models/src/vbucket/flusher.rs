//! The flusher: writes what has changed, vbucket after vbucket, in transactions.
//!
//! ```text
//!  drain ─▶ de-duplicate ─▶ lock the log ─▶ append a batch ─▶ sync ─▶ clean ─▶ next batch ... ─▶ unlock ─▶ publish
//! ```
//!
//! The changes of an online update are one transaction, however many batches they are. What a cycle could not write comes
//! first in the next one; only a cycle that has written everything says that a checkpoint is on disk.

use std::collections::{BTreeMap, VecDeque};

use seedbed_sim::actor::{Context, DiskDone, DiskEvent, Event};
use seedbed_sim::choose::{Shape, Site};
use seedbed_sim::id::RequestId;
use seedbed_sim::time::Span;

use super::loader::DISK_PATIENCE;
use super::message::{Lock, Msg, Phase, Timer};
use super::model::{Mates, Node};
use super::note::Note;
use super::op::{Key, State, Vb};
use super::record::{self, Record};
use super::table::Row;
use super::vb::{Drained, Pending};
use super::{bugs, mark, point};

/// Whether the store under the flusher refuses a record for now.
pub static REJECT: Site =
    Site { id: 52, name: "reject", shape: Shape::Own, outcomes: &["rejected"] };

/// Between two cycles of a node that is about to stop.
const LAST_CYCLES: Span = Span::ms(1);

/// The flusher.
#[derive(Clone, Debug)]
pub struct Flusher {
    mates: Mates,
    /// The vbuckets that are still to be looked at in this cycle.
    todo: VecDeque<Vb>,
    is_working: bool,
    job: Option<Job>,
    request: Option<RequestId>,
    is_stopping: bool,
    /// How often each key was tried.
    tries: BTreeMap<Key, u64>,
}

/// What is written of one vbucket.
#[derive(Clone, Debug)]
struct Job {
    vb: Vb,
    birth: u64,
    rewinds: u64,
    /// What is to be written.
    items: VecDeque<Pending>,
    /// What was appended and is not yet synced, with its rows.
    appended: Vec<(Pending, Row)>,
    /// Where the rows of the last append begin in `appended`.
    fresh: usize,
    rejected: Vec<Pending>,
    drained: u64,
    /// All of it is one transaction.
    is_whole: bool,
    has_begun: bool,
}

impl Flusher {
    /// The flusher of this node.
    #[must_use]
    pub fn new(mates: Mates) -> Flusher {
        Flusher {
            mates,
            todo: VecDeque::new(),
            is_working: false,
            job: None,
            request: None,
            is_stopping: false,
            tries: BTreeMap::new(),
        }
    }

    pub(super) fn on_event(&mut self, event: Event<Node>, cx: &mut Context<'_, Node>) {
        match event {
            // It may come late, when a stop or a client has made it work already.
            Event::Message { msg: Msg::Loaded, .. } if !self.is_working => self.rest(cx),
            Event::Message { msg: Msg::Flush, .. } if !self.is_working => {
                let delay = cx.shared().settings.flush_delay;
                cx.arm(Timer::Flush, delay);
            }
            Event::Timer(Timer::Flush) if !self.is_working => self.begin(cx),
            Event::Phase(Phase::Drain(vb)) => self.drain(vb, cx),
            Event::Phase(Phase::Sleep) => self.sleep(cx),
            Event::Locked(Lock::Log) => self.write(cx),
            Event::Disk(DiskEvent { request, result }) if self.request == Some(request) => {
                match result {
                    Ok(DiskDone::Written { offset, .. }) => self.written(offset, cx),
                    Ok(_) => self.synced(cx),
                    Err(_) => cx.fail_stop("the disk has failed"),
                }
            }
            Event::Timer(Timer::Disk) => cx.fail_stop("the disk does not answer"),
            Event::Stop => self.stop(cx),
            _ => {}
        }
    }

    /// Before a clean stop everything is written.
    fn stop(&mut self, cx: &mut Context<'_, Node>) {
        let memory = cx.shared();
        memory.is_stopping = true;
        if !memory.is_loaded {
            cx.send(self.mates.keeper, Msg::Finish);
            return cx.stopped();
        }
        self.is_stopping = true;
        if !self.is_working {
            cx.disarm(Timer::Flush);
            self.begin(cx);
        }
    }

    fn begin(&mut self, cx: &mut Context<'_, Node>) {
        self.is_working = true;
        let skips_dead = cx.bug(&bugs::DEAD_SKIPPED);
        let memory = cx.shared();
        memory.has_work = false;
        let vbs = memory.vbs.iter();
        let vbs = vbs.filter(|(_, vb)| !(skips_dead && vb.standing.state == State::Dead));
        self.todo = vbs.map(|(vb, _)| *vb).collect();
        self.next(cx);
    }

    fn next(&mut self, cx: &mut Context<'_, Node>) {
        match self.todo.pop_front() {
            Some(vb) => cx.yield_to(Phase::Drain(vb)),
            None => self.rest(cx),
        }
    }

    /// A cycle is over. Another one follows if there is something to do.
    fn rest(&mut self, cx: &mut Context<'_, Node>) {
        self.is_working = false;
        let delay = cx.shared().settings.flush_delay;
        let memory = cx.shared();
        memory.is_flusher_idle = false;
        if self.is_stopping {
            if memory.has_work {
                // Whoever is waited for needs time, too.
                return cx.arm(Timer::Flush, LAST_CYCLES);
            }
            cx.note(Note::Drained);
            cx.send(self.mates.keeper, Msg::Finish);
            return cx.stopped();
        }
        if memory.has_work {
            return cx.arm(Timer::Flush, delay);
        }
        cx.yield_to(Phase::Sleep);
    }

    /// Nothing was to be done when it looked. What has come since nobody has told it of, so it looks again, now that whoever
    /// comes later has to tell it.
    fn sleep(&mut self, cx: &mut Context<'_, Node>) {
        if self.is_working || self.is_stopping {
            return;
        }
        let looks_again = !cx.bug(&bugs::SLEEPS_UNSEEN);
        let memory = cx.shared();
        memory.is_flusher_idle = true;
        if memory.has_work {
            cx.mark(&mark::WORK_BEFORE_SLEEP);
        }
        let memory = cx.shared();
        if looks_again && memory.wakes_flusher() {
            let delay = memory.settings.flush_delay;
            cx.arm(Timer::Flush, delay);
        }
    }

    fn drain(&mut self, vb: Vb, cx: &mut Context<'_, Node>) {
        let now = super::memory::seconds(cx.wall());
        let memory = cx.shared();
        let Some(vbucket) = memory.vbs.get_mut(&vb) else { return self.next(cx) };
        // What would be written before the disk knows of the vbucket would not count.
        if !vbucket.is_born {
            memory.has_work = true;
            return self.next(cx);
        }
        let Drained { mut items, closed, mut is_whole } =
            vbucket.drain(now, memory.settings.expiry_window);
        is_whole &= !memory.bugs.has(&bugs::WINDOW_BY_BATCHES);
        if memory.bugs.has(&bugs::SOON_EXPIRED_SKIPPED) {
            items.retain(|item| !item.is_late);
        }
        if memory.bugs.has(&bugs::TABLE_VALUE_WRITTEN) {
            items.iter_mut().for_each(|item| item.refresh(&vbucket.table));
        }
        let (birth, rewinds) = (vbucket.standing.birth, vbucket.rewinds);
        if items.is_empty() {
            vbucket.written();
            self.publish(vb, closed, cx);
            return self.next(cx);
        }
        if items.iter().any(|item| item.is_late) {
            cx.note(Note::Second(now));
        }
        self.job = Some(Job {
            vb,
            birth,
            rewinds,
            items: items.into(),
            appended: Vec::new(),
            fresh: 0,
            rejected: Vec::new(),
            drained: closed,
            is_whole,
            has_begun: false,
        });
        cx.lock(Lock::Log);
    }

    /// Appends the next batch.
    fn write(&mut self, cx: &mut Context<'_, Node>) {
        let (batch, file) = (cx.shared().settings.batch, cx.shared().file);
        let Some(job) = &mut self.job else { return };
        let mut bytes = Vec::new();
        if !job.is_whole || !job.has_begun {
            record::encode(&Record::Begin, &mut bytes);
            job.has_begun = true;
        }
        job.fresh = job.appended.len();
        let mut room = batch;
        while let Some(item) = job.items.pop_front() {
            let tries = self.tries.entry(item.key).or_default();
            *tries += 1;
            if cx.choose(&REJECT, u64::from(item.key.0), *tries) != 0 {
                job.rejected.push(item);
                if job.is_whole {
                    return self.give_up(cx);
                }
                continue;
            }
            let offset = bytes.len() as u64;
            let len = record::encode(&item.record(job.vb, job.birth), &mut bytes);
            job.appended.push((item, Row { offset, len }));
            room -= 1;
            if room == 0 {
                break;
            }
        }
        if job.appended.is_empty() {
            return self.finish(cx);
        }
        if !job.is_whole || job.items.is_empty() {
            record::encode(&Record::Commit, &mut bytes);
        }
        let file = file.expect("the log is open");
        self.request = Some(cx.append(file, &bytes));
        cx.arm(Timer::Disk, DISK_PATIENCE);
    }

    /// A transaction of which a part was refused is begun again later, from its start.
    fn give_up(&mut self, cx: &mut Context<'_, Node>) {
        cx.mark(&mark::WINDOW_WRITTEN_AGAIN);
        let Some(job) = &mut self.job else { return };
        let mut all: Vec<Pending> = job.appended.drain(..).map(|(item, _)| item).collect();
        all.append(&mut job.rejected);
        all.extend(job.items.drain(..));
        job.rejected = all;
        self.finish(cx);
    }

    fn written(&mut self, offset: u64, cx: &mut Context<'_, Node>) {
        cx.point(&point::BATCH_WRITTEN);
        let file = cx.shared().file.expect("the log is open");
        let Some(job) = &mut self.job else { return };
        for (_, row) in &mut job.appended[job.fresh..] {
            row.offset += offset;
        }
        if job.is_whole && !job.items.is_empty() {
            return self.write(cx);
        }
        self.request = Some(cx.sync(file));
        cx.arm(Timer::Disk, DISK_PATIENCE);
    }

    fn synced(&mut self, cx: &mut Context<'_, Node>) {
        cx.disarm(Timer::Disk);
        cx.point(&point::BATCH_SYNCED);
        let Some(job) = &mut self.job else { return };
        let (vb, birth) = (job.vb, job.birth);
        for (item, row) in job.appended.drain(..) {
            let vbucket = cx.shared().vbs.get_mut(&vb);
            if let Some(vbucket) = vbucket.filter(|vbucket| vbucket.standing.birth == birth) {
                vbucket.committed(&item, row);
                let written = (item.mutation, item.is_late);
                cx.note(Note::Committed(vb, item.key, item.cas, written));
            }
        }
        if job.items.is_empty() { self.finish(cx) } else { self.write(cx) }
    }

    fn finish(&mut self, cx: &mut Context<'_, Node>) {
        cx.unlock(Lock::Log);
        let Some(job) = self.job.take() else { return };
        let Job { vb, birth, rewinds, rejected, drained, is_whole, .. } = job;
        let is_clean = rejected.is_empty();
        let memory = cx.shared();
        let vbucket = memory.vbs.get_mut(&vb).filter(|vbucket| vbucket.standing.birth == birth);
        if let Some(vbucket) = vbucket {
            if is_clean {
                vbucket.written();
                if vbucket.rewinds == rewinds {
                    self.publish(vb, drained, cx);
                } else {
                    // Another cycle says what is on disk, by the ids of now.
                    memory.has_work = true;
                }
            } else {
                vbucket.put_back(rejected, is_whole);
                memory.has_work = true;
                cx.mark(&mark::REJECTED);
            }
        }
        self.next(cx);
    }

    fn publish(&mut self, vb: Vb, drained: u64, cx: &mut Context<'_, Node>) {
        let Some(vbucket) = cx.shared().vbs.get_mut(&vb) else { return };
        if drained <= vbucket.standing.persisted {
            return;
        }
        vbucket.standing.persisted = drained;
        let standing = vbucket.standing;
        cx.note(Note::Published(vb, drained));
        cx.send(self.mates.front, Msg::Published(vb));
        cx.point(&point::PUBLISHED);
        cx.send(self.mates.keeper, Msg::Snapshot(vb, Some(standing)));
    }
}
