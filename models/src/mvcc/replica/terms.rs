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

#[cfg(test)]
mod tests {
    use seedbed_sim::id::{ActorId, OpId};

    use super::*;
    use crate::mvcc::op::Grant;

    const SECOND: Span = Span::ms(10);

    fn ask(number: u32) -> AskId {
        AskId { op: OpId { client: ActorId(7), number }, attempt: 1 }
    }

    fn at(ms: u64) -> Time {
        Time(0) + Span::ms(ms)
    }

    /// Lease 1 was granted for three seconds at 100 ms, and renewed by who began at 115 ms.
    fn terms() -> Terms {
        let mut terms = Terms { second: Some(SECOND), ..Terms::default() };
        let grant = Op::Grant(Grant { lease: 1, ttl: 3 });
        terms.applied(&Proposal { ask: Some(ask(1)), request: grant }, at(100));
        terms.renewing(ask(2), at(115));
        terms.renewed(ask(2), 1, SECOND.times(3));
        terms
    }

    fn ends(terms: &mut Terms, by: Option<AskId>, ms: u64) -> Checked {
        terms.applied(&Proposal { ask: by, request: Op::Revoke(1) }, at(ms))
    }

    #[test]
    fn a_lease_that_runs_out_before_its_time_breaks_the_promise() {
        assert!(matches!(ends(&mut terms(), None, 144), Checked::Broken("ended early", _)));
        assert!(matches!(ends(&mut terms(), None, 145), Checked::Held));
    }

    #[test]
    fn a_client_may_end_its_lease_at_any_time_and_odd_clocks_excuse() {
        assert!(matches!(ends(&mut terms(), Some(ask(3)), 101), Checked::Skipped));
        let mut odd = terms();
        odd.second = None;
        assert!(matches!(ends(&mut odd, None, 101), Checked::Skipped));
        let mut again = terms();
        ends(&mut again, None, 145);
        assert!(matches!(ends(&mut again, None, 146), Checked::Skipped), "it is another lease");
    }
}
