//! Links that trouble connections, and faults that strike them.

use super::*;

fn cut(rig: &mut Rig, span: Span) {
    let until = rig.now + span;
    rig.links.get_mut(NodeId(0), NodeId(1)).cut_until = until;
}

#[test]
fn bytes_that_meet_a_cut_wait_for_its_end() {
    let mut rig = Rig::new(64);
    let conn = rig.open();
    let start = rig.now;
    rig.write(0, conn, b"abc");
    cut(&mut rig, Span::ms(30));
    rig.write(1, conn, b"the other direction is not cut");
    rig.run();
    assert_eq!(rig.said(conn), "0:readable 1:readable");
    assert_eq!(rig.now, start + Span::ms(30) + LATENCY);
    assert_eq!((rig.read(1, conn), rig.saw(Sight::CutStall)), (b"abc".to_vec(), 1));
}

#[test]
fn the_news_of_room_waits_for_the_end_of_a_cut() {
    let mut rig = Rig::new(4);
    let conn = rig.open();
    rig.write(1, conn, b"01234");
    rig.run();
    let start = rig.now;
    cut(&mut rig, Span::ms(30));
    rig.read(0, conn);
    rig.run();
    assert_eq!(rig.said(conn), "0:readable 1:writable");
    assert_eq!(rig.now, start + Span::ms(30) + LATENCY);
}

#[test]
fn the_news_of_room_waits_for_the_end_of_a_clog() {
    let mut rig = Rig::new(4);
    let conn = rig.open();
    rig.write(1, conn, b"01234");
    rig.run();
    rig.read(0, conn);
    let until = rig.now + Span::ms(30);
    rig.links.get_mut(NodeId(0), NodeId(1)).clog_until = until;
    rig.run();
    assert_eq!((rig.said(conn).as_str(), rig.now), ("0:readable 1:writable", until + LATENCY));
}

#[test]
fn news_of_room_that_was_brought_forward_comes_once() {
    let mut rig = Rig::new(4);
    let conn = rig.open();
    rig.write(1, conn, b"01234");
    rig.run();
    let end = rig.now + Span::ms(30) + LATENCY;
    cut(&mut rig, Span::ms(30));
    rig.read(0, conn);
    rig.run_for(Span::ms(10));
    rig.heal();
    rig.run_for(Span::ms(5));
    rig.write(1, conn, b"56789");
    rig.run_for(end.since(rig.now) - Span::us(500));
    rig.read(0, conn);
    rig.run();
    assert_eq!(rig.said(conn), "0:readable 1:writable 0:readable 1:writable");
    assert_eq!(rig.events[3].0, end + Span::us(500), "not when the first news would have come");
}

#[test]
fn a_connect_and_a_reset_decide_nothing_when_they_meet_a_cut() {
    for reason in [CloseReason::Fin, CloseReason::Reset] {
        let mut rig = Rig::new(64);
        rig.force(&CUT, Side::Client, 0, "half-open");
        rig.force(&CUT, Side::Server, 0, "half-open");
        cut(&mut rig, Span::ms(30));
        let conn = rig.connect(0, 1);
        rig.run_for(Span::ms(31));
        rig.links.get_mut(NodeId(1), NodeId(0)).cut_until = START + Span::ms(40);
        rig.run();
        assert_eq!(rig.said(conn), "1:accepted 0:opened");
        cut(&mut rig, Span::ms(30));
        rig.close(0, conn, reason);
        rig.run();
        let heard = reason == CloseReason::Reset;
        let end = if heard { "1:accepted 0:opened 1:reset" } else { "1:accepted 0:opened" };
        assert_eq!(rig.said(conn), end, "an orderly end is part of the stream and decides");
    }
}

#[test]
fn giving_up_is_not_heard_where_it_is_silent() {
    let mut rig = Rig::new(64);
    rig.force(&CUT, Side::Client, 0, "reset");
    let conn = rig.open();
    let which = Which::One { conn, from: Side::Server };
    rig.with(|conns, m| conns.strike(which, Trouble::Silence, m));
    cut(&mut rig, Span::ms(30));
    rig.write(0, conn, b"abc");
    rig.run();
    assert_eq!(rig.said(conn), "1:reset");
}

#[test]
fn a_connect_and_its_end_wait_for_the_end_of_a_cut() {
    let mut rig = Rig::new(64);
    cut(&mut rig, Span::ms(30));
    let conn = rig.connect(0, 1);
    rig.run();
    assert_eq!((rig.said(conn).as_str(), rig.last()), ("1:accepted 0:opened", Span::ms(32)));
    for reason in [CloseReason::Fin, CloseReason::Reset] {
        let conn = rig.open();
        let start = rig.now;
        cut(&mut rig, Span::ms(30));
        rig.close(0, conn, reason);
        rig.run();
        assert_eq!(rig.now, start + Span::ms(30) + LATENCY);
        assert_eq!(rig.said(conn), if reason == CloseReason::Fin { "1:fin" } else { "1:reset" });
    }
}

