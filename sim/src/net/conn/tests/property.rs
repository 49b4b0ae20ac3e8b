//! Random use and random trouble, checked against what was written and read on each side.

use super::*;
use crate::choose::{Draw, Mixer, Odds, Purpose};
use std::hash::{Hash, Hasher};

/// How much trouble there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    /// Segments end anywhere and come late; processes are well and links are, too.
    Noise,
    /// Everything that ends: after the heal each connection either works or is over for both.
    Passing,
    /// Also what is for ever: silence, hanging connects, lost power.
    Lasting,
}

/// What is known of one side of a connection.
#[derive(Clone, Debug, Default)]
struct Hand {
    /// Who holds it, once it is open or connecting.
    end: Option<End>,
    open: bool,
    /// Told of the end, left, or dead.
    over: bool,
    /// Waits for a `Writable`.
    waits: bool,
    written: Vec<u8>,
    /// When each byte was written.
    times: Vec<Time>,
    read: Vec<u8>,
}

#[derive(Clone, Debug, Default)]
struct Line {
    hands: [Hand; 2],
    /// Struck by something after which an orderly end need not follow all the bytes.
    damaged: bool,
}

#[derive(Clone, Debug)]
struct Play {
    rig: Rig,
    draw: Draw,
    level: Level,
    buffer: u32,
    lines: Vec<Line>,
    up: [bool; 3],
    log: Mixer,
}

impl Play {
    fn new(mut rig: Rig, seed: u64, level: Level) -> Play {
        let mut draw = Draw::new(seed, Purpose::Faults);
        let buffer = *draw.pick(&[1, 3, 8, 64]);
        rig.reset(buffer);
        rig.choices.reset(seed);
        rig.ties = draw.below(3);
        let eighth = [8, 1, 1, 1, 1, 1, 1, 1, 1, 1];
        rig.choices.set_odds(SEGMENT.id, Odds::new(&eighth));
        if level >= Level::Passing {
            let hang = u32::from(level == Level::Lasting);
            rig.choices.set_odds(CONNECT.id, Odds::new(&[8, 1, hang, 1, 1, 1]));
            rig.choices.set_odds(CUT.id, Odds::new(&[4, 1, hang]));
        }
        if level == Level::Lasting && draw.chance(1, 3) {
            rig.choices.set_odds(CORRUPT.id, Odds::new(&[20, 1]));
        }
        let log = Mixer::new(seed);
        Play { rig, draw, level, buffer, lines: Vec::new(), up: [true; 3], log }
    }

    /// Plays a whole run.
    fn play(mut self, steps: u32) -> Play {
        for _ in 0..steps {
            self.act();
            if self.level >= Level::Passing && self.draw.chance(1, 12) {
                self.trouble();
            }
            let span = Span::us(*self.draw.pick(&[0, 1, 300, 1000, 5000]));
            self.go_on(self.rig.now + span);
        }
        self.settle();
        self
    }

    fn act(&mut self) {
        let connects = self.lines.len() < 2 || self.draw.chance(1, 20);
        if connects {
            let (from, to) = (self.draw.index(3), self.draw.index(3));
            if self.up[from] {
                let actors = [from, to].map(|n| u16::try_from(n).unwrap());
                let conn = self.rig.connect(actors[0], actors[1]);
                assert_eq!(conn.0 as usize, self.lines.len());
                self.lines.push(Line::default());
                self.lines[conn.0 as usize].hands[0].end = Some(self.rig.end(actors[0]));
            }
            return;
        }
        let (i, side) = (self.draw.index(self.lines.len()), self.draw.index(2));
        match self.draw.below(40) {
            0 => self.close(i, side, CloseReason::Fin),
            1 => self.close(i, side, CloseReason::Reset),
            2..20 => self.write(i, side),
            _ => {
                let max = self.draw.index(12);
                self.read(i, side, max);
            }
        }
    }

    /// Calls are also made where they are a misuse; those must have no effect.
    fn socket(&self, i: usize, side: usize) -> Option<Socket> {
        let owner = self.lines[i].hands[side].end?;
        let alive = owner == self.rig.end(owner.actor.0) && self.up[usize::from(owner.node.0)];
        let conn = ConnId(u32::try_from(i).unwrap());
        alive.then_some(Socket { owner, conn })
    }

    fn write(&mut self, i: usize, side: usize) {
        let Some(socket) = self.socket(i, side) else { return };
        let len = 1 + self.draw.index(20);
        let data: Vec<u8> = (0..len).map(|_| u8::try_from(self.draw.below(256)).unwrap()).collect();
        let n = self.rig.with(|conns, m| conns.write(socket, &data, m));
        let hand = &mut self.lines[i].hands[side];
        assert!(n == 0 || hand.open && !hand.over, "only an open connection takes bytes");
        hand.written.extend_from_slice(&data[..n]);
        hand.times.resize(hand.written.len(), self.rig.now);
        hand.waits = hand.open && !hand.over && n < len;
        let line = &self.lines[i];
        let ahead = line.hands[side].written.len() - line.hands[1 - side].read.len();
        assert!(ahead <= self.buffer as usize, "the buffer is never exceeded");
        n.hash(&mut self.log);
    }

