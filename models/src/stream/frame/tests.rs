//! The reader: however the bytes come, the frames are the same.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

const LIMITS: Limits = Limits { payload_max: 64, seed_era: false };

/// Everything that comes out of these pieces, and how it ends.
fn read(pieces: &[&[u8]], limits: Limits) -> (Vec<Vec<u8>>, Result<(), FrameError>) {
    let (mut reader, mut frames) = (Reader::new(limits), Vec::new());
    for piece in pieces {
        let mut bytes = *piece;
        loop {
            match reader.take(&mut bytes) {
                Ok(Some(frame)) => frames.push(frame.to_vec()),
                Ok(None) => break,
                Err(_) => return (frames, reader.end()),
            }
        }
    }
    (frames, reader.end())
}

/// Three frames, the second of which has an empty payload.
fn three() -> (Vec<Vec<u8>>, Vec<u8>) {
    let frames = vec![b"cities".to_vec(), Vec::new(), (0..20).collect::<Vec<u8>>()];
    let mut bytes = Vec::new();
    frames.iter().for_each(|frame| append(frame, LIMITS, &mut bytes).expect("within the limit"));
    (frames, bytes)
}

#[test]
fn every_split_into_up_to_four_pieces_gives_the_same_frames() {
    let (frames, bytes) = three();
    let n = bytes.len();
    let mut splits = 0;
    for first in 0..=n {
        for second in first..=n {
            for third in second..=n {
                let pieces = [
                    &bytes[..first],
                    &bytes[first..second],
                    &bytes[second..third],
                    &bytes[third..],
                ];
                assert_eq!(read(&pieces, LIMITS), (frames.clone(), Ok(())));
                splits += 1;
            }
        }
    }
    assert_eq!(splits, (n + 1) * (n + 2) * (n + 3) / 6);
}

#[test]
fn every_truncation_gives_the_whole_frames_and_tells_a_torn_one() {
    let (frames, bytes) = three();
    let ends = [0, HEADER + 6, 2 * HEADER + 6, bytes.len()];
    for length in 0..=bytes.len() {
        let whole = ends.iter().filter(|end| **end <= length).count() - 1;
        let torn = length - ends[whole];
        let end = match u32::try_from(torn).expect("a few bytes") {
            0 => Ok(()),
            torn => Err(FrameError::Torn(torn)),
        };
        assert_eq!(read(&[&bytes[..length]], LIMITS), (frames[..whole].to_vec(), end));
    }
}

#[test]
fn what_is_wrong_is_told_apart() {
    let wrong = |bytes: &[u8]| read(&[bytes], LIMITS).1.expect_err("wrong");
    assert_eq!(wrong(&[0, 0, 0, 0, 0, 0]), FrameError::Empty);
    assert_eq!(wrong(&[0, 0, 0, 65, 0, 0x10]), FrameError::Oversized(65, 64));
    assert_eq!(wrong(&[0, 0, 0, 1, 0, 0x12]), FrameError::Compression(2));
    assert_eq!(wrong(&[0, 0, 0, 1, 0, 0x20]), FrameError::Encoding(2));
    assert_eq!(wrong(&[0, 0, 0, 1, 0, 0]), FrameError::Encoding(0));
    assert_eq!(wrong(&[0, 0, 0, 1, 0x11, 0x10]), FrameError::Checksum);
    assert_eq!(wrong(&[0, 0, 0]), FrameError::Torn(3));
    // The reserved bit, a checksum that is not given, and the encoding of old.
    for (high, low, seed_era) in [(0x80, 0x10, false), (0x90, 0x10, false), (0, 0, true)] {
        let limits = Limits { seed_era, ..LIMITS };
        let bytes = [0, 0, 0, 1, high, low, 7];
        assert_eq!(read(&[&bytes], limits), (vec![vec![7]], Ok(())));
    }
}

#[test]
fn a_header_says_what_the_domain_measured() {
    assert_eq!(header(1, LIMITS), Ok([0, 0, 0, 1, 0x10, 0x10]));
    assert_eq!(header(8, LIMITS), Ok([0, 0, 0, 8, 0, 0x10]));
    let long = Limits { payload_max: 70_000, ..LIMITS };
    assert_eq!(header(0x0201, long), Ok([0, 0, 2, 1, 0x12, 0x10]));
    assert_eq!(header(65, LIMITS), Err(FrameError::Oversized(65, 64)));
    let mut bytes = vec![1];
    assert!(append(&[0; 65], LIMITS, &mut bytes).is_err());
    assert_eq!(bytes, [1], "not a byte of it is written");
    // Of the 32 bits of a length seven are covered.
    let covered = (0..32).filter(|bit| checksum(1 << bit) != 0).count();
    assert_eq!(covered, 7);
}

#[test]
fn nothing_is_read_after_the_first_error() {
    let (_, good) = three();
    let mut bytes = vec![0; HEADER];
    bytes.extend(&good);
    assert_eq!(read(&[&bytes, &good], LIMITS), (Vec::new(), Err(FrameError::Empty)));
}

proptest! {
    #![proptest_config(Config {
        cases: 2000, failure_persistence: None, rng_seed: RngSeed::Fixed(4151), ..Config::default()
    })]

    #[test]
    fn arbitrary_bytes_never_panic_nor_take_memory_above_the_limit(
        pieces in vec(vec(any::<u8>(), 0..12), 0..12),
        mostly_zero in any::<bool>(),
        payload_max in 0_u32..40,
    ) {
        let mut reader = Reader::new(Limits { payload_max, seed_era: mostly_zero });
        for mut piece in pieces {
            if mostly_zero {
                // Lengths that are small come up more often.
                piece.iter_mut().for_each(|byte| *byte &= if *byte & 3 == 0 { 0x1f } else { 0 });
            }
            let mut bytes = piece.as_slice();
            while let Ok(Some(frame)) = reader.take(&mut bytes) {
                prop_assert!(frame.len() <= payload_max as usize);
            }
            prop_assert!(reader.capacity() <= payload_max as usize);
        }
    }

    #[test]
    fn any_frames_in_any_pieces_come_out_again(
        frames in vec(vec(any::<u8>(), 0..=64), 0..8),
        cuts in vec(1_usize..20, 1..40),
    ) {
        let mut bytes = Vec::new();
        frames.iter().for_each(|frame| append(frame, LIMITS, &mut bytes).expect("short"));
        let (mut pieces, mut rest) = (Vec::new(), bytes.as_slice());
        for cut in cuts.iter().cycle() {
            if rest.is_empty() { break; }
            let (piece, more) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece);
            rest = more;
        }
        prop_assert_eq!(read(&pieces, LIMITS), (frames, Ok(())));
    }
}
