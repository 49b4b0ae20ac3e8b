//! The shipper: sends the file to a node that has fallen too far behind the log.
//!
//! ```text
//! asked ─▶ lock backend ─▶ commit ─▶ cut ─▶ unlock ─▶ connect ─▶ header ─▶ bytes, as the connection takes them ─▶ close
//! ```
//!
//! What is sent is one committed point: it is cut under the lock right behind a commit, its size is known before its
//! first byte is sent, and what is written meanwhile is not in it (etcd 36f4303fc).

use seedbed_sim::actor::{ConnEvent, Context, Event};
use seedbed_sim::id::{ActorId, ConnId, NodeId};
use seedbed_sim::time::Span;

use super::message::GroupMsg;
use super::{consistent_index, shipment};
use crate::mvcc::backend::Snapshot;
use crate::mvcc::message::{Lock, Msg, Timer};
use crate::mvcc::model::Mvcc;
use crate::mvcc::shared::Opening;
use crate::mvcc::{mark, point};

/// How long a connection may take nothing.
const PATIENCE: Span = Span::ms(60);
/// Bytes that are handed to the connection at a time.
const CHUNK: usize = 64;

/// Sends snapshots, one after the other.
#[derive(Clone, Debug)]
pub struct Shipper {
    committer: ActorId,
    /// Who receives, by node.
    receivers: Vec<ActorId>,
    state: State,
}

/// What it is doing.
#[derive(Clone, Debug)]
enum State {
    /// Waits to be asked.
    Idle,
    /// Waits for the lock, to send to this actor.
    Locking(ActorId),
    /// Waits for the commit.
    Committing(ActorId),
    /// Sends.
    Sending(Box<Shipment>),
}

/// A snapshot on its way.
#[derive(Clone, Debug)]
struct Shipment {
    conn: ConnId,
    opened: bool,
    opening: Opening,
    index: u64,
    snapshot: Option<Snapshot>,
    /// What the connection has not taken yet.
    outbox: Vec<u8>,
}

impl Shipper {
    /// A shipper that has this committer commit.
    #[must_use]
    pub fn new(committer: ActorId, receivers: Vec<ActorId>) -> Shipper {
        Shipper { committer, receivers, state: State::Idle }
    }

    pub(in crate::mvcc) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        match event {
            Event::Message { msg: Msg::Group(GroupMsg::NeedSnapshot(node)), .. } => {
                self.asked(node, cx);
            }
            Event::Locked(Lock::Backend) => self.locked(cx),
            Event::Message { msg: Msg::Committed, .. } => self.cut(cx),
            Event::Conn(event) => self.heard_of_conn(event, cx),
            Event::Timer(Timer::Answer) => self.give_up(cx),
            Event::Stop => cx.stopped(),
            _ => {}
        }
    }

    fn asked(&mut self, node: NodeId, cx: &mut Context<'_, Mvcc>) {
        let (State::Idle, Some(to)) = (&self.state, self.receivers.get(usize::from(node.0))) else {
            return;
        };
        self.state = State::Locking(*to);
        cx.lock(Lock::Backend);
    }

    /// The store may be closed by now, or about to be.
    fn locked(&mut self, cx: &mut Context<'_, Mvcc>) {
        let State::Locking(to) = self.state else { unreachable!("it asked for the lock once") };
        let shared = cx.shared();
        if shared.stopping || !shared.is_open() {
            self.state = State::Idle;
            return cx.unlock(Lock::Backend);
        }
        self.state = State::Committing(to);
        cx.send(self.committer, Msg::Commit);
    }

    fn cut(&mut self, cx: &mut Context<'_, Mvcc>) {
        let State::Committing(to) = self.state else { unreachable!("it asked for a commit") };
        let opening = cx.shared().opening();
        let backend = cx.shared().backend(opening).expect("it is not closed under the lock");
        let (index, snapshot) = (consistent_index(backend), backend.snapshot());
        cx.point(&point::SNAPSHOT_CUT);
        cx.unlock(Lock::Backend);
        let outbox = shipment::header(index, snapshot.size());
        let (conn, snapshot) = (cx.connect(to), Some(snapshot));
        let shipment = Shipment { conn, opened: false, opening, index, snapshot, outbox };
        self.state = State::Sending(Box::new(shipment));
        cx.arm(Timer::Answer, PATIENCE);
    }

    fn heard_of_conn(&mut self, event: ConnEvent, cx: &mut Context<'_, Mvcc>) {
        let State::Sending(shipment) = &mut self.state else { return };
        if shipment.conn != event.conn() {
            return;
        }
        match event {
            ConnEvent::Opened { .. } => {
                shipment.opened = true;
                self.send(cx);
            }
            ConnEvent::Writable { .. } => self.send(cx),
            ConnEvent::Refused { .. } | ConnEvent::Closed { .. } => self.end(cx),
            ConnEvent::Readable { .. } | ConnEvent::Accepted { .. } => {}
        }
    }

    /// Hands over what the connection takes.
    fn send(&mut self, cx: &mut Context<'_, Mvcc>) {
        let State::Sending(shipment) = &mut self.state else { return };
        let Shipment { conn, outbox, snapshot, .. } = &mut **shipment;
        let snapshot = snapshot.as_mut().expect("it is given back at the end");
        loop {
            if outbox.is_empty() {
                outbox.extend(snapshot.chunk(CHUNK));
            }
            if outbox.is_empty() {
                cx.close(*conn);
                return self.end(cx);
            }
            let taken = cx.write(*conn, outbox);
            outbox.drain(..taken);
            if !outbox.is_empty() {
                return cx.arm(Timer::Answer, PATIENCE);
            }
        }
    }

    fn give_up(&mut self, cx: &mut Context<'_, Mvcc>) {
        if let State::Sending(shipment) = &self.state {
            cx.reset(shipment.conn);
            self.end(cx);
        }
    }

    /// A snapshot has to be closed, whether all of it was sent or not.
    fn end(&mut self, cx: &mut Context<'_, Mvcc>) {
        let State::Sending(mut shipment) = std::mem::replace(&mut self.state, State::Idle) else {
            return;
        };
        cx.disarm(Timer::Answer);
        let snapshot = shipment.snapshot.take().expect("it is given back once");
        let whole = snapshot.is_done();
        if let Ok(backend) = cx.shared().backend(shipment.opening) {
            let now = consistent_index(backend);
            backend.close_snapshot(snapshot);
            if whole && now > shipment.index {
                cx.mark(&mark::SNAPSHOT_WHILE_WRITING);
            }
        }
    }
}
