//! The replica: keeps the newest version of each key in a log on disk, and tells only what is on disk.
//!
//! ```text
//!  boot ─▶ open log ─▶ read it ─▶ create log.new ─▶ append all ─▶ sync ─▶ rename to log ─▶ sync names ─▶ serving
//!
//!  serving:  store ─▶ queue ─▶ append a record ─▶ sync ─▶ into the table, acknowledge ─▶ next of the queue
//!            query ─▶ answer from the table
//! ```
//!
//! Each arrow is a request to the disk and a step of its own; a crash may come at any of them.
//!
//! The log is written anew at each boot, since what can be read need not be durable: the process that wrote it may have died
//! before the sync, or the sync may have failed, after which no later one covers the bytes that it dropped. Only bytes that
//! this life has written and synced are known to stay. (The new log is also free of a torn record and of old versions.)
//!
//! A disk that fails or does not answer ends the process: what the log holds then is found out by reading it again.

use super::call::Key;
use super::message::{Msg, Note, RoundId, Timer};
use super::record;
use super::table::Table;
use super::tag::Version;
use super::{Register, bugs, mark, point};
use seedbed_sim::actor::{Context, DiskDone, DiskError, DiskEvent, DiskOp, Event};
use seedbed_sim::id::{ActorId, FileId, FileName, OpId, RequestId};
use seedbed_sim::time::Span;
use std::collections::VecDeque;

const LOG: FileName = FileName::new("log");
const NEW_LOG: FileName = FileName::new("log.new");
/// How long the disk may take for a request.
pub(super) const DISK_PATIENCE: Span = Span::ms(100);

/// A replica.
#[derive(Clone, Debug)]
pub struct Replica {
    state: State,
    /// The request that the disk is to answer, if there is one.
    request: Option<RequestId>,
    /// What is on disk.
    table: Table,
    /// What is to be stored, in order of arrival; while a record is written, it is the first.
    queue: VecDeque<Store>,
}

/// What the replica waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// For its first event.
    Newborn,
    /// For the log to be opened.
    Opening,
    /// For the content of the log, which is this file.
    Reading(FileId),
    /// For a new log to be created.
    Creating,
    /// For the table to be written into the new log.
    Rewriting(FileId),
    /// For the new log to be durable.
    SyncingNew(FileId),
    /// For the new log to have the name of the old one.
    Renaming(FileId),
    /// For the name to be durable.
    SyncingNames(FileId),
    /// For something to store.
    Idle(FileId),
    /// For a record to be written.
    Appending(FileId),
    /// For a record to be durable.
    Syncing(FileId),
    /// For nothing any more: it has refused its log.
    Refused,
}

/// Something to be stored, and who wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Store {
    from: ActorId,
    round: RoundId,
    op: OpId,
    key: Key,
    version: Version,
}

impl Default for Replica {
    fn default() -> Replica {
        Replica {
            state: State::Newborn,
            request: None,
            table: Table::default(),
            queue: VecDeque::new(),
        }
    }
}

impl Replica {
    /// Whether it has recovered, and answers.
    #[must_use]
    pub fn is_serving(&self) -> bool {
        matches!(self.state, State::Idle(_) | State::Appending(_) | State::Syncing(_))
    }

