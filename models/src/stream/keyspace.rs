//! What the application knows of the streams of a keyspace.
//!
//! ```text
//!  messages ─▶ filter ─▶ queue of a vbucket ─▶ the stable part ─▶ both indexes
//!              session,   high-water point      up to the end of
//!              begin, seq                       a whole snapshot
//! ```

use std::collections::BTreeMap;

use seedbed_sim::actor::Context;
use seedbed_sim::id::ConnId;
use seedbed_sim::time::{Span, Time};

use super::failover::{Answer, FailoverLog, Request};
use super::index::Index;
use super::message::Timer;
use super::model::Stream;
use super::note::Note;
use super::op::{Keyspace, Point, Vb};
use super::payload::What;
use super::queue::MutationQueue;
use super::store::Mutation;
use super::{bugs, mark};

/// How a vbucket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Its stream has not begun in this session.
    Init,
    /// It has, once.
    Begun,
    /// It has ended.
    Ended,
    /// Its connection has, or it has begun at two places.
    Broken,
}

/// A vbucket.
#[derive(Clone, Debug)]
pub struct Track {
    /// How it stands.
    pub status: Status,
    /// Begins without an end.
    pub count: i32,
    pub(super) changed_at: Time,
    /// When it was well last, or was opened.
    pub(super) trouble_since: Time,
    /// The request that is under way: its attempt and when; and which routers have refused it.
    pub(super) asked: Option<(u32, Time)>,
    pub(super) refused: u8,
    /// An answer said that nothing more is to be done. Only a planted bug believes that.
    pub(super) is_given_up: bool,
    /// The high-water point: the last mutation that was taken in.
    pub high: Point,
    /// The last point at the end of a snapshot.
    pub whole: Point,
    source: Option<ConnId>,
    uuid: u64,
    pub(super) snapshot: Option<(u64, u64)>,
    /// Up to where what was stable has been decided.
    decided: u64,
    /// What was taken in and is not in the indexes.
    pub queue: MutationQueue,
}

/// A keyspace.
#[derive(Clone, Debug)]
pub struct Side {
    /// Which.
    pub keyspace: Keyspace,
    /// Whether the application wants it.
    pub is_wanted: bool,
    /// The session; 0 before the first.
    pub session: u64,
    pub(super) attempt: u32,
    /// Its vbuckets.
    pub vbs: BTreeMap<u16, Track>,
    /// Its indexes.
    pub indexes: [Index; 2],
    /// What has to be forgotten.
    pub(super) rollbacks: BTreeMap<u16, u64>,
    /// What goes into the indexes next.
    pub(super) stable: BTreeMap<u16, Point>,
    pub(super) waits_for_stable: bool,
    /// When its streams are looked at next, if that is due.
    look_at: Option<Time>,
}

impl Track {
    pub(super) fn new(from: Point, now: Time) -> Track {
        Track {
            status: Status::Init,
            count: 0,
            changed_at: now,
            trouble_since: now,
            asked: None,
            refused: 0,
            is_given_up: false,
            high: from,
            whole: from,
            source: None,
            uuid: 0,
            snapshot: None,
            decided: from.seq,
            queue: MutationQueue::default(),
        }
    }

    fn becomes(&mut self, status: Status, now: Time) {
        if self.status == Status::Begun && status != Status::Begun {
            self.trouble_since = now;
        }
        (self.status, self.changed_at) = (status, now);
        self.asked = None;
        self.refused = 0;
    }

    /// Its connection has ended, or it has to be taken for broken.
    pub(super) fn breaks(&mut self, now: Time) {
        self.count = 0;
        self.becomes(Status::Broken, now);
    }

    fn begins(&mut self, now: Time, cx: &mut Context<'_, Stream>) {
        self.is_given_up = false;
        if cx.bug(&bugs::OWNERSHIP_IS_A_BOOLEAN) {
            self.count = 1;
            return self.becomes(Status::Begun, now);
        }
        self.count += 1;
        if self.count > 1 {
            cx.mark(&mark::BEGUN_TWICE);
            return self.breaks(now);
        }
        self.becomes(Status::Begun, now);
    }

    fn ends(&mut self, now: Time) {
        if matches!(self.status, Status::Init | Status::Broken) {
            return;
        }
        self.count -= 1;
        match self.count {
            0 => self.becomes(Status::Ended, now),
            count if count < 0 => self.breaks(now),
            _ => {}
        }
    }
}

