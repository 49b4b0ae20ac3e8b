use seedbed_sim::actor::CloseReason;

use super::super::op::Keyspace;
use super::*;
use crate::stream::checks::{BLAME, ISOLATED, SPLITS};
use crate::stream::frame::FrameError;
use crate::stream::note::Ending;

#[test]
fn what_is_not_promised_hides_nothing_that_is() {
    let mut ghost = Ghost { promised: const { bit(ONCE) | bit(BLAME) }, ..Ghost::default() };
    ghost.hold(const { bit(HEALTHY) }, "given up", false, || "a peer".into());
    ghost.hold(const { bit(BLAME) }, "twice", true, || "nobody".into());
    ghost.hold(const { bit(ONCE) }, "twice", false, || "a message".into());
    ghost.hold(const { bit(BLAME) }, "another set", false, || "later".into());
    assert!(matches!(ghost.verdict(const { bit(HEALTHY) }), Checked::Skipped));
    assert!(matches!(ghost.verdict(const { bit(BLAME) }), Checked::Held));
    assert!(matches!(ghost.verdict(const { bit(ONCE) }), Checked::Broken("twice", _)));
}

const VB: Vb = Vb { keyspace: Keyspace(0), number: 2 };
const ON: [ConnId; 2] = [ConnId(1), ConnId(2)];

/// What is sent of a vbucket over each of two connections, by slots of a router, and all that is promised.
fn two_connections() -> Ghost {
    let promised = const { bit(UNBROKEN) | bit(IN_ORDER) | bit(ONCE) | bit(SPLITS) | bit(BLAME) };
    let mut ghost = Ghost { promised, ..Ghost::default() };
    for (conn, router) in ON.into_iter().zip(0..) {
        ghost.peers.insert(conn.0, Peer { router, life: 0, slot: 0, dial: 1 });
        let places = (1..=9).map(|place| (5, place)).collect();
        ghost.sent.insert((router, 0, Vb { number: u16::from(router), ..VB }), places);
    }
    ghost
}

/// What was sent over a connection of [`two_connections`].
fn of(conn: ConnId, index: u32, what: Glimpse) -> Said {
    let number = u16::try_from(conn.0 - 1).expect("a small number");
    Said { vb: Vb { number, ..VB }, session: 5, index, what }
}

#[test]
fn what_is_altered_on_one_connection_excuses_no_other() {
    let (mutation, far) = (Glimpse::Mutation, Glimpse::Snapshot(0, 99));
    for altered in ON {
        for wrong in ON {
            let mut ghost = two_connections();
            for conn in ON {
                for said in [of(conn, 1, Glimpse::Begin), of(conn, 2, far)] {
                    ghost.seen(false, conn, &said, true);
                }
            }
            assert!(ghost.broken.is_none(), "{:?}", ghost.broken);
            let clone = ghost.clone();
            // One is left out.
            ghost.seen(wrong == altered, wrong, &of(wrong, 4, mutation(4)), true);
            let expected = (wrong != altered).then_some(const { bit(UNBROKEN) });
            assert_eq!(ghost.broken.map(|broken| broken.0), expected);
            // One comes twice.
            ghost = clone.clone();
            for _ in 0..2 {
                ghost.seen(wrong == altered, wrong, &of(wrong, 3, mutation(3)), true);
            }
            let expected = (wrong != altered).then_some(const { bit(ONCE) });
            assert_eq!(ghost.broken.map(|broken| broken.0), expected);
            // The bytes cannot be read.
            ghost = clone;
            let ending = Ending::Bytes(FrameError::Empty);
            ghost.failed((wrong == altered, false), wrong, ending);
            let expected = (wrong != altered).then_some(const { bit(SPLITS) });
            assert_eq!(ghost.broken.map(|broken| broken.0), expected);
        }
    }
}

#[test]
fn what_an_altered_connection_opens_and_displaces_is_taken_in() {
    let [altered, sound] = ON;
    let mut ghost = two_connections();
    ghost.seen(false, sound, &of(sound, 1, Glimpse::Begin), true);
    // The vbucket of the other one, in a session that there never was.
    let said = Said { session: 1 << 40, ..of(sound, 7, Glimpse::Begin) };
    ghost.seen(true, altered, &said, true);
    ghost.seen(false, sound, &of(sound, 2, Glimpse::Mutation(1)), false);
    assert!(ghost.broken.is_none(), "{:?}", ghost.broken);
    ghost.blamed(sound, &[]);
    assert!(ghost.broken.is_none(), "{:?}", ghost.broken);
    ghost.blamed(altered, &[]);
    assert_eq!(ghost.broken.map(|broken| broken.0), Some(const { bit(BLAME) }));
}

#[test]
fn a_reason_that_is_none_is_seen() {
    let [one, other] = ON;
    let peers = |dial| {
        let mut ghost = Ghost { promised: const { bit(ISOLATED) }, ..Ghost::default() };
        for (conn, dial) in [(one, 1), (other, dial)] {
            ghost.peers.insert(conn.0, Peer { router: 0, life: 1, slot: 0, dial });
        }
        ghost
    };
    let closed = Ending::Closed(CloseReason::Fin);
    for (dial, is_told, ending, is_so) in [
        (2, false, Ending::Replaced, true),
        (0, false, Ending::Replaced, false),
        (0, true, closed, true),
        (0, false, closed, false),
    ] {
        let mut ghost = peers(dial);
        ghost.failed((false, is_told), one, ending);
        assert_eq!(ghost.broken.is_none(), is_so, "{ending}");
    }
}