#[test]
fn a_cut_that_grows_is_waited_for_to_its_end() {
    let mut rig = Rig::new(64);
    let conn = rig.open();
    let start = rig.now;
    rig.write(0, conn, b"abc");
    cut(&mut rig, Span::ms(30));
    rig.run_for(Span::ms(20));
    cut(&mut rig, Span::ms(50));
    rig.run();
    assert_eq!((rig.said(conn).as_str(), rig.now), ("1:readable", start + Span::ms(71)));
}

#[test]
fn a_connection_that_meets_a_cut_may_be_given_up_by_both_ends() {
    for (span, end) in [(Span::ms(30), Span::ms(31)), (Span::secs(60), Span::ms(1001))] {
        let mut rig = Rig::new(64);
        rig.force(&CUT, Side::Client, 3, "reset");
        let conn = rig.open();
        rig.write(0, conn, b"abc");
        rig.run();
        let start = rig.now;
        cut(&mut rig, span);
        rig.write(0, conn, b"def");
        rig.run_for(Span::ms(2));
        assert_eq!(rig.said(conn), "1:readable");
        rig.run();
        assert_eq!(rig.said(conn), "1:readable 1:reset 0:reset");
        assert_eq!(rig.now, start + end);
        assert_eq!((rig.read(1, conn), rig.saw(Sight::CutReset)), (b"abc".to_vec(), 1));
    }
}

#[test]
fn a_connection_that_meets_a_cut_may_stay_half_open() {
    let mut rig = Rig::new(4);
    rig.force(&CUT, Side::Client, 0, "half-open");
    let conn = rig.open();
    cut(&mut rig, Span::ms(30));
    rig.write(0, conn, b"abc");
    rig.run();
    rig.heal();
    assert_eq!(rig.write(1, conn, b"12345"), 4, "the other direction still works");
    rig.run();
    assert_eq!((rig.said(conn).as_str(), rig.saw(Sight::CutHalfOpen)), ("0:readable", 1));
    rig.read(0, conn);
    rig.run();
    assert_eq!(rig.said(conn), "0:readable", "but the news of room is lost");
    assert_eq!(rig.write(1, conn, b"5"), 0);
    assert_eq!(rig.write(0, conn, b"efgh"), 1, "and what is written into the silence fills up");
    rig.close(0, conn, CloseReason::Fin);
    rig.run();
    assert_eq!(rig.said(conn), "0:readable");
}

#[test]
fn a_cut_of_a_link_without_traffic_leaves_a_connection_alone() {
    let mut rig = Rig::new(64);
    rig.force(&CUT, Side::Client, 0, "reset");
    let conn = rig.open();
    cut(&mut rig, Span::ms(30));
    rig.run_for(Span::ms(40));
    rig.write(0, conn, b"abc");
    rig.run();
    assert_eq!(rig.said(conn), "1:readable");
}

#[test]
fn a_clogged_link_holds_everything_until_it_is_free() {
    let mut rig = Rig::new(64);
    let conn = rig.open();
    let start = rig.now;
    rig.write(0, conn, b"on the way");
    rig.run_for(Span::us(500));
    rig.links.get_mut(NodeId(0), NodeId(1)).clog_until = start + Span::ms(10);
    rig.run_for(Span::ms(5));
    rig.write(0, conn, b", behind it");
    rig.run();
    assert_eq!((rig.said(conn).as_str(), rig.now), ("1:readable", start + Span::ms(11)));
    assert_eq!(rig.read(1, conn), b"on the way, behind it");
    assert_eq!(rig.saw(Sight::Clogged), 2);
}

#[test]
fn a_slow_link_multiplies_the_latency() {
    let mut rig = Rig::new(64);
    let conn = rig.open();
    let start = rig.now;
    let link = rig.links.get_mut(NodeId(0), NodeId(1));
    link.slow_until = start + Span::ms(10);
    link.slow_factor = 40;
    rig.write(0, conn, b"abc");
    rig.run();
    assert_eq!((rig.said(conn).as_str(), rig.now), ("1:readable", start + Span::ms(40)));
    assert_eq!(rig.saw(Sight::Slowed), 1);
}

