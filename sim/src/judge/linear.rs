//! Linearizability of a recorded history, one key at a time.
//!
//! A history is linearizable if each operation can be given one instant between its invocation and its
//! return, such that the operations, executed in the order of these instants, answer what was observed
//! (Herlihy and Wing, 1990). Operations on different keys do not constrain each other, so that each key
//! is decided on its own.
//!
//! The search is the one of Wing and Gong (1993) with the memory of configurations that Lowe added
//! (2017): place one operation after the other, never one that was invoked after the return of an
//! operation not yet placed, and never visit a configuration twice. Some rules keep it small where many
//! outcomes are unknown; each only cuts what cannot be needed:
//!
//! - an operation that [only reads](Sequential::reads_only) is placed as soon as it fits, without
//!   alternatives, and is dropped if its outcome is unknown;
//! - an unknown operation that would change nothing is not placed;
//! - of unknown operations that are equal, or whose effects nobody tells apart, the one invoked first is
//!   placed first;
//! - a configuration is not visited if another with the same known operations and the same state was
//!   reached with fewer unknown ones;
//! - what a specification [sees coming](Sequential::outlook) is not tried.
//!
//! All work is counted in steps, so that a verdict never depends on the speed of a machine.

#[cfg(test)]
mod brute;
mod entries;
mod explain;
mod hash;
mod pending;
mod search;
mod seen;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::hash::Hash;

pub use pending::{Ahead, Coming};

use explain::{Part, explain};
use search::End;

/// A sequential specification: what each operation does and answers if nothing runs beside it.
pub trait Sequential: Sized {
    /// What an operation is about. No operation may touch the state of another key.
    type Key: Clone + Ord;
    /// An operation with its arguments.
    type Op: Eq;
    /// What an operation answered.
    type Ret;
    /// The state of one key.
    type State: Clone + Eq + Hash;

    /// The key that `op` is about.
    fn key(&self, op: &Self::Op) -> Self::Key;

    /// The state of `key` before the first operation.
    fn initial(&self, key: &Self::Key) -> Self::State;

    /// The state after `op` has taken effect in `state`, or `None` if `op` cannot answer `ret` there.
    ///
    /// Without `ret` the outcome is unknown: this is the state if the operation takes effect now, and
    /// `None` if it cannot.
    fn step(
        &self,
        state: &Self::State,
        op: &Self::Op,
        ret: Option<&Self::Ret>,
    ) -> Option<Self::State>;

    /// Whether `op`, having answered `ret`, leaves every state as it is. `false` is always right; `true`
    /// makes the search quicker.
    fn reads_only(&self, _op: &Self::Op, _ret: Option<&Self::Ret>) -> bool {
        false
    }

    /// Looks at what is still to be placed after `state`, to cut what cannot succeed and to merge what
    /// makes no difference. [`Outlook::Open`] with `state` itself is always right.
    fn outlook(&self, state: Self::State, _ahead: &Ahead<'_, Self>) -> Outlook<Self::State> {
        Outlook::Open(state)
    }

    /// Whether the effect of `op`, an operation of unknown outcome, is to the whole of a history like that
    /// of any other such operation for which this holds: it takes effect in every state, and nobody could
    /// tell which of them did. `false` is always right.
    fn is_blind(&self, _op: &Self::Op, _history: &Ahead<'_, Self>) -> bool {
        false
    }
}

/// The state of a place that holds a value, for a specification that merges values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Held<Value> {
    /// This value.
    This(Value),
    /// Some value that no operation that is still to be placed has seen.
    Unseen,
}

/// What a specification can say about a state when it sees what is still to be placed. In `Open` and
/// `Unseen` it may give a plainer state, if nothing that is still to be placed can tell the two apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outlook<State> {
    /// Go on with this state.
    Open(State),
    /// Go on with this state; but no operation of unknown outcome has to take effect in order to lead
    /// here, because whatever could tell that it did answered otherwise.
    Unseen(State),
    /// The operations that are left cannot all be placed.
    Hopeless,
}

