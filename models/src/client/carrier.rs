//! The carrier of a data node: makes of the node what the keeper of the map says, and copies vbuckets to other nodes.
//!
//! It stands in for replication: whenever something has changed, all that stands in a vbucket is sent to its follower,
//! which becomes the same. One copy is on its way at a time, and it is sent again until there is word of it.

use std::collections::VecDeque;
use std::sync::Arc;

use seedbed_sim::actor::{Context, Event};
use seedbed_sim::id::{ActorId, OpId};
use seedbed_sim::time::Span;

use crate::vbucket::message::{AskId, Msg as NodeMsg};
use crate::vbucket::op::{Call, Key, Request, State, Vb};
use crate::vbucket::response::Answer;
use crate::vbucket::table::{Entry, Table};

use super::message::{Copy, Duty, Follower, Msg, Orders, Report, Timer};
use super::model::{Book, Peer};
use super::note::Note;
use super::op::Server;
use super::{bugs, mark, point};

/// Between two looks at what has changed.
const LOOK: Span = Span::ms(20);
/// Between two words of a node that waits for orders.
const HELLO: Span = Span::ms(100);
/// After so many looks without word a copy is sent again.
const PATIENCE_LOOKS: u32 = 5;

/// Copies of one life are numbered below those of the next.
const COPIES_OF_A_LIFE: u32 = 100_000;

/// A carrier.
#[derive(Clone, Debug)]
pub struct Carrier {
    server: Server,
    front: ActorId,
    flusher: ActorId,
    book: Arc<Book>,
    is_loaded: bool,
    /// What is to be done next, and for which orders.
    todo: VecDeque<Call>,
    orders: Option<Arc<Orders>>,
    /// What has been ordered meanwhile.
    later: Option<Arc<Orders>>,
    /// The last orders that were carried out.
    epoch: u32,
    asks: u32,
    /// By the number of the vbucket.
    sides: Vec<Side>,
}

/// What a carrier does for a vbucket.
#[derive(Clone, Debug, Default)]
struct Side {
    /// As a master: who follows.
    feeds: Option<Follower>,
    /// The copy that is on its way, or that was taken last.
    copy: Option<Arc<Copy>>,
    is_taken: bool,
    looks: u32,
    copies: u32,
    /// As a follower: since when, and the last copy that was taken.
    session: Option<u32>,
    taken: Option<u32>,
}

impl Carrier {
    /// The carrier of this node, which has this front end and flusher and so many vbuckets.
    #[must_use]
    pub fn new(
        server: Server,
        (front, flusher): (ActorId, ActorId),
        vbuckets: u8,
        book: Arc<Book>,
    ) -> Carrier {
        Carrier {
            server,
            front,
            flusher,
            book,
            is_loaded: false,
            todo: VecDeque::new(),
            orders: None,
            later: None,
            epoch: 0,
            asks: 0,
            sides: vec![Side::default(); usize::from(vbuckets)],
        }
    }

    pub(super) fn on_event(&mut self, event: Event<Peer>, cx: &mut Context<'_, Peer>) {
        match event {
            Event::Message { msg: Msg::Node(NodeMsg::Loaded), .. } => {
                self.is_loaded = true;
                self.hello(cx);
            }
            Event::Message { msg: Msg::Node(NodeMsg::Answer(id, answer)), .. }
                if id.op.number == self.asks =>
            {
                self.answered(&answer, cx);
            }
            Event::Message { msg: Msg::Orders(orders), .. } => self.ordered(orders, cx),
            Event::Message { msg: Msg::Copy(copy), .. } => self.take(&copy, cx),
            Event::Message { msg: Msg::Copied(vb, session, number), .. } => {
                self.taken(vb, session, number);
            }
            Event::Timer(Timer::Look) => self.look(cx),
            Event::Stop => {
                cx.disarm(Timer::Look);
                self.is_loaded = false;
                cx.stopped();
            }
            _ => {}
        }
    }

    fn hello(&mut self, cx: &mut Context<'_, Peer>) {
        cx.send(self.book.keeper, Msg::Hello(self.server, cx.incarnation().0));
        cx.arm(Timer::Look, HELLO);
    }

    fn look(&mut self, cx: &mut Context<'_, Peer>) {
        if self.epoch == 0 && self.orders.is_none() {
            return self.hello(cx);
        }
        let mut is_feeding = false;
        for vb in (0..).map(Vb).take(self.sides.len()) {
            is_feeding |= self.feed(vb, cx);
        }
        if is_feeding {
            cx.arm(Timer::Look, LOOK);
        }
    }