#[test]
fn trouble_without_an_end_lasts_until_the_heal() {
    for clogged in [false, true] {
        let mut rig = Rig::new(64);
        let conn = rig.open();
        rig.write(1, conn, &[0; 65]);
        rig.run();
        let link = rig.links.get_mut(NodeId(0), NodeId(1));
        let until = if clogged { &mut link.clog_until } else { &mut link.cut_until };
        *until = Time(u64::MAX);
        rig.write(0, conn, b"abc");
        rig.read(0, conn);
        rig.run();
        assert_eq!(rig.said(conn), "0:readable");
        rig.now += Span::secs(100);
        let healed = rig.now;
        rig.heal();
        rig.run();
        assert_eq!(rig.said(conn), "0:readable 1:readable 1:writable");
        assert_eq!(rig.now, healed + LATENCY);
    }
}

#[test]
fn a_heal_brings_forward_what_waits() {
    let mut rig = Rig::new(64);
    let conn = rig.open();
    let start = rig.now;
    rig.write(0, conn, b"abc");
    cut(&mut rig, Span::secs(30));
    rig.run_for(Span::ms(10));
    rig.heal();
    rig.run();
    assert_eq!(rig.said(conn), "1:readable");
    assert_eq!(rig.events[0].0, start + Span::ms(11));
}

#[test]
fn a_reset_from_outside_reaches_both_ends_and_loses_what_is_in_flight() {
    let mut rig = Rig::new(64);
    let conn = rig.open();
    rig.write(0, conn, b"lost");
    assert_eq!(rig.strike(Trouble::Reset), 1);
    rig.run();
    assert_eq!(rig.said(conn), "1:reset 0:reset");
    assert_eq!((rig.read(1, conn), rig.saw(Sight::Reset)), (vec![], 1));
    assert_eq!(rig.strike(Trouble::Reset), 0, "there is nothing left to strike");
}

#[test]
fn a_reset_of_a_connect_on_its_way_refuses_it() {
    let mut rig = Rig::new(64);
    let conn = rig.connect(0, 1);
    assert_eq!(rig.strike(Trouble::Reset), 1);
    rig.run();
    assert_eq!(rig.said(conn), "0:refused");
}

#[test]
fn an_orderly_close_from_outside_comes_after_the_bytes_of_both() {
    let mut rig = Rig::new(64);
    let conn = rig.open();
    rig.write(0, conn, b"ab");
    rig.write(1, conn, b"cd");
    assert_eq!([rig.strike(Trouble::Close), rig.strike(Trouble::Close)], [1, 0]);
    assert_eq!(rig.write(0, conn, b"lost"), 4);
    rig.run();
    assert_eq!(rig.said(conn), "1:readable 0:readable 1:fin 0:fin");
    assert_eq!((rig.read(1, conn), rig.read(0, conn)), (b"ab".to_vec(), b"cd".to_vec()));
    assert_eq!(rig.saw(Sight::Closed), 1);
}

#[test]
fn silence_is_in_one_direction_and_for_ever() {
    let mut rig = Rig::new(64);
    let conn = rig.open();
    rig.write(0, conn, b"never");
    assert_eq!(rig.strike(Trouble::Silence), 1);
    rig.write(1, conn, b"this way");
    rig.run();
    rig.heal();
    rig.close(0, conn, CloseReason::Reset);
    rig.run();
    assert_eq!((rig.said(conn).as_str(), rig.saw(Sight::Silenced)), ("0:readable", 1));
    assert_eq!(rig.strike(Trouble::Silence), 0);
}

#[test]
fn news_of_room_that_is_on_its_way_is_silenced_too() {
    let mut rig = Rig::new(4);
    let conn = rig.open();
    rig.write(1, conn, b"01234");
    rig.run();
    rig.read(0, conn);
    rig.strike(Trouble::Silence);
    rig.run();
    assert_eq!(rig.said(conn), "0:readable");
}

#[test]
fn a_writer_to_a_dead_machine_may_give_up_at_a_cut() {
    let mut rig = Rig::new(64);
    rig.force(&CUT, Side::Client, 0, "reset");
    let conn = rig.open();
    rig.conns.node_crashed(NodeId(1));
    cut(&mut rig, Span::ms(30));
    rig.write(0, conn, b"abc");
    rig.run();
    assert_eq!(rig.said(conn), "0:reset");
    rig.boot(1);
    rig.run();
    assert_eq!((rig.said(conn).as_str(), rig.saw(Sight::LateReset)), ("0:reset", 0));
}

