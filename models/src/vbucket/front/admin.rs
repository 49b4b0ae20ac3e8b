//! Commands: states of vbuckets, online updates, waiting for the disk.

use seedbed_sim::actor::Context;
use seedbed_sim::time::Span;

use crate::checkpoint::response::Refusal;
use crate::vbucket::message::{Msg, Phase, Timer};
use crate::vbucket::model::Node;
use crate::vbucket::note::Note;
use crate::vbucket::op::{Call, Key, State, Update, Vb};
use crate::vbucket::response::Answer;
use crate::vbucket::vb::{Waiter, Window};
use crate::vbucket::{bugs, mark, point};

use super::{Dozing, Front};

/// How long a client may wait for a checkpoint to be on disk.
pub(in crate::vbucket) const PERSIST_PATIENCE: Span = Span::ms(600);

impl Front {
    pub(super) fn command(&mut self, vb: Vb, waiter: Waiter, cx: &mut Context<'_, Node>) {
        match waiter.request.call {
            Call::Update(update, _) => self.update(vb, update, waiter, cx),
            Call::State(_, state) => self.set_state(vb, state, waiter, cx),
            Call::Drop(_) => self.drop_vbucket(vb, waiter, cx),
            Call::FlushAll(_) => self.flush_all(vb, waiter, cx),
            Call::Persist(_) => self.persist(vb, waiter, cx),
            // The scripted master is another actor.
            Call::Feed(_) => self.answer(vb, waiter, Answer::NotSupported, cx),
            Call::Get(_) | Call::Store(_) | Call::Count(_) | Call::Delete(_) => {}
        }
    }

    fn update(&mut self, vb: Vb, update: Update, waiter: Waiter, cx: &mut Context<'_, Node>) {
        let now = cx.now().0;
        let forgets = cx.bug(&bugs::DEAD_WINDOW_STAYS);
        let Some(vbucket) = cx.shared().vbs.get_mut(&vb) else {
            return self.answer(vb, waiter, Answer::NotMyVbucket, cx);
        };
        if forgets && update == Update::Complete && vbucket.standing.state == State::Dead {
            return self.answer(vb, waiter, Answer::Done, cx);
        }
        let spans = vbucket.log.window().is_some_and(|window| {
            vbucket.log.open_id() > window.checkpoint && update != Update::Start
        });
        let meets = update == Update::Revert && !vbucket.log.flusher_is_in_window();
        let done = match update {
            Update::Start => vbucket.log.start(now),
            Update::Complete => vbucket.log.complete(now),
            Update::Revert => vbucket.log.begin_revert(now),
        };
        match done {
            Err(Refusal::Aborts) => cx.abort("a revert finds the flusher before the window"),
            Err(Refusal::NotSupported) => self.answer(vb, waiter, Answer::NotSupported, cx),
            Ok(_) => {
                if spans {
                    cx.mark(&mark::WINDOW_SPANNED);
                }
                if meets {
                    cx.mark(&mark::REVERT_MET_UNWRITTEN);
                }
                self.updated(vb, update, waiter, cx);
            }
        }
    }

    fn updated(&mut self, vb: Vb, update: Update, waiter: Waiter, cx: &mut Context<'_, Node>) {
        let memory = cx.shared();
        match update {
            Update::Start => {
                memory.edit(vb, |vbucket| vbucket.window = Some(Window::default()));
                self.answer(vb, waiter, Answer::Done, cx);
            }
            Update::Complete => {
                let window = memory.edit(vb, |vbucket| vbucket.window.take()).flatten();
                if let Some(asker) = window.and_then(|window| window.asker) {
                    self.answer(vb, asker, Answer::Done, cx);
                }
                let memory = cx.shared();
                memory.has_work = true;
                cx.mark(&mark::COMPLETED);
                self.answer(vb, waiter, Answer::Done, cx);
                cx.point(&point::COMPLETED);
                self.wake(cx);
            }
            Update::Revert => {
                let Some(vbucket) = memory.vbs.get_mut(&vb) else { return };
                if let Some(window) = &mut vbucket.window {
                    window.is_reverting = true;
                    window.asker = Some(waiter);
                }
                let birth = vbucket.standing.birth;
                cx.note(Note::RevertBegun(vb));
                cx.point(&point::REVERT_BEGUN);
                cx.send(self.mates.reverter, Msg::Revert(vb, birth));
            }
        }
    }

