//! What is promised of connections: why they end, what their end is told to break, and whose turn it is.

use std::collections::BTreeSet;

use seedbed_sim::id::ConnId;
use seedbed_sim::world::{Step, World};

use super::Ghost;
use crate::stream::checks::{BAD_FRAME, BLAME, HEALTHY, ISOLATED, SPLITS, TURNS, bit, server};
use crate::stream::frame::FrameError;
use crate::stream::model::Stream;
use crate::stream::note::{Ending, Note, Why};
use crate::stream::op::Vb;
use crate::stream::payload::Peer;

/// How often another reader may go on while one waits: the order in which they come to wait is not that of their turns.
const TURNS_MAX: u32 = 2;

impl Ghost {
    pub(super) fn shut(&mut self, world: &World<Stream>, step: &Step, conn: ConnId, why: Why) {
        self.says(const { bit(HEALTHY) });
        let is_server =
            step.actor.is_some_and(|actor| matches!(world.actor(actor), Stream::Server(_)));
        if !is_server || why == Why::Asked {
            return;
        }
        let has_failed = self.failed.contains(&conn.0);
        self.hold(const { bit(ISOLATED) }, "closed", has_failed, || {
            format!("connection {} is closed, and nothing was wrong with it", conn.0)
        });
    }

    /// The server reads on no more. Whether bytes of the connection were altered, and whether the network has closed it.
    pub(super) fn failed(
        &mut self,
        (is_altered, is_told): (bool, bool),
        conn: ConnId,
        ending: Ending,
    ) {
        self.failed.insert(conn.0);
        self.hold(const { bit(SPLITS) }, "misread", is_altered || !ending.is_misread(), || {
            format!("connection {} has carried what was sent, and cannot be read", conn.0)
        });
        let is_so = match ending {
            Ending::Closed(_) | Ending::Bytes(FrameError::Torn(_)) => is_told,
            Ending::Replaced => self.peers.get(&conn.0).is_some_and(|peer| {
                let is_younger = |other: &Peer| {
                    other.router == peer.router
                        && (other.life > peer.life
                            || other.life == peer.life
                                && other.slot == peer.slot
                                && other.dial > peer.dial)
                };
                self.peers.values().any(is_younger)
            }),
            Ending::Bytes(_) | Ending::Unexpected | Ending::Silent => true,
        };
        self.hold(const { bit(ISOLATED) }, "no reason", is_so, || {
            format!("connection {} is at its end: {ending}; and that is not so", conn.0)
        });
    }

    /// A reader that had to wait for room goes on. Nobody else that waits is passed over again and again.
    pub(super) fn turn(&mut self, world: &World<Stream>, conn: ConnId) {
        let Some(server) = server(world) else { return };
        self.turns.retain(|(waits, _), _| *waits != conn.0);
        let mut most = (conn, 0);
        for other in server.stalled().filter(|other| *other != conn) {
            let turns = self.turns.entry((other.0, conn.0)).or_default();
            *turns += 1;
            most = (other, most.1.max(*turns));
        }
        self.hold(const { bit(TURNS) }, "passed over", most.1 <= TURNS_MAX, || {
            let (other, n) = (most.0.0, most.1);
            format!("connection {other} waits for room while {} has gone on {n} times", conn.0)
        });
    }

    pub(super) fn blamed(&mut self, conn: ConnId, vbs: &[Vb]) {
        let again = !self.told.insert(conn.0);
        self.hold(const { bit(BLAME) }, "twice", !again, || {
            format!("the end of connection {} is told again", conn.0)
        });
        let expected = self.receiving.broken(conn.0);
        let told: BTreeSet<Vb> = vbs.iter().copied().collect();
        let exact = told == expected && told.len() == vbs.len();
        self.hold(const { bit(BLAME) }, "another set", exact, || {
            let say = |vbs: &[Vb]| vbs.iter().map(Vb::to_string).collect::<Vec<_>>().join(" ");
            let expected: Vec<Vb> = expected.into_iter().collect();
            format!("blamed: {}; broken: {}", say(vbs), say(&expected))
        });
    }

    /// A frame that cannot be read ends its connection in the same step.
    pub(super) fn bad_frames(&mut self, world: &World<Stream>) {
        let notes = world.notes();
        for note in notes {
            let Note::Unreadable(conn) = note else { continue };
            let ends = |other: &Note| matches!(other, Note::Failed(of, _) if of == conn);
            self.hold(const { bit(BAD_FRAME) }, "passed over", notes.iter().any(ends), || {
                format!("connection {} goes on after an unreadable frame", conn.0)
            });
        }
    }
}
