//! How a receiver answers: in order, behind what is not done yet, and a little later than it has taken something in.

use seedbed_sim::actor::Context;
use seedbed_sim::time::Span;

use crate::tap::frame::{Frame, Name, Status};
use crate::tap::message::Timer;
use crate::tap::model::Node;
use crate::tap::seqno::Seqno;
use crate::vbucket::op::Vb;

use super::Receiver;

impl Receiver {
    /// Answers, behind what is not done yet.
    pub(super) fn answer(
        &mut self,
        name: Name,
        seqno: Seqno,
        status: Status,
        cx: &mut Context<'_, Node>,
    ) {
        let Some(link) = self.links.get_mut(&name) else { return };
        if !link.slow.is_empty() {
            return link.held.push((seqno, status));
        }
        let delay = self.settings.ack_delay;
        if status == Status::Success && delay > Span(0) {
            // An answer covers all before it.
            if link.due.replace(seqno).is_none() {
                cx.arm(Timer::Answer(name), delay);
            }
            return;
        }
        link.due = None;
        self.send(name, &Frame::Reply(seqno, status), cx);
    }

    /// It is time to answer what has been taken in.
    pub(super) fn answer_due(&mut self, name: Name, cx: &mut Context<'_, Node>) {
        let due = self.links.get_mut(&name).and_then(|link| link.due.take());
        if let Some(seqno) = due {
            self.send(name, &Frame::Reply(seqno, Status::Success), cx);
        }
    }

    /// What took longer is done.
    pub(super) fn done(&mut self, name: Name, vb: Vb, cx: &mut Context<'_, Node>) {
        let Some(link) = self.links.get_mut(&name) else { return };
        let Some(at) = link.slow.iter().position(|(_, of)| *of == vb) else { return };
        let (seqno, _) = link.slow.remove(at);
        link.due = None;
        link.held.insert(0, (seqno, Status::Success));
        if link.slow.is_empty() {
            let mut held = std::mem::take(&mut link.held);
            // In the order of the messages; an answer covers those before it.
            let first =
                held.iter().map(|(seqno, _)| *seqno).reduce(|a, b| if b.covers(a) { a } else { b });
            held.sort_by_key(|(seqno, _)| first.map_or(0, |first| distance(first, *seqno)));
            for (seqno, status) in held {
                self.send(name, &Frame::Reply(seqno, status), cx);
            }
        }
    }
}

/// How far a number is behind another one.
fn distance(first: Seqno, seqno: Seqno) -> u64 {
    (u64::from(seqno.0) + u64::from(u32::MAX) - u64::from(first.0)) % u64::from(u32::MAX)
}
