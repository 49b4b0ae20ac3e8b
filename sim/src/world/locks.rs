//! The locks of one node: held over steps, given to waiters by choice, and looked through for cycles.

use crate::id::{ActorId, StepId};

#[derive(Clone, Debug)]
struct Slot<L> {
    lock: L,
    owner: Option<ActorId>,
    waiters: Vec<(ActorId, StepId)>,
}

/// The locks of one node.
#[derive(Clone, Debug)]
pub(crate) struct Locks<L> {
    slots: Vec<Slot<L>>,
}

impl<L> Default for Locks<L> {
    fn default() -> Locks<L> {
        Locks { slots: Vec::new() }
    }
}

/// What came of asking for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Granted,
    Waits,
    /// The wait can never end: the owners wait for each other in a circle.
    Deadlock,
}

impl<L: Copy + Eq> Locks<L> {
    /// Frees everything. Keeps its memory.
    pub(crate) fn reset(&mut self) {
        for slot in &mut self.slots {
            slot.owner = None;
            slot.waiters.clear();
        }
    }

    fn slot(&mut self, lock: L) -> &mut Slot<L> {
        let at = self.slots.iter().position(|s| s.lock == lock).unwrap_or_else(|| {
            self.slots.push(Slot { lock, owner: None, waiters: Vec::new() });
            self.slots.len() - 1
        });
        &mut self.slots[at]
    }

    pub(crate) fn ask(&mut self, lock: L, actor: ActorId, step: StepId) -> Asked {
        let slot = self.slot(lock);
        if slot.owner.is_none() {
            slot.owner = Some(actor);
            return Asked::Granted;
        }
        slot.waiters.push((actor, step));
        if self.is_in_circle(actor) { Asked::Deadlock } else { Asked::Waits }
    }

    /// Whether `actor` waits, through owners that wait themselves, for a lock that it owns.
    fn is_in_circle(&self, actor: ActorId) -> bool {
        let mut reached = vec![actor];
        let mut next = 0;
        while next < reached.len() {
            let waiting = reached[next];
            next += 1;
            for slot in self.slots.iter().filter(|s| s.waiters.iter().any(|(w, _)| *w == waiting)) {
                match slot.owner {
                    Some(owner) if owner == actor => return true,
                    Some(owner) if !reached.contains(&owner) => reached.push(owner),
                    Some(_) | None => {}
                }
            }
        }
        false
    }

    /// Who owns it.
    pub(crate) fn owner(&self, lock: L) -> Option<ActorId> {
        self.slots.iter().find(|s| s.lock == lock).and_then(|s| s.owner)
    }

    /// How many wait for it.
    pub(crate) fn waiting(&self, lock: L) -> usize {
        self.slots.iter().find(|s| s.lock == lock).map_or(0, |s| s.waiters.len())
    }

    /// Gives it back, to the waiter of this index (modulo their number); answers the new owner and the step that asked.
    pub(crate) fn release(&mut self, lock: L, heir: usize) -> Option<(ActorId, StepId)> {
        let slot = self.slot(lock);
        slot.owner = None;
        if slot.waiters.is_empty() {
            return None;
        }
        let (actor, step) = slot.waiters.remove(heir % slot.waiters.len());
        slot.owner = Some(actor);
        Some((actor, step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_goes_to_the_first_waiter_or_to_another_by_choice() {
        let mut locks: Locks<u8> = Locks::default();
        let ask = |locks: &mut Locks<u8>, actor| locks.ask(1, ActorId(actor), StepId(0));
        assert_eq!(ask(&mut locks, 1), Asked::Granted);
        assert_eq!([ask(&mut locks, 2), ask(&mut locks, 3), ask(&mut locks, 4)], [Asked::Waits; 3]);
        assert_eq!(locks.release(1, 0).map(|w| w.0), Some(ActorId(2)));
        assert_eq!(locks.release(1, 1).map(|w| w.0), Some(ActorId(4)));
        assert_eq!((locks.owner(1), locks.waiting(1)), (Some(ActorId(4)), 1));
    }

    #[test]
    fn a_circle_of_waiters_is_found_however_long() {
        let mut locks: Locks<u8> = Locks::default();
        for actor in 0..3 {
            assert_eq!(
                locks.ask(u8::try_from(actor).unwrap(), ActorId(actor), StepId(0)),
                Asked::Granted
            );
        }
        assert_eq!(locks.ask(1, ActorId(0), StepId(0)), Asked::Waits);
        assert_eq!(locks.ask(2, ActorId(1), StepId(0)), Asked::Waits);
        assert_eq!(locks.ask(0, ActorId(2), StepId(0)), Asked::Deadlock);
        let mut own: Locks<u8> = Locks::default();
        own.ask(1, ActorId(0), StepId(0));
        assert_eq!(own.ask(1, ActorId(0), StepId(0)), Asked::Deadlock);
    }
}
