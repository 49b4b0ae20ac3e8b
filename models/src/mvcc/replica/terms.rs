//! How long leases were promised to live.

use std::collections::BTreeMap;

use seedbed_sim::check::Checked;
use seedbed_sim::time::{Span, Time};

use super::entry::Proposal;
use crate::mvcc::judge::verdict;
use crate::mvcc::message::AskId;
use crate::mvcc::op::Op;

/// Until when each lease lives at least. Its client may count from the moment when its grant was applied, or when it asked
/// to renew it; a primary counts from later on.
#[derive(Clone, Debug, Default)]
pub(super) struct Terms {
    /// How long a second is; none while the clock of some node is not to be relied on.
    pub(super) second: Option<Span>,
    ends: BTreeMap<i64, Time>,
    /// When clients began to renew.
    renewing: BTreeMap<AskId, Time>,
}

impl Terms {
    /// A client wants to renew a lease.
    pub(super) fn renewing(&mut self, ask: AskId, at: Time) {
        self.renewing.insert(ask, at);
    }

    /// It is told that it has, for so long.
    pub(super) fn renewed(&mut self, ask: AskId, lease: i64, lasts: Span) {
        let Some(since) = self.renewing.get(&ask) else { return };
        let end = self.ends.entry(lease).or_default();
        *end = (*end).max(*since + lasts);
    }

    /// The first node has applied what was not refused.
    pub(super) fn applied(&mut self, proposal: &Proposal, at: Time) -> Checked {
        match (&proposal.request, self.second) {
            (Op::Grant(grant), Some(second)) => {
                let seconds = u64::try_from(grant.ttl.max(1)).expect("at least one");
                self.ends.insert(grant.lease, at + second.times(seconds));
                Checked::Skipped
            }
            (Op::Revoke(lease), second) => {
                let end = self.ends.remove(lease);
                let of_client = proposal.ask.is_some();
                let (Some(end), false, Some(_)) = (end, of_client, second) else {
                    return Checked::Skipped;
                };
                let early = (at < end).then(|| format!("{lease} has {} left", end.since(at)));
                verdict("ended early", early)
            }
            _ => Checked::Skipped,
        }
    }
}
