//! The promises of the model, as checks over a world.

use seedbed_sim::actor::{HistoryEvent, Outcome};
use seedbed_sim::check::{Always, Checked, Eventually, Finally};
use seedbed_sim::fault::Kind;
use seedbed_sim::id::{ActorId, NodeId, OpId};
use seedbed_sim::nemesis::Config;
use seedbed_sim::time::Span;
use seedbed_sim::world::{Step, World};
use std::sync::Arc;

use super::call::Ret;
use super::committer::DISK_PATIENCE;
use super::compaction::{FINISHED, SCHEDULED, mark};
use super::judge::{Judge, index_agrees, records_are_needed};
use super::message::{AskId, Note};
use super::model::Mvcc;
use super::op::Request;
use super::settings::Settings;
use super::shared::Shared;
use super::store::NEVER_COMPACTED;
use super::txn::writes;
use super::{replica, watching, workflow, workload};

/// Closing waits for whoever uses the backend.
pub const NOTHING_REACHES_CLOSED: &str = "no operation reaches a closed backend";
/// Whatever a crash leaves of a commit.
pub const FILE_OPENS: &str = "the file opens after every crash";
/// Over restarts, too; a death may take back the last ones that were not durable.
pub const REVISIONS_GROW: &str = "revisions only grow and are never used twice";
/// Else old revisions would become readable again.
pub const COMPACTION_IS_DURABLE: &str = "a compaction that was acknowledged is durable";
/// Atomic and durable in the order of the requests.
pub const PREFIX_SURVIVES: &str = "what survives a restart is a prefix of the transactions";
/// The index is never written to disk.
pub const INDEX_EQUALS_BACKEND: &str = "the index equals the backend";
/// Reads, writes, and errors.
pub const ANSWERS_AGREE: &str = "every answer equals the reference model's";
/// What can be lost is bounded.
pub const PENDING_IS_BOUNDED: &str =
    "what was done waits no longer than a batch interval and a commit";
/// Nothing that can happen to a node keeps it from coming back.
pub const SERVES_AGAIN: &str = "the store opens again after every crash";
/// Nothing that can happen to a compaction keeps it from ending.
pub const COMPACTION_ENDS: &str = "a compaction that was accepted comes to its end";
/// The batch timer does not forget.
pub const ALL_BECOMES_DURABLE: &str = "everything that was done becomes durable";
/// Between front end and clients.
pub const TOLD_AS_DONE: &str = "a client is told what was done, and it was done at most once";

/// A store that is whole again is of use again: nothing else would notice one that is open and answers nobody.
pub const READ_BACK: &str = "every read is answered once the trouble is over";

/// The promises of [`ALWAYS`], by its order.
const PROMISES: [&str; 8] = [
    NOTHING_REACHES_CLOSED,
    FILE_OPENS,
    REVISIONS_GROW,
    COMPACTION_IS_DURABLE,
    PREFIX_SURVIVES,
    INDEX_EQUALS_BACKEND,
    ANSWERS_AGREE,
    PENDING_IS_BOUNDED,
];

/// Promises after every step. The first listens to what the actors state, and the others find their verdicts there.
pub const ALWAYS: &[Always<Mvcc>] = &[
    Always { name: PROMISES[0], check: listen },
    Always { name: PROMISES[1], check: found::<1> },
    Always { name: PROMISES[2], check: found::<2> },
    Always { name: PROMISES[3], check: found::<3> },
    Always { name: PROMISES[4], check: found::<4> },
    Always { name: PROMISES[5], check: found::<5> },
    Always { name: PROMISES[6], check: found::<6> },
    Always { name: PROMISES[7], check: found::<7> },
];

/// Promises that come true once the trouble has ended.
pub const EVENTUALLY: &[Eventually<Mvcc>] = &eventually(settled);

/// The same with another bound.
pub(super) const fn eventually(bound: fn(&Config) -> Span) -> [Eventually<Mvcc>; 3] {
    [
        Eventually { name: SERVES_AGAIN, check: serves_again, bound },
        Eventually { name: COMPACTION_ENDS, check: compaction_ends, bound },
        Eventually { name: ALL_BECOMES_DURABLE, check: all_becomes_durable, bound },
    ]
}

