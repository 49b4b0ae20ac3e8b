//! The front end: serves clients. A request is carried out in one step, unless it has to wait for its vbucket, for a value
//! or for the disk.

pub(super) mod admin;

use seedbed_sim::actor::{Context, Event};

use super::memory::seconds;
use super::message::{Msg, Phase, Timer};
use super::model::{Mates, Node};
use super::note::Note;
use super::op::{Call, Key, Request, State, Vb};
use super::response::Answer;
use super::table::{Entry, Wanted};
use super::vb::Waiter;
use super::{bugs, mark, point};

/// A front end.
#[derive(Clone, Debug)]
pub struct Front {
    mates: Mates,
    /// Those who are about to wait for the disk.
    dozing: Vec<Dozing>,
}

/// Somebody who is about to wait for a checkpoint of this birth of a vbucket.
#[derive(Clone, Debug)]
struct Dozing {
    vb: Vb,
    birth: u64,
    wanted: u64,
    waiter: Waiter,
}

impl Front {
    /// The front end of this node.
    #[must_use]
    pub fn new(mates: Mates) -> Front {
        Front { mates, dozing: Vec::new() }
    }

    pub(super) fn on_event(&mut self, event: Event<Node>, cx: &mut Context<'_, Node>) {
        match event {
            Event::Message { from, msg } => match msg {
                Msg::Ask(id, request) => {
                    let memory = cx.shared();
                    if memory.is_loaded && !memory.is_stopping {
                        let vb = request.call.vb(memory.settings.vbuckets);
                        cx.note(Note::Asked(id, vb, request.clone()));
                    }
                    self.serve(Waiter { from, id, request }, cx);
                }
                Msg::Fetched(vb, key) => self.fetched(vb, key, cx),
                Msg::Unblock(vb) => self.unblock(vb, cx),
                Msg::Published(vb) => self.published(vb, cx),
                _ => {}
            },
            Event::Phase(Phase::Wait(vb)) => self.wait(vb, cx),
            Event::Timer(Timer::Waited(number)) => self.waited(number, cx),
            Event::Stop => {
                cx.shared().is_stopping = true;
                cx.stopped();
            }
            _ => {}
        }
    }

    /// Carries a request out, refuses it, or lets it wait.
    fn serve(&mut self, waiter: Waiter, cx: &mut Context<'_, Node>) {
        let blocks = !cx.bug(&bugs::REVERT_BLOCKS_NOBODY) && !cx.bug(&bugs::REVERT_TAKES_LATER);
        let memory = cx.shared();
        if !memory.is_loaded || memory.is_stopping {
            // Nothing is known of the state of things yet, or nothing may change any more.
            return cx.send(waiter.from, Msg::Answer(waiter.id, Answer::TemporaryFailure));
        }
        let vb = waiter.request.call.vb(memory.settings.vbuckets);
        let Some(key) = waiter.request.call.key() else { return self.command(vb, waiter, cx) };
        let Some(vbucket) = memory.vbs.get_mut(&vb) else {
            return self.answer(vb, waiter, Answer::NotMyVbucket, cx);
        };
        let is_reverting = vbucket.is_reverting() && blocks;
        match vbucket.standing.state {
            State::Active if !is_reverting && vbucket.unsaved_fall.is_none() => {
                self.serve_key(vb, key, waiter, cx);
            }
            State::Active if !is_reverting => vbucket.blocked.push_back(waiter),
            State::Active | State::Pending => {
                vbucket.blocked.push_back(waiter);
                cx.mark(if is_reverting {
                    &mark::BLOCKED_BY_REVERT
                } else {
                    &mark::BLOCKED_PENDING
                });
            }
            State::Replica | State::Dead => {
                vbucket.counters.not_my_vbucket += 1;
                self.answer(vb, waiter, Answer::NotMyVbucket, cx);
            }
        }
    }

