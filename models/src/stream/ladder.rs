//! The repair of streams, step by step.
//!
//! ```text
//!  ended                          open it again
//!  broken                         shut it down everywhere, and open it again
//!  not well for long              take it for broken, whatever it is
//!  not well for twice as long     a new session of the whole keyspace
//!  must be rolled back            put the indexes back to what they had before, and a new session
//! ```
//!
//! A request names session and attempt; an answer counts only for the request that a vbucket waits for. Whatever is waited
//! for is waited for so long and no longer.

use std::sync::Arc;

use seedbed_sim::actor::Context;
use seedbed_sim::time::{Span, Time};

use super::data::millis;
use super::indexer::Indexer;
use super::keyspace::{Side, Status, Track};
use super::log::Severity;
use super::message::{Ask, Msg, Request, Told};
use super::model::Stream;
use super::note::Note;
use super::op::{Keyspace, Point, Vb};
use super::settings::Settings;
use super::{bugs, mark};

/// Between two looks at streams that are not well.
pub(super) const LOOK: Span = Span::ms(50);

impl Indexer {
    /// A look at the streams of a keyspace.
    pub(super) fn look(&mut self, keyspace: Keyspace, cx: &mut Context<'_, Stream>) {
        let (now, settings) = (cx.wall(), self.settings);
        let Some(side) = self.sides.get_mut(&keyspace).filter(|side| side.is_wanted) else {
            return;
        };
        cx.note(Note::Looked(keyspace));
        if side.session == 0 || self.is_closing {
            return side.look_within(LOOK, cx);
        }
        let is_quiet = side.vbs.values().all(|track| track.asked.is_none());
        let from_zero = side.rollbacks.values().any(|seq| *seq == 0);
        if !side.rollbacks.is_empty() && (is_quiet || from_zero) {
            return self.roll_back(keyspace, cx);
        }
        let is_unwell = |track: &&Track| track.status != Status::Begun;
        let age =
            side.vbs.values().filter(is_unwell).map(|track| now.since(track.trouble_since)).max();
        let Some(age) = age else {
            if !side.rollbacks.is_empty() {
                side.look_within(LOOK, cx);
            }
            return;
        };
        let climbs = !cx.bug(&bugs::OWNERSHIP_IS_A_BOOLEAN) && !cx.bug(&bugs::EMPTY_BLAME_IGNORED);
        if climbs
            && age > settings.escalate.times(2)
            && !side.vbs.values().any(|track| track.is_given_up)
        {
            cx.mark(&mark::REOPENED);
            return self.open_session(keyspace, cx);
        }
        let (mut shut, mut open) = (Vec::new(), Vec::new());
        for (number, track) in &mut side.vbs {
            // What waits for its rollback is asked for in the session behind it.
            if side.rollbacks.contains_key(number)
                || !track.is_due((keyspace, *number), settings, cx)
            {
                continue;
            }
            let is_old = climbs && now.since(track.trouble_since) > settings.escalate;
            if is_old {
                cx.mark(&mark::ESCALATED);
            }
            if track.status == Status::Broken || is_old {
                shut.push(*number);
            }
            open.push(*number);
        }
        side.look_within(LOOK, cx);
        self.ask(keyspace, Request::Shutdown, &shut, cx);
        self.ask(keyspace, Request::Open, &open, cx);
    }

    /// Asks both routers.
    pub(super) fn ask(
        &mut self,
        keyspace: Keyspace,
        what: Request,
        numbers: &[u16],
        cx: &mut Context<'_, Stream>,
    ) {
        let (now, settings) = (cx.wall(), self.settings);
        let Some(side) = self.sides.get_mut(&keyspace).filter(|_| !numbers.is_empty()) else {
            return;
        };
        side.attempt += 1;
        let (session, attempt) = (side.session, side.attempt);
        let mut vbs = Vec::new();
        for number in numbers {
            let point = side.point(*number, settings, cx);
            vbs.push((*number, point));
            if let (Request::Open, Some(track)) = (what, side.vbs.get_mut(number)) {
                let vb = Vb { keyspace, number: *number };
                cx.note(Note::Asked(vb, session, attempt, point));
                if track.status != Status::Begun {
                    (track.asked, track.refused) = (Some((attempt, now)), 0);
                }
            }
        }
        let ask = Arc::new(Ask { keyspace, session, attempt, what, vbs });
        for router in self.routers {
            cx.send(router, Msg::Ask(ask.clone()));
        }
    }

