//! The decisions of single connections and pieces.

use super::*;
use crate::choose::Odds;

/// Writes ten bytes with one decision about the first piece, and gives the pieces that arrive with their times.
fn pieces(outcome: &str) -> Vec<(Span, Vec<u8>)> {
    let mut rig = Rig::new(64);
    rig.force(&SEGMENT, Side::Client, 0, outcome);
    let conn = rig.open();
    let start = rig.now;
    rig.write(0, conn, b"0123456789");
    let mut pieces = Vec::new();
    while rig.next(Time(u64::MAX)) {
        let bytes = rig.read(1, conn);
        if !bytes.is_empty() {
            pieces.push((rig.now.since(start), bytes));
        }
    }
    assert_eq!(pieces.concat_bytes(), b"0123456789", "nothing is lost");
    pieces
}

trait ConcatBytes {
    fn concat_bytes(&self) -> Vec<u8>;
}

impl ConcatBytes for Vec<(Span, Vec<u8>)> {
    fn concat_bytes(&self) -> Vec<u8> {
        self.iter().flat_map(|(_, bytes)| bytes.clone()).collect()
    }
}

#[test]
fn a_segment_ends_where_the_decision_says_and_the_rest_follows_a_latency_later() {
    for (outcome, cut) in
        [("1 byte", 1), ("2 bytes", 2), ("3 bytes", 3), ("7 bytes", 7), ("half", 5)]
    {
        let pieces = pieces(outcome);
        assert_eq!(pieces.len(), 2, "{outcome}");
        assert_eq!((pieces[0].0, pieces[0].1.len()), (LATENCY, cut), "{outcome}");
        assert_eq!(pieces[1].0, LATENCY.times(2), "{outcome}");
    }
}

#[test]
fn a_cut_that_is_not_shorter_than_the_piece_changes_nothing() {
    assert_eq!(pieces("16 bytes"), [(LATENCY, b"0123456789".to_vec())]);
}

#[test]
fn a_delayed_segment_arrives_that_much_later() {
    for (outcome, delay) in
        [("delay 1ms", Span::ms(1)), ("delay 20ms", Span::ms(20)), ("delay 500ms", Span::ms(500))]
    {
        assert_eq!(pieces(outcome), [(LATENCY + delay, b"0123456789".to_vec())]);
    }
}

#[test]
fn bytes_behind_a_delayed_segment_wait_for_it_and_come_with_it() {
    let mut rig = Rig::new(64);
    rig.force(&SEGMENT, Side::Client, 0, "delay 20ms");
    let conn = rig.open();
    rig.write(0, conn, b"ab");
    rig.run_for(Span::ms(5));
    rig.write(0, conn, b"cd");
    rig.run();
    assert_eq!(rig.said(conn), "1:readable");
    assert_eq!(rig.read(1, conn), b"abcd");
    assert_eq!(rig.saw(Sight::Delayed), 1);
}

#[test]
fn with_a_cut_everywhere_a_stream_arrives_byte_by_byte() {
    let mut rig = Rig::new(64);
    rig.choices.set_odds(SEGMENT.id, Odds::new(&[0, 1]));
    let conn = rig.open();
    rig.write(0, conn, b"01234");
    rig.run();
    assert_eq!(rig.said(conn), ["1:readable"; 5].join(" "));
    assert_eq!(rig.read(1, conn), b"01234");
    assert_eq!(rig.saw(Sight::Split), 4);
}

#[test]
fn the_decision_about_a_segment_belongs_to_its_offset_and_direction() {
    let mut rig = Rig::new(64);
    rig.force(&SEGMENT, Side::Client, 4, "1 byte");
    rig.force(&SEGMENT, Side::Server, 0, "2 bytes");
    let conn = rig.open();
    rig.write(0, conn, b"0123");
    rig.run();
    rig.write(0, conn, b"4567");
    rig.run();
    assert_eq!(rig.said(conn), "1:readable 1:readable 1:readable");
    rig.write(1, conn, b"abcd");
    rig.run();
    assert_eq!(rig.said(conn), "1:readable 1:readable 1:readable 0:readable 0:readable");
    assert!(rig.choices.unused().is_empty());
}

#[test]
fn decisions_about_the_second_connect_are_its_own() {
    let mut rig = Rig::new(64);
    let key = Key::stream(0, 1, 2, 0, 0);
    rig.choices.force(Decision { site: CONNECT.id, key, outcome: 1 });
    rig.open();
    let second = rig.connect(0, 1);
    rig.run();
    assert_eq!(rig.said(second), "0:refused");
    rig.open();
}

