//! The reverter: brings back, key by key, what an online update has changed. Clients wait meanwhile.

use std::collections::VecDeque;

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
    todo: VecDeque<(Vb, Key)>,
}

impl Reverter {
    /// The reverter of this node.
    #[must_use]
    pub fn new(mates: Mates) -> Reverter {
        Reverter { mates, todo: VecDeque::new() }
    }

    pub(super) fn on_event(&mut self, event: Event<Node>, cx: &mut Context<'_, Node>) {
        match event {
            Event::Message { msg: Msg::Revert(vb), .. } => cx.yield_to(Phase::Collect(vb)),
            Event::Phase(Phase::Collect(vb)) => {
                let Some(vbucket) = cx.shared().vbs.get_mut(&vb) else { return };
                if let Some(window) = &mut vbucket.window {
                    window.is_collected = true;
                    self.todo.extend(window.images.keys().map(|key| (vb, *key)));
                }
                self.next(vb, cx);
            }
            Event::Phase(Phase::Restore(vb)) => self.restore(cx, vb),
            Event::Phase(Phase::EndRevert(vb)) => self.end(vb, cx),
            Event::Stop => cx.stopped(),
            _ => {}
        }
    }

    fn next(&mut self, vb: Vb, cx: &mut Context<'_, Node>) {
        let is_left = self.todo.iter().any(|(of, _)| *of == vb);
        cx.yield_to(if is_left { Phase::Restore(vb) } else { Phase::EndRevert(vb) });
    }

    fn restore(&mut self, cx: &mut Context<'_, Node>, vb: Vb) {
        let at = self.todo.iter().position(|(of, _)| *of == vb);
        let Some((_, key)) = at.and_then(|at| self.todo.remove(at)) else { return };
        let bugs = cx.bugs();
        if let Some(vbucket) = cx.shared().vbs.get_mut(&vb)
            && let Some(window) = &vbucket.window
            && let Some(image) = window.images.get(&key)
        {
            let image = bugs::image(bugs, image.clone(), vbucket.table.entry(key), (window, key));
            vbucket.restore(key, image);
        }
        cx.point(&point::KEY_RESTORED);
        self.next(vb, cx);
    }

    fn end(&mut self, vb: Vb, cx: &mut Context<'_, Node>) {
        let Some(vbucket) = cx.shared().vbs.get_mut(&vb) else { return };
        vbucket.log.finish_revert();
        let window = vbucket.window.take();
        cx.shared().has_work = true;
        cx.note(Note::Reverted(vb));
        cx.mark(&mark::REVERTED);
        if let Some(Window { asker: Some(asker), .. }) = window {
            cx.note(Note::Served(asker.id, vb, asker.request, Answer::Done));
            cx.send(asker.from, Msg::Answer(asker.id, Answer::Done));
        }
        if !cx.bug(&bugs::REVERT_WAKES_NOBODY) {
            cx.send(self.mates.front, Msg::Unblock(vb));
        }
        if cx.shared().wakes_flusher() {
            cx.send(self.mates.flusher, Msg::Flush);
        }
    }
}
