//! What is due, in total order: by time, then priority, then order of creation.

use super::heap::Heap;
use crate::time::Time;

const SLOT_BITS: u32 = 24;
const ID_BITS: u32 = 32;

/// A binary heap over packed words, beside a slab of what they stand for: time 64 bits, priority 8, creation number 32,
/// slot 24. (A prototype measured it against 4-ary heaps, inline entries and timing wheels: it wins or ties.)
///
/// The root of an entry that was taken stays in the heap until the next one is put down, and is then replaced: most steps
/// put something down, and one walk through the heap is cheaper than two.
#[derive(Clone, Debug)]
pub(crate) struct Agenda<T> {
    heap: Heap,
    slots: Vec<Option<T>>,
    free: Vec<u32>,
    created: u32,
    /// The root stands for an entry that was taken.
    hollow: bool,
}

impl<T> Default for Agenda<T> {
    fn default() -> Agenda<T> {
        let (slots, free) = (Vec::new(), Vec::new());
        Agenda { heap: Heap::default(), slots, free, created: 0, hollow: false }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a field is cut out of the packed word")]
const fn slot_of(word: u128) -> u32 {
    (word as u32) & ((1 << SLOT_BITS) - 1)
}

impl<T> Agenda<T> {
    /// Empties it. Keeps its memory.
    pub(crate) fn reset(&mut self) {
        self.heap.clear();
        self.slots.clear();
        self.free.clear();
        self.created = 0;
        self.hollow = false;
    }

    /// Puts something down, and answers its creation number.
    #[inline(never)]
    pub(crate) fn push(&mut self, due: Time, priority: u8, what: T) -> u32 {
        self.push_in_place(due, priority, what)
    }

    /// The same for what comes most often: inlined, so that the entry is built where it stays.
    #[inline(always)]
    pub(crate) fn push_in_place(&mut self, due: Time, priority: u8, what: T) -> u32 {
        let id = self.created;
        self.created = id.checked_add(1).expect("fewer than 2^32 entries in a run");
        let word = u128::from(due.0) << 64
            | u128::from(priority) << (SLOT_BITS + ID_BITS)
            | u128::from(id) << SLOT_BITS;
        if std::mem::take(&mut self.hollow) {
            let slot = slot_of(self.heap.root());
            // First the way through the heap, then the entry: its words were written just now, and copying them at once
            // would wait for that.
            self.heap.replace_root(word | u128::from(slot));
            self.slots[slot as usize] = Some(what);
            return id;
        }
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
        self.heap.push(word | u128::from(slot));
        id
    }

    /// The word of the next entry.
    #[inline]
    fn next(&self) -> Option<u128> {
        // If the root is gone, the next one is one of its children.
        let word = if self.hollow { self.heap.second() } else { self.heap.root() };
        (word != u128::MAX).then_some(word)
    }

    /// The instant of the next entry.
    #[inline]
    pub(crate) fn next_due(&self) -> Option<Time> {
        self.next().map(|word| Time((word >> 64) as u64))
    }

    /// The priority of the next entry; 0 if there is none.
    #[expect(clippy::cast_possible_truncation, reason = "a field is cut out of the packed word")]
    pub(crate) fn next_priority(&self) -> u8 {
        self.next().map_or(0, |word| (word >> (SLOT_BITS + ID_BITS)) as u8)
    }

    /// The number of the entry that will be created next.
    pub(crate) fn next_number(&self) -> u32 {
        self.created
    }

    /// Takes the next entry, with its time and creation number.
    #[inline(always)]
    pub(crate) fn pop(&mut self) -> Option<(Time, u32, T)> {
        self.settle();
        let word = self.heap.root();
        if word == u128::MAX { None } else { Some(self.take(word)) }
    }

    /// The same, if it is due before `limit`.
    #[inline(always)]
    pub(crate) fn pop_before(&mut self, limit: Time) -> Option<(Time, u32, T)> {
        self.settle();
        // Where there is none, it is not due either.
        let word = self.heap.root();
        if u128::from(limit.0) <= word >> 64 { None } else { Some(self.take(word)) }
    }

    /// Removes the root if it stands for an entry that was taken.
    #[inline(always)]
    fn settle(&mut self) {
        if self.hollow {
            self.drop_root();
        }
    }

    #[inline(never)]
    fn drop_root(&mut self) {
        self.hollow = false;
        self.free.push(slot_of(self.heap.root()));
        self.heap.pop();
    }

    /// Takes the entry of the root, which has this word.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "fields are cut out of the packed word")]
    fn take(&mut self, word: u128) -> (Time, u32, T) {
        self.hollow = true;
        let what = self.slots[slot_of(word) as usize].take().expect("a queued slot is filled");
        (Time((word >> 64) as u64), (word >> SLOT_BITS) as u32, what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choose::fold;
    use std::collections::BTreeSet;

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
    fn entries_come_in_order_however_they_are_put_down_and_taken() {
        let (mut agenda, mut expected) = (Agenda::default(), BTreeSet::new());
        let mut word = 1_u64;
        for i in 0..20_000 {
            word = fold(word, i);
            // It grows, and shrinks to nothing, again and again.
            if word % 16 < (if i / 500 % 2 == 0 { 9 } else { 6 }) {
                let (due, priority) = (Time(word >> 60), (word >> 58) as u8 & 3);
                let id = agenda.push(due, priority, i);
                expected.insert((due, priority, id, i));
            } else {
                let next = expected.pop_first();
                assert_eq!(agenda.next_due(), next.map(|(due, ..)| due));
                assert_eq!(agenda.next_priority(), next.map_or(0, |(_, priority, ..)| priority));
                assert_eq!(agenda.pop(), next.map(|(due, _, id, i)| (due, id, i)));
            }
        }
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
        assert_eq!((agenda.slots.len(), agenda.free.len()), (1, 0));
        assert_eq!((agenda.next_due(), agenda.pop()), (None, None));
    }
}
