//! The branches of a vbucket, and the rule by which a consumer of one branch must roll back.
//!
//! A vbucket gets a new branch whenever a node takes it over or comes back from an unclean end. The log says which branch
//! began where, the newest first:
//!
//! ```text
//!  2222 from 3        mutations 4, 5, .. are of branch 2222
//!  1111 from 0        mutations 1 to 3 are of branch 1111; others of that name are lost
//! ```

use super::op::Point;

/// The branches of a vbucket, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FailoverLog {
    /// Name and first sequence number before it, of each.
    pub entries: Vec<(u64, u64)>,
}

/// What a consumer asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    /// What it has.
    pub from: Point,
    /// It wants nothing after this.
    pub end: u64,
    /// Whether a start at 0 must name a branch, too.
    pub strict_uuid: bool,
    /// The purge sequence number that it last heard of, 0 if none.
    pub remote_purge: u64,
}

/// What it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It can go on from there.
    Ok,
    /// It must forget all after this.
    Rollback(u64),
    /// What it says makes no sense.
    OutOfRange,
}

impl FailoverLog {
    /// A branch begins after this sequence number; branches that began later are gone. The log keeps at most `cap`.
    pub fn branch(&mut self, uuid: u64, after: u64, cap: usize) {
        self.entries.retain(|(_, begun)| *begun <= after);
        self.entries.insert(0, (uuid, after));
        self.entries.truncate(cap);
    }

    /// The last sequence number of a branch, in a vbucket that has got to `high`.
    #[must_use]
    pub fn upper(&self, uuid: u64, high: u64) -> Option<u64> {
        let at = self.entries.iter().position(|(known, _)| *known == uuid)?;
        Some(if at == 0 { high } else { self.entries[at - 1].1 })
    }

    /// The name of the newest branch; 0 if there is none.
    #[must_use]
    pub fn newest(&self) -> u64 {
        self.entries.first().map_or(0, |(uuid, _)| *uuid)
    }

    /// Whether a consumer can go on, in a vbucket that has got to `high` and has forgotten tombstones up to `purge`.
    #[must_use]
    pub fn answer(&self, request: &Request, high: u64, purge: u64) -> Answer {
        let Point { seq: start, uuid, mut snap_start, mut snap_end } = request.from;
        if start > request.end || !(snap_start..=snap_end).contains(&start) {
            return Answer::OutOfRange;
        }
        if start == 0 && (!request.strict_uuid || uuid == 0) {
            return Answer::Ok;
        }
        if start < purge && start != 0 && request.remote_purge != purge {
            return Answer::Rollback(0);
        }
        let Some(upper) = self.upper(uuid, high) else { return Answer::Rollback(0) };
        if start == snap_start {
            // It has nothing of the snapshot.
            snap_end = start;
        }
        if snap_end <= upper {
            return Answer::Ok;
        }
        if start == snap_end {
            // It has all of it.
            snap_start = start;
        }
        Answer::Rollback(upper.min(snap_start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(uuid: u64, seq: u64, snap_start: u64, snap_end: u64) -> Request {
        let from = Point { seq, uuid, snap_start, snap_end };
        Request { from, end: u64::MAX, strict_uuid: false, remote_purge: 0 }
    }

    #[test]
    fn the_cases_of_the_domain() {
        let log = FailoverLog { entries: vec![(7, 0)] };
        let answer = |start, from, to| log.answer(&asks(7, start, from, to), 300, 0);
        assert_eq!(answer(200, 200, 200), Answer::Ok);
        assert_eq!(answer(200, 200, 301), Answer::Ok);
        assert_eq!(answer(300, 300, 301), Answer::Ok);
        assert_eq!(answer(400, 400, 400), Answer::Rollback(300));

        let log = FailoverLog { entries: vec![(2222, 3), (1111, 0)] };
        assert_eq!(log.answer(&asks(1111, 3, 1, 4), 10, 0), Answer::Rollback(1));
        assert_eq!(log.answer(&asks(1111, 3, 3, 3), 10, 0), Answer::Ok);
    }

    #[test]
    fn each_clause_of_the_rule_decides_something() {
        let log = FailoverLog { entries: vec![(3, 20), (2, 10), (1, 0)] };
        let answer = |request: Request| log.answer(&request, 30, 5);
        let ask = asks(2, 15, 12, 18);
        assert_eq!(answer(ask), Answer::Ok);
        assert_eq!(answer(asks(2, 15, 16, 18)), Answer::OutOfRange);
        assert_eq!(answer(Request { end: 14, ..ask }), Answer::OutOfRange);
        // Nothing was asked for that could be wrong.
        assert_eq!(answer(asks(9, 0, 0, 0)), Answer::Ok);
        assert_eq!(answer(Request { strict_uuid: true, ..asks(9, 0, 0, 0) }), Answer::Rollback(0));
        assert_eq!(answer(Request { strict_uuid: true, ..asks(0, 0, 0, 0) }), Answer::Ok);
        // Tombstones that it has not seen are gone, unless it knows.
        assert_eq!(answer(asks(1, 4, 1, 4)), Answer::Rollback(0));
        assert_eq!(answer(Request { remote_purge: 5, ..asks(1, 4, 1, 4) }), Answer::Ok);
        // An unknown branch.
        assert_eq!(answer(asks(9, 15, 15, 15)), Answer::Rollback(0));
        // Beyond the branch: in the middle of a snapshot to its start, at its end to the end of the branch.
        assert_eq!(answer(asks(1, 12, 8, 14)), Answer::Rollback(8));
        assert_eq!(answer(asks(1, 14, 8, 14)), Answer::Rollback(10));
        assert_eq!(answer(asks(1, 9, 8, 14)), Answer::Rollback(8));
    }

    #[test]
    fn a_branch_takes_the_place_of_those_that_began_later() {
        let mut log = FailoverLog::default();
        for (uuid, after) in [(1, 0), (2, 5), (3, 9)] {
            log.branch(uuid, after, 3);
        }
        assert_eq!(log.entries, [(3, 9), (2, 5), (1, 0)]);
        log.branch(4, 7, 3);
        assert_eq!(log.entries, [(4, 7), (2, 5), (1, 0)]);
        log.branch(5, 7, 3);
        assert_eq!(log.entries, [(5, 7), (4, 7), (2, 5)]);
        assert_eq!((log.upper(4, 9), log.upper(5, 9), log.upper(1, 9)), (Some(7), Some(9), None));
    }
}