    fn read(&mut self, i: usize, side: usize, max: usize) -> usize {
        let Some(socket) = self.socket(i, side) else { return 0 };
        let mut into = Vec::new();
        let n = self.rig.with(|conns, m| conns.read(socket, max, &mut into, m));
        into.hash(&mut self.log);
        let line = &mut self.lines[i];
        line.hands[side].read.extend_from_slice(&into);
        let read = &line.hands[side].read;
        let written = &line.hands[1 - side].written;
        assert!(read.len() <= written.len(), "nothing is read that was not written");
        let newest = read.len().checked_sub(1).map(|last| line.hands[1 - side].times[last]);
        assert!(newest.is_none_or(|at| at + LATENCY <= self.rig.now), "nothing arrives early");
        let flipped: u64 =
            read.iter().zip(written).map(|(a, b)| u64::from((a ^ b).count_ones())).sum();
        assert!(flipped <= self.rig.saw(Sight::Flipped), "only flipped bits differ");
        n
    }

    fn close(&mut self, i: usize, side: usize, reason: CloseReason) {
        let Some(socket) = self.socket(i, side) else { return };
        self.rig.with(|conns, m| conns.close(socket, reason, m));
        self.lines[i].hands[side].over = true;
    }

    fn trouble(&mut self) {
        let (a, b) = (self.draw.index(3), self.draw.index(3));
        let [from, to] = [a, b].map(|n| NodeId(u16::try_from(n).unwrap()));
        let until = self.rig.now + Span::us(self.draw.range(1, 50_000));
        match self.draw.below(12) {
            0..3 => self.rig.links.get_mut(from, to).cut_until = until,
            3 => self.rig.links.get_mut(from, to).clog_until = until,
            4 => {
                let link = self.rig.links.get_mut(from, to);
                (link.slow_until, link.slow_factor) = (until, 9);
            }
            5 => self.rig.conns.refuse_connects(to, until),
            6 => self.rig.conns.hang_connects(to, until),
            7 | 8 => self.strike(from, to),
            _ if self.up[a] => self.die(from),
            _ => self.boot(a),
        }
    }

    fn strike(&mut self, from: NodeId, to: NodeId) {
        let lasting = u64::from(self.level == Level::Lasting);
        let trouble = match self.draw.below(4 + lasting) {
            0 => Trouble::Reset,
            1 => Trouble::Close,
            2 => Trouble::Tear(CloseReason::Fin),
            3 => Trouble::Tear(CloseReason::Reset),
            _ => Trouble::Silence,
        };
        let which = Which::Between { from, to };
        let struck = self.rig.with(|conns, m| conns.strike(which, trouble, m));
        struck.hash(&mut self.log);
        for (i, line) in self.lines.iter_mut().enumerate() {
            let conn = ConnId(u32::try_from(i).unwrap());
            let ends = self.rig.conns.ends(conn).unwrap().map(|end| end.node);
            line.damaged |= ends == [from, to] || ends == [to, from];
        }
    }

    fn die(&mut self, node: NodeId) {
        let lasting = u64::from(self.level == Level::Lasting);
        let ends = match self.draw.below(2 + lasting) {
            0 => self.rig.with(|conns, m| conns.node_killed(node, m)),
            1 => self.rig.with(|conns, m| conns.node_stopped(node, m)),
            _ => self.rig.conns.node_crashed(node),
        };
        ends.hash(&mut self.log);
        self.up[usize::from(node.0)] = false;
        for hand in self.lines.iter_mut().flat_map(|line| &mut line.hands) {
            hand.over |= hand.end.is_some_and(|end| end.node == node);
        }
    }

    fn boot(&mut self, n: usize) {
        self.up[n] = true;
        self.rig.boot(u16::try_from(n).unwrap());
    }

    /// Handles all events that are due by `until`.
    fn go_on(&mut self, until: Time) {
        loop {
            let before = self.rig.events.len();
            if !self.rig.next(until) {
                break;
            }
            if let Some((at, end, event)) = self.rig.events.get(before).copied() {
                (at, end.actor, event).hash(&mut self.log);
                self.handle(end, event);
            }
        }
        self.rig.now = self.rig.now.max(until.min(self.rig.now + Span::secs(1)));
    }

