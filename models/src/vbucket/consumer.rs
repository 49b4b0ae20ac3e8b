//! The consumer: takes what an active vbucket on another node says into the replica here.
//!
//! A frame may come again after a connection was lost. That is harmless: a version is put in again, a checkpoint that is
//! over is ended once, steps of online updates name the update and are done once, and what belongs to an update that was
//! taken back is left out.

use std::collections::BTreeSet;

use seedbed_sim::actor::{ConnEvent, Context, Event};
use seedbed_sim::id::ConnId;
use seedbed_sim::time::Span;

use crate::checkpoint::op::{CheckpointId, Epoch, Event as Step, EventKind, Incarnation};
use crate::checkpoint::response::{Accepted, Ended, Started};

use super::frame::{Frame, What};
use super::message::{Msg, Timer};
use super::model::{Mates, Node};
use super::note::Note;
use super::op::{Key, State, Vb};
use super::response::Answer;
use super::table::Entry;
use super::vb::{Waiter, Window};
use super::{bugs, mark, point};

/// The consumer of one vbucket.
#[derive(Clone, Debug)]
pub struct Consumer {
    mates: Mates,
    vb: Vb,
    conn: Option<ConnId>,
    inbox: Vec<u8>,
    /// A frame that waits for the end of a revert.
    held: Option<Frame>,
    /// What the buffer of the connection had no room for.
    outbox: Vec<u8>,
    /// The session that the replica is of: who speaks, and the birth that it filled.
    session: u64,
    birth: u64,
    /// A vbucket that was promoted meanwhile has another one.
    incarnation: Option<Incarnation>,
    /// All up to this number has been taken in.
    taken: u32,
    /// The last number that was taken in and not acknowledged.
    unacknowledged: Option<u32>,
    /// Online updates that were taken back.
    reverted: BTreeSet<u64>,
}

/// One of so many frames is acknowledged at once.
const ACK_EVERY: u32 = 6;
/// Others are after this time.
const ACK_DELAY: Span = Span::ms(900);

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Done,
    /// It cannot be taken in before the end of a revert.
    Waits,
    /// The connection ends here.
    HangUp,
    /// The session ends here.
    Refused,
}

impl Consumer {
    /// The consumer of this vbucket.
    #[must_use]
    pub fn new(mates: Mates, vb: Vb) -> Consumer {
        Consumer {
            mates,
            vb,
            conn: None,
            inbox: Vec::new(),
            held: None,
            outbox: Vec::new(),
            session: 0,
            birth: 0,
            incarnation: None,
            taken: 0,
            unacknowledged: None,
            reverted: BTreeSet::new(),
        }
    }

    /// The session that the replica is of.
    #[must_use]
    pub fn session(&self) -> u64 {
        self.session
    }

    pub(super) fn on_event(&mut self, event: Event<Node>, cx: &mut Context<'_, Node>) {
        match event {
            Event::Conn(ConnEvent::Accepted { conn, .. }) => self.accepted(conn, cx),
            Event::Conn(ConnEvent::Readable { conn }) if self.conn == Some(conn) => self.read(cx),
            Event::Conn(ConnEvent::Writable { conn }) if self.conn == Some(conn) => self.write(cx),
            Event::Conn(ConnEvent::Closed { conn, .. }) if self.conn == Some(conn) => {
                self.conn = None;
            }
            Event::Message { msg: Msg::Unblock(vb), .. } => {
                // Clients may wait for the same, if the replica was promoted meanwhile.
                cx.send(self.mates.front, Msg::Unblock(vb));
                self.read(cx);
            }
            Event::Timer(Timer::Read) => {
                if let Some(number) = self.unacknowledged.take() {
                    self.say(number, What::Ack, cx);
                }
            }
            Event::Stop => {
                self.hang_up(cx);
                cx.stopped();
            }
            _ => {}
        }
    }

    fn hang_up(&mut self, cx: &mut Context<'_, Node>) {
        if let Some(conn) = self.conn.take() {
            cx.reset(conn);
        }
    }

