//! Which streams are open on which connection.
//!
//! A bracket lasts from the begin of a stream to its end, or to the end of its connection. What comes outside of one is
//! dropped, and so is what belongs to an older session than the youngest that has begun.

use std::collections::BTreeMap;

use seedbed_sim::actor::Context;
use seedbed_sim::id::ConnId;

use super::model::Stream;
use super::note::{Glimpse, Said};
use super::op::Vb;
use super::payload::{Entry, Peer, What};
use super::{bugs, mark};

/// The open brackets.
#[derive(Clone, Debug, Default)]
pub struct Brackets {
    open: Vec<Bracket>,
    /// The youngest session of each vbucket.
    sessions: BTreeMap<Vb, u64>,
    peers: BTreeMap<u32, Peer>,
}

/// A stream that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bracket {
    /// On this connection,
    pub conn: ConnId,
    /// of this vbucket
    pub vb: Vb,
    /// in this session.
    pub session: u64,
}

/// What a vbucket goes by where name and number are written one behind the other.
fn run_together(vb: Vb) -> (u64, usize) {
    let text = format!("{}{}", &vb.keyspace.name()[1..], vb.number);
    (text.parse().unwrap_or_default(), text.len())
}

impl Brackets {
    /// Those that are open.
    #[must_use]
    pub fn open(&self) -> &[Bracket] {
        &self.open
    }

    /// Takes note of whose a connection is.
    pub(super) fn met(&mut self, conn: ConnId, peer: Peer) {
        self.peers.insert(conn.0, peer);
    }

    /// The router that a connection is of, until its end is told.
    pub(super) fn router_of(&self, conn: ConnId) -> Option<u8> {
        self.peers.get(&conn.0).map(|peer| peer.router)
    }

    /// Whether it is what streams carry, rather than where they begin and end.
    pub(super) fn is_data(said: &Said) -> bool {
        matches!(said.what, Glimpse::Snapshot(..) | Glimpse::Mutation(_))
    }

    fn find(&self, conn: ConnId, vb: Vb, cx: &Context<'_, Stream>) -> Option<usize> {
        let together = cx.bug(&bugs::ID_WITHOUT_SEPARATOR).then(|| run_together(vb));
        self.open.iter().position(|bracket| {
            let same = together.map_or(bracket.vb == vb, |id| run_together(bracket.vb) == id);
            bracket.conn == conn && same
        })
    }

    /// Whether a message is to be handed on.
    pub(super) fn judge(
        &mut self,
        conn: ConnId,
        said: &Said,
        cx: &mut Context<'_, Stream>,
    ) -> bool {
        let Said { vb, session, what, .. } = *said;
        let at = self.find(conn, vb, cx);
        match what {
            Glimpse::Begin => {
                let youngest = self.sessions.entry(vb).or_insert(session);
                if session < *youngest {
                    cx.mark(&mark::OLD_SESSION_DROPPED);
                    return false;
                }
                *youngest = session;
                let bracket = Bracket { conn, vb, session };
                match at {
                    Some(at) => self.open[at] = bracket,
                    None => self.open.push(bracket),
                }
                self.open.retain(|other| other.vb != vb || other.session >= session);
                true
            }
            Glimpse::Snapshot(..) | Glimpse::Mutation(_) => {
                at.is_some_and(|at| self.open[at].session == session)
            }
            Glimpse::End => {
                let Some(at) = at else {
                    if cx.bug(&bugs::LATE_EVENTS_CRASH) {
                        cx.abort("the end of a stream that is not known");
                    }
                    return false;
                };
                let is_same = self.open[at].session == session;
                if !is_same && !cx.bug(&bugs::LATE_END_ERASES) {
                    return false;
                }
                self.open.remove(at);
                true
            }
        }
    }

    /// The vbuckets with an open bracket on a connection that is over; the brackets are closed.
    pub(super) fn blame(&mut self, conn: ConnId, cx: &mut Context<'_, Stream>) -> Vec<Vb> {
        if cx.bug(&bugs::BLAME_NOT_FORGOTTEN) {
            let slot = |conn: ConnId| {
                let peer = self.peers.get(&conn.0);
                peer.map(|peer| (peer.router, peer.life, peer.slot))
            };
            let of_slot = |bracket: &&Bracket| slot(bracket.conn) == slot(conn);
            return self.open.iter().filter(of_slot).map(|bracket| bracket.vb).collect();
        }
        self.peers.remove(&conn.0);
        let mut blamed = Vec::new();
        self.open.retain(|bracket| {
            if bracket.conn == conn {
                blamed.push(bracket.vb);
            }
            bracket.conn != conn
        });
        blamed
    }

    /// A vbucket that begins in these entries, and has an open bracket of that session on another connection.
    pub(super) fn elsewhere(&self, conn: ConnId, entries: &[Entry]) -> Option<Vb> {
        let begins = entries.iter().filter(|entry| {
            entry.messages.iter().any(|message| matches!(message.what, What::Begin(..)))
        });
        let mut begins = begins.map(|entry| (entry.vb, entry.session));
        begins.find_map(|(vb, session)| {
            let other =
                |open: &&Bracket| open.vb == vb && open.session == session && open.conn != conn;
            self.open.iter().find(other).map(|open| open.vb)
        })
    }
}
