//! What clients of a group do: what clients of one store do, with leases, and reads that take an old state.

use seedbed_sim::choose::Draw;
use seedbed_sim::nemesis::PlannedOp;

use crate::mvcc::call::Call;
use crate::mvcc::op::{Action, Grant, Op};
use crate::mvcc::watching::workload::{Crowd, draw as draw_watched};
use crate::mvcc::workload::Mix;

/// The numbers of leases in use.
const LEASES: u64 = 3;
/// The most seconds of a lease.
const TTL_MAX: u64 = 5;

/// Draws the operations of all clients: those of the group first, then those that watch.
pub(super) fn draw(
    (mix, apart): (Mix, Apart),
    crowd: Crowd,
    draw: &mut Draw,
) -> Vec<PlannedOp<Call>> {
    let mut ops = draw_watched(mix, crowd, draw);
    for PlannedOp { op, .. } in &mut ops {
        let Call::Store(request) = op else { continue };
        attach(request, draw);
        match request {
            Op::Close => *op = apart.draw(draw),
            Op::Single(Action::Get(_)) if draw.chance(1, 2) => *op = Call::Stale(request.clone()),
            _ => {}
        }
    }
    ops
}

/// How often what a client of one store does not ask comes, in parts of the sum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Apart {
    pub(super) defragment: u32,
    pub(super) renew: u32,
    pub(super) lease: u32,
}

impl Apart {
    fn draw(self, draw: &mut Draw) -> Call {
        match draw.weighted(&[self.defragment, self.renew, self.lease]) {
            0 => Call::Defragment,
            1 => Call::Renew(lease(draw)),
            _ => Call::Store(about_lease(draw)),
        }
    }
}

fn lease(draw: &mut Draw) -> i64 {
    i64::try_from(draw.range(1, LEASES)).expect("a small number")
}

/// More grants than revokes: a lease that is there can be attached to.
fn about_lease(draw: &mut Draw) -> Op {
    let lease = lease(draw);
    if draw.chance(1, 3) {
        return Op::Revoke(lease);
    }
    let ttl = i64::try_from(draw.range(1, TTL_MAX)).expect("a small number");
    Op::Grant(Grant { lease, ttl })
}

/// Some more puts name a lease.
fn attach(request: &mut Op, draw: &mut Draw) {
    for action in actions(request) {
        if let Action::Put(put) = action
            && draw.chance(1, 5)
        {
            put.lease = lease(draw);
        }
    }
}

fn actions(request: &mut Op) -> Vec<&mut Action> {
    match request {
        Op::Single(action) => vec![action],
        Op::Txn(txn) => txn.success.iter_mut().chain(&mut txn.failure).collect(),
        Op::Compact(_) | Op::Close | Op::Grant(_) | Op::Revoke(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use seedbed_sim::choose::Purpose;

    use super::*;
    use crate::mvcc::txn::writes;

    const EVEN: Mix = Mix { put: 30, delete: 10, get: 16, txn: 22, compact: 8, close: 18 };

    #[test]
    fn every_kind_of_request_comes_and_prints_and_parses_to_itself() {
        let crowd = Crowd { clients: 3, watchers: 2, keys: 6 };
        let (mut kinds, mut attached, mut past) = (BTreeMap::<String, u32>::new(), 0, 0);
        for seed in 0..50 {
            for PlannedOp { op, client, .. } in draw(
                (EVEN, Apart { defragment: 1, renew: 1, lease: 2 }),
                crowd,
                &mut Draw::new(seed, Purpose::Workload),
            ) {
                let line = op.to_string();
                assert_eq!(line.parse::<Call>().as_ref(), Ok(&op), "{line}");
                assert_eq!(client >= 3, matches!(op, Call::Watch(_)), "{line}");
                *kinds.entry(line.split(' ').next().unwrap_or("").to_owned()).or_default() += 1;
                if let Call::Stale(op) = &op {
                    assert!(!writes(&op.resolve(9)), "{line}");
                }
                attached += u32::from(line.contains("lease "));
                let reads = [" @rev-", " @rev+"].iter().any(|at| line.contains(at));
                past += u32::from(line.starts_with("txn") && line.contains("put") && reads);
            }
        }
        let own = [
            "put",
            "del",
            "get",
            "stale",
            "txn",
            "compact",
            "grant",
            "revoke",
            "renew",
            "defragment",
        ];
        assert!(own.iter().all(|kind| kinds.get(*kind) > Some(&20)), "{kinds:?}");
        assert!(!kinds.contains_key("close") && attached > 100, "{attached}: {kinds:?}");
        assert!(past > 50, "{past} transactions write and read the past or the future");
    }
}
