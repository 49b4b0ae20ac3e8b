//! Where vbuckets are to be: a map for the nodes of the cluster that differs from the present one in as little as possible.

use crate::client::op::Server;

use super::map::{Chain, REPLICAS_MAX, Servers};

/// Deals vbuckets out to these nodes, beginning with where they are now.
///
/// Each node gets as many as any other, or one more; who has a vbucket keeps it if that fits. Each vbucket has so many
/// replicas, each on a node of its own, or as many as there are other nodes.
#[must_use]
pub fn balanced(chains: &[Chain], members: Servers, replicas: usize) -> Vec<Chain> {
    let nodes: Vec<Server> = members.iter().collect();
    if nodes.is_empty() {
        return chains.to_vec();
    }
    let masters = masters(chains, &nodes);
    let many = replicas.min(nodes.len() - 1).min(REPLICAS_MAX);
    let mut follows = [0_usize; 8];
    let mut dealt = Vec::with_capacity(chains.len());
    for (old, master) in chains.iter().zip(masters) {
        // Who has the vbucket already need not be filled.
        let known = old.followers().chain([old.master]);
        let known = known.filter(|server| members.has(*server) && *server != master);
        let mut of: Vec<Server> = known.take(many).collect();
        while of.len() < many {
            let free = nodes.iter().filter(|server| **server != master && !of.contains(server));
            let Some(next) = free.min_by_key(|server| follows[usize::from(server.0)]) else {
                break;
            };
            of.push(*next);
        }
        of.iter().for_each(|server| follows[usize::from(server.0)] += 1);
        dealt.push(Chain::of(master, &of));
    }
    dealt
}

/// The master of each vbucket.
fn masters(chains: &[Chain], nodes: &[Server]) -> Vec<Server> {
    let mut room = rooms(chains, nodes);
    let mut take = |server: Server| {
        let left = &mut room[usize::from(server.0)];
        let fits = *left > 0;
        *left -= usize::from(fits);
        fits
    };
    let mut dealt: Vec<Option<Server>> =
        chains.iter().map(|chain| take(chain.master).then_some(chain.master)).collect();
    for (chain, master) in chains.iter().zip(&mut dealt) {
        if master.is_none() {
            // A replica becomes the master sooner than somebody who has nothing.
            let mut others = chain.followers().chain(nodes.iter().copied());
            *master = others.find(|server| take(*server));
        }
    }
    dealt.into_iter().zip(chains).map(|(master, old)| master.unwrap_or(old.master)).collect()
}

/// How many vbuckets each node is to have; those that have most now may have one more.
fn rooms(chains: &[Chain], nodes: &[Server]) -> Vec<usize> {
    let held = |server: &Server| chains.iter().filter(|chain| chain.master == *server).count();
    let mut order: Vec<(usize, Server)> =
        nodes.iter().map(|server| (chains.len() - held(server), *server)).collect();
    order.sort_unstable();
    let (each, more) = (chains.len() / nodes.len(), chains.len() % nodes.len());
    let mut rooms = vec![0; 8];
    for (at, (_, server)) in order.into_iter().enumerate() {
        rooms[usize::from(server.0)] = each + usize::from(at < more);
    }
    rooms
}

/// The first map: vbuckets are dealt out in turn.
#[must_use]
pub fn dealt(vbuckets: u8, members: Servers, replicas: usize) -> Vec<Chain> {
    let nodes: Vec<Server> = members.iter().collect();
    let chains = (0..usize::from(vbuckets)).map(|vb| {
        let turn = |by: usize| nodes[(vb + by) % nodes.len()];
        let many = replicas.min(nodes.len() - 1);
        let of: Vec<Server> = (1..=many).map(turn).collect();
        Chain::of(turn(0), &of)
    });
    chains.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::reference::misplaced;

    fn servers(of: &[u8]) -> Servers {
        Servers::of(of.iter().map(|server| Server(*server)))
    }

    fn plain(chains: &[Chain]) -> Vec<(u8, Vec<u8>)> {
        let plain = |chain: &Chain| {
            (chain.master.0, chain.followers().map(|server| server.0).collect::<Vec<u8>>())
        };
        chains.iter().map(plain).collect()
    }

    #[test]
    fn every_change_of_the_nodes_leads_to_a_map_in_which_everything_is_in_its_place() {
        let before = dealt(16, servers(&[0, 1, 2]), 2);
        for nodes in [&[0, 1, 2, 3][..], &[0, 2], &[0, 1, 3], &[3, 4], &[1], &[0, 1, 2, 3, 4]] {
            for replicas in 0..=2 {
                let after = balanced(&before, servers(nodes), replicas);
                assert_eq!(misplaced(&plain(&after), nodes, replicas), None, "{nodes:?}");
                assert_eq!(balanced(&after, servers(nodes), replicas), after, "and stays so");
            }
        }
    }

    #[test]
    fn a_new_node_gets_its_share_and_nothing_else_moves() {
        let before = dealt(8, servers(&[0, 1, 2]), 1);
        let after = balanced(&before, servers(&[0, 1, 2, 3]), 1);
        let moved = before.iter().zip(&after).filter(|(old, new)| old.master != new.master);
        assert!(moved.clone().all(|(_, new)| new.master == Server(3)));
        assert_eq!(moved.count(), 2);
    }

    #[test]
    fn what_is_in_its_place_stays_there() {
        let before = dealt(8, servers(&[0, 1]), 1);
        assert_eq!(balanced(&before, servers(&[0, 1]), 1), before);
    }
}