    fn accepted(&mut self, conn: ConnId, cx: &mut Context<'_, Node>) {
        self.hang_up(cx);
        if !cx.shared().is_loaded || cx.shared().is_stopping {
            return cx.reset(conn);
        }
        self.conn = Some(conn);
        self.inbox.clear();
        self.held = None;
        self.outbox.clear();
        self.unacknowledged = None;
        if !self.is_same(cx) {
            self.session = 0;
        }
        self.say(0, What::Hello(self.session), cx);
    }

    /// Whether the vbucket is the one that the session filled. One that was made anew or promoted is another one.
    fn is_same(&self, cx: &mut Context<'_, Node>) -> bool {
        let vbucket = cx.shared().vbs.get(&self.vb);
        vbucket.is_some_and(|vbucket| {
            vbucket.standing.birth == self.birth
                && Some(vbucket.log.incarnation()) == self.incarnation
        })
    }

    fn say(&mut self, number: u32, what: What, cx: &mut Context<'_, Node>) {
        self.outbox.extend(Frame { number, what }.encode());
        self.write(cx);
    }

    fn write(&mut self, cx: &mut Context<'_, Node>) {
        if let Some(conn) = self.conn {
            let written = cx.write(conn, &self.outbox);
            self.outbox.drain(..written);
        }
    }

    fn read(&mut self, cx: &mut Context<'_, Node>) {
        let Some(conn) = self.conn else { return };
        cx.read(conn, usize::MAX, &mut self.inbox);
        while self.conn.is_some() {
            let held =
                self.held.take().map_or_else(|| Frame::take(&mut self.inbox), |f| Ok(Some(f)));
            let Ok(Some(frame)) = held else { return };
            let taken = match cx.shared().is_stopping {
                true => Taken::HangUp,
                false => self.take(&frame, cx),
            };
            match taken {
                Taken::Done => {
                    cx.point(&point::FRAME_TAKEN);
                    self.taken = self.taken.max(frame.number);
                    self.acknowledge(frame.number, cx);
                }
                Taken::Waits => {
                    self.held = Some(frame);
                    return;
                }
                Taken::HangUp => self.hang_up(cx),
                // Once, and nothing about that session after it: the next one would take it for its own.
                Taken::Refused => {
                    self.unacknowledged = None;
                    if std::mem::take(&mut self.session) != 0 {
                        self.say(frame.number, What::Refuse, cx);
                    }
                }
            }
        }
    }

    /// Says that all up to this number has been taken in: at once every few frames, or else a little later.
    fn acknowledge(&mut self, number: u32, cx: &mut Context<'_, Node>) {
        if number == 0 {
            return self.say(number, What::Ack, cx);
        }
        if number.is_multiple_of(ACK_EVERY) {
            self.unacknowledged = None;
            return self.say(number, What::Ack, cx);
        }
        if self.unacknowledged.is_none() {
            cx.arm(Timer::Read, ACK_DELAY);
        }
        self.unacknowledged = Some(number);
    }

    fn take(&mut self, frame: &Frame, cx: &mut Context<'_, Node>) -> Taken {
        let vb = self.vb;
        if let What::Begin(session) = frame.what {
            return self.begin(session, cx);
        }
        let state = cx.shared().vbs.get(&vb).map(|vbucket| vbucket.standing.state);
        if !matches!(state, Some(State::Replica | State::Pending)) {
            return Taken::HangUp;
        }
        if self.session == 0 || !self.is_same(cx) {
            return Taken::Refused;
        }
        let me = cx.me();
        let Some(vbucket) = cx.shared().vbs.get_mut(&vb) else { return Taken::HangUp };
        if vbucket.is_held() {
            if let Some(window) = &mut vbucket.window {
                window.follower = Some(me);
            }
            cx.mark(&mark::FRAME_WAITED);
            return Taken::Waits;
        }
        match &frame.what {
            What::Start(id) => self.start(*id, cx),
            What::End(id) => match vbucket.log.accept_end(*id) {
                Ended::Disconnect => Taken::HangUp,
                Ended::Ignored | Ended::Closed => {
                    let entries = vbucket.table.iter();
                    let held = entries.map(|(key, entry)| (key, entry.cas)).collect();
                    cx.shared().has_work = true;
                    // What comes again is about a state that has been left behind.
                    if frame.number > self.taken {
                        cx.note(Note::Ended(vb, (self.session, frame.number), held));
                    }
                    self.wake(cx);
                    Taken::Done
                }
            },
            What::Set(window, version) => {
                let (value, flags) = (Some(version.value.clone()), version.flags);
                let (until, cas) = (version.until, version.cas);
                let entry = Entry { value, flags, until, cas, dirty: true, row: None };
                self.change((version.key, cas, *window), Some(entry), cx)
            }
            What::Delete(window, key, cas) => self.change((*key, *cas, *window), None, cx),
            What::Update(step) => self.update(*step, cx),
            What::Idle => Taken::Done,
            What::Hello(_) | What::Ack | What::Refuse | What::Begin(_) => Taken::HangUp,
        }
    }

