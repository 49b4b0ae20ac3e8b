//! The promises of a store that threads use as a library: those of any store, and those of its other entry points.

use std::sync::Arc;

use seedbed_sim::check::{Always, Checked, Eventually};
use seedbed_sim::id::{ActorId, OpId};
use seedbed_sim::nemesis::Config;
use seedbed_sim::time::{Span, Time};
use seedbed_sim::world::{Step, World};

use super::judge::UseJudge;
use super::note::UseNote;
use super::usage::Used;
use crate::mvcc::checks as store;
use crate::mvcc::judge::Judge;
use crate::mvcc::model::Mvcc;
use crate::mvcc::settings::TXN_PATIENCE;
use crate::mvcc::shared::Shared;

/// H.
pub const HASHES_AGREE: &str =
    "a hash is the reference model's, whatever was restarted, copied or compacted";
/// S7.
pub const HISTORY_AGREES: &str =
    "a part of the history is whole revisions, and what is told next loses none";
/// N.
pub const SNAPSHOT_IS_WHOLE: &str = "a snapshot is one committed point, and as long as was told";
/// S3.
pub const WRONG_ID_DOES_NOTHING: &str = "a wrong transaction id is refused and changes nothing";

/// The promises of the library, in the order of [`ALWAYS`] behind those of the store.
const PROMISES: [&str; 4] =
    [HASHES_AGREE, HISTORY_AGREES, SNAPSHOT_IS_WHOLE, WRONG_ID_DOES_NOTHING];

/// Promises after every step. The first listens for all of them.
pub const ALWAYS: &[Always<Mvcc>] = &ALL;

/// How a promise is looked after.
type Check = fn(&World<Mvcc>, &mut store::Ghost, &Step) -> Checked;

const ALL: [Always<Mvcc>; store::ALWAYS.len() + PROMISES.len()] = {
    let own: [Check; PROMISES.len()] = [found::<0>, found::<1>, found::<2>, found::<3>];
    let mut all =
        [const { Always { name: "", check: found::<0> } }; store::ALWAYS.len() + PROMISES.len()];
    let mut n = 0;
    while n < all.len() {
        all[n] = match n.checked_sub(store::ALWAYS.len()) {
            None => Always { name: store::ALWAYS[n].name, check: store::ALWAYS[n].check },
            Some(n) => Always { name: PROMISES[n], check: own[n] },
        };
        n += 1;
    }
    all
};

/// Promises that come true once the trouble has ended.
pub const EVENTUALLY: &[Eventually<Mvcc>] = &store::eventually(settled);

/// What the checks of the library remember.
#[derive(Clone, Debug, Default)]
pub struct Ghost {
    judge: UseJudge,
    /// What the last step showed, by the order of the promises.
    found: [Option<Checked>; PROMISES.len()],
}

impl Ghost {
    /// Whether an entry point was used by an operation with this result.
    pub(in crate::mvcc) fn has_done(&self, op: OpId, told: &Arc<Used>) -> bool {
        self.judge.done.iter().any(|(id, _, used)| id.op == op && used == told)
    }

    /// The store was opened.
    pub(in crate::mvcc) fn opened(&mut self) {
        self.judge.opened();
    }

    /// A thread states something; what it shows of the promises of any store is passed on.
    pub(in crate::mvcc) fn hear(
        &mut self,
        who: (ActorId, Time),
        note: &UseNote,
        node: (&mut Judge, &Shared),
        mut of_any_store: impl FnMut(&'static str, Checked),
    ) {
        let Some((promise, checked)) = self.judge.hear(who, note, node) else { return };
        match PROMISES.iter().position(|name| *name == promise) {
            None => of_any_store(promise, checked),
            Some(place) if matches!(self.found[place], Some(Checked::Broken(..))) => {}
            Some(place) => self.found[place] = Some(checked),
        }
    }
}

fn found<const PLACE: usize>(world: &World<Mvcc>, ghost: &mut store::Ghost, _: &Step) -> Checked {
    if world.notes().is_empty() {
        return Checked::Skipped;
    }
    ghost.uses.found[PLACE].take().unwrap_or(Checked::Skipped)
}

/// A slow node may have begun to wait for a transaction that was left alone.
fn settled(config: &Config) -> Span {
    let alone = Span::ms(config.get(TXN_PATIENCE.name));
    store::settled(config) + alone.times(100)
}
