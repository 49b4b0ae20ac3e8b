//! The judge of watchers: what each was told, held against the reference model alone.
//!
//! ```text
//! asked from s ──▶ created ──▶ events, progress ──▶ cancelled | compacted | lost
//!                              told: everything of its keys in [s, last], and nothing else
//! ```
//!
//! A watcher lives on one connection, and a connection in one life of the node. That life has one history: what the
//! reference had when it ended, or has now. After a crash the next life may go another way from where it came back, and
//! use revisions again: a watcher may have been told of writes that the crash took away, and that is no lie of its own
//! life. A client that goes on after the crash at its last revision and one may then wait for a revision that the new
//! life has not reached; what the new life does below it is not promised to it, because the store cannot know. Whether
//! something was left out between two streams is judged where both lives agree on the history in between.
//!
//! Nodes that apply one log never lose anything: all their lives have the history of the log, and no store is said to be
//! opened here. One that lags behind has only the beginning of it, so that what it tells, and the compactions that it
//! tells of, are still those of that history. A watcher that goes on there waits for what is still to come.

use std::collections::{BTreeMap, BTreeSet};

use seedbed_sim::check::Checked;
use seedbed_sim::id::{ActorId, ConnId, Incarnation, NodeId};

use super::note::WatchNote;
use super::record::Record;
use super::wish::Interest;
use crate::mvcc::op::Keys;
use crate::mvcc::reference::{Reference, State};
use crate::mvcc::response::KeyValue;
use crate::mvcc::watch::{Body, Event, Kind, WatchId};

/// Wo.
pub const ORDERED: &str = "a watcher is told of revisions in their order";
/// Wu.
pub const UNIQUE: &str = "a watcher is told of every change at most once";
/// Wa.
pub const ATOMIC: &str = "a watcher is told of a whole revision at once";
/// Wr.
pub const RELIABLE: &str = "a watcher is told of every change from its start on";
/// Wb.
pub const BOOKMARK: &str = "nothing up to a bookmark is told after it";
/// Wf.
pub const FAITHFUL: &str = "a watcher is told what happened to the keys that it asked for";
/// K.
pub const COMPACTED: &str =
    "a watcher that a compaction has overtaken is told so, once and at last";
/// Resumable.
pub const RESUMES: &str = "a watcher that is resumed goes on where it was";

/// A life of a node.
pub type Life = (NodeId, Incarnation);

/// That of a watcher that is still to be made.
const UNKNOWN: Life = (NodeId(u16::MAX), Incarnation(0));

/// One watcher on one connection.
#[derive(Clone, Debug)]
struct Told {
    life: Life,
    conn: ConnId,
    interest: Interest,
    /// Where it begins; none while it is not known what "from now on" means.
    start: Option<i64>,
    created: bool,
    /// The last revision of which it was told.
    last: i64,
    /// All of them.
    seen: BTreeSet<i64>,
    /// Nothing up to here is to come.
    bookmark: i64,
    /// The compacted revision that it was told of.
    compacted: Option<i64>,
    /// It has ended: nothing comes any more.
    over: bool,
    /// Its connection is lost.
    lost: bool,
    /// The one that it goes on for.
    before: Option<Before>,
}

/// How far a watcher was that is resumed.
#[derive(Clone, Copy, Debug)]
struct Before {
    life: Life,
    /// Everything up to here was told to it, or promised not to come.
    through: i64,
    compacted: Option<i64>,
}

/// What is known of all watchers.
#[derive(Clone, Debug, Default)]
pub struct WatchJudge {
    /// Which life each connection belongs to.
    conns: BTreeMap<ConnId, Life>,
    /// The life in which the store of each node was opened last.
    lives: BTreeMap<NodeId, Incarnation>,
    /// The histories of former lives, and the revision at which the next one came back.
    past: BTreeMap<Life, (Reference, i64)>,
    told: BTreeMap<(ActorId, WatchId), Told>,
    record: Record,
}

