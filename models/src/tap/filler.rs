//! The filler: collects the tables of vbuckets for streams, some keys at a time, values from disk where they are there only.
//! Several values are fetched at once. A backfill that is not wanted any more ends.

use std::collections::VecDeque;

use seedbed_sim::actor::{Context, DiskDone, DiskEvent, Event};
use seedbed_sim::id::{ActorId, RequestId};
use seedbed_sim::time::Span;

use crate::vbucket::message as data;
use crate::vbucket::op::{Key, Vb};
use crate::vbucket::record::{self, Record, Version};
use crate::vbucket::table::Row;
use crate::vbucket::vb::Vbucket;

use super::frame::Name;
use super::message::{Msg, Timer};
use super::model::Node;
use super::producer::Producer;
use super::{mark, point};

/// How long the disk may take for a request.
const DISK_PATIENCE: Span = Span::ms(2_000);
/// Keys of a step.
const KEYS: usize = 2;
/// Time of a step.
const STEP_TIME: Span = Span::ms(40);

/// A filler.
#[derive(Clone, Debug)]
pub struct Filler {
    sender: ActorId,
    /// What is to be collected; the first is under way.
    jobs: VecDeque<Job>,
    is_walking: bool,
    /// Values that are being fetched.
    fetching: Vec<(RequestId, Fetch)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Job {
    name: Name,
    vb: Vb,
    token: u64,
    /// The keys before this one have been looked at; none if it has not begun.
    from: Option<Key>,
    is_walked: bool,
    /// The last change when it began.
    changes: u64,
}

impl Job {
    /// Collects the next keys. What is on disk only is to be fetched, at most so many values.
    fn collect(&mut self, vbucket: &Vbucket, producer: &mut Producer, room: usize) -> Vec<Row> {
        let from = self.from.unwrap_or(Key(0));
        let mut entries = vbucket.table.iter().filter(|(key, _)| *key >= from);
        let mut rows = Vec::new();
        for _ in 0..KEYS {
            if rows.len() >= room {
                break;
            }
            let Some((key, entry)) = entries.next() else {
                self.is_walked = true;
                break;
            };
            self.from = Some(Key(key.0 + 1));
            let (flags, until, cas) = (entry.flags, entry.until, entry.cas);
            match (&entry.value, entry.row) {
                (Some(value), _) => {
                    let value = value.clone();
                    let version = Version { key, value, flags, until, cas };
                    producer.fill(self.vb, self.token, version, false);
                }
                (None, Some(row)) => rows.push(row),
                (None, None) => {}
            }
        }
        rows
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fetch {
    name: Name,
    vb: Vb,
    token: u64,
}

impl Filler {
    /// The filler of this sender.
    #[must_use]
    pub fn new(sender: ActorId) -> Filler {
        Filler { sender, jobs: VecDeque::new(), is_walking: false, fetching: Vec::new() }
    }

    pub(super) fn on_event(&mut self, event: Event<Node>, cx: &mut Context<'_, Node>) {
        match event {
            Event::Message { msg: Msg::Collect(name, vb, token), .. } => {
                let job = Job { name, vb, token, from: None, is_walked: false, changes: 0 };
                self.jobs.push_back(job);
                self.go_on(cx);
            }
            Event::Timer(Timer::Walk) => {
                self.is_walking = false;
                self.walk(cx);
            }
            Event::Disk(DiskEvent { request, result }) => {
                let Some(at) = self.fetching.iter().position(|(of, _)| *of == request) else {
                    return;
                };
                let (_, fetch) = self.fetching.remove(at);
                match result {
                    Ok(DiskDone::Read(bytes)) => self.fetched(fetch, &bytes, cx),
                    Ok(_) => {}
                    Err(_) => cx.fail_stop("the disk has failed"),
                }
            }
            Event::Timer(Timer::Data(data::Timer::Disk)) => {
                cx.fail_stop("the disk does not answer");
            }
            Event::Stop => {
                cx.disarm(Timer::Walk);
                self.jobs.clear();
                cx.stopped();
            }
            _ => {}
        }
    }

    fn go_on(&mut self, cx: &mut Context<'_, Node>) {
        if !self.jobs.is_empty() && !self.is_walking {
            self.is_walking = true;
            cx.arm(Timer::Walk, STEP_TIME);
        }
    }

    /// Looks at the next keys.
    fn walk(&mut self, cx: &mut Context<'_, Node>) {
        let Some(job) = self.jobs.front_mut() else { return };
        let Job { name, vb, token, .. } = *job;
        let limit = cx.shared().tap.settings.fetches as usize;
        let goes_on = cx.bug(&super::bugs::OLD_BACKFILL_GOES_ON);
        let shared = cx.shared();
        let producer = shared.tap.producers.get_mut(&name);
        let Some(producer) = producer.filter(|of| of.wants(vb, token) || goes_on) else {
            return self.drop_job(cx);
        };
        if job.from.is_none() {
            if !producer.backfill_begins(vb, token, &mut shared.data) {
                return self.drop_job(cx);
            }
            job.from = Some(Key(0));
            job.changes = shared.data.vbs.get(&vb).map_or(0, |of| of.log.last_mutation().0);
        }
        let Some(vbucket) = shared.data.vbs.get(&vb) else { return self.drop_job(cx) };
        let has_changed = vbucket.log.last_mutation().0 != job.changes;
        let room = limit.saturating_sub(self.fetching.len());
        let rows = job.collect(vbucket, producer, room);
        if has_changed {
            cx.mark(&mark::CHANGED_IN_BACKFILL);
        }
        for row in rows {
            let file = cx.shared().data.file.expect("the log is open");
            let request = cx.read_at(file, row.offset, row.len);
            cx.arm(Timer::Data(data::Timer::Disk), DISK_PATIENCE);
            self.fetching.push((request, Fetch { name, vb, token }));
        }
        cx.point(&point::COLLECTED);
        cx.send(self.sender, Msg::Look);
        self.end_or_walk(cx);
    }

    /// Goes on with the walk, unless it waits for the disk, or is over.
    fn end_or_walk(&mut self, cx: &mut Context<'_, Node>) {
        let Some(job) = self.jobs.front().copied() else { return };
        let limit = cx.shared().tap.settings.fetches as usize;
        if job.is_walked && self.fetching.is_empty() {
            self.jobs.pop_front();
            if let Some(producer) = cx.shared().tap.producers.get_mut(&job.name) {
                producer.backfill_ends(job.vb, job.token);
            }
            cx.send(self.sender, Msg::Look);
            return self.go_on(cx);
        }
        if !job.is_walked && self.fetching.len() < limit {
            self.go_on(cx);
        }
    }

    fn drop_job(&mut self, cx: &mut Context<'_, Node>) {
        self.jobs.pop_front();
        cx.mark(&mark::BACKFILL_ENDED_EARLY);
        self.go_on(cx);
    }

    fn fetched(&mut self, fetch: Fetch, bytes: &[u8], cx: &mut Context<'_, Node>) {
        if self.fetching.is_empty() {
            cx.disarm(Timer::Data(data::Timer::Disk));
        }
        if let Some((Record::Set(_, _, version), _)) = record::decode(bytes) {
            let producers = &mut cx.shared().tap.producers;
            if let Some(producer) = producers.get_mut(&fetch.name) {
                producer.fill(fetch.vb, fetch.token, version, true);
                cx.mark(&mark::FILLED_FROM_DISK);
            }
        }
        cx.send(self.sender, Msg::Look);
        self.end_or_walk(cx);
    }
}