#[test]
fn a_torn_tail_is_a_prefix_of_what_arrives_and_then_the_end() {
    let mut lengths = std::collections::BTreeSet::new();
    for seed in 0..40 {
        for reason in [CloseReason::Fin, CloseReason::Reset] {
            let mut rig = Rig::new(64);
            rig.choices.reset(seed);
            let conn = rig.open();
            rig.write(0, conn, b"012345");
            assert_eq!(rig.strike(Trouble::Tear(reason)), 1);
            rig.run_for(Span::us(10));
            rig.write(0, conn, b"6789");
            rig.close(0, conn, CloseReason::Fin);
            rig.run();
            let read = rig.read(1, conn);
            let end = if reason == CloseReason::Fin { "1:fin" } else { "1:reset" };
            let said = if read.is_empty() { end.into() } else { format!("1:readable {end}") };
            assert_eq!(rig.said(conn), said);
            assert!(read.len() < 6 && b"012345".starts_with(&read), "{read:?}");
            assert_eq!(rig.saw(Sight::Torn), 1);
            lengths.insert(read.len());
        }
    }
    assert_eq!(lengths.len(), 6, "every strict prefix comes");
}

#[test]
fn the_writer_of_a_torn_tail_sees_a_reset() {
    let mut rig = Rig::new(64);
    let conn = rig.open();
    rig.strike(Trouble::Tear(CloseReason::Fin));
    rig.run();
    assert_eq!((rig.said(conn).as_str(), rig.saw(Sight::Torn)), ("", 0), "nothing to tear yet");
    rig.write(0, conn, b"x");
    rig.run();
    assert_eq!(rig.said(conn), "1:fin 0:reset", "of one byte nothing is left");
}

#[test]
fn a_trouble_strikes_the_connection_or_the_direction_that_is_meant() {
    let mut rig = Rig::new(64);
    let [first, second, other] = [rig.connect(0, 1), rig.connect(1, 0), rig.connect(0, 2)];
    rig.run();
    rig.events.clear();
    let which = Which::One { conn: first, from: Side::Server };
    assert_eq!(rig.with(|conns, m| conns.strike(which, Trouble::Silence, m)), 1);
    let which = Which::Between { from: NodeId(1), to: NodeId(0) };
    let tear = Trouble::Tear(CloseReason::Fin);
    assert_eq!(rig.with(|conns, m| conns.strike(which, tear, m)), 1, "the first is silent");
    for conn in [first, second] {
        rig.write(0, conn, b"there");
        rig.write(1, conn, b"b");
    }
    rig.write(0, other, b"there");
    rig.run();
    assert_eq!(rig.said(first), "1:readable");
    assert_eq!(rig.said(second), "1:readable 0:fin 1:reset");
    assert_eq!(rig.said(other), "2:readable");
    assert_eq!(rig.strike(Trouble::Reset), 1);
    rig.run();
    assert_eq!(rig.said(first), "1:readable 1:reset", "not heard where it is silent");
    assert_eq!(rig.said(other), "2:readable");
}

#[test]
fn a_server_may_refuse_connects_for_a_while() {
    let mut rig = Rig::new(64);
    rig.conns.refuse_connects(NodeId(1), START + Span::ms(5));
    let early = rig.connect(0, 1);
    let elsewhere = rig.connect(0, 2);
    rig.run_for(Span::ms(4));
    assert_eq!(rig.said(early), "0:refused");
    assert_eq!(rig.said(elsewhere), "2:accepted 0:opened");
    let late = rig.connect(0, 1);
    rig.run();
    assert_eq!(rig.said(late), "1:accepted 0:opened", "what counts is when it arrives");
    assert_eq!(rig.saw(Sight::RefusedConnect), 1);
}

#[test]
fn a_server_may_leave_connects_hanging_for_a_while() {
    let mut rig = Rig::new(64);
    rig.conns.hang_connects(NodeId(1), START + Span::ms(50));
    let conn = rig.connect(0, 1);
    rig.run();
    assert_eq!((rig.said(conn).as_str(), rig.last()), ("1:accepted 0:opened", Span::ms(51)));
    assert_eq!(rig.saw(Sight::HungConnect), 1);
    rig.conns.hang_connects(NodeId(1), Time(u64::MAX));
    let conn = rig.connect(0, 1);
    rig.run();
    assert_eq!(rig.said(conn), "");
    rig.heal();
    rig.run();
    assert_eq!(rig.said(conn), "1:accepted 0:opened", "a heal ends it");
}

#[test]
fn a_heal_takes_back_what_has_not_torn_yet() {
    let mut rig = Rig::new(64);
    let conn = rig.open();
    rig.strike(Trouble::Tear(CloseReason::Reset));
    rig.heal();
    rig.write(0, conn, b"abc");
    rig.run();
    assert_eq!((rig.said(conn).as_str(), rig.read(1, conn)), ("1:readable", b"abc".to_vec()));
}
