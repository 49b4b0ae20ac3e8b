//! Connections in calm: opening, bytes, back-pressure, closing, misuse.

use super::*;

#[test]
fn a_connect_is_accepted_after_a_latency_and_opened_after_another() {
    let mut rig = Rig::new(64);
    let conn = rig.connect(0, 1);
    rig.run();
    assert_eq!(rig.said(conn), "1:accepted 0:opened");
    assert_eq!(rig.events[0].0, START + LATENCY);
    assert_eq!(rig.last(), LATENCY.times(2));
    assert_eq!(rig.events[0].2, ConnEvent::Accepted { conn, from: ActorId(0) });
}

#[test]
fn connections_are_numbered_from_zero() {
    let mut rig = Rig::new(64);
    assert_eq!([rig.connect(0, 1), rig.connect(2, 1), rig.connect(0, 1)], [0, 1, 2].map(ConnId));
    rig.reset(64);
    assert_eq!(rig.connect(0, 2), ConnId(0));
}

#[test]
fn bytes_arrive_in_order_and_in_one_piece_after_a_latency() {
    let mut rig = Rig::new(64);
    let conn = rig.open();
    let before = rig.now;
    assert_eq!(rig.write(0, conn, b"hello"), 5);
    assert_eq!(rig.read(1, conn), b"", "not before the latency has passed");
    rig.run();
    assert_eq!(rig.said(conn), "1:readable");
    assert_eq!(rig.now, before + LATENCY);
    assert_eq!(rig.read(1, conn), b"hello");
    assert_eq!(rig.read(1, conn), b"");
}

#[test]
fn both_directions_flow() {
    let mut rig = Rig::new(64);
    let conn = rig.open();
    rig.write(0, conn, b"ping");
    rig.run();
    rig.write(1, conn, b"pong");
    rig.run();
    assert_eq!((rig.read(1, conn), rig.read(0, conn)), (b"ping".to_vec(), b"pong".to_vec()));
}

#[test]
fn what_a_server_writes_at_once_never_overtakes_the_answer_to_the_connect() {
    let mut rig = Rig::new(64);
    let conn = rig.connect(0, 1);
    rig.run_for(LATENCY);
    assert_eq!(rig.write(1, conn, b"banner"), 6);
    rig.run();
    assert_eq!(rig.said(conn), "1:accepted 0:opened 0:readable");
}

#[test]
fn what_is_written_in_one_instant_travels_as_one_however_it_was_written() {
    let mut rig = Rig::new(64);
    let conn = rig.open();
    let mut other = rig.clone();
    rig.write(0, conn, b"abcdef");
    for byte in b"abcdef" {
        other.write(0, conn, &[*byte]);
    }
    rig.run();
    other.run();
    assert_eq!(rig.events, other.events);
    assert_eq!(rig.read(1, conn), other.read(1, conn));
}

#[test]
fn what_is_written_later_arrives_later() {
    let mut rig = Rig::new(64);
    let conn = rig.open();
    rig.write(0, conn, b"ab");
    rig.run_for(Span::us(10));
    rig.write(0, conn, b"cd");
    rig.run_for(Span::us(990));
    assert_eq!(rig.read(1, conn), b"ab");
    rig.run_for(Span::us(10));
    assert_eq!(rig.read(1, conn), b"cd");
}

#[test]
fn bytes_left_unread_get_no_reminder() {
    let mut rig = Rig::new(64);
    let conn = rig.open();
    rig.write(0, conn, b"abcdef");
    rig.run();
    assert_eq!(rig.read_some(1, conn, 2), b"ab");
    rig.run();
    assert_eq!(rig.said(conn), "1:readable");
    assert_eq!(rig.read(1, conn), b"cdef");
}

#[test]
fn a_write_is_cut_short_at_the_buffer_and_one_writable_follows_when_there_is_room() {
    let mut rig = Rig::new(8);
    let conn = rig.open();
    assert_eq!(rig.write(0, conn, b"0123456789"), 8);
    assert_eq!(rig.write(0, conn, b"89"), 0);
    rig.run();
    assert_eq!(rig.said(conn), "1:readable");
    let before = rig.now;
    assert_eq!(rig.read_some(1, conn, 3), b"012");
    rig.run_for(Span::us(500));
    assert_eq!(rig.read_some(1, conn, 1), b"3");
    rig.run();
    assert_eq!(rig.said(conn), "1:readable 0:writable");
    assert_eq!(rig.now, before + LATENCY);
    assert_eq!(rig.write(0, conn, b"89"), 2);
    assert_eq!(rig.saw(Sight::ShortWrite), 2);
    rig.run();
    assert_eq!(rig.read(1, conn), b"456789");
    rig.run();
    assert_eq!(rig.said(conn), "1:readable 0:writable 1:readable");
}