    /// A router has answered.
    pub(super) fn told(&mut self, told: &Told, cx: &mut Context<'_, Stream>) {
        let now = cx.wall();
        let Some(side) = self.sides.get_mut(&told.keyspace) else { return };
        if !side.is_wanted || side.session != told.session {
            return cx.mark(&mark::STALE_ANSWER);
        }
        let any = cx.bug(&bugs::STALE_ANSWER_HEEDED);
        let is_current =
            |track: &Track| any || track.asked.is_some_and(|(attempt, _)| attempt == told.attempt);
        let heeded = |number: u16| {
            Note::Heeded(Vb { keyspace: told.keyspace, number }, told.session, told.attempt)
        };
        for vb in &told.active {
            let Some(track) = side.vbs.get_mut(vb) else { continue };
            if is_current(track) {
                cx.note(heeded(*vb));
                track.asked = Some((told.attempt, now));
            } else if track.status == Status::Broken {
                cx.mark(&mark::BROKEN_SINCE);
                if cx.bug(&bugs::REPAIR_ABA) {
                    // Its state looks the same as when the request was made.
                    track.is_given_up = true;
                }
            }
        }
        for vb in &told.failed {
            if let Some(track) = side.vbs.get_mut(vb).filter(|track| is_current(track)) {
                cx.note(heeded(*vb));
                track.refused |= 1 << told.router;
            }
        }
        for (vb, seq) in &told.rollback {
            let Some(track) = side.vbs.get_mut(vb).filter(|track| is_current(track)) else {
                continue;
            };
            cx.note(heeded(*vb));
            track.asked = None;
            cx.mark(&mark::ROLLBACK_ASKED);
            let least = side.rollbacks.entry(*vb).or_insert(*seq);
            *least = (*seq).min(*least);
        }
        side.look_within(LOOK, cx);
    }

    /// Puts the indexes back to what they had before the numbers that have to be forgotten, and begins anew.
    fn roll_back(&mut self, keyspace: Keyspace, cx: &mut Context<'_, Stream>) {
        let Some(side) = self.sides.get_mut(&keyspace) else { return };
        let rollbacks = std::mem::take(&mut side.rollbacks);
        self.log.say(Severity::Warning, "indexer::roll_back", || {
            format!("{keyspace} goes back in {} vbuckets", rollbacks.len())
        });
        for (which, index) in side.indexes.iter_mut().enumerate() {
            let is_old_enough = |index: &super::index::Index| {
                rollbacks.iter().all(|(vb, seq)| index.point(*vb).seq <= *seq)
            };
            if is_old_enough(index) || cx.bug(&bugs::ROLLBACK_KEEPS_INDEX) {
                continue;
            }
            let Some(archive) = self.archives.get_mut(&(keyspace, which)) else { continue };
            *index = archive.back_to(is_old_enough, cx);
        }
        for (number, seq) in rollbacks {
            cx.note(Note::RolledBack(Vb { keyspace, number }, seq));
        }
        if self.has_rolled_back.contains(&keyspace) {
            cx.mark(&mark::SECOND_ROLLBACK);
        }
        self.has_rolled_back.insert(keyspace);
        self.open_session(keyspace, cx);
    }
}

impl Track {
    /// Whether it is time to ask for it.
    fn is_due(
        &mut self,
        (keyspace, number): (Keyspace, u16),
        settings: Settings,
        cx: &mut Context<'_, Stream>,
    ) -> bool {
        if self.status == Status::Begun || self.is_given_up {
            return false;
        }
        let now = cx.wall();
        let Some((_, at)) = self.asked else {
            return now.since(self.changed_at) >= settings.repair_delay;
        };
        if self.refused == 3 {
            return now.since(at) >= settings.repair_delay.times(2);
        }
        if self.status == Status::Init && cx.bug(&bugs::EMPTY_BLAME_IGNORED) {
            // Nobody looked for what had never begun.
            return false;
        }
        let at =
            if cx.bug(&bugs::NEVER_IS_ZERO) && self.status == Status::Init { Time(0) } else { at };
        if now.since(at) < settings.begin_wait {
            return false;
        }
        cx.mark(&mark::BEGIN_MISSED);
        cx.note(Note::Missed(Vb { keyspace, number }, millis(settings.begin_wait)));
        true
    }
}

impl Side {
    /// From where a stream is to go on.
    fn point(&self, number: u16, settings: Settings, cx: &mut Context<'_, Stream>) -> Point {
        let Some(track) = self.vbs.get(&number) else { return Point::default() };
        // Who asks from 0 is sent no tombstones that are forgotten, and so must have nothing.
        let whole = settings.repairs_whole && track.whole.seq > 0;
        let point = if whole { track.whole } else { track.high };
        if let (true, Some((snap_start, snap_end))) =
            (cx.bug(&bugs::SNAPSHOT_AHEAD), track.snapshot)
        {
            return Point { snap_start, snap_end, ..point };
        }
        if !point.is_whole() {
            cx.mark(&mark::ASKED_WITHIN_SNAPSHOT);
            if cx.bug(&bugs::SNAPSHOT_END_AS_SEQNO) {
                return Point { seq: point.snap_end, ..point };
            }
        }
        point
    }
}
