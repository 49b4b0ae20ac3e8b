//! The receiver: takes a snapshot that another node sends, and puts it beside the file.
//!
//! ```text
//! connection ─▶ header, bytes ─▶ all there ─▶ create `snap.tmp` ─▶ write ─▶ sync ─▶ rename to `snap` ─▶ sync names
//!            ─▶ tell the member
//! ```
//!
//! A snapshot of which the stream ends early is dropped. One that is left over on the disk is harmless: only a log that
//! begins behind the file makes a boot look for it.

use seedbed_sim::actor::{ConnEvent, Context, DiskDone, DiskOp, Event};
use seedbed_sim::id::{ActorId, ConnId, FileId, FileName};

use super::message::GroupMsg;
use super::shipment::Arrival;
use super::swap::SNAPSHOT;
use crate::mvcc::committer::DISK_PATIENCE;
use crate::mvcc::message::{Msg, Timer};
use crate::mvcc::model::Mvcc;
use crate::mvcc::{mark, point};

/// Where a snapshot is written.
const DRAFT: FileName = FileName::new("snap.tmp");

/// Takes snapshots.
#[derive(Clone, Debug)]
pub struct Receiver {
    member: ActorId,
    /// The newest connection, and what has come on it.
    arriving: Option<(ConnId, Arrival)>,
    state: State,
}

/// What it is doing to the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// Nothing.
    Idle,
    /// Makes the file for these bytes, a snapshot up to this entry.
    Creating(u64, Vec<u8>),
    /// Writes them.
    Writing(u64, FileId),
    /// Syncs them.
    Syncing(u64),
    /// Gives the file its name.
    Renaming(u64),
    /// Makes the name durable.
    Naming(u64),
}

impl Receiver {
    /// A receiver that tells this member.
    #[must_use]
    pub fn new(member: ActorId) -> Receiver {
        Receiver { member, arriving: None, state: State::Idle }
    }

    pub(in crate::mvcc) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        match event {
            Event::Conn(event) => self.heard_of_conn(event, cx),
            Event::Disk(answer) => match answer.result {
                Ok(done) => self.go_on(&done, cx),
                Err(_) => fail("the disk has failed", cx),
            },
            Event::Timer(Timer::Disk) => fail("the disk does not answer", cx),
            Event::Stop => cx.stopped(),
            _ => {}
        }
    }

    fn heard_of_conn(&mut self, event: ConnEvent, cx: &mut Context<'_, Mvcc>) {
        let conn = event.conn();
        match event {
            ConnEvent::Accepted { .. } => {
                if let Some((former, _)) = self.arriving.replace((conn, Arrival::default())) {
                    cx.reset(former);
                }
            }
            ConnEvent::Readable { .. } | ConnEvent::Closed { .. } => {
                let Some((_, arrival)) = self.arriving.as_mut().filter(|(of, _)| *of == conn)
                else {
                    return;
                };
                cx.read(conn, usize::MAX, arrival.bytes());
                let whole = arrival.whole().map(|(index, file)| (index, file.to_vec()));
                if whole.is_some() || matches!(event, ConnEvent::Closed { .. }) {
                    self.arriving = None;
                }
                if let (Some((index, file)), State::Idle) = (whole, &self.state) {
                    cx.create(DRAFT);
                    self.wait(State::Creating(index, file), cx);
                }
            }
            _ => {}
        }
    }

    fn wait(&mut self, state: State, cx: &mut Context<'_, Mvcc>) {
        self.state = state;
        cx.arm(Timer::Disk, DISK_PATIENCE);
    }

    fn go_on(&mut self, done: &DiskDone, cx: &mut Context<'_, Mvcc>) {
        match (std::mem::replace(&mut self.state, State::Idle), done) {
            (State::Creating(index, bytes), DiskDone::Opened { file, .. }) => {
                cx.write_at(*file, 0, &bytes);
                self.wait(State::Writing(index, *file), cx);
            }
            (State::Writing(index, file), _) => {
                cx.sync(file);
                self.wait(State::Syncing(index), cx);
            }
            (State::Syncing(index), _) => {
                cx.disk(DiskOp::Rename { from: DRAFT, to: SNAPSHOT });
                self.wait(State::Renaming(index), cx);
            }
            (State::Renaming(index), _) => {
                cx.sync_dir();
                self.wait(State::Naming(index), cx);
            }
            (State::Naming(index), _) => {
                cx.disarm(Timer::Disk);
                cx.point(&point::SNAPSHOT_RECEIVED);
                cx.send(self.member, Msg::Group(GroupMsg::Received(index)));
            }
            (state, done) => unreachable!("while {state:?} the disk answered {done}"),
        }
    }
}

/// The next life finds out how far this one came.
fn fail(reason: &'static str, cx: &mut Context<'_, Mvcc>) {
    cx.mark(&mark::DISK_ENDED_PROCESS);
    cx.fail_stop(reason);
}
