//! The promises of a node that is watched: those of the store, and those to watchers.
//!
//! What a watcher is promised, it is promised within the life of the node that serves it: see [`super::judge`].

use seedbed_sim::check::{Always, Checked, Eventually, Finally};
use seedbed_sim::id::{ActorId, ConnId};
use seedbed_sim::nemesis::Config;
use seedbed_sim::time::Span;
use seedbed_sim::world::{Step, World};

use super::judge::{
    ATOMIC, BOOKMARK, COMPACTED, FAITHFUL, Life, ORDERED, RELIABLE, RESUMES, UNIQUE, WatchJudge,
};
use super::note::WatchNote;
use crate::mvcc::checks as store;
use crate::mvcc::model::Mvcc;
use crate::mvcc::reference::Reference;
use crate::mvcc::settings::{SYNC_INTERVAL, VICTIM_INTERVAL};

/// W and K: nobody is forgotten.
pub const CATCHES_UP: &str =
    "every watcher is told of everything in the end, or that it is compacted";

/// The record is judged as all are; this holds the others against it.
pub const AS_THE_RECORD: &str =
    "no watcher is told of a revision otherwise than the record of its node";

/// The promises to watchers, in the order of [`ALWAYS`] behind those of the store.
pub(in crate::mvcc) const PROMISES: [&str; 8] =
    [ORDERED, UNIQUE, ATOMIC, RELIABLE, BOOKMARK, FAITHFUL, COMPACTED, RESUMES];

/// Promises after every step. The first listens for all of them.
pub const ALWAYS: &[Always<Mvcc>] = &[
    Always { name: store::NOTHING_REACHES_CLOSED, check: store::listen },
    Always { name: store::FILE_OPENS, check: store::found::<1> },
    Always { name: store::REVISIONS_GROW, check: store::found::<2> },
    Always { name: store::COMPACTION_IS_DURABLE, check: store::found::<3> },
    Always { name: store::PREFIX_SURVIVES, check: store::found::<4> },
    Always { name: store::INDEX_EQUALS_BACKEND, check: store::found::<5> },
    Always { name: store::ANSWERS_AGREE, check: store::found::<6> },
    Always { name: store::PENDING_IS_BOUNDED, check: store::found::<7> },
    Always { name: PROMISES[0], check: found::<0> },
    Always { name: PROMISES[1], check: found::<1> },
    Always { name: PROMISES[2], check: found::<2> },
    Always { name: PROMISES[3], check: found::<3> },
    Always { name: PROMISES[4], check: found::<4> },
    Always { name: PROMISES[5], check: found::<5> },
    Always { name: PROMISES[6], check: found::<6> },
    Always { name: PROMISES[7], check: found::<7> },
];

/// Promises that come true once the trouble has ended.
pub const EVENTUALLY: &[Eventually<Mvcc>] = &[
    Eventually { name: store::SERVES_AGAIN, check: store::serves_again, bound: settled },
    Eventually { name: store::COMPACTION_ENDS, check: store::compaction_ends, bound: settled },
    Eventually {
        name: store::ALL_BECOMES_DURABLE,
        check: store::all_becomes_durable,
        bound: settled,
    },
    Eventually { name: CATCHES_UP, check: catches_up, bound: settled },
];

/// Promises about the whole run.
pub const FINALLY: &[Finally<Mvcc>] = &[
    Finally { name: store::TOLD_AS_DONE, check: store::told_as_done },
    Finally { name: store::READ_BACK, check: store::read_back_is_answered },
    Finally { name: AS_THE_RECORD, check: |_, ghost, _| Ok(ghost.watch.judge.record().beside()) },
];

/// What the checks of watchers remember.
#[derive(Clone, Debug, Default)]
pub struct Ghost {
    /// Of all watchers.
    pub judge: WatchJudge,
    /// What the last step showed, by the order of the promises.
    found: [Option<Checked>; PROMISES.len()],
}

impl Ghost {
    /// An actor in some life states something.
    pub fn hear(&mut self, (actor, life): (ActorId, Life), note: &WatchNote, now: &Reference) {
        if let WatchNote::Begun(conn) = note {
            let conn: ConnId = *conn;
            return self.judge.begun(conn, life);
        }
        for (promise, checked) in self.judge.hear(actor, note, now) {
            let place = PROMISES.iter().position(|name| *name == promise);
            let slot = &mut self.found[place.expect("it is one of them")];
            if !matches!(slot, Some(Checked::Broken(..))) {
                *slot = Some(checked);
            }
        }
    }
}

/// What was found of the promise at a place.
pub(in crate::mvcc) fn found<const PLACE: usize>(
    world: &World<Mvcc>,
    ghost: &mut crate::mvcc::checks::Ghost,
    _: &Step,
) -> Checked {
    if world.notes().is_empty() {
        return Checked::Skipped;
    }
    ghost.watch.found[PLACE].take().unwrap_or(Checked::Skipped)
}

pub(in crate::mvcc) fn catches_up(
    world: &World<Mvcc>,
    ghost: &crate::mvcc::checks::Ghost,
) -> Result<(), String> {
    for (actor, i) in world.actors().iter().zip(0_u16..) {
        let Mvcc::Watcher(watcher) = actor else { continue };
        if let Some(id) = watcher.lacks() {
            return Err(format!("watcher {id} of actor {i} is not served"));
        }
    }
    ghost.watch.judge.behind(ghost.reference()).map_or(Ok(()), Err)
}

/// More responses than a run has.
const RESPONSES_MAX: u64 = 300;
/// As slow as a node may have been when it began a pause.
const SLOWEST: u64 = 100;

/// A stream gives way one response a round in the worst case.
pub(in crate::mvcc) fn settled(config: &Config) -> Span {
    let [sync, victims] =
        [SYNC_INTERVAL, VICTIM_INTERVAL].map(|knob| Span::ms(config.get(knob.name)));
    let rounds = (sync + victims + Span::ms(10)).times(RESPONSES_MAX + SLOWEST);
    store::settled(config) + rounds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_promise_has_its_place() {
        let behind = &ALWAYS[store::ALWAYS.len()..];
        let names = behind.iter().map(|always| always.name);
        assert!(names.eq(PROMISES));
        let own = ALWAYS.iter().zip(store::ALWAYS);
        assert!(own.clone().count() == 8 && own.clone().all(|(a, b)| a.name == b.name));
    }
}
