//! One connection of a client, and what waits for it.

use std::collections::VecDeque;

use seedbed_sim::actor::Context;
use seedbed_sim::id::ConnId;
use seedbed_sim::time::Time;

use super::frame::Reader;
use super::model::Stream;
use super::op::Vb;
use super::payload::{BATCH_LENGTH, Entry, Message, Peer};
use super::settings::Settings;
use super::{bugs, mark};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Dialling,
    Running,
    Dead,
}

/// One connection, and what waits for it.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) conn: ConnId,
    pub(super) peer: Peer,
    pub(super) state: State,
    pub(super) reader: Reader,
    /// What was read last.
    pub(super) inbox: Vec<u8>,
    pub(super) queue: VecDeque<(Vb, u64, Message)>,
    pub(super) batch: Vec<Entry>,
    pub(super) batch_count: usize,
    pub(super) batch_length: usize,
    pub(super) outbox: Vec<u8>,
    /// Messages of the frame that is being written.
    pub(super) writing: u32,
    pub(super) sent_at: Time,
    pub(super) heard_at: Time,
    pub(super) dialled_at: Time,
}

impl Slot {
    pub(super) fn new(conn: ConnId, peer: Peer, (settings, now): (Settings, Time)) -> Slot {
        Slot {
            conn,
            peer,
            state: State::Dialling,
            reader: Reader::new(settings.takes()),
            inbox: Vec::new(),
            queue: VecDeque::new(),
            batch: Vec::new(),
            batch_count: 0,
            batch_length: BATCH_LENGTH,
            outbox: Vec::new(),
            writing: 0,
            sent_at: now,
            heard_at: now,
            dialled_at: now,
        }
    }

    /// Puts a message behind the others of its vbucket and session, unless another session of it has come in between.
    pub(super) fn add(
        &mut self,
        vb: Vb,
        session: u64,
        message: Message,
        cx: &mut Context<'_, Stream>,
    ) {
        let is_mixed = cx.bug(&bugs::BATCH_WITHOUT_SESSION);
        if self.batch.iter().any(|entry| entry.vb == vb && entry.session != session) {
            cx.mark(&mark::TWO_SESSIONS_IN_BATCH);
        }
        self.batch_count += 1;
        self.batch_length += message.length();
        let last = self.batch.iter_mut().rfind(|entry| entry.vb == vb);
        if let Some(entry) = last.filter(|entry| entry.session == session || is_mixed) {
            return entry.messages.push(message);
        }
        self.batch_length += Entry::head_length(vb);
        self.batch.push(Entry { vb, session, messages: vec![message] });
    }

    /// Messages that were accepted and not written out whole.
    pub(super) fn unsent(&self) -> u32 {
        let waiting = self.queue.len() + self.batch_count;
        u32::try_from(waiting).unwrap_or(u32::MAX).saturating_add(self.writing)
    }

    pub(super) fn die(&mut self) {
        self.state = State::Dead;
        self.queue.clear();
        self.batch.clear();
        self.outbox.clear();
        (self.batch_count, self.batch_length, self.writing) = (0, BATCH_LENGTH, 0);
    }
}
