//! The judge of those who use the library: explicit transactions, hashes, history and snapshots, held against the reference.

use std::sync::Arc;

use seedbed_sim::check::Checked;
use seedbed_sim::id::ActorId;
use seedbed_sim::time::Time;

use super::checks::{HASHES_AGREE, HISTORY_AGREES, SNAPSHOT_IS_WHOLE, WRONG_ID_DOES_NOTHING};
use super::note::UseNote;
use super::usage::{Kept, Part, Refusal, Reply, TxnName, Usage, Use, Used};
use crate::mvcc::backend::Backend;
use crate::mvcc::call::Ret;
use crate::mvcc::checks::{ANSWERS_AGREE, REVISIONS_GROW};
use crate::mvcc::defects::Defects;
use crate::mvcc::hash::KvHash;
use crate::mvcc::history::{Effect, History};
use crate::mvcc::judge::{Judge, verdict};
use crate::mvcc::message::AskId;
use crate::mvcc::reference::{Explicit, Reference};
use crate::mvcc::restore::restore;
use crate::mvcc::revision::Revision;
use crate::mvcc::shared::Shared;

/// What is known of the threads of one node.
#[derive(Clone, Debug, Default)]
pub struct UseJudge {
    /// The transaction that is open, by the reference.
    open: Option<Open>,
    /// The snapshots that are being written.
    cuts: Vec<Cut>,
    /// What was done, in order.
    pub(super) done: Vec<(AskId, Arc<Use>, Arc<Used>)>,
}

#[derive(Clone, Debug)]
struct Open {
    thread: ActorId,
    id: i64,
    explicit: Explicit,
}

/// A snapshot was cut: what the store was then.
#[derive(Clone, Copy, Debug)]
struct Cut {
    thread: ActorId,
    current: i64,
    compacted: i64,
    size: u64,
}

