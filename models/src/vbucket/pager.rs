//! The expiry pager: collects the keys whose time has run out, and then takes out those of them that still are what was
//! collected.

use std::collections::VecDeque;

use seedbed_sim::actor::{Context, Event};

use super::memory::seconds;
use super::message::{Msg, Phase, Timer};
use super::model::{Mates, Node};
use super::note::Note;
use super::op::{Key, State, Vb};
use super::{bugs, mark, point};

/// The pager.
#[derive(Clone, Debug)]
pub struct Pager {
    mates: Mates,
    /// What was found, with its version.
    found: VecDeque<(Vb, Key, u64)>,
}

impl Pager {
    /// The pager of this node.
    #[must_use]
    pub fn new(mates: Mates) -> Pager {
        Pager { mates, found: VecDeque::new() }
    }

    pub(super) fn on_event(&mut self, event: Event<Node>, cx: &mut Context<'_, Node>) {
        match event {
            Event::Message { msg: Msg::Loaded, .. } => self.rest(cx),
            Event::Timer(Timer::Page) => self.collect(cx),
            Event::Timer(Timer::Purge) | Event::Phase(Phase::Purge) => self.purge(cx),
            Event::Stop => {
                cx.disarm(Timer::Page);
                cx.disarm(Timer::Purge);
                self.found.clear();
                cx.stopped();
            }
            _ => {}
        }
    }

    fn rest(&mut self, cx: &mut Context<'_, Node>) {
        let interval = cx.shared().settings.pager;
        cx.arm(Timer::Page, interval);
    }

    fn collect(&mut self, cx: &mut Context<'_, Node>) {
        let now = seconds(cx.wall());
        let memory = cx.shared();
        for (vb, vbucket) in &memory.vbs {
            let expired = vbucket.table.iter().filter(|(_, entry)| entry.has_expired(now));
            self.found.extend(expired.map(|(key, entry)| (*vb, key, entry.cas)));
        }
        cx.point(&point::EXPIRED_COLLECTED);
        let delay = cx.shared().settings.purge_delay;
        if self.found.is_empty() { self.rest(cx) } else { cx.arm(Timer::Purge, delay) }
    }

    fn next(&mut self, cx: &mut Context<'_, Node>) {
        if self.found.is_empty() { self.rest(cx) } else { cx.yield_to(Phase::Purge) }
    }

    fn purge(&mut self, cx: &mut Context<'_, Node>) {
        let Some((vb, key, collected)) = self.found.pop_front() else { return self.next(cx) };
        let (now, second, checks) = (cx.now().0, seconds(cx.wall()), !cx.bug(&bugs::PURGED_UNSEEN));
        let memory = cx.shared();
        let is_stopping = memory.is_stopping;
        let vbucket = memory.vbs.get(&vb).filter(|vbucket| {
            vbucket.standing.state == State::Active && !vbucket.is_held() && !is_stopping
        });
        let entry = vbucket.and_then(|vbucket| vbucket.table.entry(key));
        let is_same =
            entry.is_some_and(|entry| entry.cas == collected && entry.has_expired(second));
        if entry.is_none() || checks && !is_same {
            if entry.is_some() {
                cx.mark(&mark::CHANGED_BEFORE_PURGE);
            }
            return self.next(cx);
        }
        let cas = entry.map_or(collected, |entry| entry.cas);
        if let Some((deletion, changed)) = memory.change(vb, key, None, now) {
            cx.note(Note::Second(second));
            cx.note(Note::Expired(vb, key, cas, deletion));
            cx.note(Note::Queued(vb, key, deletion, changed));
            cx.mark(&mark::PURGED);
        }
        if cx.shared().wakes_flusher() {
            cx.send(self.mates.flusher, Msg::Flush);
        }
        self.next(cx);
    }
}