/// Verdicts on promises.
pub type Verdicts = Vec<(&'static str, Checked)>;

impl WatchJudge {
    /// A node serves a connection in this life.
    pub fn begun(&mut self, conn: ConnId, life: Life) {
        self.conns.insert(conn, life);
    }

    /// A store was opened at this revision; until now this was its history.
    pub fn opened(&mut self, (node, incarnation): Life, before: &Reference, at: i64) {
        let current = self.lives.insert(node, incarnation);
        if let Some(former) = current.filter(|former| *former != incarnation) {
            self.past.insert((node, former), (before.clone(), at));
        }
    }

    /// A client states something; `now` is the present history of the node.
    pub fn hear(&mut self, client: ActorId, note: &WatchNote, now: &Reference) -> Verdicts {
        match note {
            WatchNote::Begun(_) => Vec::new(),
            WatchNote::Asked(conn, id, interest) => {
                self.asked((client, *id), *conn, interest);
                Vec::new()
            }
            WatchNote::Created(_, id, revision) => self.created((client, *id), *revision, now),
            WatchNote::Refused(_, id) => {
                self.told.remove(&(client, *id));
                Vec::new()
            }
            WatchNote::Cancelled(_, id) => {
                self.told.entry((client, *id)).and_modify(|told| told.over = true);
                Vec::new()
            }
            WatchNote::Heard(conn, about, body) => {
                let heard = about.iter().flat_map(|id| self.heard((client, *id), *conn, body, now));
                heard.collect()
            }
            WatchNote::Lost(conn) => {
                let of = self.told.values_mut().filter(|told| told.conn == *conn);
                of.for_each(|told| told.lost = true);
                Vec::new()
            }
        }
    }

    fn asked(&mut self, name: (ActorId, WatchId), conn: ConnId, interest: &Interest) {
        let before = self.told.get(&name).and_then(|told| match told.created {
            true => {
                Some(Before { life: told.life, through: told.through(), compacted: told.compacted })
            }
            false => told.before,
        });
        let from = interest.from.absolute(0);
        let start = (from > 0).then_some(from);
        let told = Told {
            life: UNKNOWN,
            conn,
            interest: interest.clone(),
            start,
            created: false,
            last: 0,
            seen: BTreeSet::new(),
            bookmark: 0,
            compacted: None,
            over: false,
            lost: false,
            before,
        };
        self.told.insert(name, told);
    }

    fn created(&mut self, name: (ActorId, WatchId), revision: i64, now: &Reference) -> Verdicts {
        let WatchJudge { conns, past, told, .. } = self;
        let Some(told) = told.get_mut(&name) else { return Vec::new() };
        told.created = true;
        told.life = conns.get(&told.conn).copied().unwrap_or(UNKNOWN);
        let start = *told.start.get_or_insert(revision + 1);
        let Some(before) = told.before else { return Vec::new() };
        let history = history(past, told.life, now);
        // Where the two lives went different ways, nothing is promised.
        let between =
            if before.life < told.life { before.life..told.life } else { told.life..told.life };
        let mut came_back = past.range(between).map(|(_, (_, at))| *at);
        if came_back.any(|at| at < before.through) {
            return Vec::new();
        }
        let floor = before.compacted.unwrap_or(0);
        let left_out = (before.through + 1..start)
            .find(|r| *r >= floor && !told.expected(history, *r).is_empty());
        let detail = |how: &str| format!("watcher {} begins at {start}, {how}", name.1);
        let broken = if start <= before.through {
            Some(detail(&format!("and was told of everything up to {}", before.through)))
        } else {
            left_out.map(|r| detail(&format!("and was not told of {r}")))
        };
        vec![(RESUMES, verdict("not where it was", broken))]
    }

    fn heard(
        &mut self,
        name: (ActorId, WatchId),
        conn: ConnId,
        body: &Body,
        now: &Reference,
    ) -> Verdicts {
        let told = self.told.get_mut(&name).filter(|told| told.conn == conn);
        let Some(told) = told.filter(|told| told.created && !told.over) else {
            let detail = format!("watcher {} has ended, or was not made yet", name.1);
            return vec![(COMPACTED, Checked::Broken("told afterwards", detail))];
        };
        let history = history(&self.past, told.life, now);
        match body {
            Body::Events { revision, events } => {
                self.record.hear(told.life, name.1, events);
                told.events(*revision, events, history)
            }
            Body::Progress { revision } => told.progress(*revision, history),
            Body::Compacted { compacted } => {
                told.over = true;
                told.compacted = Some(*compacted);
                // The store does not count a bookmark: who saw nothing of its keys for long may be told after a restore.
                let next = told.last.max(told.start.unwrap_or(1) - 1) + 1;
                let known = history.compacted();
                let broken = (next >= *compacted || *compacted > known).then(|| {
                    format!(
                        "it waits for {next}, was told of {compacted}, and {known} is compacted"
                    )
                });
                vec![(COMPACTED, verdict("not overtaken", broken))]
            }
        }
    }

    /// What the records say of the others.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The first watcher that is served and was not told of everything that has happened, by what the reference says.
    pub fn behind(&self, now: &Reference) -> Option<String> {
        let served = |told: &&Told| told.created && !told.over && !told.lost;
        self.told.iter().filter(|(_, told)| served(told)).find_map(|((client, id), told)| {
            let history = history(&self.past, told.life, now);
            let mut open = told.through() + 1..=history.current();
            let missing = open.find(|r| !told.expected(history, *r).is_empty())?;
            let (client, last) = (client.0, told.last);
            Some(format!("watcher {id} of actor {client} was told up to {last}, not of {missing}"))
        })
    }
}

/// The history of a life.
fn history<'h>(
    past: &'h BTreeMap<Life, (Reference, i64)>,
    life: Life,
    now: &'h Reference,
) -> &'h Reference {
    past.get(&life).map_or(now, |(history, _)| history)
}

