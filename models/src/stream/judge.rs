//! What the checks remember: what was sent, what the receiving end ought to do with it, and what the application has.

use std::collections::{BTreeMap, BTreeSet};

use seedbed_sim::check::{Always, Checked};
use seedbed_sim::fault::Kind;
use seedbed_sim::id::ConnId;
use seedbed_sim::time::Time;
use seedbed_sim::world::{Step, World};

use super::checks::{
    ACKS, AFTER_END, BAD_FRAME, CLOSE_TELLS, CONTROL, FENCED, GOES_ON, HEALTHY, HEARD, IN_ORDER,
    IN_SNAPSHOT, ISOLATED, KEYSPACES_APART, LOOKED_AFTER, ONCE, PATIENT, RESTART_POINT,
    ROLLED_BACK, SATISFIABLE, STABLE_GROWS, UNBROKEN, WELL_FORMED, WITHIN_STREAM, bit, data,
    indexer, server,
};
use super::data::millis;
use super::keyspace::Track;
use super::model::Stream;
use super::note::{Glimpse, Note, Said};
use super::op::{Keyspace, Point, Vb};
use super::payload::Peer;
use super::reference::{Fate, Receiving, Word};

/// What is to be judged by `observe`: a promise that was broken.
type Broken = (u32, &'static str, String);

/// What a message is to the receiving end.
fn word(what: Glimpse) -> Word {
    match what {
        Glimpse::Begin => Word::Begin,
        Glimpse::Snapshot(start, end) => Word::Snapshot(start, end),
        Glimpse::Mutation(seq) => Word::Mutation(seq),
        Glimpse::End => Word::End,
    }
}

/// Who sent what: router, life of its process, vbucket.
type SentFrom = (u8, u32, Vb);

/// What the checks remember from step to step.
#[derive(Clone, Debug, Default)]
pub struct Ghost {
    /// The session in which each message was sent, and its place there, from the first on.
    sent: BTreeMap<SentFrom, Vec<(u64, u32)>>,
    /// How many were sent of a vbucket in a session: router, life, vbucket, session.
    counts: BTreeMap<(u8, u32, Vb, u64), u32>,
    /// Messages of a connection that were accepted and not written.
    unwritten: BTreeMap<Peer, u32>,
    peers: BTreeMap<u32, Peer>,
    /// The last message that the server has looked at, by router, life, vbucket and session; and by connection and vbucket.
    last: BTreeMap<(u8, u32, Vb, u64), u32>,
    last_on: BTreeMap<(u32, Vb), u32>,
    looked_at: BTreeMap<(u32, Vb), Vec<u32>>,
    receiving: Receiving,
    /// The brackets of the server, after the last step of it that may have changed them.
    open: BTreeSet<(u32, Vb, u64)>,
    failed: BTreeSet<u32>,
    /// How often the second of two connections has gone on while the first one waited for room.
    turns: BTreeMap<(u32, u32), u32>,
    told: BTreeSet<u32>,
    sessions: BTreeMap<Keyspace, u64>,
    /// When each vbucket was asked for last, and in which attempt.
    asked: BTreeMap<Vb, (Time, u32)>,
    /// Since when each keyspace has been unwell and nobody has looked, and how many pauses there had been.
    unwell: BTreeMap<Keyspace, (Time, u32)>,
    /// The last number that the application has of a vbucket, in its session.
    has: BTreeMap<Vb, u64>,
    stable: BTreeMap<Vb, (u64, u64)>,
    /// The promises that this step says something about, a bit each.
    said: u32,
    /// What this step breaks first, of all that is promised.
    broken: Option<Broken>,
    /// What is promised here: anything else may break, and is not looked at.
    promised: u32,
}

impl Ghost {
    /// Takes in what this step says about what is promised.
    pub(super) fn observe(
        &mut self,
        world: &World<Stream>,
        step: &Step,
        promised: &[Always<Stream>],
    ) {
        self.said = 0;
        self.broken = None;
        if self.promised == 0 {
            self.promised = promised.iter().fold(0, |bits, always| bits | bit(always.name));
        }
        if world.notes().is_empty() {
            return self.after(world, step);
        }
        for note in world.notes() {
            self.take(world, step, note);
        }
        self.after(world, step);
        self.bad_frames(world);
        self.keyspaces(world, step);
    }

    /// What this step says about a promise.
    pub(super) fn verdict(&self, promise: u32) -> Checked {
        match &self.broken {
            Some((broken, class, detail)) if *broken == promise => {
                Checked::Broken(class, detail.clone())
            }
            _ if self.said & promise != 0 => Checked::Held,
            _ => Checked::Skipped,
        }
    }

    fn take(&mut self, world: &World<Stream>, step: &Step, note: &Note) {
        match note {
            Note::Sent(peer, said) => {
                let (router, life) = (peer.router, peer.life >> 12);
                let count = self.counts.entry((router, life, said.vb, said.session)).or_default();
                *count += 1;
                let place = (said.session, *count);
                self.sent.entry((router, life, said.vb)).or_default().push(place);
                *self.unwritten.entry(*peer).or_default() += 1;
            }
            Note::Wrote(peer, n) => {
                let unwritten = self.unwritten.entry(*peer).or_default();
                *unwritten = unwritten.saturating_sub(*n);
            }
            Note::Closed(peer, n) => self.closed(*peer, *n),
            Note::Met(conn, peer) => {
                self.peers.insert(conn.0, *peer);
            }
            Note::Seen(conn, said, is_kept) => {
                self.seen(world.flips(*conn) > 0, *conn, said, *is_kept);
            }
            Note::Shut(conn, why) => self.shut(world, step, *conn, *why),
            Note::Failed(conn, ending) => {
                let is_told = step.actor.is_some_and(|actor| world.is_told_closed(*conn, actor));
                self.failed((world.flips(*conn) > 0, is_told), *conn, *ending);
            }
            Note::Blamed(conn, vbs) => self.blamed(*conn, vbs),
            Note::ServerUp => {
                self.receiving.clear();
                self.unwell.clear();
                self.turns.clear();
            }
            Note::ServerClosed => self.server_closed(world),
            Note::Turn(conn) => self.turn(world, *conn),
            Note::Unreadable(_) => self.says(const { bit(BAD_FRAME) }),
            Note::Unblocked(..) => self.says(const { bit(CONTROL) }),
            Note::GaveUp(conn) => self.gave_up(world, *conn),
            Note::Silent(conn, ms) => self.silent(world, *conn, *ms),
            Note::Acked(_, n, outstanding) => {
                self.hold(const { bit(ACKS) }, "too many", n <= outstanding, || {
                    format!("{n} messages are acknowledged, and {outstanding} were to be")
                });
            }
            Note::Requested(vb, from, _) => {
                let fits = from.snap_start <= from.seq && from.seq <= from.snap_end;
                self.hold(const { bit(WELL_FORMED) }, "outside", fits, || {
                    format!("{vb} from {from}")
                });
            }
            Note::Session(keyspace, session) => self.session(world, *keyspace, *session),
            Note::Asked(vb, _, attempt, from) => self.asked(step, (*vb, *attempt), *from),
            Note::Missed(vb, wait) => self.missed(step, *vb, *wait),
            Note::Looked(keyspace) => self.looked(world, step, *keyspace),
            Note::Heeded(vb, session, attempt) => self.heeded(*vb, *session, *attempt),
            Note::Took(vb, _, at) => self.took(world, *vb, *at),
            Note::Stable(vb, session, upto, last) => self.stable(*vb, *session, (*upto, *last)),
            Note::RolledBack(vb, seq) => self.rolled_back(world, *vb, *seq),
        }
    }

    /// Something is said about a promise, and it holds.
    fn says(&mut self, promise: u32) {
        self.said |= self.promised & promise;
    }

    /// Something is said about a promise: whether it holds, and what is wrong if it does not. Only the first that a step
    /// breaks is told.
    fn hold(
        &mut self,
        promise: u32,
        class: &'static str,
        holds: bool,
        detail: impl FnOnce() -> String,
    ) {
        self.says(promise);
        if !holds && self.promised & promise != 0 && self.broken.is_none() {
            self.broken = Some((promise, class, detail()));
        }
    }

    fn closed(&mut self, peer: Peer, said: u32) {
        let unwritten = self.unwritten.remove(&peer).unwrap_or_default();
        self.hold(const { bit(CLOSE_TELLS) }, "untold", unwritten == said, || {
            format!("{unwritten} messages were not sent, and {said} are said to be")
        });
    }

    /// The server has looked at a message of a connection, whose bytes were altered or not.
    fn seen(&mut self, is_altered: bool, conn: ConnId, said: &Said, is_kept: bool) {
        let Said { vb, session, index, what } = *said;
        let over = self.told.contains(&conn.0);
        self.hold(const { bit(AFTER_END) }, "after the end", !over || !is_kept, || {
            format!("{said} comes after the end of its connection was told")
        });
        if is_altered {
            return self.altered(conn, said, is_kept);
        }
        let Some(peer) = self.peers.get(&conn.0).copied() else { return };
        let life = peer.life >> 12;
        let nth = (index as usize).wrapping_sub(1);
        let sent = self.sent.get(&(peer.router, life, vb)).and_then(|all| all.get(nth).copied());
        let (of, place) = sent.unwrap_or_default();
        self.hold(const { bit(FENCED) }, "another session", of == session, || {
            format!("{said} was sent in session {of}")
        });
        let looked_at = self.looked_at.entry((conn.0, vb)).or_default();
        let again = looked_at.contains(&index);
        looked_at.push(index);
        self.hold(const { bit(ONCE) }, "twice", !again, || format!("{said} comes twice"));
        let key = (peer.router, life, vb, session);
        let before = self.last.insert(key, index).unwrap_or_default();
        let last = before.max(self.last_on.insert((conn.0, vb), index).unwrap_or_default());
        self.hold(const { bit(IN_ORDER) }, "out of order", last < index, || {
            format!("{said} comes after {last}")
        });
        let fate = self.receiving.hear(conn.0, vb, (session, place), word(what));
        self.fate(fate, said, is_kept);
    }

    /// What an altered connection says may be anything; but it opens, ends and displaces streams like what others say.
    fn altered(&mut self, conn: ConnId, said: &Said, is_kept: bool) {
        let Said { vb, session, what, .. } = *said;
        let fate = self.receiving.hear(conn.0, vb, (session, 0), word(what));
        self.belongs(fate != Fate::Dropped, said, is_kept);
    }

    fn belongs(&mut self, belongs: bool, said: &Said, is_kept: bool) {
        let is_end = said.what == Glimpse::End;
        let promise = if is_end { const { bit(FENCED) } } else { const { bit(WITHIN_STREAM) } };
        self.hold(promise, "outside", belongs || !is_kept, || {
            format!("{said} belongs to no stream that is open")
        });
    }

    fn fate(&mut self, fate: Fate, said: &Said, is_kept: bool) {
        let belongs = fate != Fate::Dropped;
        self.belongs(belongs, said, is_kept);
        self.hold(const { bit(UNBROKEN) }, "dropped", is_kept || !belongs, || {
            format!("{said} is dropped, and its stream is open")
        });
        let gap = if let Fate::KeptWithGap(last) = fate { Some(last) } else { None };
        self.hold(const { bit(UNBROKEN) }, "hole", gap.is_none(), || {
            format!("{said} comes after message {}", gap.unwrap_or_default())
        });
        self.hold(const { bit(IN_SNAPSHOT) }, "outside", fate != Fate::KeptOutside, || {
            format!("{said} lies in no snapshot")
        });
    }

    fn server_closed(&mut self, world: &World<Stream>) {
        self.receiving.clear();
        let asked = indexer(world).is_some_and(|indexer| indexer.is_closing());
        self.hold(const { bit(ISOLATED) }, "all closed", asked, || {
            "the server closes, and nobody asked".into()
        });
    }

    fn gave_up(&mut self, world: &World<Stream>, conn: ConnId) {
        let blocked = data(world).is_some_and(|data| data.is_blocked(conn));
        self.hold(const { bit(CONTROL) }, "stuck", !blocked, || {
            format!("data cannot write on connection {}, and nobody reads", conn.0)
        });
        self.hold(const { bit(HEALTHY) }, "given up", false, || {
            format!("connection {} is given up", conn.0)
        });
    }

    fn silent(&mut self, world: &World<Stream>, conn: ConnId, ms: u32) {
        let Some(indexer) = indexer(world) else { return };
        let most = indexer.settings.suicide;
        self.hold(const { bit(HEARD) }, "goes on", ms <= millis(most), || {
            format!(
                "connection {} has said nothing for {ms}ms, of at most {}ms",
                conn.0,
                millis(most)
            )
        });
    }

    fn session(&mut self, world: &World<Stream>, keyspace: Keyspace, session: u64) {
        let before = self.sessions.insert(keyspace, session);
        let Some(side) = indexer(world).and_then(|indexer| indexer.side(keyspace)) else {
            return;
        };
        for number in side.vbs.keys() {
            let vb = Vb { keyspace, number: *number };
            let least = side.indexes.iter().map(|index| index.point(*number).seq).min();
            self.has.insert(vb, least.unwrap_or_default());
        }
        let is_of_one = |(number, track): &(&u16, &Track)| {
            side.indexes.iter().any(|index| index.point(**number) == track.high)
        };
        let mixed = side.vbs.iter().find(|vb| !is_of_one(vb));
        self.hold(const { bit(RESTART_POINT) }, "of two sources", mixed.is_none(), || {
            let point = mixed.map_or_else(Point::default, |(_, track)| track.high);
            format!("a stream of {keyspace} is to go on from {point}, where no index is")
        });
        self.hold(
            const { bit(FENCED) },
            "used again",
            before.is_none_or(|before| before < session),
            || {
                format!(
                    "session {session} of {keyspace} comes after {}",
                    before.unwrap_or_default()
                )
            },
        );
    }

    /// An answer counts only for the request that is made last.
    fn heeded(&mut self, vb: Vb, session: u64, attempt: u32) {
        let asked = self.asked.get(&vb).map(|(_, attempt)| *attempt);
        let is_last = self.sessions.get(&vb.keyspace) == Some(&session) && asked == Some(attempt);
        self.hold(const { bit(FENCED) }, "old answer", is_last, || {
            format!("an answer to {session}.{attempt} counts for {vb}, which was asked for since")
        });
    }

    fn asked(&mut self, step: &Step, (vb, attempt): (Vb, u32), from: Point) {
        self.asked.insert(vb, (step.at, attempt));
        let has = self.has.get(&vb).copied().unwrap_or_default();
        self.hold(const { bit(RESTART_POINT) }, "beyond", from.seq <= has, || {
            format!("{vb} is asked for from {}, and all there is goes up to {has}", from.seq)
        });
    }

    fn looked(&mut self, world: &World<Stream>, step: &Step, keyspace: Keyspace) {
        let since = self.unwell.remove(&keyspace);
        let (Some((since, pauses)), Some(indexer)) = (since, indexer(world)) else { return };
        let waited = step.at.since(since);
        // Nobody looks in a process that stands still.
        let is_paused = world.seen(Kind::Pause) > pauses;
        let in_time = waited <= indexer.settings.repair_delay || is_paused;
        self.hold(const { bit(LOOKED_AFTER) }, "late", in_time, || {
            format!("{keyspace} has been unwell for {waited}, and is looked at only now")
        });
    }

    /// How things stand behind this step, whether anybody says so or not.
    fn after(&mut self, world: &World<Stream>, step: &Step) {
        match step.actor.map(|actor| world.actor(actor)) {
            Some(Stream::Router(router)) => {
                self.hold(
                    const { bit(GOES_ON) },
                    "waits",
                    router.client.hangs || !router.waits_in_vain(),
                    || "a router waits for a connection that has room".into(),
                );
            }
            Some(Stream::Indexer(indexer)) => {
                for (keyspace, side) in &indexer.sides {
                    if side.is_unwell() {
                        self.unwell.entry(*keyspace).or_insert((step.at, world.seen(Kind::Pause)));
                    } else {
                        self.unwell.remove(keyspace);
                    }
                }
            }
            _ => {}
        }
    }

    fn missed(&mut self, step: &Step, vb: Vb, wait: u32) {
        let since = self.asked.get(&vb).map_or(0, |(at, _)| step.at.since(*at).0 / 1_000_000);
        self.hold(const { bit(PATIENT) }, "too early", since >= u64::from(wait), || {
            format!("{vb} is missed after {since}ms, and may take {wait}ms")
        });
    }

    fn took(&mut self, world: &World<Stream>, vb: Vb, at: Point) {
        let has = self.has.get(&vb).copied().unwrap_or_default();
        // A number that was altered, between data and router too, is as good as any other from there on.
        let may = has >= at.seq && world.seen(Kind::Flip) > 0;
        self.hold(const { bit(ONCE) }, "taken twice", may || has < at.seq, || {
            format!("{vb} has all up to {has}, and takes in {}", at.seq)
        });
        self.has.insert(vb, at.seq);
        let within = at.snap_start <= at.seq && at.seq <= at.snap_end;
        self.hold(const { bit(IN_SNAPSHOT) }, "taken outside", within, || {
            format!("{vb} takes in {at}")
        });
    }

    fn stable(&mut self, vb: Vb, session: u64, (upto, last): (u64, u64)) {
        let before = self.stable.insert(vb, (session, upto));
        let grows = before.is_none_or(|(of, before)| of != session || before <= upto);
        self.hold(const { bit(STABLE_GROWS) }, "less", grows, || {
            format!("{vb} is stable to {upto}, and was to {}", before.unwrap_or_default().1)
        });
        self.hold(const { bit(SATISFIABLE) }, "beyond", upto <= last, || {
            format!("{vb} is stable to {upto}, and {last} is all there is")
        });
    }

    fn rolled_back(&mut self, world: &World<Stream>, vb: Vb, seq: u64) {
        let side = indexer(world).and_then(|indexer| indexer.side(vb.keyspace));
        let Some(side) = side else { return };
        let beyond = side.indexes.iter().find(|index| {
            let mut documents = index.documents.iter();
            index.point(vb.number).seq > seq
                || documents.any(|((of, _), (at, _))| *of == vb.number && *at > seq)
        });
        self.hold(const { bit(ROLLED_BACK) }, "kept", beyond.is_none(), || {
            format!("an index has more of {vb} than up to {seq}")
        });
    }

    /// What a step does to streams of one keyspace leaves those of others alone.
    fn keyspaces(&mut self, world: &World<Stream>, step: &Step) {
        let touched = |note: &Note| match note {
            Note::Seen(_, said, _) if matches!(said.what, Glimpse::Begin | Glimpse::End) => {
                Some(said.vb.keyspace)
            }
            _ => None,
        };
        let touched: BTreeSet<Keyspace> = world.notes().iter().filter_map(touched).collect();
        let is_whole =
            |note: &Note| matches!(note, Note::Blamed(..) | Note::ServerUp | Note::ServerClosed);
        if touched.is_empty() && !world.notes().iter().any(is_whole) {
            return;
        }
        let is_up = step.node.is_some_and(|node| world.is_up(node));
        let (Some(server), true) = (server(world), is_up) else { return };
        let open = server.brackets().open().iter();
        let open: BTreeSet<(u32, Vb, u64)> =
            open.map(|bracket| (bracket.conn.0, bracket.vb, bracket.session)).collect();
        let before = std::mem::replace(&mut self.open, open);
        if touched.len() != 1 {
            return;
        }
        let mut changed = before.symmetric_difference(&self.open).map(|(_, vb, _)| *vb);
        let other = changed.find(|vb| !touched.contains(&vb.keyspace));
        self.hold(const { bit(KEYSPACES_APART) }, "touched", other.is_none(), || {
            let vb = other.map_or_else(String::new, |vb| vb.to_string());
            format!("a stream of another keyspace, {vb}, was begun or ended")
        });
    }
}

mod conns;
#[cfg(test)]
mod tests;
