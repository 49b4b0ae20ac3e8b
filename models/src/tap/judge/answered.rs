//! What replicas have answered, and which of it holds no longer, since they or those before them went back.

use std::collections::{BTreeMap, BTreeSet};

use seedbed_sim::id::NodeId;

use crate::vbucket::op::{Key, Vb};

/// Versions, by replica.
#[derive(Clone, Debug, Default)]
pub(super) struct Answered {
    /// The newest version of each key that a replica has answered.
    newest: BTreeMap<(NodeId, Vb, Key), u64>,
    /// The newest version that a replica has taken in.
    taken: BTreeMap<(NodeId, Vb), u64>,
    /// What that was when the replica last went back: answers to what came before may be on their way, and say nothing
    /// any more.
    void: BTreeMap<(NodeId, Vb), u64>,
    /// What that was when the replica was last told again what it had not answered. Those who follow it are told that
    /// again, too, behind what is on its way to them.
    again: BTreeMap<(Vb, NodeId), u64>,
    /// The version of each key that a replica has taken in last.
    last: BTreeMap<(NodeId, Vb, Key), u64>,
}

impl Answered {
    /// A replica has answered this version.
    pub(super) fn answered(&mut self, (node, vb, key): (NodeId, Vb, Key), cas: u64) {
        let all = (vb, NodeId(0))..=(vb, NodeId(u16::MAX));
        let again = self.again.range(all).filter(|((_, of), _)| *of != node);
        let void = again.map(|(_, newest)| newest).chain(self.void.get(&(node, vb))).max();
        if void.is_none_or(|void| cas > *void) {
            let newest = self.newest.entry((node, vb, key)).or_default();
            *newest = (*newest).max(cas);
        }
    }

    /// A replica takes in this version.
    ///
    /// # Errors
    /// If it is older than one that it has answered, which is returned.
    pub(super) fn taken(
        &mut self,
        (node, vb, key): (NodeId, Vb, Key),
        cas: u64,
    ) -> Result<(), u64> {
        let taken = self.taken.entry((node, vb)).or_default();
        *taken = (*taken).max(cas);
        let taken = *taken;
        let newest = self.newest.get(&(node, vb, key)).copied().unwrap_or_default();
        let last = self.last.insert((node, vb, key), cas).unwrap_or_default();
        if cas < newest {
            return Err(newest);
        }
        if cas < last {
            // What was not answered came again, and so it may to those who follow this one.
            self.again.insert((vb, node), taken);
            let is_other = |of: &NodeId, at: &Vb| *of != node && *at == vb;
            let others = self.taken.keys().filter(|(of, at)| is_other(of, at));
            let others: BTreeSet<NodeId> = others.map(|(of, _)| *of).collect();
            others.into_iter().for_each(|other| self.forget(other, vb));
        }
        Ok(())
    }

    /// A replica goes back by itself: to what it was before an update, to its disk, or to nothing.
    pub(super) fn back(&mut self, node: NodeId, vb: Vb) {
        self.last.retain(|(of, at, _), _| (*of, *at) != (node, vb));
        self.forget(node, vb);
    }

    /// What a replica has answered says nothing any more.
    fn forget(&mut self, node: NodeId, vb: Vb) {
        self.newest.retain(|(of, at, _), _| (*of, *at) != (node, vb));
        self.void.extend(self.taken.get(&(node, vb)).map(|taken| ((node, vb), *taken)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const B: NodeId = NodeId(1);
    const C: NodeId = NodeId(2);
    const KEY: Key = Key(0);

    #[test]
    fn nothing_older_than_what_was_answered_is_taken_in() {
        let mut answered = Answered::default();
        assert_eq!(answered.taken((B, Vb(0), KEY), 9), Ok(()));
        assert_eq!(answered.taken((B, Vb(0), KEY), 7), Ok(()));
        answered.answered((B, Vb(0), KEY), 9);
        assert_eq!(answered.taken((B, Vb(0), KEY), 7), Err(9));
        answered.back(B, Vb(0));
        answered.answered((B, Vb(0), KEY), 9);
        assert_eq!(answered.taken((B, Vb(0), KEY), 7), Ok(()));
    }

    #[test]
    fn what_was_on_its_way_when_the_one_before_went_back_comes_before_what_is_older() {
        let mut answered = Answered::default();
        assert_eq!(answered.taken((B, Vb(0), KEY), 7), Ok(()));
        assert_eq!(answered.taken((B, Vb(0), KEY), 9), Ok(()));
        assert_eq!(answered.taken((B, Vb(0), KEY), 7), Ok(()));
        assert_eq!(answered.taken((C, Vb(0), KEY), 9), Ok(()));
        answered.answered((C, Vb(0), KEY), 9);
        assert_eq!(answered.taken((C, Vb(0), KEY), 7), Ok(()));
        // What is newer than all that counts again.
        assert_eq!(answered.taken((C, Vb(0), KEY), 11), Ok(()));
        answered.answered((C, Vb(0), KEY), 11);
        assert_eq!(answered.taken((C, Vb(0), KEY), 9), Err(11));
    }

    #[test]
    fn one_is_told_again_after_the_one_behind_it_was() {
        let mut answered = Answered::default();
        for node in [B, C] {
            assert_eq!(answered.taken((node, Vb(0), KEY), 7), Ok(()));
            assert_eq!(answered.taken((node, Vb(0), KEY), 9), Ok(()));
        }
        assert_eq!(answered.taken((C, Vb(0), KEY), 7), Ok(()));
        assert_eq!(answered.taken((C, Vb(0), KEY), 9), Ok(()));
        answered.answered((C, Vb(0), KEY), 9);
        assert_eq!(answered.taken((B, Vb(0), KEY), 7), Ok(()));
        assert_eq!(answered.taken((C, Vb(0), KEY), 7), Ok(()));
    }
}