/// What came of a promise.
pub(super) type Verdict = (&'static str, Checked);

impl UseJudge {
    /// The store was opened: nobody is inside.
    pub(super) fn opened(&mut self) {
        self.open = None;
        self.cuts.clear();
    }

    /// A thread states something. Answers what came of the promise that it is about.
    pub(super) fn hear(
        &mut self,
        (thread, at): (ActorId, Time),
        note: &UseNote,
        (judge, shared): (&mut Judge, &Shared),
    ) -> Option<Verdict> {
        match note {
            UseNote::Done(id, usage, used) => {
                self.done.push((*id, usage.clone(), used.clone()));
                self.done((thread, at), (usage, used), (judge, shared))
            }
            UseNote::Left(revision) => {
                let open = self.open.take_if(|open| open.thread == thread);
                let ended = open.map(|open| judge.ended(open.explicit, at));
                let wrong = (ended != Some(*revision))
                    .then(|| format!("left at revision {revision}, the reference at {ended:?}"));
                Some((ANSWERS_AGREE, verdict("wrong answer", wrong)))
            }
            UseNote::Cut(size) => {
                let now = judge.reference();
                let (current, compacted) = (now.current(), now.compacted());
                self.cuts.push(Cut { thread, current, compacted, size: *size });
                None
            }
            UseNote::Written(bytes) => {
                let cut = self.cuts.iter().find(|cut| cut.thread == thread)?;
                // Nothing can be said of a node that has died right here.
                let page = shared.look()?.1.page_size();
                Some((SNAPSHOT_IS_WHOLE, cut.check(bytes, page, judge)))
            }
            UseNote::GivenUp => {
                self.cuts.retain(|cut| cut.thread != thread);
                None
            }
        }
    }

    fn done(
        &mut self,
        (thread, at): (ActorId, Time),
        (usage, used): (&Use, &Used),
        (judge, shared): (&mut Judge, &Shared),
    ) -> Option<Verdict> {
        match usage {
            Usage::Begin => {
                let two = self.open.as_ref().map(|open| format!("transaction {} is open", open.id));
                if let Ok(Reply::Begun(id)) = used {
                    let explicit = judge.reference().begin_explicit();
                    self.open = Some(Open { thread, id: *id, explicit });
                }
                Some((ANSWERS_AGREE, verdict("two transactions", two)))
            }
            Usage::Inside(_, name) | Usage::End(name) => {
                let own = |open: &Open| open.thread == thread && TxnName::Id(open.id) == *name;
                if !self.open.as_ref().is_some_and(own) {
                    return Some((WRONG_ID_DOES_NOTHING, nothing(usage, used, (judge, shared))));
                }
                Some(self.inside((usage, used), judge, at))
            }
            Usage::Hash(at) => {
                let wrong = hash_differs(at.unwrap_or(0), used, judge.reference());
                Some((HASHES_AGREE, verdict("another hash", wrong)))
            }
            Usage::History(part) => {
                let wrong = history_differs(part, used, judge.reference());
                let wrong = wrong.map(|wrong| format!("`{usage}`: {wrong}"));
                Some((HISTORY_AGREES, verdict("another history", wrong)))
            }
            Usage::Snapshot => {
                let cut = self.cuts.iter().position(|cut| cut.thread == thread);
                let cut = cut.map(|cut| self.cuts.remove(cut));
                let Ok(Reply::Snapshot(revision, size)) = used else { return None };
                let same = cut.is_some_and(|cut| (cut.current, cut.size) == (*revision, *size));
                let wrong = (!same).then(|| format!("{used:?} was told of {cut:?}"));
                Some((SNAPSHOT_IS_WHOLE, verdict("told otherwise", wrong)))
            }
            Usage::Commit => {
                let pending = shared.look().map_or(0, |(_, backend)| backend.pending().len());
                let wrong = (pending > 0).then(|| format!("{pending} changes are still pending"));
                Some((ANSWERS_AGREE, verdict("not committed", wrong)))
            }
            Usage::Defrag => None,
        }
    }

    /// Something was done in the transaction that is open.
    fn inside(&mut self, (usage, used): (&Use, &Used), judge: &mut Judge, at: Time) -> Verdict {
        let expected = match usage {
            Usage::Inside(action, _) => {
                let open = self.open.as_mut().expect("it was just looked at");
                let outcome = judge.reference().act_inside(&mut open.explicit, action);
                outcome.map(Reply::Inside).map_err(Refusal::Store)
            }
            _ => {
                let before = judge.reference().current();
                let open = self.open.take().expect("it was just looked at");
                let ended = judge.ended(open.explicit, at);
                if let Ok(Reply::Ended(told)) = used
                    && *told < before
                {
                    let back = format!("`{usage}` had revision {told} after {before}");
                    return (REVISIONS_GROW, Checked::Broken("went back", back));
                }
                Ok(Reply::Ended(ended))
            }
        };
        let wrong = differs(used, &expected).map(|wrong| format!("`{usage}`: {wrong}"));
        (ANSWERS_AGREE, verdict("wrong answer", wrong))
    }
}

/// Whether a wrong id was refused, and the store is where it was.
fn nothing(usage: &Use, used: &Used, (judge, shared): (&Judge, &Shared)) -> Checked {
    if *used != Err(Refusal::Mismatch) {
        let detail = format!("`{usage}` gave {used:?}, and no such transaction is open");
        return Checked::Broken("accepted", detail);
    }
    let (now, expected) = (shared.look().map(|(store, _)| store.current()), judge.reference());
    let moved = now.filter(|now| *now != expected.current());
    verdict("moved", moved.map(|now| format!("`{usage}` was refused and left revision {now}")))
}

/// How a hash is not what the reference says of the revision and the compacted one that it names.
fn hash_differs(at: i64, used: &Used, now: &Reference) -> Option<String> {
    let revision = if at == 0 { now.current() } else { at };
    let Ok(Reply::Hash(told, kept)) = used else {
        let expected = now.hash(at).map(drop).map_err(Refusal::Store);
        let refused = used.clone().map(drop);
        return (refused != expected).then(|| format!("at {at}: {refused:?}, not {expected:?}"));
    };
    let KvHash { hash, compacted, .. } = *told;
    let covers = match kept {
        Kept::Yes => compacted < now.compacted(),
        Kept::No => compacted == now.compacted() && (at == 0 || compacted <= at),
    };
    if told.revision != revision || !covers {
        return Some(format!("at {at}: {told:?}, at compacted revision {}", now.compacted()));
    }
    let expected = now.hash_above(compacted, revision).map(|expected| expected.hash);
    (expected != Some(hash)).then(|| {
        format!("at {revision}, compacted {compacted}: {hash}, by the reference {expected:?}")
    })
}

/// How a part of the history is not what the reference says.
fn history_differs(part: &Part<i64>, used: &Used, now: &Reference) -> Option<String> {
    let span = (part.start, part.end.unwrap_or(0));
    let expected = now.part(&part.keys, span, part.limit).map(|(changes, next)| {
        let effects = changes.into_iter().map(|(main, sub, event)| Effect {
            revision: Revision::new(main, sub),
            deleted: event.deleted,
            kv: event.kv.clone(),
        });
        Reply::History(History { effects: effects.collect(), next })
    });
    differs(used, &expected.map_err(Refusal::Store))
}

/// What was told and what should have been, unless they are the same.
fn differs(told: &Used, expected: &Used) -> Option<String> {
    let shown = |used: &Used| Ret::Use(Arc::new(used.clone()));
    (told != expected).then(|| format!("{}; by the reference {}", shown(told), shown(expected)))
}

impl Cut {
    /// Whether the bytes of a file are those of the store when it was cut, and as many as were told.
    fn check(&self, bytes: &[u8], page: u32, judge: &Judge) -> Checked {
        if bytes.len() as u64 != self.size {
            let detail = format!("{} bytes were told, and {} written", self.size, bytes.len());
            return Checked::Broken("another size", detail);
        }
        let backend = match Backend::open(bytes, page) {
            Ok(backend) => backend,
            Err(error) => return Checked::Broken("damaged", error.to_string()),
        };
        let restored = match restore(&backend, Defects::NONE, usize::MAX) {
            Ok(restored) => restored.store,
            Err(fatal) => return Checked::Broken("damaged", fatal.to_string()),
        };
        let differs = judge.differs_from((&restored, &backend), (self.current, self.compacted));
        verdict("not one point", differs)
    }
}
