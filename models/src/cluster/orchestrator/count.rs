//! Counting, as testrunner does after every step: every item is there once, and once in each replica, and on disk.

use crate::vbucket::op::{State, Vb};

use super::Orchestrator;

impl Orchestrator {
    /// The items of masters and of replicas; nothing if they do not agree, or are not on disk, as far as nodes have said
    /// since it began to count.
    pub(super) fn counts(&self) -> Option<(u32, u32)> {
        let (mut active, mut replica) = (0, 0);
        for (vb, chain) in (0..).map(Vb).zip(&self.chains) {
            let mut all = chain.followers().chain([chain.master]);
            if !all.all(|server| self.heard.has(server)) {
                return None;
            }
            let master = self.stand(chain.master, vb, self.epoch)?;
            if master.state != State::Active || master.queued > 0 {
                return None;
            }
            active += master.items;
            for follower in chain.followers() {
                let stand = self.stand(follower, vb, self.epoch)?;
                let is_same = stand.items == master.items && stand.is_filled;
                if stand.state != State::Replica || stand.queued > 0 || !is_same {
                    return None;
                }
                replica += stand.items;
            }
        }
        Some((active, replica))
    }
}
