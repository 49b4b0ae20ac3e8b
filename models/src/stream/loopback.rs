//! A producer and a consumer whose connections are joined, without an engine: for measuring, and for rounds of which
//! every message has to arrive.
//!
//! ```text
//!  send ─▶ producer ══ n connections, joined byte by byte ══▶ consumer ─▶ counted
//! ```

use std::collections::VecDeque;

use seedbed_sim::actor::{ConnEvent, Event};
use seedbed_sim::id::ConnId;

use super::client::{Client, Refused};
use super::message::{Delivery, Msg};
use super::model::Stream;
use super::op::{Key, Keyspace, Value, Vb};
use super::payload::{Entry, What};
use super::server::Server;
use super::settings::Settings;
use super::stage::{APPLICATION, ROUTERS, SERVER, Stage};

const SESSION: u64 = 1;

/// Bytes that a connection holds until the other end reads them, as a socket buffer does.
const WIRE: usize = 64 << 10;

/// Both ends. All settings are the usual ones.
#[derive(Clone, Debug)]
pub struct Loopback {
    client: Client,
    near: Stage,
    server: Stream,
    far: Stage,
    n: u32,
    /// The last number of each vbucket.
    seqs: Vec<u64>,
    /// The last of each that the application has.
    heard: Vec<u64>,
    /// What was sent of each vbucket and has not come.
    sent: Vec<VecDeque<(Key, Value)>>,
    /// All has come as it was sent: none before one that was sent before it, none left out, none changed.
    is_as_sent: bool,
    delivered: u64,
}

impl Loopback {
    /// So many connections, on which so many vbuckets of one keyspace have begun, each with a snapshot without end.
    ///
    /// # Panics
    /// If it is a number of connections that cannot be.
    #[must_use]
    pub fn new(n: u32, vbuckets: u16) -> Loopback {
        let settings = Settings::default();
        let mut client = Client::new(settings, SERVER, 0);
        let mut near = Stage::quiet();
        near.act(|cx| client.start(n, cx).expect("a number that can be"));
        near.wires.values_mut().for_each(|wire| wire.room = WIRE);
        let server = Stream::Server(Server::new(settings, APPLICATION));
        let (far, seqs) = (Stage::quiet(), vec![0; usize::from(vbuckets)]);
        let (heard, is_as_sent, delivered) = (seqs.clone(), true, 0);
        let sent = vec![VecDeque::new(); seqs.len()];
        let mut loopback =
            Loopback { client, near, server, far, n, seqs, heard, sent, is_as_sent, delivered };
        loopback.far.feed(&mut loopback.server, Event::Boot);
        for conn in 1..=n {
            loopback.far.accept(conn);
            let conn = ConnId(conn);
            let accepted = ConnEvent::Accepted { conn, from: ROUTERS[0] };
            loopback.far.feed(&mut loopback.server, Event::Conn(accepted));
            let Loopback { client, near, .. } = &mut loopback;
            let slot = client.slot_of(conn).expect("slots are dialled in order");
            near.act(|cx| client.opened(slot, cx));
        }
        for number in 0..vbuckets {
            let vb = Vb { keyspace: Keyspace(0), number };
            let Loopback { client, near, .. } = &mut loopback;
            near.act(|cx| {
                let begun = client.begin((vb, SESSION), What::Begin(1, Default::default()), cx);
                begun.expect("all connections are open");
            });
            loopback.send(vb, &What::Snapshot(0, u64::MAX, true));
        }
        loopback.flush();
        loopback
    }

    /// Sends so many mutations, vbucket by vbucket, and answers how many have been handed to the application meanwhile.
    pub fn run(&mut self, mutations: u32) -> u64 {
        let before = self.delivered;
        for (write, at) in (0..mutations).zip((0..self.seqs.len()).cycle()) {
            self.seqs[at] += 1;
            let number = u16::try_from(at).expect("as many as there are vbuckets");
            let vb = Vb { keyspace: Keyspace(0), number };
            let (key, value) = (Key(write.to_be_bytes()[3]), Value { write, length: 100 });
            self.sent[at].push_back((key, value));
            self.send(vb, &What::Upsert(self.seqs[at], key, value));
        }
        self.flush();
        self.delivered - before
    }