impl Side {
    pub(super) fn new(keyspace: Keyspace) -> Side {
        Side {
            keyspace,
            is_wanted: true,
            session: 0,
            attempt: 0,
            vbs: BTreeMap::new(),
            indexes: [Index::default(), Index::default()],
            rollbacks: BTreeMap::new(),
            stable: BTreeMap::new(),
            waits_for_stable: false,
            look_at: None,
        }
    }

    /// Has its streams looked at no later than so long from now. A look that comes sooner stays: what happens meanwhile
    /// must not put it off, or it never comes while there is traffic.
    pub(super) fn look_within(&mut self, span: Span, cx: &mut Context<'_, Stream>) {
        let at = Time(cx.now().0 + span.0);
        if self.look_at.is_none_or(|due| at < due) || cx.bug(&bugs::LOOK_PUT_OFF) {
            self.look_at = Some(at);
            cx.arm(Timer::Ladder(self.keyspace), span);
        }
    }

    /// Whether there is anything to be repaired.
    #[must_use]
    pub fn is_unwell(&self) -> bool {
        let has_trouble = |track: &Track| track.status != Status::Begun;
        self.is_wanted
            && self.session > 0
            && (!self.rollbacks.is_empty() || self.vbs.values().any(has_trouble))
    }

    /// Its streams are looked at now.
    pub(super) fn looked(&mut self) {
        self.look_at = None;
    }

    /// Where the streams of a session begin: what both indexes have.
    pub(super) fn restart_point(&self, vb: u16, cx: &Context<'_, Stream>) -> Point {
        let [one, other] = &self.indexes;
        if cx.bug(&bugs::VECTOR_PICKED_WHOLE) {
            let sum = |index: &Index| index.at.values().map(|point| point.seq).sum::<u64>();
            return if sum(one) >= sum(other) { one.point(vb) } else { other.point(vb) };
        }
        let (one, other) = (one.point(vb), other.point(vb));
        if cx.bug(&bugs::POINT_OF_TWO_SOURCES) {
            let least = if one.seq <= other.seq { one } else { other };
            return Point { uuid: one.uuid.max(other.uuid), ..least };
        }
        if one.seq <= other.seq { one } else { other }
    }

    /// Begins a session: nothing of what was under way counts any more.
    pub(super) fn begin(
        &mut self,
        (session, now): (u64, Time),
        numbers: impl Iterator<Item = u16>,
        cx: &mut Context<'_, Stream>,
    ) {
        self.session = session;
        self.attempt = 0;
        self.rollbacks.clear();
        self.stable.clear();
        let points: Vec<(u16, Point)> =
            numbers.map(|vb| (vb, self.restart_point(vb, cx))).collect();
        for (vb, from) in &points {
            // Who asks from 0 is sent no tombstones that are forgotten, and so must have nothing.
            if from.seq == 0 {
                self.indexes.iter_mut().for_each(|index| index.forget(*vb));
            }
        }
        self.vbs = points.into_iter().map(|(vb, from)| (vb, Track::new(from, now))).collect();
        cx.note(Note::Session(self.keyspace, session));
    }

    /// Takes in a message of the current session.
    pub(super) fn take(
        &mut self,
        (conn, number, now): (ConnId, u16, Time),
        what: &What,
        cx: &mut Context<'_, Stream>,
    ) {
        let vb = Vb { keyspace: self.keyspace, number };
        let Some(track) = self.vbs.get_mut(&number) else { return };
        match what {
            What::Begin(uuid, log) => {
                track.begins(now, cx);
                (track.source, track.uuid, track.snapshot) = (Some(conn), *uuid, None);
                if cx.bug(&bugs::FILTER_FROM_ZERO) {
                    track.high = Point { seq: 0, ..track.high };
                }
                if cx.bug(&bugs::STABLE_FORGOTTEN) {
                    track.whole = Point::default();
                }
                track.cut_off(log);
                self.compare(number, log);
            }
            What::End(_) => {
                track.ends(now);
                if track.source == Some(conn) {
                    track.source = None;
                }
            }
            // Who began last is who is listened to.
            _ if track.source != Some(conn) => cx.mark(&mark::OTHER_SOURCE),
            What::Snapshot(start, end, _) => {
                let last = track.high.snap_end;
                if track.snapshot.is_none() && *start == 0 && track.high.seq > 0 {
                    // It was asked for when there was nothing. Tombstones that are forgotten are not sent to who asks from
                    // 0, and so what there is by now has to go.
                    cx.mark(&mark::FROM_ZERO_AFTER_ALL);
                    self.rollbacks.insert(number, 0);
                }
                if *end < last {
                    cx.mark(&mark::SMALLER_SNAPSHOT);
                    if cx.bug(&bugs::SNAPSHOT_END_ONLY_GROWS) {
                        return;
                    }
                }
                track.snapshot = Some((*start, *end));
            }
            What::Upsert(seq, key, value) => {
                let mutation = Mutation { seq: *seq, key: *key, value: Some(*value) };
                track.mutation(vb, self.session, mutation, cx);
            }
            What::Delete(seq, key) => {
                let mutation = Mutation { seq: *seq, key: *key, value: None };
                track.mutation(vb, self.session, mutation, cx);
            }
        }
    }