#[test]
fn a_connect_may_be_refused() {
    let mut rig = Rig::new(64);
    rig.force(&CONNECT, Side::Client, 0, "refuse");
    let conn = rig.connect(0, 1);
    rig.run();
    assert_eq!((rig.said(conn).as_str(), rig.last()), ("0:refused", LATENCY.times(2)));
    assert_eq!(rig.saw(Sight::RefusedConnect), 1);
    assert_eq!(rig.write(0, conn, b"x"), 0);
    rig.close(0, conn, CloseReason::Fin);
}

#[test]
fn a_connect_may_hang_for_ever() {
    let mut rig = Rig::new(64);
    rig.force(&CONNECT, Side::Client, 0, "hang");
    let conn = rig.connect(0, 1);
    rig.run();
    rig.heal();
    rig.run();
    assert_eq!((rig.said(conn).as_str(), rig.saw(Sight::HungConnect)), ("", 1));
    rig.close(0, conn, CloseReason::Reset);
    assert_eq!(rig.saw(Sight::Misuse), 0, "the client may give it up");
}

#[test]
fn a_connect_may_be_late() {
    for (outcome, delay) in
        [("delay 1ms", Span::ms(1)), ("delay 20ms", Span::ms(20)), ("delay 500ms", Span::ms(500))]
    {
        let mut rig = Rig::new(64);
        rig.force(&CONNECT, Side::Client, 0, outcome);
        let conn = rig.connect(0, 1);
        rig.run();
        assert_eq!(rig.said(conn), "1:accepted 0:opened");
        assert_eq!(rig.last(), LATENCY.times(2) + delay);
        assert_eq!(rig.saw(Sight::DelayedConnect), 1);
    }
}

#[test]
fn a_corrupted_piece_differs_in_one_bit() {
    let mut rig = Rig::new(64);
    rig.force(&CORRUPT, Side::Client, 3, "flip");
    let conn = rig.open();
    rig.write(0, conn, b"abc");
    rig.run();
    rig.write(0, conn, b"defghi");
    rig.run();
    let read = rig.read(1, conn);
    assert_eq!(&read[..3], b"abc");
    let flipped: u32 = read.iter().zip(b"abcdefghi").map(|(a, b)| (a ^ b).count_ones()).sum();
    assert_eq!((flipped, rig.saw(Sight::Flipped)), (1, 1));
}

#[test]
fn flips_are_counted_by_connection() {
    let mut rig = Rig::new(64);
    rig.force(&CORRUPT, Side::Client, 3, "flip");
    let (conn, other) = (rig.open(), rig.open());
    let flips = |rig: &Rig| (rig.conns.flips(conn), rig.conns.flips(other));
    for (bytes, expected) in [(b"abc", (0, 0)), (b"def", (1, 0)), (b"ghi", (1, 0))] {
        for conn in [conn, other] {
            rig.write(0, conn, bytes);
        }
        rig.run();
        assert_eq!(flips(&rig), expected);
    }
    rig.close(0, conn, CloseReason::Fin);
    rig.run();
    assert_eq!(flips(&rig), (1, 0), "what is over is still known");
    rig.reset(64);
    let again = rig.open();
    assert_eq!((again, rig.conns.flips(again)), (conn, 0));
}

#[test]
fn recorded_decisions_make_the_same_run_from_another_seed() {
    let run = |rig: &mut Rig| {
        let conn = rig.connect(0, 1);
        rig.run();
        for n in 0..30 {
            rig.write(0, conn, &[n; 9]);
            rig.run_for(Span::us(700));
        }
        rig.close(0, conn, CloseReason::Fin);
        rig.run();
        (rig.events.clone(), rig.read(1, conn))
    };
    let mut drawn = Rig::new(512);
    drawn.choices.reset(9);
    drawn.choices.set_odds(SEGMENT.id, Odds::new(&[10, 1, 1, 1, 1, 1, 1, 1, 1, 1]));
    drawn.choices.set_odds(CONNECT.id, Odds::new(&[0, 0, 0, 1, 1]));
    drawn.choices.record();
    let first = run(&mut drawn);
    let mut forced = Rig::new(512);
    forced.choices.reset(12345);
    for decision in drawn.choices.take_recording() {
        forced.choices.force(decision);
    }
    assert_eq!(run(&mut forced), first);
    assert!(forced.choices.unused().is_empty());
    assert!(drawn.saw(Sight::Split) > 0 && drawn.saw(Sight::Delayed) > 0);
}