    fn serve_key(&mut self, vb: Vb, key: Key, waiter: Waiter, cx: &mut Context<'_, Node>) {
        let now = seconds(cx.wall());
        cx.note(Note::Second(now));
        self.expire(vb, key, now, cx);
        let Some(vbucket) = cx.shared().vbs.get_mut(&vb) else { return };
        let Request { call, cas } = &*waiter.request;
        let wanted = match call {
            Call::Get(key) => vbucket.table.get(*key),
            Call::Store(store) => vbucket.table.store(store, *cas, now),
            Call::Count(count) => vbucket.table.count(count, now),
            Call::Delete(key) => vbucket.table.delete(*key),
            _ => return,
        };
        match wanted {
            Wanted::Answer(answer) => self.answer(vb, waiter, answer, cx),
            Wanted::Fetch => self.fetch(vb, key, waiter, cx),
            Wanted::Put(value, flags, until, number) => {
                let old = vbucket.table.entry(key);
                let is_one_more = old.is_none_or(|entry| entry.value.is_none());
                if is_one_more && !cx.shared().has_room() {
                    cx.mark(&mark::NO_ROOM);
                    return self.answer(vb, waiter, Answer::TemporaryFailure, cx);
                }
                let entry =
                    Entry { value: Some(value), flags, until, cas: 0, dirty: true, row: None };
                self.change((vb, key), Some(entry), (waiter, number), cx);
            }
            Wanted::Remove => self.change((vb, key), None, (waiter, None), cx),
        }
    }

    /// Changes a key, and answers.
    fn change(
        &mut self,
        (vb, key): (Vb, Key),
        entry: Option<Entry>,
        (waiter, number): (Waiter, Option<u64>),
        cx: &mut Context<'_, Node>,
    ) {
        let (is_set, now) = (entry.is_some(), cx.now().0);
        let Some((cas, changed)) = cx.shared().change(vb, key, entry, now) else { return };
        let answer = match number {
            _ if !is_set => Answer::Deleted,
            Some(number) => Answer::Counted(number, cas),
            None => Answer::Stored(cas),
        };
        cx.note(Note::Served(waiter.id, vb, waiter.request, answer.clone()));
        cx.note(Note::Queued(vb, key, cas, changed));
        cx.point(&point::CHANGED);
        self.wake(cx);
        cx.send(waiter.from, Msg::Answer(waiter.id, answer));
    }

    /// Takes a key out whose time has run out.
    fn expire(&mut self, vb: Vb, key: Key, now: u64, cx: &mut Context<'_, Node>) {
        let Some(vbucket) = cx.shared().vbs.get(&vb) else { return };
        let Some(expired) = vbucket.table.entry(key).filter(|entry| entry.has_expired(now)) else {
            return;
        };
        let expired = expired.cas;
        let now = cx.now().0;
        let Some((cas, changed)) = cx.shared().change(vb, key, None, now) else { return };
        cx.note(Note::Expired(vb, key, expired, cas));
        cx.note(Note::Queued(vb, key, cas, changed));
        cx.mark(&mark::EXPIRED_AT_ACCESS);
        self.wake(cx);
    }

    fn wake(&mut self, cx: &mut Context<'_, Node>) {
        if cx.shared().wakes_flusher() {
            cx.send(self.mates.flusher, Msg::Flush);
        }
    }

    fn answer(&mut self, vb: Vb, waiter: Waiter, answer: Answer, cx: &mut Context<'_, Node>) {
        cx.note(Note::Served(waiter.id, vb, waiter.request, answer.clone()));
        cx.send(waiter.from, Msg::Answer(waiter.id, answer));
    }

    /// Lets a request wait for a value that is on disk only.
    fn fetch(&mut self, vb: Vb, key: Key, waiter: Waiter, cx: &mut Context<'_, Node>) {
        let Some(vbucket) = cx.shared().vbs.get_mut(&vb) else { return };
        let waiting = vbucket.fetching.entry(key).or_default();
        waiting.push(waiter);
        if waiting.len() == 1 {
            cx.send(self.mates.fetcher, Msg::Fetch(vb, key));
        }
        cx.mark(&mark::FETCHED);
    }

    fn fetched(&mut self, vb: Vb, key: Key, cx: &mut Context<'_, Node>) {
        let Some(vbucket) = cx.shared().vbs.get_mut(&vb) else { return };
        for waiter in vbucket.fetching.remove(&key).unwrap_or_default() {
            self.serve(waiter, cx);
        }
    }

    /// Those who have waited for the vbucket go on.
    fn unblock(&mut self, vb: Vb, cx: &mut Context<'_, Node>) {
        let Some(vbucket) = cx.shared().vbs.get_mut(&vb) else { return };
        let goes_on = vbucket.standing.state == State::Active && !vbucket.is_held();
        for waiter in std::mem::take(&mut vbucket.blocked) {
            if goes_on {
                cx.mark(&mark::UNBLOCKED);
            }
            self.serve(waiter, cx);
        }
    }
}
