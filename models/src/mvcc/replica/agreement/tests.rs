use std::sync::Arc;

use seedbed_sim::id::{ActorId, Incarnation, NodeId, OpId};
use seedbed_sim::time::{Span, Time};

use super::Effect;
use super::group::{Group, Reported};
use crate::mvcc::message::AskId;
use crate::mvcc::op::Op;
use crate::mvcc::replica::entry::Proposal;
use crate::mvcc::replica::message::GroupMsg;
use crate::mvcc::replica::note::GroupNote;

/// A node may be silent for so long.
const PATIENCE: Span = Span::ms(50);

/// A group of so many nodes; the wal of node `n` is actor `10 + n`, its member actor `20 + n`.
struct Trial {
    group: Group,
    now: Time,
}

impl Trial {
    fn of(nodes: u16) -> Trial {
        let peers = (0..nodes).map(|n| (NodeId(n), [10 + n, 20 + n, 30 + n].map(ActorId)));
        Trial { group: Group::new(peers.collect(), PATIENCE), now: Time(1_000_000_000) }
    }

    /// The nodes have joined, with nothing.
    fn joined(nodes: u16) -> Trial {
        let mut trial = Trial::of(nodes);
        (0..nodes).for_each(|n| drop(trial.hear(n, 1, 0, 0)));
        trial
    }

    fn hear(&mut self, node: u16, life: u32, base: u64, last: u64) -> Vec<String> {
        let said = Reported { life: Incarnation(life), base, last };
        told(self.group.heard(ActorId(10 + node), said, self.now))
    }

    fn propose(&mut self, number: u32) -> Vec<String> {
        let op = OpId { client: ActorId(9), number };
        self.proposal(Some(AskId { op, attempt: 1 }))
    }

    fn proposal(&mut self, ask: Option<AskId>) -> Vec<String> {
        told(self.group.propose(Arc::new(Proposal { ask, request: Op::Close })))
    }

    /// So much later.
    fn beat(&mut self, after: Span) -> Vec<String> {
        self.now += after;
        told(self.group.beat(self.now))
    }
}

/// `1<3..5!2@0`: node 1 is sent entries 3 to 5, everything up to 2 is committed, node 0 is primary. `1<3!2@0`: no entries.
fn told(effects: Vec<Effect>) -> Vec<String> {
    let line = |effect| match effect {
        Effect::Note(GroupNote::Committed(index)) => format!("committed {index}"),
        Effect::Note(GroupNote::Lost(index)) => format!("lost {index}"),
        Effect::Send(to, GroupMsg::NeedSnapshot(node)) => {
            format!("{} sends a snapshot to {}", to.0 - 20, node.0)
        }
        Effect::Send(to, GroupMsg::Append(from, entries, known)) => {
            let places: Vec<u64> = entries.iter().map(|entry| entry.index).collect();
            assert!(places.iter().copied().eq(from..from + entries.len() as u64));
            let to_last = places.last().map_or(String::new(), |last| format!("..{last}"));
            format!("{}<{from}{to_last}!{}@{}", to.0 - 10, known.committed, known.primary.node.0)
        }
        effect => panic!("{effect:?}"),
    };
    effects.into_iter().map(line).collect()
}

const NOTHING: [&str; 0] = [];

#[test]
fn an_entry_is_committed_when_a_majority_has_it() {
    let mut trial = Trial::joined(3);
    assert_eq!(trial.propose(1), ["0<1..1!0@0", "1<1..1!0@0", "2<1..1!0@0"]);
    assert_eq!(trial.hear(2, 1, 0, 1), NOTHING);
    assert_eq!(trial.hear(0, 1, 0, 1), ["committed 1", "0<2!1@0", "1<2!1@0", "2<2!1@0"]);
    assert_eq!(trial.hear(1, 1, 0, 1), NOTHING);
    assert_eq!(trial.group.committed(), 1);
}

#[test]
fn a_majority_of_four_is_three_and_of_one_is_one() {
    let mut trial = Trial::joined(4);
    trial.propose(1);
    assert_eq!(trial.hear(0, 1, 0, 1), NOTHING);
    assert_eq!(trial.hear(1, 1, 0, 1), NOTHING);
    assert_eq!(trial.hear(3, 1, 0, 1)[0], "committed 1");
    let mut alone = Trial::joined(1);
    assert_eq!(alone.propose(1), ["0<1..1!0@0"]);
    assert_eq!(alone.hear(0, 1, 0, 1), ["committed 1", "0<2!1@0"]);
}

#[test]
fn a_repeated_proposal_is_no_second_entry_but_what_nobody_asked_for_is_one() {
    let mut trial = Trial::joined(1);
    assert_eq!(trial.propose(1), ["0<1..1!0@0"]);
    assert_eq!(trial.propose(1), NOTHING);
    assert_eq!(trial.proposal(None), ["0<2..2!0@0"]);
    assert_eq!(trial.proposal(None), ["0<3..3!0@0"]);
    assert_eq!(trial.propose(2), ["0<4..4!0@0"]);
}

