//! A consumer that lines of text drive: what comes over its connections, and when the application takes something.

use seedbed_sim::actor::{CloseReason, ConnEvent, Event};
use seedbed_sim::id::ConnId;
use seedbed_sim::time::Span;

use super::words::{bytes, entry, small};
use crate::stream::frame;
use crate::stream::message::Msg;
use crate::stream::model::Stream;
use crate::stream::payload::{Payload, Peer};
use crate::stream::server::Server;
use crate::stream::settings::Settings;
use crate::stream::stage::{APPLICATION, ROUTERS, Stage};

/// What a consumer is told.
pub(super) const VERBS: [&str; 7] = ["accept", "says", "hears", "fin", "reset", "take", "shut"];

/// The server of streams.
#[derive(Clone, Debug)]
pub(super) struct Consumer {
    server: Stream,
    settings: Settings,
    pub(super) stage: Stage,
}

impl Consumer {
    /// A queue of so many frames, and an application that takes so many ahead.
    pub(super) fn new(server_queue: usize, application_queue: u32) -> (Consumer, String) {
        let settings = Settings {
            server_queue,
            application_queue,
            payload_max: 200,
            receive_max: 200,
            ..Settings::default()
        };
        let server = Stream::Server(Server::new(settings, APPLICATION));
        let mut consumer = Consumer { server, settings, stage: Stage::default() };
        let said = consumer.feed(Event::Boot);
        (consumer, said)
    }

    /// One of [`VERBS`].
    pub(super) fn run(&mut self, words: &[&str]) -> Result<String, String> {
        match *words {
            ["accept", conn, life, slot] => self.accept([conn, life, slot, "0"]),
            ["accept", conn, life, slot, router] => self.accept([conn, life, slot, router]),
            ["says", conn, vb, session, ref text @ ..] => {
                self.says(conn, [vb, session, &text.join(" ")])
            }
            ["hears", conn, hex] => self.hears(small(conn)?, &bytes(hex)?),
            ["fin", conn] => self.lose(conn, CloseReason::Fin),
            ["reset", conn] => self.lose(conn, CloseReason::Reset),
            ["take"] => Ok(self.tell(Msg::Taken)),
            ["shut"] => Ok(self.tell(Msg::Close)),
            _ => Err(format!("expected another form of `{}`", words[0])),
        }
    }

    fn feed(&mut self, event: Event<Stream>) -> String {
        self.stage.feed(&mut self.server, event);
        self.stage.told()
    }

    fn tell(&mut self, msg: Msg) -> String {
        self.feed(Event::Message { from: APPLICATION, msg })
    }

    /// A connection comes, and says whose it is: the slot of a life of a router.
    fn accept(&mut self, words: [&str; 4]) -> Result<String, String> {
        let [conn, life, slot, router] = words;
        let (conn, life, slot) = (small(conn)?, small(life)?, small(slot)?);
        let router = small(router)?;
        if self.stage.wires.contains_key(&conn) {
            return Err(format!("expected a connection that was not accepted yet, found `{conn}`"));
        }
        self.stage.accept(conn);
        let accepted = ConnEvent::Accepted { conn: ConnId(conn), from: ROUTERS[0] };
        self.stage.feed(&mut self.server, Event::Conn(accepted));
        self.payload(conn, &Payload::Hello(Peer { router, life, slot, dial: conn }))
    }

    /// Messages come over a connection.
    fn says(&mut self, conn: &str, words: [&str; 3]) -> Result<String, String> {
        let [vb, session, text] = words;
        let entry = entry(vb, session, text)?;
        self.payload(small(conn)?, &Payload::Batch(vec![entry]))
    }

    fn payload(&mut self, conn: u32, payload: &Payload) -> Result<String, String> {
        let (mut bytes, mut framed) = (Vec::new(), Vec::new());
        payload.encode(&mut bytes);
        frame::append(&bytes, self.settings.sends(), &mut framed).map_err(|e| e.to_string())?;
        self.hears(conn, &framed)
    }

    /// Bytes come over a connection.
    fn hears(&mut self, conn: u32, bytes: &[u8]) -> Result<String, String> {
        let wire = self.stage.wires.get_mut(&conn);
        let wire = wire.ok_or_else(|| format!("expected an open connection, found `{conn}`"))?;
        wire.inbound.extend(bytes);
        Ok(self.feed(Event::Conn(ConnEvent::Readable { conn: ConnId(conn) })))
    }

    /// A connection is closed or reset by its other end.
    fn lose(&mut self, conn: &str, reason: CloseReason) -> Result<String, String> {
        let conn = ConnId(small(conn)?);
        Ok(self.feed(Event::Conn(ConnEvent::Closed { conn, reason })))
    }

    /// So long passes.
    pub(super) fn wait(&mut self, span: Span) -> String {
        let until = self.stage.after(span);
        while let Some(timer) = self.stage.due(until) {
            self.stage.feed(&mut self.server, Event::Timer(timer));
        }
        self.stage.told()
    }
}