#[test]
fn a_writer_that_has_used_up_the_room_before_it_was_told_is_told_of_the_next() {
    let mut rig = Rig::new(4);
    let conn = rig.open();
    assert_eq!(rig.write(0, conn, b"012345"), 4);
    rig.run();
    rig.read_some(1, conn, 1);
    assert_eq!(rig.write(0, conn, b"45"), 1);
    rig.run();
    assert_eq!(rig.said(conn), "1:readable 1:readable", "there is no room at that moment");
    rig.read_some(1, conn, 1);
    rig.run();
    assert_eq!(rig.said(conn), "1:readable 1:readable 0:writable");
}

#[test]
fn a_write_that_fits_after_all_takes_the_writable_back() {
    let mut rig = Rig::new(4);
    let conn = rig.open();
    rig.write(0, conn, b"01234");
    rig.run();
    rig.read(1, conn);
    assert_eq!(rig.write(0, conn, b"4"), 1);
    rig.run();
    assert_eq!(rig.said(conn), "1:readable 1:readable");
}

#[test]
fn an_orderly_close_comes_after_the_bytes() {
    let mut rig = Rig::new(64);
    let conn = rig.open();
    rig.write(0, conn, b"last words");
    rig.close(0, conn, CloseReason::Fin);
    rig.run();
    assert_eq!(rig.said(conn), "1:readable 1:fin");
    assert_eq!(rig.read(1, conn), b"last words", "what has arrived can be read on");
    assert_eq!(rig.write(1, conn, b"too late"), 0);
    assert_eq!(rig.saw(Sight::Misuse), 1);
}

#[test]
fn a_reset_loses_what_is_in_flight_and_keeps_what_has_arrived() {
    let mut rig = Rig::new(64);
    let conn = rig.open();
    rig.write(0, conn, b"early");
    rig.run();
    rig.write(0, conn, b"late");
    rig.run_for(Span::us(500));
    let start = rig.now;
    rig.close(0, conn, CloseReason::Reset);
    rig.run();
    assert_eq!(rig.said(conn), "1:readable 1:reset");
    assert_eq!(rig.events[1].0, start + LATENCY, "not when the lost bytes were due");
    assert_eq!(rig.read(1, conn), b"early");
}

#[test]
fn whoever_has_closed_hears_nothing_more() {
    let mut rig = Rig::new(4);
    let conn = rig.open();
    rig.write(1, conn, b"1234");
    rig.write(0, conn, b"12345");
    rig.close(0, conn, CloseReason::Fin);
    rig.run();
    assert_eq!(rig.write(1, conn, b"5"), 0, "it is over for the other end, too");
    rig.run();
    assert_eq!(rig.said(conn), "1:readable 1:fin");
}

#[test]
fn what_the_other_end_writes_before_it_knows_is_accepted_and_lost() {
    let mut rig = Rig::new(4);
    let conn = rig.open();
    rig.close(0, conn, CloseReason::Fin);
    assert_eq!(rig.write(1, conn, b"123456"), 4, "the buffer is the bound all the same");
    rig.run();
    assert_eq!(rig.said(conn), "1:fin");
}

#[test]
fn two_ends_that_close_at_once_hear_nothing() {
    for reason in [CloseReason::Fin, CloseReason::Reset] {
        let mut rig = Rig::new(64);
        let conn = rig.open();
        rig.close(0, conn, reason);
        rig.close(1, conn, reason);
        rig.run();
        assert_eq!(rig.said(conn), "");
    }
}

#[test]
fn a_client_may_close_before_it_was_answered() {
    let mut rig = Rig::new(64);
    let conn = rig.connect(0, 1);
    rig.close(0, conn, CloseReason::Fin);
    rig.run();
    assert_eq!(rig.said(conn), "1:accepted 1:fin");
}

#[test]
fn a_connect_that_is_reset_on_its_way_never_reaches_the_server() {
    let mut rig = Rig::new(64);
    let conn = rig.connect(0, 1);
    rig.close(0, conn, CloseReason::Reset);
    rig.run();
    assert_eq!(rig.said(conn), "");
    let conn = rig.connect(0, 1);
    rig.run_for(LATENCY);
    rig.close(0, conn, CloseReason::Reset);
    rig.run();
    assert_eq!(rig.said(conn), "1:accepted 1:reset", "one that has reached it is reset");
}

