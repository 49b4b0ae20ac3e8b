//! Where a history that is not linearizable goes wrong.

use super::entries::{Ends, Event};
use super::search::{End, Furthest, search};
use super::{Operation, Refutation, Sequential};

/// The operations of one key, known to have no order.
pub(super) struct Part<'a, S: Sequential> {
    pub(super) spec: &'a S,
    pub(super) key: &'a S::Key,
    pub(super) history: &'a [Operation<S::Op, S::Ret>],
    pub(super) events: &'a [Event],
}

/// Finds the first return after which there is no order, by searching beginnings of the events. If some
/// order explains a beginning, then it explains every shorter one, so that halving finds the boundary.
///
/// The return that the failed search did not get past is nearly always the culprit: only a
/// specification's foresight can have kept the search from getting further. So it is tried first, and
/// then ever longer beginnings, within `budget` steps.
pub(super) fn explain<S: Sequential>(
    part: &Part<'_, S>,
    failed: Furthest,
    budget: u64,
) -> Refutation<S::Key> {
    let events = part.events;
    let returns = |&at: &usize| events[at].end == Ends::Return;
    let culprits: Vec<usize> = (failed.event..events.len()).filter(returns).collect();
    // Before the return `culprits[fine]` there is an order, and after `culprits[broken]` there is none.
    let (mut fine, mut broken) = (0, culprits.len() - 1);
    let mut left = budget;
    let mut stride = 1;
    let mut order = failed.order;
    while fine < broken {
        let probe = (fine + stride - 1).min((fine + broken) / 2);
        let outcome = search(part.spec, part.key, part.history, &events[..=culprits[probe]], left);
        left -= outcome.steps.min(left);
        match outcome.end {
            End::Found(found) => {
                order = found;
                fine = probe + 1;
                stride *= 2;
            }
            End::Exhausted(_) => broken = probe,
            End::OutOfBudget => break,
        }
    }
    let unplaced: Vec<usize> = culprits[fine..=broken].iter().map(|&at| events[at].index).collect();
    let beginning = &events[..culprits[broken]];
    let invoked = beginning.iter().filter(|event| event.end == Ends::Invoke);
    let open = invoked.map(|event| event.index);
    let open = open.filter(|index| !order.contains(index) && !unplaced.contains(index)).collect();
    Refutation { key: part.key.clone(), unplaced, open, order }
}
