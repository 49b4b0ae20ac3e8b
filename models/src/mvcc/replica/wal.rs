//! Writes the log of a node: the only one that touches its file.
//!
//! ```text
//! open:     open ─▶ read ─▶ renew ─▶ tell member and agreement
//!
//! append:   write entries ─▶ sync ─▶ acknowledge, and call the applier; what came meanwhile is the next write
//!
//! renew:    create `log.tmp` ─▶ write it ─▶ sync ─▶ rename to `log` ─▶ sync names
//! ```
//!
//! Each arrow is a request to the disk and a step of its own; a crash may come at any of them. At an opening all that was
//! read is written again, to another file: what can be read need not be durable, and behind a torn entry nothing may be
//! appended. In the same way a log forgets its first entries, or begins anew behind a snapshot. A file has the name `log`
//! only when all of it is durable; what has the other name does not count.
//!
//! A disk that fails, has no room or does not answer ends the process, as with the committer.

use seedbed_sim::actor::{Context, DiskDone, DiskError, DiskOp, Event};
use seedbed_sim::id::{ActorId, FileId, FileName};
use seedbed_sim::time::Span;

use super::durable_index;
use super::entry::Entry;
use super::log::{Log, Read};
use super::message::{GroupMsg, Known};
use super::note::GroupNote;
use crate::mvcc::committer::DISK_PATIENCE;
use crate::mvcc::message::{Msg, Note, Timer};
use crate::mvcc::model::Mvcc;
use crate::mvcc::{bugs, mark, point};

const FILE: FileName = FileName::new("log");
const COPY: FileName = FileName::new("log.tmp");
/// How long to wait for the agreement before joining again.
const JOIN_AGAIN: Span = Span::ms(10);

/// Writes the log of a node.
#[derive(Clone, Debug)]
pub struct Wal {
    agreement: ActorId,
    applier: ActorId,
    /// The group has no other node.
    alone: bool,
    /// So many entries that the backend has stay in the log.
    kept: u64,
    member: Option<ActorId>,
    file: Option<FileId>,
    state: State,
    /// Up to where the entries are in the file, or on their way there.
    written: u64,
    /// Up to where they were acknowledged.
    told: u64,
    /// The agreement waits for an answer.
    owed: bool,
    /// The agreement is known to know of this life.
    joined: bool,
    /// Behind which entry the log is to begin anew.
    reset: Option<u64>,
    leaving: bool,
}

/// What the wal waits for.
#[derive(Clone, Debug)]
enum State {
    /// To be asked to open the log.
    Closed,
    /// For the file to be opened.
    Opening,
    /// For its bytes.
    Reading,
    /// For a new file to take its place.
    Renewing(Box<Renewal>, Stage),
    /// For entries.
    Idle,
    /// For entries to be written.
    Writing,
    /// For them to be durable.
    Syncing,
}

/// A new file.
#[derive(Clone, Debug)]
struct Renewal {
    /// The log in it begins behind the first entry and ends at the second.
    range: (u64, u64),
    bytes: Vec<u8>,
    then: Then,
}

/// What it is made for.
#[derive(Clone, Debug)]
enum Then {
    /// The log was read.
    Open(Log),
    /// Its first entries are not needed any more.
    Release,
    /// There is a snapshot.
    Reset,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Creating,
    Writing,
    Syncing,
    Renaming,
    Naming,
}

impl Wal {
    /// The wal of a node whose entries go to this applier. It keeps so many entries that the backend has, and up to as
    /// many more until it writes its file anew.
    #[must_use]
    pub fn new(agreement: ActorId, applier: ActorId, alone: bool, kept: u64) -> Wal {
        Wal {
            agreement,
            applier,
            alone,
            kept,
            member: None,
            file: None,
            state: State::Closed,
            written: 0,
            told: 0,
            owed: false,
            joined: false,
            reset: None,
            leaving: false,
        }
    }

