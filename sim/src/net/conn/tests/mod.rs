//! A small event loop for tests: it does with connections what a world does, and keeps what came of it.

mod deaths;
mod faults;
mod noise;
mod property;
mod streams;

use super::*;
use crate::actor::ConnEvent;
use crate::choose::{Decision, Key, Site, fold};
use std::collections::BTreeMap;

/// The calm latency of all links.
const LATENCY: Span = Span::ms(1);
const START: Time = Time(1_000_000_000);

/// Connections, their surroundings, and an agenda. Actor `n` lives on node `n`.
#[derive(Clone, Debug)]
struct Rig {
    now: Time,
    step: u32,
    conns: Conns,
    links: Links,
    choices: Choices,
    wakes: Vec<Wake>,
    agenda: BTreeMap<(Time, u64, u64), Wake>,
    created: u64,
    /// Orders wakes that are due at once: 0 by creation, otherwise at random from this seed.
    ties: u64,
    incarnations: [u32; 3],
    /// Everything that was handed to an end.
    events: Vec<(Time, End, ConnEvent)>,
}

impl Rig {
    fn new(buffer: u32) -> Rig {
        let mut rig = Rig {
            now: START,
            step: 0,
            conns: Conns::default(),
            links: Links::default(),
            choices: Choices::default(),
            wakes: Vec::new(),
            agenda: BTreeMap::new(),
            created: 0,
            ties: 0,
            incarnations: [0; 3],
            events: Vec::new(),
        };
        rig.reset(buffer);
        rig
    }

    fn reset(&mut self, buffer: u32) {
        self.now = START;
        self.conns.reset(3, buffer);
        self.links.reset(3, |_| |_| LATENCY);
        self.choices.reset(7);
        self.agenda.clear();
        self.created = 0;
        self.events.clear();
        self.incarnations = [0; 3];
        for node in 0..3 {
            self.boot(node);
        }
    }

    /// Calls something with the medium as it is now, and puts the wakes that it leaves on the agenda.
    fn with<T>(&mut self, call: impl FnOnce(&mut Conns, &mut Medium<'_>) -> T) -> T {
        self.step += 1;
        let mut medium = Medium {
            now: self.now,
            step: StepId(self.step),
            links: &self.links,
            choices: &mut self.choices,
            wakes: &mut self.wakes,
        };
        let answer = call(&mut self.conns, &mut medium);
        for wake in self.wakes.drain(..) {
            assert!(wake.due > self.now, "nothing is due at the instant of its cause");
            self.created += 1;
            let tie = if self.ties == 0 { 0 } else { fold(self.ties, self.created) };
            self.agenda.insert((wake.due, tie, self.created), wake);
        }
        answer
    }

    fn end(&self, n: u16) -> End {
        let incarnation = Incarnation(self.incarnations[usize::from(n)]);
        End { actor: ActorId(n), node: NodeId(n), incarnation }
    }

    fn socket(&self, n: u16, conn: ConnId) -> Socket {
        Socket { owner: self.end(n), conn }
    }

    fn boot(&mut self, n: u16) {
        self.incarnations[usize::from(n)] += 1;
        let incarnation = Incarnation(self.incarnations[usize::from(n)]);
        self.with(|conns, m| conns.node_up(NodeId(n), incarnation, m));
    }

    fn connect(&mut self, from: u16, to: u16) -> ConnId {
        let client = self.end(from);
        self.with(|conns, m| conns.connect(client, ActorId(to), NodeId(to), m))
    }

    /// A connection from actor 0 to actor 1 that both ends know to be open.
    fn open(&mut self) -> ConnId {
        let conn = self.connect(0, 1);
        self.run();
        let said = self.said(conn);
        assert!(said.starts_with("1:accepted 0:opened"), "{said}");
        self.events.clear();
        conn
    }

    fn write(&mut self, n: u16, conn: ConnId, data: &[u8]) -> usize {
        let socket = self.socket(n, conn);
        self.with(|conns, m| conns.write(socket, data, m))
    }

    fn read_some(&mut self, n: u16, conn: ConnId, max: usize) -> Vec<u8> {
        let socket = self.socket(n, conn);
        let mut into = Vec::new();
        let count = self.with(|conns, m| conns.read(socket, max, &mut into, m));
        assert_eq!(count, into.len());
        into
    }

    fn read(&mut self, n: u16, conn: ConnId) -> Vec<u8> {
        self.read_some(n, conn, usize::MAX)
    }

    fn close(&mut self, n: u16, conn: ConnId, reason: CloseReason) {
        let socket = self.socket(n, conn);
        self.with(|conns, m| conns.close(socket, reason, m));
    }

    fn strike(&mut self, trouble: Trouble) -> u32 {
        let which = Which::Between { from: NodeId(0), to: NodeId(1) };
        self.with(|conns, m| conns.strike(which, trouble, m))
    }

    fn kill(&mut self, n: u16) -> u32 {
        self.with(|conns, m| conns.node_killed(NodeId(n), m))
    }

    fn heal(&mut self) {
        self.links.heal(self.now);
        self.with(|conns, m| conns.heal(m));
    }

    /// Goes on to the next wake, if one is due by `until`.
    fn next(&mut self, until: Time) -> bool {
        let Some(first) = self.agenda.first_entry().filter(|e| e.key().0 <= until) else {
            return false;
        };
        let ((due, ..), wake) = first.remove_entry();
        self.now = due;
        if let Some((end, event)) = self.with(|conns, m| conns.wake(wake, m)) {
            self.events.push((due, end, event));
        }
        true
    }

    fn run_for(&mut self, span: Span) {
        let until = self.now + span;
        while self.next(until) {}
        self.now = until;
    }

    /// Until nothing is due any more.
    fn run(&mut self) {
        while self.next(Time(u64::MAX)) {}
    }

    /// What the ends of a connection were told: `1:accepted 0:opened 1:readable`.
    fn said(&self, conn: ConnId) -> String {
        let of_conn = self.events.iter().filter(|(_, _, event)| event.conn() == conn);
        of_conn.map(|(_, end, event)| word(*end, *event)).collect::<Vec<_>>().join(" ")
    }

    /// When the last event came, since the start of the run.
    fn last(&self) -> Span {
        self.events.last().map(|(at, ..)| at.since(START)).expect("an event")
    }

    fn saw(&self, sight: Sight) -> u64 {
        self.conns.seen().count(sight)
    }

    /// Decides in advance about the first connection from actor 0 to actor 1.
    fn force(&mut self, site: &Site, from: Side, offset: u64, name: &str) {
        let outcome = site.outcomes.iter().position(|o| *o == name).expect("an outcome") + 1;
        let key = Key::stream(0, 1, 1, from as u8, offset);
        let outcome = u32::try_from(outcome).unwrap();
        self.choices.force(Decision { site: site.id, key, outcome });
    }
}

fn word(end: End, event: ConnEvent) -> String {
    let what = match event {
        ConnEvent::Opened { .. } => "opened",
        ConnEvent::Refused { .. } => "refused",
        ConnEvent::Accepted { .. } => "accepted",
        ConnEvent::Readable { .. } => "readable",
        ConnEvent::Writable { .. } => "writable",
        ConnEvent::Closed { reason: CloseReason::Fin, .. } => "fin",
        ConnEvent::Closed { reason: CloseReason::Reset, .. } => "reset",
    };
    format!("{}:{what}", end.actor.0)
}
