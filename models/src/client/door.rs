//! The door of a data node: takes connections, hands requests to the front end, and answers back.

use std::collections::BTreeMap;

use seedbed_sim::actor::{ConnEvent, Context, Event};
use seedbed_sim::id::{ActorId, ConnId};

use crate::vbucket::message::{AskId, Msg as NodeMsg};
use crate::vbucket::op::{Key, State, home};
use crate::vbucket::response::Answer;

use super::frame::{self, Wanted};
use super::line::Line;
use super::message::Msg;
use super::model::Peer;

/// A door.
#[derive(Clone, Debug)]
pub struct Door {
    front: ActorId,
    lines: BTreeMap<ConnId, Line>,
    /// Who waits for which answer.
    waiting: BTreeMap<AskId, ConnId>,
}

impl Door {
    /// The door of the node that has this front end.
    #[must_use]
    pub fn new(front: ActorId) -> Door {
        Door { front, lines: BTreeMap::new(), waiting: BTreeMap::new() }
    }

    pub(super) fn on_event(&mut self, event: Event<Peer>, cx: &mut Context<'_, Peer>) {
        match event {
            Event::Conn(event) => self.connected(event, cx),
            Event::Message { msg: Msg::Node(NodeMsg::Answer(id, answer)), .. } => {
                self.answer(id, &answer, cx);
            }
            Event::Stop => {
                for conn in std::mem::take(&mut self.lines).into_keys() {
                    cx.close(conn);
                }
                self.waiting.clear();
                cx.stopped();
            }
            _ => {}
        }
    }

    fn connected(&mut self, event: ConnEvent, cx: &mut Context<'_, Peer>) {
        let conn = event.conn();
        match event {
            ConnEvent::Accepted { .. } => drop(self.lines.insert(conn, Line::new(conn))),
            ConnEvent::Closed { .. } => {
                self.lines.remove(&conn);
                self.waiting.retain(|_, of| *of != conn);
            }
            ConnEvent::Writable { .. } => {
                if let Some(line) = self.lines.get_mut(&conn) {
                    line.pump(cx);
                }
            }
            ConnEvent::Readable { .. } => {
                let Some(line) = self.lines.get_mut(&conn) else { return };
                line.read(cx);
                while let Some((id, wanted)) = self.next_request(conn) {
                    self.waiting.insert(id, conn);
                    self.asked(id, wanted, cx);
                }
            }
            ConnEvent::Opened { .. } | ConnEvent::Refused { .. } => {}
        }
    }

    fn next_request(&mut self, conn: ConnId) -> Option<(AskId, Wanted)> {
        frame::take_request(&mut self.lines.get_mut(&conn)?.inbox)
    }

    fn asked(&mut self, id: AskId, wanted: Wanted, cx: &mut Context<'_, Peer>) {
        if !cx.shared().is_admitted {
            // What the disk says that this node is may be long over.
            return self.answer(id, &Answer::TemporaryFailure, cx);
        }
        match wanted {
            Wanted::Do(request) => cx.send(self.front, Msg::Node(NodeMsg::Ask(id, request))),
            Wanted::Peek(key) => {
                let answer = peek(key, cx);
                self.answer(id, &answer, cx);
            }
        }
    }

    fn answer(&mut self, id: AskId, answer: &Answer, cx: &mut Context<'_, Peer>) {
        let Some(conn) = self.waiting.remove(&id) else { return };
        if let Some(line) = self.lines.get_mut(&conn) {
            frame::encode_answer(id, answer, line.outbox());
            line.pump(cx);
        }
    }
}

/// What stands in a key of a replica, run out or not.
fn peek(key: Key, cx: &mut Context<'_, Peer>) -> Answer {
    let memory = &cx.shared().memory;
    let vb = home(key, memory.settings.vbuckets);
    let Some(vbucket) = memory.vbs.get(&vb).filter(|vb| vb.standing.state == State::Replica) else {
        return Answer::NotMyVbucket;
    };
    match vbucket.table.entry(key) {
        None => Answer::NotFound,
        Some(entry) => match &entry.value {
            None => Answer::TemporaryFailure,
            Some(value) => {
                Answer::Found { value: value.clone(), flags: entry.flags, cas: entry.cas }
            }
        },
    }
}