    pub(in crate::mvcc) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        match event {
            Event::Message { from, msg: Msg::Group(msg) } => self.told_to(from, msg, cx),
            Event::Disk(answer) => match answer.result {
                Ok(done) => self.go_on(done, cx),
                // The first boot of all.
                Err(DiskError::NotFound) if matches!(self.state, State::Opening) => {
                    self.renew(0, Then::Open(Log::default()), cx);
                }
                Err(_) => fail("the disk has failed", cx),
            },
            Event::Timer(Timer::Disk) => fail("the disk does not answer", cx),
            Event::Timer(Timer::Resend) if !self.joined && !self.leaving => self.join(cx),
            Event::Stop => {
                self.leaving = true;
                match self.state {
                    State::Closed => cx.stopped(),
                    State::Idle => self.settle(cx),
                    _ => {}
                }
            }
            Event::Boot
            | Event::Invoke { .. }
            | Event::Message { .. }
            | Event::Timer(_)
            | Event::Conn(_)
            | Event::Locked(_)
            | Event::Phase(_) => {}
        }
    }

    fn told_to(&mut self, from: ActorId, msg: GroupMsg, cx: &mut Context<'_, Mvcc>) {
        match msg {
            GroupMsg::OpenLog => {
                assert!(matches!(self.state, State::Closed), "a log is opened once in a life");
                self.member = Some(from);
                cx.open(FILE);
                self.wait(State::Opening, cx);
            }
            GroupMsg::Append(_, entries, known) if self.is_open() => {
                self.append(&entries, known, cx);
            }
            GroupMsg::ResetLog(index) => {
                self.reset = Some(index);
                self.settle_if_idle(cx);
            }
            _ => {}
        }
    }

    /// Whether the log was opened in this life.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match &self.state {
            State::Closed | State::Opening | State::Reading => false,
            State::Renewing(renewal, _) => !matches!(renewal.then, Then::Open(_)),
            State::Idle | State::Writing | State::Syncing => true,
        }
    }

    fn wait(&mut self, state: State, cx: &mut Context<'_, Mvcc>) {
        self.state = state;
        cx.arm(Timer::Disk, DISK_PATIENCE);
    }

    fn open_file(&self) -> FileId {
        self.file.expect("nothing is read or written before a file was opened")
    }

    /// The disk has done what was asked.
    fn go_on(&mut self, done: DiskDone, cx: &mut Context<'_, Mvcc>) {
        match (std::mem::replace(&mut self.state, State::Idle), done) {
            (State::Opening, DiskDone::Opened { file, len }) => {
                cx.read_at(file, 0, u32::try_from(len).expect("a small file"));
                self.wait(State::Reading, cx);
            }
            (State::Reading, DiskDone::Read(bytes)) => self.read(&bytes, cx),
            (State::Renewing(renewal, stage), done) => self.renewed(renewal, stage, &done, cx),
            (State::Writing, _) => {
                cx.point(&point::LOG_WRITTEN);
                cx.sync(self.open_file());
                self.wait(State::Syncing, cx);
            }
            (State::Syncing, _) => {
                cx.point(&point::LOG_SYNCED);
                self.durable(cx);
                self.settle(cx);
            }
            (state, done) => unreachable!("while {state:?} the disk answered {done}"),
        }
    }

    fn read(&mut self, bytes: &[u8], cx: &mut Context<'_, Mvcc>) {
        cx.point(&point::LOG_READ);
        match Log::decode(bytes) {
            Ok(Read { log, torn }) => {
                if torn {
                    cx.mark(&mark::TORN_LOG);
                }
                self.renew(log.base(), Then::Open(log), cx);
            }
            Err(damage) => {
                cx.note(Note::Group(GroupNote::LogDamaged(damage)));
                cx.fail_stop("the log is damaged");
            }
        }
    }

    fn append(&mut self, entries: &[Entry], known: Known, cx: &mut Context<'_, Mvcc>) {
        self.joined = true;
        cx.disarm(Timer::Resend);
        let group = cx.shared().group();
        let grown = known.committed > group.committed;
        group.committed = group.committed.max(known.committed);
        // What is older names a former primary.
        if group.primary.is_none_or(|primary| known.primary.term >= primary.term) {
            group.primary = Some(known.primary);
        }
        let before = group.log.last();
        for entry in entries {
            if entry.index == group.log.last() + 1 {
                group.log.push(entry.clone());
            }
        }
        let more = group.log.last() > before;
        if more && !matches!(self.state, State::Idle) {
            cx.mark(&mark::APPENDS_BATCHED);
        }
        if grown {
            cx.send(self.applier, Msg::Group(GroupMsg::Go));
        }
        self.owed = true;
        self.settle_if_idle(cx);
    }

    fn settle_if_idle(&mut self, cx: &mut Context<'_, Mvcc>) {
        if matches!(self.state, State::Idle) {
            self.settle(cx);
        }
    }

    /// Nothing is under way: begins what comes next.
    fn settle(&mut self, cx: &mut Context<'_, Mvcc>) {
        self.state = State::Idle;
        cx.disarm(Timer::Disk);
        if let Some(index) = self.reset.take() {
            if index > cx.shared().group().log.base() {
                return self.renew(index, Then::Reset, cx);
            }
            self.tell_member(GroupMsg::LogReset, cx);
        }
        if self.leaving {
            return cx.stopped();
        }
        if cx.shared().group().log.last() > self.written {
            return self.write(cx);
        }
        if self.owed {
            self.acknowledge(cx);
        }
        self.release(cx);
    }

    fn write(&mut self, cx: &mut Context<'_, Mvcc>) {
        let log = &cx.shared().group().log;
        let (bytes, last) = (log.encode_behind(self.written), log.last());
        self.written = last;
        cx.append(self.open_file(), &bytes);
        self.wait(State::Writing, cx);
        if self.alone && cx.bug(&bugs::ACKNOWLEDGED_BEFORE_LOG_SYNC) {
            self.durable(cx);
        }
    }

    /// All that was written is durable.
    fn durable(&mut self, cx: &mut Context<'_, Mvcc>) {
        cx.shared().group().log.synced(self.written);
        self.acknowledge(cx);
        cx.send(self.applier, Msg::Group(GroupMsg::Go));
    }

    fn acknowledge(&mut self, cx: &mut Context<'_, Mvcc>) {
        self.owed = false;
        let log = &cx.shared().group().log;
        let (base, durable) = (log.base(), log.durable());
        if durable > self.told {
            self.told = durable;
            cx.note(Note::Group(GroupNote::Acknowledged(durable)));
        }
        let appended = GroupMsg::Appended(cx.incarnation(), base, durable);
        cx.send(self.agreement, Msg::Group(appended));
    }

    fn join(&mut self, cx: &mut Context<'_, Mvcc>) {
        let log = &cx.shared().group().log;
        let (base, durable) = (log.base(), log.durable());
        let join = GroupMsg::Join(cx.incarnation(), base, durable);
        cx.send(self.agreement, Msg::Group(join));
        cx.arm(Timer::Resend, JOIN_AGAIN);
    }

    fn tell_member(&self, msg: GroupMsg, cx: &mut Context<'_, Mvcc>) {
        cx.send(self.member.expect("it has opened the log"), Msg::Group(msg));
    }

    /// Forgets what the file of the backend has, if that is worth a new file.
    fn release(&mut self, cx: &mut Context<'_, Mvcc>) {
        let shared = cx.shared();
        let Some(stored) = shared.look().map(|(_, backend)| durable_index(backend)) else { return };
        let log = &shared.group().log;
        let base = stored.saturating_sub(self.kept).min(log.durable());
        if base.saturating_sub(log.base()) >= self.kept {
            self.renew(base, Then::Release, cx);
        }
    }

    /// Begins to write a file that begins behind `base` and has all entries that come later.
    fn renew(&mut self, base: u64, then: Then, cx: &mut Context<'_, Mvcc>) {
        let log = match &then {
            Then::Open(log) => log,
            Then::Release | Then::Reset => &cx.shared().group().log,
        };
        let (bytes, last) = (log.encode_from(base), log.last().max(base));
        cx.create(COPY);
        let renewal = Renewal { range: (base, last), bytes, then };
        self.wait(State::Renewing(Box::new(renewal), Stage::Creating), cx);
    }

    fn renewed(
        &mut self,
        mut renewal: Box<Renewal>,
        stage: Stage,
        done: &DiskDone,
        cx: &mut Context<'_, Mvcc>,
    ) {
        let next = match (stage, done) {
            (Stage::Creating, DiskDone::Opened { file, .. }) => {
                self.file = Some(*file);
                cx.write_at(*file, 0, &std::mem::take(&mut renewal.bytes));
                Stage::Writing
            }
            (Stage::Writing, _) => {
                cx.sync(self.open_file());
                Stage::Syncing
            }
            (Stage::Syncing, _) => {
                cx.point(&point::LOG_COPIED);
                cx.disk(DiskOp::Rename { from: COPY, to: FILE });
                Stage::Renaming
            }
            (Stage::Renaming, _) => {
                cx.point(&point::LOG_RENAMED);
                cx.sync_dir();
                Stage::Naming
            }
            (Stage::Naming, _) => return self.replaced(*renewal, cx),
            (stage, done) => unreachable!("while {stage:?} the disk answered {done}"),
        };
        self.wait(State::Renewing(renewal, next), cx);
    }

    /// The new file is durable under the name of the log.
    fn replaced(&mut self, renewal: Renewal, cx: &mut Context<'_, Mvcc>) {
        let (base, last) = renewal.range;
        self.written = last;
        match renewal.then {
            Then::Open(log) => {
                self.told = last;
                cx.shared().group().log = log;
                cx.note(Note::Group(GroupNote::LogOpened(base, last)));
                self.tell_member(GroupMsg::LogOpened, cx);
                if !self.leaving {
                    self.join(cx);
                }
            }
            Then::Release => {
                cx.shared().group().log.release(base);
                cx.mark(&mark::LOG_RELEASED);
            }
            Then::Reset => {
                let group = cx.shared().group();
                group.log.reset(base);
                group.log.synced(last);
                // Nothing else gets into a snapshot.
                group.committed = group.committed.max(base);
                cx.mark(&mark::LOG_RESET);
                self.tell_member(GroupMsg::LogReset, cx);
                self.durable(cx);
            }
        }
        self.settle(cx);
    }
}

fn fail(reason: &'static str, cx: &mut Context<'_, Mvcc>) {
    cx.mark(&mark::DISK_ENDED_PROCESS);
    cx.fail_stop(reason);
}

#[cfg(test)]
mod tests;
