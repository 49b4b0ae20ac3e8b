//! What is due, in total order: by time, then priority, then order of creation.

use crate::time::Time;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

const SLOT_BITS: u32 = 24;
const ID_BITS: u32 = 32;

/// A binary heap over packed words, beside a slab of what they stand for: time 64 bits, priority 8, creation number 32,
/// slot 24. (A prototype measured it against 4-ary heaps, inline entries and timing wheels: it wins or ties.)
#[derive(Clone, Debug)]
pub(crate) struct Agenda<T> {
    heap: BinaryHeap<Reverse<u128>>,
    slots: Vec<Option<T>>,
    free: Vec<u32>,
    created: u32,
}

impl<T> Default for Agenda<T> {
    fn default() -> Agenda<T> {
        Agenda { heap: BinaryHeap::new(), slots: Vec::new(), free: Vec::new(), created: 0 }
    }
}

impl<T> Agenda<T> {
    /// Empties it. Keeps its memory.
    pub(crate) fn reset(&mut self) {
        self.heap.clear();
        self.slots.clear();
        self.free.clear();
        self.created = 0;
    }

    /// Puts something down, and answers its creation number. Inlined, so that the entry is built where it stays.
    #[inline(always)]
    pub(crate) fn push(&mut self, due: Time, priority: u8, what: T) -> u32 {
        let id = self.created;
        self.created = id.checked_add(1).expect("fewer than 2^32 entries in a run");
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(what);
                slot
            }
            None => {
                let slot =
                    u32::try_from(self.slots.len()).expect("fewer than 2^24 entries at once");
                assert!(slot < 1 << SLOT_BITS, "fewer than 2^24 entries at once");
                self.slots.push(Some(what));
                slot
            }
        };
        let word = u128::from(due.0) << 64
            | u128::from(priority) << (SLOT_BITS + ID_BITS)
            | u128::from(id) << SLOT_BITS
            | u128::from(slot);
        self.heap.push(Reverse(word));
        id
    }

    /// The instant of the next entry.
    #[inline]
    pub(crate) fn next_due(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse(word)| Time((word >> 64) as u64))
    }

    /// The priority of the next entry; 0 if there is none.
    #[expect(clippy::cast_possible_truncation, reason = "a field is cut out of the packed word")]
    pub(crate) fn next_priority(&self) -> u8 {
        self.heap.peek().map_or(0, |Reverse(word)| (word >> (SLOT_BITS + ID_BITS)) as u8)
    }

    /// The number of the entry that will be created next.
    pub(crate) fn next_number(&self) -> u32 {
        self.created
    }

    /// Takes the next entry, with its time and creation number.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "fields are cut out of the packed word")]
    pub(crate) fn pop(&mut self) -> Option<(Time, u32, T)> {
        let Reverse(word) = self.heap.pop()?;
        let slot = (word as u32) & ((1 << SLOT_BITS) - 1);
        let what = self.slots[slot as usize].take().expect("a queued slot is filled");
        self.free.push(slot);
        Some((Time((word >> 64) as u64), (word >> SLOT_BITS) as u32, what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_by_time_then_priority_then_creation() {
        let mut agenda = Agenda::default();
        for (i, (due, priority)) in
            [(5, 0), (3, 1), (3, 0), (3, 1), (3, 0), (u64::MAX, 255)].into_iter().enumerate()
        {
            agenda.push(Time(due), priority, i);
        }
        let order: Vec<usize> = std::iter::from_fn(|| agenda.pop().map(|(_, _, i)| i)).collect();
        assert_eq!(order, [2, 4, 1, 3, 0, 5]);
    }

    #[test]
    fn slots_are_used_again() {
        let mut agenda = Agenda::default();
        for i in 0..1000 {
            agenda.push(Time(i), 0, i);
            assert_eq!(
                agenda.pop().map(|(due, id, what)| (due.0, u64::from(id), what)),
                Some((i, i, i))
            );
        }
        assert_eq!((agenda.slots.len(), agenda.heap.len()), (1, 0));
    }
}