    /// A checkpoint begins, which may be an earlier one than that which is open.
    fn start(&mut self, id: CheckpointId, cx: &mut Context<'_, Node>) -> Taken {
        let (vb, now) = (self.vb, cx.now().0);
        let (me, is_forgotten) = (cx.me(), cx.bug(&bugs::ROLLED_BACK_ID_NOT_SAVED));
        let Some(vbucket) = cx.shared().vbs.get_mut(&vb) else { return Taken::HangUp };
        match vbucket.log.accept_start(now, id) {
            Started::Refused => return Taken::Refused,
            Started::Merged { persisted_at_most } => {
                vbucket.rewinds += 1;
                let before = vbucket.standing.persisted;
                if let Some(most) = persisted_at_most {
                    vbucket.standing.persisted = most.0.min(before);
                }
                let standing = vbucket.standing;
                if standing.persisted < before && !is_forgotten {
                    vbucket.unsaved_fall = Some(me);
                }
                cx.note(Note::Merged(vb, id.0, standing.persisted));
                if standing.persisted < before && !is_forgotten {
                    // After a crash the disk would still say the greater one.
                    cx.send(self.mates.keeper, Msg::Snapshot(vb, Some(standing)));
                }
                cx.mark(&mark::MERGED);
            }
            Started::Ignored | Started::Renumbered | Started::Opened => {
                let id = vbucket.log.open_id().0;
                cx.note(Note::Opened(vb, id));
            }
        }
        cx.shared().has_work = true;
        self.wake(cx);
        Taken::Done
    }

    /// A session begins: whatever was here is gone.
    fn begin(&mut self, session: u64, cx: &mut Context<'_, Node>) -> Taken {
        let (vb, now, bugs) = (self.vb, cx.now().0, cx.bugs());
        let memory = cx.shared();
        let state = memory.vbs.get(&vb).map_or(State::Replica, |vbucket| vbucket.standing.state);
        if !matches!(state, State::Replica | State::Pending) {
            return Taken::HangUp;
        }
        let mut waiting: Vec<(Waiter, Answer)> = Vec::new();
        let gone = memory.forget(vb);
        let standing = memory.create(vb, state, now);
        if let (Some(gone), Some(vbucket)) = (gone, memory.vbs.get_mut(&vb)) {
            // The fetcher has them on its list, and the front end goes on with them when it says so.
            (vbucket.blocked, vbucket.fetching) = (gone.blocked, gone.fetching);
            waiting.extend(gone.persisting.into_iter().map(|(_, w)| (w, Answer::TemporaryFailure)));
            let asker = gone.window.as_ref().and_then(|window| window.asker.clone());
            waiting.extend(asker.map(|asker| (asker, Answer::NotMyVbucket)));
            if gone.window.is_some() && bugs.has(&bugs::RESET_KEEPS_WINDOW) {
                vbucket.log = gone.log;
                vbucket.log.clear(now);
            }
            cx.note(Note::Dropped(vb, gone.standing.birth));
        }
        if !waiting.is_empty() {
            cx.mark(&mark::ANSWERED_BY_RESET);
        }
        for (waiter, answer) in waiting {
            cx.note(Note::Served(waiter.id, vb, waiter.request, answer.clone()));
            cx.send(waiter.from, Msg::Answer(waiter.id, answer));
        }
        cx.note(Note::Stands(vb, standing.birth, state, standing.change));
        cx.send(self.mates.keeper, Msg::Snapshot(vb, Some(standing)));
        cx.mark(&mark::SESSION_BEGAN);
        (self.session, self.taken) = (session, 0);
        self.birth = standing.birth;
        if let Some(vbucket) = cx.shared().vbs.get(&vb) {
            self.incarnation = Some(vbucket.log.incarnation());
        }
        self.reverted.clear();
        Taken::Done
    }