/// Promises about the whole run.
pub const FINALLY: &[Finally<Mvcc>] = &[
    Finally { name: TOLD_AS_DONE, check: told_as_done },
    Finally { name: READ_BACK, check: read_back_is_answered },
];

/// What the checks remember from step to step.
#[derive(Clone, Debug)]
pub struct Ghost {
    /// By node.
    judges: Vec<Judge>,
    found: Findings<{ PROMISES.len() }>,
    /// Of those who watch.
    pub(super) watch: watching::checks::Ghost,
    /// Of a group of nodes.
    pub(super) group: replica::checks::Ghost,
    /// Of those who use the library.
    pub(super) uses: workflow::checks::Ghost,
}

impl Default for Ghost {
    fn default() -> Ghost {
        Ghost {
            judges: Vec::new(),
            found: Findings::of(PROMISES),
            watch: watching::checks::Ghost::default(),
            group: replica::checks::Ghost::default(),
            uses: workflow::checks::Ghost::default(),
        }
    }
}

impl Ghost {
    /// What the reference says of the one node that is watched, or of the group.
    pub(super) fn reference(&self) -> &super::reference::Reference {
        self.judges.first().map_or(self.group.judge.reference(), Judge::reference)
    }
}

/// What the last step showed of some promises, by their order.
#[derive(Clone, Debug)]
pub(super) struct Findings<const N: usize> {
    promises: [&'static str; N],
    found: [Checked; N],
}

impl<const N: usize> Findings<N> {
    pub(super) fn of(promises: [&'static str; N]) -> Findings<N> {
        Findings { promises, found: [const { Checked::Skipped }; N] }
    }

    /// Notes an evaluation of a promise; what is broken stays broken.
    pub(super) fn add(&mut self, promise: &str, checked: Checked) {
        let place = self.promises.iter().position(|name| *name == promise);
        let slot = &mut self.found[place.expect("it is one of them")];
        if !matches!(slot, Checked::Broken(..)) {
            *slot = checked;
        }
    }

    /// Takes what was found of the promise at a place.
    pub(super) fn take(&mut self, place: usize) -> Checked {
        std::mem::replace(&mut self.found[place], Checked::Skipped)
    }

    /// Hears what needs no judge.
    pub(super) fn hear(&mut self, note: &Note) {
        match note {
            Note::Batch => self.add(NOTHING_REACHES_CLOSED, Checked::Held),
            Note::ReachedClosed(who) => {
                let detail = format!("the {who} did");
                self.add(NOTHING_REACHES_CLOSED, Checked::Broken("reached", detail));
            }
            Note::Damaged(error) => {
                self.add(FILE_OPENS, Checked::Broken("damaged", error.to_string()));
            }
            Note::StoreOpened => self.add(FILE_OPENS, Checked::Held),
            _ => {}
        }
    }
}

pub(super) fn listen(world: &World<Mvcc>, ghost: &mut Ghost, step: &Step) -> Checked {
    let (false, Some(node)) = (world.notes().is_empty(), step.node) else {
        return Checked::Skipped;
    };
    let n = usize::from(node.0);
    if ghost.judges.len() <= n {
        ghost.judges.resize_with(n + 1, Judge::default);
    }
    let Ghost { judges, found, watch, uses, .. } = ghost;
    for note in world.notes() {
        match (note, step.actor) {
            (Note::Watch(note), Some(actor)) => {
                let life = (node, world.incarnation(node));
                watch.hear((actor, life), note, judges[0].reference());
            }
            (Note::StoreOpened, _) => {
                let at = world.shared(node).look().map_or(0, |(store, _)| store.current());
                let life = (node, world.incarnation(node));
                watch.judge.opened(life, judges[n].reference(), at);
                uses.opened();
            }
            (Note::Use(note), Some(thread)) => {
                let (judge, shared) = (&mut judges[n], world.shared(node));
                uses.hear((thread, step.at), note, (judge, shared), |promise, checked| {
                    found.add(promise, checked);
                });
                if shared.look().is_some_and(|(_, backend)| backend.pending().is_empty()) {
                    judge.nothing_pending();
                }
            }
            _ => {}
        }
        found.hear(note);
        hear(&mut judges[n], found, note, (world, step, node));
    }
    found.take(0)
}

pub(super) fn found<const PLACE: usize>(
    world: &World<Mvcc>,
    ghost: &mut Ghost,
    _: &Step,
) -> Checked {
    if world.notes().is_empty() {
        return Checked::Skipped;
    }
    ghost.found.take(PLACE)
}

fn hear(
    judge: &mut Judge,
    found: &mut Findings<{ PROMISES.len() }>,
    note: &Note,
    (world, step, node): (&World<Mvcc>, &Step, NodeId),
) {
    let shared = world.shared(node);
    match note {
        Note::Done(id, request, outcome) => {
            let (grows, agrees) = judge.done(*id, (request, outcome), step.at);
            found.add(REVISIONS_GROW, grows);
            found.add(ANSWERS_AGREE, agrees);
            if shared.look().is_some_and(|(_, backend)| backend.pending().is_empty()) {
                judge.nothing_pending();
            }
        }
        Note::Told(_, request, outcome) => judge.told(request, outcome),
        Note::CommitBegun => judge.commit_begun(),
        Note::Committed => judge.committed(),
        Note::Round => {
            found.add(PENDING_IS_BOUNDED, judge.round(step.at, true_interval(world, step)));
        }
        Note::BackendClosed => found.add(PREFIX_SURVIVES, judge.closed()),
        Note::Batch
        | Note::ReachedClosed(_)
        | Note::Damaged(_)
        | Note::Watch(_)
        | Note::Group(_)
        | Note::Use(_) => {}
        Note::Compacted(_) | Note::StoreOpened => {
            let Some((store, backend)) = shared.look() else { return };
            match note {
                Note::Compacted(at) => {
                    let rule = store.defects().head_tombstone();
                    let needed = records_are_needed(judge.reference(), backend, *at, rule);
                    found.add(INDEX_EQUALS_BACKEND, needed);
                }
                _ => {
                    found.add(REVISIONS_GROW, judge.went_back(store, backend));
                    found.add(COMPACTION_IS_DURABLE, judge.forgot_compaction(store));
                    found.add(PREFIX_SURVIVES, judge.is_prefix(store, backend));
                    judge.opened(store);
                }
            }
            found.add(INDEX_EQUALS_BACKEND, index_agrees(store, backend));
        }
    }
}

/// The interval of the batch timer that acts, unless something has made the time of its node unusual.
fn true_interval(world: &World<Mvcc>, step: &Step) -> Option<Span> {
    const UNUSUAL: [Kind; 4] = [Kind::Pause, Kind::SlowNode, Kind::Drift, Kind::Schedule];
    match world.actor(step.actor?) {
        Mvcc::BatchTimer(timer) if UNUSUAL.iter().all(|kind| world.seen(*kind) == 0) => {
            Some(timer.interval())
        }
        _ => None,
    }
}

/// The nodes that serve clients: whether they do, and what their actors share.
pub(super) fn stores(world: &World<Mvcc>) -> impl Iterator<Item = (NodeId, bool, &Shared)> {
    world.actors().iter().zip(0..).filter_map(|(actor, i)| {
        let serves = match actor {
            Mvcc::Front(front) => front.is_serving(),
            Mvcc::Member(member) => member.is_serving(),
            Mvcc::Keeper(keeper) => keeper.is_open(),
            _ => return None,
        };
        let node = world.home(ActorId(i));
        Some((node, serves, world.shared(node)))
    })
}

/// A thread that waits for its disk may wait in vain, with the patience of a slow node, and with the locks of the store.
pub(super) fn serves_again(world: &World<Mvcc>, _: &Ghost) -> Result<(), String> {
    if let Some((node, ..)) = stores(world).find(|(_, serves, _)| !serves) {
        return Err(format!("the store of node {} is not open", node.0));
    }
    let busy = |actor: &Mvcc| matches!(actor, Mvcc::Caller(caller) if !caller.is_idle());
    match world.actors().iter().zip(0_u16..).find(|(actor, _)| busy(actor)) {
        Some((_, n)) => {
            let node = world.home(ActorId(n)).0;
            Err(format!("a thread of node {node} is at work"))
        }
        None => Ok(()),
    }
}

pub(super) fn compaction_ends(world: &World<Mvcc>, _: &Ghost) -> Result<(), String> {
    for (node, _, shared) in stores(world) {
        let Some((_, backend)) = shared.look() else { continue };
        let at = |key| mark(backend, key).ok().flatten().unwrap_or(NEVER_COMPACTED);
        let (scheduled, finished) = (at(SCHEDULED), at(FINISHED));
        if scheduled != finished {
            let node = node.0;
            return Err(format!("at node {node} {scheduled} is scheduled, {finished} finished"));
        }
    }
    Ok(())
}

pub(super) fn all_becomes_durable(world: &World<Mvcc>, _: &Ghost) -> Result<(), String> {
    for (node, _, shared) in stores(world) {
        let pending = shared.look().map_or(0, |(_, backend)| backend.pending().len());
        if pending > 0 {
            return Err(format!("{pending} changes are pending at node {}", node.0));
        }
    }
    Ok(())
}

/// More records than a run writes.
const RECORDS_MAX: u64 = 300;
/// More than this many times slower no node is made; what a slow node has begun to wait for, it waits out after the heal.
const SLOWEST: u64 = 100;

/// Late hand-overs and restarts take less than two seconds. A slow node may have begun a round of the batch timer, the
/// pause of a compaction, or to wait for a silent disk. A few compactions that look at all records come on top.
pub(super) fn settled(config: &Config) -> Span {
    let Settings { batch_interval, compaction_batch, compaction_pause, .. } = Settings::of(config);
    let begun = batch_interval + compaction_pause + DISK_PATIENCE;
    let batches = RECORDS_MAX / compaction_batch as u64 + 1;
    let compaction = (compaction_pause + Span::ms(2)).times(batches);
    Span::secs(2) + begun.times(SLOWEST) + compaction.times(3)
}

pub(super) fn told_as_done(
    world: &World<Mvcc>,
    ghost: &Ghost,
    _: &Config,
) -> Result<Checked, String> {
    let done = ghost.judges.iter().flat_map(|judge| &judge.done);
    let done: Vec<Done> = done.map(|(id, request, outcome)| (*id, &**request, outcome)).collect();
    Ok(told(world, &done, &ghost.uses))
}

/// What was done for a client.
pub(super) type Done<'d> = (AskId, &'d Request, &'d Arc<super::response::Outcome>);

/// Whether clients were told what was done, and nothing was done that should not be, or twice.
pub(super) fn told(
    world: &World<Mvcc>,
    done: &[Done<'_>],
    uses: &workflow::checks::Ghost,
) -> Checked {
    let of = |op: OpId| done.iter().filter(move |(id, ..)| id.op == op);
    for (id, request, _) in done {
        if writes(request) && of(id.op).count() > 1 {
            return Checked::Broken("done twice", format!("`{request}`"));
        }
    }
    for event in &world.history().events {
        let HistoryEvent::Completed { op, outcome, .. } = event else { continue };
        match outcome {
            Outcome::Ok(Ret::Store(told)) if !of(*op).any(|(_, _, done)| *done == told) => {
                let detail = format!("operation {}: {}", op.number, Ret::Store(told.clone()));
                return Checked::Broken("told otherwise", detail);
            }
            Outcome::Ok(Ret::Use(told)) if !uses.has_done(*op, told) => {
                let detail = format!("operation {}: {}", op.number, Ret::Use(told.clone()));
                return Checked::Broken("told otherwise", detail);
            }
            Outcome::Failed => {
                if let Some((_, request, _)) = of(*op).find(|(_, request, _)| writes(request)) {
                    return Checked::Broken("done and failed", format!("`{request}`"));
                }
            }
            Outcome::Ok(_) | Outcome::Unknown => {}
        }
    }
    Checked::Held
}

/// The judge's questions are the last operations of all. A refusal is an answer, too.
pub(super) fn read_back_is_answered(
    world: &World<Mvcc>,
    _: &Ghost,
    _: &Config,
) -> Result<Checked, String> {
    let completed = world.history().events.iter().filter_map(|event| match event {
        HistoryEvent::Completed { op, outcome, .. } => Some((op, outcome)),
        HistoryEvent::Invoked { .. } => None,
    });
    let questions = completed.rev().take(workload::read_back().len());
    let silent = questions.filter(|(_, outcome)| !matches!(outcome, Outcome::Ok(_))).last();
    Ok(silent.map_or(Checked::Held, |(op, _)| {
        Checked::Broken("unanswered", format!("operation {} of the judge", op.number))
    }))
}
