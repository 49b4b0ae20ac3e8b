//! The promises of a group of nodes that apply one log: those of each store, those of the group, and those to watchers.

use seedbed_sim::check::{Always, Checked, Eventually, Finally};
use seedbed_sim::fault::Kind;
use seedbed_sim::nemesis::Config;
use seedbed_sim::time::Span;
use seedbed_sim::world::{Step, World};

use super::judge::{GroupJudge, HASHES_AGREE, LIVES_ITS_TIME, Verdicts};
use super::note::GroupNote;
use crate::mvcc::checks::{self as store, Findings};
use crate::mvcc::message::Note;
use crate::mvcc::model::Mvcc;
use crate::mvcc::settings::RESEND;
use crate::mvcc::watching::checks as watching;

pub use super::judge::{
    ACKNOWLEDGED_STAYS, EQUALS_LOG, LEASES_ARE_EXACT, READS_SEE, REPLICAS_AGREE,
};

/// Nothing that can happen to a node keeps it from following the others.
pub const FOLLOWS: &str = "every node applies the whole log in the end";

/// The promises of [`ALWAYS`] before those to watchers, by its order.
const PROMISES: [&str; 11] = [
    store::NOTHING_REACHES_CLOSED,
    store::FILE_OPENS,
    store::INDEX_EQUALS_BACKEND,
    store::ANSWERS_AGREE,
    REPLICAS_AGREE,
    EQUALS_LOG,
    ACKNOWLEDGED_STAYS,
    LEASES_ARE_EXACT,
    READS_SEE,
    HASHES_AGREE,
    LIVES_ITS_TIME,
];

/// Promises after every step. The first listens for all of them.
///
/// That revisions only grow, and that compactions are durable, is part of what [`EQUALS_LOG`] says.
pub const ALWAYS: &[Always<Mvcc>] = &[
    Always { name: PROMISES[0], check: listen },
    Always { name: PROMISES[1], check: found::<1> },
    Always { name: PROMISES[2], check: found::<2> },
    Always { name: PROMISES[3], check: found::<3> },
    Always { name: PROMISES[4], check: found::<4> },
    Always { name: PROMISES[5], check: found::<5> },
    Always { name: PROMISES[6], check: found::<6> },
    Always { name: PROMISES[7], check: found::<7> },
    Always { name: PROMISES[8], check: found::<8> },
    Always { name: PROMISES[9], check: found::<9> },
    Always { name: PROMISES[10], check: found::<10> },
    Always { name: watching::PROMISES[0], check: watching::found::<0> },
    Always { name: watching::PROMISES[1], check: watching::found::<1> },
    Always { name: watching::PROMISES[2], check: watching::found::<2> },
    Always { name: watching::PROMISES[3], check: watching::found::<3> },
    Always { name: watching::PROMISES[4], check: watching::found::<4> },
    Always { name: watching::PROMISES[5], check: watching::found::<5> },
    Always { name: watching::PROMISES[6], check: watching::found::<6> },
    Always { name: watching::PROMISES[7], check: watching::found::<7> },
];

/// Promises that come true once the trouble has ended.
pub const EVENTUALLY: &[Eventually<Mvcc>] = &[
    Eventually { name: store::SERVES_AGAIN, check: store::serves_again, bound: settled },
    Eventually { name: FOLLOWS, check: follows, bound: settled },
    Eventually { name: store::COMPACTION_ENDS, check: store::compaction_ends, bound: settled },
    Eventually {
        name: store::ALL_BECOMES_DURABLE,
        check: store::all_becomes_durable,
        bound: settled,
    },
    Eventually { name: watching::CATCHES_UP, check: watching::catches_up, bound: settled },
];

/// Promises about the whole run.
pub const FINALLY: &[Finally<Mvcc>] = &[
    Finally {
        name: store::TOLD_AS_DONE,
        check: |world, ghost, _| Ok(store::told(world, &ghost.group.judge.done(), &ghost.uses)),
    },
    Finally { name: store::READ_BACK, check: store::read_back_is_answered },
    Finally {
        name: watching::AS_THE_RECORD,
        check: |_, ghost, _| Ok(ghost.watch.judge.record().beside_all()),
    },
];

/// What the checks of a group remember.
#[derive(Clone, Debug)]
pub struct Ghost {
    /// Of all nodes.
    pub judge: GroupJudge,
    found: Findings<{ PROMISES.len() }>,
}

impl Default for Ghost {
    fn default() -> Ghost {
        Ghost { judge: GroupJudge::default(), found: Findings::of(PROMISES) }
    }
}

fn listen(world: &World<Mvcc>, ghost: &mut store::Ghost, step: &Step) -> Checked {
    let (false, Some(node), Some(actor)) = (world.notes().is_empty(), step.node, step.actor) else {
        return Checked::Skipped;
    };
    let store::Ghost { group: Ghost { judge, found }, watch, .. } = ghost;
    let open = world.shared(node).look();
    for note in world.notes() {
        found.hear(note);
        let verdicts: Verdicts = match note {
            Note::Watch(note) => {
                let life = (node, world.incarnation(node));
                watch.hear((actor, life), note, judge.reference());
                Vec::new()
            }
            Note::Group(note) => {
                if let GroupNote::Applied(..) = note {
                    judge.seconds_last(second(world));
                }
                judge.hear(node, note, (open.map(|(store, _)| store), step.at))
            }
            Note::StoreOpened => {
                open.map_or(Vec::new(), |(store, backend)| judge.opened(node, store, backend))
            }
            Note::Compacted(at) => open.map_or(Vec::new(), |open| judge.compacted(node, *at, open)),
            _ => Vec::new(),
        };
        verdicts.into_iter().for_each(|(promise, checked)| found.add(promise, checked));
    }
    found.take(0)
}

/// How long a second of a lease is, unless a clock has run otherwise.
fn second(world: &World<Mvcc>) -> Option<Span> {
    let keeper = world.actors().iter().find_map(|actor| match actor {
        Mvcc::LeaseKeeper(keeper) => Some(keeper),
        _ => None,
    });
    keeper.filter(|_| world.seen(Kind::Drift) == 0).map(|keeper| keeper.lasts(1))
}

fn found<const PLACE: usize>(world: &World<Mvcc>, ghost: &mut store::Ghost, _: &Step) -> Checked {
    if world.notes().is_empty() {
        return Checked::Skipped;
    }
    ghost.group.found.take(PLACE)
}

fn follows(world: &World<Mvcc>, ghost: &store::Ghost) -> Result<(), String> {
    let judge = &ghost.group.judge;
    let last = judge.last().max(judge.committed());
    for (node, _, shared) in store::stores(world) {
        let applied = shared.replica.as_ref().map_or(0, |replica| replica.applied);
        if applied < last {
            return Err(format!("node {} has applied {applied} of {last} entries", node.0));
        }
    }
    Ok(())
}

/// More entries than a run has.
const ENTRIES_MAX: u64 = 200;
/// What it takes to send, write, sync, execute and commit an entry, in milliseconds.
const ENTRY: u64 = 20;
/// As slow as a node may have been when it began to wait.
const SLOWEST: u64 = 100;

/// Over what a store needs: in the worst case each entry goes out alone, and is sent again first.
fn settled(config: &Config) -> Span {
    let entry = Span::ms(config.get(RESEND.name) + ENTRY);
    watching::settled(config) + entry.times(ENTRIES_MAX + SLOWEST)
}
