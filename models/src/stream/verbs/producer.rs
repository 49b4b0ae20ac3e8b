//! A producer that lines of text drive: what connects, opens, takes bytes and fails is told to it.

use seedbed_sim::time::Span;

use super::words::{entry, hex, small};
use crate::stream::client::{Client, Refused};
use crate::stream::message::Timer;
use crate::stream::settings::Settings;
use crate::stream::stage::{SERVER, Stage};

/// What a producer is told.
pub(super) const VERBS: [&str; 7] = ["open", "room", "send", "lost", "redial", "wire", "close"];

/// The client of router 0.
#[derive(Clone, Debug)]
pub(super) struct Producer {
    client: Client,
    pub(super) stage: Stage,
}

impl Producer {
    /// So many connections, batches of so many messages, and queues of so many.
    pub(super) fn new(
        (n, batch, queue): (u32, usize, usize),
        all_fail: bool,
    ) -> (Producer, String) {
        let settings = Settings {
            batch,
            queue,
            all_fail,
            payload_max: 200,
            receive_max: 200,
            ..Settings::default()
        };
        let mut producer =
            Producer { client: Client::new(settings, SERVER, 0), stage: Stage::default() };
        let Producer { client, stage } = &mut producer;
        let mut started = Ok(());
        let said = stage.act(|cx| started = client.start(n, cx));
        let said = match started {
            Ok(()) => format!("{n} connections are dialled"),
            Err(bad) => format!("refused: {} connections, and {said}", bad.0),
        };
        (producer, said)
    }

    /// One of [`VERBS`].
    pub(super) fn run(&mut self, words: &[&str]) -> Result<String, String> {
        match *words {
            ["open", slot] => self.opened(slot),
            ["room", slot, bytes] => self.room(slot, bytes),
            ["send", vb, session, ref text @ ..] => self.send(vb, session, &text.join(" ")),
            ["lost", slot] => self.lost(slot),
            ["redial"] => Ok(self.redial()),
            ["wire", slot] => self.wire(slot),
            ["close"] => Ok(self.close()),
            _ => Err(format!("expected another form of `{}`", words[0])),
        }
    }

    /// The connection of a slot is open, and takes all bytes.
    fn opened(&mut self, slot: &str) -> Result<String, String> {
        let slot = self.slot(slot)?;
        if self.client.conn_of(slot).and_then(|conn| self.client.slot_of(conn)).is_none() {
            return Err(format!(
                "expected a slot whose connection is not at its end, found `{slot}`"
            ));
        }
        if let Some(wire) = self.client.conn_of(slot).and_then(|at| self.stage.wires.get_mut(&at.0))
        {
            wire.room = usize::MAX;
        }
        let Producer { client, stage } = self;
        Ok(stage.act(|cx| client.opened(slot, cx)))
    }

    /// The connection of a slot takes so many bytes more, and no others.
    fn room(&mut self, slot: &str, bytes: &str) -> Result<String, String> {
        let (slot, bytes) = (self.slot(slot)?, small(bytes)?);
        if let Some(wire) = self.client.conn_of(slot).and_then(|at| self.stage.wires.get_mut(&at.0))
        {
            wire.room = bytes;
        }
        let Producer { client, stage } = self;
        Ok(stage.act(|cx| client.transmit(slot, cx)))
    }

    /// Sends a message; a begin binds its vbucket first.
    fn send(&mut self, vb: &str, session: &str, text: &str) -> Result<String, String> {
        let entry = entry(vb, session, text)?;
        let (stream, Producer { client, stage }) = ((entry.vb, entry.session), self);
        let mut lines = Vec::new();
        for message in entry.messages {
            let is_begin = matches!(message.what, crate::stream::payload::What::Begin(..));
            let mut sent = Ok(());
            let said = stage.act(|cx| {
                sent = if is_begin {
                    client.begin(stream, message.what, cx)
                } else {
                    client.send(stream, message.what, cx)
                };
            });
            lines.push(match sent {
                Ok(()) => said,
                Err(Refused::Unbound) => "refused: no stream of it has begun".into(),
                Err(Refused::Full) => "refused: there is no room".into(),
                Err(Refused::Oversized) => "refused: too long".into(),
            });
        }
        Ok(lines.join("\n"))
    }

    /// The connection of a slot has come to its end.
    fn lost(&mut self, slot: &str) -> Result<String, String> {
        let slot = self.slot(slot)?;
        let Producer { client, stage } = self;
        Ok(stage.act(|cx| client.fail(slot, false, cx)))
    }

    /// Dials again what has failed.
    fn redial(&mut self) -> String {
        let Producer { client, stage } = self;
        stage.act(|cx| client.repair(cx));
        format!("{} connections", client.sockets())
    }

    /// Closes.
    fn close(&mut self) -> String {
        let Producer { client, stage } = self;
        stage.act(|cx| client.close(cx))
    }

    /// The bytes that the connection of a slot has taken; they are forgotten.
    fn wire(&mut self, slot: &str) -> Result<String, String> {
        let slot = self.slot(slot)?;
        let wire = self.client.conn_of(slot).and_then(|at| self.stage.wires.get_mut(&at.0));
        let bytes = wire.map(|wire| std::mem::take(&mut wire.taken)).unwrap_or_default();
        Ok(if bytes.is_empty() { "nothing".into() } else { hex(&bytes) })
    }

    /// So long passes.
    pub(super) fn wait(&mut self, span: Span) -> String {
        let Producer { client, stage } = self;
        let until = stage.after(span);
        while let Some(timer) = stage.due(until) {
            let said = stage.act(|cx| match timer {
                Timer::Flush(slot) => client.flush_due(usize::from(slot), cx),
                Timer::Beat(slot) => client.beat(usize::from(slot), cx),
                _ => {}
            });
            if said != "nothing" {
                stage.keep(said);
            }
        }
        stage.told()
    }

    fn slot(&self, text: &str) -> Result<usize, String> {
        let slot = small(text)?;
        let is_there = self.client.conn_of(slot).is_some();
        is_there.then_some(slot).ok_or_else(|| format!("expected a slot, found `{text}`"))
    }
}