    /// Takes orders. Those for another life, and older ones, say nothing; the same ones are reported on again.
    fn ordered(&mut self, orders: Arc<Orders>, cx: &mut Context<'_, Peer>) {
        if !self.is_loaded || orders.life != cx.incarnation().0 || orders.epoch < self.epoch {
            return;
        }
        if orders.epoch == self.epoch {
            return self.report(cx);
        }
        if self.orders.is_some() {
            let known = self.later.as_ref().map_or(0, |known| known.epoch);
            if known < orders.epoch {
                self.later = Some(orders);
            }
            return;
        }
        self.begin(orders, cx);
    }

    fn begin(&mut self, orders: Arc<Orders>, cx: &mut Context<'_, Peer>) {
        self.todo = self.steps(&orders, cx);
        self.orders = Some(orders);
        self.next(cx);
    }

    /// What is to be done so that each vbucket is what the orders say.
    fn steps(&mut self, orders: &Orders, cx: &mut Context<'_, Peer>) -> VecDeque<Call> {
        let mut steps = VecDeque::new();
        for (vb, duty) in (0..).map(Vb).zip(&orders.duties) {
            let side = &mut self.sides[usize::from(vb.0)];
            let state = cx.shared().memory.vbs.get(&vb).map(|vb| vb.standing.state);
            match duty {
                Duty::Active(_) => steps.push_back(Call::State(vb, State::Active)),
                Duty::Dead(_) => steps.push_back(Call::State(vb, State::Dead)),
                Duty::Replica(session) if side.session == Some(*session) => {}
                Duty::Replica(session) => {
                    // It begins with nothing.
                    if state.is_some_and(|state| state != State::Dead) {
                        steps.push_back(Call::State(vb, State::Dead));
                    }
                    steps.extend(state.map(|_| Call::Drop(vb)));
                    steps.push_back(Call::State(vb, State::Replica));
                    (side.session, side.taken) = (Some(*session), None);
                }
            }
            if !matches!(duty, Duty::Replica(_)) {
                (side.session, side.taken) = (None, None);
            }
            let (Duty::Active(feeds) | Duty::Dead(feeds)) = duty else {
                side.feeds = None;
                continue;
            };
            if side.feeds != *feeds {
                (side.feeds, side.copy, side.is_taken) = (*feeds, None, false);
            }
        }
        steps
    }

    fn next(&mut self, cx: &mut Context<'_, Peer>) {
        let Some(call) = self.todo.pop_front() else { return self.obeyed(cx) };
        self.asks += 1;
        let op = OpId { client: cx.me(), number: self.asks };
        let request = Arc::new(Request { call, cas: 0 });
        cx.send(self.front, Msg::Node(NodeMsg::Ask(AskId { op, attempt: 1 }, request)));
    }

    fn answered(&mut self, answer: &Answer, cx: &mut Context<'_, Peer>) {
        // The node is about to stop, or has a reason to wait; orders come again.
        if *answer == Answer::TemporaryFailure {
            (self.orders, self.later) = (None, None);
            return self.todo.clear();
        }
        self.next(cx);
    }

    fn obeyed(&mut self, cx: &mut Context<'_, Peer>) {
        let Some(orders) = self.orders.take() else { return };
        self.epoch = orders.epoch;
        cx.shared().is_admitted = true;
        self.report(cx);
        cx.arm(Timer::Look, LOOK);
        let later = self.later.take().filter(|later| later.epoch > self.epoch);
        if let Some(later) = later {
            self.begin(later, cx);
        }
    }

    fn report(&mut self, cx: &mut Context<'_, Peer>) {
        let fed = (0..).map(Vb).take(self.sides.len());
        let fed = fed.map(|vb| self.is_fed(vb, cx)).collect();
        let copied = self.sides.iter().map(|side| side.taken.is_some()).collect();
        let (server, life, epoch) = (self.server, cx.incarnation().0, self.epoch);
        let report = Report { server, life, epoch, fed, copied };
        cx.send(self.book.keeper, Msg::Report(Arc::new(report)));
    }

    /// Whether the follower of a vbucket has all that stands in it.
    fn is_fed(&self, vb: Vb, cx: &mut Context<'_, Peer>) -> bool {
        let side = &self.sides[usize::from(vb.0)];
        let Some(copy) = side.copy.as_ref().filter(|_| side.is_taken) else { return false };
        let vbucket = cx.shared().memory.vbs.get(&vb);
        vbucket.is_some_and(|vbucket| is_same(&vbucket.table, &copy.entries))
    }

