//! The comparer: asks the nodes of a group for hashes of the same revision, while they go on writing and compacting.
//!
//! ```text
//! each round:  one node, its newest revision ─▶ all others, that revision ─▶ the same, if the same was compacted?
//! ```
//!
//! It is what etcd calls its corruption check (`server/etcdserver/corrupt.go`). Nodes can only be compared where both the
//! revision and what was compacted agree; a node that is behind or ahead refuses or answers for another floor.

use seedbed_sim::actor::{Context, Event};
use seedbed_sim::id::ActorId;
use seedbed_sim::time::Span;

use super::message::GroupMsg;
use super::note::GroupNote;
use crate::mvcc::hash::KvHash;
use crate::mvcc::mark;
use crate::mvcc::message::{Msg, Note, Timer};
use crate::mvcc::model::Mvcc;

/// Compares hashes.
#[derive(Clone, Debug)]
pub struct Comparer {
    members: Vec<ActorId>,
    pause: Span,
    /// The number of the round.
    round: u32,
    /// What the first node of the round has answered.
    first: Option<KvHash>,
}

impl Comparer {
    /// A comparer that begins a round so often.
    #[must_use]
    pub fn new(members: Vec<ActorId>, pause: Span) -> Comparer {
        Comparer { members, pause, round: 0, first: None }
    }

    pub(in crate::mvcc) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        match event {
            Event::Boot => cx.arm(Timer::Compare, self.pause),
            Event::Timer(Timer::Compare) => {
                self.round += 1;
                self.first = None;
                let turn = self.round as usize % self.members.len();
                cx.send(self.members[turn], Msg::Group(GroupMsg::HashAt(self.round, 0)));
                cx.arm(Timer::Compare, self.pause);
            }
            Event::Message { from, msg: Msg::Group(GroupMsg::HashIs(round, hash)) }
                if round == self.round =>
            {
                self.heard(from, hash, cx);
            }
            Event::Stop => cx.stopped(),
            _ => {}
        }
    }

    fn heard(&mut self, from: ActorId, hash: KvHash, cx: &mut Context<'_, Mvcc>) {
        let Some(first) = self.first else {
            self.first = Some(hash);
            let others = self.members.iter().filter(|member| **member != from);
            let ask = GroupMsg::HashAt(self.round, hash.revision);
            others.for_each(|member| cx.send(*member, Msg::Group(ask.clone())));
            return;
        };
        if (first.revision, first.compacted) == (hash.revision, hash.compacted) {
            cx.mark(&mark::HASHES_COMPARED);
            cx.note(Note::Group(GroupNote::Compared(first, hash)));
        }
    }
}
