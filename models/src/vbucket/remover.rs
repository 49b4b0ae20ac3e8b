//! The remover: closes checkpoints that are old, removes those that nobody needs, and takes values out of memory.

use std::collections::VecDeque;

use seedbed_sim::actor::{Context, Event};

use super::mark;
use super::message::{Msg, Phase, Timer};
use super::model::{Mates, Node};
use super::note::Note;
use super::op::Vb;

/// The remover.
#[derive(Clone, Debug)]
pub struct Remover {
    mates: Mates,
    todo: VecDeque<Vb>,
}

impl Remover {
    /// The remover of this node.
    #[must_use]
    pub fn new(mates: Mates) -> Remover {
        Remover { mates, todo: VecDeque::new() }
    }

    pub(super) fn on_event(&mut self, event: Event<Node>, cx: &mut Context<'_, Node>) {
        match event {
            Event::Message { msg: Msg::Loaded, .. } => self.rest(cx),
            Event::Timer(Timer::Remove) => {
                self.todo = cx.shared().vbs.keys().copied().collect();
                self.next(cx);
            }
            Event::Phase(Phase::Remove(vb)) => self.remove(vb, cx),
            Event::Stop => {
                cx.disarm(Timer::Remove);
                cx.stopped();
            }
            _ => {}
        }
    }

    fn rest(&mut self, cx: &mut Context<'_, Node>) {
        let interval = cx.shared().settings.remover;
        cx.arm(Timer::Remove, interval);
    }

    fn next(&mut self, cx: &mut Context<'_, Node>) {
        match self.todo.pop_front() {
            Some(vb) => cx.yield_to(Phase::Remove(vb)),
            None => self.rest(cx),
        }
    }

    fn remove(&mut self, vb: Vb, cx: &mut Context<'_, Node>) {
        let now = cx.now().0;
        let memory = cx.shared();
        let surplus = match memory.settings.values {
            // There is room for all.
            usize::MAX => 0,
            values => memory.resident().saturating_sub(values),
        };
        let Some(vbucket) = memory.vbs.get_mut(&vb) else { return self.next(cx) };
        let mut has_opened = false;
        if surplus > 0 {
            has_opened = vbucket.log.create_under_pressure(now).is_some();
        }
        let collapsed = vbucket.log.collapse();
        let removed = vbucket.log.remove_unreferenced(now);
        has_opened |= removed.opened.is_some();
        let evicted = vbucket.evict(surplus);
        // The id of a checkpoint that was closed is published by a cycle of the flusher.
        memory.has_work |= has_opened;
        if collapsed > 0 {
            cx.mark(&mark::COLLAPSED);
        }
        if removed.checkpoints > 0 {
            cx.mark(&mark::CHECKPOINT_REMOVED);
        }
        for (key, cas) in evicted {
            cx.note(Note::Evicted(vb, key, cas));
            cx.mark(&mark::EVICTED);
        }
        if cx.shared().wakes_flusher() {
            cx.send(self.mates.flusher, Msg::Flush);
        }
        self.next(cx);
    }
}