    /// Sends what has changed, if there is a follower; whether there is one.
    fn feed(&mut self, vb: Vb, cx: &mut Context<'_, Peer>) -> bool {
        let side = &mut self.sides[usize::from(vb.0)];
        let Some(Follower { server, session }) = side.feeds else { return false };
        let to = self.book.carriers[usize::from(server.0)];
        let memory = &cx.shared().memory;
        let Some(vbucket) = memory.vbs.get(&vb).filter(|_| memory.is_loaded) else { return true };
        let waits = side.copy.is_some() && !side.is_taken;
        if waits {
            side.looks += 1;
            if side.looks.is_multiple_of(PATIENCE_LOOKS)
                && let Some(copy) = &side.copy
            {
                cx.mark(&mark::COPY_SENT_AGAIN);
                cx.send(to, Msg::Copy(copy.clone()));
            }
            return true;
        }
        if side.copy.as_ref().is_some_and(|copy| is_same(&vbucket.table, &copy.entries)) {
            return true;
        }
        let entries: Vec<(Key, Entry)> =
            vbucket.table.iter().map(|(key, entry)| (key, entry.clone())).collect();
        side.copies += 1;
        let versions = entries.iter().map(|(key, entry)| (*key, entry.cas)).collect();
        // Those of a later life are later.
        let (number, from) = (cx.incarnation().0 * COPIES_OF_A_LIFE + side.copies, self.server);
        let copy = Arc::new(Copy { vb, session, number, from, entries });
        (side.copy, side.is_taken, side.looks) = (Some(copy.clone()), false, 0);
        cx.note(Note::Copying(vb, session, number, versions));
        cx.send(to, Msg::Copy(copy));
        true
    }

    fn taken(&mut self, vb: Vb, session: u32, number: u32) {
        let side = &mut self.sides[usize::from(vb.0)];
        let is_it = |copy: &Arc<Copy>| copy.session == session && copy.number == number;
        side.is_taken |= side.copy.as_ref().is_some_and(is_it);
    }

    /// Becomes what the master was, unless a later copy was taken.
    fn take(&mut self, copy: &Copy, cx: &mut Context<'_, Peer>) {
        let Copy { vb, session, number, from, entries } = copy;
        let side = &mut self.sides[usize::from(vb.0)];
        let memory = &mut cx.shared().memory;
        let is_replica =
            memory.vbs.get(vb).is_some_and(|vbucket| vbucket.standing.state == State::Replica);
        // While orders are being carried out, what stands there may be of an earlier session.
        let is_ready = is_replica && !memory.is_stopping && self.is_loaded && self.orders.is_none();
        if side.session != Some(*session) || !is_ready {
            return;
        }
        let to = self.book.carriers[usize::from(from.0)];
        if side.taken.is_some_and(|taken| taken >= *number) {
            return cx.send(to, Msg::Copied(*vb, *session, *number));
        }
        side.taken = Some(*number);
        let deletions = become_same(*vb, entries, cx);
        cx.note(Note::Copied(*vb, *session, *number, deletions));
        cx.point(&point::COPY_TAKEN);
        if cx.shared().memory.wakes_flusher() {
            cx.send(self.flusher, Msg::Node(NodeMsg::Flush));
        }
        cx.send(to, Msg::Copied(*vb, *session, *number));
    }
}

/// Whether a table holds just these.
fn is_same(table: &Table, entries: &[(Key, Entry)]) -> bool {
    let held = table.iter().map(|(key, entry)| (key, entry.cas));
    held.eq(entries.iter().map(|(key, entry)| (*key, entry.cas)))
}

/// Puts in what differs, and takes out what is not there; the deletions, with their versions.
fn become_same(vb: Vb, entries: &[(Key, Entry)], cx: &mut Context<'_, Peer>) -> Vec<(Key, u64)> {
    let now = cx.now().0;
    let memory = &mut cx.shared().memory;
    for (key, entry) in entries {
        let held = memory.vbs.get(&vb).and_then(|vbucket| vbucket.table.entry(*key));
        if held.is_none_or(|held| held.cas != entry.cas) {
            let entry = Entry { dirty: true, row: None, ..entry.clone() };
            let cas = entry.cas;
            let changed = memory.edit(vb, |vbucket| vbucket.change(*key, Some(entry), cas, now));
            memory.has_work |= changed.is_some_and(|changed| changed.grew);
        }
    }
    if cx.bug(&bugs::COPY_LAID_OVER) {
        return Vec::new();
    }
    let memory = &mut cx.shared().memory;
    let Some(vbucket) = memory.vbs.get(&vb) else { return Vec::new() };
    let held: Vec<Key> = vbucket.table.iter().map(|(key, _)| key).collect();
    let is_gone = |key: &Key| !entries.iter().any(|(of, _)| of == key);
    let gone: Vec<Key> = held.into_iter().filter(is_gone).collect();
    gone.into_iter()
        .filter_map(|key| memory.change(vb, key, None, now).map(|(cas, _)| (key, cas)))
        .collect()
}
