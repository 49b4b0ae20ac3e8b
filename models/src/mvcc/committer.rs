//! The committer: the only one that touches the file. Who puts another one in its place tells it to open that.
//!
//! ```text
//! commit:  write pages ─▶ sync ─▶ write meta page ─▶ sync ─▶ tell who asked
//!
//! open:    open, or create ─▶ sync names ─▶ read ─▶ write pages ─▶ sync ─▶ write meta pages ─▶ sync ─▶ the backend
//! ```
//!
//! Each arrow is a request to the disk and a step of its own; a crash may come at any of them. Who asks for a commit
//! holds the lock of the backend until it is told that the commit is durable.
//!
//! At an opening all that was read is written again, in the order of a commit: what can be read need not be durable. The
//! process that wrote it may have died before the sync, or the sync may have failed, after which no later one covers
//! the bytes that it dropped.
//!
//! A disk that fails, has no room or does not answer ends the process (in etcd a commit that fails is fatal, too): what
//! the file holds then is found out by reading it again.

use seedbed_sim::actor::{Context, DiskDone, DiskError, Event};
use seedbed_sim::id::{ActorId, FileId, FileName};
use seedbed_sim::time::Span;

use super::backend::Backend;
use super::message::{Msg, Note, Timer};
use super::model::Mvcc;
use super::pages::{Commit, Write};
use super::shared::Opening;
use super::{bugs, mark, point};

/// The file of the backend.
pub(super) const FILE: FileName = FileName::new("db");
/// How long the disk may take for a request.
pub(super) const DISK_PATIENCE: Span = Span::ms(100);

/// Opens the file of a backend and carries out its commits.
#[derive(Clone, Debug)]
pub struct Committer {
    page_size: u32,
    state: State,
    /// The open file, and whose backend is in it.
    file: Option<FileId>,
    opening: Opening,
    /// Who is to be told.
    asker: Option<ActorId>,
    /// Answers of the disk to wait for before going on.
    left: usize,
}

/// What the committer waits for.
#[derive(Clone, Debug)]
enum State {
    /// To be asked.
    Idle,
    /// For the file to be opened.
    Opening,
    /// For a new file.
    Creating,
    /// For its name to be durable; it has so many bytes.
    Naming(u64),
    /// For its bytes.
    Reading,
    /// For another file under the same name.
    Reopening,
    /// For something to be durable.
    Writing(Box<Work>, Stage),
    /// For nothing any more: it has refused the file.
    Refused,
}

/// Something to be made durable: pages first, then meta pages.
#[derive(Clone, Debug)]
struct Work {
    pages: Vec<Write>,
    meta: Vec<Write>,
    then: Then,
}

/// What to do when it is durable.
#[derive(Clone, Debug)]
enum Then {
    /// The backend was read from the file.
    Open(Backend),
    /// The changes are committed.
    Finish(Commit),
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Pages,
    PagesSync,
    Meta,
    MetaSync,
}

impl Committer {
    /// A committer that writes pages of so many bytes.
    #[must_use]
    pub fn new(page_size: u32) -> Committer {
        let (state, opening) = (State::Idle, Opening::default());
        Committer { page_size, state, file: None, opening, asker: None, left: 0 }
    }

