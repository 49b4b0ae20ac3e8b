//! Counting, as testrunner does after every step: every item is there once, and once in each replica, and on disk.

use crate::client::op::Server;
use crate::cluster::map::Chain;
use crate::cluster::note::Reported;
use crate::vbucket::op::{State, Vb};

use super::Orchestrator;

impl Orchestrator {
    /// The items of masters and of replicas; nothing if they do not agree, or are not on disk, as far as nodes have said
    /// since it began to count.
    pub(super) fn counts(&self) -> Option<(u32, u32)> {
        let (mut active, mut replica) = (0, 0);
        for (vb, chain) in (0..).map(Vb).zip(&self.chains) {
            let (served, followed) = self.counts_of(vb, *chain)?;
            active += served;
            replica += followed;
        }
        Some((active, replica))
    }

    /// The same of one vbucket.
    fn counts_of(&self, vb: Vb, chain: Chain) -> Option<(u32, u32)> {
        let mut all = chain.followers().chain([chain.master]);
        if !all.all(|server| self.heard.has(server)) {
            return None;
        }
        let master = self.stand(chain.master, vb, self.epoch)?;
        if master.state != State::Active || master.queued > 0 {
            return None;
        }
        let mut replica = 0;
        for follower in chain.followers() {
            let stand = self.stand(follower, vb, self.epoch)?;
            let is_same = stand.items == master.items && stand.is_filled;
            if stand.state != State::Replica || stand.queued > 0 || !is_same {
                return None;
            }
            replica += stand.items;
        }
        Some((master.items, replica))
    }

    /// What nodes have said since it began to count of the vbuckets whose counts do not agree, masters first.
    pub(super) fn differing(&self) -> Vec<Reported> {
        let mut reported = Vec::new();
        for (vb, chain) in (0..).map(Vb).zip(&self.chains) {
            if self.counts_of(vb, *chain).is_some() {
                continue;
            }
            let counts = |server: Server| {
                let stand = self.stand(server, vb, self.epoch).filter(|_| self.heard.has(server));
                stand.map(|stand| (stand.items, stand.queued))
            };
            let all = [chain.master].into_iter().chain(chain.followers());
            reported.extend(all.map(|server| Reported { vb, server, counts: counts(server) }));
        }
        reported
    }
}
