use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use seedbed_sim::id::{ActorId, OpId};

use super::super::entry::Proposal;
use super::*;
use crate::mvcc::arbitrary::{any_op, config};
use crate::mvcc::message::AskId;

/// The entry at a place, of a client or of a lessor.
fn entry(index: u64) -> Entry {
    let op = OpId { client: ActorId(7), number: 3 };
    let ask = (!index.is_multiple_of(3)).then_some(AskId { op, attempt: 2 });
    let request = crate::mvcc::op::Op::Revoke(9);
    Entry { index, proposal: Arc::new(Proposal { ask, request }) }
}

fn log(base: u64, last: u64) -> Log {
    Log::new(base, (base + 1..=last).map(entry).collect())
}

fn any_ask() -> impl Strategy<Value = Option<AskId>> {
    let ask =
        |(client, number, attempt)| AskId { op: OpId { client: ActorId(client), number }, attempt };
    prop::option::of((any::<u16>(), any::<u32>(), any::<u32>()).prop_map(ask))
}

/// Any log whose entries have numbers.
fn any_log() -> impl Strategy<Value = Log> {
    (0..u64::MAX / 2, vec((any_ask(), any_op(), any::<i64>()), 0..6)).prop_map(|(base, all)| {
        let entries = all.into_iter().zip(base + 1..).map(|((ask, op, last), index)| {
            let proposal = Proposal { ask, request: op.resolve(last) };
            Entry { index, proposal: Arc::new(proposal) }
        });
        Log::new(base, entries.collect())
    })
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn a_log_is_read_as_it_was_written(log in any_log()) {
        let bytes = log.encode_from(log.base());
        prop_assert_eq!(Log::decode(&bytes), Ok(Read { log, torn: false }));
    }

    #[test]
    fn a_log_that_is_cut_anywhere_is_read_up_to_there(log in any_log()) {
        let bytes = log.encode_from(log.base());
        for cut in 0..HEADER {
            prop_assert_eq!(Log::decode(&bytes[..cut]), Err(Damage::Header));
        }
        let mut whole = HEADER;
        for cut in HEADER..=bytes.len() {
            let Read { log: read, torn } = Log::decode(&bytes[..cut]).unwrap();
            let again = read.encode_from(read.base());
            prop_assert_eq!(&again, &bytes[..again.len()]);
            prop_assert_eq!(torn, again.len() < cut);
            prop_assert!(again.len() >= whole, "nothing that is whole is dropped");
            whole = again.len();
        }
        prop_assert_eq!(whole, bytes.len());
    }

    #[test]
    fn no_bytes_make_reading_panic(noise in vec(any::<u8>(), 0..80), place in any::<prop::sample::Index>()) {
        let _ = Log::decode(&noise);
        let mut bytes = log(5, 9).encode_from(5);
        let from = place.index(bytes.len());
        for (to, byte) in bytes[from..].iter_mut().zip(noise) {
            *to = byte;
        }
        if let Ok(Read { log: read, .. }) = Log::decode(&bytes) {
            prop_assert!(log(5, 9).entries().take(read.entries().count()).eq(read.entries()));
        }
    }
}

#[test]
fn behind_a_flipped_bit_or_lost_bytes_nothing_counts() {
    let bytes = log(5, 8).encode_from(5);
    let first = log(5, 6).encode_from(5).len();
    for place in first..bytes.len() {
        let (mut flipped, mut lost) = (bytes.clone(), bytes.clone());
        flipped[place] ^= 4;
        lost[place..].fill(0);
        for (torn, what) in [(flipped, "flipped"), (lost, "lost")] {
            // The last bytes of an entry may be zero by themselves.
            if torn != bytes {
                let Read { log: read, torn } = Log::decode(&torn).unwrap();
                assert!(torn && (6..8).contains(&read.last()), "{what} at {place}: {read:?}");
            }
        }
    }
    let zeros = [log(5, 6).encode_from(5), vec![0; 40]].concat();
    assert_eq!(Log::decode(&zeros), Ok(Read { log: log(5, 6), torn: true }));
}

#[test]
fn what_no_crash_leads_to_is_damage() {
    let whole = log(5, 6).encode_from(5);
    for place in 0..HEADER {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        assert_eq!(Log::decode(&bytes), Err(Damage::Header), "{place}");
    }
    let twice = [whole.clone(), log(5, 6).encode_behind(0)].concat();
    assert_eq!(Log::decode(&twice), Err(Damage::Order(6, 6)));
    let gap = [whole.clone(), log(7, 8).encode_behind(0)].concat();
    assert_eq!(Log::decode(&gap), Err(Damage::Order(6, 8)));

    // An entry that asks for what is no operation, with its checksum.
    let body = [&7_u64.to_le_bytes()[..], b"\0push a 1"].concat();
    let len = u32::try_from(body.len()).unwrap().to_le_bytes();
    let sum = crc32c::crc32c(&[&len[..], &body].concat()).to_le_bytes();
    let foreign = [&whole, &len[..], &sum, &body].concat();
    assert_eq!(Log::decode(&foreign), Err(Damage::Foreign(6)));
}

#[test]
fn a_log_knows_what_it_has_and_what_a_crash_leaves() {
    let mut log = log(5, 7);
    assert_eq!((log.base(), log.last(), log.durable()), (5, 7, 7));
    assert_eq!((log.get(5), log.get(8), log.get(0)), (None, None, None));
    log.push(entry(8));
    log.push(entry(9));
    assert_eq!((log.last(), log.durable(), log.get(8)), (9, 7, Some(&entry(8))));
    log.synced(8);
    log.synced(6);
    assert_eq!(log.durable(), 8);
    log.synced(20);
    assert_eq!(log.durable(), 9);
    log.release(6);
    assert_eq!((log.base(), log.get(6), log.get(7)), (6, None, Some(&entry(7))));
}

#[test]
#[should_panic(expected = "entries follow each other")]
fn an_entry_out_of_order_is_not_taken() {
    log(5, 7).push(entry(9));
}

#[test]
fn a_log_that_begins_anew_keeps_what_comes_later() {
    let mut early = log(5, 9);
    early.reset(7);
    assert_eq!(early, log(7, 9));
    early.reset(6);
    assert_eq!(early, log(7, 9));
    early.reset(12);
    assert_eq!((early.base(), early.last(), early.durable()), (12, 12, 12));
    early.push(entry(13));
    assert_eq!(early.durable(), 12);

    let bytes = log(5, 9).encode_from(7);
    assert_eq!(Log::decode(&bytes), Ok(Read { log: log(7, 9), torn: false }));
    let bytes = log(5, 9).encode_from(12);
    assert_eq!(Log::decode(&bytes), Ok(Read { log: log(12, 12), torn: false }));
}

#[test]
fn what_is_appended_follows_what_is_there() {
    let bytes = [log(5, 7).encode_from(5), log(5, 9).encode_behind(7)].concat();
    assert_eq!(Log::decode(&bytes), Ok(Read { log: log(5, 9), torn: false }));
}