#[test]
fn an_actor_that_connects_to_itself_is_refused() {
    let mut rig = Rig::new(64);
    let conn = rig.connect(0, 0);
    rig.run();
    assert_eq!(rig.said(conn), "0:refused");
}

#[test]
fn misuse_is_refused_and_counted() {
    let mut rig = Rig::new(64);
    let conn = rig.connect(0, 1);
    assert_eq!(rig.write(0, conn, b"early"), 0, "before it is open");
    assert_eq!(rig.write(1, conn, b"early"), 0, "before it has accepted");
    rig.run();
    assert_eq!(rig.write(2, conn, b"foreign"), 0);
    assert_eq!(rig.read(2, conn), b"");
    assert_eq!(rig.write(0, ConnId(9), b"unknown"), 0);
    rig.close(2, conn, CloseReason::Reset);
    assert_eq!(rig.saw(Sight::Misuse), 6);
    rig.close(0, conn, CloseReason::Fin);
    assert_eq!(rig.write(0, conn, b"after the close"), 0);
    assert_eq!(rig.read(0, conn), b"");
    rig.close(0, conn, CloseReason::Fin);
    assert_eq!(rig.saw(Sight::Misuse), 9);
    rig.events.clear();
    rig.run();
    assert_eq!(rig.said(conn), "1:fin", "and none of it had an effect");
}

#[test]
fn to_write_or_read_nothing_is_no_misuse() {
    let mut rig = Rig::new(64);
    let conn = rig.open();
    assert_eq!(rig.write(0, conn, b""), 0);
    assert_eq!(rig.read_some(0, conn, 0), b"");
    rig.run();
    assert_eq!((rig.said(conn).as_str(), rig.saw(Sight::Misuse)), ("", 0));
}

#[test]
fn to_close_after_the_end_lets_go_of_what_was_not_read() {
    let mut rig = Rig::new(64);
    let conn = rig.open();
    rig.write(0, conn, b"unread");
    rig.close(0, conn, CloseReason::Fin);
    rig.run();
    rig.close(1, conn, CloseReason::Fin);
    assert_eq!(rig.read(1, conn), b"");
    rig.run();
    assert_eq!(rig.said(conn), "1:readable 1:fin");
}

#[test]
fn the_cause_of_an_event_is_the_call_that_set_it_going() {
    let mut rig = Rig::new(4);
    rig.connect(0, 1);
    let asked = StepId(rig.step);
    rig.run_for(LATENCY);
    let (_, answer) = rig.agenda.first_key_value().unwrap();
    assert_eq!(answer.cause, asked, "the answer to a connect is caused by it");
    rig.reset(4);
    let conn = rig.open();
    rig.write(0, conn, b"12345");
    let (_, wake) = rig.agenda.first_key_value().unwrap();
    assert_eq!(wake.cause, StepId(rig.step));
    rig.run();
    rig.read(1, conn);
    let (_, wake) = rig.agenda.first_key_value().unwrap();
    assert_eq!((wake.cause, wake.what), (StepId(rig.step), room_wake(wake)));
}

fn room_wake(wake: &Wake) -> ConnWake {
    match wake.what {
        ConnWake::Room { .. } => wake.what,
        ConnWake::Arrive { .. } => panic!("the news of room"),
    }
}

#[test]
fn memory_is_kept_from_connection_to_connection_and_from_run_to_run() {
    let mut rig = Rig::new(64);
    for _ in 0..3 {
        for _ in 0..20 {
            let conn = rig.open();
            rig.write(0, conn, &[7; 64]);
            rig.close(0, conn, CloseReason::Fin);
            rig.run();
            rig.read(1, conn);
            assert!(rig.conns.spare.len() <= 4, "{}", rig.conns.spare.len());
            assert!(rig.conns.spare.iter().any(|buffers| buffers.bytes.capacity() >= 64));
        }
        let conn = rig.open();
        rig.connect(0, 0);
        rig.write(0, conn, b"on the way");
        rig.close(0, conn, CloseReason::Reset);
        rig.run();
        assert_eq!(rig.conns.spare.len(), 4, "of what was lost or refused, too");
        rig.reset(64);
        assert!(rig.conns.spare.iter().any(|buffers| buffers.bytes.capacity() >= 64));
    }
}