    /// Whether it has recovered, and has nothing to store.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle(_))
    }

    /// What it has on disk.
    #[must_use]
    pub fn table(&self) -> &Table {
        &self.table
    }

    pub(super) fn on_event(&mut self, event: Event<Register>, cx: &mut Context<'_, Register>) {
        match event {
            Event::Boot => {
                let request = cx.open(LOG);
                self.wait(State::Opening, request, cx);
            }
            // While it recovers it is silent, and will be asked again.
            Event::Message { from, msg } if self.is_serving() => self.asked(from, &msg, cx),
            Event::Disk(DiskEvent { request, result }) => {
                assert_eq!(self.request.take(), Some(request), "there is one request at a time");
                match result {
                    Ok(done) => self.disk_done(done, cx),
                    // The first boot of all.
                    Err(DiskError::NotFound) if self.state == State::Opening => self.rewrite(cx),
                    Err(_) => cx.fail_stop("the disk has failed"),
                }
            }
            Event::Timer(Timer::Disk) => cx.fail_stop("the disk does not answer"),
            Event::Stop => cx.stopped(),
            Event::Message { .. }
            | Event::Invoke { .. }
            | Event::Timer(Timer::Retry | Timer::Resend(_))
            | Event::Conn(_) => {}
            Event::Locked(never) | Event::Phase(never) => match never {},
        }
    }

    fn wait(&mut self, state: State, request: RequestId, cx: &mut Context<'_, Register>) {
        self.state = state;
        self.request = Some(request);
        cx.arm(Timer::Disk, DISK_PATIENCE);
    }

    fn rest(&mut self, state: State, cx: &mut Context<'_, Register>) {
        self.state = state;
        cx.disarm(Timer::Disk);
    }

    /// Goes on where the answer of the disk was waited for.
    fn disk_done(&mut self, done: DiskDone, cx: &mut Context<'_, Register>) {
        match (self.state, done) {
            (State::Opening, DiskDone::Opened { file, len }) => {
                let len = u32::try_from(len).expect("a log is shorter than 4 GiB");
                let request = cx.read_at(file, 0, len);
                self.wait(State::Reading(file), request, cx);
            }
            (State::Reading(file), DiskDone::Read(log)) => self.recover(file, &log, cx),
            (State::Creating, DiskDone::Opened { file, .. }) => {
                let request = cx.append(file, &record::log_of(&self.table));
                self.wait(State::Rewriting(file), request, cx);
            }
            (State::Rewriting(file), DiskDone::Written { .. }) => {
                let request = cx.sync(file);
                self.wait(State::SyncingNew(file), request, cx);
            }
            (State::SyncingNew(file), DiskDone::Done) => {
                cx.point(&point::LOG_REWRITTEN);
                let request = cx.disk(DiskOp::Rename { from: NEW_LOG, to: LOG });
                self.wait(State::Renaming(file), request, cx);
            }
            (State::Renaming(file), DiskDone::Done) => {
                let request = cx.sync_dir();
                self.wait(State::SyncingNames(file), request, cx);
            }
            (State::SyncingNames(file), DiskDone::Done) => {
                cx.point(&point::LOG_REPLACED);
                self.serve(file, cx);
            }
            (State::Appending(file), DiskDone::Written { .. }) => self.written(file, cx),
            (State::Syncing(file), DiskDone::Done) => self.synced(file, cx),
            (state, done) => unreachable!("while {state:?} the disk answered {done:?}"),
        }
    }

    fn recover(&mut self, file: FileId, log: &[u8], cx: &mut Context<'_, Register>) {
        let replayed = record::replay(log, cx.bugs());
        if replayed.torn {
            cx.mark(&mark::TORN_RECORD);
            if cx.bug(&bugs::TORN_LOG_REFUSED) {
                return self.rest(State::Refused, cx);
            }
        }
        self.table = replayed.table;
        if cx.bug(&bugs::RECOVERED_WITHOUT_SYNC) && !replayed.torn {
            return self.serve(file, cx);
        }
        self.rewrite(cx);
    }

    fn rewrite(&mut self, cx: &mut Context<'_, Register>) {
        let request = cx.create(NEW_LOG);
        self.wait(State::Creating, request, cx);
    }

    fn serve(&mut self, file: FileId, cx: &mut Context<'_, Register>) {
        self.rest(State::Idle(file), cx);
        cx.note(Note::Recovered);
    }

    fn asked(&mut self, from: ActorId, msg: &Msg, cx: &mut Context<'_, Register>) {
        match *msg {
            Msg::Query { round, op, key } => {
                cx.send(from, Msg::Held { round, op, version: self.table.get(key) });
            }
            Msg::Store { round, op, key, version } => {
                let store = Store { from, round, op, key, version };
                if !self.queue.contains(&store) {
                    self.queue.push_back(store);
                }
                if let State::Idle(file) = self.state {
                    self.next(file, cx);
                }
            }
            _ => {}
        }
    }

    /// Begins to store what is next in the queue. What is no news is acknowledged at once: it, or something newer, is on
    /// disk.
    fn next(&mut self, file: FileId, cx: &mut Context<'_, Register>) {
        while let Some(&Store { key, version, .. }) = self.queue.front() {
            if self.table.wants(key, version, cx.bugs()) {
                let mut bytes = Vec::with_capacity(record::LEN);
                record::encode(key, version, &mut bytes);
                cx.note(Note::Writing(key, version));
                let request = cx.append(file, &bytes);
                return self.wait(State::Appending(file), request, cx);
            }
            if self.table.get(key) != Some(version) {
                cx.mark(&mark::OLDER_STORED);
            }
            self.acknowledge(cx);
        }
        self.rest(State::Idle(file), cx);
    }

    fn written(&mut self, file: FileId, cx: &mut Context<'_, Register>) {
        cx.point(&point::RECORD_WRITTEN);
        if cx.bug(&bugs::ACKNOWLEDGED_BEFORE_SYNC) {
            self.acknowledge(cx);
        }
        let request = cx.sync(file);
        self.wait(State::Syncing(file), request, cx);
    }

    fn synced(&mut self, file: FileId, cx: &mut Context<'_, Register>) {
        cx.point(&point::RECORD_SYNCED);
        if !cx.bug(&bugs::ACKNOWLEDGED_BEFORE_SYNC) {
            self.acknowledge(cx);
        }
        self.next(file, cx);
    }

    /// Takes the first of the queue into the table, and tells who asked.
    fn acknowledge(&mut self, cx: &mut Context<'_, Register>) {
        let Store { from, round, op, key, version } =
            self.queue.pop_front().expect("something was to be stored");
        self.table.put(key, version, cx.bugs());
        let held = self.table.get(key).expect("it was put in");
        cx.note(Note::Acknowledged(key, held.tag));
        cx.send(from, Msg::Stored { round, op });
    }
}