#[test]
fn a_node_that_joins_late_is_told_everything_a_few_entries_at_a_time() {
    let mut trial = Trial::of(1);
    (1..=14).for_each(|n| assert_eq!(trial.propose(n), NOTHING));
    assert_eq!(trial.hear(0, 1, 0, 0), ["0<1..4!0@0", "0<5..8!0@0"]);
    assert_eq!(trial.hear(0, 1, 0, 3), ["committed 3", "0<9..11!3@0"]);
    assert_eq!(trial.hear(0, 1, 0, 11), ["committed 11", "0<12..14!11@0"]);
    // The last message was lost.
    assert_eq!(trial.beat(Span::ms(10)), ["0<12..14!11@0"]);
    assert_eq!(trial.hear(0, 1, 0, 14), ["committed 14", "0<15!14@0"]);
    assert_eq!(trial.beat(Span::ms(10)), ["0<15!14@0"]);
}

#[test]
fn what_was_said_in_a_former_life_does_not_count() {
    let mut trial = Trial::joined(3);
    trial.propose(1);
    trial.propose(2);
    assert_eq!(trial.hear(0, 1, 0, 2), NOTHING);
    // It was said before the node acknowledged, and comes late.
    assert_eq!(trial.hear(0, 1, 0, 0), NOTHING);
    assert_eq!(trial.beat(Span::ms(1))[0], "0<3!0@0");
    // The next life has less; that costs nothing, because nothing was committed.
    assert_eq!(trial.hear(0, 2, 0, 1), ["0<2..2!0@0"]);
    assert_eq!(trial.hear(0, 1, 0, 2), NOTHING);
    assert_eq!(trial.hear(1, 1, 0, 2)[0], "committed 1");
}

#[test]
fn what_was_committed_is_lost_when_no_node_has_it() {
    let mut trial = Trial::joined(1);
    (1..=3).for_each(|n| drop(trial.propose(n)));
    assert_eq!(trial.hear(0, 1, 0, 2)[0], "committed 2");
    assert_eq!(trial.hear(0, 2, 0, 1), ["lost 1", "0<2!1@0"]);
    assert_eq!(trial.group.committed(), 1);
    // Who asks again gets another entry.
    assert_eq!(trial.propose(3), ["0<2..2!1@0"]);
    assert_eq!(trial.propose(1), NOTHING);

    // Elsewhere it is still there.
    let mut trial = Trial::joined(3);
    trial.propose(1);
    trial.hear(0, 1, 0, 1);
    assert_eq!(trial.hear(1, 1, 0, 1)[0], "committed 1");
    assert_eq!(trial.hear(0, 2, 0, 0), ["0<1..1!1@0"]);
    assert_eq!(trial.group.committed(), 1);
}

#[test]
fn the_primary_stays_as_long_as_it_is_heard_of() {
    let mut trial = Trial::of(3);
    assert_eq!(trial.hear(1, 1, 0, 0), ["1<1!0@1"]);
    assert_eq!(trial.hear(0, 1, 0, 0), ["0<1!0@1"]);
    assert_eq!(trial.beat(PATIENCE), ["0<1!0@1", "1<1!0@1"]);
    trial.hear(0, 1, 0, 0);
    assert_eq!(trial.beat(Span::ms(1)), ["0<1!0@0", "1<1!0@0"]);
    trial.hear(1, 1, 0, 0);
    assert_eq!(trial.beat(Span::ms(1)), ["0<1!0@0", "1<1!0@0"]);
    // Nobody is heard of: it stays as it was.
    assert_eq!(trial.beat(PATIENCE), ["0<1!0@0", "1<1!0@0"]);
}

#[test]
fn who_needs_a_released_entry_needs_a_snapshot() {
    let mut trial = Trial::joined(3);
    (1..=6).for_each(|n| drop(trial.propose(n)));
    trial.hear(0, 1, 0, 6);
    trial.hear(1, 1, 0, 6);
    trial.hear(0, 1, 4, 6);
    trial.hear(2, 1, 0, 3);
    let quiet = ["0<7!6@0", "1<7!6@0", "2<4!6@0"];
    assert_eq!(trial.beat(Span::ms(1)), [&quiet[..], &["0 sends a snapshot to 2"]].concat());
    assert_eq!(trial.beat(Span::ms(1)), quiet, "it was asked for");
    (0..3).for_each(|n| drop(trial.hear(n, 1, 0, 0)));
    assert_eq!(trial.beat(PATIENCE), [&quiet[..], &["0 sends a snapshot to 2"]].concat());
    trial.hear(0, 1, 0, 0);
    assert_eq!(trial.hear(2, 1, 4, 4), ["2<5..6!6@0"]);
    assert_eq!(trial.beat(Span::ms(1)), ["0<7!6@0", "1<7!6@0", "2<5..6!6@0"]);
}

#[test]
fn another_node_sends_the_snapshot_if_the_primary_needs_it() {
    let mut trial = Trial::joined(3);
    (1..=6).for_each(|n| drop(trial.propose(n)));
    trial.hear(1, 1, 0, 6);
    trial.hear(2, 1, 5, 6);
    assert_eq!(trial.group.committed(), 6);
    // Node 1 has everything.
    assert_eq!(trial.beat(Span::ms(1)), ["0<1..4!6@0", "0<5..6!6@0", "1<7!6@0", "2<7!6@0"]);
    trial.hear(1, 1, 5, 6);
    let beat = trial.beat(Span::ms(1));
    assert_eq!(
        beat,
        ["0<1!6@0", "1 sends a snapshot to 0", "1<7!6@0", "2<7!6@0"].map(String::from)
    );
}

#[test]
fn a_stranger_is_not_listened_to() {
    let mut trial = Trial::joined(1);
    trial.propose(1);
    assert_eq!(trial.hear(3, 1, 0, 1), NOTHING);
    assert_eq!(trial.group.committed(), 0);
}