/// One operation of a history. One that certainly had no effect and showed nothing is left out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation<Op, Ret> {
    /// The client that asked. It appears in reports; the verdict does not depend on it.
    pub process: u64,
    /// What was asked.
    pub op: Op,
    /// When, in any unit that orders the events of the history. An operation precedes another if its
    /// return is *less* than the invocation of the other; with equal positions they overlap.
    pub invoked: u64,
    /// When it returned, and what. `None` is an unknown outcome: the operation may take effect at any
    /// time after its invocation, or never.
    pub returned: Option<(u64, Ret)>,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<Key> {
    /// There is an order that explains every answer.
    Linearizable,
    /// There is none.
    NotLinearizable(Refutation<Key>),
    /// The search was given up.
    Inconclusive {
        /// How many steps were taken.
        steps: u64,
    },
}

/// Why a history is not linearizable. Operations are indices into the history that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refutation<Key> {
    /// The first key, in the order of keys, whose operations have no order.
    pub key: Key,
    /// The operation whose return first left no order. It is one operation, unless the budget ran out
    /// while it was looked for: then it is one of these, in the order of their returns.
    pub unplaced: Vec<usize>,
    /// Operations invoked before that return which had not returned, or whose outcome is unknown, and
    /// that `order` does not use; in the order of their invocations.
    pub open: Vec<usize>,
    /// One order that explains every answer before that return. It may use operations that had not
    /// returned then.
    pub order: Vec<usize>,
}

/// Decides whether `history` is linearizable with respect to `spec`.
///
/// `budget` is the number of steps that may be taken; a step is one attempt to place an operation, the
/// comparison of a configuration with 16 remembered ones, or a look at 64 events that are to come. Each
/// key in turn gets an equal share of what is left, so that a hard key cannot keep an easy one from being
/// decided; what the easy ones leave over goes to the hard ones. Explaining a refutation may take as much
/// again as the search for it was allowed.
///
/// ```
/// use seedbed_sim::judge::linear::{Operation, Verdict, check};
/// use seedbed_sim::judge::register::{Register, RegisterCall, RegisterOp, RegisterRet};
///
/// let write = Operation {
///     process: 0,
///     op: RegisterOp { key: "a", call: RegisterCall::Write(Some(1)) },
///     invoked: 0,
///     returned: None, // unknown: it may take effect at any time, or never
/// };
/// let read = |invoked, value| Operation {
///     process: 1,
///     op: RegisterOp { key: "a", call: RegisterCall::Read },
///     invoked,
///     returned: Some((invoked + 1, RegisterRet::Value(value))),
/// };
/// let verdict = |history: &[_]| check(&Register::new(), history, 1_000);
/// let late = [write.clone(), read(1, None), read(3, Some(1))];
/// assert_eq!(verdict(&late), Verdict::Linearizable);
/// let lost = [write, read(1, Some(1)), read(3, None)];
/// assert!(matches!(verdict(&lost), Verdict::NotLinearizable(refuted) if refuted.unplaced == [2]));
/// ```
///
/// # Panics
///
/// If an operation returned before it was invoked.
pub fn check<S: Sequential>(
    spec: &S,
    history: &[Operation<S::Op, S::Ret>],
    budget: u64,
) -> Verdict<S::Key> {
    let mut parts: BTreeMap<S::Key, Vec<usize>> = BTreeMap::new();
    for (index, operation) in history.iter().enumerate() {
        let key = spec.key(&operation.op);
        parts.entry(key).or_default().push(index);
    }
    let mut left = budget;
    // The largest share that did not suffice.
    let mut tried = 0;
    loop {
        let mut undecided = BTreeMap::new();
        let mut keys = parts.len() as u64;
        for (key, part) in parts {
            let share = left / keys;
            keys -= 1;
            let events = entries::events(history, &part);
            let outcome = search::search(spec, &key, history, &events, share);
            left -= outcome.steps.min(share);
            match outcome.end {
                End::Found(_) => {}
                End::OutOfBudget => {
                    tried = tried.max(share);
                    undecided.insert(key, part);
                }
                End::Exhausted(furthest) => {
                    let (key, events) = (&key, &events[..]);
                    let part = Part { spec, key, history, events };
                    return Verdict::NotLinearizable(explain(&part, furthest, share));
                }
            }
        }
        let next_share = left.checked_div(undecided.len() as u64);
        match next_share {
            None => return Verdict::Linearizable,
            Some(share) if share > tried => parts = undecided,
            Some(_) => {
                return Verdict::Inconclusive { steps: budget - left };
            }
        }
    }
}
