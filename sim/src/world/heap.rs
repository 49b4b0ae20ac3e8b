//! A binary heap of words, the least of them at its root.

/// More than every word: where there is none.
const NONE: u128 = u128::MAX;

/// So many pairs there are at least: in a heap that has no more and fills them by half, all walks are equally long.
const FEW: usize = 8;

/// A binary heap whose root can be replaced in one walk. Nodes are numbered from 1, and stand in twos: a node's children are
/// the pair of its number, so that one look finds both, or that there are none.
#[derive(Clone, Debug)]
pub(crate) struct Heap {
    /// Of the first pair, only the second word is a node: the root. Where a node has no child, there is [`NONE`].
    pairs: Vec<[u128; 2]>,
    nodes: usize,
}

impl Default for Heap {
    fn default() -> Heap {
        Heap { pairs: vec![[NONE; 2]; FEW], nodes: 0 }
    }
}

impl Heap {
    /// Empties it. Keeps its memory.
    pub(crate) fn clear(&mut self) {
        self.pairs.truncate(FEW);
        self.pairs.fill([NONE; 2]);
        self.nodes = 0;
    }

    /// The least word; more than every word if there is none.
    #[inline(always)]
    pub(crate) fn root(&self) -> u128 {
        self.pairs[0][1]
    }

    /// The least word but the root; more than every word if there is none.
    #[inline]
    pub(crate) fn second(&self) -> u128 {
        let [left, right] = self.pairs[1];
        left.min(right)
    }

    /// Puts a word in the place of the root.
    #[inline(always)]
    pub(crate) fn replace_root(&mut self, word: u128) {
        match self.pairs.as_mut_slice().try_into() {
            Ok(few) if self.nodes >= FEW => sink_among_few(few, word),
            _ => sink(&mut self.pairs, word),
        }
    }

    /// Takes the root out, if there is one.
    #[inline(never)]
    pub(crate) fn pop(&mut self) {
        if self.nodes == 0 {
            return;
        }
        let last = std::mem::replace(&mut self.pairs.as_flattened_mut()[self.nodes], NONE);
        if self.nodes.is_multiple_of(2) && self.pairs.len() > FEW {
            self.pairs.pop();
        }
        self.nodes -= 1;
        if self.nodes > 0 {
            self.replace_root(last);
        }
    }

    /// Adds a word.
    #[inline(never)]
    pub(crate) fn push(&mut self, word: u128) {
        self.nodes += 1;
        let mut free = self.nodes;
        if free / 2 == self.pairs.len() {
            self.pairs.push([NONE; 2]);
        }
        let nodes = self.pairs.as_flattened_mut();
        while free > 1 && word < nodes[free / 2] {
            nodes[free] = nodes[free / 2];
            free /= 2;
        }
        nodes[free] = word;
    }
}

/// Lets a word sink from the root, which is free, to its place.
#[inline(always)]
fn sink(pairs: &mut [[u128; 2]], word: u128) {
    let mut free = 1;
    while let Some(pair) = pairs.get(free) {
        // Without a branch: which of the two is less cannot be foreseen.
        let right = usize::from(pair[1] < pair[0]);
        let least = pair[right];
        if word < least {
            break;
        }
        pairs.as_flattened_mut()[free] = least;
        free = free << 1 | right;
    }
    pairs.as_flattened_mut()[free] = word;
}

/// The same down to the end in any case: from where the word has its place, each of the lesser children is put down where it
/// was. Among few it cannot be foreseen where to stop, and a wrong guess costs more than the rest of the way.
#[inline(always)]
fn sink_among_few(pairs: &mut [[u128; 2]; FEW], mut word: u128) {
    let mut free = 1;
    for _ in 0..FEW.ilog2() {
        let [left, right] = pairs[free % FEW];
        let lesser = free << 1 | usize::from(right < left);
        let least = left.min(right);
        pairs.as_flattened_mut()[free % FEW] = word.min(least);
        word = word.max(least);
        free = lesser;
    }
    pairs.as_flattened_mut()[free % (2 * FEW)] = word;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choose::fold;

    #[test]
    fn words_come_in_order_however_they_come_and_go() {
        let (mut heap, mut expected) = (Heap::default(), Vec::new());
        let mut word = 1;
        for i in 0..20_000 {
            word = fold(word, i);
            let new = u128::from(word >> 48);
            // It grows, and shrinks to nothing, again and again.
            match word % 16 {
                0..3 if !expected.is_empty() => {
                    heap.replace_root(new);
                    expected[0] = new;
                }
                0..8 => {
                    heap.push(new);
                    expected.push(new);
                }
                _ if i / 500 % 2 == 0 && i % 16 < 14 => continue,
                _ => {
                    heap.pop();
                    expected.drain(..1.min(expected.len()));
                }
            }
            expected.sort_unstable();
            let at = |i: usize| expected.get(i).copied().unwrap_or(NONE);
            assert_eq!((heap.root(), heap.second(), heap.nodes), (at(0), at(1), expected.len()));
        }
        heap.clear();
        assert_eq!((heap.root(), heap.second(), heap.pairs.len()), (NONE, NONE, FEW));
    }
}