    pub(super) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        match event {
            Event::Message { from, msg: Msg::Open } => {
                self.asker = Some(from);
                cx.open(FILE);
                self.wait(State::Opening, 1, cx);
            }
            Event::Message { from, msg: Msg::Commit } => {
                self.asker = Some(from);
                self.commit(cx);
            }
            Event::Message { from, msg: Msg::Reopen } => {
                self.asker = Some(from);
                cx.open(FILE);
                self.wait(State::Reopening, 1, cx);
            }
            Event::Disk(answer) => match answer.result {
                Ok(done) => {
                    self.left -= 1;
                    if self.left == 0 {
                        self.go_on(done, cx);
                    }
                }
                // The first boot of all.
                Err(DiskError::NotFound) if matches!(self.state, State::Opening) => {
                    cx.create(FILE);
                    self.wait(State::Creating, 1, cx);
                }
                Err(_) => self.fail("the disk has failed", cx),
            },
            Event::Timer(Timer::Disk) => self.fail("the disk does not answer", cx),
            // It goes on serving until the front end has closed the store.
            Event::Stop => cx.stopped(),
            Event::Boot
            | Event::Invoke { .. }
            | Event::Message { .. }
            | Event::Timer(_)
            | Event::Conn(_)
            | Event::Locked(_)
            | Event::Phase(_) => {}
        }
    }

    fn fail(&mut self, reason: &'static str, cx: &mut Context<'_, Mvcc>) {
        cx.mark(&mark::DISK_ENDED_PROCESS);
        cx.fail_stop(reason);
    }

    fn wait(&mut self, state: State, answers: usize, cx: &mut Context<'_, Mvcc>) {
        self.state = state;
        self.left = answers;
        cx.arm(Timer::Disk, DISK_PATIENCE);
    }

    /// All answers have come; `done` is the last.
    fn go_on(&mut self, done: DiskDone, cx: &mut Context<'_, Mvcc>) {
        match (std::mem::replace(&mut self.state, State::Idle), done) {
            (State::Opening | State::Creating, DiskDone::Opened { file, len }) => {
                self.file = Some(file);
                // The name of a file that was there may not be durable either.
                cx.sync_dir();
                self.wait(State::Naming(len), 1, cx);
            }
            (State::Reopening, DiskDone::Opened { file, .. }) => {
                self.file = Some(file);
                self.tell(Msg::Reopened, cx);
            }
            (State::Naming(0), _) => self.opened(Backend::new(self.page_size), cx),
            (State::Naming(len), _) => {
                let len = u32::try_from(len).expect("a small file");
                cx.read_at(self.open_file(), 0, len);
                self.wait(State::Reading, 1, cx);
            }
            (State::Reading, DiskDone::Read(bytes)) => self.read(&bytes, cx),
            (State::Writing(work, stage), _) => self.written(work, stage, cx),
            (state, done) => unreachable!("while {state:?} the disk answered {done}"),
        }
    }

    fn open_file(&self) -> FileId {
        self.file.expect("nothing is read or written before the file was opened")
    }

    fn read(&mut self, bytes: &[u8], cx: &mut Context<'_, Mvcc>) {
        cx.point(&point::FILE_READ);
        let backend = match Backend::open(bytes, self.page_size) {
            Ok(backend) => backend,
            Err(error) => {
                cx.note(Note::Damaged(error));
                return cx.fail_stop("the file is damaged");
            }
        };
        if backend.was_interrupted() {
            cx.mark(&mark::TORN_COMMIT);
            if cx.bug(&bugs::TORN_META_REFUSED) {
                self.state = State::Refused;
                return cx.disarm(Timer::Disk);
            }
        }
        let metas = bytes.len().min(2 * self.page_size as usize);
        let (meta, pages) = bytes.split_at(metas);
        let write = |offset, bytes: &[u8]| Write { offset, bytes: bytes.to_vec() };
        let work = Work {
            pages: if pages.is_empty() { vec![] } else { vec![write(metas as u64, pages)] },
            meta: vec![write(0, meta)],
            then: Then::Open(backend),
        };
        self.begin(work, cx);
    }

    fn opened(&mut self, backend: Backend, cx: &mut Context<'_, Mvcc>) {
        self.opening = cx.shared().open(backend);
        self.tell(Msg::Opened(self.opening), cx);
    }

    fn tell(&mut self, msg: Msg, cx: &mut Context<'_, Mvcc>) {
        cx.disarm(Timer::Disk);
        let asker = self.asker.take().expect("somebody has asked");
        cx.send(asker, msg);
    }

    fn commit(&mut self, cx: &mut Context<'_, Mvcc>) {
        cx.shared().before_commit(self.opening);
        let backend = cx.shared().backend(self.opening);
        let backend = backend.expect("who asks for a commit holds an open backend");
        let Some(mut commit) = backend.begin_commit() else {
            return self.tell(Msg::Committed, cx);
        };
        cx.note(Note::CommitBegun);
        cx.point(&point::COMMIT_BEGUN);
        let pages = std::mem::take(&mut commit.pages);
        let meta = vec![std::mem::take(&mut commit.meta)];
        self.begin(Work { pages, meta, then: Then::Finish(commit) }, cx);
    }

    fn begin(&mut self, work: Work, cx: &mut Context<'_, Mvcc>) {
        if work.pages.is_empty() {
            return self.write(Box::new(work), Stage::Meta, cx);
        }
        self.write(Box::new(work), Stage::Pages, cx);
    }

    fn write(&mut self, work: Box<Work>, stage: Stage, cx: &mut Context<'_, Mvcc>) {
        let file = self.open_file();
        let writes = match stage {
            Stage::Pages => &work.pages,
            Stage::Meta => &work.meta,
            Stage::PagesSync | Stage::MetaSync => {
                cx.sync(file);
                return self.wait(State::Writing(work, stage), 1, cx);
            }
        };
        for write in writes {
            cx.write_at(file, write.offset, &write.bytes);
        }
        let answers = writes.len();
        self.wait(State::Writing(work, stage), answers, cx);
    }

    fn written(&mut self, work: Box<Work>, stage: Stage, cx: &mut Context<'_, Mvcc>) {
        let commits = matches!(work.then, Then::Finish(_));
        let (at, next) = match stage {
            Stage::Pages if cx.bug(&bugs::META_BEFORE_PAGES) => {
                (&point::COMMIT_PAGES_WRITTEN, Stage::Meta)
            }
            Stage::Pages => (&point::COMMIT_PAGES_WRITTEN, Stage::PagesSync),
            Stage::PagesSync => (&point::COMMIT_PAGES_SYNCED, Stage::Meta),
            Stage::Meta => (&point::COMMIT_META_WRITTEN, Stage::MetaSync),
            Stage::MetaSync => return self.durable(work.then, cx),
        };
        if commits {
            cx.point(at);
        }
        self.write(work, next, cx);
    }

    fn durable(&mut self, then: Then, cx: &mut Context<'_, Mvcc>) {
        match then {
            Then::Open(backend) => self.opened(backend, cx),
            Then::Finish(commit) => {
                cx.point(&point::COMMIT_META_SYNCED);
                let backend = cx.shared().backend(self.opening);
                backend.expect("nobody closes it during a commit").finish_commit(commit);
                cx.note(Note::Committed);
                self.tell(Msg::Committed, cx);
            }
        }
    }
}
