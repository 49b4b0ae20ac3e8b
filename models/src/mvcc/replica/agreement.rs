//! Agrees on the log. That is given: this actor never dies, and what it does is not on trial. What it knows of the nodes is
//! what they tell it, so that an entry counts only as long as they keep it.

use seedbed_sim::actor::{Context, Event};
use seedbed_sim::id::{ActorId, NodeId};
use seedbed_sim::time::Span;

use super::message::GroupMsg;
use super::note::GroupNote;
use crate::mvcc::message::{Msg, Note, Timer};
use crate::mvcc::model::Mvcc;
use crate::mvcc::{bugs, mark};

mod group;
#[cfg(test)]
mod tests;

use group::{Group, Reported};

/// Agrees on the log.
#[derive(Clone, Debug)]
pub struct Agreement {
    group: Group,
    resend: Span,
}

/// What follows from something that the agreement has learnt.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Effect {
    /// Somebody has to be told.
    Send(ActorId, GroupMsg),
    /// Everybody may know.
    Note(GroupNote),
}

impl Agreement {
    /// The agreement of a group with these nodes, each with its wal, its member and its keeper of leases. It says again every `resend` what was
    /// not answered.
    #[must_use]
    pub fn new(peers: Vec<(NodeId, [ActorId; 3])>, resend: Span) -> Agreement {
        Agreement { group: Group::new(peers, resend.times(5)), resend }
    }

    pub(in crate::mvcc) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        let now = cx.now();
        let effects = match event {
            Event::Boot => {
                self.group.asks_once = cx.bug(&bugs::SNAPSHOT_ASKED_ONCE);
                cx.arm(Timer::Resend, self.resend);
                return;
            }
            Event::Timer(Timer::Resend) => {
                cx.arm(Timer::Resend, self.resend);
                self.group.beat(now)
            }
            Event::Message { msg: Msg::Group(GroupMsg::Propose(proposal)), .. } => {
                self.group.propose(proposal)
            }
            Event::Message { from, msg: Msg::Group(GroupMsg::RunOut(lease, applied, term)) } => {
                let current = self.group.leads(from) && self.group.term() == term;
                if !current {
                    return cx.mark(&mark::FORMER_PRIMARY_REFUSED);
                }
                self.group.run_out(lease, applied)
            }
            Event::Message { from, msg: Msg::Group(GroupMsg::LogEnd(ask)) } => {
                if !self.group.leads(from) {
                    return;
                }
                vec![Effect::Send(from, GroupMsg::ReadAt(ask, self.group.last()))]
            }
            Event::Message { from, msg: Msg::Group(GroupMsg::ReadIndex(ask)) } => {
                vec![Effect::Send(from, GroupMsg::ReadAt(ask, self.group.committed()))]
            }
            Event::Message {
                from,
                msg:
                    Msg::Group(GroupMsg::Join(life, base, last) | GroupMsg::Appended(life, base, last)),
            } => self.group.heard(from, Reported { life, base, last }, now),
            Event::Stop => return cx.stopped(),
            _ => return,
        };
        for effect in effects {
            match effect {
                Effect::Send(to, msg) => {
                    if let GroupMsg::NeedSnapshot(_) = msg {
                        cx.mark(&mark::SNAPSHOT_NEEDED);
                    }
                    cx.send(to, Msg::Group(msg));
                }
                Effect::Note(note) => cx.note(Note::Group(note)),
            }
        }
    }
}