    fn change(
        &mut self,
        (key, cas, window): (Key, u64, u64),
        entry: Option<Entry>,
        cx: &mut Context<'_, Node>,
    ) -> Taken {
        let (vb, now) = (self.vb, cx.now().0);
        if self.reverted.contains(&window) {
            cx.mark(&mark::REVERTED_CAME_AGAIN);
            return Taken::Done;
        }
        let item = entry.clone();
        let memory = cx.shared();
        let Some(vbucket) = memory.vbs.get_mut(&vb) else { return Taken::HangUp };
        if vbucket.table.entry(key).is_some_and(|held| held.cas >= cas) {
            cx.mark(&mark::CHANGE_CAME_AGAIN);
            return Taken::Done;
        }
        let changed = memory.edit(vb, |vbucket| vbucket.change(key, entry, cas, now));
        let Some(changed) = changed else { return Taken::HangUp };
        memory.has_work |= changed.grew;
        cx.note(Note::Applied(vb, key, cas, item));
        // A left-over of an older stream finds no open checkpoint.
        if changed.mutation != 0 {
            cx.note(Note::Queued(vb, key, cas, changed));
        }
        self.wake(cx);
        Taken::Done
    }

    fn update(&mut self, step: Step, cx: &mut Context<'_, Node>) -> Taken {
        let (vb, now) = (self.vb, cx.now().0);
        let Some(vbucket) = cx.shared().vbs.get_mut(&vb) else { return Taken::HangUp };
        match vbucket.log.accept_event(now, step) {
            Accepted::Aborts => {
                cx.abort("a revert finds the flusher before the window");
                Taken::HangUp
            }
            Accepted::Refused if cx.bug(&bugs::UPDATE_NOT_REPEATABLE) => Taken::HangUp,
            Accepted::Refused => Taken::Refused,
            Accepted::Ignored => Taken::Done,
            Accepted::AlreadyDone => {
                cx.mark(&mark::STEP_CAME_AGAIN);
                Taken::Done
            }
            Accepted::Applied => {
                self.applied(step, cx);
                Taken::Done
            }
        }
    }

    fn applied(&mut self, step: Step, cx: &mut Context<'_, Node>) {
        let (vb, Epoch(epoch)) = (self.vb, step.epoch);
        let memory = cx.shared();
        match step.kind {
            EventKind::Start => {
                memory.edit(vb, |vbucket| vbucket.window = Some(Window::default()));
            }
            EventKind::Complete => {
                memory.edit(vb, |vbucket| vbucket.window = None);
                memory.has_work = true;
            }
            EventKind::Revert => {
                let Some(vbucket) = memory.vbs.get_mut(&vb) else { return };
                if let Some(window) = &mut vbucket.window {
                    window.is_reverting = true;
                }
                let birth = vbucket.standing.birth;
                self.reverted.insert(epoch);
                cx.point(&point::REVERT_BEGUN);
                cx.send(self.mates.reverter, Msg::Revert(vb, birth));
            }
        }
        cx.note(Note::Stepped(vb, step.kind));
        cx.mark(&mark::STEP_OF_REPLICA);
        self.wake(cx);
    }

    fn wake(&mut self, cx: &mut Context<'_, Node>) {
        if cx.shared().wakes_flusher() {
            cx.send(self.mates.flusher, Msg::Flush);
        }
    }
}