    /// Holds what there is against the branches of a stream that begins: what lies on a branch that has ended before it
    /// has to be forgotten.
    fn compare(&mut self, vb: u16, log: &FailoverLog) {
        let Some(track) = self.vbs.get(&vb) else { return };
        let [one, other] = &self.indexes;
        for from in [track.high, one.point(vb), other.point(vb)] {
            let request = Request { from, end: u64::MAX, strict_uuid: false, remote_purge: 0 };
            if let Answer::Rollback(seq) = log.answer(&request, u64::MAX, 0) {
                let least = self.rollbacks.entry(vb).or_insert(seq);
                *least = seq.min(*least);
            }
        }
    }

    /// Decides what is stable; whether that is anything new.
    pub(super) fn decide_stable(&mut self, cx: &mut Context<'_, Stream>) -> bool {
        if !self.is_wanted {
            // What has come is forgotten.
            return false;
        }
        for (number, track) in &mut self.vbs {
            if self.rollbacks.contains_key(number) {
                // An index may be ahead on another branch, and would take what is new for what it has.
                continue;
            }
            let mut upto = track.whole;
            if cx.bug(&bugs::STABLE_AHEAD) && !track.queue.is_empty() {
                upto = Point { seq: track.high.snap_end, ..track.high };
            }
            if upto.seq != track.decided {
                track.decided = upto.seq;
                let vb = Vb { keyspace: self.keyspace, number: *number };
                let last = track.queue.last();
                cx.note(Note::Stable(vb, self.session, upto.seq, last));
                self.stable.insert(*number, upto);
            }
        }
        !self.stable.is_empty()
    }

    /// Puts what is stable into the indexes, and no more.
    pub(super) fn apply_stable(&mut self) {
        for (vb, upto) in std::mem::take(&mut self.stable) {
            if self.rollbacks.contains_key(&vb) {
                continue;
            }
            let Some(track) = self.vbs.get_mut(&vb) else { continue };
            let Some(taken) = track.queue.take_upto(upto.seq) else { continue };
            for mutation in taken {
                self.indexes.iter_mut().for_each(|index| index.apply(vb, &mutation));
            }
            self.indexes.iter_mut().for_each(|index| index.advance(vb, upto));
        }
    }
}

impl Track {
    /// What it has ends with the branch, of whose last snapshot it has the first mutation: nothing more will come of that
    /// snapshot, and so it is whole.
    fn cut_off(&mut self, log: &FailoverLog) {
        let Point { seq, uuid, snap_start, snap_end } = self.high;
        let upper = log.upper(uuid, u64::MAX);
        if seq == snap_start && upper.is_some_and(|upper| (seq..snap_end).contains(&upper)) {
            self.high.snap_end = seq;
            self.whole = self.high;
        }
    }

    fn mutation(&mut self, vb: Vb, session: u64, mutation: Mutation, cx: &mut Context<'_, Stream>) {
        let seq = mutation.seq;
        if seq <= self.high.seq {
            return cx.mark(&mark::SENT_AGAIN);
        }
        let (snap_start, snap_end) = self.snapshot.unwrap_or_default();
        let point = Point { seq, uuid: self.uuid, snap_start, snap_end };
        cx.note(Note::Took(vb, session, point));
        self.high = point;
        if point.is_whole() {
            self.whole = point;
        }
        self.queue.push(mutation);
    }
}
