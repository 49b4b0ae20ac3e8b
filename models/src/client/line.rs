//! One end of a connection: what has come and is not taken, and what is to go and did not fit.

use seedbed_sim::actor::Context;
use seedbed_sim::id::ConnId;

use super::model::Peer;

/// More than this is never read at once.
const PIECE: usize = 4_096;

/// One end of a connection.
#[derive(Clone, Debug)]
pub struct Line {
    conn: ConnId,
    /// What has come.
    pub inbox: Vec<u8>,
    outbox: Vec<u8>,
}

impl Line {
    /// An end of this connection.
    #[must_use]
    pub fn new(conn: ConnId) -> Line {
        Line { conn, inbox: Vec::new(), outbox: Vec::new() }
    }

    /// The connection.
    #[must_use]
    pub fn conn(&self) -> ConnId {
        self.conn
    }

    /// Adds to what is to go, which goes with the next [`Line::pump`].
    pub fn outbox(&mut self) -> &mut Vec<u8> {
        &mut self.outbox
    }

    /// Lets go what fits.
    pub fn pump(&mut self, cx: &mut Context<'_, Peer>) {
        if !self.outbox.is_empty() {
            let taken = cx.write(self.conn, &self.outbox);
            self.outbox.drain(..taken);
        }
    }

    /// Takes what has come.
    pub fn read(&mut self, cx: &mut Context<'_, Peer>) {
        cx.read(self.conn, PIECE, &mut self.inbox);
    }
}