    fn set_state(&mut self, vb: Vb, state: State, waiter: Waiter, cx: &mut Context<'_, Node>) {
        let now = cx.now().0;
        let memory = cx.shared();
        if vb.0 >= memory.settings.vbuckets {
            return self.answer(vb, waiter, Answer::NotMyVbucket, cx);
        }
        let standing = memory.stand(vb, state, now);
        cx.note(Note::Stands(vb, standing.birth, standing.state, standing.change));
        if let Some(vbucket) = cx.shared().vbs.get(&vb) {
            let id = vbucket.log.open_id().0;
            cx.note(Note::Opened(vb, id));
        }
        self.answer(vb, waiter, Answer::Done, cx);
        cx.point(&point::STATE_CHANGED);
        cx.send(self.mates.keeper, Msg::Snapshot(vb, Some(standing)));
        // A promotion may have opened a checkpoint, so that there is one more to publish.
        cx.shared().has_work = true;
        self.wake(cx);
        self.unblock(vb, cx);
    }

    fn drop_vbucket(&mut self, vb: Vb, waiter: Waiter, cx: &mut Context<'_, Node>) {
        let memory = cx.shared();
        let answer = match memory.vbs.get(&vb) {
            None => Answer::NotMyVbucket,
            Some(vbucket) if vbucket.standing.state != State::Dead => Answer::NotSupported,
            Some(vbucket) if vbucket.window.is_some() => Answer::TemporaryFailure,
            Some(_) => Answer::Done,
        };
        if answer != Answer::Done {
            return self.answer(vb, waiter, answer, cx);
        }
        let Some(gone) = memory.forget(vb) else { return };
        cx.note(Note::Dropped(vb, gone.standing.birth));
        self.answer(vb, waiter, Answer::Done, cx);
        cx.mark(&mark::DROPPED);
        cx.send(self.mates.keeper, Msg::Snapshot(vb, None));
        let fetching = gone.fetching.into_values().flatten();
        for waiter in gone.blocked.into_iter().chain(fetching) {
            self.answer(vb, waiter, Answer::NotMyVbucket, cx);
        }
        for (_, waiter) in gone.persisting {
            cx.disarm(Timer::Waited(waiter.id.op.number));
            self.answer(vb, waiter, Answer::TemporaryFailure, cx);
        }
    }

    /// Deletes every key, but not what could be taken back.
    fn flush_all(&mut self, vb: Vb, waiter: Waiter, cx: &mut Context<'_, Node>) {
        let (now, is_asked) = (cx.now().0, !cx.bug(&bugs::FLUSH_ALL_KEEPS_WINDOW));
        let memory = cx.shared();
        let vbucket = memory.vbs.get_mut(&vb).filter(|vb| vb.standing.state == State::Active);
        let Some(vbucket) = vbucket else {
            return self.answer(vb, waiter, Answer::NotMyVbucket, cx);
        };
        if vbucket.unsaved_fall.is_some() {
            return vbucket.blocked.push_back(waiter);
        }
        if vbucket.window.is_some() {
            if is_asked {
                return self.answer(vb, waiter, Answer::TemporaryFailure, cx);
            }
            vbucket.log.clear(now);
        }
        let keys: Vec<Key> = vbucket.table.iter().map(|(key, _)| key).collect();
        let changes = keys.into_iter().filter_map(|key| {
            let (cas, changed) = memory.change(vb, key, None, now)?;
            Some(Note::Queued(vb, key, cas, changed))
        });
        let changes: Vec<Note> = changes.collect();
        cx.note(Note::Served(waiter.id, vb, waiter.request, Answer::Done));
        for change in changes {
            cx.note(change);
        }
        cx.mark(&mark::FLUSHED_ALL);
        cx.point(&point::CHANGED);
        self.wake(cx);
        cx.send(waiter.from, Msg::Answer(waiter.id, Answer::Done));
    }

