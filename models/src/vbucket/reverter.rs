//! The reverter: brings back, key by key, what an online update has changed. Clients wait meanwhile, and so does what the
//! master of a replica says.

use std::collections::{BTreeMap, VecDeque};

use seedbed_sim::actor::{Context, Event};

use super::message::{Msg, Phase};
use super::model::{Mates, Node};
use super::note::Note;
use super::op::{Key, Vb};
use super::response::Answer;
use super::vb::Window;
use super::{bugs, mark, point};

/// The reverter.
#[derive(Clone, Debug)]
pub struct Reverter {
    mates: Mates,
    jobs: BTreeMap<Vb, Job>,
}

/// What is taken back of one vbucket.
#[derive(Clone, Debug)]
struct Job {
    /// One that was made anew meanwhile has nothing to be taken back.
    birth: u64,
    is_collected: bool,
    todo: VecDeque<Key>,
}

impl Reverter {
    /// The reverter of this node.
    #[must_use]
    pub fn new(mates: Mates) -> Reverter {
        Reverter { mates, jobs: BTreeMap::new() }
    }

    pub(super) fn on_event(&mut self, event: Event<Node>, cx: &mut Context<'_, Node>) {
        match event {
            Event::Message { msg: Msg::Revert(vb, birth), .. } => {
                self.jobs.insert(vb, Job { birth, is_collected: false, todo: VecDeque::new() });
                cx.yield_to(Phase::Collect(vb));
            }
            Event::Phase(Phase::Collect(vb)) => self.collect(vb, cx),
            Event::Phase(Phase::Restore(vb)) => self.restore(cx, vb),
            Event::Phase(Phase::EndRevert(vb)) => self.end(vb, cx),
            Event::Stop => cx.stopped(),
            _ => {}
        }
    }

    /// The work on a vbucket, if it is still the same one.
    fn job(&mut self, vb: Vb, cx: &mut Context<'_, Node>) -> Option<&mut Job> {
        let birth = cx.shared().vbs.get(&vb).map(|vbucket| vbucket.standing.birth);
        if self.jobs.get(&vb).is_some_and(|job| Some(job.birth) != birth) {
            self.jobs.remove(&vb);
        }
        self.jobs.get_mut(&vb)
    }

    fn collect(&mut self, vb: Vb, cx: &mut Context<'_, Node>) {
        let Some(job) = self.job(vb, cx).filter(|job| !job.is_collected) else { return };
        job.is_collected = true;
        let vbucket = cx.shared().vbs.get_mut(&vb);
        if let Some(window) = vbucket.and_then(|vbucket| vbucket.window.as_mut()) {
            window.is_collected = true;
            job.todo.extend(window.images.keys().copied());
        }
        self.next(vb, cx);
    }

    fn next(&mut self, vb: Vb, cx: &mut Context<'_, Node>) {
        let is_left = self.jobs.get(&vb).is_some_and(|job| !job.todo.is_empty());
        cx.yield_to(if is_left { Phase::Restore(vb) } else { Phase::EndRevert(vb) });
    }

    fn restore(&mut self, cx: &mut Context<'_, Node>, vb: Vb) {
        let Some(key) = self.job(vb, cx).and_then(|job| job.todo.pop_front()) else { return };
        let bugs = cx.bugs();
        cx.shared().edit(vb, |vbucket| {
            let window = vbucket.window.as_ref();
            let image = window.and_then(|window| Some((window, window.images.get(&key)?)));
            if let Some((window, image)) = image {
                let present = vbucket.table.entry(key);
                let image = bugs::image(bugs, image.clone(), present, (window, key));
                vbucket.restore(key, image);
            }
        });
        cx.point(&point::KEY_RESTORED);
        self.next(vb, cx);
    }

    fn end(&mut self, vb: Vb, cx: &mut Context<'_, Node>) {
        if self.job(vb, cx).is_none_or(|job| !job.is_collected || !job.todo.is_empty()) {
            return;
        }
        self.jobs.remove(&vb);
        let window = cx.shared().edit(vb, |vbucket| {
            vbucket.log.finish_revert();
            vbucket.window.take()
        });
        let Some(window) = window else { return };
        cx.shared().has_work = true;
        cx.note(Note::Reverted(vb));
        cx.mark(&mark::REVERTED);
        let Window { asker, follower, .. } = window.unwrap_or_default();
        if let Some(asker) = asker {
            cx.note(Note::Served(asker.id, vb, asker.request, Answer::Done));
            cx.send(asker.from, Msg::Answer(asker.id, Answer::Done));
        }
        if let Some(follower) = follower {
            cx.send(follower, Msg::Unblock(vb));
        }
        if !cx.bug(&bugs::REVERT_WAKES_NOBODY) {
            cx.send(self.mates.front, Msg::Unblock(vb));
        }
        if cx.shared().wakes_flusher() {
            cx.send(self.mates.flusher, Msg::Flush);
        }
    }
}
