//! The loader: reads the disk at a boot, and lets the others begin.
//!
//! ```text
//!  boot ─▶ open log ─▶ read it ─▶ create log.new ─▶ append all ─▶ sync ─▶ rename to log ─▶ sync names ─▶ loaded
//! ```
//!
//! The log is written anew at each boot, since what can be read need not be durable: the process that wrote it may have
//! died before the sync. The new log is also free of a torn tail, of unfinished transactions and of old versions.

use seedbed_sim::actor::{Context, DiskDone, DiskError, DiskEvent, DiskOp, Event};
use seedbed_sim::id::{ActorId, FileId, FileName, RequestId};
use seedbed_sim::time::Span;

use super::memory::{Memory, seconds};
use super::message::{Msg, Timer};
use super::model::Node;
use super::note::Note;
use super::op::Vb;
use super::record::{self, Record, Replayed, Saved, Standing};
use super::settings::Settings;
use super::{bugs, mark, point};

const LOG: FileName = FileName::new("log");
const NEW_LOG: FileName = FileName::new("log.new");
/// How long the disk may take for a request.
pub(super) const DISK_PATIENCE: Span = Span::ms(2_000);

/// A loader.
#[derive(Clone, Debug)]
pub struct Loader {
    settings: Settings,
    mates: Vec<ActorId>,
    state: Loading,
    request: Option<RequestId>,
    replayed: Replayed,
}

/// What the loader waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loading {
    Open,
    Content,
    Create,
    Append(FileId),
    Sync(FileId),
    Rename(FileId),
    Names(FileId),
    Over,
}

impl Loader {
    /// A loader of a node whose other actors are these.
    #[must_use]
    pub fn new(settings: Settings, mates: Vec<ActorId>) -> Loader {
        let replayed = Replayed::default();
        Loader { settings, mates, state: Loading::Open, request: None, replayed }
    }

    pub(super) fn on_event(&mut self, event: Event<Node>, cx: &mut Context<'_, Node>) {
        match event {
            Event::Boot => {
                let life = u64::from(cx.incarnation().0);
                *cx.shared() = Memory::new(self.settings, life, cx.bugs());
                let request = cx.open(LOG);
                self.wait(Loading::Open, request, cx);
            }
            Event::Disk(DiskEvent { request, result }) if self.request == Some(request) => {
                match result {
                    Ok(done) => self.done(done, cx),
                    Err(DiskError::NotFound) if self.state == Loading::Open => self.found(&[], cx),
                    Err(_) => cx.fail_stop("the disk has failed"),
                }
            }
            Event::Timer(Timer::Disk) => cx.fail_stop("the disk does not answer"),
            Event::Stop => cx.stopped(),
            _ => {}
        }
    }

    fn wait(&mut self, state: Loading, request: RequestId, cx: &mut Context<'_, Node>) {
        self.state = state;
        self.request = Some(request);
        cx.arm(Timer::Disk, DISK_PATIENCE);
    }

    /// Goes on where the answer of the disk was waited for.
    fn done(&mut self, done: DiskDone, cx: &mut Context<'_, Node>) {
        match (self.state, done) {
            (Loading::Open, DiskDone::Opened { file, len }) => {
                let len = u32::try_from(len).expect("a log is shorter than 4 GiB");
                let request = cx.read_at(file, 0, len);
                self.wait(Loading::Content, request, cx);
            }
            (Loading::Content, DiskDone::Read(log)) => self.found(&log, cx),
            (Loading::Create, DiskDone::Opened { file, .. }) => {
                let request = cx.append(file, &self.replayed.log());
                self.wait(Loading::Append(file), request, cx);
            }
            (Loading::Append(file), DiskDone::Written { .. }) => {
                let request = cx.sync(file);
                self.wait(Loading::Sync(file), request, cx);
            }
            (Loading::Sync(file), DiskDone::Done) => {
                cx.point(&point::LOG_REWRITTEN);
                let request = cx.disk(DiskOp::Rename { from: NEW_LOG, to: LOG });
                self.wait(Loading::Rename(file), request, cx);
            }
            (Loading::Rename(file), DiskDone::Done) => {
                let request = cx.sync_dir();
                self.wait(Loading::Names(file), request, cx);
            }
            (Loading::Names(file), DiskDone::Done) => self.loaded(file, cx),
            (state, done) => unreachable!("while {state:?} the disk answered {done:?}"),
        }
    }

    /// Takes what the log says; a node that has none yet begins with active vbuckets.
    fn found(&mut self, log: &[u8], cx: &mut Context<'_, Node>) {
        let (deletes, expired) =
            (!cx.bug(&bugs::DELETIONS_PASSED_OVER), !cx.bug(&bugs::EXPIRED_PASSED_OVER));
        let now = seconds(cx.wall());
        self.replayed = record::replay_with(log, |record| match record {
            Record::Delete(..) => deletes,
            Record::Set(_, _, version) => expired || version.until.is_none_or(|until| now < until),
            _ => true,
        });
        if self.replayed.torn {
            cx.mark(&mark::TORN_LOG);
        }
        if self.replayed.unfinished {
            cx.mark(&mark::UNFINISHED_TRANSACTION);
        }
        if log.is_empty() {
            for vb in 0..self.settings.vbuckets {
                let birth = cx.shared().number();
                let state = self.settings.state;
                let standing = Standing { birth, state, change: birth, persisted: 0 };
                self.replayed.vbuckets.insert(Vb(vb), Saved { standing, rows: [].into() });
            }
        }
        let request = cx.create(NEW_LOG);
        self.wait(Loading::Create, request, cx);
    }

    fn loaded(&mut self, file: FileId, cx: &mut Context<'_, Node>) {
        self.state = Loading::Over;
        cx.disarm(Timer::Disk);
        let replayed = std::mem::take(&mut self.replayed);
        let now = cx.now();
        let memory = cx.shared();
        memory.file = Some(file);
        memory.load(replayed, now.0);
        cx.note(Note::Loaded);
        for mate in &self.mates {
            cx.send(*mate, Msg::Loaded);
        }
    }
}