/// A promise was kept or broken.
fn verdict(class: &'static str, broken: Option<String>) -> Checked {
    broken.map_or(Checked::Held, |detail| Checked::Broken(class, detail))
}

/// What happened to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change<'s> {
    /// What it is since then; none if it was deleted.
    now: Option<&'s KeyValue>,
    before: Option<&'s KeyValue>,
}

/// What happened to each key at a revision.
fn changes(history: &Reference, revision: i64) -> BTreeMap<&[u8], Change<'_>> {
    static NONE: State = State::new();
    let state = |revision| history.at(revision).unwrap_or(&NONE);
    if history.at(revision).is_none() {
        return BTreeMap::new();
    }
    let (now, before) = (state(revision), state(revision - 1));
    let put = now.values().filter(|kv| kv.mod_revision == revision);
    let deleted = before.values().filter(|kv| !now.contains_key(&kv.key));
    let keys = put.chain(deleted).map(|kv| kv.key.as_slice());
    keys.map(|key| (key, Change { now: now.get(key), before: before.get(key) })).collect()
}

fn is_among(keys: &Keys, key: &[u8]) -> bool {
    match keys {
        Keys::One(one) => key == one,
        Keys::Span(first, end) => key >= first.as_slice() && key < end.as_slice(),
        Keys::From(first) => key >= first.as_slice(),
    }
}

impl Told {
    /// Everything up to here was told, or did not concern it.
    fn through(&self) -> i64 {
        self.last.max(self.bookmark).max(self.start.unwrap_or(1) - 1)
    }