    /// Closes the open checkpoint, and waits until all that is in closed ones is on disk.
    fn persist(&mut self, vb: Vb, waiter: Waiter, cx: &mut Context<'_, Node>) {
        let now = cx.now().0;
        let memory = cx.shared();
        let Some(vbucket) = memory.vbs.get_mut(&vb) else {
            return self.answer(vb, waiter, Answer::NotMyVbucket, cx);
        };
        if vbucket.log.create(now).is_some() {
            memory.has_work = true;
        }
        let (wanted, persisted) = (vbucket.closed().0, vbucket.standing.persisted);
        if persisted >= wanted {
            return self.answer(vb, waiter, Answer::Persisted(persisted), cx);
        }
        let birth = vbucket.standing.birth;
        self.dozing.push(Dozing { vb, birth, wanted, waiter });
        // The flusher moves on past a checkpoint only by a cycle.
        memory.has_work = true;
        self.wake(cx);
        cx.yield_to(Phase::Wait(vb));
    }

    /// It was not on disk at the first look. What has come to be there since was told to nobody, so this looks again.
    pub(super) fn wait(&mut self, vb: Vb, cx: &mut Context<'_, Node>) {
        let Some(at) = self.dozing.iter().position(|dozing| dozing.vb == vb) else { return };
        let Dozing { birth, wanted, waiter, .. } = self.dozing.remove(at);
        let vbucket = cx.shared().vbs.get_mut(&vb).filter(|vb| vb.standing.birth == birth);
        let Some(vbucket) = vbucket else {
            return self.answer(vb, waiter, Answer::TemporaryFailure, cx);
        };
        let persisted = vbucket.standing.persisted;
        if persisted >= wanted {
            cx.mark(&mark::ON_DISK_BEFORE_WAIT);
            return self.answer(vb, waiter, Answer::Persisted(persisted), cx);
        }
        let number = waiter.id.op.number;
        vbucket.persisting.push((wanted, waiter));
        cx.arm(Timer::Waited(number), PERSIST_PATIENCE);
    }

    pub(super) fn published(&mut self, vb: Vb, cx: &mut Context<'_, Node>) {
        let Some(vbucket) = cx.shared().vbs.get_mut(&vb) else { return };
        let persisted = vbucket.standing.persisted;
        let waiting = std::mem::take(&mut vbucket.persisting);
        let (done, waiting): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|(wanted, _)| *wanted <= persisted);
        vbucket.persisting = waiting;
        let left: Vec<u32> = vbucket.persisting.iter().map(|(_, w)| w.id.op.number).collect();
        for (_, waiter) in done {
            cx.mark(&mark::WAITED_FOR_DISK);
            // A request that came twice waits twice.
            if !left.contains(&waiter.id.op.number) {
                cx.disarm(Timer::Waited(waiter.id.op.number));
            }
            self.answer(vb, waiter, Answer::Persisted(persisted), cx);
        }
    }

    /// Somebody has waited for the disk for too long.
    pub(super) fn waited(&mut self, number: u32, cx: &mut Context<'_, Node>) {
        let memory = cx.shared();
        let mut found = Vec::new();
        for (vb, vbucket) in &mut memory.vbs {
            let waiting = std::mem::take(&mut vbucket.persisting);
            let (late, waiting): (Vec<_>, Vec<_>) =
                waiting.into_iter().partition(|(_, waiter)| waiter.id.op.number == number);
            vbucket.persisting = waiting;
            found.extend(late.into_iter().map(|(_, waiter)| (*vb, waiter)));
        }
        for (vb, waiter) in found {
            cx.mark(&mark::WAITED_IN_VAIN);
            self.answer(vb, waiter, Answer::TemporaryFailure, cx);
        }
    }
}
