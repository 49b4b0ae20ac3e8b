//! What only planted bugs do.

use std::collections::VecDeque;

use seedbed_sim::actor::Context;
use seedbed_sim::id::ConnId;

use super::{Queued, Server};
use crate::stream::brackets::Brackets;
use crate::stream::client::said;
use crate::stream::message::Delivery;
use crate::stream::model::Stream;
use crate::stream::note::Note;
use crate::stream::op::Vb;
use crate::stream::payload::Entry;

impl Server {
    /// A connection that waited for the end of one of these streams goes on.
    pub(super) fn unpark(&mut self, ended: &[Vb], cx: &mut Context<'_, Stream>) {
        let waits = |(_, (vb, _)): &(&u32, &(Vb, VecDeque<Queued>))| ended.contains(vb);
        let Some(conn) = self.parked.iter().find(waits).map(|(conn, _)| *conn) else { return };
        if let Some((_, queue)) = self.parked.remove(&conn) {
            for queued in queue.into_iter().rev() {
                self.queue.push_front((ConnId(conn), queued));
            }
        }
        self.wake(cx);
    }

    /// Hands mutations on before their begin is known. Only a planted bug does that.
    pub(super) fn hand_past(
        &mut self,
        conn: ConnId,
        entries: &[Entry],
        cx: &mut Context<'_, Stream>,
    ) {
        let mut data = entries.to_vec();
        for entry in &mut data {
            let (vb, session) = (entry.vb, entry.session);
            entry.messages.retain(|message| {
                let what = said(&Entry { vb, session, messages: Vec::new() }, message);
                let is_data = Brackets::is_data(&what);
                if is_data {
                    cx.note(Note::Seen(conn, what, true));
                }
                is_data
            });
        }
        data.retain(|entry| !entry.messages.is_empty());
        if !data.is_empty() {
            self.deliver(Delivery::Frame(conn, data), cx);
        }
    }
}