    /// What it is to be told of a revision.
    fn expected<'h>(
        &self,
        history: &'h Reference,
        revision: i64,
    ) -> BTreeMap<&'h [u8], Change<'h>> {
        let Interest { keys, no_put, no_delete, .. } = &self.interest;
        let mut changes = changes(history, revision);
        changes.retain(|key, change| {
            let left_out = if change.now.is_some() { *no_put } else { *no_delete };
            is_among(keys, key) && !left_out
        });
        changes
    }

    fn events(&mut self, revision: i64, events: &[Event], history: &Reference) -> Verdicts {
        let mut verdicts: Verdicts = [ORDERED, UNIQUE, ATOMIC, RELIABLE, FAITHFUL, BOOKMARK]
            .map(|of| (of, Checked::Held))
            .into();
        let mut break_it = |promise, class, detail| {
            verdicts.push((promise, Checked::Broken(class, detail)));
        };
        let turned = events.windows(2).find(|two| two[0].kv.mod_revision > two[1].kv.mod_revision);
        if let Some([first, second]) = turned {
            break_it(ORDERED, "out of order", format!("{first}, then {second}"));
        }
        let header = events.iter().find(|event| event.kv.mod_revision > revision);
        if let Some(event) = header {
            break_it(BOOKMARK, "older than its events", format!("revision {revision}: {event}"));
        }
        for group in events.chunk_by(|a, b| a.kv.mod_revision == b.kv.mod_revision) {
            let at = group[0].kv.mod_revision;
            let expected = self.expected(history, at);
            if let Some((class, detail)) = self.differs(group, &expected, history) {
                break_it(FAITHFUL, class, detail);
            } else if self.seen.contains(&at) {
                break_it(UNIQUE, "told twice", format!("revision {at}: {}", group[0]));
            } else if at < self.last {
                let last = self.last;
                break_it(ORDERED, "out of order", format!("{at} after {last}: {}", group[0]));
            } else if at <= self.bookmark {
                let bookmark = self.bookmark;
                break_it(BOOKMARK, "told too early", format!("{at} after the bookmark {bookmark}"));
            } else if group.len() < expected.len() {
                break_it(
                    ATOMIC,
                    "split",
                    format!("revision {at}: {} of {}", group.len(), expected.len()),
                );
            } else if let Some(missing) =
                (self.through() + 1..at).find(|r| !self.expected(history, *r).is_empty())
            {
                let detail = format!("{at} after {}, and {missing} is missing", self.last);
                if missing < history.compacted() {
                    break_it(COMPACTED, "silent", detail);
                } else {
                    break_it(RELIABLE, "left out", detail);
                }
            }
            self.last = self.last.max(at);
            self.seen.insert(at);
        }
        verdicts
    }

    /// How what is told of one revision differs from what happened there.
    fn differs(
        &self,
        group: &[Event],
        expected: &BTreeMap<&[u8], Change<'_>>,
        history: &Reference,
    ) -> Option<(&'static str, String)> {
        for (n, event) in group.iter().enumerate() {
            let said = || event.to_string();
            if self.start.is_some_and(|start| event.kv.mod_revision < start) {
                return Some(("before its start", said()));
            }
            let Some(change) = expected.get(event.kv.key.as_slice()) else {
                return Some(("not asked for, or never happened", said()));
            };
            let same = match (event.kind, change.now) {
                (Kind::Put, Some(now)) => event.kv == *now,
                (Kind::Delete, None) => event.kv.version == 0 && event.kv.value.is_empty(),
                _ => false,
            };
            if !same {
                return Some(("told otherwise", said()));
            }
            if group[..n].iter().any(|other| other.kv.key == event.kv.key) {
                return Some(("one key twice in a revision", said()));
            }
            // What was before may be compacted by the time when it is sent.
            let gone = event.kv.mod_revision - 1 < history.compacted();
            let right = match (&event.previous, change.before) {
                (None, None) => true,
                (None, Some(_)) => gone || !self.interest.with_previous,
                (Some(told), Some(before)) => self.interest.with_previous && told == before,
                (Some(_), None) => false,
            };
            if !right {
                return Some(("another one before", said()));
            }
        }
        None
    }

    fn progress(&mut self, revision: i64, history: &Reference) -> Verdicts {
        let missing =
            (self.through() + 1..=revision).find(|r| !self.expected(history, *r).is_empty());
        let current = history.current();
        let broken = if revision > current {
            Some(format!("{revision} is still to come after {current}"))
        } else {
            missing.map(|r| format!("up to {revision}, and {r} was not told"))
        };
        self.bookmark = self.bookmark.max(revision);
        vec![(BOOKMARK, verdict("too early", broken))]
    }
}

#[cfg(test)]
mod tests;