    fn handle(&mut self, end: End, event: ConnEvent) {
        let i = event.conn().0 as usize;
        let line = &mut self.lines[i];
        if let ConnEvent::Accepted { from, .. } = event {
            assert_eq!((line.hands[1].end, line.hands[0].end.unwrap().actor), (None, from));
            line.hands[1] = Hand { end: Some(end), open: true, ..Hand::default() };
            return;
        }
        let side = line.hands.iter().position(|hand| hand.end == Some(end)).expect("an end of it");
        let hand = &mut line.hands[side];
        assert!(!hand.over, "no event after the end: {event:?}");
        assert_eq!(
            hand.open,
            !matches!(event, ConnEvent::Opened { .. } | ConnEvent::Refused { .. })
        );
        match event {
            ConnEvent::Accepted { .. } => (),
            ConnEvent::Opened { .. } => hand.open = true,
            ConnEvent::Refused { .. } => hand.over = true,
            ConnEvent::Readable { .. } => {
                let max = 1 + self.draw.index(30);
                assert!(self.read(i, side, max) > 0, "there is something to read");
            }
            ConnEvent::Writable { .. } => {
                assert!(std::mem::take(&mut hand.waits), "only who waits is told of room");
                let before = hand.written.len();
                self.write(i, side);
                assert!(self.lines[i].hands[side].written.len() > before, "there is room");
            }
            ConnEvent::Closed { reason, .. } => {
                hand.over = true;
                self.read(i, side, usize::MAX);
                let line = &self.lines[i];
                if reason == CloseReason::Fin && !line.damaged {
                    let (read, written) = (&line.hands[side].read, &line.hands[1 - side].written);
                    assert_eq!(read.len(), written.len(), "an orderly end follows all the bytes");
                }
            }
        }
    }

    /// Ends the trouble, reads everything, and looks at what is left.
    fn settle(&mut self) {
        for n in (0..3).filter(|n| !self.up[*n]).collect::<Vec<_>>() {
            self.boot(n);
        }
        self.rig.heal();
        loop {
            self.go_on(Time(u64::MAX));
            let sides = (0..self.lines.len()).flat_map(|i| [(i, 0), (i, 1)]);
            let read: usize = sides.map(|(i, side)| self.read(i, side, usize::MAX)).sum();
            if read == 0 && self.rig.agenda.is_empty() {
                break;
            }
        }
        if self.level == Level::Lasting {
            return;
        }
        for line in &self.lines {
            let [client, server] = &line.hands;
            let accepted = server.end.is_some();
            assert!(client.over || client.open && accepted, "every connect is answered: {line:?}");
            assert!(!accepted || client.over == server.over, "an end is heard of: {line:?}");
            if !client.over {
                assert_eq!((&client.written, &server.written), (&server.read, &client.read));
                assert!(!client.waits && !server.waits, "room is heard of: {line:?}");
            }
        }
    }
}

/// Plays many seeds in one rig that is used again and again.
fn play_all(level: Level, seeds: u64) -> std::collections::BTreeSet<Sight> {
    let mut seen = std::collections::BTreeSet::new();
    let mut rig = Rig::new(1);
    for seed in 0..seeds {
        let play = Play::new(rig, seed, level).play(150);
        seen.extend(play.rig.conns.seen().iter().map(|(sight, _)| sight));
        rig = play.rig;
    }
    seen
}

#[test]
fn in_noise_everything_that_is_written_is_read() {
    let seen = play_all(Level::Noise, 300);
    for sight in [Sight::Split, Sight::Delayed, Sight::ShortWrite, Sight::Misuse] {
        assert!(seen.contains(&sight), "{sight:?}");
    }
}

#[test]
fn after_passing_trouble_every_connection_works_or_is_over_for_both() {
    play_all(Level::Passing, 600);
}

#[test]
fn every_trouble_is_seen_to_happen_and_breaks_no_promise() {
    let seen = play_all(Level::Lasting, 600);
    for sight in Sight::ALL {
        assert!(seen.contains(&sight), "{sight:?} was never seen");
    }
}

#[test]
fn a_run_is_the_same_in_a_fresh_rig_in_a_used_one_and_in_a_clone() {
    let mut used = Rig::new(1);
    for seed in 0..60 {
        let fresh = Play::new(Rig::new(1), seed, Level::Lasting);
        let clone = fresh.clone().play(150);
        let fresh = fresh.play(150);
        let again = Play::new(used, seed, Level::Lasting).play(150);
        for other in [&clone, &again] {
            assert_eq!(other.log.finish(), fresh.log.finish(), "seed {seed}");
            assert_eq!(other.rig.events, fresh.rig.events, "seed {seed}");
            assert_eq!(other.rig.conns.seen(), fresh.rig.conns.seen(), "seed {seed}");
        }
        used = again.rig;
    }
}