    /// Whether everything of each vbucket has come in its order and unchanged so far.
    #[must_use]
    pub fn is_as_sent(&self) -> bool {
        self.is_as_sent
    }

    /// Sends a message; makes room for it if there is none.
    fn send(&mut self, vb: Vb, what: &What) {
        for attempt in 0..2 {
            let Loopback { client, near, .. } = self;
            let mut sent = Ok(());
            near.act(|cx| sent = client.send((vb, SESSION), what.clone(), cx));
            match sent {
                Ok(()) => return,
                Err(Refused::Full) if attempt == 0 => self.flush(),
                Err(refused) => panic!("a stream that has begun is refused: {refused:?}"),
            }
        }
    }

    /// Brings everything that was accepted to the application.
    fn flush(&mut self) {
        for conn in (1..=self.n).map(ConnId) {
            let Some(slot) = self.client.slot_of(conn) else { continue };
            loop {
                let Loopback { client, near, .. } = self;
                near.act(|cx| client.flush_due(slot, cx));
                if !self.carry(conn) {
                    break;
                }
            }
        }
    }

    /// The other end reads what a connection holds, if it holds anything.
    fn carry(&mut self, conn: ConnId) -> bool {
        let ends = (self.near.wires.get_mut(&conn.0), self.far.wires.get_mut(&conn.0));
        let (Some(from), Some(to)) = ends else { return false };
        if from.taken.is_empty() {
            return false;
        }
        to.inbound.extend(from.taken.drain(..));
        from.room = WIRE;
        self.far.feed(&mut self.server, Event::Conn(ConnEvent::Readable { conn }));
        self.take_in();
        true
    }

    fn hear(&mut self, entry: &Entry) {
        let number = usize::from(entry.vb.number);
        let (last, sent) = (&mut self.heard[number], &mut self.sent[number]);
        for message in &entry.messages {
            if let What::Upsert(seq, key, value) = message.what {
                self.is_as_sent &= seq == *last + 1 && sent.pop_front() == Some((key, value));
                *last = seq;
                self.delivered += 1;
            }
        }
    }

    /// The application takes in what it was handed, until there is nothing more.
    fn take_in(&mut self) {
        loop {
            let deliveries = self.far.delivered();
            if deliveries.is_empty() {
                return;
            }
            for delivery in deliveries {
                if let Delivery::Frame(_, entries) = &*delivery {
                    entries.iter().for_each(|entry| self.hear(entry));
                }
                let taken = Event::Message { from: APPLICATION, msg: Msg::Taken };
                self.far.feed(&mut self.server, taken);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::payload::Message;
    use super::*;

    #[test]
    fn what_is_left_out_or_changed_or_comes_late_is_seen() {
        let value = |write| Value { write, length: 0 };
        let entry = |seq: u64, write: u32| {
            let what = What::Upsert(seq, Key(1), value(write));
            let vb = Vb { keyspace: Keyspace(0), number: 1 };
            Entry { vb, session: SESSION, messages: vec![Message { index: 1, what }] }
        };
        for (came, is_as_sent) in [
            ([(1, 1), (2, 2)], true),
            ([(1, 1), (3, 2)], false),
            ([(2, 2), (1, 1)], false),
            ([(1, 1), (2, 7)], false),
        ] {
            let mut loopback = Loopback::new(1, 2);
            loopback.sent[1].extend([(Key(1), value(1)), (Key(1), value(2))]);
            came.into_iter().for_each(|(seq, write)| loopback.hear(&entry(seq, write)));
            assert_eq!(loopback.is_as_sent(), is_as_sent, "{came:?}");
        }
    }

    /// The loopback test of the original: 64 streams, and rounds of 32 x 2 x 5 x 5 mutations.
    #[test]
    fn every_mutation_of_every_round_arrives() {
        for n in [1, 2, 3, 8] {
            let mut loopback = Loopback::new(n, 64);
            for round in 0..10 {
                assert_eq!(loopback.run(1_600), 1_600, "round {round} of {n} connections");
                assert!(loopback.is_as_sent(), "round {round} of {n} connections");
            }
        }
    }
}
