//! What a rebalance promises, in as few words as possible: the judge's own picture, which shares nothing with the model.

/// The node that serves a vbucket, and those that follow it.
pub type Placed = (u8, Vec<u8>);

/// What is not in its place after a rebalance to these nodes; nothing if all is.
#[must_use]
pub fn misplaced(vbuckets: &[Placed], nodes: &[u8], replicas: usize) -> Option<String> {
    let wanted = wanted_replicas(nodes.len(), replicas);
    for (vb, (master, followers)) in vbuckets.iter().enumerate() {
        let mut all = followers.clone();
        all.push(*master);
        if let Some(stranger) = all.iter().find(|node| !nodes.contains(node)) {
            return Some(format!("v{vb} is on n{stranger}, which is not in the cluster"));
        }
        if followers.len() != wanted {
            return Some(format!("v{vb} has {} replicas, not {wanted}", followers.len()));
        }
        all.sort_unstable();
        all.dedup();
        if all.len() != wanted + 1 {
            return Some(format!("v{vb} has two copies on one node"));
        }
    }
    let share = |node: &u8| vbuckets.iter().filter(|(master, _)| master == node).count();
    let shares: Vec<usize> = nodes.iter().map(share).collect();
    let (most, least) = (shares.iter().max()?, shares.iter().min()?);
    (most - least > 1).then(|| format!("one node has {most} vbuckets, another {least}"))
}

/// As many replicas as there are other nodes to have them.
#[must_use]
pub fn wanted_replicas(nodes: usize, replicas: usize) -> usize {
    replicas.min(nodes.saturating_sub(1))
}

/// What nodes count: items of vbuckets that they serve, items of those that they follow, and what is not on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Of vbuckets that they serve.
    pub active: u64,
    /// Of vbuckets that they follow.
    pub replica: u64,
    /// Changes that are not on disk.
    pub queued: u64,
}

impl Counts {
    /// What is wrong with them, where there are so many items and each has so many replicas.
    #[must_use]
    pub fn wrong(self, items: u64, replicas: u64) -> Option<String> {
        let Counts { active, replica, queued } = self;
        let total = active + replica;
        if (active, replica, total) != (items, items * replicas, items * (replicas + 1)) {
            return Some(format!("{active} items and {replica} in replicas, of {items}"));
        }
        (queued > 0).then(|| format!("{queued} changes are not on disk"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_not_in_its_place_is_seen() {
        let good: Vec<Placed> = vec![(0, vec![1]), (1, vec![2]), (2, vec![0])];
        assert_eq!(misplaced(&good, &[0, 1, 2], 1), None);
        let with = |vb: usize, placed: Placed| {
            let mut bad = good.clone();
            bad[vb] = placed;
            misplaced(&bad, &[0, 1, 2], 1)
        };
        assert!(with(0, (3, vec![1])).is_some_and(|said| said.contains("not in the cluster")));
        assert!(with(0, (0, vec![])).is_some_and(|said| said.contains("0 replicas, not 1")));
        assert!(with(0, (0, vec![0])).is_some_and(|said| said.contains("two copies")));
        assert!(with(0, (1, vec![2])).is_some_and(|said| said.contains("another 0")));
    }

    #[test]
    fn no_more_replicas_are_wanted_than_there_are_other_nodes() {
        assert_eq!([1, 2, 3, 4].map(|nodes| wanted_replicas(nodes, 2)), [0, 1, 2, 2]);
    }

    #[test]
    fn counts_are_right_only_if_every_item_is_there_once_and_once_in_each_replica() {
        let counts = |active, replica, queued| Counts { active, replica, queued }.wrong(5, 2);
        assert_eq!(counts(5, 10, 0), None);
        assert!(counts(5, 9, 0).is_some() && counts(4, 10, 0).is_some());
        assert!(counts(5, 10, 1).is_some());
    }
}
